"""A section in memory for tests: the main log, the index, and branch logs kept as services keep them."""

from __future__ import annotations

from typing import Any

from drafting.engine.attribution import ListLog
from drafting.engine.branch import branch_text, check_order
from drafting.engine.changes import ChangeSet
from drafting.engine.plans import Item, Plan
from drafting.engine.proposals import Proposals


class Desk:
    """Drives `Proposals` as services do, and keeps each branch's text from its log alone."""

    def __init__(self, text: str, kind: type[Proposals] = Proposals) -> None:
        self.log = ListLog()
        if text:
            self.log.append(ChangeSet.of([(0, 0, text)], 0))
        self.p = kind(self.log)
        self.branches: dict[int, str] = {}
        self.entries: dict[int, list[tuple[str, int, ChangeSet, bool]]] = {}

    @property
    def main(self) -> str:
        return self.p.text

    def open(self, suggestion: int, number: int | None = None, filed: bool = True) -> int:
        self.p.open(suggestion, suggestion if number is None else number, filed)
        self.branches[suggestion] = self.main
        self.entries[suggestion] = []
        return suggestion

    def read(self, suggestion: int) -> str:
        """The branch text as its log gives it, after catching up."""
        for entry in self.p.catch_up(suggestion):
            self.branches[suggestion] = entry.changes.apply(self.branches[suggestion])
            client = "main" if entry.kind == "from_main" else "decision"
            self.entries[suggestion].append((client, entry.version, entry.changes, entry.removal))
        return self.branches[suggestion]

    def suggest(self, suggestion: int, *pieces: tuple[int, int, str], **more: Any) -> Any:
        """An author's update, positions in the branch text."""
        if suggestion not in self.branches:
            self.open(suggestion)
        text = self.read(suggestion)
        changes = ChangeSet.of(list(pieces), len(text))
        outcome = self.p.branch_update(suggestion, changes, **more)
        self.branches[suggestion] = changes.apply(text)
        self.entries[suggestion].append((f"author {suggestion}", len(self.entries[suggestion]), changes, False))
        return outcome

    def replace(self, suggestion: int, old: str, new: str, nth: int = 0) -> Any:
        """An author replaces words of the branch text."""
        if suggestion not in self.branches:
            self.open(suggestion)
        start = place(self.read(suggestion), old, nth)
        return self.suggest(suggestion, (start, start + len(old), new))

    def edit(self, *pieces: tuple[int, int, str], carried: Any = None) -> Any:
        """A direct edit of main."""
        changes = ChangeSet.of(list(pieces), len(self.main))
        self.log.append(changes, carried)
        return self.p.main_update(changes, self.log.version, carried)

    def edit_words(self, old: str, new: str, nth: int = 0) -> Any:
        start = place(self.main, old, nth)
        return self.edit((start, start + len(old), new))

    def accept(self, *pairs: tuple[int, int] | Item, named: Any = None) -> Plan:
        items = [pair if isinstance(pair, Item) else Item(*pair) for pair in pairs]
        plan = self.p.plan(items)
        self.p.accept(plan, named)
        for applied in plan.applied:
            self.log.append(applied.changes, applied.carried)
        return plan

    def reject(self, suggestion: int, hunk: int) -> None:
        self.p.reject(suggestion, hunk)

    def revert(self, suggestion: int, hunk: int, confirm: bool = True) -> Any:
        plan = self.p.revert_plan(suggestion, hunk)
        self.p.revert(plan, confirm)
        for applied in plan.applied:
            self.log.append(applied.changes, applied.carried)
        return plan

    def hunks(self, suggestion: int) -> list[tuple[int, str, str]]:
        """(id, ground, text) of each open hunk."""
        return [(one.id, one.ground, one.text) for one in self.p.shown(suggestion)]

    def check(self) -> None:
        """Law 6, order, and that logs and index tell the same."""
        assert self.p.version == self.log.version and self.p.text == self.log.text(self.log.version)
        for suggestion in self.p.suggestions():
            hunks = self.p.hunks(suggestion)
            assert check_order(self.main, hunks), (suggestion, hunks)
            assert self.read(suggestion) == self.p.branch_text(suggestion) == branch_text(self.main, hunks)


def place(text: str, words: str, nth: int = 0) -> int:
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return start

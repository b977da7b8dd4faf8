"""People at random on one section, through the services, with restarts: everything ends equal and verifies clean.

One thread, seeded, on short crowded texts. Editors lag behind, resend, and pull in pieces; decisions fall while they
type; heads are forgotten at random, as when a worker restarts. The number of games comes from DRAFTING_PLAY.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field

import pytest

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update, carry
from drafting.engine.text import from_units, to_units
from drafting.errors import Conflict, InvalidInput, NotFound
from drafting.services import annotations, decisions, editing, heads, streams, suggestions, verify
from drafting.services.access import Actor
from drafting.services.decisions import Judged
from drafting.store.database import Database
from drafting.store.models import Suggestion
from tests import make

FULL = os.environ.get("DRAFTING_PLAY", "smoke") == "full"
GAMES = int(os.environ.get("LIVE_GAMES", 0)) or (35 if FULL else 6)
STEPS = 220 if FULL else 120
WORDS = ["tree", "trees", "100", "250", "native", "we", "plant", "ż", "😀", ".", ",", "\n", " ", " and "]


@dataclass
class Editor:
    """An editor that lags: what it has confirmed, and what it has not yet got back."""

    actor: Actor
    stream_id: int
    client: str
    version: int = 0
    text: str = ""  # units
    sequence: int = 0
    pending: list[Update] = field(default_factory=list)


class Game:
    def __init__(self, database: Database, seed: int) -> None:
        self.database, self.random = database, random.Random(seed)
        with database.write() as session:
            document = make.document(session, phase="consultation")
            self.document_id = document.id
            ours, theirs = make.organization(session, document), make.organization(session, document)
            self.coordinator = make.member(session, document, "coordinator")
            self.drafters = [make.member(session, document, "drafter") for _ in range(2)]
            self.ngos = [make.member(session, document, "contributor", each) for each in (ours, ours, theirs)]
            self.origins = [make.origin(session, document, ours).id]
            row = make.section(session, document, "we plant 100 trees. and more\n\n😀 we go on")
            session.commit()
            assert row.stream_id is not None
            self.section_id, self.stream_id = row.id, row.stream_id
        self.editors: list[Editor] = []
        self.clients = 0
        self.open: dict[int, int] = {}  # suggestion → stream
        self.made: list[int] = []  # decisions
        self.remarks: list[int] = []
        for actor in self.drafters:
            self.join(actor, self.stream_id)

    def join(self, actor: Actor, stream_id: int) -> Editor:
        self.clients += 1
        editor = Editor(actor, stream_id, f"c{self.clients}")
        with self.database.write() as session:
            editing.bring_up_branches(session, self.section_id, [stream_id])
            with heads.reading(session, self.section_id) as head:
                editor.version = head.log_of(stream_id).version
                editor.text = to_units(streams.present_text(head, stream_id))
        self.editors.append(editor)
        return editor

    # ── steps ──

    def step(self) -> None:
        kind = self.random.choices(
            ["type", "push", "pull", "open", "file", "decide", "reject", "reword", "revert", "remark", "restart",
             "withdraw", "restore", "reopen", "join"],
            [30, 14, 10, 2, 4, 6, 2, 2, 4, 2, 2, 0.7, 0.5, 1.5, 1],
        )[0]  # fmt: skip
        getattr(self, f"do_{kind}")()

    def shown(self, editor: Editor) -> str:
        text = editor.text
        for each in editor.pending:
            text = each.changes.apply(text)
        return text

    def do_type(self) -> None:
        editor = self.random.choice(self.editors)
        text = self.shown(editor)
        start = self.place(text)
        end = self.place(text) if self.random.random() < 0.4 else start
        start, end = min(start, end), max(start, end)
        if end - start > 12:
            end = start
        words = to_units("".join(self.random.choices(WORDS, k=self.random.randint(0 if end > start else 1, 2))))
        if len(text) > 400:
            words = ""
            end = next(each for each in (end, end + 1, end + 2) if not self.cuts(text, each))
        editor.sequence += 1
        editor.pending.append(Update(editor.client, editor.sequence, ChangeSet.of([(start, end, words)], len(text))))

    def place(self, text: str) -> int:
        at = self.random.randint(0, len(text))
        return at + 1 if self.cuts(text, at) else at

    @staticmethod
    def cuts(text: str, at: int) -> bool:
        return 0 < at < len(text) and "\udc00" <= text[at] <= "\udfff"

    def do_push(self, editor: Editor | None = None) -> None:
        editor = editor or self.random.choice(self.editors)
        if not editor.pending:
            return
        some = editor.pending if self.random.random() < 0.7 else editor.pending[: self.random.randint(1, 3)]
        try:
            for _ in range(2 if self.random.random() < 0.2 else 1):  # a lost acknowledgement: sent again
                with self.database.write() as session:
                    editing.push(session, editor.actor, editor.stream_id, editor.version, some, self.random.choice([(), ()]))
        except (NotFound, Conflict):
            self.editors.remove(editor)  # decided or withdrawn meanwhile: what is unsent stays in the browser

    def do_pull(self, editor: Editor | None = None, whole: bool = False) -> None:
        editor = editor or self.random.choice(self.editors)
        try:
            with self.database.read() as session, heads.reading(session, self.section_id) as head:
                log = head.log_of(editor.stream_id)
                until = log.version if whole else self.random.randint(editor.version, log.version)
                rows = log.since(editor.version, until)
        except NotFound:
            self.editors.remove(editor)
            return
        for row in rows:
            stored = Update(row.client, row.sequence, row.changes)
            editor.pending = list(carry(editor.pending, [stored], editor.version).updates)
            editor.text = row.changes.apply(editor.text)
            editor.version += 1

    def do_join(self) -> None:
        if len(self.editors) < 9:
            self.join(self.random.choice(self.drafters), self.stream_id)

    def do_open(self) -> None:
        if len(self.open) >= 7:
            return
        actor = self.random.choice(self.ngos)
        with self.database.write() as session:
            view = suggestions.open_suggestion(session, actor, self.section_id)
        self.open[view.id] = view.stream_id
        self.join(actor, view.stream_id)
        if self.random.random() < 0.3:
            self.join(actor, view.stream_id)

    def views(self) -> list[suggestions.SuggestionView]:
        with self.database.read() as session:
            rows = suggestions.of_section(session, self.coordinator, self.section_id)
        return rows

    def do_file(self) -> None:
        for suggestion_id in self.open:
            with self.database.write() as session:
                row = session.get_one(Suggestion, suggestion_id)
                if row.state != "draft":
                    continue
                owner = next(each for each in self.ngos if each.user_id == row.author_id)
                try:
                    suggestions.file(session, owner, suggestion_id, reason="so")
                except InvalidInput:
                    continue
                return

    def items(self) -> list[Judged]:
        found = []
        for view in self.views():
            for hunk in view.open_hunks:
                mode = self.random.choice(["stands", "around"]) if hunk.base_changed else ""
                if view.filed_at is not None:
                    found.append(Judged(view.id, hunk.id, view.branch_version, hunk.hash, mode))
        self.random.shuffle(found)
        return found[: self.random.choice([1, 1, 1, 2, 3])]

    def decide(self, items: list[Judged], verdict: str, wording: str | None = None) -> None:
        if not items:
            return
        with self.database.write() as session:
            try:
                done = decisions.decide(
                    session, self.coordinator, self.section_id, items, verdict, reason="because", wording=wording
                )
            except Conflict:
                return
        self.made.extend(one.id for one in done.decisions)

    def do_decide(self) -> None:
        self.decide(self.items(), "accepted")

    def do_reject(self) -> None:
        self.decide(self.items(), "rejected")

    def do_reword(self) -> None:
        self.decide(self.items()[:1], "accepted", "".join(self.random.choices(WORDS, k=3)))

    def do_revert(self) -> None:
        if not self.made:
            return
        decision = self.random.choice(self.made)
        with self.database.write() as session:
            try:
                done = decisions.revert(session, self.coordinator, decision, confirm=self.random.random() < 0.7)
            except Conflict:
                return
        assert done.decisions

    def do_reopen(self) -> None:
        for view in self.views():
            for hunk in view.hunks:
                if hunk.state in ("superseded", "closed"):
                    with self.database.write() as session:
                        try:
                            decisions.reopen(session, self.coordinator, view.id, hunk.id)
                        except Conflict:
                            continue
                    return

    def do_withdraw(self) -> None:
        for suggestion_id in list(self.open):
            with self.database.write() as session:
                row = session.get_one(Suggestion, suggestion_id)
                owner = next(each for each in self.ngos if each.user_id == row.author_id)
                try:
                    suggestions.withdraw(session, owner, suggestion_id)
                except Conflict:
                    continue
                del self.open[suggestion_id]
                return

    def do_restore(self) -> None:
        with self.database.write() as session:
            version = self.random.randint(0, editing.text_at(session, self.coordinator, self.section_id).version)
            editing.restore(session, self.coordinator, self.section_id, version)

    def do_remark(self) -> None:
        with self.database.write() as session:
            view = editing.text_at(session, self.coordinator, self.section_id)
            units = to_units(view.text)
            start, end = sorted((self.place(units), self.place(units)))
            if start < end:
                made = annotations.annotate(
                    session, self.drafters[0], self.document_id, "hm", section_id=self.section_id,
                    start=start, end=end, version=view.version,
                )
                self.remarks.append(made.id)

    def do_restart(self) -> None:
        with self.database.read() as session:
            heads.registry_of(session).forget_all()

    # ── the end ──

    def finish(self) -> None:
        for _ in range(3):
            for editor in list(self.editors):
                self.do_push(editor)
                if editor in self.editors:
                    while editor.pending and editor in self.editors:
                        self.do_pull(editor, whole=True)
                        self.do_push(editor)
        with self.database.write() as session:
            editing.bring_up_branches(session, self.section_id, [each.stream_id for each in self.editors])
        for editor in list(self.editors):
            self.do_pull(editor, whole=True)
        with self.database.read() as session, heads.reading(session, self.section_id) as head:
            for editor in self.editors:
                expected = streams.present_text(head, editor.stream_id)
                assert not editor.pending and from_units(editor.text) == expected
        with self.database.read() as session:
            assert [str(fault) for fault in verify.verify_document(session, self.document_id)] == []


@pytest.mark.parametrize("seed", range(GAMES))
def test_a_play_of_everything_ends_equal_and_verifies_clean(sqlite_database: Database, seed: int) -> None:
    game = Game(sqlite_database, seed)
    for step in range(STEPS):
        try:
            game.step()
        except Exception as error:
            error.add_note(f"seed {seed}, step {step}")
            raise
    game.finish()

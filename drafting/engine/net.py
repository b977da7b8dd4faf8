"""The net change between two main versions: what stood and stands counts as untouched, however it came and went."""

from __future__ import annotations

from drafting.engine.changes import ChangeSet
from drafting.engine.plans import Log
from drafting.engine.words import trimmed


def net_change(log: Log, a: int, b: int) -> ChangeSet:
    """What turns the text at version a into that at version b, less what was put back letter for letter in place."""
    old = log.text(a)
    total = ChangeSet.empty(len(old))
    for version in range(a + 1, b + 1):
        total = total.compose(log.changes(version))
    pieces = [trimmed(old, start, end, words) for start, end, _, _, words in total.iter_changes()]
    return ChangeSet.of(list(pieces), len(old))

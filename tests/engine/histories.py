"""Tiny crowded random histories: the engine's log and the oracle's, revision by revision the same."""

from __future__ import annotations

import os
import random

from drafting.engine.attribution import ListLog, Span
from drafting.engine.changes import ChangeSet
from drafting.engine.restoration import restoration, restore
from tests.engine.crowded import random_changes, random_place
from tests.engine.history_oracle import History

# The numbers under DRAFTING_PLAY=full; the everyday run is shorter.
FULL = os.environ.get("DRAFTING_PLAY") == "full"

# What revision 3 of stream 7 inserted: one identity is one letter, wherever it goes.
ELSEWHERE = "words from elsewhere"


def some(smoke: int, full: int) -> int:
    return full if FULL else smoke


class Both:
    """One history told to both."""

    def __init__(self) -> None:
        self.log = ListLog()
        self.history = History()

    @property
    def text(self) -> str:
        return self.log.text(self.log.version)

    def revise(self, changes: ChangeSet, carried=None) -> int:
        version = self.log.append(changes, carried)
        self.history.revise(list(changes.replacements), None if carried is None else [tuple(each) for each in carried])
        return version

    def edit(self, *replacements: tuple[int, int, str]) -> int:
        return self.revise(ChangeSet.of(list(replacements), len(self.text)))


def random_history(rng: random.Random, revisions: int = 12) -> Both:
    """Edits, and what carries spans: restored versions, undone revisions, pastes of cut text, words from elsewhere."""
    both = Both()
    for _ in range(rng.randint(1, revisions)):
        kind = rng.random()
        if kind < 0.6 or both.log.version == 0:
            both.revise(random_changes(rng, both.text))
        elif kind < 0.7:
            both.revise(*restore(both.log, rng.randint(0, both.log.version)))
        elif kind < 0.85:
            version = rng.randint(1, both.log.version)
            if both.log.carried(version) is None:
                taken_back = restoration(both.log, version)
                both.revise(taken_back.changes, taken_back.carried)
        elif kind < 0.93:
            paste_from_the_past(rng, both)
        else:
            first = rng.randint(0, len(ELSEWHERE))
            words = ELSEWHERE[first : first + rng.randint(0, 3)]
            start = random_place(rng, both.text)
            carried = [Span(1, 7, 3, first + i) for i in range(len(words))]
            both.revise(ChangeSet.of((start, start, words), len(both.text)), carried)
    return both


def paste_from_the_past(rng: random.Random, both: Both) -> None:
    """A part of an older text with its identities, anywhere: sometimes where it stood, sometimes twice."""
    version = rng.randint(0, both.log.version)
    old = both.log.text(version)
    low = random_place(rng, old)
    high = random_place(rng, old, low)
    identities = [each.identity for each in both.history.living_at(version)][low:high]
    start = random_place(rng, both.text)
    end = random_place(rng, both.text, start)
    both.revise(
        ChangeSet.of((start, end, old[low:high]), len(both.text)), [Span(1, *identity) for identity in identities]
    )

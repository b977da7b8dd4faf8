"""Tiny crowded random texts and changes, where everything meets everything: emoji, combining marks, empty texts."""

from __future__ import annotations

import random

from drafting.engine.changes import ChangeSet, Spec
from drafting.engine.text import cuts_pair, to_units

ALPHABET = [to_units(text) for text in ("a", "b", "c", " ", "\n", "ż", "e\u0301", "🌳", "👩‍🌾", "1")]


def random_text(rng: random.Random, most: int = 7) -> str:
    """At most so many characters, units form; quite often none."""
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randint(0, most)))


def random_place(rng: random.Random, text: str, start: int = 0, end: int | None = None) -> int:
    """A position that does not cut a surrogate pair."""
    while True:
        pos = rng.randint(start, len(text) if end is None else end)
        if not cuts_pair(text, pos):
            return pos


def random_replacement(rng: random.Random, text: str) -> tuple[int, int, str]:
    start = random_place(rng, text)
    end = random_place(rng, text, start, min(len(text), start + 4)) if rng.random() < 0.6 else start
    return start, end, random_text(rng, 2) if rng.random() < 0.7 else ""


def random_spec(rng: random.Random, text: str, most: int = 3) -> list[Spec]:
    return [random_replacement(rng, text) for _ in range(rng.randint(0, most))]


def random_changes(rng: random.Random, text: str, most: int = 3) -> ChangeSet:
    """A change set over the text, sometimes with touching replacements as composition and mapping leave them."""
    changes = ChangeSet.of(random_spec(rng, text, most), len(text))
    if rng.random() < 0.3:
        changes = changes.compose(random_changes(rng, changes.apply(text), 2))
    return changes

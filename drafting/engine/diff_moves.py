"""Blocks that went in one place and came in another: moves, also with small edits inside.

A block counts as gone when a change takes all of it but the blank lines after it, and as come likewise. Pairs are found
by the words they share, so that many blocks cost little; each block is in one move at most, the likest first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drafting.engine.changes import ChangeSet
from drafting.engine.diff_tidy import Change
from drafting.engine.diff_tokens import WORD, split_blocks, tokens

# A move needs words enough to be recognised, and most of them the same.
FEWEST_WORDS = 4
LIKENESS = 0.7
_COMMON = 20  # a word in more blocks than this tells nothing


@dataclass(frozen=True, slots=True)
class Move:
    """A block that stands elsewhere now: a[start_a:end_a] came to b[start_b:end_b]; `changes` are the edits inside."""

    start_a: int
    end_a: int
    start_b: int
    end_b: int
    changes: ChangeSet


def find_moves(a: str, b: str, found: Sequence[Change], compare: Callable[[str, str], ChangeSet]) -> tuple[Move, ...]:
    """The moves among these changes, in the order of the new text.

    found     changes in units, in order
    compare   gives the edits between a block as it was and as it is
    """
    gone = _whole_blocks(a, [(c[0], c[1]) for c in found if c[1] > c[0]])
    come = _whole_blocks(b, [(c[2], c[3]) for c in found if c[3] > c[2]])
    if not gone or not come:
        return ()
    words_gone = [_words(a[start:end]) for start, end in gone]
    words_come = [_words(b[start:end]) for start, end in come]
    holders: dict[str, list[int]] = defaultdict(list)
    for j, words in enumerate(words_come):
        for word in words:
            holders[word].append(j)
    candidates: list[tuple[float, int, int]] = []
    for i, words in enumerate(words_gone):
        total = words.total()
        if total < FEWEST_WORDS:
            continue
        near = {j for word in words if len(holders[word]) <= _COMMON for j in holders[word]}
        for j in sorted(near):
            shared = (words & words_come[j]).total()
            likeness = 2 * shared / (total + words_come[j].total())
            if likeness >= LIKENESS:
                candidates.append((likeness, i, j))
    candidates.sort(key=lambda c: (-c[0], c[1], c[2]))
    used_i: set[int] = set()
    used_j: set[int] = set()
    moves = []
    for _, i, j in candidates:
        if i in used_i or j in used_j or _same_place(found, gone[i], come[j]):
            continue
        used_i.add(i)
        used_j.add(j)
        (start_a, end_a), (start_b, end_b) = gone[i], come[j]
        moves.append(Move(start_a, end_a, start_b, end_b, compare(a[start_a:end_a], b[start_b:end_b])))
    return tuple(sorted(moves, key=lambda m: m.start_b))


def _same_place(found: Sequence[Change], gone: tuple[int, int], come: tuple[int, int]) -> bool:
    """True when one change took the block out and put the other in: then it was rewritten, not moved."""
    for a0, a1, b0, b1 in found:
        if a0 <= gone[0] and gone[1] <= a1:
            return b0 <= come[0] and come[1] <= b1 and a0 == gone[0] and b0 == come[0]
    return False


def _words(text: str) -> Counter[str]:
    return Counter(token for token in tokens(text) if WORD.match(token))


def _whole_blocks(text: str, ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The blocks (without line ends) that lie in one of the ranges."""
    inside = []
    for start, end in ranges:
        low = text.rfind("\n", 0, start) + 1
        high = text.find("\n", end)
        high = len(text) if high < 0 else high + 1
        pos = low
        for block in split_blocks(text[low:high]):
            first, last = pos + len(block) - len(block.lstrip("\n")), pos + len(block.rstrip())
            if start <= first < last <= end:
                inside.append((first, last))
            pos += len(block)
    return inside

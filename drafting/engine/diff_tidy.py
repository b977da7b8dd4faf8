"""Making a difference pleasant: whole sentences rather than confetti, at borders where people would put them.

The comparison (`diff.py`) finds what is shortest; these passes make it readable and only ever make it longer. They work
on one region of compared tokens. A change is (start_a, end_a, start_b, end_b) in token numbers; between changes tokens
are kept, equal on both sides. The changes stay in order and apart.

  slide   an insertion or deletion that could as well stand a little earlier or later stands where a line, a sentence or
          a word begins
  join    what is kept between two changes is given up when it is only blanks and signs, or little beside what changes
          around it; never across the border of two blocks
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from drafting.engine.diff_tokens import WORD, begins_block

Change = tuple[int, int, int, int]

# Kept words between two changes are given up when they are shorter than this share of the smaller change beside them.
# With this and REWRITTEN all tidying makes the edits between the revisions of the laws longer by 1 % in characters and
# 4 % in tokens, most of it blanks between two changed words; with 1.0, the rule of diff-match-patch, by 7 %.
CRUMB = 0.05
# A sentence counts as rewritten when what its changes leave between them has less than this share of the letters that
# they take away, and when there are several: two changes in a sentence are two changes.
REWRITTEN = 0.1
FEWEST_CHANGES = 3
LONGEST_CRUMB = 40  # tokens; nobody loses a line and a half for the looks of it
_SENTENCE = frozenset(".!?:;")


def tidy(changes: list[Change], a: Sequence[str], b: Sequence[str]) -> list[Change]:
    """The same difference, pleasant.

    a, b     the tokens of the region
    returns  changes that turn a into b, not touching each other
    """
    if not changes:
        return changes
    text = "".join(a)
    starts = [0, *accumulate(map(len, a))]
    borders = {i for i, token in enumerate(a, 1) if token == "\n" and begins_block(text, starts[i])}
    changes = _join(_slide(changes, a, b), a, starts, borders)
    changes = _join_sentences(changes, a, borders)
    return _split_blocks(_slide(changes, a, b), a, b)


def _join(changes: list[Change], a: Sequence[str], starts: list[int], borders: set[int]) -> list[Change]:
    """Neighbours made one where what is kept between them is not worth keeping; repeated backwards while it grows."""
    joined: list[Change] = []
    for change in changes:
        joined.append(change)
        while len(joined) > 1 and _is_crumb(joined[-2], joined[-1], a, starts, borders):
            second, first = joined.pop(), joined.pop()
            joined.append((first[0], second[1], first[2], second[3]))
    return joined


def _is_crumb(first: Change, second: Change, a: Sequence[str], starts: list[int], borders: set[int]) -> bool:
    low, high = first[1], second[0]
    kept = a[low:high]
    if not kept:
        return True
    if high - low > LONGEST_CRUMB or _crosses(low, high, borders):
        return False
    if not any(WORD.search(token) for token in kept):  # a blank or a comma between two changed words
        return high - low <= 2 and "\n" not in kept and _replaces_words(first, a) and _replaces_words(second, a)
    return starts[high] - starts[low] < CRUMB * min(_size(first, starts), _size(second, starts))


def _crosses(low: int, high: int, borders: set[int]) -> bool:
    """True when a block begins at one of the tokens low to high."""
    return any(i in borders for i in range(low, high + 1))


def _replaces_words(change: Change, a: Sequence[str]) -> bool:
    return change[0] < change[1] and change[2] < change[3] and any(WORD.search(t) for t in a[change[0] : change[1]])


def _size(change: Change, starts: list[int]) -> float:
    """Characters deleted, or as many as the inserted tokens would be on average, whichever is more."""
    return max(starts[change[1]] - starts[change[0]], 4.0 * (change[3] - change[2]))


def _join_sentences(changes: list[Change], a: Sequence[str], borders: set[int]) -> list[Change]:
    """The changes of a sentence made one when little of the sentence is kept between them."""
    joined: list[Change] = []
    first = 0
    while first < len(changes):
        last = first
        while last + 1 < len(changes) and not (
            _crosses(changes[last][0] + 1, changes[last][1], borders)
            or _sentence_ends(changes[last][1], changes[last + 1][0], a, borders)
        ):
            last += 1
        group = changes[first : last + 1]
        if len(group) >= FEWEST_CHANGES:
            kept = sum(_letters(a[x[1] : y[0]]) for x, y in pairwise(group))
            gone = sum(_letters(a[c[0] : c[1]]) for c in group)
            if kept < REWRITTEN * gone:
                group = [(group[0][0], group[-1][1], group[0][2], group[-1][3])]
        joined += group
        first = last + 1
    return joined


def _sentence_ends(low: int, high: int, a: Sequence[str], borders: set[int]) -> bool:
    """True when a sentence or a block ends among these tokens: then what follows is another's."""
    return (
        high - low > LONGEST_CRUMB
        or _crosses(low, high, borders)
        or any(a[i] in _SENTENCE and i + 1 < len(a) and a[i + 1].isspace() for i in range(low, high))
    )


def _split_blocks(changes: list[Change], a: Sequence[str], b: Sequence[str]) -> list[Change]:
    """A change that ends a block and brings (or takes) the next one made two, by keeping the other line end.

    "zwei| und mehr⏎3. drei|⏎" becomes "zwei| und mehr|⏎|3. drei⏎|".
    """
    divided: list[Change] = []
    for k, (a0, a1, b0, b1) in enumerate(changes):
        next_start = changes[k + 1][0] if k + 1 < len(changes) else len(a)
        if a1 < next_start and a[a1] == "\n" and (a1 + 1 < next_start or k + 1 == len(changes)):
            at = next((i for i in range(b0, b1) if b[i] == "\n"), None) if "\n" not in a[a0:a1] else None
            if at is not None and at > b0:
                divided += [(a0, a1, b0, at), (a1 + 1, a1 + 1, at + 1, b1 + 1)]
                continue
            at = next((i for i in range(a0, a1) if a[i] == "\n"), None) if "\n" not in b[b0:b1] else None
            if at is not None and at > a0:
                divided += [(a0, at, b0, b1), (at + 1, a1 + 1, b1 + 1, b1 + 1)]
                continue
        divided.append((a0, a1, b0, b1))
    return divided


def _letters(run: Sequence[str]) -> int:
    return sum(len(token) for token in run if WORD.match(token))


def _slide(changes: list[Change], a: Sequence[str], b: Sequence[str]) -> list[Change]:
    moved: list[Change] = []
    for i, (a0, a1, b0, b1) in enumerate(changes):
        floor = moved[-1][1] if moved else 0
        ceiling = changes[i + 1][0] if i + 1 < len(changes) else len(a)
        if a0 == a1:
            shift = _best_shift(b, b0, b1, a0 - floor, ceiling - a0)
        elif b0 == b1:
            shift = _best_shift(a, a0, a1, a0 - floor, ceiling - a1)
        else:
            shift = 0
        change = (a0 + shift, a1 + shift, b0 + shift, b1 + shift)
        if moved and moved[-1][1] == change[0]:  # it slid to its neighbour
            change = (moved[-1][0], change[1], moved[-1][2], change[3])
            moved.pop()
        moved.append(change)
    return moved


def _best_shift(side: Sequence[str], start: int, end: int, left: int, right: int) -> int:
    """How far the run start–end of one side can slide over its equal surroundings to stand best; 0 when nowhere."""
    lowest = 0
    while lowest > -left and side[start + lowest - 1] == side[end + lowest - 1]:
        lowest -= 1
    highest = 0
    while highest < right and side[start + highest] == side[end + highest]:
        highest += 1
    if lowest == highest:
        return 0
    return max(range(lowest, highest + 1), key=lambda s: (_border(side, start + s) + _border(side, end + s), s))


def _border(side: Sequence[str], i: int) -> int:
    """How natural a border before token i is."""
    if i == 0 or i == len(side):
        return 6
    before, after = side[i - 1], side[i]
    if before == "\n":
        return 6 if after != "\n" else 4
    if after == "\n":
        return 4
    if before.isspace():
        return 3 if i > 1 and side[i - 2] in _SENTENCE else 2
    if after.isspace():
        return 1
    return 0

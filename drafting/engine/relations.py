"""How two replacements of one text stand to each other: which may both be made, which are rivals.

Both are in whole-word form (`words.py`); the first is the one accepted, or a direct edit. First match of:

identical    either alone gives the same text
compatible   both only delete and overlap: the second keeps what the first leaves of it, deletions first sliding over
             equal blanks if their union would join words; a clash if it still would
clash        the ranges overlap, or one is inserted strictly inside the other
clash        they meet at a point and would run together: a word across the seam, or two insertions without a blank
compatible   they meet at a point
independent  otherwise
"""

from __future__ import annotations

from dataclasses import dataclass

from drafting.engine.words import is_blank, left_of, right_of, runs_on, trimmed

Replacement = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Relation:
    """How the second of two hunks would fare if the first were accepted now.

    kind   identical compatible clash independent
    cut    for two deletions that overlap: (start, end) that is left of the second, in the text after the first
    """

    kind: str
    cut: tuple[int, int] | None = None


INDEPENDENT = Relation("independent")
COMPATIBLE = Relation("compatible")
CLASH = Relation("clash")
IDENTICAL = Relation("identical")


def relate(text: str, first: Replacement, second: Replacement) -> Relation:
    """How `second` stands to `first` on `text`; not symmetric where both are inserted at one point."""
    start_a, end_a, text_a = first
    start_b, end_b, text_b = second
    if _same_result(text, first, second):
        return IDENTICAL
    if end_a < start_b or end_b < start_a:
        return INDEPENDENT
    meet = end_a == start_b or end_b == start_a
    if not meet:
        if not text_a and not text_b:
            cut = _cut(text, first, second)
            return Relation("compatible", cut) if cut is not None else CLASH
        return CLASH
    # They meet at a point; the accepted one stands first where both have no ground there.
    left, right = (first, second) if end_a == start_b else (second, first)
    before = left_of(text, left[0]) + left[2]
    after = right[2] + right_of(text, right[1])
    if runs_on(before, after):
        return CLASH
    if start_a == end_a == start_b == end_b and text_a and text_b and not _blank_between(text_a, text_b):
        return CLASH
    return COMPATIBLE


def reach(text: str, replacement: Replacement) -> tuple[int, int]:
    """The range that holds every replacement identical to this one: as far as a deletion or insertion could slide."""
    start, end, new = replacement
    if start < end and new:
        # In whole-word form both sides may share ends; what slides is the core.
        core = trimmed(text, start, end, new)
        if core[0] < core[1] and core[2]:
            return start, end
        low, high = reach(text, core)
        return min(start, low), max(end, high)
    size = end - start or len(new)
    low, high = start, end
    if not size:  # main reads so already: nothing could slide
        return low, high
    if start < end:
        while low > 0 and text[low - 1] == text[low - 1 + size]:
            low -= 1
        while high < len(text) and text[high] == text[high - size]:
            high += 1
    else:
        while low > 0 and text[low - 1] == new[(low - 1 - start) % size]:
            low -= 1
        while high < len(text) and text[high] == new[(high - start) % size]:
            high += 1
    return low, high


def _same_result(text: str, first: Replacement, second: Replacement) -> bool:
    start_a, end_a, text_a = first
    start_b, end_b, text_b = second
    if len(text_a) - (end_a - start_a) != len(text_b) - (end_b - start_b):
        return False
    if start_a == start_b and end_a == end_b:
        return text_a == text_b
    low, high = min(start_a, start_b), max(end_a, end_b)
    return text[low:start_a] + text_a + text[end_a:high] == text[low:start_b] + text_b + text[end_b:high]


def _blank_between(left: str, right: str) -> bool:
    return is_blank(left[-1]) or is_blank(right[0])


def _cut(text: str, first: Replacement, second: Replacement) -> tuple[int, int] | None:
    """What the first deletion leaves of the second, in the text after it; None when the union must join words."""
    best: tuple[int, int, int] | None = None
    for slide_b in _slides(text, second):
        for slide_a in _slides(text, first):
            start_a, end_a = first[0] + slide_a, first[1] + slide_a
            start_b, end_b = second[0] + slide_b, second[1] + slide_b
            if end_a < start_b or end_b < start_a:
                continue
            low, high = min(start_a, start_b), max(end_a, end_b)
            if runs_on(left_of(text, low), right_of(text, high)):
                continue
            common = min(end_a, end_b) - max(start_a, start_b)
            start = min(start_a, start_b)
            cost = abs(slide_a) + abs(slide_b)
            if best is None or cost < best[0]:
                best = (cost, start, start + (end_b - start_b) - common)
    return None if best is None else best[1:]


def _slides(text: str, deletion: Replacement) -> list[int]:
    """How far a deletion may slide over equal blanks and still give the same text; nearest first, left before right."""
    start, end, _ = deletion
    slides = [0]
    left = 0
    while start - left > 0 and text[start - left - 1] == text[end - left - 1] and is_blank(text[start - left - 1]):
        left += 1
        slides.append(-left)
    right = 0
    while end + right < len(text) and text[start + right] == text[end + right] and is_blank(text[end + right]):
        right += 1
        slides.append(right)
    return slides

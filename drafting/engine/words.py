"""Whole words: where a text may be cut for people, and the one form in which a replacement is kept.

A replacement (start, end, text) of a longer text is kept, shown, hashed, compared and applied in one form: equal ends
trimmed, then widened to the whole words and numbers that it changes (`100→150`, never `0→5`). The form is a fixed
point: forming it again changes nothing. It never reaches past `low` and `high`, where own neighbours stand.

A word is letters, digits and combining marks; an apostrophe between letters and a separator between digits (`1.000,50`,
also a no-break space) are inside it. What is drawn as one character is never cut either.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_REACH = 3  # units looked at on either side of a seam: a surrogate pair and a separator
_NUMBER_SEPARATORS = frozenset(".,\u00a0\u202f")
_APOSTROPHES = frozenset("'\u2019")
_JOINER = "\u200d"
_BLANKS = frozenset(" \t\n\u00a0\u202f")


def is_blank(unit: str) -> bool:
    """Whether one unit is a blank or a line end."""
    return unit in _BLANKS


def runs_on(left: str, right: str) -> bool:
    """Whether a word, a number or one drawn character goes on across the seam between two texts; ends suffice."""
    if not left or not right:
        return False
    last, first = left[-1], right[0]
    if last.isascii() and first.isascii() and last not in ".,'" and first not in ".,'":
        return last.isalnum() and first.isalnum()
    return _runs_on(left[-_REACH:], right[:_REACH])


@lru_cache(maxsize=65536)
def _runs_on(left: str, right: str) -> bool:
    last, first = left[-1], right[0]
    if _is_high(last) and _is_low(first):
        return True
    before, after = _last_point(left), _first_point(right)
    if last == "\n" or first == "\n":
        return False
    if after == _JOINER or before == _JOINER or _is_mark(after) or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if _is_word(before) and _is_word(after):
        return True
    return _is_inside(last, left[-2:-1], first) or _is_inside(first, last, right[1:2])


def _is_inside(separator: str, before: str, after: str) -> bool:
    """Whether a separator stands inside a number or an apostrophe inside a word."""
    if separator in _NUMBER_SEPARATORS:
        return before.isdigit() and after.isdigit()
    return separator in _APOSTROPHES and before.isalpha() and after.isalpha()


def _is_high(unit: str) -> bool:
    return "\ud800" <= unit <= "\udbff"


def _is_low(unit: str) -> bool:
    return "\udc00" <= unit <= "\udfff"


def _last_point(units: str) -> str:
    if len(units) > 1 and _is_low(units[-1]) and _is_high(units[-2]):
        return units[-2:].encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    return units[-1]


def _first_point(units: str) -> str:
    if len(units) > 1 and _is_high(units[0]) and _is_low(units[1]):
        return units[:2].encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    return units[0]


def _is_mark(point: str) -> bool:
    return unicodedata.category(point)[0] == "M"


def _is_word(point: str) -> bool:
    return point.isalnum() or _is_mark(point)


def seam_runs_on(text: str, pos: int) -> bool:
    """Whether a word goes on across a position of a text."""
    return 0 < pos < len(text) and runs_on(text[max(0, pos - _REACH) : pos], text[pos : pos + _REACH])


def left_of(text: str, pos: int) -> str:
    """As much of the text before a position as a seam looks at."""
    return text[max(0, pos - _REACH) : pos]


def right_of(text: str, pos: int) -> str:
    """As much of the text after a position as a seam looks at."""
    return text[pos : pos + _REACH]


def trimmed(text: str, start: int, end: int, new: str) -> tuple[int, int, str]:
    """A replacement without the ends that are equal before and after; front first, surrogate pairs whole."""
    old = text[start:end]
    limit = min(len(old), len(new))
    front = 0
    while front < limit and old[front] == new[front]:
        front += 1
    if front and _is_high(old[front - 1]):
        front -= 1
    limit -= front
    back = 0
    while back < limit and old[-1 - back] == new[-1 - back]:
        back += 1
    if back and _is_low(old[-back]):
        back -= 1
    return start + front, end - back, new[front : len(new) - back]


def whole_words(
    text: str, start: int, end: int, new: str, low: int = 0, high: int | None = None
) -> tuple[int, int, str] | None:
    """The one form of a replacement, or None when it changes nothing.

    low, high   how far it may be widened; low ≤ start ≤ end ≤ high
    law         whole_words(text, *form, low, high) == form
    """
    if high is None:
        high = len(text)
    # Each round that is not the last moves the trimmed start to the right, so this ends.
    while True:
        core = trimmed(text, start, end, new)
        start, end, new = core
        if start == end and not new:
            return None
        after = right_of(text, end)
        if start > low and (seam_runs_on(text, start) or runs_on(left_of(text, start), new + after)):
            stop = start - 1
            while stop > low and seam_runs_on(text, stop):
                stop -= 1
            new = text[stop:start] + new
            start = stop
        if end < high and (seam_runs_on(text, end) or runs_on(left_of(text, start) + new, after)):
            stop = end + 1
            while stop < high and seam_runs_on(text, stop):
                stop += 1
            new = new + text[end:stop]
            end = stop
        if trimmed(text, start, end, new) == core:
            return start, end, new


def all_in_whole_words(text: str, replacements: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Replacements of a text, in order and apart, each in whole words; those within one word become one."""
    joined: list[tuple[int, int, str]] = []
    for start, end, new in replacements:
        if joined and all(seam_runs_on(text, pos) for pos in range(joined[-1][1], start + 1)):
            first, last, before = joined.pop()
            start, new = first, before + text[last:start] + new
        joined.append((start, end, new))
    forms: list[tuple[int, int, str]] = []
    highs = [start for start, _, _ in joined[1:]] + [len(text)]
    for (start, end, new), high in zip(joined, highs, strict=False):
        form = whole_words(text, start, end, new, forms[-1][1] if forms else 0, high)
        if form is not None:
            forms.append(form)
    return forms


_SENTENCE_ENDS = frozenset(".!?…\n")
_SENTENCE_REACH = 400  # units to either side; a preview is to be read at a glance


def sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentences that hold a range: from after a stop and its blank, or a line's start, to a stop or line's end."""
    low = start
    while low > max(0, start - _SENTENCE_REACH) and not _starts_sentence(text, low):
        low -= 1
    high = end
    while high < min(len(text), end + _SENTENCE_REACH) and not _ends_sentence(text, high, start):
        high += 1
    while low < start and seam_runs_on(text, low):
        low += 1
    while high > end and seam_runs_on(text, high):
        high -= 1
    return low, high


def _starts_sentence(text: str, pos: int) -> bool:
    if pos == 0 or text[pos - 1] == "\n":
        return True
    after_stop = pos >= 2 and is_blank(text[pos - 1]) and text[pos - 2] in _SENTENCE_ENDS
    return after_stop and not is_blank(text[pos : pos + 1])


def _ends_sentence(text: str, pos: int, start: int) -> bool:
    if text[pos] == "\n":
        return True
    return pos > start and text[pos - 1] in _SENTENCE_ENDS and is_blank(text[pos])

"""The integers of one chunk of a `Tape`, one for each code unit, in as few bytes as they need.

An integer below `FIRST` is the version of a revision that inserted exactly one code unit, as keystrokes do; from there
on they are blocks (see `tape.py`). Neighbours have like integers, so a chunk keeps how far each lies above the chunk's
lowest version, or its lowest block: below `half` a version less `base`, from there on a block's integer less `first`.
These small numbers lie in an array of their lower 16 bits, and in one of the bits above where 16 are too few: 8 more
for what a text of millions of keys needs, 16 more for anything.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from drafting.engine.spans import MOST

# Integers from here on are blocks; below they are versions of one-unit revisions.
FIRST = MOST
# The first number of a block in 16, 24 and 32 bits, with the type of the array of the bits above 16.
_WIDTHS = ((1 << 15, ""), (1 << 23, "B"), (1 << 31, "H"))
# Every number of 16 bits: a row of keys is a part of it, which is copied rather than made.
_ROW = array("H", range(1 << 16))


class Codes:
    """A list of integers from 0 to twice FIRST."""

    __slots__ = ("_base", "_first", "_half", "_high", "_low")

    def __init__(self, codes: Sequence[int] = ()) -> None:
        self._pack(codes)

    def insert(self, at: int, codes: Sequence[int]) -> None:
        """Put integers, at least one, in front of the one at a place; a range most quickly."""
        if type(codes) is range and self._insert_row(at, codes):
            return
        small = self._lowered(codes)
        if small is None:
            whole = self.read()
            whole[at:at] = codes
            self._pack(whole)
        elif self._high is None:
            self._low[at:at] = array("H", small)
        else:
            self._low[at:at] = array("H", [each & 0xFFFF for each in small])
            self._high[at:at] = array(self._high.typecode, [each >> 16 for each in small])

    def _insert_row(self, at: int, row: range) -> bool:
        """Put integers that follow each other; False, and nothing done, when they do not fit or need many steps."""
        is_block = row[0] >= FIRST
        lowest = self._first if is_block else self._base
        if lowest < 0:  # the first of its kind here
            lowest = row[0]
        first, last = row[0] - lowest, row[-1] - lowest
        if first < 0 or last >= self._half or is_block != (row[-1] >= FIRST):
            return False
        if is_block:
            first, last = first + self._half, last + self._half
        if first >> 16 != last >> 16:
            return False
        self._low[at:at] = _ROW[first & 0xFFFF : (last & 0xFFFF) + 1]
        if self._high is not None:
            self._high[at:at] = array(self._high.typecode, [first >> 16]) * len(row)
        if is_block:
            self._first = lowest
        else:
            self._base = lowest
        return True

    def delete(self, start: int, end: int) -> None:
        """Take out those from one place to another."""
        del self._low[start:end]
        if self._high is not None:
            del self._high[start:end]

    def read(self, start: int = 0, end: int | None = None) -> list[int]:
        """Those from one place to another, as they are meant."""
        base, above, half = self._base, self._first - self._half, self._half
        small: Sequence[int] = self._low[start:end]
        if self._high is not None:
            small = [low | high << 16 for low, high in zip(small, self._high[start:end], strict=True)]
        return [base + each if each < half else above + each for each in small]

    def copy(self) -> Codes:
        """Another list of the same."""
        other = Codes.__new__(Codes)
        other._base, other._first, other._half = self._base, self._first, self._half
        other._low = self._low[:]
        other._high = None if self._high is None else self._high[:]
        return other

    def part(self, start: int, end: int) -> Codes:
        """Another list of those from one place to another; in fewer bytes each, where that seems enough."""
        high = None if self._high is None else self._high[start:end]
        if high and min(high) == max(high):
            return Codes(self.read(start, end))
        other = Codes.__new__(Codes)
        other._base, other._first, other._half = self._base, self._first, self._half
        other._low, other._high = self._low[start:end], high
        return other

    def __sizeof__(self) -> int:
        """Bytes, with those of its arrays."""
        arrays = (self._low,) if self._high is None else (self._low, self._high)
        return object.__sizeof__(self) + sum(each.__sizeof__() for each in arrays)

    def _pack(self, codes: Sequence[int]) -> None:
        """Begin anew with these."""
        versions: Sequence[int] = codes
        blocks: Sequence[int] = ()
        if max(codes, default=0) >= FIRST:
            versions = [code for code in codes if code < FIRST]
            blocks = [code for code in codes if code >= FIRST]
        base, first = min(versions, default=-1), min(blocks, default=-1)  # -1 while there are none of them
        spread = max(max(versions, default=-1) - base, max(blocks, default=-1) - first)
        self._half, kind = next((half, kind) for half, kind in _WIDTHS if spread < half)
        self._base, self._first = base, first
        above = self._half - first
        small = [code - base if code < FIRST else code + above for code in codes]
        self._low = array("H", [each & 0xFFFF for each in small] if kind else small)
        self._high = array(kind, [each >> 16 for each in small]) if kind else None

    def _lowered(self, codes: Sequence[int]) -> list[int] | None:
        """Integers as they stand in here; None when they do not fit above `base` and `first`."""
        base, first, half = self._base, self._first, self._half
        least, most = min(codes), max(codes)
        if most < FIRST and 0 <= base <= least and most - base < half:
            return [code - base for code in codes]
        versions = [code for code in codes if code < FIRST]
        blocks = [code for code in codes if code >= FIRST]
        if versions:
            base = base if base >= 0 else least
            if least < base or max(versions) - base >= half:
                return None
        if blocks:
            oldest = min(blocks)
            first = first if first >= 0 else oldest
            if oldest < first or most - first >= half:
                return None
        self._base, self._first = base, first
        above = half - first
        return [code - base if code < FIRST else code + above for code in codes]

"""Where the open hunks of a section are: ranges that shift together, found by what they touch.

Ranges lie in blocks in order of their start. A block has one offset for all its ranges, so that a change in front of
them costs a few additions a block and not one a range. Ranges may overlap; a block knows how far its ranges reach.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

_FULL = 40  # ranges in a block before it is halved: about the root of the ranges of a busy section


class Place:
    """A range of main that belongs to somebody; `owner` is whatever the index put there."""

    __slots__ = ("_block", "_end", "_start", "owner")

    def __init__(self, owner: object, start: int, end: int) -> None:
        self.owner = owner
        self._start = start
        self._end = end
        self._block: _Block | None = None

    @property
    def start(self) -> int:
        return self._start + (self._block.offset if self._block else 0)

    @property
    def end(self) -> int:
        return self._end + (self._block.offset if self._block else 0)


class _Block:
    """Places in order of start, relative to `offset`; `reach` is at least their greatest end, relative too."""

    __slots__ = ("offset", "places", "reach", "starts")

    def __init__(self, offset: int, places: list[Place]) -> None:
        self.offset = offset
        self.places = places
        self.starts = [place._start for place in places]
        for place in places:
            place._block = self
        self.measure()

    def measure(self) -> None:
        """Find how far the places reach."""
        self.reach = max((place._end for place in self.places), default=0)


class Places:
    """All ranges of a section."""

    __slots__ = ("_blocks", "_last")

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._last = 0  # block of the last place put in: those of a suggestion come in order

    def add(self, place: Place) -> None:
        """Put a place in; its start and end are positions in main as it is."""
        start = place._start
        blocks = self._blocks
        index = self._last
        if index >= len(blocks) or blocks[index].starts[0] + blocks[index].offset > start:
            index = 0
        while index + 1 < len(blocks) and blocks[index + 1].starts[0] + blocks[index + 1].offset <= start:
            index += 1
        if not blocks:
            blocks.append(_Block(0, [place]))
            return
        self._last = index
        block = blocks[index]
        place._start -= block.offset
        place._end -= block.offset
        at = bisect_right(block.starts, place._start)
        block.starts.insert(at, place._start)
        block.places.insert(at, place)
        block.reach = max(block.reach, place._end)
        place._block = block
        if len(block.places) > _FULL:
            half = len(block.places) // 2
            blocks[index : index + 1] = [
                _Block(block.offset, block.places[:half]),
                _Block(block.offset, block.places[half:]),
            ]

    def remove(self, place: Place) -> None:
        """Take a place out; it keeps its positions as they are."""
        block = place._block
        assert block is not None
        at = block.places.index(place)
        del block.places[at], block.starts[at]
        if block.places:
            if place._end == block.reach:
                block.measure()
        else:
            self._blocks.remove(block)
        place._start += block.offset
        place._end += block.offset
        place._block = None

    def touching(self, start: int, end: int) -> Iterator[Place]:
        """Places that overlap the range or meet it at a point."""
        for block in self._blocks:
            low, high = start - block.offset, end - block.offset
            if block.starts[0] > high:
                return
            if block.reach < low:
                continue
            found = False
            for place in block.places:
                if place._start > high:
                    break
                if place._end >= low:
                    found = True
                    yield place
            if not found:
                block.measure()

    def shift(self, after: int, by: int) -> None:
        """Move every place that starts after a position."""
        if not by:
            return
        for block in reversed(self._blocks):
            if block.starts[0] + block.offset > after:
                block.offset += by
                continue
            at = bisect_right(block.starts, after - block.offset)
            places, starts = block.places, block.starts
            for index in range(at, len(places)):
                place = places[index]
                starts[index] = place._start = place._start + by
                place._end += by
            if by > 0:
                block.reach += by  # at least; `touching` measures it again when it was led astray
            return

"""Character identity the plain way: one cell a character, a fold from the beginning. An oracle for reverts.

Every character that ever stood keeps its place in one order. What is inserted stands right before the character that
follows it or that it replaces, behind the dead ones there; what comes back by carried spans revives its own cell if
that lies in the gap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drafting.engine.attribution import Log, Span
from drafting.engine.changes import ChangeSet
from drafting.engine.words import runs_on

Restored = tuple[ChangeSet, tuple[Span, ...] | None, tuple[int, ...]]


class Cell:
    """One character that ever stood. `turns` are the versions at which it came, went, came back …"""

    __slots__ = ("identity", "is_carried", "turns", "unit")

    def __init__(self, identity: tuple[int, int, int], unit: str, version: int, is_carried: bool) -> None:
        self.identity = identity  # stream, version, offset
        self.unit = unit
        self.turns = [version]
        self.is_carried = is_carried

    def stands_at(self, version: int) -> bool:
        return sum(turn <= version for turn in self.turns) % 2 == 1

    @property
    def stands(self) -> bool:
        return len(self.turns) % 2 == 1


def cells_of(log: Log, version: int) -> list[Cell]:
    """All characters that ever stood up to a version, in order."""
    cells: list[Cell] = []
    for at in range(1, version + 1):
        _fold(cells, log.changes(at), log.carried(at), at)
    return cells


def _fold(cells: list[Cell], changes: ChangeSet, carried: Any, version: int) -> None:
    identities = [(s.stream or 0, s.version, s.offset + i) for s in carried or () for i in range(s.length)]
    offset = sum(len(words) for _, _, words in changes.replacements)
    for start, end, _, _, words in reversed(list(changes.iter_changes())):
        offset -= len(words)
        standing = [place for place, cell in enumerate(cells) if cell.stands]
        for place in standing[start:end]:
            cells[place].turns.append(version)
        low = standing[start - 1] + 1 if start else 0
        after = end if identities else start
        high = standing[after] if after < len(standing) else len(cells)
        at = low
        for place, unit in enumerate(words):
            identity = identities[offset + place] if identities else (0, version, offset + place)
            own = [
                other
                for other in range(at, high)
                if identities and not cells[other].stands and cells[other].identity == identity
            ]
            if own:
                cells[own[0]].turns.append(version)
                at = own[0] + 1
            else:
                at = high if at == low and not identities else max(at, low) if identities and place else high
                cells.insert(at, Cell(identity, unit, version, bool(identities)))
                at, high = at + 1, high + 1


def slow_restoration(log: Log, version: int) -> Restored:
    """What takes back revision `version` in the newest text: changes, carried, newer as `Restoration` has them."""
    return _restored(cells_of(log, log.version), version)


def _restored(cells: list[Cell], version: int) -> Restored:
    own = [cell.identity[:2] == (0, version) and not cell.is_carried for cell in cells]
    gone = [not cell.stands and cell.turns[-1] == version for cell in cells]
    affected = [place for place in range(len(cells)) if own[place] or gone[place]]
    if not affected:
        return ChangeSet.empty(sum(cell.stands for cell in cells)), None, ()

    def is_newer(place: int) -> bool:
        cell = cells[place]
        stream, born, _ = cell.identity
        return cell.stands and cell.turns[0] > version and (stream != 0 or born > version)

    low, high = _stretched(cells, affected[0], affected[-1], own, gone, is_newer)
    newer = {place for place in range(low, high + 1) if is_newer(place)}
    gone_with = {cells[place].turns[0] for place in newer}
    while low > 0 and not cells[low - 1].stands:
        low -= 1
    while high + 1 < len(cells) and not cells[high + 1].stands:
        high += 1
    for place in range(low, high + 1):
        cell = cells[place]
        gone[place] |= not cell.stands and cell.turns[0] < version and cell.turns[-1] in gone_with
    stands = {
        id(cell): (cell.stands or gone[place]) and not own[place] and place not in newer
        for place, cell in enumerate(cells)
    }
    changes, carried = difference(cells, lambda cell: cell.stands, lambda cell: stands[id(cell)])
    return changes, carried or None, tuple(sorted({cells[place].turns[0] for place in newer}))


def _stretched(
    cells: list[Cell], low: int, high: int, own: list[bool], gone: list[bool], is_newer: Callable[[int], bool]
) -> tuple[int, int]:
    """The place, with newer characters at its edges that replaced some of its own or run on with it in a word."""
    inside = range(low, high + 1)
    now = "".join(cells[place].unit for place in inside if cells[place].stands)
    back = "".join(cells[place].unit for place in inside if gone[place])
    replaced_by = {cells[place].turns[-1] for place in inside if own[place] and not cells[place].stands}
    grown = now
    for step, edge in ((1, high), (-1, low)):
        there = back
        place = edge + step
        while 0 <= place < len(cells):
            cell = cells[place]
            if cell.stands:
                if not is_newer(place):
                    break
                run = _run(cells, place, step)
                seams = [(grown, run), (there, run)] if step > 0 else [(run, grown), (run, there)]
                if cell.turns[0] not in replaced_by and not any(runs_on(*seam) for seam in seams):
                    break
                grown, there = (
                    (grown + cell.unit, there + cell.unit) if step > 0 else (cell.unit + grown, cell.unit + there)
                )
                edge = place
            place += step
        if step > 0:
            high = edge
        else:
            low = edge
    return low, high


def _run(cells: list[Cell], place: int, step: int) -> str:
    """The characters from a place on that one revision put side by side: a seam looks at more than one."""
    text = cells[place].unit
    while 0 <= place + step < len(cells) and len(text) < 3:
        one, other = cells[place], cells[place + step]
        if not other.stands or other.turns[0] != one.turns[0] or other.identity[2] != one.identity[2] + step:
            break
        text = text + other.unit if step > 0 else other.unit + text
        place += step
    return text


def difference(
    cells: list[Cell], before: Callable[[Cell], bool], after: Callable[[Cell], bool]
) -> tuple[ChangeSet, tuple[Span, ...]]:
    """From the cells of one text to those of another, with the identities of what comes."""
    pieces: list[tuple[int, int, str]] = []
    spans: list[Span] = []
    pos = start = 0
    words = ""
    for cell in cells:
        was, will = before(cell), after(cell)
        if was and will:
            if start < pos or words:
                pieces.append((start, pos, words))
                words = ""
            pos += 1
            start = pos
        elif was:
            pos += 1
        elif will:
            words += cell.unit
            last = spans[-1] if spans else None
            if last and (last.stream, last.version, last.offset + last.length) == cell.identity:
                spans[-1] = Span(last.length + 1, *last[1:])
            else:
                spans.append(Span(1, *cell.identity))
    if start < pos or words:
        pieces.append((start, pos, words))
    return ChangeSet.of(list(pieces), pos), tuple(spans)

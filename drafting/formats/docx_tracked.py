"""Two texts of one section, as it stands and as proposed, woven into one stream of tracked characters.

The plan. Both texts become streams: the characters of their paragraphs, each paragraph closed by its mark. A character
whose source is kept has the same key in both, its place in the standing text; where keys meet, it is written once. What
stands between meetings was taken out (left stream) or put in (right stream), and is credited to the change at that
place. Marks between two meetings are paired in order; those left over are taken out or put in like characters: this
is Word's own model, in which a mark that goes joins its paragraph with the next.

law   the kept and the taken characters are the paragraphs of the standing text, the kept and the put those of the
      proposed one
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from drafting.engine.text import from_units, to_units
from drafting.errors import MismatchError
from drafting.formats.docx_paragraphs import Block, Character, Paragraph, TableBlock, paragraphs


@dataclass(frozen=True, slots=True)
class Change:
    """A tracked change: text[start:end] becomes `text`, by an organisation, at a time (aware)."""

    start: int
    end: int
    text: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in a thread."""

    author: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something said of text[start:end] of a section, which may be empty, with its thread."""

    start: int
    end: int
    author: str
    at: datetime
    text: str
    replies: tuple[Reply, ...] = ()
    resolved: bool = False


@dataclass(slots=True)
class Tracked:
    """One character or mark of the woven stream.

    character   a character; None for a paragraph's mark
    status      "kept", "ins" or "del"
    change      number of the change that put or took it, or -1
    base        its place in the standing text; of what was put in, the place it was put at
    """

    character: Character | None
    status: str
    change: int
    base: int


@dataclass(slots=True)
class TrackedParagraph:
    """Characters, shape and the fate of the mark; `before` is the shape as it stands, where the mark is kept."""

    characters: list[Tracked]
    shape: Paragraph
    mark: Tracked
    before: Paragraph | None = None


@dataclass(slots=True)
class TrackedTable:
    """Rows of (status, change, cells); a cell is one paragraph."""

    rows: list[tuple[str, int, list[TrackedParagraph]]]


TrackedBlock = TrackedParagraph | TrackedTable
_Of = Callable[[int], tuple[int, bool, int]]


@dataclass(slots=True)
class _Element:
    """Character, mark (with its paragraph) or table of one stream; base: its place in the standing text."""

    base: int
    kept: bool
    change: int
    character: Character | None = None
    paragraph: Paragraph | None = None
    table: TableBlock | None = None


@dataclass(slots=True)
class _Places:
    """Where places of the proposed text lie in the standing one, and which change they belong to."""

    changes: Sequence[Change]
    starts_b: list[int] = field(default_factory=list)
    ends_b: list[int] = field(default_factory=list)

    def of_a(self, place: int) -> tuple[int, bool, int]:
        """(base, kept, change) of a character of the standing text."""
        i = bisect_right(self.changes, place, key=lambda c: c.start) - 1
        taken = i >= 0 and place < self.changes[i].end
        return place, not taken, i if taken else self._nearest(place)

    def of_b(self, place: int) -> tuple[int, bool, int]:
        """(base, kept, change) of a character of the proposed text."""
        i = bisect_right(self.starts_b, place) - 1
        if i < 0:
            return place, True, self._nearest(place)
        if place < self.ends_b[i]:
            return self.changes[i].start, False, i
        base = self.changes[i].end + place - self.ends_b[i]
        return base, True, self._nearest(base)

    def _nearest(self, place: int) -> int:
        i = bisect_right(self.changes, place, key=lambda c: c.start) - 1
        if i < 0:
            return 0
        if i + 1 < len(self.changes) and self.changes[i + 1].start - place < place - self.changes[i].end:
            return i + 1
        return i


def proposed_text(text: str, changes: Sequence[Change]) -> str:
    """The text with all changes made, units form in and out."""
    pieces, pos = [], 0
    for change in changes:
        pieces += [text[pos : change.start], to_units(change.text, normalising=True)]
        pos = change.end
    return "".join(pieces) + text[pos:]


def tracked_blocks(text: str, changes: Sequence[Change]) -> list[TrackedBlock]:
    """The woven blocks of a section; footnotes last.

    text      Markdown, ordinary Unicode; places of changes in units
    raises    MismatchError when changes overlap, are out of order or outside the text
    """
    units = to_units(text, normalising=True)
    pos = 0
    for change in changes:
        if not pos <= change.start <= change.end <= len(units):
            raise MismatchError(
                f"Change {change.start}–{change.end} overlaps the one before or lies outside {len(units)} code units."
            )
        pos = change.end
    if not changes:
        body, notes = paragraphs(text)
        places = _Places(())
        return _woven(body, body, places) + _woven(notes, notes, places)
    places = _Places(changes)
    shift = 0
    for change in changes:
        length = len(to_units(change.text, normalising=True))
        places.starts_b.append(change.start + shift)
        places.ends_b.append(change.start + shift + length)
        shift += length - (change.end - change.start)
    body_a, notes_a = paragraphs(text)
    body_b, notes_b = paragraphs(from_units(proposed_text(units, changes)))
    return _woven(body_a, body_b, places) + _woven(notes_a, notes_b, places)


def _woven(blocks_a: Sequence[Block], blocks_b: Sequence[Block], places: _Places) -> list[TrackedBlock]:
    """Tables that stand in both texts are woven cell by cell; what lies between them as streams."""
    woven: list[TrackedBlock] = []
    i = j = 0
    for x, y in [*_table_pairs(blocks_a, blocks_b, places), (len(blocks_a), len(blocks_b))]:
        woven += _merged(_stream(blocks_a[i:x], places.of_a), _stream(blocks_b[j:y], places.of_b))
        if x < len(blocks_a):
            table_a, table_b = blocks_a[x], blocks_b[y]
            assert isinstance(table_a, TableBlock) and isinstance(table_b, TableBlock)
            woven.append(_woven_table(table_a, table_b, places))
        i, j = x + 1, y + 1
    return woven


def _table_pairs(a: Sequence[Block], b: Sequence[Block], places: _Places) -> list[tuple[int, int]]:
    """Tables that have a kept character in common and as many columns, in order."""
    pairs: list[tuple[int, int]] = []
    keys_b = [(j, _keys(t, places.of_b), len(t.rows[0])) for j, t in enumerate(b) if isinstance(t, TableBlock)]
    for i, table in enumerate(a):
        if isinstance(table, TableBlock):
            keys, width = _keys(table, places.of_a), len(table.rows[0])
            for j, other, other_width in keys_b:
                if (not pairs or j > pairs[-1][1]) and width == other_width and (keys & other):
                    pairs.append((i, j))
                    break
    return pairs


def _keys(table: TableBlock, of: _Of) -> set[int]:
    found = set()
    for row in table.rows:
        found |= _row_keys(row, of)
    return found


def _row_keys(row: Sequence[Paragraph], of: _Of) -> set[int]:
    return {base for cell in row for c in cell.characters for base, kept, _ in [of(c.place)] if kept}


def _woven_table(a: TableBlock, b: TableBlock, places: _Places) -> TrackedTable:
    rows: list[tuple[str, int, list[TrackedParagraph]]] = []
    keys_b = [_row_keys(row, places.of_b) for row in b.rows]
    j = 0

    def put(upto: int) -> None:
        for n in range(j, upto):
            change = places.of_b(b.places[n])[2]
            rows.append(("ins", change, [_alone(cell, places.of_b, "ins") for cell in b.rows[n]]))

    for i, row in enumerate(a.rows):
        keys = _row_keys(row, places.of_a)
        match = next((n for n in range(j, len(b.rows)) if keys & keys_b[n]), None)
        if match is None and i == 0:
            match = 0  # a head whose every word changed is still the head
        if match is None:
            change = places.of_a(a.places[i])[2]
            rows.append(("del", change, [_alone(cell, places.of_a, "del") for cell in row]))
            continue
        put(match)
        cells = []
        for n, cell in enumerate(row):
            other = b.rows[match][n]
            blocks = _merged(_stream([cell], places.of_a), _stream([other], places.of_b))
            (woven,) = blocks
            assert isinstance(woven, TrackedParagraph)
            cells.append(woven)
        rows.append(("kept", -1, cells))
        j = match + 1
    put(len(b.rows))
    return TrackedTable(rows)


def _alone(paragraph: Paragraph, of: _Of, status: str) -> TrackedParagraph:
    """A paragraph that stands in one text only."""
    characters = []
    change = 0
    for character in paragraph.characters:
        base, _, change = of(character.place)
        characters.append(Tracked(character, status, change, base))
    base, _, change = of(paragraph.characters[0].place if paragraph.characters else paragraph.mark)
    return TrackedParagraph(characters, paragraph, Tracked(None, status, change, base))


def _stream(blocks: Sequence[Block], of: _Of) -> list[_Element]:
    elements: list[_Element] = []
    for block in blocks:
        if isinstance(block, TableBlock):
            base, kept, change = of(block.places[0])
            elements.append(_Element(base, False, change, table=block))
            continue
        for character in block.characters:
            base, kept, change = of(character.place)
            elements.append(_Element(base, kept, change, character=character))
        base, kept, change = of(block.mark)
        elements.append(_Element(base, False, change, paragraph=block))
    return elements


def _merged(a: list[_Element], b: list[_Element]) -> list[TrackedBlock]:
    """The two streams as one, then cut into paragraphs."""
    order: list[tuple[str, _Element, _Element | None]] = []  # status, element, the mark it replaces
    i = j = 0
    while i < len(a) or j < len(b):
        gap_i, gap_j = i, j
        while True:  # to the next place where both streams have the same kept character
            while i < len(a) and not a[i].kept:
                i += 1
            while j < len(b) and not b[j].kept:
                j += 1
            if i == len(a) or j == len(b):
                i, j = len(a), len(b)
                break
            if a[i].base == b[j].base and a[i].character.text == b[j].character.text:  # type: ignore[union-attr]
                break
            if a[i].base <= b[j].base:
                i += 1
            else:
                j += 1
        order += _paired(a[gap_i:i], b[gap_j:j])
        if i < len(a) and j < len(b):
            order.append(("kept", b[j], a[i]))
            i += 1
            j += 1
    return _cut(order)


def _paired(a: list[_Element], b: list[_Element]) -> list[tuple[str, _Element, _Element | None]]:
    """What stands between two meetings: marks in pairs, around them what was taken before what was put."""
    order: list[tuple[str, _Element, _Element | None]] = []
    marks_a = [n for n, e in enumerate(a) if e.paragraph is not None]
    marks_b = [n for n, e in enumerate(b) if e.paragraph is not None]
    i = j = 0
    for x, y in zip(marks_a, marks_b, strict=False):
        order += [("del", e, None) for e in a[i:x]] + [("ins", e, None) for e in b[j:y]]
        order.append(("kept", b[y], a[x]))
        i, j = x + 1, y + 1
    order += [("del", e, None) for e in a[i:]] + [("ins", e, None) for e in b[j:]]
    return order


def _cut(order: list[tuple[str, _Element, _Element | None]]) -> list[TrackedBlock]:
    blocks: list[TrackedBlock] = []
    characters: list[Tracked] = []
    for status, element, before in order:
        if element.table is not None:
            blocks.append(_whole_table(element.table, status, element.change))
        elif element.paragraph is not None:
            mark = Tracked(None, status, element.change, before.base if before else element.base)
            shape_before = before.paragraph if before is not None else None
            blocks.append(TrackedParagraph(characters, element.paragraph, mark, shape_before))
            characters = []
        else:
            base = before.base if before is not None else element.base
            characters.append(Tracked(element.character, status, element.change, base))
    if characters:
        blocks.append(TrackedParagraph(characters, Paragraph([]), Tracked(None, "kept", -1, characters[-1].base)))
    return blocks


def _whole_table(table: TableBlock, status: str, change: int) -> TrackedTable:
    rows = []
    for row in table.rows:
        cells = [
            TrackedParagraph(
                [Tracked(c, status, change, c.place) for c in cell.characters],
                cell,
                Tracked(None, status, change, cell.mark),
            )
            for cell in row
        ]
        rows.append((status, change, cells))
    return TrackedTable(rows)

"""The traceability matrix, and the flow of proposals from meetings through positions into the text.

How much each meeting or organisation asked of each section, and how much of it stands. A proposal that several meetings
made counts in each of their rows, so rows may add up to more than the totals, which count it once. The flow shares such
a proposal out equally, so that what flows in is what flows out. Withdrawn proposals and drafts are in neither.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.services import overview
from drafting.services.access import Actor, require
from drafting.services.overview import STANDS, SuggestionFacts, Sum, sum_of
from drafting.services.people import alphabetical
from drafting.services.register import filed, late_ones, state_key
from drafting.store.models import Meeting, Organization, Section

BY = ("meeting", "organization")
KEPT = 12  # matrices of a database that are remembered
NOBODY = "none"  # in addresses: what names no meeting, or no organisation
PLATFORM_HUE = 12
ENDS = ("whole", "partly", "rejected", "superseded", "inadmissible", "open")  # what a proposal flows into, in order


@dataclass(frozen=True, slots=True)
class Cell:
    """How many were asked and how many of them stand."""

    asked: int = 0
    stands: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """A section; id None gathers those that are not in the document: removed, or only proposed."""

    id: int | None
    number: int | None
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """A meeting or organisation; `value` is its word in a filter's address. One without code is nobody in particular."""

    value: str
    code: str
    hue: int
    name: str
    cells: tuple[Cell, ...]
    sum: Sum


@dataclass(frozen=True, slots=True)
class Matrix:
    """The matrix. foot: each section once; total: everything once. busiest: the most that one cell asks for."""

    by: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    foot: tuple[Cell, ...]
    total: Sum
    busiest: int
    overlaps: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows where. sources, ends, sections: (key, proposals); left: (source, end) → share; right: (end, section)."""

    sources: tuple[tuple[str, int], ...]
    ends: tuple[tuple[str, int], ...]
    sections: tuple[tuple[int | None, int], ...]
    left: dict[tuple[str, str], Fraction]
    left_counts: dict[tuple[str, str], int]
    right: dict[tuple[str, int | None], int]


_matrices: WeakKeyDictionary[Any, dict[tuple[int, str, str], tuple[Matrix, Flow]]] = WeakKeyDictionary()
_lock = threading.Lock()


def counted(rows: Iterable[SuggestionFacts]) -> list[SuggestionFacts]:
    """The proposals that count: filed and not withdrawn."""
    return [row for row in filed(rows) if row.fate not in ("draft", "withdrawn")]


def matrix(session: Session, actor: Actor, document_id: int, by: str = "meeting") -> tuple[Matrix, Flow]:
    """The matrix by meetings or by organisations, and the flow of the same proposals; the same for everybody who may
    read it, so it is kept until something changes. needs: report"""
    document = require(session, actor, "report", document_id)
    name = (document.id, by, state_key(session, document.id))
    with _lock:
        kept = _matrices.setdefault(session.get_bind().pool, {})
        known = kept.get(name)
    if known is not None:
        return known
    rows = counted(overview.suggestions(session, actor, document.id))
    columns = _columns(session, document.id, rows)
    made = matrix_of(rows, by, columns, _speakers(session, document.id, by))
    found = made, flow_of(rows, made, late_ones(session, document.id, rows))
    with _lock:
        while len(kept) >= KEPT:
            del kept[next(iter(kept))]
        kept[name] = found
    return found


def matrix_of(
    rows: Sequence[SuggestionFacts], by: str, columns: Sequence[Column], speakers: Sequence[tuple[str, str, int, str]]
) -> Matrix:
    """The matrix of these proposals.

    speakers  (value, code, hue, name) of every row, in order; the last one is for proposals that name nobody
    """
    place = {column.id: index for index, column in enumerate(columns)}
    asked: dict[tuple[str, int], list[SuggestionFacts]] = defaultdict(list)
    of_line: dict[str, list[SuggestionFacts]] = defaultdict(list)
    of_column: dict[int, list[SuggestionFacts]] = defaultdict(list)
    overlaps = False
    for row in rows:
        index = place.get(row.section_id, place.get(None, -1))
        of_column[index].append(row)
        values = values_of(row, by)
        overlaps = overlaps or len(values) > 1
        for value in values:
            asked[value, index].append(row)
            of_line[value].append(row)
    lines = tuple(
        Line(value, code, hue, name, tuple(_cell(asked[value, n]) for n in range(len(columns))), sum_of(of_line[value]))
        for value, code, hue, name in speakers
        if of_line[value] or (by == "meeting" and value != NOBODY)
    )
    busiest = max((cell.asked for line in lines for cell in line.cells), default=0)
    foot = tuple(_cell(of_column[n]) for n in range(len(columns)))
    return Matrix(by, tuple(columns), lines, foot, sum_of(rows), busiest, overlaps)


def values_of(row: SuggestionFacts, by: str) -> list[str]:
    """The rows that a proposal is counted in."""
    if by == "meeting":
        found = [str(each.number) for each in row.meetings]
    else:
        found = [each.code for each in row.organizations]
    return found or [NOBODY]


def _cell(rows: Sequence[SuggestionFacts]) -> Cell:
    return Cell(len(rows), sum(row.fate in STANDS for row in rows))


def _columns(session: Session, document_id: int, rows: Sequence[SuggestionFacts]) -> list[Column]:
    present = session.execute(
        select(Section.id, Section.title)
        .where(Section.document_id == document_id, Section.removed_at.is_(None))
        .order_by(Section.position, Section.id)
    ).all()
    columns = [Column(each.id, number, each.title) for number, each in enumerate(present, 1)]
    known = {each.id for each in columns}
    if any(row.section_id not in known for row in rows):
        columns.append(Column(None, None, ""))
    return columns


def _speakers(session: Session, document_id: int, by: str) -> list[tuple[str, str, int, str]]:
    if by == "meeting":
        rows = session.execute(
            select(Meeting.number, Meeting.hue, Meeting.short, Meeting.topic)
            .where(Meeting.document_id == document_id)
            .order_by(Meeting.number)
        )
        found = [(str(row.number), str(row.number), row.hue, row.short or row.topic) for row in rows]
    else:
        rows = session.execute(
            select(Organization.code, Organization.hue, Organization.name).where(Organization.document_id == document_id)
        )
        found = [(row.code, row.code, row.hue, row.name) for row in sorted(rows, key=lambda row: alphabetical(row.name))]
    return [*found, (NOBODY, "", PLATFORM_HUE if by == "meeting" else 0, "")]


def end_of(row: SuggestionFacts, late: Collection[int] = ()) -> str:
    """Which of ENDS a proposal has come to. late: ids of those that came after the deadline"""
    if row.fate in ("accepted", "fulfilled"):
        return "whole"
    if row.fate == "open" and row.id in late:
        return "inadmissible"
    return {"partly_open": "open"}.get(row.fate, row.fate)


def flow_of(rows: Sequence[SuggestionFacts], matrix: Matrix, late: Collection[int] = ()) -> Flow:
    """How proposals flow from the matrix's rows through what they came to into the sections where they stand.

    law  what flows into an end is the number of proposals that came to it
    """
    known = {column.id for column in matrix.columns}
    left: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    right: dict[tuple[str, int | None], int] = defaultdict(int)
    ends: dict[str, int] = defaultdict(int)
    for row in rows:
        end = end_of(row, late)
        ends[end] += 1
        values = values_of(row, matrix.by)
        for value in values:
            left[value, end] += Fraction(1, len(values))
            counts[value, end] += 1
        if row.fate in STANDS:
            right[end, row.section_id if row.section_id in known else None] += 1
    return Flow(
        tuple((line.value, line.sum.asked) for line in matrix.lines if line.sum.asked),
        tuple((end, ends[end]) for end in ENDS if ends[end]),
        tuple(
            (column.id, total)
            for column in matrix.columns
            if (total := sum(number for (_, section), number in right.items() if section == column.id))
        ),
        dict(left),
        dict(counts),
        dict(right),
    )

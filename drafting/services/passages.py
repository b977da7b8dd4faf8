"""Passages as they stood: many places of many old versions of a document, read in one walk along each log.

A report needs the sentence around each of two thousand places, each at the version it was written on, and how the place
is cited. Each section's log is walked once, from the newest snapshot before the first place; the citation is read from
the lines that can carry a mark, which hardly ever change, so it is worked out once for many versions.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.text import from_units, to_units
from drafting.engine.words import sentence
from drafting.formats.references import unit_at
from drafting.services.logs import StreamHistory
from drafting.store.models import Snapshot

# A line that can begin with a mark: heading, chapter, paragraph, item, letter, dash, or any of them in a quotation,
# list or bold. What a mark needs stands in its first characters; a heading is cited whole.
_MARKED = re.compile(
    r"^(?:[ \t]*#[^\n]*|[ \t*_>+-]*(?:§|Art|\(?\d|[a-z]{1,2}\\?\)|[–—]|Rozdz|Dzia|Czę|Tytu|Oddz|Załą)[^\n]{0,48})",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A range of a section at a version, code units."""

    section_id: int
    version: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """What stood around a place: the words before, in and after it, of its sentence; and how it is cited."""

    before: str
    words: str
    after: str
    unit: str


def passages(
    session: Session, histories: dict[int, StreamHistory], places: Collection[Place], *, with_unit: bool = True
) -> dict[Place, Passage]:
    """{place: what stood there}, of places whose section is in `histories`, {section: its history}."""
    wanted: dict[int, dict[int, list[Place]]] = defaultdict(lambda: defaultdict(list))
    for place in places:
        history = histories.get(place.section_id)
        if history is not None and 0 <= place.version <= history.version:
            wanted[place.section_id][place.version].append(place)
    found: dict[Place, Passage] = {}
    for section_id, versions in wanted.items():
        for version, text in _texts(session, histories[section_id], sorted(versions)):
            for place in dict.fromkeys(versions[version]):
                found[place] = _passage(text, place, with_unit)
    return found


def _texts(session: Session, history: StreamHistory, versions: list[int]) -> Iterator[tuple[int, str]]:
    """(version, text in units form) of these versions, which are in order."""
    kept = list(
        session.scalars(
            select(Snapshot.version)
            .where(Snapshot.stream_id == history.stream_id, Snapshot.version <= versions[-1])
            .order_by(Snapshot.version)
        )
    )
    at, text = 0, ""
    for version in versions:
        nearest = kept[bisect_right(kept, version) - 1] if kept and kept[0] <= version else 0
        if nearest > at:
            text = to_units(
                session.scalar(
                    select(Snapshot.text).where(Snapshot.stream_id == history.stream_id, Snapshot.version == nearest)
                )
                or ""
            )
            at = nearest
        for each in range(at + 1, version + 1):
            text = history.changes(each).apply(text)
        at = version
        yield version, text


def _passage(text: str, place: Place, with_unit: bool) -> Passage:
    start, end = min(place.start, len(text)), min(place.end, len(text))
    low, high = sentence(text, start, end)
    return Passage(
        from_units(_whole(text[low:start])),
        from_units(_whole(text[start:end])),
        from_units(_whole(text[end:high])),
        unit_of(text, start) if with_unit else "",
    )


def unit_of(text: str, pos: int) -> str:
    """How a place of a text (units form) is cited; the same as `unit_at` says of the whole text."""
    starts, lines, begins, skeleton = _skeleton(text)
    last = bisect_right(starts, pos) - 1
    if last < 0:  # above every mark
        return ""
    return _cited(skeleton, begins[last] + min(pos - starts[last], len(lines[last])))


@lru_cache(maxsize=8)
def _skeleton(text: str) -> tuple[list[int], list[str], list[int], str]:
    """The marked lines of a text: where each starts, they, where each begins when they are joined, and so joined. A
    thousand places of one text are cited one after the other."""
    starts, lines, begins = [], [], []
    length = 0
    for match in _MARKED.finditer(text):
        line = match[0]
        if "\ud800" <= line[-1:] <= "\udbff":
            line = line[:-1]
        starts.append(match.start())
        lines.append(line)
        begins.append(length)
        length += len(line) + 1
    return starts, lines, begins, "\n".join(lines)


@lru_cache(maxsize=8192)
def _cited(skeleton: str, pos: int) -> str:
    text = from_units(skeleton)
    return unit_at(text, min(pos, len(skeleton)))


def _whole(units: str) -> str:
    """The units without half a surrogate pair at an end."""
    if units and "\udc00" <= units[0] <= "\udfff":
        units = units[1:]
    return units[:-1] if units and "\ud800" <= units[-1] <= "\udbff" else units

"""The whole document at a moment: which sections were there, in what order, at which versions.

A moment is said in one word of an address: "now", "start" (nothing yet), "m5" (milestone 5), "v120" (a version of one
section), or a date or time such as 2026-04-14 or 2026-04-14T17:30, in the document's time zone; a date is its end.
What sections there were is folded from the chain of events, which has every one that came, went or changed places.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select

from drafting.errors import InvalidInput, NotFound
from drafting.services.attribution_view import Reader
from drafting.services.clock import now
from drafting.store.models import Document, Event, Milestone, MilestoneSection, Section

STRUCTURE = ("section_added", "section_removed", "section_restored", "sections_reordered")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """A document at a moment.

    spec      as it is said in an address
    at        when
    name      of the milestone; empty otherwise
    sections  (section, version) in order
    """

    spec: str
    at: datetime
    name: str
    sections: tuple[tuple[int, int], ...]

    def version_of(self, section_id: int) -> int | None:
        """The version of a section, None when it was not there."""
        return next((version for each, version in self.sections if each == section_id), None)

    @property
    def age(self) -> tuple[datetime, int]:
        """What moments are ordered by: revisions of one transaction have one time."""
        return self.at, sum(version for _, version in self.sections)


def moment_of(reader: Reader, document: Document, spec: str, section_id: int | None = None) -> Moment:
    """The moment that a word of an address says.

    section_id  the one section it is about: needed for "v120"
    raises      InvalidInput for a word that says nothing, NotFound for a milestone or version that is not there
    """
    session = reader.session
    if spec == "start":
        return Moment(spec, EARLIEST, "", ())
    if spec == "now":
        return Moment(spec, now(), "", _present(reader))
    milestone = re.fullmatch(r"m(\d{1,12})", spec)
    if milestone:
        row = session.get(Milestone, int(milestone[1]))
        if row is None or row.document_id != document.id:
            raise NotFound("there is no such milestone in this document")
        found = session.execute(
            select(MilestoneSection.section_id, MilestoneSection.version)
            .where(MilestoneSection.milestone_id == row.id)
            .order_by(MilestoneSection.position)
        )
        return Moment(spec, row.at, row.name, tuple((each, version) for each, version in found))
    version = re.fullmatch(r"v(\d{1,12})", spec)
    if version:
        if section_id is None:
            raise InvalidInput("a version is of one section; name it", field="section")
        history = reader.history(section_id)
        number = int(version[1])
        if number > history.version:
            raise NotFound(f"section {section_id} has no version {number}", version=history.version)
        at = history.times[number - 1] if number else EARLIEST
        return Moment(spec, at, "", ((section_id, number),))
    at = _time(spec, document.timezone)
    return Moment(spec, at, "", at_time(reader, at))


def _time(spec: str, zone: str) -> datetime:
    try:
        value = datetime.fromisoformat(spec.replace(" ", "+") if re.search(r"T.* \d\d:\d\d$", spec) else spec)
        if len(spec) == 10:
            value = datetime.combine(value.date(), time.max)
        return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):  # the first and the last day of the calendar lie outside it in another zone
        raise InvalidInput(f"{spec!r:.60} is no moment: use now, start, m5, v120, 2026-04-14 or 2026-04-14T17:30", field="moment") from None


def _present(reader: Reader) -> tuple[tuple[int, int], ...]:
    rows = reader.session.scalars(
        select(Section.id)
        .where(Section.document_id == reader.document_id, Section.removed_at.is_(None), Section.stream_id.is_not(None))
        .order_by(Section.position, Section.id)
    )
    return tuple((each, reader.history(each).version) for each in rows)


def at_time(reader: Reader, at: datetime) -> tuple[tuple[int, int], ...]:
    """(section, version) of the sections that were there at a moment, in the order they had."""
    order: list[int] = []
    gone: set[int] = set()
    known: set[int] = set()
    events = reader.session.execute(
        select(Event.kind, Event.data, Event.at)
        .where(Event.document_id == reader.document_id, Event.kind.in_(STRUCTURE))
        .order_by(Event.number)
    ).all()
    for kind, data, when in events:
        said = json.loads(data)
        if kind == "section_added":
            known.add(said["section"])
        if when > at:
            continue
        if kind == "section_added":
            if said["section"] not in order:
                order.insert(max(0, int(said.get("position", len(order) + 1)) - 1), said["section"])
            gone.discard(said["section"])
        elif kind == "section_removed":
            gone.add(said["section"])
        elif kind == "section_restored":
            gone.discard(said["section"])
        else:
            places = iter(said["sections"])
            order = [each if each in gone else next(places, each) for each in order]
    # Sections that no event tells of are there from when they were made.
    for row in reader.session.execute(
        select(Section.id, Section.created_at, Section.removed_at)
        .where(Section.document_id == reader.document_id, Section.stream_id.is_not(None))
        .order_by(Section.position, Section.id)
    ):
        there = row.created_at <= at and (row.removed_at is None or row.removed_at > at)
        if row.id not in known and there and row.id not in order:
            order.append(row.id)
    return tuple((each, reader.history(each).version_at(at)) for each in order if each not in gone)

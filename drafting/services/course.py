"""The course of a consultation as the log tells it, and the text of point 10 of art. 5a ust. 4 drafted from it.

Nothing here is typed by anybody: phases, meetings, people and numbers come from the rows; the sentences say no more than
those. The office may edit the text once it has put it into the programme.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.services.matrix import counted
from drafting.services.overview import by_meeting
from drafting.services.register import POSITIONS, Entry, Window, window
from drafting.services.report_words import Speech
from drafting.services.report_words import counted as number_of
from drafting.store.models import (
    Document,
    Endorsement,
    Event,
    Meeting,
    MeetingAttendance,
    Membership,
    PhaseChange,
    Revision,
    Section,
    Suggestion,
)


@dataclass(frozen=True, slots=True)
class Held:
    """A meeting with who came and what it asked for."""

    number: int
    topic: str
    hue: int
    held_at: datetime | None
    place: str
    organizations: int
    people: int
    asked: int
    stands: int


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase that the document entered, or another deadline that it was given."""

    phase: str
    at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Course:
    """How it went. statistics: {position: (suggestions, remarks)}, in the order of POSITIONS."""

    document_title: str
    municipality: str
    began_at: datetime
    as_of: datetime
    public_since: datetime | None
    phases: tuple[Phase, ...]
    consultation: Window
    meetings: tuple[Held, ...]
    organizations: int
    at_meetings: int
    writers: int
    statistics: dict[str, tuple[int, int]]
    suggestions: int
    remarks: int
    endorsements: int
    proposers: int

    @property
    def held(self) -> list[tuple[datetime, Held]]:
        """The meetings that were held by the time that is told of, in order of time."""
        dated = [(each.held_at, each) for each in self.meetings if each.held_at is not None]
        return sorted((one for one in dated if one[0] <= self.as_of), key=lambda one: (one[0], one[1].number))

    @property
    def planned(self) -> list[tuple[datetime, Held]]:
        """The meetings that are still to come by then."""
        dated = [(each.held_at, each) for each in self.meetings if each.held_at is not None]
        return sorted((one for one in dated if one[0] > self.as_of), key=lambda one: (one[0], one[1].number))

    def entered(self, phase: str) -> datetime | None:
        """When the document first entered a phase."""
        return next((each.at for each in self.phases if each.phase == phase), None)


def course(session: Session, document: Document, entries: Sequence[Entry], as_of: datetime) -> Course:
    """The course of a document's making up to a time, counted from the register."""
    facts = [each.facts for each in entries if each.facts is not None]
    sums = by_meeting(counted(facts))
    came = {
        row.meeting_id: (row.organizations, row.people)
        for row in session.execute(
            select(
                MeetingAttendance.meeting_id,
                func.count().label("organizations"),
                func.sum(MeetingAttendance.people).label("people"),
            )
            .join(Meeting, Meeting.id == MeetingAttendance.meeting_id)
            .where(Meeting.document_id == document.id)
            .group_by(MeetingAttendance.meeting_id)
        )
    }
    meetings = []
    for row in session.scalars(select(Meeting).where(Meeting.document_id == document.id).order_by(Meeting.number)):
        organizations, people = came.get(row.id, (0, 0))
        total = sums.get(row.id)
        meetings.append(
            Held(
                row.number, row.topic, row.hue, row.held_at, row.place, organizations, int(people or 0),
                total.asked if total else 0, total.stands if total else 0,
            )
        )  # fmt: skip
    present = set(
        session.scalars(
            select(MeetingAttendance.organization_id)
            .join(Meeting, Meeting.id == MeetingAttendance.meeting_id)
            .where(Meeting.document_id == document.id)
        )
    )
    spoke = {one.id for each in entries for one in (*each.organizations, *((each.speaker,) if each.speaker else ()))}
    proposers = {one.id for each in entries for one in each.organizations}
    writers = session.scalar(
        select(func.count(func.distinct(Revision.author_id)))
        .join(Section, Section.stream_id == Revision.stream_id)
        .join(Membership, Membership.user_id == Revision.author_id)
        .where(
            Section.document_id == document.id,
            Membership.document_id == document.id,
            Membership.role.in_(("drafter", "coordinator")),
            Revision.kind.in_(("edit", "import")),
        )
    )
    endorsements = session.scalar(
        select(func.count())
        .select_from(Endorsement)
        .join(Suggestion, Suggestion.id == Endorsement.suggestion_id)
        .where(Suggestion.document_id == document.id, Endorsement.ended_at.is_(None), Suggestion.filed_at.is_not(None))
    )
    phases = tuple(
        Phase(row.phase, row.at, row.ends_at)
        for row in session.scalars(
            select(PhaseChange).where(PhaseChange.document_id == document.id).order_by(PhaseChange.id)
        )
    )
    both = Counter((each.position, each.kind) for each in entries)
    statistics = {
        position: (both[position, "suggestion"], both[position, "remark"])
        for position in POSITIONS
        if both[position, "suggestion"] or both[position, "remark"]
    }
    published = session.scalar(
        select(func.min(Event.at)).where(Event.document_id == document.id, Event.kind == "document_published")
    )
    return Course(
        document.title, document.municipality, document.created_at, as_of, published if document.is_public else None,
        phases, window(session, document.id), tuple(meetings),
        len(present | spoke), len(present), writers or 0, statistics, sum(each.kind == "suggestion" for each in entries),
        sum(each.kind == "remark" for each in entries), endorsements or 0, len(proposers),
    )  # fmt: skip


# ── point 10 ────────────────────────────────────────────────────────────────────────────────────────────


def point10(told: Course, speech: Speech) -> list[str]:
    """The paragraphs of the text; a paragraph of several lines is a list under its first line."""
    return _polish(told, speech) if speech.language == "pl" else _english(told, speech)


def _listed(head: str, lines: Sequence[str]) -> str:
    """A list under its head: a semicolon after each line, a full stop after the last."""
    bare = [line.rstrip(".") for line in lines]
    return "\n".join([head, *(f"{line};" for line in bare[:-1]), f"{bare[-1]}."])


def _polish(told: Course, speech: Speech) -> list[str]:
    day = speech.day
    opening = (
        f"Projekt dokumentu „{told.document_title}” powstawał od {day(told.began_at)} na platformie, która zapisuje każdą "
        "zmianę tekstu wraz z tym, kto ją wniósł, w czyim imieniu i kto o niej rozstrzygnął."
    )
    if told.writers:
        opening += f" Tekst pisał zespół redakcyjny, który liczył {number_of(told.writers, 'osobę', 'osoby', 'osób')}."
    if told.public_since is not None:
        opening += f" Projekt udostępniono publicznie na platformie w dniu {day(told.public_since)}"
    made = [opening]
    held = told.held
    if held:
        first, last = day(held[0][0]), day(held[-1][0])
        said = f"Odbyto {number_of(len(held), 'spotkanie konsultacyjne', 'spotkania konsultacyjne', 'spotkań konsultacyjnych')}"
        said += f" w dniu {first}" if first == last else f" od {first} do {last}"
        people = sum(each.people for _, each in held)
        if told.at_meetings:
            lists = "na liście" if len(held) == 1 else "na listach"
            said += f"; {lists} obecności zapisano {number_of(told.at_meetings, 'organizację', 'organizacje', 'organizacji')}"
            if people:
                said += f", łącznie {number_of(people, 'osobę', 'osoby', 'osób')}"
        lines = []
        for at, each in held:
            line = f"spotkanie {each.number}, {day(at)}{f' ({each.place})' if each.place else ''}: {each.topic.rstrip('.')}"
            if each.asked:
                line += f" – {number_of(each.asked, 'propozycja', 'propozycje', 'propozycji')}, w tekście {each.stands}"
            lines.append(line)
        made.append(_listed(said + ":", lines))
    if told.planned:
        planned = number_of(len(told.planned), "spotkanie", "spotkania", "spotkań")
        made.append(f"Zaplanowano jeszcze {planned}, najbliższe w dniu {day(told.planned[0][0])}")
    during = told.consultation
    if during.began_at is not None:
        began = day(during.began_at)
        if during.ended_at is not None:
            ended = day(during.ended_at)
            said = f"Konsultacje projektu przeprowadzono w dniu {began}" if began == ended else f"Konsultacje projektu trwały od {began} do {ended}"
            if during.ends_at is not None and speech.last_day(during.ends_at) != ended:
                said += f"; termin zgłaszania propozycji i uwag wyznaczono do {speech.last_day(during.ends_at)}"
        else:
            said = f"Konsultacje projektu rozpoczęto {began}"
            if during.ends_at is not None:
                said += f", z terminem zgłaszania propozycji i uwag do {speech.last_day(during.ends_at)}"
        made.append(said)
    if not told.suggestions and not told.remarks:
        made.append(speech.say("none"))
    else:
        came = []
        if told.suggestions:
            came.append(number_of(told.suggestions, "propozycję zmiany", "propozycje zmian", "propozycji zmian"))
        if told.remarks:
            came.append(number_of(told.remarks, "uwagę ogólną", "uwagi ogólne", "uwag ogólnych"))
        said = f"Do projektu zgłoszono {' oraz '.join(came)}"
        if told.proposers:
            said += f", w imieniu {told.proposers} organizacji"
        said += "."
        if told.endorsements:
            said += f" Organizacje poparły zgłoszone propozycje {number_of(told.endorsements, 'raz', 'razy', 'razy')}."
        made.append(said)
        made.append(
            _listed(
                "Stanowiska wobec zgłoszonych propozycji i uwag:",
                [f"{speech.positions[position]} – {sum(both)}" for position, both in told.statistics.items()],
            )
        )
    if (at := told.entered("opinion")) is not None:
        made.append(f"Projekt przekazano do zaopiniowania radzie działalności pożytku publicznego w dniu {day(at)}")
    if (at := told.entered("adopted")) is not None:
        made.append(f"Projekt skierowano do uchwalenia w dniu {day(at)}")
    if told.suggestions or told.remarks:
        made.append(
            "Zestawienie wszystkich propozycji i uwag, ze stanowiskiem wobec każdej z nich i jego uzasadnieniem, zawiera "
            "raport z konsultacji."
        )
    return made


def _english(told: Course, speech: Speech) -> list[str]:
    day = speech.day

    def many(number: int, one: str, more: str) -> str:
        return f"{number} {one if number == 1 else more}"

    opening = (
        f"The draft “{told.document_title}” was made from {day(told.began_at)} on a platform that records every change of "
        "the text with who brought it in, on whose behalf, and who decided on it."
    )
    if told.writers:
        opening += f" {many(told.writers, 'member', 'members')} of the drafting team wrote the text."
    if told.public_since is not None:
        opening += f" The draft was made public on the platform on {day(told.public_since)}."
    made = [opening]
    held = told.held
    if held:
        first, last = day(held[0][0]), day(held[-1][0])
        said = f"There {'was' if len(held) == 1 else 'were'} {many(len(held), 'consultation meeting', 'consultation meetings')}"
        said += f" on {first}" if first == last else f" from {first} to {last}"
        if told.at_meetings:
            people = sum(each.people for _, each in held)
            said += f", with {many(told.at_meetings, 'organisation', 'organisations')}"
            said += f" and {many(people, 'person', 'people')} on the lists of those present" if people else ""
        lines = []
        for at, each in held:
            asked = f" – {many(each.asked, 'proposal', 'proposals')}, {each.stands} in the text" if each.asked else ""
            place = f" ({each.place})" if each.place else ""
            lines.append(f"meeting {each.number}, {day(at)}{place}: {each.topic.rstrip('.')}{asked}")
        made.append(_listed(said + ":", lines))
    if told.planned:
        made.append(f"{many(len(told.planned), 'more meeting is', 'more meetings are')} planned, the next on {day(told.planned[0][0])}.")
    during = told.consultation
    if during.began_at is not None:
        began = day(during.began_at)
        until = speech.last_day(during.ends_at) if during.ends_at is not None else ""
        if during.ended_at is not None:
            ended = day(during.ended_at)
            said = f"The consultation was held on {began}" if began == ended else f"The consultation went from {began} to {ended}"
            made.append(said + (f"; proposals and remarks were due by {until}." if until and until != ended else "."))
        else:
            made.append(f"The consultation began on {began}{f', open until {until}' if until else ''}.")
    if not told.suggestions and not told.remarks:
        made.append(speech.say("none"))
    else:
        came = []
        if told.suggestions:
            came.append(many(told.suggestions, "change was proposed", "changes were proposed"))
        if told.remarks:
            came.append(many(told.remarks, "general remark was made", "general remarks were made"))
        said = " and ".join(came)
        said += f", on behalf of {many(told.proposers, 'organisation', 'organisations')}." if told.proposers else "."
        if told.endorsements:
            said += f" Organisations gave {many(told.endorsements, 'endorsement', 'endorsements')}."
        made.append(said)
        made.append(
            _listed("Positions on them:", [f"{speech.positions[each]} – {sum(both)}" for each, both in told.statistics.items()])
        )
    if (at := told.entered("opinion")) is not None:
        made.append(f"The draft went to the council for public benefit work for its opinion on {day(at)}.")
    if (at := told.entered("adopted")) is not None:
        made.append(f"The draft was sent for adoption on {day(at)}.")
    if told.suggestions or told.remarks:
        made.append("The consultation report lists every proposal and remark with the position on it and its reason.")
    return made

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


def course(session: Session, document: Document, entries: Sequence[Entry]) -> Course:
    """The course of a document's making, counted from the register."""
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
    return Course(
        document.title, document.municipality, document.created_at, phases, window(session, document.id), tuple(meetings),
        len(present | spoke), len(present), writers or 0, statistics, sum(each.kind == "suggestion" for each in entries),
        sum(each.kind == "remark" for each in entries), endorsements or 0, len(proposers),
    )  # fmt: skip


# ── point 10 ────────────────────────────────────────────────────────────────────────────────────────────


def point10(told: Course, speech: Speech) -> list[str]:
    """The paragraphs of the text; a paragraph of several lines is a list under its first line."""
    return _polish(told, speech) if speech.language == "pl" else _english(told, speech)


def _polish(told: Course, speech: Speech) -> list[str]:
    made = [f"Projekt dokumentu „{told.document_title}” powstawał od {speech.day(told.began_at)} na platformie, która zapisuje każdą zmianę tekstu wraz z tym, kto ją wniósł, w czyim imieniu i kto o niej rozstrzygnął."]
    if told.writers:
        made[0] += f" Zespół redakcyjny, który pisał tekst, liczył {number_of(told.writers, 'osobę', 'osoby', 'osób')}."
    held = [each for each in told.meetings if each.held_at is not None]
    if held:
        first, last = min(each.held_at for each in held if each.held_at), max(each.held_at for each in held if each.held_at)
        when = f"w dniu {speech.day(first)}" if speech.day(first) == speech.day(last) else f"od {speech.day(first)} do {speech.day(last)}"
        people = sum(each.people for each in held)
        opening = f"Odbyto {number_of(len(held), 'spotkanie konsultacyjne', 'spotkania konsultacyjne', 'spotkań konsultacyjnych')}, {when}"
        if told.at_meetings:
            opening += f"; na listach obecności zapisano {number_of(told.at_meetings, 'organizację', 'organizacje', 'organizacji')}"
            if people:
                opening += f", łącznie {number_of(people, 'osobę', 'osoby', 'osób')}"
        lines = [opening + ":"]
        for each in held:
            place = f" ({each.place})" if each.place else ""
            line = f"spotkanie {each.number}, {speech.day(each.held_at)}{place}: {each.topic}"  # type: ignore[arg-type]
            if each.asked:
                line += f" – {number_of(each.asked, 'propozycja', 'propozycje', 'propozycji')}, w tekście {each.stands}"
            lines.append(line.rstrip(".") + (";" if each is not held[-1] else "."))
        made.append("\n".join(lines))
    during = told.consultation
    if during.began_at is not None:
        until = during.ended_at or during.ends_at
        said = f"Konsultacje projektu rozpoczęto {speech.day(during.began_at)}"
        if during.ends_at is not None:
            said += f", z terminem zgłaszania propozycji i uwag do {speech.day(during.ends_at)}"
        elif until is not None:
            said += f" i zakończono {speech.day(until)}"
        made.append(said.rstrip(".") + ".")
    if not told.suggestions and not told.remarks:
        made.append(speech.say("none"))
    else:
        made.append(_polish_counts(told))
    for each in told.phases:
        if each.phase == "opinion":
            made.append(f"Projekt przekazano do zaopiniowania radzie działalności pożytku publicznego w dniu {speech.day(each.at)}")
            break
    if told.suggestions or told.remarks:
        made.append("Zestawienie wszystkich propozycji i uwag, ze stanowiskiem do każdej z nich i jego uzasadnieniem, zawiera raport z konsultacji.")
    return made


def _polish_counts(told: Course) -> str:
    came = []
    if told.suggestions:
        came.append(number_of(told.suggestions, "propozycję zmiany", "propozycje zmian", "propozycji zmian"))
    if told.remarks:
        came.append(number_of(told.remarks, "uwagę ogólną", "uwagi ogólne", "uwag ogólnych"))
    said = f"W toku konsultacji zgłoszono {' oraz '.join(came)}"
    if told.proposers:
        said += f", w imieniu {told.proposers} organizacji"
    if told.endorsements:
        said += f"; organizacje udzieliły propozycjom {number_of(told.endorsements, 'poparcia', 'poparć', 'poparć')}"
    parts = []
    words = {
        "accepted": "uwzględniono {}",
        "fulfilled": "przez przyjęcie innej uwzględniono {}",
        "partly": "częściowo uwzględniono {}",
        "rejected": "nie uwzględniono {}",
        "superseded": "za ustępujące innym uznano {}",
        "noted": "przyjęto do wiadomości {}",
        "inadmissible": "za niepodlegające rozpatrzeniu uznano {}",
        "open": "w trakcie rozpatrywania jest {}",
        "withdrawn": "wycofano {}",
    }
    for position, (suggestions, remarks) in told.statistics.items():
        parts.append(words[position].format(suggestions + remarks))
    return f"{said}. Spośród wszystkich {told.suggestions + told.remarks}: {', '.join(parts)}."


def _english(told: Course, speech: Speech) -> list[str]:
    def many(number: int, one: str, more: str) -> str:
        return f"{number} {one if number == 1 else more}"

    made = [f"The draft “{told.document_title}” was made from {speech.day(told.began_at)} on a platform that records every change of the text with who brought it in, on whose behalf, and who decided on it."]
    if told.writers:
        made[0] += f" {many(told.writers, 'member', 'members')} of the drafting team wrote the text."
    held = [each for each in told.meetings if each.held_at is not None]
    if held:
        first, last = min(each.held_at for each in held if each.held_at), max(each.held_at for each in held if each.held_at)
        lines = [f"There {'was' if len(held) == 1 else 'were'} {many(len(held), 'consultation meeting', 'consultation meetings')}, from {speech.day(first)} to {speech.day(last)}, with {many(told.at_meetings, 'organisation', 'organisations')} and {many(sum(each.people for each in held), 'entry', 'entries')} on the lists of those present:"]
        for each in held:
            place = f" ({each.place})" if each.place else ""
            asked = f" – {many(each.asked, 'proposal', 'proposals')}, {each.stands} in the text" if each.asked else ""
            lines.append(f"meeting {each.number}, {speech.day(each.held_at)}{place}: {each.topic}{asked}" + (";" if each is not held[-1] else "."))  # type: ignore[arg-type]
        made.append("\n".join(lines))
    during = told.consultation
    if during.began_at is not None:
        until = f", open until {speech.day(during.ends_at)}" if during.ends_at else ""
        made.append(f"The consultation began on {speech.day(during.began_at)}{until}.")
    if not told.suggestions and not told.remarks:
        made.append(speech.say("none"))
    else:
        parts = [f"{speech.positions[position]}: {sum(both)}" for position, both in told.statistics.items()]
        made.append(
            f"{many(told.suggestions, 'change was proposed', 'changes were proposed')} and "
            f"{many(told.remarks, 'general remark was made', 'general remarks were made')}, on behalf of "
            f"{many(told.proposers, 'organisation', 'organisations')}. Of all {told.suggestions + told.remarks}: {'; '.join(parts)}."
        )
    for each in told.phases:
        if each.phase == "opinion":
            made.append(f"The draft went to the council for public benefit work for its opinion on {speech.day(each.at)}.")
            break
    if told.suggestions or told.remarks:
        made.append("The consultation report lists every proposal and remark with the position on it and its reason.")
    return made

"""What became of everything that was asked: one row a suggestion with its fate, and the sums of them.

A read model for lists, the project page, meetings and organisations. All numbers come from here, so that they agree:
a suggestion counts where one of its origins names the meeting or organisation, once. A worker keeps the rows of each
section until something moves in it, so that a decision costs the section it was made in.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.services.access import Actor, require
from drafting.services.epochs import Called, MeetingBadge, called
from drafting.services.people import OrganizationView
from drafting.store.models import (
    Annotation,
    Decision,
    Document,
    Endorsement,
    Hunk,
    Meeting,
    MeetingAttendance,
    Origin,
    Section,
    Stream,
    Suggestion,
    SuggestionOrigin,
)

# What a suggestion can come to, in the order of a list of filters.
FATES = ("open", "partly_open", "accepted", "partly", "rejected", "fulfilled", "superseded", "withdrawn", "draft")
STANDS = frozenset({"accepted", "partly", "fulfilled"})  # something of it is in the text
KEPT = 2000  # sections of a database whose suggestions are remembered
SETTLED = frozenset({"accepted", "partly", "rejected", "fulfilled", "superseded"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A hunk as lists show it: the words that go, the words that come, and its state."""

    id: int
    ground: str
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class SuggestionFacts:
    """A suggestion in a list."""

    id: int
    number: int
    section_id: int
    stream_id: int
    fate: str
    state: str
    organization: OrganizationView | None
    organizations: tuple[OrganizationView, ...]
    meetings: tuple[MeetingBadge, ...]
    author_id: int
    author: str
    reason: str
    pieces: tuple[Piece, ...]
    endorsements: int
    filed_at: datetime | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: str
    late: bool
    new_section: bool

    @property
    def is_open(self) -> bool:
        return self.fate in ("open", "partly_open")


@dataclass(frozen=True, slots=True)
class Sum:
    """How much was asked, how much of it stands in the text, is refused, gave way, or waits."""

    asked: int = 0
    stands: int = 0
    whole: int = 0
    partly: int = 0
    rejected: int = 0
    superseded: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """The four numbers of the project page."""

    organizations: int
    proposals: int
    settled: int
    in_text: int


def suggestions(session: Session, actor: Actor, document_id: int) -> list[SuggestionFacts]:
    """Every suggestion that the actor may know of, by number. needs: read"""
    document = require(session, actor, "read", document_id)
    organization_id = actor.organization_id(document)
    found = [
        row
        for rows in _by_section(session, document).values()
        for row in rows
        if row.filed_at is not None
        or (actor.user_id is not None and row.author_id == actor.user_id)
        or (organization_id is not None and row.organization is not None and row.organization.id == organization_id)
    ]
    return sorted(found, key=lambda row: row.number)


# ── what is kept ──

# {database: {section: (what was so when its suggestions were read, they)}}
_kept: WeakKeyDictionary[Any, dict[int, tuple[tuple[Any, ...], tuple[SuggestionFacts, ...]]]] = WeakKeyDictionary()
_lock = threading.Lock()


def _by_section(session: Session, document: Document) -> dict[int, Sequence[SuggestionFacts]]:
    """{section: all of its suggestions, drafts too}; of sections in which nothing has moved as they were read before.

    Whatever happens to a suggestion raises `moved` of its section; names and deadlines belong to the document.
    """
    names = called(session, document.id)
    moved = session.execute(
        select(Section.id, Stream.moved)
        .join(Stream, Stream.id == Section.stream_id)
        .where(Section.document_id == document.id)
    ).all()
    states = {row.id: (row.moved, names.epoch, document.phase, document.phase_ends_at) for row in moved}
    with _lock:
        known = _kept.setdefault(session.get_bind().pool, {})
        found: dict[int, Sequence[SuggestionFacts]] = {}
        for section_id, state in states.items():
            kept = known.get(section_id)
            if kept is not None and kept[0] == state:
                found[section_id] = kept[1]
    missing = [each for each in states if each not in found]
    read = {each: tuple(rows) for each, rows in _read(session, document, names, missing).items()}
    found.update(read)
    if not session.get_bind().get_execution_options().get("drafting_writes", True):  # what is written may be rolled back
        with _lock:
            for section_id, rows in read.items():
                known.pop(section_id, None)
                known[section_id] = states[section_id], rows
            while len(known) > KEPT:
                del known[next(iter(known))]
    return found


def _read(
    session: Session, document: Document, names: Called, section_ids: Sequence[int]
) -> dict[int, list[SuggestionFacts]]:
    """{section: its suggestions}, of these sections."""
    found: dict[int, list[SuggestionFacts]] = {each: [] for each in section_ids}
    here = select(Suggestion.id).where(Suggestion.section_id.in_(section_ids)).scalar_subquery()
    rows = session.execute(
        select(
            Suggestion.id, Suggestion.number, Suggestion.section_id, Suggestion.stream_id, Suggestion.state,
            Suggestion.organization_id, Suggestion.author_id, Suggestion.reason, Suggestion.filed_at, Suggestion.created_at,
            Suggestion.withdrawn_at, Suggestion.form, Suggestion.new_section,
        ).where(Suggestion.section_id.in_(section_ids))
    ).all()  # fmt: skip
    if not rows:
        return found
    pieces: dict[int, list[Piece]] = {row.id: [] for row in rows}
    for suggestion_id, *hunk in session.execute(
        select(Hunk.suggestion_id, Hunk.id, Hunk.ground, Hunk.text, Hunk.state)
        .where(Hunk.suggestion_id.in_(here), Hunk.state != "joined")
        .order_by(Hunk.suggestion_id, Hunk.start, Hunk.id)
    ):
        pieces[suggestion_id].append(Piece(*hunk))
    origins: dict[int, list[tuple[int | None, int | None]]] = {}
    for suggestion_id, organization_id, meeting_id in session.execute(
        select(SuggestionOrigin.suggestion_id, Origin.organization_id, Origin.meeting_id)
        .join(Origin, Origin.id == SuggestionOrigin.origin_id)
        .where(SuggestionOrigin.suggestion_id.in_(here))
        .order_by(Origin.id)
    ):
        origins.setdefault(suggestion_id, []).append((organization_id, meeting_id))
    support = dict(
        session.execute(
            select(Endorsement.suggestion_id, func.count())
            .where(Endorsement.suggestion_id.in_(here), Endorsement.ended_at.is_(None))
            .group_by(Endorsement.suggestion_id)
        ).all()
    )
    decided: dict[int, tuple[datetime, str]] = {}
    reworded: set[int] = set()
    for suggestion_id, verdict, at, by_id in session.execute(
        select(Decision.suggestion_id, Decision.verdict, Decision.at, Decision.by_id)
        .where(
            Decision.suggestion_id.in_(here), Decision.reverted_by_id.is_(None), Decision.verdict != "reverted"
        )
        .order_by(Decision.id)
    ):
        decided[suggestion_id] = (at, names.people[by_id])
        if verdict == "reworded":
            reworded.add(suggestion_id)
    for row in rows:
        mine = pieces[row.id]
        from_where = origins.get(row.id, [])
        speakers = dict.fromkeys(each for each, _ in from_where if each in names.organizations)
        heard = dict.fromkeys(each for _, each in from_where if each in names.meetings)
        at, by = decided.get(row.id, (None, ""))
        found[row.section_id].append(
            SuggestionFacts(
                id=row.id,
                number=row.number,
                section_id=row.section_id,
                stream_id=row.stream_id,
                fate=fate_of(row, [each.state for each in mine], row.id in reworded),
                state=row.state,
                organization=names.organizations.get(row.organization_id) if row.organization_id else None,
                organizations=tuple(names.organizations[each] for each in speakers),
                meetings=tuple(names.meetings[each] for each in heard),
                author_id=row.author_id,
                author=names.people[row.author_id],
                reason=row.reason,
                pieces=tuple(each for each in mine if each.state != "withdrawn"),
                endorsements=support.get(row.id, 0),
                filed_at=row.filed_at,
                created_at=row.created_at,
                decided_at=at,
                decided_by=by,
                late=row.filed_at is not None and row.form != "meeting" and _late(document, row.filed_at),
                new_section=row.new_section,
            )
        )
    return found


def fate_of(row: Any, states: Iterable[str], was_reworded: bool = False) -> str:
    """What a suggestion has come to, from the states of its hunks."""
    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.filed_at is None:
        return "draft"
    counts = Counter(states)
    stands, gone = counts["accepted"] + counts["fulfilled"], counts["rejected"] + counts["superseded"]
    if counts["open"]:
        return "partly_open" if stands or gone else "open"
    if stands and (gone or was_reworded):
        return "partly"
    if counts["accepted"]:
        return "accepted"
    if counts["fulfilled"]:
        return "fulfilled"
    if counts["rejected"]:
        return "rejected"
    return "superseded" if counts["superseded"] else "withdrawn"


def sum_of(rows: Iterable[SuggestionFacts]) -> Sum:
    """The sums of filed suggestions that were not withdrawn."""
    counts = Counter(each.fate for each in rows)
    partly_open_standing = 0  # what is decided in part counts as waiting until all of it is decided
    return Sum(
        asked=sum(number for fate, number in counts.items() if fate not in ("draft", "withdrawn")),
        stands=sum(counts[fate] for fate in STANDS) + partly_open_standing,
        whole=counts["accepted"] + counts["fulfilled"],
        partly=counts["partly"],
        rejected=counts["rejected"],
        superseded=counts["superseded"],
        open=counts["open"] + counts["partly_open"],
    )


def by_meeting(rows: Iterable[SuggestionFacts]) -> dict[int, Sum]:
    """Meeting id → what became of what was asked there."""
    groups: dict[int, list[SuggestionFacts]] = {}
    for row in rows:
        for meeting in row.meetings:
            groups.setdefault(meeting.id, []).append(row)
    return {each: sum_of(group) for each, group in groups.items()}


def by_organization(rows: Iterable[SuggestionFacts]) -> dict[int, Sum]:
    """Organisation id → what became of what it asked."""
    groups: dict[int, list[SuggestionFacts]] = {}
    for row in rows:
        for organization in row.organizations:
            groups.setdefault(organization.id, []).append(row)
    return {each: sum_of(group) for each, group in groups.items()}


def figures(session: Session, document_id: int, rows: Iterable[SuggestionFacts]) -> Figures:
    """The numbers of the project page, from the suggestions the reader may know of."""
    filed = [row for row in rows if row.fate not in ("draft", "withdrawn")]
    remarks, answered = session.execute(
        select(func.count(), func.count(Annotation.position)).where(Annotation.document_id == document_id)
    ).one()
    taking_part = set(
        session.scalars(
            select(MeetingAttendance.organization_id)
            .join(Meeting, Meeting.id == MeetingAttendance.meeting_id)
            .where(Meeting.document_id == document_id)
        )
    ) | {each.id for row in filed for each in row.organizations}
    return Figures(
        organizations=len(taking_part),
        proposals=len(filed) + remarks,
        settled=sum(row.fate in SETTLED for row in filed) + answered,
        in_text=sum(row.fate in STANDS for row in filed),
    )


def sections_of(session: Session, document_id: int) -> dict[int, str]:
    """Section id → title, of removed ones too, for lists that name them."""
    return dict(session.execute(select(Section.id, Section.title).where(Section.document_id == document_id)).all())


def _late(document: Document, filed_at: datetime) -> bool:
    return document.phase == "consultation" and document.phase_ends_at is not None and filed_at > document.phase_ends_at

"""What became of everything that was asked: one row a suggestion with its fate, and the sums of them.

A read model for lists, the project page, meetings and organisations. All numbers come from here, so that they agree:
a suggestion counts where one of its origins names the meeting or organisation, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.services.access import Actor, require, visible_suggestions
from drafting.services.people import OrganizationView, organization_view
from drafting.store.models import (
    Annotation,
    Decision,
    Document,
    Endorsement,
    Hunk,
    Meeting,
    MeetingAttendance,
    Organization,
    Origin,
    Section,
    Suggestion,
    SuggestionOrigin,
    User,
)

# What a suggestion can come to, in the order of a list of filters.
FATES = ("open", "partly_open", "accepted", "partly", "rejected", "fulfilled", "superseded", "withdrawn", "draft")
STANDS = frozenset({"accepted", "partly", "fulfilled"})  # something of it is in the text
SETTLED = frozenset({"accepted", "partly", "rejected", "fulfilled", "superseded"})


@dataclass(frozen=True, slots=True)
class MeetingBadge:
    """A meeting as lists name it."""

    id: int
    number: int
    topic: str
    short: str
    hue: int


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
    rows = session.execute(
        select(Suggestion, User.name)
        .join(User, User.id == Suggestion.author_id)
        .where(visible_suggestions(actor, document))
        .order_by(Suggestion.number)
    ).all()
    ids = [row.id for row, _ in rows]
    if not ids:
        return []
    pieces: dict[int, list[Piece]] = {each: [] for each in ids}
    of_document = select(Suggestion.id).where(Suggestion.document_id == document_id).scalar_subquery()
    for hunk in session.execute(
        select(Hunk.suggestion_id, Hunk.id, Hunk.ground, Hunk.text, Hunk.state)
        .where(Hunk.suggestion_id.in_(of_document), Hunk.state != "joined")
        .order_by(Hunk.suggestion_id, Hunk.start, Hunk.id)
    ):
        if hunk.suggestion_id in pieces:
            pieces[hunk.suggestion_id].append(Piece(hunk.id, hunk.ground, hunk.text, hunk.state))
    organizations = {
        row.id: organization_view(row)
        for row in session.scalars(select(Organization).where(Organization.document_id == document_id))
    }
    meetings = {
        row.id: MeetingBadge(row.id, row.number, row.topic, row.short or row.topic[:40], row.hue)
        for row in session.scalars(select(Meeting).where(Meeting.document_id == document_id))
    }
    origins: dict[int, list[tuple[int | None, int | None]]] = {}
    for suggestion_id, organization_id, meeting_id in session.execute(
        select(SuggestionOrigin.suggestion_id, Origin.organization_id, Origin.meeting_id)
        .join(Origin, Origin.id == SuggestionOrigin.origin_id)
        .where(Origin.document_id == document_id)
        .order_by(Origin.id)
    ):
        origins.setdefault(suggestion_id, []).append((organization_id, meeting_id))
    support = dict(
        session.execute(
            select(Endorsement.suggestion_id, func.count())
            .where(Endorsement.suggestion_id.in_(of_document), Endorsement.ended_at.is_(None))
            .group_by(Endorsement.suggestion_id)
        ).all()
    )
    decided: dict[int, tuple[datetime, str]] = {}
    reworded: set[int] = set()
    for suggestion_id, verdict, at, by in session.execute(
        select(Decision.suggestion_id, Decision.verdict, Decision.at, User.name)
        .join(User, User.id == Decision.by_id)
        .where(Decision.document_id == document_id, Decision.reverted_by_id.is_(None), Decision.verdict != "reverted")
        .order_by(Decision.id)
    ):
        decided[suggestion_id] = (at, by)
        if verdict == "reworded":
            reworded.add(suggestion_id)
    made = []
    for row, author in rows:
        mine = pieces[row.id]
        from_where = origins.get(row.id, [])
        speakers = dict.fromkeys(each for each, _ in from_where if each in organizations)
        heard = dict.fromkeys(each for _, each in from_where if each in meetings)
        at, by = decided.get(row.id, (None, ""))
        late = row.filed_at is not None and row.form != "meeting" and _late(document, row.filed_at)
        made.append(
            SuggestionFacts(
                id=row.id,
                number=row.number,
                section_id=row.section_id,
                stream_id=row.stream_id,
                fate=fate_of(row, [each.state for each in mine], row.id in reworded),
                state=row.state,
                organization=organizations.get(row.organization_id) if row.organization_id else None,
                organizations=tuple(organizations[each] for each in speakers),
                meetings=tuple(meetings[each] for each in heard),
                author_id=row.author_id,
                author=author,
                reason=row.reason,
                pieces=tuple(each for each in mine if each.state != "withdrawn"),
                endorsements=support.get(row.id, 0),
                filed_at=row.filed_at,
                created_at=row.created_at,
                decided_at=at,
                decided_by=by,
                late=late,
                new_section=row.new_section,
            )
        )
    return made


def fate_of(row: Suggestion, states: Iterable[str], was_reworded: bool = False) -> str:
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

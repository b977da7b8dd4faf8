"""The register of all that was put forward: one entry for each filed suggestion and each remark, with its position.

Matrix, impact, flow and report all count these entries, so their numbers agree. A suggestion is one entry however many
places it changes: its position is what all of its places together came to. Drafts are in no register. A thread on a
suggestion is its discussion and not an entry, unless the office gave it a position.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from drafting.services import overview
from drafting.services.access import Actor, require
from drafting.services.epochs import MeetingBadge
from drafting.services.overview import SuggestionFacts
from drafting.services.people import OrganizationView, organization_view
from drafting.store.models import (
    Annotation,
    Document,
    Event,
    Meeting,
    Membership,
    Organization,
    Origin,
    PhaseChange,
    Section,
    Stream,
    Suggestion,
    User,
)

# What the office says of an entry, in the order of lists and statistics.
POSITIONS = (
    "accepted", "fulfilled", "partly", "rejected", "superseded", "noted", "inadmissible", "open", "withdrawn",
)  # fmt: skip
OF_FATE = {
    "accepted": "accepted",
    "fulfilled": "fulfilled",
    "partly": "partly",
    "rejected": "rejected",
    "superseded": "superseded",
    "open": "open",
    "partly_open": "open",
    "withdrawn": "withdrawn",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One suggestion or remark.

    kind           suggestion or remark; `number` counts within its kind
    position       one of POSITIONS
    at             when it came in
    form           platform meeting email form
    organizations  on whose behalf; `meetings` where it was asked
    speaker        the organisation of its author when no origin names one
    author_role    what its author is in the document, for those who speak for nobody
    facts          the suggestion's; None for a remark
    is_late        came after the deadline of the consultation
    """

    kind: str
    id: int
    number: int
    section_id: int | None
    position: str
    at: datetime
    form: str
    organizations: tuple[OrganizationView, ...]
    meetings: tuple[MeetingBadge, ...]
    speaker: OrganizationView | None
    author_id: int
    author_role: str
    is_late: bool = False
    facts: SuggestionFacts | None = None

    @property
    def key(self) -> str:
        """What lists call it: "U-17" for a suggestion, "R-3" for a remark."""
        return f"{'U' if self.kind == 'suggestion' else 'R'}-{self.number}"


@dataclass(frozen=True, slots=True)
class Window:
    """The last consultation of a document: when it began, its deadline, and when the next phase began."""

    began_at: datetime | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None

    def is_late(self, at: datetime) -> bool:
        """Whether something that came at this time came after the deadline, while the consultation was the phase."""
        return self.ends_at is not None and at > self.ends_at and (self.ended_at is None or at < self.ended_at)


def window(session: Session, document_id: int) -> Window:
    """The last consultation, as the phases of the document tell."""
    found = Window()
    inside = False
    for phase, at, ends_at in session.execute(
        select(PhaseChange.phase, PhaseChange.at, PhaseChange.ends_at)
        .where(PhaseChange.document_id == document_id)
        .order_by(PhaseChange.id)
    ):
        if phase == "consultation":
            found = Window(found.began_at if inside else at, ends_at)
            inside = True
        elif inside:
            found = Window(found.began_at, found.ends_at, at)
            inside = False
    return found


def register(session: Session, actor: Actor, document_id: int) -> list[Entry]:
    """Every entry of a document: suggestions by number, then remarks by number. needs: report"""
    document = require(session, actor, "report", document_id)
    return suggestions_of(session, actor, document) + remarks_of(session, document)


def suggestions_of(session: Session, actor: Actor, document: Document) -> list[Entry]:
    """The entries of suggestions, by number."""
    facts = filed(overview.suggestions(session, actor, document.id))
    forms, roles = _forms(session, document.id), _roles(session, document.id)
    late = late_ones(session, document.id, facts, forms)
    made = []
    for each in facts:
        position = "inadmissible" if each.id in late and each.fate == "open" else OF_FATE[each.fate]
        made.append(
            Entry(
                "suggestion", each.id, each.number, each.section_id, position, each.filed_at or each.created_at,
                forms[each.id], each.organizations, each.meetings, each.organization, each.author_id,
                roles.get(each.author_id, ""), each.id in late, each,
            )
        )  # fmt: skip
    return made


def late_ones(
    session: Session, document_id: int, rows: Iterable[SuggestionFacts], forms: dict[int, str] | None = None
) -> frozenset[int]:
    """The suggestions that came after the deadline: they are not considered unless somebody decides on them. What was
    asked at a meeting is never late, whenever it was written down."""
    during = window(session, document_id)
    if during.ends_at is None:
        return frozenset()
    forms = _forms(session, document_id) if forms is None else forms
    return frozenset(
        row.id for row in rows if row.filed_at and forms[row.id] != "meeting" and during.is_late(row.filed_at)
    )


def _forms(session: Session, document_id: int) -> dict[int, str]:
    return dict(
        session.execute(select(Suggestion.id, Suggestion.form).where(Suggestion.document_id == document_id)).all()
    )


def filed(rows: Iterable[SuggestionFacts]) -> list[SuggestionFacts]:
    """Those that are before everybody: what counts."""
    return [row for row in rows if row.filed_at is not None]


def remarks_of(session: Session, document: Document) -> list[Entry]:
    """The entries of remarks, by number."""
    roles, during = _roles(session, document.id), window(session, document.id)
    organizations = {
        row.id: organization_view(row)
        for row in session.scalars(select(Organization).where(Organization.document_id == document.id))
    }
    meetings = {
        row.id: MeetingBadge(row.id, row.number, row.topic, row.short or row.topic[:40], row.hue)
        for row in session.scalars(select(Meeting).where(Meeting.document_id == document.id))
    }
    origins = {
        row.id: row
        for row in session.execute(
            select(Origin.id, Origin.organization_id, Origin.meeting_id).where(Origin.document_id == document.id)
        )
    }
    speaks = dict(
        session.execute(
            select(Membership.user_id, Membership.organization_id).where(Membership.document_id == document.id)
        ).all()
    )
    made = []
    for row in session.execute(
        select(
            Annotation.id, Annotation.number, Annotation.section_id, Annotation.author_id, Annotation.origin_id,
            Annotation.form, Annotation.state, Annotation.position, Annotation.created_at,
        )
        .where(
            Annotation.document_id == document.id,
            or_(Annotation.suggestion_id.is_(None), Annotation.position.is_not(None)),
        )
        .order_by(Annotation.number)
    ):  # fmt: skip
        origin = origins.get(row.origin_id)
        organization = organizations.get(origin.organization_id) if origin else None
        meeting = meetings.get(origin.meeting_id) if origin else None
        late = row.form != "meeting" and during.is_late(row.created_at)
        position = row.position or ("noted" if row.state == "resolved" else "inadmissible" if late else "open")
        made.append(
            Entry(
                "remark", row.id, row.number, row.section_id, position, row.created_at, row.form,
                (organization,) if organization else (), (meeting,) if meeting else (),
                organizations.get(speaks.get(row.author_id) or 0), row.author_id, roles.get(row.author_id, ""), late,
            )
        )  # fmt: skip
    return made


def _roles(session: Session, document_id: int) -> dict[int, str]:
    return dict(
        session.execute(select(Membership.user_id, Membership.role).where(Membership.document_id == document_id)).all()
    )


def tally(entries: Iterable[Entry]) -> dict[str, int]:
    """How many entries have each position, in the order of POSITIONS; those that nobody has are left out."""
    counts = Counter(each.position for each in entries)
    return {position: counts[position] for position in POSITIONS if counts[position]}


def as_of(session: Session, document: Document) -> datetime:
    """The moment of the last thing that happened: the only time a report says, so that it reads the same for ever."""
    last = session.scalar(
        select(Event.at).where(Event.document_id == document.id).order_by(Event.number.desc()).limit(1)
    )
    return last or document.created_at


def state_key(session: Session, document_id: int) -> str:
    """Changes whenever anything that a report is made of does: the chain's end, what the streams hold, and all names.

    Names and consents change without an event, and a report that was kept must not go on naming somebody.
    """
    last = session.scalar(select(func.max(Event.number)).where(Event.document_id == document_id)) or 0
    streams = session.scalar(
        select(func.sum(Stream.version))
        .join(Section, Section.id == Stream.section_id)
        .where(Section.document_id == document_id)
    )
    names = hashlib.sha256()
    people = (
        select(User.id, User.name, User.may_be_named, User.anonymised_at, Membership.role, Membership.organization_id)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.document_id == document_id)
        .order_by(User.id)
    )
    organizations = (
        select(Organization.id, Organization.name, Organization.code, Organization.hue, Organization.kind)
        .where(Organization.document_id == document_id)
        .order_by(Organization.id)
    )
    document = select(Document.title, Document.municipality, Document.language, Document.timezone).where(
        Document.id == document_id
    )
    for query in (document, people, organizations):
        for row in session.execute(query):
            names.update(repr(tuple(row)).encode())
    return f"{last}-{streams or 0}-{names.hexdigest()[:16]}"

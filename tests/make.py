"""Makes real rows for tests, with as little said as a test needs to say.

The rows are flushed and not committed: a verb that is refused rolls them back, so a test that goes on afterwards
commits them first.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.services.access import Actor, actor_of
from drafting.services.clock import now
from drafting.store.models import (
    Document,
    Meeting,
    Membership,
    Organization,
    Origin,
    PhaseChange,
    Revision,
    Section,
    Stream,
    User,
)

_numbers = count(1)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday; for tests that set the clock


def user(session: Session, name: str = "", *, email: str = "", is_operator: bool = False) -> User:
    """A person without a password."""
    number = next(_numbers)
    row = User(
        email=email or f"person{number}@example.org",
        name=name or f"Person {number}",
        is_operator=is_operator,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    return row


def document(
    session: Session,
    *,
    slug: str = "",
    phase: str = "consultation",
    is_public: bool = True,
    phase_ends_at: datetime | None = None,
) -> Document:
    """A published document in consultation, unless said otherwise."""
    slug = slug or f"programme-{next(_numbers)}"
    row = Document(
        slug=slug,
        title=f"Programme {slug}",
        phase=phase,
        is_public=is_public,
        phase_ends_at=phase_ends_at,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    session.add(PhaseChange(document_id=row.id, phase=phase, ends_at=phase_ends_at, at=now()))
    session.flush()
    return row


def organization(session: Session, document: Document, name: str = "", *, code: str = "") -> Organization:
    number = next(_numbers)
    row = Organization(
        document_id=document.id,
        name=name or f"Organisation {number}",
        code=code or f"{number % 10000:04d}",
        hue=1 + number % 12,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    return row


def meeting(session: Session, document: Document, topic: str = "") -> Meeting:
    number = 1 + (
        session.scalar(
            select(Meeting.number).where(Meeting.document_id == document.id).order_by(Meeting.number.desc()).limit(1)
        )
        or 0
    )
    row = Meeting(
        document_id=document.id, number=number, topic=topic or f"Meeting {number}", hue=number, created_at=now()
    )
    session.add(row)
    session.flush()
    return row


def origin(
    session: Session, document: Document, organization: Organization | None = None, meeting: Meeting | None = None
) -> Origin:
    """ "On behalf of": at least one of the two."""
    key = (f"o{organization.id}" if organization else "") + (f"m{meeting.id}" if meeting else "")
    row = Origin(
        document_id=document.id,
        organization_id=organization.id if organization else None,
        meeting_id=meeting.id if meeting else None,
        key=key,
    )
    session.add(row)
    session.flush()
    return row


def member(
    session: Session,
    document: Document,
    role: str,
    organization: Organization | None = None,
    *,
    user: User | None = None,
) -> Actor:
    """A person with a role in the document, as an actor."""
    person = user or globals()["user"](session, name=f"{role} {next(_numbers)}")
    session.add(
        Membership(
            document_id=document.id,
            user_id=person.id,
            role=role,
            organization_id=organization.id if organization else None,
            created_at=now(),
        )
    )
    session.flush()
    return actor_of(session, person.id)


def section(session: Session, document: Document, text: str = "") -> Section:
    """A section at the end of the document; with a text, its main stream has one revision that brought it in."""
    position = 1 + len(session.scalars(select(Section.id).where(Section.document_id == document.id)).all())
    row = Section(document_id=document.id, position=position, title=_heading(text), created_at=now())
    session.add(row)
    session.flush()
    stream = Stream(kind="main", section_id=row.id)
    session.add(stream)
    session.flush()
    row.stream_id = stream.id
    if text:
        length = len(text.encode("utf-16-le")) // 2
        session.add(
            Revision(
                stream_id=stream.id,
                version=1,
                changes=json.dumps([[0, *text.split("\n")]], ensure_ascii=False, separators=(",", ":")),
                kind="import",
                client="make",
                sequence=1,
                at=now(),
            )
        )
        stream.version, stream.length = 1, length
    session.flush()
    return row


def _heading(text: str) -> str:
    return next((line.lstrip("#").strip() for line in text.splitlines() if line.strip()), "")

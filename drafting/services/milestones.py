"""Milestones: named versions of the whole document. They are never changed and never removed.

A milestone holds the place and version of every section that was there. Its event names the SHA-256 of each text, and
`chain_head` is the hash of that event: whoever has it printed on paper can check a copy of the text against it later.
Restoring one appends to the logs, as everything does; `editing` does it, from `milestone()`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NameTaken, NotFound
from drafting.services import audit
from drafting.services.access import Actor, require
from drafting.services.clock import now
from drafting.store.database import verb
from drafting.store.models import Document, Milestone, MilestoneSection, Section, Stream, User
from drafting.store.queries import text_at


@dataclass(frozen=True, slots=True)
class MilestoneSectionView:
    """A section as the milestone has it."""

    section_id: int
    stream_id: int
    position: int
    version: int
    title: str
    is_removed: bool  # meanwhile


@dataclass(frozen=True, slots=True)
class MilestoneView:
    """A named version of the whole document."""

    id: int
    document_id: int
    name: str
    note: str
    by: str
    at: datetime
    chain_head: str
    sections: tuple[MilestoneSectionView, ...]


def milestones(session: Session, actor: Actor, document_id: int) -> list[MilestoneView]:
    """The milestones of a document, oldest first. needs: read"""
    require(session, actor, "read", document_id)
    rows = session.execute(
        select(Milestone, User.name)
        .outerjoin(User, User.id == Milestone.by_id)
        .where(Milestone.document_id == document_id)
        .order_by(Milestone.at, Milestone.id)
    ).all()
    return _views(session, [(row, name or "") for row, name in rows])


def milestone(session: Session, actor: Actor, milestone_id: int) -> MilestoneView:
    """One milestone. needs: read"""
    row = session.get(Milestone, milestone_id)
    if row is None:
        raise NotFound("there is no such milestone")
    require(session, actor, "read", row.document_id)
    person = session.get(User, row.by_id) if row.by_id is not None else None
    return _views(session, [(row, person.name if person else "")])[0]


@verb
def create_milestone(session: Session, actor: Actor, document_id: int, name: str, note: str = "") -> MilestoneView:
    """The document as it is at this moment, under a name.

    raises   NameTaken when the document has a milestone of this name
    commits  yes, once
    needs    milestone
    """
    document = require(session, actor, "milestone", document_id)
    plain = " ".join(name.split())
    if not 1 <= len(plain) <= 200:
        raise InvalidInput("a milestone has a name of 1 to 200 characters", field="name")
    # All streams first, by id, then the document: nobody writes between the versions that belong together.
    session.execute(
        select(Stream.id)
        .where(Stream.id.in_(select(Section.stream_id).where(Section.document_id == document_id)))
        .order_by(Stream.id)
        .with_for_update()
    ).all()
    session.execute(select(Document.id).where(Document.id == document.id).with_for_update())
    if session.scalar(select(Milestone.id).where(Milestone.document_id == document_id, Milestone.name == plain)):
        raise NameTaken(f"there is a milestone {plain!r} already; milestones are not changed", field="name")
    rows = session.execute(
        select(Section, Stream)
        .join(Stream, Stream.id == Section.stream_id)
        .where(Section.document_id == document_id, Section.removed_at.is_(None))
        .order_by(Section.position, Section.id)
        .execution_options(populate_existing=True)
    ).all()
    row = Milestone(document_id=document_id, name=plain, note=note.strip(), by_id=actor.user_id, at=now())
    session.add(row)
    session.flush()
    session.add_all(
        MilestoneSection(
            milestone_id=row.id,
            section_id=section.id,
            position=position,
            version=stream.version,
            title=section.title,
        )
        for position, (section, stream) in enumerate(rows, start=1)
    )
    data = {
        "milestone": row.id,
        "name": plain,
        "sections": [
            {"section": section.id, "version": stream.version, "sha256": text_hash(text_at(session, stream.id))}
            for section, stream in rows
        ],
    }
    row.chain_head = audit.record(session, document_id, actor, "milestone_created", data).hash
    session.flush()
    return _views(session, [(row, actor.name)])[0]


def text_hash(text: str) -> str:
    """SHA-256 of a section's text as UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _views(session: Session, rows: list[tuple[Milestone, str]]) -> list[MilestoneView]:
    parts: dict[int, list[MilestoneSectionView]] = {row.id: [] for row, _ in rows}
    found = session.execute(
        select(MilestoneSection, Section.stream_id, Section.removed_at)
        .join(Section, Section.id == MilestoneSection.section_id)
        .where(MilestoneSection.milestone_id.in_(parts))
        .order_by(MilestoneSection.position)
    )
    for part, stream_id, removed_at in found:
        parts[part.milestone_id].append(
            MilestoneSectionView(
                part.section_id, stream_id, part.position, part.version, part.title, removed_at is not None
            )
        )
    return [
        MilestoneView(row.id, row.document_id, row.name, row.note, by, row.at, row.chain_head, tuple(parts[row.id]))
        for row, by in rows
    ]

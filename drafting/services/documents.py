"""Documents: making them, describing them, publishing them, and the phases they go through."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.config import LANGUAGES
from drafting.errors import InvalidInput, NameTaken
from drafting.services import audit, movements, notices, people
from drafting.services.access import PHASES, Actor, Role, readable_documents, require, require_operator
from drafting.services.clock import now
from drafting.store.database import verb
from drafting.store.models import (
    Document,
    PhaseChange,
    User,
)


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as its own page shows it; `role` is the asking person's."""

    id: int
    slug: str
    title: str
    municipality: str
    summary: str
    language: str
    timezone: str
    phase: str
    phase_ends_at: datetime | None
    is_public: bool
    created_at: datetime
    role: Role

    @property
    def deadline_passed(self) -> bool:
        """Whether what the phase allows until its deadline is over."""
        return self.phase_ends_at is not None and now() >= self.phase_ends_at


@dataclass(frozen=True, slots=True)
class PhaseView:
    """A document entered a phase, or was given another deadline in it."""

    phase: str
    ends_at: datetime | None
    note: str
    by: str
    at: datetime


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────


def documents(session: Session, actor: Actor) -> list[DocumentView]:
    """The documents the actor may read: their own first, then by title."""
    rows = session.scalars(select(Document).where(readable_documents(actor)).order_by(Document.title)).all()
    return sorted((document_view(actor, row) for row in rows), key=lambda view: view.role is Role.PUBLIC)


def document(session: Session, actor: Actor, slug: str) -> DocumentView:
    """The document with this address. raises: NotFound also when the actor may not know of it. needs: read"""
    return document_view(actor, document_row(session, actor, slug))


def document_row(session: Session, actor: Actor, slug: str) -> Document:
    """Its row, for other services and for `allowed`. needs: read"""
    row = session.scalar(select(Document).where(Document.slug == slug))
    return require(session, actor, "read", row if row is not None else -1)


@verb
def create_document(
    session: Session,
    actor: Actor,
    title: str,
    *,
    slug: str = "",
    municipality: str = "",
    summary: str = "",
    language: str = "pl",
    timezone: str = "Europe/Warsaw",
) -> DocumentView:
    """The new document, not published, in the phase drafting; the actor is its coordinator.

    slug     the last part of its address; made from the title when empty
    raises   NameTaken when the address is in use
    commits  yes, once
    needs    to be an operator
    """
    require_operator(actor)
    row = Document(
        slug="", title="", summary="", phase=PHASES[0], is_public=False, created_by_id=actor.user_id, created_at=now()
    )
    _fill(row, title=title, municipality=municipality, summary=summary, language=language, timezone=timezone)
    row.slug = _free_slug(session, slug, title)
    session.add(row)
    session.flush()
    session.add(PhaseChange(document_id=row.id, phase=row.phase, by_id=actor.user_id, at=now()))
    audit.record(session, row.id, actor, "document_created", {"title": row.title, "slug": row.slug})
    if actor.user_id is not None:
        people.add_member(session, actor, row.id, actor.user_id, Role.COORDINATOR)
    return document_view(actor, row, Role.COORDINATOR if actor.user_id is not None else Role.PUBLIC)


@verb
def change_document(
    session: Session,
    actor: Actor,
    document_id: int,
    *,
    title: str | None = None,
    municipality: str | None = None,
    summary: str | None = None,
    language: str | None = None,
    timezone: str | None = None,
) -> DocumentView:
    """The document with these changes. commits: yes, once. needs: manage_document"""
    row = require(session, actor, "manage_document", document_id)
    given = {
        "title": title,
        "municipality": municipality,
        "summary": summary,
        "language": language,
        "timezone": timezone,
    }
    _fill(row, **{name: value for name, value in given.items() if value is not None})
    audit.record(session, row.id, actor, "document_changed", {"title": row.title})
    return document_view(actor, row)


@verb
def publish(session: Session, actor: Actor, document_id: int, is_public: bool = True) -> DocumentView:
    """Lets everybody read the document, or members only. commits: yes, once. needs: publish"""
    row = require(session, actor, "publish", document_id)
    if row.is_public != is_public:
        row.is_public = is_public
        audit.record(session, row.id, actor, "document_published" if is_public else "document_hidden")
        movements.announce(session, row.id, "people")
    return document_view(actor, row)


def document_view(actor: Actor, row: Document, role: Role | None = None) -> DocumentView:
    """The value of a document's row."""
    return DocumentView(
        row.id,
        row.slug,
        row.title,
        row.municipality,
        row.summary,
        row.language,
        row.timezone,
        row.phase,
        row.phase_ends_at,
        row.is_public,
        row.created_at,
        actor.role(row) if role is None else role,
    )


def _fill(row: Document, **given: str) -> None:
    for name, longest in (("title", 300), ("municipality", 200), ("summary", 20_000)):
        if name in given:
            plain = given[name].strip() if name == "summary" else " ".join(given[name].split())
            if len(plain) > longest or (name == "title" and not plain):
                raise InvalidInput(f"{name} has {1 if name == 'title' else 0} to {longest} characters", field=name)
            setattr(row, name, plain)
    if "language" in given:
        if given["language"] not in LANGUAGES:
            raise InvalidInput(f"languages are {', '.join(LANGUAGES)}", field="language")
        row.language = given["language"]
    if "timezone" in given:
        try:
            ZoneInfo(given["timezone"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidInput(f"there is no time zone {given['timezone']!r}", field="timezone") from None
        row.timezone = given["timezone"]


def slug_of(text: str) -> str:
    """The text as the part of an address: small Latin letters, digits and hyphens, at most 60."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ł", "l"))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-")


def _free_slug(session: Session, slug: str, title: str) -> str:
    """The slug that was asked for, or one made from the title with a number when that is taken."""
    if slug:
        if slug_of(slug) != slug:
            raise InvalidInput("an address has small letters, digits and hyphens, at most 60", field="slug")
        if session.scalar(select(Document.id).where(Document.slug == slug)) is not None:
            raise NameTaken(f"the address {slug} is in use", field="slug")
        return slug
    made = slug_of(title) or "document"
    taken = set(session.scalars(select(Document.slug).where(Document.slug.startswith(made))))
    return next(name for name in (made, *(f"{made}-{n}" for n in range(2, 10_000))) if name not in taken)


# ── phases ──────────────────────────────────────────────────────────────────────────────────────────────


@verb
def set_phase(
    session: Session, actor: Actor, document_id: int, phase: str, *, ends_at: datetime | None = None, note: str = ""
) -> DocumentView:
    """The document in this phase, or in the same one with another deadline. Any phase may follow any other.

    ends_at  when what contributors and the council may do in it ends; None: with the phase
    note     what members are told about it
    raises   InvalidInput when the deadline has passed already
    commits  yes, once
    needs    manage_phase
    """
    row = require(session, actor, "manage_phase", document_id)
    if phase not in PHASES:
        raise InvalidInput(f"there is no phase {phase!r}; phases are {', '.join(PHASES)}", field="phase")
    if ends_at is not None and ends_at <= now():
        raise InvalidInput("the deadline has passed already; give a later one, or none", field="ends_at")
    session.execute(select(Document.id).where(Document.id == row.id).with_for_update())
    before, row.phase, row.phase_ends_at = row.phase, phase, ends_at
    session.add(
        PhaseChange(document_id=row.id, phase=phase, ends_at=ends_at, note=note.strip(), by_id=actor.user_id, at=now())
    )
    data = {"from": before, "to": phase, "ends_at": ends_at.isoformat() if ends_at else None}
    audit.record(session, row.id, actor, "phase_changed", data)
    notices.notify(session, notices.members_of(session, row.id), row.id, "phase_changed", data, but=actor)
    movements.announce(session, row.id, "phase")
    return document_view(actor, row)


def phases(session: Session, actor: Actor, document_id: int) -> list[PhaseView]:
    """The phases a document has been through, oldest first. needs: read"""
    require(session, actor, "read", document_id)
    rows = session.execute(
        select(PhaseChange, User.name)
        .outerjoin(User, User.id == PhaseChange.by_id)
        .where(PhaseChange.document_id == document_id)
        .order_by(PhaseChange.at, PhaseChange.id)
    )
    return [PhaseView(each.phase, each.ends_at, each.note, name or "", each.at) for each, name in rows]

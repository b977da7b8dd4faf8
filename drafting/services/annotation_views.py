"""Remarks as values: what cards, lists and the API show of them, read with one query for each kind of row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.anchors import Anchor
from drafting.services import heads
from drafting.services.access import Actor, allowed
from drafting.services.people import OrganizationView, OriginView, organization_view, origin_view
from drafting.store.models import (
    Annotation,
    Comment,
    Document,
    Organization,
    Origin,
    Section,
    Suggestion,
    User,
)


@dataclass(frozen=True, slots=True)
class CommentView:
    """One entry of a thread. `text` is empty when it was removed."""

    id: int
    author_id: int
    author: str
    organization: OrganizationView | None
    text: str
    at: datetime
    edited_at: datetime | None
    is_removed: bool


@dataclass(frozen=True, slots=True)
class AnnotationView:
    """A remark with its thread.

    start, end   where its passage is in main at `version`, code units; None for an orphan and for what has no passage
    whole        it is about the whole section, suggestion or document
    text         the remark itself; `replies` are the entries after it
    position     of the office: accepted partly rejected noted inadmissible; None when there is none yet
    can          what the reader may do with it: reply resolve reopen answer place moderate
    """

    id: int
    number: int
    document_id: int
    section_id: int | None
    section_title: str
    suggestion_id: int | None
    suggestion_number: int | None
    start: int | None
    end: int | None
    version: int | None
    placed_version: int | None
    quote: str
    quote_prefix: str
    quote_suffix: str
    orphaned: bool
    whole: bool
    kind: str
    form: str
    state: str
    author_id: int
    author: str
    organization: OrganizationView | None
    origin: OriginView | None
    text: str
    replies: tuple[CommentView, ...]
    position: str | None
    position_reason: str
    position_by: str
    position_at: datetime | None
    created_at: datetime
    is_own: bool
    can: frozenset[str]


def views(session: Session, actor: Actor, rows: Sequence[Annotation]) -> list[AnnotationView]:
    """The values of rows that the actor may see, in their order."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    places: dict[int, tuple[Anchor | None, int]] = {}
    anchored: dict[int, list[Annotation]] = defaultdict(list)
    for row in rows:
        if row.section_id is not None and row.start is not None:
            anchored[row.section_id].append(row)
    for section_id, some in anchored.items():
        with heads.reading(session, section_id) as head:
            for row in some:
                places[row.id] = (head.anchors.get(row.id), head.version)
    comments: dict[int, list[CommentView]] = defaultdict(list)
    for comment, name, organization in session.execute(
        select(Comment, User.name, Organization)
        .join(User, User.id == Comment.author_id)
        .outerjoin(Organization, Organization.id == Comment.organization_id)
        .where(Comment.annotation_id.in_(ids))
        .order_by(Comment.id)
        .execution_options(populate_existing=True)
    ):
        comments[comment.annotation_id].append(
            CommentView(
                comment.id,
                comment.author_id,
                name,
                organization_view(organization) if organization else None,
                "" if comment.removed_at else comment.text,
                comment.at,
                comment.edited_at,
                comment.removed_at is not None,
            )
        )
    names = dict(
        session.execute(
            select(User.id, User.name).where(
                User.id.in_({row.author_id for row in rows} | {row.position_by_id for row in rows if row.position_by_id})
            )
        )
        .all()
    )
    titles = dict(
        session.execute(
            select(Section.id, Section.title).where(Section.id.in_({row.section_id for row in rows if row.section_id}))
        )
        .all()
    )
    numbers = dict(
        session.execute(
            select(Suggestion.id, Suggestion.number).where(
                Suggestion.id.in_({row.suggestion_id for row in rows if row.suggestion_id})
            )
        )
        .all()
    )
    origins = {
        row.id: row
        for row in session.scalars(
            select(Origin).where(Origin.id.in_({row.origin_id for row in rows if row.origin_id}))
        ).unique()
    }
    documents = {each: session.get_one(Document, each) for each in {row.document_id for row in rows}}
    views = []
    for row in rows:
        thread = comments[row.id]
        first = thread[0] if thread else None
        place, version = places.get(row.id, (None, None))
        here = place is not None and not place.is_orphan
        origin = origins.get(row.origin_id or 0)
        organization = first.organization if first else None
        if origin is not None and origin.organization is not None:
            organization = organization_view(origin.organization)
        views.append(
            AnnotationView(
                id=row.id,
                number=row.number,
                document_id=row.document_id,
                section_id=row.section_id,
                section_title=titles.get(row.section_id or 0, ""),
                suggestion_id=row.suggestion_id,
                suggestion_number=numbers.get(row.suggestion_id or 0),
                start=place.start if here and place else None,
                end=place.end if here and place else None,
                version=version,
                placed_version=row.version,
                quote=row.quote_exact,
                quote_prefix=row.quote_prefix,
                quote_suffix=row.quote_suffix,
                orphaned=place is not None and place.is_orphan,
                whole=row.start is None,
                kind=row.kind,
                form=row.form,
                state=row.state,
                author_id=row.author_id,
                author=names.get(row.author_id, ""),
                organization=organization,
                origin=origin_view(origin) if origin is not None else None,
                text=first.text if first else "",
                replies=tuple(thread[1:]),
                position=row.position,
                position_reason=row.position_reason,
                position_by=names.get(row.position_by_id or 0, ""),
                position_at=row.position_at,
                created_at=row.created_at,
                is_own=actor.user_id is not None and row.author_id == actor.user_id,
                can=_can(actor, documents[row.document_id], row),
            )
        )
    return views


def _can(actor: Actor, document: Document, row: Annotation) -> frozenset[str]:
    found = set()
    if allowed(actor, "reply", document):
        found.add("reply")
    if allowed(actor, resolving(actor, row), document):
        found.add("resolve" if row.state == "open" else "reopen")
    if allowed(actor, "answer", document):
        found.add("answer")
    own = actor.user_id is not None and row.author_id == actor.user_id
    if allowed(actor, "place", document) or (own and allowed(actor, "resolve_own", document)):
        found.add("place")
    if allowed(actor, "moderate", document):
        found.add("moderate")
    return frozenset(found)


def resolving(actor: Actor, row: Annotation) -> str:
    """The action that settling this remark is, for this actor."""
    return "resolve_own" if actor.user_id is not None and row.author_id == actor.user_id else "resolve"

"""What people are told: notifications to a person, and news on a document's page.

A notification names what happened by `kind` and ids in `data`; pages put it into words in the reader's language.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NotFound, NotSignedIn
from drafting.services import audit
from drafting.services.access import Actor, require
from drafting.services.clock import now
from drafting.store.database import verb
from drafting.store.models import Document, Membership, News, Notification, User


@dataclass(frozen=True, slots=True)
class NotificationView:
    """Something a person should know."""

    id: int
    kind: str
    data: dict[str, Any]
    at: datetime
    is_read: bool
    document_id: int
    document_slug: str
    document_title: str


@dataclass(frozen=True, slots=True)
class NewsView:
    """A notice on the project page; `text` is Markdown."""

    id: int
    title: str
    text: str
    at: datetime
    by: str


def notify(
    session: Session,
    user_ids: Collection[int | None],
    document_id: int,
    kind: str,
    data: dict[str, Any] | None = None,
    *,
    but: Actor | None = None,
) -> None:
    """Tells these people, once each; not the one who did it, and nobody who is no longer a member.

    but      who caused it and knows
    commits  no
    """
    wanted = {user_id for user_id in user_ids if user_id is not None}
    if but is not None:
        wanted.discard(but.user_id)  # type: ignore[arg-type]
    if not wanted:
        return
    members = session.scalars(
        select(Membership.user_id).where(
            Membership.document_id == document_id, Membership.user_id.in_(wanted), Membership.ended_at.is_(None)
        )
    )
    at = now()
    session.add_all(
        Notification(user_id=user_id, document_id=document_id, kind=kind, data=data or {}, at=at)
        for user_id in sorted(members)
    )


def members_of(
    session: Session, document_id: int, *, organization_id: int | None = None, roles: Collection[str] = ()
) -> list[int]:
    """The ids of the people in a document, or in an organisation of it, or with one of these roles."""
    query = select(Membership.user_id).where(Membership.document_id == document_id, Membership.ended_at.is_(None))
    if organization_id is not None:
        query = query.where(Membership.organization_id == organization_id)
    if roles:
        query = query.where(Membership.role.in_([str(role) for role in roles]))
    return sorted(session.scalars(query))


def notifications(
    session: Session, actor: Actor, *, unread_only: bool = False, limit: int = 100
) -> list[NotificationView]:
    """The actor's notifications, newest first."""
    if actor.user_id is None:
        raise NotSignedIn("sign in to see your notifications")
    query = (
        select(Notification, Document.slug, Document.title)
        .join(Document, Document.id == Notification.document_id)
        .where(Notification.user_id == actor.user_id)
        .order_by(Notification.id.desc())
        .limit(limit)
    )
    if unread_only:
        query = query.where(Notification.read_at.is_(None))
    return [
        NotificationView(
            each.id, each.kind, each.data, each.at, each.read_at is not None, each.document_id, slug, title
        )
        for each, slug, title in session.execute(query)
    ]


def unread(session: Session, actor: Actor) -> int:
    """How many notifications the actor has not read; 0 for nobody."""
    if actor.user_id is None:
        return 0
    return (
        session.scalar(
            select(func.count()).where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
        )
        or 0
    )


@verb
def mark_read(session: Session, actor: Actor, notification_ids: Collection[int] | None = None) -> int:
    """How many of the actor's notifications are now marked as read: these, or all.

    commits  yes, once
    """
    if actor.user_id is None:
        raise NotSignedIn("sign in to see your notifications")
    change = (
        update(Notification)
        .where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
        .values(read_at=now())
    )
    if notification_ids is not None:
        change = change.where(Notification.id.in_(notification_ids))
    return session.execute(change).rowcount


# ── news ────────────────────────────────────────────────────────────────────────────────────────────────


def news(session: Session, actor: Actor, document_id: int, limit: int = 50) -> list[NewsView]:
    """The notices of a document, newest first. needs: read"""
    require(session, actor, "read", document_id)
    rows = session.execute(
        select(News, User.name)
        .outerjoin(User, User.id == News.by_id)
        .where(News.document_id == document_id)
        .order_by(News.at.desc(), News.id.desc())
        .limit(limit)
    )
    return [NewsView(each.id, each.title, each.text, each.at, name or "") for each, name in rows]


@verb
def add_news(session: Session, actor: Actor, document_id: int, title: str, text: str) -> NewsView:
    """The notice, published at once.

    text     Markdown
    commits  yes, once
    needs    news
    """
    require(session, actor, "news", document_id)
    title = title.strip()
    if not title or len(title) > 200:
        raise InvalidInput("a notice needs a title of 1 to 200 characters", field="title")
    row = News(document_id=document_id, title=title, text=text.strip(), by_id=actor.user_id, at=now())
    session.add(row)
    session.flush()
    audit.record(session, document_id, actor, "news_added", {"news": row.id, "title": title})
    return NewsView(row.id, row.title, row.text, row.at, actor.name)


@verb
def remove_news(session: Session, actor: Actor, news_id: int) -> None:
    """Takes a notice off the page. commits: yes, once. needs: news"""
    row = session.get(News, news_id)
    if row is None:
        raise NotFound("there is no such notice")
    require(session, actor, "news", row.document_id)
    session.execute(delete(News).where(News.id == news_id))
    audit.record(session, row.document_id, actor, "news_removed", {"news": news_id, "title": row.title})

"""Telling those who said something about words that the words are not what they were.

A suggestion whose base a direct edit or a revert changed, and a remark whose passage is gone, are told to those whose
they are: when it becomes so, not with every letter that follows, and not again while they have not read it. The head
knows both sets and gives the same objects as long as nothing has changed, so a keystroke compares two of them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.services import notices
from drafting.services.access import Actor
from drafting.services.heads import Head
from drafting.store.models import Annotation, Notification, Suggestion

Grounds = tuple[frozenset[int], frozenset[int]]


def grounds_of(head: Head) -> Grounds:
    """The suggestions of which something is base_changed, and the remarks whose passage is gone."""
    return head.flagged(), head.anchors.orphans


def tell(session: Session, actor: Actor, head: Head, before: Grounds) -> None:
    """Tells whose suggestions and remarks have lost their ground since.

    before   what `grounds_of` said before the change
    commits  no
    """
    flagged, orphans = grounds_of(head)
    if flagged is not before[0] and (fresh := flagged - before[0]):
        for row in session.scalars(
            select(Suggestion).where(Suggestion.id.in_(fresh), Suggestion.state != "withdrawn").order_by(Suggestion.id)
        ):
            owners = {row.author_id}
            if row.filed_at is not None and row.organization_id is not None:
                owners.update(notices.members_of(session, row.document_id, organization_id=row.organization_id))
            data = {"suggestion": row.id, "number": row.number, "section": row.section_id}
            _tell(session, actor, owners, row.document_id, "base_changed", data, "suggestion")
    if orphans is not before[1] and (fresh := orphans - before[1]):
        for remark in session.scalars(
            select(Annotation).where(Annotation.id.in_(fresh), Annotation.state != "resolved").order_by(Annotation.id)
        ):
            data = {"annotation": remark.id, "number": remark.number, "section": remark.section_id}
            _tell(session, actor, {remark.author_id}, remark.document_id, "annotation_orphaned", data, "annotation")


def _tell(
    session: Session, actor: Actor, people: Collection[int | None], document_id: int, kind: str, data: dict[str, Any], key: str
) -> None:
    """Tells these people, but not those who have it before them unread."""
    waiting = {
        user_id
        for user_id, told in session.execute(
            select(Notification.user_id, Notification.data).where(
                Notification.document_id == document_id,
                Notification.kind == kind,
                Notification.read_at.is_(None),
                Notification.user_id.in_([each for each in people if each is not None]),
            )
        )
        if told.get(key) == data[key]
    }
    notices.notify(session, [each for each in people if each not in waiting], document_id, kind, data, but=actor)

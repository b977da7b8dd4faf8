"""Mentions: whom `@Name` in a remark or a reply tells, and the names that are offered to whoever writes one.

A mention is the name of a member of the document after an @, whatever its case and blanks; the longest name that fits
is meant. Names are offered only to those who may write here, and only of those whom writing the name would tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.services.access import Actor, require
from drafting.store.models import Membership


@dataclass(frozen=True, slots=True)
class Mentionable:
    """Somebody whom `@name` tells. organization, code and hue: whom they speak for, "" and 0 for nobody."""

    name: str
    organization: str
    code: str
    hue: int


def mentionable(session: Session, actor: Actor, document_id: int) -> list[Mentionable]:
    """Those whom the actor may mention in the document, by name; not the actor, who would not be told.

    needs  see_members, and reply
    """
    require(session, actor, "see_members", document_id)
    require(session, actor, "reply", document_id)
    found = {
        Mentionable(name, each.name if each else "", each.code if each else "", each.hue if each else 0)
        for name, user_id, each in (
            (_written(row.user.name), row.user_id, row.organization) for row in _members(session, document_id)
        )
        if name and user_id != actor.user_id
    }
    return sorted(found, key=lambda each: (each.name.casefold(), each.organization))


def mentioned(session: Session, document_id: int, text: str) -> set[int]:
    """The ids of the members whose name follows an @ in the text."""
    if "@" not in text:
        return set()
    named: dict[str, set[int]] = {}
    for row in _members(session, document_id):
        if name := _written(row.user.name).casefold():
            named.setdefault(name, set()).add(row.user_id)
    told: set[int] = set()
    said = _written(text).casefold()
    # the longest first: whoever writes @Jan Kowalski does not mean a Jan
    for name in sorted(named, key=len, reverse=True):
        said, count = re.subn(rf"@{re.escape(name)}(?!\w)", " ", said)
        if count:
            told |= named[name]
    return told


def _members(session: Session, document_id: int) -> list[Membership]:
    query = select(Membership).where(Membership.document_id == document_id, Membership.ended_at.is_(None))
    return list(session.scalars(query).unique())


def _written(words: str) -> str:
    """With single blanks, as names are compared."""
    return " ".join(words.split())

"""What a document's people, organisations and meetings are called, and for how long what was made with that holds.

Things made of logs for people (sources, runs, lists of suggestions) are kept by a worker. Logs only grow, so all that
can make such a thing untrue is that somebody behind it is called otherwise, or that a filed suggestion is given other
origins. The *epoch* of a document is a number that goes up when something that was known to be so is not so any more;
what is new voids nothing, so a decision, a filing or a new member leaves the epoch alone. Every reader compares what its
own transaction sees: a reader that sees an older state has an epoch of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from drafting.services.people import OrganizationView, organization_view
from drafting.store.models import Decision, Event, Meeting, Membership, Organization, Suggestion, SuggestionOrigin, User

KEPT = 200  # documents of a database
SHORT = 40  # letters of a meeting's topic that stand for it where it has no short one


@dataclass(frozen=True, slots=True)
class MeetingBadge:
    """A meeting as lists name it."""

    id: int
    number: int
    topic: str
    short: str
    hue: int


@dataclass(frozen=True, slots=True)
class Called:
    """How everybody and everything of a document is called now, by id, as one reader sees it."""

    epoch: int
    people: dict[int, str]
    organizations: dict[int, OrganizationView]
    meetings: dict[int, MeetingBadge]


@dataclass(slots=True)
class _Epoch:
    """number; known: what was so when something of this epoch was made; event: the newest whose origins are in it"""

    number: int = 0
    known: dict[Any, Any] = field(default_factory=dict)
    event: int = -1


_epochs: WeakKeyDictionary[Any, dict[int, _Epoch]] = WeakKeyDictionary()
_lock = threading.Lock()
_last = 0  # the newest epoch of any document: numbers are not used twice


def called(session: Session, document_id: int, people: Collection[int] = ()) -> Called:
    """The names of a document. people: whom it has to name beside members, proposers and deciders. Ask `access` before."""
    organizations = {
        row.id: organization_view(row)
        for row in session.scalars(select(Organization).where(Organization.document_id == document_id))
    }
    meetings = {
        row.id: MeetingBadge(row.id, row.number, row.topic, row.short or row.topic[:SHORT], row.hue)
        for row in session.execute(
            select(Meeting.id, Meeting.number, Meeting.topic, Meeting.short, Meeting.hue).where(
                Meeting.document_id == document_id
            )
        )
    }
    names = dict(
        session.execute(
            select(User.id, User.name).where(
                or_(
                    User.id.in_(select(Membership.user_id).where(Membership.document_id == document_id)),
                    User.id.in_(select(Suggestion.author_id).where(Suggestion.document_id == document_id)),
                    User.id.in_(select(Decision.by_id).where(Decision.document_id == document_id)),
                    User.id.in_(sorted(people)),
                )
            )
        ).all()
    )
    seen: dict[Any, Any] = {("person", each): name for each, name in names.items()}
    seen.update((("organization", each), view) for each, view in organizations.items())
    seen.update((("meeting", each), badge) for each, badge in meetings.items())
    return Called(_epoch_of(session, document_id, seen), names, organizations, meetings)


def _epoch_of(session: Session, document_id: int, seen: dict[Any, Any]) -> int:
    """The epoch in which what this reader sees is so."""
    global _last
    event = session.scalar(select(func.max(Event.number)).where(Event.document_id == document_id)) or 0
    with _lock:
        epochs = _epochs.setdefault(session.get_bind().pool, {})
        epoch = epochs.setdefault(document_id, _Epoch())
        while len(epochs) > KEPT:
            del epochs[next(iter(epochs))]
    is_complete = False
    while True:
        with _lock:  # every change of a filed suggestion's origins is an event
            if is_complete or epoch.event == event:
                if any(epoch.known.get(key, value) != value for key, value in seen.items()) or not epoch.number:
                    epoch.number = _last = _last + 1
                epoch.known.update(seen)
                epoch.event = event
                return epoch.number
        seen.update((("suggestion", each), origins) for each, origins in _origins(session, document_id).items())
        is_complete = True


def _origins(session: Session, document_id: int) -> dict[int, tuple[int, ...]]:
    """{filed suggestion: its origins}, also of those without any."""
    found: dict[int, tuple[int, ...]] = {}
    for suggestion_id, origin_id in session.execute(
        select(Suggestion.id, SuggestionOrigin.origin_id)
        .outerjoin(SuggestionOrigin, SuggestionOrigin.suggestion_id == Suggestion.id)
        .where(Suggestion.document_id == document_id, Suggestion.filed_at.is_not(None))
        .order_by(Suggestion.id, SuggestionOrigin.origin_id)
    ):
        found[suggestion_id] = (*found.get(suggestion_id, ()), *(() if origin_id is None else (origin_id,)))
    return found

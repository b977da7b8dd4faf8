"""The chain of events: what happened in a document, in one order, each entry with the hash of the one before.

`hash = SHA-256(previous_hash + "\\n" + canonical JSON of [document, number, kind, actor, at, data])`; canonical means
sorted keys, no blanks, UTF-8. Whoever holds a hash (a milestone's page prints it) can check later that nothing before
it was changed, left out or put in. Events name people by id only, so that anonymising an account breaks no chain.

`record` locks the document's row: call it last in a transaction, after all streams are locked (store/database.py).
Kinds are `thing_happened`: document_created, phase_changed, section_added, suggestion_filed, hunk_accepted, ...
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from drafting.services.access import Actor, require
from drafting.services.clock import now
from drafting.store.models import Document, Event, Milestone, User

START = "0" * 64  # the hash before the first event
SHORTEST = 8  # digits of a hash by which it is found: pages show twelve


@dataclass(frozen=True, slots=True)
class EventView:
    """One event, with the present name of who did it (empty for the server itself)."""

    number: int
    kind: str
    at: datetime
    actor_id: int | None
    actor_name: str
    data: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What checking a document's chain found.

    broken_at   the number of the first event that is wrong
    lost        the named version whose head, printed when it was named, is in the chain no more: somebody has written
                the chain anew, hashes and all
    """

    document_id: int
    events: int
    head: str
    broken_at: int | None = None
    why: str = ""
    lost: str = ""

    @property
    def is_whole(self) -> bool:
        return self.broken_at is None and not self.lost


def canonical(value: Any) -> str:
    """The one way to write a value as JSON.

    raises  ValueError for what JSON has no word for (NaN, times, objects)
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def event_hash(
    previous: str, document_id: int, number: int, kind: str, actor_id: int | None, at: datetime, data: str
) -> str:
    """The hash of an event whose data is this canonical JSON."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    entry = f"{canonical([document_id, number, kind, actor_id, moment])[:-1]},{data}]"
    return hashlib.sha256(f"{previous}\n{entry}".encode()).hexdigest()


def record(session: Session, document_id: int, actor: Actor, kind: str, data: dict[str, Any] | None = None) -> Event:
    """The event, added at the end of the document's chain.

    data     ids, numbers and words, never a person's name or address
    commits  no
    """
    session.flush()
    session.execute(select(Document.id).where(Document.id == document_id).with_for_update())
    last = session.execute(
        select(Event.number, Event.hash).where(Event.document_id == document_id).order_by(Event.number.desc()).limit(1)
    ).one_or_none()
    number, previous = (last.number + 1, last.hash) if last else (1, START)
    text, at = canonical(data or {}), now()
    event = Event(
        document_id=document_id,
        number=number,
        kind=kind,
        actor_id=actor.user_id,
        data=text,
        at=at,
        previous_hash=previous,
        hash=event_hash(previous, document_id, number, kind, actor.user_id, at, text),
    )
    session.add(event)
    session.flush()
    return event


def head(session: Session, document_id: int) -> str:
    """The hash of the last event; the start value when there is none."""
    return (
        session.scalar(
            select(Event.hash).where(Event.document_id == document_id).order_by(Event.number.desc()).limit(1)
        )
        or START
    )


def events(
    session: Session,
    actor: Actor,
    document_id: int,
    *,
    kinds: Collection[str] = (),
    before: int | None = None,
    since: datetime | None = None,
    limit: int = 200,
) -> list[EventView]:
    """The events of a document, newest first.

    kinds   only these; all when empty
    before  only those with a smaller number, for the next page
    since   only those at or after this time
    needs   audit
    """
    require(session, actor, "audit", document_id)
    query = (
        select(Event, User.name)
        .outerjoin(User, User.id == Event.actor_id)
        .where(Event.document_id == document_id)
        .order_by(Event.number.desc())
        .limit(limit)
    )
    if kinds:
        query = query.where(Event.kind.in_(kinds))
    if before is not None:
        query = query.where(Event.number < before)
    if since is not None:
        query = query.where(Event.at >= since)
    return [
        EventView(event.number, event.kind, event.at, event.actor_id, name or "", json.loads(event.data), event.hash)
        for event, name in session.execute(query)
    ]


def count_events(session: Session, document_id: int) -> int:
    """How many events the chain has."""
    return session.scalar(select(func.count()).where(Event.document_id == document_id)) or 0


def find(session: Session, actor: Actor, document_id: int, printed: str) -> EventView | None:
    """The event with this hash, or whose hash begins so if no other does; None when there is none.

    printed   hexadecimal digits, at least SHORTEST, as they stand on paper: blanks and capitals do not matter
    needs     audit
    """
    require(session, actor, "audit", document_id)
    digits = "".join(printed.split()).lower()
    if not SHORTEST <= len(digits) <= 64 or not set(digits) <= set("0123456789abcdef"):
        return None
    numbers = session.scalars(
        select(Event.number).where(Event.document_id == document_id, Event.hash.startswith(digits)).limit(2)
    ).all()
    return events(session, actor, document_id, before=numbers[0] + 1, limit=1)[0] if len(numbers) == 1 else None


def verify_chain(session: Session, document_id: int) -> ChainReport:
    """Recomputes the whole chain of a document from its first event, and looks for the heads of its named versions."""
    previous, number = START, 0
    named = dict(
        session.execute(
            select(Milestone.chain_head, Milestone.name)
            .where(Milestone.document_id == document_id)
            .order_by(Milestone.id.desc())
        ).all()
    )
    named.pop(START, None)
    while batch := _events_after(session, document_id, number):
        for event in batch:
            why = _what_is_wrong(event, number + 1, previous)
            if why:
                return ChainReport(document_id, number, previous, broken_at=number + 1, why=why)
            previous, number = event.hash, event.number
            named.pop(event.hash, None)
    if named:
        lost = list(named.values())[-1]
        why = f"the head that was printed for the named version {lost!r} is in the chain no more"
        return ChainReport(document_id, number, previous, why=why, lost=lost)
    return ChainReport(document_id, number, previous)


def _events_after(session: Session, document_id: int, number: int) -> Sequence[Row[Any]]:
    """The next thousand: a long chain is never in memory as a whole."""
    return session.execute(
        select(*Event.__table__.columns)
        .where(Event.document_id == document_id, Event.number > number)
        .order_by(Event.number)
        .limit(1000)
    ).all()


def _what_is_wrong(event: Row[Any], number: int, previous: str) -> str:
    """Why this is not the event that belongs at this place of the chain; empty when it is."""
    if event.number != number:
        return f"event {number} is missing"
    if event.previous_hash != previous:
        return f"event {number} does not name the hash of the one before it"
    document_id = event.document_id
    if event.hash != event_hash(previous, document_id, number, event.kind, event.actor_id, event.at, event.data):
        return f"event {number} is not what its hash was made of"
    return ""

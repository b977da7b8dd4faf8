"""The rows of hunks, which SQL can ask about without the index, and what the sockets say about open hunks.

A row keeps the written form and the state; where an open hunk stands in main now is derived (`heads`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from drafting.engine.branch import Fate
from drafting.engine.text import from_units
from drafting.services import heads
from drafting.services.access import Actor
from drafting.services.clock import now
from drafting.services.heads import Head
from drafting.store.models import Hunk, HunkState, Meeting, Organization, Origin, Suggestion, SuggestionOrigin


def keep_hunks(session: Session, head: heads.Head, changed: Mapping[int, Iterable[int]]) -> None:
    """Writes the present written form of these open hunks, {suggestion: hunk ids}. commits: no"""
    for suggestion_id, ids in changed.items():
        wanted = set(ids)
        if not wanted:
            continue
        for hunk in head.proposals.hunks(suggestion_id):
            if hunk.id not in wanted:
                continue
            values = {
                "state": "open",
                "start": hunk.written.start,
                "end": hunk.written.end,
                "text": from_units(hunk.written.text),
                "ground": from_units(hunk.written.ground),
                "version": hunk.written.version,
                "joined_into": None,
            }
            found = session.execute(
                update(Hunk)
                .where(Hunk.suggestion_id == suggestion_id, Hunk.id == hunk.id)
                .values(values)
                .execution_options(synchronize_session=False)
            )
            if not found.rowcount:
                session.execute(insert(Hunk).values(suggestion_id=suggestion_id, id=hunk.id, **values))


def keep_fates(
    session: Session,
    head: heads.Head,
    fates: Iterable[Fate],
    decision_of: Mapping[tuple[int, int] | None, int] | None = None,
    at: datetime | None = None,
) -> None:
    """Writes the states that hunks entered, and what follows from them for their suggestions.

    decision_of  (suggestion, hunk) whose decision did it → decision id; None: the decision for all others
    at           when; None: now. `verify` finds a hunk that was reopened by hand by the time of its branch revision
    commits      no
    """
    given = decision_of or {}
    at = at or now()
    rows = []
    reopened: dict[int, set[int]] = {}
    suggestions = set()
    for fate in fates:
        decision_id = given.get(fate.by or (fate.suggestion, fate.hunk), given.get(None))
        found = session.execute(
            update(Hunk)
            .where(Hunk.suggestion_id == fate.suggestion, Hunk.id == fate.hunk)
            .values(state=fate.state, joined_into=fate.into)
            .execution_options(synchronize_session=False)
        )
        if not found.rowcount:
            continue  # born and gone again before anything was stored of it
        rows.append(
            {
                "suggestion_id": fate.suggestion,
                "hunk_id": fate.hunk,
                "state": fate.state,
                "main_version": head.version,
                "decision_id": decision_id,
                "at": at,
            }
        )
        if fate.state == "open":
            reopened.setdefault(fate.suggestion, set()).add(fate.hunk)
        suggestions.add(fate.suggestion)
    if rows:
        head.forget_flagged()
        session.execute(insert(HunkState), rows)
        keep_hunks(session, head, reopened)
        keep_suggestion_states(session, suggestions)


def keep_suggestion_states(session: Session, suggestion_ids: Iterable[int]) -> None:
    """filed ↔ decided, as there are open hunks or not. commits: no"""
    for suggestion_id in suggestion_ids:
        states = set(session.scalars(select(Hunk.state).where(Hunk.suggestion_id == suggestion_id)))
        settled = states & {"accepted", "rejected", "fulfilled", "superseded"}
        new, old = ("decided", "filed") if settled and "open" not in states else ("filed", "decided")
        session.execute(
            update(Suggestion)
            .where(Suggestion.id == suggestion_id, Suggestion.state == old)
            .values(state=new)
            .execution_options(synchronize_session=False)
        )


# ── for the live server ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class HunksMessage:
    """What the sockets say about the hunks of a suggestion, and who may hear it."""

    body: dict[str, Any]
    document_id: int
    author_id: int
    organization_id: int | None
    is_public: bool

    def is_own(self, actor: Actor) -> bool:
        if actor.user_id is None:
            return False
        organization_id = actor.organization_id(self.document_id)
        return self.author_id == actor.user_id or (
            organization_id is not None and organization_id == self.organization_id
        )


def live_messages(session: Session, head: Head, suggestion_ids: Collection[int] | None = None) -> list[HunksMessage]:
    """The messages `hunks` for these suggestions, or for all that are open in the section."""
    query = (
        select(
            Suggestion.id, Suggestion.number, Suggestion.state, Suggestion.stream_id, Suggestion.document_id,
            Suggestion.author_id, Suggestion.organization_id, Suggestion.filed_at,
            Organization.name, Organization.code, Organization.hue,
        )
        .outerjoin(Organization, Organization.id == Suggestion.organization_id)
        .order_by(Suggestion.number)
    )
    if suggestion_ids is None:
        query = query.where(Suggestion.section_id == head.section_id, Suggestion.state.in_(("draft", "filed")))
    else:
        query = query.where(Suggestion.id.in_(list(suggestion_ids)))
    rows = session.execute(query).all()
    meetings: dict[int, dict[str, Any]] = {}
    for suggestion_id, number, short, topic, hue in session.execute(
        select(SuggestionOrigin.suggestion_id, Meeting.number, Meeting.short, Meeting.topic, Meeting.hue)
        .join(Origin, Origin.id == SuggestionOrigin.origin_id)
        .join(Meeting, Meeting.id == Origin.meeting_id)
        .where(SuggestionOrigin.suggestion_id.in_([row.id for row in rows]))
        .order_by(Origin.id)
    ):
        meetings.setdefault(suggestion_id, {"number": number, "short": short or topic, "hue": hue})
    messages = []
    for row in rows:
        branch = head.branches.get(row.id)
        gone = branch is None or row.state == "withdrawn"
        shown = () if gone else head.proposals.shown(row.id)
        body = {
            "suggestion": row.id,
            "number": row.number,
            "stream": row.stream_id,
            "state": "gone" if gone else row.state,
            "version": head.version,
            "branch_version": 0 if branch is None else branch.log.version,
            "organization": None
            if row.organization_id is None
            else {"id": row.organization_id, "name": row.name, "code": row.code, "hue": row.hue},
            "meeting": meetings.get(row.id),
            "hunks": [
                {
                    "id": one.id,
                    "start": one.start,
                    "end": one.end,
                    "text": from_units(one.text),
                    "state": "open",
                    "base_changed": one.base_changed,
                    "fulfilled": one.fulfilled,
                    "hash": one.hash,
                }
                for one in shown
            ],
        }
        messages.append(
            HunksMessage(body, row.document_id, row.author_id, row.organization_id, row.filed_at is not None)
        )
    return messages


def live(session: Session, actor: Actor, head: Head) -> list[dict[str, Any]]:
    """The open suggestions of a section that the actor sees, as a join answers them."""
    return [
        {**message.body, "mine": message.is_own(actor)}
        for message in live_messages(session, head)
        if message.is_public or message.is_own(actor)
    ]

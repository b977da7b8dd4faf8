"""The rows of hunks: what SQL can ask about proposals without the index. Written whenever the index says so.

A row keeps the written form and the state; where an open hunk stands in main now is derived (`heads`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from drafting.engine.branch import Fate
from drafting.engine.text import from_units
from drafting.services import heads
from drafting.services.clock import now
from drafting.store.models import Hunk, HunkState, Suggestion


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

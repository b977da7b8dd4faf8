"""The days of a document: what happened when, for the slider; and what happened since a reader was last here.

Marks are meetings, phases, named versions, decisions and days of writing, each with its moment. Decisions and edits of
one day in the document's time zone are one mark each, so that a year fits on a line. What one was away for is read from
the chain of events, which holds everything in one order.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.services import people
from drafting.services.access import Actor, require, visible_suggestions
from drafting.services.attribution_view import Reader
from drafting.services.clock import now
from drafting.services.comparison import Comparison, compare
from drafting.services.epochs import MeetingBadge
from drafting.store.models import (
    Annotation,
    Decision,
    Document,
    Event,
    Meeting,
    Milestone,
    PhaseChange,
    Suggestion,
    User,
)

AWAY = timedelta(days=7)  # how far back "while I was away" goes for those who were never here
MOST_EVENTS = 200

# What a reader is told of; the chain has more.
TOLD = (
    "phase_changed", "section_added", "section_removed", "section_restored", "sections_reordered", "passage_moved",
    "section_text_restored", "suggestion_filed", "suggestion_withdrawn", "hunk_accepted", "hunk_reworded", "hunk_rejected",
    "hunk_reverted", "milestone_created", "milestone_restored", "meeting_added", "news_added", "annotation_added",
    "annotation_answered",
)  # fmt: skip
ABOUT_DRAFTS = ("annotation_added", "annotation_answered", "suggestion_withdrawn")


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """Something on the line.

    kind     meeting phase milestone decisions edits suggestions
    at       its moment: of a day's decisions and edits the last of them
    name     topic, phase or name of the version
    id       number of the meeting, id of the milestone
    count    how many decisions, revisions or suggestions
    """

    kind: str
    at: datetime
    name: str = ""
    id: int | None = None
    count: int = 0
    meeting: MeetingBadge | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event since one's last visit.

    data          as the chain has it
    before, text  words that were, or would be, replaced and those in their place; of a suggestion its first piece
    note          reason of the suggestion or the decision
    """

    kind: str
    at: datetime
    by: str
    data: dict[str, Any]
    before: str = ""
    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Away:
    """What happened since a moment. counts: by kind of event; changes: of the text."""

    since: datetime
    first_visit: bool
    counts: dict[str, int]
    events: tuple[Happened, ...]
    changes: Comparison


def marks(session: Session, actor: Actor, document_id: int) -> list[TimelineMark]:
    """The marks of a document's time line, in order. needs: read"""
    document = require(session, actor, "read", document_id)
    zone = ZoneInfo(document.timezone)
    reader = Reader(session, document_id)
    found: list[TimelineMark] = []
    for row in session.scalars(select(Meeting).where(Meeting.document_id == document_id, Meeting.held_at.is_not(None))):
        badge = MeetingBadge(row.id, row.number, row.topic, row.short or row.topic[:40], row.hue)
        assert row.held_at is not None
        found.append(TimelineMark("meeting", row.held_at, row.topic, row.number, meeting=badge))
    for phase, at in session.execute(select(PhaseChange.phase, PhaseChange.at).where(PhaseChange.document_id == document_id)):
        found.append(TimelineMark("phase", at, phase))
    for row_id, name, at in session.execute(
        select(Milestone.id, Milestone.name, Milestone.at).where(Milestone.document_id == document_id)
    ):
        found.append(TimelineMark("milestone", at, name, row_id))
    decided = session.scalars(select(Decision.at).where(Decision.document_id == document_id)).all()
    found += _days("decisions", decided, zone)
    filed = session.scalars(
        select(Suggestion.filed_at).where(Suggestion.document_id == document_id, Suggestion.filed_at.is_not(None))
    ).all()
    found += _days("suggestions", [each for each in filed if each is not None], zone)
    written = [
        fact.at
        for history in reader.histories.values()
        for fact in history.facts[: history.version]
        if fact.kind != "accept"
    ]
    found += _days("edits", written, zone)
    return sorted(found, key=lambda each: (each.at, each.kind))


def _days(kind: str, times: list[datetime] | Any, zone: ZoneInfo) -> list[TimelineMark]:
    """One mark for each day."""
    counts: Counter[Any] = Counter()
    last: dict[Any, datetime] = {}
    for at in times:
        day = at.astimezone(zone).date()
        counts[day] += 1
        last[day] = max(at, last.get(day, at))
    return [TimelineMark(kind, last[day], count=count) for day, count in counts.items()]


def away(session: Session, actor: Actor, document_id: int, since: datetime | None = None) -> Away:
    """What happened since the actor was last here, or since a moment.

    needs  read
    """
    document = require(session, actor, "read", document_id)
    seen = people.last_seen(session, actor, document_id) if actor.user_id is not None else None
    start = since or seen or now() - AWAY
    told = Event.document_id == document_id, Event.at > start, Event.kind.in_(TOLD)
    told = *told, Event.number.not_in(_of_unseen_drafts(session, actor, document, start))
    rows = session.execute(
        select(Event.kind, Event.at, Event.data, User.name)
        .outerjoin(User, User.id == Event.actor_id)
        .where(*told)
        .order_by(Event.number.desc())
        .limit(MOST_EVENTS)
    ).all()
    counts = dict(session.execute(select(Event.kind, func.count()).where(*told).group_by(Event.kind)).all())
    events = _in_words(session, [Happened(row.kind, row.at, row.name or "", json.loads(row.data)) for row in rows])
    changes = compare(session, actor, document_id, start.isoformat(), "now")
    return Away(start, seen is None and since is None, counts, events, changes)


def _in_words(session: Session, events: list[Happened]) -> tuple[Happened, ...]:
    """The events with the words that they are about."""
    decided = {each.data.get("decision") for each in events if each.kind.startswith("hunk_")}
    forms = {
        row.id: row
        for row in session.execute(select(Decision.id, Decision.form, Decision.reason).where(Decision.id.in_(decided)))
    }
    filed = {each.data.get("suggestion") for each in events if each.kind == "suggestion_filed"}
    reasons = dict(session.execute(select(Suggestion.id, Suggestion.reason).where(Suggestion.id.in_(filed))).all())
    made = []
    for each in events:
        row = forms.get(each.data.get("decision"))
        if row is not None:
            form = row.form or {}
            text = str(form.get("wording") or form.get("text") or "")
            each = replace(each, before=str(form.get("ground", "")), text=text, note=row.reason)
        elif each.kind == "suggestion_filed":
            first = next(iter(each.data.get("form") or ()), None)
            if first is not None:
                each = replace(each, before=str(first[4]), text=str(first[3]))
            each = replace(each, note=reasons.get(each.data.get("suggestion"), ""))
        made.append(each)
    return tuple(made)


def _of_unseen_drafts(session: Session, actor: Actor, document: Document, since: datetime) -> list[int]:
    """The numbers of events about suggestions that the actor may not know of: discussed or given up before they were filed."""
    hidden = Suggestion.document_id == document.id, ~visible_suggestions(actor, document)
    drafts = set(session.scalars(select(Suggestion.id).where(*hidden)))
    if not drafts:
        return []
    remarks = set(
        session.scalars(select(Annotation.id).join(Suggestion, Suggestion.id == Annotation.suggestion_id).where(*hidden))
    )
    about = session.execute(
        select(Event.number, Event.data).where(
            Event.document_id == document.id, Event.at > since, Event.kind.in_(ABOUT_DRAFTS)
        )
    )
    told = ((number, json.loads(data)) for number, data in about)
    return [number for number, said in told if said.get("suggestion") in drafts or said.get("annotation") in remarks]

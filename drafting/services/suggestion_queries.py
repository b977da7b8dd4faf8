"""Suggestions to be read: one by id or number, those of a section, those that a filter finds, a hunk beside its rivals.

Who may not know of a suggestion is told that there is none. Where open hunks stand comes from the section's index
(`suggestion_views`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from drafting.engine.text import from_units
from drafting.errors import NotFound, NotSignedIn
from drafting.services import heads, notices, sections
from drafting.services.access import Actor, require, require_own, sees_suggestion, visible_suggestions
from drafting.services.people import OrganizationView
from drafting.services.suggestion_views import SuggestionView, organizations_of, views
from drafting.store.models import Document, Hunk, Origin, Section, Suggestion, SuggestionOrigin


def seen_row(session: Session, actor: Actor, suggestion_id: int) -> Suggestion:
    """Its row, when the actor may know of it. raises: NotFound"""
    row = session.get(Suggestion, suggestion_id)
    if row is None:
        raise NotFound("there is no such suggestion")
    document = require(session, actor, "read", row.document_id)
    if not sees_suggestion(actor, document, row):
        raise NotFound("there is no such suggestion")
    return row


def own_row(session: Session, actor: Actor, suggestion_id: int, action: str) -> Suggestion:
    """Its row, when it is the actor's own and they may do this. raises: NotFound, NotAllowed, NotSignedIn"""
    row = session.get(Suggestion, suggestion_id)
    if row is None:
        raise NotFound("there is no such suggestion")
    require_own(session, actor, action, row)
    if not actor.is_signed_in:
        raise NotSignedIn("sign in first")
    return row


def owners(session: Session, row: Suggestion) -> list[int]:
    """The ids of those whose suggestion it is."""
    found = {row.author_id}
    if row.organization_id is not None:
        found.update(notices.members_of(session, row.document_id, organization_id=row.organization_id))
    return sorted(found)


def suggestion(session: Session, actor: Actor, suggestion_id: int) -> SuggestionView:
    """One suggestion. raises: NotFound. needs: read"""
    [view] = views(session, actor, [seen_row(session, actor, suggestion_id)])
    return view


def by_number(session: Session, actor: Actor, document_id: int, number: int) -> SuggestionView:
    """The suggestion U-number of a document. raises: NotFound. needs: read"""
    found = session.scalar(
        select(Suggestion.id).where(Suggestion.document_id == document_id, Suggestion.number == number)
    )
    if found is None:
        raise NotFound("there is no such suggestion")
    return suggestion(session, actor, found)


def of_section(
    session: Session, actor: Actor, section_id: int, *, states: Collection[str] = ("draft", "filed", "decided")
) -> list[SuggestionView]:
    """The suggestions of a section that the actor sees, in the order of the text; settled ones last. needs: read"""
    row = sections.section_row(session, actor, section_id)
    document = session.get_one(Document, row.document_id)
    rows = session.scalars(
        select(Suggestion)
        .where(
            visible_suggestions(actor, document), Suggestion.section_id == section_id, Suggestion.state.in_(list(states))
        )
        .order_by(Suggestion.number)
    ).all()
    found = views(session, actor, rows)
    return sorted(found, key=lambda view: (min((hunk.start or 0 for hunk in view.open_hunks), default=2**40), view.number))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A filed suggestion with open hunks, for a queue: where its first one stands, code units, and what is the matter."""

    id: int
    number: int
    section_id: int
    start: int
    hunks: int
    competes: bool  # accepting one of its hunks would supersede somebody's
    base_changed: bool


def waiting(session: Session, actor: Actor, document_id: int) -> list[Waiting]:
    """What of a document waits for a decision, without the words: thousands at once. needs: read"""
    document = require(session, actor, "read", document_id)
    filed: dict[int, dict[int, int]] = defaultdict(dict)
    for suggestion_id, number, section_id in session.execute(
        select(Suggestion.id, Suggestion.number, Suggestion.section_id).where(
            visible_suggestions(actor, document), Suggestion.filed_at.is_not(None), Suggestion.withdrawn_at.is_(None)
        )
    ):
        filed[section_id][suggestion_id] = number
    found = []
    for section_id, numbers in filed.items():
        with heads.reading(session, section_id) as head:
            for suggestion_id, number in numbers.items():
                opened = head.proposals.hunks(suggestion_id) if suggestion_id in head.branches else ()
                if not opened:
                    continue
                pairs = [(suggestion_id, hunk.id) for hunk in opened]
                competes = any(
                    head.proposals.relation(pair, (other, its)).kind == "clash"
                    for pair in pairs
                    for other, its, _ in head.proposals.rivals(*pair)
                    if other in numbers  # a draft is nobody's rival yet
                )
                changed = any(hunk.base_changed for hunk in opened)
                start = min(hunk.start for hunk in opened)
                found.append(Waiting(suggestion_id, number, section_id, start, len(opened), competes, changed))
    return found


def listing(
    session: Session,
    actor: Actor,
    document_id: int,
    *,
    section_id: int | None = None,
    organization_id: int | None = None,
    meeting_id: int | None = None,
    states: Collection[str] = (),
    hunk_state: str | None = None,
    words: str = "",
    ids: Collection[int] | None = None,
    limit: int = 100,
    offset: int = 0,
    ways: int = 2,
) -> list[SuggestionView]:
    """The suggestions of a document that the actor sees, by section and number.

    organization_id, meeting_id   among its origins, or whose it is
    states      draft filed decided withdrawn; empty: all
    hunk_state  only those with a hunk in this state
    words       in the reason, or in what is proposed
    ids         only these
    ways        to accept each hunk, as `views`
    needs       read
    """
    query = _filtered(
        session, actor, document_id, section_id=section_id, organization_id=organization_id, meeting_id=meeting_id,
        states=states, hunk_state=hunk_state, words=words, ids=ids,
    )
    rows = session.scalars(
        select(Suggestion)
        .join(Section, Section.id == Suggestion.section_id)
        .where(*query)
        .order_by(Section.position, Section.id, Suggestion.number)
        .limit(limit)
        .offset(offset)
    ).all()
    return views(session, actor, rows, ways=ways)


def count(session: Session, actor: Actor, document_id: int, **filters: Any) -> int:
    """How many `listing` with these filters has."""
    query = _filtered(session, actor, document_id, **filters)
    return session.scalar(select(func.count()).select_from(Suggestion).where(*query)) or 0


def _filtered(
    session: Session,
    actor: Actor,
    document_id: int,
    *,
    section_id: int | None = None,
    organization_id: int | None = None,
    meeting_id: int | None = None,
    states: Collection[str] = (),
    hunk_state: str | None = None,
    words: str = "",
    ids: Collection[int] | None = None,
) -> list[ColumnElement[bool]]:
    document = require(session, actor, "read", document_id)
    query: list[ColumnElement[bool]] = [visible_suggestions(actor, document)]
    if ids is not None:
        query.append(Suggestion.id.in_(list(ids)))
    if section_id is not None:
        query.append(Suggestion.section_id == section_id)
    origins = select(SuggestionOrigin.suggestion_id).join(Origin, Origin.id == SuggestionOrigin.origin_id)
    if organization_id is not None:
        theirs = origins.where(Origin.organization_id == organization_id)
        query.append(or_(Suggestion.organization_id == organization_id, Suggestion.id.in_(theirs)))
    if meeting_id is not None:
        query.append(Suggestion.id.in_(origins.where(Origin.meeting_id == meeting_id)))
    if states:
        query.append(Suggestion.state.in_(list(states)))
    if hunk_state is not None:
        query.append(Suggestion.id.in_(select(Hunk.suggestion_id).where(Hunk.state == hunk_state)))
    if words:
        like = f"%{words}%"
        said = select(Hunk.suggestion_id).where(Hunk.text.ilike(like))
        query.append(or_(Suggestion.reason.ilike(like), Suggestion.id.in_(said)))
    return query


@dataclass(frozen=True, slots=True)
class Wording:
    """How a sentence would read. `suggestion_id` is None for the text as it stands."""

    suggestion_id: int | None
    hunk_id: int | None
    number: int | None
    organization: OrganizationView | None
    text: str


def comparison(session: Session, actor: Actor, suggestion_id: int, hunk_id: int) -> list[Wording]:
    """The sentence as it stands, with the hunk, and with each of its rivals that the actor sees. needs: read"""
    row = seen_row(session, actor, suggestion_id)
    document = session.get_one(Document, row.document_id)
    with heads.reading(session, row.section_id) as head:
        found = head.proposals.comparison(suggestion_id, hunk_id)
    ids = {pair[0] for pair, _ in found if pair is not None}
    seen = {
        each.id: each
        for each in session.scalars(select(Suggestion).where(Suggestion.id.in_(ids)))
        if sees_suggestion(actor, document, each)
    }
    badges = organizations_of(session, {each.organization_id for each in seen.values()})
    answer = []
    for pair, text in found:
        if pair is None:
            answer.append(Wording(None, None, None, None, from_units(text)))
        elif pair[0] in seen:
            one = seen[pair[0]]
            answer.append(Wording(one.id, pair[1], one.number, badges.get(one.organization_id or 0), from_units(text)))
    return answer

"""Suggestions: opening, filing, amending, withdrawing and endorsing them.

A suggestion is typed on its branch (`editing.push`); here is everything else that its owners and supporters do. How it
is decided is in `decisions`, how it is read in `suggestion_queries` and `suggestion_views`. Until it is filed only its
owners see it: whoever opened it, and the members of its organisation.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.text import from_units
from drafting.errors import InvalidInput, NotAllowed, WrongState
from drafting.services import audit, editing, heads, hunks, notices, people, sections
from drafting.services.access import Actor, Role, require
from drafting.services.clock import now
from drafting.services.heads import Head
from drafting.services.hunks import HunksMessage, live, live_messages
from drafting.services.suggestion_queries import (
    Waiting,
    Wording,
    by_number,
    comparison,
    count,
    listing,
    of_section,
    own_row,
    owners,
    seen_row,
    suggestion,
    waiting,
)
from drafting.services.suggestion_views import (
    DecisionView,
    EndorsementView,
    FiledHunk,
    HunkView,
    RelatedView,
    SuggestionView,
    WayView,
    decision_view,
    decisions_on,
    views,
)
from drafting.store.database import verb
from drafting.store.models import (
    Document,
    Endorsement,
    Hunk,
    Organization,
    Origin,
    Section,
    Stream,
    Suggestion,
    SuggestionOrigin,
)

__all__ = [
    "DecisionView", "EndorsementView", "FiledHunk", "HunkView", "HunksMessage", "RelatedView", "SuggestionView", "WayView",
    "Waiting", "Wording", "amend", "by_number", "comparison", "count", "decision_view", "decisions_on", "endorse", "file", "listing",
    "live", "live_messages", "of_section", "open_suggestion", "own_row", "owners", "propose_section", "seen_row",
    "suggestion", "unendorse", "views", "waiting", "withdraw",
]  # fmt: skip

MAX_REASON = 10_000  # characters of a reason, a quote, a note
FORMS = ("platform", "meeting", "email", "form")


@verb
def open_suggestion(
    session: Session,
    actor: Actor,
    section_id: int,
    *,
    origin_ids: Collection[int] = (),
    form: str = "platform",
) -> SuggestionView:
    """A new draft without hunks on the section's present text; its owners type on its stream.

    commits  yes, once
    needs    suggest
    """
    row = sections.section_row(session, actor, section_id)
    document = require(session, actor, "suggest", row.document_id)
    if not sections.is_only_proposed(session, row.id):
        sections.require_there(row)
    return _open(session, actor, document, row, origin_ids, form, new_section=False)


@verb
def propose_section(
    session: Session,
    actor: Actor,
    document_id: int,
    *,
    position: int | None = None,
    origin_ids: Collection[int] = (),
    form: str = "platform",
) -> SuggestionView:
    """A new draft for a whole new section: its text is typed on the stream; accepting it brings the section in.

    position  the number the section would have; None: the last
    commits   yes, once
    needs     suggest
    """
    document = require(session, actor, "suggest", document_id)
    row, _ = sections.new_section(session, actor, document_id, "")
    last = session.scalar(select(func.max(Section.position)).where(Section.document_id == document_id)) or 0
    row.position = last + 1 if position is None else position
    row.removed_at, row.removed_by_id = now(), actor.user_id  # not there until it is accepted
    session.flush()
    return _open(session, actor, document, row, origin_ids, form, new_section=True)


def _open(
    session: Session,
    actor: Actor,
    document: Document,
    section: Section,
    origin_ids: Collection[int],
    form: str,
    *,
    new_section: bool,
) -> SuggestionView:
    if form not in FORMS:
        raise InvalidInput(f"a suggestion comes by one of {', '.join(FORMS)}", field="form")
    head = heads.writing(session, section.id)
    origins = people.check_origins(session, actor, document, origin_ids)
    organization_id = actor.organization_id(document)
    if organization_id is None and origins:
        organization_id = session.scalar(
            select(Origin.organization_id)
            .where(Origin.id.in_(origins), Origin.organization_id.is_not(None))
            .order_by(Origin.id)
            .limit(1)
        )
    session.execute(select(Document.id).where(Document.id == document.id).with_for_update())
    session.refresh(document, ["last_suggestion_number"])
    document.last_suggestion_number += 1
    stream = Stream(kind="branch", section_id=section.id, length=len(head.text))
    session.add(stream)
    session.flush()
    row = Suggestion(
        document_id=document.id,
        section_id=section.id,
        stream_id=stream.id,
        number=document.last_suggestion_number,
        state="draft",
        author_id=actor.user_id,
        organization_id=organization_id,
        form=form,
        new_section=new_section,
        opened_at_version=head.version,
        main_version=head.version,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    session.add_all(SuggestionOrigin(suggestion_id=row.id, origin_id=each) for each in origins)
    session.flush()
    heads.movement(session, head).suggestions.add(row.id)
    head.proposals.open(row.id, row.number, filed=False)
    head.add_branch(row.id, row.number, stream.id, head.version)
    heads.store(session, head, [], epoch=True)
    audit.record(
        session, document.id, actor, "suggestion_opened", {"suggestion": row.id, "number": row.number, "section": section.id}
    )
    return suggestion(session, actor, row.id)


@verb
def file(
    session: Session,
    actor: Actor,
    suggestion_id: int,
    *,
    reason: str,
    origin_ids: Collection[int] | None = None,
    minutes_quote: str = "",
) -> SuggestionView:
    """The suggestion before everybody; its form is kept as filed for ever.

    reason      why; needed
    origin_ids  on whose behalf; None keeps what it has
    raises      InvalidInput without a reason or when it changes nothing, WrongState when it was filed already or its
                section was removed
    commits     yes, once
    needs       file, and ownership
    """
    row = own_row(session, actor, suggestion_id, "file")
    head = _held(session, row, "draft")
    section = session.get_one(Section, row.section_id, populate_existing=True)
    if not sections.is_only_proposed(session, section.id):
        sections.require_there(section)
    shown = [hunk for hunk in head.proposals.shown(row.id) if not hunk.fulfilled]
    if not shown:
        raise InvalidInput("the suggestion changes nothing; type what should change", field="changes")
    row.reason = _line(reason, "reason", needed=True)
    row.minutes_quote = _line(minutes_quote, "minutes_quote")
    if origin_ids is not None:
        _keep_origins(session, actor, row, origin_ids)
    row.state, row.filed_at, row.filed_version = "filed", now(), head.version
    row.filed_form = audit.canonical(
        [[one.id, one.start, one.end, from_units(one.text), from_units(one.ground)] for one in shown]
    )
    session.flush()
    rows = editing.bring_up(head, head.branches[row.id], now())
    head.proposals.file(row.id)
    _told(session, head, row)
    heads.store(session, head, rows, epoch=True)
    data = {"suggestion": row.id, "number": row.number, "section": row.section_id, "form": json.loads(row.filed_form)}
    audit.record(session, row.document_id, actor, "suggestion_filed", data)
    officials = notices.members_of(session, row.document_id, roles=(Role.OFFICIAL, Role.COORDINATOR))
    by = session.get(Organization, row.organization_id) if row.organization_id is not None else None
    told = {**_ids(row), "organization": by.name if by is not None else ""}
    notices.notify(session, officials, row.document_id, "suggestion_filed", told, but=actor)
    return suggestion(session, actor, row.id)


@verb
def amend(
    session: Session,
    actor: Actor,
    suggestion_id: int,
    *,
    reason: str | None = None,
    origin_ids: Collection[int] | None = None,
    minutes_quote: str | None = None,
) -> SuggestionView:
    """The suggestion with another reason, other origins or another quote; its words are amended by typing.

    raises   WrongState when it was decided or withdrawn, InvalidInput when a filed one would lose its reason
    commits  yes, once
    needs    suggest, and ownership
    """
    row = own_row(session, actor, suggestion_id, "suggest")
    head = _held(session, row, "draft", "filed")
    if reason is not None:
        row.reason = _line(reason, "reason", needed=row.state == "filed")
    if minutes_quote is not None:
        row.minutes_quote = _line(minutes_quote, "minutes_quote")
    if origin_ids is not None:
        _keep_origins(session, actor, row, origin_ids)
    session.flush()
    _told(session, head, row)
    heads.store(session, head, [])
    if row.state == "filed":
        audit.record(session, row.document_id, actor, "suggestion_amended", {**_ids(row), "reason": row.reason})
    return suggestion(session, actor, row.id)


@verb
def withdraw(session: Session, actor: Actor, suggestion_id: int) -> SuggestionView:
    """The suggestion taken back: readable, but not decided any more. What was decided of it stands.

    raises   WrongState when nothing of it is open
    commits  yes, once
    needs    withdraw, and ownership
    """
    row = own_row(session, actor, suggestion_id, "withdraw")
    head = _held(session, row, "draft", "filed")
    rows = editing.bring_up(head, head.branches[row.id], now())
    decided = session.scalar(
        select(func.count()).where(
            Hunk.suggestion_id == row.id, Hunk.state.in_(("accepted", "rejected", "fulfilled", "superseded"))
        )
    )
    _told(session, head, row)
    if decided:
        rows.extend(_take_back(session, head, row, actor))
    else:
        fates = head.proposals.close(row.id)
        row.state, row.withdrawn_at = "withdrawn", now()
        session.flush()
        hunks.keep_fates(session, head, fates)
    heads.store(session, head, rows, epoch=True)
    if not decided:
        del head.branches[row.id]
    audit.record(session, row.document_id, actor, "suggestion_withdrawn", _ids(row))
    supporters = session.scalars(
        select(Endorsement.user_id).where(Endorsement.suggestion_id == row.id, Endorsement.ended_at.is_(None))
    ).all()
    notices.notify(session, supporters, row.document_id, "suggestion_withdrawn", _ids(row), but=actor)
    session.refresh(row)
    return suggestion(session, actor, row.id)


def _held(session: Session, row: Suggestion, *states: str) -> Head:
    """The section's head, held; the row is read anew then: somebody may have filed, decided or withdrawn it meanwhile.

    states  that the row may be in; none: any
    raises  WrongState when it is in another
    """
    head = heads.writing(session, row.section_id)
    session.refresh(row)
    if states and row.state not in states:
        raise WrongState(f"suggestion {row.number} is {row.state}", state=row.state)
    return head


def _take_back(session: Session, head: Head, row: Suggestion, actor: Actor) -> list[tuple[int, heads.Stored]]:
    """The author's own edit that makes every open hunk read as main does."""
    branch, pieces, shift = head.branches[row.id], [], 0
    for hunk in head.proposals.hunks(row.id):
        start = hunk.start + shift
        pieces.append((start, start + len(hunk.text), head.text[hunk.start : hunk.end]))
        shift += len(hunk.text) - (hunk.end - hunk.start)
    version = branch.log.version + 1
    stored = heads.Stored(
        version=version,
        client=heads.SERVER_CLIENT,
        sequence=version,
        changes=ChangeSet.of(list(pieces), len(head.text) + shift),
        kind="edit",
        author_id=actor.user_id,
        main_version=head.version,
        at=now(),
    )
    outcome = head.take_branch(branch, stored)
    assert outcome is not None
    hunks.keep_fates(session, head, outcome.fates)
    return [(branch.log.stream_id, stored)]


@verb
def endorse(session: Session, actor: Actor, suggestion_id: int, note: str = "") -> SuggestionView:
    """The suggestion with the support of the actor's organisation.

    raises   InvalidInput for one's own organisation's suggestion, WrongState when it is not open
    commits  yes, once
    needs    endorse, and an organisation
    """
    row = seen_row(session, actor, suggestion_id)
    document = require(session, actor, "endorse", row.document_id)
    organization_id = _own_organization(actor, document)
    _held(session, row, "filed")
    if row.organization_id == organization_id:
        raise InvalidInput("an organisation does not endorse its own suggestion", field="organization")
    found = _endorsement(session, row.id, organization_id)
    if found is None:
        found = Endorsement(suggestion_id=row.id, organization_id=organization_id)
        session.add(found)
    found.user_id, found.note, found.at, found.ended_at = actor.user_id, _line(note, "note"), now(), None  # type: ignore[assignment]
    _touch(session, row)
    audit.record(session, row.document_id, actor, "suggestion_endorsed", {**_ids(row), "organization": organization_id})
    notices.notify(session, owners(session, row), row.document_id, "suggestion_endorsed", _ids(row), but=actor)
    return suggestion(session, actor, row.id)


@verb
def unendorse(session: Session, actor: Actor, suggestion_id: int) -> SuggestionView:
    """The suggestion without the support of the actor's organisation. commits: yes, once. needs: endorse"""
    row = seen_row(session, actor, suggestion_id)
    document = require(session, actor, "endorse", row.document_id)
    organization_id = _own_organization(actor, document)
    _held(session, row)
    found = _endorsement(session, row.id, organization_id)
    if found is None or found.ended_at is not None:
        raise WrongState("your organisation does not endorse it", state="none")
    found.ended_at = now()
    _touch(session, row)
    audit.record(session, row.document_id, actor, "suggestion_unendorsed", {**_ids(row), "organization": organization_id})
    return suggestion(session, actor, row.id)


def _endorsement(session: Session, suggestion_id: int, organization_id: int) -> Endorsement | None:
    return session.scalars(
        select(Endorsement).where(
            Endorsement.suggestion_id == suggestion_id, Endorsement.organization_id == organization_id
        )
    ).one_or_none()


def _own_organization(actor: Actor, document: Document) -> int:
    organization_id = actor.organization_id(document)
    if organization_id is None:
        raise NotAllowed(
            "only a member of an organisation endorses", action="endorse", role=str(actor.role(document)), phase=document.phase
        )
    return organization_id


def _touch(session: Session, row: Suggestion) -> None:
    """Says that the suggestion's card is not what it was."""
    head = heads.writing(session, row.section_id)
    heads.movement(session, head).cards.add(("suggestion", row.number))
    session.flush()
    heads.store(session, head, [])


def _told(session: Session, head: Head, row: Suggestion) -> None:
    moved = heads.movement(session, head)
    moved.suggestions.add(row.id)
    moved.cards.add(("suggestion", row.number))


def _ids(row: Suggestion) -> dict[str, Any]:
    return {"suggestion": row.id, "number": row.number, "section": row.section_id}


def _line(text: str, field: str, *, needed: bool = False) -> str:
    text = text.strip()
    if needed and not text:
        raise InvalidInput(f"{field} is needed", field=field)
    if len(text) > MAX_REASON:
        raise InvalidInput(f"{field} has at most {MAX_REASON} characters", field=field, longest=MAX_REASON)
    return text


def _keep_origins(session: Session, actor: Actor, row: Suggestion, origin_ids: Collection[int]) -> None:
    document = session.get_one(Document, row.document_id)
    wanted = set(people.check_origins(session, actor, document, origin_ids))
    present = session.scalars(select(SuggestionOrigin).where(SuggestionOrigin.suggestion_id == row.id)).all()
    for each in present:
        if each.origin_id not in wanted:
            session.delete(each)
    known = {each.origin_id for each in present}
    session.add_all(SuggestionOrigin(suggestion_id=row.id, origin_id=each) for each in sorted(wanted - known))
    session.flush()
    if row.organization_id is None and wanted:
        row.organization_id = session.scalar(
            select(Origin.organization_id)
            .where(Origin.id.in_(wanted), Origin.organization_id.is_not(None))
            .order_by(Origin.id)
            .limit(1)
        )

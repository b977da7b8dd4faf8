"""Remarks: threads on a passage, a section, a suggestion or the whole document, and the office's position on them.

A passage is named once, on the version its author read, with its words and 32 code units around them; where it is now
is carried with every revision (`anchored`). When it is gone the remark is an orphan that shows its words; a person puts
it back, and a search for the words never guesses.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from drafting.engine import anchors
from drafting.engine.anchors import Anchor, Quote
from drafting.engine.text import from_units, to_units
from drafting.errors import InvalidInput, NotAllowed, NotFound, PositionError, WrongState
from drafting.services import audit, heads, mentions, notices, people, sections, suggestions
from drafting.services.access import Actor, allowed, require, visible_suggestions
from drafting.services.annotation_views import AnnotationView, CommentView, resolving, views
from drafting.services.clock import now
from drafting.services.heads import Head
from drafting.store.database import verb
from drafting.store.models import (
    Annotation,
    Comment,
    Document,
    Membership,
    Origin,
    Suggestion,
)

__all__ = [
    "AnnotationView", "CommentView", "Found", "annotate", "annotation", "answer", "by_number", "count", "edit_comment",
    "find_again", "listing", "live", "of_section", "of_suggestion", "place", "put_back", "remove_comment", "reopen", "reply",
    "resolve",
]  # fmt: skip

MAX_TEXT = 10_000  # characters of one comment
KINDS = ("remark", "question")
FORMS = ("platform", "meeting", "email", "form")
POSITIONS = ("accepted", "partly", "rejected", "noted", "inadmissible")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search for a remark's words came to. outcome: found, ambiguous or not_found; places: (start, end), best first"""

    outcome: str
    places: tuple[tuple[int, int], ...]
    version: int


# ── verbs ───────────────────────────────────────────────────────────────────────────────────────────────


@verb
def annotate(
    session: Session,
    actor: Actor,
    document_id: int,
    text: str,
    *,
    section_id: int | None = None,
    suggestion_id: int | None = None,
    start: int | None = None,
    end: int | None = None,
    version: int | None = None,
    kind: str = "remark",
    origin_id: int | None = None,
    form: str = "platform",
) -> AnnotationView:
    """A new remark.

    section_id      about this section; with start, end and version about this passage of it
    suggestion_id   about this suggestion
    start, end      code units of the section's text at `version`
    origin_id       on whose behalf; None: the author's own organisation
    raises          InvalidInput for an empty passage, NotFound for a version that is not there
    commits         yes, once
    needs           annotate
    """
    document = require(session, actor, "annotate", document_id)
    text = _words(text)
    if kind not in KINDS:
        raise InvalidInput(f"a remark is one of {', '.join(KINDS)}", field="kind")
    if form not in FORMS:
        raise InvalidInput(f"a remark comes by one of {', '.join(FORMS)}", field="form")
    if origin_id is not None:
        people.check_origins(session, actor, document, [origin_id])
    suggestion = None
    if suggestion_id is not None:
        suggestion = suggestions.seen_row(session, actor, suggestion_id)
        section_id = suggestion.section_id
        start = end = version = None
    head = None
    if section_id is not None:
        section = sections.section_row(session, actor, section_id)
        if section.document_id != document_id:
            raise NotFound("there is no such section in this document")
        head = heads.writing(session, section_id)
    row = Annotation(
        document_id=document_id,
        number=0,
        section_id=section_id,
        suggestion_id=suggestion_id,
        author_id=actor.user_id,
        origin_id=origin_id,
        kind=kind,
        form=form,
        created_at=now(),
    )
    anchor = None
    if start is not None:
        if head is None or end is None:
            raise InvalidInput("a passage has a section, a start and an end", field="start")
        anchor = _anchor(head, start, end, head.version if version is None else version)
        _keep_placed(row, anchor)
    session.execute(select(Document.id).where(Document.id == document_id).with_for_update())
    session.refresh(document, ["last_annotation_number"])
    document.last_annotation_number += 1
    row.number = document.last_annotation_number
    session.add(row)
    session.flush()
    comment = _comment(session, actor, row, text)
    if head is not None:
        if anchor is not None:
            _keep_present(row, head.anchors.put(row.id, anchor), head.version)
        _touch(session, head, row)
    data = {"annotation": row.id, "number": row.number, "section": section_id, "suggestion": suggestion_id}
    audit.record(session, document_id, actor, "annotation_added", data)
    if suggestion is not None:
        notices.notify(
            session, suggestions.owners(session, suggestion), document_id, "annotation_added", _ids(row), but=actor
        )
    _tell_mentioned(session, actor, row, comment)
    return annotation(session, actor, row.id)


@verb
def reply(session: Session, actor: Actor, annotation_id: int, text: str) -> AnnotationView:
    """The thread with one more entry; @Name tells that person. commits: yes, once. needs: reply"""
    row = _seen(session, actor, annotation_id)
    require(session, actor, "reply", row.document_id)
    comment = _comment(session, actor, row, _words(text))
    _say(session, row)
    audit.record(session, row.document_id, actor, "comment_added", {**_ids(row), "comment": comment.id})
    mentioned = _tell_mentioned(session, actor, row, comment)
    others = set(
        session.scalars(select(Comment.author_id).where(Comment.annotation_id == row.id, Comment.removed_at.is_(None)))
    )
    notices.notify(session, {row.author_id} - mentioned, row.document_id, "comment_added", _ids(row), but=actor)
    notices.notify(session, others - mentioned - {row.author_id}, row.document_id, "replied", _ids(row), but=actor)
    return annotation(session, actor, row.id)


@verb
def edit_comment(session: Session, actor: Actor, comment_id: int, text: str) -> AnnotationView:
    """The thread with an entry of one's own in other words. commits: yes, once. needs: reply"""
    comment, row = _own_comment(session, actor, comment_id)
    require(session, actor, "reply", row.document_id)
    if comment.author_id != actor.user_id:
        raise _not_own(session, actor, row, "reply")
    if comment.removed_at is not None:
        raise WrongState("the entry was removed", state="removed")
    comment.text, comment.edited_at = _words(text), now()
    _say(session, row)
    audit.record(session, row.document_id, actor, "comment_edited", {**_ids(row), "comment": comment.id})
    return annotation(session, actor, row.id)


@verb
def remove_comment(session: Session, actor: Actor, comment_id: int) -> AnnotationView:
    """The thread without the words of an entry: one's own, or anybody's for those who moderate. commits: yes, once"""
    comment, row = _own_comment(session, actor, comment_id)
    document = require(session, actor, "read", row.document_id)
    if not (comment.author_id == actor.user_id and allowed(actor, "reply", document)):
        require(session, actor, "moderate", document)
    if comment.removed_at is not None:
        raise WrongState("the entry was removed already", state="removed")
    comment.removed_at = now()
    _say(session, row)
    audit.record(session, row.document_id, actor, "comment_removed", {**_ids(row), "comment": comment.id})
    return annotation(session, actor, row.id)


@verb
def resolve(session: Session, actor: Actor, annotation_id: int) -> AnnotationView:
    """The remark settled. commits: yes, once. needs: resolve, or resolve_own for its author"""
    return _settle(session, actor, annotation_id, "resolved", "annotation_resolved")


@verb
def reopen(session: Session, actor: Actor, annotation_id: int) -> AnnotationView:
    """The remark open again. commits: yes, once. needs: resolve, or resolve_own for its author"""
    return _settle(session, actor, annotation_id, "open", "annotation_reopened")


def _settle(session: Session, actor: Actor, annotation_id: int, state: str, kind: str) -> AnnotationView:
    row = _seen(session, actor, annotation_id)
    require(session, actor, resolving(actor, row), row.document_id)
    if row.state == state:
        raise WrongState(f"the remark is {state} already", state=state)
    row.state = state
    _say(session, row)
    audit.record(session, row.document_id, actor, kind, _ids(row))
    notices.notify(session, [row.author_id], row.document_id, kind, _ids(row), but=actor)
    return annotation(session, actor, row.id)


@verb
def answer(session: Session, actor: Actor, annotation_id: int, position: str, reason: str = "") -> AnnotationView:
    """The remark with the office's position (stanowisko) and its reason; a later one replaces it.

    raises   InvalidInput for an unknown position, or a rejection without a reason
    commits  yes, once
    needs    answer
    """
    row = _seen(session, actor, annotation_id)
    require(session, actor, "answer", row.document_id)
    reason = reason.strip()
    if position not in POSITIONS:
        raise InvalidInput(f"a position is one of {', '.join(POSITIONS)}", field="position")
    if len(reason) > MAX_TEXT:
        raise InvalidInput(f"a reason has at most {MAX_TEXT} characters", field="reason", longest=MAX_TEXT)
    if position in ("rejected", "partly", "inadmissible") and not reason:
        raise InvalidInput("this position needs a reason", field="reason")
    row.position, row.position_reason = position, reason
    row.position_by_id, row.position_at = actor.user_id, now()
    _say(session, row)
    audit.record(session, row.document_id, actor, "annotation_answered", {**_ids(row), "position": position, "reason": reason})
    notices.notify(session, [row.author_id], row.document_id, "annotation_answered", _ids(row), but=actor)
    return annotation(session, actor, row.id)


@verb
def place(session: Session, actor: Actor, annotation_id: int, start: int, end: int, version: int) -> AnnotationView:
    """The remark put on a passage by a person: an orphan put back, or one about the section made exact.

    start, end  code units of the section's text at `version`
    commits     yes, once
    needs       place, or resolve_own for its author
    """
    row = _seen(session, actor, annotation_id)
    require(session, actor, "resolve_own" if row.author_id == actor.user_id else "place", row.document_id)
    if row.section_id is None or row.suggestion_id is not None:
        raise WrongState("only a remark on a section has a passage", state="whole")
    head = heads.writing(session, row.section_id)
    heads.movement(session, head)
    anchor = _anchor(head, start, end, version)
    _keep_placed(row, anchor)
    _keep_present(row, head.anchors.put(row.id, anchor), head.version)
    _touch(session, head, row)
    audit.record(session, row.document_id, actor, "annotation_placed", {**_ids(row), "start": start, "end": end, "version": version})
    return annotation(session, actor, row.id)


def find_again(session: Session, actor: Actor, annotation_id: int) -> Found:
    """Where the words of a remark are in the text as it is; the person decides what to do about it. needs: read"""
    row = _seen(session, actor, annotation_id)
    if row.section_id is None or not row.quote_exact:
        raise WrongState("the remark has no passage", state="whole")
    with heads.reading(session, row.section_id) as head:
        text, version = head.text, head.version
    quote = Quote(to_units(row.quote_prefix), to_units(row.quote_exact), to_units(row.quote_suffix))
    finding = anchors.find_again(text, quote)
    return Found(finding.outcome.replace(" ", "_"), finding.places, version)


@verb
def put_back(session: Session, actor: Actor, annotation_id: int) -> Found:
    """What the search came to; when its words stand in one place only, the remark is there again.

    commits  yes, once, when found
    needs    place, or resolve_own for its author
    """
    found = find_again(session, actor, annotation_id)
    if found.outcome == "found":
        [(start, end)] = found.places
        place(session, actor, annotation_id, start, end, found.version)
    else:
        row = _seen(session, actor, annotation_id)
        require(session, actor, "resolve_own" if row.author_id == actor.user_id else "place", row.document_id)
    return found


def _anchor(head: Head, start: int, end: int, version: int) -> Anchor:
    """An anchor on a passage of the text at a version. raises: NotFound, InvalidInput"""
    if not 0 <= version <= head.version:
        raise NotFound(
            f"section {head.section_id} has no version {version}; its newest is {head.version}", version=head.version
        )
    try:
        return anchors.place(head.log.text(version), start, end, version)
    except PositionError as error:
        raise InvalidInput(error.message, field="start") from None


def _keep_placed(row: Annotation, anchor: Anchor) -> None:
    placed = anchor.placed
    row.start, row.end, row.version = placed.start, placed.end, placed.version
    row.quote_prefix, row.quote_exact, row.quote_suffix = (
        from_units(words) for words in (placed.quote.prefix, placed.quote.exact, placed.quote.suffix)
    )


def _keep_present(row: Annotation, anchor: Anchor, version: int) -> None:
    row.now_start, row.now_end, row.now_version = anchor.start, anchor.end, version
    row.orphaned = anchor.is_orphan


def _comment(session: Session, actor: Actor, row: Annotation, text: str) -> Comment:
    comment = Comment(
        annotation_id=row.id,
        author_id=actor.user_id,
        organization_id=actor.organization_id(row.document_id),
        text=text,
        at=now(),
    )
    session.add(comment)
    session.flush()
    return comment


def _tell_mentioned(session: Session, actor: Actor, row: Annotation, comment: Comment) -> set[int]:
    """Tells those whose name follows an @; returns who they are."""
    told = mentions.mentioned(session, row.document_id, comment.text)
    notices.notify(session, told, row.document_id, "mentioned", _ids(row), but=actor)
    return told


def _say(session: Session, row: Annotation) -> None:
    """Says that the remark's card is not what it was."""
    session.flush()
    if row.section_id is not None:
        _touch(session, heads.writing(session, row.section_id), row)


def _touch(session: Session, head: Head, row: Annotation) -> None:
    changed = heads.movement(session, head)
    changed.cards.add(("annotation", row.id))
    if row.suggestion_id is not None:
        changed.cards.add(("suggestion", session.get_one(Suggestion, row.suggestion_id).number))
    session.flush()
    heads.store(session, head, [])


def _ids(row: Annotation) -> dict[str, Any]:
    return {"annotation": row.id, "number": row.number, "section": row.section_id}


def _words(text: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidInput("write something first", field="text")
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"a remark has at most {MAX_TEXT} characters", field="text", longest=MAX_TEXT)
    return text


def _seen(session: Session, actor: Actor, annotation_id: int) -> Annotation:
    """Its row, when the actor may know of it. raises: NotFound"""
    row = session.get(Annotation, annotation_id)
    if row is None:
        raise NotFound("there is no such remark")
    require(session, actor, "read", row.document_id)
    if row.suggestion_id is not None:
        suggestions.seen_row(session, actor, row.suggestion_id)
    return row


def _own_comment(session: Session, actor: Actor, comment_id: int) -> tuple[Comment, Annotation]:
    comment = session.get(Comment, comment_id)
    if comment is None:
        raise NotFound("there is no such entry")
    return comment, _seen(session, actor, comment.annotation_id)


def _not_own(session: Session, actor: Actor, row: Annotation, action: str) -> NotAllowed:
    document = session.get_one(Document, row.document_id)
    return NotAllowed("the entry is not yours", action=action, role=str(actor.role(document)), phase=document.phase)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────


def annotation(session: Session, actor: Actor, annotation_id: int) -> AnnotationView:
    """One remark. raises: NotFound. needs: read"""
    [view] = views(session, actor, [_seen(session, actor, annotation_id)])
    return view


def by_number(session: Session, actor: Actor, document_id: int, number: int) -> AnnotationView:
    """The remark with this number in a document. raises: NotFound. needs: read"""
    found = session.scalar(
        select(Annotation.id).where(Annotation.document_id == document_id, Annotation.number == number)
    )
    if found is None:
        raise NotFound("there is no such remark")
    return annotation(session, actor, found)


def of_section(
    session: Session, actor: Actor, section_id: int, *, states: Collection[str] = ("open", "resolved")
) -> list[AnnotationView]:
    """The remarks on a section and its passages, in the order of the text; orphans and those on the whole last."""
    row = sections.section_row(session, actor, section_id)
    found = listing(session, actor, row.document_id, section_id=section_id, states=states, on_suggestions=False, limit=1000)
    return sorted(found, key=lambda view: (view.start is None, view.start or 0, view.number))


def of_suggestion(session: Session, actor: Actor, suggestion_id: int) -> list[AnnotationView]:
    """The discussion of a suggestion, oldest first. needs: read"""
    row = suggestions.seen_row(session, actor, suggestion_id)
    rows = session.scalars(
        select(Annotation).where(Annotation.suggestion_id == row.id).order_by(Annotation.number)
    ).all()
    return views(session, actor, rows)


def listing(
    session: Session,
    actor: Actor,
    document_id: int,
    *,
    section_id: int | None = None,
    states: Collection[str] = (),
    organization_id: int | None = None,
    answered: bool | None = None,
    on_suggestions: bool = True,
    words: str = "",
    limit: int = 200,
    offset: int = 0,
) -> list[AnnotationView]:
    """The remarks of a document by number.

    states           open, resolved; empty: all
    organization_id  whose author or origin is of this organisation
    answered         with or without a position of the office
    on_suggestions   those about suggestions too
    needs            read
    """
    document = require(session, actor, "read", document_id)
    seen = select(Suggestion.id).where(visible_suggestions(actor, document))
    query: list[ColumnElement[bool]] = [
        Annotation.document_id == document_id,
        or_(Annotation.suggestion_id.is_(None), Annotation.suggestion_id.in_(seen)),
    ]
    if not on_suggestions:
        query.append(Annotation.suggestion_id.is_(None))
    if section_id is not None:
        query.append(Annotation.section_id == section_id)
    if states:
        query.append(Annotation.state.in_(list(states)))
    if organization_id is not None:
        theirs = select(Membership.user_id).where(
            Membership.document_id == document_id, Membership.organization_id == organization_id
        )
        origins = select(Origin.id).where(Origin.organization_id == organization_id)
        query.append(or_(Annotation.author_id.in_(theirs), Annotation.origin_id.in_(origins)))
    if answered is not None:
        query.append(Annotation.position.is_not(None) if answered else Annotation.position.is_(None))
    if words:
        said = select(Comment.annotation_id).where(Comment.text.ilike(f"%{words}%"), Comment.removed_at.is_(None))
        query.append(Annotation.id.in_(said))
    rows = session.scalars(select(Annotation).where(*query).order_by(Annotation.number).limit(limit).offset(offset)).all()
    return views(session, actor, rows)


def live(session: Session, actor: Actor, head: Head) -> list[dict[str, Any]]:
    """The remarks on passages of a section, as a join answers them."""
    rows = session.execute(
        select(Annotation.id, Annotation.number, Annotation.state)
        .where(Annotation.section_id == head.section_id, Annotation.start.is_not(None))
        .order_by(Annotation.number)
    )
    answer = []
    for row in rows:
        place = head.anchors.get(row.id)
        if place is not None:
            answer.append(
                {
                    "id": row.id,
                    "number": row.number,
                    "start": None if place.is_orphan else place.start,
                    "end": None if place.is_orphan else place.end,
                    "state": row.state,
                    "orphaned": place.is_orphan,
                }
            )
    return answer


def count(session: Session, document_id: int, state: str = "open") -> int:
    """How many remarks of a document are in a state."""
    return (
        session.scalar(
            select(func.count()).where(Annotation.document_id == document_id, Annotation.state == state)
        )
        or 0
    )

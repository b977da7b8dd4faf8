"""Opening a stream: where it belongs, who may read it, what they may do with it, and the text or what they missed.

What a socket's `join` and `pull` answer is made here. A branch that is opened first gets into its log what main did to
it meanwhile, so that its newest text holds all of main.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.text import from_units
from drafting.errors import NotFound
from drafting.services import editing, heads
from drafting.services.access import Actor, allowed, belongs_to, require, sees_suggestion
from drafting.services.clock import now
from drafting.services.heads import Head, Stored
from drafting.store.database import verb
from drafting.store.models import Document, Section, Stream, Suggestion


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """Where a stream belongs. `suggestion_id`: None for a section's main stream."""

    stream_id: int
    section_id: int
    document_id: int
    suggestion_id: int | None


def place_of(session: Session, actor: Actor, stream_id: int) -> StreamPlace:
    """Where a stream belongs, when the actor may read it.

    raises  NotFound also for a draft of others, and for a suggestion that was withdrawn
    needs   read
    """
    row = session.execute(
        select(Stream.section_id, Section.document_id, Stream.kind)
        .join(Section, Section.id == Stream.section_id)
        .where(Stream.id == stream_id)
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such stream")
    document = require(session, actor, "read", row.document_id)
    suggestion = None
    if row.kind == "branch":
        suggestion = session.scalars(select(Suggestion).where(Suggestion.stream_id == stream_id)).one_or_none()
        if suggestion is None or not sees_suggestion(actor, document, suggestion) or suggestion.state == "withdrawn":
            raise NotFound("there is no such stream")
    return StreamPlace(stream_id, row.section_id, row.document_id, suggestion.id if suggestion else None)


def can(session: Session, actor: Actor, place: StreamPlace) -> dict[str, bool]:
    """What the actor may do with a stream now, for showing only what works."""
    document = session.get(Document, place.document_id)
    assert document is not None
    answer = {
        "edit": allowed(actor, "edit", document),
        "suggest": allowed(actor, "suggest", document),
        "annotate": allowed(actor, "annotate", document),
        "decide": allowed(actor, "decide", document),
    }
    section = session.get_one(Section, place.section_id)
    if section.removed_at is not None and place.suggestion_id is None:
        answer["edit"] = False
    if place.suggestion_id is not None:
        suggestion = session.get(Suggestion, place.suggestion_id)
        assert suggestion is not None
        answer["edit"] = (
            answer["suggest"] and belongs_to(actor, suggestion) and suggestion.state in ("draft", "filed")
        )
    return answer


def present_text(head: Head, stream_id: int) -> str:
    """The newest text of a section's main stream or of a branch that holds all of main, ordinary Unicode."""
    branch = head.branch_of(stream_id)
    if branch is None:
        return from_units(head.text)
    assert branch.main_version == head.version, "the hunks are current, the branch's log is not: bring it up first"
    return from_units(head.proposals.branch_text(branch.suggestion_id))


@dataclass(frozen=True, slots=True)
class Opening:
    """What somebody who opens a stream needs: its newest version, and its text or what was stored since theirs."""

    version: int
    text: str | None
    updates: tuple[Stored, ...]


def opening(head: Head, stream_id: int, version: int | None) -> Opening:
    """For a client that has a version, or none; the text when its version is not there or too old to be worth it."""
    log = head.log_of(stream_id)
    if version is not None and 0 <= log.version - version <= heads.RECENT:
        return Opening(log.version, None, tuple(log.since(version)))
    return Opening(log.version, present_text(head, stream_id), ())


def missed(session: Session, place: StreamPlace, version: int) -> tuple[int, list[Stored]]:
    """The newest version, and the revisions after one. raises: NotFound when that version is not there yet"""
    with heads.reading(session, place.section_id) as head:
        log = head.log_of(place.stream_id)
        now = log.version
        if version > now:
            raise NotFound(f"stream {place.stream_id} has no version {version}; its newest is {now}", version=now)
        if now - version <= heads.RECENT:
            return now, log.since(version)
    # So long ago that nobody else waits for it: read outside the head, in a state that holds all of it.
    with heads.registry_of(session).read() as later:
        return now, heads.read_revisions(later, place.stream_id, version, now)


@verb
def open_branch(session: Session, section_id: int, stream_id: int, version: int | None) -> Opening:
    """As `opening`, for a branch: what main did meanwhile is put into its log first. commits: yes, once"""
    head = heads.writing(session, section_id)
    branch = head.branch_of(stream_id)
    if branch is None:
        raise NotFound("there is no such stream")
    rows = editing.bring_up(head, branch, now())
    if rows:
        heads.store(session, head, rows)
    return opening(head, stream_id, version)

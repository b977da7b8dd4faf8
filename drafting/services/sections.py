"""The sections of a document, in order.

A section's text is a stream of its own; here a stream is made with its first revision and never written again (that
is `editing`'s). A section that is removed keeps its stream, its suggestions and its place in the history; its
position among the others is kept too, so that it comes back where it was.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.text import normalise, to_units
from drafting.errors import InvalidInput, WrongState
from drafting.services import audit, movements, people
from drafting.services.access import Actor, require
from drafting.services.clock import now
from drafting.store.database import verb
from drafting.store.models import Annotation, Document, Hunk, Revision, RevisionOrigin, Section, Stream, Suggestion

MAX_SECTIONS = 1000


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section in the contents. `number` counts the sections that are there, from 1; None for a removed one."""

    id: int
    document_id: int
    number: int | None
    position: int
    title: str
    stream_id: int
    version: int
    length: int  # code units
    statutory_point: int | None
    removed_at: datetime | None
    suggestions: int = 0  # filed and not all decided
    hunks: dict[str, int] = field(default_factory=dict)  # of filed suggestions, by state
    annotations: int = 0  # open

    @property
    def progress(self) -> float | None:
        """The part of the proposed hunks that is settled, 0 to 1; None when nothing was proposed."""
        every = sum(self.hunks.values())
        return None if not every else 1 - self.hunks.get("open", 0) / every


def outline(session: Session, actor: Actor, document_id: int, *, removed: bool = False) -> list[SectionView]:
    """The sections of a document in order, with what is open in each.

    removed  also those that were removed, at their places
    needs    read
    """
    require(session, actor, "read", document_id)
    query = (
        select(Section, Stream)
        .join(Stream, Stream.id == Section.stream_id)
        .where(Section.document_id == document_id, ~_is_only_proposed())
        .order_by(Section.position, Section.id)
    )
    if not removed:
        query = query.where(Section.removed_at.is_(None))
    rows = session.execute(query).all()
    hunks, suggestions, annotations = _counts(session, document_id)
    views, number = [], 0
    for section, stream in rows:
        number += section.removed_at is None
        views.append(
            _section_view(
                section,
                stream,
                number if section.removed_at is None else None,
                suggestions=suggestions.get(section.id, 0),
                hunks=hunks.get(section.id, {}),
                annotations=annotations.get(section.id, 0),
            )
        )
    return views


def section(session: Session, actor: Actor, section_id: int) -> SectionView:
    """One section, with its number among those that are there. needs: read"""
    row = section_row(session, actor, section_id)
    stream = session.get_one(Stream, row.stream_id)
    number = None
    if row.removed_at is None:
        number = session.scalar(
            select(func.count()).where(
                Section.document_id == row.document_id,
                Section.removed_at.is_(None),
                Section.stream_id.is_not(None),
                (Section.position < row.position) | ((Section.position == row.position) & (Section.id <= row.id)),
            )
        )
    return _section_view(row, stream, number)


def section_row(session: Session, actor: Actor, section_id: int, action: str = "read") -> Section:
    """Its row, when the actor may do this in its document. raises: NotFound also when they may not know of it"""
    row = session.get(Section, section_id)
    if row is None or row.stream_id is None:
        require(session, actor, "read", -1)
        raise AssertionError("unreachable")
    require(session, actor, action, row.document_id)
    return row


def require_there(row: Section) -> None:
    """Nothing, when the section was not removed. raises: WrongState"""
    if row.removed_at is not None:
        raise WrongState("the section was removed; put it back first", state="section_removed")


def require_decidable(session: Session, row: Section) -> None:
    """Nothing, when a decision may change the section's text: it is there, or was never more than proposed.

    Asked while the section's head is held, so that no removal comes in between. raises: WrongState
    """
    session.refresh(row, ["removed_at"])
    if row.removed_at is not None and not is_only_proposed(session, row.id):
        raise WrongState(
            f"the section {row.title!r} was removed; put it back first, or reject what was suggested in it",
            state="section_removed",
            section=row.id,
            title=row.title,
        )


def is_only_proposed(session: Session, section_id: int) -> bool:
    """Whether the section was never accepted: it is there only as somebody's suggestion."""
    return session.scalar(select(Section.id).where(Section.id == section_id, _is_only_proposed())) is not None


@verb
def add_section(
    session: Session,
    actor: Actor,
    document_id: int,
    text: str = "",
    *,
    title: str = "",
    position: int | None = None,
    statutory_point: int | None = None,
    kind: str = "edit",
    origin_ids: Collection[int] = (),
    carried: str | None = None,
) -> SectionView:
    """The new section, whose text is its first revision.

    text         Markdown with LF line ends; empty with a title: the title as a heading
    position     its number among the sections, from 1; None: the last
    kind         of the first revision: edit, import, move
    origin_ids   on whose behalf
    carried      spans of text that comes from elsewhere, as Revision.carried
    commits      yes, once
    needs        structure
    """
    document = require(session, actor, "structure", document_id)
    origins = people.check_origins(session, actor, document, origin_ids)
    present = _lock_sections(session, document_id)
    if len(present) >= MAX_SECTIONS:
        raise WrongState(f"a document has at most {MAX_SECTIONS} sections", state="full")
    if statutory_point is not None and not 1 <= statutory_point <= 11:
        raise InvalidInput("art. 5a ust. 4 has points 1 to 11", field="statutory_point")
    text = (text or (f"## {' '.join(title.split())}\n" if title.strip() else "")).replace("\r\n", "\n")
    row, stream = new_section(
        session,
        actor,
        document_id,
        text,
        statutory_point=statutory_point,
        kind=kind,
        origin_ids=origins,
        carried=carried,
    )
    _put_at(present, row, position)
    _record_added(session, actor, row, kind)
    movements.announce(session, document_id, "order")
    there = [each.id for each in present if each.removed_at is None]
    return _section_view(row, stream, there.index(row.id) + 1)


@verb
def add_sections(
    session: Session, actor: Actor, document_id: int, texts: Sequence[str], *, kind: str = "import"
) -> list[SectionView]:
    """New sections with these texts, after those that are there: a whole file at once.

    raises   WrongState when the document would have too many
    commits  yes, once
    needs    structure
    """
    require(session, actor, "structure", document_id)
    present = _lock_sections(session, document_id)
    if len(present) + len(texts) > MAX_SECTIONS:
        raise WrongState(
            f"a document has at most {MAX_SECTIONS} sections, not {len(present) + len(texts)}", state="full"
        )
    first = len(present)
    for text in texts:
        present.append(new_section(session, actor, document_id, text, kind=kind)[0])
    _number(present)
    for row in present[first:]:
        _record_added(session, actor, row, kind)
    movements.announce(session, document_id, "order")
    added = {row.id for row in present[first:]}
    return [view for view in outline(session, actor, document_id) if view.id in added]


def _record_added(session: Session, actor: Actor, row: Section, kind: str) -> None:
    data = {"section": row.id, "stream": row.stream_id, "title": row.title, "position": row.position, "kind": kind}
    audit.record(session, row.document_id, actor, "section_added", data)


def new_section(
    session: Session,
    actor: Actor,
    document_id: int,
    text: str,
    *,
    statutory_point: int | None = None,
    kind: str = "edit",
    origin_ids: Sequence[int] = (),
    carried: str | None = None,
) -> tuple[Section, Stream]:
    """The rows of a section with its main stream, at position 0: the caller places it and records what happened.

    raises   InvalidInput for a text with half a surrogate pair
    commits  no
    """
    units = to_units(text, normalising=True)
    row = Section(
        document_id=document_id,
        position=0,
        title=heading_of(normalise(text)),
        statutory_point=statutory_point,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    stream = Stream(kind="main", section_id=row.id, version=0, length=0)
    session.add(stream)
    session.flush()
    row.stream_id = stream.id
    if text:
        session.add(
            Revision(
                stream_id=stream.id,
                version=1,
                changes=audit.canonical(ChangeSet.of([(0, 0, units)], 0).to_json()),
                kind=kind,
                author_id=actor.user_id,
                client="server",
                sequence=1,
                carried=carried,
                at=now(),
            )
        )
        stream.version, stream.length = 1, len(units)
        session.flush()
        session.add_all(RevisionOrigin(stream_id=stream.id, version=1, origin_id=each) for each in origin_ids)
    session.flush()
    return row, stream


@verb
def reorder_sections(session: Session, actor: Actor, document_id: int, section_ids: Sequence[int]) -> list[SectionView]:
    """The sections in the order of the ids.

    raises   InvalidInput when the ids are not exactly those of the sections that are there
    commits  yes, once
    needs    structure
    """
    require(session, actor, "structure", document_id)
    rows = _lock_sections(session, document_id)
    there = {row.id: row for row in rows if row.removed_at is None}
    if sorted(section_ids) != sorted(there):
        raise InvalidInput("name every section of the document once", field="section_ids")
    places = iter([there[each] for each in section_ids])
    # Removed sections keep their places between the others.
    ordered = [row if row.removed_at is not None else next(places) for row in rows]
    _number(ordered)
    audit.record(session, document_id, actor, "sections_reordered", {"sections": list(section_ids)})
    movements.announce(session, document_id, "order")
    return outline(session, actor, document_id)


@verb
def move_section(session: Session, actor: Actor, section_id: int, position: int) -> list[SectionView]:
    """The sections with this one at another place. position: its new number, from 1. needs: structure. commits: yes"""
    row = section_row(session, actor, section_id, "structure")
    there = [each.id for each in _lock_sections(session, row.document_id) if each.removed_at is None]
    if row.removed_at is not None:
        raise WrongState("the section was removed; restore it first", state="removed")
    there.remove(row.id)
    there.insert(max(0, position - 1), row.id)
    return reorder_sections(session, actor, row.document_id, there)


@verb
def remove_section(session: Session, actor: Actor, section_id: int) -> None:
    """Takes the section out of the document; nothing of it is lost.

    raises   WrongState when it was removed already
    commits  yes, once
    needs    structure
    """
    row = section_row(session, actor, section_id, "structure")
    stream = session.get_one(Stream, row.stream_id, with_for_update=True)  # whoever writes its text holds this row
    session.refresh(row, ["removed_at"])
    if row.removed_at is not None:
        raise WrongState("the section was removed already", state="section_removed")
    row.removed_at, row.removed_by_id = now(), actor.user_id
    data = {"section": row.id, "title": row.title, "version": stream.version}
    audit.record(session, row.document_id, actor, "section_removed", data)
    movements.announce(session, row.document_id, "removed")


@verb
def restore_section(session: Session, actor: Actor, section_id: int) -> SectionView:
    """Puts a removed section back where it was. commits: yes, once. needs: structure"""
    row = section_row(session, actor, section_id, "structure")
    if row.removed_at is None:
        raise WrongState("the section is there", state="present")
    if is_only_proposed(session, section_id):
        raise WrongState("the section is only proposed; decide its suggestion", state="proposed")
    row.removed_at = row.removed_by_id = None
    audit.record(session, row.document_id, actor, "section_restored", {"section": row.id, "title": row.title})
    movements.announce(session, row.document_id, "order")
    return section(session, actor, section_id)


@verb
def set_statutory_point(session: Session, actor: Actor, section_id: int, point: int | None) -> SectionView:
    """Says which point of art. 5a ust. 4 the section answers, 1 to 11. commits: yes, once. needs: structure"""
    row = section_row(session, actor, section_id, "structure")
    if point is not None and not 1 <= point <= 11:
        raise InvalidInput("art. 5a ust. 4 has points 1 to 11", field="statutory_point")
    row.statutory_point = point
    audit.record(session, row.document_id, actor, "statutory_point_set", {"section": row.id, "point": point})
    return section(session, actor, section_id)


def heading_of(text: str) -> str:
    """The title of a section with this text: its first heading, else its first line, at most 300 characters."""
    return first_heading(text) or _plain_title(next((line.strip() for line in text.split("\n") if line.strip()), ""))


def first_heading(text: str) -> str:
    """The plain words of the first heading that has any; "" when there is none."""
    for line in text.split("\n"):
        heading = re.match(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$", line)
        if heading and heading[1].strip():
            return _plain_title(heading[1])
    return ""


def keep_title(session: Session, section_id: int, text: str) -> str | None:
    """The new title, when the section's text has another first heading now; None when the title stands.

    commits  no; `editing` calls it after a change near the heading
    """
    row = session.get_one(Section, section_id)
    title = heading_of(text)
    if title == row.title:
        return None
    row.title = title
    return title


def _is_only_proposed() -> ColumnElement[bool]:
    """The condition that a section is not there because it was never accepted: a suggestion of a whole section."""
    proposing = exists().where(Suggestion.section_id == Section.id, Suggestion.new_section.is_(True))
    written = exists().where(Revision.stream_id == Section.stream_id)
    return and_(Section.removed_at.is_not(None), proposing, ~written)


def _plain_title(line: str) -> str:
    """The words of a line of Markdown: no emphasis marks, no link targets, no escapes."""
    line = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", line)
    line = re.sub(r"(\*\*|__|\*|`|~~)(?=\S)(.+?)(?<=\S)\1", r"\2", line)
    return " ".join(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", line).split())[:300]


def _lock_sections(session: Session, document_id: int) -> list[Section]:
    """The sections in order, removed ones too; the document's row is locked, so that two do not move them at once."""
    session.execute(select(Document.id).where(Document.id == document_id).with_for_update())
    return list(
        session.scalars(
            select(Section)
            .where(Section.document_id == document_id, Section.stream_id.is_not(None))
            .order_by(Section.position, Section.id)
        )
    )


def _put_at(rows: list[Section], row: Section, position: int | None) -> None:
    """Puts a row into the ordered list before the section that has this number now, or last, and numbers them."""
    there = [place for place, each in enumerate(rows) if each.removed_at is None]
    at = len(rows) if position is None or position > len(there) else there[max(0, position - 1)]
    rows.insert(at, row)
    _number(rows)


def _number(rows: Sequence[Section]) -> None:
    for position, each in enumerate(rows, start=1):
        if each.position != position:
            each.position = position


def _counts(session: Session, document_id: int) -> tuple[dict[int, dict[str, int]], dict[int, int], dict[int, int]]:
    """By section: filed hunks by state, suggestions with open hunks, open annotations."""
    hunks: dict[int, dict[str, int]] = {}
    for section_id, state, number in session.execute(
        select(Suggestion.section_id, Hunk.state, func.count())
        .join(Hunk, Hunk.suggestion_id == Suggestion.id)
        .where(
            Suggestion.document_id == document_id,
            Suggestion.filed_at.is_not(None),
            Suggestion.withdrawn_at.is_(None),
            Hunk.state.not_in(("joined", "withdrawn")),
        )
        .group_by(Suggestion.section_id, Hunk.state)
    ):
        hunks.setdefault(section_id, {})[state] = number
    suggestions = session.execute(
        select(Suggestion.section_id, func.count())
        .where(Suggestion.document_id == document_id, Suggestion.state == "filed")
        .group_by(Suggestion.section_id)
    )
    annotations = session.execute(
        select(Annotation.section_id, func.count())
        .where(Annotation.document_id == document_id, Annotation.state == "open", Annotation.section_id.is_not(None))
        .group_by(Annotation.section_id)
    )
    return hunks, dict(map(tuple, suggestions)), dict(map(tuple, annotations))  # type: ignore[arg-type]


def _section_view(
    row: Section,
    stream: Stream,
    number: int | None,
    *,
    suggestions: int = 0,
    hunks: dict[str, int] | None = None,
    annotations: int = 0,
) -> SectionView:
    return SectionView(
        row.id,
        row.document_id,
        number,
        row.position,
        row.title,
        stream.id,
        stream.version,
        stream.length,
        row.statutory_point,
        row.removed_at,
        suggestions,
        hunks or {},
        annotations,
    )

"""Consultation meetings: topic, date, place, who was there, summary, minutes, and the files that belong to them.

Minutes are Markdown; a suggestion may quote a sentence of them, so they are kept as written. Files lie in a folder
under their SHA-256, each content once; the row keeps the name they came with.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NotFound, TooLarge, WrongState
from drafting.services import audit
from drafting.services.access import Actor, require
from drafting.services.clock import now
from drafting.services.people import HUES, OrganizationView, check_organization, organization_view
from drafting.store.database import verb
from drafting.store.models import (
    Annotation,
    Attachment,
    Document,
    Meeting,
    MeetingAttendance,
    Organization,
    Origin,
    RevisionOrigin,
    SuggestionOrigin,
)

# What a browser may be given back; anything else is refused when it is uploaded.
MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
}


@dataclass(frozen=True, slots=True)
class Attendance:
    """An organisation was at a meeting, with how many people."""

    organization: OrganizationView
    people: int


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A file of a document or of one of its meetings."""

    id: int
    meeting_id: int | None
    name: str
    media_type: str
    size: int
    sha256: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MeetingView:
    """A meeting with who was there."""

    id: int
    document_id: int
    number: int
    topic: str
    short: str
    hue: int
    place: str
    held_at: datetime | None
    summary: str
    minutes: str
    attendance: tuple[Attendance, ...]

    @property
    def people(self) -> int:
        """How many people were there."""
        return sum(each.people for each in self.attendance)


def meetings(session: Session, actor: Actor, document_id: int) -> list[MeetingView]:
    """The meetings of a document by number. needs: read"""
    require(session, actor, "read", document_id)
    rows = session.scalars(select(Meeting).where(Meeting.document_id == document_id).order_by(Meeting.number)).all()
    return _views(session, rows)


def meeting(session: Session, actor: Actor, document_id: int, number: int) -> MeetingView:
    """The meeting with this number. needs: read"""
    require(session, actor, "read", document_id)
    row = session.scalar(select(Meeting).where(Meeting.document_id == document_id, Meeting.number == number))
    if row is None:
        raise NotFound("there is no such meeting in this document")
    return _views(session, [row])[0]


@verb
def add_meeting(
    session: Session,
    actor: Actor,
    document_id: int,
    topic: str,
    *,
    short: str = "",
    place: str = "",
    held_at: datetime | None = None,
    summary: str = "",
    minutes: str = "",
    hue: int | None = None,
    attendance: Mapping[int, int] | None = None,
) -> MeetingView:
    """The new meeting, with the next number.

    short       a word or two for badges; the topic when empty
    held_at     when it is or was held, aware; None while not known
    attendance  organisation id → number of people
    commits     yes, once
    needs       manage_meetings
    """
    require(session, actor, "manage_meetings", document_id)
    session.execute(select(Document.id).where(Document.id == document_id).with_for_update())
    last = session.scalar(select(func.max(Meeting.number)).where(Meeting.document_id == document_id)) or 0
    row = Meeting(
        document_id=document_id,
        number=last + 1,
        topic=_line(topic, 200, "topic", needed=True),
        short=_line(short, 40, "short"),
        hue=_hue(hue) if hue is not None else last % HUES + 1,
        place=_line(place, 200, "place"),
        held_at=held_at,
        summary=summary.strip(),
        minutes=minutes.strip(),
        created_at=now(),
    )
    session.add(row)
    session.flush()
    _attend(session, row, attendance or {})
    audit.record(
        session, document_id, actor, "meeting_added", {"meeting": row.id, "number": row.number, "topic": row.topic}
    )
    return _views(session, [row])[0]


@verb
def change_meeting(
    session: Session,
    actor: Actor,
    meeting_id: int,
    *,
    topic: str | None = None,
    short: str | None = None,
    place: str | None = None,
    held_at: datetime | None = None,
    no_date: bool = False,
    summary: str | None = None,
    minutes: str | None = None,
    hue: int | None = None,
    attendance: Mapping[int, int] | None = None,
) -> MeetingView:
    """The meeting with these changes; None leaves a thing as it is, `no_date` takes the date away.

    attendance  organisation id → number of people, all of it; 0 people leaves an organisation out
    commits     yes, once
    needs       manage_meetings
    """
    row = _row(session, meeting_id)
    require(session, actor, "manage_meetings", row.document_id)
    if topic is not None:
        row.topic = _line(topic, 200, "topic", needed=True)
    if short is not None:
        row.short = _line(short, 40, "short")
    if place is not None:
        row.place = _line(place, 200, "place")
    if held_at is not None or no_date:
        row.held_at = None if no_date else held_at
    if summary is not None:
        row.summary = summary.strip()
    if minutes is not None:
        row.minutes = minutes.strip()
    if hue is not None:
        row.hue = _hue(hue)
    if attendance is not None:
        _attend(session, row, attendance)
    audit.record(session, row.document_id, actor, "meeting_changed", {"meeting": row.id, "number": row.number})
    return _views(session, [row])[0]


@verb
def remove_meeting(session: Session, actor: Actor, meeting_id: int) -> None:
    """Removes a meeting from which nothing came.

    raises   WrongState when a change or a suggestion names it: what came from a meeting keeps its meeting
    commits  yes, once
    needs    manage_meetings
    """
    row = _row(session, meeting_id)
    require(session, actor, "manage_meetings", row.document_id)
    origin_ids = session.scalars(select(Origin.id).where(Origin.meeting_id == meeting_id)).all()
    used = any(
        session.scalar(select(column).where(column.in_(origin_ids)).limit(1))
        for column in (RevisionOrigin.origin_id, SuggestionOrigin.origin_id, Annotation.origin_id)
    )
    has_file = session.scalar(select(Attachment.id).where(Attachment.meeting_id == meeting_id).limit(1))
    if used or has_file:
        raise WrongState(f"meeting {row.number} has changes, suggestions, remarks or files; it stays", state="used")
    session.execute(delete(MeetingAttendance).where(MeetingAttendance.meeting_id == meeting_id))
    session.execute(delete(Origin).where(Origin.id.in_(origin_ids)))
    session.delete(row)
    audit.record(session, row.document_id, actor, "meeting_removed", {"meeting": meeting_id, "number": row.number})


def attended(session: Session, actor: Actor, organization_id: int) -> list[MeetingView]:
    """The meetings an organisation was at, by number. needs: read"""
    row = session.get(Organization, organization_id)
    if row is None:
        raise NotFound("there is no such organisation")
    require(session, actor, "read", row.document_id)
    rows = session.scalars(
        select(Meeting)
        .join(MeetingAttendance, MeetingAttendance.meeting_id == Meeting.id)
        .where(MeetingAttendance.organization_id == organization_id)
        .order_by(Meeting.number)
    ).all()
    return _views(session, rows)


def _row(session: Session, meeting_id: int) -> Meeting:
    row = session.get(Meeting, meeting_id)
    if row is None:
        raise NotFound("there is no such meeting")
    return row


def _views(session: Session, rows: list[Meeting] | tuple[Meeting, ...]) -> list[MeetingView]:
    present: dict[int, list[Attendance]] = {row.id: [] for row in rows}
    found = session.execute(
        select(MeetingAttendance, Organization)
        .join(Organization, Organization.id == MeetingAttendance.organization_id)
        .where(MeetingAttendance.meeting_id.in_(present))
        .order_by(Organization.name)
    )
    for attendance, organization in found:
        present[attendance.meeting_id].append(Attendance(organization_view(organization), attendance.people))
    return [
        MeetingView(
            row.id,
            row.document_id,
            row.number,
            row.topic,
            row.short or row.topic[:40],
            row.hue,
            row.place,
            row.held_at,
            row.summary,
            row.minutes,
            tuple(present[row.id]),
        )
        for row in rows
    ]


def _attend(session: Session, row: Meeting, attendance: Mapping[int, int]) -> None:
    for organization_id, people in attendance.items():
        check_organization(session, row.document_id, organization_id)
        if not 0 <= people <= 100_000:
            raise InvalidInput("the number of people is 0 to 100000", field="attendance")
    session.execute(delete(MeetingAttendance).where(MeetingAttendance.meeting_id == row.id))
    session.add_all(
        MeetingAttendance(meeting_id=row.id, organization_id=organization_id, people=people)
        for organization_id, people in attendance.items()
        if people
    )
    session.flush()


def _line(text: str, longest: int, field: str, *, needed: bool = False) -> str:
    plain = " ".join(text.split())
    if len(plain) > longest or (needed and not plain):
        raise InvalidInput(f"{field} has {1 if needed else 0} to {longest} characters", field=field)
    return plain


def _hue(hue: int) -> int:
    if not 1 <= hue <= HUES:
        raise InvalidInput(f"a hue is a number from 1 to {HUES}", field="hue")
    return hue


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────


def attachments(
    session: Session, actor: Actor, document_id: int, meeting_id: int | None = None
) -> list[AttachmentView]:
    """The files of a document, or of one of its meetings, oldest first. needs: read"""
    require(session, actor, "read", document_id)
    query = select(Attachment).where(Attachment.document_id == document_id).order_by(Attachment.id)
    if meeting_id is not None:
        query = query.where(Attachment.meeting_id == meeting_id)
    return [_attachment_view(row) for row in session.scalars(query)]


@verb
def add_attachment(
    session: Session,
    actor: Actor,
    document_id: int,
    name: str,
    content: bytes,
    folder: Path,
    *,
    meeting_id: int | None = None,
    largest: int = 16 * 1024 * 1024,
) -> AttachmentView:
    """The file, kept in the folder before its row is stored.

    name     as it came; its ending says what it is, see MEDIA_TYPES
    largest  bytes
    commits  yes, once
    needs    manage_meetings
    """
    require(session, actor, "manage_meetings", document_id)
    if meeting_id is not None and _row(session, meeting_id).document_id != document_id:
        raise NotFound("there is no such meeting in this document")
    if len(content) > largest:
        raise TooLarge(f"the file has {len(content)} bytes; at most {largest} are kept", size=len(content))
    plain = _line(name.replace("\\", "/").rsplit("/", 1)[-1], 200, "name", needed=True)
    media_type = MEDIA_TYPES.get(Path(plain).suffix.lower())
    if media_type is None:
        raise InvalidInput(f"files may end in {', '.join(MEDIA_TYPES)}", field="name")
    digest = hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / digest).exists():
        partly = folder / f"{digest}.{os.getpid()}"
        partly.write_bytes(content)
        partly.replace(folder / digest)
    row = Attachment(
        document_id=document_id,
        meeting_id=meeting_id,
        name=plain,
        media_type=media_type,
        size=len(content),
        sha256=digest,
        by_id=actor.user_id,
        at=now(),
    )
    session.add(row)
    session.flush()
    audit.record(session, document_id, actor, "attachment_added", {"attachment": row.id, "sha256": digest})
    return _attachment_view(row)


def attachment(session: Session, actor: Actor, attachment_id: int, folder: Path) -> tuple[AttachmentView, Path]:
    """A file's row and where its content lies. needs: read"""
    row = session.get(Attachment, attachment_id)
    if row is None:
        raise NotFound("there is no such file")
    require(session, actor, "read", row.document_id)
    path = folder / row.sha256
    if not path.exists():
        raise NotFound("the content of this file is missing; restore instance/uploads from a backup")
    return _attachment_view(row), path


@verb
def remove_attachment(session: Session, actor: Actor, attachment_id: int) -> None:
    """Takes a file off its page; its content stays in the folder. commits: yes, once. needs: manage_meetings"""
    row = session.get(Attachment, attachment_id)
    if row is None:
        raise NotFound("there is no such file")
    require(session, actor, "manage_meetings", row.document_id)
    session.delete(row)
    audit.record(session, row.document_id, actor, "attachment_removed", {"attachment": row.id, "sha256": row.sha256})


def _attachment_view(row: Attachment) -> AttachmentView:
    return AttachmentView(row.id, row.meeting_id, row.name, row.media_type, row.size, row.sha256, row.at)

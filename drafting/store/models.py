"""The tables, one class each, in the words of docs/laws.md.

Times are aware UTC and end in `_at`. Every number that points into text counts UTF-16 code units. Texts in the
database are ordinary Unicode; `engine.text` converts at the services' door. Logs (revision, event, decision,
phase_change, filed forms) are append-only: rows are added, never rewritten; what may change is named as such.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on every database; SQLite stores none of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone is not stored; use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Packed(TypeDecorator[str]):
    """A long text kept compressed (zlib, UTF-8): spans of a text typed by hand shrink to a tenth."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:
        return None if value is None else zlib.compress(value.encode(), 6)

    def process_result_value(self, value: bytes | None, dialect: Any) -> str | None:
        return None if value is None else zlib.decompress(value).decode()


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────


class User(Base):
    """A person with an account. `anonymised_at` set: name and email are gone, the id stays in the logs."""

    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(5), default="pl")
    is_operator: Mapped[bool] = mapped_column(Boolean, default=False)  # may create documents
    may_be_named: Mapped[bool] = mapped_column(Boolean, default=False)  # agreed to be named in public reports
    created_at: Mapped[datetime]
    session_epoch: Mapped[int] = mapped_column(default=0)  # raised to end all sessions of the person
    anonymised_at: Mapped[datetime | None]


class Document(Base):
    """One programme under drafting. `phase` is the current one; its history is in phase_change."""

    __tablename__ = "document"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    municipality: Mapped[str] = mapped_column(String(200), default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(5), default="pl")
    timezone: Mapped[str] = mapped_column(String(64), default="Europe/Warsaw")
    phase: Mapped[str] = mapped_column(String(20), default="drafting")  # drafting consultation review opinion adopted
    phase_ends_at: Mapped[datetime | None]
    is_public: Mapped[bool] = mapped_column(Boolean, default=False)
    last_suggestion_number: Mapped[int] = mapped_column(default=0)
    last_annotation_number: Mapped[int] = mapped_column(default=0)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]


class Organization(Base):
    """Whom a change comes from. `code` is the two or three letters on its badge, `hue` 1 to 12."""

    __tablename__ = "organization"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    code: Mapped[str] = mapped_column(String(4))
    hue: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20), default="ngo")  # ngo department council office person
    description: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("document_id", "name"), UniqueConstraint("document_id", "code"))


class Membership(Base):
    """What a person is in a document: one role, and the organisation they speak for, if any."""

    __tablename__ = "membership"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))  # coordinator drafter official contributor council observer
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("document_id", "user_id"),)
    user: Mapped[User] = relationship(lazy="joined")
    organization: Mapped[Organization | None] = relationship(lazy="joined")


class Invitation(Base):
    """A link that gives a role. Only the SHA-256 of its token is kept; `purpose` invite or reset."""

    __tablename__ = "invitation"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(10), default="invite")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    role: Mapped[str | None] = mapped_column(String(20))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # reset: whose password
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    uses_left: Mapped[int] = mapped_column(default=1)
    revoked_at: Mapped[datetime | None]


class PhaseChange(Base):
    """A document entered a phase. Append-only."""

    __tablename__ = "phase_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    phase: Mapped[str] = mapped_column(String(20))
    ends_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]


class Meeting(Base):
    """A consultation meeting. `minutes` is Markdown; its sentences can be pointed at from a suggestion."""

    __tablename__ = "meeting"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    number: Mapped[int]
    topic: Mapped[str] = mapped_column(String(200))
    short: Mapped[str] = mapped_column(String(40), default="")
    hue: Mapped[int]
    place: Mapped[str] = mapped_column(String(200), default="")
    held_at: Mapped[datetime | None]
    summary: Mapped[str] = mapped_column(Text, default="")
    minutes: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("document_id", "number"),)


class MeetingAttendance(Base):
    """An organisation was at a meeting, with how many people."""

    __tablename__ = "meeting_attendance"
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), primary_key=True)
    people: Mapped[int] = mapped_column(default=1)


class Origin(Base):
    """"On behalf of": an organisation, a meeting, or an organisation at a meeting. Unique per document."""

    __tablename__ = "origin"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id"))
    key: Mapped[str] = mapped_column(String(40))  # "o12", "m3", "o12m3"
    organization: Mapped[Organization | None] = relationship(lazy="joined")
    meeting: Mapped[Meeting | None] = relationship(lazy="joined")
    __table_args__ = (UniqueConstraint("document_id", "key"),)


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────


class Section(Base):
    """One part of a document, in order. Position, title (cached first heading) and removal change; all logged as events."""

    __tablename__ = "section"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    position: Mapped[int]
    stream_id: Mapped[int | None] = mapped_column(ForeignKey("stream.id", use_alter=True))
    title: Mapped[str] = mapped_column(String(300), default="")
    statutory_point: Mapped[int | None]  # 1 to 11: which point of art. 5a ust. 4 it answers
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class Stream(Base):
    """A text with a log. `version` is the number of its revisions; the main stream's row is locked to order writers.

    A main stream begins empty; a branch begins with the main text at the version its suggestion was opened on.
    """

    __tablename__ = "stream"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))  # main branch
    section_id: Mapped[int] = mapped_column(ForeignKey("section.id"), index=True)
    version: Mapped[int] = mapped_column(default=0)
    length: Mapped[int] = mapped_column(default=0)  # of the text at `version`
    moved: Mapped[int] = mapped_column(default=0)  # main: transactions that changed anything in the section


class Revision(Base):
    """A stored update. Append-only; the primary key (stream, version) guards the order.

    `version` is the version that the revision makes: the first is 1. `changes` is the JSON text of the ChangeSet.
    `author_id` typed it; revision_origin says on whose behalf; `decision_id` by whose decision. `carried`: spans
    of the inserted text that come from elsewhere, [[length, stream, version, offset], ...].
    `main_version`: on a branch, the main version up to which this branch had been carried when it was stored.
    """

    __tablename__ = "revision"
    stream_id: Mapped[int] = mapped_column(ForeignKey("stream.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    changes: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(12), default="edit")
    # main: edit accept revert restore import move; branch: edit from_main decision
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    client: Mapped[str] = mapped_column(String(40))
    sequence: Mapped[int]
    carried: Mapped[str | None] = mapped_column(Text)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id", use_alter=True))
    main_version: Mapped[int | None]
    written_on: Mapped[int | None]  # branch edit: main version its author had before him, when it is an older one
    removal: Mapped[bool | None] = mapped_column(Boolean)
    # branch: takes proposed words out (rejected, superseded); of an edit: it was carried over such a revision
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("stream_id", "client", "sequence"), {"sqlite_with_rowid": False})


class RevisionOrigin(Base):
    """On whose behalf a revision was made; none, one or several rows."""

    __tablename__ = "revision_origin"
    stream_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    origin_id: Mapped[int] = mapped_column(ForeignKey("origin.id"), primary_key=True)
    __table_args__ = (
        ForeignKeyConstraint(["stream_id", "version"], ["revision.stream_id", "revision.version"]),
        {"sqlite_with_rowid": False},
    )


class Snapshot(Base):
    """Text and spans of a stream at a version, every 200 versions: a cache that `verify` recomputes."""

    __tablename__ = "snapshot"
    stream_id: Mapped[int] = mapped_column(ForeignKey("stream.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Packed)
    spans: Mapped[str] = mapped_column(Packed)  # JSON [[length, stream, version, offset], ...]


class Checkpoint(Base):
    """A section's index of open hunks at a moment: a cache that `verify` recomputes. One row a section, overwritten.

    Written every 200 changes and at every decision, so that what came after it is plain edits of main and branches.
    """

    __tablename__ = "checkpoint"
    section_id: Mapped[int] = mapped_column(ForeignKey("section.id"), primary_key=True)
    version: Mapped[int]  # of main
    branches: Mapped[str] = mapped_column(Text)  # JSON {suggestion: branch version}
    hunks: Mapped[str] = mapped_column(Text)  # JSON of the index
    epoch: Mapped[int]  # raised by everything that is not a plain edit


# ── proposals ───────────────────────────────────────────────────────────────────────────────────────────


class Suggestion(Base):
    """Changes proposed to one section, with a reason, on its own branch. `state` and `reason` change; the filed form does not."""

    __tablename__ = "suggestion"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("section.id"), index=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("stream.id"), unique=True)
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="draft")  # draft filed decided withdrawn
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))  # whose members may edit it
    reason: Mapped[str] = mapped_column(Text, default="")
    minutes_quote: Mapped[str] = mapped_column(Text, default="")  # the sentence of the minutes it rests on
    form: Mapped[str] = mapped_column(String(12), default="platform")  # platform meeting email form
    new_section: Mapped[bool] = mapped_column(Boolean, default=False)  # proposes the whole section
    opened_at_version: Mapped[int]  # main version it was opened on
    main_version: Mapped[int]  # main version up to which the branch log has been brought
    next_hunk_id: Mapped[int] = mapped_column(default=1)
    filed_form: Mapped[str | None] = mapped_column(Text)  # JSON [[hunk, start, end, text, ground], ...] as filed; never changed
    filed_version: Mapped[int | None]  # main version of the filed form
    created_at: Mapped[datetime]
    filed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("document_id", "number"),)


class SuggestionOrigin(Base):
    """On whose behalf a suggestion is made."""

    __tablename__ = "suggestion_origin"
    suggestion_id: Mapped[int] = mapped_column(ForeignKey("suggestion.id"), primary_key=True)
    origin_id: Mapped[int] = mapped_column(ForeignKey("origin.id"), primary_key=True)


class Hunk(Base):
    """One piece of a suggestion that can be decided alone; the row keeps its written form and its state.

    Where it stands in main now is derived (services keep the index of open hunks), not stored.
    """

    __tablename__ = "hunk"
    suggestion_id: Mapped[int] = mapped_column(ForeignKey("suggestion.id"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True)  # within the suggestion; never reused
    state: Mapped[str] = mapped_column(String(12), default="open")
    # open accepted rejected fulfilled superseded withdrawn joined
    start: Mapped[int]  # written form: range in main at `version`, and the words
    end: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    ground: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int]
    joined_into: Mapped[int | None]
    __table_args__ = ({"sqlite_with_rowid": False},)


class HunkState(Base):
    """A hunk entered a state. Append-only, ordered by id."""

    __tablename__ = "hunk_state"
    id: Mapped[int] = mapped_column(primary_key=True)
    suggestion_id: Mapped[int]
    hunk_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    main_version: Mapped[int]
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id", use_alter=True))
    at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(["suggestion_id", "hunk_id"], ["hunk.suggestion_id", "hunk.id"]),
        Index("ix_hunk_state_hunk", "suggestion_id", "hunk_id"),
    )


class Endorsement(Base):
    """An organisation's (or council's) support for a suggestion; taken back by `ended_at`."""

    __tablename__ = "endorsement"
    id: Mapped[int] = mapped_column(primary_key=True)
    suggestion_id: Mapped[int] = mapped_column(ForeignKey("suggestion.id"), index=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("suggestion_id", "organization_id"),)


class Decision(Base):
    """A verdict on a hunk, with a reason, by an official. Append-only but for `reverted_by_id`."""

    __tablename__ = "decision"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("section.id"), index=True)
    suggestion_id: Mapped[int] = mapped_column(ForeignKey("suggestion.id"), index=True)
    hunk_id: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(12))  # accepted reworded rejected reverted
    mode: Mapped[str] = mapped_column(String(12), default="")  # how a base_changed hunk was accepted: stands around
    reason: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]
    branch_version: Mapped[int]
    hunk_hash: Mapped[str] = mapped_column(String(64))
    main_version: Mapped[int]  # version of main after it (unchanged by a rejection)
    form: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # {start,end,ground,text,wording,before,after}: what was decided, in main's units; `before`/`after` are the
    # block's words for the report
    effects: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # {superseded:[[suggestion,hunk]], fulfilled:[...], shared:[...]}: what became of others
    set_id: Mapped[str | None] = mapped_column(String(32))  # decisions made in one transaction share it
    reverts_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    reverted_by_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    __table_args__ = (Index("ix_decision_hunk", "suggestion_id", "hunk_id"),)


# ── remarks ─────────────────────────────────────────────────────────────────────────────────────────────


class Annotation(Base):
    """A thread anchored to a passage, a section, a suggestion or the document.

    The placed form (start, end, version, quote) never changes but by "find again"; where it is now is cached in
    `now_*` and recomputed by `verify`.
    """

    __tablename__ = "annotation"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    number: Mapped[int]
    section_id: Mapped[int | None] = mapped_column(ForeignKey("section.id"), index=True)
    suggestion_id: Mapped[int | None] = mapped_column(ForeignKey("suggestion.id"), index=True)
    start: Mapped[int | None]
    end: Mapped[int | None]
    version: Mapped[int | None]
    quote_prefix: Mapped[str] = mapped_column(Text, default="")
    quote_exact: Mapped[str] = mapped_column(Text, default="")
    quote_suffix: Mapped[str] = mapped_column(Text, default="")
    now_start: Mapped[int | None]
    now_end: Mapped[int | None]
    now_version: Mapped[int | None]
    orphaned: Mapped[bool] = mapped_column(Boolean, default=False)
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    origin_id: Mapped[int | None] = mapped_column(ForeignKey("origin.id"))
    kind: Mapped[str] = mapped_column(String(10), default="remark")  # remark question
    form: Mapped[str] = mapped_column(String(12), default="platform")
    state: Mapped[str] = mapped_column(String(10), default="open")  # open resolved
    position: Mapped[str | None] = mapped_column(String(20))  # stanowisko: accepted partly rejected noted inadmissible
    position_reason: Mapped[str] = mapped_column(Text, default="")
    position_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    position_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("document_id", "number"),)


class Comment(Base):
    """One entry of a thread; the first is the remark itself."""

    __tablename__ = "comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotation.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


# ── the process ─────────────────────────────────────────────────────────────────────────────────────────


class Milestone(Base):
    """A named version of the whole document. Immutable; `chain_head` is the audit chain's hash at that moment."""

    __tablename__ = "milestone"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]
    chain_head: Mapped[str] = mapped_column(String(64), default="")
    __table_args__ = (UniqueConstraint("document_id", "name"),)


class MilestoneSection(Base):
    """Which section, at which place, at which version."""

    __tablename__ = "milestone_section"
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestone.id"), primary_key=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("section.id"), primary_key=True)
    position: Mapped[int]
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(300), default="")


class Event(Base):
    """What happened, in one order per document, each with the hash of the one before. Append-only."""

    __tablename__ = "event"
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    data: Mapped[str] = mapped_column(Text)  # canonical JSON
    at: Mapped[datetime]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    __table_args__ = ({"sqlite_with_rowid": False},)


class Notification(Base):
    """Something a person should know; `read_at` empty until they have seen it."""

    __tablename__ = "notification"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    kind: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Attachment(Base):
    """A file kept in instance/uploads under its SHA-256."""

    __tablename__ = "attachment"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id"))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]


class News(Base):
    """A notice on the project page, in Markdown."""

    __tablename__ = "news"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]


"""Revisions as values, read from the log; and a stream's log as the engine wants to read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from drafting.engine.attribution import Span
from drafting.engine.changes import ChangeSet
from drafting.engine.text import to_units
from drafting.errors import NotFound
from drafting.store.models import (
    Revision,
    RevisionOrigin,
    Snapshot,
)

KEPT_TEXTS = 8  # old versions whose text is remembered: remarks and hunks written on the same version ask again
RECENT = 4000  # revisions of a stream that stay in memory; older ones are read again when asked for


@dataclass(frozen=True, slots=True)
class Stored:
    """A revision as it is in the log."""

    version: int
    client: str
    sequence: int
    changes: ChangeSet
    kind: str
    author_id: int | None
    origins: tuple[int, ...] = ()
    main_version: int | None = None
    written_on: int | None = None
    removal: bool = False
    decision_id: int | None = None
    carried: tuple[Span, ...] | None = None
    at: datetime | None = None


# ── logs ────────────────────────────────────────────────────────────────────────────────────────────────


class StreamLog:
    """One stream's log, as the engine wants to read it: newest revisions in memory, older ones from the database."""

    def __init__(self, head: Any, stream_id: int, version: int) -> None:
        self.stream_id = stream_id
        self.version = version
        self._head = head
        self._rows: dict[int, Stored] = {}
        self._texts: dict[int, str] = {}  # of versions asked for lately

    def append(self, stored: Stored) -> None:
        self._rows[stored.version] = stored
        self.version = stored.version
        self._rows.pop(stored.version - RECENT, None)

    def stored(self, version: int) -> Stored:
        """The revision that made this version."""
        row = self._rows.get(version)
        if row is None:
            if not 1 <= version <= self.version:
                raise NotFound(f"stream {self.stream_id} has no version {version}; its newest is {self.version}")
            row = self.load(version, min(version + 500, self.version))[0]
        return row

    def since(self, version: int, until: int | None = None) -> list[Stored]:
        """The revisions after a version, in order."""
        last = self.version if until is None else until
        missing = next((v for v in range(version + 1, last + 1) if v not in self._rows), None)
        if missing is None:
            return [self._rows[v] for v in range(version + 1, last + 1)]
        # What the transaction under way has appended is only in memory.
        rows = {**{row.version: row for row in self.load(missing, last)}, **self._rows}
        return [rows[v] for v in range(version + 1, last + 1)]

    def load(self, first: int, last: int) -> list[Stored]:
        """Reads revisions, and keeps them: what is asked for by place in the text comes in any order of versions."""
        with self._head.reader() as session:
            rows = read_revisions(session, self.stream_id, first - 1, last)
        for row in rows:
            self._rows.setdefault(row.version, row)
        return rows

    # the engine's Log

    def changes(self, version: int) -> ChangeSet:
        return self.stored(version).changes

    def carried(self, version: int) -> tuple[Span, ...] | None:
        return self.stored(version).carried

    def text(self, version: int) -> str:
        """The main text at a version, units form."""
        head = self._head
        if version == self.version:
            return head.text
        known = self._texts.get(version)
        if known is not None:
            return known
        with head.reader() as session:
            found, text = nearest_text(session, self.stream_id, version)
        for row in self.since(found, version):
            text = row.changes.apply(text)
        if len(self._texts) >= KEPT_TEXTS:
            del self._texts[next(iter(self._texts))]
        self._texts[version] = text
        return text


def read_revisions(session: Session, stream_id: int, after: int, until: int) -> list[Stored]:
    """The revisions of a stream with after < version ≤ until, in order."""
    columns = Revision.__table__.c
    rows = session.execute(
        select(columns)
        .where(columns.stream_id == stream_id, columns.version > after, columns.version <= until)
        .order_by(columns.version)
    ).all()
    if not rows:
        return []
    origins: dict[int, list[int]] = {}
    for version, origin_id in session.execute(
        select(RevisionOrigin.version, RevisionOrigin.origin_id)
        .where(RevisionOrigin.stream_id == stream_id, RevisionOrigin.version > after, RevisionOrigin.version <= until)
        .order_by(RevisionOrigin.version, RevisionOrigin.origin_id)
    ):
        origins.setdefault(version, []).append(origin_id)
    return [stored_of(row, tuple(origins.get(row.version, ()))) for row in rows]


def stored_of(row: Row[Any] | Any, origins: tuple[int, ...]) -> Stored:
    """A row of the table as a value."""
    return Stored(
        version=row.version,
        client=row.client,
        sequence=row.sequence,
        changes=ChangeSet.from_json(json.loads(row.changes)),
        kind=row.kind,
        author_id=row.author_id,
        origins=origins,
        main_version=row.main_version,
        written_on=row.written_on,
        removal=bool(row.removal),
        decision_id=row.decision_id,
        carried=None if row.carried is None else spans_of(json.loads(row.carried)),
        at=row.at,
    )


def spans_of(value: Iterable[Iterable[int]]) -> tuple[Span, ...]:
    """Spans from their JSON, [[length, stream, version, offset], ...]."""
    return tuple(Span(*each) for each in value)


def spans_json(spans: Iterable[Span]) -> str:
    return "[" + ",".join(["[%d,%d,%d,%d]" % span for span in spans]) + "]"  # twice as quick as json.dumps


def nearest_text(session: Session, stream_id: int, version: int) -> tuple[int, str]:
    """The newest snapshot at or before a version: its version and its text in units form; (0, "") when there is none."""
    row = session.execute(
        select(Snapshot.version, Snapshot.text)
        .where(Snapshot.stream_id == stream_id, Snapshot.version <= version)
        .order_by(Snapshot.version.desc())
        .limit(1)
    ).one_or_none()
    return (row.version, to_units(row.text)) if row else (0, "")

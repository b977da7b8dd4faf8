"""The whole log of a section's main stream as a worker keeps it for reading the past: `KeptLog`; and as one reader sees
it: `StreamHistory`, an engine `Log` that ends at the version which the reader's transaction sees.

Logs are append-only, so what was read once is never read again: every look-up reads the revisions that are new and
keeps them, as rows whose changes are parsed when somebody asks for them. Texts and spans of old versions start from the
nearest snapshot. Two things are folded as far as the log has been read and no further: the `weave` of all that ever
stood, and the ledger of every coming and going of characters that are not where they were typed. While somebody reads,
others may read further: a reader is never told of a revision whose decision, author or origin it cannot see.

Nothing here decides who may read: callers ask `access` first. In a writing transaction nothing is kept.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.attribution import Span, Tape
from drafting.engine.changes import ChangeSet
from drafting.engine.text import to_units
from drafting.engine.weave import Weave, inserted_text, weave
from drafting.errors import NotFound
from drafting.services.heads import spans_of
from drafting.store.models import Revision, RevisionOrigin, Snapshot, Stream

KEPT_STATES = 12  # old versions of a stream whose text and spans are remembered: a reader compares the same ones again
KEPT_VIEWS = 12  # runs or removed words of versions of a stream: those of now, and of a few named ones
KEPT_LOGS = 400  # streams of a database in memory; a document has a dozen


class Fact(NamedTuple):
    """Who made a revision, when, and by what decision."""

    kind: str
    author_id: int | None
    decision_id: int | None
    at: datetime


class Passing(NamedTuple):
    """Characters [offset, offset + length) of one revision came to, or went from, this stream at a version."""

    offset: int
    length: int
    version: int


class KeptLog:
    """A main stream from its first revision as far as it was read, with who and when beside it."""

    def __init__(self, stream_id: int, section_id: int, bind: Any) -> None:
        self.stream_id = stream_id
        self.section_id = section_id
        self.facts: list[Fact] = []  # of version i + 1
        self.times: list[datetime] = []
        self.origins: dict[int, tuple[int, ...]] = {}
        self.authors: set[int] = set()
        self.lock = threading.RLock()
        self._bind = bind
        self._raw: list[str] = []
        self._parsed: dict[int, ChangeSet] = {}
        self._carried: dict[int, tuple[Span, ...]] = {}
        self._states: dict[int, tuple[str, list[Span]]] = {}
        self._weave: Weave | None = None
        self._tape = Tape()  # for the ledger, at `_told`
        self._told = 0
        self._views: dict[Any, Any] = {}  # what was made of it for people, while `_stamp` is what it was
        self._stamp: Any = None
        self._gone: dict[tuple[int, int], list[Passing]] = {}
        self._came: dict[tuple[int, int], list[Passing]] = {}

    # ── what the engine asks ──

    @property
    def version(self) -> int:
        """The newest revision that was read. The last thing that grows: all else is there already."""
        return len(self._raw)

    def changes(self, version: int) -> ChangeSet:
        known = self._parsed.get(version)
        if known is None:
            known = self._parsed[version] = ChangeSet.from_json(json.loads(self._raw[version - 1]))
        return known

    def carried(self, version: int) -> tuple[Span, ...] | None:
        return self._carried.get(version)

    def text(self, version: int) -> str:
        """Units form."""
        return self.state(version)[0]

    def spans(self, version: int) -> list[Span]:
        return self.state(version)[1]

    # ── the past ──

    def state(self, version: int) -> tuple[str, list[Span]]:
        """Text (units form) and spans at a version. raises: NotFound"""
        if not 0 <= version <= self.version:
            raise NotFound(f"section {self.section_id} has no version {version}", version=self.version)
        with self.lock:
            known = self._states.pop(version, None)
            if known is None:
                tape, found = self._nearest(version)
                for each in range(found + 1, version + 1):
                    tape.apply(self.changes(each), each, self._carried.get(each))
                known = tape.text(), tape.spans()
                if len(self._states) >= KEPT_STATES:
                    del self._states[next(iter(self._states))]
            self._states[version] = known  # the newest asked for is last to go
            return known

    def _nearest(self, version: int) -> tuple[Tape, int]:
        """A tape to go on from, and its version: from a state that is remembered or a snapshot."""
        best = max((each for each in self._states if each <= version), default=0)
        with Session(self._bind) as session:
            row = session.execute(
                select(Snapshot.version, Snapshot.text, Snapshot.spans)
                .where(Snapshot.stream_id == self.stream_id, Snapshot.version <= version, Snapshot.version > best)
                .order_by(Snapshot.version.desc())
                .limit(1)
            ).one_or_none()
        if row is not None:
            return Tape(to_units(row.text), spans_of(json.loads(row.spans))), row.version
        if best:
            return Tape(*self._states[best]), best
        return Tape(), 0

    def inserted(self, version: int) -> str:
        """All that a revision inserted, units form: what the offsets of its characters count in."""
        return inserted_text(self.changes(version))

    def weave(self, version: int) -> Weave:
        """All that ever stood up to a version; the newest one asked for is kept. Hold `lock` while it is read."""
        if self._weave is None:
            self._weave = Weave(self, 0)
        if version < self._weave.version:
            return weave(self, 0, version)
        return self._weave.fold(version)

    def own(self, span: Span) -> Span:
        """The span with this stream named."""
        return span if span.stream else span._replace(stream=self.stream_id)

    def views(self, stamp: Any) -> dict[Any, Any]:
        """What was made of this log for people, kept until the stamp changes. What is of one version has a tuple as key."""
        with self.lock:
            if self._stamp != stamp:
                self._stamp, self._views = stamp, {}
            of_versions = [key for key in self._views if isinstance(key, tuple)]
            for key in of_versions[: max(0, len(of_versions) - KEPT_VIEWS)]:
                del self._views[key]
            return self._views

    # ── the ledger ──

    def came(self, stream: int, version: int) -> Sequence[Passing]:
        """When characters of a revision came here otherwise than by being typed: moved, brought back."""
        with self.lock:
            self._tell()
            return self._came.get((stream, version), ())

    def gone(self, stream: int, version: int) -> Sequence[Passing]:
        """When characters of a revision were taken out here."""
        with self.lock:
            self._tell()
            return self._gone.get((stream, version), ())

    def _tell(self, most: int | None = None) -> None:
        """Goes through the revisions that the ledger does not know yet, one after the other. most: so many at most"""
        tape = self._tape
        end = self.version if most is None else min(self.version, self._told + most)
        for version in range(self._told + 1, end + 1):
            changes, carried = self.changes(version), self._carried.get(version)
            for start, end, _ in changes.replacements:
                if start < end:
                    self._note(self._gone, tape.spans(start, end), version)
            if carried is not None:
                self._note(self._came, [each for each in carried if not self._is_new(each, version)], version)
            tape.apply(changes, version, carried)
            self._told = version

    def _is_new(self, span: Span, version: int) -> bool:
        return span.stream in (0, self.stream_id) and span.version == version

    def _note(self, book: dict[tuple[int, int], list[Passing]], spans: Sequence[Span], version: int) -> None:
        for length, stream, born, offset in spans:
            book.setdefault((stream or self.stream_id, born), []).append(Passing(offset, length, version))

    # ── reading rows, and ahead of those who ask ──

    def fold_ahead(self, most: int) -> bool:
        """Folds weave and ledger over so many more revisions; whether there are others still."""
        if not self.version:
            return False
        with self.lock:
            if self._weave is None:
                self._weave = Weave(self, 0)
            if self._weave.version < self.version:
                self._weave.fold(min(self.version, self._weave.version + most))
            else:
                self._tell(most)
            return self._weave.version < self.version or self._told < self.version

    def refresh(self, session: Session, version: int) -> None:
        """Reads what is new up to a version."""
        with self.lock:
            known = self.version
            if version <= known:
                return
            made: dict[int, list[int]] = {}
            for version_, origin_id in session.execute(
                select(RevisionOrigin.version, RevisionOrigin.origin_id)
                .where(
                    RevisionOrigin.stream_id == self.stream_id,
                    RevisionOrigin.version > known,
                    RevisionOrigin.version <= version,
                )
                .order_by(RevisionOrigin.version, RevisionOrigin.origin_id)
            ):
                made.setdefault(version_, []).append(origin_id)
            self.origins.update((each, tuple(ids)) for each, ids in made.items())
            row = Revision.__table__.c
            for each in session.execute(
                select(row.changes, row.kind, row.author_id, row.carried, row.decision_id, row.at)
                .where(row.stream_id == self.stream_id, row.version > known, row.version <= version)
                .order_by(row.version)
            ).all():
                self.facts.append(Fact(each[1], each[2], each[4], each[5]))
                # a clock that was set back does not put a version before the one it follows
                self.times.append(max(each[5], self.times[-1]) if self.times else each[5])
                if each[2] is not None:
                    self.authors.add(each[2])
                if each[3] is not None:
                    self._carried[len(self._raw) + 1] = spans_of(json.loads(each[3]))
                self._raw.append(each[0])


class StreamHistory:
    """A main stream as one reader sees it; the engine's `Log`. `facts` and `times` may go on after `version`."""

    def __init__(self, log: KeptLog, version: int) -> None:
        self.log = log
        self.version = version
        self.stream_id, self.section_id = log.stream_id, log.section_id
        self.facts, self.times, self.origins, self.lock = log.facts, log.times, log.origins, log.lock
        self.authors = frozenset(log.authors)
        self.changes, self.carried, self.inserted = log.changes, log.carried, log.inserted
        self.own, self.views = log.own, log.views

    def state(self, version: int) -> tuple[str, list[Span]]:
        """Text (units form) and spans at a version. raises: NotFound"""
        if not 0 <= version <= self.version:
            raise NotFound(f"section {self.section_id} has no version {version}", version=self.version)
        return self.log.state(version)

    def text(self, version: int) -> str:
        """Units form."""
        return self.state(version)[0]

    def spans(self, version: int) -> list[Span]:
        return self.state(version)[1]

    def version_at(self, at: datetime) -> int:
        """The newest version that was there at a moment."""
        return bisect_right(self.times, at, hi=self.version)

    def weave(self) -> Weave:
        """All that ever stood here, up to `version`. Hold `lock` while it is read."""
        return self.log.weave(self.version)

    def came(self, stream: int, version: int) -> Sequence[Passing]:
        """When characters of a revision came here otherwise than by being typed: moved, brought back."""
        return [each for each in self.log.came(stream, version) if each.version <= self.version]

    def gone(self, stream: int, version: int) -> Sequence[Passing]:
        """When characters of a revision were taken out here."""
        return [each for each in self.log.gone(stream, version) if each.version <= self.version]


# ── the logs of a database ──────────────────────────────────────────────────────────────────────────────


_kept: WeakKeyDictionary[Any, dict[int, KeptLog]] = WeakKeyDictionary()
_kept_lock = threading.Lock()


def histories(session: Session, stream_ids: Sequence[int]) -> dict[int, StreamHistory]:
    """{stream: its history up to what this session sees} of these main streams. Ask `access` before."""
    found, versions = _remembered(session, stream_ids)
    for stream_id, version in versions.items():
        found[stream_id].refresh(session, version)
    return {stream_id: StreamHistory(found[stream_id], version) for stream_id, version in versions.items()}


def read_ahead(session: Session, stream_id: int, most: int) -> tuple[KeptLog, bool] | None:
    """A stream's log after so many more of its revisions were read, and whether there are others still."""
    found, versions = _remembered(session, [stream_id])
    if stream_id not in found:
        return None
    log, version = found[stream_id], versions[stream_id]
    log.refresh(session, min(version, log.version + most))
    return log, log.version < version


def _remembered(session: Session, stream_ids: Sequence[int]) -> tuple[dict[int, KeptLog], dict[int, int]]:
    """{stream: its log as far as it was read}, {stream: its version now}."""
    wanted = set(stream_ids)
    rows = session.execute(select(Stream.id, Stream.section_id, Stream.version).where(Stream.id.in_(wanted))).all()
    bind = session.get_bind()
    writing = bool(session.info.get("heads"))
    with _kept_lock:
        known = {} if writing else _kept.setdefault(bind.pool, {})
        found = {}
        for stream_id, section_id, _ in rows:
            log = known.pop(stream_id, None)
            if log is None:
                reading = bind.execution_options(drafting_writes=False) if not writing else session.connection()
                log = KeptLog(stream_id, section_id, reading)
            found[stream_id] = known[stream_id] = log
        while len(known) > KEPT_LOGS:
            del known[next(iter(known))]
    return found, {stream_id: version for stream_id, _, version in rows}


def history_of(session: Session, stream_id: int) -> StreamHistory:
    """One stream's history up to now. raises: NotFound"""
    found = histories(session, [stream_id])
    if stream_id not in found:
        raise NotFound("there is no such stream")
    return found[stream_id]

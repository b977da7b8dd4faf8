"""What a worker keeps in memory of a section: its text with who wrote it, its open hunks, its anchors, its newest log.

A `Head` is a cache. The database is the truth: whoever writes locks the row of the section's main stream, compares
`moved` (the number of transactions that changed anything in the section), catches up with what others stored, changes
the head and the rows, and commits. A transaction that does not commit drops the head. So all that happens in a section,
on main and on its branches, has one order.

Locks are taken in this order: rows of main streams by id, then heads by section id; whoever holds a head never waits
for a row. A writer keeps its heads to the end of the transaction, so nobody reads what may be rolled back.

After a commit every listener of the database is told what moved (`Movement`); `web/live.py` is one. What a head knows
of the log it answers as `Stored` rows, which are never older than the text.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Select, bindparam, delete, event, insert, select, update
from sqlalchemy.orm import Session

from drafting.engine.attribution import Span, Tape
from drafting.engine.plans import BranchOutcome, Outcome
from drafting.engine.proposals import Proposals
from drafting.engine.text import from_units, to_units
from drafting.errors import NotFound
from drafting.services.anchored import Anchors
from drafting.services.movements import Movement
from drafting.services.stored import (
    RECENT,
    Stored,
    StreamLog,
    nearest_text,
    read_revisions,
    spans_json,
    spans_of,
)
from drafting.store.models import (
    Checkpoint,
    Revision,
    RevisionOrigin,
    Section,
    Snapshot,
    Stream,
    Suggestion,
)

__all__ = [
    "MAIN_CLIENT", "RECENT", "SERVER_CLIENT", "SNAPSHOT_EVERY", "Branch", "Head", "Movement", "Registry", "Stored", "StreamLog",
    "movement", "nearest_text", "read_revisions", "reading", "registry_of", "spans_json", "spans_of", "store", "stream_row",
    "suggestions_of", "writing", "writing_all",
]  # fmt: skip

SNAPSHOT_EVERY = 200  # versions; reading a section then replays at most so many
KEPT_SNAPSHOTS = 16  # of those only every 16th is kept for good: 20,000 keystrokes must not cost more than 3 MB

MAIN_CLIENT = "main"  # in a branch log: what came from the main stream; sequence is the main version
SERVER_CLIENT = "server"  # what no editor sent; sequence is the version it makes


# ── heads ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Branch:
    """A suggestion's branch as a head knows it. `main_version`: how far the stored log has been brought up."""

    suggestion_id: int
    number: int
    log: StreamLog
    opened_at_version: int
    main_version: int


class Head:
    """A section's present state. Hold `lock` to read or change it."""

    def __init__(self, registry: Registry, section_id: int) -> None:
        self.registry = registry
        self.section_id = section_id
        self.lock = threading.RLock()
        self.is_stale = False
        self.touched = False  # by the transaction under way
        self.is_loaded = False
        self.session: Session | None = None  # of the transaction under way
        self.document_id = 0
        self.stream_id = 0
        self.moved = -1
        self.epoch = 0
        self.unsaved = 0  # changes since the checkpoint
        self.saved_version = 0  # of the newest snapshot
        self.text = ""  # main, units form
        self.tape: Tape
        self.log: StreamLog
        self.proposals: Proposals
        self.branches: dict[int, Branch] = {}
        self.anchors = Anchors()
        self.clients: dict[tuple[int, str], tuple[int, int | None]] = {}  # (stream, client) → as `newest_of`
        self._flagged: frozenset[int] | None = None  # see `flagged`; None: to be looked at again

    @property
    def version(self) -> int:
        return self.log.version

    def branch_of(self, stream_id: int) -> Branch | None:
        return next((branch for branch in self.branches.values() if branch.log.stream_id == stream_id), None)

    def log_of(self, stream_id: int) -> StreamLog:
        """The log of the main stream or of a branch. raises NotFound"""
        if stream_id == self.stream_id:
            return self.log
        branch = self.branch_of(stream_id)
        if branch is None:
            raise NotFound(f"section {self.section_id} has no stream {stream_id}")
        return branch.log

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """A session to read older rows with: that of the transaction under way, else one of its own."""
        if self.session is not None:
            yield self.session
        else:
            with self.registry.read() as session:
                yield session

    def spans(self, start: int, end: int) -> list[Span]:
        """Who brought in a part of the text, naming this stream too: for text that goes to another section."""
        return [
            span._replace(stream=self.stream_id) if span.stream == 0 else span for span in self.tape.spans(start, end)
        ]

    def own_spans(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """Spans as this stream keeps them: it calls itself 0."""
        return tuple(span._replace(stream=0) if span.stream == self.stream_id else span for span in spans)

    def newest_of(self, stream_id: int, client: str) -> tuple[int, int | None]:
        """The newest sequence number stored for a client in a stream, 0 when there is none, and whose editor it is."""
        key = (stream_id, client)
        known = self.clients.get(key)
        if known is None:
            with self.reader() as session:
                row = session.execute(
                    select(Revision.sequence, Revision.author_id)
                    .where(Revision.stream_id == stream_id, Revision.client == client)
                    .order_by(Revision.sequence.desc())
                    .limit(1)
                ).one_or_none()
            known = self.clients[key] = (row.sequence, row.author_id) if row else (0, None)
        return known

    # ── changing ──

    def take_main(self, stored: Stored) -> Outcome:
        """A direct edit of main, already brought onto the head.

        raises  MismatchError, PositionError, and then nothing has changed
        """
        known = self._flagged
        self.append_main(stored)
        outcome = self.proposals.main_update(stored.changes, stored.version, stored.carried)
        self._flagged = self._flagged_again(known, outcome.touched)
        return outcome

    def append_main(self, stored: Stored) -> None:
        """Text, attribution, anchors and log after one more revision of main; the index is the caller's."""
        self.text = stored.changes.apply(self.text)
        self.touched = True
        self.tape.apply(stored.changes, stored.version, stored.carried)
        self.log.append(stored)
        self.unsaved += 1
        self._flagged = None
        self.anchors.main_update(stored.changes, stored.version)

    def take_branch(self, branch: Branch, stored: Stored) -> BranchOutcome | None:
        """A revision of a branch; an author's edit changes the hunks, the rest of a branch log comes from the index."""
        outcome = None
        self.touched = True
        if stored.kind == "edit":
            written_on = self.version if stored.written_on is None else stored.written_on
            outcome = self.proposals.branch_update(
                branch.suggestion_id, stored.changes, written_on=written_on, flagged=stored.removal
            )
            self._flagged = self._flagged_again(self._flagged, (branch.suggestion_id,))
        branch.log.append(stored)
        branch.main_version = max(branch.main_version, stored.main_version or 0)
        self.unsaved += 1
        return outcome

    # ── what has lost its ground ──

    def flagged(self) -> frozenset[int]:
        """The open suggestions of which something is base_changed; the same object as long as they are the same."""
        if self._flagged is None:
            self._flagged = frozenset(each for each in self.proposals.suggestions() if self._is_flagged(each))
        return self._flagged

    def forget_flagged(self) -> None:
        """Hunks entered or left a state otherwise than by a plain edit."""
        self._flagged = None

    def _is_flagged(self, suggestion_id: int) -> bool:
        return any(hunk.base_changed for hunk in self.proposals.hunks(suggestion_id))

    def _flagged_again(self, known: frozenset[int] | None, touched: Iterable[int]) -> frozenset[int] | None:
        if known is None or not touched:
            return known
        for each in touched:
            if self._is_flagged(each) != (each in known):
                known ^= {each}
        return known

    # ── reading from the database ──

    def refresh(self, session: Session, row: Any) -> None:
        """Catches up with the rows, given the section's stream row as `stream_row` read it."""
        if self.is_loaded and self.moved >= row.moved:
            return
        outer, self.session = self.session, session
        try:
            epoch = session.scalar(select(Checkpoint.epoch).where(Checkpoint.section_id == self.section_id)) or 0
            if not self.is_loaded or epoch != self.epoch:
                self._load(session, row)
            self._replay(session, row.version)
            self.anchors.refresh(session, self)
            self.moved = row.moved
            self.is_loaded = True
        except BaseException:
            self.registry.forget(self)
            raise
        finally:
            self.session = outer

    def _load(self, session: Session, row: Any) -> None:
        """Text and index as they were at the checkpoint, which is never older than the newest snapshot."""
        self.document_id, self.stream_id = row.document_id, row.stream_id
        snapshot = session.execute(
            select(Snapshot.version, Snapshot.text, Snapshot.spans)
            .where(Snapshot.stream_id == row.stream_id, Snapshot.version <= row.version)
            .order_by(Snapshot.version.desc())
            .limit(1)
        ).one_or_none()
        checkpoint = session.execute(
            select(Checkpoint.version, Checkpoint.branches, Checkpoint.hunks, Checkpoint.epoch).where(
                Checkpoint.section_id == self.section_id
            )
        ).one_or_none()
        self.saved_version = snapshot.version if snapshot else 0
        self.text = to_units(snapshot.text) if snapshot else ""
        self.tape = Tape(self.text, spans_of(json.loads(snapshot.spans))) if snapshot else Tape()
        self.log = StreamLog(self, row.stream_id, self.saved_version)
        self.clients, self.branches, self.unsaved, self.anchors = {}, {}, 0, Anchors()
        self._flagged = None
        self.epoch = checkpoint.epoch if checkpoint else 0
        if checkpoint is None:  # no suggestion was ever opened here
            self.proposals = Proposals(self.log)
            return
        for stored in read_revisions(session, row.stream_id, self.saved_version, checkpoint.version):
            self.text = stored.changes.apply(self.text)
            self.tape.apply(stored.changes, stored.version, stored.carried)
            self.log.append(stored)
        self.proposals = Proposals.load(self.log, json.loads(checkpoint.hunks))
        known = {int(key): value for key, value in json.loads(checkpoint.branches).items()}
        for each in session.execute(suggestions_of(self.section_id)):
            if each.id in known:
                version, main_version = known[each.id]
                branch = self.add_branch(each.id, each.number, each.stream_id, each.opened_at_version)
                branch.log.version, branch.main_version = version, main_version

    def add_branch(self, suggestion_id: int, number: int, stream_id: int, opened_at_version: int) -> Branch:
        """A suggestion that was just opened."""
        log = StreamLog(self, stream_id, 0)
        branch = Branch(suggestion_id, number, log, opened_at_version, opened_at_version)
        self.branches[suggestion_id] = branch
        return branch

    def _replay(self, session: Session, version: int) -> None:
        """Plain edits of main and branches since `self.version`, in the order they were made."""
        waiting: list[tuple[int, int, Branch, Stored]] = []
        for each in session.execute(suggestions_of(self.section_id)):
            branch = self.branches.get(each.id)
            if branch is not None and each.version > branch.log.version:
                for stored in read_revisions(session, branch.log.stream_id, branch.log.version, each.version):
                    waiting.append((stored.main_version or 0, stored.version, branch, stored))
        waiting.sort(key=lambda one: (one[0], one[2].suggestion_id, one[1]), reverse=True)
        incoming = iter(read_revisions(session, self.stream_id, self.version, version))
        while True:
            while waiting and waiting[-1][0] <= self.version:
                _, _, branch, stored = waiting.pop()
                if stored.kind != "edit":
                    self.proposals.catch_up(branch.suggestion_id)  # what it answers is what was stored
                self.take_branch(branch, stored)
            main = next(incoming, None)
            if main is None:
                return
            self.take_main(main)

    # ── writing to the database ──

    def save(self, session: Session, *, epoch: bool = False) -> None:
        """Writes checkpoint and snapshot when they are due.

        epoch  something happened that is not a plain edit: the checkpoint is due now
        """
        snapshot_due = self.version - self.saved_version >= SNAPSHOT_EVERY
        if not (epoch or snapshot_due or self.unsaved >= SNAPSHOT_EVERY):
            return
        if epoch:
            self.epoch += 1
        values = {
            "version": self.version,
            "branches": json.dumps({str(b.suggestion_id): [b.log.version, b.main_version] for b in self.branches.values()}),
            "hunks": json.dumps(self.proposals.dump(), separators=(",", ":")),
            "epoch": self.epoch,
        }
        if not session.execute(
            update(Checkpoint).where(Checkpoint.section_id == self.section_id).values(values)
        ).rowcount:
            session.execute(insert(Checkpoint).values(section_id=self.section_id, **values))
        self.unsaved = 0
        if snapshot_due:
            self._save_snapshot(session)

    def _save_snapshot(self, session: Session) -> None:
        session.execute(
            insert(Snapshot).values(
                stream_id=self.stream_id,
                version=self.version,
                text=from_units(self.text),
                spans=spans_json(self.tape.spans()),
            )
        )
        old = session.scalars(
            select(Snapshot.version)
            .where(Snapshot.stream_id == self.stream_id, Snapshot.version < self.saved_version)
            .order_by(Snapshot.version)
        ).all()
        kept = -SNAPSHOT_EVERY * KEPT_SNAPSHOTS
        spare = []
        for version in old:
            if version - kept < SNAPSHOT_EVERY * KEPT_SNAPSHOTS:
                spare.append(version)
            else:
                kept = version
        if spare:
            session.execute(
                delete(Snapshot).where(Snapshot.stream_id == self.stream_id, Snapshot.version.in_(spare))
            )
        self.saved_version = self.version
        self.anchors.save(session, self.version)


def suggestions_of(section_id: int) -> Select[Any]:
    """Id, number, stream, newest branch version and first main version of the suggestions that can still change."""
    return (
        select(
            Suggestion.id, Suggestion.number, Suggestion.stream_id, Suggestion.opened_at_version, Stream.version
        )
        .join(Stream, Stream.id == Suggestion.stream_id)
        .where(Suggestion.section_id == section_id, Suggestion.state != "withdrawn")
        .order_by(Suggestion.id)
    )


_STREAM_ROW = (
    select(Stream.id.label("stream_id"), Stream.version, Stream.length, Stream.moved, Section.document_id)
    .join(Section, Section.stream_id == Stream.id)
    .where(Section.id == bindparam("section_id"))
)
_LOCKED_STREAM_ROW = _STREAM_ROW.with_for_update(of=Stream)


def stream_row(session: Session, section_id: int, *, locking: bool = False) -> Any:
    """The row of a section's main stream, with its document. raises: NotFound"""
    # By the connection: a push makes five statements, and the session's way costs twice as much for each.
    statement = _LOCKED_STREAM_ROW if locking else _STREAM_ROW
    row = session.connection().execute(statement, {"section_id": section_id}).one_or_none()
    if row is None:
        raise NotFound(f"there is no section {section_id}")
    return row


# ── the registry ────────────────────────────────────────────────────────────────────────────────────────


class Registry:
    """The heads of one database in this process, and who wants to know what moved."""

    def __init__(self, bind: Any) -> None:
        self._reading = bind.execution_options(drafting_writes=False)
        self._heads: dict[int, Head] = {}
        self._lock = threading.Lock()
        self.listeners: list[Callable[[list[Movement]], None]] = []
        self.section_of_stream: dict[int, int] = {}  # never changes once there

    def head(self, section_id: int) -> Head:
        with self._lock:
            head = self._heads.get(section_id)
            if head is None:
                head = self._heads[section_id] = Head(self, section_id)
            return head

    def forget(self, head: Head) -> None:
        """The head is not what the database says; whoever waits for it takes a new one."""
        with self._lock:
            head.is_stale = True
            if self._heads.get(head.section_id) is head:
                del self._heads[head.section_id]

    def forget_all(self) -> None:
        """As after a restart."""
        with self._lock:
            for head in self._heads.values():
                head.is_stale = True
            self._heads.clear()

    def read(self) -> Session:
        return Session(self._reading)

    def acquire(self, section_id: int) -> Head:
        """The section's head, locked."""
        while True:
            head = self.head(section_id)
            head.lock.acquire()
            if not head.is_stale:
                return head
            head.lock.release()


_registries: WeakKeyDictionary[Any, Registry] = WeakKeyDictionary()
_registries_lock = threading.Lock()


def registry_of(session: Session) -> Registry:
    """The registry of the session's database."""
    bind = session.get_bind()
    with _registries_lock:
        registry = _registries.get(bind.pool)
        if registry is None:
            registry = _registries[bind.pool] = Registry(bind)
        return registry


@contextmanager
def reading(session: Session, section_id: int) -> Iterator[Head]:
    """The section's head, current with what this session sees or newer, locked while it is read. Be quick."""
    held = session.info.get("heads", {}).get(section_id)
    if held is not None:  # in a writing transaction of this session
        yield held
        return
    row = stream_row(session, section_id)
    head = registry_of(session).acquire(section_id)
    try:
        head.refresh(session, row)
        yield head
    finally:
        head.lock.release()


def newest_sections(session: Session, most: int) -> list[int]:
    """The ids of the sections whose text moved last, newest first."""
    return list(
        session.scalars(
            select(Stream.section_id)
            .join(Revision, (Revision.stream_id == Stream.id) & (Revision.version == Stream.version))
            .join(Section, Section.id == Stream.section_id)
            .where(Stream.kind == "main", Section.removed_at.is_(None))
            .order_by(Revision.at.desc())
            .limit(most)
        )
    )


def writing(session: Session, section_id: int) -> Head:
    """The section's head, to be changed together with the rows, until this transaction ends."""
    return writing_all(session, [section_id])[section_id]


def writing_all(session: Session, section_ids: Iterable[int]) -> dict[int, Head]:
    """The heads of several sections, to be changed until this transaction ends."""
    held: dict[int, Head] = session.info.setdefault("heads", {})
    wanted = sorted(set(section_ids))
    rows = {}
    for section_id in wanted:
        if section_id not in held:
            rows[section_id] = stream_row(session, section_id, locking=True)
    registry = registry_of(session)
    for section_id, row in rows.items():
        head = registry.acquire(section_id)
        held[section_id] = head
        head.refresh(session, row)
        head.session = session
    return {section_id: held[section_id] for section_id in wanted}


def movement(session: Session, head: Head) -> Movement:
    """What the transaction under way has changed in a section so far; add to it."""
    head.touched = True
    all_: dict[int, Movement] = session.info.setdefault("movements", {})
    if head.section_id not in all_:
        all_[head.section_id] = Movement(head.section_id, head.document_id)
    return all_[head.section_id]


def store(
    session: Session, head: Head, rows: list[tuple[int, Stored]], *, epoch: bool = False
) -> None:
    """Writes revisions the head has taken already, and what follows from them; the last step of every change.

    rows   (stream, revision) in order
    epoch  something happened that is not a plain edit
    """
    moved = movement(session, head)
    if rows:
        connection = session.connection()
        connection.execute(_NEW_REVISION, [_row(stream_id, stored) for stream_id, stored in rows])
        origins = [
            {"stream_id": stream_id, "version": stored.version, "origin_id": origin_id}
            for stream_id, stored in rows
            for origin_id in stored.origins
        ]
        if origins:
            connection.execute(_NEW_ORIGIN, origins)
        moved.streams.update(stream_id for stream_id, _ in rows)
        for branch in head.branches.values() if moved.streams != {head.stream_id} else ():
            if branch.log.stream_id in moved.streams:
                session.execute(
                    update(Stream).where(Stream.id == branch.log.stream_id).values(version=branch.log.version)
                )
                session.execute(
                    update(Suggestion)
                    .where(Suggestion.id == branch.suggestion_id)
                    .values(main_version=branch.main_version)
                    .execution_options(synchronize_session=False)
                )
    head.moved += 1
    session.connection().execute(
        _MOVED_STREAM,
        {"stream": head.stream_id, "new_version": head.version, "new_length": len(head.text), "new_moved": head.moved},
    )
    head.save(session, epoch=epoch)


_NEW_REVISION = insert(Revision.__table__)
_NEW_ORIGIN = insert(RevisionOrigin.__table__)
_MOVED_STREAM = (
    update(Stream.__table__)
    .where(Stream.__table__.c.id == bindparam("stream"))
    .values(version=bindparam("new_version"), length=bindparam("new_length"), moved=bindparam("new_moved"))
)


def _row(stream_id: int, stored: Stored) -> dict[str, Any]:
    return {
        "stream_id": stream_id,
        "version": stored.version,
        "changes": json.dumps(stored.changes.to_json(), ensure_ascii=False, separators=(",", ":")),
        "kind": stored.kind,
        "author_id": stored.author_id,
        "client": stored.client,
        "sequence": stored.sequence,
        "carried": None if stored.carried is None else spans_json(stored.carried),
        "decision_id": stored.decision_id,
        "main_version": stored.main_version,
        "written_on": stored.written_on,
        "removal": stored.removal or None,
        "at": stored.at,
    }


# ── the end of a transaction ──


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info["committed"] = True


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, transaction: Any) -> None:
    if transaction.parent is not None:
        return
    committed = session.info.pop("committed", False)
    movements: dict[int, Movement] = session.info.pop("movements", {})
    heads: dict[int, Head] = session.info.pop("heads", {})
    for head in heads.values():
        head.session = None
        if head.touched and not committed:
            head.registry.forget(head)
        head.touched = False
        head.lock.release()
    if committed and movements:
        for listener in list(registry_of(session).listeners):
            listener(list(movements.values()))

"""A database: how it is opened, who may write when, and how a transaction ends.

`Database.read()` gives a session whose transaction cannot write, `Database.write()` one that can. On SQLite a writing
transaction begins with BEGIN IMMEDIATE under one in-process lock, held from its first statement until its connection
goes back to the pool (commit, rollback or close): SQLite's own busy handler starves, a lock does not. On PostgreSQL
writers are ordered by the rows they lock: **streams first, by id, then the document's row** (`audit.record` locks it,
so events are recorded last).

`transaction(session)` is what services wrap their work in: it commits once, when the outermost one ends, and rolls
back when it fails; so a verb may call another verb, and a caller may put many into one transaction.

Never wait for another writer while a writing transaction is open: on SQLite that is a deadlock, and is reported as one.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from drafting.errors import InvalidInput, WrongState

BUSY_TIMEOUT = 10_000  # ms; only another process (backup, command line) is ever waited for
LOCK_TIMEOUT = 30.0  # s; a writing transaction that long is a deadlock or a mistake
RETRIES = 8  # writers that lose a race on PostgreSQL find the row free within two or three


class WriteLock:
    """The one writer of a SQLite file. Knows who holds it, so that waiting for oneself is an error and not a hang."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    def acquire(self) -> None:
        if self._owner == threading.get_ident():
            raise RuntimeError("this thread already has a writing transaction open; use that session, or end it first")
        if not self._lock.acquire(timeout=LOCK_TIMEOUT):
            raise RuntimeError(
                f"another thread has held a writing transaction for {LOCK_TIMEOUT:.0f} s; it must commit"
            )
        self._owner = threading.get_ident()

    def release(self) -> None:
        self._owner = None
        self._lock.release()


class Database:
    """An open database. One per process; `close()` when done."""

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self.url = make_url(url)
        self.server_lock: ServerLock | None = None
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database in (None, "", ":memory:"):
            raise InvalidInput("a SQLite database needs a file; write sqlite:///path/to/file", setting="database_url")
        self.engine = _sqlite_engine(url, durable) if self.is_sqlite else _postgresql_engine(url)
        writing = self.engine.execution_options(drafting_writes=True)
        reading = self.engine.execution_options(drafting_writes=False, **({} if self.is_sqlite else READ_ONLY))
        self._writing: sessionmaker[Session] = sessionmaker(writing, expire_on_commit=False)
        self._reading: sessionmaker[Session] = sessionmaker(reading, expire_on_commit=False)

    def session(self, *, writes: bool = True) -> Session:
        """A session that the caller closes. Prefer `read()` and `write()`."""
        return self._writing() if writes else self._reading()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and cannot write to it."""
        with self._reading() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that services may write with; what they have not committed is rolled back at the end."""
        with self._writing() as session:
            yield session

    def run(self, work: Callable[[Session], Any]) -> Any:
        """What `work` returns, given a writing session; tried again in a new one when another writer came first.

        commits  what `work` committed; it is run from the start again, so it must not have other effects
        """
        for attempt in range(RETRIES):
            try:
                with self.write() as session:
                    return work(session)
            except DBAPIError as error:
                if attempt == RETRIES - 1 or not lost_a_race(error):
                    raise
                time.sleep(0.002 * 2**attempt)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Closes all connections and lets another server have the file."""
        self.engine.dispose()
        if self.server_lock is not None:
            self.server_lock.release()
            self.server_lock = None


READ_ONLY: dict[str, Any] = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}


def lost_a_race(error: DBAPIError) -> bool:
    """Whether the transaction failed only because of another one, so that running it again may succeed."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:  # serialization failure, deadlock, unique violation of (stream, version)
        return state in {"40001", "40P01"} or (state == "23505" and "revision" in str(error.orig))
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


def breaks_uniqueness(error: IntegrityError) -> bool:
    """Whether a row was refused because its name, address or number is taken."""
    state = getattr(error.orig, "sqlstate", None)
    return state == "23505" if state is not None else "UNIQUE" in str(error.orig)


# ── transactions of services ────────────────────────────────────────────────────────────────────────────


@contextmanager
def transaction(session: Session) -> Iterator[Session]:
    """Commits once when the outermost transaction of this session ends well, rolls everything back when it does not."""
    depth = session.info.get("depth", 0)
    session.info["depth"] = depth + 1
    try:
        yield session
        session.flush()
        if depth == 0:
            session.commit()
    except BaseException:
        if depth == 0:
            session.rollback()
        raise
    finally:
        session.info["depth"] = depth


P = ParamSpec("P")
R = TypeVar("R")


def verb(function: Callable[Concatenate[Session, P], R]) -> Callable[Concatenate[Session, P], R]:
    """A service function that commits: it runs inside `transaction(session)`."""

    @wraps(function)
    def committed(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with transaction(session):
            return function(session, *args, **kwargs)

    return committed


# ── engines ─────────────────────────────────────────────────────────────────────────────────────────────


def _sqlite_engine(url: str, durable: bool) -> Engine:
    engine = create_engine(url, pool_size=16, max_overflow=500)
    lock = WriteLock()

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin where `begin` below says, not where sqlite3 guesses
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT}",
            "journal_mode=WAL",
            f"synchronous={'FULL' if durable else 'OFF'}",  # law 5: an acknowledged update is on disk
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-16000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        if not connection.get_execution_options().get("drafting_writes", True):
            connection.exec_driver_sql("PRAGMA query_only=ON")
            connection.exec_driver_sql("BEGIN")
            return
        lock.acquire()
        connection.connection.record_info["holds_write_lock"] = True
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def release(_: Any, record: Any, *rest: Any) -> None:
        if record is not None and record.record_info.pop("holds_write_lock", False):
            lock.release()

    event.listen(engine, "checkin", release)  # not at "commit", which is called before the commit is made
    event.listen(engine, "invalidate", release)
    return engine


def _postgresql_engine(url: str) -> Engine:
    return create_engine(url, pool_size=8, max_overflow=12, pool_timeout=30, pool_pre_ping=True)


# ── one server process for a SQLite file ────────────────────────────────────────────────────────────────


class ServerLock:
    """Held by the one server process of a SQLite database; the system lets go of it when the process ends."""

    def __init__(self, path: Path, patience: float = 5.0) -> None:
        """Takes the lock, waiting a moment for a predecessor that is shutting down.

        patience  seconds
        raises    WrongState naming the process that holds it
        """
        self._file = open(path, "a+", encoding="ascii")  # noqa: SIM115  held as long as the server lives
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    self._file.seek(0)
                    holder = self._file.read().strip() or "unknown"
                    self._file.close()
                    raise WrongState(
                        f"another Drafting (process {holder}) serves this SQLite database; "
                        "stop it first, or use PostgreSQL for several processes",
                        process=holder,
                    ) from None
                time.sleep(0.1)
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.close()

"""How transactions begin, who waits for whom, and who is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, WrongState
from drafting.services.clock import now
from drafting.store.database import Database, ServerLock, transaction, verb
from drafting.store.models import Document, Stream, User
from tests import make


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(User)) or 0


def test_law_5_an_acknowledged_commit_is_on_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.sqlite")
    for session in (database.session(), database.session(writes=False)):
        with session:
            assert session.scalar(text("PRAGMA synchronous")) == 2  # FULL
            assert session.scalar(text("PRAGMA journal_mode")) == "wal"
            assert session.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()


def test_a_reading_session_cannot_write(database: Database) -> None:
    with database.read() as session:
        session.add(User(name="x", created_at=now()))
        with pytest.raises(DBAPIError, match=r"readonly|read-only"):
            session.flush()
    with database.write() as session:
        assert count(session) == 0


def test_a_reading_session_sees_one_state(database: Database) -> None:
    with database.read() as reading:
        assert count(reading) == 0
        with database.write() as session, transaction(session):
            make.user(session)
        assert count(reading) == 0
    with database.read() as reading:
        assert count(reading) == 1


def test_what_is_not_committed_is_not_there(database: Database) -> None:
    with database.write() as session:
        make.user(session)
    with database.read() as session:
        assert count(session) == 0


def test_the_outermost_transaction_commits_once_for_all_in_it(database: Database) -> None:
    @verb
    def add(session: Session) -> None:
        make.user(session)

    with database.write() as session:
        with transaction(session):
            add(session)
            add(session)
            with database.read() as other:
                assert count(other) == 0
        with database.read() as other:
            assert count(other) == 2
        with pytest.raises(ZeroDivisionError), transaction(session):
            add(session)
            raise ZeroDivisionError
        add(session)
    with database.read() as session:
        assert count(session) == 3


def test_foreign_keys_are_kept(database: Database) -> None:
    with database.write() as session:
        session.add(Stream(kind="main", section_id=12345))
        with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
            session.flush()


def test_writers_on_sqlite_take_turns(sqlite_database: Database) -> None:
    def add(number: int) -> None:
        for _ in range(20):
            with sqlite_database.write() as session, transaction(session):
                row = session.scalars(select(Document)).one()
                seen = row.last_suggestion_number
                row.last_suggestion_number = seen + 1

    with sqlite_database.write() as session, transaction(session):
        make.document(session)
    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite_database.read() as session:
        assert session.scalars(select(Document.last_suggestion_number)).one() == 160


def test_waiting_for_oneself_is_an_error_and_not_a_hang(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        make.user(session)
        with sqlite_database.write() as other, pytest.raises(RuntimeError, match="already has a writing transaction"):
            count(other)
        session.rollback()
        with sqlite_database.write() as other:
            assert count(other) == 0


def test_a_failed_transaction_lets_the_next_one_write(sqlite_database: Database) -> None:
    for _ in range(3):
        with sqlite_database.write() as session:
            session.add(Stream(kind="main", section_id=12345))
            with pytest.raises(DBAPIError):
                session.commit()
    with sqlite_database.write() as session, transaction(session):
        make.user(session)


def test_work_that_lost_a_race_is_run_again(postgresql_database: Database) -> None:
    """Two transactions that lock two rows in opposite order: PostgreSQL ends one of them, `run` does it again."""
    with postgresql_database.write() as session, transaction(session):
        first, second = make.document(session).id, make.document(session).id
    meeting = threading.Barrier(2)
    tries: list[int] = []

    def work(ids: tuple[int, int]) -> None:
        mine = [0]

        def crossing(session: Session) -> None:
            mine[0] += 1
            for place, document_id in enumerate(ids):
                row = session.scalars(select(Document).where(Document.id == document_id).with_for_update()).one()
                row.last_suggestion_number += 1
                session.flush()
                if place == 0 and mine[0] == 1:
                    meeting.wait()
            session.commit()

        postgresql_database.run(crossing)
        tries.append(mine[0])

    threads = [threading.Thread(target=work, args=(ids,)) for ids in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(tries) == [1, 2]
    with postgresql_database.read() as session:
        assert session.scalars(select(Document.last_suggestion_number)).all() == [2, 2]


def test_a_database_needs_a_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        Database("sqlite://")


def test_one_server_process_has_a_sqlite_database(tmp_path: Path) -> None:
    path = tmp_path / "server.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import pathlib; from drafting.store.database import ServerLock\n"
         f"lock = ServerLock(pathlib.Path({str(path)!r})); print('held', flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(WrongState, match=str(holder.pid)):
        ServerLock(path, patience=0)
    holder.kill()
    holder.communicate()
    ServerLock(path, patience=2).release()

"""Fixtures that every test may ask for: a real empty `database` on SQLite and on PostgreSQL, and a real `redis_url`.

`database` runs a test twice, once on each. Set DRAFTING_TEST_DATABASES=sqlite to leave PostgreSQL out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from drafting.store.database import Database
from drafting.store.migrations import upgrade
from drafting.store.models import Base
from tests import servers

TABLES = tuple(Base.metadata.tables)
OTHERS_OUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
# also those of tables that are empty because what filled them was rolled back
FROM_ONE = (
    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences "
    "WHERE last_value IS NOT NULL"
)
BACKENDS = os.environ.get("DRAFTING_TEST_DATABASES", "sqlite postgresql").split()


@pytest.fixture(scope="session")
def postgresql_address() -> Iterator[str]:
    """The maintenance database of a PostgreSQL server of this test run."""
    with servers.postgresql() as (address, why_not):
        if address is None:
            pytest.skip(why_not)
        yield address


@pytest.fixture(scope="session")
def redis_address() -> Iterator[str]:
    with servers.redis() as (address, why_not):
        if address is None:
            pytest.skip(why_not)
        yield address


@pytest.fixture
def redis_url(redis_address: str) -> str:
    """An empty Redis."""
    import redis

    client = redis.from_url(redis_address)
    client.flushall()
    client.close()
    return redis_address


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.sqlite"
    database = Database(f"sqlite:///{path}", durable=False)
    upgrade(database)
    with database.engine.connect() as connection:  # the whole file in one piece, so that it can be copied
        connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def _postgresql_tables(postgresql_address: str) -> Iterator[str]:
    """A database of this test run with the empty tables; returns its address."""
    name = f"drafting_test_{os.getpid()}"
    _admin(postgresql_address, f"CREATE DATABASE {name}")
    address = _address_of(postgresql_address, name)
    database = Database(address)
    upgrade(database)
    database.close()
    yield address
    _admin(postgresql_address, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_database(_sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty database in a file."""
    path = tmp_path / "drafting.sqlite"
    shutil.copyfile(_sqlite_template, path)
    database = Database(f"sqlite:///{path}", durable=False)
    yield database
    database.close()


@pytest.fixture
def postgresql_database(_postgresql_tables: str) -> Iterator[Database]:
    """An empty database on a server. Emptied after the test, which takes a tenth of the time of making a new one."""
    database = Database(_postgresql_tables)
    yield database
    with database.engine.begin() as connection:
        connection.execute(text(OTHERS_OUT))
        filled = connection.scalars(
            text(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in TABLES))
        ).all()
        if filled:
            names = ", ".join(f'"{name}"' for name in filled)
            connection.execute(text(f"TRUNCATE {names} CASCADE"))
        connection.execute(text(FROM_ONE))
    database.close()


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database with all tables; the test runs once on SQLite and once on PostgreSQL."""
    return request.getfixturevalue(f"{request.param}_database")


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session on `database`."""
    with database.write() as session:
        yield session


def _admin(address: str, statement: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)


def _address_of(address: str, name: str) -> str:
    """The address of another database on the same server."""
    front, _, query = address.partition("?")
    return front.replace("postgresql://", "postgresql+psycopg://").rsplit("/", 1)[0] + f"/{name}?{query}"

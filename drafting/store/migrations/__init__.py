"""Bringing a database to the present tables; run at every start of the server, and a no-op when nothing is new.

A new migration is written by `python -m drafting.store.migrations "what changes"` from the difference between the
models and the migrations so far, and is then read and put right by a person. `tests/store/test_migrations.py` fails
when models and migrations disagree.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from drafting.config import Settings
from drafting.errors import WrongState
from drafting.store.database import Database, ServerLock
from drafting.store.models import Base

UPGRADE_LOCK = 7_215_031  # any number; two workers that start at once on PostgreSQL upgrade one after the other


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings: the folder of this package, and the connection to work on."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.attributes["connection"] = connection
    return settings


def upgrade(database: Database) -> None:
    """Brings the tables to the newest form; everything or nothing.

    raises  WrongState when the database was made by a newer Drafting
    """
    with database.engine.connect() as connection:
        sqlite_connection = connection.connection.dbapi_connection if database.is_sqlite else None
        if sqlite_connection is not None:
            # SQLite changes a table by making it anew; with foreign keys on, dropping the old one would empty others.
            sqlite_connection.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                if not database.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
                present = MigrationContext.configure(connection).get_current_revision()
                script = ScriptDirectory.from_config(config())
                if present is not None and present not in {each.revision for each in script.walk_revisions()}:
                    raise WrongState(
                        f"the database is at migration {present}, which this Drafting does not know: it was made by a "
                        "newer one; start that one, or restore a backup",
                        migration=present,
                    )
                if present != script.get_current_head():
                    command.upgrade(config(connection), "head")
        finally:
            if sqlite_connection is not None:
                sqlite_connection.execute("PRAGMA foreign_keys=ON")


def open_database(settings: Settings, *, serving: bool = False) -> Database:
    """The database of these settings with its tables brought up to date.

    serving  the caller is a server: on SQLite it keeps the lock that refuses a second one, until it ends
    raises   WrongState when another server has the SQLite file, or a newer Drafting made it
    """
    lock = None
    if serving and settings.is_sqlite:
        lock = ServerLock(settings.instance_path / "server.lock")
    database = Database(settings.database_url, durable=settings.durable)
    database.server_lock = lock
    upgrade(database)
    return database


def differences(connection: Connection) -> list[object]:
    """What the models have and the database has not, or the other way round; empty when they agree."""
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata))

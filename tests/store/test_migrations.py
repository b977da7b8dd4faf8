"""Models and migrations say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from drafting.errors import WrongState
from drafting.store.database import Database
from drafting.store.migrations import differences, upgrade


def test_models_and_migrations_agree(database: Database) -> None:
    with database.engine.connect() as connection:
        found = differences(connection)
    assert found == [], "write a migration: python -m drafting.store.migrations 'what changes'"


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    upgrade(database)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1


def test_foreign_keys_are_on_after_an_upgrade(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.sqlite")
    upgrade(database)
    with database.read() as session:
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
    database.close()


def test_a_database_of_a_newer_drafting_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.sqlite")
    upgrade(database)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        session.commit()
    with pytest.raises(WrongState, match="newer"):
        upgrade(database)
    database.close()

"""Writes a migration: python -m drafting.store.migrations "what changes"."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from drafting.store.database import Database
from drafting.store.migrations import config, upgrade

if len(sys.argv) != 2:
    sys.exit(__doc__)
with tempfile.TemporaryDirectory() as folder:
    database = Database(f"sqlite:///{folder}/empty.sqlite")
    upgrade(database)
    with database.engine.connect() as connection:
        number = 1 + len(list(Path(__file__).parent.glob("versions/*.py")))
        command.revision(config(connection), sys.argv[1], autogenerate=True, rev_id=f"{number:04d}")
    database.close()

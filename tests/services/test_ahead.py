"""Reading ahead keeps what the views would have read, and nothing that another worker has made old."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.services import ahead, editing, history, logs, milestones, people
from drafting.services.access import ANONYMOUS
from drafting.store.database import Database
from tests.services.test_history import Stage


def typed(session: Session, stage: Stage, text: str, sequence: int) -> None:
    at = editing.text_at(session, stage.official, stage.one.id)
    change = ChangeSet.of([(0, 0, text)], len(at.text))
    editing.push(session, stage.official, at.stream_id, at.version, [Update("typist", sequence, change)])


def all_told(database: Database, document_id: int) -> object:
    """What the pages of the past are made of."""
    with database.session(writes=False) as session:
        compared = history.compare(session, ANONYMOUS, document_id, "start", "now").sections
        named = history.compare(session, ANONYMOUS, document_id, "m1", "now").sections
        return history.of_document(session, ANONYMOUS, document_id, removed=True), compared, named


def test_what_was_read_ahead_is_what_the_views_read_also_after_another_worker_wrote(database: Database) -> None:
    with database.session() as session:
        stage = Stage(session)
        document_id = stage.document.id
        for number in range(1, 12):
            typed(session, stage, f"word{number} ", number)
        milestones.create_milestone(session, stage.chief, document_id, "Half")
        stage.judge(stage.suggest("100", "250", "More!", (stage.origin.id,)), reason="Yes.")
    url = database.url.render_as_string(hide_password=False)
    elsewhere = Database(url)
    try:
        with elsewhere.session(writes=False) as session:
            assert ahead.newest_documents(session) == [(document_id, ahead.MOST_REVISIONS)]
        for _ in ahead.read_document(elsewhere.read, document_id):
            pass
        assert all_told(elsewhere, document_id) == all_told(database, document_id)
        with database.session() as session:  # the other worker
            stage.session = session
            typed(session, stage, "later ", 12)
            view = stage.suggest("each", "every", "Style.", (stage.origin.id,))
            stage.judge(view, reason="Why not.")
            people.change_organization(session, stage.chief, stage.trees.id, name="Trees and shrubs")
        told = all_told(elsewhere, document_id)
        third = Database(url)
        try:
            assert told == all_told(third, document_id)
        finally:
            third.close()
        assert "Trees and shrubs" in repr(told) and "later " in repr(told)
    finally:
        elsewhere.close()


def test_reading_ahead_leaves_nothing_to_be_folded_and_may_end_at_any_step(database: Database) -> None:
    with database.session() as session:
        stage = Stage(session)
        document_id, stream_id = stage.document.id, stage.one.stream_id
        for number in range(1, 12):
            typed(session, stage, f"word{number} ", number)
    elsewhere = Database(database.url.render_as_string(hide_password=False))
    try:
        steps = ahead.read_document(elsewhere.read, document_id)
        next(steps)
        steps.close()
        for _ in ahead.read_document(elsewhere.read, document_id):
            pass
        with elsewhere.session(writes=False) as session:
            kept = logs.history_of(session, stream_id)
            assert kept.version == 12 and not kept.log.fold_ahead(1)
    finally:
        elsewhere.close()


def test_of_a_document_too_long_to_be_kept_the_sections_written_last_are_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session() as session:
        stage = Stage(session)
        document_id, one, two = stage.document.id, stage.one.stream_id, stage.two.stream_id
        typed(session, stage, "word ", 1)  # the first section was written last, in two revisions
        monkeypatch.setattr(ahead, "MOST_REVISIONS", 2)
        assert ahead.newest_documents(session) == [(document_id, 2)]
    elsewhere = Database(database.url.render_as_string(hide_password=False))
    try:
        for _ in ahead.read_document(elsewhere.read, document_id, 2):
            pass
        with elsewhere.session(writes=False) as session:
            known, _ = logs._remembered(session, [one, two])
            assert [known[each].version for each in (one, two)] == [2, 0]
    finally:
        elsewhere.close()

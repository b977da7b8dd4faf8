"""Nothing of the past tells of what one may not know: drafts, their discussion, closed accounts, old names."""

from __future__ import annotations

from datetime import timedelta

import pytest

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.services import accounts, annotations, editing, history, people, suggestions, timeline
from drafting.services.access import ANONYMOUS, SERVER, Actor
from drafting.store.database import Database
from drafting.store.models import Organization
from tests import make
from tests.services.test_history import Stage


def told(stage: Stage, actor: Actor) -> str:
    """All that the past tells an actor, as one text."""
    session, document = stage.session, stage.document.id
    views = history.of_document(session, actor, document, removed=True)
    found: list[object] = [views, timeline.marks(session, actor, document), timeline.away(session, actor, document, make.NOON)]
    found.append(history.compare(session, actor, document, "start", "now", vanished=True))
    found.append([history.attribution_json(session, actor, each.section_id, deleted=True) for each in views])
    for view in views:
        for key in [each.key for each in (*view.runs, *view.removed)]:
            found.append(history.story(session, actor, view.section_id, run=key))
    return repr(found)


@pytest.mark.parametrize("words", ["250", "300"], ids=["the same as a filed one", "a rival of a filed one"])
def test_an_unfiled_draft_of_an_organisation_is_nowhere_in_the_past_of_others(
    database: Database, ticking: None, words: str
) -> None:
    with database.session() as session:
        stage = Stage(session)
        owner = make.member(session, stage.document, "contributor", stage.estate)
        stranger = make.member(session, stage.document, "contributor", stage.trees)
        stage.document.phase = "consultation"
        session.commit()
        text = stage.text(stage.one.id)
        start = text.index("100")
        for number, typed in enumerate((words, "SECRETWORDS")):
            draft = suggestions.open_suggestion(session, owner, stage.one.id)
            change = ChangeSet.of([(start, start + 3, to_units(typed))], len(text))
            editing.push(session, owner, draft.stream_id, 0, [Update(f"draft{number}", 1, change)])
            annotations.annotate(session, owner, stage.document.id, "SECRETREMARK", suggestion_id=draft.id)
        given_up = suggestions.open_suggestion(session, owner, stage.one.id)
        suggestions.withdraw(session, owner, given_up.id)
        stage.document.phase = "review"
        session.commit()
        stage.judge(stage.suggest("100", "250", "More!", (stage.origin.id,)), reason="Yes.")

        for actor in (ANONYMOUS, stranger, stage.official, stage.chief):
            said = told(stage, actor)
            for secret in ("SECRETWORDS", "SECRETREMARK", "Estate", "'OW'"):
                assert secret not in said, (actor.name, secret)
            away = timeline.away(session, actor, stage.document.id, make.NOON)
            assert set(away.counts) == {"section_added", "suggestion_filed", "hunk_accepted"}
            assert {each.kind for each in away.events} == set(away.counts)
            marks = timeline.marks(session, actor, stage.document.id)
            assert [each.count for each in marks if each.kind == "suggestions"] == [1]
        own = timeline.away(session, owner, stage.document.id, make.NOON)
        assert (own.counts["annotation_added"], own.counts["suggestion_withdrawn"]) == (2, 1)


def test_a_section_that_is_only_proposed_has_no_past_yet(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        owner = make.member(session, stage.document, "contributor", stage.estate)
        stage.document.phase = "consultation"
        session.commit()
        draft = suggestions.propose_section(session, owner, stage.document.id)
        change = ChangeSet.of([(0, 0, "# SECRETWORDS\n")], 0)
        editing.push(session, owner, draft.stream_id, draft.branch_version, [Update("draft", 1, change)])
        assert "SECRETWORDS" not in told(stage, ANONYMOUS)
        compared = history.compare(session, ANONYMOUS, stage.document.id, "start", "now")
        assert [each.section_id for each in compared.sections] == [stage.one.id, stage.two.id]


def test_an_account_that_ended_and_an_organisation_that_was_renamed_are_told_as_they_are_now(
    database: Database, ticking: None
) -> None:
    with database.session() as session:
        stage = Stage(session)
        stage.judge(stage.suggest("100", "250", "More!", (stage.origin.id,)), reason="Yes.")
        name = stage.official.name
        before = told(stage, ANONYMOUS)
        assert name in before and "Trees" in before
        row = session.get_one(Organization, stage.trees.id)
        people.change_organization(session, stage.chief, row.id, name="Woods")
        assert stage.official.user_id is not None
        accounts.anonymise(session, SERVER, stage.official.user_id)
        after = told(stage, ANONYMOUS)
        assert name not in after and "'Trees'" not in after and "Woods" in after


def test_what_lies_before_the_beginning_and_after_the_end_is_empty_or_as_now(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        long_ago = history.compare(session, ANONYMOUS, stage.document.id, "1900-01-01", "1950-01-01")
        assert long_ago.sections == ()
        later = (make.NOON + timedelta(days=10_000)).isoformat()
        ahead = history.compare(session, ANONYMOUS, stage.document.id, "now", later)
        assert [each.state for each in ahead.sections] == ["same", "same"]
        assert timeline.away(session, ANONYMOUS, stage.document.id, make.NOON + timedelta(days=10_000)).events == ()

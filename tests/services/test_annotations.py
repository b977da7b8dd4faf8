"""Remarks: anchored on what their author read, carried with the text, orphaned, put back; threads and positions."""

from __future__ import annotations

from typing import Any

import pytest

from drafting.engine.text import to_units
from drafting.errors import InvalidInput, NotAllowed, NotFound, WrongState
from drafting.services import annotations, editing, heads
from drafting.services.access import Actor
from drafting.services.annotations import AnnotationView
from drafting.store.database import Database
from drafting.store.models import Document, User
from tests.services.proposing import TEXT, Around


@pytest.fixture
def around(database: Database) -> Around:
    return Around(database)


def remark(around: Around, words: str, text: str = "why?", actor: Actor | None = None, version: int = 1) -> AnnotationView:
    units = to_units(TEXT)
    start = units.index(to_units(words))
    with around.database.write() as session:
        return annotations.annotate(
            session, actor or around.ngo, around.document_id, text, section_id=around.section_id,
            start=start, end=start + len(to_units(words)), version=version,
        )  # fmt: skip


def now(around: Around, view: AnnotationView) -> AnnotationView:
    with around.database.read() as session:
        return annotations.annotation(session, around.drafter, view.id)


def passage(around: Around, view: AnnotationView) -> str:
    view = now(around, view)
    assert view.start is not None and view.end is not None
    return to_units(around.text())[view.start : view.end]


def test_a_remark_follows_its_passage_also_from_an_older_version(around: Around) -> None:
    around.write(around.drafter, "We", "Tomorrow 😀 we")
    view = remark(around, "quick fox")
    assert (view.quote, view.text, passage(around, view)) == ("quick fox", "why?", "quick fox")
    around.write(around.drafter, "quick", "quick brown")
    assert passage(around, view) == "quick brown fox"
    around.forget()
    assert passage(around, view) == "quick brown fox" and around.is_clean()


def test_an_orphan_keeps_its_quote_and_comes_back_with_its_words(around: Around) -> None:
    view = remark(around, "quick ")
    around.write(around.drafter, "The quick fox. ", "")
    gone = now(around, view)
    assert gone.orphaned and gone.quote == "quick " and gone.start is None
    with around.database.write() as session:
        assert annotations.put_back(session, around.ngo, view.id).outcome == "not_found"
        editing.restore(session, around.drafter, around.section_id, 1)
    assert passage(around, view) == "quick " and around.is_clean()


def test_law_10_finding_again_never_guesses(around: Around) -> None:
    view = remark(around, "quick fox")
    around.write(around.drafter, "The quick fox. ", "")
    around.write(around.drafter, "Done.", "Done. The quick fox.")
    with around.database.write() as session:
        found = annotations.put_back(session, around.drafter, view.id)
    assert found.outcome in ("found", "ambiguous")
    if found.outcome == "found":
        assert passage(around, view) == "quick fox"
    assert around.is_clean()


def test_a_person_puts_an_orphan_where_it_belongs(around: Around) -> None:
    view = remark(around, "quick fox")
    around.write(around.drafter, "quick fox", "slow bear")
    with around.database.write() as session:
        with heads.reading(session, around.section_id) as head:
            start, version = head.text.index("slow bear"), head.version
        with pytest.raises(NotAllowed):
            annotations.place(session, around.rival, view.id, start, start + 9, version)
        annotations.place(session, around.drafter, view.id, start, start + 9, version)
    assert passage(around, view) == "slow bear" and not now(around, view).orphaned
    around.forget()
    assert passage(around, view) == "slow bear" and around.is_clean()


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (0, 10_000)])
def test_a_passage_that_is_not_there_is_refused(around: Around, start: int, end: int) -> None:
    with around.database.write() as session, pytest.raises(InvalidInput):
        annotations.annotate(
            session, around.ngo, around.document_id, "x", section_id=around.section_id, start=start, end=end, version=1
        )
    with around.database.write() as session, pytest.raises(NotFound):
        annotations.annotate(
            session, around.ngo, around.document_id, "x", section_id=around.section_id, start=0, end=2, version=99
        )


def test_threads_have_replies_mentions_and_an_end(around: Around) -> None:
    view = remark(around, "quick fox")
    with around.database.read() as session:
        name = session.get_one(User, around.drafter.user_id).name
    with around.database.write() as session:
        view = annotations.reply(session, around.rival, view.id, f"Ask @{name}.")
        assert [one.text for one in view.replies] == [f"Ask @{name}."]
        with pytest.raises(NotAllowed):
            annotations.resolve(session, around.rival, view.id)
        assert annotations.resolve(session, around.ngo, view.id).state == "resolved"
        with pytest.raises(WrongState):
            annotations.resolve(session, around.drafter, view.id)
        assert annotations.reopen(session, around.drafter, view.id).state == "open"
        with pytest.raises(InvalidInput):
            annotations.reply(session, around.ngo, view.id, "  ")
    assert "mentioned" in around.told(around.drafter) and "comment_added" in around.told(around.ngo)


def test_an_official_gives_a_position_with_its_reason(around: Around) -> None:
    view = remark(around, "quick fox")
    with around.database.write() as session:
        with pytest.raises(NotAllowed):
            annotations.answer(session, around.drafter, view.id, "accepted")
        with pytest.raises(InvalidInput):
            annotations.answer(session, around.official, view.id, "rejected")
        view = annotations.answer(session, around.official, view.id, "partly", "as far as it goes")
    assert (view.position, view.position_reason, view.position_by) == (
        "partly", "as far as it goes", around.official.name,
    )  # fmt: skip
    assert "annotation_answered" in around.told(around.ngo)


def test_entries_are_edited_by_their_author_and_removed_by_those_who_moderate(around: Around) -> None:
    view = remark(around, "quick fox")
    with around.database.write() as session:
        reply = annotations.reply(session, around.rival, view.id, "rude").replies[0]
        with pytest.raises(NotAllowed):
            annotations.edit_comment(session, around.ngo, reply.id, "nice")
        assert annotations.edit_comment(session, around.rival, reply.id, "polite").replies[0].text == "polite"
        with pytest.raises(NotAllowed):
            annotations.remove_comment(session, around.ngo, reply.id)
        [gone] = annotations.remove_comment(session, around.official, reply.id).replies
        assert gone.is_removed and gone.text == ""


def test_remarks_on_sections_suggestions_and_the_document(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250")
    draft = around.draft(around.rival, "quick", "slow")
    with around.database.write() as session:
        on_document = annotations.annotate(session, around.ngo, around.document_id, "all of it")
        on_section = annotations.annotate(session, around.ngo, around.document_id, "this", section_id=around.section_id)
        talk = annotations.annotate(session, around.drafter, around.document_id, "hm", suggestion_id=view.id)
        secret = annotations.annotate(session, around.rival, around.document_id, "between us", suggestion_id=draft.id)
        assert on_document.whole and on_section.whole and talk.suggestion_number == view.number
        assert [one.id for one in annotations.of_suggestion(session, around.ngo, view.id)] == [talk.id]
        assert [one.id for one in annotations.of_section(session, around.ngo, around.section_id)] == [on_section.id]
        seen = {one.id for one in annotations.listing(session, around.ngo, around.document_id)}
        assert seen == {on_document.id, on_section.id, talk.id}
        with pytest.raises(NotFound):
            annotations.annotation(session, around.official, secret.id)
    assert "annotation_added" in around.told(around.ngo)


def test_remarks_are_listed_by_section_organisation_state_and_words(around: Around) -> None:
    ours = remark(around, "quick fox", "why so quick?")
    theirs = remark(around, "100 trees", "too few", actor=around.rival)
    with around.database.write() as session:
        general = annotations.annotate(session, around.rival, around.document_id, "all of it")
        annotations.resolve(session, around.official, general.id)

        def listed(**filters: Any) -> list[int]:
            return [one.id for one in annotations.listing(session, around.ngo, around.document_id, **filters)]

        assert listed() == [ours.id, theirs.id, general.id]
        document = session.get_one(Document, around.document_id)
        assert listed(organization_id=around.ngo.organization_id(document)) == [ours.id]
        assert listed(organization_id=around.rival.organization_id(document)) == [theirs.id, general.id]
        assert listed(section_id=around.section_id) == [ours.id, theirs.id]
        assert listed(states=["resolved"]) == [general.id]
        assert listed(words="QUICK?") == [ours.id]
        assert listed(limit=1, offset=1) == [theirs.id]

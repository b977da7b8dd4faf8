"""Suggestions: who sees and types them, filing, amending, withdrawing, endorsing, listing."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NotAllowed, NotFound, WrongState
from drafting.services import decisions, sections, suggestions
from drafting.services.access import ANONYMOUS
from drafting.services.decisions import Judged
from drafting.store.database import Database
from drafting.store.models import Meeting, Suggestion
from tests.services.proposing import TEXT, Around


@pytest.fixture
def around(database: Database) -> Around:
    return Around(database)


def test_a_draft_is_seen_and_typed_by_its_organisation_only(around: Around) -> None:
    view = around.draft(around.ngo, "100", "250")
    assert view.state == view.fate == "draft" and view.can == {"edit", "amend", "file", "withdraw"}
    around.write(around.colleague, "2027", "2028", view)
    assert around.branch(view) == TEXT.replace("100", "250").replace("2027", "2028")
    for actor in (around.rival, around.drafter, around.official, ANONYMOUS):
        with around.database.read() as session, pytest.raises(NotFound):
            suggestions.suggestion(session, actor, view.id)
    with pytest.raises(NotFound):
        around.write(around.rival, "250", "1", view)
    with around.database.read() as session:
        assert suggestions.of_section(session, around.rival, around.section_id) == []
        assert suggestions.count(session, around.official, around.document_id) == 0
        assert suggestions.count(session, around.colleague, around.document_id) == 1
    assert around.text() == TEXT


def test_filing_keeps_the_form_for_ever(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250", (around.origin,))
    assert view.state == "filed" and view.reason == "because"
    assert [(one.ground, one.text) for one in view.filed_form] == [("100", "250")]
    assert [origin.meeting_number for origin in view.origins] == [1]
    around.write(around.ngo, "250", "300", view)
    view = around.view(view)
    assert [(one.ground, one.text) for one in view.filed_form] == [("100", "250")]
    assert [(hunk.ground, hunk.text) for hunk in view.hunks] == [("100", "300")]
    assert "suggestion_filed" in around.told(around.official)
    with around.database.write() as session, pytest.raises(WrongState):
        suggestions.file(session, around.ngo, view.id, reason="again")
    assert around.is_clean()


def test_a_change_that_changes_nothing_is_refused_and_a_reason_is_needed(around: Around) -> None:
    view = around.draft(around.ngo, "100", "250")
    with around.database.write() as session, pytest.raises(InvalidInput) as refused:
        suggestions.file(session, around.ngo, view.id, reason="  ")
    assert refused.value.details["field"] == "reason"
    around.write(around.ngo, "250", "100", view)
    with around.database.write() as session, pytest.raises(InvalidInput) as refused:
        suggestions.file(session, around.ngo, view.id, reason="because")
    assert refused.value.details["field"] == "changes"


def test_a_foreign_suggestion_is_not_amended_filed_or_withdrawn(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250")
    for verb in (
        lambda session: suggestions.amend(session, around.rival, view.id, reason="mine"),
        lambda session: suggestions.withdraw(session, around.rival, view.id),
        lambda session: suggestions.withdraw(session, around.drafter, view.id),
    ):
        with around.database.write() as session, pytest.raises(NotAllowed):
            verb(session)
    with pytest.raises(NotAllowed):
        around.write(around.rival, "250", "1", view)
    with around.database.write() as session, pytest.raises(NotAllowed):
        suggestions.open_suggestion(session, around.ngo, around.section_id, origin_ids=[around.other_origin])


def test_amending_changes_reason_and_origins(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250")
    with around.database.write() as session:
        view = suggestions.amend(session, around.colleague, view.id, reason="better", origin_ids=[around.origin])
    assert view.reason == "better" and [one.id for one in view.origins] == [around.origin]


def test_withdrawing_keeps_it_readable_and_out_of_the_way(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250")
    with around.database.write() as session:
        view = suggestions.withdraw(session, around.ngo, view.id)
    assert view.state == "withdrawn" and [hunk.text for hunk in view.hunks] == ["250"]
    with pytest.raises(NotFound):
        around.write(around.ngo, "100", "1", view)
    with around.database.write() as session, pytest.raises(WrongState):
        suggestions.withdraw(session, around.ngo, view.id)
    around.forget()
    assert around.view(view).state == "withdrawn" and around.is_clean()


def test_withdrawing_after_a_part_was_decided_takes_back_the_rest(around: Around) -> None:
    view = around.draft(around.ngo, "100", "250")
    around.write(around.ngo, "quick", "slow", view)
    with around.database.write() as session:
        view = suggestions.file(session, around.ngo, view.id, reason="two places")
    first = [hunk for hunk in view.hunks if hunk.text == "250"]
    with around.database.write() as session:
        decisions.decide(session, around.official, around.section_id, [Judged(view.id, first[0].id)], "accepted")
    with around.database.write() as session:
        view = suggestions.withdraw(session, around.ngo, view.id)
    assert view.state == "decided" and view.fate == "accepted"
    assert around.text() == around.branch(view) == TEXT.replace("100", "250")
    assert around.is_clean()


def test_endorsing_is_an_organisations_and_can_be_taken_back(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250")
    with around.database.write() as session:
        view = suggestions.endorse(session, around.rival, view.id, "we too")
        assert [(one.organization.id, one.note) for one in view.endorsements] == [(around.theirs, "we too")]
        assert "unendorse" in view.can
        with pytest.raises(InvalidInput):
            suggestions.endorse(session, around.colleague, view.id)
        with pytest.raises(NotAllowed):
            suggestions.endorse(session, around.drafter, view.id)
        view = suggestions.unendorse(session, around.rival, view.id)
        assert view.endorsements == ()
        with pytest.raises(WrongState):
            suggestions.unendorse(session, around.rival, view.id)
        assert suggestions.endorse(session, around.rival, view.id).endorsements
    assert around.told(around.ngo).count("suggestion_endorsed") == 2


@pytest.mark.xdist_group("postgresql")
def test_what_another_did_meanwhile_is_known_before_a_suggestion_is_filed_withdrawn_or_endorsed(
    postgresql_database: Database,
) -> None:
    """Two at once: the second has read the row before the first committed."""
    around = Around(postgresql_database)
    draft, filed = around.draft(around.ngo, "quick", "slow"), around.propose(around.ngo, "100", "250")

    def file(session: Session) -> object:
        return suggestions.file(session, around.ngo, draft.id, reason="so")

    def withdraw(session: Session) -> object:
        return suggestions.withdraw(session, around.ngo, filed.id)

    for verb, id_ in ((file, draft.id), (withdraw, filed.id)):
        with around.database.write() as late, around.database.write() as first:
            assert late.get_one(Suggestion, id_).state
            verb(first)
            with pytest.raises(WrongState):
                verb(late)
    other = around.propose(around.ngo, "2027", "2028")
    with around.database.write() as late, around.database.write() as first:
        row = late.get_one(Suggestion, other.id)
        suggestions.withdraw(first, around.ngo, other.id)
        assert row.state == "filed"
        with pytest.raises(WrongState):
            suggestions.endorse(late, around.rival, other.id)
    assert around.is_clean()


def test_a_whole_new_section_is_there_once_it_is_accepted(around: Around) -> None:
    proposed, view = around.propose_section("## Bees\n\nWe keep bees.\n")
    with around.database.write() as session:
        assert len(sections.outline(session, around.drafter, around.document_id)) == 1
        view = suggestions.file(session, around.ngo, view.id, reason="bees")
    proposed.decide("accepted", view)
    with around.database.read() as session:
        outline = sections.outline(session, around.drafter, around.document_id)
    assert [one.title for one in outline][-1] == "Bees" and around.is_clean()


def test_the_listing_filters(around: Around) -> None:
    ours = around.propose(around.ngo, "100", "250", (around.origin,))
    theirs = around.propose(around.rival, "quick", "slow")
    with around.database.read() as session:

        def numbers(**filters: object) -> list[int]:
            found = suggestions.listing(session, around.official, around.document_id, **filters)  # type: ignore[arg-type]
            assert suggestions.count(session, around.official, around.document_id, **filters) == len(found)
            return [one.number for one in found]

        assert numbers() == [ours.number, theirs.number]
        assert numbers(organization_id=around.ours) == [ours.number]
        assert numbers(meeting_id=session.query(Meeting).one().id) == [ours.number]
        assert numbers(section_id=around.section_id, states=["filed"]) == [ours.number, theirs.number]
        assert numbers(states=["decided"]) == []
        assert numbers(words="slow") == [theirs.number]
        assert numbers(hunk_state="open") == [ours.number, theirs.number]


def test_rivals_are_named_with_what_each_would_make_of_the_sentence(around: Around) -> None:
    ours = around.propose(around.ngo, "100", "250")
    theirs = around.propose(around.rival, "100", "150")
    view = around.view(ours)
    [related] = view.hunks[0].related
    assert (related.number, related.kind, related.supersedes, related.text) == (theirs.number, "clash", True, "150")
    assert view.supersedes == ((theirs.id, 1),)
    [way] = view.hunks[0].ways
    assert way.after == "We plant 250 trees in 2027."
    with around.database.read() as session:
        wordings = suggestions.comparison(session, around.official, ours.id, 1)
    assert [one.text for one in wordings] == [
        "We plant 100 trees in 2027.", "We plant 250 trees in 2027.", "We plant 150 trees in 2027.",
    ]  # fmt: skip


def test_law_6_a_draft_follows_main_and_is_flagged_by_a_direct_edit_of_its_ground(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250")
    around.write(around.drafter, "2027", "2028")
    assert around.branch(view) == TEXT.replace("100", "250").replace("2027", "2028")
    around.write(around.drafter, "100 trees", "100 old trees")
    assert around.view(view).hunks[0].base_changed is False
    around.write(around.drafter, "100", "120")
    assert around.view(view).hunks[0].base_changed is True
    assert around.is_clean()
    with around.database.read() as session:
        assert session.get_one(Suggestion, view.id).state == "filed"


def test_who_began_to_read_before_a_rival_was_opened_reads_on(around: Around) -> None:
    ours = around.propose(around.ngo, "100", "250")
    with around.database.read() as early:
        assert len(suggestions.of_section(early, around.official, around.section_id)) == 1  # what it reads is of now
        early.expunge_all()
        around.propose(around.rival, "100", "150")
        [view] = suggestions.of_section(early, around.official, around.section_id)
        assert view.id == ours.id and view.hunks[0].text == "250"
        with around.database.write() as session:
            suggestions.withdraw(session, around.ngo, ours.id)
        early.expunge_all()
        assert [view.id for view in suggestions.of_section(early, around.official, around.section_id)] == [ours.id]

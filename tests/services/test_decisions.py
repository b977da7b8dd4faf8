"""Deciding and reverting through the services: the story of one change, rivals, identical ones, stale reviews."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from drafting.errors import InvalidInput, NotAllowed, NotFound, StaleReview, WrongState
from drafting.services import audit, decisions, heads, sections, suggestions
from drafting.services.decisions import Judged
from drafting.store.database import Database
from drafting.store.models import Revision, RevisionOrigin
from tests.services.proposing import TEXT, Around


@pytest.fixture
def around(database: Database) -> Around:
    return Around(database)


def test_accepting_makes_a_revision_typed_by_the_proposer_on_behalf_of_its_origins(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250 native", (around.origin,))
    done = around.accept(view)
    assert around.text() == TEXT.replace("100", "250 native") == around.branch(view)
    [decision] = done.decisions
    with around.database.read() as session:
        revision = session.get_one(Revision, (around.stream_id, done.version))
        origins = session.scalars(select(RevisionOrigin.origin_id)).all()
    assert (revision.kind, revision.author_id, revision.decision_id) == ("accept", around.ngo.user_id, decision.id)
    assert origins == [around.origin]
    assert (decision.ground, decision.wording, decision.by_id) == ("100", "250 native", around.official.user_id)
    assert decision.after == "We plant 250 native trees in 2027."
    view = around.view(view)
    assert (view.state, view.fate, view.hunks[0].decision) == ("decided", "accepted", decision)
    assert "hunk_accepted" in around.told(around.ngo) and around.is_clean()


def test_the_rival_is_superseded_and_its_author_told(around: Around) -> None:
    ours, theirs = around.propose(around.ngo, "100", "250"), around.propose(around.rival, "100", "150")
    done = around.accept(ours, supersedes=((theirs.id, 1),))
    assert done.decisions[0].superseded == ((theirs.id, 1),)
    assert around.states(theirs) == ["superseded"] and around.view(theirs).fate == "superseded"
    assert around.branch(theirs) == around.text() == TEXT.replace("100", "250")
    assert "hunk_superseded" in around.told(around.rival) and around.is_clean()


def test_law_9_what_it_supersedes_must_be_named(around: Around) -> None:
    ours, theirs = around.propose(around.ngo, "100", "250"), around.propose(around.rival, "100", "150")
    with pytest.raises(StaleReview) as refused:
        around.accept(ours, supersedes=())
    assert refused.value.details["superseded"] == [[theirs.id, 1]]
    assert {one["suggestion"] for one in refused.value.details["suggestions"]} == {ours.id, theirs.id}
    assert around.text() == TEXT


def test_law_9_a_hunk_that_changed_since_it_was_read_is_refused_with_the_new_state(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250")
    around.write(around.ngo, "250", "300", view)
    for verdict in ("accepted", "rejected"):
        with pytest.raises(StaleReview) as refused:
            around.decide(verdict, view)
        assert refused.value.details["suggestions"][0]["hunks"][0]["text"] == "300"
    around.write(around.drafter, "2027", "2028")  # elsewhere: what was read is still what it is
    around.decide("accepted", around.view(view))
    assert around.text() == TEXT.replace("100", "300").replace("2027", "2028")


def test_identical_proposals_are_fulfilled_and_both_credited(around: Around) -> None:
    ours = around.propose(around.ngo, "100", "150", (around.origin,))
    theirs = around.draft(around.rival, "00", "50", (around.other_origin,))
    with around.database.write() as session:
        theirs = suggestions.file(session, around.rival, theirs.id, reason="too")
    done = around.accept(ours)
    assert done.decisions[0].fulfilled == ((theirs.id, 1),)
    assert around.states(theirs) == ["fulfilled"] and "hunk_fulfilled" in around.told(around.rival)
    with around.database.read() as session:
        assert set(session.scalars(select(RevisionOrigin.origin_id))) == {around.origin, around.other_origin}
    around.revert(done)
    assert around.states(theirs) == around.states(ours) == ["open"] and around.text() == TEXT
    assert around.is_clean()


def test_two_rivals_in_one_set_are_both_left(around: Around) -> None:
    ours, theirs = around.propose(around.ngo, "100", "250"), around.propose(around.rival, "100", "150")
    third = around.propose(around.rival, "quick", "slow")
    done = around.accept(theirs, third, ours)
    outcomes = {one.suggestion_id: one.outcome for one in done.outcomes}
    assert outcomes == {ours.id: "rival", theirs.id: "rival", third.id: "applied"}
    assert around.text() == TEXT.replace("quick", "slow") and around.is_clean()


def test_a_rejection_needs_a_reason_and_keeps_the_wording_on_the_card(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250")
    with around.database.write() as session, pytest.raises(InvalidInput):
        decisions.decide(session, around.official, around.section_id, [Judged(view.id, 1)], "rejected", reason=" ")
    done = around.decide("rejected", around.view(view))
    view = around.view(view)
    assert (view.fate, view.hunks[0].text, around.branch(view), around.text()) == ("rejected", "250", TEXT, TEXT)
    around.revert(done)
    assert around.states(view) == ["open"] and around.branch(view) == TEXT.replace("100", "250")
    assert around.is_clean()


def test_accepting_with_changes_applies_the_officials_words_and_a_revert_reopens_the_proposal(around: Around) -> None:
    view = around.propose(around.ngo, "100 trees", "250 native trees")
    done = around.accept(view, wording="200 native")
    assert around.text() == TEXT.replace("100 trees", "200 native trees")
    assert around.view(view).fate == "reworded" and done.decisions[0].verdict == "reworded"
    around.revert(done)
    assert around.text() == TEXT and around.branch(view) == TEXT.replace("100 trees", "250 native trees")
    assert around.is_clean()


def test_a_hunk_on_changed_ground_is_accepted_only_knowingly(around: Around) -> None:
    view = around.propose(around.ngo, "quick fox", "slow bear")
    around.write(around.drafter, "quick fox", "quick brown fox")
    view = around.view(view)
    assert view.hunks[0].base_changed and {way.mode for way in view.hunks[0].ways} >= {"stands"}
    done = around.decide("accepted", view)
    assert [one.outcome for one in done.outcomes] == ["needs_mode"] and not done.decisions
    done = around.decide("accepted", view, mode="stands")
    assert [one.outcome for one in done.outcomes] == ["applied"] and "The slow bear." in around.text()
    assert around.is_clean()


def test_a_revert_that_would_take_newer_words_shows_them_first(around: Around) -> None:
    done = around.accept(around.propose(around.ngo, "100", "250 native"))
    around.write(around.drafter, "native", "local")
    with pytest.raises(WrongState) as refused:
        around.revert(done)
    preview = refused.value.details["preview"]
    assert preview["newer"][0]["by"] == around.drafter.name
    assert preview["sentences"][0]["after"] == "We plant 100 trees in 2027."
    around.revert(done, confirm=preview)
    assert around.text() == TEXT and around.is_clean()


def test_a_decision_is_reverted_once_and_a_revert_never(around: Around) -> None:
    done = around.accept(around.propose(around.ngo, "100", "250"))
    reverted = around.revert(done)
    with pytest.raises(WrongState):
        around.revert(done)
    with around.database.write() as session, pytest.raises(WrongState):
        decisions.revert(session, around.official, reverted.decisions[0].id)


def test_law_8_accept_and_revert_give_back_every_characters_author(around: Around) -> None:
    around.write(around.drafter, "trees", "tall trees")
    with around.database.read() as session, heads.reading(session, around.section_id) as head:
        before = head.tape.spans()
    done = around.accept(around.propose(around.ngo, "100 tall", "250"))
    around.revert(done)
    with around.database.read() as session, heads.reading(session, around.section_id) as head:
        assert head.tape.spans() == before
    around.forget()
    with around.database.read() as session, heads.reading(session, around.section_id) as head:
        assert head.tape.spans() == before


def test_a_superseded_hunk_comes_back_with_the_revert_of_what_superseded_it(around: Around) -> None:
    ours, theirs = around.propose(around.ngo, "100", "250"), around.propose(around.rival, "100", "150")
    done = around.accept(ours)
    around.forget()
    around.revert(done)
    assert around.states(theirs) == ["open"] and around.branch(theirs) == TEXT.replace("100", "150")


def test_what_will_happen_can_be_asked_first(around: Around) -> None:
    ours, theirs = around.propose(around.ngo, "100", "250"), around.propose(around.rival, "100", "150")
    with around.database.read() as session:
        seen = decisions.foresee(session, around.official, around.section_id, [Judged(ours.id, 1)])
    assert seen.supersedes == ((theirs.id, 1),)
    assert [one.after for one in seen.sentences] == ["We plant 250 trees in 2027."]
    assert around.text() == TEXT and around.states(theirs) == ["open"]


def test_nothing_is_accepted_into_a_section_that_was_removed_but_it_is_rejected_and_withdrawn(around: Around) -> None:
    taken = around.accept(around.propose(around.ngo, "2027", "2028"))
    ours, theirs = around.propose(around.ngo, "100", "250"), around.propose(around.rival, "quick", "slow")
    later, mine = around.draft(around.ngo, "fox", "hare"), around.propose(around.ngo, "Done", "Ready")
    stands = around.text()
    with around.database.write() as session:
        sections.remove_section(session, around.official, around.section_id)
    for write in (
        lambda: around.accept(ours),
        lambda: around.accept(ours, wording="300"),
        lambda: around.revert(taken),
    ):
        with pytest.raises(WrongState) as refused:
            write()
        assert refused.value.details["state"] == "section_removed" and "title" in refused.value.details
    with around.database.write() as session, pytest.raises(WrongState):
        suggestions.file(session, around.ngo, later.id, reason="because")
    assert around.text() == stands and around.states(ours) == ["open"]
    rejected = around.decide("rejected", around.view(theirs))
    around.revert(rejected)
    around.decide("rejected", around.view(theirs))
    with around.database.write() as session:
        assert suggestions.withdraw(session, around.ngo, mine.id).state == "withdrawn"
        sections.restore_section(session, around.official, around.section_id)
    around.accept(ours)
    assert around.text() == stands.replace("100", "250") and around.is_clean()


def test_what_brought_a_section_in_does_not_bring_it_back_once_it_was_removed(around: Around) -> None:
    new, view = around.propose_section("## Bees\n\nWe keep bees.\n")
    with around.database.write() as session:
        view = suggestions.file(session, around.ngo, view.id, reason="bees")
    taken = new.accept(view)
    new.revert(taken)
    with around.database.write() as session:
        sections.remove_section(session, around.official, view.section_id)
    with pytest.raises(WrongState) as refused:
        new.accept(view)
    assert refused.value.details["state"] == "section_removed"
    with around.database.write() as session:
        sections.restore_section(session, around.official, view.section_id)
    new.accept(view)
    assert around.is_clean()


def test_only_those_who_may_decide_do(around: Around) -> None:
    view = around.propose(around.ngo, "100", "250")
    draft = around.draft(around.rival, "quick", "slow")
    for actor in (around.ngo, around.rival, around.drafter):
        with around.database.write() as session, pytest.raises(NotAllowed):
            decisions.decide(session, actor, around.section_id, [Judged(view.id, 1)], "accepted")
    with around.database.write() as session, pytest.raises(NotFound):
        decisions.decide(session, around.official, around.section_id, [Judged(draft.id, 1)], "accepted")


def test_every_decision_stands_in_the_chain_of_events(around: Around) -> None:
    around.revert(around.accept(around.propose(around.ngo, "100", "250")))
    around.decide("rejected", around.propose(around.rival, "quick", "slow"))
    with around.database.read() as session:
        kinds = [event.kind for event in audit.events(session, around.official, around.document_id)]
        assert audit.verify_chain(session, around.document_id).is_whole
    assert [kind for kind in reversed(kinds) if kind.startswith("hunk_")] == [
        "hunk_accepted", "hunk_reverted", "hunk_rejected",
    ]  # fmt: skip

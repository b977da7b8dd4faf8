"""Every example of docs/branches.md under its number, and the cases that the engine's issue names."""

from __future__ import annotations

import pytest

from drafting.engine.attribution import spans_at
from drafting.engine.branch import Written, branch_text, check_order, fresh, main_step
from drafting.engine.changes import ChangeSet
from drafting.engine.plans import Item
from drafting.engine.proposals import carry
from drafting.engine.rebase import Update
from drafting.errors import StaleReview, WrongState
from tests.engine.branch_desk import Desk

A, B, C, S = 1, 2, 3, 4


def states(desk: Desk, suggestion: int) -> dict[int, str]:
    return desk.p.closed(suggestion)


def flags(desk: Desk, suggestion: int) -> list[bool]:
    return [hunk.base_changed for hunk in desk.p.hunks(suggestion)]


# ── docs/branches.md ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_01_the_accepted_hunks_own_suggestion_is_shifted_not_mapped():
    desk = Desk(".")
    desk.suggest(S, (0, 0, "x "), (1, 1, " y"))
    desk.edit((0, 1, ""))
    assert desk.read(S) == "x  y" and [hunk.start for hunk in desk.p.hunks(S)] == [0, 0]
    desk.accept((S, 2))
    assert desk.main == " y" and desk.read(S) == "x  y"
    desk.check()


def test_02_disjoint_characters_of_one_word_are_rivals():
    desk = Desk("100 tree")
    desk.suggest(A, (1, 1, "5"))
    desk.suggest(B, (3, 3, "0"))
    assert desk.hunks(A) == [(1, "100", "1500")] and desk.hunks(B) == [(1, "100", "1000")]
    assert desk.p.relation((A, 1), (B, 1)).kind == "clash"
    desk = Desk("tree of")
    desk.suggest(A, (4, 4, "s"))
    desk.suggest(B, (4, 4, " native"))
    plan = desk.accept((B, 1))
    assert plan.superseded == () and desk.main == "tree native of"
    desk.accept((A, 1))
    assert desk.main == "trees native of"


def test_03_identical_is_what_gives_the_same_text():
    desk = Desk("We plant 100 trees")
    desk.replace(A, "100", "150")
    desk.suggest(B, (10, 11, "5"))
    assert desk.p.relation((A, 1), (B, 1)).kind == "identical"
    desk = Desk("the the cat")
    desk.suggest(A, (0, 4, ""))
    desk.suggest(B, (4, 8, ""))
    assert desk.p.relation((A, 1), (B, 1)).kind == "identical"
    plan = desk.accept((A, 1))
    assert plan.applied[0].fulfilled == ((B, 1),)
    assert desk.main == "the cat" == desk.read(B) and states(desk, B) == {1: "fulfilled"}


def test_04_insertions_that_would_run_together_are_rivals():
    desk = Desk("A.")
    desk.suggest(A, (2, 2, "One."))
    desk.suggest(B, (2, 2, "Two."))
    assert desk.p.relation((A, 1), (B, 1)).kind == "clash"
    desk = Desk("A.")
    desk.suggest(A, (2, 2, " One."))
    desk.suggest(B, (2, 2, " Two."))
    assert desk.p.relation((A, 1), (B, 1)).kind == "compatible"
    desk.accept((B, 1))
    desk.accept((A, 1))
    assert desk.main == "A. Two. One."


@pytest.mark.parametrize("first", [A, B])
def test_05_deletions_slide_over_equal_blanks_before_their_union_joins_words(first):
    desk = Desk("a b c d")
    desk.suggest(A, (1, 3, ""))
    desk.suggest(B, (2, 6, ""))
    desk.accept((first, 1))
    second = A + B - first
    if desk.p.hunks(second):
        desk.accept((second, 1))
    assert desk.main == "a d"
    desk.check()


def test_05b_deletions_whose_union_must_join_words_are_rivals():
    desk = Desk("ab.,;cd")
    desk.suggest(A, (2, 4, ""))
    desk.suggest(B, (3, 5, ""))
    assert desk.p.relation((A, 1), (B, 1)).kind == "clash"


def test_06_rivals_within_a_set_are_both_not_applied():
    desk = Desk("The quick fox. One.")
    desk.replace(A, "quick", "fast")
    desk.replace(B, "quick", "swift")
    desk.replace(C, "One", "Two")
    plan = desk.accept((C, 1), (B, 1), (A, 1))
    assert [(step.item.suggestion, step.outcome) for step in plan.steps] == [
        (A, "rival"),
        (B, "rival"),
        (C, "applied"),
    ]
    assert plan.steps[0].rivals == ((B, 1),)
    assert desk.main == "The quick fox. Two."
    assert len(desk.p.hunks(A)) == len(desk.p.hunks(B)) == 1


def test_06b_request_order_means_nothing():
    texts = set()
    for order in ((A, B, C), (C, B, A), (B, C, A)):
        desk = Desk("A.")
        for suggestion, words in ((A, " One."), (B, " Two."), (C, " Three.")):
            desk.suggest(suggestion, (2, 2, words))
        desk.accept(*((suggestion, 1) for suggestion in order))
        texts.add(desk.main)
    assert texts == {"A. One. Two. Three."}


def test_07_at_one_point_the_order_of_acceptance_is_the_order_in_the_text():
    for first, second, text in ((A, B, "A. One. Two."), (B, A, "A. Two. One.")):
        desk = Desk("A.")
        desk.suggest(A, (2, 2, " One."))
        desk.suggest(B, (2, 2, " Two."))
        desk.accept((first, 1))
        desk.accept((second, 1))
        assert desk.main == text


def test_08_typing_the_suggestion_by_hand_leaves_the_branch_alone():
    desk = Desk("We plant 100 trees")
    desk.replace(S, "100", "250")
    desk.edit((9, 12, ""))
    for offset, digit in enumerate("250"):
        desk.edit((9 + offset, 9 + offset, digit))
        assert desk.read(S) == "We plant 250 trees"
    assert desk.p.shown(S)[0].fulfilled
    desk.check()


def test_08b_quick_to_fast_by_hand_never_gives_fastswift():
    desk = Desk("The quick fox")
    desk.replace(S, "quick", "swift")
    for _ in range(5):
        desk.edit((4, 5, ""))
    for offset, letter in enumerate("fast"):
        desk.edit((4 + offset, 4 + offset, letter))
        assert desk.read(S) == "The swift fox"
    assert desk.hunks(S) == [(1, "fast", "swift")] and flags(desk, S) == [True]
    desk.accept(Item(S, 1, mode="stands"))
    assert desk.main == "The swift fox"


def test_08c_a_comma_mended_inside_a_suggested_deletion_stays_inside():
    desk = Desk("One. Two, three. Four.")
    desk.suggest(S, (5, 17, ""))
    desk.edit_words(",", ";")
    assert desk.read(S) == "One. Four." and desk.hunks(S) == [(1, "Two; three. ", "")]
    assert flags(desk, S) == [True]


def test_09_an_identical_direct_edit_fulfils_while_it_stands():
    desk = Desk("We plant 100 trees")
    desk.replace(S, "100", "250")
    desk.edit_words("100", "250")
    shown = desk.p.shown(S)[0]
    assert shown.fulfilled and shown.state == "fulfilled" and shown.base_changed
    assert desk.p.plan([Item(S, 1, mode="stands")]).steps[0].outcome == "fulfilled_by_edit"
    desk.edit((12, 12, "0"))
    shown = desk.p.shown(S)[0]
    assert not shown.fulfilled and (shown.ground, shown.text) == ("2500", "250")


def test_10_what_main_puts_back_letter_for_letter_counts_as_untouched():
    desk = Desk("We plant 100 trees in spring.")
    desk.replace(S, "100", "250")
    before = desk.p.shown(S)
    desk.edit((3, 19, ""))
    assert desk.read(S) != "We plant 250 trees in spring."
    desk.edit((3, 3, "plant 100 trees "))
    assert desk.read(S) == "We plant 250 trees in spring." and desk.p.shown(S) == before


def test_11_a_restored_sentence_stands_between_what_stood_on_its_sides():
    desk = Desk("One. Two. Three.")
    desk.suggest(A, (5, 10, ""))
    desk.suggest(B, (5, 5, "Before. "))
    desk.suggest(C, (10, 10, "After. "))
    desk.accept((A, 1))
    assert desk.hunks(B) and desk.p.hunks(B)[0].start == desk.p.hunks(C)[0].start == 5
    desk.revert(A, 1)
    assert desk.read(B) == "One. Before. Two. Three." and desk.read(C) == "One. Two. After. Three."
    # and again: the mark stays until the author rewrites it
    desk.accept((A, 1))
    desk.revert(A, 1)
    assert desk.read(B) == "One. Before. Two. Three." and desk.read(C) == "One. Two. After. Three."


@pytest.mark.parametrize("order", [(A, B), (B, A)])
def test_12_reverting_adjacent_deletions_in_any_order_swaps_nothing(order):
    desk = Desk("ab cd ef")
    before = spans_at(desk.log, 1)
    desk.suggest(A, (0, 3, ""))
    desk.suggest(B, (3, 6, ""))
    desk.accept((A, 1))
    desk.accept((B, 1))
    assert desk.main == "ef"
    for suggestion in order:
        desk.revert(suggestion, 1)
    assert desk.main == "ab cd ef" and spans_at(desk.log, desk.log.version) == before


def test_13_a_decision_on_a_hunk_that_was_cut_is_reverted_with_it():
    desk = Desk("One. Two. Three. Four.")
    desk.suggest(A, (5, 10, ""))
    desk.suggest(B, (5, 17, ""))
    plan = desk.accept((A, 1))
    assert plan.applied[0].shared == ((B, 1),)
    desk.accept((B, 1))
    assert desk.main == "One. Four."
    plan = desk.revert(A, 1)
    assert [(one.suggestion, one.hunk) for one in plan.applied] == [(B, 1), (A, 1)]
    assert desk.main == "One. Two. Three. Four."
    assert desk.hunks(A) == [(1, "Two. ", "")] and desk.hunks(B) == [(1, "Two. Three. ", "")]


def test_14_superseded_by_two_is_open_again_when_neither_stands():
    desk = Desk("One two three.")
    desk.replace(A, "One", "Eins")
    desk.replace(B, "three", "drei")
    desk.replace(C, "One two three", "All")
    desk.accept((A, 1))
    assert states(desk, C) == {1: "superseded"}
    desk.accept((B, 1))
    desk.revert(A, 1)
    assert states(desk, C) == {1: "superseded"} and desk.hunks(C) == []
    desk.revert(B, 1)
    assert desk.hunks(C) == [(1, "One two three", "All")]


def test_15_what_the_author_typed_on_after_acceptance_stands():
    desk = Desk("We plant 100 trees")
    desk.replace(S, "100", "250")
    desk.accept((S, 1))
    desk.replace(S, "250", "2500")
    assert desk.hunks(S) == [(2, "250", "2500")]
    plan = desk.revert(S, 1)
    assert desk.main == "We plant 100 trees" and desk.read(S) == "We plant 2500 trees"
    assert desk.hunks(S) == [(1, "100", "2500")]
    assert [(fate.hunk, fate.state, fate.into) for fate in plan.fates] == [(1, "open", None), (2, "joined", 1)]


def test_16_something_new_where_his_hunk_was_superseded_keeps_it_closed():
    desk = Desk("The quick fox")
    desk.replace(A, "quick", "fast")
    desk.replace(B, "quick", "swift")
    desk.accept((A, 1))
    desk.replace(B, "fast", "swift")
    desk.revert(A, 1)
    assert desk.read(B) == "The swift fox" and [hunk[0] for hunk in desk.hunks(B)] == [2]
    assert states(desk, B) == {1: "superseded"}
    with pytest.raises(WrongState):
        desk.p.reopen(B, 1)


def test_16b_a_superseded_hunk_can_be_reopened_by_hand():
    desk = Desk("The quick fox")
    desk.replace(A, "quick", "fast")
    desk.replace(B, "quick", "swift")
    desk.accept((A, 1))
    desk.p.reopen(B, 1)
    assert flags(desk, B) == [True] and desk.p.hunks(B)[0].text == "swift"
    desk.check()


def test_17_a_rewording_is_compared_and_applied_and_the_proposal_reopened():
    desk = Desk("The quick fox")
    desk.replace(A, "quick", "swift")
    desk.replace(B, "quick", "swift")
    desk.replace(C, "quick", "nimble")
    plan = desk.accept(Item(A, 1, wording="nimble"))
    assert plan.applied[0].fulfilled == ((C, 1),) and plan.superseded == ((B, 1),)
    assert desk.main == "The nimble fox" == desk.read(A)
    desk.revert(A, 1)
    assert desk.hunks(A) == [(1, "quick", "swift")] and desk.read(A) == "The swift fox"
    assert desk.hunks(B) == [(1, "quick", "swift")] and desk.hunks(C) == [(1, "quick", "nimble")]


def test_17b_words_kept_are_the_proposers_the_rest_the_officials():
    desk = Desk("We plant trees.")
    desk.replace(A, "trees", "250 native trees in parks")
    plan = desk.accept(Item(A, 1, wording="200 native trees in public parks"))
    parts = plan.applied[0].parts
    text = plan.applied[0].text
    assert sum(length for length, _ in parts) == len(text)
    pos, kept = 0, []
    for length, is_proposers in parts:
        kept.append((text[pos : pos + length], is_proposers))
        pos += length
    assert (("200", False) in kept) and any("native trees in" in words for words, mine in kept if mine)
    assert desk.main == "We plant 200 native trees in public parks."


def test_18_a_revert_is_not_reverted_the_open_hunk_is_accepted_again():
    desk = Desk("We plant 100 trees")
    desk.replace(S, "100", "250")
    desk.accept((S, 1))
    desk.revert(S, 1)
    with pytest.raises(WrongState):
        desk.p.revert_plan(S, 1)
    desk.accept((S, 1))
    assert desk.main == "We plant 250 trees"


def test_19_a_key_in_flight_over_a_rejection_is_born_flagged():
    desk = Desk("The quick fox")
    desk.replace(S, "quick", "swift")
    update = Update("tab", 1, ChangeSet.of([(9, 9, "y")], 13))
    known = len(desk.entries[S])
    desk.reject(S, 1)
    desk.read(S)
    (carried,) = carry([update], desk.entries[S][known:])
    assert carried.flagged
    desk.p.branch_update(S, carried.changes, flagged=carried.flagged)
    assert desk.p.branch_text(S) == "The quicky fox" and flags(desk, S) == [True]
    assert desk.p.plan([Item(S, 2)]).steps[0].outcome == "needs_mode"


def test_19b_an_edit_written_before_the_main_change_clears_no_flag():
    desk = Desk("The quick fox")
    desk.replace(S, "quick", "swift")
    version = desk.p.version
    desk.edit_words("quick", "quicker")
    assert flags(desk, S) == [True]
    desk.read(S)
    desk.p.branch_update(S, ChangeSet.of([(9, 9, "er")], len(desk.p.branch_text(S))), written_on=version)
    assert flags(desk, S) == [True]
    desk.branches[S] = desk.p.branch_text(S)
    desk.suggest(S, (4, 5, "S"))
    assert flags(desk, S) == [False] and desk.hunks(S) == [(1, "quicker", "Swifter")]


def test_20_a_branch_must_be_caught_up_before_a_push():
    desk = Desk("The quick fox")
    desk.open(S)
    desk.edit_words("The", "A")
    with pytest.raises(WrongState):
        desk.p.branch_update(S, ChangeSet.of([(0, 0, "x")], 13))


def test_21_catching_up_gives_exactly_one_entry_for_each_main_version():
    desk = Desk("The quick fox")
    desk.replace(A, "quick", "fast")
    desk.replace(B, "quick", "swift")
    desk.replace(B, "fox", "cat")
    first = desk.p.version
    desk.edit_words("The", "A")
    desk.accept((A, 1))
    desk.edit_words("A", "One")
    entries = desk.p.catch_up(B)
    assert [(entry.kind, entry.version) for entry in entries] == [
        ("from_main", first + 1),
        ("from_main", first + 2),
        ("from_main", first + 3),
    ]
    assert [entry.removal for entry in entries] == [False, True, False]
    text = "The swift cat"
    for entry in entries:
        text = entry.changes.apply(text)
    assert text == "One fast cat" == desk.p.branch_text(B)
    assert desk.p.catch_up(B) == ()


def test_22_a_request_names_what_it_supersedes():
    desk = Desk("The quick fox")
    desk.replace(A, "quick", "fast")
    plan = desk.p.plan([Item(A, 1)])
    desk.replace(B, "quick", "swift")
    with pytest.raises(StaleReview):
        desk.p.accept(plan)
    with pytest.raises(StaleReview):
        desk.accept((A, 1), named=[])
    assert desk.main == "The quick fox"
    desk.accept((A, 1), named=[(B, 1)])
    assert desk.main == "The fast fox"


def test_23_the_hash_holds_the_ground_and_no_positions():
    desk = Desk("The quick fox. One.")
    desk.replace(S, "quick", "swift")
    before = desk.p.hash(S, 1)
    desk.edit((0, 0, "Lo! "))
    assert desk.p.hash(S, 1) == before
    desk.edit_words("quick", "quickest")
    assert desk.p.hash(S, 1) != before
    with pytest.raises(StaleReview):
        desk.accept(Item(S, 1, hash=before))
    with pytest.raises(StaleReview):
        desk.p.reject(S, 1, before)


def test_24_a_hunk_inside_a_restored_deletion_is_inside_again():
    desk = Desk("abc def ghi jkl mno")
    desk.replace(S, "def ghi", "one two")
    desk.suggest(A, (0, 16, ""))
    before = desk.p.shown(S)
    desk.edit((0, 16, ""))
    assert desk.p.shown(S) != before
    desk.edit((0, 0, "abc def ghi jkl "))
    assert desk.p.shown(S) == before


def test_25_a_revert_over_newer_words_is_previewed_and_brings_the_whole_place_back():
    desk = Desk("We plant 100 trees")
    desk.replace(A, "100", "250 native")
    desk.accept((A, 1))
    desk.replace(B, "native", "local")
    desk.accept((B, 1))
    assert desk.main == "We plant 250 local trees"
    plan = desk.p.revert_plan(A, 1)
    assert plan.newer == (3,) and plan.previews[0].after == "We plant 100 trees"
    with pytest.raises(WrongState):
        desk.p.revert(plan)
    assert desk.main == "We plant 250 local trees"
    desk.revert(A, 1)
    assert desk.main == "We plant 100 trees" and desk.hunks(A) == [(1, "100", "250 native")]


def test_25b_with_newer_words_that_go_stands_again_what_they_had_replaced():
    desk = Desk("We plant 100 trees here")
    desk.replace(S, "100", "250")
    desk.accept((S, 1))
    desk.edit_words("250 trees", "ten bushes")
    assert desk.p.revert_plan(S, 1).newer == (3,)
    desk.revert(S, 1)
    assert desk.main == "We plant 100 trees here"


def test_25c_what_only_stands_beside_an_accepted_hunk_stays():
    desk = Desk("One. Three.")
    desk.suggest(S, (4, 4, " Two."))
    desk.accept((S, 1))
    desk.edit((9, 9, " Two and a half."))
    desk.edit_words("One", "Eins")
    assert desk.p.revert_plan(S, 1).newer == ()
    desk.revert(S, 1)
    assert desk.main == "Eins. Two and a half. Three." and desk.read(S) == "Eins. Two. Two and a half. Three."


def test_19c_a_hunk_born_flagged_stays_so_until_its_author_looks_again():
    desk = Desk("The quick fox")
    desk.suggest(S, (9, 9, " red"), flagged=True)
    desk.edit((9, 9, ","))
    desk.edit((9, 10, ""))
    assert flags(desk, S) == [True]
    desk.suggest(S, (9, 10, " "))
    desk.suggest(S, (10, 10, "dark"))
    assert flags(desk, S) == [False]


def test_26_text_restored_inside_anothers_open_hunk_is_a_direct_edit_to_it():
    desk = Desk("One. Two. Three.")
    desk.suggest(A, (5, 10, ""))
    desk.accept((A, 1))
    desk.suggest(B, (0, 11, "All"))
    assert desk.hunks(B) == [(1, "One. Three.", "All")] or desk.hunks(B)[0][1].startswith("One. Three")
    desk.revert(A, 1)
    assert desk.hunks(B)[0][1].startswith("One. Two. Three") and flags(desk, B) == [True]
    assert desk.read(B).startswith("All")


def test_27_a_range_is_widened_no_further_than_the_next_own_hunk():
    desk = Desk("b.b")
    desk.suggest(S, (0, 0, "a"), (3, 3, "a"))
    desk.edit((1, 2, ""))
    assert [hunk[1:] for hunk in desk.hunks(S)] == [("b", "ab"), ("b", "ba")]
    assert desk.read(S) == "abba"
    desk.edit((2, 2, "b"))
    desk.check()


def test_28_rat_und_haus_clash_as_suggestions_though_they_map_as_change_sets():
    text = "Rat und Haus"
    one = ChangeSet.of([(4, 8, "")], 12)
    two = ChangeSet.of([(6, 6, "XX")], 12)
    assert one.compose(two.map(one)).apply(text) == "Rat XXHaus" == two.compose(one.map(two)).apply(text)
    desk = Desk(text)
    desk.suggest(A, (4, 8, ""))
    desk.suggest(B, (6, 6, "XX"))
    assert desk.p.relation((A, 1), (B, 1)).kind == "clash" == desk.p.relation((B, 1), (A, 1)).kind


# ── the list ────────────────────────────────────────────────────────────────────────────────────


def test_we_plant_250_trees_in_2028():
    desk = Desk("We plant 100 trees in 2027.")
    desk.replace(S, "100", "250")
    desk.edit_words("2027", "2028")
    assert desk.read(S) == "We plant 250 trees in 2028." and len(desk.p.hunks(S)) == 1
    desk.accept((S, 1))
    assert desk.main == "We plant 250 trees in 2028."


def test_accepting_never_gives_250250():
    desk = Desk("We plant 100 trees in 2027.")
    desk.replace(A, "100", "250")
    desk.replace(B, "100", "250")
    desk.accept((A, 1), (B, 1))
    assert desk.main == "We plant 250 trees in 2027." == desk.read(B)


def test_accepting_three_only_of_one_three_and_and_leaves_the_branch_text():
    desk = Desk("one two three")
    desk.suggest(S, (0, 3, "ONE"), (8, 13, "THREE"))
    desk.suggest(S, (7, 7, " and"))
    before = desk.read(S)
    three = next(hunk[0] for hunk in desk.hunks(S) if hunk[2] == "THREE")
    desk.accept((S, three))
    assert desk.main == "one two THREE" and desk.read(S) == before == "ONE two and THREE"


def test_quick_to_fast_and_quick_to_swift_are_never_both_accepted():
    desk = Desk("The quick fox")
    desk.replace(A, "quick", "fast")
    desk.replace(B, "quick", "swift")
    plan = desk.accept((A, 1), (B, 1))
    assert {step.outcome for step in plan.steps} == {"rival"} and desk.main == "The quick fox"
    desk.accept((A, 1))
    assert desk.main == "The fast fox" and desk.hunks(B) == [] and desk.read(B) == "The fast fox"


def test_a_deleted_and_restored_sentence_holds_its_suggestion_again():
    desk = Desk("One. We plant 100 trees. Three.")
    desk.replace(S, "100", "250")
    before = desk.p.shown(S)
    desk.edit_words("We plant 100 trees. ", "")
    desk.edit((5, 5, "We plant 100 trees. "))
    assert desk.p.shown(S) == before and desk.read(S) == "One. We plant 250 trees. Three."


def test_250_native_and_local_never_100local():
    desk = Desk("We plant 100 trees")
    desk.replace(S, "100", "250 native")
    desk.accept((S, 1))
    desk.edit_words("native", "local")
    plan = desk.p.revert_plan(S, 1)
    assert plan.newer == (3,)
    assert "100local" not in plan.previews[0].after
    desk.revert(S, 1)
    assert desk.main == "We plant 100 trees"


# ── ways to accept what main has changed ────────────────────────────────────────────────────────────────


def test_a_flagged_hunk_is_accepted_as_it_stands_or_around_the_new_words():
    desk = Desk("We plant trees here.")
    desk.replace(S, "trees here", "oaks there")
    desk.edit_words("trees here", "trees nicely here")
    assert flags(desk, S) == [True]
    ways = {way.mode: way.preview.after for way in desk.p.ways(S, 1)}
    assert ways["stands"] == "We plant oaks there."
    assert ways["around"] == "We plant oaks there nicely."
    with_mode = desk.accept(Item(S, 1, mode="around"))
    assert with_mode.steps[0].outcome == "applied" and "nicely" in desk.main
    desk.check()


@pytest.mark.parametrize(
    ("proposed", "edits", "around"),
    [
        (("100", "150"), [("100 drzew", "120 krzewów")], None),
        (("100", "150"), [("100 drzew", "1"), ("1", "120 krzewów")], None),
        (("100", "150"), [("0 drzew", "5 drzew")], None),
        (("100 drzew", "250 krzewów"), [("100", "120")], "Miasto posadzi 120 250 krzewów."),
        (("100 drzew", "250 krzewów"), [("100 drzew", "100 dużych drzew")], "Miasto posadzi 250 krzewów dużych."),
        (("100 drzew", ""), [("100", "120")], "Miasto posadzi 120."),
    ],
    ids=["replaced", "in two steps", "inside the number", "half", "between", "deleted"],
)
def test_around_the_new_words_no_word_runs_into_another(proposed, edits, around):
    desk = Desk("Miasto posadzi 100 drzew.")
    desk.replace(S, *proposed)
    for edit in edits:
        desk.edit_words(*edit)
    ways = {way.mode: way.preview.after for way in desk.p.ways(S, 1)}
    assert ways.get("around") == around and "stands" in ways
    if around is not None:
        desk.accept(Item(S, 1, mode="around"))
        assert desk.main == around
        desk.check()


@pytest.mark.parametrize("mode", ["stands", "around"])
def test_a_flagged_hunk_accepted_and_reverted_is_flagged_again(mode):
    desk = Desk("We plant trees here.")
    desk.replace(S, "trees here", "oaks there")
    desk.edit_words("trees here", "trees nicely here")
    before = desk.p.shown(S), desk.read(S), desk.main
    desk.accept(Item(S, 1, mode=mode))
    desk.revert(S, 1)
    assert (desk.p.shown(S), desk.read(S), desk.main) == before


def test_a_draft_is_not_superseded_but_flagged():
    desk = Desk("The quick fox")
    desk.replace(A, "quick", "fast")
    desk.open(B, filed=False)
    desk.replace(B, "quick", "swift")
    plan = desk.accept((A, 1))
    assert plan.superseded == () and flags(desk, B) == [True]
    assert desk.hunks(B) == [(1, "fast", "swift")]


def test_a_comparison_reads_as_sentences():
    desk = Desk("First. The quick fox jumps. Last.")
    desk.replace(A, "quick", "fast")
    desk.replace(B, "quick", "swift")
    assert desk.p.comparison(A, 1) == (
        (None, "The quick fox jumps."),
        ((A, 1), "The fast fox jumps."),
        ((B, 1), "The swift fox jumps."),
    )


def test_a_withdrawn_suggestions_accepted_hunk_can_still_be_reverted():
    desk = Desk("We plant 100 trees")
    desk.replace(S, "100", "250")
    desk.accept((S, 1))
    desk.p.close(S)
    plan = desk.revert(S, 1)
    assert desk.main == "We plant 100 trees" and [fate.state for fate in plan.fates] == ["withdrawn"]


def test_a_reverted_rejection_puts_the_hunk_back():
    desk = Desk("The quick fox")
    desk.replace(S, "quick", "swift")
    desk.reject(S, 1)
    assert desk.read(S) == "The quick fox"
    desk.edit_words("The", "A")
    desk.p.unreject(S, 1)
    assert desk.hunks(S) == [(1, "quick", "swift")] and desk.read(S) == "A swift fox"
    desk.check()


def test_a_reverted_rejection_stays_closed_where_an_own_hunk_has_come():
    desk = Desk("The quick fox")
    desk.replace(S, "quick", "swift")
    desk.reject(S, 1)
    desk.replace(S, "quick", "nimble")
    outcome = desk.p.unreject(S, 1)
    assert [fate.state for fate in outcome.fates] == ["closed"] and desk.read(S) == "The nimble fox"


# ── whole words ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "old", "new", "hunk"),
    [
        ("cost 1.000,50 PLN", "1.000,50", "1.200,50", ("1.000,50", "1.200,50")),
        ("cost 10\u00a0000 PLN", "10\u00a0000", "12\u00a0000", ("10\u00a0000", "12\u00a0000")),
        ("cafe\u0301 noir", "e\u0301", "e", ("cafe\u0301", "cafe")),
        ("don't go", "n't", "", ("don't", "do")),
        ("a \ud83c\udf33 b", "\ud83c\udf33", "\ud83c\udf34", ("\ud83c\udf33", "\ud83c\udf34")),
        ("art. 5, ust. 4", "5,", "6,", ("5", "6")),
        ("100 trees", "100", "150", ("100", "150")),
    ],
)
def test_hunks_are_whole_words_and_numbers(text, old, new, hunk):
    desk = Desk(text)
    desk.replace(S, old, new)
    assert desk.hunks(S)[0][1:] == hunk


def test_typing_at_the_edge_of_a_hunk_continues_it():
    desk = Desk("The fox")
    for offset, letter in enumerate("quick "):
        desk.suggest(S, (4 + offset, 4 + offset, letter))
    assert desk.hunks(S) == [(1, "", "quick ")] and desk.p.next_hunk_id(S) == 2


def test_hunks_that_an_update_joins_are_one_under_the_oldest_id():
    desk = Desk("one two three four")
    desk.suggest(S, (0, 3, "1"), (8, 13, "3"))
    outcome = desk.suggest(S, (0, 7, "x"))
    assert outcome.joined == ((2, 1),) and desk.hunks(S) == [(1, "one two three", "x")]


def test_a_hunk_without_effect_is_withdrawn_and_its_id_never_comes_again():
    desk = Desk("one two")
    desk.replace(S, "one", "1")
    outcome = desk.replace(S, "1", "one")
    assert outcome.withdrawn == (1,) and desk.hunks(S) == []
    assert desk.replace(S, "two", "2").born == (2,)


def test_the_written_form_is_where_and_on_what_it_was_written():
    desk = Desk("one two")
    desk.replace(S, "two", "2")
    desk.edit((0, 0, "zero "))
    assert desk.p.hunks(S)[0].written == Written(4, 7, "2", 1, "two")


# ── found by play ───────────────────────────────────────────────────────────────────────────────────────


def test_letters_typed_inside_a_word_of_the_same_letters_are_not_lost_between_hunks():
    """Whole words of what was typed lay beside it, and the branch log got nothing."""
    desk = Desk("bbbb\n.")
    desk.suggest(S, (2, 2, "b."), (6, 6, "  "))
    desk.edit((3, 3, "b\n"))
    desk.check()
    assert desk.read(S) == "bbb.bb\nb\n.  "


def test_own_hunks_at_one_point_never_pass_each_other():
    """One clashed with the word and stood behind it, the other met it at its edge and stood before."""
    before = (fresh(2, 0, 0, "aa", "a ", 1), fresh(1, 0, 0, "\n", "a ", 1))
    hunks, changes = main_step("a ", "aaa ", before, (0, 0, "aa"), 2)
    assert check_order("aaa ", hunks)
    assert changes.apply(branch_text("a ", before)) == branch_text("aaa ", hunks)


def test_an_insertion_before_a_word_that_another_hunk_changes_stays_before_it():
    """It was mapped over the letters typed and landed inside the accepted word."""
    desk = Desk("b e\u0301")
    desk.replace(A, "e\u0301", "1e\u0301")
    desk.suggest(B, (2, 2, "."))
    desk.accept((A, 1))
    desk.accept((B, 1))
    assert desk.main == "b .1e\u0301"


def test_a_number_that_loses_and_gets_back_its_first_digits_keeps_the_hunk():
    """Its form was narrowed when the separator was none any more, and not widened again."""
    desk = Desk("a1. bb1a ")
    desk.suggest(S, (2, 8, ".1a"))
    before = desk.p.shown(S)
    desk.suggest(A, (0, 2, ""))
    desk.accept((A, 1))
    desk.revert(A, 1)
    assert desk.p.shown(S) == before


def test_a_superseded_hunk_comes_back_though_an_own_one_stood_at_its_edge():
    """The own one stood in its place until it was tried again, and kept it out."""
    desk = Desk("one two")
    desk.suggest(S, (0, 0, "- "), (4, 4, "and "))
    desk.suggest(S, (6, 9, "AND"), (10, 13, "2"))
    desk.replace(A, "two", "zwei")
    before = desk.p.shown(S), desk.read(S)
    desk.accept((A, 1))
    assert desk.p.shown(S) != before[0]
    desk.revert(A, 1)
    assert (desk.p.shown(S), desk.read(S)) == before


def test_letters_that_come_to_stand_there_by_chance_put_nothing_back():
    """An own accepted insertion reads like what was deleted: the cut sibling must not take it for its ground."""
    desk = Desk("x, aa bb y")
    desk.suggest(S, (1, 5, ""), (8, 8, " aa"))
    desk.suggest(A, (2, 8, ""))
    desk.accept((A, 1))
    assert desk.main == "x, y" and desk.hunks(S) == [(1, ",", ""), (2, "", " aa")]
    desk.accept((S, 2))
    assert desk.main == "x, aa y" and desk.hunks(S) == [(1, ",", "")] and desk.read(S) == "x aa y"


def test_a_hunk_beside_an_own_one_that_is_reverted_keeps_in_sight_what_had_cut_it():
    """What it looks back to was shifted out of the text, and the blank and letter that came back were not seen."""
    desk = Desk("a b b b.")
    desk.suggest(S, (1, 7, ""))
    desk.suggest(S, (0, 0, "x"))
    desk.suggest(A, (1, 3, ""))
    before = desk.p.shown(S), desk.read(S)
    desk.accept((A, 1))
    desk.accept((S, 2))
    desk.check()
    desk.revert(S, 2)
    desk.check()
    desk.revert(A, 1)
    assert (desk.p.shown(S), desk.read(S)) == before
    desk.check()


def test_a_blank_line_that_comes_back_as_another_one_joins_no_hunks():
    """Two delete a blank line, each another one of four: taken back, it came to stand in an own hunk's ground."""
    desk = Desk("\n\n\n\na.")
    desk.suggest(S, (0, 1, ""), (3, 5, "b"))
    desk.suggest(A, (3, 4, ""))
    before = desk.p.shown(S), desk.read(S)
    assert desk.accept((A, 1)).applied[0].fulfilled == ((S, 1),)
    desk.revert(A, 1)
    assert (desk.p.shown(S), desk.read(S)) == before
    desk.check()


def test_a_deletion_that_slides_over_a_blank_line_takes_its_branch_with_it():
    """What is left of it lies behind where it began, and the branch log lost the line end in between."""
    desk = Desk("a\n\n.\n b")
    desk.suggest(S, (1, 4, ""))
    desk.suggest(A, (3, 6, ""))
    desk.accept((A, 1))
    assert desk.main == "a\n\nb" and desk.read(S) == desk.p.branch_text(S) == "a\nb"
    desk.check()

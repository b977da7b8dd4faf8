"""Change sets by example: how they are made, read, mapped, and what they refuse."""

from __future__ import annotations

import copy
import pickle
import random

import pytest

from drafting.engine.changes import MAX_LENGTH, ChangeSet
from drafting.engine.text import to_units
from drafting.errors import EngineError, MismatchError, PositionError
from tests.engine.crowded import random_changes, random_text
from tests.marked import marked
from tests.seeds import for_seeds


def test_rat_und_haus_deleted_by_one_and_written_into_by_the_other():
    text, start, pos, end = marked("Rat <un|d >Haus")
    deletion = ChangeSet.of((start, end, ""), len(text))
    insertion = ChangeSet.of((pos, pos, "XX"), len(text))
    assert (start, end, pos) == (4, 8, 6)
    assert insertion.map(deletion).apply(deletion.apply(text)) == "Rat XXHaus"
    assert deletion.map(insertion).apply(insertion.apply(text)) == "Rat XXHaus"


def test_one_replacement_keeps_everything_else():
    text, start, end = marked("We plant <100> trees.")
    changes = ChangeSet.of((start, end, "250"), len(text))
    assert changes.apply(text) == "We plant 250 trees."
    assert changes.to_json() == [9, [3, "250"], 7]
    assert (changes.length, changes.new_length, changes.is_empty) == (19, 19, False)


def test_lines_are_separate_strings_in_json():
    changes = ChangeSet.of([(5, 7, "ab"), (9, 9, "\nx"), (9, 11, "")], 12)
    assert changes.to_json() == [5, [2, "ab"], 2, [0, "", "x"], [2], 1]
    assert ChangeSet.from_json([5, [2, "ab"], 2, [0, "", "x"], [2], 1]) == changes


def test_json_holds_ordinary_unicode_and_counts_code_units():
    changes = ChangeSet.of((0, 2, to_units("👩‍🌾")), 2)
    assert changes.to_json() == [[2, "👩‍🌾"]]
    assert changes.new_length == 5
    assert ChangeSet.from_json([[2, "👩‍🌾"]]).replacements == ((0, 2, to_units("👩‍🌾")),)


def test_all_positions_of_a_list_are_in_the_text_before_any_of_it():
    assert ChangeSet.of([(4, 4, "d"), (0, 0, "a"), (2, 3, "")], 4).apply("bcxy") == "abcyd"


def test_lists_may_be_nested_and_hold_change_sets():
    text = "abc"
    first = ChangeSet.of((0, 1, "A"), 3)
    assert ChangeSet.of([first, [[(3, 3, "d")], []], (1, 2, "B")], 3).apply(text) == "ABcd"
    deep: list = [(0, 0, "x")]
    for _ in range(50_000):
        deep = [deep]
    assert ChangeSet.of(deep, 3).apply(text) == "xabc"


def test_overlapping_changes_of_a_list_are_mapped_in_turn():
    assert ChangeSet.of([(0, 3, "x"), (1, 2, "y")], 3).apply("abc") == "xy"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((0, 4, ""), r"\[0, 4\) in a text of 3"),
        ((2, 1, ""), r"\[2, 1\)"),
        ((-1, 1, ""), r"\[-1, 1\)"),
        ((0, 10**30, ""), "in a text of 3"),
        ((True, 1, ""), "not bool"),
        ((0, 1.0, ""), "float"),
        ((0, 1, None), "NoneType"),
        ((0, 1), "not tuple|a tuple"),
        ("ab", "not str"),
        (None, "not NoneType"),
        ((0, 1, "🌳"), r"U\+1F333 at 0"),
        ((0, 1, "a\rb"), r"U\+000D at 1"),
        ((0, 1, "\ud83c"), r"U\+D83C at 0"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_with_its_numbers(change, said):
    for spec in (change, [change], [(0, 0, "a"), [change]]):
        with pytest.raises(EngineError, match=said):
            ChangeSet.of(spec, 3)


def test_lengths_that_no_text_has_are_refused():
    for length in (-1, 1.0, True, None, "3", MAX_LENGTH + 1):
        with pytest.raises(PositionError):
            ChangeSet.empty(length)
        with pytest.raises(PositionError):
            ChangeSet.of([], length)


def test_change_sets_that_do_not_belong_together_are_refused_with_both_lengths():
    three, four = ChangeSet.empty(3), ChangeSet.empty(4)
    for use in (lambda: three.map(four), lambda: three.compose(four), lambda: ChangeSet.of(three, 4)):
        with pytest.raises(MismatchError, match=r"3.*4"):
            use()
    for use in (lambda: three.apply("abcd"), lambda: three.invert("abcd")):
        with pytest.raises(MismatchError, match="3 code units does not fit a text of 4"):
            use()


@pytest.mark.parametrize("strange", [None, 3.0, b"abc", ["a", "b", "c"], (0, 1, "x"), "abcd"], ids=str)
def test_what_is_no_change_set_and_no_text_is_refused(strange):
    three = ChangeSet.of((1, 2, "x"), 3)
    for use in (three.map, three.compose, three.apply, three.invert):
        with pytest.raises(MismatchError):
            use(strange)
    with pytest.raises(PositionError):
        three.map_pos(strange)
    with pytest.raises(EngineError):
        three.map_pos(1, strange)


def test_a_position_outside_the_text_and_an_unknown_mode_are_refused():
    for pos in (-1, 4):
        with pytest.raises(PositionError, match=f"{pos} is outside a text of 3"):
            ChangeSet.empty(3).map_pos(pos)
    with pytest.raises(EngineError, match="track_all"):
        ChangeSet.empty(3).map_pos(1, 1, "track_all")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (None, [0, 1, 1, 1, 2]),
        ("simple", [0, 1, 1, 1, 2]),
        ("track_del", [0, 1, None, 1, 2]),
        ("track_before", [0, 1, None, None, 2]),
        ("track_after", [0, None, None, 1, 2]),
    ],
)
def test_a_mode_reports_the_deletion_it_asks_about(mode, expected):
    changes = ChangeSet.of((1, 3, ""), 4)
    assert [changes.map_pos(pos, -1, mode) for pos in range(5)] == expected


def test_an_insertion_at_the_position_moves_what_keeps_to_its_right():
    changes = ChangeSet.of((2, 2, "xyz"), 4)
    assert [changes.map_pos(2, assoc) for assoc in (-1, 0, 1)] == [2, 5, 5]


def test_touching_changes_are_told_as_one_unless_asked_for_one_by_one():
    changes = ChangeSet.of([(1, 2, "a"), (2, 2, "b"), (4, 5, "")], 6)
    assert list(changes.iter_changes()) == [(1, 2, 1, 3, "ab"), (4, 5, 5, 5, "")]
    assert list(changes.iter_changes(individual=True)) == [(1, 2, 1, 2, "a"), (2, 2, 2, 3, "b"), (4, 5, 5, 5, "")]
    assert list(ChangeSet.empty(6).iter_changes()) == []


def test_a_change_set_is_a_value():
    changes = ChangeSet.of((1, 2, "x"), 4)
    for name in ("length", "new_length", "replacements", "is_empty", "other"):
        with pytest.raises(AttributeError):
            setattr(changes, name, 0)
    assert changes == ChangeSet.from_json([1, [1, "x"], 2]) != ChangeSet.of((1, 2, "x"), 5)
    assert changes != [1, [1, "x"], 2]
    assert {changes: "a"}[ChangeSet.from_json([1, [1, "x"], 2])] == "a"
    assert copy.deepcopy(changes) == pickle.loads(pickle.dumps(changes)) == changes
    assert eval(repr(changes)) == changes


@for_seeds(smoke=300, full=5_000)
def test_long_lists_far_apart_give_what_a_plain_reading_gives(rng: random.Random):
    """Against texts handled as lists of characters, with many replacements on both sides."""
    text = "".join(rng.choice("ab \n") for _ in range(rng.randint(20, 120)))
    a, b = random_changes(rng, text, 15), random_changes(rng, text, 15)
    c = random_changes(rng, a.apply(text), 15)
    plain = list(text)
    for start, end, inserted in reversed(a.replacements):
        plain[start:end] = inserted
    assert a.apply(text) == "".join(plain)
    assert a.compose(c).apply(text) == c.apply(a.apply(text))
    assert b.map(a).apply(a.apply(text)) == a.map(b, before=True).apply(b.apply(text))
    # what only one side touched comes out exactly as that side wrote it
    kept = [pos for pos in range(len(text)) if all(not s <= pos < e for s, e, _ in a.replacements + b.replacements)]
    merged = b.map(a).apply(a.apply(text))
    over = b.map(a)
    assert "".join(merged[over.map_pos(a.map_pos(pos, 1), 1)] for pos in kept) == "".join(text[pos] for pos in kept)


def test_half_a_million_changes_inside_one_pasted_text_are_composed_in_one_go():
    """What they had left of the pasted text was copied again for each of them."""
    size = 1_000_000
    pasted = ChangeSet.of((0, 0, "a" * size), 0)
    changes = ChangeSet.from_json([1, [1, "b"]] * (size // 2))
    assert pasted.compose(changes).replacements == ((0, 0, "ab" * (size // 2)),)


@for_seeds(smoke=500, full=5_000)
def test_iter_changes_says_where_each_text_stands_in_the_new_text(rng: random.Random):
    text = random_text(rng)
    changes = random_changes(rng, text)
    after = changes.apply(text)
    for individual in (False, True):
        last_a = last_b = 0
        for start_a, end_a, start_b, end_b, inserted in changes.iter_changes(individual):
            assert after[start_b:end_b] == inserted
            assert text[last_a:start_a] == after[last_b:start_b]
            last_a, last_b = end_a, end_b
        assert text[last_a:] == after[last_b:]

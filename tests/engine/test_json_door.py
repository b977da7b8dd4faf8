"""The JSON door under fire: whatever comes in, a sound change set or InvalidChanges comes out, and soon."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from drafting.engine.changes import MAX_LENGTH, ChangeSet
from drafting.engine.text import check_units
from drafting.errors import EngineError, InvalidChanges
from tests.engine.crowded import random_changes, random_text
from tests.seeds import for_seeds


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


class Number(int):
    """A number that only looks like one."""


STRANGE = [
    None, True, False, -1, -0.0, 0.5, 1.0, float("nan"), float("inf"), 1e300, 2**31, 2**53, 2**64, -(2**70), 10**400,
    "", "a", "\n", "\r", "a\nb", "\ud800", "\udfff", "\ud83c\udf33", "🌳", "\x00", "5", "__proto__", b"ab", Number(3),
    [], [[]], [None], [-1], [1.5], [True], [2**40], [0, None], [0, 1], [0, True], [0, ["x"]], [0, "a\rb"], [0, "a\nb"],
    [0, "\ud800"], [0, "\ud83c\udf33"], ["x"], ["x", 0], {}, {"0": 1}, {"length": 1}, (1, "x"), [0, {}], [Number(1)],
    nested(50), nested(100_000), [0, "x"] * 3, [1] * 1000, set(), object(), [0, float("nan")], [10**400, "x"], 0, [0],
]  # fmt: skip


def mutated(rng: random.Random, value: Any) -> Any:
    """The value with something in it replaced, added, removed, doubled or wrapped."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if not isinstance(value, list) or rng.random() < 0.05:
            value = rng.choice([rng.choice(STRANGE), [value], value])
            continue
        value = list(value)
        place = rng.randint(0, len(value))
        action = rng.randrange(6)
        if action == 0:
            value.insert(place, rng.choice(STRANGE))
        elif action == 1 and value:
            value[place - 1] = rng.choice(STRANGE)
        elif action == 2 and value:
            del value[place - 1]
        elif action == 3 and value:
            value.insert(place, value[place - 1])
        elif value:
            value[place - 1] = mutated(rng, value[place - 1])
    return value


def door(value: Any) -> ChangeSet | None:
    """What the door gives; None when it refuses as it should. Any other exception is a failure."""
    try:
        changes = ChangeSet.from_json(value)
    except InvalidChanges as error:
        assert 0 < len(str(error)) < 400 and error.code == "invalid_changes"
        return None
    assert_sound(changes)
    return changes


def assert_sound(changes: ChangeSet) -> None:
    last = 0
    for start, end, text in changes.replacements:
        assert type(start) is int and type(end) is int and last <= start <= end <= changes.length
        assert start < end or text
        check_units(text)
        last = end
    assert 0 <= changes.length <= MAX_LENGTH and 0 <= changes.new_length <= MAX_LENGTH
    written = changes.to_json()
    assert ChangeSet.from_json(json.loads(json.dumps(written, ensure_ascii=False).encode("utf-8"))) == changes


@for_seeds(smoke=8_000, full=200_000)
def test_only_sound_changes_or_a_typed_refusal_come_out(rng: random.Random):
    value = random_changes(rng, random_text(rng)).to_json()
    changes = door(mutated(rng, value))
    if changes is None:
        return
    # what came through is also safe to use, or says in a typed way that it does not fit
    for use in (
        lambda: changes.apply(random_text(rng)),
        lambda: changes.apply("x" * min(changes.length, 50)),
        lambda: changes.compose(ChangeSet.empty(3)),
        lambda: changes.map(ChangeSet.empty(3)),
        lambda: changes.map_pos(rng.choice([-1, 0, 3, 10**9])),
        lambda: changes.compose(changes),
    ):
        try:
            use()
        except EngineError as error:
            assert 0 < len(str(error)) < 400


@for_seeds(smoke=2_000, full=50_000)
def test_anything_at_all_is_read_or_refused(rng: random.Random):
    def anything(depth: int) -> Any:
        if depth and rng.random() < 0.6:
            return [anything(depth - 1) for _ in range(rng.randint(0, 4))]
        return rng.choice(STRANGE)

    door(anything(3))


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: type(value).__name__)
def test_each_strange_value_as_the_whole_as_a_part_and_in_a_part(value):
    for whole in (value, [value], [1, value], [[value]], [[0, value]], [[0, "x", value]], [[1, "x"], value]):
        door(whole)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "must be a list of parts, not NoneType"),
        ([True], "Part 0 .* not bool"),
        ([3, 2.0], "Part 1 .* not float"),
        ([float("nan")], "not float"),
        ([[]], "an empty list"),
        ([-1], "-1 is not between 0"),
        ([[-5, "a"]], "-5 is not between 0"),
        ([2**31], "2147483648 is not between"),
        ([10**400], "more than 20 digits"),
        ([2**30, 2**30], "Part 1 of the changes passes 2147483647"),
        ([[0, 5]], "a line must be text, not int"),
        ([[0, ["a"]]], "a line must be text, not list"),
        ([[0, "a\nb"]], "a line holds a line end"),
        ([[0, "a\rb"]], "CR at index 1"),
        ([[0, "", "\ud800"]], "Lone surrogate U.D800 at index 1"),
        ([[0, "\ud83c\udf33"]], "Lone surrogate U.D83C at index 0"),
        ([[0, "\ud83c", "\udf33"]], "Lone surrogate U.D83C"),
    ],
)
def test_a_refusal_names_the_part_and_the_number(value, said):
    with pytest.raises(InvalidChanges, match=said):
        ChangeSet.from_json(value)


def test_a_deeply_nested_value_is_refused_at_once():
    with pytest.raises(InvalidChanges):
        ChangeSet.from_json(nested(1_000_000))


def test_a_million_parts_are_read_in_one_go():
    changes = ChangeSet.from_json([1, [1, "x"]] * 500_000)
    assert (changes.length, len(changes.replacements)) == (1_000_000, 500_000)


def test_a_million_insertions_at_one_point_are_read_in_one_go():
    """Each was joined to a copy of all before it: the square of their number, which is as good as a hang."""
    for line in ("x", "ż"):
        changes = ChangeSet.from_json([[0, line]] * 1_000_000)
        assert changes.replacements == ((0, 0, line * 1_000_000),)


def test_what_means_the_same_is_read_into_one_form():
    assert ChangeSet.from_json([2, 3]) == ChangeSet.from_json([0, 5, [0]]) == ChangeSet.empty(5)
    assert ChangeSet.from_json([[1], [2], [0, ""]]).to_json() == [[3]]
    assert ChangeSet.from_json([[0, "a"], [0, "b"], 1]).to_json() == [[0, "ab"], 1]
    assert ChangeSet.from_json([[2, "a"], [0, "b"], 1]).to_json() == [[2, "a"], [0, "b"], 1]

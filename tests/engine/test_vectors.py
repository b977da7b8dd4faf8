"""Equality to the byte with `@codemirror/state`: cases that its own code wrote (tests/vectors/generate.mjs)."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from drafting.engine.changes import ChangeSet
from drafting.engine.text import from_units, to_units, units_length

FILE = Path(__file__).parent.parent / "vectors" / "codemirror.json.gz"


@cache
def cases() -> list[dict[str, Any]]:
    return json.loads(gzip.decompress(FILE.read_bytes()))["cases"]


def spec(value: Any) -> Any:
    if isinstance(value, list):
        return [spec(item) for item in value]
    if "set" in value:
        return ChangeSet.from_json(value["set"])
    return value["from"], value["to"], to_units(value["insert"])


def read(case: dict[str, Any], name: str) -> ChangeSet:
    return ChangeSet.from_json(case[name])


def assert_equal(case: dict[str, Any], name: str, mine: Any) -> None:
    if isinstance(mine, ChangeSet):
        json_of_mine = mine.to_json()
        assert ChangeSet.from_json(json_of_mine) == mine, case
        mine = json_of_mine
    assert json.dumps(mine) == json.dumps(case[name]), f"{name} is {mine} in {case}"


def test_there_are_at_least_5000_cases_with_touching_astral_and_empty_ones():
    assert len(cases()) >= 5000
    assert sum(case["text"] == "" for case in cases()) > 100
    assert sum(not case["text"].isascii() and units_length(case["text"]) > len(case["text"]) for case in cases()) > 500
    touching = 0
    for case in cases():
        ends = {end for _, end, _ in read(case, "a").replacements}
        touching += any(start in ends and end > start for start, end, _ in read(case, "a").replacements)
    assert touching > 500


def test_of_equals_codemirror():
    for case in cases():
        if case["spec"] is not None:
            assert_equal(case, "a", ChangeSet.of(spec(case["spec"]), units_length(case["text"])))


def test_json_is_written_as_it_was_read():
    for case in cases():
        for name in ("a", "b", "c"):
            assert_equal(case, name, read(case, name))


def test_apply_equals_codemirror():
    for case in cases():
        assert_equal(case, "applied", from_units(read(case, "a").apply(to_units(case["text"]))))


def test_invert_equals_codemirror():
    for case in cases():
        assert_equal(case, "inverted", read(case, "a").invert(to_units(case["text"])))


def test_compose_equals_codemirror():
    for case in cases():
        assert_equal(case, "composed", read(case, "a").compose(read(case, "c")))


@pytest.mark.parametrize(
    ("name", "mine", "over", "before"),
    [
        ("mapped", "a", "b", False),
        ("mappedBefore", "a", "b", True),
        ("bMapped", "b", "a", False),
        ("bMappedBefore", "b", "a", True),
    ],
)
def test_map_equals_codemirror(name, mine, over, before):
    for case in cases():
        assert_equal(case, name, read(case, mine).map(read(case, over), before))


def test_map_pos_equals_codemirror_in_every_mode():
    for case in cases():
        changes = read(case, "a")
        mine = [
            [[changes.map_pos(pos, assoc, mode) for pos in range(changes.length + 1)] for assoc in (-1, 0, 1)]
            for mode in ("simple", "track_del", "track_before", "track_after")
        ]
        assert_equal(case, "positions", mine)

"""Text in code units: conversion, line ends, and what the door refuses."""

from __future__ import annotations

import pytest

from drafting.engine import text as units
from drafting.errors import EngineError, InvalidInput, PositionError


@pytest.mark.parametrize(
    ("ordinary", "length"),
    [
        ("", 0),
        ("abc", 3),
        ("żółć", 4),
        ("e\u0301", 2),
        ("🌳", 2),
        ("a🌳b", 4),
        ("👩‍🌾", 5),
        ("\uffff\U00010000\U0010ffff", 5),
    ],
)
def test_a_text_is_converted_and_back(ordinary, length):
    converted = units.to_units(ordinary)
    assert len(converted) == length == units.units_length(ordinary)
    assert units.from_units(converted) == ordinary
    units.check_units(converted)


def test_units_form_cannot_leave_by_accident():
    with pytest.raises(UnicodeEncodeError):
        units.to_units("🌳").encode("utf-8")


def test_a_text_without_astral_characters_is_handed_back_as_it_is():
    for text in ("Rada Miasta", "Zażółć gęślą jaźń"):
        assert units.to_units(text) is text and units.from_units(text) is text


def test_line_ends_are_normalised_once_at_the_door():
    assert units.normalise("a\r\nb\rc\nd\r\r\n") == "a\nb\nc\nd\n\n"
    assert units.to_units("a\r\n🌳\r", normalising=True) == "a\n\ud83c\udf33\n"
    with pytest.raises(InvalidInput, match="index 1"):
        units.to_units("a\r\nb")


@pytest.mark.parametrize(("text", "index"), [("ab\ud83c", 2), ("\udf33", 0), ("🌳\udf33\ud83c", 1)])
def test_a_lone_surrogate_is_refused_with_its_index(text, index):
    for function in (units.to_units, units.units_length):
        with pytest.raises(InvalidInput, match=f"at index {index}") as error:
            function(text)
        assert error.value.details["index"] == index


def test_a_surrogate_pair_is_not_ordinary_unicode():
    with pytest.raises(InvalidInput, match="D83C at index 0"):
        units.to_units("\ud83c\udf33")


@pytest.mark.parametrize(
    ("text", "pos"), [("ab\ud83c", 2), ("\udf33a", 0), ("\ud83c\udf33\ud83c", 2), ("\udf33\ud83c", 0)]
)
def test_half_a_pair_is_a_fault_of_the_engine(text, pos):
    with pytest.raises(EngineError, match=f"at {pos} "):
        units.from_units(text)
    with pytest.raises(EngineError, match=f"at {pos} "):
        units.check_units(text)


@pytest.mark.parametrize("text", ["a\rb", "ż\r", "a🌳"])
def test_what_is_not_units_form_is_named(text):
    with pytest.raises(EngineError, match=r"U\+"):
        units.check_units(text)


def test_positions_outside_or_inside_a_pair_are_refused_with_their_numbers():
    text = units.to_units("a🌳b")
    for pos in (0, 1, 3, 4):
        units.check_position(text, pos)
    with pytest.raises(PositionError, match="Position 2 is between"):
        units.check_position(text, 2)
    for pos in (-1, 5):
        with pytest.raises(PositionError, match=f"Position {pos} is outside a text of 4"):
            units.check_position(text, pos)


def test_code_points_and_code_units_are_converted():
    text = "a🌳b👩‍🌾"
    converted = units.to_units(text)
    for index in range(len(text) + 1):
        assert units.code_point_index(converted, units.units_offset(text, index)) == index
    assert [units.units_offset(text, index) for index in (0, 1, 2, 3, 4)] == [0, 1, 3, 4, 6]
    with pytest.raises(PositionError, match="Index 7"):
        units.units_offset(text, 7)
    with pytest.raises(PositionError):
        units.code_point_index(converted, 2)


@pytest.mark.parametrize("strange", [None, 3.5, b"abc", ["a"]], ids=str)
def test_what_is_no_text_is_refused_at_the_door_and_inside(strange):
    for function in (units.to_units, units.units_length):
        with pytest.raises(InvalidInput, match=type(strange).__name__):
            function(strange)
    for function in (units.from_units, units.check_units):
        with pytest.raises(EngineError, match=type(strange).__name__):
            function(strange)
    for pos in (strange, 1.0, True):
        with pytest.raises(PositionError):
            units.check_position("abc", pos)


def test_lines_end_with_lf_only():
    text = "a\n\nb\u2028c\x0bd\x85e\n"
    assert units.split_lines(text) == ["a", "", "b\u2028c\x0bd\x85e", ""]
    assert units.join_lines(units.split_lines(text)) == text
    assert units.split_lines("") == [""]

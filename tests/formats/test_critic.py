"""CriticMarkup: what is written is read back, and no mark crosses a line."""

from __future__ import annotations

import os
import random
import re
from datetime import date

import pytest

from drafting.engine.text import cuts_pair, from_units, to_units
from drafting.errors import MismatchError
from drafting.formats.critic import CriticChange, CriticRemark, read_critic, write_critic

CASES = 20_000 if os.environ.get("DRAFTING_PLAY") == "full" else 2000
DAY = date(2026, 10, 3)


def applied(text: str, changes) -> str:
    units = to_units(text)
    for change in reversed(changes):
        units = units[: change.start] + to_units(change.text) + units[change.end :]
    return from_units(units)


def test_marks_with_their_authors():
    text = "Miasto sadzi 100 drzew.\n"
    changes = (CriticChange(13, 16, "250", "Fundacja Żuraw", DAY, "bo mało"),)
    marked = write_critic(text, changes, [CriticRemark(0, 6, "które?", "Ola")])
    assert marked == (
        "{==Miasto==}{>>@Ola: które?<<} sadzi {~~100~>250~~}{>>@Fundacja Żuraw 2026-10-03: bo mało<<} drzew.\n"
    )
    said = read_critic(marked)
    assert (said.text, said.changes) == (text, changes)
    assert said.remarks == (CriticRemark(0, 6, "które?", "Ola"),)


def test_marks_of_other_programs_without_authors_are_read():
    said = read_critic("a {++b++}{-- c--}d{>>hm<<} {~~e~>f~~}")
    assert said.text == "a  cd e"
    assert applied(said.text, said.changes) == "a bd f"
    assert [r.text for r in said.remarks] == ["hm"]


def test_a_mark_never_crosses_a_line():
    marked = write_critic("a\nb\n\nc", [CriticChange(0, 6, "x\n\ny")])
    for inside in re.findall(r"\{(?:\+\+|--|~~)(.*?)(?:\+\+|--|~~)\}", marked, re.DOTALL):
        assert "\n" not in inside or not inside.strip("\n")
    assert applied("a\nb\n\nc", read_critic(marked).changes) == "x\n\ny"


def test_what_is_written_is_read_back():
    atoms = [
        "a",
        "b ",
        "\n",
        "\n\n",
        "🌳",
        "{++",
        "++}",
        "{--",
        "--}",
        "{~~",
        "~>",
        "~~}",
        "{>>",
        "<<}",
        "==}",
        "{==",
        "\\",
        "{",
        "}",
        "+",
        "~",
        ">",
    ]
    for seed in range(CASES):
        rng = random.Random(seed)
        text = "".join(rng.choice(atoms) for _ in range(rng.randint(0, 10)))
        units = to_units(text)
        places = sorted(rng.randint(0, len(units)) for _ in range(2 * rng.randint(0, 3)))
        places = [p - cuts_pair(units, p) for p in places]
        changes = []
        for start, end in zip(places[::2], places[1::2], strict=True):
            put = "".join(rng.choice(atoms) for _ in range(rng.randint(0, 3)))
            if (start < end or put) and (not changes or changes[-1].end <= start):
                changes.append(
                    CriticChange(start, end, put, f"Org {len(changes)}", DAY, rng.choice(["", "bo <<} tak"]))
                )
        said = read_critic(write_critic(text, changes))
        assert said.text == text, (seed, text, changes)
        assert applied(said.text, said.changes) == applied(text, changes), (seed, text, changes)
        assert [(c.author, c.at, c.reason) for c in said.changes] == [(c.author, c.at, c.reason) for c in changes], seed


def test_a_remark_on_changed_words_stands_after_the_change_and_its_author():
    marked = write_critic("14 dni", [CriticChange(0, 2, "7", "A", DAY)], [CriticRemark(0, 2, "10", "B"), CriticRemark(0, 6, "?")])
    assert marked == "{~~14~>7~~}{>>@A 2026-10-03<<}{>>@B: 10<<}{>>?<<} dni"
    assert read_critic(marked).changes == (CriticChange(0, 2, "7", "A", DAY),)


def test_remarks_change_neither_the_text_nor_what_is_proposed():
    atoms = ["a", "b ", "\n", "🌳", "{++", "++}", "{==", "==}", "~>", "{>>", "<<}", "\\", "{", "+", "=", "}"]
    for seed in range(CASES):
        rng = random.Random(seed)
        text = "".join(rng.choice(atoms) for _ in range(rng.randint(1, 10)))
        units = to_units(text)

        def place(rng: random.Random = rng, units: str = units) -> int:
            at = rng.randint(0, len(units))
            return at - cuts_pair(units, at)

        start, end = sorted((place(), place()))
        changes = [CriticChange(start, end, rng.choice(["x", "{++", ""][: 2 + (start < end)]), "Org", DAY, "bo")]
        remarks = [CriticRemark(*sorted((place(), place())), f"uwaga {n}", "Ola", DAY) for n in range(rng.randint(1, 3))]
        said = read_critic(write_critic(text, changes, remarks))
        assert said.text == text, (seed, text, changes, remarks)
        assert applied(said.text, said.changes) == applied(text, changes), (seed, text, changes, remarks)
        assert sorted(one.text for one in said.remarks) == sorted(one.text for one in remarks), (seed, text, changes, remarks)


def test_any_text_can_be_read():
    for seed in range(CASES):
        rng = random.Random(seed)
        read_critic(
            "".join(rng.choice(["{", "}", "+", "-", "~", ">", "<", "=", "\\", "a", "\n", "@", ":"]) for _ in range(12))
        )


def test_changes_that_overlap_are_refused():
    with pytest.raises(MismatchError):
        write_critic("abc", [CriticChange(0, 2, ""), CriticChange(1, 3, "")])

"""How passages are cited, and where their blocks and sentences begin and end."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from drafting.engine.text import from_units, to_units
from drafting.errors import InvalidFile, PositionError
from drafting.formats.references import block_at, read_sections, sentence_at, split_sections, unit_at

ACT = """# Uchwała 🌳

Rozdział 1
Przepisy ogólne

§ 1. 1. Miasto sadzi 100 drzew, o których mowa w § 3 ust. 2 uchwały.
2. W szczególności:
1) lipy;
2) dęby:
a) szypułkowe,
b) czerwone:
– stare,
– młode;
3) klony.

**§ 2.** Program trwa.

## Rozdział 2. Formy

### § 3a. Współpraca

1. Pierwszy.

   (2) Drugi z *gwiazdką*.

## Postanowienia końcowe

- punkt
1. pierwszy
1. drugi
"""


def place(word: str, text: str = ACT) -> int:
    return to_units(text).index(to_units(word))


@pytest.mark.parametrize(
    ("word", "cited"),
    [
        ("Uchwała", "Uchwała 🌳"),
        ("ogólne", "rozdz. 1"),
        ("100 drzew", "§ 1 ust. 1"),
        ("§ 3 ust. 2", "§ 1 ust. 1"),
        ("szczególności", "§ 1 ust. 2"),
        ("lipy", "§ 1 ust. 2 pkt 1"),
        ("szypułkowe", "§ 1 ust. 2 pkt 2 lit. a"),
        ("stare", "§ 1 ust. 2 pkt 2 lit. b tiret 1"),
        ("młode", "§ 1 ust. 2 pkt 2 lit. b tiret 2"),
        ("klony", "§ 1 ust. 2 pkt 3"),
        ("trwa", "§ 2"),
        ("Formy", "rozdz. 2"),
        ("Pierwszy", "§ 3a ust. 1"),
        ("gwiazdką", "§ 3a ust. 2"),
        ("końcowe", "Postanowienia końcowe"),
        ("drugi", "Postanowienia końcowe, pkt 2"),
    ],
)
def test_a_passage_is_cited_as_acts_are_cited(word, cited):
    assert unit_at(ACT, place(word)) == cited


def test_a_position_outside_is_refused():
    with pytest.raises(PositionError):
        unit_at("abc", 4)


def test_the_sentence_does_not_end_after_an_abbreviation():
    text = "🌳 Na podstawie art. 5a ust. 2 Miasto działa od 1 stycznia 2027 r. do końca. Drugie m.in. Zosi! Trzecie."
    units = to_units(text)
    start, end = sentence_at(text, place("Miasto", text))
    assert from_units(units[start:end]).endswith("do końca.")
    start, end = sentence_at(text, place("Zosi", text))
    assert from_units(units[start:end]) == "Drugie m.in. Zosi!"


def test_a_sentence_stays_inside_its_list_item():
    text = "1. Pierwsze zdanie\n2. Drugie. Trzecie.\n"
    start, end = sentence_at(text, text.index("Drugie"))
    assert text[start:end] == "Drugie."
    assert text[slice(*block_at(text, text.index("Trzecie")))] == "2. Drugie. Trzecie."


def test_blocks_and_sentences_hold_their_range_everywhere():
    rng = random.Random(5)
    for _ in range(400):
        units = to_units(
            "".join(rng.choice(["a", "B. ", "\n", "\n\n", "1. ", "🌳", " ", "| x |", "# ", "c? "]) for _ in range(12))
        )
        text = from_units(units)
        start = rng.randint(0, len(units))
        end = rng.randint(start, len(units))
        low, high = sentence_at(text, start, end)
        assert 0 <= low <= high <= len(units), (text, start, end)
        low, high = block_at(text, start, end)
        assert 0 <= low <= high <= len(units), (text, start, end)
        unit_at(text, start)


def test_sections_joined_are_the_text():
    for text in (
        ACT,
        "bez nagłówków",
        "# Jeden\n\ntekst",
        "# Tytuł\n\n## A\n\na\n\n## B\n\nb",
        "wstęp\n\n# A\n\n# B\n\n",
        "Rozdział 1\nOgólne\n\n§ 1. a\n\nRozdział 2\nDalsze\n\n§ 2. b",
        "§ 1. a\n§ 2. b\n",
        "# A\n\n# B\n\n# C\n",
    ):
        sections = split_sections(text)
        joined = "".join(p.text for p in sections.parts)
        assert text.endswith(joined)
        assert text[: len(text) - len(joined)].strip().lstrip("# ") == sections.title
        assert all(p.text.strip() and p.title for p in sections.parts)


def test_a_lone_title_is_the_documents_and_not_a_section():
    sections = split_sections("# Program\n\n## Cel\n\na\n\n## Zasady\n\nb\n")
    assert sections.title == "Program"
    assert [p.title for p in sections.parts] == ["Cel", "Zasady"]
    chapters = split_sections("Rozdział 1\nOgólne\n\n§ 1. a\n\nRozdział 2\nDalsze\n\n§ 2. b")
    assert [p.title for p in chapters.parts] == ["Rozdział 1 Ogólne", "Rozdział 2 Dalsze"]


@pytest.mark.parametrize("law", ["vig", "tpg", "btmg_1981"])
def test_laws_split_into_sections(law):
    folder = Path(__file__).parents[3] / "shared" / "data" / "laws" / law
    if not folder.exists():
        pytest.skip("the laws of shared/data are not here")
    text = (folder / "00.md").read_text(encoding="utf-8")
    sections = split_sections(text)
    assert len(sections.parts) > 5
    assert unit_at(text, text.index("(2)")).endswith("ust. 2")


def test_a_word_file_is_told_from_a_text_in_another_encoding():
    """It was said that its byte 14 is wrong."""
    for content, said in {
        b"PK\x03\x04\x14\x00\xff": "is a Word or OpenDocument file, not Markdown; save its text as UTF-8",
        b"\xd0\xcf\x11\xe0\xa1": "is a Word file of an old kind, not Markdown; save its text as UTF-8",
        b"%PDF-1.7\n%\xff": "is a PDF, not Markdown; save its text as UTF-8",
        b"# Cz\xea\xb6\xe6": "is not UTF-8: byte 4 is wrong; save it as UTF-8",
    }.items():
        with pytest.raises(InvalidFile, match=re.escape(said)):
            read_sections(content)

"""The difference of two texts: exact, repeatable, at borders that people would choose."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from drafting.engine import diff as diff_module
from drafting.engine.diff import diff, heaviest_chain, word_diff
from drafting.engine.diff_tokens import split_blocks, tokens
from drafting.engine.text import cuts_pair, to_units
from drafting.errors import EngineError

CASES = 20_000 if os.environ.get("DRAFTING_PLAY") == "full" else 1500
ATOMS = [
    "a", "b", "ą", "x1", "100", "1.000,50", "12.05.2027", " ", "  ", "\n", "\n\n", ". ", ", ", "e\u0301", "\u0301",
    "🌳", "👩\u200d🌾", "🇵🇱", "👍🏽", "❤\ufe0f", "- ", "1. ", "# ", "| ", "**", "_", "(", "\t", "don’t", "5a",
]  # fmt: skip


def crowded(rng: random.Random, longest: int = 14) -> str:
    return to_units("".join(rng.choice(ATOMS) for _ in range(rng.randint(0, longest))))


def altered(rng: random.Random, text: str) -> str:
    """The text with a few tokens taken out, put in or moved."""
    words = tokens(text)
    for _ in range(rng.randint(0, 4)):
        if words and rng.random() < 0.4:
            del words[rng.randrange(len(words))]
        elif words and rng.random() < 0.3:
            words.insert(rng.randrange(len(words) + 1), words.pop(rng.randrange(len(words))))
        else:
            words.insert(rng.randint(0, len(words)), to_units(rng.choice(ATOMS)))
    return "".join(words)


def shown(a: str, b: str) -> list[tuple[str, str]]:
    return [(a[h.start_a : h.end_a], h.text) for h in diff(to_units(a), to_units(b)).hunks]


def inside(text: str, pos: int) -> str | None:
    """Why a border at this place would be wrong, or None."""
    if not 0 < pos < len(text):
        return None
    before, after = text[pos - 1], text[pos]
    if cuts_pair(text, pos):
        return "a surrogate pair"
    if before.isalnum() and after.isalnum():
        return "a word"
    if after in ".," and before.isdigit() and text[pos + 1 : pos + 2].isdigit():
        return "a number"
    if before in ".," and after.isdigit() and pos > 1 and text[pos - 2].isdigit():
        return "a number"
    if before != "\n" and (unicodedata.combining(after) or after in "\u200d\ufe0f"):
        return "a character with its marks"
    return None


def test_tokens_joined_are_the_text_and_so_are_blocks():
    for seed in range(CASES):
        text = crowded(random.Random(seed), 25)
        assert "".join(tokens(text)) == text, (seed, text)
        assert "".join(split_blocks(text)) == text, (seed, text)


def test_tokens_are_what_a_reader_takes_as_one_thing():
    text = to_units("Kwota 1.000,50 zł do 12.05.2027 r., pkt 5a; e\u0301t 👩\u200d🌾🇵🇱👍🏽 12:30, 2026/2027, don’t.")
    words = tokens(text)
    for whole in (
        "1.000,50",
        "12.05.2027",
        "5a",
        "e\u0301t",
        "👩\u200d🌾",
        "🇵🇱",
        "👍🏽",
        "12:30",
        "2026/2027",
        "don’t",
    ):
        assert to_units(whole) in words


def test_the_changes_turn_one_text_into_the_other():
    for seed in range(CASES):
        rng = random.Random(seed)
        a = crowded(rng)
        b = altered(rng, a) if rng.random() < 0.7 else crowded(rng)
        result = diff(a, b)
        assert result.changes.apply(a) == b, (seed, a, b)
        assert word_diff(a, b).apply(a) == b, (seed, a, b)
        put = a
        for hunk in reversed(result.hunks):
            assert b[hunk.start_b : hunk.end_b] == hunk.text, (seed, a, b)
            put = put[: hunk.start_a] + hunk.text + put[hunk.end_a :]
        assert put == b, (seed, a, b)
        ends = [(h.start_a, h.end_a, h.start_b, h.end_b) for h in result.hunks]
        for (_, end_a, _, end_b), (start_a, _, start_b, _) in itertools.pairwise(ends):
            assert end_a < start_a and start_a - end_a == start_b - end_b, (seed, a, b, ends)
        for move in result.moves:
            assert move.changes.apply(a[move.start_a : move.end_a]) == b[move.start_b : move.end_b], (seed, a, b)


def test_borders_are_never_inside_words_numbers_or_characters():
    for seed in range(CASES):
        rng = random.Random(seed)
        a = crowded(rng)
        b = altered(rng, a)
        for hunk in diff(a, b).hunks:
            for text, pos in ((a, hunk.start_a), (a, hunk.end_a), (b, hunk.start_b), (b, hunk.end_b)):
                # where the tokens themselves meet without a sign between ("a" + "100"), the texts share no such token
                assert inside(text, pos) is None, (seed, a, b, hunk, inside(text, pos))


def test_equal_texts_have_no_difference_and_one_empty_text_is_one_hunk():
    assert diff("abc", "abc").changes.is_empty
    assert shown("", "Ala ma.\n\nKota.") == [("", "Ala ma.\n\nKota.")]
    assert shown("Ala ma.\n\nKota.", "") == [("Ala ma.\n\nKota.", "")]


def test_the_way_back_has_as_many_places_and_the_same_size():
    more = 0
    for seed in range(CASES):
        rng = random.Random(seed)
        a = crowded(rng)
        b = altered(rng, a)
        there, back = diff(a, b), diff(b, a)
        size_there = sum(h.end_a - h.start_a + len(h.text) for h in there.hunks)
        size_back = sum(h.end_a - h.start_a + len(h.text) for h in back.hunks)
        more += abs(size_there - size_back) > 12
    assert more <= CASES // 20  # joining looks at what is taken away, so a few differ


def test_the_same_input_gives_the_same_result_in_another_process():
    script = (
        "import sys; sys.path.insert(0, '.');"
        "from drafting.engine.diff import diff;"
        "a='Jeden dwa trzy cztery. '*30; b='Dwa trzy pięć cztery! Raz. '*25;"
        "print([(h.start_a,h.end_a,h.text) for h in diff(a,b).hunks])"
    )
    root = Path(__file__).parents[2]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_whole_numbers_and_dates_are_replaced():
    assert shown("We plant 100 trees in 2027.", "We plant 150 trees in 2028.") == [("100", "150"), ("2027", "2028")]
    assert shown("do 12.05.2027 r.", "do 13.05.2027 r.") == [("12.05.2027", "13.05.2027")]
    assert shown("kwota 1.000,50 zł", "kwota 1.000,55 zł") == [("1.000,50", "1.000,55")]
    assert shown("§ 5 pkt 3", "§ 5a pkt 3") == [("5", "5a")]


def test_an_inserted_word_stands_with_its_blank_before_the_next_word():
    assert shown("250 trees", "250 native trees") == [("", "native ")]
    assert shown("Ala ma kota i psa.", "Ala ma kota, chomika i psa.") == [("", ", chomika")]


def test_a_rewritten_sentence_is_one_deletion_and_one_insertion():
    a = "Wstęp. The quick brown fox jumps over the lazy dog. Koniec."
    b = "Wstęp. A slow red animal walks under my bright cat. Koniec."
    assert shown(a, b) == [
        ("The quick brown fox jumps over the lazy dog", "A slow red animal walks under my bright cat")
    ]


def test_two_small_changes_in_a_sentence_stay_two():
    assert shown("Rada działa na okres 2 lat w Mieście.", "Rada działa na czas 2 lat w Gminie.") == [
        ("okres", "czas"),
        ("Mieście", "Gminie"),
    ]


def test_blocks_are_not_crossed():
    a = "1. eins\n2. zwei\n4. vier\n"
    assert shown(a, "1. eins\n2. zwei und mehr\n3. drei\n4. vier\n") == [("", " und mehr"), ("", "3. drei\n")]
    assert shown("1. eins\n2. zwei und mehr\n3. drei\n4. vier\n", a) == [(" und mehr", ""), ("3. drei\n", "")]
    assert shown("- a\n- b\n- c\n", "- a\n- b\n- x\n- c\n") == [("", "- x\n")]
    assert shown("# Stary\n\nSłowo.", "# Nowy\n\nZdanie.") == [("Stary", "Nowy"), ("Słowo", "Zdanie")]


def test_a_moved_paragraph_is_a_move_also_with_small_edits_inside():
    first, second = (
        "Miasto sadzi drzewa w parkach i przy szkołach.",
        "Organizacje dbają o to, co posadzono, przez trzy lata.",
    )
    third = "Urząd ogłasza wyniki w maju każdego roku."
    a = f"# A\n\n{first}\n\n{second}\n\n{third}\n\nKoniec.\n"
    edited = first.replace("drzewa", "rodzime drzewa")
    b = f"# A\n\n{second}\n\n{third}\n\n{edited}\n\nKoniec.\n"
    (move,) = diff(a, b).moves
    assert a[move.start_a : move.end_a] == first
    assert b[move.start_b : move.end_b] == edited
    assert [(text, start) for start, _, text in move.changes.replacements] == [("rodzime ", first.index("drzewa"))]
    assert diff(a, a.replace("maju", "czerwcu")).moves == ()


def test_reworded_words_are_told_from_kept_ones():
    a, b = "250 native trees in the park", "250 local trees in the city park"
    assert list(word_diff(a, b).replacements) == [(4, 10, "local"), (24, 24, "city ")]


def test_words_that_share_nothing_cost_no_more_than_the_budget(monkeypatch):
    monkeypatch.setattr(diff_module, "SMALL_COMPARISON", 4)
    monkeypatch.setattr(diff_module, "LARGEST_COMPARISON", 60)
    monkeypatch.setattr(diff_module, "BUDGET", 200)
    for seed in range(300):
        rng = random.Random(seed)
        a, b = crowded(rng, 40), crowded(rng, 40)
        assert diff(a, b).changes.apply(a) == b, seed
    a = " ".join(f"a{i}" for i in range(3000))
    b = " ".join(f"b{i}" for i in range(3000))
    assert diff(a, b).changes.apply(a) == b


def test_the_comparison_is_as_small_as_an_exact_one():
    """Before tidying, against the textbook table."""
    for seed in range(CASES // 4):
        rng = random.Random(seed)
        a, b = tokens(crowded(rng, 30)), tokens(crowded(rng, 30))
        comparison = diff_module._Comparison()
        changes = comparison.compare(a, b)
        row = [0] * (len(b) + 1)
        for x in a:
            previous = 0
            for j, y in enumerate(b, 1):
                previous, row[j] = row[j], previous + 1 if x == y else max(row[j], row[j - 1])
        smallest = len(a) + len(b) - 2 * row[-1]
        assert sum(c[1] - c[0] + c[3] - c[2] for c in changes) == smallest, (seed, a, b)
        codes_a, codes_b = "".join(map(str, map(len, a))), "".join(map(str, map(len, b)))
        steps = diff_module._longest_common(codes_a, codes_b)
        assert "".join(t for k, t in steps if k <= 0) == codes_a and "".join(t for k, t in steps if k >= 0) == codes_b


def test_the_heaviest_chain_is_the_heaviest():
    from itertools import combinations

    for seed in range(300):
        rng = random.Random(seed)
        ys = rng.sample(range(20), rng.randint(0, 8))
        pairs = list(enumerate(ys))
        weights = [rng.randint(1, 9) for _ in pairs]
        best = 0
        for size in range(len(pairs) + 1):
            for chosen in combinations(range(len(pairs)), size):
                if all(pairs[i][1] < pairs[j][1] for i, j in itertools.pairwise(chosen)):
                    best = max(best, sum(weights[i] for i in chosen))
        chain = heaviest_chain(pairs, weights)
        assert all(p[1] < q[1] for p, q in itertools.pairwise(chain))
        assert sum(weights[pairs.index(p)] for p in chain) == best, seed


def test_text_that_is_not_in_units_form_is_refused():
    for strange in ("a\r\nb", "🌳", "\ud83c"):
        with pytest.raises(EngineError):
            diff("abc", strange)
        with pytest.raises(EngineError):
            diff(strange, "abc")


@pytest.mark.parametrize("law", ["vig", "tpg", "btmg_1981"])
def test_revisions_of_laws_are_compared_at_the_borders_of_words(law):
    folder = Path(__file__).parents[3] / "shared" / "data" / "laws" / law
    if not folder.exists():
        pytest.skip("the laws of shared/data are not here")
    texts = [to_units(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("[0-9]*.md"))]
    for a, b in itertools.pairwise(texts):
        result = diff(a, b)
        assert result.changes.apply(a) == b
        for hunk in result.hunks:
            for text, pos in ((a, hunk.start_a), (a, hunk.end_a), (b, hunk.start_b), (b, hunk.end_b)):
                assert inside(text, pos) is None, (text[pos - 10 : pos], text[pos : pos + 10])

"""Law 8: spans add up to the text, and every character has the identity it first came with."""

from __future__ import annotations

import random
import sys

import pytest

from drafting.engine.attribution import ListLog, Span, Tape, spans_at, tape_at
from drafting.engine.changes import ChangeSet
from drafting.engine.codes import FIRST, Codes
from drafting.engine.spans import cut, joined
from drafting.engine.text import cuts_pair
from drafting.errors import EngineError, MismatchError, PositionError
from tests.engine.crowded import random_place
from tests.engine.histories import random_history, some
from tests.seeds import for_seeds


def identities(spans):
    return [(stream, version, offset + i) for length, stream, version, offset in spans for i in range(length)]


def test_law_1_the_text_is_the_first_revisions_applied_to_the_empty_text():
    for seed in range(some(150, 1000)):
        both = random_history(random.Random(seed))
        text = ""
        for version in range(1, both.log.version + 1):
            text = both.log.changes(version).apply(text)
            assert both.log.text(version) == text == both.history.texts[version], f"seed {seed}, version {version}"


def test_law_8_attribution_equals_an_oracle_that_follows_every_character():
    for seed in range(some(400, 4000)):
        rng = random.Random(seed)
        both = random_history(rng)
        for version in {both.log.version, rng.randint(0, both.log.version)}:
            tape = tape_at(both.log, version)
            expected = [each.identity for each in both.history.living_at(version)]
            assert identities(tape.spans()) == expected, f"seed {seed}, version {version}"
            assert sum(span.length for span in tape.spans()) == tape.length == len(tape.text())
            assert joined(tape.spans()) == tape.spans()
            low = random_place(rng, tape.text())
            high = random_place(rng, tape.text(), low)
            assert identities(tape.spans(low, high)) == expected[low:high]
            assert cut(tape.spans(), low, high) == tape.spans(low, high)
            assert tape.text(low, high) == both.log.text(version)[low:high]
            totals = tape.totals(lambda stream, version: (stream, version))
            counted = {}
            for stream, revision, _ in expected:
                counted[stream, revision] = counted.get((stream, revision), 0) + 1
            assert totals == counted, f"seed {seed}, version {version}"


def test_a_long_text_edited_everywhere_keeps_text_and_spans_in_chunks_of_any_size():
    for seed in range(some(6, 40)):
        rng = random.Random(seed)
        tape = Tape()
        slow: list[tuple[str, tuple[int, int, int]]] = []
        for version in range(1, 250):
            if rng.random() < 0.01:
                version += 70_000  # too far from the others for 16 bits
            replacements = []
            pos = 0
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                start = rng.randint(pos, len(slow))
                long = rng.random() < 0.05
                end = min(len(slow), start + rng.choice((0, 0, 1, 3, 3000 if long else 20)))
                text = rng.choice(("", "x", "y", "żó\n", "\ud83c\udf33", "w" * (5000 if long else 30)))
                while start and slow[start - 1][0] == "\ud83c":
                    start -= 1
                while end < len(slow) and slow[end][0] == "\udf33":
                    end += 1
                if (start < end or text) and start > pos:
                    replacements.append((start, end, text))
                    pos = end + 1
            changes = ChangeSet.of(replacements, len(slow))
            carried = None
            size = sum(len(text) for _, _, text in changes.replacements)
            if size and rng.random() < 0.2:
                first = rng.randint(0, size - 1)
                carried = [span for span in (Span(first, 0, 3, 9), Span(size - first, 5, 1, 0)) if span.length]
            who = identities(carried) if carried else [(0, version, i) for i in range(size)]
            tape.apply(changes, version, carried)
            for start, end, text in reversed(changes.replacements):
                rest = size - len(text)
                slow[start:end] = list(zip(text, who[rest:size], strict=True))
                size = rest
            assert tape.length == len(slow)
            if version % 10 == 0:
                assert tape.text() == "".join(letter for letter, _ in slow), f"seed {seed}, version {version}"
                assert identities(tape.spans()) == [who for _, who in slow], f"seed {seed}, version {version}"
        again = Tape(tape.text(), tape.spans())
        assert again.text() == tape.text() and again.spans() == tape.spans()


def test_somebody_who_types_and_takes_back_before_and_behind_the_caret_is_followed_unit_by_unit():
    """In texts of a few chunks; keys, both ways of deleting, selections typed over, emoji, and a look now and then."""
    for seed in range(some(60, 500)):
        rng = random.Random(seed)
        length = rng.choice((0, 250, 300, 2500))
        alphabet = rng.choice(("ab", "aż", ("a", "\ud83c\udf33")))
        start = "".join(rng.choice(alphabet) for _ in range(length))
        tape = Tape(start, [Span(len(start), 0, 1, 0)])
        slow = [(letter, (0, 1, i)) for i, letter in enumerate(start)]
        caret = rng.randint(0, len(slow))
        for version in range(2, 300):
            action = rng.random()
            if action < 0.05:
                caret = rng.randint(0, len(slow))
            low = high = caret
            if action > 0.8:
                low = max(0, caret - rng.choice((1, 1, 1, 2, 5)))
            elif action > 0.6:
                high = min(len(slow), caret + rng.choice((1, 1, 1, 2, 5)))
            while low and cuts_pair("".join(letter for letter, _ in slow[low - 1 : low + 1]), 1):
                low -= 1
            while (
                high < len(slow) and high and cuts_pair("".join(letter for letter, _ in slow[high - 1 : high + 1]), 1)
            ):
                high += 1
            text = rng.choice(alphabet) * rng.choice((1, 1, 1, 3)) if low == high or rng.random() < 0.1 else ""
            tape.apply(ChangeSet.of((low, high, text), len(slow)), version)
            slow[low:high] = [(letter, (0, version, i)) for i, letter in enumerate(text)]
            caret = low + len(text)
            assert tape.length == len(slow)
            if rng.random() < 0.03:
                assert tape.text() == "".join(letter for letter, _ in slow), f"seed {seed}, version {version}"
                assert identities(tape.spans()) == [who for _, who in slow], f"seed {seed}, version {version}"
            if rng.random() < 0.02 and len(slow) > 1:
                inside = [pos for pos in range(1, len(slow)) if slow[pos - 1][0] == "\ud83c"]
                if inside:
                    with pytest.raises(PositionError):
                        tape.apply(ChangeSet.of((inside[0], len(slow), "x"), len(slow)), version)
        assert identities(tape.spans()) == [who for _, who in slow], f"seed {seed}"


def test_integers_are_kept_in_as_few_bytes_as_they_need_and_read_as_they_were():
    for seed in range(some(150, 3000)):
        rng = random.Random(seed)
        codes, plain = Codes(), []
        reach = rng.choice((50, 1 << 15, 1 << 16, 1 << 23, 1 << 24, FIRST))
        for _ in range(rng.randint(1, 12)):
            low = rng.randint(0, len(plain))
            if plain and rng.random() < 0.3:
                high = rng.randint(low, len(plain))
                codes.delete(low, high)
                del plain[low:high]
                continue
            more = [rng.choice((0, FIRST)) + rng.randrange(reach) for _ in range(rng.randint(1, 6))]
            codes.insert(low, more)
            plain[low:low] = more
            assert codes.read() == codes.copy().read() == plain, f"seed {seed}"
            assert codes.read(low, low + 2) == plain[low : low + 2], f"seed {seed}"
    many = range(5, 5 + 4000)
    for spread, most in ((1, 2.2), (1 << 8, 3.2), (1 << 18, 4.2)):
        assert sys.getsizeof(Codes([each * spread for each in many])) <= most * len(many)


def test_a_copy_goes_its_own_way():
    tape = Tape("abc", [Span(3, 0, 1, 0)])
    other = tape.copy()
    other.apply(ChangeSet.of((1, 1, "x"), 3), 2)
    assert (tape.text(), other.text()) == ("abc", "axbc")
    assert tape.spans() == [Span(3, 0, 1, 0)]
    assert other.spans() == [Span(1, 0, 1, 0), Span(1, 0, 2, 0), Span(2, 0, 1, 1)]


def test_moved_text_keeps_the_identity_it_has_in_its_own_stream():
    log = ListLog()
    log.append(ChangeSet.of((0, 0, "Trees."), 0))
    log.append(ChangeSet.of((6, 6, " Moved words."), 6), [Span(13, 4, 17, 2)])
    assert spans_at(log, 2) == [Span(6, 0, 1, 0), Span(13, 4, 17, 2)]
    assert log.tape.identity(6) == Span(1, 4, 17, 2)
    assert log.tape.totals(lambda stream, _: "moved" if stream else "here") == {"here": 6, "moved": 13}


@pytest.mark.parametrize(
    ("changes", "carried", "error"),
    [
        (ChangeSet.of((0, 0, "x"), 3), None, MismatchError),
        (ChangeSet.of((1, 1, "x"), 4), None, PositionError),
        (ChangeSet.of((1, 2, ""), 4), None, PositionError),
        (ChangeSet.of([(0, 0, "x"), (3, 3, "y")], 4), None, None),
        (ChangeSet.of([(3, 4, "x"), (1, 1, "y")], 4), None, PositionError),
        (ChangeSet.of((3, 3, "xy"), 4), [Span(1, 0, 1, 0)], MismatchError),
        (ChangeSet.empty(4), [Span(1, 0, 1, 0)], MismatchError),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(changes, carried, error):
    tape = Tape("\ud83c\udf33bc", [Span(4, 0, 1, 0)])
    if error is None:
        tape.apply(changes, 2, carried)
        return
    with pytest.raises(error):
        tape.apply(changes, 2, carried)
    assert (tape.text(), tape.spans(), tape.length) == ("\ud83c\udf33bc", [Span(4, 0, 1, 0)], 4)


def test_spans_that_do_not_add_up_make_no_tape():
    with pytest.raises(MismatchError):
        Tape("abc", [Span(2, 0, 1, 0)])
    with pytest.raises(MismatchError):
        Tape("", [Span(2, 0, 1, 0)])


NO_SPANS = [
    [Span(-1, 0, 1, 0), Span(4, 0, 1, 0)], [Span(3, -1, 1, 0)], [Span(3, 2**70, 1, 0)], [Span(3, 0, -1, 0)],
    [Span(3, 0, 2**31, 0)], [Span(3, 0, 1, -1)], [Span(3, 0, 1, 2**31)], [Span(3.0, 0, 1, 0)], [Span(3, None, 1, 0)],
    [Span(3, 0, True, 0)], [(3,)], [3], ["abcd"],
]  # fmt: skip


@pytest.mark.parametrize("spans", NO_SPANS, ids=str)
def test_what_is_no_span_is_refused_and_changes_nothing(spans):
    """Negative and huge numbers passed, or broke off in the middle and left a tape that could not be read any more."""
    with pytest.raises(EngineError):
        Tape("abc", spans)
    log = ListLog()
    log.append(ChangeSet.of((0, 0, "one "), 0))
    for changes in (ChangeSet.of((4, 4, "abc"), 4), ChangeSet.of([(0, 0, "a"), (2, 3, "bc")], 4)):
        with pytest.raises(EngineError):
            log.append(changes, spans)
        assert (log.version, log.tape.text(), log.tape.spans()) == (1, "one ", [Span(4, 0, 1, 0)])


@pytest.mark.parametrize("version", [0, -1, 2**31, 2**40, 1.0, True, None, "2"])
def test_a_version_that_no_revision_makes_is_refused_and_changes_nothing(version):
    """The letters had come into the text already when the version was found to be none."""
    tape = Tape("abc", [Span(3, 0, 1, 0)])
    for change in ((1, 1, "x"), (1, 1, "xy"), (1, 2, ""), (0, 3, "w" * 500)):
        with pytest.raises(EngineError):
            tape.apply(ChangeSet.of(change, 3), version)
        assert (tape.text(), tape.spans()) == ("abc", [Span(3, 0, 1, 0)])


def test_a_part_outside_the_text_is_refused():
    tape = Tape("abc")
    for start, end in ((-1, 2), (2, 1), (0, 4)):
        with pytest.raises(PositionError):
            tape.text(start, end)
        with pytest.raises(PositionError):
            tape.spans(start, end)
    with pytest.raises(PositionError):
        tape.identity(3)


@for_seeds(smoke=300, full=2000, first=9000)
def test_keys_in_a_row_with_gaps_and_far_versions_are_who_pressed_them(rng: random.Random) -> None:
    """Against a list of (character, version, offset), in chunks so short that all of it meets."""
    full = rng.choice([4, 16, 64, 2048])
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (("_FULL", full), ("_SCANT", max(1, full // 8)), ("_FAR_OFF", full * 16)):
            patched.setattr(f"drafting.engine.tape.{name}", value)
        tape, slow = Tape(), []
        version, pos = rng.choice([0, 0, 30_000, 65_000, 2**23 - 50, FIRST // 2 - 30, FIRST - 200]), 0
        for _ in range(rng.choice([20, 200])):
            version += 1 if version >= FIRST // 2 else rng.choice([1, 1, 1, 1, 1, 2, 40_000])
            if version >= FIRST:
                break
            length, kind = len(slow), rng.random()
            if kind < 0.6:
                start, end, inserted = pos, pos, "x"
            elif kind < 0.75 and pos:
                start, end, inserted = pos - 1, pos, rng.choice(["", "", "y"])
            elif kind < 0.8 and pos < length:
                start, end, inserted = pos, pos + 1, ""
            else:
                start = rng.randint(0, length)
                end = min(length, start + rng.choice([0, 0, 1, 3, 30]))
                inserted = rng.choice(["", "z", "zz", "long" * rng.choice([1, 50])])
            tape.apply(ChangeSet.of((start, end, inserted), length), version)
            slow[start:end] = [(character, version, offset) for offset, character in enumerate(inserted)]
            pos = start + len(inserted)
            if rng.random() < 0.1:
                check(tape, slow)
                tape = tape.copy() if rng.random() < 0.3 else tape
        check(tape, slow)


def check(tape: Tape, slow: list[tuple[str, int, int]]) -> None:
    assert tape.text() == "".join(character for character, _, _ in slow)
    found = [(span.version, span.offset + i) for span in tape.spans() for i in range(span.length)]
    assert found == [(version, offset) for _, version, offset in slow]


def test_no_version_from_first_on_is_taken_from_a_key_after_a_key() -> None:
    tape = Tape()
    tape.apply(ChangeSet.of((0, 0, "a"), 0), FIRST - 1)
    with pytest.raises(EngineError):
        tape.apply(ChangeSet.of((1, 1, "b"), 1), FIRST)
    assert tape.text() == "a"

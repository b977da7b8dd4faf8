"""The laws of docs/laws.md that concern change sets, and the algebra they stand on."""

from __future__ import annotations

import json
import random

import pytest

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update, rebase
from drafting.engine.text import cuts_pair, from_units, to_units, units_length
from drafting.errors import EngineError, InvalidInput, MismatchError, PositionError
from tests.engine.crowded import random_changes, random_place, random_text
from tests.seeds import for_seeds


@for_seeds(smoke=3000, full=60_000)
def test_law_2_units_every_length_and_position_counts_utf_16_code_units(rng: random.Random):
    units = random_text(rng)
    changes = random_changes(rng, units)
    after = changes.apply(units)
    ordinary = from_units(units)
    assert changes.length == units_length(ordinary) == len(ordinary.encode("utf-16-le")) // 2
    assert changes.new_length == units_length(from_units(after))
    assert to_units(ordinary) == units
    for start, end, text in changes.replacements:
        assert from_units(text) == from_units(text).encode("utf-8").decode("utf-8")
        assert not cuts_pair(units, start) and not cuts_pair(units, end)


@for_seeds(smoke=2000, full=20_000)
def test_law_2_units_what_does_not_fit_is_refused_and_never_clipped(rng: random.Random):
    units = random_text(rng) + to_units("🌳") + random_text(rng)
    inside = rng.choice([pos for pos in range(len(units)) if cuts_pair(units, pos)])
    start, end = sorted((inside, random_place(rng, units)))
    changes = ChangeSet.of((start, end, "x"), len(units))
    with pytest.raises(PositionError, match=str(inside)):
        changes.apply(units)
    with pytest.raises(PositionError, match=str(inside)):
        changes.invert(units)
    with pytest.raises(MismatchError, match=str(len(units))):
        changes.apply(units + "a")
    with pytest.raises(MismatchError):
        changes.map(ChangeSet.empty(len(units) + 1))
    with pytest.raises(MismatchError):
        changes.compose(ChangeSet.empty(changes.new_length + 1))
    typed = ChangeSet.of((0, 0, units), 0)
    with pytest.raises(PositionError, match=str(inside)):
        typed.compose(changes)
    for text in ("\r", "a\r\nb", "\ud83c", "\udf33\ud83c", "🌳"):
        with pytest.raises(EngineError):
            ChangeSet.of((0, 0, text), 0)
    for text in ("\r", "\ud83c", "\udf33"):
        with pytest.raises(InvalidInput):
            to_units(text)


@for_seeds(smoke=5000, full=100_000)
def test_law_3_convergence_whoever_is_mapped_the_text_is_the_same(rng: random.Random):
    text = random_text(rng)
    a, b = random_changes(rng, text), random_changes(rng, text)
    one = a.compose(b.map(a))
    other = b.compose(a.map(b, before=True))
    expected = b.map(a).apply(a.apply(text))
    assert one.apply(text) == other.apply(text) == expected == a.map(b, before=True).apply(b.apply(text)), (text, a, b)


@for_seeds(smoke=1000, full=20_000)
def test_law_3_convergence_at_one_point_the_one_ordered_first_stands_first(rng: random.Random):
    text = random_text(rng)
    pos = random_place(rng, text)
    first, second = random_text(rng, 3), random_text(rng, 3)
    a, b = ChangeSet.of((pos, pos, first), len(text)), ChangeSet.of((pos, pos, second), len(text))
    expected = text[:pos] + first + second + text[pos:]
    assert b.map(a).apply(a.apply(text)) == expected
    assert a.map(b, before=True).apply(b.apply(text)) == expected


def test_law_4_one_at_a_time_differs_from_mapping_over_a_composition():
    """A law that fails: map is not a homomorphism of compose. So nothing here ever maps over a composition."""
    different = 0
    for seed in range(2000):
        rng = random.Random(seed)
        text = random_text(rng)
        a, mine = random_changes(rng, text), random_changes(rng, text)
        b = random_changes(rng, a.apply(text))
        different += mine.map(a).map(b) != mine.map(a.compose(b))
    assert 20 < different < 600, different


@for_seeds(smoke=2000, full=40_000)
def test_law_4_one_at_a_time_rebase_maps_over_each_stored_change_in_turn(rng: random.Random):
    text = random_text(rng)
    stored, pending = [], []
    now = text
    for number in range(rng.randint(0, 3)):
        stored.append(Update("other", number, random_changes(rng, now, 2)))
        now = stored[-1].changes.apply(now)
    mine = text
    for number in range(rng.randint(0, 3)):
        pending.append(Update("me", number, random_changes(rng, mine, 2)))
        mine = pending[-1].changes.apply(mine)
    expected = [update.changes for update in pending]
    for revision in stored:
        over = revision.changes
        for index, changes in enumerate(expected):
            expected[index], over = changes.map(over), over.map(changes, before=True)
    carried = rebase(pending, stored)
    assert [update.changes for update in carried] == expected
    for update in carried:
        now = update.changes.apply(now)
    # the other way round: what I have typed, then theirs over it, in turn
    for revision_index in range(len(stored)):
        over = stored[revision_index].changes
        part = rebase(pending, stored[:revision_index])
        for update in part:
            over = over.map(update.changes, before=True)
        mine = over.apply(mine)
    assert mine == now


@for_seeds(smoke=3000, full=60_000)
def test_composing_is_applying_in_turn_and_is_associative(rng: random.Random):
    text = random_text(rng)
    a = random_changes(rng, text)
    b = random_changes(rng, a.apply(text))
    c = random_changes(rng, b.apply(a.apply(text)))
    expected = c.apply(b.apply(a.apply(text)))
    left, right = a.compose(b).compose(c), a.compose(b.compose(c))
    assert left.apply(text) == right.apply(text) == expected
    assert left.new_length == right.new_length == len(expected)


@for_seeds(smoke=2000, full=40_000)
def test_the_empty_change_set_is_the_identity(rng: random.Random):
    text = random_text(rng)
    changes = random_changes(rng, text)
    empty = ChangeSet.empty(len(text))
    assert empty.is_empty and empty.apply(text) == text
    assert empty.compose(changes) == changes == changes.compose(ChangeSet.empty(changes.new_length))
    assert changes.map(empty) == changes == changes.map(empty, before=True)
    assert empty.map(changes) == ChangeSet.empty(changes.new_length)
    assert ChangeSet.of([], len(text)) == ChangeSet.of(empty, len(text)) == empty
    assert ChangeSet.of(changes, len(text)) == changes


@for_seeds(smoke=3000, full=60_000)
def test_the_inverse_undoes_and_its_inverse_is_the_change_again(rng: random.Random):
    text = random_text(rng)
    changes = random_changes(rng, text)
    after = changes.apply(text)
    inverse = changes.invert(text)
    assert inverse.apply(after) == text
    assert changes.compose(inverse).apply(text) == text
    assert inverse.compose(changes).apply(after) == after
    assert inverse.invert(after) == changes


@for_seeds(smoke=3000, full=60_000)
def test_json_reads_back_as_the_same_change_set(rng: random.Random):
    changes = random_changes(rng, random_text(rng))
    written = json.dumps(changes.to_json(), ensure_ascii=False).encode("utf-8")
    again = ChangeSet.from_json(json.loads(written))
    assert again == changes and hash(again) == hash(changes)
    assert (again.length, again.new_length, again.replacements) == (
        changes.length, changes.new_length, changes.replacements)  # fmt: skip


@for_seeds(smoke=3000, full=60_000)
def test_every_result_is_canonical(rng: random.Random):
    text = random_text(rng)
    a, b = random_changes(rng, text), random_changes(rng, text)
    c = random_changes(rng, a.apply(text))
    for changes in (a, b, c, a.map(b), a.map(b, True), a.compose(c), a.invert(text)):
        last = None
        for start, end, inserted in changes.replacements:
            assert 0 <= start <= end <= changes.length and (start < end or inserted), changes
            if last is not None:
                assert last[1] <= start, changes
                if last[1] == start:
                    assert last[2] or inserted, f"two deletions touch in {changes}"
                    assert last[0] < last[1] or start < end, f"two insertions at {start} in {changes}"
            last = (start, end, inserted)
        grown = sum(len(inserted) - (end - start) for start, end, inserted in changes.replacements)
        assert changes.new_length == changes.length + grown


@for_seeds(smoke=3000, full=60_000)
def test_positions_never_pass_each_other_and_those_of_kept_text_stay_with_it(rng: random.Random):
    text = random_text(rng)
    changes = random_changes(rng, text)
    after = changes.apply(text)
    for assoc in (-1, 1):
        mapped = [changes.map_pos(pos, assoc) for pos in range(len(text) + 1)]
        assert mapped == sorted(mapped) and mapped[0] >= 0 and mapped[-1] <= len(after)
    for pos in range(len(text) + 1):
        assert changes.map_pos(pos, -1) <= changes.map_pos(pos, 1)
        if pos < len(text) and changes.map_pos(pos, 1, "track_after") is not None:
            assert after[changes.map_pos(pos, 1, "track_after")] == text[pos]
        if pos and changes.map_pos(pos, -1, "track_before") is not None:
            assert after[changes.map_pos(pos, -1, "track_before") - 1] == text[pos - 1]

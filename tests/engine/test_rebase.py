"""Pending updates carried over stored ones: what is recognised, what is mapped, what is refused."""

from __future__ import annotations

import random

import pytest

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Confirmed, Update, carry, rebase
from drafting.errors import EngineError, MismatchError
from tests.engine.crowded import random_changes, random_text
from tests.engine.writer import Authority, Writer
from tests.marked import marked
from tests.seeds import for_seeds


def insertion(pos: int, text: str, length: int) -> ChangeSet:
    return ChangeSet.of((pos, pos, text), length)


def test_nothing_stored_and_nothing_pending_are_both_fine():
    update = Update("a", 0, insertion(0, "x", 0))
    assert rebase([update], []) == [update]
    assert rebase([], [update]) == []
    assert carry([], [update], 4).version == 5


def test_pending_updates_are_mapped_in_turn_and_stored_ones_stand_first():
    text, pos = marked("one | two")
    stored = [Update("b", 0, insertion(pos, "B", len(text)))]
    pending = [Update("a", 0, insertion(pos, "x", len(text))), Update("a", 1, insertion(pos + 1, "y", len(text) + 1))]
    carried = carry(pending, stored, 7)
    assert [update.changes.replacements for update in carried.updates] == [((5, 5, "x"),), ((6, 6, "y"),)]
    assert carried.foreign == (insertion(pos, "B", len(text) + 2),)
    assert (carried.version, carried.confirmed) == (8, ())


def test_own_updates_are_recognised_by_client_and_sequence_with_foreign_ones_in_between():
    pending = [Update("a", 5 + place, insertion(place, text, place)) for place, text in enumerate("xyz")]
    authority = Authority()
    authority.push(0, pending[:1])
    authority.push(0, [Update("b", 0, insertion(0, "B", 0))])
    authority.push(0, pending[:2])
    assert authority.text == "xBy"
    carried = carry(pending, authority.log, 0)
    assert carried.confirmed == (Confirmed("a", 5, 1), Confirmed("a", 6, 3))
    assert [update.changes for update in carried.updates] == [insertion(3, "z", 3)]
    assert [changes.replacements for changes in carried.foreign] == [((1, 1, "B"),)]


def test_the_same_sequence_of_another_client_is_another_update():
    pending = [Update("a", 0, insertion(0, "x", 0))]
    assert len(rebase(pending, [Update("b", 0, insertion(0, "B", 0))])) == 1


def test_an_update_stored_before_one_that_came_before_it_is_refused():
    pending = [Update("a", 0, insertion(0, "x", 0)), Update("a", 1, insertion(1, "y", 1))]
    with pytest.raises(EngineError, match="update 1 of client a, but update 0"):
        rebase(pending, [Update("a", 1, insertion(0, "y", 0))])


def test_updates_that_do_not_start_in_the_stored_text_are_refused_with_the_lengths():
    with pytest.raises(MismatchError, match=r"3.* 0"):
        rebase([Update("a", 0, insertion(0, "x", 3))], [Update("b", 0, insertion(0, "B", 0))])


@for_seeds(smoke=1000, full=20_000)
def test_law_5_exactly_once_a_resend_changes_nothing(rng: random.Random):
    authority = Authority()
    writer = Writer("me")
    for number in range(rng.randint(1, 4)):
        writer.type(random_changes(rng, writer.text, 2))
        if rng.random() < 0.5:
            authority.push(0, [Update("other", number, random_changes(rng, "", 1))])
        version, updates = writer.message()
        first = authority.push(version, updates)
        text, log = authority.text, list(authority.log)
        if rng.random() < 0.5:
            authority.forget()
        assert authority.push(version, updates) == first
        assert authority.text == text and authority.log == log
    confirmed = carry(writer.pending, authority.log, 0).confirmed
    assert [item.sequence for item in confirmed] == [update.sequence for update in writer.pending]
    for item in confirmed:
        stored = authority.log[item.version - 1]
        assert (stored.client, stored.sequence) == (item.client, item.sequence)


@for_seeds(smoke=1000, full=20_000)
def test_any_split_of_the_stored_updates_into_pulls_gives_the_same(rng: random.Random):
    text = random_text(rng)
    now, mine = text, text
    stored, pending = [], []
    for number in range(rng.randint(0, 4)):
        stored.append(Update("other", number, random_changes(rng, now, 2)))
        now = stored[-1].changes.apply(now)
    for number in range(rng.randint(0, 3)):
        pending.append(Update("me", number, random_changes(rng, mine, 2)))
        mine = pending[-1].changes.apply(mine)
    whole = carry(pending, stored, 0)
    cut = rng.randint(0, len(stored))
    part = carry(pending, stored[:cut], 0)
    rest = carry(part.updates, stored[cut:], part.version)
    assert (rest.updates, part.foreign + rest.foreign, rest.version) == (whole.updates, whole.foreign, whole.version)

"""What became of a text between two versions, against the oracle that follows every character."""

from __future__ import annotations

import random

import pytest

from drafting.engine.attribution import ListLog
from drafting.engine.changes import ChangeSet
from drafting.engine.difference import DELETED, INSERTED, KEPT, VANISHED, difference, words_of
from drafting.engine.weave import Weave
from drafting.errors import PositionError
from tests.engine.histories import random_history, some
from tests.engine.history_oracle import deleter


def expected(history, a, b, vanished):
    """(kind, letter, identity, put, removed) of every character, in order."""
    old, new = min(a, b), max(a, b)
    forward = a <= b
    result = []
    for each in history.everything:
        stood, stands = old in each.alive_at, new in each.alive_at
        came = any(old < version <= new for version in each.alive_at)
        if stood and stands:
            result.append((KEPT, each.letter, None, 0, 0))
        elif stands:
            result.append((INSERTED if forward else DELETED, each.letter, each.identity, put(each, old), 0))
        elif stood:
            result.append(
                (DELETED if forward else INSERTED, each.letter, each.identity, 0, deleter(history, each, new))
            )
        elif came and vanished:
            result.append((VANISHED, each.letter, each.identity, put(each, old), deleter(history, each, new)))
    return deletions_first(result)


def put(character, version):
    """The first revision after a version that put a character into the text."""
    return min(each for each in character.alive_at if each > version)


def deletions_first(told):
    """Between kept characters, what went stands before what came."""
    result, went, came = [], [], []
    for each in told:
        if each[0] == KEPT:
            result += [*went, *came, each]
            went, came = [], []
        else:
            (went if each[0] == DELETED else came).append(each)
    return result + went + came


def letters(log, pieces, a, b):
    text_a, text_b = log.text(a), log.text(b)
    result = []
    for piece in pieces:
        words = words_of(log, piece, text_a, text_b)
        for i, letter in enumerate(words):
            identity = None if piece.brought is None else (piece.brought[1], piece.brought[2], piece.brought[3] + i)
            result.append((piece.kind, letter, identity, piece.put, piece.removed))
    return result


def test_law_8_the_attributed_difference_equals_an_oracle_that_follows_every_character():
    for seed in range(some(400, 4000)):
        rng = random.Random(seed)
        both = random_history(rng)
        for vanished in (False, True):
            a, b = rng.randint(0, both.log.version), rng.randint(0, both.log.version)
            pieces = difference(both.log, a, b, vanished=vanished)
            case = f"seed {seed}, from {a} to {b}, vanished {vanished}"
            pos_a = pos_b = 0
            for piece in pieces:
                assert (piece.start_a, piece.start_b) == (pos_a, pos_b), case
                pos_a, pos_b = piece.end_a, piece.end_b
            assert (pos_a, pos_b) == (len(both.log.text(a)), len(both.log.text(b))), case
            assert letters(both.log, pieces, a, b) == expected(both.history, a, b, vanished), case


def test_from_the_first_version_to_the_newest_a_weave_that_was_folded_before_tells_the_same():
    for seed in range(some(150, 1500)):
        rng = random.Random(seed)
        both = random_history(rng)
        newest = both.log.version
        kept = Weave(both.log, 0).fold(rng.randint(0, newest)).fold(newest)
        for vanished in (False, True):
            pieces = difference(both.log, 0, newest, vanished=vanished, folded=kept)
            case = f"seed {seed}, vanished {vanished}"
            assert letters(both.log, pieces, 0, newest) == expected(both.history, 0, newest, vanished), case
    with pytest.raises(PositionError):
        difference(both.log, 0, newest - 1, folded=kept)


def test_a_deletion_names_who_made_it_and_who_had_brought_the_words():
    log = ListLog()
    log.append(ChangeSet.of((0, 0, "We plant 100 trees."), 0))
    log.append(ChangeSet.of((9, 12, "250 native"), 19))
    log.append(ChangeSet.of((13, 19, "local"), 26))
    pieces = difference(log, 1, 3, vanished=True)
    told = [
        (p.kind, words_of(log, p, log.text(1), log.text(3)), p.put, p.removed, p.brought and p.brought.version)
        for p in pieces
    ]
    assert told == [
        (KEPT, "We plant ", 0, 0, None),
        (DELETED, "100", 0, 2, 1),
        (INSERTED, "250 ", 2, 0, 2),
        (INSERTED, "local", 3, 0, 3),
        (VANISHED, "native", 2, 3, 2),
        (KEPT, " trees.", 0, 0, None),
    ]
    assert VANISHED not in {p.kind for p in difference(log, 1, 3)}


def test_nothing_differs_between_a_version_and_itself():
    log = ListLog()
    assert difference(log, 0, 0) == []
    log.append(ChangeSet.of((0, 0, "abc"), 0))
    assert [p.kind for p in difference(log, 1, 1)] == [KEPT]


def test_versions_that_are_not_there_are_refused():
    log = ListLog()
    for a, b in ((0, 1), (-1, 0), (2, 0)):
        with pytest.raises(PositionError):
            difference(log, a, b)

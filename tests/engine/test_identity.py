"""The order of all characters that ever stood; net change, restoring and undoing by identity."""

from __future__ import annotations

import random

from drafting.engine.attribution import ListLog, Span, spans_at
from drafting.engine.changes import ChangeSet
from drafting.engine.net import net_change, stretches_near, stretches_of
from drafting.engine.restoration import restoration, restore
from drafting.engine.weave import weave
from tests.engine.crowded import random_changes
from tests.engine.histories import Both, random_history, some


def test_the_weave_holds_every_character_that_ever_stood_in_the_order_of_the_oracle():
    for seed in range(some(400, 4000)):
        both = random_history(random.Random(seed))
        assert every_character(weave(both.log, 0, both.log.version)) == told_by(both.history), f"seed {seed}"


def test_a_weave_of_many_far_leaps_equals_the_oracle():
    for seed in range(some(4, 30)):
        rng = random.Random(seed)
        both = Both()
        both.edit((0, 0, "abcdefghij" * 30))
        for _ in range(some(250, 400)):
            start = rng.randint(0, len(both.text))
            end = min(len(both.text), start + rng.choice((0, 0, 0, 1, 2, 40)))
            both.edit((start, end, rng.choice(("", "x", "yz"))))
        folded = weave(both.log, 1, both.log.version)
        found = [(bool(run[0]), run[2] or 1, run[3] + i) for run in folded.runs() for i in range(run[1])]
        told = [(each.is_alive, each.born, each.offset) for each in both.history.everything]
        assert found == told, f"seed {seed}"


def test_a_weave_in_tiny_blocks_equals_the_oracle(monkeypatch):
    """Keys taken back one by one in two places in turn, over the edges of blocks and bundles; some comes back."""
    for seed in range(some(60, 1500)):
        rng = random.Random(seed)
        monkeypatch.setattr("drafting.engine.weave._BLOCK", rng.choice((1, 2, 3)))
        both = Both()
        both.edit((0, 0, "abcdefghij" * rng.randint(1, 3)))
        places = [rng.randint(0, len(both.text)) for _ in range(2)]
        for _ in range(rng.randint(1, 40)):
            which = rng.randrange(2)
            size = len(both.text)
            pos = min(places[which], size)
            kind = rng.random()
            if kind < 0.55 and pos:
                both.edit((pos - 1, pos, ""))
                pos -= 1
            elif kind < 0.65 and pos < size:
                both.edit((pos, pos + 1, ""))
            elif kind < 0.9:
                both.edit((pos, pos, rng.choice(("x", "yz"))))
                pos += len(both.text) - size
            elif kind < 0.95:
                both.revise(*restore(both.log, rng.randint(1, both.log.version)))
            else:
                pos = rng.randint(0, size)
            places[which] = pos
        assert every_character(weave(both.log, 0, both.log.version)) == told_by(both.history), f"seed {seed}"
        a, b = sorted(rng.randint(0, both.log.version) for _ in range(2))
        stood = [each for each in both.history.living_at(a) if b not in each.alive_at]
        lean = weave(both.log, a, b, vanished=False)
        gone = [offset + i for s, length, born, offset, _ in lean.runs() for i in range(length) if not s and not born]
        assert gone == [both.history.living_at(a).index(each) for each in stood], f"seed {seed}, from {a} to {b}"


def every_character(folded):
    """(stands, born, identity) of each in a weave."""
    return [
        (bool(run[0]), run[2], (span.stream, span.version, span.offset + i))
        for run in folded.runs()
        for span in folded.spans(run)
        for i in range(span.length)
    ]


def told_by(history):
    """The same by the oracle."""
    return [(each.is_alive, each.born, each.identity) for each in history.everything]


def test_a_key_behind_as_many_characters_as_there_are_versions_does_not_make_keys_of_them():
    """Six characters of version 1, one more typed and taken back, and then revision 6 typed another behind them."""
    both = Both()
    both.edit((0, 0, "abcdef"))
    both.edit()
    both.edit()
    both.edit((6, 6, "x"))
    both.edit((6, 7, ""))
    both.edit((6, 6, "."))
    both.edit((0, 6, "uvw"))
    folded = weave(both.log, 1, 7, vanished=False)
    assert list(folded.runs()) == [(3, 3, 7, 0, 0), (0, 6, 0, 0, 7), (1, 1, 6, 0, 0)]
    assert net_change(both.log, 1, 7).apply("abcdef") == "uvw."


def test_a_weave_from_any_version_holds_what_stands_and_what_stood_there():
    """Keys in a row, pressed and taken back, behind texts about as long as there are versions."""
    for seed in range(some(500, 10_000)):
        rng = random.Random(seed)
        both = Both()
        both.edit((0, 0, "abcdefghij"[: rng.randint(0, 10)]))
        for _ in range(rng.randint(0, 8)):
            pos = len(both.text) if rng.random() < 0.7 else rng.randint(0, len(both.text))
            if pos and rng.random() < 0.4:
                both.edit((pos - 1, pos, ""))
            elif rng.random() < 0.1:
                both.revise(*restore(both.log, rng.randint(1, both.log.version)))
            else:
                both.edit((pos, pos, rng.choice(("x", "y", "", "yz"))))
        for a in range(both.log.version + 1):
            stood = {id(each): offset for offset, each in enumerate(both.history.living_at(a))}
            told = [
                (each.is_alive, 0, stood[id(each)])
                if id(each) in stood
                else (each.is_alive, min([v for v in each.alive_at if v > a], default=0), None)
                for each in both.history.everything
            ]
            for vanished in (False, True):
                runs = merged(weave(both.log, a, both.log.version, vanished=vanished).runs())
                found = [(stands, born, None if born else offset) for stands, born, offset, _ in runs]
                case = f"seed {seed}, from version {a}, vanished {vanished}"
                assert [one for one in found if one[0]] == [one for one in told if one[0]], case
                assert [one for one in found if not one[1]] == [one for one in told if one[2] is not None], case


def test_folding_in_steps_is_folding_at_once():
    for seed in range(some(100, 1000)):
        rng = random.Random(seed)
        both = random_history(rng)
        a = rng.randint(0, both.log.version)
        at_once = weave(both.log, a, both.log.version)
        in_steps = weave(both.log, a, a)
        for version in range(a + 1, both.log.version + 1):
            in_steps.fold(version)
        assert merged(at_once.runs()) == merged(in_steps.runs()), f"seed {seed}"


def merged(runs):
    """Character by character, because where runs are cut is no matter."""
    return [(bool(s), born, offset + i, died) for s, length, born, offset, died in runs for i in range(length)]


def test_the_net_change_leads_from_one_text_to_the_other_and_spares_what_stands_in_both():
    for seed in range(some(400, 4000)):
        rng = random.Random(seed)
        both = random_history(rng)
        a, b = rng.randint(0, both.log.version), rng.randint(0, both.log.version)
        strict = net_change(both.log, a, b, letters=False)
        lenient = net_change(both.log, a, b)
        case = f"seed {seed}, from {a} to {b}"
        assert strict.apply(both.log.text(a)) == both.log.text(b), case
        assert lenient.apply(both.log.text(a)) == both.log.text(b), case
        gone = {pos for start, end, _ in strict.replacements for pos in range(start, end)}
        stands = [b in each.alive_at for each in both.history.living_at(a)]
        assert gone == {pos for pos, each in enumerate(stands) if not each}, case
        assert {pos for start, end, _ in lenient.replacements for pos in range(start, end)} <= gone, case


def test_the_stretches_near_a_range_are_those_of_the_whole_net_change_that_meet_it():
    for seed in range(some(150, 1500)):
        rng = random.Random(seed)
        both = random_history(rng)
        a = rng.randint(0, both.log.version)
        folded = weave(both.log, a, both.log.version, vanished=False)
        whole = list(stretches_of(folded))
        start = rng.randint(0, folded.length_a)
        end = rng.randint(start, folded.length_a)
        near, grown = stretches_near(folded, start, end)
        assert near == [each for each in whole if each[0] <= end and each[1] >= start], f"seed {seed}"
        before = [len(each[4]) - (each[1] - each[0]) for each in whole if each[1] < start]
        assert grown == sum(before), f"seed {seed}"


def test_what_is_put_back_letter_for_letter_is_untouched():
    log = ListLog()
    log.append(ChangeSet.of((0, 0, "One. Two. Three."), 0))
    log.append(ChangeSet.of((4, 9, ""), 16))
    log.append(ChangeSet.of((4, 4, " Two."), 11))
    assert net_change(log, 1, 3).is_empty
    assert not net_change(log, 1, 3, letters=False).is_empty
    log.append(ChangeSet.of((8, 8, " and a half"), 16))
    assert net_change(log, 1, 4).replacements == ((8, 8, " and a half"),)


def test_restoring_gives_the_old_text_with_the_attribution_it_had():
    for seed in range(some(300, 3000)):
        rng = random.Random(seed)
        both = random_history(rng)
        version = rng.randint(0, both.log.version)
        text, spans = both.log.text(version), spans_at(both.log, version)
        both.revise(*restore(both.log, version))
        assert both.text == text, f"seed {seed}, version {version}"
        kept = [each for each in both.history.living() if both.log.version - 1 in each.alive_at]
        restored = [each for each in both.history.living() if both.log.version - 1 not in each.alive_at]
        told = [identity for identity in identities(spans)]
        assert {each.identity for each in restored} <= set(told), f"seed {seed}, version {version}"
        if not letters_came_back(both, kept, version):
            assert identities(both.log.tape.spans()) == told, f"seed {seed}, version {version}"


def letters_came_back(both, kept, version):
    """Whether letters typed again are taken for the old ones: they keep the attribution of who typed them again."""
    return any(version not in each.alive_at for each in kept)


def identities(spans):
    return [(stream, version, offset + i) for length, stream, version, offset in spans for i in range(length)]


def test_taken_back_right_away_a_revision_leaves_text_and_attribution_as_before_it():
    for seed in range(some(300, 3000)):
        rng = random.Random(seed)
        both = random_history(rng)
        text, spans = both.text, spans_at(both.log, both.log.version)
        version = both.revise(random_changes(rng, text))
        back = restoration(both.log, version)
        assert back.newer == (), f"seed {seed}"
        both.revise(back.changes, back.carried)
        assert both.text == text and spans_at(both.log, both.log.version) == spans, f"seed {seed}"


def test_revisions_taken_back_in_any_order_leave_text_and_attribution_as_before_them():
    """docs/branches.md, item 12: deleted characters keep their place, so the order of reverting does not matter.

    Left out are revisions that deleted what another of them had brought in (such a one is taken back first), and
    histories in which one identity was put into the text twice (a copy pasted with its spans, which services never do):
    which of the two died where cannot be told from identities.
    """
    compared = 0
    for seed in range(some(500, 5000)):
        rng = random.Random(seed)
        both = random_history(rng, 4)
        known = [each.identity for each in both.history.everything]
        if len(set(known)) < len(known):
            continue
        text, spans = both.text, spans_at(both.log, both.log.version)
        first = both.log.version + 1
        mine = [both.revise(random_changes(rng, both.text, 2)) for _ in range(rng.randint(1, 4))]
        if any(not each.is_alive for each in both.history.everything if each.born >= first):
            continue
        rng.shuffle(mine)
        compared += 1
        for version in mine:
            back = restoration(both.log, version)
            both.revise(back.changes, back.carried)
        case = f"seed {seed}, taken back in the order {mine}"
        assert both.text == text, case
        assert spans_at(both.log, both.log.version) == spans, case
    assert compared > some(80, 800)


def test_taking_back_spares_what_the_revision_did_not_touch():
    for seed in range(some(300, 3000)):
        rng = random.Random(seed)
        both = random_history(rng)
        version = rng.randint(1, both.log.version)
        if both.log.carried(version) is not None:
            continue
        before = [each for each in both.history.everything if each.is_alive]
        own = {id(each) for each in before if each.born == version}
        back = restoration(both.log, version)
        both.revise(back.changes, back.carried)
        case = f"seed {seed}, version {version}"
        gone = [each for each in before if not each.is_alive]
        assert own <= {id(each) for each in gone}, case
        assert {each.born for each in gone if id(each) not in own} <= set(back.newer), case
        assert all(each > version for each in back.newer), case


def test_a_revert_names_what_came_later_and_never_leaves_half_of_it():
    """docs/branches.md, item 25: never "100local"."""
    both = Both()
    both.edit((0, 0, "We plant 100 trees."))
    accepted = both.edit((9, 12, "250 native"))
    later = both.edit((13, 19, "local"))
    back = restoration(both.log, accepted)
    assert back.newer == (later,)
    assert back.changes.apply(both.text) == "We plant 100 trees."
    both.revise(back.changes, back.carried)
    assert spans_at(both.log, both.log.version) == [Span(19, 0, 1, 0)]


def test_what_only_stands_beside_a_reverted_sentence_stays():
    both = Both()
    both.edit((0, 0, "One. Four."))
    accepted = both.edit((5, 5, "Two. "))
    both.edit((10, 10, "Three. "))
    back = restoration(both.log, accepted)
    assert back.newer == ()
    assert back.changes.apply(both.text) == "One. Three. Four."


def test_what_is_put_before_or_behind_a_replacement_stays_there_when_it_is_taken_back():
    for pos, words, expected in ((0, "X. ", "X. A. B."), (2, " Y.", "A. Y. B.")):
        both = Both()
        both.edit((0, 0, "A. B."))
        replacement = both.edit((0, 2, "C."))
        both.edit((pos, pos, words))
        back = restoration(both.log, replacement)
        assert back.newer == () and back.changes.apply(both.text) == expected


def test_adjacent_deletions_reverted_in_another_order_do_not_swap_the_text():
    both = Both()
    both.edit((0, 0, "abcd"))
    first = both.edit((0, 2, ""))
    second = both.edit((0, 2, ""))
    for version in (second, first):
        back = restoration(both.log, version)
        both.revise(back.changes, back.carried)
    assert both.text == "abcd"
    assert spans_at(both.log, both.log.version) == [Span(4, 0, 1, 0)]


def test_a_weave_that_lets_go_of_what_vanished_holds_all_the_rest():
    for seed in range(some(200, 2000)):
        rng = random.Random(seed)
        both = random_history(rng)
        a = rng.randint(0, both.log.version)
        whole = weave(both.log, a, both.log.version)
        lean = weave(both.log, a, both.log.version, vanished=False)
        needed = [each for each in merged(whole.runs()) if each[0] or each[1] == 0]
        assert [each for each in merged(lean.runs()) if each[0] or each[1] == 0] == needed, f"seed {seed}"

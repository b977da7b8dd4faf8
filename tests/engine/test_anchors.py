"""Places kept in changing text, and lost ones found again by their words."""

from __future__ import annotations

import random

import pytest

from drafting.engine.anchors import (
    AROUND,
    Anchors,
    Placed,
    Quote,
    find_again,
    follow,
    place,
    put_again,
    recalled,
)
from drafting.engine.changes import ChangeSet
from drafting.engine.restoration import restoration
from drafting.errors import MismatchError, PositionError
from tests.engine.crowded import random_place
from tests.engine.histories import Both, random_history, some


def is_subsequence(words, text):
    rest = iter(text)
    return all(letter in rest for letter in words)


def belonging(members, revision, before, text_range, history):
    """The characters of a passage after one more revision, by rule: what came strictly between two that stay, and what
    a replacement inside the passage put there; nothing when none of those before is left."""
    start, end = text_range
    if not any(each.is_alive for each in members):
        return []
    # several changes of one revision that touch are one
    replaced = set()
    offset = 0
    joined = []
    for s, e, words in revision:
        if joined and joined[-1][1] == s:
            joined[-1] = (joined[-1][0], e, joined[-1][2] + words)
        else:
            joined.append((s, e, words))
    for s, e, words in joined:
        if s < e and start <= s and e <= end:
            replaced.update(range(offset, offset + len(words)))
        offset += len(words)
    living = history.living()
    stay = {id(each) for each in members if each.is_alive}
    old = {id(each) for each in before}
    places = [i for i, each in enumerate(living) if id(each) in stay]
    new = {}
    count = 0
    for i, each in enumerate(living):
        if id(each) not in old:
            new[i] = count
            count += 1
    taken = [i for i, n in new.items() if n in replaced]
    first, last = min(places + taken), max(places + taken)
    return living[first : last + 1]


def test_law_10_an_anchor_follows_its_characters_and_stands_again_when_they_do():
    whole = 0
    for seed in range(some(300, 3000)):
        rng = random.Random(seed)
        both = random_history(rng)
        log = both.log
        version = rng.randint(1, log.version)
        text = log.text(version)
        start = random_place(rng, text)
        end = random_place(rng, text, start)
        if start == end:
            continue
        anchor = place(text, start, end, version)
        placed = both.history.living_at(version)[start:end]
        replay = Both()
        typed_again = False
        for each in range(1, log.version + 1):
            case = f"seed {seed}, [{start}, {end}) placed at {version}, at version {each}"
            before = replay.history.living()
            standing = {one.identity for one in before}
            if each > version and any(
                (s.stream, s.version, s.offset + i) in standing
                for s in log.carried(each) or ()
                for i in range(s.length)
            ):
                break  # takes characters away and puts the same ones back at one stroke: mapping does not see that
            replay.revise(log.changes(each), log.carried(each))
            if each == version:
                placed = members = replay.history.living()[start:end]
            if each <= version:
                continue
            members = belonging(
                members, log.changes(each).replacements, before, (anchor.start, anchor.end), replay.history
            )
            anchor = follow(anchor, log, each)
            living = replay.history.living()
            if all(one.is_alive for one in placed) and not typed_again:
                members = living[living.index(placed[0]) : living.index(placed[-1]) + 1]
                whole += 1
            elif not anchor.is_cut:
                # Its letters were put back, by other characters; there it stays, also if the first ones come back.
                typed_again = True
                assert is_subsequence(anchor.quote.exact, log.text(each)[anchor.start : anchor.end]), case
                members = living[anchor.start : anchor.end]
            if members:
                found = living.index(members[0]), living.index(members[-1]) + 1
                assert (anchor.start, anchor.end) == found, case
            else:
                assert anchor.is_orphan, case
                assert 0 <= anchor.start <= len(living), case
    assert whole > some(60, 600)


def test_following_at_once_in_steps_from_an_index_or_from_what_was_stored_is_the_same():
    for seed in range(some(300, 3000)):
        rng = random.Random(seed)
        both = random_history(rng)
        log = both.log
        version = rng.randint(1, log.version)
        text = log.text(version)
        start = random_place(rng, text)
        end = random_place(rng, text, start)
        if start == end:
            continue
        first = place(text, start, end, version)
        at_once = follow(first, log)
        replay = Both()
        for each in range(1, version + 1):
            replay.revise(log.changes(each), log.carried(each))
        index = Anchors(replay.log)
        index.put("a", first)
        stored = first
        for each in range(version + 1, log.version + 1):
            replay.revise(log.changes(each), log.carried(each))
            index.advance(log.changes(each), each)
            stored = recalled(log, first.placed, stored.start, stored.end, stored.version)
            stored = follow(stored, log, each)
        case = f"seed {seed}, [{start}, {end}) placed at {version}"
        for other in (index["a"], stored):
            assert (other.start, other.end, other.version) == (at_once.start, at_once.end, at_once.version), case


def test_law_10_what_is_cut_off_and_brought_back_belongs_to_the_anchor_again():
    """docs/branches.md, item 24: anchor [4, 12), delete [8, 16) and restore; inside a restored deletion [6, 10)."""
    for start, end in ((4, 12), (10, 14), (8, 16), (9, 20)):
        for by_hand in (False, True):
            both = Both()
            both.edit((0, 0, "0123456789abcdefghij"))
            anchor = place(both.text, start, end, 1)
            deletion = both.edit((8, 16, ""))
            cut = follow(anchor, both.log)
            assert cut.is_cut and cut.is_orphan == (start >= 8 and end <= 16)
            if by_hand:
                both.edit((8, 8, "89abcdef"))
            else:
                back = restoration(both.log, deletion)
                both.revise(back.changes, back.carried)
            again = follow(cut, both.log)
            assert (again.start, again.end, again.is_cut) == (start, end, False)


def test_an_anchor_whose_passage_is_gone_is_an_orphan_with_its_quote():
    both = Both()
    both.edit((0, 0, "We plant 100 trees in the park."))
    anchor = place(both.text, 9, 18, 1)
    both.edit((9, 18, "grass"))
    gone = follow(anchor, both.log)
    assert gone.is_orphan and gone.quote == Quote("We plant ", "100 trees", " in the park.")
    assert gone.start == gone.end == 9


def test_what_is_written_inside_belongs_to_it_and_what_is_written_beside_it_does_not():
    both = Both()
    both.edit((0, 0, "We plant 100 trees."))
    anchor = place(both.text, 9, 18, 1)
    both.edit((18, 18, " here"), (12, 12, " native"), (9, 9, "about "))
    moved = follow(anchor, both.log)
    assert both.text[moved.start : moved.end] == "100 native trees"
    assert not moved.is_cut


def test_a_word_replaced_at_its_edge_stays_part_of_it():
    both = Both()
    both.edit((0, 0, "We plant 100 trees."))
    anchor = place(both.text, 9, 18, 1)
    both.edit((9, 12, "250"))
    moved = follow(anchor, both.log)
    assert both.text[moved.start : moved.end] == "250 trees"


def test_an_index_says_what_is_elsewhere_now():
    both = Both()
    both.edit((0, 0, "One. Two. Three."))
    anchors = Anchors(both.log)
    anchors.put(1, place(both.text, 0, 4, 1))
    anchors.put(2, place(both.text, 5, 9, 1))
    both.edit((4, 4, " And a half."))
    assert anchors.advance(both.log.changes(2), 2) == [2]
    assert (anchors[1].start, anchors[1].version) == (0, 2)
    assert both.text[anchors[2].start : anchors[2].end] == "Two."
    anchors.drop(2)
    assert list(anchors) == [1] and len(anchors) == 1 and 2 not in anchors


@pytest.mark.parametrize(("start", "end"), [(2, 2), (3, 2), (-1, 2), (0, 9), (0, 1), (1, 3)])
def test_what_is_no_passage_is_refused(start, end):
    with pytest.raises(PositionError):
        place("\ud83c\udf33abc", start, end, 1)


def test_what_was_stored_and_does_not_fit_is_refused():
    both = Both()
    both.edit((0, 0, "abc"))
    placed = Placed(0, 2, 1, Quote.of("abc", 0, 2))
    for start, end, version in ((0, 4, 1), (2, 1, 1), (0, 1, 2), (0, 1, 0)):
        with pytest.raises(PositionError):
            recalled(both.log, placed, start, end, version)


def test_a_quote_has_32_units_around_and_cuts_no_pair():
    text = "\ud83c\udf33" + "a" * (AROUND - 1) + "bc" + "d" * (AROUND - 1) + "\ud83c\udf33"
    assert Quote.of(text, 33, 35) == Quote("a" * 31, "bc", "d" * 31)
    assert Quote.of("abc", 1, 2) == Quote("a", "b", "c")


TEXT = "The city plants trees. The city plants trees along the river. Nobody plants grass."


def test_words_that_stand_once_with_their_surroundings_are_found():
    start = TEXT.index("grass")
    quote = Quote.of(TEXT, start, start + 5)
    assert find_again("In short. " + TEXT, quote).places == ((start + 10, start + 15),)
    assert find_again("In short. " + TEXT, quote).outcome == "found"


def test_words_that_stand_twice_are_told_apart_by_their_surroundings_or_by_a_person():
    second = TEXT.index("trees", 20)
    quote = Quote.of(TEXT, second, second + 5)
    found = find_again(TEXT, quote)
    assert found.outcome == "found" and found.places == ((second, second + 5),)
    bare = Quote("", "trees", "")
    assert find_again(TEXT, bare).outcome == "ambiguous"
    assert len(find_again(TEXT, bare).places) == 2


def test_a_short_word_in_other_surroundings_is_not_taken_for_the_lost_one():
    quote = Quote("Seniors need ", "more", " benches near the clinic.")
    finding = find_again("We ask for more lamps.", quote)
    assert finding.outcome == "ambiguous" and len(finding.places) == 1


def test_rewritten_words_between_unchanged_surroundings_are_offered_and_not_taken():
    text = "In the park the city plants 100 trees and waters them every week in summer."
    start = text.index("100 trees")
    quote = Quote.of(text, start, start + 9)
    finding = find_again(text.replace("100 trees", "two oaks"), quote)
    assert finding.outcome == "ambiguous" and finding.places == ((start, start + 8),)


def test_what_is_nowhere_is_not_found():
    assert find_again("Nothing of the kind.", Quote("a", "lost words", "b")).outcome == "not found"
    assert find_again("", Quote("a", "lost words", "b")).places == ()
    with pytest.raises(MismatchError):
        find_again("abc", Quote("a", "", "b"))


def test_a_person_puts_an_orphan_on_other_words():
    both = Both()
    both.edit((0, 0, "We plant 100 trees."))
    anchor = place(both.text, 9, 12, 1)
    both.edit((9, 12, "250"))
    orphan = follow(anchor, both.log)
    again = put_again(both.text, orphan, 9, 12)
    assert (again.start, again.end, again.version, again.quote.exact) == (9, 12, 2, "250")


def test_finding_is_bounded_and_the_same_each_time():
    text = "na " * 5000
    quote = Quote("na ", "na", " na")
    assert find_again(text, quote) == find_again(text, quote)
    assert find_again(text, quote).outcome == "ambiguous"


def test_mapping_refuses_an_anchor_of_another_text():
    anchor = place("abcdef", 2, 5, 1)
    with pytest.raises(PositionError):
        anchor.moved(ChangeSet.of((0, 1, ""), 3))

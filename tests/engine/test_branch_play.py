"""Random play of suggestions on tiny crowded texts: edits, branch edits, decisions, reverts, restarts, live clients."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from drafting.engine.attribution import Span, spans_at
from drafting.engine.branch import check_order
from drafting.engine.changes import ChangeSet
from drafting.engine.places import Place
from drafting.engine.plans import Item
from drafting.engine.proposals import Proposals, carry
from drafting.engine.rebase import Update
from drafting.engine.restoration import restoration
from drafting.engine.text import cuts_pair, to_units
from drafting.engine.words import seam_runs_on, whole_words
from drafting.errors import DraftingError, EngineError, InvalidInput, NotFound, StaleReview, WrongState
from tests.engine.branch_desk import Desk
from tests.engine.slow_identity import slow_restoration
from tests.engine.writer import Writer
from tests.seeds import for_seeds

ALPHABETS = (
    list("ab"),
    list("ab .\n"),
    [to_units(text) for text in ("a", "b", "1", "0", ".", ",", " ", "e\u0301", "🌳", "ż")],
)
SUGGESTIONS = (1, 2, 3)


def random_words(rng: random.Random, alphabet: list[str], most: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, most)))


def random_pieces(rng: random.Random, text: str, alphabet: list[str], most: int = 1) -> list[tuple[int, int, str]]:
    """A few replacements in order that cut no surrogate pair."""
    places = [pos for pos in range(len(text) + 1) if not cuts_pair(text, pos)]
    pieces = []
    first = 0
    for _ in range(rng.randint(1, most)):
        if first >= len(places):
            break
        start = rng.randrange(first, len(places))
        end = rng.randint(start, min(len(places) - 1, start + 3)) if rng.random() < 0.6 else start
        words = random_words(rng, alphabet, 2) if rng.random() < 0.7 else ""
        pieces.append((places[start], places[end], words))
        first = end + 1
    return pieces


class Everywhere:
    """Places that touch everything, one by one: then the rules run for every suggestion at every change."""

    def __init__(self) -> None:
        self._places: list[Place] = []

    def add(self, place: Place) -> None:
        self._places.append(place)

    def remove(self, place: Place) -> None:
        self._places.remove(place)

    def touching(self, start: int, end: int) -> Iterator[Place]:
        yield from list(self._places)

    def shift(self, after: int, by: int) -> None:
        assert not self._places or not by, "everything is being worked on"


class SlowProposals(Proposals):
    """The functional core alone, without an index."""

    PLACES = Everywhere  # type: ignore[assignment]


class Player:
    """Plays one section at random; everything that happens is in `story`."""

    def __init__(self, rng: random.Random, kind: type[Proposals] = Proposals) -> None:
        self.rng = rng
        self.alphabet = rng.choice(ALPHABETS)
        self.desk = Desk(random_words(rng, self.alphabet, 8), kind)
        self.story: list[Any] = []
        for suggestion in SUGGESTIONS:
            self.desk.open(suggestion, filed=rng.random() < 0.9)

    def open_pairs(self) -> list[tuple[int, int]]:
        return [(s, hunk.id) for s in SUGGESTIONS for hunk in self.desk.p.hunks(s)]

    def choose(self) -> tuple[Any, ...]:
        """The next thing to do, as values."""
        rng, desk = self.rng, self.desk
        action = rng.random()
        if action < 0.3 and len(desk.main) < 12:
            pieces = random_pieces(rng, desk.main, self.alphabet, 3)
            return ("move" if rng.random() < 0.15 else "edit", pieces)
        if action < 0.6:
            suggestion = rng.choice(SUGGESTIONS)
            text = desk.read(suggestion)
            pieces = random_pieces(rng, text, self.alphabet, 3)
            if len(text) > 14:
                pieces = [(start, end, "") for start, end, _ in pieces if start < end]
            return ("suggest", suggestion, pieces, rng.random() < 0.05)
        pairs = self.open_pairs()
        if action < 0.8 and pairs:
            items = []
            for pair in rng.sample(pairs, min(len(pairs), rng.randint(1, 3))):
                mode = rng.choice(("stands", "around", ""))
                wording = random_words(rng, self.alphabet, 3) if rng.random() < 0.2 else None
                items.append(Item(*pair, mode=mode, wording=wording))
            return ("accept", items)
        if action < 0.87 and pairs:
            return ("reject", *rng.choice(pairs))
        closed = [(s, id, state) for s in SUGGESTIONS for id, state in sorted(desk.p.closed(s).items())]
        if closed:
            suggestion, hunk, state = rng.choice(closed)
            verb = {"accepted": "revert", "rejected": "unreject", "superseded": "reopen", "closed": "reopen"}.get(state)
            if verb:
                return (verb, suggestion, hunk)
        return ("edit", [])

    def step(self) -> None:
        does = self.choose()
        self.story.append((does, self.desk.main))
        perform(self.desk, does)


def perform(desk: Desk, does: tuple[Any, ...]) -> None:
    """Do one thing; a reopening that does not fit is refused and changes nothing."""
    verb, *rest = does
    if verb == "edit":
        desk.edit(*rest[0])
    elif verb == "move":  # text that was cut from another section comes with its identities
        size = sum(len(words) for _, _, words in rest[0])
        desk.edit(*rest[0], carried=(Span(size, 9, desk.log.version + 1, 0),) if size else None)
    elif verb == "suggest":
        suggestion, pieces, flagged = rest
        desk.suggest(suggestion, *pieces, flagged=flagged)
    elif verb == "accept":
        desk.accept(*rest[0])
    elif verb == "reject":
        desk.reject(*rest)
    elif verb == "revert":
        desk.revert(*rest)
    elif verb == "unreject":
        desk.p.unreject(*rest)
    else:
        with suppress(WrongState):
            desk.p.reopen(*rest)


@for_seeds(smoke=120, full=3_750)  # 40 steps each: 150,000 in full
def test_law_6_branch_is_delta_of_main(rng: random.Random):
    """Law 6, the order of hunks, ids: nothing breaks them, and the branch log gives the same text as the hunks."""
    player = Player(rng)
    desk = player.desk
    seen: dict[int, int] = dict.fromkeys(SUGGESTIONS, 0)
    for _ in range(40):
        player.step()
        if rng.random() < 0.5:
            desk.check()
        for suggestion in SUGGESTIONS:
            hunks = desk.p.hunks(suggestion)
            assert check_order(desk.main, hunks), player.story[-3:]
            ids = [hunk.id for hunk in hunks]
            closed = desk.p.closed(suggestion)
            assert len(set(ids)) == len(ids) and not set(ids) & set(closed), player.story[-3:]
            next_id = desk.p.next_hunk_id(suggestion)
            assert next_id >= seen[suggestion] and all(id < next_id for id in [*ids, *closed])
            seen[suggestion] = next_id
    desk.check()


# Main at the beginning, and what was done to it.
ZONE_BEYOND_THE_TEXT: tuple[str, list[tuple[Any, ...]]] = (
    "bbbbabb ",
    [
        ("edit", [(1, 1, "a")]),
        ("edit", [(6, 8, "")]),
        ("suggest", 3, [(7, 7, "\n")], False),
        ("edit", [(7, 7, "\na")]),
        ("edit", [(3, 3, " a")]),
        ("edit", [(2, 4, ""), (9, 9, "\n")]),
        ("accept", [Item(3, 1, mode="stands")]),
        ("suggest", 3, [(9, 11, "\n")], False),
        ("accept", [Item(3, 2)]),
        ("revert", 3, 1),
        ("suggest", 2, [(4, 6, "")], False),
        ("accept", [Item(2, 1, mode="stands", wording="a")]),
        ("edit", [(1, 4, "\n.")]),
        ("accept", [Item(3, 1)]),
        ("suggest", 3, [(3, 4, "")], False),
        ("edit", [(1, 3, "")]),
        ("edit", [(2, 2, "a\n")]),
        ("revert", 3, 1),
    ],
)


def test_a_hunk_that_stands_apart_after_a_revert_looks_back_to_what_is_there():
    """Its zone was that of the text before the revert, and ended behind the text after it."""
    main, story = ZONE_BEYOND_THE_TEXT
    desk = Desk(main)
    for suggestion in SUGGESTIONS:
        desk.open(suggestion)
    for does in story:
        perform(desk, does)
        desk.check()


def test_reverted_in_the_order_they_were_accepted_nothing_of_both_is_left():
    """The words of the first that the second had replaced came back with the second: "We plant native100 trees"."""
    desk = Desk("We plant 100 trees.")
    desk.replace(1, "100", "250 native")
    desk.accept((1, 1))
    desk.replace(2, "native", "local")
    desk.accept((2, 1))
    desk.revert(1, 1)
    desk.check()
    assert desk.main == "We plant 100 trees."
    desk.p = Proposals.load(desk.log, json.loads(json.dumps(desk.p.dump())))
    desk.revert(2, 1)
    desk.check()
    assert desk.main == "We plant 100 trees." == desk.read(2) and desk.hunks(1) == [(1, "100", "250 native")]
    assert desk.p.closed(2) == {1: "closed"}, "kept with its words; what it stood on is gone"


@for_seeds(smoke=60, full=800)
def test_the_index_equals_the_rules_run_for_every_suggestion(rng: random.Random):
    """What is not touched only shifts, and what was derived later is what would have been noted at once."""
    player = Player(rng)
    slow = Desk(player.desk.main, SlowProposals)
    for suggestion in SUGGESTIONS:
        slow.open(suggestion, filed=player.desk.p._branches[suggestion].filed)
    for _ in range(30):
        does = player.choose()
        for desk in (player.desk, slow):
            perform(desk, does)
        assert player.desk.main == slow.main, does
        for suggestion in SUGGESTIONS:
            assert player.desk.p.hunks(suggestion) == slow.p.hunks(suggestion), does
            assert player.desk.p.closed(suggestion) == slow.p.closed(suggestion), does
    player.desk.check()
    slow.check()


@for_seeds(smoke=60, full=800)
def test_a_checkpoint_and_what_came_after_it_give_the_same(rng: random.Random):
    """Dump and load at random moments change nothing; the rest of the story on an old checkpoint ends equal."""
    player = Player(rng)
    desk = player.desk
    kept: str | None = None
    since: list[tuple[Any, ...]] = []
    branches: dict[int, str] = {}
    for _ in range(30):
        if rng.random() < 0.2:
            dumped = json.dumps(desk.p.dump())
            desk.p = Proposals.load(desk.log, json.loads(dumped))
            assert json.dumps(desk.p.dump()) == dumped
            if kept is None:
                kept, branches = dumped, dict(desk.branches)
        does = player.choose()
        if kept is not None:
            since.append(does)
        perform(desk, does)
    desk.check()
    if kept is None:
        return
    other = Desk("", Proposals)
    other.p = Proposals.load(desk.log, json.loads(kept))
    other.log = LogTo(desk.log, other.p.version)
    other.p = Proposals.load(other.log, json.loads(kept))
    other.branches = branches
    other.entries = {suggestion: [] for suggestion in SUGGESTIONS}
    for does in since:
        perform(other, does)
    other.check()
    for each in (desk, other):
        for suggestion in SUGGESTIONS:
            each.read(suggestion)
    assert other.p.dump() == desk.p.dump()


class LogTo:
    """The beginning of another log, to which it appends for itself."""

    def __init__(self, log: Any, version: int) -> None:
        self._log = log
        self._own: list[tuple[ChangeSet, Any]] = []
        self._at = version

    @property
    def version(self) -> int:
        return self._at + len(self._own)

    def append(self, changes: ChangeSet, carried: Any = None) -> None:
        self._own.append((changes, carried))

    def changes(self, version: int) -> ChangeSet:
        return self._log.changes(version) if version <= self._at else self._own[version - self._at - 1][0]

    def carried(self, version: int) -> Any:
        return self._log.carried(version) if version <= self._at else self._own[version - self._at - 1][1]

    def text(self, version: int) -> str:
        text = self._log.text(min(version, self._at))
        for changes, _ in self._own[: max(0, version - self._at)]:
            text = changes.apply(text)
        return text


# ── accept and revert ───────────────────────────────────────────────────────────────────────────────────


def begun(rng: random.Random) -> tuple[Desk, list[tuple[int, int]]]:
    """A section with a few suggestions, and a random choice of their hunks in random order."""
    alphabet = rng.choice(ALPHABETS)
    desk = Desk(random_words(rng, alphabet, 10))
    suggestions = (1, 2, 3, 4)
    for suggestion in suggestions:
        desk.open(suggestion)
    for _ in range(rng.randint(2, 8)):
        suggestion = rng.choice(suggestions)
        desk.suggest(suggestion, *random_pieces(rng, desk.read(suggestion), alphabet, 2))
    pairs = [(s, hunk.id) for s in suggestions for hunk in desk.p.hunks(s)]
    return desk, rng.sample(pairs, rng.randint(1, len(pairs))) if pairs else []


def accept_all(rng: random.Random, desk: Desk, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Accept them as a set or one by one; those that were applied, in order."""
    done: list[tuple[int, int]] = []
    for chosen in [pairs] if rng.random() < 0.5 else [[pair] for pair in pairs]:
        still = [pair for pair in chosen if any(hunk.id == pair[1] for hunk in desk.p.hunks(pair[0]))]
        if still:
            done += [(one.suggestion, one.hunk) for one in desk.accept(*still).applied]
    return done


def main_state(desk: Desk) -> Any:
    return desk.main, spans_at(desk.log, desk.log.version)


def branch_state(desk: Desk) -> Any:
    return {
        s: (desk.read(s), [(h.id, h.start, h.end, h.text, h.base_changed) for h in desk.p.hunks(s)], desk.p.closed(s))
        for s in desk.p.suggestions()
    }


@for_seeds(smoke=200, full=5_000)
def test_accepted_and_reverted_newest_first_is_as_before(rng: random.Random):
    """Text, identities, branch texts, hunks and states, in every game."""
    desk, pairs = begun(rng)
    if not pairs:
        return
    before = main_state(desk), branch_state(desk)
    for pair in reversed(accept_all(rng, desk, pairs)):
        if desk.p.closed(pair[0]).get(pair[1]) == "accepted":
            desk.revert(*pair)
    assert (main_state(desk), branch_state(desk)) == before


DIFFERENT: list[int] = []


def test_accepted_and_reverted_in_any_order_text_and_identities_are_as_before():
    """In every game; branch texts and states in all but those that docs/branches.md allows (at most 1 of 100)."""
    DIFFERENT.clear()
    games = play_any_order()
    assert len(DIFFERENT) * 100 <= games, DIFFERENT


def play_any_order() -> int:
    count = 0

    @for_seeds(smoke=200, full=4_000, first=100_000)
    def game(rng: random.Random) -> None:
        nonlocal count
        count += 1
        desk, pairs = begun(rng)
        if not pairs:
            return
        before = main_state(desk), branch_state(desk)
        done = accept_all(rng, desk, pairs)
        rng.shuffle(done)
        for pair in done:
            if desk.p.closed(pair[0]).get(pair[1]) == "accepted":
                desk.revert(*pair)
                desk.check()
        assert main_state(desk) == before[0], done
        if branch_state(desk) != before[1]:
            DIFFERENT.append(count)

    game()
    return count


@for_seeds(smoke=150, full=3_000)
def test_accepted_edited_elsewhere_and_reverted_is_the_edits_alone(rng: random.Random):
    """Main is a row of lines; the edits keep to other lines than the accepted hunk."""
    alphabet = rng.choice(ALPHABETS)
    lines = [random_words(rng, alphabet, 6).replace("\n", " ") + "." for _ in range(3)]
    plain, desk = (Desk("\n\n".join(lines)) for _ in range(2))
    start = desk.main.index("\n\n") + 2
    pieces = [(start + s, start + e, t.replace("\n", "")) for s, e, t in random_pieces(rng, lines[1], alphabet, 1)]
    desk.suggest(1, *pieces)
    if not desk.p.hunks(1):
        return
    hunk = desk.p.hunks(1)[0]
    desk.accept((1, hunk.id))
    for _ in range(rng.randint(1, 3)):
        for piece in random_pieces(rng, lines[0], alphabet, 1):
            cuts = any(cuts_pair(plain.main, pos) for pos in piece[:2])
            if not cuts and piece[1] < plain.main.index("\n\n"):
                plain.edit(piece)
                desk.edit(piece)
    desk.revert(1, hunk.id)
    assert desk.main == plain.main
    desk.check()


@for_seeds(smoke=150, full=2_000)
def test_a_set_is_its_hunks_one_by_one_in_its_order(rng: random.Random):
    desk, pairs = begun(rng)
    if not pairs:
        return
    twin = Desk("")
    twin.log, twin.p = desk.log, desk.p.copy()
    plan = desk.p.plan([Item(*pair) for pair in pairs])
    for step in plan.steps:
        if step.applied:
            one = twin.p.plan([Item(step.item.suggestion, step.item.hunk)])
            twin.p.accept(one)
    desk.p.accept(plan)
    assert desk.p.text == twin.p.text
    for suggestion in desk.p.suggestions():
        assert desk.p.branch_text(suggestion) == twin.p.branch_text(suggestion)


@for_seeds(smoke=150, full=3_000)
def test_restoration_equals_the_slow_one(rng: random.Random):
    player = Player(rng)
    for _ in range(12):
        player.step()
    log = player.desk.log
    for version in range(1, log.version + 1):
        if log.carried(version) is None:
            found, told = restoration(log, version), slow_restoration(log, version)
            assert (found.changes, found.carried, found.newer) == told, (version, player.story)


@for_seeds(smoke=2_000, full=30_000)
def test_the_whole_word_form_is_a_fixed_point_with_the_same_effect(rng: random.Random):
    alphabet = rng.choice(ALPHABETS)
    text = random_words(rng, alphabet, 9)
    for start, end, words in random_pieces(rng, text, alphabet, 1):
        low, high = rng.randint(0, start), rng.randint(end, len(text))
        form = whole_words(text, start, end, words, low, high)
        before, after = text, text[:start] + words + text[end:]
        if form is None:
            assert before == after
            return
        assert text[: form[0]] + form[2] + text[form[1] :] == after
        assert low <= form[0] <= form[1] <= high
        assert whole_words(text, *form, low, high) == form


@for_seeds(smoke=400, full=6_000)
def test_both_accepted_never_change_one_word(rng: random.Random):
    """Law 10: what the table lets through makes no word out of the words of both."""
    alphabet = ALPHABETS[1] if rng.random() < 0.5 else ALPHABETS[2]
    desk = Desk(random_words(rng, alphabet, 8))
    for suggestion, letter in ((1, "x"), (2, "y")):
        desk.open(suggestion)
        pieces = random_pieces(rng, desk.main, [letter, " ", letter, "."], 1)
        desk.suggest(suggestion, *pieces)
    hunks = [desk.p.hunks(suggestion) for suggestion in (1, 2)]
    if not all(hunks) or desk.p.relation((1, hunks[0][0].id), (2, hunks[1][0].id)).kind in ("clash", "identical"):
        return
    desk.accept((1, hunks[0][0].id))
    if desk.p.hunks(2):
        desk.accept((2, desk.p.hunks(2)[0].id))
    seams = [pos for pos in range(len(desk.main) + 1) if not seam_runs_on(desk.main, pos)]
    for start, end in pairwise(seams):
        word = desk.main[start:end]
        assert not ("x" in word and "y" in word), (desk.log.text(1), desk.main)


# ── live clients ────────────────────────────────────────────────────────────────────────────────────────


class BranchAuthority:
    """The server's side of a branch: catches up, carries, stores exactly once."""

    def __init__(self, desk: Desk, suggestion: int) -> None:
        self.desk = desk
        self.suggestion = suggestion
        self.start = desk.main
        self.log: list[Update] = []
        self.removals: list[bool] = []
        self.mains: list[int] = []  # main version that the branch holds after each

    def catch_up(self) -> None:
        for entry in self.desk.p.catch_up(self.suggestion):
            client = "main" if entry.kind == "from_main" else "decision"
            self.log.append(Update(client, entry.version * 1000 + len(self.log), entry.changes))
            self.removals.append(entry.removal)
            self.mains.append(entry.version)

    def push(self, version: int, updates: list[Update]) -> None:
        self.catch_up()
        stored = [
            (one.client, one.sequence, one.changes, removal)
            for one, removal in zip(self.log[version:], self.removals[version:], strict=True)
        ]
        seen = self.mains[version - 1] if version else 1
        for one in carry(updates, stored):
            self.desk.p.branch_update(self.suggestion, one.changes, written_on=seen, flagged=one.flagged)
            self.log.append(Update(one.client, one.sequence, one.changes))
            self.removals.append(False)
            self.mains.append(self.desk.p.version)

    def pull(self, version: int, most: int | None = None) -> tuple[int, list[Update]]:
        self.catch_up()
        return version, self.log[version : None if most is None else version + most]

    def text(self) -> str:
        text = self.start
        for one in self.log:
            text = one.changes.apply(text)
        return text


@for_seeds(smoke=100, full=4_000)
def test_two_live_clients_on_a_branch_converge_while_main_moves_and_decisions_fall(rng: random.Random):
    alphabet = rng.choice(ALPHABETS)
    desk = Desk(random_words(rng, alphabet, 6) + "ab")
    desk.open(1)
    desk.open(2)
    authority = BranchAuthority(desk, 1)
    clients = [Writer("A"), Writer("B")]
    for client in clients:
        client.text = authority.start
    late: list[tuple[Writer, tuple[int, list[Update]]]] = []
    pushes: list[tuple[int, list[Update]]] = []
    for _ in range(rng.randint(10, 40)):
        client = rng.choice(clients)
        action = rng.random()
        if action < 0.3 and len(client.text) < 14:
            client.type(ChangeSet.of(list(random_pieces(rng, client.text, alphabet)), len(client.text)))
        elif action < 0.45:
            if client.pending:
                pushes.append(client.message())
        elif action < 0.6:
            if pushes:
                place = rng.randrange(len(pushes))
                message = pushes[place] if rng.random() < 0.3 else pushes.pop(place)  # a resend, or an answer lost
                authority.push(*message)
        elif action < 0.75:
            late.append((client, authority.pull(client.version, rng.choice([1, 2, None]))))
        elif action < 0.85:
            if late:
                receiver, answer = late.pop(rng.randrange(len(late)))
                receiver.receive(*answer)
        elif action < 0.9:
            if len(desk.main) < 12:
                desk.edit(*random_pieces(rng, desk.main, alphabet, 2))
        elif action < 0.93:
            authority.catch_up()
            desk.p.branch_update(
                1, ChangeSet.empty(len(desk.p.branch_text(1)))
            )  # a key that changes nothing is no hunk
            pieces = random_pieces(rng, desk.read(2), alphabet)
            desk.suggest(2, *pieces)
        else:
            pairs = [(s, hunk.id) for s in (1, 2) for hunk in desk.p.hunks(s)]
            closed = [(1, id) for id, state in desk.p.closed(1).items() if state == "accepted"]
            if closed and rng.random() < 0.4:
                desk.revert(*rng.choice(closed))
            elif pairs and rng.random() < 0.5:
                desk.accept(Item(*rng.choice(pairs), mode="stands"))
            elif pairs:
                desk.reject(*rng.choice(pairs))
    for _ in range(2):
        for client in clients:
            client.receive(*authority.pull(client.version))
            authority.push(*client.message())
            client.receive(*authority.pull(client.version))
    for client in clients:
        client.receive(*authority.pull(client.version))
    assert authority.text() == desk.p.branch_text(1)
    assert [client.text for client in clients] == [authority.text()] * 2
    names = [(one.client, one.sequence) for one in authority.log]
    assert len(set(names)) == len(names)


# ── bad input ───────────────────────────────────────────────────────────────────────────────────────────

# None of them are the spans of two characters.
NO_SPANS: list[Any] = [[], [Span(1, 9, 1, 0)], [Span(3, 9, 1, 0)], [Span(-1, 9, 1, 0), Span(3, 9, 1, 0)], ["xy"]]


@for_seeds(smoke=150, full=2_000)
def test_what_does_not_fit_is_refused_with_a_typed_error_and_changes_nothing(rng: random.Random):
    player = Player(rng)
    for _ in range(8):
        player.step()
    p = player.desk.p
    for suggestion in SUGGESTIONS:
        player.desk.read(suggestion)
    before = json.dumps(p.dump())
    numbers = [-1, 0, 1, 2, 7, 10**9]
    number = lambda: rng.choice(numbers)  # noqa: E731
    for _ in range(20):
        attempt = rng.choice(
            [
                lambda: p.main_update(ChangeSet.empty(len(p.text) + rng.choice((1, 5))), p.version + 1),
                lambda: p.main_update(ChangeSet.empty(len(p.text)), p.version + rng.choice((0, 2, -1))),
                lambda: p.main_update(ChangeSet.of((0, 0, "xy"), len(p.text)), p.version + 1, rng.choice(NO_SPANS)),
                lambda: p.branch_update(1, ChangeSet.empty(len(p.branch_text(1)) + rng.choice((1, 9)))),
                lambda: p.branch_update(99, ChangeSet.empty(0)),
                lambda: p.plan([Item(number(), 1, wording=rng.choice(("a\r", "\ud800", "🌳")))]),
                lambda: p.plan([Item(number(), 10**6)]),
                lambda: p.plan([Item(1, 10**6, "x"), Item(1, 10**6)]),
                lambda: p.reject(number(), 10**6),
                lambda: p.unreject(number(), 10**6),
                lambda: p.reopen(number(), 10**6),
                lambda: p.revert_plan(number(), 10**6),
                lambda: p.hash(number(), 10**6),
                lambda: p.open(1, 1),
                lambda: p.close(99),
                lambda: p.relation((1, 10**6), (2, 1)),
                lambda: carry([Update("a", 1, ChangeSet.empty(3))], [("b", 1, ChangeSet.empty(4), False)]),
            ]
        )
        with pytest.raises((EngineError, InvalidInput, NotFound, WrongState, StaleReview, DraftingError)):
            attempt()
        assert json.dumps(p.dump()) == before


@for_seeds(smoke=150, full=5_000)
def test_a_checkpoint_that_is_none_is_refused(rng: random.Random):
    player = Player(rng)
    for _ in range(6):
        player.step()
    value = player.desk.p.dump()
    path: Any = value
    for _ in range(rng.randint(1, 6)):
        if isinstance(path, dict) and path:
            key: Any = rng.choice(list(path))
        elif isinstance(path, list) and path:
            key = rng.randrange(len(path))
        else:
            break
        if rng.random() < 0.4 or not isinstance(path[key], (dict, list)):
            path[key] = rng.choice([None, -5, 10**12, "x", [], {}, [[]], 1.5, float("nan"), True, "\ud800"])
            break
        path = path[key]
    with suppress(InvalidInput, EngineError):
        Proposals.load(player.desk.log, value)

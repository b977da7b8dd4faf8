"""Comparing, accepting and rejecting hunks: the decisions that a review makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

from drafting.engine.branch import (
    Entry,
    Fate,
    Hunk,
    Hunks,
    accepted,
    hunk_hash,
    main_step,
    position_of,
    take_out,
)
from drafting.engine.changes import ChangeSet
from drafting.engine.diff import word_diff
from drafting.engine.net import net_of
from drafting.engine.open_hunks import Branch, Closed, Event, OpenHunks, Work, closed_hunk
from drafting.engine.plans import Applied, Item, Outcome, Plan, Preview, Shown, Step, Way
from drafting.engine.relations import CLASH, Relation, Replacement, reach, relate
from drafting.engine.text import check_units
from drafting.engine.words import (
    all_in_whole_words,
    is_blank,
    left_of,
    right_of,
    runs_on,
    sentence,
    trimmed,
    whole_words,
)
from drafting.errors import InvalidInput, StaleReview

Pair = tuple[int, int]


class Acceptances(OpenHunks):
    """The open hunks of one section, compared, accepted and rejected."""

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    def shown(self, suggestion: int) -> tuple[Shown, ...]:
        """The open hunks as the wire shows them, with ground, state and hash."""
        return tuple(self._shown(suggestion, hunk) for hunk in self.hunks(suggestion))

    def _shown(self, suggestion: int, hunk: Hunk) -> Shown:
        ground = self._text[hunk.start : hunk.end]
        is_fulfilled = ground == hunk.text
        return Shown(
            suggestion,
            hunk.id,
            hunk.start,
            hunk.end,
            ground,
            hunk.text,
            "fulfilled" if is_fulfilled else "open",
            hunk.base_changed,
            is_fulfilled,
            hunk_hash(hunk, ground),
        )

    def hash(self, suggestion: int, hunk: int) -> str:
        """What a decision names: over id, ground, text and base_changed; not positions. raises NotFound, WrongState"""
        found = self._hunk(self._branch(suggestion), hunk)
        return hunk_hash(found, self._text[found.start : found.end])

    def relation(self, first: Pair, second: Pair) -> Relation:
        """How the second would fare if the first were accepted now; both as (suggestion, hunk)."""
        a = self._hunk(self._branch(first[0]), first[1])
        b = self._hunk(self._branch(second[0]), second[1])
        return relate(self._text, a.replacement, b.replacement)

    def rivals(self, suggestion: int, hunk: int) -> tuple[tuple[int, int, str], ...]:
        """(suggestion, hunk, kind) of the others that it touches: identical, compatible, or clash in either order."""
        found = self._hunk(self._branch(suggestion), hunk)
        result = []
        low, high = reach(self._text, found.replacement)
        for id in sorted({int(str(place.owner)) for place in self._places.touching(low, high)} - {suggestion}):
            for other in self._branches[id].now():
                kinds = (
                    relate(self._text, found.replacement, other.replacement).kind,
                    relate(self._text, other.replacement, found.replacement).kind,
                )
                kind = "clash" if "clash" in kinds else kinds[0]
                if kind != "independent":
                    result.append((id, other.id, kind))
        return tuple(result)

    def comparison(self, suggestion: int, hunk: int) -> tuple[tuple[Pair | None, str], ...]:
        """The sentence as it stands (None first), then as it would read with the hunk and with each rival."""
        found = self._hunk(self._branch(suggestion), hunk)
        pairs = [(suggestion, found)]
        for id, other, kind in self.rivals(suggestion, hunk):
            if kind in ("clash", "identical"):
                pairs.append((id, self._hunk(self._branch(id), other)))
        low, high = sentence(self._text, min(one.start for _, one in pairs), max(one.end for _, one in pairs))
        result: list[tuple[Pair | None, str]] = [(None, self._text[low:high])]
        for id, one in pairs:
            result.append(((id, one.id), self._text[low : one.start] + one.text + self._text[one.end : high]))
        return tuple(result)

    def ways(self, suggestion: int, hunk: int, most: int = 2) -> tuple[Way, ...]:
        """How the hunk can be accepted now, with the sentence each would make; none while main reads so already.

        most  how many are wanted: the first is there at once, the second needs the log since the hunk was written
        """
        branch = self._branch(suggestion)
        found = self._hunk(branch, hunk)
        ways = []
        for mode in (("stands", "around") if found.base_changed else ("",))[:most]:
            made = self._replacement(branch, found, Item(suggestion, hunk, mode=mode))
            if not isinstance(made, str):
                ways.append(Way(mode, self._preview(made[0])))
        return tuple(ways)

    def _preview(self, replacement: Replacement) -> Preview:
        start, end, words = replacement
        low, high = sentence(self._text, start, end)
        return Preview(self._text[low:high], self._text[low:start] + words + self._text[end:high])

    # ── accepting ──────────────────────────────────────────────────────────────────────────────────────

    def plan(self, items: Sequence[Item]) -> Plan:
        """What accepting these would do; changes nothing.

        raises   NotFound when there is no such hunk (WrongState with its state when it was decided), StaleReview with
                 the new state when a hash differs, InvalidInput for an item named twice or a mode that does not exist
        """
        return self._simulated(items)[1]

    def accept(self, plan: Plan, named: Iterable[Pair] | None = None) -> Outcome:
        """Do what the plan says; versions of main go up by one for each of `plan.applied`.

        named    the hunks the request said it would supersede; None takes the plan's word
        raises   StaleReview when the section has moved on so that the plan's effects differ, or `named` differs; as
                 plan; and then nothing has changed
        """
        if named is not None and set(named) != set(plan.superseded):
            raise StaleReview(
                "The request does not name the proposals it would supersede; read them and decide again.",
                superseded=[list(pair) for pair in plan.superseded],
            )
        done, new = self._simulated(plan.items)
        if _effects(new) != _effects(plan):
            raise StaleReview(
                "The section has changed so that this decision would do something else; read it again.",
                superseded=[list(pair) for pair in new.superseded],
            )
        self._become(done)
        return Outcome(self.version, new.touched, new.fates)

    def _simulated(self, items: Sequence[Item]) -> tuple[Self, Plan]:
        """A copy that has accepted them, and the plan."""
        self._check(items)
        done = self.copy()
        steps, fates, touched, previews = done._accept(items)
        return done, Plan(self.version, tuple(items), steps, fates, touched, previews)

    def _check(self, items: Sequence[Item]) -> None:
        seen = set()
        for item in items:
            if (item.suggestion, item.hunk) in seen:
                raise InvalidInput(f"Hunk {item.hunk} of suggestion {item.suggestion} is named twice.")
            seen.add((item.suggestion, item.hunk))
            if item.mode not in ("", "stands", "around"):
                raise InvalidInput(f"There is no mode {item.mode!r}: stands or around.")
            if item.wording is not None:
                check_units(item.wording)
            self._check_hash(item.suggestion, item.hunk, item.hash)

    def _check_hash(self, suggestion: int, hunk: int, hash: str | None) -> None:
        found = self._hunk(self._branch(suggestion), hunk)
        shown = self._shown(suggestion, found)
        if hash is not None and hash != shown.hash:
            raise StaleReview(
                f"Hunk {hunk} of suggestion {suggestion} is not what was read; read it again.",
                suggestion=suggestion,
                hunk=hunk,
                hash=shown.hash,
                base_changed=shown.base_changed,
            )

    def _accept(
        self, items: Sequence[Item]
    ) -> tuple[tuple[Step, ...], tuple[Fate, ...], tuple[int, ...], tuple[Preview, ...]]:
        """Accept a set: by suggestion number, then place; rivals among them are both left."""
        order = sorted(
            items, key=lambda item: (self._branches[item.suggestion].number, item.suggestion, self._rank(item))
        )
        rivals = self._rivals_within(order)
        steps: list[Step] = []
        fates: list[Fate] = []
        touched: set[int] = set()
        previews: list[Preview] = []
        for place, item in enumerate(order):
            branch = self._branches[item.suggestion]
            pair = (item.suggestion, item.hunk)
            index = position_of(branch.hunks, item.hunk)
            if index is None:
                steps.append(Step(item, "fulfilled"))
                continue
            hunk = self._hunk(branch, item.hunk)
            made = self._replacement(branch, hunk, item)
            if isinstance(made, str):
                steps.append(Step(item, made))
                continue
            for other in self._clashing(item, made[0], order[place + 1 :]):
                rivals.setdefault(pair, set()).add(other)
                rivals.setdefault(other, set()).add(pair)
            if pair in rivals:
                steps.append(Step(item, "rival", rivals=tuple(sorted(rivals[pair]))))
                continue
            previews.append(self._preview(made[0]))
            applied, new_fates, new_touched = self._apply(branch, hunk, made, item)
            steps.append(Step(item, "applied", applied))
            fates += new_fates
            touched |= new_touched
        return tuple(steps), tuple(fates), tuple(sorted(touched)), tuple(previews)

    def _rank(self, item: Item) -> int:
        rank = position_of(self._branches[item.suggestion].hunks, item.hunk)
        return -1 if rank is None else rank

    def _rivals_within(self, order: Sequence[Item]) -> dict[Pair, set[Pair]]:
        """The items that clash on main as it is, each with those it clashes with."""
        rivals: dict[Pair, set[Pair]] = {}
        for place, item in enumerate(order):
            branch = self._branches[item.suggestion]
            made = self._replacement(branch, self._hunk(branch, item.hunk), item)
            if isinstance(made, str):
                continue
            pair = (item.suggestion, item.hunk)
            for other in self._clashing(item, made[0], order[place + 1 :]):
                rivals.setdefault(pair, set()).add(other)
                rivals.setdefault(other, set()).add(pair)
        return rivals

    def _clashing(self, item: Item, replacement: Replacement, others: Sequence[Item]) -> list[Pair]:
        """Which of these items would be superseded if this one were accepted now."""
        near = {place.owner for place in self._places.touching(replacement[0], replacement[1])}
        result = []
        for other in others:
            restated = other.wording is not None or other.mode == "around"  # it may reach past its hunk
            if other.suggestion == item.suggestion or not (restated or other.suggestion in near):
                continue
            branch = self._branches[other.suggestion]
            if position_of(branch.hunks, other.hunk) is None:
                continue
            made = self._replacement(branch, self._hunk(branch, other.hunk), other)
            if not isinstance(made, str) and relate(self._text, replacement, made[0]) is CLASH:
                result.append((other.suggestion, other.hunk))
        return result

    def _replacement(self, branch: Branch, hunk: Hunk, item: Item) -> tuple[Replacement, ChangeSet | None] | str:
        """What accepting the item would replace, as one piece and (for "around") exactly; or why it cannot be."""
        if self._text[hunk.start : hunk.end] == hunk.text:
            return "fulfilled_by_edit"
        if item.wording is None and item.mode != "around":
            if hunk.base_changed and not item.mode:
                return "needs_mode"
            return hunk.replacement, None
        hunks = branch.now()
        index = position_of(hunks, hunk.id)
        assert index is not None
        low = hunks[index - 1].end if index else 0
        high = hunks[index + 1].start if index + 1 < len(hunks) else len(self._text)
        if item.wording is not None:
            form = whole_words(self._text, hunk.start, hunk.end, item.wording, low, high)
            return "no_effect" if form is None else (form, None)
        return self._around(hunk, low, high)

    def _around(self, hunk: Hunk, low: int, high: int) -> tuple[Replacement, ChangeSet | None] | str:
        """The written form mapped over the net change in whole words: what main wrote meanwhile stays beside it."""
        written = hunk.written
        old = self._log.text(written.version)
        net = _word_by_word(old, net_of(self._since(written.version)))
        exact = ChangeSet.of([(written.start, written.end, written.text)], len(old)).map(net)
        if exact.is_empty:
            return "no_effect"
        if written.start < written.end and all(start == end for start, end, _ in exact.replacements):
            return "impossible"  # nothing stands any more of what it replaces
        exact = ChangeSet.of(_spaced(self._text, exact.replacements), exact.length)
        start, end = exact.replacements[0][0], exact.replacements[-1][1]
        if start < low or end > high:
            return "impossible"
        words = exact.apply(self._text)[start : end + exact.new_length - exact.length]
        form = whole_words(self._text, start, end, words, low, high)
        return "no_effect" if form is None else (form, exact)

    def _apply(
        self, branch: Branch, hunk: Hunk, made: tuple[Replacement, ChangeSet | None], item: Item
    ) -> tuple[Applied, list[Fate], set[int]]:
        """Make one hunk main's: one main revision, and what becomes of all others."""
        replacement, exact = made
        me = (branch.id, hunk.id)
        main = self._text
        start, end, words = replacement
        changes = exact if exact is not None else ChangeSet.of([replacement], len(main))
        version = self.version + 1
        low, high = reach(main, replacement)
        if exact is not None:
            low, high = min(low, exact.replacements[0][0]), max(high, exact.replacements[-1][1])
        works = self._works({place.owner for place in self._places.touching(low, high)} | {branch.id}, changes)
        fates = [Fate(branch.id, hunk.id, "accepted", by=me)]
        superseded: list[Pair] = []
        fulfilled: list[Pair] = []
        stood: dict[Pair, Closed] = {}  # deletions that it cuts, as they were
        own: dict[int, tuple[int, Replacement]] = {}  # suggestion → which of its hunks became main's
        for work in works:
            other = work.branch
            if other is branch:
                index = position_of(work.hunks, hunk.id)
                assert index is not None
                own[other.id] = (index, replacement)
                continue
            relations = [relate(main, replacement, one.replacement) for one in work.hunks]
            if not other.filed:
                continue
            same = next((index for index, one in enumerate(relations) if one.kind == "identical"), None)
            if same is not None:
                one = work.hunks[same]
                own[other.id] = (same, one.replacement)
                fulfilled.append((other.id, one.id))
                other.closed[one.id] = closed_hunk(main, work.hunks, same, "fulfilled", version, version - 1, by=me)
                continue
            were = work.hunks
            for rank, (one, how) in enumerate(zip(were, relations, strict=True)):
                if how.cut is not None:
                    stood[other.id, one.id] = closed_hunk(main, were, rank, "", version, version - 1)
                elif how.kind == "clash":
                    other.closed[one.id] = closed_hunk(main, were, rank, "superseded", version, version - 1, by=me)
                    index = position_of(work.hunks, one.id)
                    assert index is not None
                    work.get(*take_out(main, work.hunks, index))
                    work.removal = True
                    superseded.append((other.id, one.id))

        def step(work: Work, main: str, new_main: str, piece: Replacement) -> tuple[Hunks, ChangeSet]:
            if work.branch.id in own:
                index, mine = own[work.branch.id]
                return accepted(main, new_main, work.hunks, index, mine)
            return main_step(main, new_main, work.hunks, piece, version, replacement if work.branch.filed else None)

        mine = next(work for work in works if work.branch is branch)
        branch.closed[hunk.id] = closed_hunk(
            main,
            mine.hunks,
            own[branch.id][0],
            "accepted",
            version,
            version - 1,
            shared=tuple(sorted(stood)),
            restated=item.wording is not None or exact is not None,
        )
        self._change_main([trimmed(main, *replacement)], works, step)
        self._log.append(changes, None, self._text)
        for work in works:
            if work.branch.filed and work.branch is not branch:
                fulfilled += self._drop_spent(work, stood, me)
        touched = self._finish(works, own)
        fates += [Fate(*pair, "fulfilled", by=me) for pair in fulfilled]
        fates += [Fate(*pair, "superseded", by=me) for pair in superseded]
        applied = Applied(
            branch.id,
            hunk.id,
            version,
            changes,
            start,
            end,
            main[start:end],
            words,
            None,
            () if item.wording is None else word_parts(hunk.text, words),
            tuple(superseded),
            tuple(fulfilled),
            tuple(sorted(stood)),
        )
        return applied, fates, set(touched)

    def _drop_spent(self, work: Work, stood: dict[Pair, Closed], by: Pair) -> list[Pair]:
        """Deletions of which the accepted one left nothing are fulfilled."""
        spent = []
        for hunk in work.hunks:
            pair = (work.branch.id, hunk.id)
            if pair in stood and hunk.start == hunk.end and not hunk.text:
                index = position_of(work.hunks, hunk.id)
                assert index is not None
                work.branch.closed[hunk.id] = replace(stood[pair], state="fulfilled", by=by, spent=True)
                work.hunks = work.hunks[:index] + work.hunks[index + 1 :]
                spent.append(pair)
        return spent

    # ── rejecting ──────────────────────────────────────────────────────────────────────────────────────

    def reject(self, suggestion: int, hunk: int, hash: str | None = None) -> Outcome:
        """The hunk leaves; its branch log gets the inverse as an entry "decision" (by catch_up).

        raises   NotFound, WrongState; StaleReview when `hash` is not what it is now
        """
        branch = self._branch(suggestion)
        self._check_hash(suggestion, hunk, hash)
        hunks = branch.now()
        index = position_of(hunks, hunk)
        assert index is not None
        rest, changes = take_out(self._text, hunks, index)
        branch.closed[hunk] = closed_hunk(self._text, hunks, index, "rejected", self.version, self.version)
        self._lift(branch)
        self._put(branch, rest)
        branch.events.append(Event(Entry("decision", self.version, changes, removal=True), rest))
        return Outcome(self.version, (suggestion,), (Fate(suggestion, hunk, "rejected"),))


def _effects(plan: Plan) -> Any:
    """What must be the same when a plan is carried out: outcomes and words, not positions or versions."""
    return (
        [
            (step.item, step.outcome, step.rivals)
            + ((step.applied.ground, step.applied.text) if step.applied is not None else ())
            for step in plan.steps
        ],
        set(plan.fates),
    )


def word_parts(proposed: str, words: str) -> tuple[tuple[int, bool], ...]:
    """Lengths of an official's wording, True where the words are the proposer's and were kept, False elsewhere."""
    parts: list[tuple[int, bool]] = []
    pos = 0
    for start, end, _, _, inserted in word_diff(proposed, words).iter_changes():
        parts += [(start - pos, True), (len(inserted), False)]
        pos = end
    parts.append((len(proposed) - pos, True))
    return tuple(part for part in parts if part[0])


def _spaced(text: str, replacements: Sequence[Replacement]) -> list[Replacement]:
    """Replacements of which no word runs on into its neighbours, and that leave no blank before a stop or a blank."""
    result: list[Replacement] = []
    for index, (start, end, new) in enumerate(replacements):
        following = replacements[index + 1][0] if index + 1 < len(replacements) else len(text)
        after = right_of(text, end)[: following - end]
        if new and runs_on(left_of(text, start), new):
            new = " " + new
        if new and runs_on(new, after):
            new += " "
        last = result[-1][1] if result else 0
        if not new and start > last and is_blank(text[start - 1]) and text[start - 1] != "\n" and not after[:1].isalnum():
            start -= 1
        result.append((start, end, new))
    return result


def _word_by_word(text: str, changes: ChangeSet) -> ChangeSet:
    """What changes of a text make of it, told in whole words; words that are there before and after stay."""
    parts: list[Replacement] = []
    for start, end, new in all_in_whole_words(text, changes.replacements):
        for first, last, _, _, words in word_diff(text[start:end], new).iter_changes():
            parts.append((start + first, start + last, words))
    return ChangeSet.of(parts, len(text))

"""The index over all open hunks of one section: what a worker keeps in memory, and every decision on them.

`Proposals` is a mutable cache that can always be rebuilt: from a checkpoint (`dump`, `load`) and the main revisions,
branch updates and decisions after it, in order. It knows nothing of people, rows or clocks. Everything it answers is a
frozen value; services write rows from those values. It costs what a change touches, not what is open.

How services use it, always inside the transaction that orders writers of the section:

    main edit stored      p.main_update(changes, version)                   → Outcome: touched, fates
    before a branch is read, joined or pushed to:
                          p.catch_up(s)                                     → entries to append to the branch log
    branch push           carry(...) then p.branch_update(s, changes, ...)  → BranchOutcome
    review                p.plan(items)                                     → Plan with previews and all effects
                          p.accept(plan, named)                             → Outcome; main revisions are plan.applied
                          p.reject(s, hunk)
    revert                p.revert_plan(s, hunk), p.revert(plan)            → the same shape

If the transaction is rolled back, drop the object and load it again (or work on `p.copy()` and swap).

Rules that docs/laws.md leaves open, as chosen here:

- A draft is not superseded: to it an acceptance is a direct edit.
- In a set two items are rivals if they clash on main as it is at the start, or when the earlier one's turn comes.
- A suggestion that holds a hunk identical to the accepted one is shifted like the accepted one's own; if it holds
  several, the first is fulfilled and the others stay open.
- Reverting a rejection, and whatever else comes back, first tries the written form, then the hunk as it stood when it
  left, with its marks; each if the net change since leaves it whole and no own hunk has come there.
- A reverted acceptance whose words only others have cut since stands again as written, if no own hunk touches it; and
  where its words stood, if its written place would be elsewhere now, so that the branch text stands.
- Whatever has come back stays lossy, and `place_now` asks identity before letters: the same letters may be chance.
- What cannot come back is "closed": kept with its words, reopened by hand, flagged.
- What a reverted acceptance had brought in, and a later one had deleted, does not come back when that is reverted too.
- A withdrawn suggestion's accepted hunks can be reverted; they do not open again.
- An official's own wording on a base_changed hunk is given knowingly; it needs no mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from drafting.engine.acceptances import Acceptances, Pair
from drafting.engine.branch import (
    Entry,
    Fate,
    Hunk,
    Hunks,
    beside,
    branch_text,
    main_step,
    moved_inward,
    moved_outward,
    put_in,
    stands_as_written,
    take_out,
    whole_between,
)
from drafting.engine.changes import ChangeSet
from drafting.engine.checkpoint import FORMAT, dump_branch, load_branch, load_pairs
from drafting.engine.net import stretches_near
from drafting.engine.open_hunks import Branch, Closed, Event, Work
from drafting.engine.plans import Applied, Log, Outcome, RevertPlan
from drafting.engine.rebase import Update, check_same
from drafting.engine.relations import Replacement
from drafting.engine.restoration import restoration
from drafting.engine.words import trimmed
from drafting.errors import InvalidInput, StaleReview, WrongState


class Proposals(Acceptances):
    """The open hunks of one section with every decision on them, reverts included."""

    # ── rejections ─────────────────────────────────────────────────────────────────────────────────────

    def unreject(self, suggestion: int, hunk: int) -> Outcome:
        """Revert a rejection: the hunk comes back if it fits; else it is closed until reopened by hand.

        raises   NotFound, WrongState when it was not rejected
        """
        branch, closed = self._closed(suggestion, hunk, ("rejected",))
        return self._back_by_decision(branch, closed, self._returning(closed))

    def reopen(self, suggestion: int, hunk: int) -> Outcome:
        """Put a superseded or closed hunk back by hand, flagged base_changed if main has changed what it stood on.

        raises   NotFound; WrongState when it is neither, or an own hunk stands in its place
        """
        branch, closed = self._closed(suggestion, hunk, ("superseded", "closed"))
        back = self._returning(closed) or self._returning_anyhow(closed)
        outcome = self._back_by_decision(branch, closed, back)
        if outcome.fates[0].state != "open":
            raise WrongState(
                f"Another proposal of suggestion {suggestion} stands where hunk {hunk} stood.",
                suggestion=suggestion,
                hunk=hunk,
                state="closed",
            )
        return outcome

    def _back_by_decision(self, branch: Branch, closed: Closed, back: Hunk | None) -> Outcome:
        id = closed.hunk.id
        put = back and put_in(self._text, branch.now(), back, closed.before, closed.after)
        if not put:
            branch.closed[id] = replace(closed, state="closed")
            return Outcome(self.version, (), (Fate(branch.id, id, "closed"),))
        hunks, changes = put
        del branch.closed[id]
        self._lift(branch)
        self._put(branch, hunks)
        branch.events.append(Event(Entry("decision", self.version, changes), hunks))
        return Outcome(self.version, (branch.id,), (Fate(branch.id, id, "open"),))

    def _closed(self, suggestion: int, hunk: int, states: Sequence[str], ended: bool = False) -> tuple[Branch, Closed]:
        branch = self._branches.get(suggestion) if ended else self._branch(suggestion)
        closed = branch.closed.get(hunk) if branch else None
        if branch is None or closed is None:
            self._hunk(self._branch(suggestion), hunk)
            raise WrongState(f"Hunk {hunk} of suggestion {suggestion} is open.", state="open")
        if closed.state not in states:
            raise WrongState(
                f"Hunk {hunk} of suggestion {suggestion} is {closed.state}, not {' or '.join(states)}.",
                state=closed.state,
            )
        return branch, closed

    def _returning(self, closed: Closed) -> Hunk | None:
        """The hunk as written, else as it stood when it left, where the net change since leaves that whole."""
        hunk = closed.hunk
        place = self.place_now(hunk.written)
        if place is not None:
            return stands_as_written(self._placed(hunk, hunk.written.version, *place), *place)
        place = self.place_now(closed.stood)
        return None if place is None else self._placed(hunk, closed.stood.version, *place)

    def _returning_anyhow(self, closed: Closed) -> Hunk:
        """The hunk where it stood when it left, as far as that can be said, flagged."""
        hunk = closed.hunk
        start, end = hunk.start, hunk.end
        near, grown = stretches_near(self._since(closed.stood.version), start, end)
        for s, e, _, _, words in reversed(near):
            start, end = moved_inward(start, end, (s, e, words))
        return replace(self._placed(hunk, closed.stood.version, start + grown, end + grown), base_changed=True)

    def _placed(self, hunk: Hunk, version: int, start: int, end: int) -> Hunk:
        """A hunk that was away since `version`, at a place in main now; lossy, for nobody followed it meanwhile."""
        zone = (hunk.zone_start, hunk.zone_end)
        if version == hunk.written.version:
            zone = (hunk.written.start, hunk.written.end)
        near, grown = stretches_near(self._since(version), *zone)
        for s, e, _, _, words in reversed(near):
            zone = moved_outward(*zone, (s, e, words))
        return replace(
            hunk,
            start=start,
            end=end,
            lossy=True,
            marked_at=self.version,
            zone_start=min(start, zone[0] + grown),
            zone_end=max(end, zone[1] + grown),
        )

    # ── acceptances ────────────────────────────────────────────────────────────────────────────────────

    def revert_plan(self, suggestion: int, hunk: int) -> RevertPlan:
        """What reverting the hunk's standing acceptance would do; changes nothing.

        raises   NotFound; WrongState when it is not accepted
        """
        return self._simulated_revert(suggestion, hunk)[1]

    def revert(self, plan: RevertPlan, confirm: bool = False) -> Outcome:
        """Do what the plan says; versions of main go up by one for each of `plan.applied`.

        confirm   newer words that touch the place go too; needed when `plan.newer` names any
        raises    StaleReview when the section has moved on so that it would do something else; WrongState when a
                  confirmation is needed; as revert_plan; and then nothing has changed
        """
        done, new = self._simulated_revert(plan.suggestion, plan.hunk)
        if _revert_effects(new) != _revert_effects(plan):
            raise StaleReview("The section has changed so that this revert would do something else; read it again.")
        if new.newer and not confirm:
            raise WrongState(
                "Newer words stand in this place and would go too; look at them and confirm.",
                state="newer",
                versions=list(new.newer),
            )
        self._become(done)
        return Outcome(self.version, new.touched, new.fates)

    def _simulated_revert(self, suggestion: int, hunk: int) -> tuple[Proposals, RevertPlan]:
        self._closed(suggestion, hunk, ("accepted",), ended=True)
        done = self.copy()
        applied: list[Applied] = []
        newer: set[int] = set()
        fates: list[Fate] = []
        touched: set[int] = set()
        previews = []
        for pair in done._resting((suggestion, hunk)):
            one, its_newer, its_fates, its_touched, preview = done._revert_one(pair)
            applied.append(one)
            # Versions that this very revert makes are not news to anybody.
            newer |= {version for version in its_newer if version <= self.version}
            fates += its_fates
            touched |= its_touched
            previews.append(preview)
        plan = RevertPlan(
            self.version,
            suggestion,
            hunk,
            tuple(applied),
            tuple(sorted(newer)),
            tuple(fates),
            tuple(sorted(touched)),
            tuple((fate.suggestion, fate.hunk) for fate in fates if fate.state == "closed"),
            tuple(previews),
        )
        return done, plan

    def _resting(self, pair: Pair) -> list[Pair]:
        """The acceptances to revert with this one, newest first: those of hunks that it had cut, and theirs."""
        found: dict[Pair, int] = {}
        waiting = [pair]
        while waiting:
            at = waiting.pop()
            if at in found:
                continue
            closed = self._branches[at[0]].closed[at[1]]
            found[at] = closed.version
            for other in closed.shared:
                theirs = self._branches[other[0]].closed.get(other[1])
                if theirs is not None and theirs.state == "accepted" and theirs.version > closed.version:
                    waiting.append(other)
        return sorted(found, key=lambda at: -found[at])

    def _revert_one(self, pair: Pair) -> tuple[Applied, tuple[int, ...], list[Fate], set[int], Any]:
        """Revert one acceptance: one main revision, and all that comes back with it."""
        branch = self._branches[pair[0]]
        closed = branch.closed.pop(pair[1])
        undoing = restoration(self._log, closed.version, self._taken_back)
        self._taken_back[closed.version] = self.version + 1
        changes, carried, newer = undoing.changes, undoing.carried, undoing.newer
        main = self._text
        raw = [(start, end, words) for start, end, _, _, words in changes.iter_changes()]
        hull = _hull(main, raw, changes)
        preview = self._preview(hull)
        stands = bool(raw) and not newer and not closed.restated  # branch texts stand
        fulfilled = self._fulfilled_by(pair)
        waiting = self._waiting()
        version = self.version + 1
        touched = {place.owner for s, e, _ in raw for place in self._places.touching(s, e)}
        owners = touched | {id for id, _ in fulfilled} | {id for id, _ in waiting} | {pair[0]}
        works = self._works((id for id in owners if not self._branches[id].ended), changes)
        # Suggestions whose branch texts stand, and which of their hunks comes back so.
        standing: dict[int, Closed] = {}
        if stands and not branch.ended:
            standing[pair[0]] = closed
        for id, hunk in fulfilled:
            theirs = self._branches[id].closed[hunk]
            if stands and not theirs.spent and not self._branches[id].ended:
                standing[id] = theirs
        returning = [(pair[0], closed)] if pair[0] not in standing else []
        returning += [
            (id, self._branches[id].closed[hunk])
            for id, hunk in fulfilled
            if id not in standing or standing[id].hunk.id != hunk
        ]
        waits = [(id, self._branches[id].closed[hunk]) for id, hunk in waiting]

        def step(work: Work, main: str, new_main: str, piece: Replacement) -> tuple[Hunks, ChangeSet]:
            if work.branch.id in standing:
                return work.hunks, ChangeSet.empty(work.changes.new_length)
            return main_step(main, new_main, work.hunks, piece, version)

        self._change_main([trimmed(main, *piece) for piece in raw], works, step)
        self._log.append(changes, carried, self._text)
        fates = [Fate(pair[0], pair[1], "withdrawn", by=pair)] if branch.ended else []
        by_id = {work.branch.id: work for work in works}
        for id, theirs in standing.items():
            fates += self._stand(by_id[id], theirs, hull, pair)
        for work in works:
            # What stands in a wrong place until it is tried again must not keep the others out.
            self._try_again(work)
        for id, theirs in returning + sorted(waits, key=lambda one: (one[0], one[1].hunk.id)):
            if id in by_id:
                fates += self._return(by_id[id], theirs, pair)
        touched_now = self._finish(works)
        start, end, words = hull
        applied = Applied(pair[0], pair[1], version, changes, start, end, main[start:end], words, carried)
        return applied, newer, fates, set(touched_now), preview

    def _fulfilled_by(self, pair: Pair) -> list[Pair]:
        return sorted(
            (branch.id, id)
            for branch in self._branches.values()
            for id, closed in branch.closed.items()
            if closed.state == "fulfilled" and closed.by == pair
        )

    def _waiting(self) -> list[Pair]:
        """Superseded hunks whose superseding decision no longer stands."""
        result = []
        for branch in self._branches.values():
            for id, closed in branch.closed.items():
                if closed.state == "superseded" and closed.by is not None and not branch.ended:
                    other = self._branches[closed.by[0]].closed.get(closed.by[1])
                    if other is None or other.state != "accepted" or other.version != closed.version:
                        result.append((branch.id, id))
        return sorted(result)

    def _stand(self, work: Work, closed: Closed, hull: Replacement, pair: Pair) -> list[Fate]:
        """A hunk is open again and its branch text stands: hunks := inverse of the revert ∘ hunks."""
        x, y, back = hull
        grown = len(back) - (y - x)
        main_was = self._log.text(self.version - 1)
        lefts, mids, rights = [], [], []
        for own in work.hunks:
            if own.end < x or (own.end == x and (own.start < x or x < y or own.id in closed.before)):
                lefts.append(beside(own, hull, 0))
            elif own.start >= y:
                rights.append(beside(own, hull, grown))
            else:
                mids.append(own)
        low = lefts[-1].end if lefts else 0
        high = rights[0].start if rights else len(self._text)
        id = closed.hunk.id
        fates = [Fate(work.branch.id, id, "open", by=pair)]
        work.branch.closed.pop(id, None)
        if not mids:
            rest = (*lefts, *rights)
            made = Hunk(id, x, x + len(back), main_was[x:y], closed.hunk.written, False, False, 0, x, x + len(back))
            wish = self._returning(closed)
            put = wish and put_in(self._text, rest, wish, closed.before, closed.after)
            stood = (*lefts, made, *rights)
            if put and branch_text(self._text, put[0]) == branch_text(self._text, stood):
                work.hunks = put[0]
                return fates
            if wish and (wish.text, self._text[wish.start : wish.end]) == (made.text, back):
                # As written, but where its words stood and not where its written place would be: the branch stands.
                written = replace(wish.written, start=x, end=x + len(back), version=self.version)
                zone = min(x, wish.zone_start), max(x + len(back), wish.zone_end)
                wish = replace(wish, start=x, end=x + len(back), written=written)
                work.hunks = (*lefts, replace(wish, zone_start=zone[0], zone_end=zone[1]), *rights)
                return fates
            if put:
                work.hunks = put[0]
                _, out = take_out(self._text, stood, len(lefts))
                work.changes = work.changes.compose(out).compose(put[1])
                return fates
            hunk = whole_between(self._text, id, (x, x + len(back), main_was[x:y]), low, high, self.version, ())
        else:
            apart = self._apart(work, (*lefts, *rights), mids, closed, hull)
            if apart and branch_text(self._text, apart) == branch_text(main_was, work.hunks):
                work.hunks = apart
                return fates
            start, end = min(x, mids[0].start), max(y, mids[-1].end)
            text = []
            pos = start
            for own in mids:
                text += [main_was[pos : own.start], own.text]
                pos = own.end
            text.append(main_was[pos:end])
            oldest = min(id, *(own.id for own in mids))
            form = (start, end + grown, "".join(text))
            hunk = whole_between(self._text, oldest, form, low, high, self.version, mids)
            ids = [id, *(own.id for own in mids)]
            fates += [Fate(work.branch.id, own, "joined", into=oldest, by=pair) for own in ids if own != oldest]
            id = oldest
        if hunk is None:
            fates.append(Fate(work.branch.id, id, "withdrawn", by=pair))
        work.hunks = (*lefts, *((hunk,) if hunk else ()), *rights)
        return fates

    def _apart(
        self, work: Work, rest: Hunks, mids: Sequence[Hunk], closed: Closed, hull: Replacement
    ) -> Hunks | None:
        """The hunk and own ones that its words came to stand in or touch, each as written; None where one does not fit.

        An identical deletion of somebody else may have taken others of the same letters: then they came back elsewhere.
        """
        ids = [own.id for own in work.hunks]
        hunks = rest
        for own in mids:
            place = self.place_now(own.written)
            if place is None:
                return None
            at = ids.index(own.id)
            zone_start, zone_end = moved_outward(own.zone_start, own.zone_end, hull)
            back = stands_as_written(replace(own, zone_start=zone_start, zone_end=zone_end), *place)
            put = put_in(self._text, hunks, back, frozenset(ids[:at]), frozenset(ids[at + 1 :]))
            if not put:
                return None
            hunks = put[0]
        wish = self._returning(closed)
        put = wish and put_in(self._text, hunks, wish, closed.before, closed.after)
        return put[0] if put else None

    def _return(self, work: Work, closed: Closed, pair: Pair) -> list[Fate]:
        """A hunk comes back if it fits; one that was superseded goes on waiting, any other is closed."""
        id = closed.hunk.id
        back = self._returning(closed)
        put = back and put_in(self._text, work.hunks, back, closed.before, closed.after)
        if put:
            work.branch.closed.pop(id, None)
            work.get(*put)
            return [Fate(work.branch.id, id, "open", by=pair)]
        if closed.state == "superseded":
            return []
        work.branch.closed[id] = replace(closed, state="closed")
        return [Fate(work.branch.id, id, "closed", by=pair)]

    # ── the object ─────────────────────────────────────────────────────────────────────────────────────

    def dump(self) -> dict[str, Any]:
        """Everything but the text, as JSON values."""
        return {
            "format": FORMAT,
            "version": self.version,
            "taken_back": sorted(self._taken_back.items()),
            "branches": [dump_branch(branch) for branch in self._branches.values()],
        }

    @classmethod
    def load(cls, log: Log, value: Any) -> Proposals:
        """The index that `dump` wrote.

        log      holds at least the version of the checkpoint
        raises   InvalidInput when the value is none, or of another text
        """
        if type(value) is not dict or value.get("format") != FORMAT or type(value.get("branches")) is not list:
            raise InvalidInput(f"This is no checkpoint of format {FORMAT}.")
        version = value.get("version")
        if type(version) is not int or not 0 <= version <= log.version:
            raise InvalidInput(f"The checkpoint is of version {version!r}, the log ends at {log.version}.")
        self = cls.__new__(cls)
        self._start(log, version)
        self._taken_back = load_pairs(value.get("taken_back", []))
        for item in value["branches"]:
            branch, hunks = load_branch(item, self._text)
            if branch.id in self._branches:
                raise InvalidInput(f"The checkpoint names suggestion {branch.id} twice.")
            self._branches[branch.id] = branch
            self._put(branch, hunks)
        return self


def _hull(main: str, pieces: Sequence[Replacement], changes: ChangeSet) -> Replacement:
    """All pieces as one replacement."""
    if not pieces:
        return 0, 0, ""
    start, end = pieces[0][0], pieces[-1][1]
    new_main = changes.apply(main)
    return start, end, new_main[start : end + changes.new_length - changes.length]


def _revert_effects(plan: RevertPlan) -> Any:
    """What must be the same when a revert is carried out: words and states, not positions or versions."""
    return [(one.suggestion, one.hunk, one.ground, one.text) for one in plan.applied], set(plan.fates), plan.newer


@dataclass(frozen=True, slots=True)
class Carried:
    """An update brought onto the newest branch text; the last two are arguments of `branch_update`."""

    client: str
    sequence: int
    changes: ChangeSet
    flagged: bool


def carry(updates: Sequence[Update], stored: Sequence[tuple[str, int, ChangeSet, bool]]) -> tuple[Carried, ...]:
    """Unconfirmed branch updates over what was stored since, one stored change at a time, own ones dropped.

    updates   as pushed, each starting in the text after the one before
    stored    (client, sequence, changes, removal) since the version the push names, in order
    returns   those not stored yet; flagged when it was carried over a removal of words that it touched
    raises    MismatchError when they do not start in the same text; EngineError when another update is stored under
              the names of one
    """
    pending = [(update, False) for update in updates]
    for client, sequence, changes, removal in stored:
        if pending and (pending[0][0].client, pending[0][0].sequence) == (client, sequence):
            check_same(pending.pop(0)[0], changes)
            continue
        over = changes
        carried = []
        for update, flagged in pending:
            if removal and _touch(update.changes, over):
                flagged = True
            mapped = update.changes.map(over)
            over = over.map(update.changes, before=True)
            carried.append((Update(update.client, update.sequence, mapped), flagged))
        pending = carried
    return tuple(Carried(update.client, update.sequence, update.changes, flagged) for update, flagged in pending)


def _touch(mine: ChangeSet, theirs: ChangeSet) -> bool:
    """Whether any piece of one overlaps or meets any piece of the other."""
    return any(
        start <= other_end and end >= other_start
        for start, end, _ in mine.replacements
        for other_start, other_end, _ in theirs.replacements
    )

"""The open hunks of one section, kept current with its main text: the part of the index that knows no decisions.

Held: the main text; for every suggestion its hunks as they were when last touched, and a `Place` for each in one
`Places`, which says how far it has shifted since; what its branch log still lacks. A main change costs the blocks of
places, and the suggestions whose hunks (or zones of marked hunks) it touches; for those the rules of `branch.py` run.

A marked hunk (flagged or lossy) stands again as written as soon as the net change since it was written leaves it
whole; that is tried whenever main touches a hunk or zone of its suggestion, the only moments when it can become true.
If two own hunks would stand in each other's place so, the younger waits.

Branch logs are lazy: what main does to a branch that it does not touch is not written down, it follows from the hunks
as they were and the main change itself; what happens to a touched one is kept until `catch_up` asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from drafting.engine.authoring import AuthorUpdate, author_update
from drafting.engine.branch import (
    Entry,
    Fate,
    Hunk,
    Hunks,
    Written,
    branch_length,
    branch_text,
    insert_at,
    main_step,
    moved_inward,
    position_of,
    stands_as_written,
    take_out,
    touched_by,
)
from drafting.engine.changes import ChangeSet
from drafting.engine.net import Stretch, less_equal_ends, stretches_near
from drafting.engine.places import Place, Places
from drafting.engine.plans import BranchOutcome, Log, Outcome
from drafting.engine.relations import Replacement, relate
from drafting.engine.spans import check_spans
from drafting.engine.weave import Weave
from drafting.engine.words import trimmed, whole_words
from drafting.errors import MismatchError, NotFound, VersionConflict, WrongState

# Weaves kept to fold further while somebody types around marked hunks: one for each version they were written on; and
# texts of such versions, for which a log may have to replay revisions. Every commit asks all marked hunks near it in
# turn, so with fewer than there are versions each would be folded anew from its beginning: thirty people who wrote for
# a minute left 102 versions, and with 16 kept a commit cost ten times as much as with 64.
_MOST_WEAVES = _MOST_TEXTS = 64


@dataclass(frozen=True, slots=True)
class Event:
    """An entry a branch log lacks, with the hunks after it."""

    entry: Entry
    hunks: Hunks


@dataclass(frozen=True, slots=True)
class Closed:
    """A hunk that a decision took from the open ones, as it was then.

    state     accepted rejected fulfilled superseded; closed when a revert could not put it back
    version   the main version that did it; for a rejection the version it was made on
    stood     where and on what it stood just before
    before, after   ids of own open hunks on either side of it then
    by        (suggestion, hunk) whose acceptance did it, for fulfilled and superseded
    shared    (suggestion, hunk) that an accepted one cut
    restated  accepted in other words than its own, or around words that had come
    spent     fulfilled because the accepted one left nothing of it
    """

    hunk: Hunk
    state: str
    version: int
    stood: Written
    before: frozenset[int]
    after: frozenset[int]
    by: tuple[int, int] | None = None
    shared: tuple[tuple[int, int], ...] = ()
    restated: bool = False
    spent: bool = False


def closed_hunk(main: str, hunks: Hunks, index: int, state: str, version: int, on: int, **more: Any) -> Closed:
    """The record of a hunk that leaves its own `hunks`, which are on main as of version `on`."""
    hunk = hunks[index]
    stood = Written(hunk.start, hunk.end, hunk.text, on, main[hunk.start : hunk.end])
    before = frozenset(other.id for other in hunks[:index])
    after = frozenset(other.id for other in hunks[index + 1 :])
    return Closed(hunk, state, version, stood, before, after, **more)


class Branch:
    """A suggestion in the index: mutable, for this module and `proposals.py`."""

    __slots__ = (
        "base",
        "caught_up",
        "closed",
        "ended",
        "events",
        "filed",
        "hunks",
        "id",
        "next_id",
        "number",
        "places",
    )

    def __init__(self, id: int, number: int, filed: bool, version: int) -> None:
        self.id = id
        self.number = number
        self.filed = filed
        self.next_id = 1
        self.hunks: Hunks = ()  # as they were when last touched
        self.places: list[Place] = []  # one for each, over its zone
        self.caught_up = version  # main version that the branch log holds
        self.base: Hunks = ()  # the hunks at that version
        self.events: list[Event] = []
        self.closed: dict[int, Closed] = {}
        self.ended = False  # withdrawn; kept for what had been decided before

    def now(self) -> Hunks:
        """The hunks where they are now."""
        return tuple(
            hunk.shifted(place.start - hunk.zone_start) for hunk, place in zip(self.hunks, self.places, strict=True)
        )


class Tail:
    """The log with revisions that the database may not hold yet on top."""

    __slots__ = ("_log", "_newer", "_text", "_texts", "version")

    def __init__(self, log: Log, version: int, text: str) -> None:
        self._log = log
        self._texts: dict[int, str] = {}  # of older versions, latest asked for last
        self._newer: dict[int, tuple[ChangeSet, Any]] = {}
        self.version = version
        self._text = text

    def append(self, changes: ChangeSet, carried: Any, text: str) -> None:
        self.version += 1
        self._newer[self.version] = (changes, carried)
        self._text = text
        if len(self._newer) > 256:
            held = self._log.version
            self._newer = {version: value for version, value in self._newer.items() if version > held}

    def changes(self, version: int) -> ChangeSet:
        known = self._newer.get(version)
        return known[0] if known else self._log.changes(version)

    def carried(self, version: int) -> Any:
        known = self._newer.get(version)
        return known[1] if known else self._log.carried(version)

    def text(self, version: int) -> str:
        if version == self.version:
            return self._text
        text = self._texts.pop(version, None)
        if text is None:
            at = min(version, self._log.version)
            text = self._log.text(at)
            for newer in range(at + 1, version + 1):
                text = self.changes(newer).apply(text)
        self._texts[version] = text
        if len(self._texts) > _MOST_TEXTS:
            del self._texts[next(iter(self._texts))]
        return text

    def copy(self) -> Tail:
        other = Tail(self._log, self.version, self._text)
        other._newer = dict(self._newer)
        other._texts = dict(self._texts)
        return other


class Work:
    """A suggestion while main changes: hunks, what its branch gets, whether words were taken out.

    is_touched   the change concerns a hunk or the zone of one
    """

    __slots__ = ("branch", "changes", "hunks", "is_touched", "removal")

    def __init__(self, branch: Branch, main: str, changes: ChangeSet) -> None:
        self.branch = branch
        self.hunks = branch.now()
        self.is_touched = any(
            touched_by(hunk, start, end) for start, end, _, _, _ in changes.iter_changes() for hunk in self.hunks
        )
        self.changes = ChangeSet.empty(branch_length(len(main), self.hunks))
        self.removal = False

    def get(self, hunks: Hunks, changes: ChangeSet) -> None:
        """One step more."""
        self.hunks = hunks
        self.changes = self.changes.compose(changes)


class OpenHunks:
    """The open hunks of one section, current with its main text."""

    PLACES = Places  # tests put a slow one here that touches everything

    def __init__(self, log: Log) -> None:
        """No suggestion open, at the log's newest version."""
        self._start(log, log.version)

    def _start(self, log: Log, version: int) -> None:
        self._text = log.text(version)
        self._log = Tail(log, version, self._text)
        self._branches: dict[int, Branch] = {}
        self._places = self.PLACES()
        self._weaves: dict[int, Weave] = {}  # by the version they start from, latest used last
        self._taken_back: dict[int, int] = {}  # versions that acceptances made, with those that reverted them

    def copy(self) -> Self:
        """An independent copy, sharing values."""
        other = type(self).__new__(type(self))
        other._text = self._text
        other._log = self._log.copy()
        other._branches = {}
        other._places = other.PLACES()
        other._weaves = {}
        other._taken_back = dict(self._taken_back)
        for id, branch in self._branches.items():
            twin = other._branches[id] = Branch(id, branch.number, branch.filed, branch.caught_up)
            twin.next_id = branch.next_id
            twin.base = branch.base
            twin.events = list(branch.events)
            twin.closed = dict(branch.closed)
            twin.ended = branch.ended
            other._put(twin, branch.now())
        return other

    def _become(self, other: Self) -> None:
        """Take over all that a copy has become; weaves fold on over its log, which begins as this one's."""
        weaves = {**other._weaves, **self._weaves}
        self.__dict__.update(other.__dict__)
        for folded in weaves.values():
            folded.log = self._log
        self._weaves = dict(list(weaves.items())[-_MOST_WEAVES:])

    @property
    def version(self) -> int:
        """Main version the hunks are current for."""
        return self._log.version

    @property
    def text(self) -> str:
        """The main text at `version`, units form."""
        return self._text

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    def suggestions(self) -> tuple[int, ...]:
        """Ids of the open suggestions, by number."""
        open_ = (branch for branch in self._branches.values() if not branch.ended)
        return tuple(branch.id for branch in sorted(open_, key=lambda branch: (branch.number, branch.id)))

    def hunks(self, suggestion: int) -> tuple[Hunk, ...]:
        """The open hunks in order of place. raises NotFound"""
        return self._branch(suggestion).now()

    def branch_text(self, suggestion: int) -> str:
        """The main text with the suggestion's hunks applied, units form."""
        return branch_text(self._text, self._branch(suggestion).now())

    def next_hunk_id(self, suggestion: int) -> int:
        """The id the next new hunk will get."""
        return self._branch(suggestion).next_id

    def closed(self, suggestion: int) -> dict[int, str]:
        """The states of hunks that decisions closed, by id."""
        return {id: closed.state for id, closed in self._branch(suggestion).closed.items()}

    def _branch(self, suggestion: int) -> Branch:
        branch = self._branches.get(suggestion)
        if branch is None or branch.ended:
            raise NotFound(f"Suggestion {suggestion} is not open in this section.", suggestion=suggestion)
        return branch

    def _hunk(self, branch: Branch, hunk: int) -> Hunk:
        for index, other in enumerate(branch.hunks):
            if other.id == hunk:
                return other.shifted(branch.places[index].start - other.zone_start)
        closed = branch.closed.get(hunk)
        if closed is not None:
            raise WrongState(
                f"Hunk {hunk} of suggestion {branch.id} is {closed.state}, not open.",
                suggestion=branch.id,
                hunk=hunk,
                state=closed.state,
            )
        raise NotFound(f"Suggestion {branch.id} has no open hunk {hunk}.", suggestion=branch.id, hunk=hunk)

    # ── suggestions come and go ────────────────────────────────────────────────────────────────────────

    def open(self, suggestion: int, number: int, filed: bool = True) -> None:
        """Begin a suggestion without hunks on the current main text.

        number   its rank in a set
        filed    False for a draft that only its authors see: to it an acceptance is a direct edit, because nobody can
                 name what it would supersede
        raises   WrongState when it is open already
        """
        if suggestion in self._branches:
            raise WrongState(f"Suggestion {suggestion} is open already.", suggestion=suggestion)
        self._branches[suggestion] = Branch(suggestion, number, filed, self.version)

    def file(self, suggestion: int) -> None:
        """A draft is before everybody from now on."""
        self._branch(suggestion).filed = True

    def close(self, suggestion: int) -> tuple[Fate, ...]:
        """Take a suggestion out (withdrawn); its open hunks are withdrawn, what was decided can still be reverted."""
        branch = self._branch(suggestion)
        self._lift(branch)
        fates = tuple(Fate(suggestion, hunk.id, "withdrawn") for hunk in branch.hunks)
        self._put(branch, ())
        branch.events, branch.base, branch.ended = [], (), True
        return fates

    # ── changes ────────────────────────────────────────────────────────────────────────────────────────

    def main_update(self, changes: ChangeSet, version: int, carried: Any = None) -> Outcome:
        """A direct edit of main, stored as `version`.

        carried   spans of text that came from elsewhere or back, as stored with the revision
        raises    VersionConflict when it is not the next version, MismatchError when it is for another text or the
                  spans are not those of all that it inserts; and then nothing has changed
        """
        if version != self.version + 1:
            raise VersionConflict(
                f"The section is at version {self.version}; the next is {self.version + 1}, not {version}.",
                version=self.version,
            )
        new_text = changes.apply(self._text)  # refuses what does not fit, before anything has changed
        if carried is not None:
            check_spans(carried, sum(len(words) for _, _, words in changes.replacements))
        # What the untrimmed pieces touch: `_untouched_entry` has no text to trim them with.
        raw = [(start, end, words) for start, end, _, _, words in changes.iter_changes()]
        touched = {place.owner for s, e, _ in raw for place in self._places.touching(s, e)}
        if not touched:
            for start, end, words in reversed(raw):
                self._places.shift(end, len(words) - (end - start))
            self._text = new_text
            self._log.append(changes, carried, new_text)
            return Outcome(version)
        works = self._works(touched, changes)
        pieces = [trimmed(self._text, *piece) for piece in raw]

        def step(work: Work, main: str, new_main: str, piece: Replacement) -> tuple[Hunks, ChangeSet]:
            return main_step(main, new_main, work.hunks, piece, version)

        self._change_main(pieces, works, step)
        self._log.append(changes, carried, new_text)
        return Outcome(version, self._finish(works), ())

    def branch_update(
        self, suggestion: int, changes: ChangeSet, written_on: int | None = None, flagged: bool = False
    ) -> BranchOutcome:
        """An author's update of the branch text, already carried over all stored entries.

        changes     on the branch text as it is
        written_on  main version the author had before him (None: the newest); an older one clears no mark set since
        flagged     it was carried over a removal of the words around it (see `carry`): what is born of it is born
                    base_changed
        raises      WrongState when entries wait for catch_up, MismatchError
        """
        branch = self._branch(suggestion)
        if branch.events or branch.caught_up != self.version:
            raise WrongState(
                f"The branch of suggestion {suggestion} holds main up to {branch.caught_up}, main is at "
                f"{self.version}: catch up first.",
                state="behind",
            )
        hunks = branch.now()
        length = branch_length(len(self._text), hunks)
        if changes.length != length:
            raise MismatchError(f"The update is for {changes.length} code units, the branch text has {length}.")
        changes.apply(branch_text(self._text, hunks))  # refuses a change that cuts a surrogate pair
        update = author_update(self._text, hunks, changes, branch.next_id, self.version, written_on, flagged)
        self._lift(branch)
        self._put(branch, update.hunks)
        branch.next_id = update.next_id
        branch.base = update.hunks
        return _branch_outcome(suggestion, update)

    def catch_up(self, suggestion: int) -> tuple[Entry, ...]:
        """The entries its branch log still lacks, in order; forgotten once returned."""
        branch = self._branch(suggestion)
        if not branch.events and branch.caught_up == self.version:
            return ()
        entries = []
        hunks = branch.base
        version = branch.caught_up
        for event in branch.events:
            last = event.entry.version - (event.entry.kind == "from_main")
            while version < last:
                version += 1
                hunks, entry = self._untouched_entry(hunks, version)
                entries.append(entry)
            entries.append(event.entry)
            hunks, version = event.hunks, event.entry.version
        while version < self.version:
            version += 1
            hunks, entry = self._untouched_entry(hunks, version)
            entries.append(entry)
        branch.events = []
        branch.caught_up = self.version
        branch.base = branch.now()
        return tuple(entries)

    def caught_up(self, suggestion: int) -> int:
        """Main version that the branch log holds, as far as `catch_up` has told."""
        return self._branch(suggestion).caught_up

    def _untouched_entry(self, hunks: Hunks, version: int) -> tuple[Hunks, Entry]:
        """What a main version that touched none of these hunks does to them and to the branch text."""
        changes = self._log.changes(version)
        pieces = []
        moved: list[Hunk] = []
        offset = shift = index = 0
        for start, end, _, _, words in changes.iter_changes():
            while index < len(hunks) and hunks[index].zone_end < start:
                offset += len(hunks[index].text) - (hunks[index].end - hunks[index].start)
                moved.append(hunks[index].shifted(shift))
                index += 1
            pieces.append((start + offset, end + offset, words))
            shift += len(words) - (end - start)
        moved.extend(hunk.shifted(shift) for hunk in hunks[index:])
        length = branch_length(changes.length, hunks)
        return tuple(moved), Entry("from_main", version, ChangeSet.of(pieces, length))

    # ── one change of main ─────────────────────────────────────────────────────────────────────────────

    def _works(self, suggestions: Iterable[Any], changes: ChangeSet) -> list[Work]:
        """Begin work on these suggestions for a change of main: their places are lifted until `_finish`."""
        works = []
        for suggestion in sorted(set(suggestions)):
            branch = self._branches[suggestion]
            works.append(Work(branch, self._text, changes))
            self._lift(branch)
        return works

    def _change_main(
        self,
        pieces: list[Replacement],
        works: list[Work],
        step: Callable[[Work, str, str, Replacement], tuple[Hunks, ChangeSet]],
    ) -> None:
        """Apply trimmed pieces to the main text, from the last to the first, with their works; shift all else."""
        for piece in reversed(pieces):
            start, end, words = piece
            new_text = self._text[:start] + words + self._text[end:]
            for work in works:
                work.get(*step(work, self._text, new_text, piece))
            self._places.shift(end, len(words) - (end - start))
            self._text = new_text

    def _finish(self, works: list[Work], shifted: Container[int] = ()) -> tuple[int, ...]:
        """Try marked hunks again, note what branches get, and put the hunks back; the log holds the version already.

        shifted   suggestions whose branch text stands because one of their hunks became main's
        """
        for work in works:
            if work.branch.id not in shifted:
                self._try_again(work)
            self._put(work.branch, work.hunks)
            entry = Entry("from_main", self.version, work.changes, work.removal)
            work.branch.events.append(Event(entry, work.hunks))
        return tuple(work.branch.id for work in works)

    def _lift(self, branch: Branch) -> None:
        for place in branch.places:
            self._places.remove(place)

    def _put(self, branch: Branch, hunks: Hunks) -> None:
        branch.hunks = hunks
        branch.places = [Place(branch.id, hunk.zone_start, hunk.zone_end) for hunk in hunks]
        for place in branch.places:
            self._places.add(place)

    # ── standing again as written ──────────────────────────────────────────────────────────────────────

    def _try_again(self, work: Work) -> None:
        """Let marked hunks stand again as written where the net change since leaves them whole."""
        if not work.is_touched:
            return
        wishes: dict[int, Hunk] = {}
        for hunk in work.hunks:
            if hunk.marked:
                written = hunk.written
                if written.ground not in self._text[hunk.zone_start : hunk.zone_end]:
                    continue
                place = self.place_now(written)
                if place is not None:
                    wishes[hunk.id] = stands_as_written(hunk, *place)
        if not wishes:
            return
        while wishes:
            order = [wishes.get(hunk.id, hunk) for hunk in work.hunks]
            clash = next(((a, b) for a, b in pairwise(order) if a.end > b.start), None)
            if clash is None:
                break
            del wishes[max(hunk.id for hunk in clash if hunk.id in wishes)]
        moving = [
            hunk.id for hunk in work.hunks if hunk.id in wishes and hunk.replacement != wishes[hunk.id].replacement
        ]
        hunks = tuple(wishes[hunk.id] if hunk.id in wishes and hunk.id not in moving else hunk for hunk in work.hunks)
        order_ids = [hunk.id for hunk in hunks]
        changes = ChangeSet.empty(work.changes.new_length)
        for id in moving:
            index = position_of(hunks, id)
            assert index is not None
            hunks, out = take_out(self._text, hunks, index)
            changes = changes.compose(out)
        for id in order_ids:
            if id in moving:
                index = sum(1 for other in hunks if order_ids.index(other.id) < order_ids.index(id))
                hunks, back = insert_at(self._text, hunks, wishes[id], index)
                changes = changes.compose(back)
        work.get(hunks, changes)

    def place_now(self, written: Written) -> tuple[int, int] | None:
        """Where a written form stands in main now, or None when the net change since does not leave it whole.

        By identity first: the same letters may have come to stand there by chance. Then by letters too, for what was
        put back by hand.
        """
        if written.stale:
            return None
        near, grown = stretches_near(self._since(written.version), written.start, written.end)
        place = self._place_after(written, near, grown)
        if place is None:
            place = self._place_after(written, less_equal_ends(near, self._log, written.version), grown)
        return place

    def _place_after(self, written: Written, near: list[Stretch], grown: int) -> tuple[int, int] | None:
        """Where it stands after the stretches near it and so much growth before them, if these leave it whole."""
        start, end = written.start, written.end
        replacement = (start, end, written.text)
        old: str | None = None
        for s, e, _, _, words in reversed(near):
            if s <= written.end and e >= written.start:
                if s < written.end and e > written.start:
                    return None
                if old is None:
                    old = self._log.text(written.version)
                s, e, words = whole_words(old, s, e, words) or (s, e, words)
                relation = relate(old, (s, e, words), replacement)
                if relation.kind not in ("independent", "compatible") or relation.cut is not None:
                    return None
            start, end = moved_inward(start, end, (s, e, words))
        start, end = start + grown, end + grown
        return (start, end) if self._text[start:end] == written.ground else None

    def _since(self, version: int) -> Weave:
        """All that has become of main since a version."""
        folded = self._weaves.pop(version, None) or Weave(self._log, version, vanished=False)
        self._weaves[version] = folded.fold(self.version)
        if len(self._weaves) > _MOST_WEAVES:
            del self._weaves[next(iter(self._weaves))]
        return folded


def _branch_outcome(suggestion: int, update: AuthorUpdate) -> BranchOutcome:
    fates = [Fate(suggestion, id, "open") for id in update.born]
    fates += [Fate(suggestion, young, "joined", into=old) for young, old in update.joined]
    fates += [Fate(suggestion, id, "withdrawn") for id in update.withdrawn]
    return BranchOutcome(update.changed, update.born, update.joined, update.withdrawn, tuple(fates))

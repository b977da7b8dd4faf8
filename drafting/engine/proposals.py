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
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from drafting.engine.branch import Entry, Fate, Hunk
from drafting.engine.changes import ChangeSet


class Log(Protocol):
    """The main stream's revisions; versions count from 1."""

    version: int

    def changes(self, version: int) -> ChangeSet: ...
    def carried(self, version: int) -> Any: ...
    def text(self, version: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Item:
    """One hunk to accept.

    hash     what the official read (`Shown.hash`); None skips the check
    mode     how a base_changed hunk is taken: "stands" including the new words, "around" them; "" otherwise
    wording  the official's own words for it instead of the proposal's; None takes the proposal
    """

    suggestion: int
    hunk: int
    hash: str | None = None
    mode: str = ""
    wording: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A hunk as the wire and the cards show it. state: open · fulfilled (by edit; not acceptable while so)."""

    suggestion: int
    id: int
    start: int
    end: int
    ground: str
    text: str
    state: str
    base_changed: bool
    fulfilled: bool
    hash: str


@dataclass(frozen=True, slots=True)
class Relation:
    """How two hunks of different suggestions stand to each other on main as it is, the first being accepted.

    kind     identical compatible clash independent
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Applied:
    """One main revision that an acceptance or a revert makes.

    version   main version it becomes
    changes   on main at version - 1
    start, end, ground, text   what is replaced by what, as one piece, on main at version - 1
    carried   spans of what comes back (reverts), as `attribution` keeps them; None for an acceptance
    parts     lengths of `text` with True for the proposer's words and False for the official's (accept with changes);
              empty when all is the proposer's
    superseded, fulfilled, shared   (suggestion, hunk) of others
    """

    suggestion: int
    hunk: int
    version: int
    changes: ChangeSet
    start: int
    end: int
    ground: str
    text: str
    carried: Any = None
    parts: tuple[tuple[int, bool], ...] = ()
    superseded: tuple[tuple[int, int], ...] = ()
    fulfilled: tuple[tuple[int, int], ...] = ()
    shared: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one item of a set.

    outcome  applied · fulfilled (another of the set made it true) · not applied, and why: rival (of another item of
             the set) · fulfilled_by_edit (main reads so already) · needs_mode (base_changed and no mode given) ·
             no_effect (the wording is what stands there) · impossible ("around" leaves nothing that fits)
    rivals   for outcome rival: the items it competes with
    """

    item: Item
    outcome: str
    applied: Applied | None = None
    rivals: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """Whole sentences around a place, as they stand and as they would."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that accepting a set would do to main at `version`; `key` says what state of the section it is for."""

    version: int
    key: str
    items: tuple[Item, ...]
    steps: tuple[Step, ...]
    fates: tuple[Fate, ...]
    touched: tuple[int, ...]
    previews: tuple[Preview, ...]

    @property
    def applied(self) -> tuple[Applied, ...]:
        """The main revisions, in order."""
        return tuple(step.applied for step in self.steps if step.applied is not None)

    @property
    def superseded(self) -> tuple[tuple[int, int], ...]:
        """(suggestion, hunk) that would be superseded; the request must name exactly these."""
        return tuple(sorted({pair for applied in self.applied for pair in applied.superseded}))


@dataclass(frozen=True, slots=True)
class RevertPlan:
    """Everything that reverting the acceptance of one hunk would do.

    steps      one main revision each, newest acceptance first: those that rest on it, then the hunk itself
    newer      main versions of newer characters that touch the place and would go too; the request must confirm them
    closed     (suggestion, hunk) that do not fit any more and stay closed until reopened by hand
    """

    version: int
    key: str
    suggestion: int
    hunk: int
    applied: tuple[Applied, ...]
    newer: tuple[int, ...]
    fates: tuple[Fate, ...]
    touched: tuple[int, ...]
    closed: tuple[tuple[int, int], ...]
    previews: tuple[Preview, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change did: suggestions whose hunks are not what they were (send them, hash again), and states entered."""

    version: int
    touched: tuple[int, ...] = ()
    fates: tuple[Fate, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchOutcome:
    """What a branch update did to its own suggestion's hunks: ids of each.

    joined   (younger, older) pairs
    """

    changed: tuple[int, ...] = ()
    born: tuple[int, ...] = ()
    joined: tuple[tuple[int, int], ...] = ()
    withdrawn: tuple[int, ...] = ()
    fates: tuple[Fate, ...] = ()


class Proposals:
    """The open hunks of one section, kept current with its main text."""

    def __init__(self, log: Log) -> None:
        """No suggestion open, at the log's newest version."""

    @property
    def version(self) -> int:
        """Main version the hunks are current for."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """The main text at `version`, units form."""
        raise NotImplementedError

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    def suggestions(self) -> tuple[int, ...]:
        """Ids of the open suggestions, by number."""
        raise NotImplementedError

    def hunks(self, suggestion: int) -> tuple[Hunk, ...]:
        """The open hunks in order of place. raises NotFound"""
        raise NotImplementedError

    def shown(self, suggestion: int) -> tuple[Shown, ...]:
        """The open hunks as the wire shows them, with ground, state and hash."""
        raise NotImplementedError

    def hash(self, suggestion: int, hunk: int) -> str:
        """What a decision names: over id, ground, text and base_changed; not positions. raises NotFound"""
        raise NotImplementedError

    def branch_text(self, suggestion: int) -> str:
        """The main text with the suggestion's hunks applied, units form."""
        raise NotImplementedError

    def relation(self, first: tuple[int, int], second: tuple[int, int]) -> Relation:
        """How the second would fare if the first were accepted now; both as (suggestion, hunk)."""
        raise NotImplementedError

    def rivals(self, suggestion: int, hunk: int) -> tuple[tuple[int, int, str], ...]:
        """(suggestion, hunk, kind) of all others it is identical to, clashes or is compatible with; neighbours only."""
        raise NotImplementedError

    def comparison(self, suggestion: int, hunk: int) -> tuple[tuple[tuple[int, int] | None, str], ...]:
        """The sentence as it stands (None first), then as it would read with the hunk and with each rival."""
        raise NotImplementedError

    # ── suggestions come and go ────────────────────────────────────────────────────────────────────────

    def open(self, suggestion: int, number: int) -> None:
        """Begin a suggestion without hunks on the current main text. `number` is its rank in a set."""
        raise NotImplementedError

    def close(self, suggestion: int) -> tuple[Fate, ...]:
        """Take a suggestion out (withdrawn); its open hunks are withdrawn."""
        raise NotImplementedError

    # ── changes ────────────────────────────────────────────────────────────────────────────────────────

    def main_update(self, changes: ChangeSet, version: int, carried: Any = None) -> Outcome:
        """A direct edit of main, stored as `version`. raises VersionConflict, MismatchError"""
        raise NotImplementedError

    def catch_up(self, suggestion: int) -> tuple[Entry, ...]:
        """The entries its branch log still lacks, in order; forgotten once returned."""
        raise NotImplementedError

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
        raise NotImplementedError

    def plan(self, items: Sequence[Item]) -> Plan:
        """What accepting these would do; changes nothing.

        raises   NotFound when a hunk is not open (WrongState with its state when it was), StaleReview with the new
                 state when a hash differs
        """
        raise NotImplementedError

    def accept(self, plan: Plan, named: Iterable[tuple[int, int]] | None = None) -> Outcome:
        """Do what the plan says; versions of main go up by one for each of `plan.applied`.

        named    the hunks the request said it would supersede; None takes the plan's word
        raises   StaleReview when the section has moved on so that the plan's effects differ, or `named` differs
        """
        raise NotImplementedError

    def reject(self, suggestion: int, hunk: int, hash: str | None = None) -> Outcome:
        """The hunk leaves; its branch log gets the inverse as an entry "decision" (by catch_up)."""
        raise NotImplementedError

    def unreject(self, suggestion: int, hunk: int) -> Outcome:
        """Revert a rejection: the written form again if it fits; else it stays closed (fates empty)."""
        raise NotImplementedError

    def reopen(self, suggestion: int, hunk: int) -> Outcome:
        """Put a superseded or closed hunk back by hand, flagged if main has changed its ground. raises WrongState"""
        raise NotImplementedError

    def revert_plan(self, suggestion: int, hunk: int) -> RevertPlan:
        """What reverting the hunk's standing acceptance would do; changes nothing. raises WrongState, NotFound"""
        raise NotImplementedError

    def revert(self, plan: RevertPlan, confirm: bool = False) -> Outcome:
        """Do it. raises StaleReview when the section moved on; WrongState when newer words go and confirm is False"""
        raise NotImplementedError

    # ── checkpoint ─────────────────────────────────────────────────────────────────────────────────────

    def dump(self) -> dict[str, Any]:
        """Everything but the text, as JSON values."""
        raise NotImplementedError

    @classmethod
    def load(cls, log: Log, value: dict[str, Any]) -> Proposals:
        """From `dump`; the log must hold its version. raises InvalidInput"""
        raise NotImplementedError

    def copy(self) -> Proposals:
        """An independent copy, sharing values."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Carried:
    """An update brought onto the newest branch text; the last two are arguments of `branch_update`."""

    client: str
    sequence: int
    changes: ChangeSet
    flagged: bool


def carry(updates: Sequence[Any], stored: Sequence[tuple[str, int, ChangeSet, bool]]) -> tuple[Carried, ...]:
    """Unconfirmed branch updates over what was stored since, one stored change at a time, own ones dropped.

    updates  rebase.Update values as pushed
    stored   (client, sequence, changes, removal) since the version the push names, in order
    """
    raise NotImplementedError

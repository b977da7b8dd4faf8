"""What the index of a section answers: frozen values that services write rows from, and that a request names.

Nothing here does anything; `proposals.py` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from drafting.engine.branch import Fate
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
    """Everything that accepting a set would do to main at `version`. `previews` go with `applied`, one for each."""

    version: int
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


@dataclass(frozen=True, slots=True)
class Way:
    """One way to accept a hunk, and the sentence it would make. mode: "" plain, "stands", "around"."""

    mode: str
    preview: Preview

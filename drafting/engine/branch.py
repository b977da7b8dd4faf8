"""A suggestion's hunks over the main text, and what becomes of them: the values and the rules of one suggestion.

A suggestion is an ordered tuple of hunks. Hunk (start, end, text) says that main[start:end], its *ground*, should read
`text`; ranges are disjoint and in order, one range per hunk. The branch text is the hunks applied to the main text
(law 6). Everything here is a function of values; `proposals.py` keeps the hunks of a whole section current.

Units are UTF-16 code units of the main text unless a name begins with `branch`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from drafting.engine.changes import ChangeSet


@dataclass(frozen=True, slots=True)
class Written:
    """A hunk as its author last left it: main[start:end] at `version` should read `text`."""

    start: int
    end: int
    text: str
    version: int


@dataclass(frozen=True, slots=True)
class Hunk:
    """One piece of a suggestion that can be decided alone.

    id            within its suggestion; never reused, never made from content
    start, end    the ground in main as it is now
    text          the words proposed for it, units form
    written       as its author last left it
    base_changed  a direct edit or revert changed what it stands on; accepted only knowingly
    lossy         a main change could not be mapped back, so the place is a guess until the author rewrites it
    marked_at     main version that last set one of the two marks; 0 when unmarked
    zone_start, zone_end   what changed around a marked hunk since it was written; the range itself when unmarked
    """

    id: int
    start: int
    end: int
    text: str
    written: Written
    base_changed: bool = False
    lossy: bool = False
    marked_at: int = 0
    zone_start: int = -1
    zone_end: int = -1


@dataclass(frozen=True, slots=True)
class Entry:
    """One revision that a branch log gets from elsewhere than its authors.

    kind     "from_main": client "main", sequence = version, exactly one per main version, empty changes included (a
             marker); "decision": a rejection, its revert, or a hunk reopened by hand: no main version of its own
    version  main version after it
    changes  on the branch text
    removal  it takes proposed words out (rejected, superseded); an unsent edit carried over it may be born flagged
    """

    kind: str
    version: int
    changes: ChangeSet
    removal: bool = False


@dataclass(frozen=True, slots=True)
class Fate:
    """A hunk entered a state.

    state   open accepted rejected fulfilled superseded withdrawn joined
    into    the hunk of the same suggestion it was joined into
    by      (suggestion, hunk) whose acceptance, or revert, did it
    """

    suggestion: int
    hunk: int
    state: str
    into: int | None = None
    by: tuple[int, int] | None = None

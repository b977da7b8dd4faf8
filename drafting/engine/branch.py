"""A suggestion's hunks over the main text, and what becomes of them: the values and the rules of one suggestion.

A suggestion is an ordered tuple of hunks. Hunk (start, end, text) says that main[start:end], its *ground*, should read
`text`; ranges are disjoint and in order, one range per hunk. The branch text is the hunks applied to the main text
(law 6). Everything here is a function of values; `proposals.py` keeps the hunks of a whole section current.

What a branch log gets from elsewhere than its authors is always made of four steps, each exact:

  main_step   one replacement of main: hunks move, their words stay; outside them the branch changes as main does
  take_out    a hunk leaves: its words become its ground again
  put_in      a hunk comes back: its ground becomes its words
  accepted    the hunk's words became main's: the branch stands, the hunks after it shift

Rules that docs/laws.md leaves open, as chosen here:

- Main's replacement is trimmed first, and touching ones are one; several are taken from the last to the first.
- A hunk without ground stands after what main inserts at its place (main is ordered first), and after what main puts
  in place of the words around it.
- What main writes next to a hunk it clashes with and that runs together with the hunk's ground or words is new ground,
  to the end of that word. So a branch never shows half of main's word glued to half of the author's.
- A form is looked at again when main touches the hunk, and kept until then.
- Own hunks that main brings to touch stay two, also inside one word; an author's update that touches both joins them.
- An update that touches the edge of a hunk continues it; it never makes a second hunk at the same point.
- A hunk beside which main changes a word stands beside the whole word; if own hunks would pass each other by that, all
  of them keep to what was typed.

Units are UTF-16 code units of the main text unless a name begins with `branch`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from drafting.engine.changes import ChangeSet
from drafting.engine.relations import Replacement, relate
from drafting.engine.words import left_of, right_of, runs_on, seam_runs_on, trimmed, whole_words


@dataclass(frozen=True, slots=True)
class Written:
    """A hunk as its author last left it: main[start:end] at `version`, which read `ground`, should read `text`.

    stale   written on words that had gone already (an update carried over a removal): it never stands again by itself
    """

    start: int
    end: int
    text: str
    version: int
    ground: str = ""
    stale: bool = False


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
    zone_start, zone_end   all that changed around a marked hunk since it was written; its range when unmarked
    """

    id: int
    start: int
    end: int
    text: str
    written: Written
    base_changed: bool
    lossy: bool
    marked_at: int
    zone_start: int
    zone_end: int

    @property
    def marked(self) -> bool:
        """Whether it waits for main to become again what it was written on."""
        return self.base_changed or self.lossy

    @property
    def replacement(self) -> Replacement:
        """(start, end, text)."""
        return self.start, self.end, self.text

    def shifted(self, by: int) -> Hunk:
        """The same, that much further on."""
        if not by:
            return self
        return Hunk(
            self.id,
            self.start + by,
            self.end + by,
            self.text,
            self.written,
            self.base_changed,
            self.lossy,
            self.marked_at,
            self.zone_start + by,
            self.zone_end + by,
        )


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


Hunks = tuple[Hunk, ...]


def fresh(id: int, start: int, end: int, text: str, main: str, version: int) -> Hunk:
    """A hunk as its author leaves it now."""
    return Hunk(id, start, end, text, Written(start, end, text, version, main[start:end]), False, False, 0, start, end)


def stands_as_written(hunk: Hunk, start: int, end: int) -> Hunk:
    """The hunk with its written words, at a place where main reads as it did when it was written.

    It stays lossy: what took it away and brought it back could do so again, and then only the written form knows where
    it stands. Only its author clears that (docs/branches.md, 11).
    """
    return replace(
        hunk,
        start=start,
        end=end,
        text=hunk.written.text,
        base_changed=False,
        lossy=True,
        zone_start=min(start, hunk.zone_start),
        zone_end=max(end, hunk.zone_end),
    )


def hunk_hash(hunk: Hunk, ground: str) -> str:
    """What a decision names: over id, ground, text and base_changed; not positions (law 9)."""
    value = json.dumps([hunk.id, ground, hunk.text, hunk.base_changed])
    return hashlib.sha256(value.encode("ascii")).hexdigest()


def branch_text(main: str, hunks: Sequence[Hunk]) -> str:
    """The main text with the hunks applied."""
    parts = []
    pos = 0
    for hunk in hunks:
        parts.append(main[pos : hunk.start])
        parts.append(hunk.text)
        pos = hunk.end
    parts.append(main[pos:])
    return "".join(parts)


def branch_length(main_length: int, hunks: Sequence[Hunk]) -> int:
    """Code units of the branch text."""
    return main_length + grown_by(hunks)


def grown_by(hunks: Sequence[Hunk]) -> int:
    """By how much the hunks lengthen the text."""
    return sum(len(hunk.text) - (hunk.end - hunk.start) for hunk in hunks)


def check_order(main: str, hunks: Sequence[Hunk]) -> bool:
    """Whether the ranges are disjoint, in order, and inside their zones, and these inside the text."""
    pos = 0
    for hunk in hunks:
        if not (0 <= hunk.zone_start <= hunk.start and hunk.end <= hunk.zone_end <= len(main)):
            return False
        if not pos <= hunk.start <= hunk.end:
            return False
        pos = hunk.end
    return pos <= len(main)


# ── main changes ────────────────────────────────────────────────────────────────────────────────────────


def touched_by(hunk: Hunk, start: int, end: int) -> bool:
    """Whether a replacement of main[start:end] concerns the hunk; if not, it only shifts."""
    return hunk.zone_start <= end and hunk.zone_end >= start


def moved_inward(start: int, end: int, replacement: Replacement) -> tuple[int, int]:
    """A range after a replacement of main, its ends moved inward (start assoc 1, end assoc -1)."""
    s, e, t = replacement
    grown = len(t) - (e - s)
    stop = s + len(t)
    new_start = start if start < s or start == s < e else stop if start < e else start + grown
    new_end = end if end <= s else s if end < e else end + grown
    return new_start, max(new_start, new_end)


def moved_outward(start: int, end: int, replacement: Replacement) -> tuple[int, int]:
    """A range after a replacement of main, with all that was written in it or at its edges."""
    s, e, t = replacement
    grown = len(t) - (e - s)
    new_start = start if start <= s else s if start <= e else start + grown
    new_end = end if end < s else s + len(t) if end <= e else end + grown
    return new_start, new_end


def main_step(
    main: str,
    new_main: str,
    hunks: Hunks,
    replacement: Replacement,
    version: int,
    form: Replacement | None = None,
) -> tuple[Hunks, ChangeSet]:
    """The hunks after one trimmed replacement of main, and what the branch text gets.

    form   of the accepted hunk, with which nothing here clashes (what does has been taken out); None for a direct edit
           or a revert: what it clashes with or is identical to is flagged base_changed
    law    new branch text == changes applied to the old one; the words of no hunk change
    """
    whole = form or whole_words(main, *replacement) or replacement
    direct = form is None
    moved, touched, absorbing, beside = _moved(main, hunks, replacement, whole, version, direct)
    span = _hull(new_main, replacement, beside)
    if any(left.end > right.start for left, right in pairwise(moved)):
        # Two own hunks would pass each other: one beside the whole words, one at what was typed in them.
        moved, touched, absorbing, _ = _moved(main, hunks, replacement, None, version, direct)
        span = replacement
    if absorbing:
        _absorb(new_main, moved, replacement, absorbing)
    changes = _outside(main, new_main, hunks, moved, span)
    if touched:
        _form_again(new_main, moved, touched, version)
    return tuple(moved), changes


def _moved(
    main: str,
    hunks: Hunks,
    replacement: Replacement,
    whole: Replacement | None,
    version: int,
    direct: bool,
) -> tuple[list[Hunk], set[int], set[int], list[tuple[int, int]]]:
    """The hunks with their ranges moved, which of them are touched, which of those clash, where any went by `whole`.

    whole   the replacement in whole-word form, for hunks to stand beside; None moves all at what was typed
    """
    s, e, t = replacement
    grown = len(t) - (e - s)
    moved: list[Hunk] = []
    touched: set[int] = set()
    clashing: set[int] = set()
    beside: list[tuple[int, int]] = []
    for hunk in hunks:
        if hunk.zone_start > e:
            moved.append(hunk.shifted(grown))
            continue
        if hunk.zone_end < s:
            moved.append(hunk)
            continue
        start, end = moved_inward(hunk.start, hunk.end, replacement)
        flagged = lossy = False
        if hunk.start <= e and hunk.end >= s:
            touched.add(hunk.id)
            relation = relate(main, whole or whole_words(main, s, e, t) or replacement, hunk.replacement)
            by = replacement
            if whole is not None and relation.cut is not None:
                start, end = relation.cut
                beside += [whole[:2], (hunk.start, hunk.end)]  # deletions slide: it may lie behind where it began
            elif whole is not None and relation.kind == "compatible":
                # It stands beside the whole words: "big " before "tree" that became "stree" is not put behind the "s".
                by = whole
                beside.append(whole[:2])
                start, end = moved_inward(hunk.start, hunk.end, by)
            flagged = direct and relation.kind in ("clash", "identical")
            inverse = (by[0], by[0] + len(by[2]), main[by[0] : by[1]])
            lossy = moved_inward(start, end, inverse) != (hunk.start, hunk.end)
            if flagged:
                clashing.add(hunk.id)
        marked = hunk.marked or flagged or lossy
        zone = moved_outward(hunk.zone_start, hunk.zone_end, replacement) if marked else (start, end)
        moved.append(
            Hunk(
                hunk.id,
                start,
                end,
                hunk.text,
                hunk.written,
                hunk.base_changed or flagged,
                hunk.lossy or lossy,
                version if flagged or lossy else hunk.marked_at,
                min(start, zone[0]),
                max(end, zone[1]),
            )
        )
    return moved, touched, clashing, beside


def _hull(new_main: str, replacement: Replacement, ranges: Sequence[tuple[int, int]]) -> Replacement:
    """A replacement as one of all these ranges too, with the same effect: whole words may lie beside what was typed."""
    if not ranges:
        return replacement
    start, end, words = replacement
    low, high = min(start, *(one[0] for one in ranges)), max(end, *(one[1] for one in ranges))
    return low, high, new_main[low : high + len(words) - (end - start)]


def _absorb(new_main: str, hunks: list[Hunk], replacement: Replacement, absorbing: set[int]) -> None:
    """Make what main wrote and runs together with a hunk's ground or words new ground, to the end of that word."""
    s, _, t = replacement
    stop = s + len(t)
    for index, hunk in enumerate(hunks):
        if hunk.id not in absorbing:
            continue
        start, end = hunk.start, hunk.end
        low = max(s, hunks[index - 1].end if index else 0)
        high = min(stop, hunks[index + 1].start if index + 1 < len(hunks) else stop)
        if end == s < high and (
            (start < end and seam_runs_on(new_main, end)) or runs_on(hunk.text, right_of(new_main, end))
        ):
            end += 1
            while end < high and seam_runs_on(new_main, end):
                end += 1
        elif start == stop > low and (
            (start < end and seam_runs_on(new_main, start)) or runs_on(left_of(new_main, start), hunk.text)
        ):
            start -= 1
            while start > low and seam_runs_on(new_main, start):
                start -= 1
        else:
            continue
        hunks[index] = replace(
            hunk,
            start=start,
            end=end,
            zone_start=min(start, hunk.zone_start),
            zone_end=max(end, hunk.zone_end),
        )


def _outside(
    main: str, new_main: str, hunks: Sequence[Hunk], moved: Sequence[Hunk], replacement: Replacement
) -> ChangeSet:
    """What a replacement of main changes between the hunks, on the branch text."""
    s, e, _ = replacement
    pieces: list[Replacement] = []
    offset = 0
    for index in range(len(hunks) + 1):
        old_start = hunks[index - 1].end if index else 0
        old_end = hunks[index].start if index < len(hunks) else len(main)
        if old_start <= e and old_end >= s:
            new_start = moved[index - 1].end if index else 0
            new_end = moved[index].start if index < len(hunks) else len(new_main)
            front = min(max(0, min(old_end, s) - old_start), new_end - new_start)
            back = min(max(0, old_end - max(old_start, e)), new_end - new_start - front)
            words = new_main[new_start + front : new_end - back]
            start, end, words = trimmed(main, old_start + front, old_end - back, words)
            if start < end or words:
                pieces.append((start + offset, end + offset, words))
        if index < len(hunks):
            offset += grown_by((hunks[index],))
    return ChangeSet.of(pieces, len(main) + offset)


def _form_again(main: str, hunks: list[Hunk], touched: set[int], version: int) -> None:
    """Bring touched hunks into whole-word form; one that has no effect now keeps its range.

    One whose form is another now is lossy: if main takes back what made it so, only the written form knows the old one.
    """
    for index, hunk in enumerate(hunks):
        if hunk.id not in touched:
            continue
        low = hunks[index - 1].end if index else 0
        high = hunks[index + 1].start if index + 1 < len(hunks) else len(main)
        form = whole_words(main, hunk.start, hunk.end, hunk.text, low, high)
        if form is None or form == hunk.replacement:
            continue
        start, end, text = form
        hunks[index] = replace(
            hunk,
            start=start,
            end=end,
            text=text,
            lossy=True,
            marked_at=version,
            zone_start=min(start, hunk.zone_start),
            zone_end=max(end, hunk.zone_end),
        )


# ── decisions ───────────────────────────────────────────────────────────────────────────────────────────


def position_of(hunks: Sequence[Hunk], id: int) -> int | None:
    """Where in the order the hunk stands."""
    for index, hunk in enumerate(hunks):
        if hunk.id == id:
            return index
    return None


def take_out(main: str, hunks: Hunks, index: int) -> tuple[Hunks, ChangeSet]:
    """The hunks without one, and what the branch text gets: its words become its ground again."""
    hunk = hunks[index]
    start = hunk.start + grown_by(hunks[:index])
    piece = (start, start + len(hunk.text), main[hunk.start : hunk.end])
    changes = ChangeSet.of([piece], branch_length(len(main), hunks))
    return hunks[:index] + hunks[index + 1 :], changes


def put_in(
    main: str, hunks: Hunks, hunk: Hunk, before: frozenset[int], after: frozenset[int]
) -> tuple[Hunks, ChangeSet] | None:
    """The hunks with one more, and what the branch text gets; None when an own hunk has come there.

    before, after   ids that stood on either side of it when it left: only they may meet it at a point as they did
    """
    index = 0
    while index < len(hunks) and _precedes(hunks[index], hunk, before):
        index += 1
    if index:
        left = hunks[index - 1]
        if left.end > hunk.start or (left.id not in before and _crowds(main, left, hunk)):
            return None
    if index < len(hunks):
        right = hunks[index]
        if right.start < hunk.end or (right.id not in after and _crowds(main, hunk, right)):
            return None
    return insert_at(main, hunks, hunk, index)


def _precedes(other: Hunk, hunk: Hunk, before: frozenset[int]) -> bool:
    """Whether one stands before the other; where neither has ground at one point, as it was, else after."""
    if other.end > hunk.start:
        return other.start < hunk.start
    return other.start < hunk.start or other.end < hunk.end or other.id in before


def _crowds(main: str, left: Hunk, right: Hunk) -> bool:
    """Whether two own hunks are in each other's place: in one word, or both without ground at one point."""
    return share_a_word(main, left, right) or left.start == left.end == right.start == right.end


def insert_at(main: str, hunks: Hunks, hunk: Hunk, index: int) -> tuple[Hunks, ChangeSet]:
    """The hunks with one more at a place in the order, and what the branch text gets."""
    start = hunk.start + grown_by(hunks[:index])
    piece = (start, start + hunk.end - hunk.start, hunk.text)
    changes = ChangeSet.of([piece], branch_length(len(main), hunks))
    return (*hunks[:index], hunk, *hunks[index:]), changes


def beside(hunk: Hunk, replacement: Replacement, by: int) -> Hunk:
    """A hunk next to an own one that became main's, or is open again: it shifts, its zone holds what changed there."""
    moved = hunk.shifted(by)
    if not hunk.marked:
        return moved
    low, high = moved_outward(hunk.zone_start, hunk.zone_end, replacement)
    return replace(moved, zone_start=min(moved.start, low), zone_end=max(moved.end, high))


def accepted(main: str, new_main: str, hunks: Hunks, index: int, replacement: Replacement) -> tuple[Hunks, ChangeSet]:
    """The hunks after one of them was made main's, as `replacement`, and what the branch text gets.

    replacement   the hunk itself, or what an official made of it, between its own neighbours
    law           the hunks before it stand, those after it shift; nothing is mapped (docs/branches.md, 1)
    """
    hunk = hunks[index]
    x, y, words = replacement
    grown = len(words) - (y - x)
    rest = [beside(other, replacement, 0) for other in hunks[:index]]
    rest += [beside(other, replacement, grown) for other in hunks[index + 1 :]]
    start, end = min(x, hunk.start), max(y, hunk.end)
    old = main[start : hunk.start] + hunk.text + main[hunk.end : end]
    new = main[start:x] + words + main[y:end]
    length = branch_length(len(main), hunks)
    branch_start = start + grown_by(hunks[:index])
    pieces = [(branch_start, branch_start + len(old), new)] if old != new else []
    return tuple(rest), ChangeSet.of(pieces, length)


def whole_between(
    main: str, id: int, form: Replacement, low: int, high: int, version: int, parts: Sequence[Hunk]
) -> Hunk | None:
    """A hunk in whole-word form between its neighbours, with the marks of those it is made of; None without effect."""
    made = whole_words(main, *form, low, high)
    if made is None:
        return None
    start, end, text = made
    hunk = fresh(id, start, end, text, main, version)
    if not any(part.marked for part in parts):
        return hunk
    return replace(
        hunk,
        base_changed=any(part.base_changed for part in parts),
        lossy=any(part.lossy for part in parts),
        marked_at=version,
    )


def share_a_word(main: str, left: Hunk, right: Hunk) -> bool:
    """Whether two own neighbours that touch stand in one word, in main or in the branch."""
    if left.end != right.start:
        return False
    if seam_runs_on(main, left.end):
        return True
    return runs_on(left_of(main, left.start) + left.text, right.text + right_of(main, right.end))

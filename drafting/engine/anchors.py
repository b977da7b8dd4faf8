"""Places kept in changing text, and the words by which a lost one is found again.

An `Anchor` was placed once on [start, end) of one version, with a `Quote` of its words; this placed form never changes.
Where it is now follows from the log, one revision at a time: text inserted inside belongs to it, text inserted at its
edges does not, and its ends move inward from what is deleted. When no character is left it is an orphan: a point, with
its quote.

Plain mapping forgets: from [4, 12), delete [8, 16) and bring it back, and [4, 8) is left. So an anchor that was cut
remembers a *zone*, all that changed around it since. When a revision touches the zone, the net change since the anchor
was placed is asked (`net.py`); if all its characters stand again, also put back letter for letter, so does the anchor.

Finding again answers found, ambiguous or not found, and never guesses: what is not certain is for a person to choose.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace

from drafting.engine.attribution import Log, checked_version
from drafting.engine.changes import ChangeSet
from drafting.engine.net import less_equal_ends, stretches_near
from drafting.engine.text import check_position, cuts_pair
from drafting.engine.weave import Weave
from drafting.errors import MismatchError, PositionError

# As many code units of a quote's surroundings as tell apart what people write; W3C annotation tools keep 32.
AROUND = 32
# A single place with the exact words needs this share of the surroundings, unless the words are long enough themselves.
_ENOUGH_CONTEXT = 0.25
_TELLING_LENGTH = 24
# Of several places one is found when it has at least this share, and this much more than the next.
_GOOD_CONTEXT = 0.5
_CLEAR_LEAD = 0.25
# More places than this help nobody to choose.
_MOST_PLACES = 10
# Rewritten words between unchanged surroundings are offered when they are at most so many times as long, plus 40.
_REWRITTEN = 3


@dataclass(frozen=True, slots=True)
class Quote:
    """The words of a passage, with up to 32 code units before and after; units form."""

    prefix: str
    exact: str
    suffix: str

    @staticmethod
    def of(text: str, start: int, end: int) -> Quote:
        """The quote of [start, end) of a text.

        raises   PositionError outside the text, inside a surrogate pair, or for end before start
        """
        check_position(text, start)
        check_position(text, end)
        if end < start:
            raise PositionError(f"A passage cannot end at {end} before it starts at {start}.", position=end)
        low, high = max(0, start - AROUND), min(len(text), end + AROUND)
        return Quote(
            text[low + cuts_pair(text, low) : start], text[start:end], text[end : high - cuts_pair(text, high)]
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an anchor was put: [start, end) of the text at `version`, and its words. Never changes."""

    start: int
    end: int
    version: int
    quote: Quote


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where an anchor is at `version`.

    placed                as it was put
    start, end            now; equal when it is an orphan
    is_cut                characters of it were deleted and do not all stand again
    zone_start, zone_end  all that changed around it since it was cut; its own range when it is whole
    """

    placed: Placed
    start: int
    end: int
    version: int
    is_cut: bool
    zone_start: int
    zone_end: int

    @property
    def is_orphan(self) -> bool:
        """Whether no character of it is left."""
        return self.start == self.end

    @property
    def quote(self) -> Quote:
        """Its words as they were when it was put."""
        return self.placed.quote

    def touches(self, changes: ChangeSet) -> bool:
        """Whether a revision may bring back what was cut: it is cut, and the revision touches its zone."""
        return self.is_cut and any(
            start <= self.zone_end and end >= self.zone_start for start, end, _ in changes.replacements
        )

    def moved(self, changes: ChangeSet) -> Anchor:
        """The anchor one revision later, by mapping alone; see `follow` for what stands again.

        changes  of revision `self.version + 1`
        raises   PositionError when the anchor is not inside its text
        """
        if self.end > changes.length:
            raise PositionError(
                f"An anchor on [{self.start}, {self.end}) is not inside a text of {changes.length} code units.",
                position=self.end,
            )
        replaced = list(changes.iter_changes())
        if self.start == self.end:
            start = end = _point(self.start, replaced)
            cut = True
        else:
            cut = self.is_cut or any(s < e and s < self.end and e > self.start for s, e, _, _, _ in replaced)
            if any(s <= self.start and e >= self.end for s, e, _, _, _ in replaced):
                start = end = _point(self.start, replaced)
            else:
                start, end = _inward(self.start, self.end, replaced)
        if not cut:
            return Anchor(self.placed, start, end, self.version + 1, False, start, end)
        low, high = _point(self.zone_start, replaced), self.zone_end
        for s, e, s_b, e_b, _ in replaced:
            if s > self.zone_end:
                break
            high = e_b + max(0, self.zone_end - e)
            if e >= self.zone_start:
                low = min(low, s_b)
        return Anchor(self.placed, start, end, self.version + 1, True, min(low, start), max(high, end))


def place(text: str, start: int, end: int, version: int) -> Anchor:
    """An anchor put on [start, end) of the text at a version.

    raises   PositionError when that is not a passage of the text, or is empty
    """
    quote = Quote.of(text, start, end)
    if start == end:
        raise PositionError(f"An anchor needs at least one character; [{start}, {end}) has none.", position=start)
    return Anchor(Placed(start, end, version, quote), start, end, version, False, start, end)


def follow(anchor: Anchor, log: Log, version: int | None = None) -> Anchor:
    """The anchor at a later version, the log's newest when none is named.

    raises   PositionError when the log does not have it or the anchor is past it
    law      the same in one step as in many; an anchor all of whose characters stand again stands as it was placed,
             with what was inserted inside
    """
    version = checked_version(log.version if version is None else version, anchor.version, log.version)
    folded: Weave | None = None
    for each in range(anchor.version + 1, version + 1):
        changes = log.changes(each)
        before = anchor
        anchor = anchor.moved(changes)
        if anchor.is_cut and (not before.is_cut or before.touches(changes)):
            if folded is None:
                folded = Weave(log, anchor.placed.version, vanished=False)
            anchor = _standing_again(anchor, folded.fold(each))
    return anchor


class Anchors:
    """Many anchors of one text, by whatever names them, kept at its newest version.

    A revision costs the anchors behind its first change; one that touches what was cut also costs the net change since
    that anchor was placed, for which a weave is kept and folded on.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._anchors: dict[Hashable, Anchor] = {}
        self._weaves: dict[int, Weave] = {}
        self.version = log.version

    def __len__(self) -> int:
        return len(self._anchors)

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._anchors)

    def __contains__(self, name: Hashable) -> bool:
        return name in self._anchors

    def put(self, name: Hashable, anchor: Anchor) -> None:
        """Keep an anchor, or another one under this name; it is followed to the newest version first."""
        self._anchors[name] = follow(anchor, self._log, self.version)

    def drop(self, name: Hashable) -> None:
        """Keep it no longer, if it was kept."""
        self._anchors.pop(name, None)

    def __getitem__(self, name: Hashable) -> Anchor:
        """The anchor of this name at the newest version; KeyError when there is none."""
        anchor = self._anchors[name]
        return anchor if anchor.version == self.version else replace(anchor, version=self.version)

    def advance(self, changes: ChangeSet, version: int) -> list[Hashable]:
        """Take one revision more, which the log has; the names of those that are elsewhere or otherwise now."""
        self.version = version
        if changes.is_empty or not self._anchors:
            return []
        first = changes.replacements[0][0]
        moved = []
        for name, before in self._anchors.items():
            if before.end < first and before.zone_end < first:
                continue
            anchor = before.moved(changes)
            if anchor.is_cut and (not before.is_cut or before.touches(changes)):
                since = anchor.placed.version
                folded = self._weaves.get(since)
                if folded is None:
                    folded = self._weaves[since] = Weave(self._log, since, vanished=False)
                anchor = _standing_again(anchor, folded.fold(version))
            self._anchors[name] = replace(anchor, version=version)
            if (anchor.start, anchor.end, anchor.is_cut) != (before.start, before.end, before.is_cut):
                moved.append(name)
        if self._weaves:
            needed = {anchor.placed.version for anchor in self._anchors.values() if anchor.is_cut}
            self._weaves = {since: folded for since, folded in self._weaves.items() if since in needed}
        return moved


def recalled(log: Log, placed: Placed, start: int, end: int, version: int) -> Anchor:
    """The anchor of which only the placed form and the present range were kept.

    start, end   where it was said to be at `version`
    raises       PositionError when the log does not have the version, or the range is not inside its text
    law          followed further it goes where the anchor that was kept whole goes
    """
    text = log.text(checked_version(version, placed.version, log.version))
    check_position(text, start)
    check_position(text, end)
    if start > end:
        raise PositionError(f"An anchor cannot end at {end} before it starts at {start}.", position=end)
    anchor = Anchor(placed, start, end, version, False, start, end)
    if text[start:end] == placed.quote.exact:
        return anchor
    low, high, whole = _zone(placed, Weave(log, placed.version, vanished=False).fold(version))
    if whole:
        return anchor
    return replace(anchor, is_cut=True, zone_start=min(low, start), zone_end=max(high, end))


def put_again(text: str, anchor: Anchor, start: int, end: int) -> Anchor:
    """The anchor put by a person on another passage of the text at its version; its quote is of the new words.

    raises   as `place`
    """
    return place(text, start, end, anchor.version)


_Changed = list[tuple[int, int, int, int, str]]  # as ChangeSet.iter_changes gives them, touching ones joined


def _inward(start: int, end: int, replaced: _Changed, grown: int = 0) -> tuple[int, int]:
    """A passage after changes that do not take all of it; what is put in place of its first or last words stays in it.

    grown   by how much the text before all of them has grown
    law     text inserted at its edges, or in place of words on both sides of an edge, is outside
    """
    shift = grown
    new_start = new_end = 0
    found_start = found_end = False
    for s, e, s_b, e_b, _ in replaced:
        if not found_start and (s > start or e > start):
            new_start = start + shift if s > start else s_b if s == start else e_b
            found_start = True
        if s >= end:
            break
        if e >= end:
            new_end = e_b if e == end else s_b
            found_end = True
            break
        shift = e_b - e
    if not found_start:
        new_start = start + shift
    if not found_end:
        new_end = end + shift
    return new_start, max(new_start, new_end)


def _point(pos: int, replaced: _Changed) -> int:
    """A point after changes; it keeps to its left."""
    shift = 0
    for s, e, s_b, e_b, _ in replaced:
        if s >= pos:
            break
        if e >= pos:
            return s_b if e > pos else e_b
        shift = e_b - e
    return pos + shift


def _zone(placed: Placed, folded: Weave) -> tuple[int, int, bool]:
    """All that changed around the placed range, in the newest text; and whether every character of it stands."""
    start, end = placed.start, placed.end
    near, grown = stretches_near(folded, start, end)
    if not near:
        return start + grown, end + grown, True
    changed = less_equal_ends(near, folded.log, placed.version)
    whole = not any(s < e and s < end and e > start for s, e, *_ in changed)
    return near[0][2], near[-1][3], whole


def _standing_again(anchor: Anchor, folded: Weave) -> Anchor:
    """The anchor whole, when every character of its placed form stands; else as it is."""
    placed = anchor.placed
    if not _zone(placed, folded)[2]:
        return anchor
    near, grown = stretches_near(folded, placed.start, placed.end)
    start, end = _inward(placed.start, placed.end, less_equal_ends(near, folded.log, placed.version), grown)
    return Anchor(placed, start, end, anchor.version, False, start, end)


# ── finding again ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Finding:
    """What looking for a quote gave.

    outcome   "found": places has one · "ambiguous": a person must choose among places · "not found": there is none
    places    (start, end), best first
    """

    outcome: str
    places: tuple[tuple[int, int], ...]


def find_again(text: str, quote: Quote) -> Finding:
    """Where the words of a quote stand in a text.

    text     units form
    raises   MismatchError for a quote without words
    law      never guesses: found only when the words stand there letter for letter, and are telling by themselves or by
             their surroundings; rewritten words between unchanged surroundings are offered, not taken
    """
    exact = quote.exact
    if not exact:
        raise MismatchError("A quote without words cannot be found again.")
    rated = []
    at = text.find(exact)
    while at >= 0:
        if not (cuts_pair(text, at) or cuts_pair(text, at + len(exact))):
            rated.append((-_context(text, at, at + len(exact), quote), at))
        at = text.find(exact, at + 1)
    if not rated:
        between = _between(text, quote)
        return Finding("ambiguous", (between,)) if between else Finding("not found", ())
    rated.sort()
    places = tuple((start, start + len(exact)) for _, start in rated[:_MOST_PLACES])
    best = -rated[0][0]
    if len(rated) == 1:
        certain = best >= _ENOUGH_CONTEXT or len(exact) >= _TELLING_LENGTH
    else:
        certain = best >= _GOOD_CONTEXT and best + rated[1][0] >= _CLEAR_LEAD
    return Finding("found", places[:1]) if certain else Finding("ambiguous", places)


def _context(text: str, start: int, end: int, quote: Quote) -> float:
    """The share of a quote's surroundings that stands around a place, counted from it outwards; 1 if it has none."""
    wanted = len(quote.prefix) + len(quote.suffix)
    if not wanted:
        return 1.0 if start == 0 and end == len(text) else 0.0
    before = 0
    while before < len(quote.prefix) and before < start and text[start - 1 - before] == quote.prefix[-1 - before]:
        before += 1
    after = 0
    while after < len(quote.suffix) and end + after < len(text) and text[end + after] == quote.suffix[after]:
        after += 1
    return (before + after) / wanted


def _between(text: str, quote: Quote) -> tuple[int, int] | None:
    """The only place where the surroundings stand with other words between them."""
    if not quote.prefix or not quote.suffix or text.count(quote.prefix) != 1 or text.count(quote.suffix) != 1:
        return None
    start = text.index(quote.prefix) + len(quote.prefix)
    end = text.index(quote.suffix)
    return (start, end) if start < end <= start + _REWRITTEN * len(quote.exact) + 40 else None

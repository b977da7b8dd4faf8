"""ChangeSet: what turns one text into another, with the semantics and the JSON of CodeMirror 6.

A change set is an ordered tuple of replacements (start, end, text) over a text of a known length; what lies between
them is kept and not mentioned. start and end are positions in the old text, text is in units form (see `text.py`).
The form is canonical, as `replacements.py` says, so equal change sets have equal JSON. Values are immutable; every
refusal leaves everything as it was.

Results equal `@codemirror/state` to the byte (tests/vectors). Nothing but `apply`, which copies it, costs more in a
long text than in a short one; one replacement against one, which typing consists of, comes first and by itself in
`compose` and `map`; the rest is in `replacements.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Union

from drafting.engine.replacements import Replacement, add, composed, growth, mapped
from drafting.engine.text import check_units, cuts_pair, from_units, join_lines, split_lines, to_units
from drafting.errors import EngineError, InvalidChanges, InvalidInput, MismatchError, PositionError

Spec = Union[Replacement, "ChangeSet", list["Spec"]]

# No text is longer than this many code units: what a database integer and an exact JavaScript number both hold.
MAX_LENGTH = 2**31 - 1

# Which deletions map_pos reports: none, of both characters around the position, of the one before, of the one after.
MODES = (None, "simple", "track_del", "track_before", "track_after")


class ChangeSet:
    """What turns a text of `length` code units into one of `new_length`.

    length         code units of the old text
    new_length     code units of the new text
    replacements   (start, end, text) in the old text, in order, canonical as `replacements.py` says
    is_empty       True when nothing changes
    """

    __slots__ = ("_length", "_new_length", "_replacements")

    def __init__(self, length: int, new_length: int, replacements: tuple[Replacement, ...]) -> None:
        """For this module, which knows that the three belong together; others use `of`, `empty` or `from_json`."""
        self._length = length
        self._new_length = new_length
        self._replacements = replacements

    length = property(attrgetter("_length"))
    new_length = property(attrgetter("_new_length"))
    replacements = property(attrgetter("_replacements"))

    @property
    def is_empty(self) -> bool:
        return not self._replacements

    @staticmethod
    def empty(length: int) -> ChangeSet:
        """The change set that changes nothing in a text of this length."""
        return ChangeSet(_checked_length(length), length, ())

    @staticmethod
    def of(changes: Spec, length: int) -> ChangeSet:
        """All these changes at once to one text.

        changes   a tuple (start, end, text), a ChangeSet, or a list of such and of lists; every position is in the
                  text before any of them
        length    code units of that text
        raises    PositionError outside the text or for end before start, MismatchError for a ChangeSet of another
                  length, EngineError for text that is not in units form
        source    CodeMirror 6 reference, ChangeSet.of: what does not come in order is mapped over what came before it
        """
        _checked_length(length)
        total: ChangeSet | None = None
        run: list[Replacement] = []
        for change in _flat(changes):
            if isinstance(change, ChangeSet):
                if change._length != length:
                    raise MismatchError(
                        f"A change set for {change._length} code units, among changes to a text of {length}."
                    )
                total = _joined_to(total, _of_run(run, length)) if run else total
                run = []
                total = _joined_to(total, change)
                continue
            start, end, text = _checked_replacement(change, length)
            if start == end and not text:
                continue
            if run and start < run[-1][1]:
                total = _joined_to(total, _of_run(run, length))
                run = []
            add(run, start, end, text)
        if run or total is None:
            total = _joined_to(total, _of_run(run, length))
        return total

    def apply(self, text: str) -> str:
        """The new text.

        text     the old text, units form
        raises   MismatchError when its length is another; PositionError when a replacement cuts a surrogate pair
        """
        if not isinstance(text, str) or len(text) != self._length:
            raise _wrong_text(self._length, text)
        replacements = self._replacements
        plain = text.isascii()
        if len(replacements) == 1:
            start, end, inserted = replacements[0]
            if not plain:
                _check_cuts(text, start, end)
            return text[:start] + inserted + text[end:]
        parts = []
        pos = 0
        for start, end, inserted in replacements:
            if not plain:
                _check_cuts(text, start, end)
            parts.append(text[pos:start])
            parts.append(inserted)
            pos = end
        parts.append(text[pos:])
        return "".join(parts)

    def invert(self, text: str) -> ChangeSet:
        """What turns the new text back into the old one.

        text     the old text, units form
        raises   as apply
        law      changes.compose(changes.invert(text)) applied to text gives text
        """
        if not isinstance(text, str) or len(text) != self._length:
            raise _wrong_text(self._length, text)
        inverse = []
        shift = 0
        for start, end, inserted in self._replacements:
            _check_cuts(text, start, end)
            inverse.append((start + shift, start + shift + len(inserted), text[start:end]))
            shift += len(inserted) - (end - start)
        return ChangeSet(self._new_length, self._length, tuple(inverse))

    def compose(self, other: ChangeSet) -> ChangeSet:
        """This and then the other, as one.

        other    starts in the text that this one produces
        raises   MismatchError when the lengths say that it does not; PositionError when it cuts a surrogate pair
                 that this one inserts
        law      a.compose(b).apply(t) == b.apply(a.apply(t)); associative as to the text
        """
        if not isinstance(other, ChangeSet):
            raise MismatchError(f"Cannot compose a change set with {type(other).__name__}.")
        if self._new_length != other._length:
            raise MismatchError(
                f"Cannot compose: the first change set produces {self._new_length} code units, "
                f"the second starts from {other._length}."
            )
        mine, theirs = self._replacements, other._replacements
        if not theirs:
            return self
        if not mine:
            return other
        if len(mine) == 1 == len(theirs):
            s, e, t = mine[0]
            p, q, u = theirs[0]
            if q < s:
                return ChangeSet(self._length, other._new_length, (theirs[0], mine[0]))
            grown = len(t) - (e - s)
            if p > e + grown:
                return ChangeSet(self._length, other._new_length, (mine[0], (p - grown, q - grown, u)))
            if s == e and p == q == s + len(t):
                return ChangeSet(self._length, other._new_length, ((s, s, t + u),))
        return ChangeSet(self._length, other._new_length, tuple(composed(mine, theirs)))

    def map(self, other: ChangeSet, before: bool = False) -> ChangeSet:
        """This change as it reads after the other one, which starts in the same text.

        before   where both insert at one point: True puts this one's text first, False the other's
        raises   MismatchError when the two start in texts of different lengths
        law      a.compose(b.map(a)) and b.compose(a.map(b, before=True)) give the same text
        source   CodeMirror 6 reference, ChangeSet.map
        """
        if not isinstance(other, ChangeSet):
            raise MismatchError(f"Cannot map a change set over {type(other).__name__}.")
        if self._length != other._length:
            raise MismatchError(
                f"Cannot map a change set for {self._length} code units over one for {other._length}: "
                "both must start in the same text."
            )
        mine, theirs = self._replacements, other._replacements
        if not theirs:
            return self
        length = other._new_length
        if not mine:
            return ChangeSet(length, length, ())
        if len(mine) == 1 == len(theirs):
            s, e, _ = mine[0]
            p, q, u = theirs[0]
            if e < p or (e == p and (s < e or p < q or before)):
                return ChangeSet(length, length + self._new_length - self._length, mine)
            if q <= s:
                shift = len(u) - (q - p)
                return ChangeSet(
                    length, length + self._new_length - self._length, ((s + shift, e + shift, mine[0][2]),)
                )
            if p < s and e <= q:
                # Mine is inside what they replace: my text stands behind theirs, if I have any.
                pos, text = p + len(u), mine[0][2]
                return ChangeSet(length, length + len(text), ((pos, pos, text),) if text else ())
        over = tuple(mapped(mine, theirs, before))
        return ChangeSet(length, length + growth(over), over)

    def map_pos(self, pos: int, assoc: int = -1, mode: str | None = None) -> int | None:
        """Where a position of the old text lies in the new text, or None when `mode` asks about a deletion there.

        pos      old text, code units, 0 ≤ pos ≤ length
        assoc    side it keeps to when text is inserted exactly there: negative left, otherwise right
        mode     None or "simple" never report; "track_del" reports the deletion of the characters on both sides,
                 "track_before" of the one before, "track_after" of the one after
        raises   PositionError when pos is outside the text; EngineError for an unknown mode
        law      never moves two positions past each other
        source   CodeMirror 6 reference, ChangeDesc.mapPos and MapMode
        """
        if type(pos) is not int or not 0 <= pos <= self._length:
            raise PositionError(f"Position {pos} is outside a text of {self._length} code units.", position=pos)
        if mode not in MODES or not isinstance(assoc, int):
            raise EngineError(f"Unknown mode {mode!r}, one of {MODES}, or side {assoc!r}, a whole number.")
        shift = 0
        for start, end, text in self._replacements:
            if start > pos:
                break
            if end >= pos:
                cut_before, cut_after = start < pos, end > pos
                if (
                    (mode == "track_del" and cut_before and cut_after)
                    or (mode == "track_before" and cut_before)
                    or (mode == "track_after" and cut_after)
                ):
                    return None
                if cut_after or (assoc < 0 and start == end):
                    return start + shift + (0 if assoc < 0 or start == pos else len(text))
            shift += len(text) - (end - start)
        return pos + shift

    def iter_changes(self, individual: bool = False) -> Iterator[tuple[int, int, int, int, str]]:
        """(start_a, end_a, start_b, end_b, text) of each change, in order; _a in the old text, _b in the new.

        individual   report touching replacements one by one, not as one
        """
        shift = 0
        open_ = None
        for start, end, text in self._replacements:
            start_b = start + shift
            shift += len(text) - (end - start)
            if open_ and not individual and open_[1] == start:
                open_ = (open_[0], end, open_[2], end + shift, open_[4] + text)
                continue
            if open_:
                yield open_
            open_ = (start, end, start_b, end + shift, text)
        if open_:
            yield open_

    def to_json(self) -> list[Any]:
        """CodeMirror's form: a number keeps, [n] deletes, [n, line, …] replaces; lines are ordinary Unicode."""
        parts: list[Any] = []
        pos = 0
        for start, end, text in self._replacements:
            if start > pos:
                parts.append(start - pos)
            parts.append([end - start, *split_lines(from_units(text))] if text else [end - start])
            pos = end
        if pos < self._length:
            parts.append(self._length - pos)
        return parts

    @staticmethod
    def from_json(value: Any) -> ChangeSet:
        """The change set that `to_json`, or CodeMirror's toJSON, wrote.

        value    as the JSON decoder gave it; anything may come in
        raises   InvalidChanges, naming the part and what it should have been
        """
        if type(value) is not list:
            raise InvalidChanges(f"Changes must be a list of parts, not {type(value).__name__}.")
        replacements: list[Replacement] = []
        pos = new_length = 0
        for index, part in enumerate(value):
            if type(part) is int:
                kept = _length_in_json(part, index)
                pos += kept
                new_length += kept
            elif type(part) is list and part:
                end = pos + _length_in_json(part[0], index)
                text = _text_in_json(part, index)
                if end > pos or text:
                    add(replacements, pos, end, text)
                pos = end
                new_length += len(text)
            else:
                raise InvalidChanges(
                    f"Part {index} of the changes must be a number or a list that starts with one, "
                    f"not {'an empty list' if part == [] else type(part).__name__}.",
                    part=index,
                )
            if pos > MAX_LENGTH or new_length > MAX_LENGTH:
                raise InvalidChanges(f"Part {index} of the changes passes {MAX_LENGTH} code units.", part=index)
        return ChangeSet(pos, new_length, tuple(replacements))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ChangeSet):
            return NotImplemented
        return self._length == other._length and self._replacements == other._replacements

    def __hash__(self) -> int:
        return hash((self._length, self._replacements))

    def __repr__(self) -> str:
        return f"ChangeSet.of({list(self._replacements)!r}, {self._length})"


def _flat(changes: Spec) -> Iterator[Replacement | ChangeSet]:
    """The changes of a nested list in order; without recursion, so that depth cannot hurt."""
    waiting = [iter((changes,))]
    while waiting:
        for change in waiting[-1]:
            if isinstance(change, list):
                waiting.append(iter(change))
                break
            yield change
        else:
            waiting.pop()


def _of_run(run: list[Replacement], length: int) -> ChangeSet:
    """The change set of replacements that are canonical already."""
    return ChangeSet(length, length + growth(run), tuple(run))


def _joined_to(total: ChangeSet | None, change: ChangeSet) -> ChangeSet:
    """Both, where the change starts in the text that the total starts in."""
    return total.compose(change.map(total)) if total else change


def _checked_length(length: int) -> int:
    if type(length) is not int or not 0 <= length <= MAX_LENGTH:
        raise PositionError(f"A text cannot have {length!r} code units: from 0 to {MAX_LENGTH}.")
    return length


def _checked_replacement(change: Any, length: int) -> Replacement:
    if type(change) is not tuple or len(change) != 3:
        raise EngineError(f"A change is a tuple (start, end, text), not {type(change).__name__}.")
    start, end, text = change
    if type(start) is not int or type(end) is not int or not isinstance(text, str):
        raise EngineError(
            "A change is a tuple (start, end, text) of int, int and str, "
            f"not {type(start).__name__}, {type(end).__name__} and {type(text).__name__}."
        )
    if not 0 <= start <= end <= length:
        raise PositionError(f"Cannot replace [{start}, {end}) in a text of {length} code units.", position=start)
    check_units(text)
    return start, end, text


def _check_cuts(text: str, start: int, end: int) -> None:
    for pos in (start, end):
        if cuts_pair(text, pos):
            raise PositionError(f"Position {pos} is between the halves of a surrogate pair.", position=pos)


def _wrong_text(length: int, text: Any) -> MismatchError:
    if not isinstance(text, str):
        return MismatchError(
            f"A change set for {length} code units does not fit what is no text: {type(text).__name__}."
        )
    return MismatchError(
        f"A change set for {length} code units does not fit a text of {len(text)} (was it put in units form?)."
    )


def _length_in_json(value: Any, index: int) -> int:
    if type(value) is not int:
        raise InvalidChanges(
            f"Part {index} of the changes must hold a whole number, not {type(value).__name__}.", part=index
        )
    if not 0 <= value <= MAX_LENGTH:
        said = str(value) if abs(value) < 10**20 else "a number of more than 20 digits"
        raise InvalidChanges(f"Part {index} of the changes: {said} is not between 0 and {MAX_LENGTH}.", part=index)
    return value


def _text_in_json(part: list[Any], index: int) -> str:
    """The text of a part, units form. A line must not contain LF: `to_json` makes two lines of it."""
    for line in part[1:]:
        if not isinstance(line, str):
            raise InvalidChanges(
                f"Part {index} of the changes: a line must be text, not {type(line).__name__}.", part=index
            )
        if "\n" in line:
            raise InvalidChanges(f"Part {index} of the changes: a line holds a line end, send two lines.", part=index)
    try:
        return to_units(join_lines(part[1:]))
    except InvalidInput as error:
        raise InvalidChanges(f"Part {index} of the changes: {error.message}", part=index) from None

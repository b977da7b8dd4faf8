"""The order of all characters that stood at one version or came after it, living and dead, by folding the log.

A `Weave` starts as the text of version a, one run that is never looked into, and takes the revisions after a in turn.
What a revision deletes stays in its place as a dead run. What it inserts stands right before the character that follows
it or that it replaces, behind all dead ones there, so that what is typed before or after a replacement stands outside
it. Characters that a revision brings back by identity (carried spans) come alive again in their own place when that
place is where they are inserted; anywhere else they are new characters with an old identity.

A run is a tuple (standing, length, born, offset, died):
  standing   length while it stands, 0 when it is dead: what it takes up in the newest text
  born       0 for the text of version a, else the revision that inserted it; of characters that died before version a
             and came alive again, the first revision after a that brought them back
  offset     in the text of version a, or in all that the revision inserted
  died       the revision that deleted it last, 0 while it stands

A fold costs what changed and not what stands: the untouched text is one run without an end. Edits are local, so the
runs lie around a cursor, in order on its left and in reverse on its right (two stacks), dead ones next to the cursor in
a queue of their own in between; the runs that are far away lie in closed blocks on two more stacks, so that a leap
passes blocks and not runs. Many dead ones together are closed as a *bundle*, a run of length 0 whose `died` says where
they are kept: what was taken back key by key is passed in one step while others type elsewhere. The cursor always rests
right before a standing run. Speed and clarity collide here: `fold` has the common cases written out.

Keys pressed one after the other, each a revision, would make a run each; inside they are one *ramp*, with offset
-1, whose characters are born by `born`, `born` + 1, … `runs` gives them one by one, `ramps` as they are.

Identities of the text of version a, and the places of what had died before it, are needed only where something older
was brought back; then they are derived once, from the beginning of the log.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate

from drafting.engine.attribution import Log, checked_version, spans_at
from drafting.engine.changes import ChangeSet
from drafting.engine.spans import Span, check_spans, cut, joined
from drafting.errors import MismatchError, PositionError

Run = tuple[int, int, int, int, int]

# The untouched rest of version a has no end: longer than any text (changes.MAX_LENGTH).
_ENDLESS = 1 << 40
_SHORTEST_ENDLESS = 1 << 39
# Runs in a closed block. Shorter blocks make leaps dearer, longer ones the last steps; 32 to 256 measure the same.
_BLOCK = 64


class Weave:
    """All characters from version `a` of a log on; `version` is how far it has been folded.

    law   the standing runs, in order, are the text of `version`
    """

    def __init__(self, log: Log, a: int, *, vanished: bool = True) -> None:
        """The weave of version a alone.

        vanished   False lets go of what came after version a and went again, which is cheaper; if a later revision
                   carries spans, and so may bring something back, the weave is folded again with it
        raises     PositionError when the log has no version a
        """
        self._keeps = vanished
        self.log = log
        self.a = checked_version(a, 0, log.version)
        self.version = a
        self.length = log.changes(a + 1).length if a < log.version else len(log.text(a))
        self.length_a = self.length
        self._left: list[Run] = []
        self._gap: deque[Run] = deque()  # dead ones between the two, in order
        self._right: list[Run] = [(_ENDLESS, _ENDLESS, 0, 0, 0)]
        self._start = 0  # where the open block begins, and where the cursor is, in the newest text
        self._pos = 0
        self._size = _ENDLESS  # what stands in the open block
        self._bundles: list[list[Run]] = []
        self._before: list[tuple[int, list[Run]]] = []  # closed blocks in order, with what stands in them
        self._after: list[tuple[int, list[Run]]] = []  # in reverse
        self._spans_a: list[Span] | None = None
        self._ends_a: list[int] = []
        self._knows_dead = a == 0
        self.carrying: set[int] = set()  # the revisions that carry spans
        self._awoken: dict[int, list[tuple[int, int]]] = {}  # by revision: what it brought back from before version a

    # ── folding ──

    def fold(self, version: int) -> Weave:
        """This weave, after the log's revisions up to a version.

        raises   PositionError when the log does not have it or the weave is past it
        """
        checked_version(version, self.version, self.log.version)
        log = self.log
        changes_of, carried_of = log.changes, log.carried
        key = -1  # the last revision that inserted one character and began a run; not 0, which version a is born by
        for each in range(self.version + 1, version + 1):
            changes = changes_of(each)
            carried = carried_of(each)
            if carried is None:
                replacements = changes.replacements
                if len(replacements) == 1 and changes.length == self.length:
                    start, end, inserted = replacements[0]
                    if start == end == self._pos:
                        # A key where the last one was.
                        left = self._left
                        if self._gap:
                            self._shut_gap(left)
                        size = len(inserted)
                        if size == 1 and left:
                            length, _, born, offset, _ = left[-1]
                            if born + length == each and (offset < 0 or born == key):
                                left[-1] = (length + 1, length + 1, born, -1, 0)
                            else:
                                left.append((1, 1, each, 0, 0))
                                key = each
                        else:
                            left.append((size, size, each, 0, 0))
                            key = each if size == 1 else -1
                        self._pos += size
                        self._size += size
                        self.length += size
                        self.version = each
                        continue
                    if start == self._pos - 1 and end == start + 1 and not inserted:
                        # The key that takes the last character back.
                        left, gap = self._left, self._gap
                        if (left and left[-1][0]) or self._find_standing():
                            size, _, born, offset, _ = left.pop()
                            size -= 1
                            if size:
                                left.append((size, size, born, offset, 0))
                            if self._keeps or not born:
                                if offset < 0:
                                    gap.appendleft((0, 1, born + size, 0, each))
                                else:
                                    gap.appendleft((0, 1, born, offset + size, each))
                            self._pos = start
                            self._size -= 1
                            self.length -= 1
                            self.version = each
                            continue
            self.take(changes, each, carried)
        return self

    def _recall(self) -> None:
        """Give the characters that died before version a their places, by folding the log from its beginning.

        Asked for once, when a revision brings back something that may be one of them: older than version a, or from
        another stream.
        """
        whole = Weave(self.log, 0)
        whole.fold(self.a)
        spans: list[Span] = []
        runs: list[Run] = []
        at = 0
        for run in whole.runs():
            if run[0]:
                spans += whole.spans(run)
                runs.append((run[0], run[0], 0, at, 0))
                at += run[0]
            else:
                runs.append(run)
        runs.append((_ENDLESS, _ENDLESS, 0, at, 0))
        version, self.version, self.length = self.version, self.a, at
        self._left, self._right, self._before, self._after = [], runs[::-1], [], []
        self._gap.clear()
        self._start = self._pos = 0
        self._size = _ENDLESS + at
        self._keep_spans(spans)
        self._knows_dead = True
        self._pass_dead()
        self.fold(version)

    def _recall_vanished(self) -> None:
        """Fold again, with what came and went."""
        version = self.version
        self.__init__(self.log, self.a)  # type: ignore[misc]
        self.fold(version)

    def take(self, changes: ChangeSet, version: int, carried: Sequence[Span] | None) -> None:
        """One revision more, right after `self.version`."""
        if changes.length != self.length:
            raise MismatchError(f"A change set for {changes.length} code units, folded onto a text of {self.length}.")
        if carried is not None:
            if not self._keeps:
                self._recall_vanished()
            carried = list(carried)
            self.carrying.add(version)
            check_spans(carried, sum(len(text) for _, _, text in changes.replacements))
            if not self._knows_dead and any(span.stream or span.version <= self.a for span in carried):
                self._recall()
        shift = offset = 0
        for start, end, inserted in changes.replacements:
            if start + shift != self._pos:
                self._move(start + shift)
            size = len(inserted)
            if size and carried is None:
                # In front of what it replaces: what comes to stand on its left or right later stays there when it goes.
                self._put((size, size, version, offset, 0))
            if start < end:
                self._kill(end - start, version)
            if size and carried is not None:
                self._revive(version, offset, cut(carried, offset, offset + size))
                self._pos += size
                self._size += size
            offset += size
            shift += size - (end - start)
        self.length = changes.new_length
        self.version = version

    def _put(self, run: Run) -> None:
        """Insert a standing run at the cursor."""
        self._shut_gap(self._left)
        self._left.append(run)
        self._pos += run[0]
        self._size += run[0]

    def _kill(self, left: int, version: int) -> None:
        """Delete what stands behind the cursor, so many code units."""
        done, right, keeps = self._gap, self._right, self._keeps
        self._size -= left
        while left:
            if not right:
                self._widen()
                continue
            run = right.pop()
            size, length, born, offset, _ = run
            if not size:
                done.append(run)
                continue
            if size > left:
                right.append(_part(run, left, size))
                length = size = left
            if keeps or not born:
                done.append((0, length, born, offset, version))
            left -= size
        self._pass_dead()

    def _shut_gap(self, runs: list[Run], backward: bool = False) -> None:
        """Put the dead runs at the cursor to those on one side of it; many as a bundle."""
        gap = self._gap
        if len(gap) > _BLOCK:
            self._bundles.append(list(gap))
            runs.append((0, 0, 0, 0, len(self._bundles) - 1))
        else:
            runs.extend(reversed(gap) if backward else gap)
        gap.clear()

    def _widen(self) -> None:
        """Add the next closed block to the open one."""
        size, runs = self._after.pop()
        self._size += size
        self._right.extend(reversed(runs))

    def _pass_dead(self) -> None:
        """Bring the cursor behind the dead runs that follow it."""
        gap, right = self._gap, self._right
        while True:
            while right and not right[-1][0]:
                gap.append(right.pop())
            if right:
                return
            self._widen()

    def _find_standing(self) -> bool:
        """Put what is dead on the left of the cursor into the gap, however far; False when nothing stands there."""
        left, gap = self._left, self._gap
        while True:
            while left and not left[-1][0]:
                gap.appendleft(left.pop())
            if left or not self._before:
                return bool(left)
            size, runs = self._before.pop()
            if size:
                self._start -= size
                self._size += size
                left.extend(runs)
            else:
                gap.extendleft(reversed(runs))

    def _move(self, pos: int) -> None:
        """Bring the cursor to a place of the newest text."""
        if not self._start <= pos < self._start + self._size or len(self._left) + len(self._right) > 4 * _BLOCK:
            self._leap(pos)
        left, right = self._left, self._right
        at = self._pos
        if self._gap:
            self._shut_gap(right if at > pos else left, backward=at > pos)
        while at > pos:
            run = left.pop()
            size = run[0]
            at -= size
            if at < pos:
                left.append(_part(run, 0, pos - at))
                run = _part(run, pos - at, size)
                at = pos
            right.append(run)
        if at < pos:
            while at < pos:
                run = right.pop()
                size = run[0]
                at += size
                if at > pos:
                    right.append(_part(run, size - at + pos, size))
                    run = _part(run, 0, size - at + pos)
                    at = pos
                left.append(run)
            self._pos = pos
            self._pass_dead()
        self._pos = pos

    def _leap(self, pos: int) -> None:
        """Close the open block and open the one that holds the character at `pos`."""
        before, after = self._before, self._after
        runs = self._left
        self._shut_gap(runs)
        runs.extend(reversed(self._right))
        closed = []
        step = len(runs) // max(1, len(runs) // _BLOCK) + 1
        rest = self._size
        while len(runs) > step:
            block = runs[:step]
            size = sum([run[0] for run in block])
            closed.append((size, block))
            runs = runs[step:]
            rest -= size
        closed.append((rest, runs))
        start = self._start
        if pos < start:
            after.extend(reversed(closed))
        else:
            before.extend(closed)
            start += self._size
        while pos < start:
            block = before.pop()
            start -= block[0]
            after.append(block)
        while pos >= start + after[-1][0]:
            block = after.pop()
            start += block[0]
            before.append(block)
        self._size, runs = after.pop()
        self._start = self._pos = start
        self._left = []
        self._right = runs[::-1]
        self._pass_dead()

    # ── bringing back by identity ──

    def _revive(self, version: int, offset: int, spans: Sequence[Span]) -> None:
        """Insert characters with identities at the cursor.

        Plan: the dead runs between the two standing neighbours are the gap. Those whose identities are asked for, in
        the gap's order, come alive in place. What has no dead counterpart there is new; it stands before the next one
        that comes alive, or at the end of the gap.
        """
        self._shut_gap(self._left)
        gap: list[tuple[Run, Span]] = []  # every dead run of the gap, cut by identity
        left = self._left
        while True:
            while left and not left[-1][0]:
                run = left.pop()
                if run[1]:
                    gap.extend(reversed([(piece, span) for piece, span in self._by_identity(run)]))
                else:
                    left.extend(self._bundles[run[4]])
            if left or not self._before:
                break
            size, runs = self._before.pop()
            self._start -= size
            self._size += size
            left.extend(runs)
        gap.reverse()
        places: dict[tuple[int, int], list[int]] = {}
        for index, (_, span) in enumerate(gap):
            places.setdefault((span.stream, span.version), []).append(index)
        at = 0  # gap[at] is the first that is not passed; `used` of its characters are
        used = 0
        fresh: list[Run] = []
        for length, stream, born, first in spans:
            while length:
                best = None  # (first character of the span that has a counterpart, its index in the gap)
                for index in places.get((stream, born), ()):
                    if index < at:
                        continue
                    span = gap[index][1]
                    low = span.offset + (used if index == at else 0)
                    high = span.offset + span.length
                    char = max(low, first)
                    if char < min(high, first + length) and (best is None or char < best[0]):
                        best = (char, index)
                        if char == first:
                            break
                new = length if best is None else best[0] - first
                if new:
                    fresh.append((new, new, version, offset, 0))
                    offset += new
                    first += new
                    length -= new
                if best is None:
                    break
                index = best[1]
                while at < index:
                    self._left.append(_tail(gap[at][0], used))
                    at += 1
                    used = 0
                run, span = gap[index]
                skipped = first - span.offset
                if skipped > used:
                    self._left.append(_part(run, used, skipped))
                size = min(span.length - skipped, length)
                self._left.extend(fresh)
                fresh = []
                if 0 < run[2] <= self.a:
                    self._left.append((size, size, version, offset, 0))
                    self._awoken.setdefault(version, []).append((offset, offset + size))
                else:
                    _, _, woken, place, _ = _part(run, skipped, skipped + size)
                    self._left.append((size, size, woken, place, 0))
                used = skipped + size
                if used == span.length:
                    at += 1
                    used = 0
                offset += size
                first += size
                length -= size
        while at < len(gap):
            self._left.append(_tail(gap[at][0], used))
            at += 1
            used = 0
        self._left.extend(fresh)

    def _by_identity(self, run: Run) -> Iterator[tuple[Run, Span]]:
        """The run cut into pieces that each have one span."""
        used = 0
        for span in self.spans(run):
            yield _part(run, used, used + span.length), span
            used += span.length

    # ── reading ──

    def ramps(self) -> Iterator[Run]:
        """Every run in order, ramps whole."""
        rest = self.length_a
        right = (self._right[::-1], *(block for _, block in reversed(self._after)))
        for runs in (*(block for _, block in self._before), self._left, self._gap, *right):
            for run in runs:
                if not run[1]:
                    yield from self._bundle(run)
                elif run[1] < _SHORTEST_ENDLESS:
                    yield run
                elif rest > run[3]:
                    left = rest - run[3]
                    yield left, left, 0, run[3], 0

    def _bundle(self, run: Run) -> Iterator[Run]:
        """The runs of a bundle. Without recursion: what is bundled again and again lies deep."""
        waiting = [iter((run,))]
        while waiting:
            for each in waiting[-1]:
                if not each[1]:
                    waiting.append(iter(self._bundles[each[4]]))
                    break
                yield each
            else:
                waiting.pop()

    def runs(self) -> Iterator[Run]:
        """Every run in order."""
        for run in self.ramps():
            standing, length, born, offset, died = run
            if offset < 0:
                one = 1 if standing else 0
                for each in range(born, born + length):
                    yield one, 1, each, 0, died
            else:
                yield run

    def is_awoken(self, run: Run) -> bool:
        """Whether the run died before version a, in the place where it stands or stood since."""
        return any(start <= run[3] < end for start, end in self._awoken.get(run[2], ()))

    def spans(self, run: Run) -> list[Span]:
        """The identities of a run's characters."""
        _, length, born, offset, _ = run
        if offset < 0:
            return [Span(1, 0, each, 0) for each in range(born, born + length)]
        if born:
            carried = self.log.carried(born)
            if carried is None:
                return [Span(length, 0, born, offset)]
            return joined(cut(carried, offset, offset + length))
        if self._spans_a is None:
            self._keep_spans(spans_at(self.log, self.a))
        assert self._spans_a is not None
        index = bisect_right(self._ends_a, offset)
        pieces = []
        while length:
            size, stream, version, first = self._spans_a[index]
            skipped = offset - (self._ends_a[index] - size)
            taken = min(size - skipped, length)
            pieces.append(tuple.__new__(Span, (taken, stream, version, first + skipped)))
            offset += taken
            length -= taken
            index += 1
        return pieces

    def _keep_spans(self, spans: list[Span]) -> None:
        self._spans_a = spans
        self._ends_a = list(accumulate(span.length for span in spans))


def weave(log: Log, a: int, b: int, *, vanished: bool = True) -> Weave:
    """The weave of the characters from version a on, folded up to b.

    a, b      0 ≤ a ≤ b ≤ log.version, else PositionError
    vanished  as for Weave
    cost      below a microsecond a revision while people type; does not depend on the length of the text
    """
    if b < a:
        raise PositionError(f"A weave goes forward, not from version {a} to {b}.", position=b)
    return Weave(log, a, vanished=vanished).fold(b)


def inserted_text(changes: ChangeSet) -> str:
    """All that a change set inserts, one text behind the other: what offsets of its revision count in."""
    replacements = changes.replacements
    return replacements[0][2] if len(replacements) == 1 else "".join(text for _, _, text in replacements)


def _part(run: Run, start: int, end: int) -> Run:
    """A part of a run, standing or dead as it is."""
    standing, _, born, offset, died = run
    size = end - start
    if offset < 0:
        return size if standing else 0, size, born + start, -1, died
    return size if standing else 0, size, born, offset + start, died


def _tail(run: Run, used: int) -> Run:
    return _part(run, used, run[1]) if used else run

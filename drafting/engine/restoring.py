"""Bringing back what stood: a whole version, or what one revision did undone, by the identity of characters.

Neither rewrites the log: each answers a change set for the newest text, and the spans of what it inserts, to be
appended as one more revision with these carried. Characters come back with the identities they had, in their places.

Undoing revision h, place by place. A *stretch* is what lies between two neighbouring characters that stood before h and
stand now. In a stretch in which h inserted or deleted:

  plain       what h inserted goes, what h deleted (and nobody else since) stands again; the rest stays.
  newer       characters that came after h and stand there touch the place; their revisions are reported. Characters
              that came after h but are older (brought back by identity) are not newer.
  confirmed   the whole place is as before h: newer characters go too, and what the revisions that go had put them in
              place of stands again. A newer character that only stands beside the place stays, unless it took the place
              of something there, or a word would run across the seam to it: `goes` says which.

So "100", made "250 native" by h and "250 local" later, is "100" again or nothing, never "100local".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from drafting.engine.attribution import Log, Span, checked_version, cut, joined, spans_at
from drafting.engine.changes import ChangeSet
from drafting.engine.net import backward
from drafting.engine.weave import Run, Weave, weave
from drafting.engine.words import runs_on, trimmed


@dataclass(frozen=True, slots=True)
class Newer:
    """Characters [start, end) of the newest text that touch the place and came after h, by `version`.

    goes   True when confirming removes them
    """

    version: int
    start: int
    end: int
    goes: bool


@dataclass(frozen=True, slots=True)
class Undoing:
    """What undoing a revision does to the newest text.

    changes             h's characters go, those it deleted stand again; safe to append when `newer` is empty
    carried             spans of all that `changes` inserts; None when it inserts nothing
    newer               what touches the place, in order
    confirmed           the places as before h, to be appended when somebody has seen `newer` and agrees
    confirmed_carried   spans of all that `confirmed` inserts; None when it inserts nothing
    """

    changes: ChangeSet
    carried: tuple[Span, ...] | None
    newer: tuple[Newer, ...]
    confirmed: ChangeSet
    confirmed_carried: tuple[Span, ...] | None

    @property
    def versions(self) -> tuple[int, ...]:
        """Revisions whose characters touch the place, in order."""
        return tuple(sorted({each.version for each in self.newer}))


def restore(log: Log, version: int) -> tuple[ChangeSet, tuple[Span, ...] | None]:
    """What turns the newest text into that of an older version, and the spans of all that it inserts.

    version   PositionError when the log does not have it
    returns   changes on log.text(log.version); spans, or None when nothing is inserted
    law       what stood at both, also if brought back in between, is not touched and keeps its attribution; what comes
              back has the attribution it had
    """
    checked_version(version, 0, log.version)
    newest = log.text(log.version)
    stretches = []
    for start, end, low, _, inserted in backward(weave(log, version, log.version)):
        front, back, middle = trimmed(newest, start, end, inserted)
        if front < back or middle:
            low += front - start
            stretches.append((front, back, middle, low))
    changes = ChangeSet.of([(start, end, inserted) for start, end, inserted, _ in stretches], len(newest))
    if not any(inserted for _, _, inserted, _ in stretches):
        return changes, None
    spans = spans_at(log, version)
    return changes, tuple(joined(each for _, _, text, low in stretches for each in cut(spans, low, low + len(text))))


def undo(log: Log, version: int, undone: Collection[int] = ()) -> Undoing:
    """What undoing one revision does to the newest text: see the module's head.

    version   1 ≤ version ≤ log.version, else PositionError
    undone    revisions that were undone before: what they had brought in, and this one deleted, does not stand again
    law       undone right away it gives back the text before it; characters that came neither by it nor after it, and
              were not deleted by it, stay in the plain form
    """
    checked_version(version, 1, log.version)
    folded = weave(log, version - 1, log.version)
    work = _Undoing(folded, version, frozenset(undone))
    stretch: list[Run] = []
    for run in folded.runs():
        if run[2] == 0 and run[0]:
            if stretch:
                work.take(stretch)
                stretch = []
            work.skip(run)
        else:
            stretch.append(run)
    if stretch:
        work.take(stretch)
    return Undoing(
        changes=work.plain.changes(folded.length),
        carried=work.plain.carried(),
        newer=tuple(work.newer),
        confirmed=work.confirmed.changes(folded.length),
        confirmed_carried=work.confirmed.carried(),
    )


class _Form:
    """One form of the result while it is gathered: replacements of the newest text, and spans."""

    def __init__(self) -> None:
        self._replacements: list[tuple[int, int, str]] = []
        self._spans: list[Span] = []

    def add(self, start: int, end: int, text: str, spans: Iterable[Span] = ()) -> None:
        """Replace; what touches the last replacement becomes one with it, because the weave knows the right order."""
        self._spans.extend(spans)
        if self._replacements and self._replacements[-1][1] == start:
            first, _, before = self._replacements[-1]
            self._replacements[-1] = (first, end, before + text)
        else:
            self._replacements.append((start, end, text))

    def changes(self, length: int) -> ChangeSet:
        return ChangeSet.of(list(self._replacements), length)

    def carried(self) -> tuple[Span, ...] | None:
        return tuple(joined(self._spans)) or None


class _Undoing:
    """The stretches of a weave, one after the other."""

    def __init__(self, folded: Weave, version: int, undone: frozenset[int]) -> None:
        self.folded = folded
        self.version = version
        self.undone = undone
        self.plain = _Form()
        self.confirmed = _Form()
        self.newer: list[Newer] = []
        self._pos = 0  # in the newest text
        self._text_before: str | None = None
        self._newest: str | None = None

    def skip(self, run: Run) -> None:
        """What stood before and stands now."""
        self._pos += run[0]

    def take(self, runs: list[Run]) -> None:
        """One stretch: runs in order, none of which stood before and stands now."""
        places = []
        for run in runs:
            places.append(self._pos)
            self._pos += run[0]
        own = [i for i, run in enumerate(runs) if self._is_own(run)]
        if not own:
            return
        newer = [i for i, run in enumerate(runs) if run[0] and run[2] > self.version and not self._is_older(run)]
        going = self._going(runs, places, own, newer)
        for i in newer:
            each = Newer(runs[i][2], places[i], places[i] + runs[i][0], i in going)
            last = self.newer[-1] if self.newer else None
            if last and last.version == each.version and last.end == each.start and last.goes == each.goes:
                self.newer[-1] = Newer(each.version, last.start, each.end, each.goes)
            else:
                self.newer.append(each)
        gone_with = {runs[i][2] for i in going}
        for i, (run, pos) in enumerate(zip(runs, places, strict=True)):
            standing, length, born, offset, died = run
            if standing:
                if born == self.version:
                    self.plain.add(pos, pos + length, "")
                    self.confirmed.add(pos, pos + length, "")
                elif i in going:
                    self.confirmed.add(pos, pos + length, "")
            elif born == 0:
                inside = own[0] < i < own[-1]
                if died == self.version or died in gone_with or (going and inside):
                    for span in self.folded.spans(run):
                        if span.stream == 0 and span.version in self.undone:
                            offset += span.length
                            continue
                        text = self._before_text()[offset : offset + span.length]
                        offset += span.length
                        self.confirmed.add(pos, pos, text, (span,))
                        if died == self.version:
                            self.plain.add(pos, pos, text, (span,))

    def _is_own(self, run: Run) -> bool:
        """Whether the revision inserted these characters, or deleted them and nobody else since."""
        return run[2] == self.version or (run[2] == 0 and run[4] == self.version)

    def _is_older(self, run: Run) -> bool:
        """Whether characters that came after it were only brought back, to their place or another."""
        return self.folded.is_awoken(run) or all(span.stream == 0 and span.version < self.version for span in self.folded.spans(run))

    def _going(self, runs: list[Run], places: list[int], own: list[int], newer: list[int]) -> set[int]:
        """Which of the newer runs belong to the place, and do not merely stand beside it.

        Inside it; by a revision that deleted something of the place; or a word would run across the seam to them, now or
        after the plain form: then the whole word, and all that stands between it and the place.
        """
        deleters = {
            run[4]
            for run in runs
            if run[4] > self.version and (run[2] in (0, self.version))
        }
        going = {i for i in newer if own[0] < i < own[-1] or runs[i][2] in deleters}
        text = self._newest_text()
        for side in (1, -1):
            # From the place outwards: a run that goes takes with it what stands between it and the place.
            outside = [i for i in newer if (i > own[-1] if side > 0 else i < own[0])]
            outside.sort(reverse=side < 0)
            reach = max((n for n, i in enumerate(outside) if i in going), default=-1)
            going.update(outside[: reach + 1])
            edge = self._edge(runs, places, own, side)
            for i in outside[reach + 1 :]:
                words = text[places[i] : places[i] + runs[i][0]]
                if any(runs_on(each, words) if side > 0 else runs_on(words, each) for each in edge):
                    going.add(i)
                    edge = [words]
                else:
                    break
        return going

    def _edge(self, runs: list[Run], places: list[int], own: list[int], side: int) -> list[str]:
        """The text of the place at one of its sides: as it is now, and as it would be."""
        text = self._newest_text()
        now = [text[places[i] : places[i] + runs[i][0]] for i in own if runs[i][0]]
        then = [self._before_text()[runs[i][3] : runs[i][3] + runs[i][1]] for i in own if runs[i][2] == 0]
        low, high = places[0], places[-1] + runs[-1][0]
        if side > 0:
            return ["".join(now), "".join(then) or text[max(0, low - 3) : low]]
        return ["".join(now), "".join(then) or text[high : high + 3]]

    def _before_text(self) -> str:
        if self._text_before is None:
            self._text_before = self.folded.log.text(self.version - 1)
        return self._text_before

    def _newest_text(self) -> str:
        if self._newest is None:
            self._newest = self.folded.log.text(self.folded.version)
        return self._newest

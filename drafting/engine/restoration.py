"""Bringing back what stood, by character identity: what one revision did taken back, or a whole version.

Neither rewrites the log: each answers changes on the newest text and the spans of all that they insert, to be appended
as one more revision that carries these.

`restoration` takes one revision back: its own characters go, those it deleted stand again in place.
The place of a revision is the stretch of the weave from the first to the last character that it brought in or took
out. If newer characters stand there they would go too, and somebody has to agree. At the place's edges a newer
character counts when its revision replaced some of the place's own, or when it runs on in one word with what stands
there or would stand there: "250" made "2500" is touched, a sentence typed behind an accepted one is not. What was
brought back is not newer, whenever that was. With newer characters that go, what they had replaced stands again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drafting.engine.attribution import Log, checked_version, spans_at
from drafting.engine.changes import ChangeSet
from drafting.engine.net import backward
from drafting.engine.spans import Span, cut, joined
from drafting.engine.weave import Run, Weave, inserted_text, weave
from drafting.engine.words import runs_on


@dataclass(frozen=True, slots=True)
class Restoration:
    """What takes back one revision.

    changes   on the newest text
    carried   identities of what comes back, over all that `changes` inserts; None when nothing does
    newer     versions whose characters stand in the place and go too
    """

    changes: ChangeSet
    carried: tuple[Span, ...] | None
    newer: tuple[int, ...]


def restoration(log: Log, version: int, taken_back: Mapping[int, int] | None = None) -> Restoration:
    """What takes back revision `version` in the log's newest text.

    version     a revision that carried nothing: an acceptance
    taken_back  revisions that were taken back, with the versions that did it: what they had brought in, and was deleted
                before that, does not come back with what deleted it
    cost      a fold over the whole log, below a microsecond a revision: only the order of all that ever stood says
              where what was deleted belongs among what was brought back since
    law       an identity that it brings back is never brought in anew; all else keeps its identity
    """
    woven = weave(log, 0, log.version)
    place = _Place(woven, version, taken_back or {})
    pieces: list[tuple[int, int, str]] = []
    spans: list[Span] = []
    words = ""
    start = pos = 0
    for index, run in enumerate(place.runs):
        stays, comes = place.fate(index)
        if run[0] and stays:
            if start < pos or words:
                pieces.append((start, pos, words))
                words = ""
            start = pos = pos + run[0]
        elif run[0]:
            pos += run[0]
        elif comes:
            words += place.text(run)
            spans += woven.spans(run)
    if start < pos or words:
        pieces.append((start, pos, words))
    return Restoration(ChangeSet.of(list(pieces), pos), tuple(joined(spans)) or None, place.newer_versions())


def restore(log: Log, version: int) -> tuple[ChangeSet, tuple[Span, ...] | None]:
    """What turns the newest text into that of an older version, and the spans of all that it inserts.

    version   PositionError when the log does not have it
    returns   changes on log.text(log.version); spans, or None when nothing is inserted
    law       every character of the older version has the attribution it had there: what stood at both, also if
              brought back in between, is not touched, and the same letters typed anew since are not taken for it
    """
    checked_version(version, 0, log.version)
    stretches = list(backward(weave(log, version, log.version, vanished=False)))
    if not any(inserted for *_, inserted in stretches):
        return ChangeSet.of([(start, end, "") for start, end, *_ in stretches], len(log.text(log.version))), None
    now, then = spans_at(log, log.version), spans_at(log, version)
    replacements: list[tuple[int, int, str]] = []
    carried: list[Span] = []
    for start, end, low, high, inserted in stretches:
        front, back = _same_ends(_identities(now, start, end), _identities(then, low, high))
        if start + front < end - back or low + front < high - back:
            replacements.append((start + front, end - back, inserted[front : len(inserted) - back]))
            carried += cut(then, low + front, high - back)
    changes = ChangeSet.of(list(replacements), len(log.text(log.version)))
    return changes, tuple(joined(carried)) or None


def _identities(spans: Sequence[Span], low: int, high: int) -> list[tuple[int, int, int]]:
    """(stream, version, offset) of each character of a stretch."""
    return [
        (stream, version, offset + i)
        for length, stream, version, offset in cut(spans, low, high)
        for i in range(length)
    ]


def _same_ends(a: Sequence[object], b: Sequence[object]) -> tuple[int, int]:
    """How many of the first and of the last are the same in both: never the same letters of somebody else."""
    limit = min(len(a), len(b))
    front = 0
    while front < limit and a[front] == b[front]:
        front += 1
    back = 0
    while back < limit - front and a[-1 - back] == b[-1 - back]:
        back += 1
    return front, back


class _Place:
    """The runs of a weave with what one revision has to do with each; low and high bound its place."""

    def __init__(self, woven: Weave, version: int, taken_back: Mapping[int, int]) -> None:
        self.woven = woven
        self.version = version
        self.taken_back = taken_back
        self.runs = list(woven.runs())
        affected = [index for index, run in enumerate(self.runs) if self.is_own(run) or self.is_gone(run)]
        self.low, self.high = (affected[0], affected[-1]) if affected else (0, -1)
        self._texts: dict[int, str] = {}
        if affected:
            self._stretch()
        self.gone_with = set(self.newer_versions())
        # The gap around the place: what newer characters of the place had replaced lies there.
        self.first, self.last = self.low, self.high
        while self.first > 0 and not self.runs[self.first - 1][0]:
            self.first -= 1
        while self.last + 1 < len(self.runs) and not self.runs[self.last + 1][0]:
            self.last += 1

    def is_own(self, run: Run) -> bool:
        """Whether the revision brought it in."""
        return run[2] == self.version

    def is_gone(self, run: Run) -> bool:
        """Whether the revision took it out, and it has not stood since."""
        return not run[0] and run[4] == self.version

    def is_newer(self, run: Run) -> bool:
        """Whether it stands and had not stood before the revision."""
        if not run[0] or run[2] <= self.version:
            return False
        return any(stream or version > self.version for _, stream, version, _ in self.woven.spans(run))

    def fate(self, index: int) -> tuple[bool, bool]:
        """Whether what stands stays, and whether what is dead comes back."""
        run = self.runs[index]
        goes = self.is_own(run) or (self.low <= index <= self.high and self.is_newer(run))
        replaced = run[2] < self.version and run[4] in self.gone_with and self.first <= index <= self.last
        returns = self.is_gone(run) or (not run[0] and replaced)
        return not goes, returns and self.taken_back.get(run[2], 0) <= run[4]

    def newer_versions(self) -> tuple[int, ...]:
        """The revisions whose characters go though they are not the revision's own."""
        return tuple(sorted({run[2] for run in self.runs[self.low : self.high + 1] if self.is_newer(run)}))

    def text(self, run: Run) -> str:
        """The characters of a run, dead or standing."""
        born = run[2]
        if born not in self._texts:
            self._texts[born] = inserted_text(self.woven.log.changes(born))
        return self._texts[born][run[3] : run[3] + run[1]]

    def _stretch(self) -> None:
        """Take in newer characters at the edges that replaced some of the place's own or run on with it in a word."""
        inside = self.runs[self.low : self.high + 1]
        replaced_by = {run[4] for run in inside if self.is_own(run) and not run[0]}
        back = "".join(self.text(run) for run in inside if self.is_gone(run))
        now = "".join(self.text(run) for run in inside if run[0])
        self.high = self._edge(self.high, 1, replaced_by, now, back)
        now = "".join(self.text(run) for run in self.runs[self.low : self.high + 1] if run[0])
        self.low = self._edge(self.low, -1, replaced_by, now, back)

    def _edge(self, edge: int, step: int, replaced_by: set[int], now: str, back: str) -> int:
        """The edge of the place after stretching it one way. A run that is taken in only in part is cut."""
        index = edge + step
        while 0 <= index < len(self.runs):
            run = self.runs[index]
            if not run[0]:
                index += step
                continue
            if not self.is_newer(run):
                break
            text = self.text(run)
            taken = len(text) if run[2] in replaced_by else self._running_on(text, step, now, back)
            if not taken:
                break
            if taken < len(text):
                index = self._cut(index, taken, step)
                text = self.text(self.runs[index])
            now, back = (now + text, back + text) if step > 0 else (text + now, text + back)
            edge = index
            if taken < run[1]:
                break
            index += step
        return edge

    def _running_on(self, text: str, step: int, now: str, back: str) -> int:
        """How many characters of a neighbouring text run on with the place in a word."""
        taken = 0
        while taken < len(text):
            if step > 0:
                unit = text[taken]
                runs = runs_on(now + text[:taken], text[taken:]) or (runs_on(back + text[:taken], text[taken:]))
            else:
                unit = text[len(text) - 1 - taken]
                rest = text[len(text) - taken :]
                runs = runs_on(text[: len(text) - taken], rest + now) or runs_on(text[: len(text) - taken], rest + back)
            if not runs or not unit:
                break
            taken += 1
        return taken

    def _cut(self, index: int, taken: int, step: int) -> int:
        """Cut a standing run so that what is taken stands next to the place; the index of that part."""
        length, _, born, offset, died = self.runs[index]
        first = taken if step > 0 else length - taken
        self.runs[index : index + 1] = [
            (first, first, born, offset, died),
            (length - first, length - first, born, offset + first, died),
        ]
        if step > 0:
            return index
        self.low += 1
        self.high += 1
        return index + 1

"""The `Tape`: a text that is edited, with one small integer for each code unit that says who brought it in.

Text and integers lie in chunks of about a thousand. An integer below `_FIRST` is the version of a revision that
inserted exactly one code unit, as keystrokes do; above it lie the blocks of longer insertions and of carried spans,
found by bisection. A chunk's text is a `str`, its integers are an `array`: of 16 bits where they fit (below `_HALF` a
version less the chunk's base, above it a block's integer less the chunk's other base), else of 32 bits, as they are.
Spans exist only while they are read.

Speed and clarity collide once: what is typed in one go is gathered at a caret, and reaches its chunk when something
else is done. Every reader settles it first.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from drafting.engine.changes import ChangeSet
from drafting.engine.spans import MOST, Span, append, check_spans
from drafting.engine.text import check_units, cuts_pair
from drafting.errors import EngineError, MismatchError, PositionError

Source = TypeVar("Source", bound=Hashable)

# A chunk is halved above this many code units: longer ones make a keystroke dearer, shorter ones cost memory and jumps.
_FULL = 2048
# A chunk below this joins a neighbour, so that deleting much leaves no dust.
_SCANT = 256
# What is typed in one go is settled after this many keys.
_LONG = 128
# Integers from here on are blocks; below they are versions of one-unit revisions.
_FIRST = MOST
_HALF = 1 << 15
# Three times quicker than Span(...), and there is one for every key that was ever pressed.
_made = tuple.__new__


class Tape:
    """A text together with who brought in each of its code units.

    text    units form, else EngineError
    spans   must add up to the text; without them the text is said to be of version 0 of this stream
    raises  as check_spans
    law     spans add up to the text (law 8)
    """

    __slots__ = (
        "_at", "_bases", "_caret", "_chunk", "_count", "_firsts", "_length", "_offsets", "_starts", "_streams",
        "_texts", "_typed", "_typed_who", "_versions", "_whos",
    )  # fmt: skip

    def __init__(self, text: str = "", spans: Iterable[Span] | None = None) -> None:
        self._starts = array("I")  # blocks: first integer less _FIRST, and what it stands for
        self._streams = array("q")
        self._versions = array("I")
        self._offsets = array("I")
        self._count = 0  # integers given to blocks so far
        self._texts: list[str] = [""]
        self._whos: list[array[int]] = [array("H")]
        self._bases: list[int] = [-1]  # of versions, and of blocks; -1 while a chunk of 16 bits has none of them
        self._firsts: list[int] = [-1]
        self._chunk = 0  # where the last change was, and where that chunk starts
        self._at = 0
        self._length = 0
        self._caret = -1  # where keys are being pressed, behind what was typed there and is in no chunk yet
        self._typed = ""
        self._typed_who = array("I")
        check_units(text)
        given = [Span(len(text), 0, 0, 0)] if spans is None else list(spans)
        check_spans(given, len(text))
        if text:
            self._insert(0, text, self._codes_of(given))

    @property
    def length(self) -> int:
        """Code units of the text."""
        return self._length

    # ── changing ──

    def apply(self, changes: ChangeSet, version: int, carried: Sequence[Span] | None = None) -> None:
        """Do what a revision does.

        changes  on the text as it is
        version  of the revision, at least 1; what it inserts is attributed to it
        carried  instead: spans that add up to all that it inserts
        raises   MismatchError when lengths do not fit, PositionError when a surrogate pair is cut, EngineError for a
                 version or spans that cannot be; nothing has changed
        """
        if changes.length != self._length:
            raise MismatchError(f"A change set for {changes.length} code units does not fit a text of {self._length}.")
        if not 0 < version < _FIRST:
            raise EngineError(f"A revision makes version 1 or a later one, not {version}.")
        replacements = changes.replacements
        if len(replacements) == 1 and carried is None:
            start, end, inserted = replacements[0]
            size = len(inserted)
            if not size:
                if end == self._caret and end - start <= len(self._typed):
                    rest = start - end
                    if not "\ud800" <= self._typed[rest] <= "\udfff":
                        self._typed = self._typed[:rest]
                        del self._typed_who[rest:]
                        self._caret = start
                        self._length += rest
                        return
                if self._delete_inside(start, end):
                    return
            elif size <= _LONG and (start == end or self._delete_inside(start, end)):
                if start != self._caret or len(self._typed) + size > _LONG:
                    self._open(start)
                self._typed += inserted
                if size == 1:
                    self._typed_who.append(version)
                else:
                    self._typed_who.extend(self._codes_of([Span(size, 0, version, 0)]))
                self._caret = start + size
                self._length += size
                return
        self._settle()
        self._apply_many(replacements, version, carried)

    def _open(self, pos: int) -> None:
        """Bring the caret to a place where a key is pressed."""
        self._settle()
        self._seek(pos)
        text = self._texts[self._chunk]
        if not text.isascii() and cuts_pair(text, pos - self._at):
            raise _cut(pos)

    def _settle(self) -> None:
        """Put what was typed at the caret into its chunk; afterwards there is no caret."""
        if self._typed:
            typed, who = self._typed, self._typed_who
            self._typed, self._typed_who = "", array("I")
            self._length -= len(typed)
            self._insert(self._caret - len(typed), typed, who)
        self._caret = -1

    def _delete_inside(self, start: int, end: int) -> bool:
        """Delete what lies in one chunk that stays long enough; False, and nothing done, when it is otherwise."""
        self._settle()
        i = start - self._at
        text = self._texts[self._chunk]
        if i < 0 or end - self._at > len(text):
            self._seek(start)
            i = start - self._at
            text = self._texts[self._chunk]
        j = i + end - start
        if j > len(text) or len(text) - j + i < _SCANT:
            return False
        if not text.isascii():
            for pos in (i, j):
                if cuts_pair(text, pos):
                    raise _cut(self._at + pos)
        del self._whos[self._chunk][i:j]
        self._texts[self._chunk] = text[:i] + text[j:]
        self._length += start - end
        return True

    def _apply_many(
        self, replacements: Sequence[tuple[int, int, str]], version: int, carried: Sequence[Span] | None
    ) -> None:
        size = 0
        for start, end, inserted in replacements:
            size += len(inserted)
            for pos in (start, end):
                if self._cuts_pair(pos):
                    raise _cut(pos)
        if carried is None:
            codes = self._codes_of([Span(size, 0, version, 0)] if size else ())
        else:
            check_spans(carried, size)
            codes = self._codes_of(carried)
        for start, end, inserted in reversed(replacements):
            if start < end:
                self._delete(start, end)
            if inserted:
                rest = size - len(inserted)
                self._insert(start, inserted, codes[rest:size])
                size = rest

    def _codes_of(self, spans: Iterable[Span]) -> array[int]:
        """The integers for these spans; new blocks where needed."""
        codes = array("I")
        for length, stream, version, offset in spans:
            if length == 1 and stream == 0 and offset == 0:
                codes.append(version)
                continue
            self._starts.append(self._count)
            self._streams.append(stream)
            self._versions.append(version)
            self._offsets.append(offset)
            first = _FIRST + self._count
            codes.extend(range(first, first + length))
            self._count += length
        return codes

    def _seek(self, pos: int) -> None:
        """Make the chunk current that holds the character at `pos`; the last one at the end of the text."""
        texts = self._texts
        chunk, at = self._chunk, self._at
        if pos < at >> 1:
            chunk = at = 0
        while pos < at:
            chunk -= 1
            at -= len(texts[chunk])
        last = len(texts) - 1
        while chunk < last and pos >= at + len(texts[chunk]):
            at += len(texts[chunk])
            chunk += 1
        self._chunk, self._at = chunk, at

    def _insert(self, pos: int, inserted: str, codes: array[int]) -> None:
        self._seek(pos)
        chunk, i = self._chunk, pos - self._at
        text = self._texts[chunk]
        self._length += len(inserted)
        whole = text[:i] + inserted + text[i:]
        if len(whole) <= _FULL:
            self._texts[chunk] = whole
            who = self._whos[chunk]
            if who.typecode == "I":
                who[i:i] = codes
                return
            narrow = self._narrowed(chunk, codes)
            if narrow is not None:
                who[i:i] = narrow
                return
            who = self._wide(chunk)
            who[i:i] = codes
            self._whos[chunk], self._bases[chunk], self._firsts[chunk] = _narrow(who)
            return
        who = self._wide(chunk)
        who[i:i] = codes
        texts: list[str] = []
        whos: list[array[int]] = []
        bases: list[int] = []
        firsts: list[int] = []
        half = _FULL // 2
        start = 0
        while start < len(whole):
            end = start + half
            if len(whole) - end < half // 2:
                end = len(whole)
            elif cuts_pair(whole, end):
                end += 1
            texts.append(whole[start:end])
            narrow, base, first = _narrow(who[start:end])
            whos.append(narrow)
            bases.append(base)
            firsts.append(first)
            start = end
        self._texts[chunk : chunk + 1] = texts
        self._whos[chunk : chunk + 1] = whos
        self._bases[chunk : chunk + 1] = bases
        self._firsts[chunk : chunk + 1] = firsts

    def _narrowed(self, chunk: int, codes: array[int]) -> array[int] | None:
        """Integers as they stand in a chunk of 16 bits; None when they do not fit above its bases."""
        base, first = self._bases[chunk], self._firsts[chunk]
        least, most = min(codes), max(codes)
        if least < _FIRST:
            newest = most if most < _FIRST else max(code for code in codes if code < _FIRST)
            base = base if base >= 0 else least
            if least < base or newest - base >= _HALF:
                return None
        if most >= _FIRST:
            oldest = least if least >= _FIRST else min(code for code in codes if code >= _FIRST)
            first = first if first >= 0 else oldest
            if oldest < first or most - first >= _HALF:
                return None
        self._bases[chunk], self._firsts[chunk] = base, first
        if most < _FIRST:
            return array("H", [code - base for code in codes])
        above = _HALF - first
        return array("H", [code - base if code < _FIRST else code + above for code in codes])

    def _delete(self, start: int, end: int) -> None:
        self._seek(start)
        left = end - start
        self._length -= left
        chunk, i = self._chunk, start - self._at
        texts, whos = self._texts, self._whos
        while left:
            text = texts[chunk]
            j = min(i + left, len(text))
            left -= j - i
            if j - i == len(text) and len(texts) > 1:
                del texts[chunk], whos[chunk], self._bases[chunk], self._firsts[chunk]
            else:
                texts[chunk] = text[:i] + text[j:]
                del whos[chunk][i:j]
                chunk += 1
            i = 0
        # the current chunk may be gone, or scant
        chunk = self._chunk
        if chunk == len(texts):
            chunk -= 1
            self._at -= len(texts[chunk])
            self._chunk = chunk
        if len(texts[chunk]) < _SCANT and len(texts) > 1:
            self._join(chunk if chunk + 1 < len(texts) else chunk - 1)

    def _join(self, chunk: int) -> None:
        """Make one chunk of this and the next, if that is not too long."""
        texts = self._texts
        if len(texts[chunk]) + len(texts[chunk + 1]) > _FULL - _SCANT:
            return
        who = self._wide(chunk)
        who.extend(self._wide(chunk + 1))
        if self._chunk > chunk:
            self._chunk -= 1
            self._at -= len(texts[chunk])
        texts[chunk : chunk + 2] = [texts[chunk] + texts[chunk + 1]]
        narrow, base, first = _narrow(who)
        self._whos[chunk : chunk + 2] = [narrow]
        self._bases[chunk : chunk + 2] = [base]
        self._firsts[chunk : chunk + 2] = [first]

    def _wide(self, chunk: int) -> array[int]:
        """A chunk's integers as they are meant, in a new array."""
        return array("I", self._codes(chunk))

    def _codes(self, chunk: int) -> Sequence[int]:
        """A chunk's integers as they are meant."""
        who = self._whos[chunk]
        if who.typecode == "I":
            return who
        base, first = self._bases[chunk], self._firsts[chunk] - _HALF
        if first < 0:
            return [base + each for each in who]
        return [base + each if each < _HALF else first + each for each in who]

    def _cuts_pair(self, pos: int) -> bool:
        """True when `pos` lies inside a surrogate pair; chunks never divide one."""
        self._seek(pos)
        return cuts_pair(self._texts[self._chunk], pos - self._at)

    # ── reading ──

    def text(self, start: int = 0, end: int | None = None) -> str:
        """The text, or a part of it, units form.

        raises   PositionError when the part is not inside the text
        """
        self._settle()
        if start == 0 and (end is None or end == self._length):
            return "".join(self._texts)
        return "".join(self._texts[chunk][i:j] for chunk, i, j in self._pieces(start, end))

    def spans(self, start: int = 0, end: int | None = None) -> list[Span]:
        """The spans of the text, or of a part of it; neighbours that continue each other are one.

        raises   PositionError when the part is not inside the text
        law      their lengths add up to the length of the part
        """
        spans: list[Span] = []
        starts = self._starts
        first = until = limit = 0  # the part of a block that is open: integers [first, until), up to the block's end
        for chunk, i, j in self._pieces(start, end):
            for code in self._codes(chunk)[i:j]:
                if code == until and code < limit:
                    until += 1
                    continue
                if first < until:
                    append(spans, self._span(first, until - first))
                if code < _FIRST:
                    first = until = limit = 0
                    spans.append(_made(Span, (1, 0, code, 0)))
                    continue
                first, until = code, code + 1
                block = bisect_right(starts, code - _FIRST)
                limit = _FIRST + (starts[block] if block < len(starts) else self._count)
        if first < until:
            append(spans, self._span(first, until - first))
        return spans

    def identity(self, pos: int) -> Span:
        """The identity of one code unit, as a span of length 1.

        raises   PositionError when there is none at `pos`
        """
        return self.spans(pos, pos + 1)[0]

    def totals(self, source_of: Callable[[int, int], Source]) -> dict[Source, int]:
        """How many code units of the text each source brought in.

        source_of   (stream, version) → source; asked once for each of these
        law         the totals add up to the length
        """
        self._settle()
        counts: Counter[int] = Counter()
        for chunk in range(len(self._whos)):
            counts.update(self._codes(chunk))
        revisions: Counter[tuple[int, int]] = Counter()
        for code, count in counts.items():
            if code < _FIRST:
                revisions[0, code] += count
            else:
                block = bisect_right(self._starts, code - _FIRST) - 1
                revisions[self._streams[block], self._versions[block]] += count
        totals: dict[Source, int] = {}
        for (stream, version), count in revisions.items():
            source = source_of(stream, version)
            totals[source] = totals.get(source, 0) + count
        return totals

    def copy(self) -> Tape:
        """Another tape with the same text and attribution."""
        self._settle()
        other = Tape()
        for name in self.__slots__:
            value = getattr(self, name)
            setattr(other, name, value[:] if isinstance(value, list | array) else value)
        other._whos = [who[:] for who in self._whos]
        return other

    def _span(self, code: int, length: int) -> Span:
        if code < _FIRST:
            return Span(length, 0, code, 0)
        block = bisect_right(self._starts, code - _FIRST) - 1
        return Span(
            length,
            self._streams[block],
            self._versions[block],
            self._offsets[block] + code - _FIRST - self._starts[block],
        )

    def _pieces(self, start: int, end: int | None) -> Iterator[tuple[int, int, int]]:
        """(chunk, i, j) of the parts of chunks that lie in [start, end)."""
        if end is None:
            end = self._length
        if not 0 <= start <= end <= self._length:
            raise PositionError(f"[{start}, {end}) is not inside a text of {self._length} code units.", position=start)
        if start == end:
            return
        self._settle()
        self._seek(start)
        chunk, at = self._chunk, self._at
        while at < end:
            size = len(self._texts[chunk])
            yield chunk, max(start - at, 0), min(end - at, size)
            at += size
            chunk += 1


def _narrow(who: array[int]) -> tuple[array[int], int, int]:
    """The integers in 16 bits where they fit, with their two bases; else in 32 bits."""
    versions = [each for each in who if each < _FIRST]
    blocks = [each for each in who if each >= _FIRST]
    base, first = min(versions, default=-1), min(blocks, default=-1)
    if (versions and max(versions) - base >= _HALF) or (blocks and max(blocks) - first >= _HALF):
        return array("I", who), -1, -1
    above = _HALF - first
    return array("H", [each - base if each < _FIRST else each + above for each in who]), base, first


def _cut(pos: int) -> PositionError:
    return PositionError(f"Position {pos} is between the halves of a surrogate pair.", position=pos)

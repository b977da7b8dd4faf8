"""The `Tape`: a text that is edited, with one small integer for each code unit that says who brought it in.

Text and integers lie in chunks of about a thousand; how a chunk keeps its integers is told in `codes.py`. An integer
below `FIRST` is the version of a revision that inserted exactly one code unit, as keystrokes do; above it lie the
blocks of longer insertions and of carried spans, found by bisection. Spans exist only while they are read.

Speed and clarity collide once: what is typed and deleted in one go is gathered at a caret, and reaches its chunk when
something else is done. Keys that follow each other, each the next version, are only appended to a list before that.
Every reader settles both first.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from math import isqrt
from typing import TypeVar

from drafting.engine.changes import ChangeSet
from drafting.engine.codes import FIRST, Codes
from drafting.engine.spans import Span, append, check_spans
from drafting.engine.text import check_units, cuts_pair
from drafting.errors import EngineError, MismatchError, PositionError

Source = TypeVar("Source", bound=Hashable)

# A chunk is halved above this many code units, above more in texts that would have very many chunks: longer ones make a
# keystroke dearer, shorter ones cost memory and jumps.
_FULL = 2048
# A chunk below this joins a neighbour, so that deleting much leaves no dust.
_SCANT = 256
# So many chunks are passed in one step where a place is so many code units away, which is about as far.
_STRIDE = 16
_FAR_OFF = _STRIDE * _FULL
# What is typed in one go, less simply than key after key, is settled after this many code units.
_LONG = 128
# From this version on every key is checked: before it, no row of keys that memory can hold reaches FIRST.
_FAR = FIRST // 2
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
        "_at", "_caret", "_chunk", "_codes", "_count", "_gone", "_keys", "_length", "_next", "_offsets", "_starts",
        "_streams", "_texts", "_typed", "_typed_codes", "_versions",
    )  # fmt: skip

    def __init__(self, text: str = "", spans: Iterable[Span] | None = None) -> None:
        self._starts = array("I")  # blocks: first integer less FIRST, and what it stands for
        self._streams = array("q")
        self._versions = array("I")
        self._offsets = array("I")
        self._count = 0  # integers given to blocks so far
        self._texts: list[str] = [""]
        self._codes: list[Codes] = [Codes()]
        self._chunk = 0  # where the last change was, and where that chunk starts
        self._at = 0
        self._length = 0
        self._caret = -1  # where keys are being pressed, behind what was typed there and is in no chunk yet
        self._typed = ""
        self._gone = 0  # what is in the chunk behind it still, and was deleted
        self._typed_codes = array("I")
        self._keys: list[str] = []  # pressed after that: the last ones of the versions below this one
        self._next = 0
        check_units(text)
        given = [Span(len(text), 0, 0, 0)] if spans is None else list(spans)
        check_spans(given, len(text))
        if text:
            self._replace(0, 0, text, self._new_codes(given))

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
        if changes._length != self._length:
            raise MismatchError(f"A change set for {changes.length} code units does not fit a text of {self._length}.")
        replacements = changes._replacements
        if carried is None and len(replacements) == 1:
            start, end, inserted = replacements[0]
            if start == end == self._caret and version == self._next and len(inserted) == 1:
                # A key where the last one was, and right after it.
                self._keys.append(inserted)
                self._next += 1
                self._caret = end + 1
                self._length += 1
                return
            _check_version(version)
            if self._apply_one(start, end, inserted, version):
                self._next = version + 1 if version < _FAR else 0
                return
        else:
            _check_version(version)
        self._settle()
        self._apply_many(replacements, version, carried)

    def _apply_one(self, start: int, end: int, inserted: str, version: int) -> bool:
        """Do one replacement that concerns the caret or one chunk; False, and nothing done, when it is another."""
        size = len(inserted)
        if size > _LONG:
            return False
        if start < end and not (self._delete_at_caret(start, end) or self._delete_inside(start, end)):
            return False
        if size:
            if start != self._caret or len(self._typed) + len(self._keys) + size > _LONG:
                self._open(start)
            else:
                self._gather()
            if size == 1 and not self._typed and version < _FAR:
                self._keys.append(inserted)
            else:
                self._typed += inserted
                self._typed_codes.extend([version] if size == 1 else self._new_block(size, 0, version, 0))
            self._caret = start + size
            self._length += size
        return True

    def _open(self, pos: int) -> None:
        """Bring the caret to a place where a key is pressed."""
        self._settle()
        self._seek(pos)
        text = self._texts[self._chunk]
        if not text.isascii() and cuts_pair(text, pos - self._at):
            raise _cut(pos)

    def _gather(self) -> None:
        """Put the keys that were pressed last to what was typed."""
        keys = self._keys
        if keys:
            self._typed += "".join(keys)
            self._typed_codes.extend(range(self._next - len(keys), self._next))
            keys.clear()

    def _settle(self) -> None:
        """Make the chunk what it is at the caret; afterwards there is no caret."""
        keys, gone = self._keys, self._gone
        typed: str = ""
        codes: Sequence[int] = ()
        if self._typed:
            self._gather()
            typed, codes = self._typed, self._typed_codes
            self._typed, self._typed_codes = "", array("I")
        elif keys:
            typed, codes = "".join(keys), range(self._next - len(keys), self._next)
            keys.clear()
        if typed or gone:
            self._gone = 0
            self._length += gone - len(typed)
            self._replace(self._caret - len(typed), gone, typed, codes)
        self._caret = -1

    def _delete_at_caret(self, start: int, end: int) -> bool:
        """Delete what lies right before the caret or behind it; False, and nothing done, when it is not so simple."""
        if self._caret != start and self._caret != end:
            return False
        self._gather()
        size = end - start
        typed = self._typed
        if typed and end == self._caret:
            if size > len(typed) or len(typed) > _FULL or "\ud800" <= typed[-size] <= "\udfff":
                return False
            self._typed = typed[:-size]
            del self._typed_codes[-size:]
        else:
            text = self._texts[self._chunk]
            i = start - self._at
            if start == self._caret:
                i += self._gone - len(typed)
            if i < 0 or i + size > len(text) or len(text) - self._gone - size < _SCANT:
                return False
            if not text.isascii() and max(text[i : i + size]) >= "\ud800":
                return False  # perhaps half a pair
            self._gone += size
        self._caret = start
        self._length -= size
        return True

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
        self._codes[self._chunk].delete(i, j)
        self._texts[self._chunk] = text[:i] + text[j:]
        self._length += start - end
        self._caret = start
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
        codes: Sequence[int]
        if carried is None:
            codes = self._new_block(size, 0, version, 0) if size > 1 else [version] * size
        else:
            check_spans(carried, size)
            codes = self._new_codes(carried)
        for start, end, inserted in reversed(replacements):
            if start < end:
                self._delete(start, end)
            if inserted:
                rest = size - len(inserted)
                self._replace(start, 0, inserted, codes[rest:size])
                size = rest

    def _new_codes(self, spans: Iterable[Span]) -> array[int]:
        """The integers for these spans; new blocks where needed."""
        codes = array("I")
        for length, stream, version, offset in spans:
            if length == 1 and stream == 0 and offset == 0:
                codes.append(version)
                continue
            codes.extend(self._new_block(length, stream, version, offset))
        return codes

    def _new_block(self, length: int, stream: int, version: int, offset: int) -> range:
        """The integers of a new block."""
        self._starts.append(self._count)
        self._streams.append(stream)
        self._versions.append(version)
        self._offsets.append(offset)
        first = FIRST + self._count
        self._count += length
        return range(first, first + length)

    def _seek(self, pos: int) -> None:
        """Make the chunk current that holds the character at `pos`; the last one at the end of the text."""
        texts = self._texts
        chunk, at = self._chunk, self._at
        last = len(texts) - 1
        if pos < at >> 1:
            chunk = at = 0
        elif pos > (at + self._length) >> 1:
            chunk, at = last, self._length - len(texts[last])
        # far away by many chunks at once
        while at - pos > _FAR_OFF and chunk > _STRIDE:
            at -= sum(map(len, texts[chunk - _STRIDE : chunk]))
            chunk -= _STRIDE
        while pos - at > _FAR_OFF and chunk + _STRIDE < last:
            at += sum(map(len, texts[chunk : chunk + _STRIDE]))
            chunk += _STRIDE
        while pos < at:
            chunk -= 1
            at -= len(texts[chunk])
        while chunk < last:
            end = at + len(texts[chunk])
            if pos < end:
                break
            at = end
            chunk += 1
        self._chunk, self._at = chunk, at

    def _replace(self, start: int, gone: int, inserted: str, codes: Sequence[int]) -> None:
        """Put a text in place of so many code units that lie in one chunk."""
        self._seek(start)
        chunk, i = self._chunk, start - self._at
        text = self._texts[chunk]
        self._length += len(inserted) - gone
        whole = f"{text[:i]}{inserted}{text[i + gone :]}"
        if gone:
            self._codes[chunk].delete(i, i + gone)
        self._texts[chunk] = whole
        if inserted:
            self._codes[chunk].insert(i, codes)
        if len(whole) > _FULL:
            self._divide(chunk, max(_FULL, 8 * isqrt(self._length)))

    def _divide(self, chunk: int, full: int) -> None:
        """Make of a chunk that is longer than `full` several of half that; never through a surrogate pair."""
        whole, codes = self._texts[chunk], self._codes[chunk]
        if len(whole) <= full:
            return
        texts: list[str] = []
        parts: list[Codes] = []
        half = full // 2
        start = 0
        while start < len(whole):
            end = start + half
            if len(whole) - end < half // 2:
                end = len(whole)
            elif cuts_pair(whole, end):
                end += 1
            texts.append(whole[start:end])
            parts.append(codes.part(start, end))
            start = end
        self._texts[chunk : chunk + 1] = texts
        self._codes[chunk : chunk + 1] = parts

    def _delete(self, start: int, end: int) -> None:
        self._seek(start)
        left = end - start
        self._length -= left
        chunk, i = self._chunk, start - self._at
        texts, codes = self._texts, self._codes
        while left:
            text = texts[chunk]
            j = min(i + left, len(text))
            left -= j - i
            if j - i == len(text) and len(texts) > 1:
                del texts[chunk], codes[chunk]
            else:
                texts[chunk] = text[:i] + text[j:]
                codes[chunk].delete(i, j)
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
        codes = self._codes[chunk].read() + self._codes[chunk + 1].read()
        if self._chunk > chunk:
            self._chunk -= 1
            self._at -= len(texts[chunk])
        texts[chunk : chunk + 2] = [texts[chunk] + texts[chunk + 1]]
        self._codes[chunk : chunk + 2] = [Codes(codes)]

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
            for code in self._codes[chunk].read(i, j):
                if code == until and code < limit:
                    until += 1
                    continue
                if first < until:
                    append(spans, self._span(first, until - first))
                if code < FIRST:
                    first = until = limit = 0
                    spans.append(_made(Span, (1, 0, code, 0)))
                    continue
                first, until = code, code + 1
                block = bisect_right(starts, code - FIRST)
                limit = FIRST + (starts[block] if block < len(starts) else self._count)
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
        for codes in self._codes:
            counts.update(codes.read())
        revisions: Counter[tuple[int, int]] = Counter()
        for code, count in counts.items():
            if code < FIRST:
                revisions[0, code] += count
            else:
                block = bisect_right(self._starts, code - FIRST) - 1
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
        other._codes = [codes.copy() for codes in self._codes]
        return other

    def _span(self, code: int, length: int) -> Span:
        if code < FIRST:
            return Span(length, 0, code, 0)
        block = bisect_right(self._starts, code - FIRST) - 1
        return Span(
            length,
            self._streams[block],
            self._versions[block],
            self._offsets[block] + code - FIRST - self._starts[block],
        )

    def _pieces(self, start: int, end: int | None) -> Iterator[tuple[int, int, int]]:
        """(chunk, i, j) of the parts of chunks that lie in [start, end)."""
        if end is None:
            end = self._length
        if not type(start) is type(end) is int or not 0 <= start <= end <= self._length:
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


def _check_version(version: int) -> None:
    if type(version) is not int or not 0 < version < FIRST:
        raise EngineError(f"A revision makes version 1 or a later one, not {version}.")


def _cut(pos: int) -> PositionError:
    return PositionError(f"Position {pos} is between the halves of a surrogate pair.", position=pos)

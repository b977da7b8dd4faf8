"""Spans: whole runs of characters by their identities, and how they are joined and cut.

A character's *identity* is (stream, version, offset): the revision that first brought it in, and its offset in all that
this revision inserted (its inserted texts one behind the other, in order). Stream 0 is the stream at hand; a character
that came from another stream (a move, a split, a merge, a paste) keeps the identity it has there.

Lengths and offsets are UTF-16 code units.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from drafting.errors import EngineError, MismatchError

# Lengths, versions and offsets stay below this, streams below the square of it: what arrays and databases hold.
MOST = 1 << 31


class Span(NamedTuple):
    """A run of `length` code units with the identities (stream, version, offset), (stream, version, offset + 1), …

    A tuple and not a dataclass because a text typed by hand has one for every keystroke: three times cheaper to make.
    """

    length: int
    stream: int
    version: int
    offset: int


def check_spans(spans: Iterable[Span], length: int) -> None:
    """Nothing, when these are the spans of so many characters.

    raises   EngineError for what is no span, MismatchError when the lengths do not add up
    """
    total = 0
    for span in spans:
        if not _is_span(span):
            raise EngineError(
                f"No span: {span!r:.200}. Length, stream, version and offset are whole numbers from 0 on."
            )
        total += span[0]
    if total != length:
        raise MismatchError(f"Spans of {total} code units for {length} that are attributed.")


def _is_span(span: Span) -> bool:
    if not isinstance(span, tuple) or len(span) != 4:
        return False
    length, stream, version, offset = span
    if not type(length) is type(stream) is type(version) is type(offset) is int:
        return False
    return length >= 0 and 0 <= stream < MOST * MOST and 0 <= version < MOST and 0 <= offset <= MOST - length


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same characters with as few spans as possible: what continues is one span, empty ones are left out."""
    result: list[Span] = []
    for span in spans:
        if span.length:
            append(result, span)
    return result


def append(spans: list[Span], span: Span) -> None:
    """Append a span, as one with the last if it continues it."""
    if spans:
        length, stream, version, offset = spans[-1]
        if span[2] == version and span[1] == stream and span[3] == offset + length:
            spans[-1] = Span(length + span[0], stream, version, offset)
            return
    spans.append(span)


def cut(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """The spans of the characters [start, end) among those that these spans cover; 0 ≤ start ≤ end ≤ their sum."""
    part: list[Span] = []
    at = 0
    for length, stream, version, offset in spans:
        if at >= end:
            break
        low, high = max(start, at), min(end, at + length)
        if low < high:
            part.append(Span(high - low, stream, version, offset + low - at))
        at += length
    return part

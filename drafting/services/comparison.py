"""What changed between two moments of a document or a section, run by run, with everybody behind each of them.

From the log, never from the texts. An inserted run names who brought it in, a deleted run who took it out and who had
brought it in. Neighbouring pieces of the same people are one run. What went at one place and came at another with its
identity, or letter for letter as a passage, is a move and not a deletion and an insertion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy.orm import Session

from drafting.engine.attribution import Span
from drafting.engine.difference import DELETED, INSERTED, VANISHED, Piece, difference, words_of
from drafting.engine.text import from_units
from drafting.services.access import Actor, require
from drafting.services.attribution_view import Reader, _whole, key_of
from drafting.services.logs import StreamHistory
from drafting.services.moments import Moment, moment_of
from drafting.services.sources import Source
from drafting.store.models import Section

KEPT = 3  # comparisons of a section that are remembered: one is looked at inline, side by side, filtered, page by page
PASSAGE = 30  # characters from which the same words at two places are a moved passage and not a coincidence


class Change(NamedTuple):
    """A run of the difference. Positions are code units; text is ordinary Unicode.

    A tuple and not a dataclass because a year of typing makes twenty thousand of them.

    kind     inserted deleted vanished; moved: `moved_to` or `moved_from` names the section of the other end
    source   who brought it in (inserted), who took it out (deleted, vanished)
    brought  of what was taken out: who had brought it in
    key      names the run for ever: its story
    """

    kind: str
    start_a: int
    end_a: int
    start_b: int
    end_b: int
    text: str
    source: Source | None
    brought: Source | None
    key: str
    moved_to: int | None = None
    moved_from: int | None = None

    @property
    def is_move(self) -> bool:
        return self.moved_to is not None or self.moved_from is not None

    def matches(self, only: str) -> bool:
        """Whether who brought it in, or took it out, is the one asked for."""
        return not only or (self.source is not None and self.source.matches(only))


@dataclass(frozen=True, slots=True)
class SectionComparison:
    """A section at both moments. state: same changed added removed; texts are ordinary Unicode, empty where it was not."""

    section_id: int
    title: str
    state: str
    version_a: int
    version_b: int
    text_a: str
    text_b: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference between two moments, the earlier one first."""

    a: Moment
    b: Moment
    sections: tuple[SectionComparison, ...]

    @property
    def changes(self) -> Iterable[Change]:
        return (change for section in self.sections for change in section.changes)

    @property
    def inserted(self) -> int:
        """Characters that are new, moves left out."""
        return sum(len(each.text) for each in self.changes if each.kind == INSERTED and not each.is_move)

    @property
    def deleted(self) -> int:
        return sum(len(each.text) for each in self.changes if each.kind == DELETED and not each.is_move)


def compare(
    session: Session,
    actor: Actor,
    document_id: int,
    a: str,
    b: str,
    *,
    section_id: int | None = None,
    vanished: bool = False,
) -> Comparison:
    """The attributed difference between two moments, as `moments` reads them; the later one is always the new side.

    section_id  only this section
    vanished    also what came and went in between
    raises      InvalidInput, NotFound
    needs       read
    """
    document = require(session, actor, "read", document_id)
    reader = Reader(session, document_id)
    if section_id is not None:
        reader.history(section_id)
    one, two = (moment_of(reader, document, each, section_id) for each in (a, b))
    if one.age > two.age:
        one, two = two, one
    made = []
    titles = {row.id: row.title for row in session.query(Section.id, Section.title).where(Section.document_id == document_id)}
    for each in _together(one, two):
        if section_id is None or each == section_id:
            made.append(between(reader, each, titles.get(each, ""), one.version_of(each), two.version_of(each), vanished))
    return Comparison(one, two, tuple(_with_moves(made)))


def _together(a: Moment, b: Moment) -> list[int]:
    """The sections of both, in the order of the later, those that are gone behind the one they followed."""
    order = [each for each, _ in b.sections]
    before: int | None = None
    for each, _ in a.sections:
        if each not in order:
            order.insert(order.index(before) + 1 if before in order else 0, each)
        before = each
    return order


def between(
    reader: Reader, section_id: int, title: str, version_a: int | None, version_b: int | None, vanished: bool = False
) -> SectionComparison:
    """The attributed difference of one section between two of its versions; None where it was not there. Moves: not yet."""
    history = reader.history(section_id)
    a, b = version_a or 0, version_b or 0
    state = "added" if version_a is None else "removed" if version_b is None else "changed"
    if a == b and state == "changed":
        text = from_units(history.text(a))
        return SectionComparison(section_id, title, "same", a, b, text, text, ())
    text_a, text_b = history.text(a), history.text(b)
    kept = reader.sources.views(history).setdefault("compared", {})
    changes = kept.pop((a, b, vanished), None)
    if changes is None:
        changes = tuple(_changes(reader, history, _pieces(history, a, b, vanished), text_a, text_b))
        while len(kept) >= KEPT:
            del kept[next(iter(kept))]
    kept[a, b, vanished] = changes
    if not changes and state == "changed":
        state = "same"
    return SectionComparison(section_id, title, state, a, b, from_units(text_a), from_units(text_b), changes)


def _pieces(history: StreamHistory, a: int, b: int, vanished: bool) -> list[Piece]:
    """The difference of two versions; from the first to the newest it stands in the weave that is kept."""
    with history.lock:
        whole = history.weave() if a == 0 and b == history.version else None
        return difference(history, a, b, vanished=vanished, folded=whole)


@dataclass(slots=True)
class _Open:
    """A change that is still growing, in units."""

    kind: str
    start_a: int
    end_a: int
    start_b: int
    end_b: int
    words: list[str]
    source: Source | None
    brought: Source
    first: Span


def _changes(
    reader: Reader, history: StreamHistory, pieces: list[Piece], text_a: str, text_b: str
) -> Iterator[Change]:
    """The pieces with their sources, neighbours of the same people made one."""
    open_: _Open | None = None
    stream_id, ours, source_of = history.stream_id, reader.histories, reader.sources.of
    for piece in pieces:
        span = piece.brought
        if span is None:
            continue
        kind, start_a, end_a, start_b, end_b = piece[:5]
        words = words_of(history, piece, text_a, text_b)
        own = span if span.stream else history.own(span)
        by = source_of(stream_id, piece.removed) if piece.removed else None
        whole = source_of(own.stream, own.version) if own.stream in ours else None
        # nearly always one source; only what the office put in other words has parts of two
        parts = ((own.length, whole),) if whole is not None and whole.verdict != "reworded" else reader.parts(history, own)
        at = 0
        for length, brought in parts:
            source = brought if kind == INSERTED else by
            low_a, low_b = start_a + (at if end_a > start_a else 0), start_b + (at if end_b > start_b else 0)
            high_a, high_b = low_a + (length if end_a > start_a else 0), low_b + (length if end_b > start_b else 0)
            part = words if length == len(words) else words[at : at + length]
            if (
                open_ is not None
                and open_.kind == kind
                and open_.end_a == low_a
                and open_.end_b == low_b
                and (source is open_.source or _signature(source) == _signature(open_.source))
                and (kind == INSERTED or brought.signature == open_.brought.signature)
            ):
                open_.end_a, open_.end_b = high_a, high_b
                open_.words.append(part)
            else:
                if open_ is not None:
                    yield from _closed(open_)
                first = own._replace(offset=own.offset + at, length=length) if at else own
                open_ = _Open(kind, low_a, high_a, low_b, high_b, [part], source, brought, first)
            at += length
    if open_ is not None:
        yield from _closed(open_)


def _closed(one: _Open) -> Iterator[Change]:
    text = from_units(_whole("".join(one.words)))
    if one.kind != VANISHED or text.strip():
        yield Change(
            one.kind, one.start_a, one.end_a, one.start_b, one.end_b, text, one.source,
            None if one.kind == INSERTED else one.brought, key_of(one.first),
        )  # fmt: skip


def _signature(source: Source | None) -> object:
    return None if source is None else source.signature


def _with_moves(sections: list[SectionComparison]) -> Iterable[SectionComparison]:
    """The sections with passages that went here and came there said to be moved."""
    went: dict[str, int] = {}  # by key, and by the words of a passage
    passages: dict[str, int] = {}
    for section in sections:
        for each in section.changes:
            if each.kind == DELETED:
                went[each.key] = section.section_id
                if len(each.text) >= PASSAGE and len(words := each.text.strip()) >= PASSAGE:
                    passages.setdefault(words, section.section_id)
    if not went:
        return sections
    came: dict[str, int] = {}
    marked: list[list[Change]] = []
    for section in sections:
        row = []
        for each in section.changes:
            if each.kind == INSERTED:
                found = went.get(each.key)
                words = each.text.strip() if len(each.text) >= PASSAGE else ""
                if found is None and len(words) >= PASSAGE:
                    found = passages.get(words)
                if found is not None:
                    came.setdefault(each.key, section.section_id)
                    came.setdefault(words, section.section_id)
                    each = each._replace(moved_from=found)
            row.append(each)
        marked.append(row)
    if not came:
        return sections
    return [
        replace(section, changes=tuple(_gone_there(each, came) for each in row))
        for section, row in zip(sections, marked, strict=True)
    ]


def _gone_there(each: Change, came: dict[str, int]) -> Change:
    """A deletion with the section where its words came; what only went stays as it is."""
    if each.kind != DELETED:
        return each
    there = came.get(each.key)
    words = each.text.strip()
    if there is None and len(words) >= PASSAGE:
        there = came.get(words)
    return each if there is None else each._replace(moved_to=there)


def identity_of(key: str) -> Span:
    """The span of length 1 that a run's key names. raises: ValueError"""
    stream, version, offset = (int(part) for part in key.split("."))
    return Span(1, stream, version, offset)

"""The story of words: everything that happened to them, from what stood there before to where they stand now.

Words are named by the identity of their first character ("stream.version.offset"), so a story is found wherever they
went and also when they are gone. Its entries are in order of time: what stood there and who had brought that in, what
was said at the meeting, the proposal, support, discussion, rivals and their fate, decisions with reasons, and all later
comings and goings: taken out, moved, brought back. Words for people are the web's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.attribution import Span
from drafting.engine.difference import DELETED, difference
from drafting.engine.text import from_units
from drafting.errors import NotFound
from drafting.services import sections
from drafting.services.access import Actor, require
from drafting.services.attribution_view import Reader, Run, _whole, key_of
from drafting.services.comparison import identity_of
from drafting.services.logs import StreamHistory
from drafting.services.proposal_stories import KINDS, Entry, Proposals
from drafting.services.sources import Source
from drafting.store.models import Milestone, MilestoneSection, Section


@dataclass(frozen=True, slots=True)
class Standing:
    """Where words stand now: code units of a section."""

    section_id: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A named version in which the words stand."""

    milestone_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Story:
    """The story of a run of words.

    source    who brought it in; removed: who took it out last, None while it stands
    standing  where it stands now, in pieces; empty when it is gone
    """

    key: str
    words: str
    section_id: int
    source: Source
    removed: Source | None
    standing: tuple[Standing, ...]
    entries: tuple[Entry, ...]
    kept_in: tuple[Kept, ...] = ()


# ── finding the words ───────────────────────────────────────────────────────────────────────────────────


def story(
    session: Session,
    actor: Actor,
    section_id: int,
    pos: int = 0,
    version: int | None = None,
    *,
    deleted: bool = False,
    run: str = "",
) -> Story:
    """The story of the words at a position of a section, or of those that a key names.

    pos      code units, in the text at the version (now when it is None)
    deleted  of the words that were removed at this place
    run      key "stream.version.offset"; then position and version mean nothing
    raises   NotFound when nothing stands, or stood, there
    needs    read
    """
    row = sections.section_row(session, actor, section_id)
    reader = Reader(session, row.document_id)
    history = reader.history(section_id)
    version = history.version if version is None else min(version, history.version)
    if not run:
        run = _removed_at(reader, history, version, pos) if deleted else _standing_at(reader, history, version, pos)
    return _Teller(session, actor, reader, run).tell(section_id)


def _standing_at(reader: Reader, history: StreamHistory, version: int, pos: int) -> str:
    runs = reader.runs(history, version)
    found = next((each for each in runs if each.start <= pos < each.end), runs[-1] if runs and pos == runs[-1].end else None)
    if found is None:
        raise NotFound("no words stand at this place", pos=pos)
    return found.key


def _removed_at(reader: Reader, history: StreamHistory, version: int, pos: int) -> str:
    found = min(reader.removed(history, version), key=lambda each: abs(each.pos - pos), default=None)
    if found is None:
        raise NotFound("no words were removed at this place", pos=pos)
    return found.key


class _Teller:
    """Gathers the entries of one run of words."""

    def __init__(self, session: Session, actor: Actor, reader: Reader, key: str) -> None:
        self.session = session
        self.actor = actor
        self.reader = reader
        self.document = require(session, actor, "read", reader.document_id)
        try:
            first = identity_of(key)
        except ValueError:
            raise NotFound("no words have this name") from None
        history = reader.histories.get(first.stream)
        if history is None or not 1 <= first.version <= history.version:
            raise NotFound("no words have this name")
        self.history = history
        self.stream, self.version = first.stream, first.version
        inserted = history.inserted(first.version)
        if not 0 <= first.offset < len(inserted):
            raise NotFound("no words have this name")
        self.key = key
        self.spans = self._extent(first)
        self.source = self._source_of(first)
        self.proposals = Proposals(session, actor, reader, self.document)
        self.entries = self.proposals.entries

    def _source_of(self, first: Span) -> Source:
        return next(source for _, source in self.reader.sources.of_span(first))

    def _extent(self, first: Span) -> list[Span]:
        """The run around the first character: of one revision, or typed in one go."""
        signature = self._source_of(first).signature
        for history in self.reader.histories.values():
            if history is not self.history and not history.came(first.stream, first.version):
                continue
            at = 0
            for span in history.spans(history.version):
                own = history.own(span)
                if own.stream == first.stream and own.version == first.version and own.offset <= first.offset < own.offset + own.length:
                    place = at + first.offset - own.offset
                    run = next((each for each in self._runs_now(history) if each.start <= place < each.end), None)
                    if run is not None and run.source.signature == signature:
                        return list(_within(history, run))
                at += span.length
        inserted = len(self.history.inserted(first.version))
        end = first.offset
        for length, source in self.reader.sources.of_span(first._replace(length=inserted - first.offset)):
            if source.signature != signature:
                break
            end += length
        # Words that are gone: those of the revision that went together with the first of them.
        gone = [each for each in self.history.gone(first.stream, first.version) if each.offset <= first.offset < each.offset + each.length]
        if gone:
            last = gone[-1]
            return [first._replace(length=min(end, last.offset + last.length) - first.offset)]
        return [first._replace(length=end - first.offset)]

    def _runs_now(self, history: StreamHistory) -> tuple[Run, ...]:
        return self.reader.runs(history, history.version)

    # ── telling ──

    def tell(self, section_id: int) -> Story:
        source = self.source
        words = "".join(
            self.reader.histories[each.stream].inserted(each.version)[each.offset : each.offset + each.length] for each in self.spans
        )
        if source.suggestion_id is not None and source.hunk_id is not None:
            self.proposals.tell(source.suggestion_id, source.hunk_id)
        elif source.kind in ("edit", "import", "rewording"):
            self.entries.append(
                Entry("typed", source.at, source.author, source.organizations, source.meetings, text=from_units(_whole(words))[:400])
            )
        self._before()
        standing = tuple(self._standing())
        removed = None if standing else self._last_removal()
        if removed is not None and removed.suggestion_id is not None and removed.hunk_id is not None:
            self.proposals.tell(removed.suggestion_id, removed.hunk_id)
        self._later()
        order = {kind: index for index, kind in enumerate(KINDS)}
        entries = sorted(
            dict.fromkeys(self.entries), key=lambda each: (each.at is not None, each.at or 0, order[each.kind])
        )
        return Story(
            self.key,
            from_units(_whole(words)),
            standing[0].section_id if standing else self.history.section_id or section_id,
            source,
            removed,
            standing,
            tuple(entries),
            tuple(self._kept_in()),
        )

    def _before(self) -> None:
        """What stood in the place: the words that the same revision took out, and who had brought those in."""
        if self.history.carried(self.version) is not None:
            return
        told = 0
        for piece in difference(self.history, self.version - 1, self.version):
            if piece.kind != DELETED or piece.brought is None or told >= 8:
                continue
            own = self.history.own(piece.brought)
            words = self.history.text(self.version - 1)[piece.start_a : piece.end_a]
            if own.stream not in self.reader.histories or not words.strip():
                continue
            brought = self._source_of(own._replace(length=1))
            last = self.entries[-1] if self.entries else None
            if told and last and last.kind == "stood" and last.at == brought.at:
                self.entries[-1] = replace(last, text=last.text + from_units(_whole(words)))
                continue
            told += 1
            self.entries.append(
                Entry(
                    "stood", brought.at, brought.author, brought.organizations, brought.meetings,
                    text=from_units(_whole(words)), number=brought.suggestion, run=key_of(own),
                )
            )  # fmt: skip

    def _standing(self) -> Iterator[Standing]:
        for history in self.reader.histories.values():
            if history is not self.history and not any(history.came(each.stream, each.version) for each in self.spans):
                continue
            at = 0
            last: Standing | None = None
            for span in history.spans(history.version):
                for low, high in _common(history.own(span), self.spans):
                    if last is not None and last.end == at + low:
                        last = replace(last, end=at + high)
                        continue
                    if last is not None:
                        yield last
                    last = Standing(history.section_id, at + low, at + high)
                at += span.length
            if last is not None:
                yield last

    def _passings(self, book: str) -> list[tuple[datetime, StreamHistory, int]]:
        """(when, where, version) of all that `came` or that was `gone`, in order of time."""
        found: dict[tuple[int, int], tuple[datetime, StreamHistory, int]] = {}
        for history in self.reader.histories.values():
            for span in self.spans:
                for each in getattr(history, book)(span.stream, span.version):
                    if each.offset < span.offset + span.length and span.offset < each.offset + each.length:
                        at = history.facts[each.version - 1].at
                        found[history.stream_id, each.version] = (at, history, each.version)
        return sorted(found.values(), key=lambda each: (each[0], each[2]))

    def _last_removal(self) -> Source | None:
        """Who took the words out last."""
        gone = [each for each in self._passings("gone") if each[1].facts[each[2] - 1].kind != "move"]
        return self.reader.sources.of(gone[-1][1].stream_id, gone[-1][2]) if gone else None

    def _later(self) -> None:
        """Every coming and going after the words were brought in. What a decision that is told already did is not told again."""
        goings, comings = self._passings("gone"), self._passings("came")
        left: dict[int, StreamHistory] = {}  # by coming: from where it was moved; a move arrives before it leaves
        for index, (at, history, version) in enumerate(comings):
            if history.facts[version - 1].kind == "move":
                for going in goings:
                    when, other, number = going
                    if when >= at and other is not history and other.facts[number - 1].kind == "move":
                        left[index] = other
                        goings.remove(going)
                        break
        for _, history, version in goings:
            source = self.reader.sources.of(history.stream_id, version)
            if source.decision_id is not None and source.decision_id in self.proposals.decisions:
                continue
            self.entries.append(self._passed("taken_out", source, history))
        for index, (_, history, version) in enumerate(comings):
            source = self.reader.sources.of(history.stream_id, version)
            if source.kind == "move":
                entry = self._passed("moved", source, left.get(index, history))
                self.entries.append(replace(entry, to_section_id=history.section_id))
            else:
                self.entries.append(self._passed("returned", source, history))

    def _passed(self, kind: str, source: Source, history: StreamHistory) -> Entry:
        return Entry(
            kind, source.decided_at or source.at, source.decided_by or source.author, source.organizations, source.meetings,
            note=source.reason, number=source.suggestion, verdict=source.verdict, state=source.kind,
            section_id=history.section_id,
        )  # fmt: skip

    def _kept_in(self) -> Iterator[Kept]:
        """The named versions in which the first character stands, oldest first."""
        first = self.spans[0]
        lives: dict[int, list[tuple[int, bool]]] = {}
        for history in self.reader.histories.values():
            passed = [(each.version, True) for each in history.came(first.stream, first.version) if _holds(each, first)]
            passed += [(each.version, False) for each in history.gone(first.stream, first.version) if _holds(each, first)]
            if history is self.history:
                passed.append((first.version, True))
            # A revision that takes words out and brings them back (a restore) leaves them standing.
            lives[history.section_id] = sorted(passed)
        rows = self.session.execute(
            select(Milestone.id, Milestone.name, MilestoneSection.section_id, MilestoneSection.version)
            .join(MilestoneSection, MilestoneSection.milestone_id == Milestone.id)
            .where(Milestone.document_id == self.reader.document_id)
            .order_by(Milestone.at, Milestone.id)
        )
        for milestone_id, name, section_id, version in rows:
            before = [stands for at, stands in lives.get(section_id, ()) if at <= version]
            if before and before[-1]:
                yield Kept(milestone_id, name)


def _within(history: StreamHistory, run: Run) -> Iterator[Span]:
    """The identities of a run's characters."""
    at = 0
    for span in history.spans(history.version):
        low, high = max(at, run.start), min(at + span.length, run.end)
        if low < high:
            own = history.own(span)
            yield own._replace(offset=own.offset + low - at, length=high - low)
        at += span.length
        if at >= run.end:
            return


def _common(own: Span, spans: list[Span]) -> Iterator[tuple[int, int]]:
    """Which characters of a span, counted from its first, are among those of the others."""
    for each in sorted(spans, key=lambda one: one.offset):
        if each.stream == own.stream and each.version == own.version:
            low, high = max(own.offset, each.offset), min(own.offset + own.length, each.offset + each.length)
            if low < high:
                yield low - own.offset, high - own.offset


def _holds(passing: Any, span: Span) -> bool:
    return passing.offset <= span.offset < passing.offset + passing.length


def titles(session: Session, document_id: int) -> dict[int, str]:
    """{section: title}, of removed ones too."""
    return dict(session.execute(select(Section.id, Section.title).where(Section.document_id == document_id)).all())

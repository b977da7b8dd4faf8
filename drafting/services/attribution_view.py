"""The attribution of a section or a whole document as people look at it: runs of words with their source, and removed ones.

A run is a stretch of neighbouring characters that people see as one: of one decision, or typed by one person for the
same organisations on one day. Its key "stream.version.offset" is the identity of its first character; it names the run
for ever, wherever its words go. Removed words are shown where they stood: those taken out by a decision or for somebody,
those somebody had asked for, and those that stood in a named version; what the team typed and took back itself is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.attribution import Span
from drafting.engine.text import from_units, to_units
from drafting.errors import NotFound
from drafting.services import sections
from drafting.services.access import Actor
from drafting.services.clock import now
from drafting.services.logs import StreamHistory, histories
from drafting.services.sources import Group, Source, Sources, group_of, streams_of
from drafting.store.models import Milestone, MilestoneSection


@dataclass(frozen=True, slots=True)
class Run:
    """Words that stand, [start, end) code units of the text."""

    start: int
    end: int
    source: Source
    key: str


@dataclass(frozen=True, slots=True)
class Removed:
    """Words that stood at `pos`. source: who took them out; brought: who had brought them in. text: ordinary Unicode"""

    pos: int
    text: str
    source: Source
    brought: Source
    key: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """A section at a version with the source of every character: the runs add up to the text (ordinary Unicode)."""

    section_id: int
    version: int
    text: str
    runs: tuple[Run, ...]
    removed: tuple[Removed, ...] = ()

    @property
    def length(self) -> int:
        return self.runs[-1].end if self.runs else 0


@dataclass(frozen=True, slots=True)
class Count:
    """A line of the legend: code units that the group brought in, and of removed ones that it took out."""

    group: Group
    characters: int
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Legend:
    """The groups of a colouring, most characters first, what has no group last. brought: by anybody but the team."""

    counts: tuple[Count, ...]
    characters: int
    brought: int
    removed: int


def key_of(span: Span) -> str:
    """The name of a run for ever, from a span whose stream is named."""
    return f"{span.stream}.{span.version}.{span.offset}"


class Reader:
    """The histories and sources of one document, read for one request."""

    def __init__(self, session: Session, document_id: int) -> None:
        self.session = session
        self.document_id = document_id
        self.stream_of = streams_of(session, document_id)
        self.histories = histories(session, list(self.stream_of.values()))
        self.sources = Sources(session, document_id, self.histories)
        self._kept: dict[int, list[int]] | None = None

    def history(self, section_id: int) -> StreamHistory:
        """raises: NotFound"""
        stream_id = self.stream_of.get(section_id)
        if stream_id is None:
            raise NotFound("there is no such section in this document")
        return self.histories[stream_id]

    def runs(self, history: StreamHistory, version: int) -> tuple[Run, ...]:
        """The runs of a text; neighbours of one signature are one."""
        runs: list[Run] = []
        at = start = 0
        first: tuple[Source, Span] | None = None  # of the run that is open
        for span in history.spans(version):
            own = history.own(span)
            for length, source in self.parts(history, own):
                if first is None or source.signature != first[0].signature:
                    if first is not None:
                        runs.append(Run(start, at, first[0], key_of(first[1])))
                    first, start = (source, own), at
                at += length
                if length != own.length:
                    own = own._replace(offset=own.offset + length, length=own.length - length)
        if first is not None:
            runs.append(Run(start, at, first[0], key_of(first[1])))
        return tuple(runs)

    def parts(self, history: StreamHistory, own: Span) -> Iterator[tuple[int, Source]]:
        """(length, source) of characters; of a stream that is not of this document they are said to be imported."""
        if own.stream in self.histories:
            yield from self.sources.of_span(own)
        else:
            at = history.times[0] if history.times else now()
            elsewhere = ("elsewhere", own.stream, own.version)
            yield own.length, Source("import", own.stream, own.version, history.section_id, at, signature=elsewhere)

    def removed(self, history: StreamHistory, version: int) -> tuple[Removed, ...]:
        """What was removed up to a version and is worth showing, by place."""
        kept = self._versions_kept(history.section_id)
        found: list[Removed] = []
        with history.lock:
            woven = history.weave() if version == history.version else None
            if woven is None:
                from drafting.engine.weave import weave

                woven = weave(history, 0, version)
            pos = put = 0  # put: where the words begin that stand right before and came with one revision
            with_them = 0
            for run in woven.runs():
                standing, length, born, offset, died = run
                if standing:
                    if born != with_them:
                        put, with_them = pos, born
                    pos += standing
                    continue
                by = self.sources.of(history.stream_id, died)
                if by.kind == "move":
                    continue  # it stands elsewhere
                named = any(born <= each < died for each in kept)
                words = history.inserted(born)[offset : offset + length]
                place = put if died == with_them else pos  # what was replaced is shown before what replaced it
                at = 0
                for span in woven.spans(run):
                    own = history.own(span)
                    brought = self.sources.of(own.stream, own.version) if own.stream in self.histories else by
                    part = words[at : at + span.length]
                    at += span.length
                    if by.is_own and brought.is_own and not named:
                        continue
                    last = found[-1] if found else None
                    if last and last.pos == place and last.source.signature == by.signature and last.brought.signature == brought.signature:
                        found[-1] = Removed(place, last.text + part, last.source, last.brought, last.key)
                    else:
                        found.append(Removed(place, part, by, brought, key_of(own)))
        return tuple(
            Removed(each.pos, from_units(_whole(each.text)), each.source, each.brought, each.key)
            for each in found
            if each.text.strip()
        )

    def _versions_kept(self, section_id: int) -> list[int]:
        """The versions of a section that stand in named versions."""
        if self._kept is None:
            self._kept = {}
            for each, version in self.session.execute(
                select(MilestoneSection.section_id, MilestoneSection.version)
                .join(Milestone, Milestone.id == MilestoneSection.milestone_id)
                .where(Milestone.document_id == self.document_id)
            ):
                self._kept.setdefault(each, []).append(version)
        return self._kept.get(section_id, [])

    def attribution(self, section_id: int, version: int | None = None, *, removed: bool = False) -> Attribution:
        """A section at a version, now when it is None. raises: NotFound"""
        history = self.history(section_id)
        version = history.version if version is None else version
        text, _ = history.state(version)
        views = self.sources.views(history)
        runs = views.get(("runs", version))
        if runs is None:
            runs = views["runs", version] = self.runs(history, version)
        gone: tuple[Removed, ...] = ()
        if removed:
            key = "removed", version, tuple(self._versions_kept(section_id))
            found = views.get(key)
            if found is None:
                found = views[key] = self.removed(history, version)
            gone = found
        return Attribution(section_id, version, from_units(text), runs, gone)


def _whole(units: str) -> str:
    """The units without half a surrogate pair at an end."""
    if units and "\udc00" <= units[0] <= "\udfff":
        units = units[1:]
    return units[:-1] if units and "\ud800" <= units[-1] <= "\udbff" else units


# ── views ───────────────────────────────────────────────────────────────────────────────────────────────


def of_section(
    session: Session, actor: Actor, section_id: int, version: int | None = None, *, removed: bool = False
) -> Attribution:
    """Who brought in every character of a section, now or at a version. raises: NotFound. needs: read"""
    row = sections.section_row(session, actor, section_id)
    return Reader(session, row.document_id).attribution(section_id, version, removed=removed)


def of_document(session: Session, actor: Actor, document_id: int, *, removed: bool = False) -> list[Attribution]:
    """The attribution of every section that is there, in order. needs: read"""
    present = sections.outline(session, actor, document_id)
    reader = Reader(session, document_id)
    return [reader.attribution(each.id, removed=removed) for each in present]


def legend(attributions: Iterable[Attribution], by: str, at: datetime | None = None) -> Legend:
    """How much each group of a colouring brought in and took out.

    law  the characters of the groups add up to the text
    """
    moment = at or now()
    groups: dict[str, Group] = {}
    stands: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    brought = 0
    for one in attributions:
        for run in one.runs:
            group = group_of(run.source, by, moment)
            groups[group.id] = group
            stands[group.id] += run.end - run.start
            if not run.source.is_own:
                brought += run.end - run.start
        for each in one.removed:
            group = group_of(each.source, by, moment)
            groups[group.id] = group
            gone[group.id] += len(to_units(each.text))
    ordered = sorted(groups, key=lambda each: (each == "team", -stands[each], each))
    counts = tuple(Count(groups[each], stands[each], gone[each]) for each in ordered)
    return Legend(counts, stands.total(), brought, gone.total())


def attribution_json(
    session: Session, actor: Actor, section_id: int, version: int | None = None, *, deleted: bool = False
) -> dict[str, Any]:
    """The attribution as editors read it: {version, spans: [[length, source]], sources, deleted}. needs: read"""
    view = of_section(session, actor, section_id, version, removed=deleted)
    index: dict[Any, int] = {}
    listed: list[dict[str, Any]] = []

    def number(source: Source) -> int:
        known = index.get(source.signature)
        if known is None:
            known = index[source.signature] = len(listed)
            listed.append(source_json(source))
        return known

    spans: list[list[int]] = []
    for length, source in _adjacent(view.runs):
        spans.append([length, number(source)])
    answer: dict[str, Any] = {"section": section_id, "version": view.version, "spans": spans, "sources": listed}
    if deleted:
        answer["deleted"] = [
            {"pos": each.pos, "text": each.text, "source": number(each.source), "run": each.key} for each in view.removed
        ]
    return answer


def _adjacent(runs: Sequence[Run]) -> Iterator[tuple[int, Source]]:
    for run in runs:
        yield run.end - run.start, run.source


def source_json(source: Source) -> dict[str, Any]:
    """A source as the API answers it: the first organisation and meeting for the colour, all of them for the label."""
    organizations = [{"code": each.code, "name": each.name, "hue": each.hue} for each in source.organizations]
    meetings = [{"number": each.number, "topic": each.topic, "hue": each.hue} for each in source.meetings]
    names = [each["name"] for each in organizations] + [each["topic"] for each in meetings]
    return {
        "label": " · ".join(map(str, names)) or source.author,
        "organization": organizations[0] if organizations else None,
        "meeting": meetings[0] if meetings else None,
        "organizations": organizations,
        "meetings": meetings,
        "kind": source.kind,
        "suggestion": source.suggestion,
        "credited": list(source.credited),
        "decision": source.verdict or None,
        "decided_by": source.decided_by or None,
        "reason": source.reason or None,
        "at": source.at,
        "by": source.author or None,
    }

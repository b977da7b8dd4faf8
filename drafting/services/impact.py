"""Impact: what a meeting or an organisation has brought about. What it asked for, what became of it, and how many words of
the text, now and in each named version, are there because of it.

A word belongs to whoever brought in its first character; words that several asked for count for each of them. What a
text at a version holds never changes, so it is counted once and kept.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.services import overview
from drafting.services.access import Actor, require
from drafting.services.attribution_view import Reader
from drafting.services.logs import StreamHistory
from drafting.services.matrix import counted
from drafting.services.overview import SuggestionFacts, Sum, sum_of
from drafting.services.register import Entry, late_ones, remarks_of, tally
from drafting.store.models import Milestone, MilestoneSection, Section

_WORD = re.compile(r"\w[\w\ud800-\udfff’'-]*")
KEPT = 5000  # (stream, version) whose words are kept counted: a document's sections in a hundred named versions
EVERYBODY = ""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a text is somebody's. total: words of the whole text."""

    words: int
    characters: int
    total: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A share of a named version."""

    milestone_id: int
    name: str
    at: datetime
    share: Share


@dataclass(frozen=True, slots=True)
class Impact:
    """What somebody brought about. late: of those still open, how many came after the deadline; remarks: {position:
    how many}"""

    sum: Sum
    late: int
    withdrawn: int
    remarks: dict[str, int]
    now: Share
    milestones: tuple[Kept, ...]


def of_meeting(
    session: Session, actor: Actor, document_id: int, meeting_id: int, rows: Sequence[SuggestionFacts] | None = None
) -> Impact:
    """What a meeting brought about. rows: the document's suggestions, when they have been read. needs: report"""
    document = require(session, actor, "report", document_id)
    rows = overview.suggestions(session, actor, document_id) if rows is None else rows
    mine = [row for row in rows if any(each.id == meeting_id for each in row.meetings)]
    remarks = [each for each in remarks_of(session, document) if any(one.id == meeting_id for one in each.meetings)]
    return _impact(session, document_id, f"m{meeting_id}", mine, remarks)


def of_organization(
    session: Session, actor: Actor, document_id: int, organization_id: int, rows: Sequence[SuggestionFacts] | None = None
) -> Impact:
    """What an organisation brought about. needs: report"""
    document = require(session, actor, "report", document_id)
    rows = overview.suggestions(session, actor, document_id) if rows is None else rows
    mine = [row for row in rows if any(each.id == organization_id for each in row.organizations)]
    remarks = [
        each
        for each in remarks_of(session, document)
        if any(one.id == organization_id for one in each.organizations)
    ]
    return _impact(session, document_id, f"o{organization_id}", mine, remarks)


def _impact(
    session: Session, document_id: int, key: str, rows: Sequence[SuggestionFacts], remarks: Sequence[Entry]
) -> Impact:
    asked = counted(rows)
    withdrawn = sum(row.fate == "withdrawn" and row.filed_at is not None for row in rows)
    book = Book(session, document_id)
    milestones = session.execute(
        select(Milestone.id, Milestone.name, Milestone.at)
        .where(Milestone.document_id == document_id)
        .order_by(Milestone.at, Milestone.id)
    ).all()
    versions: dict[int, list[tuple[int, int]]] = {row.id: [] for row in milestones}
    for milestone_id, section_id, version in session.execute(
        select(MilestoneSection.milestone_id, MilestoneSection.section_id, MilestoneSection.version).where(
            MilestoneSection.milestone_id.in_(versions)
        )
    ):
        versions[milestone_id].append((section_id, version))
    late = late_ones(session, document_id, asked)
    return Impact(
        sum_of(asked),
        sum(row.fate == "open" and row.id in late for row in asked),
        withdrawn,
        tally(remarks),
        book.share(key, book.present()),
        tuple(Kept(row.id, row.name, row.at, book.share(key, versions[row.id])) for row in milestones),
    )


_counts: WeakKeyDictionary[Any, dict[tuple[int, int, int], dict[str, tuple[int, int]]]] = WeakKeyDictionary()
_lock = threading.Lock()


class Book:
    """How many words and characters of a section at a version are whose."""

    def __init__(self, session: Session, document_id: int) -> None:
        self.session = session
        self.reader = Reader(session, document_id)
        with _lock:
            self.kept = _counts.setdefault(session.get_bind().pool, {})

    def present(self) -> list[tuple[int, int]]:
        """(section, version) of the text as it is now."""
        rows = self.session.scalars(
            select(Section.id).where(
                Section.document_id == self.reader.document_id,
                Section.removed_at.is_(None),
                Section.stream_id.is_not(None),
            )
        )
        return [(each, self.reader.history(each).version) for each in rows]

    def share(self, key: str, sections: Iterable[tuple[int, int]]) -> Share:
        """What of these sections is of "m<meeting id>" or "o<organisation id>"."""
        words = characters = total = 0
        for section_id, version in sections:
            counts = self.counts(section_id, version)
            mine = counts.get(key, (0, 0))
            words, characters, total = words + mine[0], characters + mine[1], total + counts[EVERYBODY][0]
        return Share(words, characters, total)

    def counts(self, section_id: int, version: int) -> dict[str, tuple[int, int]]:
        """{key: (words, characters)} of a section at a version; EVERYBODY is all of it."""
        history = self.reader.history(section_id)
        # A filed suggestion may still be given other origins: what was counted before that is not asked any more.
        name = (history.stream_id, version, self.reader.sources.called.epoch)
        known = self.kept.get(name)
        if known is None:
            known = self._count(history, version)
            with _lock:
                while len(self.kept) >= KEPT:
                    del self.kept[next(iter(self.kept))]
                self.kept[name] = known
        return known

    def _count(self, history: StreamHistory, version: int) -> dict[str, tuple[int, int]]:
        runs = self.reader.runs(history, version)
        text = history.text(version)
        ends = [run.end for run in runs]
        in_run: Counter[int] = Counter()
        total = 0
        for match in _WORD.finditer(text):
            in_run[bisect_right(ends, match.start())] += 1
            total += 1
        words: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        for index, run in enumerate(runs):
            keys = [f"m{each.id}" for each in run.source.meetings] + [f"o{each.id}" for each in run.source.organizations]
            for key in keys:
                words[key] += in_run[index]
                characters[key] += run.end - run.start
        return {key: (words[key], characters[key]) for key in characters} | {EVERYBODY: (total, len(text))}

"""The story of words: everything that happened to them, from what stood there before to where they stand now.

Words are named by the identity of their first character ("stream.version.offset"), so a story is found wherever they
went and also when they are gone. Its entries are in order of time: what stood there and who had brought that in, what
was said at the meeting, the proposal, support, discussion, rivals and their fate, decisions with reasons, and all later
comings and goings: taken out, moved, brought back. Words for people are the web's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.attribution import Span
from drafting.engine.difference import DELETED, difference
from drafting.engine.text import from_units
from drafting.errors import NotFound
from drafting.services import annotations, sections
from drafting.services.access import Actor, require, visible_suggestions
from drafting.services.attribution_view import Reader, Run, _whole, key_of
from drafting.services.comparison import identity_of
from drafting.services.logs import StreamHistory
from drafting.services.overview import MeetingBadge
from drafting.services.people import OrganizationView
from drafting.services.sources import Source
from drafting.store.models import (
    Decision,
    Endorsement,
    Event,
    Hunk,
    Meeting,
    MeetingAttendance,
    Milestone,
    MilestoneSection,
    Section,
    Suggestion,
    User,
)

# The order of what happened in one moment.
KINDS = (
    "stood", "said", "typed", "proposed", "amended", "rival", "endorsed", "unendorsed", "remark", "reply", "answer",
    "decided", "taken_out", "moved", "returned", "withdrawn",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    kind     one of KINDS
    text     the words that came, or that somebody said; before: the words that went
    note     reason of a proposal or a decision; sentence of the minutes
    number   of the suggestion; verdict of the decision; state of a rival: its fate
    run      key of other words whose story leads on
    """

    kind: str
    at: datetime | None
    by: str = ""
    organizations: tuple[OrganizationView, ...] = ()
    meetings: tuple[MeetingBadge, ...] = ()
    text: str = ""
    before: str = ""
    note: str = ""
    number: int | None = None
    verdict: str = ""
    state: str = ""
    superseded: tuple[int, ...] = ()
    fulfilled: tuple[int, ...] = ()
    people: int = 0
    sentence: int | None = None
    section_id: int | None = None
    to_section_id: int | None = None
    reverted: bool = False
    run: str = ""


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


@dataclass(slots=True)
class _Made:
    """What is gathered; each suggestion is told once."""

    entries: list[Entry] = field(default_factory=list)
    told: set[tuple[int, int]] = field(default_factory=set)
    decisions: set[int] = field(default_factory=set)


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
        self.made = _Made()

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
            self._suggestion(source.suggestion_id, source.hunk_id)
        elif source.kind in ("edit", "import", "rewording"):
            self.made.entries.append(
                Entry("typed", source.at, source.author, source.organizations, source.meetings, text=from_units(_whole(words))[:400])
            )
        self._before()
        standing = tuple(self._standing())
        removed = None if standing else self._last_removal()
        if removed is not None and removed.suggestion_id is not None and removed.hunk_id is not None:
            self._suggestion(removed.suggestion_id, removed.hunk_id)
        self._later()
        order = {kind: index for index, kind in enumerate(KINDS)}
        entries = sorted(
            dict.fromkeys(self.made.entries), key=lambda each: (each.at is not None, each.at or 0, order[each.kind])
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
            last = self.made.entries[-1] if self.made.entries else None
            if told and last and last.kind == "stood" and last.at == brought.at:
                self.made.entries[-1] = replace(last, text=last.text + from_units(_whole(words)))
                continue
            told += 1
            self.made.entries.append(
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
                own = history.own(span)
                if any(_overlap(own, each) for each in self.spans):
                    if last is not None and last.end == at:
                        last = Standing(last.section_id, last.start, at + span.length)
                    else:
                        if last is not None:
                            yield last
                        last = Standing(history.section_id, at, at + span.length)
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
            if source.decision_id is not None and source.decision_id in self.made.decisions:
                continue
            self.made.entries.append(self._passed("taken_out", source, history))
        for index, (_, history, version) in enumerate(comings):
            source = self.reader.sources.of(history.stream_id, version)
            if source.kind == "move":
                entry = self._passed("moved", source, left.get(index, history))
                self.made.entries.append(replace(entry, to_section_id=history.section_id))
            else:
                self.made.entries.append(self._passed("returned", source, history))

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

    # ── suggestions ──

    def _suggestion(self, suggestion_id: int, hunk_id: int) -> None:
        """All that belongs to a proposal: the meeting, its filing, support, discussion, rivals and decisions."""
        if (suggestion_id, hunk_id) in self.made.told:
            return
        self.made.told.add((suggestion_id, hunk_id))
        row = self.session.scalar(
            select(Suggestion).where(Suggestion.id == suggestion_id, visible_suggestions(self.actor, self.document))
        )
        if row is None:
            return
        decisions = self._decisions_on(suggestion_id, hunk_id)
        organizations, meetings = self._origins_of(row)
        add = self.made.entries.append
        before, text = self._form(row, hunk_id)
        for meeting in meetings:
            add(self._said(row, meeting, organizations))
        add(
            Entry(
                "proposed", row.filed_at or row.created_at, self._name(row.author_id), organizations, meetings,
                text=text, before=before, note=row.reason, number=row.number,
            )
        )  # fmt: skip
        self._amendments(row)
        self._support(row)
        self._discussion(row)
        if row.withdrawn_at is not None:
            add(Entry("withdrawn", row.withdrawn_at, self._name(row.author_id), number=row.number))
        numbers = self._numbers()
        for each in decisions:
            self.made.decisions.add(each.id)
            effects = each.effects or {}
            add(
                Entry(
                    "decided", each.at, self._name(each.by_id), note=each.reason, number=row.number, verdict=each.verdict,
                    text=(each.form or {}).get("wording", "") if each.verdict == "reworded" else "",
                    superseded=tuple(numbers[s] for s, _ in effects.get("superseded", ()) if s in numbers),
                    fulfilled=tuple(
                        numbers[s] for name in ("fulfilled", "shared") for s, _ in effects.get(name, ()) if s in numbers
                    ),
                    reverted=each.reverted_by_id is not None,
                )
            )  # fmt: skip
        self._rivals(row, hunk_id, decisions)

    def _decisions_on(self, suggestion_id: int, hunk_id: int) -> list[Decision]:
        return list(
            self.session.scalars(
                select(Decision)
                .where(Decision.suggestion_id == suggestion_id, Decision.hunk_id == hunk_id)
                .order_by(Decision.at, Decision.id)
            )
        )

    def _origins_of(self, row: Suggestion) -> tuple[tuple[OrganizationView, ...], tuple[MeetingBadge, ...]]:
        origins = self.reader.sources._suggestion_origins.get(row.id, [])
        organizations = tuple(dict.fromkeys(each for each, _ in origins if each is not None))
        if not organizations and row.organization_id in self.reader.sources.organizations:
            organizations = (self.reader.sources.organizations[row.organization_id],)
        return organizations, tuple(dict.fromkeys(each for _, each in origins if each is not None))

    def _form(self, row: Suggestion, hunk_id: int) -> tuple[str, str]:
        """(ground, text) of a hunk as it was filed, or as it was written last."""
        for each in json.loads(row.filed_form or "[]"):
            if each[0] == hunk_id:
                return each[4], each[3]
        hunk = self.session.get(Hunk, (row.id, hunk_id))
        return (hunk.ground, hunk.text) if hunk else ("", "")

    def _said(self, row: Suggestion, badge: MeetingBadge, organizations: tuple[OrganizationView, ...]) -> Entry:
        meeting = self.session.get_one(Meeting, badge.id)
        people = sum(
            self.session.scalars(select(MeetingAttendance.people).where(MeetingAttendance.meeting_id == badge.id)).all()
        )
        return Entry(
            "said", meeting.held_at, organizations=organizations, meetings=(badge,), note=row.minutes_quote, people=people,
            number=row.number, sentence=_sentence_number(meeting.minutes, row.minutes_quote),
        )  # fmt: skip

    def _amendments(self, row: Suggestion) -> None:
        events = self.session.execute(
            select(Event.at, Event.data, Event.actor_id).where(
                Event.document_id == row.document_id, Event.kind == "suggestion_amended",
                Event.data.contains(f'"suggestion":{row.id}', autoescape=True),
            )
        )  # fmt: skip
        for at, data, actor_id in events:
            said = json.loads(data)
            if said.get("suggestion") == row.id:
                self.made.entries.append(
                    Entry("amended", at, self._name(actor_id), note=said.get("reason", ""), number=row.number)
                )

    def _support(self, row: Suggestion) -> None:
        for each in self.session.scalars(
            select(Endorsement).where(Endorsement.suggestion_id == row.id).order_by(Endorsement.at)
        ):
            organization = self.reader.sources.organizations.get(each.organization_id)
            who = (organization,) if organization else ()
            self.made.entries.append(
                Entry("endorsed", each.at, self._name(each.user_id), who, note=each.note, number=row.number)
            )
            if each.ended_at is not None:
                self.made.entries.append(Entry("unendorsed", each.ended_at, self._name(each.user_id), who, number=row.number))

    def _discussion(self, row: Suggestion) -> None:
        for each in annotations.of_suggestion(self.session, self.actor, row.id):
            who = (each.organization,) if each.organization else ()
            self.made.entries.append(Entry("remark", each.created_at, each.author, who, text=each.text, number=row.number))
            for reply in each.replies:
                who = (reply.organization,) if reply.organization else ()
                self.made.entries.append(Entry("reply", reply.at, reply.author, who, text=reply.text, number=row.number))
            if each.position is not None:
                self.made.entries.append(
                    Entry(
                        "answer", each.position_at, each.position_by, text=each.text, note=each.position_reason,
                        number=row.number, state=each.position,
                    )
                )  # fmt: skip

    def _rivals(self, row: Suggestion, hunk_id: int, decisions: Iterable[Decision]) -> None:
        """Who wanted the same words otherwise, or the same: named by decisions on either side, and refused ones on the same words."""
        pairs: dict[tuple[int, int], str] = {}
        sentences: set[str] = set()
        for each in decisions:
            for name in ("superseded", "fulfilled", "shared"):
                for suggestion_id, other in (each.effects or {}).get(name, ()):
                    pairs[suggestion_id, other] = name
            sentences.add((each.form or {}).get("before", ""))
        sentences.discard("")
        before, _ = self._form(row, hunk_id)
        for each in self.session.scalars(
            select(Decision).where(Decision.section_id == row.section_id, Decision.suggestion_id != row.id).order_by(Decision.id)
        ):
            pair = each.suggestion_id, each.hunk_id
            effects = each.effects or {}
            for name in ("superseded", "fulfilled", "shared"):
                if [row.id, hunk_id] in effects.get(name, ()):
                    pairs.setdefault(pair, "other")
                    if name == "superseded":
                        self._verdict_elsewhere(each, row)
            form = each.form or {}
            if each.verdict == "rejected" and form.get("before") in sentences and _share_words(before, form.get("ground", "")):
                pairs.setdefault(pair, "rejected")
        for (suggestion_id, other), _ in pairs.items():
            rival = self.session.scalar(
                select(Suggestion).where(Suggestion.id == suggestion_id, visible_suggestions(self.actor, self.document))
            )
            if rival is None:
                continue
            ground, text = self._form(rival, other)
            hunk = self.session.get(Hunk, (suggestion_id, other))
            organizations, meetings = self._origins_of(rival)
            self.made.entries.append(
                Entry(
                    "rival", rival.filed_at or rival.created_at, self._name(rival.author_id), organizations, meetings,
                    text=text, before=ground, note=rival.reason, number=rival.number, state=hunk.state if hunk else "",
                )
            )  # fmt: skip

    def _verdict_elsewhere(self, each: Decision, row: Suggestion) -> None:
        """A decision on another proposal for which this one had to give way."""
        numbers = self._numbers()
        self.made.entries.append(
            Entry(
                "decided", each.at, self._name(each.by_id), note=each.reason, number=numbers.get(each.suggestion_id),
                verdict=each.verdict, superseded=(row.number,), reverted=each.reverted_by_id is not None,
            )
        )  # fmt: skip

    def _numbers(self) -> dict[int, int]:
        return {each: row.number for each, row in self.reader.sources._suggestions.items()}

    def _name(self, user_id: int | None) -> str:
        known = self.reader.sources._names
        if user_id is not None and user_id not in known:
            user = self.session.get(User, user_id)
            known[user_id] = user.name if user else ""
        return known.get(user_id or 0, "")


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


def _overlap(a: Span, b: Span) -> bool:
    return (
        a.stream == b.stream and a.version == b.version and a.offset < b.offset + b.length and b.offset < a.offset + a.length
    )


def _holds(passing: Any, span: Span) -> bool:
    return passing.offset <= span.offset < passing.offset + passing.length


def _share_words(a: str, b: str) -> bool:
    words = re.compile(r"\w+")
    return bool(set(words.findall(a.casefold())) & set(words.findall(b.casefold()))) or not (a.strip() and b.strip())


def _sentence_number(minutes: str, quote: str) -> int | None:
    """The number of the sentence of the minutes in which the quote begins, from 1; None when it is not there."""
    quote = " ".join(quote.split())
    plain = " ".join(minutes.split())
    at = plain.find(quote) if quote else -1
    if at < 0:
        return None
    return 1 + sum(found.end() <= at for found in re.finditer(r"[.!?…]\s+(?=[\w„“\"])", plain))


def titles(session: Session, document_id: int) -> dict[int, str]:
    """{section: title}, of removed ones too."""
    return dict(session.execute(select(Section.id, Section.title).where(Section.document_id == document_id)).all())

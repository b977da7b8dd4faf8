"""The rows of the consultation report: entries of the register with their wordings, reasons, positions and deciders.

Identical entries (the same words at the same place with the same outcome, or the same remark) are one row with all
their authors, each with their reason. The words of a row are those the author last left, at the version they were
written on; the sentence around them is given, so that a row can be read without the draft. Rows are built for the
entries asked for only: a page of fifty does not read two thousand.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.formats.tables import Cell, Run
from drafting.services.epochs import MeetingBadge
from drafting.services.logs import StreamHistory, histories
from drafting.services.passages import Passage, Place, passages
from drafting.services.people import OrganizationView
from drafting.services.register import Entry
from drafting.services.report_words import Speech
from drafting.services.sources import streams_of
from drafting.store.models import (
    Annotation,
    Comment,
    Decision,
    Document,
    Hunk,
    HunkState,
    Membership,
    Organization,
    PhaseChange,
    Suggestion,
    User,
)

OPEN_STATES = ("open", "accepted", "rejected", "fulfilled", "superseded")
_SIGNS = re.compile(r"(?m)^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?)|\*\*|__|`|\\(?=[\\`*_{}\[\]()#+.!|<>~-])")
ROLE_WORDS = {"coordinator": "team", "drafter": "team", "official": "office", "council": "council"}


@dataclass(frozen=True, slots=True)
class Change:
    """One place that a row is about.

    draft     what stands there in the draft, a sentence
    proposed  the sentence with what goes struck out and what comes underlined
    position  of the office on this place, one of register.POSITIONS
    decided   who decided and when; of identical entries that were decided one by one, each of them
    after     what stands there after the decision; empty while there is none
    """

    unit: str
    draft: str
    proposed: tuple[Run, ...]
    position: str
    reason: str
    decided: tuple[tuple[str, datetime], ...]
    after: str


@dataclass(frozen=True, slots=True)
class Voice:
    """Who put an entry forward: the name for the report, the badge if there is one, the reason given."""

    key: str
    name: str
    organizations: tuple[OrganizationView, ...]
    meetings: tuple[MeetingBadge, ...]
    reason: str
    at: datetime
    form: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the report: one entry, or identical ones. number: its place in the report, from 1."""

    number: int
    kind: str
    entries: tuple[Entry, ...]
    voices: tuple[Voice, ...]
    position: str
    changes: tuple[Change, ...]

    @property
    def at(self) -> datetime:
        """When the first of them came in."""
        return min(each.at for each in self.voices)

    def cells(self, speech: Speech) -> tuple[Cell, ...]:
        """The twelve columns as plain values."""
        many = len(self.voices) > 1
        reasons = [f"{each.name}: {each.reason}" if many else each.reason for each in self.voices if each.reason]
        return (
            self.number,
            self.at.astimezone(speech.zone).date(),
            "\n".join(dict.fromkeys(each.name for each in self.voices)),
            ", ".join(dict.fromkeys(each.form for each in self.voices)),
            "; ".join(dict.fromkeys(each.unit for each in self.changes if each.unit)),
            self._side(speech, "draft"),
            self._side(speech, "proposed"),
            "\n".join(dict.fromkeys(reasons)),
            self.position_words(speech),
            _lines(speech, [each.reason for each in self.changes]),
            self.decided(speech),
            _lines(speech, [each.after for each in self.changes]),
        )

    def _side(self, speech: Speech, side: str) -> Cell:
        """The wording of the draft with what goes struck out, or the proposed one with what comes underlined: each
        can be read by itself, also where there is nothing but words."""
        if not any(each.proposed for each in self.changes):
            return _lines(speech, [each.draft for each in self.changes]) if side == "draft" else ""
        made: list[Run] = []
        for n, each in enumerate(self.changes, 1):
            if len(self.changes) > 1:
                made.append(Run(f"{n}) " if n == 1 else f"\n{n}) "))
            runs = [run for run in each.proposed if not (run.underlined if side == "draft" else run.struck)]
            if not "".join(run.text for run in runs).strip():
                runs = [Run(each.draft if side == "draft" else speech.say("removed"))]
            begins = next((n for n, run in enumerate(runs) if run.text.strip()), 0)  # not with the blank after what goes
            made.extend((replace(runs[begins], text=runs[begins].text.lstrip()), *runs[begins + 1 :]))
        return tuple(made)

    def position_words(self, speech: Speech) -> str:
        """The position in words; of several places that came to different ends, each one's after it."""
        said = speech.positions[self.position]
        different = {each.position for each in self.changes}
        if len(different) < 2:
            return said
        return said + ": " + "; ".join(f"{n}) {speech.positions[each.position]}" for n, each in enumerate(self.changes, 1))

    def decided(self, speech: Speech) -> str:
        """Who decided and when, each pair once."""
        said = [", ".join(part for part in (by, speech.day(at)) if part) for each in self.changes for by, at in each.decided]
        return "\n".join(dict.fromkeys(said))


def _lines(speech: Speech, parts: Sequence[str]) -> str:
    """The parts as one text: numbered when there are several and they differ."""
    if not any(parts):
        return ""
    return parts[0] if len(set(parts)) == 1 else speech.numbered([part or "—" for part in parts])


def groups(session: Session, entries: Sequence[Entry]) -> list[tuple[Entry, ...]]:
    """The entries as rows will be: identical ones together, in the order of the first of each.

    law  every entry is in exactly one group
    """
    remarks = _remark_texts(session, [each.id for each in entries if each.kind == "remark"])
    alike: dict[Any, list[Entry]] = defaultdict(list)
    for each in entries:
        alike[_likeness(each, remarks)].append(each)
    doubtful = {row.id for many in alike.values() if len(many) > 1 for row in many if row.kind == "suggestion"}
    places = _Places(session, doubtful, with_words=False)
    made: dict[Any, list[Entry]] = defaultdict(list)
    for likeness, many in alike.items():
        of_suggestions = len(many) > 1 and many[0].kind == "suggestion"
        apart = places.told_apart([each.id for each in many]) if of_suggestions else {}
        for each in many:
            made[likeness, apart.get(each.id)].append(each)
    order = {each.key: index for index, each in enumerate(entries)}
    return sorted((tuple(many) for many in made.values()), key=lambda many: order[many[0].key])


def _likeness(entry: Entry, remarks: dict[int, tuple[Any, ...]]) -> tuple[Any, ...]:
    """What identical entries have in common. A capital or a full stop may be all that a proposal changes: it is told
    by its exact words. A remark says the same in other capitals, and each voice keeps its own words beside it."""
    position = "accepted" if entry.position == "fulfilled" else entry.position
    if entry.facts is not None:
        pieces = tuple((each.ground, each.text) for each in entry.facts.pieces)
        if not pieces:
            return "alone", entry.key
        return "suggestion", entry.section_id, position, pieces
    return "remark", entry.section_id, position, remarks.get(entry.id, entry.key)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!")


def _remark_texts(session: Session, ids: Collection[int]) -> dict[int, tuple[Any, ...]]:
    """What remarks are alike in: their words, the passage's words, the suggestion they are on."""
    if not ids:
        return {}
    first = select(func.min(Comment.id)).group_by(Comment.annotation_id)
    rows = session.execute(
        select(Annotation.id, Annotation.quote_exact, Annotation.suggestion_id, Comment.text)
        .join(Comment, Comment.annotation_id == Annotation.id)
        .where(Comment.id.in_(first), Comment.removed_at.is_(None), Annotation.id.in_(_subset(ids)))
    )
    return {row.id: (_plain(row.text), _plain(row.quote_exact), row.suggestion_id) for row in rows}


def _subset(ids: Collection[int]) -> list[int]:
    return sorted(ids)


class _Places:
    """The places of suggestions; with_words: and what stood around them."""

    def __init__(self, session: Session, ids: Collection[int], *, with_words: bool = True) -> None:
        self.session = session
        self.sections: dict[int, int] = {}
        self.news: set[int] = set()
        self.hunks: dict[int, list[tuple[int, Place, str, str]]] = defaultdict(list)  # (hunk, place, text, state)
        wanted = set(ids)
        if not wanted:
            self.passages: dict[Place, Passage] = {}
            self.histories: dict[int, StreamHistory] = {}
            return
        rows = session.execute(
            select(
                Suggestion.id, Suggestion.section_id, Suggestion.document_id, Suggestion.filed_form,
                Suggestion.filed_version, Suggestion.new_section,
            ).where(Suggestion.id.in_(_subset(wanted)))
        ).all()  # fmt: skip
        for row in rows:
            self.sections[row.id] = row.section_id
            if row.new_section:
                self.news.add(row.id)
        for hunk in session.execute(
            select(Hunk.suggestion_id, Hunk.id, Hunk.start, Hunk.end, Hunk.text, Hunk.version, Hunk.state)
            .where(Hunk.suggestion_id.in_(_subset(wanted)), Hunk.state.in_(OPEN_STATES))
            .order_by(Hunk.suggestion_id, Hunk.start, Hunk.id)
        ):
            place = Place(self.sections[hunk.suggestion_id], hunk.version, hunk.start, hunk.end)
            self.hunks[hunk.suggestion_id].append((hunk.id, place, hunk.text, hunk.state))
        for row in rows:
            if not self.hunks[row.id] and row.filed_form:  # withdrawn: as it was filed
                for id, start, end, text, _ in json.loads(row.filed_form):
                    place = Place(row.section_id, row.filed_version or 0, start, end)
                    self.hunks[row.id].append((id, place, text, "withdrawn"))
        self.histories = document_histories(session, rows[0].document_id) if rows else {}
        every = [place for many in self.hunks.values() for _, place, _, _ in many]
        self.passages = passages(session, self.histories, every) if with_words else {}

    def told_apart(self, alike: Collection[int]) -> dict[int, tuple[Any, ...]]:
        """Where the places of suggestions with the same words lie, all in the version that the last of them was
        written on; a place whose surroundings have gone by then is nobody else's."""
        last = max((place.version for each in alike for _, place, _, _ in self.hunks[each]), default=0)

        def seen(place: Place) -> tuple[Any, ...]:
            start, end = place.start, place.end
            history = self.histories.get(place.section_id)
            for version in range(place.version + 1, last + 1):
                if history is None or version > history.version:
                    break
                changes = history.changes(version)
                moved = changes.map_pos(start, -1, "track_del"), changes.map_pos(end, 1, "track_del")
                if moved[0] is None or moved[1] is None:
                    return ("gone", place)
                start, end = moved  # type: ignore[assignment]
            return start, end

        known = {place: seen(place) for place in {place for each in alike for _, place, _, _ in self.hunks[each]}}
        return {each: tuple(known[place] for _, place, _, _ in self.hunks[each]) for each in alike}


def document_histories(session: Session, document_id: int) -> dict[int, StreamHistory]:
    """{section: its history} of a document."""
    streams = streams_of(session, document_id)
    found = histories(session, list(streams.values()))
    return {section: found[stream] for section, stream in streams.items() if stream in found}


class Builder:
    """Builds rows of one document in one language."""

    def __init__(self, session: Session, document: Document, speech: Speech) -> None:
        self.session = session
        self.document = document
        self.speech = speech
        self._names: dict[int, tuple[str, bool]] = {}
        self._departments = {
            row.user_id: row.name
            for row in session.execute(
                select(Membership.user_id, Organization.name)
                .join(Organization, Organization.id == Membership.organization_id)
                .where(Membership.document_id == document.id, Membership.role.in_(("official", "coordinator")))
            )
        }
        # Private persons that have agreed to be named, by the organisation row that stands for them.
        self._agreed = dict(
            session.execute(
                select(Membership.organization_id, User.name)
                .join(User, User.id == Membership.user_id)
                .join(Organization, Organization.id == Membership.organization_id)
                .where(
                    Membership.document_id == document.id,
                    Organization.kind == "person",
                    User.may_be_named.is_(True),
                    User.anonymised_at.is_(None),
                )
            ).all()
        )
        self._deadline = session.scalar(
            select(PhaseChange.ends_at)
            .where(PhaseChange.document_id == document.id, PhaseChange.phase == "consultation")
            .order_by(PhaseChange.id.desc())
            .limit(1)
        )

    def rows(self, numbered: Sequence[tuple[int, tuple[Entry, ...]]]) -> list[Row]:
        """The rows of these groups, each with its number in the report."""
        every = [entry for _, group in numbered for entry in group]
        proposals = [each.id for each in every if each.kind == "suggestion"]
        remarks = [each.id for each in every if each.kind == "remark"]
        self._know({each.author_id for each in every})
        said = self._suggestions_say(proposals)
        changes = self._changes(proposals)
        remark_rows = self._remarks(remarks)
        made = []
        for number, group in numbered:
            voices, decided = [], []
            for entry in group:
                if entry.kind == "suggestion":
                    reason, places = said[entry.id], changes.get(entry.id, ())
                else:
                    reason, change = remark_rows[entry.id]
                    places = (change,)
                voices.append(self._voice(entry, reason))
                decided.append((entry, places))
            # of an accepted proposal and those that it fulfilled, the accepted one tells what became of them
            first, places = next((each for each in decided if each[0].position == "accepted"), decided[0])
            places = tuple(
                self._together(place, [(entry.key, many[n]) for entry, many in decided if n < len(many)])
                for n, place in enumerate(places)
            )
            position = first.position
            if position == "inadmissible" and first.is_late and self._deadline is not None:
                late = self.speech.say("late", day=self.speech.last_day(self._deadline))
                places = tuple(replace(each, position="inadmissible", reason=each.reason or late) for each in places)
            elif position == "withdrawn" and first.facts is not None:
                places = tuple(replace(each, position="withdrawn") for each in places)
            made.append(Row(number, first.kind, group, tuple(voices), position, places))
        return made

    def _together(self, place: Change, every: Sequence[tuple[str, Change]]) -> Change:
        """What was decided of one place of identical entries: each reason and each who and when, once."""
        said = {each.reason for _, each in every if each.position == place.position}
        if len(said) > 1:
            reason = "\n".join(
                f"{key}: {each.reason}" for key, each in every if each.position == place.position and each.reason
            )
        else:
            reason = place.reason
        return replace(place, reason=reason, decided=tuple(dict.fromkeys(one for _, each in every for one in each.decided)))

    # ── who ──

    def _know(self, ids: Collection[int | None]) -> None:
        wanted = {each for each in ids if each is not None} - set(self._names)
        if wanted:
            for row in self.session.execute(
                select(User.id, User.name, User.may_be_named, User.anonymised_at).where(User.id.in_(sorted(wanted)))
            ):
                self._names[row.id] = (row.name, bool(row.may_be_named) and row.anonymised_at is None)

    def _voice(self, entry: Entry, reason: str) -> Voice:
        speech = self.speech
        organizations = entry.organizations or ((entry.speaker,) if entry.speaker is not None else ())
        shown = tuple(each for each in organizations if each.kind != "person")
        names = [each.name if each.kind != "person" else self._agreed.get(each.id, speech.say("person")) for each in organizations]
        if not names and not entry.meetings:
            role = ROLE_WORDS.get(entry.author_role)
            name, may_be_named = self._names.get(entry.author_id, ("", False))
            names = [speech.say(role) if role else name if may_be_named else speech.say("person")]
        names += [speech.say("meeting", number=each.number, topic=each.topic) for each in entry.meetings]
        form = speech.forms.get(entry.form, entry.form)
        if entry.meetings:
            form = ", ".join(speech.say("at_meeting", number=each.number) for each in entry.meetings)
        return Voice(entry.key, "; ".join(names), shown, entry.meetings, reason, entry.at, form)

    def _decider(self, user_id: int | None) -> str:
        self._know({user_id})
        name = self._names.get(user_id or 0, ("", False))[0]
        name = self.speech.say("somebody") if name in ("", "—") else name
        department = self._departments.get(user_id or 0)
        return f"{name}, {department}" if department else name

    # ── what ──

    def _suggestions_say(self, ids: Collection[int]) -> dict[int, str]:
        if not ids:
            return {}
        rows = self.session.execute(select(Suggestion.id, Suggestion.reason).where(Suggestion.id.in_(_subset(ids))))
        return {row.id: row.reason.strip() for row in rows}

    def _changes(self, ids: Collection[int]) -> dict[int, tuple[Change, ...]]:
        places = _Places(self.session, ids)
        decisions = self._decisions(ids)
        made: dict[int, tuple[Change, ...]] = {}
        for suggestion_id, many in places.hunks.items():
            is_new = suggestion_id in places.news
            made[suggestion_id] = tuple(
                self._change(places.passages.get(place), text, state, decisions.get((suggestion_id, id)), suggestion_id, is_new)
                for id, place, text, state in many
            )
        return made

    def _change(
        self, passage: Passage | None, text: str, state: str, decision: Any, suggestion_id: int, is_new: bool
    ) -> Change:
        speech = self.speech
        found = passage or Passage("", "", "", "")
        goes, comes = _bare(found.words), _bare(text)
        if goes == comes:  # only signs change: they are what is proposed
            goes, comes = found.words, text
        lead, tail = _bare(found.before).lstrip(), _bare(found.after)
        before = lead + goes + tail
        runs = tuple(
            run for run in (Run(lead), Run(goes, struck=True), Run(comes, underlined=True), Run(tail)) if run.text
        )
        unit = speech.say("new_section") if is_new else found.unit or speech.say("whole_section")
        if state in ("open", "withdrawn") or decision is None:
            position = state if state in ("open", "withdrawn") else "open"
            return Change(unit, before.strip() or speech.say("nothing"), runs, position, "", (), "")
        reason = decision.reason.strip()
        after = _bare((decision.form or {}).get("after", "")).strip()
        if state == "accepted":
            position = "partly" if decision.verdict == "reworded" else "accepted"
            after = after or speech.say("removed")
        elif state == "fulfilled":
            position = "fulfilled"
            reason = f"{speech.say('fulfilled_by', key=decision.key)} {reason}".strip()
            after = after or speech.say("removed")
        elif state == "superseded":
            position = "superseded"
            reason = f"{speech.say('gave_way', key=decision.key)} {reason}".strip()
        else:
            position, after = "rejected", speech.say("unchanged")
        decided = ((self._decider(decision.by_id), decision.at),)
        return Change(unit, before.strip() or speech.say("nothing"), runs, position, reason, decided, after)

    def _decisions(self, ids: Collection[int]) -> dict[tuple[int, int], Any]:
        """(suggestion, hunk) → the decision that brought the hunk into its present state."""
        if not ids:
            return {}
        newest = (
            select(func.max(HunkState.id)).where(HunkState.suggestion_id.in_(_subset(ids))).group_by(
                HunkState.suggestion_id, HunkState.hunk_id
            )
        )
        rows = self.session.execute(
            select(
                HunkState.suggestion_id, HunkState.hunk_id, Decision.verdict, Decision.reason, Decision.by_id, Decision.at,
                Decision.form, Suggestion.number,
            )
            .join(Decision, Decision.id == HunkState.decision_id)
            .join(Suggestion, Suggestion.id == Decision.suggestion_id)
            .where(HunkState.id.in_(newest))
        )  # fmt: skip
        return {(row[0], row[1]): _Judged(*row[2:]) for row in rows}

    def _remarks(self, ids: Collection[int]) -> dict[int, tuple[str, Change]]:
        """remark → what it says, and the place and position as a change."""
        if not ids:
            return {}
        rows = self.session.scalars(select(Annotation).where(Annotation.id.in_(_subset(ids)))).all()
        threads: dict[int, list[Comment]] = defaultdict(list)
        for comment in self.session.scalars(
            select(Comment).where(Comment.annotation_id.in_(_subset(ids)), Comment.removed_at.is_(None)).order_by(Comment.id)
        ):
            threads[comment.annotation_id].append(comment)
        places = {
            row.id: Place(row.section_id, row.version or 0, row.start, row.end or row.start)
            for row in rows
            if row.section_id is not None and row.start is not None
        }
        known = passages(self.session, document_histories(self.session, self.document.id), list(places.values()))
        numbers = dict(
            self.session.execute(
                select(Suggestion.id, Suggestion.number).where(
                    Suggestion.id.in_(sorted({row.suggestion_id for row in rows if row.suggestion_id}))
                )
            ).all()
        )
        return {row.id: self._remark(row, threads[row.id], known.get(places.get(row.id)), numbers) for row in rows}  # type: ignore[arg-type]

    def _remark(
        self, row: Annotation, thread: list[Comment], passage: Passage | None, numbers: dict[int, int]
    ) -> tuple[str, Change]:
        speech = self.speech
        says = thread[0].text.strip() if thread else ""
        if row.suggestion_id:
            unit = speech.say("suggestion", number=numbers.get(row.suggestion_id, "?"))
        elif passage is not None:
            unit = passage.unit or speech.say("whole_section")
        else:
            unit = speech.say("whole_section" if row.section_id else "whole_document")
        position, reason, by, at = row.position, row.position_reason.strip(), row.position_by_id, row.position_at
        if position is None and row.state == "resolved":
            position = "noted"
            answer = next((each for each in reversed(thread[1:]) if each.author_id != row.author_id), None)
            if answer is not None:
                reason, by, at = answer.text.strip(), answer.author_id, answer.at
        decided = ((self._decider(by), at),) if at is not None else ()
        return says, Change(unit, _bare(row.quote_exact).strip(), (), position or "open", reason, decided, "")


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a report needs of a decision."""

    verdict: str
    reason: str
    by_id: int
    at: datetime
    form: dict[str, Any] | None
    number: int

    @property
    def key(self) -> str:
        return f"U-{self.number}"


def _bare(text: str) -> str:
    """Words without Markdown's signs for headings, bold, quotations and escapes; the numbers of units stay."""
    return _SIGNS.sub("", text)

"""What belongs to a proposal, as entries of a story: the meeting, its filing, support, discussion, rivals and decisions.

`stories` tells of words; whenever a proposal brought them in or took them out it asks here, once for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.services import annotations
from drafting.services.access import Actor, visible_suggestions
from drafting.services.attribution_view import Reader
from drafting.services.epochs import MeetingBadge
from drafting.services.people import OrganizationView
from drafting.store.models import (
    Decision,
    Document,
    Endorsement,
    Event,
    Hunk,
    Meeting,
    MeetingAttendance,
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


class Proposals:
    """Gathers the entries of proposals. entries: in no order; decisions: the ids of those that are told"""

    def __init__(self, session: Session, actor: Actor, reader: Reader, document: Document) -> None:
        self.session = session
        self.actor = actor
        self.reader = reader
        self.document = document
        self.entries: list[Entry] = []
        self.decisions: set[int] = set()
        self._told: set[tuple[int, int]] = set()

    def tell(self, suggestion_id: int, hunk_id: int) -> None:
        """All that belongs to a proposal: the meeting, its filing, support, discussion, rivals and decisions."""
        if (suggestion_id, hunk_id) in self._told:
            return
        self._told.add((suggestion_id, hunk_id))
        row = self.session.scalar(
            select(Suggestion).where(Suggestion.id == suggestion_id, visible_suggestions(self.actor, self.document))
        )
        if row is None:
            return
        decisions = self._decisions_on(suggestion_id, hunk_id)
        organizations, meetings = self._origins_of(row)
        add = self.entries.append
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
            self.decisions.add(each.id)
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
                self.entries.append(
                    Entry("amended", at, self._name(actor_id), note=said.get("reason", ""), number=row.number)
                )

    def _support(self, row: Suggestion) -> None:
        for each in self.session.scalars(
            select(Endorsement).where(Endorsement.suggestion_id == row.id).order_by(Endorsement.at)
        ):
            organization = self.reader.sources.organizations.get(each.organization_id)
            who = (organization,) if organization else ()
            self.entries.append(
                Entry("endorsed", each.at, self._name(each.user_id), who, note=each.note, number=row.number)
            )
            if each.ended_at is not None:
                self.entries.append(Entry("unendorsed", each.ended_at, self._name(each.user_id), who, number=row.number))

    def _discussion(self, row: Suggestion) -> None:
        for each in annotations.of_suggestion(self.session, self.actor, row.id):
            who = (each.organization,) if each.organization else ()
            self.entries.append(Entry("remark", each.created_at, each.author, who, text=each.text, number=row.number))
            for reply in each.replies:
                who = (reply.organization,) if reply.organization else ()
                self.entries.append(Entry("reply", reply.at, reply.author, who, text=reply.text, number=row.number))
            if each.position is not None:
                self.entries.append(
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
            self.entries.append(
                Entry(
                    "rival", rival.filed_at or rival.created_at, self._name(rival.author_id), organizations, meetings,
                    text=text, before=ground, note=rival.reason, number=rival.number, state=hunk.state if hunk else "",
                )
            )  # fmt: skip

    def _verdict_elsewhere(self, each: Decision, row: Suggestion) -> None:
        """A decision on another proposal for which this one had to give way."""
        numbers = self._numbers()
        self.entries.append(
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

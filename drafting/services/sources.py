"""Where words come from: the `Source` of each revision of a document, with everybody who is credited, and its groups.

Typed by, on behalf of and decided by are three facts and stay three. What an official put in other words is divided:
the words kept are the proposer's, the rest the official's. What was asked for by several (identical proposals, shared
deletions) names all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.attribution import Span
from drafting.services.epochs import Called, MeetingBadge, called
from drafting.services.logs import Fact, StreamHistory
from drafting.services.people import OrganizationView
from drafting.store.models import (
    Decision,
    Origin,
    Section,
    Suggestion,
    SuggestionOrigin,
)

COLOURINGS = ("meeting", "organization", "kind", "decision", "age")
KINDS = ("suggestion", "edit", "import", "restore", "revert", "move", "rewording")
VERDICTS = ("accepted", "reworded", "reverted")
AGES = (7, 30, 90, 365)  # days; the groups of the colouring by age end there
AGE_HUES = (2, 12, 8, 5, 1)
PLATFORM_HUE = 12
TEAM = "team"


@dataclass(frozen=True, slots=True)
class Source:
    """Where words come from, or who took them out.

    kind           suggestion edit import restore revert move; rewording: an official's own words
    organizations  on whose behalf, all of them; with `meetings`
    suggestion     its number; `credited` are the numbers of others that asked for the same
    verdict        of the decision that put it into the text; empty without one
    author         who typed it; `decided_by` who decided
    signature      what is the same for neighbouring words that people see as one
    """

    kind: str
    stream_id: int
    version: int
    section_id: int
    at: datetime
    author_id: int | None = None
    author: str = ""
    organizations: tuple[OrganizationView, ...] = ()
    meetings: tuple[MeetingBadge, ...] = ()
    suggestion_id: int | None = None
    hunk_id: int | None = None
    suggestion: int | None = None
    credited: tuple[int, ...] = ()
    decision_id: int | None = None
    verdict: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    signature: tuple[Any, ...] = ()

    @property
    def is_own(self) -> bool:
        """Of the team itself: nobody asked for it."""
        return not (self.organizations or self.meetings or self.suggestion or self.decision_id)

    def matches(self, only: str) -> bool:
        """Whether it is of a meeting ("m3"), an organisation ("oZP"), a suggestion ("u17") or a group of any colouring."""
        return (
            any(f"m{each.number}" == only for each in self.meetings)
            or any(f"o{each.code}" == only for each in self.organizations)
            or any(f"u{each}" == only for each in (self.suggestion, *self.credited) if each)
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A key of the legend. name, code: empty where the web has words for the id (kinds, verdicts, ages, platform, team)."""

    id: str
    hue: int
    code: str = ""
    name: str = ""


def group_of(source: Source, by: str, at: datetime) -> Group:
    """The group that words of a source are counted and coloured in.

    by  meeting organization kind decision age
    at  the moment that ages are counted from
    """
    if by == "meeting":
        if source.meetings:
            first = source.meetings[0]
            return Group(f"m{first.number}", first.hue, str(first.number), first.topic)
        if source.organizations or source.suggestion:
            return Group("platform", PLATFORM_HUE)
    elif by == "organization":
        if source.organizations:
            one = source.organizations[0]
            return Group(f"o{one.code}", one.hue, one.code, one.name)
    elif by == "kind":
        return Group(f"kind-{source.kind}", KINDS.index(source.kind) + 1 if source.kind in KINDS else 0)
    elif by == "decision":
        if source.verdict:
            return Group(f"verdict-{source.verdict}", {"accepted": 3, "reworded": 5, "reverted": 2}.get(source.verdict, 0))
    elif by == "age":
        days = (at - source.at).total_seconds() / 86400
        index = next((i for i, limit in enumerate(AGES) if days < limit), len(AGES))
        return Group(f"age-{index}", AGE_HUES[index])
    return Group(TEAM, 0)


class Sources:
    """Every source of a document, asked for by stream, version and offset. Made for one request."""

    def __init__(self, session: Session, document_id: int, histories: dict[int, StreamHistory]) -> None:
        self._session = session
        self._document_id = document_id
        self._histories = histories
        self._made: dict[int, dict[int, Source]] = {}
        self._together: dict[Any, tuple[tuple[OrganizationView, ...], tuple[MeetingBadge, ...]]] = {}
        self._parts: dict[tuple[int, int], list[tuple[int, int, Source]]] = {}

    # ── what is asked for ──

    def of(self, stream_id: int, version: int) -> Source:
        """The source of a revision as a whole."""
        kept = self._made.get(stream_id)
        if kept is None:
            kept = self._made[stream_id] = self.views(self._histories[stream_id]).setdefault("sources", {})
        known: Source | None = kept.get(version)
        if known is None:
            history = self._histories[stream_id]
            known = kept[version] = self._source(history, version, history.facts[version - 1])
        return known

    def views(self, history: StreamHistory) -> dict[Any, Any]:
        """What may be kept of a stream as long as nobody and nothing behind it is called otherwise."""
        return history.views(self.called.epoch)

    @cached_property
    def called(self) -> Called:
        """The names of the document, of everybody who typed too. What is made with them is kept while they hold."""
        return called(self._session, self._document_id, {each for one in self._histories.values() for each in one.authors})

    def of_span(self, span: Span) -> Iterator[tuple[int, Source]]:
        """(length, source) of the characters of a span whose stream is named."""
        source = self.of(span.stream, span.version)
        if source.verdict != "reworded":
            yield span.length, source
            return
        start, end = span.offset, span.offset + span.length
        for low, high, one in self._parts_of(source):
            if low < end and start < high:
                yield min(end, high) - max(start, low), one

    # ── putting it together ──

    def _source(self, history: StreamHistory, version: int, fact: Fact) -> Source:
        row = self._decisions.get(fact.decision_id or 0)
        origins = history.origins.get(version, ())
        name = self._names.get(fact.author_id or 0, "")
        if row is None:
            organizations, meetings = self._behind(origins, ())
            signature = fact.kind, fact.author_id, organizations, meetings, fact.at.toordinal()
            return Source(
                fact.kind, history.stream_id, version, history.section_id, fact.at, fact.author_id, name, organizations, meetings,
                signature=signature,
            )  # fmt: skip
        is_accept = fact.kind == "accept"
        effects = row.effects or {}
        others = tuple(
            dict.fromkeys(each for key in ("fulfilled", "shared") for each, _ in effects.get(key, ()) if each != row.suggestion_id)
        )
        organizations, meetings = self._behind(origins, (row.suggestion_id, *others) if is_accept else ())
        suggestion = self._suggestions.get(row.suggestion_id)
        kind = "suggestion" if is_accept else fact.kind
        return Source(
            kind=kind,
            stream_id=history.stream_id,
            version=version,
            section_id=history.section_id,
            at=fact.at,
            author_id=fact.author_id,
            author=name,
            organizations=organizations,
            meetings=meetings,
            suggestion_id=row.suggestion_id,
            hunk_id=row.hunk_id,
            suggestion=suggestion.number if suggestion else None,
            credited=tuple(self._suggestions[each].number for each in others if each in self._suggestions),
            decision_id=row.id,
            verdict=row.verdict,
            decided_by=self._names.get(row.by_id, ""),
            decided_at=row.at,
            reason=row.reason,
            signature=(row.id, kind),
        )

    def _behind(
        self, origin_ids: tuple[int, ...], suggestion_ids: tuple[int, ...]
    ) -> tuple[tuple[OrganizationView, ...], tuple[MeetingBadge, ...]]:
        """The organisations and meetings of these origins and of those suggestions, each once."""
        key = origin_ids, suggestion_ids
        known = self._together.get(key)
        if known is None:
            origins = [self._origins[each] for each in origin_ids if each in self._origins]
            for each in suggestion_ids:
                origins.extend(one for one in self._suggestion_origins.get(each, ()) if one not in origins)
            known = self._together[key] = _organizations(origins), _meetings(origins)
        return known

    def _parts_of(self, source: Source) -> list[tuple[int, int, Source]]:
        """The words of a reworded acceptance: which stretch of what it inserted is whose."""
        key = source.stream_id, source.version
        known = self._parts.get(key)
        if known is not None:
            return known
        size = len(self._histories[source.stream_id].inserted(source.version))
        form = self._session.scalar(select(Decision.form).where(Decision.id == source.decision_id)) or {}
        parts = form.get("parts") or []
        made: list[tuple[int, int, Source]] = []
        if sum(length for length, _ in parts) == size:
            official = replace(
                source, kind="rewording", organizations=(), meetings=(), author=source.decided_by, author_id=None,
                signature=(source.decision_id, "rewording"),
            )  # fmt: skip
            at = 0
            for length, is_theirs in parts:
                made.append((at, at + length, source if is_theirs else official))
                at += length
        self._parts[key] = made or [(0, size, source)]
        return self._parts[key]

    # ── rows, each read once ──

    @cached_property
    def _origins(self) -> dict[int, tuple[OrganizationView | None, MeetingBadge | None]]:
        rows = self._session.execute(
            select(Origin.id, Origin.organization_id, Origin.meeting_id).where(Origin.document_id == self._document_id)
        )
        return {
            row.id: (self.organizations.get(row.organization_id or 0), self.meetings.get(row.meeting_id or 0)) for row in rows
        }

    @property
    def organizations(self) -> dict[int, OrganizationView]:
        return self.called.organizations

    @property
    def meetings(self) -> dict[int, MeetingBadge]:
        return self.called.meetings

    @cached_property
    def _decisions(self) -> dict[int, Any]:
        rows = self._session.execute(
            select(
                Decision.id, Decision.suggestion_id, Decision.hunk_id, Decision.verdict, Decision.reason, Decision.by_id,
                Decision.at, Decision.effects,
            ).where(Decision.document_id == self._document_id, Decision.verdict != "rejected")
        )
        return {row.id: row for row in rows}

    @cached_property
    def _suggestions(self) -> dict[int, Any]:
        rows = self._session.execute(
            select(Suggestion.id, Suggestion.number).where(Suggestion.document_id == self._document_id)
        )
        return {row.id: row for row in rows}

    @cached_property
    def _suggestion_origins(self) -> dict[int, list[tuple[OrganizationView | None, MeetingBadge | None]]]:
        found: dict[int, list[tuple[OrganizationView | None, MeetingBadge | None]]] = {}
        for suggestion_id, origin_id in self._session.execute(
            select(SuggestionOrigin.suggestion_id, SuggestionOrigin.origin_id)
            .join(Origin, Origin.id == SuggestionOrigin.origin_id)
            .where(Origin.document_id == self._document_id)
            .order_by(SuggestionOrigin.suggestion_id, SuggestionOrigin.origin_id)
        ):
            found.setdefault(suggestion_id, []).append(self._origins[origin_id])
        return found

    @property
    def _names(self) -> dict[int, str]:
        return self.called.people


def _organizations(origins: Iterable[tuple[OrganizationView | None, MeetingBadge | None]]) -> tuple[OrganizationView, ...]:
    return tuple(dict.fromkeys(each for each, _ in origins if each is not None))


def _meetings(origins: Iterable[tuple[OrganizationView | None, MeetingBadge | None]]) -> tuple[MeetingBadge, ...]:
    return tuple(dict.fromkeys(each for _, each in origins if each is not None))


def streams_of(session: Session, document_id: int) -> dict[int, int]:
    """{section: main stream} of a document, removed sections too."""
    rows = session.execute(
        select(Section.id, Section.stream_id).where(Section.document_id == document_id, Section.stream_id.is_not(None))
    )
    return {row.id: row.stream_id for row in rows}

"""Suggestions as values: what lists, cards and the API show of them, read with one query for each kind of row.

Where open hunks stand, their hashes and relations come from the section's index; the rest from rows.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.text import from_units
from drafting.services import heads
from drafting.services.access import (
    Actor,
    allowed,
    belongs_to,
)
from drafting.services.heads import Head
from drafting.services.people import OrganizationView, OriginView, organization_view, origin_view
from drafting.store.models import (
    Decision,
    Document,
    Endorsement,
    Hunk,
    Organization,
    Origin,
    Section,
    Stream,
    Suggestion,
    SuggestionOrigin,
    User,
)


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A verdict on a hunk. Texts are ordinary Unicode.

    verdict          accepted reworded rejected reverted
    ground, text     what stood there and what was proposed; `wording` is what was put there
    before, after    the sentence before and after, for the report
    superseded, fulfilled, shared   (suggestion, hunk) of others
    """

    id: int
    suggestion_id: int
    hunk_id: int
    verdict: str
    mode: str
    reason: str
    by_id: int
    by: str
    at: datetime
    main_version: int
    ground: str
    text: str
    wording: str
    before: str
    after: str
    superseded: tuple[tuple[int, int], ...]
    fulfilled: tuple[tuple[int, int], ...]
    shared: tuple[tuple[int, int], ...]
    set_id: str | None
    reverts_id: int | None
    reverted_by_id: int | None

    @property
    def stands(self) -> bool:
        return self.reverted_by_id is None and self.verdict != "reverted"


@dataclass(frozen=True, slots=True)
class RelatedView:
    """A hunk of another suggestion that this one touches.

    kind        identical compatible clash
    supersedes  accepting this one supersedes it
    """

    suggestion_id: int
    number: int
    hunk_id: int
    kind: str
    supersedes: bool
    ground: str
    text: str
    organization: OrganizationView | None
    author: str


@dataclass(frozen=True, slots=True)
class WayView:
    """One way to accept a hunk and the sentence it makes. mode: "", "stands" or "around"."""

    mode: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class HunkView:
    """One piece of a suggestion.

    state       open accepted reworded rejected fulfilled superseded withdrawn joined
    start, end  where it stands in main now; None when it is not open
    fulfilled   main reads so already by a direct edit: not acceptable while so
    decision    the standing decision on it, or the one that superseded or fulfilled it
    """

    id: int
    state: str
    start: int | None
    end: int | None
    ground: str
    text: str
    base_changed: bool = False
    fulfilled: bool = False
    hash: str = ""
    related: tuple[RelatedView, ...] = ()
    ways: tuple[WayView, ...] = ()
    decision: DecisionView | None = None
    joined_into: int | None = None


@dataclass(frozen=True, slots=True)
class EndorsementView:
    """An organisation's support."""

    organization: OrganizationView
    by: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FiledHunk:
    """A hunk as it was filed: immutable. start, end: in main at the suggestion's `filed_version`."""

    id: int
    start: int
    end: int
    ground: str
    text: str


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A suggestion with its hunks in order of place, open ones first.

    state            draft filed decided withdrawn
    fate             in one word: draft, open, accepted, reworded, partly, rejected, fulfilled, superseded, withdrawn
    version          main version the positions of open hunks mean
    branch_version   of its own stream, which a decision names
    is_late          filed after the deadline of the phase
    can              what the reader may do with it: edit file amend withdraw endorse unendorse decide
    """

    id: int
    document_id: int
    section_id: int
    section_title: str
    number: int
    state: str
    fate: str
    stream_id: int
    version: int
    branch_version: int
    author_id: int
    author: str
    organization: OrganizationView | None
    origins: tuple[OriginView, ...]
    reason: str
    minutes_quote: str
    form: str
    new_section: bool
    created_at: datetime
    filed_at: datetime | None
    withdrawn_at: datetime | None
    filed_version: int | None
    filed_form: tuple[FiledHunk, ...]
    hunks: tuple[HunkView, ...]
    endorsements: tuple[EndorsementView, ...]
    is_own: bool
    can: frozenset[str]

    @property
    def open_hunks(self) -> tuple[HunkView, ...]:
        return tuple(hunk for hunk in self.hunks if hunk.state == "open")

    @property
    def supersedes(self) -> tuple[tuple[int, int], ...]:
        """(suggestion, hunk) of others that accepting all open hunks would supersede."""
        return tuple(
            sorted({(one.suggestion_id, one.hunk_id) for hunk in self.open_hunks for one in hunk.related if one.supersedes})
        )


# ── views ───────────────────────────────────────────────────────────────────────────────────────────────


def views(session: Session, actor: Actor, rows: Sequence[Suggestion], *, ways: int = 2) -> list[SuggestionView]:
    """The values of rows that the actor may see, in their order, read section by section.

    ways  how many of each hunk at most; a list shows the first, and the second may need a long log
    """
    if not rows:
        return []
    gathered = _Gathered(session, actor, rows, ways)
    built: dict[int, SuggestionView] = {}
    by_section: dict[int, list[Suggestion]] = defaultdict(list)
    for row in rows:
        by_section[row.section_id].append(row)
    for section_id, some in by_section.items():
        with heads.reading(session, section_id) as head:
            for row in some:
                built[row.id] = gathered.view(head, row)
    return [built[row.id] for row in rows]


class _Gathered:
    """All rows that the views of some suggestions need, read with one query each."""

    def __init__(self, session: Session, actor: Actor, rows: Sequence[Suggestion], ways: int) -> None:
        self.session, self.actor, self.ways = session, actor, ways
        ids = [row.id for row in rows]
        self.documents = {each: session.get_one(Document, each) for each in {row.document_id for row in rows}}
        self.titles = dict(
            session.execute(
                select(Section.id, Section.title).where(Section.id.in_({row.section_id for row in rows}))
            ).all()
        )
        self.versions = dict(
            session.execute(select(Stream.id, Stream.version).where(Stream.id.in_([row.stream_id for row in rows]))).all()
        )
        self.hunks: dict[int, list[Hunk]] = defaultdict(list)
        query = select(Hunk).where(Hunk.suggestion_id.in_(ids)).order_by(Hunk.suggestion_id, Hunk.id)
        for hunk in session.scalars(query.execution_options(populate_existing=True)):
            self.hunks[hunk.suggestion_id].append(hunk)
        self.origins: dict[int, list[OriginView]] = defaultdict(list)
        for suggestion_id, origin in session.execute(
            select(SuggestionOrigin.suggestion_id, Origin)
            .join(Origin, Origin.id == SuggestionOrigin.origin_id)
            .where(SuggestionOrigin.suggestion_id.in_(ids))
            .order_by(Origin.id)
        ):
            self.origins[suggestion_id].append(origin_view(origin))
        endorsements = session.execute(
            select(Endorsement, Organization, User.name)
            .join(Organization, Organization.id == Endorsement.organization_id)
            .join(User, User.id == Endorsement.user_id)
            .where(Endorsement.suggestion_id.in_(ids), Endorsement.ended_at.is_(None))
            .order_by(Endorsement.at, Endorsement.id)
        ).all()
        self.endorsements: dict[int, list[EndorsementView]] = defaultdict(list)
        self.endorsing: dict[int, set[int]] = defaultdict(set)
        for endorsement, organization, name in endorsements:
            self.endorsements[endorsement.suggestion_id].append(
                EndorsementView(organization_view(organization), name, endorsement.note, endorsement.at)
            )
            self.endorsing[endorsement.suggestion_id].add(organization.id)
        self.decisions = decisions_on(session, ids)
        self.others: dict[int, Suggestion] = {row.id: row for row in rows}
        self.names = dict(
            session.execute(select(User.id, User.name).where(User.id.in_({row.author_id for row in rows}))).all()
        )
        self.badges = organizations_of(session, {row.organization_id for row in rows})

    def view(self, head: Head, row: Suggestion) -> SuggestionView:
        document = self.documents[row.document_id]
        shown = {}
        if row.id in head.branches:
            shown = {hunk.id: hunk for hunk in head.proposals.shown(row.id)}
        hunks = [self._hunk(head, row, each, shown.get(each.id)) for each in self.hunks[row.id]]
        hunks.sort(key=lambda hunk: (hunk.start is None, hunk.start or 0, hunk.id))
        hunks = [hunk for hunk in hunks if hunk.state not in ("joined", "withdrawn") or row.state == "withdrawn"]
        filed = json.loads(row.filed_form) if row.filed_form else []
        own = belongs_to(self.actor, row)
        return SuggestionView(
            id=row.id,
            document_id=row.document_id,
            section_id=row.section_id,
            section_title=self.titles.get(row.section_id, ""),
            number=row.number,
            state=row.state,
            fate=_fate(row, hunks),
            stream_id=row.stream_id,
            version=head.version,
            branch_version=self.versions.get(row.stream_id, 0),
            author_id=row.author_id,
            author=self.names.get(row.author_id, ""),
            organization=self.badges.get(row.organization_id or 0),
            origins=tuple(self.origins[row.id]),
            reason=row.reason,
            minutes_quote=row.minutes_quote,
            form=row.form,
            new_section=row.new_section,
            created_at=row.created_at,
            filed_at=row.filed_at,
            withdrawn_at=row.withdrawn_at,
            filed_version=row.filed_version,
            filed_form=tuple(FiledHunk(id, start, end, ground, text) for id, start, end, text, ground in filed),
            hunks=tuple(hunks),
            endorsements=tuple(self.endorsements[row.id]),
            is_own=own,
            can=self._can(document, row, own),
        )

    def _can(self, document: Document, row: Suggestion, own: bool) -> frozenset[str]:
        actor = self.actor
        found = set()
        if own and row.state in ("draft", "filed"):
            if allowed(actor, "suggest", document):
                found |= {"edit", "amend"}
            if row.state == "draft" and allowed(actor, "file", document):
                found.add("file")
            if allowed(actor, "withdraw", document):
                found.add("withdraw")
        organization_id = actor.organization_id(document)
        if row.state == "filed" and organization_id is not None and allowed(actor, "endorse", document):
            if organization_id in self.endorsing[row.id]:
                found.add("unendorse")
            elif organization_id != row.organization_id:
                found.add("endorse")
        if row.state in ("filed", "decided") and allowed(actor, "decide", document):
            found.add("decide")
        return frozenset(found)

    def _hunk(self, head: Head, row: Suggestion, hunk: Hunk, shown: Any) -> HunkView:
        decisions = self.decisions.get((row.id, hunk.id), [])
        decision = next((each for each in reversed(decisions) if each.stands), None)
        if shown is None or hunk.state != "open":
            state = hunk.state
            if state == "accepted" and decision is not None and decision.verdict == "reworded":
                state = "reworded"
            return HunkView(
                hunk.id, state, None, None, hunk.ground, hunk.text, decision=decision, joined_into=hunk.joined_into
            )
        related, ways = (), ()
        if row.state in ("filed", "decided"):
            related = tuple(self._related(head, row, hunk.id))
            ways = tuple(
                WayView(way.mode, from_units(way.preview.before), from_units(way.preview.after))
                for way in head.proposals.ways(row.id, hunk.id, self.ways)
            )
        return HunkView(
            id=hunk.id,
            state="open",
            start=shown.start,
            end=shown.end,
            ground=from_units(shown.ground),
            text=from_units(shown.text),
            base_changed=shown.base_changed,
            fulfilled=shown.fulfilled,
            hash=shown.hash,
            related=related,
            ways=ways,
            decision=decision,
        )

    def _related(self, head: Head, row: Suggestion, hunk_id: int) -> Iterable[RelatedView]:
        for other_id, other_hunk, kind in head.proposals.rivals(row.id, hunk_id):
            other = self.others.get(other_id)
            if other is None:
                other = self.session.get(Suggestion, other_id)
                if other is None:
                    continue  # opened after this session began to read: the head is newer than its rows
                self.others[other_id] = other
                self.badges.update(organizations_of(self.session, {other.organization_id}))
                self.names[other.author_id] = self.session.get_one(User, other.author_id).name
            if other.filed_at is None:
                continue  # a draft is nobody's rival yet
            clash = head.proposals.relation((row.id, hunk_id), (other_id, other_hunk)).kind == "clash"
            one = next(each for each in head.proposals.hunks(other_id) if each.id == other_hunk)
            yield RelatedView(
                other_id,
                other.number,
                other_hunk,
                kind,
                clash,
                from_units(head.text[one.start : one.end]),
                from_units(one.text),
                self.badges.get(other.organization_id or 0),
                self.names.get(other.author_id, ""),
            )


def _fate(row: Suggestion, hunks: Sequence[HunkView]) -> str:
    if row.state in ("draft", "withdrawn"):
        return row.state
    states = {hunk.state for hunk in hunks if hunk.state not in ("joined", "withdrawn")}
    if "open" in states or not states:
        return "open"
    if len(states) == 1:
        return states.pop()
    taken = states & {"accepted", "reworded", "fulfilled"}
    if not taken:
        return "rejected" if "rejected" in states else "superseded"
    return "partly" if states - taken else ("reworded" if "reworded" in states else "accepted")


def organizations_of(session: Session, ids: Collection[int | None]) -> dict[int, OrganizationView]:
    """The organisations with these ids."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    return {
        row.id: organization_view(row)
        for row in session.scalars(select(Organization).where(Organization.id.in_(wanted)))
    }


def decisions_on(session: Session, suggestion_ids: Collection[int]) -> dict[tuple[int, int], list[DecisionView]]:
    """{(suggestion, hunk): its decisions, oldest first}."""
    found: dict[tuple[int, int], list[DecisionView]] = defaultdict(list)
    rows = session.execute(
        select(Decision, User.name)
        .join(User, User.id == Decision.by_id)
        .where(Decision.suggestion_id.in_(list(suggestion_ids)))
        .order_by(Decision.id)
        .execution_options(populate_existing=True)
    )
    for decision, name in rows:
        found[decision.suggestion_id, decision.hunk_id].append(decision_view(decision, name))
    return found


def decision_view(row: Decision, by: str) -> DecisionView:
    """The value of a decision's row."""
    form, effects = row.form or {}, row.effects or {}

    def pairs(name: str) -> tuple[tuple[int, int], ...]:
        return tuple((pair[0], pair[1]) for pair in effects.get(name, ()))

    return DecisionView(
        row.id,
        row.suggestion_id,
        row.hunk_id,
        row.verdict,
        row.mode,
        row.reason,
        row.by_id,
        by,
        row.at,
        row.main_version,
        form.get("ground", ""),
        form.get("text", ""),
        form.get("wording", ""),
        form.get("before", ""),
        form.get("after", ""),
        pairs("superseded"),
        pairs("fulfilled"),
        pairs("shared"),
        row.set_id,
        row.reverts_id,
        row.reverted_by_id,
    )

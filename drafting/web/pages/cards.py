"""Margin cards: what a suggestion or a remark shows beside the text, as values for templates/cards/.

One value a card, made from the services' views; nothing here decides or writes. Cards come in the order of the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import g

from drafting.services import annotations, suggestions
from drafting.services.annotations import AnnotationView, CommentView
from drafting.services.people import OrganizationView
from drafting.services.sections import SectionView
from drafting.services.suggestions import DecisionView, HunkView, SuggestionView
from drafting.web import words
from drafting.web.pages import frame

LAST = 2**40  # a place after every text: cards whose words are gone


@dataclass(frozen=True, slots=True)
class Rival:
    """A suggestion that wants the same words."""

    number: int
    url: str
    organization: OrganizationView | None
    hue: int
    ground: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of a discussion. `url`: the remark's page, on the first entry of a thread."""

    author: str
    at: datetime
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class SuggestionCard:
    """`state`: open competing base-changed draft withdrawn, or what was decided. `items`: what a decision names."""

    id: int
    number: int
    state: str
    hue: int
    organization: OrganizationView | None
    meeting: dict[str, Any] | None
    author: str
    at: datetime | None
    reason: str
    hunks: tuple[HunkView, ...]
    pos: int | None
    version: int
    url: str
    api: str
    draft: dict[str, Any]
    items: list[dict[str, Any]]
    supersedes: list[list[int]]
    rivals: tuple[Rival, ...]
    endorsements: tuple[OrganizationView, ...]
    decision: DecisionView | None
    talk: tuple[Said, ...]
    can: dict[str, bool]
    kind: str = "suggestion"


@dataclass(frozen=True, slots=True)
class AnnotationCard:
    """`state`: open resolved orphaned. `start`, `end`: where its words are in main at `version`; None for an orphan."""

    id: int
    number: int
    state: str
    organization: OrganizationView | None
    author: str
    start: int | None
    end: int | None
    version: int
    quote: str
    whole: bool
    text: str
    replies: tuple[Any, ...]
    position: dict[str, str] | None
    url: str
    api: str
    can: dict[str, bool]
    positions: tuple[tuple[str, Any], ...] = field(default=())
    kind: str = "annotation"

    @property
    def pos(self) -> int | None:
        return self.start


Card = SuggestionCard | AnnotationCard


def of_section(
    section: SectionView,
    *,
    suggestion_id: int | None = None,
    number: int | None = None,
    annotation_id: int | None = None,
) -> list[Card]:
    """The cards of a section in the order of the text: open suggestions, own drafts, remarks; or the one asked for."""
    session, actor = frame.reading(), frame.actor()
    if suggestion_id is not None or number is not None:
        view = (
            suggestions.suggestion(session, actor, suggestion_id)
            if suggestion_id is not None
            else suggestions.by_number(session, actor, section.document_id, number or 0)
        )
        talk = annotations.of_suggestion(session, actor, view.id)
        return [suggestion_card(view, talk)] if view.section_id == section.id else []
    if annotation_id is not None:
        remark = annotations.annotation(session, actor, annotation_id)
        # a remark on a suggestion stands on the suggestion's card
        return [annotation_card(remark)] if remark.section_id == section.id and remark.suggestion_id is None else []
    said: dict[int, list[AnnotationView]] = {}
    for remark in annotations.listing(session, actor, section.document_id, section_id=section.id, limit=2000):
        if remark.suggestion_id is not None:
            said.setdefault(remark.suggestion_id, []).append(remark)
    found: list[Card] = [
        suggestion_card(view, said.get(view.id, ()))
        for view in suggestions.of_section(session, actor, section.id, states=("draft", "filed"))
        if view.open_hunks or view.is_own
    ]
    found += [annotation_card(view) for view in annotations.of_section(session, actor, section.id)]
    return sorted(found, key=lambda card: (LAST if card.pos is None else card.pos, card.number))


def counts(cards: list[Card]) -> tuple[int, int]:
    """How many open suggestions and open remarks a section has."""
    return (
        sum(card.kind == "suggestion" and card.state not in ("draft", "withdrawn") for card in cards),
        sum(card.kind == "annotation" and card.state != "resolved" for card in cards),
    )


def voices(cards: list[Card]) -> list[dict[str, Any]]:
    """Who proposes here: organisations with the number of their open suggestions, most first."""
    found: dict[int, dict[str, Any]] = {}
    for card in cards:
        if isinstance(card, SuggestionCard) and card.organization is not None and card.state != "draft":
            one = found.setdefault(
                card.organization.id,
                {
                    "organization": card.organization,
                    "count": 0,
                    "url": f"{_here()}/organizations/{card.organization.code}",
                },
            )
            one["count"] += 1
    return sorted(found.values(), key=lambda one: -one["count"])[:12]


def own_draft(cards: list[Card], number: int | None = None) -> dict[str, Any] | None:
    """What the editor goes on writing: the suggestion of this number when the reader may amend it, else the newest own draft."""
    asked = [card for card in cards if isinstance(card, SuggestionCard) and card.number == number and card.can["amend"]]
    drafts = asked or [card for card in cards if isinstance(card, SuggestionCard) and card.can["file"]]
    return max(drafts, key=lambda card: card.number).draft if drafts else None


def suggestion_card(view: SuggestionView, talk: Sequence[AnnotationView] = ()) -> SuggestionCard:
    """A suggestion's card as the reader may see it."""
    opened = view.open_hunks
    shown = opened or tuple(hunk for hunk in view.hunks if hunk.state not in ("joined", "withdrawn"))
    meeting = next((one for one in view.origins if one.meeting_number is not None), None)
    decided = [hunk.decision for hunk in view.hunks if hunk.decision is not None and hunk.decision.stands]
    clashes = {(one.suggestion_id, one.hunk_id): one for hunk in opened for one in hunk.related if one.kind == "clash"}
    may_decide = "decide" in view.can and bool(opened)
    can = {name: name in view.can for name in ("endorse", "unendorse", "amend", "withdraw", "file")}
    can["talk"] = frame.may("annotate") and view.state in ("filed", "decided")
    can["revert"] = "decide" in view.can and not opened and frame.may("revert")
    return SuggestionCard(
        id=view.id,
        number=view.number,
        state=_state(view, bool(clashes)),
        hue=view.organization.hue if view.organization else 0,
        organization=view.organization,
        meeting={"number": meeting.meeting_number, "short": meeting.meeting} if meeting else None,
        author=words.person(view.author),
        at=view.filed_at or view.created_at,
        reason=view.reason,
        hunks=shown,
        pos=next((hunk.start for hunk in opened), None),
        version=view.version,
        url=f"{_here()}/suggestions/{view.number}",
        api=f"/api/v1/suggestions/{view.id}",
        draft={"id": view.id, "number": view.number, "stream": view.stream_id, "state": view.state},
        items=[
            {
                "suggestion": view.id,
                "hunk": hunk.id,
                "branch_version": view.branch_version,
                "hash": hunk.hash,
                "base_changed": hunk.base_changed,
            }
            for hunk in opened
            if not hunk.fulfilled
        ]
        if may_decide
        else [],
        supersedes=[list(pair) for pair in view.supersedes] if may_decide else [],
        rivals=tuple(
            Rival(
                number=one.number,
                url=f"{_here()}/suggestions/{one.number}",
                organization=one.organization,
                hue=one.organization.hue if one.organization else 0,
                ground=one.ground,
                text=one.text,
            )
            for one in clashes.values()
        ),
        endorsements=tuple(one.organization for one in view.endorsements),
        talk=tuple(entry for remark in talk for entry in _said(remark)),
        decision=max(decided, key=lambda one: one.id) if decided and not opened else None,
        can={**can, "decide": may_decide, "any": any(can[name] for name in can if name not in ("talk", "revert"))},
    )


def _state(view: SuggestionView, competes: bool) -> str:
    if view.state in ("draft", "withdrawn"):
        return view.state
    if not view.open_hunks:
        return view.fate
    if any(hunk.base_changed for hunk in view.open_hunks):
        return "base-changed"
    return "competing" if competes else "open"


def annotation_card(view: AnnotationView) -> AnnotationCard:
    """A remark's card with its thread."""
    state = "resolved" if view.state == "resolved" else "orphaned" if view.orphaned else "open"
    position = None
    if view.position is not None:
        position = {"label": str(words.POSITIONS.get(view.position, view.position)), "reason": view.position_reason}
    can = {name: name in view.can for name in ("reply", "resolve", "reopen", "answer", "place")}
    return AnnotationCard(
        id=view.id,
        number=view.number,
        state=state,
        organization=view.organization,
        author=words.person(view.author),
        start=view.start,
        end=view.end,
        version=view.version or 0,
        quote=view.quote,
        whole=view.whole,
        text=view.text,
        replies=tuple(_said(view))[1:],
        position=position,
        url=f"{_here()}/remarks/{view.number}",
        api=f"/api/v1/annotations/{view.id}",
        can=can,
        positions=tuple(words.POSITIONS.items()) if can["answer"] else (),
    )


def _said(view: AnnotationView) -> Iterator[Said]:
    """The remark, then what was answered to it."""
    yield Said(_voice(view), view.created_at, view.text, f"{_here()}/remarks/{view.number}")
    for one in view.replies:
        if not one.is_removed:
            yield Said(_voice(one), one.at, one.text)


def _voice(said: AnnotationView | CommentView) -> str:
    return said.organization.name if said.organization else words.person(said.author)


def _here() -> str:
    return f"/d/{g.document.slug}"

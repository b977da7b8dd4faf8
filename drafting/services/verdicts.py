"""The values of deciding and reverting, and what both do about cards and the people concerned."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from drafting.services import heads, notices, suggestions
from drafting.services.access import Actor
from drafting.services.heads import Head
from drafting.services.suggestions import DecisionView, decision_view
from drafting.store.models import (
    Decision,
    Suggestion,
)

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Judged:
    """A hunk to be decided, as it was read.

    branch_version  of the suggestion's stream then; None: not said
    hash            of the hunk then; None skips the check (services of our own; the API asks for it)
    mode            how a hunk whose ground has changed is accepted: "stands" with the new words, "around" them
    """

    suggestion_id: int
    hunk_id: int
    branch_version: int | None = None
    hash: str | None = None
    mode: str = ""


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one item.

    outcome  applied, rejected, fulfilled (another of the set made it true), or why not: rival (of another item),
             fulfilled_by_edit, needs_mode, no_effect, impossible
    """

    suggestion_id: int
    hunk_id: int
    outcome: str
    decision_id: int | None = None
    rivals: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """What a set of decisions did. version: of main after it."""

    version: int
    decisions: tuple[DecisionView, ...]
    outcomes: tuple[ItemOutcome, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """Whole sentences around a place, as they stand and as they would."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What accepting a set would do; nothing has been done."""

    version: int
    outcomes: tuple[ItemOutcome, ...]
    supersedes: tuple[Pair, ...]
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Reverted:
    """What a revert did.

    closed  (suggestion, hunk) that do not fit any more: readable, to be reopened by hand
    """

    version: int
    decisions: tuple[DecisionView, ...]
    closed: tuple[Pair, ...]


# ── cards and people ──────────────────────────────────────────────────────────────────────────────────────


def set_id_of(section_id: int, pairs: Collection[Pair], at: datetime) -> str | None:
    """What decisions on these hunks, made in one transaction, share; None for one alone.

    Made of what is decided and when, so that the same history always has the same rows.
    """
    if len(pairs) < 2:
        return None
    said = f"{section_id} {at.isoformat()} {sorted(pairs)}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def touch(session: Session, head: Head, row: Suggestion) -> None:
    """Says that the suggestion's hunks and card are not what they were."""
    moved = heads.movement(session, head)
    moved.suggestions.add(row.id)
    moved.cards.add(("suggestion", row.number))


def decision_values(actor: Actor, made: Iterable[Decision]) -> tuple[DecisionView, ...]:
    """What the actor has just decided."""
    return tuple(decision_view(one, actor.name) for one in made)


def tell(
    session: Session,
    actor: Actor,
    row: Suggestion,
    kind: str,
    decision: Decision,
    told: set[tuple[str, int]],
    by: Suggestion | None = None,
) -> None:
    """Tells the owners of a suggestion, once for each kind of news; by: whose acceptance did it. commits: no"""
    if (kind, row.id) in told:
        return
    told.add((kind, row.id))
    data = {"suggestion": row.id, "number": row.number, "section": row.section_id, "decision": decision.id}
    if by is not None:
        data["by_number"] = by.number
    notices.notify(session, suggestions.owners(session, row), row.document_id, kind, data, but=actor)

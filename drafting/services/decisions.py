"""Deciding: accepting, accepting with changes and rejecting hunks, alone or as a set; reverting a decision.

A decision is about what was read (law 9): it names the hash of the hunk, and all hunks of others that it will
supersede; anything else is refused with the new state. A set is one transaction in a fixed order, whatever the order
of the request. The revision of main that an acceptance makes was typed by the proposer, on behalf of the suggestion's
origins, and decided by the official: three facts, kept apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.plans import Applied, Item
from drafting.engine.text import from_units, to_units
from drafting.engine.words import sentence
from drafting.errors import InvalidInput, NotFound, StaleReview, WrongState
from drafting.services import audit, editing, grounds, heads, hunks, sections, suggestions
from drafting.services.access import Actor, require
from drafting.services.clock import now
from drafting.services.heads import SERVER_CLIENT, Head, Stored
from drafting.services.reverting import reopen, revert
from drafting.services.suggestions import DecisionView, decision_view
from drafting.services.verdicts import (
    Decided,
    Foreseen,
    ItemOutcome,
    Judged,
    Pair,
    Reverted,
    Sentence,
    decision_values,
    set_id_of,
    tell,
    touch,
)
from drafting.store.database import verb
from drafting.store.models import (
    Decision,
    Section,
    Suggestion,
    SuggestionOrigin,
    User,
)

__all__ = [
    "Decided", "DecisionView", "Foreseen", "ItemOutcome", "Judged", "Pair", "Reverted", "Sentence", "decide", "decision",
    "foresee", "of_document", "reopen", "revert",
]  # fmt: skip

VERDICTS = ("accepted", "rejected")
MODES = ("", "stands", "around")
MAX_ITEMS = 500  # of one set


# ── deciding ────────────────────────────────────────────────────────────────────────────────────────────


@verb
def decide(
    session: Session,
    actor: Actor,
    section_id: int,
    items: Sequence[Judged],
    verdict: str,
    *,
    reason: str = "",
    wording: str | None = None,
    supersedes: Collection[Pair] | None = None,
) -> Decided:
    """The decisions on these hunks of one section, in one transaction.

    verdict     accepted or rejected
    reason      needed for a rejection
    wording     the official's own words for the one hunk (accepted with changes)
    supersedes  (suggestion, hunk) of others that the official knows will be superseded; None takes what it comes to
    raises      StaleReview with the new state when something is not what was read; WrongState also when something
                would be accepted into a section that was removed; NotFound, InvalidInput
    commits     yes, once; nothing when no item can be applied
    needs       decide; reword for a wording of one's own
    """
    section = sections.section_row(session, actor, section_id)
    require(session, actor, "decide", section.document_id)
    if wording is not None:
        require(session, actor, "reword", section.document_id)
    reason = reason.strip()
    _check(items, verdict, reason, wording)
    head = heads.writing(session, section_id)
    rows = _suggestion_rows(session, section_id, items)
    if verdict == "accepted":
        sections.require_decidable(session, section)
    heads.movement(session, head)
    try:
        for item in items:
            _check_version(head, item)
        if verdict == "rejected":
            return _reject(session, actor, head, section, items, rows, reason)
        return _accept(session, actor, head, section, items, rows, reason, wording, supersedes)
    except StaleReview as error:
        touched = {item.suggestion_id for item in items}
        touched |= {int(pair[0]) for pair in error.details.get("superseded", ())}
        state = [message.body for message in suggestions.live_messages(session, head, touched) if message.is_public]
        raise StaleReview(error.message, **{**error.details, "suggestions": state}) from None


def foresee(session: Session, actor: Actor, section_id: int, items: Sequence[Judged], wording: str | None = None) -> Foreseen:
    """What accepting these hunks would do. raises: as decide. needs: decide"""
    section = sections.section_row(session, actor, section_id)
    require(session, actor, "decide", section.document_id)
    _check(items, "accepted", "", wording)
    rows = _suggestion_rows(session, section_id, items)
    with heads.reading(session, section_id) as head:
        plan = head.proposals.plan(_engine_items(items, wording))
        version = head.version
    assert rows
    return Foreseen(
        version,
        tuple(
            ItemOutcome(step.item.suggestion, step.item.hunk, step.outcome, None, tuple(step.rivals))
            for step in plan.steps
        ),
        tuple(plan.superseded),
        tuple(Sentence(from_units(one.before), from_units(one.after)) for one in plan.previews),
    )


def _check(items: Sequence[Judged], verdict: str, reason: str, wording: str | None) -> None:
    if not items:
        raise InvalidInput("name at least one hunk", field="items")
    if len(items) > MAX_ITEMS:
        raise InvalidInput(f"a set has at most {MAX_ITEMS} hunks", field="items")
    if len({(item.suggestion_id, item.hunk_id) for item in items}) != len(items):
        raise InvalidInput("a hunk is named once", field="items")
    if any(item.mode not in MODES for item in items):
        raise InvalidInput("a mode is stands or around", field="mode")
    if verdict not in VERDICTS:
        raise InvalidInput(f"a verdict is one of {', '.join(VERDICTS)}", field="verdict")
    if verdict == "rejected" and not reason:
        raise InvalidInput("a rejection needs a reason", field="reason")
    if len(reason) > suggestions.MAX_REASON:
        longest = suggestions.MAX_REASON
        raise InvalidInput(f"a reason has at most {longest} characters", field="reason", longest=longest)
    if wording is not None and (len(items) != 1 or verdict != "accepted"):
        raise InvalidInput("a wording of one's own is for one hunk that is accepted", field="wording")


def _suggestion_rows(session: Session, section_id: int, items: Sequence[Judged]) -> dict[int, Suggestion]:
    """The suggestions named, all of this section and before everybody. raises: NotFound, WrongState"""
    ids = {item.suggestion_id for item in items}
    rows = {
        row.id: row
        for row in session.scalars(
            select(Suggestion).where(Suggestion.id.in_(ids)).execution_options(populate_existing=True)
        )
    }
    for suggestion_id in sorted(ids):
        row = rows.get(suggestion_id)
        if row is None or row.section_id != section_id or row.filed_at is None:
            raise NotFound("there is no such suggestion in this section", suggestion=suggestion_id)
        if row.state == "withdrawn":
            raise WrongState(f"suggestion {row.number} was withdrawn", state="withdrawn", suggestion=suggestion_id)
    return rows


def _check_version(head: Head, item: Judged) -> None:
    """Refuses a version that is not there. A newer one with the same hash is the same hunk: main moved, or others of it."""
    newest = head.branches[item.suggestion_id].log.version
    if item.branch_version is not None and item.branch_version > newest:
        raise StaleReview(
            f"suggestion {item.suggestion_id} has no version {item.branch_version}; its newest is {newest}",
            suggestion=item.suggestion_id,
            branch_version=newest,
        )


def _engine_items(items: Iterable[Judged], wording: str | None) -> list[Item]:
    words = None if wording is None else to_units(wording, normalising=True)
    return [Item(item.suggestion_id, item.hunk_id, item.hash, item.mode, words) for item in items]


def _reject(
    session: Session,
    actor: Actor,
    head: Head,
    section: Section,
    items: Sequence[Judged],
    rows: dict[int, Suggestion],
    reason: str,
) -> Decided:
    at = now()
    set_id = set_id_of(section.id, [(item.suggestion_id, item.hunk_id) for item in items], at)
    made: list[Decision] = []
    stored: list[tuple[int, Stored]] = []
    for item in items:  # all of it is checked before anything is done
        found = head.proposals.hash(item.suggestion_id, item.hunk_id)
        if item.hash is not None and item.hash != found:
            raise StaleReview("the hunk is not what was read", suggestion=item.suggestion_id, hunk=item.hunk_id, hash=found)
    for item in items:
        branch = head.branches[item.suggestion_id]
        stored.extend(editing.bring_up(head, branch, at))
        shown = next(one for one in head.proposals.shown(item.suggestion_id) if one.id == item.hunk_id)
        low, high = sentence(head.text, shown.start, shown.end)
        decision = Decision(
            document_id=section.document_id,
            section_id=section.id,
            suggestion_id=item.suggestion_id,
            hunk_id=item.hunk_id,
            verdict="rejected",
            reason=reason,
            by_id=actor.user_id,
            at=at,
            branch_version=branch.log.version,
            hunk_hash=shown.hash,
            main_version=head.version,
            form={
                "start": shown.start,
                "end": shown.end,
                "ground": from_units(shown.ground),
                "text": from_units(shown.text),
                "wording": "",
                "before": from_units(head.text[low:high]),
                "after": from_units(head.text[low:high]),
            },
            effects={},
            set_id=set_id,
        )
        session.add(decision)
        session.flush()
        made.append(decision)
        outcome = head.proposals.reject(item.suggestion_id, item.hunk_id, item.hash)
        stored.extend(editing.bring_up(head, branch, at, decision.id))
        hunks.keep_fates(session, head, outcome.fates, {None: decision.id})
        touch(session, head, rows[item.suggestion_id])
    heads.store(session, head, stored, epoch=True)
    _after(session, actor, section, made, rows)
    outcomes = [ItemOutcome(one.suggestion_id, one.hunk_id, "rejected", one.id) for one in made]
    return Decided(head.version, decision_values(actor, made), tuple(outcomes))


def _accept(
    session: Session,
    actor: Actor,
    head: Head,
    section: Section,
    items: Sequence[Judged],
    rows: dict[int, Suggestion],
    reason: str,
    wording: str | None,
    supersedes: Collection[Pair] | None,
) -> Decided:
    plan = head.proposals.plan(_engine_items(items, wording))
    hashes = {
        (item.suggestion_id, item.hunk_id): head.proposals.hash(item.suggestion_id, item.hunk_id) for item in items
    }
    proposed = {
        (one.suggestion, one.id): one.text
        for suggestion_id in {item.suggestion_id for item in items}
        for one in head.proposals.shown(suggestion_id)
    }
    grounds_before = grounds.grounds_of(head)
    outcome = head.proposals.accept(plan, supersedes)
    at = now()
    set_id = set_id_of(section.id, [(item.suggestion_id, item.hunk_id) for item in items], at)
    made: dict[Pair, Decision] = {}
    stored: list[tuple[int, Stored]] = []
    modes = {(item.suggestion_id, item.hunk_id): item.mode for item in items}
    before = head.text[: editing.TITLE_REACH]
    for applied in plan.applied:
        pair = (applied.suggestion, applied.hunk)
        decision = _decision_of(head, section, actor, applied, reason, wording, at)
        decision.branch_version = head.branches[applied.suggestion].log.version
        decision.hunk_hash, decision.mode, decision.set_id = hashes[pair], modes[pair], set_id
        decision.form["text"] = from_units(proposed[pair])
        session.add(decision)
        session.flush()
        made[pair] = decision
        row = rows[applied.suggestion]
        revision = Stored(
            version=applied.version,
            client=SERVER_CLIENT,
            sequence=applied.version,
            changes=applied.changes,
            kind="accept",
            author_id=row.author_id,
            origins=_origins(session, [applied.suggestion, *(pair[0] for pair in applied.fulfilled)]),
            carried=applied.carried,
            decision_id=decision.id,
            at=at,
        )
        head.append_main(revision)
        stored.append((head.stream_id, revision))
    if made:
        hunks.keep_fates(session, head, outcome.fates, {pair: one.id for pair, one in made.items()})
        moved = heads.movement(session, head)
        moved.suggestions.update(outcome.touched)
        for suggestion_id in {fate.suggestion for fate in outcome.fates}:
            touch(session, head, session.get_one(Suggestion, suggestion_id))
        if head.text[: editing.TITLE_REACH] != before:
            editing.keep_title(session, head)
        _bring_in(session, actor, head, section)
        grounds.tell(session, actor, head, grounds_before)
        heads.store(session, head, stored, epoch=True)
        _after(session, actor, section, made.values(), rows)
    outcomes = tuple(
        ItemOutcome(
            step.item.suggestion,
            step.item.hunk,
            step.outcome,
            made[step.item.suggestion, step.item.hunk].id if step.applied is not None else None,
            tuple(step.rivals),
        )
        for step in plan.steps
    )
    return Decided(head.version, decision_values(actor, made.values()), outcomes)


def _decision_of(
    head: Head, section: Section, actor: Actor, applied: Applied, reason: str, wording: str | None, at: Any
) -> Decision:
    """A decision that makes this main revision, from the text before it."""
    low, high = sentence(head.text, applied.start, applied.end)
    after = head.text[low : applied.start] + applied.text + head.text[applied.end : high]
    return Decision(
        document_id=section.document_id,
        section_id=section.id,
        suggestion_id=applied.suggestion,
        hunk_id=applied.hunk,
        verdict="accepted" if wording is None else "reworded",
        reason=reason,
        by_id=actor.user_id,
        at=at,
        branch_version=0,
        hunk_hash="",
        main_version=applied.version,
        form={
            "start": applied.start,
            "end": applied.end,
            "ground": from_units(applied.ground),
            "text": from_units(applied.text),
            "wording": from_units(applied.text),
            "given": wording,
            "parts": [[length, is_theirs] for length, is_theirs in applied.parts],
            "before": from_units(head.text[low:high]),
            "after": from_units(after),
        },
        effects={
            "superseded": [list(pair) for pair in applied.superseded],
            "fulfilled": [list(pair) for pair in applied.fulfilled],
            "shared": [list(pair) for pair in applied.shared],
        },
    )


def _bring_in(session: Session, actor: Actor, head: Head, section: Section) -> None:
    """A section that was only proposed is there once something of it was accepted."""
    if section.removed_at is None:
        return
    section.removed_at = section.removed_by_id = None
    session.flush()
    data = {"section": section.id, "stream": head.stream_id, "title": section.title, "position": section.position}
    audit.record(session, section.document_id, actor, "section_added", {**data, "kind": "accept"})


def _origins(session: Session, suggestion_ids: Collection[int]) -> tuple[int, ...]:
    """On whose behalf: the suggestion's origins, and those of the identical ones that it fulfilled."""
    return tuple(
        sorted(
            set(
                session.scalars(
                    select(SuggestionOrigin.origin_id).where(SuggestionOrigin.suggestion_id.in_(list(suggestion_ids)))
                )
            )
        )
    )


def _after(
    session: Session, actor: Actor, section: Section, made: Iterable[Decision], rows: dict[int, Suggestion]
) -> None:
    """Writes the chain of events and tells those whom it concerns, each once."""
    told: set[tuple[str, int]] = set()
    for decision in made:
        row = rows[decision.suggestion_id]
        kind = f"hunk_{decision.verdict}"
        audit.record(
            session,
            section.document_id,
            actor,
            kind,
            {
                "decision": decision.id,
                "suggestion": row.id,
                "number": row.number,
                "hunk": decision.hunk_id,
                "section": section.id,
                "version": decision.main_version,
                "hash": decision.hunk_hash,
                "effects": decision.effects,
            },
        )
        tell(session, actor, row, kind, decision, told)
        for name in ("superseded", "fulfilled"):
            for suggestion_id, _ in decision.effects.get(name, ()):
                other = session.get_one(Suggestion, suggestion_id)
                tell(session, actor, other, f"hunk_{name}", decision, told, by=row)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────


def decision(session: Session, actor: Actor, decision_id: int) -> DecisionView:
    """One decision. raises: NotFound. needs: read"""
    row = session.get(Decision, decision_id)
    if row is None:
        raise NotFound("there is no such decision")
    require(session, actor, "read", row.document_id)
    return decision_view(row, session.get_one(User, row.by_id).name)


def of_document(session: Session, actor: Actor, document_id: int, *, section_id: int | None = None, limit: int = 500) -> list[DecisionView]:
    """The decisions of a document or a section, newest first. needs: read"""
    require(session, actor, "read", document_id)
    query = (
        select(Decision, User.name)
        .join(User, User.id == Decision.by_id)
        .where(Decision.document_id == document_id)
        .order_by(Decision.id.desc())
        .limit(limit)
    )
    if section_id is not None:
        query = query.where(Decision.section_id == section_id)
    return [decision_view(row, name) for row, name in session.execute(query)]

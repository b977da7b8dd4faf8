"""Taking decisions back, and opening closed hunks again by hand.

A revert is a new decision on one hunk, and is not itself reverted: the open hunk is decided again. What stood there comes
back with the attribution it had; newer words in the place go only after they were shown and confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.plans import RevertPlan
from drafting.engine.text import from_units
from drafting.engine.words import sentence
from drafting.errors import NotFound, WrongState
from drafting.services import audit, editing, grounds, heads, hunks, sections, suggestions
from drafting.services.access import Actor, require
from drafting.services.clock import now
from drafting.services.heads import SERVER_CLIENT, Head, Stored
from drafting.services.verdicts import (
    Pair,
    Reverted,
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
    User,
)


@verb
def revert(session: Session, actor: Actor, decision_id: int, *, reason: str = "", confirm: Any = None) -> Reverted:
    """The decision taken back: the text as if it had not been made, and the hunk open again.

    confirm  needed when newer words stand in the place: True, or the `preview` that the refusal carried
    raises   WrongState when it does not stand any more, with `preview` when newer words would go, or when words
             would change in a section that was removed
    commits  yes, once
    needs    revert
    """
    decision = session.get(Decision, decision_id)
    if decision is None:
        raise NotFound("there is no such decision")
    require(session, actor, "revert", decision.document_id)
    section = session.get_one(Section, decision.section_id)
    head = heads.writing(session, section.id)
    session.refresh(decision)
    if decision.verdict == "reverted":
        raise WrongState("a revert is not reverted; decide on the open hunk again", state="reverted")
    if decision.reverted_by_id is not None:
        raise WrongState("the decision was reverted already", state="reverted")
    row = session.get_one(Suggestion, decision.suggestion_id)
    if row.id not in head.branches:
        raise WrongState("the suggestion was withdrawn", state="withdrawn")
    heads.movement(session, head)
    if decision.verdict == "rejected":
        return _revert_rejection(session, actor, head, section, decision, row, reason.strip())
    return _revert_acceptance(session, actor, head, section, decision, reason.strip(), confirm)


def _revert_rejection(
    session: Session, actor: Actor, head: Head, section: Section, decision: Decision, row: Suggestion, reason: str
) -> Reverted:
    at = now()
    branch = head.branches[row.id]
    stored = editing.bring_up(head, branch, at)
    made = _reverting(actor, section, decision, reason, at, head.version)
    made.branch_version = branch.log.version  # where in the branch's log it stands, also when it leaves no revision
    session.add(made)
    session.flush()
    decision.reverted_by_id = made.id
    outcome = head.proposals.unreject(row.id, decision.hunk_id)
    stored.extend(editing.bring_up(head, branch, at, made.id))
    hunks.keep_fates(session, head, outcome.fates, {None: made.id})
    touch(session, head, row)
    heads.store(session, head, stored, epoch=True)
    closed = tuple((fate.suggestion, fate.hunk) for fate in outcome.fates if fate.state == "closed")
    _after_revert(session, actor, section, [made], closed)
    return Reverted(head.version, decision_values(actor, [made]), closed)


def _revert_acceptance(
    session: Session, actor: Actor, head: Head, section: Section, decision: Decision, reason: str, confirm: Any
) -> Reverted:
    sections.require_decidable(session, section)
    plan = head.proposals.revert_plan(decision.suggestion_id, decision.hunk_id)
    if plan.newer:
        _check_confirmed(session, head, plan, confirm)
    grounds_before = grounds.grounds_of(head)
    outcome = head.proposals.revert(plan, confirm=True)
    at = now()
    stored: list[tuple[int, Stored]] = []
    made: list[Decision] = []
    by_pair: dict[Pair | None, int] = {}
    set_id = set_id_of(section.id, [(one.suggestion, one.hunk) for one in plan.applied], at)
    before = head.text[: editing.TITLE_REACH]
    for applied in plan.applied:
        standing = session.scalars(
            select(Decision)
            .where(
                Decision.suggestion_id == applied.suggestion,
                Decision.hunk_id == applied.hunk,
                Decision.verdict.in_(("accepted", "reworded")),
                Decision.reverted_by_id.is_(None),
            )
            .order_by(Decision.id.desc())
            .limit(1)
        ).one()
        one = _reverting(actor, section, standing, reason, at, applied.version)
        low, high = sentence(head.text, applied.start, applied.end)
        words = head.text[low : applied.start] + applied.text + head.text[applied.end : high]
        one.form = {
            "start": applied.start,
            "end": applied.end,
            "ground": from_units(applied.ground),
            "text": from_units(applied.text),
            "wording": from_units(applied.text),
            "before": from_units(head.text[low:high]),
            "after": from_units(words),
        }
        one.set_id = set_id
        session.add(one)
        session.flush()
        standing.reverted_by_id = one.id
        made.append(one)
        by_pair[applied.suggestion, applied.hunk] = one.id
        revision = Stored(
            version=applied.version,
            client=SERVER_CLIENT,
            sequence=applied.version,
            changes=applied.changes,
            kind="revert",
            author_id=actor.user_id,
            carried=applied.carried,
            decision_id=one.id,
            at=at,
        )
        head.append_main(revision)
        stored.append((head.stream_id, revision))
    by_pair[None] = made[-1].id
    hunks.keep_fates(session, head, outcome.fates, by_pair)
    moved = heads.movement(session, head)
    moved.suggestions.update(outcome.touched)
    for suggestion_id in {decision.suggestion_id, *(fate.suggestion for fate in outcome.fates)}:
        touch(session, head, session.get_one(Suggestion, suggestion_id))
    if head.text[: editing.TITLE_REACH] != before:
        editing.keep_title(session, head)
    grounds.tell(session, actor, head, grounds_before)
    heads.store(session, head, stored, epoch=True)
    _after_revert(session, actor, section, made, tuple(plan.closed))
    return Reverted(head.version, decision_values(actor, made), tuple(plan.closed))


def _check_confirmed(session: Session, head: Head, plan: RevertPlan, confirm: Any) -> None:
    """Refuses with a preview what would take newer words away, unless exactly this was confirmed."""
    revisions = [head.log.stored(version) for version in plan.newer]
    names = dict(
        session.execute(
            select(User.id, User.name).where(User.id.in_({one.author_id for one in revisions if one.author_id}))
        ).all()
    )
    preview = {
        "newer": [
            {
                "version": one.version,
                "by": names.get(one.author_id or 0, ""),
                "at": None if one.at is None else one.at.isoformat(),
                "decision": one.decision_id,
            }
            for one in revisions
        ],
        "sentences": [
            {"before": from_units(one.before), "after": from_units(one.after)} for one in plan.previews
        ],
    }
    if confirm is True or (isinstance(confirm, dict) and confirm.get("sentences") == preview["sentences"]):
        return
    raise WrongState(
        "newer words stand in this place and would go too; look at them and confirm", state="newer", preview=preview
    )


def _reverting(
    actor: Actor, section: Section, decision: Decision, reason: str, at: Any, version: int
) -> Decision:
    return Decision(
        document_id=section.document_id,
        section_id=section.id,
        suggestion_id=decision.suggestion_id,
        hunk_id=decision.hunk_id,
        verdict="reverted",
        reason=reason,
        by_id=actor.user_id,
        at=at,
        branch_version=decision.branch_version,
        hunk_hash=decision.hunk_hash,
        main_version=version,
        form=dict(decision.form),
        effects={},
        reverts_id=decision.id,
    )


def _after_revert(
    session: Session, actor: Actor, section: Section, made: Iterable[Decision], closed: tuple[Pair, ...]
) -> None:
    told: set[tuple[str, int]] = set()
    for one in made:
        row = session.get_one(Suggestion, one.suggestion_id)
        data = {
            "decision": one.id,
            "reverts": one.reverts_id,
            "suggestion": row.id,
            "number": row.number,
            "hunk": one.hunk_id,
            "section": section.id,
            "version": one.main_version,
            "closed": [list(pair) for pair in closed],
        }
        audit.record(session, section.document_id, actor, "hunk_reverted", data)
        tell(session, actor, row, "hunk_reverted", one, told)


@verb
def reopen(session: Session, actor: Actor, suggestion_id: int, hunk_id: int) -> suggestions.SuggestionView:
    """The suggestion with a superseded hunk, or one that did not fit after a revert, open again.

    raises   WrongState when it is neither, or another hunk of the suggestion stands in its place
    commits  yes, once
    needs    decide, or suggest and ownership
    """
    row = suggestions.seen_row(session, actor, suggestion_id)
    document = require(session, actor, "read", row.document_id)
    if "decide" not in _may(actor, document):
        row = suggestions.own_row(session, actor, suggestion_id, "suggest")
    head = heads.writing(session, row.section_id)
    session.refresh(row)
    if row.id not in head.branches:
        raise WrongState("the suggestion was withdrawn", state="withdrawn")
    heads.movement(session, head)
    at = now()
    branch = head.branches[row.id]
    stored = editing.bring_up(head, branch, at)
    outcome = head.proposals.reopen(row.id, hunk_id)
    stored.extend(editing.bring_up(head, branch, at))
    hunks.keep_fates(session, head, outcome.fates, at=at)
    touch(session, head, row)
    heads.store(session, head, stored, epoch=True)
    data = {"suggestion": row.id, "number": row.number, "hunk": hunk_id, "section": row.section_id}
    audit.record(session, row.document_id, actor, "hunk_reopened", data)
    session.refresh(row)
    return suggestions.suggestion(session, actor, row.id)


def _may(actor: Actor, document: Any) -> frozenset[str]:
    from drafting.services.access import allowed_actions

    return allowed_actions(actor, document)

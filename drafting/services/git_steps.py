"""What made a document, step by step and in order: revisions of the sections' texts, sections that came, went or changed
places, milestones. `git_history` makes commits of it.

Revisions lie in the streams, the rest in the chain of events, and a milestone names the version of every section. So the
order is: by milestone, then by time, and never against the versions of a stream. A section that comes with words comes
in the step of these words. Only main streams are read: what is on a branch was not in the document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.services import milestones
from drafting.services.access import Actor
from drafting.services.milestones import MilestoneView
from drafting.store.models import Event, Revision, RevisionOrigin, Section, Stream

STRUCTURE = ("section_added", "section_removed", "section_restored", "sections_reordered")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened.

    kind       edit accept revert restore import move: a revision, `changes` its JSON text;
               added removed restored reordered: of sections; milestone
    place      number, from 1, at which the section comes in with this step; None when it was there
    order      of the sections that are there, for reordered
    """

    kind: str
    at: datetime
    author_id: int | None = None
    section_id: int = 0
    version: int = 0
    changes: str | None = None
    decision_id: int | None = None
    origins: tuple[int, ...] = ()
    place: int | None = None
    order: tuple[int, ...] = ()
    milestone: MilestoneView | None = None


def steps(session: Session, actor: Actor, document_id: int) -> list[Step]:
    """Every step of a document, in order. needs: read"""
    named = milestones.milestones(session, actor, document_id)
    numbers: dict[int, int] = {}  # milestone: number of its event
    events: list[tuple[int, str, datetime, int | None, dict]] = []
    for number, kind, at, actor_id, data in session.execute(
        select(Event.number, Event.kind, Event.at, Event.actor_id, Event.data)
        .where(Event.document_id == document_id, Event.kind.in_((*STRUCTURE, "milestone_created")))
        .order_by(Event.number)
    ):
        said = json.loads(data)
        if kind == "milestone_created":
            numbers[said["milestone"]] = number
        else:
            events.append((number, kind, at, actor_id, said))
    named.sort(key=lambda each: (numbers.get(each.id, 0), each.at, each.id))
    barriers = sorted(numbers[each.id] for each in named if each.id in numbers)
    rows = session.execute(
        select(Section.id, Section.stream_id, Section.created_at)
        .where(Section.document_id == document_id, Section.stream_id.is_not(None))
        .order_by(Section.position, Section.id)
    ).all()
    texts = {row.id: _revisions(session, row.id, row.stream_id) for row in rows}
    placed: list[tuple[int, Step]] = []  # (how many milestones before it, step), in the order of the events
    known: set[int] = set()
    for number, kind, at, actor_id, said in events:
        before = sum(barrier < number for barrier in barriers)
        if kind == "sections_reordered":
            placed.append((before, Step("reordered", at, actor_id, order=tuple(said["sections"]))))
            continue
        section_id = said["section"]
        if kind == "section_added":
            with_words = _brings(texts.get(section_id, []), at, said.get("kind", ""), section_id in known)
            place = int(said.get("position") or 1_000_000)
            known.add(section_id)
            if with_words is not None:
                texts[section_id][with_words] = replace(texts[section_id][with_words], place=place)
                continue
            placed.append((before, Step("added", at, actor_id, section_id, place=place)))
        else:
            placed.append((before, Step(kind.removeprefix("section_"), at, actor_id, section_id)))
    for row in rows:
        if row.id not in known and texts[row.id]:  # no event tells of it: it came with its first words
            texts[row.id][0] = replace(texts[row.id][0], place=1_000_000)
    keyed = list(_in_time(placed))
    for section_id, revisions in texts.items():
        keyed.extend(_in_time(_between(revisions, section_id, named)))
    keyed.extend(((number, each.at, 2), Step("milestone", each.at, milestone=each)) for number, each in enumerate(named))
    last = datetime.max.replace(tzinfo=keyed[0][1].at.tzinfo) if keyed else None
    keyed.sort(key=lambda each: (each[0][0], last if each[1].milestone else each[0][1], each[0][2]))
    return [step for _, step in keyed]


def _revisions(session: Session, section_id: int, stream_id: int) -> list[Step]:
    origins: dict[int, list[int]] = {}
    for version, origin_id in session.execute(
        select(RevisionOrigin.version, RevisionOrigin.origin_id)
        .where(RevisionOrigin.stream_id == stream_id)
        .order_by(RevisionOrigin.version, RevisionOrigin.origin_id)
    ):
        origins.setdefault(version, []).append(origin_id)
    present = session.scalar(select(Stream.version).where(Stream.id == stream_id)) or 0
    return [
        Step(kind, at, author_id, section_id, version, changes, decision_id, tuple(origins.get(version, ())))
        for version, kind, at, author_id, changes, decision_id in session.execute(
            select(
                Revision.version, Revision.kind, Revision.at, Revision.author_id, Revision.changes, Revision.decision_id
            )
            .where(Revision.stream_id == stream_id, Revision.version <= present)
            .order_by(Revision.version)
        )
    ]


def _brings(revisions: list[Step], at: datetime, kind: str, again: bool) -> int | None:
    """Which revision brought the section that an event says was added: the acceptance, or the first that it was made with."""
    earlier = [index for index, step in enumerate(revisions) if step.at <= at]
    if kind == "accept":
        return next((index for index in reversed(earlier) if revisions[index].kind == "accept"), None)
    return 0 if earlier and not again else None


def _between(revisions: list[Step], section_id: int, named: list[MilestoneView]) -> Iterator[tuple[int, Step]]:
    """Each revision with the number of milestones before it: their versions say, or the time where they have none."""
    holds = [{each.section_id: each.version for each in one.sections} for one in named]
    before = 0
    for step in revisions:
        while before < len(named):
            version = holds[before].get(section_id)
            if step.version <= version if version is not None else step.at <= named[before].at:
                break
            before += 1
        yield before, step


def _in_time(found: list[tuple[int, Step]] | Iterator[tuple[int, Step]]) -> Iterator[tuple[tuple[int, datetime, int], Step]]:
    """Steps of one log with what they are ordered by: clocks of several machines never turn a log around."""
    latest: tuple[int, datetime] | None = None
    for before, step in found:
        latest = (before, step.at) if latest is None else max(latest, (before, step.at))
        yield (*latest, 0 if step.version else 1), step

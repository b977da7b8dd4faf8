"""A document in which every role has something of its own, made by driving the services; for walking all routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.services import (
    annotations,
    decisions,
    editing,
    invitations,
    meetings,
    milestones,
    notices,
    people,
    sections,
    suggestions,
)
from drafting.services.access import ANONYMOUS, MEMBER_ROLES, Actor, Role, actor_of
from drafting.services.decisions import Judged
from drafting.store.models import Comment, Document
from tests import make

WORDS = tuple(f"{letter}word" for letter in "abcdefghijklmnop")
OWNERS = tuple(role for role in MEMBER_ROLES if role is not Role.OBSERVER)


@dataclass
class World:
    """Everybody, and the ids of everything. `own` is by role: what belongs to the person of that role."""

    actors: dict[str, Actor] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, who: str) -> dict[str, Any]:
        """All ids as this person means them: their own, or the contributor's for those who have nothing."""
        return {**self.ids, **self.own.get(who, self.own["contributor"])}


def build(session: Session, uploads: Path) -> World:
    """The world, in the phase consultation, published, committed."""
    world, text = World(), "# Trees\n\n" + " ".join(f"{word} stays." for word in WORDS) + "\n"
    document = make.document(session, slug="trees")
    organization = {role: make.organization(session, document) for role in (*OWNERS, "other")}
    for role in MEMBER_ROLES:
        world.actors[str(role)] = make.member(session, document, str(role), organization.get(role))
    make.member(session, document, "coordinator")  # so that the first one may leave
    other = make.member(session, document, "contributor", organization["other"])
    victim = make.member(session, document, "observer")
    session.commit()
    world.actors["stranger"] = actor_of(session, make.user(session).id)
    world.actors["anonymous"] = ANONYMOUS
    world.actors["operator"] = actor_of(session, make.user(session, is_operator=True).id)
    chief = world.actors["coordinator"]

    section = sections.add_section(session, chief, document.id, text)
    second = sections.add_section(session, chief, document.id, "# Benches\n\nBenches here.\n")
    removed = sections.add_section(session, chief, document.id, "# Gone\n")
    sections.remove_section(session, chief, removed.id)
    editing.replace_text(session, chief, section.id, text + "Last line.\n")
    meeting = meetings.add_meeting(session, chief, document.id, "Trees")
    unused = meetings.add_meeting(session, chief, document.id, "Nothing")
    origin = people.use_origin(session, chief, document.id, organization["other"].id, meeting.id)
    sections.add_section(session, chief, document.id, "# From a meeting\n", origin_ids=[origin.id])
    news = notices.add_news(session, chief, document.id, "News", "Text")
    file = meetings.add_attachment(session, chief, document.id, "list.txt", b"text", uploads)
    milestone = milestones.create_milestone(session, chief, document.id, "First")
    link = invitations.invite(session, chief, document.id, "observer")
    reset = invitations.make_reset_link(session, chief, victim.user_id)
    world.ids = {
        "slug": document.slug,
        "document": document.id,
        "section": section.id,
        "stream": section.stream_id,
        "second": second.id,
        "removed": removed.id,
        "meeting": meeting.number,
        "meeting_id": meeting.id,
        "unused": unused.number,
        "unused_id": unused.id,
        "news": news.id,
        "file": file.id,
        "milestone": milestone.id,
        "invitation": link.id,
        "token": link.token,
        "reset": reset.token,
        "code": organization["other"].code,
        "victim": victim.user_id,
        "contributor_organization": organization[Role.CONTRIBUTOR].id,
    }

    words = iter(WORDS)
    for role in OWNERS:
        actor = world.actors[str(role)]
        document.phase = "opinion" if role is Role.COUNCIL else "consultation"
        session.commit()
        draft = _suggest(session, actor, section.id, next(words), filed=False)
        filed = _suggest(session, actor, section.id, next(words))
        world.own[str(role)] = {
            "draft": draft.id,
            "draft_number": draft.number,
            "filed": filed.id,
            "number": filed.number,
            "branch": filed.stream_id,
            "branch_version": filed.branch_version,
        }
    document.phase = "consultation"
    session.commit()
    judged = _suggest(session, other, section.id, next(words))
    decided, endorsed = (_suggest(session, other, section.id, next(words)) for _ in range(2))
    word = next(words)
    winner, loser = (_suggest(session, other, section.id, word, new) for new in ("winner", "loser"))
    official = world.actors["official"]
    rejected = decisions.decide(session, official, section.id, _items(decided), "rejected", reason="No.")
    supersedes = [(loser.id, loser.hunks[0].id)]
    decisions.decide(session, official, section.id, _items(winner), "accepted", reason="Yes.", supersedes=supersedes)
    [hunk] = judged.hunks
    world.ids |= {
        "suggestion": judged.id,
        "suggestion_number": judged.number,
        "items": [
            {"suggestion": judged.id, "hunk": hunk.id, "branch_version": judged.branch_version, "hash": hunk.hash}
        ],
        "hunk": hunk.id,
        "choice": f"{judged.id}:{hunk.id}:{judged.branch_version}:{hunk.hash}:",
        "decision": rejected.decisions[0].id,
        "superseded": loser.id,
        "superseded_hunk": loser.hunks[0].id,
    }
    for role in (Role.DRAFTER, Role.CONTRIBUTOR, Role.COUNCIL):
        document.phase = "opinion" if role is Role.COUNCIL else "consultation"
        session.commit()
        suggestions.endorse(session, world.actors[str(role)], endorsed.id)
    world.ids |= {"endorsed": endorsed.id, "endorsed_number": endorsed.number, "decided_number": decided.number}
    document.phase = "consultation"
    session.commit()

    at = text.index("stays")
    remark = annotations.annotate(
        session, other, document.id, "Why?", section_id=section.id, start=at, end=at + 5, version=1
    )
    annotations.reply(session, other, remark.id, "And when?")
    resolved = annotations.annotate(session, other, document.id, "Settled", section_id=section.id)
    annotations.resolve(session, official, resolved.id)
    lost = annotations.annotate(session, other, document.id, "Gone", section_id=second.id, start=11, end=18)
    editing.replace_text(session, chief, second.id, "# Benches\n\n\n")
    editing.replace_text(session, chief, second.id, "# Benches\n\nBenches here.\n")
    for name, view in {"remark": remark, "resolved": resolved, "lost": lost}.items():
        world.ids |= {name: view.id, f"{name}_number": view.number}
    for role in OWNERS:
        document.phase = "opinion" if role is Role.COUNCIL else "consultation"
        session.commit()
        actor = world.actors[str(role)]
        mine = annotations.annotate(session, actor, document.id, "Mine", section_id=section.id)
        world.own[str(role)] |= {"comment": _comments(session, mine.id)[0], "mine": mine.id}
    document.phase = "consultation"
    session.commit()
    world.ids["foreign_comment"], world.ids["foreign_reply"] = _comments(session, remark.id)
    world.ids["version"] = editing.text_at(session, chief, section.id).version
    assert session.get_one(Document, document.id).is_public
    return world


def _items(view: suggestions.SuggestionView) -> list[Judged]:
    return [Judged(view.id, hunk.id) for hunk in view.hunks]


def _suggest(
    session: Session, actor: Actor, section_id: int, word: str, new: str = "", *, filed: bool = True
) -> suggestions.SuggestionView:
    """A suggestion that puts another word in the place of this one."""
    view = suggestions.open_suggestion(session, actor, section_id)
    text = editing.text_at(session, actor, section_id).text
    at = text.index(word)
    changes = ChangeSet.of([(at, at + len(word), new or word.upper())], len(text))
    editing.push(session, actor, view.stream_id, view.branch_version, [Update(f"tab-{view.id}", 1, changes)])
    if filed:
        suggestions.file(session, actor, view.id, reason="Because.")
    return suggestions.suggestion(session, actor, view.id)


def _comments(session: Session, annotation_id: int) -> list[int]:
    query = select(Comment.id).where(Comment.annotation_id == annotation_id).order_by(Comment.id)
    return list(session.scalars(query))

"""Loads the demo programme by doing, through the services, what people would have done: nothing is written past them.

`cast.toml` says who there is, `programme/NN.md` what the drafting team typed (a line `@ m4 ZP` says on whose behalf the
blocks after it are: meeting 4, organisation ZP; `kb` is the office itself), `story.toml` what happened then. Times count
from the day of loading, so that the consultation is always open for twelve more days; for one day the result is always
the same. All of it is one transaction: a demo is there whole or not at all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.demo import SLUG
from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.errors import WrongState
from drafting.services import (
    accounts,
    annotations,
    clock,
    decisions,
    documents,
    editing,
    meetings,
    milestones,
    notices,
    people,
    sections,
    suggestions,
)
from drafting.services.access import SERVER, Actor, actor_of
from drafting.store.database import Database, transaction
from drafting.store.models import Document

OFFICE = "BO"
CONSULTATION_DAY = -18
CONSULTATION_DAYS_LEFT = 12
WARSAW = ZoneInfo("Europe/Warsaw")  # the time zone that a document begins with


@dataclass
class Stage:
    """The demo while it is being played: who is there, what is called what, and what time it is."""

    session: Session
    day: date
    document_id: int = 0
    moment: datetime = field(default=datetime.min.replace(tzinfo=UTC))
    actors: dict[str, int] = field(default_factory=dict)  # by role name or organisation code: user id
    organizations: dict[str, int] = field(default_factory=dict)
    meetings: dict[int, int] = field(default_factory=dict)
    sections: list[int] = field(default_factory=list)
    suggestions: dict[str, int] = field(default_factory=dict)
    sequences: dict[int, int] = field(default_factory=dict)

    def at(self, day: int, hour: int = 9, minute: int = 0) -> None:
        """Puts the clock on a day counted from the day of loading; it never goes back."""
        moment = datetime.combine(self.day + timedelta(days=day), time(hour, minute), UTC)
        self.moment = max(self.moment, moment)

    def tick(self) -> datetime:
        """The time of the next thing that happens: it takes a while."""
        self.moment += timedelta(seconds=41)
        return self.moment

    def actor(self, name: str) -> Actor:
        return actor_of(self.session, self.actors[name])

    def origins(self, words: str) -> list[int]:
        """The ids of the origin that `m4 ZP`, `m4`, `ZP` or `kb` names."""
        meeting = organization = None
        for word in words.split():
            if word == "kb":
                organization = self.organizations[OFFICE]
            elif word[0] == "m" and word[1:].isdigit():
                meeting = self.meetings[int(word[1:])]
            else:
                organization = self.organizations[word]
        return [people.use_origin(self.session, self.actor("drafter"), self.document_id, organization, meeting).id]

    def push(self, actor: Actor, stream_id: int, version: int, changes: list[ChangeSet], origin_ids: list[int]) -> int:
        """Stores changes that follow each other, as one editor would send them."""
        first = self.sequences.get(stream_id, 0)
        self.sequences[stream_id] = first + len(changes)
        updates = [Update(f"demo-{actor.user_id}-{stream_id}", first + k + 1, each) for k, each in enumerate(changes)]
        return editing.push(self.session, actor, stream_id, version, updates, origin_ids)


def load(database: Database, day: date | None = None) -> None:
    """Fills an empty database with the demo programme.

    day      the day it is loaded on, from which all of its times count; today when None
    raises   WrongState when there is a document, also one of another process that was quicker
    commits  yes, once
    """
    day = day or datetime.now(UTC).date()
    with database.write() as session:
        stage = Stage(session, day)
        with clock.set_to(stage.tick), transaction(session):
            if session.scalar(select(Document.id).limit(1)) is not None:
                raise WrongState("the database has a document already; the demo goes into an empty one")
            cast, story = _read("cast.toml"), _read("story.toml")
            _set_the_stage(stage, cast)
            _type_the_first_draft(stage)
            _open_the_consultation(stage, story)
            _suggest(stage, story)
            _annotate(stage, story)
            _decide(stage, story)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("drafting.demo").joinpath(name).read_text(encoding="utf-8"))


# ── before the consultation ─────────────────────────────────────────────────────────────────────────────


def _set_the_stage(stage: Stage, cast: dict[str, Any]) -> None:
    """The document, its organisations, people and meetings."""
    session = stage.session
    stage.at(-210)
    coordinator = cast["people"]["coordinator"]
    founder = accounts.create_user(session, SERVER, coordinator["email"], coordinator["name"], is_operator=True)
    stage.actors["coordinator"] = founder.id
    given = cast["document"]
    document = documents.create_document(
        session, stage.actor("coordinator"), given["title"], slug=SLUG, municipality=given["municipality"],
        summary=given["summary"])
    stage.document_id = document.id
    for each in cast["organization"]:
        made = people.add_organization(session, stage.actor("coordinator"), document.id, each["name"], code=each["code"],
                                       hue=each["hue"], kind=each.get("kind", "ngo"))
        stage.organizations[each["code"]] = made.id
    for name, each in cast["people"].items():
        if name != "coordinator":
            _join(stage, name, each["email"], each["name"], each["role"], each.get("organization"))
    ngos = [each for each in cast["organization"] if each.get("kind", "ngo") == "ngo"]
    for index, each in enumerate(ngos):
        name = f"{'Przedstawicielka' if index % 2 else 'Przedstawiciel'} {each['code']}"
        _join(stage, each["code"], f"{each['code'].lower()}@przyklad.example", name, "contributor", each["code"])
    for each in cast["meeting"]:
        stage.at(each["day"], 15)
        held_at = stage.moment
        made = meetings.add_meeting(
            session, stage.actor("coordinator"), document.id, each["topic"], short=each["short"], place=each["place"],
            held_at=held_at, summary=each["summary"], minutes=each["minutes"],
            attendance={stage.organizations[code]: number for code, number in each["present"].items()})
        stage.meetings[each["number"]] = made.id


def _join(stage: Stage, key: str, email: str, name: str, role: str, code: str | None) -> None:
    person = accounts.create_user(stage.session, SERVER, email, name)
    stage.actors[key] = person.id
    organization_id = stage.organizations[code] if code else None
    people.add_member(stage.session, stage.actor("coordinator"), stage.document_id, person.id, role, organization_id)


def _type_the_first_draft(stage: Stage) -> None:
    """Every block of the programme is typed by one of the team, on behalf of those whose wish it is."""
    stage.at(-85)
    folder = files("drafting.demo").joinpath("programme")
    for number in range(1, 12):
        source = folder.joinpath(f"{number:02}.md").read_text(encoding="utf-8")
        typist = "drafter" if number % 2 else "drafter2"
        blocks = list(_blocks(source))
        stage.at(-85 + number * 2)
        view = sections.add_section(stage.session, stage.actor("coordinator"), stage.document_id, blocks[0][1] + "\n",
                                    statutory_point=number)
        stage.sections.append(view.id)
        text = editing.text_at(stage.session, stage.actor(typist), view.id)
        length, version = len(to_units(text.text)), text.version
        for words, block in blocks[1:]:
            typed = to_units(f"\n{block}\n")
            change = ChangeSet.of([(length, length, typed)], length)
            version = stage.push(stage.actor(typist), text.stream_id, version, [change], stage.origins(words))
            length += len(typed)


def _blocks(source: str) -> Iterator[tuple[str, str]]:
    """(on whose behalf, block) for each block of a programme file, in order."""
    words = "kb"
    for block in source.strip().split("\n\n"):
        lines = block.split("\n")
        if lines[0].startswith("@ "):
            words, lines = lines[0][2:], lines[1:]
        if lines:
            yield words, "\n".join(lines)


def _open_the_consultation(stage: Stage, story: dict[str, Any]) -> None:
    """The draft is named, published and opened; the news are told in their time."""
    session = stage.session
    news = sorted(story["news"], key=lambda each: each["day"])
    for each in [one for one in news if one["day"] < CONSULTATION_DAY]:
        stage.at(each["day"], 10)
        notices.add_news(session, stage.actor("coordinator"), stage.document_id, each["title"], each["text"])
    stage.at(CONSULTATION_DAY, 6)
    coordinator = stage.actor("coordinator")
    milestones.create_milestone(session, coordinator, stage.document_id, "Projekt po spotkaniach",
                                "Tekst, który zespół redakcyjny oddał do konsultacji.")
    documents.publish(session, coordinator, stage.document_id)
    ends_at = datetime.combine(stage.day + timedelta(days=CONSULTATION_DAYS_LEFT), time(23, 59), WARSAW)
    documents.set_phase(session, coordinator, stage.document_id, "consultation", ends_at=ends_at)
    for each in [one for one in news if one["day"] >= CONSULTATION_DAY]:
        stage.at(each["day"], 7) if each["day"] == CONSULTATION_DAY else None
        if each["day"] == CONSULTATION_DAY:
            notices.add_news(session, coordinator, stage.document_id, each["title"], each["text"])


# ── the consultation ────────────────────────────────────────────────────────────────────────────────────


def typed(text: str, old: str, new: str) -> list[ChangeSet]:
    """The changes that turn `old`, which stands in `text` once, into `new` as a person would: strike out, then type words.

    raises  ValueError when `old` does not stand there exactly once
    """
    if text.count(old) != 1:
        raise ValueError(f"{old!r} stands {text.count(old)} times in the section; it must stand there once")
    ahead = next((k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    behind = next((k for k, (a, b) in enumerate(zip(reversed(old[ahead:]), reversed(new[ahead:]), strict=False)) if a != b),
                  min(len(old), len(new)) - ahead)
    start = text.index(old) + ahead
    end = start + len(old) - ahead - behind
    length, changes = len(text), []
    if end > start:
        changes.append(ChangeSet.of([(start, end, "")], length))
        length -= end - start
    words = new[ahead : len(new) - behind]
    for word in [part + " " for part in words.split(" ")[:-1]] + words.split(" ")[-1:]:
        if word:
            changes.append(ChangeSet.of([(start, start, word)], length))
            start, length = start + len(word), length + len(word)
    return changes


def _suggest(stage: Stage, story: dict[str, Any]) -> None:
    """Each suggestion is typed on its branch, filed and endorsed; the team's own edits fall in between."""
    session = stage.session
    edits = {len(story["suggestion"]) * (k + 1) // (len(story["edit"]) + 1): each for k, each in enumerate(story["edit"])}
    for index, each in enumerate(story["suggestion"]):
        stage.at(CONSULTATION_DAY + 1 + index // 10, 8)
        if index in edits:
            _edit(stage, edits[index])
        author, section_id = stage.actor(each["org"]), stage.sections[each["section"] - 1]
        origin_ids = stage.origins(f"m{each['meeting']} {each['org']}")
        opened = suggestions.open_suggestion(session, author, section_id, origin_ids=origin_ids)
        stage.suggestions[each["key"]] = opened.id
        text, version = to_units(editing.text_at(session, author, section_id).text), opened.branch_version
        for old, new in each["change"]:
            changes = typed(text, to_units(old), to_units(new))
            version = stage.push(author, opened.stream_id, version, changes, [])
            for change in changes:
                text = change.apply(text)
        if each.get("draft"):
            continue
        suggestions.file(session, author, opened.id, reason=each["reason"], minutes_quote=each.get("minutes", ""))
        for code in each.get("endorsed", ()):
            suggestions.endorse(session, stage.actor(code), opened.id)
    for each in story["withdraw"]:
        suggestion_id = stage.suggestions[each["key"]]
        author = next(one["org"] for one in story["suggestion"] if one["key"] == each["key"])
        suggestions.withdraw(session, stage.actor(author), suggestion_id)
    for name in ("coordinator", "official", "official2"):  # the office reads what comes in
        notices.mark_read(session, stage.actor(name))


def _edit(stage: Stage, each: dict[str, Any]) -> None:
    """A direct edit of the team, on somebody's behalf."""
    actor = stage.actor("drafter")
    view = editing.text_at(stage.session, actor, stage.sections[each["section"] - 1])
    changes = typed(to_units(view.text), *(to_units(part) for part in each["change"]))
    stage.push(actor, view.stream_id, view.version, changes, stage.origins(each["origin"]))


def _annotate(stage: Stage, story: dict[str, Any]) -> None:
    """Remarks with their replies, answers and ends."""
    session = stage.session
    for index, each in enumerate(story["remark"]):
        stage.at(-9 + index // 4, 11)
        author = stage.actor(each["org"])
        section_id = stage.sections[each["section"] - 1] if "section" in each else None
        where: dict[str, Any] = {}
        if "suggestion" in each:
            where = {"suggestion_id": stage.suggestions[each["suggestion"]]}
        elif "passage" in each:
            assert section_id is not None
            view = editing.text_at(session, author, section_id)
            start = to_units(view.text).index(to_units(each["passage"]))
            where = {"section_id": section_id, "start": start, "end": start + len(to_units(each["passage"])),
                     "version": view.version}
        elif section_id is not None:
            where = {"section_id": section_id}
        thread = annotations.annotate(session, author, stage.document_id, each["text"], kind=each.get("kind", "remark"),
                                      **where)
        for who, words in each.get("replies", ()):
            annotations.reply(session, stage.actor(who), thread.id, words)
        if "position" in each:
            annotations.answer(session, stage.actor("official"), thread.id, each["position"], each["position_reason"])
        if each.get("resolved"):
            annotations.resolve(session, stage.actor("official"), thread.id)


def _decide(stage: Stage, story: dict[str, Any]) -> None:
    """The officials' decisions, one suggestion at a time, and a decision that is taken back."""
    session = stage.session
    late_news = [each for each in story["news"] if each["day"] > CONSULTATION_DAY]
    for index, each in enumerate(story["decision"]):
        stage.at(-8 + index // 6, 10)
        official = stage.actor(each.get("by", "official"))
        verb = next(word for word in ("accept", "reject", "reword") if word in each)
        view = suggestions.suggestion(session, official, stage.suggestions[each[verb]])
        items = [decisions.Judged(view.id, hunk.id, view.branch_version, hunk.hash) for hunk in view.open_hunks]
        wording = None
        if verb == "reword":
            [old, _] = next(one for one in story["suggestion"] if one["key"] == each[verb])["change"][0]
            wording = _of_the_hunk(old, each["wording"], view.open_hunks[0].ground)
        decided = decisions.decide(
            session, official, view.section_id, items, "rejected" if verb == "reject" else "accepted",
            reason=each["reason"], wording=wording, supersedes=None)
        if "revert" in each:
            for decision in decided.decisions:
                decisions.revert(session, official, decision.id, reason=each["revert"])
    for each in late_news:
        stage.at(each["day"], 12)
        notices.add_news(session, stage.actor("coordinator"), stage.document_id, each["title"], each["text"])


def _of_the_hunk(old: str, wording: str, ground: str) -> str:
    """The part of a wording for the whole phrase `old` that stands for the hunk's ground within it."""
    before, after = old.split(ground, 1)
    if not (wording.startswith(before) and wording.endswith(after)):
        raise ValueError(f"the wording {wording!r} must keep {before!r} and {after!r} around {ground!r}")
    return wording[len(before) : len(wording) - len(after)]

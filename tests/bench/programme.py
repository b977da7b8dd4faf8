"""A generated programme for benchmarks: 12 sections, 300,000 characters, 20,000 revisions, 2,000 suggestions.

Everything is made through the services, as people would; seeded, so that it is the same programme every time.

    python3 -m tests.bench.programme FILE.sqlite [--part 0.1]
"""

from __future__ import annotations

import argparse
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.services import (
    accounts,
    annotations,
    clock,
    decisions,
    documents,
    editing,
    meetings,
    milestones,
    people,
    sections,
    suggestions,
)
from drafting.services.access import SERVER, Actor, actor_of
from drafting.services.decisions import Judged
from drafting.store.database import Database, transaction
from drafting.store.migrations import upgrade

SECTIONS = 12
CHARACTERS = 300_000
REVISIONS = 20_000
SUGGESTIONS = 2_000
MEETINGS = 11
ORGANIZATIONS = 24
SLUG = "generated"
WORDS = ["miasto", "organizacje", "pozarządowe", "wspiera", "zadania", "publiczne", "mieszkańcy", "dzielnica", "program", "współpraca", "konsultacje", "zespół", "oferta", "konkurs", "środki", "lokal", "seniorzy", "młodzież", "kultura", "sport", "zdrowie", "zieleń", "drzewa", "podwórka", "dostępność", "termin", "raport", "zasady", "partnerstwo", "jawność", "ocena", "realizacja", "cele", "szczegółowe", "wolontariat", "szkolenia", "doradztwo", "fundusz", "inicjatywa"]


def make(database: Database, part: float = 1.0) -> int:
    """Fills an empty database; returns the document's id. part: of all the numbers"""
    rng = random.Random(7)
    moment = [datetime(2026, 1, 5, 8, 0, tzinfo=UTC)]

    def tick() -> datetime:
        moment[0] += timedelta(seconds=11)
        return moment[0]

    with clock.set_to(tick), database.write() as session:
        with transaction(session):
            maker = _Maker(session, rng)
        per_section = max(1, int(SUGGESTIONS * part) // SECTIONS)
        texts = max(1200, int(CHARACTERS * part) // SECTIONS)
        edits = max(0, int((REVISIONS - SUGGESTIONS * 0.6) * part) // SECTIONS)
        for number in range(SECTIONS):
            with transaction(session):
                maker.section(number, texts)
            for part_number in range(8):
                with transaction(session):
                    maker.edit(edits // 8)
                    maker.suggest(per_section // 8 + (part_number < per_section % 8))
            if number == SECTIONS // 2:
                with transaction(session):
                    milestones.create_milestone(session, maker.coordinator, maker.document, "Halfway")
        with transaction(session):
            maker.remark(int(100 * part))
            milestones.create_milestone(session, maker.coordinator, maker.document, "All of it")
    return maker.document


class _Maker:
    """The people of the programme and the section that they are at."""

    def __init__(self, session: Session, rng: random.Random) -> None:
        self.session, self.rng = session, rng
        self.sequence = 0
        founder = accounts.create_user(session, SERVER, "founder@bench.example", "Founder", is_operator=True)
        document = documents.create_document(session, actor_of(session, founder.id), "Generated", slug=SLUG)
        self.document = document.id
        self.coordinator = actor_of(session, founder.id)
        self.official = self._member("official", "official")
        self.drafter = self._member("drafter", "drafter")
        self.organizations = [
            people.add_organization(session, self.coordinator, self.document, f"Stowarzyszenie {n}", code=f"S{n}").id
            for n in range(1, ORGANIZATIONS + 1)
        ]
        self.authors = [self._member("contributor", f"author{n}", each) for n, each in enumerate(self.organizations)]
        self.meetings = [
            meetings.add_meeting(
                session, self.coordinator, self.document, f"Spotkanie {n}", held_at=clock.now(),
                attendance={each: rng.randint(1, 4) for each in rng.sample(self.organizations, 8)},
            ).id
            for n in range(1, MEETINGS + 1)
        ]  # fmt: skip
        self.origins = [
            people.use_origin(session, self.drafter, self.document, organization, rng.choice([*self.meetings, None])).id
            for organization in self.organizations
            for _ in range(3)
        ]
        documents.publish(session, self.coordinator, self.document)
        documents.set_phase(session, self.coordinator, self.document, "consultation", ends_at=clock.now() + timedelta(days=400))

    def _member(self, role: str, name: str, organization: int | None = None) -> Actor:
        person = accounts.create_user(self.session, SERVER, f"{name}@bench.example", name.title())
        actor = self.coordinator
        people.add_member(self.session, actor, self.document, person.id, role, organization)
        return actor_of(self.session, person.id)

    def _sentence(self) -> str:
        words = self.rng.choices(WORDS, k=self.rng.randint(6, 14))
        return " ".join(words).capitalize() + "."

    def section(self, number: int, length: int) -> None:
        lines, total, paragraph, item = [f"# Część {number + 1}", ""], 0, 0, 0
        while total < length:
            item += 1
            if item % 6 == 1:
                paragraph += 1
                lines += [f"## § {paragraph}.", ""]
                item = 1
            line = f"{item}. " + " ".join(self._sentence() for _ in range(2))
            lines += [line, ""]
            total += len(line) + 2
        view = sections.add_section(self.session, self.coordinator, self.document, "\n".join(lines) + "\n")
        self.at = view.id

    def _text(self) -> editing.TextView:
        return editing.text_at(self.session, self.drafter, self.at)

    def _word(self, text: str) -> tuple[int, int]:
        """A word of a sentence, in the middle of the text somewhere."""
        while True:
            at = text.find(" ", self.rng.randrange(40, len(text) - 40))
            end = text.find(" ", at + 1)
            if at > 0 and end - at > 4 and text[at + 1 : end].isalpha():
                return at + 1, end

    def edit(self, number: int) -> None:
        view = self._text()
        text, version = view.text, view.version
        updates: list[Update] = []
        for _ in range(number):
            start, end = self._word(text)
            change = ChangeSet.of([(start, end, self.rng.choice(WORDS))], len(text))
            text = change.apply(text)
            self.sequence += 1
            updates.append(Update("bench", self.sequence, change))
            if len(updates) == 50:
                version = self._push(view.stream_id, version, updates)
                updates = []
        if updates:
            self._push(view.stream_id, version, updates)

    def _push(self, stream_id: int, version: int, updates: list[Update]) -> int:
        origin = [self.rng.choice(self.origins)] if self.rng.random() < 0.3 else []
        return editing.push(self.session, self.drafter, stream_id, version, updates, origin)

    def suggest(self, number: int) -> None:
        for _ in range(number):
            author = self.rng.choice(self.authors)
            own = people.own_origin(self.session, author, self.document)
            origins = [self.rng.choice([each for each in self.origins])] if self.rng.random() < 0.7 or own is None else [own.id]
            scribe = self.drafter
            view = suggestions.open_suggestion(self.session, scribe, self.at, origin_ids=origins)
            text = self._text().text
            start, end = self._word(text)
            change = ChangeSet.of([(start, end, " ".join(self.rng.choices(WORDS, k=3)))], len(text))
            self.sequence += 1
            editing.push(self.session, scribe, view.stream_id, view.branch_version, [Update("bench-s", self.sequence, change)])
            filed = suggestions.file(self.session, scribe, view.id, reason=self._sentence())
            chance = self.rng.random()
            if chance < 0.6:
                wording = " ".join(self.rng.choices(WORDS, k=2)) if chance < 0.08 else None
                items = [Judged(filed.id, each.id) for each in filed.hunks]
                decisions.decide(
                    self.session, self.official, self.at, items[:1], "accepted", reason=self._sentence(), wording=wording
                )
            elif chance < 0.85:
                items = [Judged(filed.id, each.id) for each in filed.hunks]
                decisions.decide(self.session, self.official, self.at, items, "rejected", reason=self._sentence())

    def remark(self, number: int) -> None:
        for n in range(number):
            thread = annotations.annotate(
                self.session, self.rng.choice(self.authors), self.document, self._sentence(), section_id=self.at
            )
            if n % 3:
                annotations.answer(self.session, self.official, thread.id, "noted", "Przyjęto.")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("file", type=Path)
    options.add_argument("--part", type=float, default=1.0)
    given = options.parse_args()
    database = Database(f"sqlite:///{given.file}", durable=False)
    upgrade(database)
    began = perf_counter()
    make(database, given.part)
    database.close()
    print(f"{given.file}: {given.file.stat().st_size / 1e6:.0f} MB in {perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()

"""What looking at the past costs: a generated programme of 12 sections and 300,000 characters, and the curve over its age.

Run:  python -m tests.bench.bench_history [revisions ...]      (without numbers 1000 20000 100000)

Each row is one age: milliseconds of processor time of the server (a busy machine changes nothing in them), first in a worker that has read nothing (cold) and then the median of
five in one that has (warm). Pages are whole answers of the application, templates included. "recent" compares the last
1,000 revisions of the document whatever its age; "whole" compares the first version with the newest.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from drafting.config import load_settings
from drafting.engine.attribution import Tape
from drafting.engine.changes import ChangeSet
from drafting.services import history, logs, timeline
from drafting.services.access import ANONYMOUS
from drafting.services.heads import spans_json
from drafting.store.database import Database
from drafting.store.migrations import upgrade
from drafting.store.models import (
    Decision,
    Hunk,
    Milestone,
    MilestoneSection,
    Revision,
    RevisionOrigin,
    Section,
    Snapshot,
    Stream,
    Suggestion,
    SuggestionOrigin,
)
from drafting.web.app import create_app
from drafting.web.pages import marking
from tests import make

SECTIONS = 12
SIZE = 25_000  # characters of a section
SUGGESTIONS = 2_000
WORDS = ["miasto", "organizacja", "program", "zadanie", "wspólnie", "wniosek", "drzewo", "ławka", "seniorzy", "młodzież", "lokal", "umowa", "rok", "środki", "ocena"]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def generate(session: Session, revisions: int, rng: random.Random) -> int:
    """The document: a third of the text at first, the rest typed and proposed; ids are made here, rows in bulk."""
    document = make.document(session, slug="bench")
    meetings = [make.meeting(session, document) for _ in range(11)]
    organizations = [make.organization(session, document, code=f"O{i}") for i in range(24)]
    origins = [make.origin(session, document, *pair).id for pair in rng.sample(list(product(organizations, meetings)), 60)]
    people = [make.user(session).id for _ in range(20)]
    sections = [make.section(session, document) for _ in range(SECTIONS)]
    session.commit()
    each_section = revisions // SECTIONS
    accepts = max(1, each_section // (SUGGESTIONS // SECTIONS + 1))
    step = timedelta(days=300) / (revisions + 1)
    rows: dict[Any, list[dict[str, Any]]] = {
        table: [] for table in (Suggestion, SuggestionOrigin, Hunk, Decision, Revision, RevisionOrigin, Snapshot)
    }
    number = 0
    middle: list[dict[str, Any]] = []
    branches: list[dict[str, Any]] = []
    for at, section in enumerate(sections):
        stream = section.stream_id
        tape = Tape()
        lines = [f"## Część {at + 1}", ""]
        while sum(map(len, lines)) < SIZE // 3:
            lines += [f"{len(lines)}. {' '.join(rng.choices(WORDS, k=30))}.", ""]
        todo: list[ChangeSet | None] = [ChangeSet.of([(0, 0, "\n".join(lines))], 0)]
        grow = (SIZE - SIZE // 3) / max(1, each_section)
        pos = 100
        for version in range(1, each_section + 1):
            when = BEGIN + step * (version * SECTIONS + at)
            length = tape.length
            is_accept = version > 1 and version % accepts == 0 and number < SUGGESTIONS
            if version == 1:
                changes = todo[0]
                assert changes is not None
            else:
                if rng.random() < 0.05 or is_accept:
                    pos = rng.randrange(40, length - 40)
                pos = min(pos, length - 40)
                text = tape.text(pos, pos + 40)
                space = text.find(" ")
                pos += max(space, 0)
                word = " " + rng.choice(WORDS)
                if is_accept or length > SIZE:
                    end = pos + len(text[max(space, 0) :].split("\n")[0]) // 2
                    changes = ChangeSet.of([(pos, end, word)], length)
                else:
                    put = "".join(rng.choice(WORDS) + " " for _ in range(1 + int(grow / 9)))[: max(1, round(grow))]
                    changes = ChangeSet.of([(pos, pos, put)], length)
                    pos += len(put)
            tape.apply(changes, version)
            decision_id = None
            author = rng.choice(people)
            if is_accept:
                number += 1
                start, end, word = changes.replacements[0]
                decision_id = number
                branch = 1000 + number
                branches.append({"id": branch, "kind": "branch", "section_id": section.id, "version": 0, "length": 0, "moved": 0})
                rows[Suggestion].append(
                    dict(
                        id=number, document_id=document.id, section_id=section.id, stream_id=branch, number=number, state="decided",
                        author_id=author, organization_id=None, reason="Bo tak będzie lepiej.", minutes_quote="", form="platform",
                        new_section=False, opened_at_version=version - 1, main_version=version, next_hunk_id=2,
                        filed_form=json.dumps([[1, start, end, word, "stare"]]), filed_version=version - 1, created_at=when, filed_at=when,
                    )
                )  # fmt: skip
                rows[SuggestionOrigin].append({"suggestion_id": number, "origin_id": rng.choice(origins)})
                rows[Hunk].append(dict(suggestion_id=number, id=1, state="accepted", start=start, end=end, text=word, ground="stare", version=version))
                rows[Decision].append(
                    dict(
                        id=number, document_id=document.id, section_id=section.id, suggestion_id=number, hunk_id=1, verdict="accepted",
                        mode="", reason="Zgodnie z planem.", by_id=people[0], at=when, branch_version=0, hunk_hash="", main_version=version,
                        form={"before": f"zdanie {number}", "ground": "stare", "text": word}, effects={"superseded": [], "fulfilled": [], "shared": []},
                    )
                )  # fmt: skip
            rows[Revision].append(
                dict(
                    stream_id=stream, version=version, changes=json.dumps(changes.to_json()), kind="accept" if is_accept else "edit",
                    author_id=author, client=f"c{author}", sequence=version, decision_id=decision_id, at=when,
                )
            )  # fmt: skip
            if rng.random() < 0.3:
                rows[RevisionOrigin].append({"stream_id": stream, "version": version, "origin_id": rng.choice(origins)})
            if version % 3200 == 0 or (version % 200 == 0 and each_section - version < 3200):
                rows[Snapshot].append(dict(stream_id=stream, version=version, text=tape.text(), spans=spans_json(tape.spans())))
            if version == each_section // 2:
                middle.append(dict(milestone_id=1, section_id=section.id, position=at + 1, version=version, title=f"Część {at + 1}"))
        session.get_one(Stream, stream).version = each_section
        section.title = f"Część {at + 1}"
    session.flush()
    session.execute(insert(Stream), branches) if branches else None
    for table in (Suggestion, SuggestionOrigin, Hunk, Decision, Revision, RevisionOrigin, Snapshot):
        if rows[table]:
            session.execute(insert(table), rows[table])
    session.execute(insert(Milestone), [dict(id=1, document_id=document.id, name="Połowa", note="", at=BEGIN + timedelta(days=150), chain_head="")])
    session.execute(insert(MilestoneSection), middle)
    session.execute(Section.__table__.update().values(created_at=BEGIN))
    session.commit()
    return document.id


def timed(work: Callable[[], Any], forget: Callable[[], Any]) -> tuple[float, float]:
    """(cold, warm) milliseconds."""
    forget()
    start = time.process_time()
    work()
    cold = time.process_time() - start
    warm = []
    for _ in range(5):
        start = time.process_time()
        work()
        warm.append(time.process_time() - start)
    return 1000 * cold, 1000 * statistics.median(warm)


def measure(revisions: int, folder: Path) -> list[tuple[str, float, float]]:
    database = Database(f"sqlite:///{folder}/bench-{revisions}.sqlite", durable=False)
    upgrade(database)
    start = time.process_time()
    with database.session() as session:
        document_id = generate(session, revisions, random.Random(revisions))
    print(f"{revisions} revisions generated in {time.process_time() - start:.0f} s", flush=True)
    settings = load_settings({}, instance_path=folder / "instance", testing=True)
    app = create_app(settings, database=database, live=False)
    client = app.test_client()

    def forget() -> None:
        logs._kept.clear()
        marking.rendered.cache_clear()

    def get(address: str) -> Callable[[], None]:
        def work() -> None:
            answer = client.get(f"/d/bench{address}")
            assert answer.status_code == 200, (address, answer.status_code)

        return work

    recent = (BEGIN + timedelta(days=300) * (1 - 1000 / max(revisions, 1001))).isoformat()

    def compared(a: str) -> Callable[[], None]:
        def work() -> None:
            with database.session(writes=False) as session:
                history.compare(session, ANONYMOUS, document_id, a, "now")

        return work

    def attributed() -> None:
        with database.session(writes=False) as session:
            history.of_document(session, ANONYMOUS, document_id, removed=True)

    def marks() -> None:
        with database.session(writes=False) as session:
            timeline.marks(session, ANONYMOUS, document_id)

    with database.session(writes=False) as session:
        first = session.scalars(select(Section.id).order_by(Section.id)).first()
        assert first is not None
        accepted = session.scalar(select(Revision.version).where(Revision.kind == "accept").order_by(Revision.version).limit(1))
        stream = session.get_one(Section, first).stream_id
    rows = [
        ("attribution of the whole document, removed words too", attributed),
        ("attributed difference of the whole document, recent", compared(recent)),
        ("attributed difference of the whole document, half", compared("m1")),
        ("attributed difference of the whole document, whole", compared("start")),
        ("marks of the time line", marks),
        ("page: sources", get("/sources")),
        ("page: a story", get(f"/s/{first}/story?run={stream}.{accepted or 1}.0")),
        ("page: compare, recent", get(f"/compare?from={recent.replace('+', '%2B')}")),
        ("page: compare, half, one section", get(f"/compare?from=m1&section={first}")),
        ("page: time line in the middle", get("/history?at=2026-06-01")),
    ]
    return [(name, *timed(work, forget)) for name, work in rows]


def main() -> None:
    ages = [int(each) for each in sys.argv[1:]] or [1_000, 20_000, 100_000]
    with tempfile.TemporaryDirectory() as folder:
        table = {age: measure(age, Path(folder)) for age in ages}
    print(f"\n{'ms, cold / warm':<56}" + "".join(f"{age:>18,}" for age in ages))
    for i, (name, _, _) in enumerate(table[ages[0]]):
        print(f"{name:<56}" + "".join(f"{table[age][i][1]:>9.0f} /{table[age][i][2]:>7.0f}" for age in ages))


if __name__ == "__main__":
    main()

"""What looking at the past of a real law costs: its published revisions replayed as suggestions and accepted.

    python3 -m tests.bench.bench_laws [NAME ...]     names of ../shared/data/laws; without one all of them

Each act that changed the law is an organisation, its change one suggestion of as many hunks as the difference has,
accepted in sets; a version is named after each. The whole law is one section, the hardest case. The text is compared
with the published one after every step, so what is measured is measured on the true text.

Milliseconds of processor time of the server: cold is the first answer of a worker that has read nothing, warm the
median of the next five. Pages are whole answers of the application, templates included.
"""

from __future__ import annotations

import csv
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.config import load_settings
from drafting.engine.changes import ChangeSet
from drafting.engine.diff import diff
from drafting.engine.rebase import Update
from drafting.engine.text import normalise, to_units
from drafting.services import (
    accounts,
    clock,
    decisions,
    documents,
    editing,
    logs,
    milestones,
    people,
    sections,
    suggestions,
)
from drafting.services.access import SERVER, Actor, actor_of
from drafting.services.decisions import Judged
from drafting.store.database import Database, transaction
from drafting.store.migrations import upgrade
from drafting.store.models import Revision
from drafting.web.app import create_app
from drafting.web.pages import marking

LAWS = Path(__file__).resolve().parents[3] / "shared" / "data" / "laws"
TRIES = 5
TARGET = 300.0  # ms
SLUG = "law"


def published(folder: Path) -> list[tuple[str, str]]:
    """[(the act, the text)] in order."""
    with (folder / "revisions.tsv").open(encoding="utf-8") as file:
        acts = {row[0]: row[3] for row in csv.reader(file, delimiter="\t")}
    return [(acts[path.stem], normalise(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.md"))]


def member(session: Session, founder: Actor, document: int, role: str, name: str, organization: int | None = None) -> Actor:
    person = accounts.create_user(session, SERVER, f"{name}@bench.example", name.title())
    people.add_member(session, founder, document, person.id, role, organization)
    return actor_of(session, person.id)


def replay(session: Session, revisions: list[tuple[str, str]]) -> tuple[int, int, int]:
    """(document, section, hunks accepted)."""
    with transaction(session):
        person = accounts.create_user(session, SERVER, "founder@bench.example", "Founder", is_operator=True).id
        document = documents.create_document(session, actor_of(session, person), "Law", slug=SLUG).id
        founder = actor_of(session, person)
        official = member(session, founder, document, "official", "official")
        section = sections.add_section(session, founder, document, revisions[0][1]).id
        documents.publish(session, founder, document)
        documents.set_phase(session, founder, document, "consultation", ends_at=clock.now() + timedelta(days=9000))
    accepted = 0
    for number, (act, text) in enumerate(revisions[1:], 1):
        with transaction(session):
            organization = people.add_organization(session, founder, document, f"{number}. {act[:110]}", code=f"A{number}").id
            author = member(session, founder, document, "contributor", f"author{number}", organization)
            view = suggestions.open_suggestion(session, author, section)
            now = to_units(editing.text_at(session, author, section).text)
            hunks = [(each.start_a, each.end_a, each.text) for each in diff(now, to_units(text)).hunks]
            if not hunks:
                continue
            update = Update(f"bench{number}", 1, ChangeSet.of(hunks, len(now)))
            editing.push(session, author, view.stream_id, view.branch_version, [update])
            filed = suggestions.file(session, author, view.id, reason=act)
        with transaction(session):
            items = [Judged(filed.id, each.id) for each in filed.hunks]
            accepted += len(items)
            for some in range(0, len(items), decisions.MAX_ITEMS):
                decisions.decide(session, official, section, items[some : some + decisions.MAX_ITEMS], "accepted", reason="Beschlossen.")
            milestones.create_milestone(session, founder, document, f"{number:02}")
        assert to_units(editing.text_at(session, official, section).text) == to_units(text), (number, act)
    return document, section, accepted


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """(cold, warm) milliseconds."""
    logs._kept.clear()
    marking.rendered.cache_clear()
    times = []
    for _ in range(TRIES + 1):
        start = process_time()
        work()
        times.append(1000 * (process_time() - start))
    return times[0], statistics.median(times[1:])


def addresses(app: Flask, database: Database, section: int) -> list[tuple[str, str]]:
    with database.read() as session:
        moments = session.scalars(select(Revision.at).order_by(Revision.at)).all()
        stream, version = session.execute(
            select(Revision.stream_id, func.max(Revision.version)).where(Revision.decision_id.is_not(None)).group_by(Revision.stream_id)
        ).one()
    middle = moments[len(moments) // 2].isoformat().replace("+", "%2B")
    return [
        ("sources", "/sources?by=organization"),
        ("a story", f"/s/{section}/story?run={stream}.{version}.0"),
        ("compare, from the start", "/compare?from=start"),
        ("compare, side by side", "/compare?from=start&view=side&vanished=1"),
        ("compare, the newest act", "/compare?from=m1"),
        ("time line in the middle", f"/history?at={middle}"),
        ("named versions", "/milestones"),
        ("matrix", "/matrix?by=organization"),
        ("an organisation", "/organizations/A1"),
        ("report", "/report"),
        ("proposals and their fate", "/suggestions"),
    ]


def measure(folder: Path, place: Path) -> None:
    revisions = published(folder)
    database = Database(f"sqlite:///{place}/{folder.name}.sqlite", durable=False)
    upgrade(database)
    moment = [datetime(2013, 1, 1, tzinfo=UTC)]

    def tick() -> datetime:
        moment[0] += timedelta(hours=1)
        return moment[0]

    began = process_time()
    with clock.set_to(tick), database.write() as session:
        _, section, accepted = replay(session, revisions)
    lengths = [len(to_units(text)) for _, text in revisions]
    print(
        f"\n{folder.name}: {len(revisions)} revisions of {min(lengths):,}–{max(lengths):,} code units, {accepted} hunks accepted "
        f"in {process_time() - began:.0f} s\n  {'ms':<28}{'cold':>8}{'warm':>8}",
        flush=True,
    )
    app = create_app(load_settings({}, instance_path=place / "instance", testing=True), database=database, live=False)
    client = app.test_client()
    client.get(f"/d/{SLUG}/meetings")  # the templates of every page are compiled once in a server's life
    for name, address in addresses(app, database, section):

        def visit(address: str = address) -> None:
            answer = client.get(f"/d/{SLUG}{address}")
            assert answer.status_code == 200, (address, answer.status_code)

        cold, warm = timed(visit)
        said = "" if warm <= TARGET else f"  MISSED (target ≤ {TARGET:.0f} warm)"
        print(f"  {name:<28}{cold:>8.0f}{warm:>8.0f}{said}", flush=True)
    database.close()


def main() -> None:
    if not LAWS.is_dir():
        print("The laws of shared/data are not here; nothing measured.")
        return
    with tempfile.TemporaryDirectory() as place:
        for name in sys.argv[1:] or sorted(each.name for each in LAWS.iterdir()):
            measure(LAWS / name, Path(place))


if __name__ == "__main__":
    main()

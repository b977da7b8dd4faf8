"""What the views of the report cost on a programme of 12 sections, 300,000 characters, 20,000 revisions, 2,000 suggestions.

    python3 -m tests.bench.bench_report [FILE.sqlite]     a file made by tests.bench.programme; without it one is made

Prints processor time of this process, with wall time beside it: the machine may be busy with other things. "cold" is
the first time in a process that has just started, "warm" the median of the next ones; "after a decision" the median of
views each of which is the first since somebody accepted a suggestion.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

from flask import Flask
from sqlalchemy import func, select

from drafting.config import load_settings
from drafting.services import decisions, reporting
from drafting.services.access import ANONYMOUS, actor_of
from drafting.services.decisions import Judged
from drafting.store.database import Database
from drafting.store.models import Document, Hunk, Membership, Revision, Stream, Suggestion
from drafting.web.app import create_app
from tests.bench import programme
from tests.web.conftest import visitor

TRIES = 5
AFTER = ("sources", "compare", "history", "matrix", "report", "meetings/4", "organizations/S3", "review")
VIEWS = ("matrix", "matrix?by=organization", "report", "report?page=40", "report/course", "meetings/4", "organizations/S3", "audit")


def measured(action: Callable[[], object]) -> tuple[float, float]:
    """(processor, wall) seconds."""
    cpu, wall = process_time(), perf_counter()
    action()
    return process_time() - cpu, perf_counter() - wall


def row(name: str, cold: tuple[float, float], warm: tuple[float, float] | None, target: float, when: str = "cold") -> None:
    counts = warm or cold
    said = "reached" if counts[0] <= target else "MISSED"
    later = "" if warm is None else f"warm {warm[0]:7.3f} s ({warm[1]:.3f} wall)"
    print(f"  {name:<28} {when} {cold[0]:7.3f} s ({cold[1]:.3f} wall)  {later:<34} target ≤ {target:g} s   {said}", flush=True)


def views(app: Flask, slug: str) -> None:
    client = app.test_client()
    for path in VIEWS:

        def visit(path: str = path) -> None:
            answer = client.get(f"/d/{slug}/{path}")
            assert answer.status_code == 200, (path, answer.status_code)

        cold = measured(visit)
        times = [measured(visit) for _ in range(TRIES)]
        row(f"/{path}", cold, tuple(statistics.median(each[n] for each in times) for n in (0, 1)), 0.3)  # type: ignore[arg-type]


def after_decisions(app: Flask, database: Database, slug: str) -> None:
    """Each view as the office sees it right after it has accepted a suggestion."""
    with database.read() as session:
        official = actor_of(session, session.scalars(select(Membership.user_id).where(Membership.role == "official")).one())
        waiting = session.execute(
            select(Suggestion.section_id, Hunk.suggestion_id, Hunk.id)
            .join(Suggestion, Suggestion.id == Hunk.suggestion_id)
            .where(Hunk.state == "open", Suggestion.state == "filed")
            .order_by(Hunk.suggestion_id)
        ).all()
    client, left = visitor(app, official), iter(waiting)
    for path in AFTER:
        times = []
        for n in range(TRIES + 2):
            if n > 1:  # at first the view is made warm
                section_id, suggestion_id, hunk_id = next(left)
                with database.write() as session:
                    decisions.decide(session, official, section_id, [Judged(suggestion_id, hunk_id, mode="stands")], "accepted")
            times.append(measured(lambda path=path: client.get(f"/d/{slug}/{path}")))  # type: ignore[misc]
        made = tuple(statistics.median(each[n] for each in times[2:]) for n in (0, 1))
        row(f"/{path}", made, None, 0.3, "after a decision")  # type: ignore[arg-type]


def files(database: Database, document_id: int) -> None:
    for ending, target in (("xlsx", 5), ("csv", 5), ("docx", 60), ("html", 5), ("pdf", 30)):
        reporting._outlines.clear()
        sizes = []

        def write(ending: str = ending, sizes: list[int] = sizes) -> None:
            with database.read() as session:
                sizes.append(len(reporting.report_file(session, ANONYMOUS, document_id, ending)))

        row(f"report.{ending}", measured(write), None, target)
        print(f"  {'':<28} {sizes[0] / 1e6:.1f} MB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder, "programme.sqlite")
        if not path.exists():
            from drafting.store.migrations import upgrade

            made = Database(f"sqlite:///{path}", durable=False)
            upgrade(made)
            programme.make(made)
            made.close()
        database = Database(f"sqlite:///{path}", durable=False)
        with database.read() as session:
            document = session.scalars(select(Document)).first()
            assert document is not None
            document_id, slug = document.id, document.slug
            numbers = [
                session.scalar(select(func.count()).select_from(Suggestion)),
                session.scalar(select(func.count()).select_from(Revision)),
                session.scalar(select(func.sum(Stream.length)).where(Stream.kind == "main")),
            ]
        print("{} suggestions, {} revisions (with those on branches), {} characters".format(*numbers))
        settings = load_settings({}, instance_path=Path(folder, "instance"), testing=True)
        app = create_app(settings, database=database, live=False)
        views(app, slug)
        files(database, document_id)
        after_decisions(app, database, slug)
        database.close()


if __name__ == "__main__":
    main()

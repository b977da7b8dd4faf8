"""The demo programme: the same on every database and every time, true to its log, and as large as a real one."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.demo.loader import load
from drafting.errors import WrongState
from drafting.formats.critic import read_critic
from drafting.services import audit, exchange, milestones, overview, sections, verify
from drafting.services.access import ANONYMOUS
from drafting.store.database import Database
from drafting.store.models import (
    Annotation,
    Base,
    Decision,
    Document,
    Meeting,
    Notification,
    Organization,
    Revision,
    Section,
    User,
)
from drafting.store.queries import text_at
from tests.services.test_git_history import Repository

DAY = date(2026, 11, 30)
FILES = sorted((Path(__file__).parents[1] / "drafting" / "demo" / "programme").glob("*.md"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Iterator[Database]:
    database = _loaded(_sqlite_template, tmp_path_factory.mktemp("demo") / "demo.sqlite")
    yield database
    database.close()


@pytest.fixture
def reading(demo: Database) -> Iterator[Session]:
    with demo.read() as session:
        yield session


def _loaded(template: Path, path: Path) -> Database:
    path.write_bytes(template.read_bytes())
    database = Database(f"sqlite:///{path}", durable=False)
    load(database, DAY)
    return database


def _dump(database: Database) -> dict[str, str]:
    """Table → the hash of all of its rows, by their keys."""
    found = {}
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            rows = session.execute(select(table).order_by(*table.primary_key.columns)).all()
            said = "\n".join(repr([_plain(value) for value in row]) for row in rows)
            found[table.name] = f"{len(rows)} rows, {hashlib.sha256(said.encode()).hexdigest()[:16]}"
    return found


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def test_who_comes_second_is_told_that_there_is_a_document(demo: Database) -> None:
    with pytest.raises(WrongState, match="has a document already"):
        load(demo, DAY)


def test_the_same_day_gives_the_same_rows_on_every_database(
    demo: Database, _sqlite_template: Path, tmp_path: Path, postgresql_database: Database
) -> None:
    again = _loaded(_sqlite_template, tmp_path / "again.sqlite")
    load(postgresql_database, DAY)
    assert _dump(again) == _dump(demo)
    assert _dump(postgresql_database) == _dump(demo)
    again.close()


def test_its_history_is_true(reading: Session) -> None:
    document = reading.scalars(select(Document)).one()
    assert verify.verify_document(reading, document.id) == []
    assert audit.verify_chain(reading, document.id).is_whole


def test_it_is_as_large_as_a_real_one(reading: Session) -> None:
    document = reading.scalars(select(Document)).one()
    sections = reading.scalars(select(Section).order_by(Section.position)).all()
    assert [each.statutory_point for each in sections] == list(range(1, 12))  # art. 5a ust. 4 of the Act
    assert 18_000 < sum(len(text_at(reading, each.stream_id)) for each in sections) < 22_000
    assert reading.scalar(select(func.count()).select_from(Meeting)) == 11
    ngos = reading.scalars(select(Organization.name).where(Organization.kind == "ngo")).all()
    assert len(ngos) == 24
    assert all(re.search("demo|Przykład|Próbn|na Niby|na Próbę|Wzorcow|Zmyśl", name) for name in ngos)
    assert (reading.scalar(select(func.count()).select_from(Revision).where(Revision.kind == "edit")) or 0) > 300
    rows = overview.suggestions(reading, ANONYMOUS, document.id)
    fates = {row.fate for row in rows}
    assert {"open", "accepted", "partly", "rejected", "superseded", "fulfilled", "withdrawn"} <= fates
    assert len(rows) >= 60
    assert reading.scalar(select(func.count()).select_from(Annotation)) >= 12
    assert {"accepted", "rejected", "reworded", "reverted"} == set(reading.scalars(select(Decision.verdict)))


def test_the_deadline_is_the_end_of_a_day_and_nobody_works_at_night(reading: Session) -> None:
    document = reading.scalars(select(Document)).one()
    assert document.phase_ends_at is not None
    zone = ZoneInfo(document.timezone)
    assert document.phase_ends_at.astimezone(zone).strftime("%H:%M") == "23:59"
    for column in (Revision.at, Decision.at, Annotation.created_at, Notification.at):
        hours = {at.astimezone(zone).hour for at in reading.scalars(select(column))}
        assert hours <= set(range(7, 21)), (column, sorted(hours))


def test_no_person_is_in_it(reading: Session) -> None:
    for person in reading.scalars(select(User)):
        assert person.email is not None and person.email.endswith("@przyklad.example")
        assert person.password_hash is None


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_its_history_is_a_repository_that_blames_the_organisations(reading: Session, tmp_path: Path) -> None:
    document = reading.scalars(select(Document)).one()
    made = Repository(tmp_path / "demo", exchange.export(reading, ANONYMOUS, document.id, "fast-import"))
    views = sections.outline(reading, ANONYMOUS, document.id)
    assert list(made.files().values()) == [text_at(reading, view.stream_id) for view in views]
    for each in milestones.milestones(reading, ANONYMOUS, document.id):
        named = [text_at(reading, part.stream_id, part.version) for part in each.sections]
        assert list(made.files(f"refs/tags/{each.name.replace(' ', '-')}").values()) == named
    accepted = reading.scalar(select(func.count()).select_from(Revision).where(Revision.kind == "accept"))
    commits = made.log("%(trailers:key=Accepted-By,valueonly,separator=%x2C)|%ae")
    assert sum(not line.startswith("|") for line in commits) == accepted
    blamed = {
        line.removeprefix("author-mail <").partition("-")[0]
        for path in made.files()
        for line in made.git("blame", "--line-porcelain", "main", "--", path).splitlines()
        if line.startswith("author-mail <")
    }
    assert {"team@drafting.invalid>", "org"} <= blamed
    people = {*reading.scalars(select(User.name).where(User.may_be_named.is_(False))), *reading.scalars(select(User.email))}
    told = made.git("log", "--all", "--format=%an%n%ae%n%cn%n%ce%n%(trailers)")
    assert not [each for each in people if each and each in told]


def test_its_open_suggestions_are_the_marks_of_a_file_with_criticmarkup(reading: Session) -> None:
    document = reading.scalars(select(Document)).one()
    said = read_critic(exchange.export(reading, ANONYMOUS, document.id, "critic.md").decode())
    assert said.text == exchange.export(reading, ANONYMOUS, document.id, "md").decode()
    open_ones = {f"U-{row.number}" for row in overview.suggestions(reading, ANONYMOUS, document.id) if row.fate == "open"}
    marked = {each.reason.partition(":")[0] for each in said.changes}
    noted = {each.text.partition(":")[0] for each in said.remarks if each.text.startswith("U-")}
    assert marked and noted and open_ones <= marked | noted
    assert not marked & {f"U-{row.number}" for row in overview.suggestions(reading, ANONYMOUS, document.id) if row.fate == "draft"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_list_ends_with_a_full_stop_and_only_there(path: Path) -> None:
    """Points of a list end with a semicolon, the last with a full stop; numbers follow each other."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("@")]
    for before, line in zip(lines, [*lines[1:], ""], strict=True):
        point, following = (re.match(r"\s*(\d+)\) ", each) for each in (before, line))
        if point and following:
            assert before.endswith(";"), before
            assert int(following[1]) == int(point[1]) + 1, line
        elif point:
            assert before.endswith("."), before
    for paragraph in re.split(r"(?m)^## ", path.read_text(encoding="utf-8")):
        items = [int(number) for number in re.findall(r"(?m)^(\d+)\. ", paragraph)]
        assert items == list(range(1, len(items) + 1))

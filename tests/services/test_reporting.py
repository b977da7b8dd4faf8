"""The numbers of matrix, flow, impact and report agree with each other and with the log; the report is the same bytes.

On the demo programme, on random histories and on a document in which nothing was ever said.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import docx
import openpyxl
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.demo.loader import load
from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.formats.references import unit_at
from drafting.services import (
    annotations,
    clock,
    decisions,
    documents,
    editing,
    impact,
    overview,
    reporting,
    suggestions,
)
from drafting.services.access import Actor, actor_of
from drafting.services.course import Course, Held, Phase, point10
from drafting.services.decisions import Judged
from drafting.services.matrix import BY, NOBODY, Matrix, end_of, matrix, values_of
from drafting.services.passages import unit_of
from drafting.services.register import Window, register, tally
from drafting.services.report_words import COLUMNS, POSITIONS, Speech, counted, plural
from drafting.services.reporting import FORMATS, outline, report, report_file
from drafting.store.database import Database
from drafting.store.models import (
    Decision,
    Document,
    HunkState,
    Meeting,
    Organization,
    Origin,
    Section,
    Suggestion,
    SuggestionOrigin,
    User,
)
from tests import make

GAMES = 9 if os.environ.get("DRAFTING_PLAY", "smoke") == "full" else 2
DEADLINE = 35  # of sixty steps: what is filed after it is late
WORDS = ("oak", "elm", "ash", "lime", "pine", "fir", "yew", "beech", "birch", "maple", "rowan", "alder")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The demo programme, loaded once for the tests that only read."""
    from drafting.store.migrations import upgrade

    path = tmp_path_factory.mktemp("demo") / "demo.sqlite"
    database = Database(f"sqlite:///{path}", durable=False)
    upgrade(database)
    load(database, date(2026, 10, 6))
    yield database
    database.close()


@pytest.fixture
def reading(demo: Database) -> Iterator[Session]:
    with demo.read() as session:
        yield session


def the_document(session: Session) -> Document:
    row = session.scalar(select(Document).limit(1))
    assert row is not None
    return row


def coordinator(session: Session) -> Actor:
    return actor_of(session, session.scalar(select(User.id).order_by(User.id).limit(1)))


# ── the log, counted by another way ─────────────────────────────────────────────────────────────────────


def fates_by_the_log(session: Session, document_id: int) -> dict[int, str]:
    """{suggestion: what it came to}, from the states that its hunks went through and the verdicts that stand."""
    states: dict[int, dict[int, tuple[str, int | None]]] = {}
    for row in session.execute(
        select(HunkState.suggestion_id, HunkState.hunk_id, HunkState.state, HunkState.decision_id).order_by(HunkState.id)
    ):
        states.setdefault(row.suggestion_id, {})[row.hunk_id] = (row.state, row.decision_id)
    verdicts = dict(session.execute(select(Decision.id, Decision.verdict)).all())
    found = {}
    for row in session.scalars(select(Suggestion).where(Suggestion.document_id == document_id)):
        if row.filed_at is None:
            continue
        if row.withdrawn_at is not None:
            found[row.id] = "withdrawn"
            continue
        ends = Counter()
        known = states.get(row.id, {})
        hunks = session.execute(
            select(HunkState.hunk_id).where(HunkState.suggestion_id == row.id).distinct()
        ).scalars()
        for hunk in hunks:
            state, decision = known[hunk]
            if state == "accepted" and decision is not None and verdicts[decision] == "reworded":
                state = "reworded"
            ends[state] += 1
        from drafting.store.models import Hunk

        untouched = session.scalars(
            select(Hunk.id).where(Hunk.suggestion_id == row.id, Hunk.id.not_in(list(known)), Hunk.state == "open")
        ).all()
        waiting = ends["open"] + len(untouched)
        stands = ends["accepted"] + ends["reworded"] + ends["fulfilled"]
        gone = ends["rejected"] + ends["superseded"]
        if waiting:
            found[row.id] = "open"
        elif stands and (gone or ends["reworded"]):
            found[row.id] = "partly"
        elif stands:
            found[row.id] = "stands"
        elif ends["rejected"]:
            found[row.id] = "rejected"
        elif ends["superseded"]:
            found[row.id] = "superseded"
        else:
            found[row.id] = "withdrawn"
    return found


def assert_all_numbers_agree(session: Session, actor: Actor, document: Document) -> None:
    """Register, matrix by meetings and by organisations, flow, impact, report and log."""
    log = fates_by_the_log(session, document.id)
    entries = register(session, actor, document.id)
    of_suggestions = [each for each in entries if each.kind == "suggestion"]
    same = {"accepted": "stands", "fulfilled": "stands", "inadmissible": "open"}  # nobody has decided on what came late
    assert {each.id: same.get(each.position, each.position) for each in of_suggestions} == log
    counts = Counter(log.values())
    asked = sum(number for fate, number in counts.items() if fate != "withdrawn")

    for by in BY:
        made, flow = matrix(session, actor, document.id, by)
        assert made.total.asked == asked == sum(cell.asked for cell in made.foot)
        assert made.total.stands == counts["stands"] + counts["partly"] == sum(cell.stands for cell in made.foot)
        assert (made.total.whole, made.total.partly) == (counts["stands"], counts["partly"])
        assert (made.total.rejected, made.total.superseded) == (counts["rejected"], counts["superseded"])
        assert made.total.open == counts["open"]
        for line in made.lines:
            assert line.sum.asked == sum(cell.asked for cell in line.cells)
            assert line.sum.stands == sum(cell.stands for cell in line.cells)
        if not made.overlaps:
            assert sum(line.sum.asked for line in made.lines) == asked
        assert_cells_agree_with_the_rows(session, document, by, made, log)
        ends = dict(flow.ends)
        assert sum(ends.values()) == asked
        positions = Counter(each.position for each in of_suggestions)
        assert {end: ends.get(end, 0) for end in ("partly", "rejected", "superseded", "inadmissible", "open")} == {
            end: positions[end] for end in ("partly", "rejected", "superseded", "inadmissible", "open")
        }
        assert ends.get("whole", 0) == positions["accepted"] + positions["fulfilled"]
        for end, number in ends.items():
            assert sum(share for (_, to), share in flow.left.items() if to == end) == number
        assert sum(flow.right.values()) == made.total.stands
        for line in made.lines:
            if line.code:
                assert_impact_agrees(session, actor, document, by, line)

    told = outline(session, actor, document.id)
    statistics = told.course.statistics
    assert {position: sum(both) for position, both in statistics.items()} == tally(entries)
    assert sum(both[0] for both in statistics.values()) == len(log) == told.course.suggestions
    in_rows = [each.key for _, group in told.groups for each in group]
    assert sorted(in_rows) == sorted(each.key for each in entries) and len(set(in_rows)) == len(in_rows)
    whole = report(session, actor, document.id)
    assert [row.number for row in (*whole.suggestions, *whole.remarks)] == list(range(1, len(told.groups) + 1))


def assert_cells_agree_with_the_rows(session: Session, document: Document, by: str, made: Matrix, log: dict[int, str]) -> None:
    """Every cell, counted again from origins, sections and the log."""
    wanted: dict[tuple[str, int], set[int]] = {}
    named: set[int] = set()
    for row in session.execute(
        select(SuggestionOrigin.suggestion_id, Suggestion.section_id, Organization.code, Meeting.number)
        .join(Origin, Origin.id == SuggestionOrigin.origin_id)
        .join(Suggestion, Suggestion.id == SuggestionOrigin.suggestion_id)
        .outerjoin(Organization, Organization.id == Origin.organization_id)
        .outerjoin(Meeting, Meeting.id == Origin.meeting_id)
        .where(Suggestion.document_id == document.id)
    ):
        value = row.code if by == "organization" else row.number
        if value is not None and log.get(row.suggestion_id, "withdrawn") != "withdrawn":
            named.add(row.suggestion_id)
            wanted.setdefault((str(value), row.section_id), set()).add(row.suggestion_id)
    for row in session.scalars(select(Suggestion).where(Suggestion.document_id == document.id)):
        if row.id not in named and log.get(row.id, "withdrawn") != "withdrawn":
            wanted.setdefault((NOBODY, row.section_id), set()).add(row.id)
    found = {}
    for line in made.lines:
        for column, cell in zip(made.columns, line.cells, strict=True):
            if cell.asked:
                found[line.value, column.id] = (cell.asked, cell.stands)
    present = {column.id for column in made.columns}
    sums: dict[tuple[str, int | None], tuple[int, int]] = {}
    for (value, section), ids in wanted.items():
        key = value, section if section in present else None
        asked, stands = sums.get(key, (0, 0))
        sums[key] = asked + len(ids), stands + sum(log[each] in ("stands", "partly") for each in ids)
    assert found == sums


def assert_impact_agrees(session: Session, actor: Actor, document: Document, by: str, line: object) -> None:
    rows = overview.suggestions(session, actor, document.id)
    if by == "meeting":
        found = next(each for row in rows for each in row.meetings if str(each.number) == line.value) if line.sum.asked else None
        made = impact.of_meeting(session, actor, document.id, found.id, rows) if found else None
    else:
        row = session.scalar(
            select(Organization).where(Organization.document_id == document.id, Organization.code == line.code)
        )
        made = impact.of_organization(session, actor, document.id, row.id, rows)
    if made is not None:
        assert made.sum == line.sum
        positions = Counter(
            each.position
            for each in register(session, actor, document.id)
            if each.kind == "suggestion" and line.value in values_of(each.facts, by)
        )
        assert made.sum.whole == positions["accepted"] + positions["fulfilled"]
        assert (made.sum.partly, made.sum.rejected) == (positions["partly"], positions["rejected"])
        assert (made.sum.superseded, made.withdrawn) == (positions["superseded"], positions["withdrawn"])
        assert (made.late, made.sum.open - made.late) == (positions["inadmissible"], positions["open"])


def test_all_numbers_of_the_demo_agree(reading: Session) -> None:
    document = the_document(reading)
    assert_all_numbers_agree(reading, coordinator(reading), document)


def test_everybody_reads_the_same_numbers(reading: Session) -> None:
    """Somebody with drafts of their own sees no other report than the public."""
    document = the_document(reading)
    people = reading.scalars(select(User.id).order_by(User.id)).all()
    made = {tuple(each.key for each in register(reading, actor_of(reading, person), document.id)) for person in people}
    made.add(tuple(each.key for each in register(reading, actor_of(reading, None), document.id)))
    assert len(made) == 1


def test_surviving_words_add_up_to_the_text(reading: Session) -> None:
    document = the_document(reading)
    book = impact.Book(reading, document.id)
    for section_id, version in book.present():
        counts = book.counts(section_id, version)
        runs = book.reader.runs(book.reader.history(section_id), version)
        words, characters = counts[impact.EVERYBODY]
        assert characters == sum(run.end - run.start for run in runs)
        for key, (some, many) in counts.items():
            assert 0 <= some <= words and 0 <= many <= characters, key
        for origin in {each for run in runs for each in run.source.meetings}:
            mine = sum(run.end - run.start for run in runs if origin in run.source.meetings)
            assert counts[f"m{origin.id}"][1] == mine
        text = book.reader.history(section_id).text(version)
        owners = [run.source for run in runs for _ in range(run.start, run.end)]  # of each code unit
        letters = [each.isalnum() or each == "_" or "\ud800" <= each <= "\udfff" for each in text]
        firsts = [n for n, each in enumerate(letters) if each and (n == 0 or not (letters[n - 1] or joins(text, n - 1)))]
        assert words == len(firsts)
        for kind in ("meetings", "organizations"):
            every = Counter(f"{kind[0]}{one.id}" for n in firsts for one in getattr(owners[n], kind))
            assert {key: some for key, (some, _) in counts.items() if key[:1] == kind[0] and some} == every


def joins(text: str, pos: int) -> bool:
    """Whether the sign here stands inside a word: after a letter."""
    while pos >= 0 and text[pos] in "’'-":
        pos -= 1
    return pos >= 0 and text[pos + 1 : pos + 2] in ("’", "'", "-") and (text[pos].isalnum() or text[pos] == "_" or "\ud800" <= text[pos] <= "\udfff")


# ── random histories ────────────────────────────────────────────────────────────────────────────────────


class Play:
    """A document of two sections in which organisations at meetings propose, and an official decides, at random."""

    def __init__(self, database: Database, seed: int) -> None:
        self.random = random.Random(seed)
        self.database = database
        with database.write() as session:
            document = make.document(session)
            self.document_id = document.id
            organizations = [make.organization(session, document) for _ in range(3)]
            meetings = [make.meeting(session, document) for _ in range(2)]
            self.origins = [
                make.origin(session, document, organization, meeting).id
                for organization in [*organizations, None]
                for meeting in [*meetings, None]
                if organization or meeting
            ]
            self.chief = make.member(session, document, "coordinator")
            self.drafter = make.member(session, document, "drafter")
            text = "# Trees\n\n1. " + " ".join(f"{word} stays." for word in WORDS) + "\n"
            self.sections = [make.section(session, document, text).id for _ in range(2)]
            session.commit()
            self.at = clock.now()
            ends_at = self.at + timedelta(minutes=DEADLINE)
            documents.set_phase(session, self.chief, document.id, "consultation", ends_at=ends_at)
        self.filed: list[tuple[int, int]] = []

    def step(self) -> None:
        self.at += timedelta(minutes=1)
        with clock.set_to(self.at):
            self.one_step()

    def one_step(self) -> None:
        kind = self.random.choices(["propose", "accept", "reject", "reword", "revert", "withdraw", "remark"], [9, 6, 3, 2, 2, 1, 2])[0]
        with self.database.write() as session:
            getattr(self, kind)(session)

    def propose(self, session: Session) -> None:
        section = self.random.choice(self.sections)
        origins = self.random.sample(self.origins, self.random.choice([0, 1, 1, 2]))
        view = suggestions.open_suggestion(session, self.drafter, section, origin_ids=origins)
        text = to_units(editing.text_at(session, self.drafter, section).text)
        places = sorted({text.find(word) for word in self.random.sample(WORDS, self.random.choice([1, 1, 2]))} - {-1})
        if not places:
            return
        new = self.random.choice(["linden", "willow", ""])
        ends = [text.find(" ", at) for at in places]
        changes = ChangeSet.of(
            [(at, end, new or text[at:end].upper()) for at, end in zip(places, ends, strict=True)], len(text)
        )
        editing.push(session, self.drafter, view.stream_id, view.branch_version, [Update(f"p{view.id}", 1, changes)])
        if self.random.random() < 0.9:
            suggestions.file(session, self.drafter, view.id, reason="because")
            self.filed.append((view.id, section))

    def _items(self, session: Session) -> tuple[int, list[Judged]]:
        suggestion_id, section = self.random.choice(self.filed)
        view = suggestions.suggestion(session, self.chief, suggestion_id)
        items = [Judged(view.id, each.id) for each in view.open_hunks if not each.fulfilled and not each.base_changed]
        return section, self.random.sample(items, self.random.randint(1, len(items))) if items else []

    def accept(self, session: Session, wording: str | None = None) -> None:
        section, items = self._items(session) if self.filed else (0, [])
        if items:
            decisions.decide(session, self.chief, section, items[:1] if wording else items, "accepted", reason="so", wording=wording)

    def reword(self, session: Session) -> None:
        self.accept(session, wording=self.random.choice(["poplar", "plane"]))

    def reject(self, session: Session) -> None:
        section, items = self._items(session) if self.filed else (0, [])
        if items:
            decisions.decide(session, self.chief, section, items, "rejected", reason="no")

    def revert(self, session: Session) -> None:
        standing = session.scalars(
            select(Decision.id).where(
                Decision.document_id == self.document_id, Decision.reverted_by_id.is_(None), Decision.verdict != "reverted"
            )
        ).all()
        if standing:
            from drafting.errors import Conflict

            try:
                decisions.revert(session, self.chief, self.random.choice(standing))
            except Conflict:
                session.rollback()

    def withdraw(self, session: Session) -> None:
        from drafting.errors import Conflict

        if self.filed:
            try:
                suggestions.withdraw(session, self.drafter, self.random.choice(self.filed)[0])
            except Conflict:
                session.rollback()

    def remark(self, session: Session) -> None:
        thread = annotations.annotate(
            session, self.drafter, self.document_id, self.random.choice(["Why?", "When?"]),
            section_id=self.random.choice([*self.sections, None]),
        )  # fmt: skip
        if self.random.random() < 0.6:
            annotations.answer(session, self.chief, thread.id, self.random.choice(annotations.POSITIONS), "Because.")


@pytest.mark.parametrize("seed", range(GAMES))
def test_all_numbers_of_a_random_history_agree(database: Database, seed: int) -> None:
    play = Play(database, seed)
    for number in range(60):
        play.step()
        if number % 20 == 19:
            with database.read() as session:
                document = session.get_one(Document, play.document_id)
                assert_all_numbers_agree(session, play.chief, document)


# ── the report ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", FORMATS)
def test_the_same_document_gives_the_same_bytes(reading: Session, demo: Database, ending: str) -> None:
    document = the_document(reading)
    made = report_file(reading, coordinator(reading), document.id, ending)
    with clock.set_to(clock.now() + timedelta(days=400)), demo.read() as later:
        somebody = actor_of(later, None)
        reporting._outlines.clear()
        assert report_file(later, somebody, document.id, ending) == made


OTHERWHERE = """
import hashlib, sys
from drafting.services.access import ANONYMOUS
from drafting.services.reporting import FORMATS, report_file
from drafting.store.database import Database
database = Database(sys.argv[1])
with database.read() as session:
    for ending in FORMATS:
        print(ending, hashlib.sha256(report_file(session, ANONYMOUS, 1, ending)).hexdigest())
database.close()
"""


def digests(database: Database) -> dict[str, str]:
    reporting._outlines.clear()
    with database.read() as session:
        return {
            ending: hashlib.sha256(report_file(session, actor_of(session, None), 1, ending)).hexdigest()
            for ending in FORMATS
        }


def test_another_process_with_another_order_of_sets_writes_the_same_bytes(demo: Database) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OTHERWHERE, demo.url.render_as_string(hide_password=False)],
        env={**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo", "LANG": "C"}, capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert dict(line.split() for line in done.stdout.splitlines()) == digests(demo)


def test_postgresql_gives_the_same_bytes_as_sqlite(demo: Database, postgresql_database: Database) -> None:
    load(postgresql_database, date(2026, 10, 6))
    assert digests(postgresql_database) == digests(demo)


def test_the_spreadsheet_has_the_columns_of_the_practice_and_a_row_for_each_group(reading: Session) -> None:
    document = the_document(reading)
    book = openpyxl.load_workbook(io.BytesIO(report_file(reading, coordinator(reading), document.id, "xlsx")))
    told = outline(reading, coordinator(reading), document.id)
    suggestions_sheet, remarks_sheet, statistics, *_ = book.worksheets
    assert tuple(cell.value for cell in suggestions_sheet[1]) == COLUMNS["pl"]
    assert suggestions_sheet.max_row + remarks_sheet.max_row - 2 == len(told.groups)
    assert statistics.cell(statistics.max_row, 4).value == len(told.entries)


def test_every_refusal_in_the_report_has_its_reason_and_who_decided(reading: Session) -> None:
    document = the_document(reading)
    for row in report(reading, coordinator(reading), document.id).suggestions:
        for change in row.changes:
            if change.position in ("rejected", "superseded", "partly", "fulfilled"):
                assert change.reason and change.decided and all(by for by, _ in change.decided), row.entries[0].key
            if change.position == "superseded":
                assert "U-" in change.reason


def test_a_report_without_anything_says_so(database: Database) -> None:
    with database.write() as session:
        document = make.document(session)
        make.section(session, document, "# Trees\n\nTrees.\n")
        actor = make.member(session, document, "coordinator")
        session.commit()
        made, flow = matrix(session, actor, document.id)
        assert made.total.asked == 0 and flow.ends == ()
        for ending in FORMATS:
            assert report_file(session, actor, document.id, ending)
        told = outline(session, actor, document.id)
        assert told.groups == () and told.course.statistics == {}
        text = "\n".join(point10(told.course, Speech("pl", "Europe/Warsaw")))
        assert "nie zgłoszono żadnych propozycji ani uwag" in text


def _stage(session: Session, text: str) -> tuple[Document, Section, Actor]:
    """A document in consultation, its section with this text, its coordinator."""
    document = make.document(session)
    section = make.section(session, document, text)
    chief = make.member(session, document, "coordinator")
    session.commit()
    return document, section, chief


def _proposal(session: Session, actor: Actor, section_id: int, old: str, new: str, reason: str, origins: tuple[int, ...] = ()) -> int:
    view = suggestions.open_suggestion(session, actor, section_id, origin_ids=origins)
    text = to_units(editing.text_at(session, actor, section_id).text)
    at = text.index(old)
    changes = ChangeSet.of([(at, at + len(old), new)], len(text))
    editing.push(session, actor, view.stream_id, view.branch_version, [Update(f"t{view.id}", 1, changes)])
    suggestions.file(session, actor, view.id, reason=reason)
    return view.id


def test_identical_proposals_are_one_row_with_all_authors_and_the_same_words_elsewhere_are_not(database: Database) -> None:
    with database.write() as session:
        document = make.document(session)
        first, second, third = (make.organization(session, document, name) for name in ("First", "Second", "Third"))
        section = make.section(session, document, "## § 1.\n\n1. We plant 100 trees.\n\n2. We mend 100 benches.\n")
        chief = make.member(session, document, "coordinator")
        drafter = make.member(session, document, "drafter")
        origins = [make.origin(session, document, each).id for each in (first, second, third)]
        session.commit()
        one = _proposal(session, drafter, section.id, "100 trees", "150 trees", "For shade.", (origins[0],))
        _proposal(session, drafter, section.id, "100 trees", "150 trees", "For birds.", (origins[1],))
        _proposal(session, drafter, section.id, "100 benches", "150 benches", "For rest.", (origins[2],))
        rows = report(session, chief, document.id, "en").suggestions
        assert [len(row.entries) for row in rows] == [2, 1]
        cells = rows[0].cells(Speech("en", "Europe/Warsaw"))
        assert cells[2] == "First\nSecond"
        assert "First: For shade." in cells[7] and "Second: For birds." in cells[7]
        assert cells[4] == "§ 1 ust. 1"
        [hunk] = suggestions.suggestion(session, chief, one).hunks
        decisions.decide(session, chief, section.id, [Judged(one, hunk.id)], "accepted", reason="Yes.")
        rows = report(session, chief, document.id, "en").suggestions
        assert [len(row.entries) for row in rows] == [2, 1]  # the other one is fulfilled
        assert rows[0].position == "accepted"
        assert outline(session, chief, document.id).course.statistics == {
            "accepted": (1, 0), "fulfilled": (1, 0), "open": (1, 0),
        }  # fmt: skip


def test_a_proposal_that_differs_by_a_capital_or_a_stop_is_another_one(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nThe council plants trees.\n")
        for new in ("Council", "COUNCIL", "council."):
            _proposal(session, chief, section.id, "council", new, "Because.")
        assert [len(row.entries) for row in report(session, chief, document.id, "en").suggestions] == [1, 1, 1]


def test_identical_proposals_written_on_two_versions_are_one_row(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here soon.\n")
        one = _proposal(session, chief, section.id, "soon", "now", "First.")
        _proposal(session, chief, section.id, "oak", "ash", "Better.")
        [hunk] = suggestions.suggestion(session, chief, one).hunks
        decisions.decide(session, chief, section.id, [Judged(one, hunk.id)], "accepted", reason="Yes.")
        view = editing.text_at(session, chief, section.id)
        units = to_units(view.text)
        changes = ChangeSet.of([(0, 0, "Intro.\n\n")], len(units))
        editing.push(session, chief, view.stream_id, view.version, [Update("typist", 1, changes)])
        _proposal(session, chief, section.id, "oak", "ash", "I think so too.")
        rows = report(session, chief, document.id, "en").suggestions
        assert sorted(len(row.entries) for row in rows) == [1, 2]


def test_identical_proposals_refused_one_by_one_keep_both_reasons_and_both_deciders(database: Database) -> None:
    with database.write() as session:
        document = make.document(session)
        section = make.section(session, document, "# Trees\n\nWe plant oak here.\n")
        chief = make.member(session, document, "coordinator", user=make.user(session, "Anna"))
        other = make.member(session, document, "official", user=make.user(session, "Jan"))
        session.commit()
        for who, reason in ((chief, "No money."), (other, "No room.")):
            made = _proposal(session, chief, section.id, "oak", "ash", "Better.")
            [hunk] = suggestions.suggestion(session, chief, made).hunks
            decisions.decide(session, who, section.id, [Judged(made, hunk.id)], "rejected", reason=reason)
        [row] = report(session, chief, document.id, "en").suggestions
        cells = row.cells(Speech("en", "Europe/Warsaw"))
        assert cells[9] == "U-1: No money.\nU-2: No room."
        assert [line.split(",")[0] for line in str(cells[10]).splitlines()] == ["Anna", "Jan"]


def test_of_a_fulfilled_and_an_accepted_one_the_accepted_one_speaks(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here.\n")
        _proposal(session, chief, section.id, "oak", "ash", "First.")
        younger = _proposal(session, chief, section.id, "oak", "ash", "Second.")
        [hunk] = suggestions.suggestion(session, chief, younger).hunks
        decisions.decide(session, chief, section.id, [Judged(younger, hunk.id)], "accepted", reason="Yes.")
        [row] = report(session, chief, document.id, "en").suggestions
        cells = row.cells(Speech("en", "Europe/Warsaw"))
        assert (cells[8], cells[9]) == ("taken into account", "Yes.")


def test_each_wording_can_be_read_by_itself_and_has_no_signs_of_markdown(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\n   1) We **plant** 100 trees.\n")
        _proposal(session, chief, section.id, "100", "250 *native*", "More.")
        _proposal(session, chief, section.id, "**plant**", "__plant__", "Signs.")
        first, second = (row.cells(Speech("en", "Europe/Warsaw")) for row in report(session, chief, document.id, "en").suggestions)
        said = ["".join(run.text for run in first[column]) for column in (5, 6)]
        assert said == ["1) We plant 100 trees.", "1) We plant 250 *native* trees."]
        assert [run.text for run in first[5] if run.struck] == ["100"]
        assert "**plant**" in "".join(run.text for run in second[5])  # only the signs change


def test_an_office_that_refuses_a_late_remark_is_heard(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak.\n")
        ends_at = clock.now() + timedelta(days=1)
        documents.set_phase(session, chief, document.id, "consultation", ends_at=ends_at)
        with clock.set_to(ends_at + timedelta(hours=1)):
            for _ in range(2):
                thread = annotations.annotate(session, chief, document.id, f"Why {_}?", section_id=section.id)
            annotations.answer(session, chief, thread.id, "inadmissible", "Off the subject.")
        late, refused = (row.changes[0].reason for row in report(session, chief, document.id, "en").remarks)
        assert late.startswith("Received after the deadline") and refused == "Off the subject."


def test_private_persons_have_no_name_unless_they_agreed(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here. We plant elm there.\n")
        shy = make.member(session, document, "contributor", user=make.user(session, "Jan Nieśmiały"))
        open_hearted = make.user(session, "Anna Otwarta")
        open_hearted.may_be_named = True
        named = make.member(session, document, "contributor", user=open_hearted)
        session.commit()
        _proposal(session, shy, section.id, "oak", "ash", "I like it.")
        _proposal(session, named, section.id, "elm", "fir", "I too.")
        annotations.annotate(session, shy, document.id, "Why?", section_id=section.id)
        for ending in ("csv", "docx", "xlsx"):
            assert report_file(session, chief, document.id, ending)
        text = report_file(session, chief, document.id, "csv").decode("utf-8-sig")
        assert "Nieśmiały" not in text and "osoba fizyczna" in text and "Anna Otwarta" in text
        open_hearted.may_be_named = False
        session.commit()
        text = report_file(session, chief, document.id, "csv").decode("utf-8-sig")
        assert "Anna" not in text


def test_what_comes_after_the_deadline_is_not_considered_unless_somebody_decides(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here. We plant elm there.\n")
        ends_at = clock.now() + timedelta(days=1)
        documents.set_phase(session, chief, document.id, "consultation", ends_at=ends_at)
        with clock.set_to(ends_at + timedelta(hours=1)):
            late = _proposal(session, chief, section.id, "oak", "ash", "Late.")
            [row] = report(session, chief, document.id, "pl").suggestions
            assert row.position == "inadmissible" and "po terminie" in row.changes[0].reason
            [hunk] = suggestions.suggestion(session, chief, late).hunks
            decisions.decide(session, chief, section.id, [Judged(late, hunk.id)], "accepted", reason="Good.")
            [row] = report(session, chief, document.id, "pl").suggestions
            assert row.position == "accepted"


def test_a_suggestion_decided_in_part_says_which_place_came_to_what(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here. We plant elm there.\n")
        view = suggestions.open_suggestion(session, chief, section.id)
        text = "# Trees\n\nWe plant oak here. We plant elm there.\n"
        changes = ChangeSet.of([(text.index("oak"), text.index("oak") + 3, "ash"), (text.index("elm"), text.index("elm") + 3, "fir")], len(text))
        editing.push(session, chief, view.stream_id, view.branch_version, [Update("t", 1, changes)])
        filed = suggestions.file(session, chief, view.id, reason="Better.")
        first, second = filed.hunks
        decisions.decide(session, chief, section.id, [Judged(view.id, first.id)], "accepted", reason="Yes.")
        [row] = report(session, chief, document.id, "pl").suggestions
        assert row.position == "open"
        decisions.decide(session, chief, section.id, [Judged(view.id, second.id)], "rejected", reason="No.")
        [row] = report(session, chief, document.id, "pl").suggestions
        speech = Speech("pl", "Europe/Warsaw")
        assert row.position_words(speech) == "uwzględniono częściowo: 1) uwzględniono; 2) nie uwzględniono"
        cells = row.cells(speech)
        assert cells[9] == "1) Yes.\n2) No."
        assert cells[11] == "1) We plant ash here.\n2) bez zmian"


def test_a_rewording_keeps_what_was_proposed_and_what_stands(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here.\n")
        made = _proposal(session, chief, section.id, "oak", "ash", "Better.")
        [hunk] = suggestions.suggestion(session, chief, made).hunks
        decisions.decide(session, chief, section.id, [Judged(made, hunk.id)], "accepted", reason="Nearly.", wording="beech")
        [row] = report(session, chief, document.id, "pl").suggestions
        assert row.position == "partly"
        proposed = "".join(run.text for run in row.changes[0].proposed if not run.struck)
        assert (proposed, row.changes[0].after) == ("We plant ash here.", "We plant beech here.")


# ── much and long ──


def test_a_remark_of_a_crowd_has_a_short_heading_and_all_their_names_under_it(database: Database) -> None:
    with database.write() as session:
        document, section, _ = _stage(session, "# Trees\n\nWe plant oak here.\n")
        names = [f"Society {n:02}" for n in range(12)]
        for name in names:
            organization = make.organization(session, document, name)
            member = make.member(session, document, "contributor", organization)
            origin = make.origin(session, document, organization)
            session.commit()
            _proposal(session, member, section.id, "oak", "ash", "Better.", (origin.id,))
        html = report_file(session, member, document.id, "html", "en").decode()
    [heading] = re.findall(r"<h3>(1\. .*?)</h3>", html)
    assert heading == "1. Society 00; Society 01; Society 02; Society 03; and 8 more"
    assert f"<b>Submitted by (organisation / meeting):</b> {'; '.join(names)}</p>" in html
    assert "U-1, U-2, U-3, U-4, and 8 more" in html


def test_a_long_text_does_not_stand_in_a_narrow_column_of_the_word_file_and_loses_nothing(database: Database) -> None:
    """A reason of ten thousand characters was thirty pages of a column three centimetres wide."""
    long = "A reason that is long. " * 400 + "Its end."
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here. We plant elm there.\n")
        _proposal(session, chief, section.id, "oak", "ash", long)
        _proposal(session, chief, section.id, "elm", "fir", "Short.")
        held = report_file(session, chief, document.id, "docx", "en")
    tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in docx.Document(io.BytesIO(held)).tables]
    listed = next(table for table in tables if len(table[0]) == 12)
    assert len(listed[1][7]) < 500 and listed[1][7].endswith("… [in full under the table]") and listed[2][7] == "Short."
    assert ["1", "Proposer's reason", long] in tables[tables.index(listed) + 1]


def test_a_word_without_an_end_is_broken_and_short_ones_cost_nothing(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here.\n")
        _proposal(session, chief, section.id, "oak", "ash", "x" * 500)
        html = report_file(session, chief, document.id, "html", "en").decode()
    assert re.findall(r'<p class="long"><b>(.*?):</b>', unescape(html)) == ["Proposer's reason"]


def test_what_became_of_a_row_stands_in_one_line_and_a_wording_in_its_own(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here. We plant elm there.\n")
        for old, new, wording in (("oak", "ash", None), ("elm", "fir", "pine")):
            made = _proposal(session, chief, section.id, old, new, "Better.")
            [hunk] = suggestions.suggestion(session, chief, made).hunks
            decisions.decide(session, chief, section.id, [Judged(made, hunk.id)], "accepted", reason="Yes.", wording=wording)
        html = report_file(session, chief, document.id, "html", "en").decode()
    plain, reworded = re.findall(r'<p class="became">(.*?)</p>(.*?)</section>', html)
    assert plain[0].startswith("Position: <b>taken into account</b> · Who decided and when: ")
    assert plain[0].endswith(" · Wording after the change: as proposed") and "Wording after" not in plain[1]
    assert "Wording after" not in reworded[0]
    assert reworded[1].endswith("<p><b>Wording after the change:</b> We plant pine there.</p>")


def test_a_wording_whose_first_words_go_does_not_begin_with_a_blank(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here.\n")
        _proposal(session, chief, section.id, "We plant", "", "Shorter.")
        [row] = report(session, chief, document.id, "en").suggestions
        assert "".join(run.text for run in row.cells(Speech("en", "Europe/Warsaw"))[6]) == "oak here."


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────


def test_polish_numbers_have_their_nouns() -> None:
    forms = {number: plural(number, "one", "few", "many") for number in (0, 1, 2, 4, 5, 11, 12, 14, 21, 22, 25, 102, 112)}
    assert forms == {
        0: "many", 1: "one", 2: "few", 4: "few", 5: "many", 11: "many", 12: "many", 14: "many", 21: "many", 22: "few",
        25: "many", 102: "few", 112: "many",
    }  # fmt: skip
    assert counted(22, "osoba", "osoby", "osób") == "22 osoby"


def test_both_languages_say_the_same_things() -> None:
    assert set(POSITIONS["pl"]) == set(POSITIONS["en"])
    assert {len(columns) for columns in COLUMNS.values()} == {12}


def test_a_place_is_cited_as_the_whole_text_cites_it() -> None:
    """The shorter way by the lines that carry marks, against the reader of the whole text."""
    folder = Path(__file__).parents[2] / "drafting" / "demo" / "programme"
    for path in sorted(folder.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        units = to_units(text)
        for pos in range(0, len(units), 23):
            assert unit_of(units, pos) == unit_at(text, pos), (path.name, pos)
    assert unit_of("words\n\n# Head\n\nbelow", 2) == unit_at("words\n\n# Head\n\nbelow", 2) == ""


def test_a_suggestion_of_several_meetings_counts_once_in_the_totals(database: Database) -> None:
    with database.write() as session:
        document, section, chief = _stage(session, "# Trees\n\nWe plant oak here.\n")
        origins = tuple(make.origin(session, document, None, make.meeting(session, document)).id for _ in range(2))
        session.commit()
        _proposal(session, chief, section.id, "oak", "ash", "Both asked.", origins)
        made, flow = matrix(session, chief, document.id)
        assert [line.sum.asked for line in made.lines if line.code] == [1, 1]
        assert made.total.asked == 1 and made.overlaps
        assert sum(flow.left.values()) == 1
        assert session.scalar(select(SuggestionOrigin.origin_id).join(Origin, Origin.id == SuggestionOrigin.origin_id).limit(1))
        [row] = register(session, chief, document.id)
        assert row.facts is not None and end_of(row.facts) == "open"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (1, ("liczył 1 osobę", "Odbyto 1 spotkanie konsultacyjne w dniu 4 maja 2026 r.", "na liście obecności zapisano 1 organizację",
             "zgłoszono 1 propozycję zmiany oraz 1 uwagę ogólną", "1 raz.")),
        (2, ("liczył 2 osoby", "Odbyto 2 spotkania konsultacyjne od 4 maja 2026 r. do 5 maja 2026 r.", "zapisano 2 organizacje",
             "zgłoszono 2 propozycje zmian oraz 2 uwagi ogólne", "2 razy.")),
        (5, ("liczył 5 osób", "Odbyto 5 spotkań konsultacyjnych", "zapisano 5 organizacji", "5 propozycji zmian oraz 5 uwag ogólnych",
             "5 razy.")),
        (22, ("liczył 22 osoby", "Odbyto 22 spotkania konsultacyjne", "zapisano 22 organizacje, łącznie 484 osoby",
              "22 propozycje zmian oraz 22 uwagi ogólne", "– 22 propozycje, w tekście 0;")),
    ],
)  # fmt: skip
def test_point_10_is_grammatical_for_any_number_and_ends_no_sentence_with_two_stops(number: int, says: tuple[str, ...]) -> None:
    began = datetime(2026, 5, 4, 10, tzinfo=UTC)
    held = tuple(Held(n + 1, "Kultura.", 1, began + timedelta(days=n), "", number, number, number, 0) for n in range(number))
    later = Held(99, "Później", 1, began + timedelta(days=90), "", 0, 0, 0, 0)
    told = Course(
        "Program", "Miasto", began, began + timedelta(days=60), began, (Phase("opinion", began, None),),
        Window(began, datetime(2026, 5, 13, 22, tzinfo=UTC), began + timedelta(days=20)), (*held, later), number, number, number,
        {"accepted": (number, number)}, number, number, number, number,
    )  # fmt: skip
    text = "\n".join(point10(told, Speech("pl", "Europe/Warsaw")))
    for words in (*says, "Zaplanowano jeszcze 1 spotkanie", "wyznaczono do 13 maja 2026 r.", f"uwzględniono – {2 * number}."):
        assert words in text
    assert ".." not in text and "  " not in text
    assert "spotkanie 99" not in text  # what is still to come was not held

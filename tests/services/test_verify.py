"""Verify is clean on a true history, and finds each kind of planted corruption, naming the row."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.services import annotations, audit, decisions, editing, heads, suggestions, verify
from drafting.services.decisions import Judged
from drafting.store.database import Database
from drafting.store.models import (
    Annotation,
    Checkpoint,
    Decision,
    Event,
    Hunk,
    HunkState,
    Revision,
    Section,
    Snapshot,
    Stream,
    Suggestion,
)
from tests import make

TEXT = "## Trees\n\nWe plant 100 trees in 2027 😀, quickly.\n"


@dataclass
class History:
    """A section with edits, a suggestion accepted and reverted, one rejected, one open, one draft, and a remark."""

    document_id: int
    stream_id: int
    open_id: int
    open_stream: int
    annotation_id: int


@pytest.fixture
def history(sqlite_database: Database) -> History:
    database = sqlite_database
    with database.write() as session:
        document = make.document(session, phase="consultation")
        organization = make.organization(session, document)
        coordinator = make.member(session, document, "coordinator")
        ngo = make.member(session, document, "contributor", organization)
        section = make.section(session, document, TEXT)
        session.commit()
        assert section.stream_id is not None
    units = to_units(TEXT)

    def propose(client: str, old: str, new: str, *, filed: bool = True) -> suggestions.SuggestionView:
        with database.write() as session:
            view = suggestions.open_suggestion(session, ngo, section.id)
            with heads.reading(session, section.id) as head:
                branch = head.proposals.branch_text(view.id)
            at = branch.index(old)
            changes = ChangeSet.of([(at, at + len(old), new)], len(branch))
            editing.push(session, ngo, view.stream_id, 0, [Update(client, 1, changes)])
            if filed:
                return suggestions.file(session, ngo, view.id, reason="so")
            return view

    def decide(view: suggestions.SuggestionView, verdict: str) -> int:
        with database.write() as session:
            items = [Judged(view.id, hunk.id, hash=hunk.hash) for hunk in view.open_hunks]
            return decisions.decide(session, coordinator, section.id, items, verdict, reason="r").decisions[0].id

    accepted = propose("a", "100", "250")
    rejected = propose("b", "quickly", "slowly")
    with database.write() as session:
        remark = annotations.annotate(
            session, ngo, document.id, "why?", section_id=section.id,
            start=units.index("trees"), end=units.index("trees") + 5, version=1,
        )
    decision = decide(accepted, "accepted")
    decide(rejected, "rejected")
    with database.write() as session:
        decisions.revert(session, coordinator, decision)
    opened = propose("c", "2027", "2028")
    propose("d", "We", "They", filed=False)
    with database.write() as session:
        with heads.reading(session, section.id) as head:
            length, version = len(head.text), head.version
        updates = [
            Update("e", number + 1, ChangeSet.of([(length + number, length + number, "x")], length + number))
            for number in range(210)  # past a snapshot
        ]
        editing.push(session, coordinator, section.stream_id, version, updates)
    with database.write() as session:
        editing.bring_up_branches(session, section.id, [opened.stream_id])
    return History(document.id, section.stream_id, opened.id, opened.stream_id, remark.id)


def faults(database: Database, document_id: int) -> list[str]:
    with database.read() as session:
        heads.registry_of(session).forget_all()
        return [str(fault) for fault in verify.verify_document(session, document_id)]


def test_a_true_history_is_clean(sqlite_database: Database, history: History) -> None:
    assert faults(sqlite_database, history.document_id) == []


def test_law_1_and_law_8_snapshots_are_what_the_log_gives(sqlite_database: Database, history: History) -> None:
    with sqlite_database.read() as session:
        rows = session.scalars(select(Snapshot).where(Snapshot.stream_id == history.stream_id)).all()
        assert rows
        for row in rows:
            assert sum(span[0] for span in json.loads(row.spans)) == len(to_units(row.text))


def plant(session: Session, history: History, what: str) -> None:
    """Changes one row behind everybody's back."""
    session.execute(text("PRAGMA foreign_keys=OFF"))
    main, branch = history.stream_id, history.open_stream
    revision = Revision.__table__

    def change(stream: int, version: int, **values: object) -> None:
        session.execute(
            update(revision).where(revision.c.stream_id == stream, revision.c.version == version).values(**values)
        )

    match what:
        case "a revision's changes":
            row = session.get_one(Revision, (main, 100))
            change(main, 100, changes=row.changes.replace('"x"', '"y"'))
        case "a revision that does not fit":
            change(main, 100, changes="[3]")
        case "a revision that cannot be read":
            change(main, 100, changes="{}")
        case "a missing revision":
            session.execute(delete(revision).where(revision.c.stream_id == main, revision.c.version == 50))
        case "a missing last revision":
            newest = session.get_one(Stream, main).version
            session.execute(delete(revision).where(revision.c.stream_id == main, revision.c.version == newest))
        case "a decision's revision":
            row = session.scalars(select(Revision).where(Revision.kind == "accept")).one()
            change(main, row.version, changes=row.changes.replace("250", "999"))
        case "a revert's spans":
            row = session.scalars(select(Revision).where(Revision.kind == "revert")).one()
            spans = json.loads(row.carried or "[]")
            spans[0][3] += 1
            change(main, row.version, carried=json.dumps(spans))
        case "a snapshot's text":
            row = session.scalars(select(Snapshot)).first()
            assert row is not None
            row.text += "!"
        case "a snapshot's spans":
            row = session.scalars(select(Snapshot)).first()
            assert row is not None
            spans = json.loads(row.spans)
            spans[0][2] += 1
            row.spans = json.dumps(spans)
        case "a stream's version":
            session.execute(update(Stream).where(Stream.id == branch).values(version=Stream.version + 1))
        case "a stream's length":
            session.execute(update(Stream).where(Stream.id == main).values(length=Stream.length + 1))
        case "a branch revision by its author":
            row = session.get_one(Revision, (branch, 1))
            change(branch, 1, changes=row.changes.replace("2028", "2029"))
        case "a branch revision from main":
            row = session.get_one(Revision, (branch, 60))
            change(branch, 60, changes=row.changes.replace('"x"', '"y"'))
        case "a branch revision's main version":
            change(branch, 60, main_version=3)
        case "a hunk's words":
            session.execute(update(Hunk).where(Hunk.suggestion_id == history.open_id).values(text="2030"))
        case "a hunk's state":
            session.execute(update(Hunk).where(Hunk.suggestion_id == history.open_id).values(state="accepted"))
        case "a filed form":
            session.execute(
                update(Suggestion).where(Suggestion.id == history.open_id).values(filed_form='[[1,0,1,"a","b"]]')
            )
        case "a checkpoint":
            row = session.scalars(select(Checkpoint)).one()
            row.hunks = row.hunks.replace("2028", "2031")
        case "a checkpoint that is gone":
            session.execute(delete(Checkpoint))
        case "a remark's quote":
            session.execute(update(Annotation).values(quote_exact="bees!"))
        case "a remark's place":
            session.execute(update(Annotation).values(now_start=Annotation.now_start + 1))
        case "a revision's kind":
            change(main, 100, kind="edits")
        case "a revision's author":
            session.execute(update(revision).where(revision.c.kind == "accept").values(author_id=1))
        case "a server's revision's sequence":
            session.execute(update(revision).where(revision.c.kind == "accept").values(sequence=99))
        case "a stream's kind":
            session.execute(update(Stream).where(Stream.id == branch).values(kind="main"))
        case "a suggestion's state":
            session.execute(update(Suggestion).where(Suggestion.id == history.open_id).values(state="decided"))
        case "a hunk's history":
            newest = session.scalar(select(func.max(HunkState.id)))
            session.execute(update(HunkState).where(HunkState.id == newest).values(state="superseded"))
        case "a verdict":
            session.execute(update(Decision).where(Decision.verdict == "accepted").values(verdict="rejected"))
        case "a decision's branch version":
            session.execute(update(Decision).where(Decision.verdict == "rejected").values(branch_version=99))
        case "a decision's main version":
            session.execute(update(Decision).where(Decision.verdict == "rejected").values(main_version=999))
        case "a checkpoint's version":
            session.execute(update(Checkpoint).values(version=999))
        case "a section's title":
            session.execute(update(Section).values(title="Bees"))
        case _:
            raise AssertionError(what)
    session.commit()


@pytest.mark.parametrize(
    ("what", "row"),  # the row that shows it first; several when the log alone cannot say which of two is wrong
    [
        ("a revision's changes", "revision (stream 4, version 98; suggestion 3)"),  # its copy in a branch, of two that disagree
        ("a revision that does not fit", "revision (stream 1, version 100)"),
        ("a revision that cannot be read", "revision (stream 1, version 100)"),
        ("a missing revision", "revision (stream 1, version 50)"),
        ("a missing last revision", "stream (id 1)"),
        ("a decision's revision", "revision (stream 1, version 2)"),
        ("a revert's spans", "revision (stream 1, version 3)"),
        ("a snapshot's text", "snapshot (stream 1, version 213)"),
        ("a snapshot's spans", "snapshot (stream 1, version 213)"),
        ("a stream's version", "stream (id 4)"),
        ("a stream's length", "stream (id 1)"),
        ("a branch revision by its author", "revision (stream 4, version 1; suggestion 3)|suggestion (number 3)"),
        ("a branch revision from main", "revision (stream 4, version 60; suggestion 3)"),
        ("a branch revision's main version", "revision (stream 4, version 60; suggestion 3)"),
        ("a hunk's words", "hunk (suggestion 3, id 1)"),
        ("a hunk's state", "hunk (suggestion 3, id 1)"),
        ("a filed form", "suggestion (number 3)"),
        ("a checkpoint", "checkpoint (section 1)"),
        ("a checkpoint that is gone", "checkpoint (section 1)"),
        ("a remark's quote", "annotation (id 1)"),
        ("a remark's place", "annotation (id 1)"),
        ("a revision's kind", "revision (stream 1, version 100)"),
        ("a revision's author", "revision (stream 1, version 2)"),
        ("a server's revision's sequence", "revision (stream 1, version 2)"),
        ("a stream's kind", "stream (id 4)"),
        ("a suggestion's state", "suggestion (number 3)"),
        ("a hunk's history", "hunk_state (id 7)"),
        ("a verdict", "decision (id 1)"),
        ("a decision's branch version", "decision (id 2)"),
        ("a decision's main version", "decision (id 2)"),
        ("a checkpoint's version", "checkpoint (section 1)"),
        ("a section's title", "section (id 1)"),
    ],
)
def test_planted_corruption_is_found_and_its_row_named(
    sqlite_database: Database, history: History, what: str, row: str
) -> None:
    with sqlite_database.write() as session:
        plant(session, history, what)
    found = faults(sqlite_database, history.document_id)
    assert len(found) == 1 and found[0].split(": ")[0] in row.split("|"), found


def test_a_changed_event_breaks_the_chain(sqlite_database: Database, history: History) -> None:
    with sqlite_database.write() as session:
        assert audit.verify_chain(session, history.document_id).is_whole
        session.execute(update(Event).where(Event.number == 3).values(data='{"suggestion":9}'))
        session.commit()
        assert audit.verify_chain(session, history.document_id).broken_at == 3

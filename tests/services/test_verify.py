"""Verify is clean on a true history, and finds each kind of planted corruption, naming the row."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from sqlalchemy import delete, select, text, update
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
    Event,
    Hunk,
    Revision,
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
        case _:
            raise AssertionError(what)
    session.commit()


@pytest.mark.parametrize(
    ("what", "table"),  # which table may show it first
    [
        ("a revision's changes", "revision snapshot"),
        ("a revision that does not fit", "revision"),
        ("a revision that cannot be read", "revision"),
        ("a missing revision", "revision"),
        ("a missing last revision", "stream"),
        ("a decision's revision", "revision"),
        ("a revert's spans", "revision"),
        ("a snapshot's text", "snapshot"),
        ("a snapshot's spans", "snapshot"),
        ("a stream's version", "stream"),
        ("a stream's length", "stream"),
        ("a branch revision by its author", "revision suggestion"),
        ("a branch revision from main", "revision"),
        ("a branch revision's main version", "revision"),
        ("a hunk's words", "hunk"),
        ("a hunk's state", "hunk"),
        ("a filed form", "suggestion"),
        ("a checkpoint", "checkpoint"),
        ("a checkpoint that is gone", "checkpoint"),
        ("a remark's quote", "annotation"),
        ("a remark's place", "annotation"),
    ],
)
def test_planted_corruption_is_found(sqlite_database: Database, history: History, what: str, table: str) -> None:
    with sqlite_database.write() as session:
        plant(session, history, what)
    found = faults(sqlite_database, history.document_id)
    assert len(found) == 1 and found[0].split(" (")[0] in table.split(), found


def test_a_changed_event_breaks_the_chain(sqlite_database: Database, history: History) -> None:
    with sqlite_database.write() as session:
        assert audit.verify_chain(session, history.document_id).is_whole
        session.execute(update(Event).where(Event.number == 3).values(data='{"suggestion":9}'))
        session.commit()
        assert audit.verify_chain(session, history.document_id).broken_at == 3

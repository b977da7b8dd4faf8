"""Pushing, restoring, moving and replacing text, on both databases."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.errors import (
    EngineError,
    InvalidChanges,
    InvalidInput,
    NotAllowed,
    NotFound,
    TooLarge,
    VersionConflict,
    WrongState,
)
from drafting.services import editing, heads, sections, suggestions, verify
from drafting.services.access import Actor
from drafting.services.editing import Push
from drafting.store.database import Database
from drafting.store.models import Document, Revision, RevisionOrigin, Section, Snapshot, Stream
from tests import make

TEXT = "## Trees\n\nWe plant 100 trees."


@dataclass
class World:
    database: Database
    document_id: int
    section_id: int
    stream_id: int
    drafter: Actor
    other: Actor
    ngo: Actor

    def text(self, version: int | None = None) -> str:
        with self.database.read() as session:
            return editing.text_at(session, self.drafter, self.section_id, version).text

    def push(self, actor: Actor, version: int, client: str, *updates: tuple[int, ChangeSet], origins: tuple[int, ...] = ()) -> int:
        with self.database.write() as session:
            some = [Update(client, sequence, changes) for sequence, changes in updates]
            return editing.push(session, actor, self.stream_id, version, some, origins)

    def forget(self) -> None:
        with self.database.read() as session:
            heads.registry_of(session).forget_all()

    def is_clean(self) -> bool:
        with self.database.read() as session:
            return verify.verify_document(session, self.document_id) == []


@pytest.fixture
def world(database: Database) -> World:
    with database.write() as session:
        document = make.document(session, phase="consultation")
        section = make.section(session, document, TEXT)
        made = World(
            database, document.id, section.id, section.stream_id or 0,
            make.member(session, document, "drafter"), make.member(session, document, "drafter"),
            make.member(session, document, "contributor", make.organization(session, document)),
        )
        session.commit()
    return made


def insert(at: int, words: str, length: int) -> ChangeSet:
    return ChangeSet.of([(at, at, to_units(words))], length)


def test_pushes_on_one_version_are_carried_over_each_other(world: World) -> None:
    n = len(TEXT)
    assert world.push(world.drafter, 1, "a", (1, insert(0, "A", n))) == 2
    assert world.push(world.other, 1, "b", (1, insert(0, "B", n)), (2, insert(1, "C", n + 1))) == 4
    assert world.text() == "ABC" + TEXT
    assert world.text(1) == TEXT and world.text(0) == ""
    assert world.is_clean()


def test_law_5_a_resend_changes_nothing_also_after_a_restart_and_with_foreign_updates_between(world: World) -> None:
    n = len(TEXT)
    first = (1, insert(0, "A", n))
    assert world.push(world.drafter, 1, "a", first) == 2
    assert world.push(world.drafter, 1, "a", first) == 2
    world.push(world.other, 2, "b", (1, insert(0, "B", n + 1)))
    world.forget()
    assert world.push(world.drafter, 1, "a", first) == 3
    assert world.push(world.drafter, 1, "a", first, (2, insert(1, "C", n + 1))) == 4
    assert world.text() == "BAC" + TEXT
    with world.database.read() as session:
        assert session.scalar(select(func.count()).where(Revision.stream_id == world.stream_id)) == 4


def test_a_resend_on_a_version_that_already_holds_it_is_answered(world: World) -> None:
    n = len(TEXT)
    world.push(world.drafter, 1, "a", (1, insert(0, "A", n)))
    assert world.push(world.drafter, 2, "a", (1, insert(0, "A", n + 1))) == 2
    world.push(world.drafter, 2, "a", (3, insert(0, "C", n + 1)))
    with pytest.raises(InvalidChanges):
        world.push(world.drafter, 3, "a", (2, insert(0, "x", n + 2)))
    with pytest.raises(InvalidInput):
        world.push(world.drafter, 3, "a", (5, insert(0, "x", n + 2)), (4, insert(0, "x", n + 3)))
    assert world.text() == "CA" + TEXT


def test_pushes_that_arrive_together_are_one_transaction_and_a_refused_one_hurts_no_other(world: World) -> None:
    n = len(TEXT)
    pushes = [
        Push(world.drafter, world.stream_id, 1, (Update("a", 1, insert(0, "A", n)),)),
        Push(world.ngo, world.stream_id, 1, (Update("n", 1, insert(0, "N", n)),)),
        Push(world.drafter, world.stream_id, 9, (Update("c", 1, insert(0, "C", n)),)),
        Push(world.drafter, world.stream_id, 1, (Update("d", 1, insert(0, "D", n + 5)),)),
        Push(world.drafter, 10**6, 1, (Update("e", 1, insert(0, "E", n)),)),
        Push(world.other, world.stream_id, 1, (Update("b", 1, insert(n, "B", n)),)),
    ]
    with world.database.write() as session:
        results = editing.push_many(session, pushes)
    kinds = [each if isinstance(each, int) else type(each) for each in results]
    assert kinds[0] == 2 and kinds[1:3] == [NotAllowed, VersionConflict] and kinds[4:] == [NotFound, 3]
    assert isinstance(results[3], EngineError)
    assert world.text() == "A" + TEXT + "B"
    assert world.is_clean()


def test_law_2_a_change_that_cuts_a_pair_is_refused_and_nothing_has_changed(world: World) -> None:
    n = len(TEXT)
    world.push(world.drafter, 1, "a", (1, insert(0, "😀", n)))
    with pytest.raises(EngineError):
        world.push(world.drafter, 2, "a", (2, insert(2, "ok", n + 2)), (3, insert(1, "x", n + 4)))
    assert world.text() == "😀" + TEXT
    assert world.push(world.drafter, 2, "a", (2, insert(2, "ok", n + 2))) == 3


@pytest.mark.parametrize("client", ["", "main", "server", "x" * 41])
def test_client_names_that_are_not_an_editors_are_refused(world: World, client: str) -> None:
    with pytest.raises(InvalidInput):
        world.push(world.drafter, 1, client, (1, insert(0, "A", len(TEXT))))


def test_a_section_has_a_greatest_length(world: World) -> None:
    with pytest.raises(TooLarge):
        world.push(world.drafter, 1, "a", (1, insert(0, "A" * editing.MAX_LENGTH, len(TEXT))))
    assert world.text() == TEXT


def test_on_whose_behalf_is_kept_and_checked(world: World) -> None:
    with world.database.write() as session:
        document = session.get_one(Document, world.document_id)
        origin = make.origin(session, document, make.organization(session, document)).id
        session.commit()
    n = len(TEXT)
    world.push(world.drafter, 1, "a", (1, insert(0, "A", n)), origins=(origin,))
    with world.database.read() as session:
        rows = session.execute(select(RevisionOrigin.version, RevisionOrigin.origin_id)).all()
    assert rows == [(2, origin)]
    with pytest.raises(NotFound):
        world.push(world.drafter, 2, "a", (2, insert(0, "A", n + 1)), origins=(origin + 99,))


def test_the_title_follows_the_first_heading(world: World) -> None:
    world.push(world.drafter, 1, "a", (1, ChangeSet.of([(3, 8, "Bees")], len(TEXT))))
    with world.database.read() as session:
        assert session.get_one(Section, world.section_id).title == "Bees"


def test_a_transaction_that_is_rolled_back_leaves_no_trace_in_memory(world: World) -> None:
    n = len(TEXT)
    world.push(world.drafter, 1, "a", (1, insert(0, "A", n)))

    class Stop(Exception):
        pass

    def fail(session: Session) -> None:
        from drafting.store.database import transaction

        with transaction(session):
            editing.push(session, world.drafter, world.stream_id, 2, [Update("a", 2, insert(0, "B", n + 1))])
            raise Stop

    with pytest.raises(Stop), world.database.write() as session:
        fail(session)
    assert world.text() == "A" + TEXT
    assert world.push(world.drafter, 2, "a", (2, insert(0, "C", n + 1))) == 3
    assert world.text() == "CA" + TEXT and world.is_clean()


def test_a_head_catches_up_with_what_another_worker_stored(world: World) -> None:
    n = len(TEXT)
    assert world.text() == TEXT
    elsewhere = Database(world.database.url.render_as_string(hide_password=False))
    try:
        with elsewhere.write() as session:
            editing.push(session, world.other, world.stream_id, 1, [Update("b", 1, insert(0, "B", n))])
        with elsewhere.write() as session:
            view = suggestions.open_suggestion(session, world.ngo, world.section_id)
            editing.push(session, world.ngo, view.stream_id, 0, [Update("n", 1, insert(n + 1, " Yes.", n + 1))])
        assert world.text() == "B" + TEXT
        assert world.push(world.drafter, 1, "a", (1, insert(0, "A", n))) == 3
        with elsewhere.read() as session:
            assert editing.text_at(session, world.drafter, world.section_id).text == "BA" + TEXT
        with world.database.read() as session, heads.reading(session, world.section_id) as head:
            assert head.proposals.branch_text(view.id) == "BA" + TEXT + " Yes."
    finally:
        elsewhere.close()
    assert world.is_clean()


def test_snapshots_are_kept_thinly_and_a_restart_reads_the_same(world: World) -> None:
    n = len(TEXT)
    for start in range(0, 4000, 100):
        updates = [(start + k + 1, insert(n + start + k, "x", n + start + k)) for k in range(100)]
        world.push(world.drafter, 1 + start, "a", *updates)
    text = world.text()
    with world.database.read() as session:
        kept = session.scalars(select(Snapshot.version).where(Snapshot.stream_id == world.stream_id)).all()
    assert 2 <= len(kept) <= 6 and max(kept) > 3700
    world.forget()
    assert world.text() == text == TEXT + "x" * 4000
    assert world.text(2345) == TEXT + "x" * 2344


def test_law_8_a_restored_version_brings_back_who_wrote_it(world: World) -> None:
    n = len(TEXT)
    with world.database.read() as session, heads.reading(session, world.section_id) as head:
        before = head.tape.spans()
    world.push(world.drafter, 1, "a", (1, ChangeSet.of([(10, n, "nothing")], n)))
    with world.database.write() as session:
        assert editing.restore(session, world.other, world.section_id, 1) == 3
    assert world.text() == TEXT
    with world.database.read() as session, heads.reading(session, world.section_id) as head:
        assert head.tape.spans() == before
    world.forget()
    with world.database.read() as session, heads.reading(session, world.section_id) as head:
        assert head.tape.spans() == before
    assert world.is_clean()


def test_a_passage_moved_to_another_section_keeps_who_wrote_it(world: World) -> None:
    with world.database.write() as session:
        target = make.section(session, session.get_one(Document, world.document_id), "## Parks\n\n")
        session.commit()
        start = TEXT.index("100")
        left, made = editing.move(session, world.drafter, world.section_id, start, start + 9, target.id, 10)
    assert (left, made) == (2, 2)
    assert world.text() == TEXT.replace("100 trees", "")
    with world.database.read() as session, heads.reading(session, target.id) as head:
        assert head.text == "## Parks\n\n100 trees"
        assert head.tape.spans(10, 19) == [(9, world.stream_id, 1, start)]
    assert world.is_clean()


def test_splitting_and_merging_sections_keeps_who_wrote_what(world: World) -> None:
    with world.database.write() as session:
        new = editing.split(session, world.drafter, world.section_id, 10)
    with world.database.read() as session:
        assert editing.text_at(session, world.drafter, new).text == TEXT[10:]
        stream = session.get_one(Section, new).stream_id
        revision = session.get_one(Revision, (stream, 1))
        assert json.loads(revision.carried or "") == [[len(TEXT) - 10, world.stream_id, 1, 10]]
    with world.database.write() as session:
        editing.merge(session, world.drafter, new, world.section_id)
    assert world.text() == TEXT
    with world.database.read() as session, heads.reading(session, world.section_id) as head:
        assert [span.version for span in head.tape.spans()] == [1]
        assert session.get_one(Section, new).removed_at is not None
    assert world.is_clean()


def test_replacing_the_text_is_one_revision_of_what_differs(world: World) -> None:
    world.push(world.other, 1, "b", (1, insert(len(TEXT), " More.", len(TEXT))))
    with world.database.write() as session:
        editing.replace_text(session, world.drafter, world.section_id, TEXT.replace("100", "250"), version=1)
    assert world.text() == TEXT.replace("100", "250") + " More."
    with world.database.read() as session:
        assert json.loads(session.get_one(Revision, (world.stream_id, 3)).changes)[1] == [3, "250"]
        assert session.get_one(Stream, world.stream_id).version == 3
    with world.database.write() as session, pytest.raises(NotAllowed):
        editing.replace_text(session, world.ngo, world.section_id, "mine")


def test_nothing_new_is_written_into_a_section_that_was_removed(world: World, session: Session) -> None:
    drafter = world.drafter
    section = sections.add_section(session, drafter, world.document_id, "# Trees\n")
    other = sections.add_section(session, drafter, world.document_id, "# Benches\n")
    first = Update("tab", 1, ChangeSet.of([(8, 8, "Oaks.")], 8))
    assert editing.push(session, drafter, section.stream_id, 1, [first]) == 2
    sections.remove_section(session, drafter, section.id)
    assert editing.push(session, drafter, section.stream_id, 1, [first]) == 2  # law 5: its answer had been lost
    for write in (
        lambda: editing.push(session, drafter, section.stream_id, 2, [Update("tab", 2, ChangeSet.of([(0, 0, "x")], 13))]),
        lambda: editing.replace_text(session, drafter, section.id, "# Other\n"),
        lambda: editing.restore(session, drafter, section.id, 1),
        lambda: editing.split(session, drafter, section.id, 4),
        lambda: editing.move(session, drafter, other.id, 0, 3, section.id, 0),
        lambda: editing.merge(session, drafter, other.id, section.id),
    ):
        with pytest.raises(WrongState) as refused:
            write()
        assert refused.value.details["state"] == "section_removed"
    sections.restore_section(session, drafter, section.id)
    assert editing.text_at(session, drafter, section.id).text == "# Trees\nOaks."


def test_nobody_writes_the_text_of_a_section_that_is_only_proposed(world: World, session: Session) -> None:
    drafter = world.drafter
    view = suggestions.propose_section(session, drafter, world.document_id)
    main = session.get_one(Section, view.section_id).stream_id
    assert main is not None
    with pytest.raises(WrongState):
        editing.push(session, drafter, main, 0, [Update("tab", 1, ChangeSet.of([(0, 0, "x")], 0))])
    editing.push(session, drafter, view.stream_id, 0, [Update("tab", 1, ChangeSet.of([(0, 0, "x")], 0))])

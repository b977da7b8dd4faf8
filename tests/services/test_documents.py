"""Documents, their phases, their sections and their milestones."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NameTaken, NotAllowed, NotFound, WrongState
from drafting.services import access, audit, clock, documents, milestones, notices, sections
from drafting.services.access import ANONYMOUS, SERVER, Actor, Role, actor_of
from drafting.store.database import Database, transaction
from drafting.store.models import Document, Revision, RevisionOrigin, Section, Stream, Suggestion
from drafting.store.queries import text_at
from tests import make


@pytest.fixture
def document(session: Session) -> Document:
    return make.document(session)


@pytest.fixture
def coordinator(session: Session, document: Document) -> Actor:
    actor = make.member(session, document, "coordinator")
    session.commit()
    return actor


def titles(session: Session, actor: Actor, document: Document) -> list[str]:
    return [view.title for view in sections.outline(session, actor, document.id)]


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_operator_makes_a_document_and_coordinates_it(session: Session) -> None:
    operator = actor_of(session, make.user(session, is_operator=True).id)
    view = documents.create_document(session, operator, "Program współpracy — Łódź 2027")
    assert (view.slug, view.phase, view.is_public) == ("program-wspolpracy-lodz-2027", "drafting", False)
    assert actor_of(session, operator.user_id).role(view.id) is Role.COORDINATOR
    assert audit.verify_chain(session, view.id).is_whole
    with pytest.raises(NotFound):
        documents.document(session, ANONYMOUS, view.slug)


def test_nobody_else_makes_documents(session: Session, coordinator: Actor) -> None:
    with pytest.raises(NotAllowed):
        documents.create_document(session, coordinator, "Mine")


def test_an_address_is_given_once_and_made_from_the_title_with_a_number(session: Session) -> None:
    first = documents.create_document(session, SERVER, "Programme")
    second = documents.create_document(session, SERVER, "Programme")
    assert (first.slug, second.slug) == ("programme", "programme-2")
    with pytest.raises(NameTaken):
        documents.create_document(session, SERVER, "Other", slug="programme")
    for slug in ("Programme", "a b", "-x", "ż", "x" * 61, "../x"):
        with pytest.raises(InvalidInput):
            documents.create_document(session, SERVER, "Other", slug=slug)


@pytest.mark.parametrize(
    "wrong",
    [{"title": " "}, {"title": "x" * 301}, {"language": "tlh"}, {"timezone": "Mars/Base"}, {"timezone": "../x"}],
)
def test_a_description_that_makes_no_sense_is_refused(
    session: Session, document: Document, coordinator: Actor, wrong: dict
) -> None:
    with pytest.raises(InvalidInput):
        documents.change_document(session, coordinator, document.id, **wrong)


def test_own_documents_come_first_and_hidden_ones_not_at_all(session: Session) -> None:
    public, own = make.document(session, slug="a-public"), make.document(session, slug="b-own", is_public=False)
    make.document(session, slug="c-hidden", is_public=False)
    member = make.member(session, own, "observer")
    assert [view.id for view in documents.documents(session, member)] == [own.id, public.id]
    assert [view.id for view in documents.documents(session, ANONYMOUS)] == [public.id]


def test_publishing_lets_everybody_read_and_hiding_ends_it(
    session: Session, document: Document, coordinator: Actor
) -> None:
    documents.publish(session, coordinator, document.id, False)
    with pytest.raises(NotFound):
        documents.document(session, ANONYMOUS, document.slug)
    documents.publish(session, coordinator, document.id)
    assert documents.document(session, ANONYMOUS, document.slug).role is Role.PUBLIC
    kinds = [event.kind for event in audit.events(session, coordinator, document.id)]
    assert kinds == ["document_published", "document_hidden"]


# ── phases ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_phase_opens_and_its_deadline_closes_what_contributors_may_do(
    session: Session, document: Document, coordinator: Actor
) -> None:
    contributor = make.member(session, document, "contributor")
    documents.set_phase(session, coordinator, document.id, "drafting")
    assert not access.allowed(contributor, "suggest", document)
    with clock.set_to(make.NOON):
        end = make.NOON + timedelta(days=14)
        view = documents.set_phase(session, coordinator, document.id, "consultation", ends_at=end, note="Welcome")
        assert view.phase_ends_at == end and not view.deadline_passed
        assert access.allowed(contributor, "suggest", document)
    with clock.set_to(end):
        assert not access.allowed(contributor, "suggest", document)
        assert access.allowed(coordinator, "decide", document)
        with pytest.raises(InvalidInput):
            documents.set_phase(session, coordinator, document.id, "consultation", ends_at=end)
        documents.set_phase(session, coordinator, document.id, "consultation", ends_at=end + timedelta(days=7))
        assert access.allowed(contributor, "suggest", document)
    history = documents.phases(session, ANONYMOUS, document.id)
    assert [(each.phase, each.note) for each in history if each.at >= make.NOON][:1] == [("consultation", "Welcome")]
    assert {each.kind for each in notices.notifications(session, contributor)} == {"phase_changed"}


def test_only_known_phases_are_set_and_only_by_coordinators(
    session: Session, document: Document, coordinator: Actor
) -> None:
    with pytest.raises(InvalidInput):
        documents.set_phase(session, coordinator, document.id, "party")
    drafter = make.member(session, document, "drafter")
    with pytest.raises(NotAllowed):
        documents.set_phase(session, drafter, document.id, "adopted")


# ── sections ────────────────────────────────────────────────────────────────────────────────────────────


def test_law_1_a_section_begins_with_the_revision_that_brought_its_text(
    session: Session, document: Document, coordinator: Actor
) -> None:
    organization = make.organization(session, document)
    origin = make.origin(session, document, organization)
    view = sections.add_section(
        session, coordinator, document.id, "# Drzewa 🌳\r\n\nSto drzew.", origin_ids=[origin.id]
    )
    assert (view.title, view.version, view.length, view.number) == ("Drzewa 🌳", 1, 23, 1)
    assert text_at(session, view.stream_id) == "# Drzewa 🌳\n\nSto drzew."
    assert text_at(session, view.stream_id, 0) == ""
    revision = session.get_one(Revision, (view.stream_id, 1))
    assert (revision.author_id, revision.kind) == (coordinator.user_id, "edit")
    assert session.scalars(select(RevisionOrigin.origin_id)).all() == [origin.id]


def test_a_section_without_text_has_its_title_as_heading(
    session: Session, document: Document, coordinator: Actor
) -> None:
    view = sections.add_section(session, coordinator, document.id, title=" Cele  programu ")
    assert text_at(session, view.stream_id) == "## Cele programu\n" and view.title == "Cele programu"
    empty = sections.add_section(session, coordinator, document.id)
    assert (empty.version, empty.length, empty.title) == (0, 0, "")


def test_half_a_character_is_refused_and_leaves_nothing(
    session: Session, document: Document, coordinator: Actor
) -> None:
    with pytest.raises(InvalidInput):
        sections.add_section(session, coordinator, document.id, "a\ud83c")
    assert session.scalars(select(Section)).all() == [] and session.scalars(select(Stream)).all() == []


def test_sections_are_put_moved_removed_and_restored_in_order(
    session: Session, document: Document, coordinator: Actor
) -> None:
    made = {name: sections.add_section(session, coordinator, document.id, title=name).id for name in "abd"}
    made["c"] = sections.add_section(session, coordinator, document.id, title="c", position=3).id
    assert titles(session, ANONYMOUS, document) == ["a", "b", "c", "d"]
    sections.move_section(session, coordinator, made["d"], 1)
    assert titles(session, ANONYMOUS, document) == ["d", "a", "b", "c"]
    sections.remove_section(session, coordinator, made["a"])
    assert titles(session, ANONYMOUS, document) == ["d", "b", "c"]
    views = sections.outline(session, ANONYMOUS, document.id, removed=True)
    assert [(view.title, view.number) for view in views] == [("d", 1), ("a", None), ("b", 2), ("c", 3)]
    sections.reorder_sections(session, coordinator, document.id, [made["c"], made["b"], made["d"]])
    assert titles(session, ANONYMOUS, document) == ["c", "b", "d"]
    assert sections.restore_section(session, coordinator, made["a"]).number == 2
    assert titles(session, ANONYMOUS, document) == ["c", "a", "b", "d"]
    assert [event.kind for event in audit.events(session, ANONYMOUS, document.id)][:4] == [
        "section_restored",
        "sections_reordered",
        "section_removed",
        "sections_reordered",
    ]


def test_a_whole_file_of_sections_comes_in_at_once(session: Session, document: Document, coordinator: Actor) -> None:
    first = sections.add_section(session, coordinator, document.id, title="a")
    made = sections.add_sections(session, coordinator, document.id, [f"# {n}\n" for n in range(30)])
    assert [view.title for view in made] == [str(n) for n in range(30)]
    views = sections.outline(session, ANONYMOUS, document.id)
    assert [view.id for view in views] == [first.id, *(view.id for view in made)]
    assert [view.number for view in views] == list(range(1, 32))
    with pytest.raises(WrongState):
        sections.add_sections(session, coordinator, document.id, ["x"] * 970)
    assert len(sections.outline(session, ANONYMOUS, document.id)) == 31


def test_a_section_is_removed_once_and_restored_once(session: Session, document: Document, coordinator: Actor) -> None:
    view = sections.add_section(session, coordinator, document.id, title="a")
    with pytest.raises(WrongState):
        sections.restore_section(session, coordinator, view.id)
    sections.remove_section(session, coordinator, view.id)
    with pytest.raises(WrongState):
        sections.remove_section(session, coordinator, view.id)
    with pytest.raises(WrongState):
        sections.move_section(session, coordinator, view.id, 1)


@pytest.mark.parametrize("change", [lambda ids: ids[:-1], lambda ids: [*ids, ids[0]], lambda ids: [*ids[:-1], 10**6]])
def test_an_order_names_every_section_once(session: Session, document: Document, coordinator: Actor, change) -> None:  # type: ignore[no-untyped-def]
    ids = [sections.add_section(session, coordinator, document.id, title=name).id for name in "abc"]
    with pytest.raises(InvalidInput):
        sections.reorder_sections(session, coordinator, document.id, change(ids))


def test_who_moves_sections_at_once_leaves_an_order(database: Database) -> None:
    with database.write() as session, transaction(session):
        document = make.document(session)
        actor = make.member(session, document, "coordinator")
        ids = [sections.add_section(session, actor, document.id, title=name).id for name in "abcdef"]

    def play(section_id: int) -> None:
        for position in (1, 6, 3):
            with database.write() as session:
                sections.move_section(session, actor, section_id, position)

    threads = [threading.Thread(target=play, args=(section_id,)) for section_id in ids[:4]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        views = sections.outline(session, actor, document.id)
        assert sorted(view.id for view in views) == sorted(ids)
        assert [view.position for view in views] == [1, 2, 3, 4, 5, 6]
        assert audit.verify_chain(session, document.id).is_whole


def test_contributors_do_not_change_the_structure(session: Session, document: Document) -> None:
    section = make.section(session, document, "# A")
    contributor = make.member(session, document, "contributor")
    session.commit()
    for change in (
        lambda: sections.add_section(session, contributor, document.id, title="x"),
        lambda: sections.remove_section(session, contributor, section.id),
        lambda: sections.move_section(session, contributor, section.id, 1),
        lambda: sections.set_statutory_point(session, contributor, section.id, 1),
    ):
        with pytest.raises(NotAllowed):
            change()


def test_a_section_of_a_hidden_document_is_not_there_for_strangers(session: Session) -> None:
    section = make.section(session, make.document(session, is_public=False), "# A")
    with pytest.raises(NotFound):
        sections.section(session, ANONYMOUS, section.id)
    with pytest.raises(NotFound):
        sections.section(session, ANONYMOUS, 10**6)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# One\n## Two", "One"),
        ("intro\n\n## § 4. *Drzewa* i **ławki** ##\n", "§ 4. Drzewa i ławki"),
        ("#no heading\nline", "#no heading"),
        ("\n\n  first line  \nsecond", "first line"),
        ("## [Link](http://x) `code`", "Link code"),
        ("#\n# Later", "Later"),
        ("# 2\\. Cele", "2. Cele"),
        ("# snake_case_name", "snake_case_name"),
        ("", ""),
        ("# " + "x" * 400, "x" * 300),
    ],
)
def test_the_title_is_the_first_heading_in_plain_words(text: str, title: str) -> None:
    assert sections.heading_of(text) == title


# ── milestones ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_milestone_holds_every_section_as_it_was(session: Session, document: Document, coordinator: Actor) -> None:
    kept = sections.add_section(session, coordinator, document.id, "# A\n\ntext")
    gone = sections.add_section(session, coordinator, document.id, "# B")
    made = milestones.create_milestone(session, coordinator, document.id, " Draft  one ", "to the council")
    sections.remove_section(session, coordinator, gone.id)
    (view,) = milestones.milestones(session, ANONYMOUS, document.id)
    assert (view.id, view.name, view.by) == (made.id, "Draft one", coordinator.name)
    assert [(part.section_id, part.version, part.is_removed) for part in view.sections] == [
        (kept.id, 1, False),
        (gone.id, 1, True),
    ]
    assert milestones.milestone(session, ANONYMOUS, made.id) == view


def test_a_milestone_shows_the_head_of_the_chain_that_names_the_texts(
    session: Session, document: Document, coordinator: Actor
) -> None:
    sections.add_section(session, coordinator, document.id, "# A\n\nZażółć 🌳")
    view = milestones.create_milestone(session, coordinator, document.id, "One")
    assert view.chain_head == audit.head(session, document.id)
    (event, *_) = audit.events(session, ANONYMOUS, document.id)
    (named,) = event.data["sections"]
    assert named["sha256"] == milestones.text_hash("# A\n\nZażółć 🌳")


def test_a_milestone_is_named_once_and_never_changed(session: Session, document: Document, coordinator: Actor) -> None:
    milestones.create_milestone(session, coordinator, document.id, "One")
    for name, error in (("One", NameTaken), (" One ", NameTaken), ("", InvalidInput), ("x" * 201, InvalidInput)):
        with pytest.raises(error):
            milestones.create_milestone(session, coordinator, document.id, name)
    assert not any(hasattr(milestones, name) for name in ("change_milestone", "remove_milestone"))


def test_a_section_that_is_only_proposed_is_in_no_outline(
    session: Session, document: Document, coordinator: Actor
) -> None:
    row, _ = sections.new_section(session, coordinator, document.id, "")
    branch = Stream(kind="branch", section_id=row.id)
    session.add(branch)
    session.flush()
    row.removed_at = clock.now()
    proposal = Suggestion(
        document_id=document.id,
        section_id=row.id,
        stream_id=branch.id,
        number=1,
        author_id=coordinator.user_id,
        new_section=True,
        opened_at_version=0,
        main_version=0,
        created_at=clock.now(),
    )
    session.add(proposal)
    session.commit()
    assert sections.outline(session, coordinator, document.id, removed=True) == []
    with pytest.raises(WrongState):
        sections.restore_section(session, coordinator, row.id)

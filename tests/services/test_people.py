"""Members, organisations, meetings, origins, and what people are told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NameTaken, NotAllowed, NotFound, NotSignedIn, TooLarge, WrongState
from drafting.services import audit, clock, meetings, notices, people
from drafting.services.access import ANONYMOUS, SERVER, Actor, Role, actor_of
from drafting.store.database import Database, transaction
from drafting.store.models import Document, Origin
from tests import make


@pytest.fixture
def document(session: Session) -> Document:
    return make.document(session)


@pytest.fixture
def coordinator(session: Session, document: Document) -> Actor:
    actor = make.member(session, document, "coordinator")
    session.commit()
    return actor


# ── members ─────────────────────────────────────────────────────────────────────────────────────────────


def test_addresses_are_shown_to_coordinators_only(session: Session, document: Document, coordinator: Actor) -> None:
    observer = make.member(session, document, "observer")
    shown = people.members(session, coordinator, document.id)
    assert [view.role for view in shown] == [Role.COORDINATOR, Role.OBSERVER] and all(view.email for view in shown)
    assert [view.email for view in people.members(session, observer, document.id)] == [None, None]
    with pytest.raises(NotSignedIn):
        people.members(session, ANONYMOUS, document.id)


def test_a_member_is_given_another_role_and_told_so(session: Session, document: Document, coordinator: Actor) -> None:
    organization = make.organization(session, document)
    member = make.member(session, document, "observer")
    view = people.change_member(session, coordinator, document.id, member.user_id, "contributor", organization.id)
    assert view.role is Role.CONTRIBUTOR and view.organization and view.organization.id == organization.id
    assert actor_of(session, member.user_id).organization_id(document) == organization.id
    assert [each.kind for each in notices.notifications(session, member)] == ["member_changed"]
    with pytest.raises(InvalidInput):
        people.change_member(session, coordinator, document.id, member.user_id, "king")


def test_a_document_keeps_a_coordinator(session: Session, document: Document, coordinator: Actor) -> None:
    with pytest.raises(WrongState):
        people.change_member(session, coordinator, document.id, coordinator.user_id, "observer")
    with pytest.raises(WrongState):
        people.end_membership(session, coordinator, document.id, coordinator.user_id)
    second = make.member(session, document, "coordinator")
    people.end_membership(session, coordinator, document.id, coordinator.user_id)
    assert actor_of(session, coordinator.user_id).role(document) is Role.PUBLIC
    with pytest.raises(WrongState):
        people.end_membership(session, second, document.id, second.user_id)


def test_people_leave_on_their_own_and_come_back(session: Session, document: Document, coordinator: Actor) -> None:
    member = make.member(session, document, "drafter")
    people.end_membership(session, member, document.id, member.user_id)
    assert len(people.members(session, coordinator, document.id)) == 1
    assert len(people.members(session, coordinator, document.id, ended=True)) == 2
    people.add_member(session, coordinator, document.id, member.user_id, "official")
    assert actor_of(session, member.user_id).role(document) is Role.OFFICIAL
    with pytest.raises(NotFound):
        people.end_membership(session, coordinator, document.id, 10**6)


def test_when_somebody_was_last_here(session: Session, document: Document, coordinator: Actor) -> None:
    with clock.set_to(make.NOON):
        assert people.seen(session, coordinator, document.id) is None
    assert people.last_seen(session, coordinator, document.id) == make.NOON
    assert people.seen(session, coordinator, document.id) == make.NOON
    assert people.seen(session, ANONYMOUS, document.id) is None


# ── organisations ───────────────────────────────────────────────────────────────────────────────────────


def test_organisations_get_badges_and_hues_that_differ(
    session: Session, document: Document, coordinator: Actor
) -> None:
    names = ("Fundacja Zielony Przykład", "Fundacja Zielona Polana", "Żabka", "Ż", "Fundacja Zielony Pas")
    views = [people.add_organization(session, coordinator, document.id, name) for name in names]
    assert [view.code for view in views][:3] == ["FZP", "FZ", "ŻA"]
    assert len({view.code for view in views}) == len({view.hue for view in views}) == 5
    listed = [view.name for view in people.organizations(session, ANONYMOUS, document.id)]
    assert listed == [*sorted(names[:2] + names[4:]), "Ż", "Żabka"]
    assert people.organization(session, ANONYMOUS, document.id, "fzp").id == views[0].id


def test_badges_do_not_run_out(session: Session, document: Document, coordinator: Actor) -> None:
    with transaction(session):
        codes = [people.add_organization(session, coordinator, document.id, f"A {'b' * n}").code for n in range(1, 30)]
    assert len(set(codes)) == 29


def test_a_name_or_badge_is_taken_once_in_a_document(session: Session, document: Document, coordinator: Actor) -> None:
    first = people.add_organization(session, coordinator, document.id, "Alfa", code="al")
    second = people.add_organization(session, coordinator, document.id, "Beta")
    for change in (
        lambda: people.add_organization(session, coordinator, document.id, "Alfa"),
        lambda: people.add_organization(session, coordinator, document.id, "Gamma", code="AL"),
        lambda: people.change_organization(session, coordinator, second.id, name="Alfa"),
    ):
        with pytest.raises(NameTaken):
            change()
    assert people.change_organization(session, coordinator, first.id, name="Alfa 2", hue=7).hue == 7
    other = make.document(session)
    people.add_organization(session, make.member(session, other, "coordinator"), other.id, "Alfa 2", code="AL")


@pytest.mark.parametrize("wrong", [{"name": " "}, {"name": "x" * 201}, {"code": "A"}, {"code": "A!B"}, {"hue": 13}])
def test_an_organisation_that_makes_no_sense_is_refused(
    session: Session, document: Document, coordinator: Actor, wrong: dict
) -> None:
    with pytest.raises(InvalidInput):
        people.add_organization(session, coordinator, document.id, **{"name": "Alfa", **wrong})


# ── meetings ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_meeting_has_topic_date_place_and_who_was_there(
    session: Session, document: Document, coordinator: Actor
) -> None:
    ours, theirs = make.organization(session, document, "A"), make.organization(session, document, "B")
    view = meetings.add_meeting(
        session,
        coordinator,
        document.id,
        " Rewitalizacja,  przestrzeń ",
        place="Dom kultury",
        held_at=make.NOON,
        summary="Było",
        minutes="* Zdanie.",
        attendance={ours.id: 3, theirs.id: 0},
    )
    assert (view.number, view.topic, view.held_at, view.people) == (1, "Rewitalizacja, przestrzeń", make.NOON, 3)
    assert meetings.meeting(session, ANONYMOUS, document.id, 1) == view
    changed = meetings.change_meeting(session, coordinator, view.id, attendance={theirs.id: 2}, no_date=True)
    assert (changed.people, changed.held_at, changed.summary) == (2, None, "Było")
    assert [each.id for each in meetings.attended(session, ANONYMOUS, theirs.id)] == [view.id]
    assert meetings.attended(session, ANONYMOUS, ours.id) == []
    with pytest.raises(NotFound):
        meetings.meeting(session, ANONYMOUS, document.id, 2)


def test_meetings_are_numbered_and_coloured_in_turn(session: Session, document: Document, coordinator: Actor) -> None:
    with transaction(session):
        made = [meetings.add_meeting(session, coordinator, document.id, f"Topic {n}") for n in range(13)]
    assert [view.number for view in made] == list(range(1, 14))
    assert [view.hue for view in made] == [*range(1, 13), 1]


def test_a_meeting_from_which_something_came_stays(session: Session, document: Document, coordinator: Actor) -> None:
    from drafting.services import sections

    used = meetings.add_meeting(session, coordinator, document.id, "Used")
    unused = meetings.add_meeting(session, coordinator, document.id, "Unused", attendance={})
    origin = people.use_origin(session, coordinator, document.id, meeting_id=used.id)
    people.use_origin(session, coordinator, document.id, meeting_id=unused.id)
    sections.add_section(session, coordinator, document.id, "# A", origin_ids=[origin.id])
    with pytest.raises(WrongState):
        meetings.remove_meeting(session, coordinator, used.id)
    meetings.remove_meeting(session, coordinator, unused.id)
    assert [view.topic for view in meetings.meetings(session, ANONYMOUS, document.id)] == ["Used"]


def test_attendance_names_organisations_of_the_document(
    session: Session, document: Document, coordinator: Actor
) -> None:
    foreign = make.organization(session, make.document(session))
    session.commit()
    with pytest.raises(NotFound):
        meetings.add_meeting(session, coordinator, document.id, "Topic", attendance={foreign.id: 1})
    assert meetings.meetings(session, ANONYMOUS, document.id) == []


def test_a_file_is_kept_under_its_hash(
    session: Session, document: Document, coordinator: Actor, tmp_path: Path
) -> None:
    meeting = meetings.add_meeting(session, coordinator, document.id, "Topic")
    view = meetings.add_attachment(
        session, coordinator, document.id, "C:\\x\\Lista obecności.pdf", b"%PDF", tmp_path / "up", meeting_id=meeting.id
    )
    assert (view.name, view.media_type, view.size) == ("Lista obecności.pdf", "application/pdf", 4)
    found, path = meetings.attachment(session, ANONYMOUS, view.id, tmp_path / "up")
    assert found == view and path.read_bytes() == b"%PDF" and path.name == view.sha256
    assert meetings.attachments(session, ANONYMOUS, document.id, meeting.id) == [view]
    with pytest.raises(InvalidInput):
        meetings.add_attachment(session, coordinator, document.id, "x.html", b"<script>", tmp_path)
    with pytest.raises(TooLarge):
        meetings.add_attachment(session, coordinator, document.id, "x.pdf", b"12345", tmp_path, largest=4)
    meetings.remove_attachment(session, coordinator, view.id)
    with pytest.raises(NotFound):
        meetings.attachment(session, ANONYMOUS, view.id, tmp_path / "up")


# ── origins ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_origin_is_made_once(session: Session, document: Document, coordinator: Actor) -> None:
    organization, meeting = make.organization(session, document, "Alfa"), make.meeting(session, document, "Trees")
    for chosen in ((organization.id, None), (None, meeting.id), (organization.id, meeting.id)):
        first = people.use_origin(session, coordinator, document.id, *chosen)
        assert people.use_origin(session, coordinator, document.id, *chosen) == first
    labels = [view.label for view in people.origins(session, ANONYMOUS, document.id)]
    assert labels == ["Alfa", "Trees", "Alfa · Trees"]
    with pytest.raises(InvalidInput):
        people.use_origin(session, coordinator, document.id)


def test_two_who_use_an_origin_at_once_share_it(database: Database) -> None:
    with database.write() as session, transaction(session):
        document = make.document(session)
        actor = make.member(session, document, "coordinator")
        organization = make.organization(session, document)
    found: list[int | None] = []

    def use() -> None:
        with database.write() as session:
            found.append(people.use_origin(session, actor, document.id, organization.id).id)

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and len(set(found)) == 1


def test_contributors_speak_for_their_own_organisation_only(session: Session, document: Document) -> None:
    ours, theirs, meeting = (
        make.organization(session, document),
        make.organization(session, document),
        make.meeting(session, document),
    )
    contributor = make.member(session, document, "contributor", ours)
    foreign = make.origin(session, document, theirs)
    elsewhere = make.origin(session, make.document(session), None, make.meeting(session, make.document(session)))
    session.commit()
    own = people.own_origin(session, contributor, document.id)
    assert own is not None and own.organization_id == ours.id
    at_meeting = people.use_origin(session, contributor, document.id, ours.id, meeting.id)
    ids = [at_meeting.id, own.id, own.id]
    assert people.check_origins(session, contributor, document, ids) == [own.id, at_meeting.id]
    for refused in ((theirs.id, None), (None, meeting.id), (theirs.id, meeting.id)):
        with pytest.raises(NotAllowed):
            people.use_origin(session, contributor, document.id, *refused)
    with pytest.raises(NotAllowed):
        people.check_origins(session, contributor, document, [foreign.id])
    with pytest.raises(NotFound):
        people.check_origins(session, contributor, document, [elsewhere.id])
    assert len(session.scalars(select(Origin)).unique().all()) == 4


# ── what people are told ────────────────────────────────────────────────────────────────────────────────


def test_members_are_told_once_and_not_about_themselves(
    session: Session, document: Document, coordinator: Actor
) -> None:
    member, stranger = make.member(session, document, "drafter"), make.user(session)
    told = [coordinator.user_id, member.user_id, member.user_id, stranger.id, None]
    notices.notify(session, told, document.id, "hello", {"n": 1}, but=coordinator)
    (view,) = notices.notifications(session, member)
    assert (view.kind, view.data, view.document_slug, view.is_read) == ("hello", {"n": 1}, document.slug, False)
    assert notices.unread(session, coordinator) == notices.unread(session, actor_of(session, stranger.id)) == 0


def test_notifications_are_read_by_their_owner(session: Session, document: Document, coordinator: Actor) -> None:
    member = make.member(session, document, "drafter")
    for number in range(3):
        notices.notify(session, [member.user_id, coordinator.user_id], document.id, "hello", {"n": number})
    newest = notices.notifications(session, member)[0]
    assert newest.data == {"n": 2}
    assert notices.mark_read(session, coordinator, [newest.id]) == 0
    assert notices.mark_read(session, member, [newest.id]) == 1
    assert [view.data["n"] for view in notices.notifications(session, member, unread_only=True)] == [1, 0]
    assert notices.mark_read(session, member) == 2 and notices.unread(session, member) == 0
    with pytest.raises(NotSignedIn):
        notices.notifications(session, ANONYMOUS)


def test_news_are_written_by_coordinators_for_everybody(
    session: Session, document: Document, coordinator: Actor
) -> None:
    view = notices.add_news(session, coordinator, document.id, " Start ", "**Welcome**")
    assert [(each.title, each.by) for each in notices.news(session, ANONYMOUS, document.id)] == [
        ("Start", coordinator.name)
    ]
    for title in (" ", "x" * 201):
        with pytest.raises(InvalidInput):
            notices.add_news(session, coordinator, document.id, title, "")
    with pytest.raises(NotAllowed):
        notices.remove_news(session, make.member(session, document, "drafter"), view.id)
    notices.remove_news(session, coordinator, view.id)
    assert notices.news(session, ANONYMOUS, document.id) == []


def test_no_event_names_a_person(session: Session, document: Document, coordinator: Actor) -> None:
    """What the chain holds is for ever: names and addresses of people stay out of it."""
    person = make.user(session, "Ewa Przykładna", email="ewa@example.org")
    people.add_member(session, SERVER, document.id, person.id, "observer")
    people.change_member(session, coordinator, document.id, person.id, "drafter")
    people.end_membership(session, coordinator, document.id, person.id)
    for event in audit.events(session, coordinator, document.id):
        assert "Ewa" not in str(event.data) and "example.org" not in str(event.data)


def test_names_stand_in_the_order_of_the_polish_alphabet() -> None:
    names = ["Żuraw", "Zielone", "Źródło", "Łąka", "Lwy", "Śląsk", "Szkoła", "Świat", "ćma", "Czas", "Ósemka", "Osa", "Éco"]
    assert sorted(names, key=people.alphabetical) == [
        "Czas", "ćma", "Éco", "Lwy", "Łąka", "Osa", "Ósemka", "Szkoła", "Śląsk", "Świat", "Zielone", "Źródło", "Żuraw",
    ]  # fmt: skip

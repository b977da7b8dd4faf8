"""Links that give a role, and links that set a new password."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NameTaken, NotAllowed, NotFound, NotSignedIn, WrongState
from drafting.services import accounts, audit, clock, invitations, notices
from drafting.services.access import ANONYMOUS, SERVER, Role, actor_of
from drafting.store.database import Database, transaction
from drafting.store.models import Invitation, User
from tests import make

PASSWORD = "ławka pod lipą"


def test_a_link_gives_a_role_for_an_organisation_to_a_new_account(session: Session) -> None:
    document = make.document(session, is_public=False)
    coordinator = make.member(session, document, "coordinator")
    foundation = make.organization(session, document, "Fundacja")
    link = invitations.invite(session, coordinator, document.id, "contributor", organization_id=foundation.id)
    shown = invitations.invitation(session, link.token)
    assert (shown.role, shown.organization, shown.document_title) == (Role.CONTRIBUTOR, "Fundacja", document.title)
    joined = invitations.accept_invitation(
        session, ANONYMOUS, link.token, email="ewa@example.org", name="Ewa", password=PASSWORD
    )
    assert joined.role(document) is Role.CONTRIBUTOR and joined.organization_id(document) == foundation.id
    assert accounts.sign_in(session, "ewa@example.org", PASSWORD) == joined
    assert [event.kind for event in audit.events(session, joined, document.id)] == ["member_joined", "invitation_made"]
    assert [each.kind for each in notices.notifications(session, coordinator)] == ["member_joined"]


def test_a_link_gives_a_role_to_an_account_that_is_there(session: Session) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    stranger = actor_of(session, make.user(session).id)
    link = invitations.invite(session, coordinator, document.id, "official")
    joined = invitations.accept_invitation(session, stranger, link.token)
    assert joined.user_id == stranger.user_id and joined.role(document) is Role.OFFICIAL
    with pytest.raises(NotFound):
        invitations.accept_invitation(session, stranger, link.token)


def test_only_the_hash_of_a_token_is_kept(session: Session) -> None:
    document = make.document(session)
    link = invitations.invite(session, make.member(session, document, "coordinator"), document.id, "observer")
    row = session.scalars(select(Invitation)).one()
    assert link.token not in repr([getattr(row, column.key) for column in Invitation.__table__.columns])


def test_a_link_for_many_is_good_as_often_as_it_says(session: Session) -> None:
    document = make.document(session)
    link = invitations.invite(session, make.member(session, document, "coordinator"), document.id, "observer", uses=2)
    for _ in range(2):
        invitations.accept_invitation(session, actor_of(session, make.user(session).id), link.token)
    with pytest.raises(NotFound):
        invitations.invitation(session, link.token)


def test_a_link_that_is_old_or_revoked_or_wrong_opens_nothing(session: Session) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    link = invitations.invite(session, coordinator, document.id, "observer", days=3)
    with clock.set_to(clock.now() + timedelta(days=3, seconds=1)), pytest.raises(NotFound):
        invitations.invitation(session, link.token)
    invitations.invitation(session, link.token)
    invitations.revoke_invitation(session, coordinator, link.id)
    for token in (link.token, "", "x" * 32, "ż"):
        with pytest.raises(NotFound):
            invitations.accept_invitation(session, ANONYMOUS, token, email="a@example.org", name="A", password=PASSWORD)
    assert [view.is_open for view in invitations.invitations(session, coordinator, document.id)] == [False]


def test_an_invitation_to_an_address_is_for_that_address(session: Session) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    link = invitations.invite(session, coordinator, document.id, "observer", email="Ewa@example.org")
    wrong = actor_of(session, make.user(session, email="jan@example.org").id)
    session.commit()
    with pytest.raises(NotAllowed):
        invitations.accept_invitation(session, wrong, link.token)
    right = actor_of(session, make.user(session, email="ewa@example.org").id)
    assert invitations.accept_invitation(session, right, link.token).role(document) is Role.OBSERVER


def test_a_refused_acceptance_makes_no_account(session: Session) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    link = invitations.invite(session, coordinator, document.id, "observer", email="ewa@example.org")
    with pytest.raises(NotAllowed):
        invitations.accept_invitation(
            session, ANONYMOUS, link.token, email="jan@example.org", name="Jan", password=PASSWORD
        )
    assert session.scalar(select(User.id).where(User.email == "jan@example.org")) is None
    invitations.invitation(session, link.token)


def test_an_address_with_an_account_signs_in_first(session: Session) -> None:
    document = make.document(session)
    link = invitations.invite(session, make.member(session, document, "coordinator"), document.id, "observer")
    make.user(session, email="ewa@example.org")
    session.commit()
    with pytest.raises(NameTaken):
        invitations.accept_invitation(
            session, ANONYMOUS, link.token, email="ewa@example.org", name="Ewa", password=PASSWORD
        )


def test_an_invitation_changes_the_role_of_a_member_but_not_of_the_only_coordinator(session: Session) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    observer = make.member(session, document, "observer")
    link = invitations.invite(session, coordinator, document.id, "drafter", uses=5)
    assert invitations.accept_invitation(session, observer, link.token).role(document) is Role.DRAFTER
    with pytest.raises(WrongState):
        invitations.accept_invitation(session, coordinator, link.token)


@pytest.mark.parametrize("wrong", [{"role": "king"}, {"role": "public"}, {"uses": 0}, {"uses": 501}, {"days": 0}])
def test_an_invitation_that_makes_no_sense_is_refused(session: Session, wrong: dict) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    with pytest.raises(InvalidInput):
        invitations.invite(session, coordinator, document.id, **{"role": "observer", **wrong})


def test_an_invitation_names_an_organisation_of_its_own_document(session: Session) -> None:
    document, other = make.document(session), make.document(session)
    coordinator = make.member(session, document, "coordinator")
    foreign = make.organization(session, other)
    with pytest.raises(NotFound):
        invitations.invite(session, coordinator, document.id, "contributor", organization_id=foreign.id)


def test_the_last_use_of_a_link_is_used_once(database: Database) -> None:
    with database.write() as session, transaction(session):
        document = make.document(session)
        coordinator = make.member(session, document, "coordinator")
        actors = [actor_of(session, make.user(session).id) for _ in range(5)]
    with database.write() as session:
        link = invitations.invite(session, coordinator, document.id, "observer")
    outcomes: list[str] = []

    def accept(actor) -> None:  # type: ignore[no-untyped-def]
        with database.write() as session:
            try:
                invitations.accept_invitation(session, actor, link.token)
                outcomes.append("joined")
            except NotFound:
                outcomes.append("late")

    threads = [threading.Thread(target=accept, args=(actor,)) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["joined", "late", "late", "late", "late"]


# ── reset links ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_coordinators_link_sets_a_new_password_once(session: Session) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    member = make.member(session, document, "contributor")
    first = invitations.make_reset_link(session, coordinator, member.user_id)
    link = invitations.make_reset_link(session, coordinator, member.user_id)
    assert invitations.reset_name(session, link.token) == member.name
    with pytest.raises(InvalidInput):
        invitations.reset_password(session, link.token, "short")
    actor = invitations.reset_password(session, link.token, PASSWORD)
    assert actor.session_epoch == member.session_epoch + 1
    email = session.get_one(User, member.user_id).email
    assert accounts.sign_in(session, email, PASSWORD) == actor
    for token in (link.token, first.token):
        with pytest.raises(NotFound):
            invitations.reset_password(session, token, "another long one")


def test_a_reset_link_is_no_way_into_other_documents(session: Session) -> None:
    mine, theirs = make.document(session), make.document(session)
    coordinator = make.member(session, mine, "coordinator")
    both = make.member(session, mine, "observer")
    make.member(session, theirs, "official", user=session.get_one(User, both.user_id))
    operator = make.member(session, mine, "observer", user=make.user(session, is_operator=True))
    outsider = make.user(session)
    session.commit()
    for user_id in (both.user_id, operator.user_id):
        with pytest.raises(NotAllowed):
            invitations.make_reset_link(session, coordinator, user_id)
    with pytest.raises(NotFound):
        invitations.make_reset_link(session, coordinator, outsider.id)
    with pytest.raises(NotSignedIn):
        invitations.make_reset_link(session, ANONYMOUS, outsider.id)
    for user_id in (both.user_id, operator.user_id, outsider.id):
        invitations.make_reset_link(session, SERVER, user_id)


def test_an_invitation_is_not_a_reset_link_nor_the_other_way_round(session: Session) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    member = make.member(session, document, "observer")
    invite = invitations.invite(session, coordinator, document.id, "observer")
    reset = invitations.make_reset_link(session, coordinator, member.user_id)
    with pytest.raises(NotFound):
        invitations.reset_password(session, invite.token, PASSWORD)
    with pytest.raises(NotFound):
        invitations.accept_invitation(session, member, reset.token)


def test_ending_an_account_ends_its_links(session: Session) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    member = make.member(session, document, "observer")
    reset = invitations.make_reset_link(session, coordinator, member.user_id)
    accounts.anonymise(session, member, member.user_id)
    with pytest.raises(NotFound):
        invitations.reset_password(session, reset.token, PASSWORD)

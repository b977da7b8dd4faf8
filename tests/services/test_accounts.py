"""Accounts: signing in, changing and ending them."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NameTaken, NotAllowed, NotFound, NotSignedIn, WrongState
from drafting.services import accounts, notices
from drafting.services.access import ANONYMOUS, SERVER, Role, actor_of
from drafting.store.database import Database
from drafting.store.models import Membership, Notification, User
from tests import make

PASSWORD = "ławka pod lipą"


def person(session: Session, email: str = "ewa@example.org", **more: object) -> accounts.UserView:
    return accounts.create_user(session, SERVER, email, "Ewa", PASSWORD, **more)


def test_who_has_an_account_signs_in_with_address_and_password(session: Session) -> None:
    made = person(session, "Ewa@Example.ORG ", language="en")
    actor = accounts.sign_in(session, " EWA@example.org", PASSWORD)
    assert (actor.user_id, actor.name, actor.language) == (made.id, "Ewa", "en")
    assert accounts.signed_in(session, made.id, actor.session_epoch) == actor


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ewa@example.org", "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("nopassword@example.org", PASSWORD),
        ("ewa@example.org", ""),
        ("ewa@example.org", "x" * 100_000),
        ("ewa@example.org", PASSWORD + "\ud800"),
        ("", ""),
    ],
)
def test_a_failed_sign_in_does_not_say_why(session: Session, email: str, password: str) -> None:
    person(session)
    accounts.create_user(session, SERVER, "nopassword@example.org", "No Password")
    with pytest.raises(NotSignedIn) as refused:
        accounts.sign_in(session, email, password)
    assert refused.value.message == "the address or the password is wrong"


def test_a_password_is_kept_as_an_argon2_hash_only(session: Session) -> None:
    person(session)
    stored = session.scalars(select(User.password_hash)).one()
    assert stored is not None and stored.startswith("$argon2id$") and PASSWORD not in stored


def test_a_hash_with_older_parameters_is_renewed_at_sign_in(session: Session) -> None:
    from argon2 import PasswordHasher

    made = person(session)
    row = session.get_one(User, made.id)
    row.password_hash = weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    session.commit()
    accounts.sign_in(session, "ewa@example.org", PASSWORD)
    assert session.get_one(User, made.id).password_hash != weak
    accounts.sign_in(session, "ewa@example.org", PASSWORD)


@pytest.mark.parametrize("password", ["short", "a" * 12, "x" * 201, "ewa@example.org"])
def test_a_weak_password_is_refused(session: Session, password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        accounts.create_user(session, SERVER, "ewa@example.org", "Ewa", password)
    assert refused.value.details["field"] == "password"


@pytest.mark.parametrize("email", ["", "ewa", "ewa@", "@x.pl", "e wa@x.pl", "ewa@x", "<a@b.pl>", "a@b.pl,c@d.pl"])
def test_what_is_not_an_address_is_refused(session: Session, email: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        accounts.create_user(session, SERVER, email, "Ewa")
    assert refused.value.details["field"] == "email"


def test_an_address_has_one_account(session: Session) -> None:
    person(session)
    with pytest.raises(NameTaken):
        person(session, "EWA@example.org")


def test_only_operators_make_accounts_and_see_others(session: Session) -> None:
    made = person(session)
    ordinary = actor_of(session, made.id)
    for actor, error in ((ordinary, NotAllowed), (ANONYMOUS, NotSignedIn)):
        with pytest.raises(error):
            accounts.create_user(session, actor, "x@example.org", "X")
        with pytest.raises(error):
            accounts.users(session, actor)
    assert accounts.user(session, ordinary).email == "ewa@example.org"
    assert accounts.find_user(session, SERVER, "EWA@example.org").id == made.id
    with pytest.raises(NotFound):
        accounts.find_user(session, SERVER, "nobody@example.org")


def test_a_changed_password_ends_the_other_sessions(session: Session) -> None:
    made = person(session)
    here = accounts.sign_in(session, "ewa@example.org", PASSWORD)
    elsewhere = accounts.sign_in(session, "ewa@example.org", PASSWORD)
    with pytest.raises(InvalidInput):
        accounts.change_password(session, here, "not the old one", "a new long password")
    here = accounts.change_password(session, here, PASSWORD, "a new long password")
    assert accounts.signed_in(session, made.id, here.session_epoch).is_signed_in
    assert accounts.signed_in(session, made.id, elsewhere.session_epoch) is ANONYMOUS
    accounts.sign_in(session, "ewa@example.org", "a new long password")


def test_signing_out_everywhere(session: Session) -> None:
    made = person(session)
    actor = accounts.sign_in(session, "ewa@example.org", PASSWORD)
    accounts.end_sessions(session, actor)
    assert accounts.signed_in(session, made.id, actor.session_epoch) is ANONYMOUS


def test_a_profile_is_changed_by_its_owner(session: Session) -> None:
    made = person(session)
    actor = actor_of(session, made.id)
    view = accounts.change_profile(session, actor, name="  Ewa   Nowa ", language="en", may_be_named=True)
    assert (view.name, view.language, view.may_be_named) == ("Ewa Nowa", "en", True)
    with pytest.raises(InvalidInput):
        accounts.change_profile(session, actor, language="tlh")
    with pytest.raises(InvalidInput):
        accounts.change_profile(session, actor, name="   ")


def test_an_anonymised_account_keeps_its_number_and_nothing_else(session: Session) -> None:
    made = person(session)
    document = make.document(session)
    make.member(session, document, "coordinator")
    make.member(session, document, "contributor", user=session.get_one(User, made.id))
    notices.notify(session, [made.id], document.id, "hello")
    actor = actor_of(session, made.id)
    accounts.anonymise(session, actor, made.id)
    row = session.get_one(User, made.id)
    assert (row.email, row.password_hash, row.name) == (None, None, accounts.ANONYMISED_NAME)
    assert actor_of(session, made.id) is ANONYMOUS
    assert accounts.signed_in(session, made.id, actor.session_epoch) is ANONYMOUS
    assert session.scalars(select(Notification)).all() == []
    assert session.scalar(select(Membership.ended_at).where(Membership.user_id == made.id)) is not None
    with pytest.raises(NotSignedIn):
        accounts.sign_in(session, "ewa@example.org", PASSWORD)
    person(session)  # the address is free again


def test_the_only_coordinator_cannot_vanish(session: Session) -> None:
    document = make.document(session)
    first = make.member(session, document, "coordinator")
    session.commit()
    with pytest.raises(WrongState):
        accounts.anonymise(session, first, first.user_id)
    session.expire_all()
    assert actor_of(session, first.user_id).role(document) is Role.COORDINATOR
    make.member(session, document, "coordinator")
    accounts.anonymise(session, first, first.user_id)


def test_nobody_anonymises_somebody_else(session: Session) -> None:
    document = make.document(session)
    coordinator = make.member(session, document, "coordinator")
    other = make.member(session, document, "contributor")
    session.commit()
    with pytest.raises(NotAllowed):
        accounts.anonymise(session, coordinator, other.user_id)
    accounts.anonymise(session, SERVER, other.user_id)


def test_two_accounts_with_one_address_at_once_make_one(database: Database) -> None:
    import threading

    outcomes: list[str] = []

    def create() -> None:
        with database.write() as session:
            try:
                accounts.create_user(session, SERVER, "ewa@example.org", "Ewa")
                outcomes.append("made")
            except NameTaken:
                outcomes.append("taken")

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "taken", "taken", "taken"]

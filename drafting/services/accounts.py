"""Accounts: signing in, making, changing and ending an account.

Passwords are kept as argon2id hashes. Signing in takes the same time whether the address is known or not. Every change
of a password raises the person's `session_epoch`, which ends all their sessions; `signed_in` is what a session is
checked against at each request.
"""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from drafting.config import LANGUAGES
from drafting.errors import InvalidInput, NameTaken, NotFound, NotSignedIn
from drafting.services import movements, people
from drafting.services.access import (
    ANONYMOUS,
    Actor,
    Role,
    actor_of,
    require_operator,
)
from drafting.services.clock import now
from drafting.store.database import verb
from drafting.store.models import Invitation, Membership, Notification, User

# OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, 2 passes, 1 lane; about 20 ms.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_hashing = threading.BoundedSemaphore(4)  # a flood of sign-ins takes 76 MiB, not all there is
_NOBODY = _hasher.hash(secrets.token_hex(16))  # what an unknown address is checked against

MIN_PASSWORD, MAX_PASSWORD = 10, 200  # characters; the upper bound keeps hashing cheap
ANONYMISED_NAME = "—"


@dataclass(frozen=True, slots=True)
class UserView:
    """An account as its owner and operators see it."""

    id: int
    email: str | None
    name: str
    language: str
    is_operator: bool
    may_be_named: bool
    created_at: datetime
    anonymised_at: datetime | None


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────


def sign_in(session: Session, email: str, password: str) -> Actor:
    """The person with this address and password.

    raises   NotSignedIn, the same for an unknown address, a wrong password and an account without one
    commits  only when the hash was made with older parameters and is renewed
    """
    user = session.scalar(select(User).where(User.email == _plain(email), User.anonymised_at.is_(None)))
    stored = user.password_hash if user is not None else None
    right = _matches(stored or _NOBODY, password)
    if user is None or stored is None or not right:
        raise NotSignedIn("the address or the password is wrong", reason="wrong_password")
    if _hasher.check_needs_rehash(stored):
        _renew_hash(session, user.id, password)
    return actor_of(session, user.id)


def signed_in(session: Session, user_id: int, session_epoch: int) -> Actor:
    """The person of a session, with their present roles; ANONYMOUS when the session has been ended meanwhile."""
    actor = actor_of(session, user_id)
    return actor if actor.is_signed_in and actor.session_epoch == session_epoch else ANONYMOUS


@verb
def _renew_hash(session: Session, user_id: int, password: str) -> None:
    session.get_one(User, user_id).password_hash = _hash(password)


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────


@verb
def create_user(
    session: Session,
    actor: Actor,
    email: str,
    name: str,
    password: str | None = None,
    *,
    language: str = "pl",
    is_operator: bool = False,
) -> UserView:
    """The new account; without a password its owner needs a reset link first.

    raises   NameTaken when the address has an account
    commits  yes, once
    needs    to be an operator
    """
    require_operator(actor, "create_user")
    return _view(new_user(session, email, name, password, language, is_operator))


def user(session: Session, actor: Actor, user_id: int | None = None) -> UserView:
    """The actor's own account, or for an operator anybody's."""
    wanted = actor.user_id if user_id is None else user_id
    if wanted is None:
        raise NotSignedIn("sign in to see your account")
    if wanted != actor.user_id:
        require_operator(actor, "see_accounts")
    row = session.get(User, wanted)
    if row is None:
        raise NotFound("there is no such account")
    return _view(row)


def find_user(session: Session, actor: Actor, email: str) -> UserView:
    """The account with this address. needs: to be an operator"""
    require_operator(actor, "see_accounts")
    row = session.scalar(select(User).where(User.email == _plain(email)))
    if row is None:
        raise NotFound(f"no account has the address {_plain(email)}")
    return _view(row)


def users(session: Session, actor: Actor) -> list[UserView]:
    """All accounts by name. needs: to be an operator"""
    require_operator(actor, "see_accounts")
    return [_view(row) for row in session.scalars(select(User).order_by(User.name, User.id))]


@verb
def change_profile(
    session: Session,
    actor: Actor,
    *,
    name: str | None = None,
    language: str | None = None,
    may_be_named: bool | None = None,
) -> UserView:
    """The actor's own account with these changes. commits: yes, once"""
    row = own_row(session, actor)
    if name is not None:
        row.name = _name(name)
        _announce(session, row.id)
    if language is not None:
        row.language = _language(language)
    if may_be_named is not None:
        row.may_be_named = may_be_named
    return _view(row)


@verb
def change_password(session: Session, actor: Actor, old: str, new: str) -> Actor:
    """The actor with a new session epoch: all other sessions of theirs are ended.

    raises   InvalidInput when the old password is wrong or the new one too weak
    commits  yes, once
    """
    row = own_row(session, actor)
    if row.password_hash is None or not _matches(row.password_hash, old):
        raise InvalidInput("the present password is wrong", field="old")
    set_password(session, row, new)
    return actor_of(session, row.id)


@verb
def end_sessions(session: Session, actor: Actor) -> None:
    """Signs the actor out everywhere. commits: yes, once"""
    row = own_row(session, actor)
    row.session_epoch += 1
    _announce(session, row.id)


@verb
def set_operator(session: Session, actor: Actor, user_id: int, is_operator: bool) -> UserView:
    """Makes somebody an operator, or no longer one. commits: yes, once. needs: to be an operator"""
    require_operator(actor, "manage_operators")
    row = session.get(User, user_id)
    if row is None or row.anonymised_at is not None:
        raise NotFound("there is no such account")
    row.is_operator = is_operator
    return _view(row)


@verb
def anonymise(session: Session, actor: Actor, user_id: int) -> None:
    """Takes name, address and password from an account for good; what the person did stays, under its number.

    raises   WrongState when the person is the only coordinator of a document
    commits  yes, once
    needs    to be that person, or an operator
    """
    if actor.user_id != user_id:
        require_operator(actor, "anonymise")
    row = session.get(User, user_id)
    if row is None:
        raise NotFound("there is no such account")
    if row.anonymised_at is not None:
        return
    at = now()
    _announce(session, user_id)
    memberships = session.scalars(
        select(Membership).where(Membership.user_id == user_id, Membership.ended_at.is_(None))
    ).unique()
    for membership in memberships:
        if membership.role == Role.COORDINATOR:
            people.keep_a_coordinator(session, membership)
        membership.ended_at = at
    session.execute(
        update(Invitation)
        .where(Invitation.email == row.email, Invitation.email.is_not(None))
        .values(email=None, revoked_at=func.coalesce(Invitation.revoked_at, at))
    )
    session.execute(
        update(Invitation).where(Invitation.user_id == user_id, Invitation.revoked_at.is_(None)).values(revoked_at=at)
    )
    session.execute(delete(Notification).where(Notification.user_id == user_id))
    row.name, row.email, row.password_hash = ANONYMISED_NAME, None, None
    row.is_operator = row.may_be_named = False
    row.session_epoch += 1
    row.anonymised_at = at


# ── what the functions above are made of ────────────────────────────────────────────────────────────────


def own_row(session: Session, actor: Actor) -> User:
    row = None if actor.user_id is None else session.get(User, actor.user_id)
    if row is None or row.anonymised_at is not None:
        raise NotSignedIn("sign in first")
    return row


def new_user(session: Session, email: str, name: str, password: str | None, language: str, is_operator: bool) -> User:
    row = User(
        email=email_of(email),
        name=_name(name),
        language=_language(language),
        is_operator=is_operator,
        created_at=now(),
        session_epoch=0,
    )
    if password is not None:
        _check_password(row, password)
    if session.scalar(select(User.id).where(User.email == row.email)) is not None:
        raise NameTaken("this address has an account already; sign in with it", field="email")
    if password is not None:
        row.password_hash = _hash(password)
    session.add(row)
    try:
        session.flush()
    except IntegrityError:  # two with the same address at the same moment
        raise NameTaken("this address has an account already; sign in with it", field="email") from None
    return row


def set_password(session: Session, row: User, password: str) -> None:
    _check_password(row, password)
    row.password_hash = _hash(password)
    row.session_epoch += 1
    _announce(session, row.id)
    session.execute(
        update(Invitation)
        .where(Invitation.user_id == row.id, Invitation.purpose == "reset", Invitation.revoked_at.is_(None))
        .values(uses_left=0, revoked_at=now())
    )


def _announce(session: Session, user_id: int) -> None:
    """Open windows of this person are looked at again, in every document of theirs."""
    for document_id in session.scalars(select(Membership.document_id).where(Membership.user_id == user_id)):
        movements.announce(session, document_id, "people")


def _check_password(row: User, password: str) -> None:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(
            f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters; this has {len(password)}",
            field="password",
            minimum=MIN_PASSWORD,
        )
    if len(set(password)) < 4 or password.casefold() in {(row.email or "").casefold(), row.name.casefold()}:
        raise InvalidInput("this password is too easy to guess", field="password")


def _hash(password: str) -> str:
    with _hashing:
        return _hasher.hash(password)


def _matches(stored: str, password: str) -> bool:
    with _hashing:
        try:
            return _hasher.verify(stored, password[: MAX_PASSWORD + 1])
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False


def _plain(email: str) -> str:
    return email.strip().casefold()


def email_of(email: str) -> str:
    """The address in the form it is kept in. Only its shape is checked: whether it exists shows when it is used."""
    plain = _plain(email)
    if len(plain) > 254 or not re.fullmatch(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+", plain):
        raise InvalidInput("this is not an email address", field="email")
    return plain


def _name(name: str) -> str:
    plain = " ".join(name.split())
    if not 1 <= len(plain) <= 120:
        raise InvalidInput("a name has 1 to 120 characters", field="name")
    return plain


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise InvalidInput(f"there is no language {language!r}; choose one of {', '.join(LANGUAGES)}", field="language")
    return language


def _view(row: User) -> UserView:
    return UserView(
        row.id,
        row.email,
        row.name,
        row.language,
        row.is_operator,
        row.may_be_named,
        row.created_at,
        row.anonymised_at,
    )

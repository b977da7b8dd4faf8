"""Links: invitations that give a role, and links that set a new password.

A token is shown once, to the person who made the link; kept is only its SHA-256, so whoever reads the database can use
none. Nothing here sends email. A link is good until it is used up, revoked or too old.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NotAllowed, NotFound, NotSignedIn
from drafting.services import audit, notices, people
from drafting.services.access import MEMBER_ROLES, Actor, Role, actor_of, require
from drafting.services.accounts import email_of, new_user, own_row, set_password
from drafting.services.clock import now
from drafting.store.database import verb
from drafting.store.models import Document, Invitation, Membership, Organization, User

INVITATION_DAYS, RESET_DAYS = 30, 2


@dataclass(frozen=True, slots=True)
class Link:
    """A link just made. `token` is shown once and kept nowhere."""

    id: int
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation, open or not, without its token."""

    id: int
    document_id: int
    document_slug: str
    document_title: str
    role: Role
    organization_id: int | None
    organization: str
    email: str | None
    created_at: datetime
    expires_at: datetime
    uses_left: int
    is_open: bool


# ── invitations ─────────────────────────────────────────────────────────────────────────────────────────


@verb
def invite(
    session: Session,
    actor: Actor,
    document_id: int,
    role: str,
    *,
    organization_id: int | None = None,
    email: str | None = None,
    uses: int = 1,
    days: int = INVITATION_DAYS,
) -> Link:
    """A link that gives whoever follows it a role in the document, on behalf of an organisation.

    email    given: only an account with this address can accept it
    uses     how many people may accept it, 1 to 500
    days     how long it is good for, 1 to 365
    commits  yes, once
    needs    manage_people
    """
    require(session, actor, "manage_people", document_id)
    if role not in MEMBER_ROLES:
        raise InvalidInput(f"there is no role {role!r}; roles are {', '.join(MEMBER_ROLES)}", field="role")
    people.check_organization(session, document_id, organization_id)
    if not 1 <= uses <= 500 or not 1 <= days <= 365:
        raise InvalidInput("an invitation is for 1 to 500 people and for 1 to 365 days", field="uses")
    if email is not None:
        email = email_of(email)
        if uses != 1:
            raise InvalidInput("an invitation to one address can be used once", field="uses")
    link = _new_link(
        session,
        actor,
        "invite",
        days,
        document_id=document_id,
        role=str(role),
        organization_id=organization_id,
        email=email,
        uses_left=uses,
    )
    data = {"invitation": link.id, "role": str(role), "organization": organization_id, "uses": uses}
    audit.record(session, document_id, actor, "invitation_made", data)
    return link


def invitations(session: Session, actor: Actor, document_id: int) -> list[InvitationView]:
    """The invitations of a document, newest first. needs: manage_people"""
    require(session, actor, "manage_people", document_id)
    rows = session.scalars(
        select(Invitation)
        .where(Invitation.document_id == document_id, Invitation.purpose == "invite")
        .order_by(Invitation.id.desc())
    )
    return [_invitation_view(session, row) for row in rows]


@verb
def revoke_invitation(session: Session, actor: Actor, invitation_id: int) -> None:
    """The link does nothing any more. commits: yes, once. needs: manage_people"""
    row = session.get(Invitation, invitation_id)
    if row is None or row.document_id is None or row.purpose != "invite":
        raise NotFound("there is no such invitation")
    require(session, actor, "manage_people", row.document_id)
    if row.revoked_at is None:
        row.revoked_at = now()
        audit.record(session, row.document_id, actor, "invitation_revoked", {"invitation": row.id})


def invitation(session: Session, token: str) -> InvitationView:
    """What a link offers, for the page that it opens. raises: NotFound when it is used up, too old or revoked"""
    return _invitation_view(session, _open_link(session, token, "invite"))


@verb
def accept_invitation(
    session: Session,
    actor: Actor,
    token: str,
    *,
    email: str = "",
    name: str = "",
    password: str = "",
    language: str = "pl",
) -> Actor:
    """The person who accepted, with the new role: the one signed in, or else a new account from what is given.

    raises   NotFound when the link is not good, NameTaken when the address has an account (sign in, then accept),
             NotAllowed when the invitation is for another address
    commits  yes, once
    """
    row = _open_link(session, token, "invite", lock=True)
    if actor.user_id is not None:
        person = own_row(session, actor)
    else:
        person = new_user(session, email, name, password, language, is_operator=False)
    if row.email is not None and person.email != row.email:
        raise NotAllowed("this invitation is for another address", action="accept_invitation", role="", phase="")
    assert row.document_id is not None and row.role is not None
    people.join(session, person.id, row.document_id, Role(row.role), row.organization_id)
    row.uses_left -= 1
    joined = actor_of(session, person.id)
    data = {"user": person.id, "role": row.role, "organization": row.organization_id, "invitation": row.id}
    audit.record(session, row.document_id, joined, "member_joined", data)
    notices.notify(session, [row.created_by_id], row.document_id, "member_joined", data, but=joined)
    return joined


# ── reset links ─────────────────────────────────────────────────────────────────────────────────────────


@verb
def make_reset_link(session: Session, actor: Actor, user_id: int) -> Link:
    """A link with which a person sets a new password; good once and for two days.

    A coordinator makes it for a member of their own document, but not for an operator, nor for somebody who is also
    a member where the coordinator is not one: that would be a way into other documents. Operators make it for anybody.
    commits  yes, once
    """
    row = session.get(User, user_id)
    if row is None or row.anonymised_at is not None:
        raise NotFound("there is no such account")
    if not actor.is_operator:
        if actor.user_id is None:
            raise NotSignedIn("sign in to make a reset link")
        theirs = set(
            session.scalars(
                select(Membership.document_id).where(Membership.user_id == user_id, Membership.ended_at.is_(None))
            )
        )
        mine = {at for at, member in actor.memberships if member.role is Role.COORDINATOR}
        if not theirs & mine:
            raise NotFound("there is no such account")
        if row.is_operator or theirs - mine:
            raise NotAllowed(
                "this person also has rights where you are not coordinator; ask an operator of the server",
                action="make_reset_link",
                role=str(Role.COORDINATOR),
                phase="",
            )
        for document_id in sorted(theirs):
            audit.record(session, document_id, actor, "reset_link_made", {"user": user_id})
    return _new_link(session, actor, "reset", RESET_DAYS, user_id=user_id)


def reset_name(session: Session, token: str) -> str:
    """Whose password a reset link sets, for the page that it opens. raises: NotFound when the link is not good"""
    link = _open_link(session, token, "reset")
    assert link.user_id is not None
    return session.get_one(User, link.user_id).name


@verb
def reset_password(session: Session, token: str, password: str) -> Actor:
    """The person, whose password is now this one; all their sessions and other reset links are ended.

    raises   NotFound when the link is not good, InvalidInput when the password is too weak
    commits  yes, once
    """
    link = _open_link(session, token, "reset", lock=True)
    assert link.user_id is not None
    row = session.get_one(User, link.user_id)
    if row.anonymised_at is not None:
        raise NotFound("this link is not good any more")
    set_password(session, row, password)
    return actor_of(session, row.id)


# ── what the functions above are made of ────────────────────────────────────────────────────────────────


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _new_link(session: Session, actor: Actor, purpose: str, days: int, **columns: object) -> Link:
    token = secrets.token_urlsafe(24)  # 192 bits: cannot be guessed, so looking it up by hash is enough
    row = Invitation(
        purpose=purpose,
        token_hash=_token_hash(token),
        created_by_id=actor.user_id,
        created_at=now(),
        expires_at=now() + timedelta(days=days),
        **columns,
    )
    session.add(row)
    session.flush()
    return Link(row.id, token, row.expires_at)


def _open_link(session: Session, token: str, purpose: str, *, lock: bool = False) -> Invitation:
    """The row of a link that is still good. lock: until the transaction ends, so that its last use is used once."""
    query = select(Invitation).where(Invitation.token_hash == _token_hash(token), Invitation.purpose == purpose)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None or not _is_open(row):
        raise NotFound("this link is not good any more: it was used, revoked, or is too old")
    return row


def _is_open(row: Invitation) -> bool:
    return row.revoked_at is None and row.uses_left > 0 and now() < row.expires_at


def _invitation_view(session: Session, row: Invitation) -> InvitationView:
    document = session.get_one(Document, row.document_id)
    organization = session.get(Organization, row.organization_id) if row.organization_id else None
    return InvitationView(
        row.id,
        document.id,
        document.slug,
        document.title,
        Role(row.role or Role.OBSERVER),
        row.organization_id,
        organization.name if organization else "",
        row.email,
        row.created_at,
        row.expires_at,
        row.uses_left,
        _is_open(row),
    )

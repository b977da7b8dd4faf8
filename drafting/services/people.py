"""The people of a document: its members and their roles, its organisations, and the origins changes come from.

An origin is "on behalf of": an organisation, a meeting, or an organisation at a meeting. There is one row for each
that was ever used. Organisations have a badge of two to four letters and a hue of 1 to 12, given out so that they
differ as long as they can.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from drafting.errors import InvalidInput, NameTaken, NotAllowed, NotFound, WrongState
from drafting.services import audit, movements, notices
from drafting.services.access import MEMBER_ROLES, Actor, Role, allowed, require, speaks_for
from drafting.services.clock import now
from drafting.store.database import breaks_uniqueness, verb
from drafting.store.models import Document, Meeting, Membership, Organization, Origin, User

HUES = 12  # of the design system; further organisations share, and differ by their badge
KINDS = ("ngo", "department", "council", "office", "person")


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """An organisation of a document."""

    id: int
    document_id: int
    name: str
    code: str
    hue: int
    kind: str
    description: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MemberView:
    """A person in a document. `email` is shown to coordinators only."""

    user_id: int
    name: str
    role: Role
    organization: OrganizationView | None
    email: str | None
    since: datetime
    last_seen_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class OriginView:
    """On whose behalf. `id` is None for one that has not been used yet: `use_origin` makes it."""

    id: int | None
    organization_id: int | None
    organization: str
    code: str
    organization_hue: int | None
    meeting_id: int | None
    meeting_number: int | None
    meeting: str
    meeting_hue: int | None

    @property
    def label(self) -> str:
        """ "Fundacja Zielona, spotkanie 4" without the words that need translating: name, number."""
        return " · ".join(part for part in (self.organization, self.meeting) if part)


# ── members ─────────────────────────────────────────────────────────────────────────────────────────────


def members(session: Session, actor: Actor, document_id: int, *, ended: bool = False) -> list[MemberView]:
    """The people of a document by role and name.

    ended  also those whose membership has ended
    needs  see_members; addresses are shown only with manage_people
    """
    document = require(session, actor, "see_members", document_id)
    with_email = allowed(actor, "manage_people", document)
    query = select(Membership).where(Membership.document_id == document_id)
    if not ended:
        query = query.where(Membership.ended_at.is_(None))
    order = {role: place for place, role in enumerate(MEMBER_ROLES)}
    rows = session.scalars(query).unique().all()
    views = [_member_view(row, with_email) for row in rows]
    return sorted(views, key=lambda view: (order[view.role], view.name.casefold(), view.user_id))


@verb
def change_member(
    session: Session, actor: Actor, document_id: int, user_id: int, role: str, organization_id: int | None = None
) -> MemberView:
    """The member with another role or organisation.

    raises   WrongState when it would leave the document without a coordinator
    commits  yes, once
    needs    manage_people
    """
    require(session, actor, "manage_people", document_id)
    check_role(role)
    check_organization(session, document_id, organization_id)
    _membership(session, document_id, user_id)
    row = join(session, user_id, document_id, Role(role), organization_id)
    data = {"user": user_id, "role": str(role), "organization": organization_id}
    audit.record(session, document_id, actor, "member_changed", data)
    movements.announce(session, document_id, "people")
    notices.notify(session, [user_id], document_id, "member_changed", data, but=actor)
    return _member_view(row, with_email=True)


@verb
def add_member(
    session: Session, actor: Actor, document_id: int, user_id: int, role: str, organization_id: int | None = None
) -> MemberView:
    """A person who has an account, as a member; for the command line and the demo: people come by invitation.

    commits  yes, once
    needs    manage_people, or to be an operator
    """
    if not actor.is_operator:
        require(session, actor, "manage_people", document_id)
    check_role(role)
    check_organization(session, document_id, organization_id)
    person = session.get(User, user_id)
    if person is None or person.anonymised_at is not None:
        raise NotFound("there is no such account")
    row = join(session, user_id, document_id, Role(role), organization_id)
    data = {"user": user_id, "role": str(role), "organization": organization_id}
    audit.record(session, document_id, actor, "member_joined", data)
    return _member_view(row, with_email=True)


@verb
def end_membership(session: Session, actor: Actor, document_id: int, user_id: int) -> None:
    """The person is no longer a member; what they did stays.

    raises   WrongState for the only coordinator
    commits  yes, once
    needs    manage_people, or to be that person
    """
    if actor.user_id != user_id:
        require(session, actor, "manage_people", document_id)
    row = _membership(session, document_id, user_id)
    if row.role == Role.COORDINATOR:
        keep_a_coordinator(session, row)
    row.ended_at = now()
    audit.record(session, document_id, actor, "member_left", {"user": user_id})
    movements.announce(session, document_id, "people")


@verb
def seen(session: Session, actor: Actor, document_id: int) -> datetime | None:
    """When the actor was last here, before now; None at the first visit and for people who are no members.

    commits  yes, once
    """
    row = session.scalar(
        select(Membership).where(
            Membership.document_id == document_id,
            Membership.user_id == actor.user_id,
            Membership.ended_at.is_(None),
        )
    )
    if row is None:
        return None
    before, row.last_seen_at = row.last_seen_at, now()
    return before


def last_seen(session: Session, actor: Actor, document_id: int) -> datetime | None:
    """When the actor was last here, for "what happened while I was away"."""
    return session.scalar(
        select(Membership.last_seen_at).where(
            Membership.document_id == document_id, Membership.user_id == actor.user_id
        )
    )


def keep_a_coordinator(session: Session, leaving: Membership) -> None:
    """Passes when the document has another coordinator than this one. raises: WrongState"""
    session.execute(select(Document.id).where(Document.id == leaving.document_id).with_for_update())
    others = session.scalar(
        select(func.count()).where(
            Membership.document_id == leaving.document_id,
            Membership.role == Role.COORDINATOR,
            Membership.ended_at.is_(None),
            Membership.id != leaving.id,
        )
    )
    if not others:
        raise WrongState(
            "this is the only coordinator of the document; make somebody else coordinator first",
            document=leaving.document_id,
        )


def join(session: Session, user_id: int, document_id: int, role: Role, organization_id: int | None) -> Membership:
    """The person's membership with this role: new, taken up again, or changed."""
    row = session.scalar(select(Membership).where(Membership.document_id == document_id, Membership.user_id == user_id))
    if row is None:
        row = Membership(
            document_id=document_id,
            user_id=user_id,
            role=str(role),
            organization_id=organization_id,
            created_at=now(),
        )
        session.add(row)
    else:
        if row.role == Role.COORDINATOR and role is not Role.COORDINATOR and row.ended_at is None:
            keep_a_coordinator(session, row)
        row.role, row.organization_id, row.ended_at = str(role), organization_id, None
    session.flush()
    session.refresh(row)  # its organisation, when that changed
    return row


def check_organization(session: Session, document_id: int, organization_id: int | None) -> None:
    """Passes for None and for an organisation of this document. raises: NotFound"""
    if organization_id is not None:
        row = session.get(Organization, organization_id)
        if row is None or row.document_id != document_id:
            raise NotFound("there is no such organisation in this document", organization=organization_id)


def check_role(role: str) -> None:
    """Passes for the roles a member can have. raises: InvalidInput"""
    if role not in MEMBER_ROLES:
        raise InvalidInput(f"there is no role {role!r}; roles are {', '.join(MEMBER_ROLES)}", field="role")


def _membership(session: Session, document_id: int, user_id: int) -> Membership:
    row = session.scalar(
        select(Membership).where(
            Membership.document_id == document_id, Membership.user_id == user_id, Membership.ended_at.is_(None)
        )
    )
    if row is None:
        raise NotFound("this person is not a member of the document")
    return row


def _member_view(row: Membership, with_email: bool) -> MemberView:
    return MemberView(
        row.user_id,
        row.user.name,
        Role(row.role),
        organization_view(row.organization) if row.organization else None,
        row.user.email if with_email else None,
        row.created_at,
        row.last_seen_at,
        row.ended_at,
    )


# ── organisations ───────────────────────────────────────────────────────────────────────────────────────


def organizations(session: Session, actor: Actor, document_id: int) -> list[OrganizationView]:
    """The organisations of a document by name. needs: read"""
    require(session, actor, "read", document_id)
    rows = session.scalars(select(Organization).where(Organization.document_id == document_id))
    return sorted(map(organization_view, rows), key=lambda view: alphabetical(view.name))


def organization(session: Session, actor: Actor, document_id: int, code: str) -> OrganizationView:
    """The organisation with this badge. needs: read"""
    require(session, actor, "read", document_id)
    row = session.scalar(
        select(Organization).where(Organization.document_id == document_id, Organization.code == code.upper())
    )
    if row is None:
        raise NotFound("there is no such organisation in this document")
    return organization_view(row)


@verb
def add_organization(
    session: Session,
    actor: Actor,
    document_id: int,
    name: str,
    *,
    code: str = "",
    hue: int | None = None,
    kind: str = "ngo",
    description: str = "",
) -> OrganizationView:
    """The new organisation.

    code     two to four letters or digits for its badge; made from the name when empty
    hue      1 to 12; the least used when None
    raises   NameTaken when the name or the badge is in use
    commits  yes, once
    needs    manage_organizations
    """
    document = require(session, actor, "manage_organizations", document_id)
    session.execute(select(Document.id).where(Document.id == document.id).with_for_update())
    rows = session.scalars(select(Organization).where(Organization.document_id == document_id)).all()
    row = Organization(
        document_id=document_id,
        name=_organization_name(name),
        code=_code(code) if code else _free_code(name, {each.code for each in rows}),
        hue=_free_hue([each.hue for each in rows]) if hue is None else _hue(hue),
        kind=_kind(kind),
        description=description.strip(),
        created_at=now(),
    )
    session.add(row)
    _flush_names(session)
    audit.record(session, document_id, actor, "organization_added", {"organization": row.id, "name": row.name})
    return organization_view(row)


@verb
def change_organization(
    session: Session,
    actor: Actor,
    organization_id: int,
    *,
    name: str | None = None,
    code: str | None = None,
    hue: int | None = None,
    kind: str | None = None,
    description: str | None = None,
) -> OrganizationView:
    """The organisation with these changes. raises: NameTaken. commits: yes, once. needs: manage_organizations"""
    row = session.get(Organization, organization_id)
    if row is None:
        raise NotFound("there is no such organisation")
    require(session, actor, "manage_organizations", row.document_id)
    if name is not None:
        row.name = _organization_name(name)
    if code is not None:
        row.code = _code(code)
    if hue is not None:
        row.hue = _hue(hue)
    if kind is not None:
        row.kind = _kind(kind)
    if description is not None:
        row.description = description.strip()
    _flush_names(session)
    audit.record(session, row.document_id, actor, "organization_changed", {"organization": row.id, "name": row.name})
    return organization_view(row)


def organization_view(row: Organization) -> OrganizationView:
    """The value of an organisation's row."""
    return OrganizationView(
        row.id, row.document_id, row.name, row.code, row.hue, row.kind, row.description, row.created_at
    )


def _organization_name(name: str) -> str:
    plain = " ".join(name.split())
    if not 1 <= len(plain) <= 200:
        raise InvalidInput("an organisation has a name of 1 to 200 characters", field="name")
    return plain


def _code(code: str) -> str:
    plain = code.strip().upper()
    if not 2 <= len(plain) <= 4 or not plain.isalnum():
        raise InvalidInput("a badge has 2 to 4 letters or digits", field="code")
    return plain


def _hue(hue: int) -> int:
    if not 1 <= hue <= HUES:
        raise InvalidInput(f"a hue is a number from 1 to {HUES}", field="hue")
    return hue


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise InvalidInput(f"there is no kind {kind!r}; kinds are {', '.join(KINDS)}", field="kind")
    return kind


def _free_code(name: str, taken: set[str]) -> str:
    """Two or three letters that stand for the name: its initials, else its beginning, else with a number."""
    words = re.findall(r"\w+", name.upper())
    letters = "".join(words)
    initials = "".join(word[0] for word in words if len(word) > 1)
    for candidate in (initials[:3], initials[:2], letters[:2], letters[:3], letters[:1] + letters[-1:], letters[:4]):
        if len(candidate) >= 2 and candidate not in taken:
            return candidate
    first = letters[:1] or "X"
    return next(f"{first}{number}" for number in range(1, 1000) if f"{first}{number}" not in taken)


def _free_hue(used: Collection[int]) -> int:
    """The hue that is used least, the lowest of them."""
    counts = {hue: 0 for hue in range(1, HUES + 1)}
    for hue in used:
        counts[hue] = counts.get(hue, 0) + 1
    return min(range(1, HUES + 1), key=lambda hue: (counts[hue], hue))


def _flush_names(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if not breaks_uniqueness(error):
            raise
        raise NameTaken("an organisation of this document has this name or badge already", field="name") from None


_AFTER = {letter: f"{plain}{{" for letter, plain in zip("ąćęłńóśź", "acelnosz", strict=True)} | {"ż": "z|"}


def alphabetical(name: str) -> tuple[str, str]:
    """A key in the order of the Polish alphabet (s, then ś), whatever the locale of machine or database is."""
    polish = name.casefold().translate(str.maketrans(_AFTER))  # "{" and "|" stand behind z
    plain = unicodedata.normalize("NFKD", polish)
    return "".join(character for character in plain if not unicodedata.combining(character)), name


# ── origins ─────────────────────────────────────────────────────────────────────────────────────────────


def origins(session: Session, actor: Actor, document_id: int) -> list[OriginView]:
    """All origins that something of the document has. needs: read"""
    require(session, actor, "read", document_id)
    rows = session.scalars(select(Origin).where(Origin.document_id == document_id).order_by(Origin.id)).unique()
    return [origin_view(row) for row in rows]


@verb
def use_origin(
    session: Session,
    actor: Actor,
    document_id: int,
    organization_id: int | None = None,
    meeting_id: int | None = None,
) -> OriginView:
    """The origin with this organisation and meeting, made if it is new.

    raises   InvalidInput when both are None, NotFound when they are not of this document,
             NotAllowed when the actor may not speak for them
    commits  yes, once
    """
    document = require(session, actor, "read", document_id)
    if organization_id is None and meeting_id is None:
        raise InvalidInput("an origin names an organisation, a meeting, or both", field="origin")
    check_organization(session, document_id, organization_id)
    if meeting_id is not None:
        meeting = session.get(Meeting, meeting_id)
        if meeting is None or meeting.document_id != document_id:
            raise NotFound("there is no such meeting in this document", meeting=meeting_id)
    if not speaks_for(actor, document, organization_id, meeting_id):
        raise _not_theirs(actor, document)
    key = (f"o{organization_id}" if organization_id else "") + (f"m{meeting_id}" if meeting_id else "")
    query = select(Origin).where(Origin.document_id == document_id, Origin.key == key)
    row = session.scalars(query).unique().one_or_none()
    if row is None:
        row = Origin(document_id=document_id, organization_id=organization_id, meeting_id=meeting_id, key=key)
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:  # somebody else made it at the same moment
            row = session.scalars(query).unique().one()
    return origin_view(row)


def check_origins(session: Session, actor: Actor, document: Document, origin_ids: Collection[int]) -> list[int]:
    """The ids, each once and in order, when they are of this document and the actor may speak for all of them.

    raises  NotFound, NotAllowed
    """
    wanted = sorted(set(origin_ids))
    if not wanted:
        return []
    rows = session.execute(
        select(Origin.id, Origin.organization_id, Origin.meeting_id).where(
            Origin.document_id == document.id, Origin.id.in_(wanted)
        )
    ).all()
    if len(rows) != len(wanted):
        raise NotFound("there is no such origin in this document", origins=wanted)
    for row in rows:
        if not speaks_for(actor, document, row.organization_id, row.meeting_id):
            raise _not_theirs(actor, document)
    return wanted


def own_origin(session: Session, actor: Actor, document_id: int) -> OriginView | None:
    """What the actor's changes are on behalf of unless they say otherwise: their organisation. commits: yes, once"""
    organization_id = actor.organization_id(document_id)
    return None if organization_id is None else use_origin(session, actor, document_id, organization_id)


def origin_view(row: Origin) -> OriginView:
    """The value of an origin's row."""
    organization, meeting = row.organization, row.meeting
    return OriginView(
        row.id,
        row.organization_id,
        organization.name if organization else "",
        organization.code if organization else "",
        organization.hue if organization else None,
        row.meeting_id,
        meeting.number if meeting else None,
        (meeting.short or meeting.topic) if meeting else "",
        meeting.hue if meeting else None,
    )


def _not_theirs(actor: Actor, document: Document) -> NotAllowed:
    return NotAllowed(
        "one may speak for one's own organisation only",
        action="speak_for_anyone",
        role=str(actor.role(document)),
        phase=document.phase,
    )

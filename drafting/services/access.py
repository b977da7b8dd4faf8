"""Who may do what, when: one table, read by `allowed` and `require`. Nothing else in Drafting decides this.

The table is text, so that a coordinator can read it. One letter is a role; a capital may as long as the phase lasts, a
small letter until its deadline (`Document.phase_ends_at`), which the server's clock decides. What a table cannot say
is said by the functions below it: whose suggestion it is, which origins a person may speak for, drafts that only
their own organisation sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import Session

from drafting.errors import NotAllowed, NotFound, NotSignedIn
from drafting.services.clock import now
from drafting.store.models import Document, Membership, Suggestion, User


class Role(StrEnum):
    """What a person is in one document."""

    COORDINATOR = "coordinator"  # runs the process
    DRAFTER = "drafter"  # the team: writes the main text
    OFFICIAL = "official"  # decides, and writes the main text once the draft is with the city
    CONTRIBUTOR = "contributor"  # an NGO: suggests, annotates, endorses
    COUNCIL = "council"  # gives its opinion as a body
    OBSERVER = "observer"  # reads
    PUBLIC = "public"  # everybody else, with or without an account


PHASES = ("drafting", "consultation", "review", "opinion", "adopted")
MEMBER_ROLES = tuple(role for role in Role if role is not Role.PUBLIC)

# C coordinator · D drafter · O official · N contributor (NGO) · B council (body) · R observer (reader) · P public
# A small letter: only until the deadline of the phase.
TABLE = """
action                drafting   consultation  review    opinion   adopted

# reading; for P only when the document is published, else it does not exist for them
read                  CDONBRP    CDONBRP       CDONBRP   CDONBRP   CDONBRP
report                CDONBRP    CDONBRP       CDONBRP   CDONBRP   CDONBRP
export                CDONBRP    CDONBRP       CDONBRP   CDONBRP   CDONBRP
audit                 CDONBRP    CDONBRP       CDONBRP   CDONBRP   CDONBRP
see_members           CDONBR     CDONBR        CDONBR    CDONBR    CDONBR

# the main text
edit                  CD         CD            CO        CO        -
restore               CD         CD            CO        CO        -
structure             CD         CD            CO        CO        -

# proposals; withdraw and amend: one's own
suggest               CDO        CDOn          CDO       COb       -
file                  CDO        CDOn          CDO       COb       -
withdraw              CDON       CDON          CDON      CDONB     -
endorse               -          Dn            -         b         -
speak_for_anyone      CDO        CDO           CDO       CO        -

# remarks; resolve_own: the author of the remark
annotate              CDON       CDOn          CDO       COb       -
reply                 CDON       CDON          CDON      CDONB     -
resolve               CDO        CDO           CDO       CDO       -
resolve_own           CDON       CDON          CDON      CDONB     -
place                 CDO        CDO           CDO       CDO       -
answer                CO         CO            CO        CO        -
moderate              C          C             C         C         C

# decisions
decide                CO         CO            CO        CO        -
reword                CO         CO            CO        CO        -
revert                CO         CO            CO        CO        -

# the process
milestone             CD         CD            CO        CO        C
manage_meetings       CD         CD            CD        CD        C
manage_organizations  CD         CD            C         C         C
manage_people         C          C             C         C         C
manage_phase          C          C             C         C         C
manage_document       C          C             C         C         C
publish               C          C             C         C         C
news                  C          C             C         C         C
"""

LETTERS = dict(zip("CDONBRP", Role, strict=True))


def _parse(table: str) -> dict[tuple[str, str], dict[Role, bool]]:
    """(action, phase) → {role: only until the deadline}."""
    rules: dict[tuple[str, str], dict[Role, bool]] = {}
    lines = [line.split() for line in table.splitlines() if line.strip() and not line.startswith("#")]
    phases = lines[0][1:]
    for action, *cells in lines[1:]:
        for phase, cell in zip(phases, cells, strict=True):
            letters = "" if cell == "-" else cell
            rules[action, phase] = {LETTERS[letter.upper()]: letter.islower() for letter in letters}
    return rules


RULES = _parse(TABLE)
ACTIONS = tuple(dict.fromkeys(action for action, _ in RULES))

# Actions that are not about a document: creating one is the operator's.
CREATE_DOCUMENT = "create_document"


@dataclass(frozen=True, slots=True)
class Member:
    """What an actor is in one document."""

    role: Role
    organization_id: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking. Holds what was true when it was made: make it anew for each request, and often on a socket."""

    user_id: int | None = None
    name: str = ""
    language: str = ""
    is_operator: bool = False
    session_epoch: int = 0
    memberships: tuple[tuple[int, Member], ...] = ()  # (document id, what they are there)

    @property
    def is_signed_in(self) -> bool:
        return self.user_id is not None

    def member(self, document: Document | int) -> Member | None:
        """What the actor is in the document, or None."""
        document_id = document if isinstance(document, int) else document.id
        return next((member for at, member in self.memberships if at == document_id), None)

    def role(self, document: Document | int) -> Role:
        """The actor's role in the document; PUBLIC for everybody who is not a member."""
        member = self.member(document)
        return Role.PUBLIC if member is None else member.role

    def organization_id(self, document: Document | int) -> int | None:
        """The organisation the actor speaks for in the document."""
        member = self.member(document)
        return None if member is None else member.organization_id


ANONYMOUS = Actor()
SERVER = Actor(name="server", is_operator=True)  # the command line of the machine that holds the database


def actor_of(session: Session, user_id: int | None) -> Actor:
    """The person with the roles they have now; ANONYMOUS for None and for accounts that are gone."""
    user = None if user_id is None else session.get(User, user_id)
    if user is None or user.anonymised_at is not None:
        return ANONYMOUS
    rows = session.execute(
        select(Membership.document_id, Membership.role, Membership.organization_id)
        .where(Membership.user_id == user_id, Membership.ended_at.is_(None))
        .order_by(Membership.document_id)
    )
    return Actor(
        user_id=user.id,
        name=user.name,
        language=user.language,
        is_operator=user.is_operator,
        session_epoch=user.session_epoch,
        memberships=tuple((row.document_id, Member(Role(row.role), row.organization_id)) for row in rows),
    )


# ── the table asked ─────────────────────────────────────────────────────────────────────────────────────


def permitted(role: Role, action: str, phase: str, *, deadline_passed: bool = False) -> bool:
    """What the table says."""
    only_until_deadline = RULES[action, phase].get(role)
    return only_until_deadline is not None and not (only_until_deadline and deadline_passed)


def allowed(actor: Actor, action: str, document: Document, at: datetime | None = None) -> bool:
    """Whether the actor may do this in the document, now or at a given time."""
    role = actor.role(document)
    if role is Role.PUBLIC and not document.is_public:
        return False
    passed = document.phase_ends_at is not None and (at or now()) >= document.phase_ends_at
    return permitted(role, action, document.phase, deadline_passed=passed)


def allowed_actions(actor: Actor, document: Document) -> frozenset[str]:
    """Everything the actor may do in the document now, for showing only what works."""
    return frozenset(action for action in ACTIONS if allowed(actor, action, document))


def require(session: Session, actor: Actor, action: str, document: Document | int) -> Document:
    """The document, when the actor may do this in it now.

    document  its row or its id
    raises    NotFound when the actor may not know that it exists, NotSignedIn when an account could help,
              NotAllowed with action, role and phase otherwise
    """
    row = session.get(Document, document) if isinstance(document, int) else document
    if row is None or not allowed(actor, "read", row):
        raise NotFound("there is no such document, or it is not published")
    if allowed(actor, action, row):
        return row
    if not actor.is_signed_in:
        raise NotSignedIn(f"sign in to {action.replace('_', ' ')}", action=action)
    role = actor.role(row)
    late = permitted(role, action, row.phase)
    raise NotAllowed(
        f"as {role} one may not {action.replace('_', ' ')} in the phase {row.phase}"
        + (f", whose deadline was {row.phase_ends_at:%Y-%m-%d %H:%M} UTC" if late else ""),
        action=action,
        role=str(role),
        phase=row.phase,
        deadline_passed=late,
    )


def require_operator(actor: Actor, action: str = CREATE_DOCUMENT) -> None:
    """Passes for operators of this server, who need no role in any document."""
    if not actor.is_operator:
        if not actor.is_signed_in:
            raise NotSignedIn(f"sign in to {action.replace('_', ' ')}", action=action)
        raise NotAllowed(f"only an operator may {action.replace('_', ' ')}", action=action, role="", phase="")


# ── whose it is ─────────────────────────────────────────────────────────────────────────────────────────


def belongs_to(actor: Actor, suggestion: Suggestion) -> bool:
    """Whether the suggestion is the actor's own: they opened it, or it is their organisation's."""
    if actor.user_id is None:
        return False
    organization_id = actor.organization_id(suggestion.document_id)
    return suggestion.author_id == actor.user_id or (
        organization_id is not None and suggestion.organization_id == organization_id
    )


def sees_suggestion(actor: Actor, document: Document, suggestion: Suggestion) -> bool:
    """Whether the actor may know of it: everybody who reads once it was filed, only its owners before."""
    return allowed(actor, "read", document) and (suggestion.filed_at is not None or belongs_to(actor, suggestion))


def visible_suggestions(actor: Actor, document: Document) -> ColumnElement[bool]:
    """The condition of a query for the suggestions that `sees_suggestion` lets through in a document one may read."""
    seen: list[ColumnElement[bool]] = [Suggestion.filed_at.is_not(None)]
    if actor.user_id is not None:
        seen.append(Suggestion.author_id == actor.user_id)
    organization_id = actor.organization_id(document)
    if organization_id is not None:
        seen.append(Suggestion.organization_id == organization_id)
    return and_(Suggestion.document_id == document.id, or_(*seen))


def readable_documents(actor: Actor) -> ColumnElement[bool]:
    """The condition of a query for the documents that the actor may read."""
    mine = [document_id for document_id, _ in actor.memberships]
    return or_(Document.is_public.is_(true()), Document.id.in_(mine))


def require_own(session: Session, actor: Actor, action: str, suggestion: Suggestion) -> Document:
    """The document, when the actor may do this to a suggestion of their own.

    raises  NotFound when they may not know of it; NotAllowed when it is somebody else's
    """
    document = require(session, actor, "read", suggestion.document_id)
    if not sees_suggestion(actor, document, suggestion):
        raise NotFound("there is no such suggestion")
    require(session, actor, action, document)
    if not belongs_to(actor, suggestion):
        raise NotAllowed(
            f"suggestion {suggestion.number} is not yours or your organisation's",
            action=action,
            role=str(actor.role(document)),
            phase=document.phase,
        )
    return document


def speaks_for(actor: Actor, document: Document, organization_id: int | None, meeting_id: int | None) -> bool:
    """Whether the actor may write on behalf of these: their own organisation at any meeting, or anybody."""
    if allowed(actor, "speak_for_anyone", document):
        return True
    own = actor.organization_id(document)
    return own is not None and organization_id == own

"""Under which name somebody stands in a file that leaves the system: an organisation's; a private person's only if they
agreed. Files in Word, CriticMarkup and git ask here, so that none of them says more than another."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.services.people import OrganizationView
from drafting.services.suggestions import SuggestionView
from drafting.store.models import Document, Membership, Organization, User

SOMEBODY = {"pl": "uczestnik konsultacji", "en": "participant"}


class Names:
    """The names of one document. `private`: organisations that are one person who did not agree to be named."""

    def __init__(self, session: Session, document: Document) -> None:
        self.somebody = SOMEBODY.get(document.language, SOMEBODY["en"])
        self.named = set(
            session.scalars(select(User.id).where(User.may_be_named.is_(True), User.anonymised_at.is_(None)))
        )
        agreed = (
            select(Membership.organization_id)
            .join(User, User.id == Membership.user_id)
            .where(
                Membership.document_id == document.id,
                Membership.organization_id.is_not(None),
                User.may_be_named.is_(True),
                User.anonymised_at.is_(None),
            )
        )
        self.private = set(
            session.scalars(
                select(Organization.id).where(
                    Organization.document_id == document.id, Organization.kind == "person", Organization.id.not_in(agreed)
                )
            )
        )

    def proposer(self, view: SuggestionView) -> str:
        """On whose behalf: the origins' organisations, else the author's, else the person if they agreed."""
        names = [
            self.somebody if one.organization_id in self.private else one.organization
            for one in view.origins
            if one.organization
        ]
        return ", ".join(dict.fromkeys(names)) or self.of(view.organization, view.author, view.author_id)

    def of(self, organization: OrganizationView | None, person: str, person_id: int) -> str:
        if organization is not None:
            return self.somebody if organization.id in self.private else organization.name
        return person if person_id in self.named and person else self.somebody

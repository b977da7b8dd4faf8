"""What a commit of the history says: who proposed, who decided, in which words. In the language of the document.

The words are here and not in the catalogue of the pages for the reason that `report_words` has: they do not follow the
reader. Who would not be named in a Word file (`names`) is not named here: an office by its name as an office, the team
as the team, a person only if they agreed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.formats.git import Person
from drafting.services.git_steps import Step
from drafting.services.names import Names
from drafting.services.report_words import Speech
from drafting.store.models import (
    Decision,
    Document,
    Meeting,
    Membership,
    Organization,
    Origin,
    Suggestion,
    SuggestionOrigin,
    User,
)

ROLE_WORDS = {"coordinator": "team", "drafter": "team", "official": "office", "council": "council"}
TOGETHER = ("import", "restore", "move")  # one act on several sections is one commit
PIECE = 30  # characters of what was taken out, and of what was put in, in a subject
WORDS = {"coordinator": "team", "drafter": "team", "official": "office", "council": "council"}
TOGETHER = ("import", "restore", "move")  # one act on several sections is one commit
WORDS = {
    "pl": {
        "made": "Założono dokument: {title}",
        "edit": "Redakcja: {title}",
        "import": "Wczytano tekst",
        "restore": "Przywrócono wcześniejszą wersję",
        "move": "Przeniesiono fragment",
        "revert": "U-{number}: cofnięto decyzję",
        "added": "Nowa część: {title}",
        "removed": "Usunięto część: {title}",
        "restored": "Przywrócono część: {title}",
        "reordered": "Zmieniono kolejność części",
        "names": "Nazwy plików według tytułów części",
        "untitled": "(bez tytułu)",
        "nothing": "(skreślono)",
        "quoted": "„{}”",
    },
    "en": {
        "made": "Document created: {title}",
        "edit": "Edited: {title}",
        "import": "Text imported",
        "restore": "Earlier version restored",
        "move": "Passage moved",
        "revert": "U-{number}: decision taken back",
        "added": "New section: {title}",
        "removed": "Section removed: {title}",
        "restored": "Section restored: {title}",
        "reordered": "Sections put in another order",
        "names": "File names follow the headings",
        "untitled": "(untitled)",
        "nothing": "(struck out)",
        "quoted": "“{}”",
    },
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a commit says besides its files.

    key          what steps have in common that become one commit
    proposed_at  None: when it was typed
    subject      may have {title}, of the section
    """

    key: tuple[Any, ...]
    author: Person
    committer: Person
    subject: str
    proposed_at: datetime | None = None
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()


class Voices:
    """The people, organisations and meetings of one document, under the names that a commit may say."""

    def __init__(self, session: Session, document: Document) -> None:
        self.speech = Speech(document.language, document.timezone)
        self.words = WORDS[self.speech.language]
        self.team = Person(self.speech.say("team"), "team")
        self._zone = ZoneInfo(document.timezone)
        self._names = Names(session, document)
        self._kept: dict[tuple[Any, ...], Said] = {}
        self._organizations = dict(
            session.execute(select(Organization.id, Organization.name).where(Organization.document_id == document.id)).all()
        )
        self._meetings = {
            row.id: self.speech.say("meeting", number=row.number, topic=row.topic)
            for row in session.execute(
                select(Meeting.id, Meeting.number, Meeting.topic).where(Meeting.document_id == document.id)
            )
        }
        self._origins = {
            row.id: (row.organization_id, row.meeting_id)
            for row in session.execute(
                select(Origin.id, Origin.organization_id, Origin.meeting_id).where(Origin.document_id == document.id)
            )
        }
        self._members = {
            row.user_id: row
            for row in session.execute(
                select(Membership.user_id, Membership.role, Membership.organization_id).where(
                    Membership.document_id == document.id
                )
            )
        }
        self._named = dict(session.execute(select(User.id, User.name).where(User.id.in_(self._names.named))).all())
        self._decisions = {
            row.id: row
            for row in session.scalars(
                select(Decision).where(Decision.document_id == document.id, Decision.verdict != "rejected")
            )
        }
        self._suggestions = {
            row.id: row for row in session.scalars(select(Suggestion).where(Suggestion.document_id == document.id))
        }
        self._behind_suggestion: dict[int, list[int]] = {}
        for suggestion_id, origin_id in session.execute(
            select(SuggestionOrigin.suggestion_id, SuggestionOrigin.origin_id)
            .join(Suggestion, Suggestion.id == SuggestionOrigin.suggestion_id)
            .where(Suggestion.document_id == document.id)
            .order_by(SuggestionOrigin.suggestion_id, SuggestionOrigin.origin_id)
        ):
            self._behind_suggestion.setdefault(suggestion_id, []).append(origin_id)

    def local(self, at: datetime) -> datetime:
        """The time with the offset that the document's zone has then."""
        return at.astimezone(self._zone)

    def of(self, step: Step) -> Said:
        """What the commit of a revision says."""
        section_id = 0 if step.kind in TOGETHER else step.section_id
        kept = step.kind, step.author_id, step.origins, section_id, step.decision_id, step.place is not None
        said = self._kept.get(kept)
        if said is None:
            said = self._kept[kept] = self._edited(step, section_id) if step.decision_id is None else self._decided(step)
        return said

    def typist(self, user_id: int | None) -> Person:
        """A person as they may be called: by name if they agreed, else as what they are in the document."""
        if user_id in self._named:
            return Person(self._named[user_id], f"person-{user_id}")
        member = self._members.get(user_id)
        if user_id is None:
            return self.team
        role = ROLE_WORDS.get(member.role) if member else None
        if role is not None:
            return Person(self.speech.say(role), role)
        return self._organization(member.organization_id if member else None)

    def office(self, user_id: int) -> Person:
        """Who decided: by name if they agreed, else the office, with the department that they are of."""
        if user_id in self._named:
            return Person(self._named[user_id], f"person-{user_id}")
        member = self._members.get(user_id)
        office = self.speech.say("office")
        organization_id = member.organization_id if member else None
        if organization_id is None or organization_id in self._names.private:
            return Person(office, "office")
        return Person(f"{office}, {self._organizations[organization_id]}", f"office-{organization_id}")

    # ── revisions ──

    def _edited(self, step: Step, section_id: int) -> Said:
        typist = self.typist(step.author_id)
        author = self._behind(step.origins) or typist
        kind = "added" if step.place is not None and step.kind not in TOGETHER else step.kind
        subject = self.words.get(kind, self.words["edit"])
        key = step.kind, section_id, author, typist, step.origins
        return Said(key, author, typist, subject, trailers=self._sources(step.origins))

    def _decided(self, step: Step) -> Said:
        decision = self._decisions[step.decision_id or 0]
        suggestion = self._suggestions[decision.suggestion_id]
        office = self.office(decision.by_id)
        named = ("Suggestion-Id", f"U-{suggestion.number}")
        key = ("decision", decision.id)
        if step.kind != "accept":
            trailers = (named, ("Reverted-By", office.name), ("Decision", f"{decision.verdict} {decision.id}"))
            subject = self.words["revert"].format(number=suggestion.number)
            return Said(key, office, office, _literal(subject), decision.at, decision.reason, trailers)
        origins = self._behind_suggestion.get(suggestion.id, [])
        author = self._behind(origins)
        if author is None and suggestion.organization_id is not None:
            author = self._organization(suggestion.organization_id)
        author = author or self.typist(suggestion.author_id)
        fulfilled = dict.fromkeys(
            each
            for name in ("fulfilled", "shared")
            for each, _ in (decision.effects or {}).get(name, ())
            if each != suggestion.id and each in self._suggestions
        )
        form = decision.form or {}
        return Said(
            key,
            author,
            office,
            _literal(f"U-{suggestion.number}: {self._change(form.get('ground', ''), form.get('wording', ''))}"),
            suggestion.filed_at or suggestion.created_at,
            "\n\n".join(filter(None, (suggestion.reason.strip(), decision.reason.strip()))),
            (
                named,
                *(("Fulfils", f"U-{self._suggestions[each].number}") for each in fulfilled),
                *(self._sources(step.origins or tuple(origins)) or (("Source", author.name),)),
                ("Accepted-By", office.name),
                ("Decision", f"{decision.verdict} {decision.id}"),
            ),
        )

    def _change(self, ground: str, wording: str) -> str:
        old, new = (self.words["quoted"].format(shortened(each, PIECE)) if each.strip() else "" for each in (ground, wording))
        return f"{old} → {new}" if old and new else f"+ {new}" if new else f"{old} {self.words['nothing']}"

    # ── names ──

    def _organization(self, organization_id: int | None) -> Person:
        if organization_id is None or organization_id in self._names.private:
            return Person(self._names.somebody, "participant")
        return Person(self._organizations[organization_id], f"org-{organization_id}")

    def _behind(self, origin_ids: Iterable[int]) -> Person | None:
        """On whose behalf: the organisations, else the meetings; None when nobody is named."""
        found = [self._origins[each] for each in origin_ids if each in self._origins]
        people = [self._organization(organization_id) for organization_id, _ in found if organization_id is not None]
        if not people:
            people = [Person(self._meetings[each], f"meeting-{each}") for _, each in found if each in self._meetings]
        if not people:
            return None
        people = list(dict.fromkeys(people))
        return Person(", ".join(each.name for each in people), "-".join(each.key for each in people))

    def _sources(self, origin_ids: Iterable[int]) -> tuple[tuple[str, str], ...]:
        said = []
        for organization_id, meeting_id in (self._origins[each] for each in origin_ids if each in self._origins):
            parts = [self._organization(organization_id).name] if organization_id is not None else []
            said.append(", ".join([*parts, self._meetings[meeting_id]] if meeting_id in self._meetings else parts))
        return tuple(("Source", each) for each in dict.fromkeys(said) if each)


def shortened(text: str, most: int) -> str:
    """The text in one line of at most so many characters."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


def _literal(subject: str) -> str:
    """A subject in which braces are braces."""
    return subject.replace("{", "{{").replace("}", "}}")

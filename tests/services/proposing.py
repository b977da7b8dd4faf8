"""A section with people around it, and short ways to propose and decide, for tests of suggestions and decisions."""

from __future__ import annotations

from copy import copy

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import from_units, to_units
from drafting.services import decisions, editing, heads, streams, suggestions, verify
from drafting.services.access import Actor
from drafting.services.decisions import Decided, Judged
from drafting.services.suggestions import SuggestionView
from drafting.store.database import Database
from drafting.store.models import Notification
from tests import make

TEXT = "We plant 100 trees in 2027. The quick fox. 😀 Done."


class Around:
    """`ours` and `theirs` are organisations with a person each; `drafter` writes, `official` decides."""

    def __init__(self, database: Database, text: str = TEXT) -> None:
        self.database = database
        self.clients = 0
        with database.write() as session:
            document = make.document(session, phase="consultation")
            self.document_id = document.id
            ours, theirs = make.organization(session, document), make.organization(session, document)
            meeting = make.meeting(session, document)
            self.ours, self.theirs = ours.id, theirs.id
            self.origin = make.origin(session, document, ours, meeting).id
            self.other_origin = make.origin(session, document, theirs).id
            self.ngo = make.member(session, document, "contributor", ours)
            self.colleague = make.member(session, document, "contributor", ours)
            self.rival = make.member(session, document, "contributor", theirs)
            self.drafter = make.member(session, document, "drafter")
            self.official = make.member(session, document, "coordinator")
            section = make.section(session, document, text)
            session.commit()
            self.section_id, self.stream_id = section.id, section.stream_id or 0

    def propose_section(self, text: str) -> tuple[Around, SuggestionView]:
        """The same people around a whole new section, and the draft of the NGO that proposes it."""
        with self.database.write() as session:
            view = suggestions.propose_section(session, self.ngo, self.document_id)
        new = copy(self)
        new.section_id = view.section_id
        new.write(self.ngo, "", text, view)
        return new, view

    def text(self) -> str:
        with self.database.read() as session:
            return editing.text_at(session, self.official, self.section_id).text

    def branch(self, view: SuggestionView) -> str:
        with self.database.read() as session, heads.reading(session, self.section_id) as head:
            return from_units(head.proposals.branch_text(view.id))

    def write(self, actor: Actor, old: str, new: str, view: SuggestionView | None = None) -> None:
        """Replaces words in the main text, or on a suggestion's branch."""
        self.clients += 1
        with self.database.write() as session:
            stream = self.stream_id if view is None else view.stream_id
            if view is not None:
                editing.bring_up_branches(session, self.section_id, [stream])
            with heads.reading(session, self.section_id) as head:
                text = to_units(streams.present_text(head, stream))
                version = head.log_of(stream).version
            start = text.index(to_units(old))
            changes = ChangeSet.of([(start, start + len(to_units(old)), to_units(new))], len(text))
            editing.push(session, actor, stream, version, [Update(f"t{self.clients}", 1, changes)])

    def draft(self, actor: Actor, old: str, new: str, origins: tuple[int, ...] = ()) -> SuggestionView:
        with self.database.write() as session:
            view = suggestions.open_suggestion(session, actor, self.section_id, origin_ids=origins)
        self.write(actor, old, new, view)
        return self.view(view, actor)

    def propose(self, actor: Actor, old: str, new: str, origins: tuple[int, ...] = ()) -> SuggestionView:
        """A filed suggestion."""
        view = self.draft(actor, old, new, origins)
        with self.database.write() as session:
            return suggestions.file(session, actor, view.id, reason="because")

    def view(self, view: SuggestionView, actor: Actor | None = None) -> SuggestionView:
        with self.database.read() as session:
            return suggestions.suggestion(session, actor or self.official, view.id)

    def states(self, view: SuggestionView) -> list[str]:
        return [hunk.state for hunk in self.view(view).hunks]

    def decide(self, verdict: str, *views: SuggestionView, wording: str | None = None, mode: str = "",
               supersedes: tuple[tuple[int, int], ...] | None = None) -> Decided:  # fmt: skip
        """All open hunks of these, as they are read in the values given."""
        items = [
            Judged(view.id, hunk.id, view.branch_version, hunk.hash, mode) for view in views for hunk in view.open_hunks
        ]
        with self.database.write() as session:
            return decisions.decide(
                session, self.official, self.section_id, items, verdict,
                reason="reasons", wording=wording, supersedes=supersedes,
            )

    def accept(self, *views: SuggestionView, **more: object) -> Decided:
        return self.decide("accepted", *(self.view(view) for view in views), **more)  # type: ignore[arg-type]

    def revert(self, done: Decided, confirm: object = None) -> decisions.Reverted:
        with self.database.write() as session:
            return decisions.revert(session, self.official, done.decisions[0].id, confirm=confirm)

    def told(self, actor: Actor) -> list[str]:
        with self.database.read() as session:
            rows = session.query(Notification).filter_by(user_id=actor.user_id).order_by(Notification.id)
            return [row.kind for row in rows]

    def forget(self) -> None:
        with self.database.read() as session:
            heads.registry_of(session).forget_all()

    def is_clean(self) -> bool:
        with self.database.read() as session:
            return verify.verify_document(session, self.document_id) == []

"""What a worker keeps of a document's past is never stale, and a decision voids nothing that it did not touch.

One worker writes, another has read before and reads again, and what it is told is what a worker is told that has just
started; so for each thing that kept values depend on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.services import (
    accounts,
    annotations,
    decisions,
    documents,
    history,
    impact,
    matrix,
    meetings,
    milestones,
    overview,
    people,
    reporting,
    sections,
    suggestions,
    timeline,
)
from drafting.services.access import ANONYMOUS, SERVER, Actor
from drafting.services.attribution_view import Reader
from drafting.store.database import Database
from drafting.store.models import Document, Meeting, Organization
from tests.services.proposing import Around

QUOTE = "The trees ask for more."
TEXT = "We plant 100 trees in 2027. The quick fox runs. 😀 Done. A bench stands here."


class Place:
    """Everything that a document can have, so that each thing that may change is there to be changed."""

    def __init__(self, database: Database) -> None:
        self.around = around = Around(database, TEXT)
        around.write(around.drafter, "Done", "All done")
        self.taken = around.propose(around.ngo, "100", "250", (around.origin,))
        self.taken_by = around.accept(self.taken).decisions[0].id
        self.reworded = around.propose(around.rival, "quick", "swift", (around.other_origin,))
        around.decide("accepted", around.view(self.reworded), wording="very swift")
        self.open = around.propose(around.ngo, "bench", "table", (around.origin,))
        self.last = around.propose(around.rival, "fox", "cat")
        self.rival = around.propose(around.rival, "bench", "chair")
        self.draft = around.draft(around.ngo, "here", "there", (around.origin,))
        with database.write() as session:
            self.milestone = milestones.create_milestone(session, around.official, around.document_id, "Half").id
            self.meeting = session.query(Meeting).one().id
            remark = annotations.annotate(session, around.ngo, around.document_id, "Why?", section_id=around.section_id)
            self.remark = remark.id

    @property
    def readers(self) -> tuple[Actor, ...]:
        return ANONYMOUS, self.around.ngo, self.around.rival, self.around.official


def told(database: Database, place: Place) -> dict[str, Any]:
    """All that the views of the past, the report and the desk are made of."""
    around, found = place.around, {}
    document_id = around.document_id
    with database.session(writes=False) as session:
        found["sources"] = history.of_document(session, ANONYMOUS, document_id, removed=True)
        found["named"] = Reader(session, document_id).attribution(around.section_id, 2, removed=True)
        for since in ("start", f"m{place.milestone}"):
            found[since] = history.compare(session, ANONYMOUS, document_id, since, "now", vanished=True).sections
        found["stories"] = [
            history.story(session, around.official, around.section_id, run=run.key)
            for run in found["sources"][0].runs
            if run.source.suggestion
        ]
        found["marks"] = timeline.marks(session, ANONYMOUS, document_id)
        found["suggestions"] = [overview.suggestions(session, actor, document_id) for actor in place.readers]
        found["matrix"] = [matrix.matrix(session, ANONYMOUS, document_id, by) for by in matrix.BY]
        found["impact"] = [
            impact.of_meeting(session, ANONYMOUS, document_id, each.id) for each in session.query(Meeting)
        ] + [impact.of_organization(session, ANONYMOUS, document_id, each.id) for each in session.query(Organization)]
        found["report"] = reporting.outline(session, ANONYMOUS, document_id)
    return found


@contextmanager
def another_worker(database: Database) -> Iterator[Database]:
    worker = Database(database.url.render_as_string(hide_password=False))
    try:
        yield worker
    finally:
        worker.close()


def in_writing(action: Callable[[Any, Place], object]) -> Callable[[Place], None]:
    """The action in a writing transaction of the first worker."""

    def act(place: Place) -> None:
        with place.around.database.write() as session:
            action(session, place)

    return act


def revert_first(session: Session, at: Place) -> object:
    return decisions.revert(session, at.around.official, at.taken_by)


# In this order, each leaves what the next ones need.
CHANGES: dict[str, Callable[[Place], object]] = {
    "an edit": lambda at: at.around.write(at.around.drafter, "stands", "stood"),
    "a suggestion typed further": lambda at: at.around.write(at.around.ngo, "table", "long table", at.around.view(at.open)),
    "a reason": in_writing(lambda session, at: suggestions.amend(session, at.around.ngo, at.open.id, reason="Other.")),
    "a filed suggestion's origins": in_writing(
        lambda session, at: suggestions.amend(session, at.around.ngo, at.open.id, origin_ids=[])
    ),
    "a draft's origins": in_writing(lambda session, at: suggestions.amend(session, at.around.ngo, at.draft.id, origin_ids=[])),
    "a suggestion filed": in_writing(
        lambda session, at: suggestions.file(session, at.around.ngo, at.draft.id, reason="Better so.")
    ),
    "support": in_writing(lambda session, at: suggestions.endorse(session, at.around.rival, at.open.id, "Yes!")),
    "support taken back": in_writing(lambda session, at: suggestions.unendorse(session, at.around.rival, at.open.id)),
    "an organisation's name": in_writing(
        lambda session, at: people.change_organization(session, at.around.official, at.around.ours, name="Renamed")
    ),
    "an organisation's badge": in_writing(
        lambda session, at: people.change_organization(session, at.around.official, at.around.theirs, code="NEW", hue=11)
    ),
    "a new organisation": in_writing(
        lambda session, at: people.add_organization(session, at.around.official, at.around.document_id, "Newcomers")
    ),
    "a meeting's topic": in_writing(
        lambda session, at: meetings.change_meeting(session, at.around.official, at.meeting, topic="Another topic")
    ),
    "a meeting's minutes": in_writing(
        lambda session, at: meetings.change_meeting(session, at.around.official, at.meeting, minutes=f"New. {QUOTE}")
    ),
    "a person's name": in_writing(lambda session, at: accounts.change_profile(session, at.around.drafter, name="Somebody Else")),
    "a decision": lambda at: at.around.accept(at.open, supersedes=None),
    "a decision taken back": in_writing(revert_first),
    "a withdrawal": in_writing(lambda session, at: suggestions.withdraw(session, at.around.ngo, at.draft.id)),
    "a named version": in_writing(
        lambda session, at: milestones.create_milestone(session, at.around.official, at.around.document_id, "Later")
    ),
    "a remark": in_writing(
        lambda session, at: annotations.annotate(
            session, at.around.rival, at.around.document_id, "And this?", section_id=at.around.section_id
        )
    ),
    "an answer": in_writing(lambda session, at: annotations.answer(session, at.around.official, at.remark, "noted", "Seen.")),
    "a remark on a suggestion": in_writing(
        lambda session, at: annotations.annotate(
            session, at.around.rival, at.around.document_id, "Hm.", suggestion_id=at.reworded.id
        )
    ),
    "a rejection": lambda at: at.around.decide("rejected", at.around.view(at.last)),
    "a phase": in_writing(
        lambda session, at: documents.set_phase(session, at.around.official, at.around.document_id, "review")
    ),
    "a proposer's account": in_writing(lambda session, at: accounts.anonymise(session, SERVER, at.around.ngo.user_id or 0)),
}


def test_what_is_kept_is_what_is_so_whatever_another_worker_has_changed(database: Database) -> None:
    place = Place(database)
    with another_worker(database) as reading, another_worker(database) as fresh:
        before = told(reading, place)
        assert before == told(database, place)
        for name, change in CHANGES.items():
            change(place)
            after = told(reading, place)
            fresh.engine.dispose()  # whatever is kept is kept for a pool of connections: this one knows nothing
            for what, so in told(fresh, place).items():
                assert after[what] == so, (name, what)
            assert repr(after) != repr(before), f"{name}: nothing that is told has changed"
            before = after
        assert before == told(database, place)


def test_a_decision_voids_nothing_but_the_section_it_was_made_in(database: Database) -> None:
    place = Place(database)
    around = place.around
    with database.write() as session:
        other = sections.add_section(session, around.official, around.document_id, "# Other\n\nA lamp.\n").id

    def kept() -> tuple[Any, Any, Any]:
        with database.read() as session:
            reader = Reader(session, around.document_id)
            reader.attribution(around.section_id)
            runs = reader.attribution(other, removed=True).runs
            source = reader.sources.of(around.stream_id, 1)
            return runs, source, overview._by_section(session, session.get_one(Document, around.document_id))[other]

    before = kept()
    around.accept(place.open, supersedes=None)
    with database.write() as session:
        people.add_organization(session, around.official, around.document_id, "Newcomers")
        documents.change_document(session, around.official, around.document_id, summary="Another summary.")
    after = kept()
    assert all(one is other for one, other in zip(before, after, strict=True))


def test_who_began_to_read_before_others_wrote_is_told_what_was_so_and_leaves_nothing_stale(database: Database) -> None:
    place = Place(database)
    around = place.around

    def texts(session: Session) -> list[str]:
        return [repr(each) for each in history.of_document(session, ANONYMOUS, around.document_id, removed=True)]

    with database.read() as early:
        before = texts(early)
        early.rollback()
        early.execute(select(Document.id)).all()  # from here on it sees what is so now
        around.accept(place.open, supersedes=None)
        with database.write() as session:
            people.change_organization(session, around.official, around.ours, name="Renamed")
        with database.read() as late:
            after = texts(late)
        assert texts(early) == before != after
        assert "Renamed" not in repr(overview.suggestions(early, ANONYMOUS, around.document_id))
    with database.read() as later:
        assert texts(later) == after
        assert "Renamed" in repr(overview.suggestions(later, ANONYMOUS, around.document_id))

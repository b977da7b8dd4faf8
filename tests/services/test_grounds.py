"""Those whose suggestion or remark lost its ground are told: once, not the one who did it, not with every letter."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.services import annotations, decisions, editing, notices, streams, suggestions
from drafting.services.access import Actor
from drafting.services.decisions import Judged
from drafting.store.database import Database
from drafting.store.models import Notification
from tests import make
from tests.services.test_history import Stage


class Play(Stage):
    """An author and a colleague of one organisation, and a drafter who types under what they said."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.document.phase = "consultation"
        self.author = make.member(session, self.document, "contributor", organization=self.trees)
        self.colleague = make.member(session, self.document, "contributor", organization=self.trees)
        self.drafter = make.member(session, self.document, "drafter")
        session.commit()
        self.sequence = 0

    def propose(self, old: str, new: str, by: Actor) -> suggestions.SuggestionView:
        opened = suggestions.open_suggestion(self.session, by, self.one.id, origin_ids=(self.origin.id,))
        text = self.text(self.one.id)
        start = text.index(old)
        change = ChangeSet.of([(start, start + len(old), new)], len(text))
        editing.push(self.session, by, opened.stream_id, 0, [Update(f"p{opened.id}", 1, change)])
        return suggestions.file(self.session, by, opened.id, reason="So.")

    def type(self, old: str, new: str, by: Actor) -> None:
        at = editing.text_at(self.session, by, self.one.id)
        start = at.text.index(old)
        self.sequence += 1
        change = ChangeSet.of([(start, start + len(old), new)], len(at.text))
        editing.push(self.session, by, at.stream_id, at.version, [Update(f"t{by.user_id}", self.sequence, change)])

    def told(self, kind: str) -> list[int | None]:
        self.session.expire_all()
        return list(
            self.session.scalars(
                select(Notification.user_id).where(Notification.kind == kind).order_by(Notification.user_id)
            )
        )


def test_the_text_under_a_suggestion_that_changed_is_told_once_to_all_whose_it_is(database: Database) -> None:
    with database.session() as session:
        play = Play(session)
        view = play.propose("100", "250", play.author)
        play.type("One", "Once", play.drafter)
        assert play.told("base_changed") == []  # elsewhere
        play.type("100", "1007", play.drafter)
        both = sorted([play.author.user_id, play.colleague.user_id])  # type: ignore[type-var]
        assert play.told("base_changed") == both
        [notice] = notices.notifications(session, play.author, unread_only=True)
        assert notice.data == {"suggestion": view.id, "number": view.number, "section": play.one.id}
        for letter in "89":
            play.type("1007", f"1007{letter}", play.drafter)
        assert play.told("base_changed") == both
        notices.mark_read(session, play.author)
        play.type("1007", "1006", play.drafter)  # still changed: read once, told once
        assert play.told("base_changed") == both


def test_when_the_state_has_gone_back_and_comes_again_it_is_told_again_to_those_who_had_read_it(database: Database) -> None:
    with database.session() as session:
        play = Play(session)
        view = play.propose("100", "250", play.author)
        play.type("100", "1007", play.drafter)
        notices.mark_read(session, play.author)
        at = streams.open_branch(session, play.one.id, view.stream_id, None)
        start = at.text.index("250")
        anew = ChangeSet.of([(start, start + 3, "260")], len(at.text))
        editing.push(session, play.author, view.stream_id, at.version, [Update("anew", 1, anew)])
        assert not any(each.base_changed for each in suggestions.suggestion(session, play.author, view.id).open_hunks)
        play.type("1007", "1008", play.drafter)
        again = [play.author.user_id] * 2 + [play.colleague.user_id]  # the colleague has the first before them still
        assert play.told("base_changed") == sorted(again)  # type: ignore[type-var]


def test_the_one_who_did_it_is_not_told(database: Database) -> None:
    with database.session() as session:
        play = Play(session)
        play.propose("100", "250", play.drafter)
        play.session.execute(delete(Notification))
        session.commit()
        play.type("100", "1007", play.drafter)
        assert play.drafter.user_id not in play.told("base_changed")


def test_a_remark_whose_passage_is_gone_is_told_to_its_author_once(database: Database) -> None:
    with database.session() as session:
        play = Play(session)
        text = play.text(play.one.id)
        start = text.index("plants")
        at = editing.text_at(session, play.author, play.one.id).version
        remark = annotations.annotate(
            session, play.author, play.document.id, "Why?", section_id=play.one.id, version=at, start=start, end=start + 6
        )
        play.type("plan", "", play.drafter)
        assert play.told("annotation_orphaned") == []  # some of it stands
        play.type("ts ", " ", play.drafter)
        assert play.told("annotation_orphaned") == [play.author.user_id]
        play.type("trees", "oaks", play.drafter)
        assert play.told("annotation_orphaned") == [play.author.user_id]
        told = [each for each in notices.notifications(session, play.author) if each.kind == "annotation_orphaned"]
        assert [each.data["number"] for each in told] == [remark.number]


def test_an_acceptance_and_a_whole_text_tell_of_lost_passages_too(database: Database) -> None:
    with database.session() as session:
        play = Play(session)
        text = play.text(play.one.id)
        at = editing.text_at(session, play.author, play.one.id).version
        for words in ("100", "city"):
            start = text.index(words)
            annotations.annotate(
                session, play.author, play.document.id, "Why?", section_id=play.one.id, version=at, start=start,
                end=start + len(words),
            )  # fmt: skip
        view = play.propose("100 ", "", play.author)
        [hunk] = view.open_hunks
        decisions.decide(session, play.official, play.one.id, [Judged(view.id, hunk.id)], "accepted", reason="Yes.")
        assert play.told("annotation_orphaned") == [play.author.user_id]
        editing.replace_text(session, play.drafter, play.one.id, "# One\n\nNothing.\n")
        assert play.told("annotation_orphaned") == [play.author.user_id, play.author.user_id]

"""Attribution, comparison, stories and the time line, against an oracle that follows every character."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import from_units, to_units
from drafting.errors import InvalidInput, NotFound
from drafting.services import (
    annotations,
    clock,
    decisions,
    editing,
    history,
    milestones,
    returning,
    sections,
    suggestions,
    timeline,
)
from drafting.services.access import ANONYMOUS
from drafting.services.attribution_view import Reader
from drafting.services.comparison import between
from drafting.services.decisions import Judged
from drafting.services.heads import spans_json
from drafting.services.moments import moment_of
from drafting.store.database import Database
from drafting.store.models import Revision, Stream
from tests import make
from tests.engine.histories import Both, random_history, some
from tests.engine.history_oracle import deleter
from tests.engine.test_difference import expected

FAR = 1_000_000  # a stream that no document of the test has


# ── the oracle ──────────────────────────────────────────────────────────────────────────────────────────


def store(session: Session, both: Both, rng: random.Random) -> tuple[int, int, list[int]]:
    """The history as rows: (document, section, author of each version)."""
    document = make.document(session)
    section = make.section(session, document)
    people = [make.user(session).id for _ in range(3)]
    authors = [rng.choice(people) for _ in range(both.log.version)]
    rows = []
    for version in range(1, both.log.version + 1):
        carried = both.log.carried(version)
        if carried is not None:
            carried = [span._replace(stream=FAR) if span.stream else span for span in carried]
        rows.append(
            {
                "stream_id": section.stream_id,
                "version": version,
                "changes": json.dumps(both.log.changes(version).to_json()),
                "kind": "edit",
                "author_id": authors[version - 1],
                "client": "test",
                "sequence": version,
                "carried": None if carried is None else spans_json(carried),
                "at": make.NOON + timedelta(days=version),
            }
        )
    session.execute(insert(Revision), rows)
    session.get_one(Stream, section.stream_id).version = both.log.version
    session.commit()
    return document.id, section.id, authors


def author_of(identity: tuple[int, int, int], authors: list[int]) -> int | None:
    """Who brought a character in; None for one that came from elsewhere."""
    return None if identity[0] else authors[identity[1] - 1]


def letters(text: str, *told: object) -> list[tuple[object, ...]]:
    return [(letter, *told) for letter in to_units(text)]


def check(session: Session, both: Both, rng: random.Random) -> None:
    """Attribution of every version and some differences are what the oracle says."""
    document_id, section_id, authors = store(session, both, rng)
    reader = Reader(session, document_id)
    newest = both.log.version
    for version in {0, newest, *rng.choices(range(newest + 1), k=4)}:
        view = reader.attribution(section_id, version)
        units, found = to_units(view.text), []
        for run in view.runs:
            assert run.start == len(found), "runs add up"
            found += [(letter, run.source.author_id) for letter in units[run.start : run.end]]
        assert found == [(each.letter, author_of(each.identity, authors)) for each in both.history.living_at(version)], version
    for _ in range(6):
        a, b = sorted(rng.sample(range(both.log.version + 1), 2))
        compared = between(reader, section_id, "", a, b)
        assert (to_units(compared.text_a), to_units(compared.text_b)) == (both.history.texts[a], both.history.texts[b])
        found = []
        for each in compared.changes:
            brought = each.brought.author_id if each.brought else None
            found += letters(each.text, each.kind, each.source.author_id if each.source else None, brought)
        wanted = []
        for kind, letter, identity, _, removed in expected(both.history, a, b, vanished=False):
            if kind == "inserted":
                wanted.append((letter, kind, author_of(identity, authors), None))
            elif kind == "deleted":
                wanted.append((letter, kind, authors[removed - 1], author_of(identity, authors)))
        assert found == wanted, (a, b)


def test_law_8_a_thousand_random_histories_are_attributed_as_the_oracle_says(database: Database) -> None:
    done = 0
    with database.session() as session:
        for seed in range(some(40, 1000 if database.engine.dialect.name == "sqlite" else 100)):
            rng = random.Random(seed)
            both = random_history(rng, 14)
            if both.log.version < 2:
                continue
            try:
                check(session, both, rng)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error
            done += 1
    assert done > 30


def test_a_deleted_run_names_who_took_it_out_and_who_had_brought_it_in(database: Database) -> None:
    both = Both()
    both.edit((0, 0, "Rat und Haus"))
    both.edit((4, 8, ""))
    with database.session() as session:
        document_id, section_id, authors = store(session, both, random.Random(1))
        [compared] = history.compare(session, ANONYMOUS, document_id, "v1", "v2", section_id=section_id).sections
    [change] = compared.changes
    assert (change.kind, change.text) == ("deleted", "und ")
    assert change.source and change.brought
    assert (change.source.author_id, change.brought.author_id) == (authors[1], authors[0])
    assert deleter(both.history, both.history.everything[4], 2) == 2


# ── a story ─────────────────────────────────────────────────────────────────────────────────────────────


class Stage:
    """A document with people, organisations, a meeting and two sections, driven through the services."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.document = make.document(session, phase="review")
        self.trees = make.organization(session, self.document, "Trees", code="ZP")
        self.estate = make.organization(session, self.document, "Estate", code="OW")
        self.meeting = make.meeting(session, self.document, "Green")
        self.meeting.minutes = "People came. The trees ask for more. Tea was served."
        self.meeting.held_at = make.NOON - timedelta(days=3)
        self.origin = make.origin(session, self.document, self.trees, self.meeting)
        self.chief = make.member(session, self.document, "coordinator")
        self.official = make.member(session, self.document, "official")
        session.commit()
        text = "# One\n\nThe city plants 100 trees each year.\n"
        self.one = sections.add_section(session, self.chief, self.document.id, text)
        self.two = sections.add_section(session, self.chief, self.document.id, "# Two\n\nBenches.\n")

    def text(self, section_id: int) -> str:
        return editing.text_at(self.session, ANONYMOUS, section_id).text

    def suggest(self, old: str, new: str, reason: str, origins: tuple[int, ...] = (), quote: str = "") -> suggestions.SuggestionView:
        opened = suggestions.open_suggestion(self.session, self.official, self.one.id, origin_ids=origins)
        text = self.text(self.one.id)
        start = text.index(old)
        change = ChangeSet.of([(start, start + len(old), to_units(new))], len(text))
        editing.push(self.session, self.official, opened.stream_id, 0, [Update(f"c{opened.id}", 1, change)])
        return suggestions.file(self.session, self.official, opened.id, reason=reason, minutes_quote=quote)

    def judge(self, view: suggestions.SuggestionView, verdict: str = "accepted", **more: object) -> decisions.Decided:
        [hunk] = suggestions.suggestion(self.session, self.official, view.id).open_hunks
        return decisions.decide(self.session, self.official, self.one.id, [Judged(view.id, hunk.id)], verdict, **more)


def test_the_story_of_a_passage_that_saw_everything_is_complete_and_in_order(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        ours = stage.suggest("100 trees", "250 native trees", "More!", (stage.origin.id,), "The trees ask for more.")
        rival = stage.suggest("100", "150", "Not so many.")
        annotations.annotate(session, stage.official, stage.document.id, "Who waters them?", suggestion_id=ours.id)
        first = stage.judge(ours, wording="250 native lindens", reason="Lindens fit.")
        text = stage.text(stage.one.id)
        assert "250 native lindens" in text
        start = text.index("The city")
        editing.move(session, stage.chief, stage.one.id, start, len(text), stage.two.id, len(stage.text(stage.two.id)))
        here = stage.text(stage.two.id).index("250 native")
        decisions.revert(session, stage.official, first.decisions[0].id, reason="Too soon.", confirm=True)
        again = stage.judge(ours, reason="Now.")
        assert again.decisions

        told = history.story(session, ANONYMOUS, stage.two.id, here + 4)
        assert [(each.kind, each.verdict) for each in told.entries] == [
            ("said", ""), ("stood", ""), ("proposed", ""), ("rival", ""), ("remark", ""), ("decided", "reworded"),
            ("moved", ""), ("decided", "reverted"), ("decided", "accepted"),
        ]  # fmt: skip
        assert [each.note for each in told.entries if each.kind == "decided"] == ["Lindens fit.", "Too soon.", "Now."]
        assert [each.superseded for each in told.entries if each.kind == "decided"] == [(rival.number,), (), (rival.number,)]
        [standing] = told.standing
        words = to_units(stage.text(stage.two.id))[standing.start : standing.end]
        assert words == told.words == "250 native", "the words stand where it says, without what the office wrote behind them"
        times = [each.at for each in told.entries if each.at is not None]
        assert times == sorted(times)
        said = next(each for each in told.entries if each.kind == "said")
        assert (said.note, said.sentence, said.meetings[0].number) == ("The trees ask for more.", 2, stage.meeting.number)
        stood = next(each for each in told.entries if each.kind == "stood")
        assert "100" in stood.text
        gone = next(each for each in told.entries if each.kind == "rival")
        assert gone.number == rival.number
        moved = next(each for each in told.entries if each.kind == "moved")
        assert (moved.section_id, moved.to_section_id) == (stage.one.id, stage.two.id)
        assert [each.section_id for each in told.standing] == [stage.two.id]
        assert told.source.organizations[0].code == "ZP"
        assert told.source.decided_by == stage.official.name

        before = history.story(session, ANONYMOUS, stage.one.id, run=stood.run)
        assert before.source.author == stage.chief.name
        official = history.story(session, ANONYMOUS, stage.two.id, stage.text(stage.two.id).index("lindens"))
        assert (official.source.kind, official.source.organizations) == ("rewording", ())


def test_what_a_removal_asked_for_is_told_with_the_removed_words(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        ours = stage.suggest(" each year", "", "Say it once.", (stage.origin.id,))
        stage.judge(ours, reason="Right.")
        view = history.of_section(session, ANONYMOUS, stage.one.id, removed=True)
        [gone] = view.removed
        assert gone.text.strip() == "each year"
        assert [each.code for each in gone.source.organizations] == ["ZP"]
        told = history.story(session, ANONYMOUS, stage.one.id, gone.pos, deleted=True)
        assert told.removed is not None and told.removed.suggestion == ours.number
        assert not told.standing
        assert {"typed", "proposed", "decided"} <= {each.kind for each in told.entries}


def test_identical_proposals_are_all_credited(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        other = make.origin(session, stage.document, stage.estate)
        session.commit()
        ours = stage.suggest("100", "250", "More!", (stage.origin.id,))
        same = stage.suggest("100", "250", "We too.", (other.id,))
        stage.judge(ours, reason="Yes.")
        [compared, _] = history.compare(session, ANONYMOUS, stage.document.id, "start", "now").sections
        run = next(each for each in compared.changes if each.source and each.source.suggestion == ours.number)
        assert run.source is not None
        assert {each.code for each in run.source.organizations} == {"ZP", "OW"}
        assert run.source.credited == (same.number,)
        assert run.matches("oOW") and run.matches(f"u{same.number}") and run.matches("m1") and not run.matches("oXX")


def test_a_change_that_three_organisations_proposed_names_all_three_in_the_difference(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        third = make.organization(session, stage.document, "Cyclists", code="RW")
        theirs = [make.origin(session, stage.document, each) for each in (stage.estate, third)]
        session.commit()
        ours = stage.suggest("100", "250", "More!", (stage.origin.id,))
        same = [stage.suggest("100", "250", "We too.", (each.id,)) for each in theirs]
        stage.judge(ours, reason="Yes.")
        [compared, _] = history.compare(session, ANONYMOUS, stage.document.id, "start", "now").sections
        [run] = [each for each in compared.changes if each.text == "250" and each.source is not None]
        assert run.source is not None
        assert {each.code for each in run.source.organizations} == {"ZP", "OW", "RW"}
        assert set(run.source.credited) == {each.number for each in same}
        assert all(run.matches(each) for each in ("oZP", "oOW", "oRW", "m1", *(f"u{each.number}" for each in (ours, *same))))
        view = history.of_section(session, ANONYMOUS, stage.one.id)
        [stands] = [each for each in view.runs if view.text[each.start : each.end] == "250"]
        assert {each.code for each in stands.source.organizations} == {"ZP", "OW", "RW"}
        story = history.story(session, ANONYMOUS, stage.one.id, run=stands.key)
        assert {code.code for entry in story.entries for code in entry.organizations} >= {"ZP", "OW", "RW"}


# ── moments and named versions ──────────────────────────────────────────────────────────────────────────


def test_a_named_version_is_restored_with_its_attribution_and_compares_for_ever(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        ours = stage.suggest("100", "250", "More!", (stage.origin.id,))
        stage.judge(ours, reason="Yes.")
        kept = milestones.create_milestone(session, stage.chief, stage.document.id, "First")
        text = stage.text(stage.one.id)
        editing.replace_text(session, stage.chief, stage.one.id, "# One\n\nNothing.\n")
        sections.remove_section(session, stage.chief, stage.two.id)
        later = sections.add_section(session, stage.chief, stage.document.id, "# Three\n")
        changed = history.compare(session, ANONYMOUS, stage.document.id, f"m{kept.id}", "now")
        assert {each.section_id: each.state for each in changed.sections} == {
            stage.one.id: "changed", stage.two.id: "removed", later.id: "added",
        }  # fmt: skip

        returning.restore_milestone(session, stage.chief, kept.id)
        assert stage.text(stage.one.id) == text
        assert [each.id for each in sections.outline(session, ANONYMOUS, stage.document.id)] == [stage.one.id, stage.two.id]
        same = history.compare(session, ANONYMOUS, stage.document.id, f"m{kept.id}", "now")
        assert [each.state for each in same.sections] == ["same", "same"]
        told = history.story(session, ANONYMOUS, stage.one.id, text.index("250"))
        assert told.source.suggestion == ours.number
        assert [each.kind for each in told.entries if each.kind in ("taken_out", "returned")] == ["taken_out", "returned"]
        assert [each.name for each in told.kept_in] == ["First"]


def test_words_that_a_restoration_took_out_are_shown_among_the_removed_when_somebody_had_asked_for_them(
    database: Database, ticking: None
) -> None:
    with database.session() as session:
        stage = Stage(session)
        ours = stage.suggest("100", "250", "More!", (stage.origin.id,))
        stage.judge(ours, reason="Yes.")
        editing.restore(session, stage.chief, stage.one.id, 1)
        editing.restore(session, stage.chief, stage.one.id, 2)
        editing.restore(session, stage.chief, stage.one.id, 1)
        [gone] = history.of_section(session, ANONYMOUS, stage.one.id, removed=True).removed
        assert (gone.text, gone.source.kind, gone.brought.suggestion) == ("250", "restore", ours.number)
        told = history.story(session, ANONYMOUS, stage.one.id, gone.pos, deleted=True)
        assert [each.kind for each in told.entries if each.kind in ("taken_out", "returned")] == ["taken_out", "returned", "taken_out"]


def test_the_document_at_a_moment_has_the_sections_of_that_moment(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        before = clock.now()
        sections.move_section(session, stage.chief, stage.two.id, 1)
        sections.remove_section(session, stage.chief, stage.one.id)
        reader = Reader(session, stage.document.id)
        then = moment_of(reader, stage.document, before.isoformat())
        assert [each for each, _ in then.sections] == [stage.one.id, stage.two.id]
        assert [each for each, _ in moment_of(reader, stage.document, "now").sections] == [stage.two.id]
        later = moment_of(reader, stage.document, clock.now().isoformat())
        assert later.sections == moment_of(reader, stage.document, "now").sections
        assert moment_of(reader, stage.document, "start").sections == ()
        for wrong in ("", "m999999", "v3", "2026-13-40", "x'; --"):
            with pytest.raises((InvalidInput, NotFound)):
                moment_of(reader, stage.document, wrong)


def test_a_passage_moved_to_another_section_is_a_move(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        kept = milestones.create_milestone(session, stage.chief, stage.document.id, "Before")
        text = stage.text(stage.one.id)
        start = text.index("The city")
        editing.move(session, stage.chief, stage.one.id, start, len(text), stage.two.id, 0)
        compared = history.compare(session, ANONYMOUS, stage.document.id, f"m{kept.id}", "now")
        moves = [(each.kind, each.moved_from, each.moved_to) for each in compared.changes if each.is_move]
        assert moves == [("deleted", None, stage.two.id), ("inserted", stage.one.id, None)]
        assert compared.inserted == compared.deleted == 0


# ── legend, time line ───────────────────────────────────────────────────────────────────────────────────


def test_law_8_the_legend_adds_up_to_the_text(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        stage.judge(stage.suggest("100", "250 😀", "More!", (stage.origin.id,)), reason="Yes.")
        views = history.of_document(session, ANONYMOUS, stage.document.id, removed=True)
        size = sum(len(to_units(each.text)) for each in views)
        for by in history.COLOURINGS:
            legend = history.legend(views, by)
            assert sum(each.characters for each in legend.counts) == legend.characters == size
        answer = history.attribution_json(session, ANONYMOUS, stage.one.id, deleted=True)
        assert sum(length for length, _ in answer["spans"]) == len(to_units(stage.text(stage.one.id)))
        assert all(source < len(answer["sources"]) for _, source in answer["spans"])
        assert [each["text"].strip() for each in answer["deleted"]] == ["100"]


def test_the_time_line_has_what_happened_and_what_one_was_away_for(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        since = clock.now()
        ours = stage.suggest("100", "250", "More!", (stage.origin.id,))
        stage.judge(ours, reason="Yes.")
        milestones.create_milestone(session, stage.chief, stage.document.id, "First")
        marks = timeline.marks(session, ANONYMOUS, stage.document.id)
        assert [each.at for each in marks] == sorted(each.at for each in marks)
        assert {"meeting", "milestone", "decisions", "edits", "suggestions"} <= {each.kind for each in marks}
        away = timeline.away(session, stage.official, stage.document.id, since)
        assert away.counts == {"suggestion_filed": 1, "hunk_accepted": 1, "milestone_created": 1}
        assert [each.kind for each in away.changes.changes] == ["deleted", "inserted"]


def test_nothing_is_told_of_a_document_that_one_may_not_read(database: Database) -> None:
    with database.session() as session:
        document = make.document(session, is_public=False)
        section = make.section(session, document, "# Secret\n")
        session.commit()
        for read in (
            lambda: history.of_section(session, ANONYMOUS, section.id),
            lambda: history.of_document(session, ANONYMOUS, document.id),
            lambda: history.compare(session, ANONYMOUS, document.id, "start", "now"),
            lambda: history.story(session, ANONYMOUS, section.id),
            lambda: timeline.marks(session, ANONYMOUS, document.id),
            lambda: timeline.away(session, ANONYMOUS, document.id),
        ):
            with pytest.raises(NotFound):
                read()
        for name in ("", "1.2", "a.b.c", "1.1.99999", "-1.0.0", "99999.1.0"):
            with pytest.raises(NotFound):
                history.story(session, make.member(session, document, "observer"), section.id, 10**9, run=name)


def test_texts_are_ordinary_unicode(database: Database, ticking: None) -> None:
    with database.session() as session:
        stage = Stage(session)
        stage.judge(stage.suggest("100", "😀😁", "More!"), reason="Yes.")
        compared = history.compare(session, ANONYMOUS, stage.document.id, "start", "now")
        assert all(from_units(to_units(each.text)) == each.text for each in compared.changes)
        assert "".join(each.text for each in compared.sections[0].changes).count("😀") == 1

"""What sections there were at a moment, and what moments may be called."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from drafting.errors import InvalidInput, NotFound
from drafting.services import clock, editing, history, milestones, sections
from drafting.services.access import ANONYMOUS
from drafting.services.attribution_view import Reader
from drafting.services.moments import moment_of
from drafting.store.database import Database
from tests import make
from tests.engine.histories import some


def test_the_sections_of_every_moment_are_those_that_were_there_in_their_order(database: Database, ticking: None) -> None:
    for seed in range(some(15, 60)):
        rng = random.Random(seed)
        with database.session() as session:
            document = make.document(session, phase="review")
            chief = make.member(session, document, "coordinator")
            session.commit()
            seen: list[tuple[datetime, list[int]]] = []
            for _ in range(10):
                there = [each.id for each in sections.outline(session, ANONYMOUS, document.id)]
                every = [each.id for each in sections.outline(session, ANONYMOUS, document.id, removed=True)]
                gone = [each for each in every if each not in there]
                choice = rng.random()
                if choice < 0.4 or not there:
                    position = rng.choice([None, rng.randint(1, len(there) + 1)])
                    sections.add_section(session, chief, document.id, "# One", position=position)
                elif choice < 0.6:
                    sections.remove_section(session, chief, rng.choice(there))
                elif choice < 0.8 and gone:
                    sections.restore_section(session, chief, rng.choice(gone))
                else:
                    sections.move_section(session, chief, rng.choice(there), rng.randint(1, len(there)))
                seen.append((clock.now(), [each.id for each in sections.outline(session, ANONYMOUS, document.id)]))
            for at, wanted in seen:
                reader = Reader(session, document.id)
                found = [each for each, _ in moment_of(reader, document, at.isoformat()).sections]
                assert found == wanted, f"seed {seed} at {at}"


def test_the_ends_of_the_calendar_are_moments_or_refused_and_never_a_failure(database: Database, ticking: None) -> None:
    with database.session() as session:
        document = make.document(session)
        section = make.section(session, document, "# One\n")
        session.commit()
        reader = Reader(session, document.id)
        for early in ("0001-01-01", "1900-01-01", "1970-01-01T00:00"):
            assert moment_of(reader, document, early).sections == ()
        assert [each for each, _ in moment_of(reader, document, "9999-12-31").sections] == [section.id]
        for wrong in ("0001-01-01T00:00", "9999-12-31T23:59:59-14:00", "10000-01-01", "2026-02-30", "now ", "m", "٢٠٢٦-03-02"):
            with pytest.raises((InvalidInput, NotFound)):
                moment_of(reader, document, wrong)


def test_a_date_is_its_end_in_the_time_zone_of_the_document(database: Database) -> None:
    with database.session() as session:
        document = make.document(session)
        assert document.timezone == "Europe/Warsaw"
        with clock.set_to(datetime.fromisoformat("2026-03-02T22:30:00+00:00")):  # 23:30 in Warsaw
            evening = make.section(session, document, "# Evening\n")
        with clock.set_to(datetime.fromisoformat("2026-03-02T23:30:00+00:00")):  # 0:30 of the next day
            night = make.section(session, document, "# Night\n")
        session.commit()
        reader = Reader(session, document.id)
        assert [each for each, _ in moment_of(reader, document, "2026-03-02").sections] == [evening.id]
        assert [each for each, _ in moment_of(reader, document, "2026-03-03").sections] == [evening.id, night.id]
        assert moment_of(reader, document, "2026-03-02T23:15").sections == ()
        # the hour that summer time skips, and the one that it has twice, are moments
        for odd in ("2026-03-29T02:30", "2026-10-25T02:30"):
            assert len(moment_of(reader, document, odd).sections) == 2


def test_of_versions_of_one_moment_the_higher_is_the_newer(database: Database) -> None:
    with database.session() as session, clock.set_to(make.NOON):
        document = make.document(session, phase="review")
        chief = make.member(session, document, "coordinator")
        session.commit()
        section = sections.add_section(session, chief, document.id, "# One\n\nWe plant.\n")
        editing.replace_text(session, chief, section.id, "# One\n\nWe plant trees.\n")
        kept = milestones.create_milestone(session, chief, document.id, "Same moment")
        for a, b in (("v1", "v2"), ("v2", "v1"), ("v1", f"m{kept.id}")):
            [compared] = history.compare(session, ANONYMOUS, document.id, a, b, section_id=section.id).sections
            assert (compared.version_a, compared.version_b) == (1, 2)
            assert [(each.kind, each.text) for each in compared.changes] == [("inserted", " trees")]


def test_a_clock_that_was_set_back_hides_no_version(database: Database) -> None:
    with database.session() as session:
        document = make.document(session, phase="review")
        chief = make.member(session, document, "coordinator")
        session.commit()
        with clock.set_to(make.NOON):
            section = sections.add_section(session, chief, document.id, "# One\n")
        with clock.set_to(make.NOON - timedelta(hours=2)):
            editing.replace_text(session, chief, section.id, "# One\n\nTwo.\n")
        with clock.set_to(make.NOON + timedelta(hours=2)):
            editing.replace_text(session, chief, section.id, "# One\n\nThree.\n")
        log = Reader(session, document.id).history(section.id)
        assert [log.version_at(make.NOON + timedelta(hours=each)) for each in (-3, -1, 1, 3)] == [0, 0, 2, 3]

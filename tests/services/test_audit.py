"""The chain of events holds, and shows every way in which it can be broken."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from drafting.errors import NotFound
from drafting.services import audit, clock, milestones
from drafting.services.access import ANONYMOUS, SERVER
from drafting.store.database import Database, transaction
from drafting.store.models import Event
from tests import make


def test_every_event_names_the_one_before(session: Session) -> None:
    document, other = make.document(session), make.document(session)
    for number in range(5):
        audit.record(session, document.id, SERVER, "thing_happened", {"n": number, "ł": "ż"})
        audit.record(session, other.id, SERVER, "thing_happened", {"n": number})
    report = audit.verify_chain(session, document.id)
    assert report.is_whole and report.events == 5
    assert report.head == audit.head(session, document.id) != audit.head(session, other.id)
    rows = session.scalars(select(Event).where(Event.document_id == document.id).order_by(Event.number)).all()
    assert [row.previous_hash for row in rows] == [audit.START, *[row.hash for row in rows[:-1]]]


def test_an_empty_chain_is_whole(session: Session) -> None:
    document = make.document(session)
    assert audit.verify_chain(session, document.id) == audit.ChainReport(document.id, 0, audit.START)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other_thing"},
        {"data": '{"n":99}'},
        {"actor_id": "someone"},
        {"at": "later"},
        {"hash": "f" * 64},
        {"previous_hash": "f" * 64},
        {"number": 50},
        "removed",
    ],
    ids=str,
)
def test_any_change_to_an_event_is_found_where_it_was_made(session: Session, change: dict | str) -> None:
    document = make.document(session)
    someone = make.user(session)
    for number in range(6):
        audit.record(session, document.id, SERVER, "thing_happened", {"n": number})
    at = (Event.document_id == document.id) & (Event.number == 4)
    if change == "removed":
        session.execute(text("DELETE FROM event WHERE document_id = :d AND number = 4"), {"d": document.id})
    else:
        values = {"someone": someone.id, "later": clock.now() + timedelta(days=1)}
        session.execute(
            update(Event).where(at).values({key: values.get(value, value) for key, value in change.items()})
        )
    session.expire_all()
    report = audit.verify_chain(session, document.id)
    assert report.broken_at == 4 and not report.is_whole and report.why


def test_a_chain_written_anew_with_right_hashes_is_told_by_the_heads_that_were_printed(session: Session) -> None:
    document = make.document(session)
    chief = make.member(session, document, "coordinator")
    session.commit()
    for number in range(3):
        audit.record(session, document.id, SERVER, "thing_happened", {"n": number})
    milestones.create_milestone(session, chief, document.id, "For the council")
    audit.record(session, document.id, SERVER, "thing_happened", {"n": 9})
    assert audit.verify_chain(session, document.id).is_whole
    previous = audit.START
    for event in session.scalars(select(Event).where(Event.document_id == document.id).order_by(Event.number)):
        event.data = event.data.replace("9", "8").replace('"n":1', '"n":7')
        event.previous_hash, event.hash = previous, audit.event_hash(
            previous, document.id, event.number, event.kind, event.actor_id, event.at, event.data
        )
        previous = event.hash
    session.flush()
    report = audit.verify_chain(session, document.id)
    assert report.broken_at is None and not report.is_whole
    assert report.lost == "For the council" and "For the council" in report.why


def test_an_event_is_found_by_what_stands_on_paper(session: Session) -> None:
    document, other = make.document(session), make.document(session)
    for number in range(4):
        audit.record(session, document.id, SERVER, "thing_happened", {"n": number})
    printed = session.scalar(select(Event.hash).where(Event.document_id == document.id, Event.number == 3))
    assert printed is not None
    for written in (printed, printed.upper(), f" {printed[:32]} {printed[32:]} ", printed[:8]):
        found = audit.find(session, ANONYMOUS, document.id, written)
        assert found is not None and found.number == 3
        assert audit.find(session, ANONYMOUS, other.id, written) is None
    for written in ("", printed[:7], "0" * 64, "%" * 12, "_" * 12, printed + "0"):
        assert audit.find(session, ANONYMOUS, document.id, written) is None
    document.is_public = False
    with pytest.raises(NotFound):
        audit.find(session, ANONYMOUS, document.id, printed)


def test_events_survive_a_reading_of_the_database_from_disk(database: Database) -> None:
    with database.write() as session, transaction(session):
        document = make.document(session)
        actor = make.member(session, document, "coordinator")
        with clock.set_to(make.NOON + timedelta(microseconds=123_400)):
            audit.record(session, document.id, actor, "thing_happened", {"words": "Zażółć 🌳", "none": None})
    with database.read() as session:
        assert audit.verify_chain(session, document.id).is_whole
        (event,) = audit.events(session, ANONYMOUS, document.id)
        assert event.data == {"words": "Zażółć 🌳", "none": None} and event.actor_name == actor.name


def test_two_who_record_at_once_get_two_places(database: Database) -> None:
    with database.write() as session, transaction(session):
        document_id = make.document(session).id

    def play(name: int) -> None:
        for number in range(10):
            with database.write() as session, transaction(session):
                audit.record(session, document_id, SERVER, "thing_happened", {"by": name, "n": number})

    threads = [threading.Thread(target=play, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        report = audit.verify_chain(session, document_id)
        assert report.is_whole and report.events == 40
        seen = [json.loads(row) for row in session.scalars(select(Event.data).order_by(Event.number))]
        for name in range(4):
            assert [each["n"] for each in seen if each["by"] == name] == list(range(10))


def test_events_are_listed_newest_first_in_pages_and_by_kind(session: Session) -> None:
    document = make.document(session)
    for number in range(6):
        audit.record(session, document.id, SERVER, "even" if number % 2 == 0 else "odd", {"n": number})
    page = audit.events(session, ANONYMOUS, document.id, limit=2)
    assert [event.data["n"] for event in page] == [5, 4]
    page = audit.events(session, ANONYMOUS, document.id, limit=2, before=page[-1].number)
    assert [event.data["n"] for event in page] == [3, 2]
    assert [event.data["n"] for event in audit.events(session, ANONYMOUS, document.id, kinds=["odd"])] == [5, 3, 1]
    document.is_public = False
    with pytest.raises(NotFound):
        audit.events(session, ANONYMOUS, document.id)


def test_canonical_json_is_one_form_and_refuses_what_is_not_json() -> None:
    assert audit.canonical({"b": 1, "a": [True, None, "ż"]}) == '{"a":[true,null,"ż"],"b":1}'
    with pytest.raises(ValueError):
        audit.canonical(float("nan"))
    with pytest.raises(TypeError):
        audit.canonical(make.NOON)

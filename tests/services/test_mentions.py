"""Mentions: whose name is meant, whom it tells, and to whom names are offered."""

from __future__ import annotations

import pytest

from drafting.errors import NotAllowed, NotSignedIn
from drafting.services import annotations, mentions, people
from drafting.services.access import ANONYMOUS, Actor
from drafting.store.database import Database
from drafting.store.models import User
from tests import make
from tests.services.proposing import Around


@pytest.fixture
def around(database: Database) -> Around:
    return Around(database)


def named(around: Around, actor: Actor, name: str) -> None:
    with around.database.write() as session:
        session.get_one(User, actor.user_id).name = name
        session.commit()


def meant(around: Around, text: str) -> set[int]:
    with around.database.read() as session:
        return mentions.mentioned(session, around.document_id, text)


def offered(around: Around, actor: Actor) -> list[str]:
    with around.database.read() as session:
        return [each.name for each in mentions.mentionable(session, actor, around.document_id)]


def test_the_longest_name_that_fits_is_meant(around: Around) -> None:
    named(around, around.rival, "Jan Kowal")
    named(around, around.drafter, "Jan Kowalski")
    assert meant(around, "@Jan Kowalski, proszę") == {around.drafter.user_id}
    assert meant(around, "@jan  kowal i @Jan Kowalski") == {around.rival.user_id, around.drafter.user_id}
    assert meant(around, "(@Jan Kowal)") == {around.rival.user_id}
    assert meant(around, "@Jan Kowalska, jan@kowal.example, @ Jan Kowal") == set()


def test_two_people_of_one_name_are_both_told(around: Around) -> None:
    for actor in (around.rival, around.drafter):
        named(around, actor, "Anna Łąka")
    assert meant(around, "@anna łąka?") == {around.rival.user_id, around.drafter.user_id}


def test_names_are_offered_of_those_who_would_be_told_and_to_those_who_may_write(around: Around) -> None:
    named(around, around.rival, "Żaneta")
    named(around, around.drafter, "Adam")
    named(around, around.official, " ")
    with around.database.write() as session:
        people.end_membership(session, around.colleague, around.document_id, around.colleague.user_id or 0)
    assert offered(around, around.ngo) == ["Adam", "Żaneta"]
    with around.database.read() as session:
        adam, zaneta = mentions.mentionable(session, around.ngo, around.document_id)
        assert (adam.organization, adam.code, adam.hue) == ("", "", 0)
        assert zaneta.organization and zaneta.code and zaneta.hue
    for name in offered(around, around.ngo):
        with around.database.write() as session:
            annotations.annotate(session, around.ngo, around.document_id, f"@{name}", section_id=around.section_id)
    for actor in (around.rival, around.drafter):
        assert around.told(actor).count("mentioned") == 1
    with around.database.write() as session:
        document = session.get_one(make.Document, around.document_id)
        observer = make.member(session, document, "observer")
        session.commit()
    with pytest.raises(NotAllowed):
        offered(around, observer)
    with pytest.raises(NotSignedIn):
        offered(around, ANONYMOUS)

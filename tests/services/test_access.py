"""The one table: what it says is what people were promised, and what is asked is what it says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.errors import NotAllowed, NotFound, NotSignedIn
from drafting.services import access, clock
from drafting.services.access import ACTIONS, ANONYMOUS, MEMBER_ROLES, PHASES, RULES, Role, permitted
from drafting.store.models import Document, Membership, Stream, Suggestion
from tests import make

READING = {"read", "report", "export", "audit"}
TEAM = {Role.COORDINATOR, Role.DRAFTER, Role.OFFICIAL}


def may(action: str, phase: str, *, deadline_passed: bool = False) -> set[Role]:
    return {role for role in Role if permitted(role, action, phase, deadline_passed=deadline_passed)}


def test_every_action_is_ruled_in_every_phase() -> None:
    assert set(RULES) == {(action, phase) for action in ACTIONS for phase in PHASES}


@pytest.mark.parametrize("phase", PHASES)
def test_everybody_reads_in_every_phase(phase: str) -> None:
    for action in READING:
        assert may(action, phase, deadline_passed=True) == set(Role)


@pytest.mark.parametrize("phase", PHASES)
def test_the_public_and_observers_only_read(phase: str) -> None:
    for action in set(ACTIONS) - READING - {"see_members"}:
        assert not may(action, phase) & {Role.PUBLIC, Role.OBSERVER}


@pytest.mark.parametrize("phase", PHASES)
def test_law_7_only_the_team_and_officials_ever_write_the_main_text(phase: str) -> None:
    for action in ("edit", "restore", "structure", "decide", "reword", "revert"):
        assert may(action, phase) <= TEAM


def test_the_draft_passes_from_the_team_to_the_officials() -> None:
    assert Role.DRAFTER in may("edit", "drafting") & may("edit", "consultation")
    assert Role.DRAFTER not in may("edit", "review") | may("edit", "opinion")
    assert Role.OFFICIAL in may("edit", "review") & may("edit", "opinion")
    assert Role.OFFICIAL not in may("edit", "drafting") | may("edit", "consultation")


def test_contributors_suggest_in_consultation_until_its_deadline() -> None:
    assert [phase for phase in PHASES if Role.CONTRIBUTOR in may("suggest", phase)] == ["consultation"]
    for action in ("suggest", "file", "endorse", "annotate"):
        assert Role.CONTRIBUTOR in may(action, "consultation")
        assert Role.CONTRIBUTOR not in may(action, "consultation", deadline_passed=True)


def test_contributors_may_still_withdraw_and_answer_after_the_deadline() -> None:
    for action in ("withdraw", "reply", "resolve_own"):
        assert Role.CONTRIBUTOR in may(action, "consultation", deadline_passed=True)


def test_the_council_speaks_in_the_opinion_phase_only() -> None:
    for action in ("suggest", "file", "endorse", "annotate", "reply"):
        assert [phase for phase in PHASES if Role.COUNCIL in may(action, phase)] == ["opinion"]
    assert Role.COUNCIL not in may("suggest", "opinion", deadline_passed=True)


def test_officials_decide_until_the_document_is_adopted() -> None:
    for phase in PHASES[:-1]:
        assert Role.OFFICIAL in may("decide", phase, deadline_passed=True)
        assert may("decide", phase) == {Role.COORDINATOR, Role.OFFICIAL}


def test_nothing_of_an_adopted_text_changes() -> None:
    for action in ACTIONS:
        if may(action, "adopted") - {Role.COORDINATOR}:
            assert action in READING | {"see_members"}
    for action in ("edit", "suggest", "annotate", "decide", "revert", "restore", "structure"):
        assert not may(action, "adopted")


def test_only_coordinators_run_the_process() -> None:
    for phase in PHASES:
        for action in ("manage_people", "manage_phase", "manage_document", "publish", "news"):
            assert may(action, phase) == {Role.COORDINATOR}


def test_asking_answers_as_the_table_says(session: Session) -> None:
    """Every role × action × phase × published or not × before or after the deadline, asked with real rows."""
    document = make.document(session)
    actors = {role: make.member(session, document, role) for role in MEMBER_ROLES}
    stranger = access.actor_of(session, make.user(session).id)
    document.phase_ends_at = make.NOON
    for phase in PHASES:
        document.phase = phase
        for late in (False, True):
            with clock.set_to(make.NOON if late else make.NOON - timedelta(seconds=1)):
                for action in ACTIONS:
                    for role, actor in actors.items():
                        expected = permitted(role, action, phase, deadline_passed=late)
                        assert access.allowed(actor, action, document) is expected
                        if expected:
                            assert access.require(session, actor, action, document.id) is document
                        else:
                            with pytest.raises(NotAllowed) as refused:
                                access.require(session, actor, action, document)
                            assert refused.value.details["action"] == action
                            assert refused.value.details["role"] == role
                            assert refused.value.details["phase"] == phase
                    for published in (True, False):
                        document.is_public = published
                        for outsider in (stranger, ANONYMOUS):
                            allowed = published and action in READING
                            assert access.allowed(outsider, action, document) is allowed
                            if not allowed:
                                error = NotFound if not published else NotAllowed if outsider.user_id else NotSignedIn
                                with pytest.raises(error):
                                    access.require(session, outsider, action, document)
                    document.is_public = True


def test_an_unpublished_document_does_not_exist_for_strangers(session: Session) -> None:
    hidden, shown = make.document(session, is_public=False), make.document(session)
    member = make.member(session, hidden, "observer")
    seen = lambda actor: set(session.scalars(select(Document.id).where(access.readable_documents(actor))))  # noqa: E731
    assert seen(ANONYMOUS) == {shown.id}
    assert seen(member) == {hidden.id, shown.id}
    with pytest.raises(NotFound):
        access.require(session, ANONYMOUS, "read", hidden.id)
    with pytest.raises(NotFound):
        access.require(session, ANONYMOUS, "read", 10**6)


def test_a_membership_that_ended_gives_nothing(session: Session) -> None:
    document = make.document(session)
    actor = make.member(session, document, "coordinator")
    session.scalars(select(Membership)).one().ended_at = clock.now()
    session.flush()
    assert access.actor_of(session, actor.user_id).role(document) is Role.PUBLIC


def test_a_draft_is_seen_by_its_own_organisation_only(session: Session) -> None:
    document = make.document(session)
    section = make.section(session, document, "# Trees")
    ours, theirs = make.organization(session, document), make.organization(session, document)
    author = make.member(session, document, "contributor", ours)
    colleague = make.member(session, document, "contributor", ours)
    rival = make.member(session, document, "contributor", theirs)
    coordinator = make.member(session, document, "coordinator")
    branch = Stream(kind="branch", section_id=section.id)
    session.add(branch)
    session.flush()
    suggestion = Suggestion(
        document_id=document.id,
        section_id=section.id,
        stream_id=branch.id,
        number=1,
        author_id=author.user_id,
        organization_id=ours.id,
        opened_at_version=1,
        main_version=1,
        created_at=clock.now(),
    )
    session.add(suggestion)
    session.flush()

    def seen(actor: access.Actor) -> bool:
        found = session.scalars(select(Suggestion).where(access.visible_suggestions(actor, document))).all()
        assert bool(found) is access.sees_suggestion(actor, document, suggestion)
        return bool(found)

    everybody = (author, colleague, rival, coordinator, ANONYMOUS)
    assert [seen(actor) for actor in everybody] == [True, True, False, False, False]
    assert access.require_own(session, colleague, "suggest", suggestion) is document
    with pytest.raises(NotFound):
        access.require_own(session, rival, "suggest", suggestion)
    suggestion.filed_at = clock.now()
    session.flush()
    assert [seen(actor) for actor in everybody] == [True] * 5
    with pytest.raises(NotAllowed):
        access.require_own(session, rival, "suggest", suggestion)


def test_contributors_speak_for_their_own_organisation_at_any_meeting(session: Session) -> None:
    document = make.document(session)
    ours, theirs, meeting = (
        make.organization(session, document),
        make.organization(session, document),
        make.meeting(session, document),
    )
    contributor = make.member(session, document, "contributor", ours)
    scribe = make.member(session, document, "drafter")
    assert access.speaks_for(contributor, document, ours.id, None)
    assert access.speaks_for(contributor, document, ours.id, meeting.id)
    assert not access.speaks_for(contributor, document, theirs.id, meeting.id)
    assert not access.speaks_for(contributor, document, None, meeting.id)
    assert access.speaks_for(scribe, document, theirs.id, meeting.id)
    assert access.speaks_for(scribe, document, None, meeting.id)
    assert not access.speaks_for(ANONYMOUS, document, ours.id, None)

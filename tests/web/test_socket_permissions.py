"""Every event of the live protocol × every person × every phase, over real sockets, against the one table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drafting.config import Settings
from drafting.services import accounts, heads, people, streams
from drafting.services.access import Role
from drafting.services.clock import now
from drafting.store.database import Database
from drafting.store.models import Document, Stream, Suggestion
from drafting.web.app import create_app
from tests.sockets import PATIENCE, Line, Refused, cookie_of
from tests.web.conftest import served
from tests.web.test_permissions import DOCUMENT, MOMENTS, Moment, own, table
from tests.web.world import World, build

REFUSED = {"not_allowed", "not_found", "not_signed_in"}


@pytest.fixture
def place(sqlite_database: Database, settings: Settings, tmp_path: Path) -> Iterator[tuple[int, World, Database, str]]:
    app = create_app(settings, database=sqlite_database)
    with sqlite_database.write() as session:
        world = build(session, settings.uploads_path)
    with served(app) as port:
        yield port, world, sqlite_database, settings.secret_key
    app.extensions["live"].stop()


def set_moment(database: Database, at: Moment) -> None:
    with database.write() as session:
        document = session.get_one(Document, DOCUMENT)
        document.phase, document.is_public = at.phase, not at.hidden
        document.phase_ends_at = now() + timedelta(days=-1 if at.late else 1)
        session.commit()


def asked(line: Line, event: str, body: dict[str, Any]) -> tuple[str, Any]:
    """The code of the refusal, or "ok", and the answer."""
    try:
        return "ok", line.ask(event, body)
    except Refused as refused:
        return refused.code, None


@pytest.mark.parametrize("at", MOMENTS, ids=str)
def test_law_7_every_event_does_what_the_table_says(place: tuple[int, World, Database, str], at: Moment) -> None:
    port, world, database, secret = place
    set_moment(database, at)
    wrong = []

    def expect(who: str, what: str, code: str, allowed: bool) -> None:
        if (code == "ok") is not allowed or (code != "ok" and code not in REFUSED):
            wrong.append(f"{who}: {what} → {code}, expected {'ok' if allowed else 'a refusal'}")

    with database.read() as session:
        foreign_draft = _draft_stream(session, world, "official")
        own_drafts = {who: _draft_stream(session, world, who) for who in world.own}
    for who, actor in world.actors.items():
        cookie = "" if actor.user_id is None else cookie_of(port, secret, actor.user_id)
        line, ids = Line(port, cookie), world.of(who)
        reads, writes = table("read")(actor, at), table("edit")(actor, at)

        code, main = asked(line, "join", {"stream": ids["stream"]})
        expect(who, "join main", code, reads)
        version = main["version"] if main else ids["version"]
        if main:
            assert main["can"] == {
                name: table(name)(actor, at) for name in ("edit", "suggest", "annotate", "decide")
            }, f"{who} at {at}: {main['can']}"
            shown = {each["suggestion"] for each in main["suggestions"] if each["state"] == "draft"}
            mine = {ids["draft"]} if who in world.own else set()
            assert shown <= mine, f"{who} is shown drafts {shown - mine}"
        code, _ = asked(line, "pull", {"stream": ids["stream"], "version": 1})
        expect(who, "pull main", code, reads)
        code, _ = asked(line, "caret", {"stream": ids["stream"], "version": version, "anchor": 1, "head": 1})
        expect(who, "caret", code, True)  # of a stream that is not open it says nothing to anybody

        if who != "official":
            for event in ("join", "pull"):
                code, _ = asked(line, event, {"stream": foreign_draft, "version": 0})
                expect(who, f"{event} a foreign draft", code, False)
        if who in own_drafts:
            code, _ = asked(line, "join", {"stream": own_drafts[who]})
            expect(who, "join the own draft", code, reads)

        length = _length(database, ids["stream"])
        update = {"client": f"w-{who}", "sequence": 1, "changes": [[0, "X"], length]}
        code, _ = asked(line, "push", {"stream": ids["stream"], "version": version, "updates": [update]})
        expect(who, "push to main", code, writes)

        branch = ids["branch"]
        code, joined = asked(line, "join", {"stream": branch})
        expect(who, "join a filed branch", code, reads)
        length = _length(database, branch)
        update = {"client": f"b-{who}", "sequence": 1, "changes": [[0, "Y"], length]}
        body = {"stream": branch, "version": joined["version"] if joined else 0, "updates": [update]}
        code, _ = asked(line, "push", body)
        expect(who, "push to the branch", code, own("suggest")(actor, at))
        code, _ = asked(line, "leave", {"stream": branch})
        expect(who, "leave", code, True)
        line.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("how", ["end", "sign out", "anonymise"])
def test_who_may_not_read_any_more_is_shown_out_at_once(place: tuple[int, World, Database, str], how: str) -> None:
    port, world, database, secret = place
    set_moment(database, Moment("consultation", hidden=True))
    drafter, chief = world.actors["drafter"], world.actors["coordinator"]
    assert drafter.user_id is not None and chief.user_id is not None
    line, other = (Line(port, cookie_of(port, secret, user_id)) for user_id in (drafter.user_id, chief.user_id))
    for each in (line, other):
        each.ask("join", {"stream": world.ids["stream"]})
    with database.write() as session:
        if how == "end":
            people.end_membership(session, chief, DOCUMENT, drafter.user_id)
        elif how == "sign out":
            accounts.end_sessions(session, drafter)
        else:
            accounts.anonymise(session, drafter, drafter.user_id)
    with line.changed:
        assert line.changed.wait_for(lambda: not line.is_open, PATIENCE)
    assert other.is_open and other.ask("pull", {"stream": world.ids["stream"], "version": 1})["version"]
    line.close()
    other.close()


def test_a_role_that_ended_ends_on_an_open_line_too(place: tuple[int, World, Database, str]) -> None:
    port, world, database, secret = place
    set_moment(database, Moment("consultation", hidden=True))
    drafter, chief = world.actors["drafter"], world.actors["coordinator"]
    assert drafter.user_id is not None and drafter.role(DOCUMENT) is Role.DRAFTER
    line = Line(port, cookie_of(port, secret, drafter.user_id))
    stream = world.ids["stream"]
    line.ask("pull", {"stream": stream, "version": 1})
    with database.write() as session:
        people.end_membership(session, chief, DOCUMENT, drafter.user_id)

    def refused() -> bool:
        return asked(line, "pull", {"stream": stream, "version": 1})[0] in REFUSED

    until = time.monotonic() + PATIENCE
    while not refused():
        assert time.monotonic() < until, "a role that ended still reads"
        time.sleep(0.1)
    line.close()


def _draft_stream(session: Any, world: World, who: str) -> int:
    return session.get_one(Suggestion, world.own[who]["draft"]).stream_id


def _length(database: Database, stream_id: int) -> int:
    with database.read() as session:
        section_id = session.get_one(Stream, stream_id).section_id
        with heads.reading(session, section_id) as head:
            text = streams.present_text(head, stream_id)
    return len(text.encode("utf-16-le")) // 2

"""Two workers on one PostgreSQL: who is there is known on both, and a word that Redis lost only delays."""

from __future__ import annotations

import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask

from drafting.config import load_settings
from drafting.services import suggestions
from drafting.services.access import Actor
from drafting.store.database import Database
from drafting.store.models import Document, Stream
from drafting.web import identity, writer
from drafting.web.app import create_app
from tests import make
from tests.sockets import PATIENCE, Line, cookie_of, page_of
from tests.web.conftest import served, visitor

TEXT = "## Trees\n\nWe plant 100 trees.\n"

pytestmark = pytest.mark.xdist_group("postgresql")


@dataclass
class Pair:
    """Two workers, the ports on which they answer, and one section."""

    apps: tuple[Flask, Flask]
    ports: tuple[int, int]
    secret: str
    stream: int
    drafter: Actor
    other: Actor

    def line(self, worker: int, who: Actor | None = None) -> Line:
        assert who is None or who.user_id is not None
        cookie = "" if who is None else cookie_of(self.ports[worker], self.secret, who.user_id or 0)
        return Line(self.ports[worker], cookie)


@pytest.fixture
def pair(
    postgresql_database: Database, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pair]:
    monkeypatch.setattr(writer, "POLL_EVERY", 0.3)
    monkeypatch.setattr(writer, "PEOPLE_AGE", 1.0)
    url = postgresql_database.url.render_as_string(hide_password=False)
    settings = load_settings(
        {}, instance_path=tmp_path, database_url=url, redis_url=redis_url, testing=True, sign_in_limit="10000 per minute"
    )
    with postgresql_database.write() as session:
        document = make.document(session, phase="consultation")
        drafter, other = make.member(session, document, "drafter"), make.member(session, document, "drafter")
        section = make.section(session, document, TEXT)
        session.commit()
        assert section.stream_id is not None
        stream = section.stream_id
    databases = Database(url), Database(url)
    one, two = (create_app(settings, database=each) for each in databases)
    with served(one) as port, served(two) as second:
        yield Pair((one, two), (port, second), settings.secret_key, stream, drafter, other)
    for app in (one, two):
        app.extensions["live"].stop()
    for each in databases:
        each.close()


def names(data: Any) -> set[str]:
    return {each["name"] for each in data["people"]}


def test_who_is_on_the_other_worker_is_seen_by_those_who_come_later_and_gone_when_they_go(pair: Pair) -> None:
    first = pair.line(0, pair.drafter)
    first.ask("join", {"stream": pair.stream})
    time.sleep(0.3)  # what the first worker said of it was said before the second had a room
    late = pair.line(1, pair.other)
    late.ask("join", {"stream": pair.stream})
    late.wait_for("people", lambda data: pair.drafter.name in names(data))
    heard = len(late.heard)
    first.close()  # the last one there: that worker has no room for the section any more
    late.wait_for("people", lambda data: pair.drafter.name not in names(data), after=heard)
    late.close()


def test_people_of_a_worker_that_says_nothing_any_more_go(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    first, late = pair.line(0, pair.drafter), pair.line(1, pair.other)
    late.ask("join", {"stream": pair.stream})
    first.ask("join", {"stream": pair.stream})
    late.wait_for("people", lambda data: pair.drafter.name in names(data))
    heard = len(late.heard)
    monkeypatch.setattr(pair.apps[0].extensions["live"]._workers, "tell", lambda message: None)  # as one that was killed
    late.wait_for("people", lambda data: pair.drafter.name not in names(data), after=heard)
    first.close()
    late.close()


def test_signing_out_at_one_worker_ends_the_windows_of_that_session_at_the_other(pair: Pair) -> None:
    assert pair.drafter.user_id is not None
    signed_in = cookie_of(pair.ports[0], pair.secret, pair.drafter.user_id)
    cookie, token = page_of(pair.ports[0], signed_in)
    windows = [Line(port, cookie) for port in pair.ports]
    other_browser, somebody = pair.line(1, pair.drafter), pair.line(1, pair.other)
    for each in (*windows, other_browser, somebody):
        each.ask("join", {"stream": pair.stream})
    form = urllib.parse.urlencode({"csrf_token": token}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{pair.ports[0]}/signout", form, {"Cookie": cookie})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 200
    for window in windows:
        with window.changed:
            assert window.changed.wait_for(lambda window=window: not window.is_open, PATIENCE)  # type: ignore[misc]
    for line in (other_browser, somebody):
        assert line.ask("join", {"stream": pair.stream})["text"] == TEXT
        line.close()


def test_attempts_to_sign_in_are_counted_by_all_workers_together_and_by_each_where_redis_is_gone(
    postgresql_database: Database, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql_database.url.render_as_string(hide_password=False)
    given = {"instance_path": tmp_path, "database_url": url, "testing": True, "sign_in_limit": "3 per 77 minutes"}

    def statuses(redis_url: str, times: int) -> list[int]:
        """What a worker that has just started answers to somebody who guesses."""
        settings = load_settings({}, redis_url=redis_url, **given)
        client = visitor(create_app(settings, database=postgresql_database, live=False))
        form = {"email": "x@example.org", "password": "guessed"}
        return [client.post("/signin", data=form).status_code for _ in range(times)]

    monkeypatch.setattr(identity.limiter, "_storage_dead", False)  # as it is again after the test
    try:
        assert statuses(redis_url, 2) == [422, 422]
        assert statuses(redis_url, 3) == [422, 429, 429]
        identity.limiter.reset()  # where a Redis outlives the tests
        assert statuses(f"unix://{tmp_path}/nobody", 4) == [422, 422, 422, 429]
    finally:
        create_app(load_settings({}, **given), database=postgresql_database, live=False)  # counts in memory again


def test_a_word_that_redis_lost_only_delays(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text, and hunks that change without a revision of the stream that is open."""
    monkeypatch.setattr(pair.apps[0].extensions["live"]._workers, "tell", lambda message: None)
    first, watcher = pair.line(0, pair.drafter), pair.line(1)
    opened = first.ask("join", {"stream": pair.stream})
    with pair.apps[1].extensions["database"].write() as session:
        session.get_one(Document, 1).is_public = True
        session.commit()
    watcher.ask("join", {"stream": pair.stream})
    update = {"client": "c", "sequence": 1, "changes": [[0, "x"], len(TEXT)]}
    first.ask("push", {"stream": pair.stream, "version": opened["version"], "updates": [update]})
    watcher.wait_for("updates", lambda data: data["updates"][0]["client"] == "c")
    with pair.apps[0].extensions["database"].write() as session:
        section_id = session.get_one(Stream, pair.stream).section_id
        view = suggestions.open_suggestion(session, pair.drafter, section_id)
    first.ask("join", {"stream": view.stream_id})
    update = {"client": "b", "sequence": 1, "changes": [len(TEXT) + 1, [0, "More."]]}
    first.ask("push", {"stream": view.stream_id, "version": 0, "updates": [update]})
    with pair.apps[0].extensions["database"].write() as session:
        suggestions.file(session, pair.drafter, view.id, reason="so")
    told = watcher.wait_for("hunks", lambda data: data["state"] == "filed" and data["hunks"])
    assert told["hunks"][0]["text"] == "More."
    first.close()
    watcher.close()


def test_a_redis_that_is_gone_holds_nobody_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = pair.apps[0].extensions["live"]._workers
    monkeypatch.setattr(workers, "_line", redis.Redis(port=1, socket_connect_timeout=1))
    line = pair.line(0, pair.drafter)
    opened = line.ask("join", {"stream": pair.stream})
    update = {"client": "c", "sequence": 1, "changes": [[0, "x"], len(TEXT)]}
    assert line.ask("push", {"stream": pair.stream, "version": opened["version"], "updates": [update]})["version"] == 2
    line.close()

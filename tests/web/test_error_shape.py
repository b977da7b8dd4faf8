"""One error body everywhere: every class of `errors.py`, over HTTP and over the socket, in the reader's language."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from drafting import errors
from drafting.config import Settings
from drafting.errors import DraftingError, EngineError
from drafting.store.database import Database
from drafting.web import wire
from drafting.web.app import create_app
from tests import make
from tests.sockets import Line, Refused, cookie_of
from tests.web.conftest import served, visitor


def every_class() -> list[type[DraftingError]]:
    """The whole tree, the root last."""
    found: list[type[DraftingError]] = []
    waiting: list[type[DraftingError]] = [DraftingError]
    while waiting:
        kind = waiting.pop()
        found.insert(0, kind)
        waiting.extend(kind.__subclasses__())
    return [kind for kind in found if kind.__module__ == errors.__name__]


CLASSES = every_class()
DETAILS = {"number": 7, "words": "zażółć 🌳", "at": datetime(2026, 3, 1, tzinfo=UTC), "pair": (1, 2), "field": "x"}
STATUS = {
    "invalid_input": 400,
    "invalid_changes": 400,
    "invalid_file": 400,
    "too_large": 413,
    "not_signed_in": 401,
    "not_allowed": 403,
    "not_found": 404,
    "conflict": 409,
    "version_conflict": 409,
    "stale_review": 409,
    "wrong_state": 409,
    "name_taken": 409,
}


def check(body: Any, code: str) -> dict[str, Any]:
    """The error in a body that has the one shape."""
    assert list(body) == ["error"] and set(body["error"]) == {"code", "message", "details"}
    error = body["error"]
    assert error["code"] == code and isinstance(error["details"], dict)
    assert isinstance(error["message"], str) and error["message"].strip()
    return error


def shown_code(kind: type[DraftingError]) -> str:
    """The code under which the sender sees it: what does not fit together on the wire is a bad change of theirs."""
    return "invalid_changes" if issubclass(kind, EngineError) else kind.code


def raising(app: Flask) -> None:
    """An address and an event that raise what they are asked for; everything around them is real."""
    kinds = {kind.__name__: kind for kind in CLASSES}

    def fail(name: str) -> Any:
        if name == "bug":
            raise ZeroDivisionError("secret of the server")
        raise kinds[name]("said in English", **DETAILS)

    app.add_url_rule("/api/v1/raise/<name>", "raise", fail)
    if "live" in app.extensions:
        live = app.extensions["live"]
        live.socketio.server.on("raise", live.events.answering(lambda client, body: fail(body["name"])))


@pytest.fixture
def app(sqlite_database: Database, settings: Settings) -> Iterator[Flask]:
    made = create_app(settings, database=sqlite_database)
    raising(made)
    yield made
    made.extensions["live"].stop()


def test_every_class_has_a_code_of_its_own_and_its_sentence() -> None:
    codes = [kind.code for kind in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(kind.__doc__ and kind.__doc__.strip() for kind in CLASSES)
    tree = errors.__doc__ or ""
    for kind in CLASSES:
        assert kind.__name__ in tree, f"{kind.__name__} is not in the tree at the top of errors.py"


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind is not DraftingError])
def test_every_class_has_one_body_over_http(app: Flask, kind: type[DraftingError], caplog: Any) -> None:
    caplog.set_level(logging.CRITICAL)
    answer = visitor(app).get(f"/api/v1/raise/{kind.__name__}")
    if issubclass(kind, EngineError):  # seen behind the door it is our bug
        assert answer.status_code == 500
        check(answer.json, "internal")
        return
    assert answer.status_code == STATUS[kind.code] and answer.mimetype == "application/json"
    details = check(answer.json, kind.code)["details"]
    assert details == {**DETAILS, "at": "2026-03-01T00:00:00Z", "pair": [1, 2]}


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind is not DraftingError])
def test_every_class_is_said_in_the_readers_language(app: Flask, kind: type[DraftingError], caplog: Any) -> None:
    caplog.set_level(logging.CRITICAL)
    said = {
        language: visitor(app).get(f"/api/v1/raise/{kind.__name__}", headers={"Accept-Language": language}).json
        for language in ("pl", "en")
    }
    assert said["pl"]["error"]["code"] == said["en"]["error"]["code"]
    assert said["pl"]["error"]["message"] != said["en"]["error"]["message"]


def test_every_class_has_one_body_over_the_socket(app: Flask) -> None:
    with served(app) as port:
        line = Line(port)
        for kind in CLASSES:
            if kind is DraftingError:
                continue
            number = line.send("raise", {"name": kind.__name__})
            with pytest.raises(Refused) as refused:
                line.answer(number)
            assert refused.value.code == shown_code(kind)
            assert refused.value.details["number"] == 7 and refused.value.details["words"] == "zażółć 🌳"
        line.close()


def test_a_mistake_of_ours_is_logged_and_not_told(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    answer = visitor(app).get("/api/v1/raise/bug")
    assert answer.status_code == 500 and "secret" not in answer.get_data(as_text=True)
    check(answer.json, "internal")
    assert any("ZeroDivisionError" in str(record.exc_info) for record in caplog.records)
    with served(app) as port:
        line = Line(port)
        with pytest.raises(Refused) as refused:
            line.ask("raise", {"name": "bug"})
        assert refused.value.code == "internal" and "secret" not in str(refused.value)
        line.close()


def test_an_address_that_is_not_there_has_the_same_body(app: Flask) -> None:
    check(visitor(app).get("/api/v1/nothing").json, "not_found")
    answer = visitor(app).delete("/api/v1/documents")
    assert answer.status_code == 405 and set(answer.json["error"]) == {"code", "message", "details"}


def test_every_status_is_that_of_the_table() -> None:
    for kind in CLASSES:
        if kind is not DraftingError and not issubclass(kind, EngineError):
            assert wire.status_of(kind("x")) == STATUS[kind.code]


# ── what people really send ─────────────────────────────────────────────────────────────────────────────

UPDATE = {"client": "c", "sequence": 1, "changes": [3]}
BAD_BODIES: list[tuple[Any, str]] = [
    ([], "invalid_input"),
    ("text", "invalid_input"),
    (None, "invalid_input"),
    ({}, "invalid_input"),
    ({"version": "1", "updates": []}, "invalid_input"),
    ({"version": -1, "updates": []}, "invalid_input"),
    ({"version": True, "updates": []}, "invalid_input"),
    ({"version": 1e3, "updates": []}, "invalid_input"),
    ({"version": 2**60, "updates": []}, "invalid_input"),
    ({"version": 1, "updates": {}}, "invalid_input"),
    ({"version": 1, "updates": [3]}, "invalid_input"),
    ({"version": 1, "updates": [{}]}, "invalid_changes"),
    ({"version": 1, "updates": [{**UPDATE, "changes": "x"}]}, "invalid_changes"),
    ({"version": 1, "updates": [{**UPDATE, "changes": [[0, 7]]}]}, "invalid_changes"),
    ({"version": 1, "updates": [{**UPDATE, "changes": [[0, "\x00"], 3]}]}, "invalid_changes"),
    ({"version": 1, "updates": [{**UPDATE, "changes": [[0, "a\r"], 3]}]}, "invalid_changes"),
    ({"version": 1, "updates": [{**UPDATE, "changes": [2]}]}, "invalid_changes"),
    ({"version": 1, "updates": [{**UPDATE, "changes": [99]}]}, "invalid_changes"),
    ({"version": 1, "updates": [{**UPDATE, "client": ""}]}, "invalid_input"),
    ({"version": 1, "updates": [{**UPDATE, "client": "x" * 41}]}, "invalid_input"),
    ({"version": 1, "updates": [{**UPDATE, "sequence": "1"}]}, "invalid_input"),
    ({"version": 1, "updates": [UPDATE] * 100_000}, "too_large"),
    ({"version": 9, "updates": [UPDATE]}, "version_conflict"),
    ({"version": 1, "updates": [UPDATE], "origins": [12345]}, "not_found"),
    ({"version": 1, "updates": [UPDATE], "origins": "x"}, "invalid_input"),
]


def test_what_cannot_be_read_is_refused_with_the_one_body_and_changes_nothing(
    app: Flask, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        document = make.document(session)
        actor = make.member(session, document, "coordinator")
        section = make.section(session, document, "abc")
        session.commit()
        stream = section.stream_id
    wrong = []
    client = visitor(app, actor)
    with served(app) as port:
        assert actor.user_id is not None
        line = Line(port, cookie_of(port, app.config["SECRET_KEY"], actor.user_id))
        for body, code in BAD_BODIES:
            answer = client.post(f"/api/v1/streams/{stream}/push", json=body)
            found = [answer.json["error"]["code"] if answer.status_code >= 400 else "accepted"]
            if not (isinstance(body, dict) and len(json.dumps(body)) > 1_000_000):
                try:
                    line.ask("push", {**body, "stream": stream} if isinstance(body, dict) else body)
                    found.append("accepted")
                except Refused as refused:
                    found.append(refused.code)
            if set(found) != {code}:
                wrong.append(f"{json.dumps(body)[:80]}: {found}, expected {code}")
        line.close()
    assert not wrong, "\n".join(wrong)
    text = client.get(f"/api/v1/sections/{section.id}").json
    assert (text["version"], text["text"]) == (1, "abc")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 50_000, b"NaN", b'"\\ud800"'])
def test_a_body_that_is_not_json_is_refused(app: Flask, sqlite_database: Database, body: bytes) -> None:
    with sqlite_database.write() as session:
        document = make.document(session)
        actor = make.member(session, document, "coordinator")
        session.commit()
    answer = visitor(app, actor).post(
        f"/api/v1/documents/{document.slug}/annotations", data=body, content_type="application/json"
    )
    assert answer.status_code == 400
    check(answer.json, "invalid_input")


@pytest.mark.parametrize(
    "path",
    [
        "/d/{slug}/text?q=%00",
        "/d/{slug}/search?q=%00",
        "/d/{slug}/suggestions?q=%00&section=x&state=%ff",
        "/d/{slug}/suggestions?section=99999999999999999999",
        "/d/{slug}/remarks?q=%00",
        "/d/{slug}/s/{section}?mode=%00&suggestion=x",
        "/d/{slug}/s/99999999999999999999",
        "/d/%00",
        "/d/{slug}/organizations/%00",
        "/d/{slug}/meetings/99999999999999999999",
        "/api/v1/documents/%00",
        "/api/v1/documents/{slug}/suggestions?words=%00&limit=99999999999999",
        "/api/v1/documents/{slug}/suggestions?section=999999999999999",
        "/api/v1/sections/99999999999999999999",
        "/api/v1/sections/{section}?version=999999999999999",
        "/invite/%00",
        "/reset/%ff",
        "/enter/%00",
        "/language/%00",
        "/signin?next=%00//x",
    ],
)
def test_strange_addresses_are_refused_and_never_break(
    app: Flask, database: Database, settings: Settings, path: str
) -> None:
    """On both databases: PostgreSQL takes no NUL and no number past 2⁶³ where SQLite takes everything."""
    made = create_app(settings, database=database, live=False)
    with database.write() as session:
        document = make.document(session)
        section = make.section(session, document, "abc")
        session.commit()
    answer = visitor(made).get(path.format(slug=document.slug, section=section.id))
    assert answer.status_code < 500, answer.get_data(as_text=True)[:300]

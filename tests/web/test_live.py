"""The live server as a process of its own, and clients over real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from drafting.engine.changes import ChangeSet
from drafting.services import editing, suggestions
from tests import make, sockets
from tests.served import TEXT, Place, running
from tests.sockets import PATIENCE, Line, Refused, cookie_of


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    instance = tmp_path_factory.mktemp("instance")
    made = Place(instance)
    with running(made):
        yield made
    made.database.close()
    assert made.complaints == []


@pytest.fixture(autouse=True)
def _closing(place: Place) -> Iterator[None]:
    yield
    place.close()


def test_two_writers_see_each_other_and_end_equal(place: Place) -> None:
    section, stream = place.section()
    a, b = place.writer("drafter", stream, "a"), place.writer("other", stream, "b")
    for number in range(20):
        a.type(10**9, 10**9, "x" * (number % 3 + 1))
        a.push()
        b.type(5, 5, "ż😀")
        b.push()
    a.settle()
    b.settle()
    with place.database.read() as session:
        stored = editing.text_at(session, place.people["drafter"], section).text
    assert a.text == b.text == stored
    assert stored.count("😀") == 20


def test_law_5_a_resent_update_changes_nothing_and_is_answered_with_its_version(place: Place) -> None:
    _, stream = place.section()
    writer, other = place.writer("drafter", stream, "a"), place.writer("other", stream, "b")
    body = {"stream": stream, "version": 1, "updates": [{"client": "r", "sequence": 1, "changes": [[0, "A"], len(TEXT)]}]}
    line = writer.line
    assert line is not None
    first = line.ask("push", body)["version"]
    other.settle()
    other.type(0, 0, "B")
    other.settle()
    assert line.ask("push", body)["version"] >= first
    writer.settle()
    assert writer.text == other.text == "BA" + TEXT


def test_a_push_on_a_version_that_is_not_there_is_a_conflict(place: Place) -> None:
    _, stream = place.section()
    line = place.line("drafter")
    with pytest.raises(Refused) as refused:
        line.ask("push", {"stream": stream, "version": 7, "updates": [{"client": "c", "sequence": 1, "changes": [[0, "x"]]}]})
    assert refused.value.code == "version_conflict" and refused.value.details["version"] == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"stream": "x"},
        {"version": 1, "updates": []},
        {"version": 1, "updates": [{"client": "c", "sequence": 1, "changes": "no"}]},
        {"version": 1, "updates": [{"client": "c", "sequence": 1, "changes": [3, [0, "x"]]}]},
        {"version": 1, "updates": [{"client": "c", "sequence": 1, "changes": [-1]}]},
        {"version": 1, "updates": [{"client": "main", "sequence": 1, "changes": [len(TEXT), [0, "x"]]}]},
        {"version": 1, "updates": [{"client": "c", "sequence": 1, "changes": [len(TEXT), [0, "\ud83d"]]}]},
        {"version": 1, "updates": [{"client": "c", "sequence": 1, "changes": [len(TEXT), [0, "\x00"]]}]},
    ],
)
def test_what_cannot_be_read_is_refused_with_the_one_body(place: Place, body: Any) -> None:
    _, stream = place.section()
    line = place.line("drafter")
    if body is not None and "version" in body:
        body = {**body, "stream": stream}
    with pytest.raises(Refused) as refused:
        line.ask("push", body)
    assert refused.value.code in ("invalid_input", "invalid_changes")
    assert line.ask("join", {"stream": stream})["text"] == TEXT


def test_law_7_a_suggester_has_no_path_to_the_main_text_or_to_anothers_suggestion(place: Place) -> None:
    section, stream = place.section()
    with place.database.write() as session:
        draft = suggestions.open_suggestion(session, place.people["ngo"], section)
    push = {"version": 1, "updates": [{"client": "c", "sequence": 1, "changes": [[0, "x"], len(TEXT)]}]}
    for who in ("ngo", "rival", "observer", ""):
        line = place.line(who)
        with pytest.raises(Refused) as refused:
            line.ask("push", {**push, "stream": stream})
        assert refused.value.code == ("not_allowed" if who else "not_signed_in")
    for who, code in {"rival": "not_found", "observer": "not_found", "": "not_found"}.items():
        line = place.line(who)
        for event in ("join", "pull"):
            with pytest.raises(Refused) as refused:
                line.ask(event, {"stream": draft.stream_id, "version": 0})
            assert refused.value.code == code
        with pytest.raises(Refused) as refused:
            line.ask("push", {**push, "stream": draft.stream_id, "version": 0})
        assert refused.value.code == code
    assert place.line("drafter").ask("join", {"stream": stream})["text"] == TEXT


def test_a_suggestion_is_seen_as_it_is_typed_by_its_organisation_and_by_all_once_filed(place: Place) -> None:
    section, stream = place.section()
    watchers = {who: place.line(who) for who in ("colleague", "rival", "drafter", "")}
    for line in watchers.values():
        line.ask("join", {"stream": stream})
    opened = place.post("ngo", f"/sections/{section}/suggestions", {"origins": []})["suggestion"]
    writer = place.writer("ngo", opened["stream"], "n")
    at = TEXT.index("100")
    writer.type(at, at + 3, "250")
    writer.settle()
    told = watchers["colleague"].wait_for("hunks", lambda data: data["hunks"])
    assert told["mine"] and told["hunks"][0]["text"] == "250" and told["state"] == "draft"
    place.post("ngo", f"/suggestions/{opened['id']}/file", {"reason": "more shade"})
    for who, line in watchers.items():
        told = line.wait_for("hunks", lambda data: data["state"] == "filed")
        assert [(one["start"], one["end"], one["text"]) for one in told["hunks"]] == [(at, at + 3, "250")]
        assert told["mine"] == (who == "colleague")
        line.wait_for("card", lambda data: data == {"suggestion": opened["number"]})
    for who in ("rival", "drafter", ""):
        assert not [data for event, data in watchers[who].heard if event == "hunks" and data["state"] == "draft"]


def test_an_open_branch_gets_what_main_does_and_a_decision_reaches_everybody(place: Place) -> None:
    section, stream = place.section()
    opened = place.post("ngo", f"/sections/{section}/suggestions", {})["suggestion"]
    branch = place.writer("ngo", opened["stream"], "n")
    at = TEXT.index("100")
    branch.type(at, at + 3, "250")
    branch.settle()
    view = place.post("ngo", f"/suggestions/{opened['id']}/file", {"reason": "more"})["suggestion"]
    main = place.writer("drafter", stream, "d")
    end = TEXT.index("2027")
    main.type(end, end + 4, "2028")
    main.settle()
    branch.line.wait_for("updates", lambda data: any(one["client"] == "main" for one in data["updates"]))  # type: ignore[union-attr]
    branch.settle()
    assert branch.text == TEXT.replace("100", "250").replace("2027", "2028")
    [hunk] = view["hunks"]
    item = {"suggestion": view["id"], "hunk": hunk["id"], "branch_version": view["branch_version"], "hash": hunk["hash"]}
    done = place.post(
        "coordinator", f"/sections/{section}/decisions",
        {"items": [item], "verdict": "accepted", "reason": "yes", "supersedes": []},
    )
    assert [one["outcome"] for one in done["outcomes"]] == ["applied"]
    main.line.wait_for("updates", lambda data: any(one["kind"] == "accept" for one in data["updates"]))  # type: ignore[union-attr]
    main.settle()
    branch.settle()
    assert main.text == branch.text == TEXT.replace("100", "250").replace("2027", "2028")
    told = main.line.wait_for("hunks", lambda data: data["state"] == "decided")  # type: ignore[union-attr]
    assert told["hunks"] == []
    with pytest.raises(Refused) as refused:
        place.post("coordinator", f"/sections/{section}/decisions", {"items": [item], "verdict": "rejected", "reason": "no"})
    assert refused.value.code == "wrong_state"


def test_a_review_of_a_hunk_that_has_changed_since_is_refused_with_the_new_state(place: Place) -> None:
    section, _ = place.section()
    opened = place.post("ngo", f"/sections/{section}/suggestions", {})["suggestion"]
    branch = place.writer("ngo", opened["stream"], "n")
    at = TEXT.index("100")
    branch.type(at, at + 3, "250")
    branch.settle()
    view = place.post("ngo", f"/suggestions/{opened['id']}/file", {"reason": "more"})["suggestion"]
    [hunk] = view["hunks"]
    branch.type(at + 3, at + 3, " native")
    branch.settle()
    item = {"suggestion": view["id"], "hunk": hunk["id"], "branch_version": view["branch_version"], "hash": hunk["hash"]}
    with pytest.raises(Refused) as refused:
        place.post("coordinator", f"/sections/{section}/decisions", {"items": [item], "verdict": "accepted", "supersedes": []})
    assert refused.value.code == "stale_review"
    [state] = refused.value.details["suggestions"]
    assert [one["text"] for one in state["hunks"]] == ["250 native"]


def test_carets_and_names_are_told_and_go_when_their_owner_goes(place: Place) -> None:
    _, stream = place.section()
    a, b = place.line("drafter"), place.line("ngo")
    a.ask("join", {"stream": stream})
    b.ask("join", {"stream": stream})
    b.ask("caret", {"stream": stream, "version": 1, "anchor": 3, "head": 5})
    name = place.people["ngo"].name
    told = a.wait_for("people", lambda data: any(one["anchor"] == 3 for one in data["people"]))
    [person] = [one for one in told["people"] if one["name"] == name]
    assert (person["head"], person["code"]) == (5, place.ours.code)
    heard = len(a.heard)
    b.close()
    a.wait_for("people", lambda data: all(one["name"] != name for one in data["people"]), after=heard)


def test_a_client_that_was_away_gets_what_it_missed(place: Place) -> None:
    _, stream = place.section()
    a, b = place.writer("drafter", stream, "a"), place.writer("other", stream, "b")
    a.line.cut()  # type: ignore[union-attr]
    a.type(0, 0, "offline ")
    for number in range(30):
        b.type(len(TEXT) + number, len(TEXT) + number, "y")
        b.push()
    a.connect(place.line("drafter"))
    a.settle()
    b.settle()
    assert a.text == b.text == "offline " + TEXT + "y" * 30


def test_a_role_that_ended_stops_writing_within_seconds(place: Place) -> None:
    _, stream = place.section()
    with place.database.write() as session:
        from drafting.store.models import Document, Membership

        guest = make.member(session, session.get_one(Document, place.document_id), "drafter")
        session.commit()
        place.people["guest"] = guest
    writer = place.writer("guest", stream, "g")
    writer.type(0, 0, "a")
    writer.push()
    with place.database.write() as session:
        row = session.query(Membership).filter_by(user_id=guest.user_id).one()
        row.ended_at = make.NOON
        session.commit()
    until = time.monotonic() + 20
    with pytest.raises(Refused) as refused:
        while time.monotonic() < until:
            writer.type(0, 0, "b")
            writer.push()
            time.sleep(0.2)
    assert refused.value.code == "not_allowed"


def test_a_foreign_origin_is_turned_away(place: Place) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException):
        Line(place.port, place.cookie("drafter"), origin="https://elsewhere.example")


def test_an_inbound_message_without_end_is_cut_off_while_it_arrives(place: Place) -> None:
    line = place.line("drafter")
    with contextlib.suppress(OSError, websocket.WebSocketException):
        line.socket.send("42" + json.dumps(["join", "x" * 5_000_000]))
    with line.changed:
        assert line.changed.wait_for(lambda: not line.is_open, 20)
    assert place.line("drafter").ask("leave", {"stream": 1}) == {}


def test_frames_carry_no_extension_and_long_ones_arrive_whole(place: Place) -> None:
    _, stream = place.section("ą😀" * 60_000)
    line = place.line()
    assert "sec-websocket-extensions" not in line.socket.headers
    assert line.ask("join", {"stream": stream})["text"] == "ą😀" * 60_000


def test_updates_are_whole_and_in_order_for_a_room_of_many(place: Place) -> None:
    _, stream = place.section()
    watchers = [place.line() for _ in range(20)]
    for line in watchers:
        line.ask("join", {"stream": stream})
    writers = [place.writer("drafter", stream, f"w{number}") for number in range(4)]
    for _ in range(15):
        for writer in writers:
            writer.type(0, 0, writer.client)
            writer.push()
    for writer in writers:
        writer.settle()
    last = writers[0].version
    for line in watchers:
        line.wait_for("updates", lambda data: data["version"] + len(data["updates"]) == last)
        version = None
        for data in (data for event, data in line.heard if event == "updates"):
            assert version is None or data["version"] <= version  # never a gap; after a join some may come twice
            version = max(version or 0, data["version"] + len(data["updates"]))


def test_the_description_of_the_api_names_every_route(place: Place) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{place.port}/api/v1/openapi.json") as answer:
        described = json.load(answer)
    assert described["openapi"].startswith("3.1") and "/sections/{section_id}/decisions" in described["paths"]


def test_an_update_pushed_over_http_reaches_those_who_are_connected(place: Place) -> None:
    _, stream = place.section()
    watcher = place.line()
    watcher.ask("join", {"stream": stream})
    changes = ChangeSet.of([(0, 0, "H")], len(TEXT))
    place.post(
        "drafter", f"/streams/{stream}/push",
        {"version": 1, "updates": [{"client": "h", "sequence": 1, "changes": changes.to_json()}]},
    )
    assert watcher.wait_for("updates")["updates"][0]["client"] == "h"


def test_readers_hear_that_a_section_is_gone(place: Place) -> None:
    section, stream = place.section()
    other, other_stream = place.section()
    here, there = place.line(), place.line()
    here.ask("join", {"stream": stream})
    there.ask("join", {"stream": other_stream})
    place.form("coordinator", f"/d/{place.slug}/sections/{section}/remove")
    assert here.wait_for("section", lambda data: data["what"] == "removed")["section"] == section
    assert there.wait_for("section", lambda data: data["what"] == "removed")["section"] != other


# ── who it is that writes ───────────────────────────────────────────────────────────────────────────────


def test_a_page_of_another_session_is_nobody(place: Place) -> None:
    """Somebody else has signed in in the next tab: what this page still sends must not be stored as theirs."""
    _, stream = place.section()
    for token in ("", "x" * 40, Line(place.port, place.cookie("other")).token):
        line = Line(place.port, place.cookie("drafter"), token=token)
        with pytest.raises(Refused) as refused:
            line.ask("push", {"stream": stream, "version": 1, "updates": [{"client": "c", "sequence": 1, "changes": [[0, "x"], len(TEXT)]}]})
        assert refused.value.code == "not_signed_in"
        line.close()
    assert place.line("drafter").ask("join", {"stream": stream})["can"]["edit"]


def test_signing_out_ends_every_window_of_that_session_and_no_other(place: Place) -> None:
    _, stream = place.section()
    user_id = place.people["other"].user_id
    assert user_id is not None
    cookie = cookie_of(place.port, place.secret, user_id)
    elsewhere = Line(place.port, cookie)
    place.lines.append(elsewhere)
    sockets.forget_page(place.port, cookie)  # signed in within the same second it may look the same
    first, second = place.line("other"), place.line("other")
    place.form("other", "/signout")
    del place.cookies["other"]
    for line in (first, second):
        with line.changed:
            assert line.changed.wait_for(lambda line=line: not line.is_open, PATIENCE)  # type: ignore[misc]
    elsewhere.ask("push", {"stream": stream, "version": 1, "updates": [insert("elsewhere", 1, "x", len(TEXT))]})


def insert(client: str, sequence: int, words: str, length: int) -> dict[str, Any]:
    return {"client": client, "sequence": sequence, "changes": [[0, words], length]}


def test_nobody_uses_up_the_numbers_of_somebody_elses_editor(place: Place) -> None:
    _, stream = place.section()
    mine, theirs = place.line("drafter"), place.line("other")
    mine.ask("push", {"stream": stream, "version": 1, "updates": [insert("mine", 1, "A", len(TEXT))]})
    for sequence in (1, 2, 2**31 - 1):
        with pytest.raises(Refused) as refused:
            theirs.ask("push", {"stream": stream, "version": 2, "updates": [insert("mine", sequence, "B", len(TEXT) + 1)]})
        assert refused.value.code == "invalid_input"
    mine.ask("push", {"stream": stream, "version": 2, "updates": [insert("mine", 2, "C", len(TEXT) + 1)]})
    assert mine.ask("join", {"stream": stream})["text"] == "CA" + TEXT


def test_law_10_two_windows_with_one_client_name_lose_nothing_silently(place: Place) -> None:
    section, main = place.section()
    branch = place.post("ngo", f"/sections/{section}/suggestions", {})["suggestion"]["stream"]
    for who, stream in (("drafter", main), ("ngo", branch)):
        first, second = place.line(who), place.line(who)
        opened = first.ask("join", {"stream": stream})
        version, text = opened["version"], opened["text"]
        body = {"stream": stream, "version": version, "updates": [insert("same", 1, "A", len(text))]}
        first.ask("push", body)
        other = {"stream": stream, "version": version, "updates": [insert("same", 1, "B", len(text))]}
        with pytest.raises(Refused) as refused:  # it is not stored, and must not be told that it is
            second.ask("push", other)
        assert refused.value.code == "invalid_changes"
        assert first.ask("push", body)["version"] == version + 1
        assert first.ask("join", {"stream": stream})["text"] == "A" + text


def test_who_is_too_far_behind_is_told_to_ask_first(place: Place) -> None:
    _, stream = place.section()
    line = place.line("drafter")
    length = len(TEXT)
    for start in range(0, 2400, 800):
        updates = [insert("long", start + k + 1, "x", length + start + k) for k in range(800)]
        line.ask("push", {"stream": stream, "version": start + 1, "updates": updates})
    late = [insert("late", k + 1, "y", length + k) for k in range(300)]
    with pytest.raises(Refused) as refused:
        line.ask("push", {"stream": stream, "version": 1, "updates": late})
    assert refused.value.code == "version_conflict" and refused.value.details["version"] == 2401
    writer = place.writer("other", stream, "w")
    writer.type(0, 0, "z")
    writer.settle()
    assert writer.text == "z" + "x" * 2400 + TEXT


def test_a_name_that_was_taken_away_is_told_no_more(place: Place) -> None:
    _, stream = place.section()
    with place.database.write() as session:
        from drafting.store.models import Document

        leaving = make.member(session, session.get_one(Document, place.document_id), "drafter")
        session.commit()
        place.people["leaving"] = leaving
    writer = place.writer("leaving", stream, "l")
    writer.type(0, 0, "a")
    writer.settle()
    watcher = place.line()
    assert watcher.ask("pull", {"stream": stream, "version": 1})["updates"][0]["author"]["name"] == leaving.name
    place.form("leaving", "/account/end", confirm="1")
    until = time.monotonic() + PATIENCE
    while watcher.ask("pull", {"stream": stream, "version": 1})["updates"][0]["author"]["name"] == leaving.name:
        assert time.monotonic() < until, "the name of an account that has ended is still told"
        time.sleep(0.05)


# ── the end of a server ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["terminated", "Ctrl-C"])
def test_a_server_that_is_stopped_answers_what_was_pushed_and_closes_the_lines_at_once(tmp_path: Path, how: int) -> None:
    place = Place(tmp_path)
    try:
        with running(place) as server:
            section, stream = place.section()
            lines = [place.line() for _ in range(20)]
            for line in lines:
                line.ask("join", {"stream": stream})
            writer = place.writer("drafter", stream, "w")
            began = threading.Event()

            def type_on() -> None:
                with contextlib.suppress(ConnectionError):
                    while True:
                        writer.type(0, 0, "x")
                        writer.push()
                        if writer.acknowledged == 20:
                            began.set()

            thread = threading.Thread(target=type_on)
            thread.start()
            assert began.wait(PATIENCE)
            os.kill(server.pid, how)
            for line in lines:
                with line.changed:
                    assert line.changed.wait_for(lambda line=line: not line.is_open, PATIENCE)
            assert server.wait(PATIENCE) == 0
            thread.join(PATIENCE)
        assert not any("SIGKILL" in line for line in place.logged)  # nobody was waited for in vain
        with place.database.read() as session:
            text = editing.text_at(session, place.people["drafter"], section).text
        assert writer.acknowledged >= 20 and text.count("x") >= writer.acknowledged
    finally:
        place.close()
        place.database.close()

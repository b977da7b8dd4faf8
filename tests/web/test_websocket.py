"""The WebSocket under Engine.IO: what is read, what ends a connection, and clients that do not read."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest
import websocket

from drafting.web.websocket import MAX_BACKLOG, MAX_INBOUND, Connection, is_readable, text_frame
from tests.served import Place, running
from tests.sockets import PATIENCE, Line

CONTINUED = b"\x00\x80\x00\x00\x00\x00"  # a part without words, of a message that goes on; masked with zeros


@pytest.mark.parametrize("message", ["1", "3", "40", '40{"csrf":"x"}', "41", '42["push",{}]', '4217["join",{"stream":1},2]'])
def test_what_clients_say_is_read(message: str) -> None:
    assert is_readable(message)


UNREADABLE = [
    "", "x", "4", "42", "42[", "42{}", "42[]", "42[1]", "42[null]", "42[[]]", "2", "5", "6", "45", "49", "43[1]", "44{}",
    "40[]", "40{", "40/other,", '42/other,1["push",{}]', '451-["push",{"_placeholder":true,"num":0}]', "459999999999-[]",
    "42" + "9" * 200 + "[]", "42" + "[" * 100_000, '421["push",' + "[" * 100_000 + "]" * 100_000 + "]",
    '421["push",{"stream":' + "9" * 5000 + "}]", '421["connect",{}]', '421["disconnect"]', '42["connect_error"]', '42["*"]',
]  # fmt: skip


@pytest.mark.parametrize("message", [*UNREADABLE, b"", b"4abc"], ids=lambda message: repr(message[:24]))
def test_what_no_client_says_is_not_read(message: str | bytes) -> None:
    assert not is_readable(message)


# ── one connection ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    """A server's connection, and the client's end of it after the handshake."""
    server, client = socket.socketpair()
    client.settimeout(PATIENCE)
    connection = Connection({"werkzeug.socket": server, "HTTP_SEC_WEBSOCKET_KEY": "x" * 24}, MAX_INBOUND)
    while not client.recv(4096).endswith(b"\r\n\r\n"):
        pass
    yield connection, client
    connection.close()
    server.close()
    client.close()


def test_a_client_that_does_not_read_is_dropped_and_nobody_waits_for_it(pair: tuple[Connection, socket.socket]) -> None:
    connection, _ = pair
    frame = text_frame(b"x" * 100_000)
    for _ in range(MAX_BACKLOG // len(frame) + 20):  # comes back at once each time, or this test hangs
        connection.send_frame(frame)
    assert connection.is_closed and connection.waiting <= MAX_BACKLOG + len(frame)


def test_what_a_slow_client_left_unread_comes_whole_and_in_order(pair: tuple[Connection, socket.socket]) -> None:
    connection, client = pair
    frames = [text_frame(str(number).encode() * 9000) for number in range(10, 60)]
    for frame in frames:
        connection.send_frame(frame)
    assert connection.waiting > 0
    wanted, got = b"".join(frames), b""
    thread = Thread(target=connection.flush)
    thread.start()
    while len(got) < len(wanted):
        got += client.recv(65536)
    thread.join(PATIENCE)
    assert got == wanted and connection.waiting == 0


def test_parts_without_end_and_without_words_are_cut_off_too(pair: tuple[Connection, socket.socket]) -> None:
    connection, client = pair
    thread = Thread(target=connection.receive)
    thread.start()
    client.sendall(b"\x01\x80\x00\x00\x00\x00")
    with pytest.raises(OSError):
        while True:
            client.sendall(CONTINUED * 10_000)
    thread.join(PATIENCE)
    assert connection.is_closed


# ── a served one ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("instance"))
    with running(made):
        yield made
    made.database.close()
    assert made.complaints == []  # nothing that a stranger sends makes the server log a trace


@pytest.mark.parametrize("message", UNREADABLE, ids=lambda message: repr(message[:24]))
def test_an_unreadable_message_ends_the_line_and_leaves_no_ghost(place: Place, message: str) -> None:
    _, stream = place.section()
    watcher, line = place.line("other"), place.line("drafter")
    watcher.ask("join", {"stream": stream})
    line.ask("join", {"stream": stream})
    name = place.people["drafter"].name
    watcher.wait_for("people", lambda data: any(one["name"] == name for one in data["people"]))
    heard = len(watcher.heard)
    line.socket.send(message)
    with line.changed:
        assert line.changed.wait_for(lambda: not line.is_open, PATIENCE)
    watcher.wait_for("people", lambda data: all(one["name"] != name for one in data["people"]), after=heard)
    place.close()


def test_a_client_that_only_leaves_the_namespace_is_let_go(place: Place) -> None:
    line = place.line("drafter")
    line.socket.send("41")
    with line.changed:
        assert line.changed.wait_for(lambda: not line.is_open, PATIENCE)
    place.close()


def test_there_are_never_more_connections_than_leave_threads_for_pages(tmp_path: Path) -> None:
    place = Place(tmp_path)
    lines: list[Line] = []
    try:
        with running(place, "--threads", "16"):
            lines += [Line(place.port) for _ in range(12)]
            for _ in range(3):
                with pytest.raises(websocket.WebSocketBadStatusException) as refused:
                    Line(place.port)
                assert refused.value.status_code == 503
            with urlopen(f"http://127.0.0.1:{place.port}/", timeout=PATIENCE) as answer:
                assert answer.status == 200
            lines.pop().close()
            until = time.monotonic() + PATIENCE
            while True:  # its place is free again
                try:
                    lines.append(Line(place.port))
                    break
                except websocket.WebSocketBadStatusException:
                    assert time.monotonic() < until
                    time.sleep(0.05)
            for line in lines:
                line.close()
    finally:
        place.database.close()

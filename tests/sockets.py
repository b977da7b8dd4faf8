"""Browsers for tests, without a browser: a socket that speaks Socket.IO, and a writer that keeps a text as an editor does.

`Line` is one connection with its own reading thread. `Writer` holds a stream's confirmed text, its version and what is
typed and not yet stored, carries everything over one stored change at a time, and sends again after a break, exactly as
static/src/replica.ts and editing.ts do.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import websocket

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update, carry
from drafting.engine.text import from_units, to_units
from drafting.web import identity

PATIENCE = 20.0  # s; a loaded machine is no reason to fail


class Refused(Exception):
    """The server answered with an error body."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.details = error["code"], error["details"]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def cookie_of(port: int, secret_key: str, user_id: int, session_epoch: int = 0) -> str:
    """The session cookie of somebody who signed in by link."""
    token = identity.sign_in_token(secret_key, user_id, session_epoch)
    opener = urllib.request.build_opener(_Stay)
    request = urllib.request.Request(f"http://127.0.0.1:{port}/enter/{token}")
    try:
        answer = opener.open(request)
    except urllib.error.HTTPError as redirect:
        answer = redirect
    with answer:
        cookies = answer.headers.get_all("Set-Cookie") or []
    found = [each.split(";", 1)[0] for each in cookies if each.startswith("drafting=")]
    assert found, f"no session after {answer.status}"
    return found[-1]


_opened: dict[tuple[int, str], tuple[str, str]] = {}


def page_of(port: int, cookie: str) -> tuple[str, str]:
    """What a page of this session brings: the cookie with its CSRF token, and the token as the page shows it."""
    if (port, cookie) not in _opened:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/account", headers={"Cookie": cookie})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            html = answer.read().decode()
            cookies = answer.headers.get_all("Set-Cookie") or []
        fresh = [each.split(";")[0] for each in cookies if each.startswith("drafting=")]
        token = html.split('name="csrf-token" content="')[1].split('"')[0]
        _opened[port, cookie] = (fresh[-1] if fresh else cookie, token)
    return _opened[port, cookie]


def forget_page(port: int, cookie: str) -> None:
    """The next page of this cookie is opened anew, as in another browser."""
    _opened.pop((port, cookie), None)


class Line:
    """One open connection of a page of this session. `heard` holds all events in the order they came.

    token  the CSRF token that the page sends; None: the right one
    """

    def __init__(self, port: int, cookie: str = "", origin: str | None = None, token: str | None = None) -> None:
        self.port = port
        if cookie:
            cookie, own = page_of(port, cookie)
            token = own if token is None else token
        self.token = token
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket",
            cookie=cookie or None,
            origin=f"http://127.0.0.1:{port}" if origin is None else origin,
            timeout=PATIENCE,
        )
        self.heard: list[tuple[str, Any]] = []
        self.answers: dict[int, Any] = {}
        self.listeners: list[Callable[[str, Any], None]] = []
        self.changed = threading.Condition()
        self.is_open = True
        self.failure: BaseException | None = None
        self._next = 0
        try:
            assert self.socket.recv().startswith("0")
            self.socket.send("40" + (json.dumps({"csrf": token}) if token else ""))
            assert self.socket.recv().startswith("40")
        except BaseException:
            self.socket.shutdown()
            raise
        self.socket.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            self._read_all()
        except BaseException as error:  # a writer that cannot take an update: the test must hear of it
            self.failure = error
            with self.changed:
                self.is_open = False
                self.changed.notify_all()
        finally:  # also when the test has forgotten this line
            self.socket.shutdown()

    def _read_all(self) -> None:
        while True:
            try:
                message = self.socket.recv()
            except (websocket.WebSocketException, OSError):
                message = ""
            if not message:
                with self.changed:
                    self.is_open = False
                    self.changed.notify_all()
                return
            if message == "2":
                with contextlib.suppress(websocket.WebSocketException, OSError):  # the server has ended: `recv` says so
                    self.socket.send("3")
            elif message.startswith("43"):
                start = message.index("[")
                with self.changed:
                    self.answers[int(message[2:start])] = json.loads(message[start:])[0]
                    self.changed.notify_all()
            elif message.startswith("42"):
                event, data = json.loads(message[2:])
                for listener in self.listeners:
                    listener(event, data)
                with self.changed:
                    self.heard.append((event, data))
                    self.changed.notify_all()

    def send(self, event: str, data: Any) -> int:
        """Sends an event; the number is for `answer`."""
        number, self._next = self._next, self._next + 1
        self.socket.send(f"42{number}{json.dumps([event, data])}")
        return number

    def answer(self, number: int) -> Any:
        with self.changed:
            assert self.changed.wait_for(lambda: number in self.answers or not self.is_open, PATIENCE), "no answer"
            if self.failure is not None:
                raise AssertionError("a writer could not take an update") from self.failure
            if number not in self.answers:
                raise ConnectionError("the line broke before the answer")
            value = self.answers.pop(number)
        if isinstance(value, dict) and "error" in value:
            raise Refused(value["error"])
        return value

    def ask(self, event: str, data: Any) -> Any:
        """The answer to an event. raises: Refused, ConnectionError"""
        try:
            number = self.send(event, data)
        except (websocket.WebSocketException, OSError) as error:
            raise ConnectionError(str(error)) from None
        return self.answer(number)

    def wait_for(self, event: str, such: Callable[[Any], bool] = lambda data: True, after: int = 0) -> Any:
        """The first event of this kind, of those heard after `after`, that is such."""

        def found() -> Any:
            return next((data for name, data in self.heard[after:] if name == event and such(data)), None)

        with self.changed:
            assert self.changed.wait_for(lambda: found() is not None, PATIENCE), f"no {event} among {self.heard[-5:]}"
            return found()

    def close(self) -> None:
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self.socket.close(timeout=1)
        self.socket.shutdown()
        self._reader.join(PATIENCE)

    def cut(self) -> None:
        """As when the network goes: nothing is said."""
        open_socket = self.socket.sock
        if open_socket is not None:  # else the server was quicker
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)


class Writer:
    """One editor of one stream."""

    def __init__(self, stream: int, client: str) -> None:
        self.stream, self.client = stream, client
        self.line: Line | None = None
        self.lock = threading.RLock()
        self.version, self.confirmed = 0, ""  # units form
        self.pending: list[Update] = []
        self.sequence = 0
        self.acknowledged = 0  # newest sequence that the server said is stored
        self.joined: dict[str, Any] = {}

    def connect(self, line: Line) -> None:
        """Opens the stream on a line, the first time with its text, after that with what is missing."""
        self.line = line
        line.listeners.append(self._hear)
        body: dict[str, Any] = {"stream": self.stream}
        if self.joined:
            body["version"] = self.version
        answer = line.ask("join", body)
        with self.lock:
            if "text" in answer:
                assert not self.joined or not self.pending
                self.confirmed, self.version = to_units(answer["text"]), answer["version"]
            else:
                self._take(answer["version"] - len(answer["updates"]), answer["updates"])
            self.joined = answer

    def _hear(self, event: str, data: Any) -> None:
        if event == "updates" and data["stream"] == self.stream and self.joined:
            with self.lock:
                self._take(data["version"], data["updates"])

    def _take(self, version: int, updates: list[dict[str, Any]]) -> None:
        if version > self.version:
            return  # something is missing before it; `settle` asks
        for each in updates[self.version - version :]:
            changes = ChangeSet.from_json(each["changes"])
            stored = Update(each["client"], each["sequence"], changes)
            rebased = carry(self.pending, [stored], self.version)
            self.pending = list(rebased.updates)
            self.confirmed = changes.apply(self.confirmed)
            self.version += 1

    @property
    def units(self) -> str:
        """What the editor shows."""
        with self.lock:
            text = self.confirmed
            for each in self.pending:
                text = each.changes.apply(text)
            return text

    @property
    def text(self) -> str:
        return from_units(self.units)

    def type(self, start: int, end: int, words: str) -> None:
        """Changes the shown text, without sending."""
        with self.lock:
            length = len(self.units)
            start, end = min(start, length), min(end, length)
            self.sequence += 1
            self.pending.append(
                Update(self.client, self.sequence, ChangeSet.of([(start, end, to_units(words))], length))
            )

    def push(self, origins: tuple[int, ...] = ()) -> int | None:
        """Sends what is not stored yet; the version answered. raises: Refused, ConnectionError"""
        with self.lock:
            if not self.pending:
                return None
            sent = self.pending[-1].sequence
            body = {
                "stream": self.stream,
                "version": self.version,
                "updates": [
                    {"client": each.client, "sequence": each.sequence, "changes": each.changes.to_json()}
                    for each in self.pending
                ],
                "origins": list(origins),
            }
        assert self.line is not None
        version: int = self.line.ask("push", body)["version"]
        self.acknowledged = max(self.acknowledged, sent)
        return version

    def pull(self) -> None:
        assert self.line is not None
        answer = self.line.ask("pull", {"stream": self.stream, "version": self.version})
        with self.lock:
            self._take(answer["version"] - len(answer["updates"]), answer["updates"])

    def settle(self) -> None:
        """Until nothing is unsent and all that is stored has come."""
        until = time.monotonic() + PATIENCE
        while True:
            self.push()
            self.pull()
            if not self.pending:
                return
            assert time.monotonic() < until, f"{len(self.pending)} updates of {self.client} never came back"

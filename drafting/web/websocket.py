"""The WebSocket under Engine.IO: our own, because the stock one truncates, buffers without bound and encodes per client.

What it does otherwise (measured, see the stack's notes):
- a frame is encoded once and sent to many (`text_frame`, `Connection.send_frame`);
- sending does not wait and does not go through a queue and a second thread: what the socket takes at once is sent by the
  caller, only the rest waits for the connection's writer thread. A client that leaves more than `MAX_BACKLOG` unread is
  dropped; it comes back and asks for what it missed;
- no permessage-deflate: it costs a third of the CPU and 100 kB a connection on frames of 100 bytes;
- an inbound message is refused while it arrives, not after all of it is in memory;
- what is none of the few things that a client says (`is_readable`) ends the connection, before the libraries behind it
  read it: they would log a trace for each, and call our handlers of `connect` and `disconnect` for events of that name;
- there are never more connections than leave threads for pages (`Doors`).

It sits at a private door of Engine.IO (`server.eio._async`), so the version is pinned and `tests/web/test_websocket.py`
holds it open.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import queue
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from engineio import json
from wsproto.connection import Connection as Protocol
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import ProtocolError

__all__ = ["CloseReason", "Connection", "install", "text_frame"]

log = logging.getLogger(__name__)

ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
MAX_INBOUND = 2_000_000  # characters of one message; a pasted section of 300,000 fits, however JSON writes them
MAX_BACKLOG = 8_000_000  # bytes a client may leave unread
PART = 16  # characters that a part of a message counts beside its own: parts without end are no way around the bound

CONNECT = re.compile(r"40(\{.*)?", re.DOTALL)
EVENT = re.compile(r"42(?:\d{1,15})?(\[.*)", re.DOTALL)  # a number when an answer is wanted
NOT_OURS = {"connect", "connect_error", "disconnect", "*"}  # Socket.IO gives these names a meaning of their own


def is_readable(message: str | bytes) -> bool:
    """Whether it is something that a client of ours says: a pong, a connect, a goodbye, or an event with its values.

    source  Engine.IO protocol 4, Socket.IO protocol 5: 3 pong, 1 close, 40 connect, 41 disconnect, 42 event
    """
    if not isinstance(message, str):
        return False
    if message in ("1", "3", "40", "41"):
        return True
    connect, event = CONNECT.fullmatch(message), EVENT.fullmatch(message)
    if connect is None and event is None:
        return False
    try:
        value = json.loads((connect or event)[1])  # type: ignore[index]
    except (ValueError, RecursionError):
        return False
    if connect is not None:
        return isinstance(value, dict)
    return bool(value) and isinstance(value[0], str) and value[0] not in NOT_OURS


def text_frame(payload: bytes) -> bytes:
    """A whole text message as the server sends it: unmasked, one frame."""
    size = len(payload)
    if size < 126:
        return b"\x81" + bytes((size,)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Connection:
    """One open WebSocket. Any thread may send; one thread (the request's) waits for what comes in."""

    def __init__(self, environ: dict[str, Any], max_inbound: int) -> None:
        self._wire: socket.socket = environ.get("gunicorn.socket") or environ["werkzeug.socket"]
        self._plain = not isinstance(self._wire, ssl.SSLSocket)
        self._max_inbound = max_inbound
        self._protocol = Protocol(ConnectionType.SERVER)
        self._arrived: deque[str | bytes] = deque()
        self._parts: list[str] | list[bytes] = []
        self._parts_size = 0
        self.lock = threading.Lock()
        self.has_backlog = threading.Condition(self.lock)
        self._backlog: deque[bytes] = deque()
        self._backlog_size = 0
        self.is_closed = False
        key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "").encode("ascii", "replace")
        answer = base64.b64encode(hashlib.sha1(key + ACCEPT, usedforsecurity=False).digest())
        self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) if self._wire.family != socket.AF_UNIX else None
        self._wire.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + answer + b"\r\n\r\n"
        )

    # ── out ──

    def send_frame(self, frame: bytes) -> None:
        """Sends an encoded frame, now or when the client reads again; silently nothing once closed."""
        with self.lock:
            if self.is_closed:
                return
            rest = frame
            if not self._backlog:
                try:
                    if self._plain:
                        sent = self._wire.send(frame, socket.MSG_DONTWAIT)
                        if sent == len(frame):
                            return
                        rest = frame[sent:]
                except BlockingIOError:
                    pass
                except OSError:
                    self._shut()
                    return
            self._backlog.append(rest)
            self._backlog_size += len(rest)
            if self._backlog_size > MAX_BACKLOG:
                self._shut()
            self.has_backlog.notify_all()

    def flush(self) -> None:
        """Sends what waits; blocks as long as the client takes. Called by the connection's writer thread, without the lock."""
        while True:
            with self.lock:
                if not self._backlog or self.is_closed:
                    return
                part = self._backlog[0]
            try:
                self._wire.sendall(part)
            except OSError:
                with self.lock:
                    self._shut()
                return
            with self.lock:
                if self._backlog:
                    self._backlog_size -= len(self._backlog.popleft())

    @property
    def waiting(self) -> int:
        """Bytes that the client has not taken yet."""
        return self._backlog_size

    # ── in ──

    def receive(self) -> str | bytes | None:
        """The next message; None when the connection is over."""
        while not self._arrived:
            if self.is_closed:
                return None
            try:
                data = self._wire.recv(65536)
                if not data:
                    raise OSError
                self._protocol.receive_data(data)
                self._read_events()
            except (OSError, ProtocolError, UnicodeDecodeError):
                with self.lock:
                    self._shut()
        return self._arrived.popleft()

    def _read_events(self) -> None:
        for event in self._protocol.events():
            if isinstance(event, TextMessage | BytesMessage):
                self._parts_size += len(event.data) + PART
                if self._parts_size > self._max_inbound:
                    self.close(CloseReason.MESSAGE_TOO_BIG)
                    return
                self._parts.append(event.data)
                if event.message_finished:
                    empty = "" if isinstance(event, TextMessage) else b""
                    self._arrived.append(empty.join(self._parts))
                    self._parts, self._parts_size = [], 0
            elif isinstance(event, Ping):
                self.send_frame(self._protocol.send(event.response()))
            elif isinstance(event, CloseConnection):
                if self._protocol.state is ConnectionState.REMOTE_CLOSING:
                    self.send_frame(self._protocol.send(event.response()))
                with self.lock:
                    self._shut()

    # ── the end ──

    def close(self, reason: int = CloseReason.NORMAL_CLOSURE) -> None:
        """Says goodbye, when the socket takes it, and ends the connection."""
        if not self.is_closed:
            self.send_frame(b"\x88\x02" + int(reason).to_bytes(2, "big"))
        with self.lock:
            self._shut()

    def _shut(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._backlog.clear()
            try:
                self._wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.has_backlog.notify_all()


class Outgoing(queue.Queue):  # type: ignore[type-arg]
    """Engine.IO's queue of packets to one client: passes them straight on once there is a connection."""

    connection: Connection | None = None

    def attach(self, connection: Connection) -> None:
        """From now on packets are sent as they are put; those put before go first."""
        while True:
            try:
                packet = super().get(block=False)
            except queue.Empty:
                break
            self.task_done()
            if packet is not None:
                connection.send_frame(_frame_of(packet))
        self.connection = connection

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if self.connection is None or item is None:
            super().put(item)
            if self.connection is not None:
                with self.connection.lock:
                    self.connection.has_backlog.notify_all()
        else:
            self.connection.send_frame(_frame_of(item))

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The writer thread waits here: it sends what could not be sent at once, and gets only the end (None)."""
        connection = self.connection
        if not block or connection is None:
            return super().get(block, timeout)
        while True:
            connection.flush()
            with connection.lock:
                if connection.is_closed and self.empty():
                    super().put(None)
                if self.empty() and not connection.waiting:
                    connection.has_backlog.wait()
            try:
                return super().get(block=False)
            except queue.Empty:
                continue


def _frame_of(packet: Any) -> bytes:
    """The packet's frame, encoded once however many clients it goes to."""
    frame: bytes | None = getattr(packet, "frame", None)
    if frame is None:
        encoded = packet.encode()
        frame = text_frame(encoded.encode() if isinstance(encoded, str) else encoded)
        packet.frame = frame
    return frame


class Doors:
    """Lets in as many connections as there may be at once, each an `Adapter` that Engine.IO calls with its request."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._lock = threading.Lock()

    def __call__(self, handler: Callable[[Any], Any], server: Any) -> Adapter:
        return Adapter(handler, server.max_http_buffer_size, self)

    def enter(self) -> bool:
        with self._lock:
            if self._open >= self._most:
                return False
            self._open += 1
            return True

    def leave(self) -> None:
        with self._lock:
            self._open -= 1


class Adapter:
    """What Engine.IO calls when a request wants to become a WebSocket, and then asks for messages."""

    def __init__(self, handler: Callable[[Any], Any], max_inbound: int, doors: Doors) -> None:
        self._handler = handler
        self._max_inbound = max_inbound
        self._doors = doors
        self._socket: Any = handler.__self__  # type: ignore[attr-defined]  # Engine.IO's

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13" or not environ.get("HTTP_SEC_WEBSOCKET_KEY"):
            return self._refuse(start_response, "400 Bad Request", b"not a WebSocket handshake")
        if not self._doors.enter():
            log.warning("a connection was refused: there are as many as this server takes; raise `threads`")
            return self._refuse(start_response, "503 Service Unavailable", b"too many connections; try again")
        try:
            self.connection = Connection(environ, self._max_inbound)
            self._socket.queue.attach(self.connection)
            self._handler(self)
        except OSError:
            pass  # it went away in the middle of the handshake
        finally:
            self._doors.leave()
            self._end()
        if "gunicorn.socket" in environ:
            raise StopIteration  # its sign that the socket is no longer its own
        raise ConnectionError

    def _refuse(self, start_response: Any, status: str, why: bytes) -> list[bytes]:
        self._end()
        start_response(status, [("Content-Type", "text/plain"), ("Retry-After", "10")])
        return [why]

    def _end(self) -> None:
        """Whatever happened, Engine.IO and the rooms know that this connection is over."""
        if hasattr(self, "connection"):
            self.connection.close()
        if not self._socket.closed:
            self._socket.close(wait=False, abort=True)

    def send(self, message: str | bytes) -> None:
        self.connection.send_frame(text_frame(message.encode() if isinstance(message, str) else message))

    def wait(self) -> str | bytes | None:
        """The next message that can be read; None when the connection is over."""
        message = self.connection.receive()
        if message is not None and not is_readable(message):
            self.connection.close(CloseReason.PROTOCOL_ERROR)
            return None
        return message

    def close(self) -> None:
        self.connection.close()


def install(engineio_server: Any, most: int) -> None:
    """Makes an Engine.IO server use our connections and queues. most: connections at once"""
    engineio_server._async = {**engineio_server._async, "websocket": Doors(most), "queue": Outgoing}

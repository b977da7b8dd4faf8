"""Who is connected, and who has which stream open: the memory of the live server, without a database.

A `Client` is one connection, a `Room` all clients that have a stream open here. A broadcast is encoded once and handed
to each connection (`websocket.Connection.send_frame`), which never waits. All methods may be called from any thread.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from drafting.errors import NotSignedIn
from drafting.services.access import Actor
from drafting.web.websocket import Connection, text_frame

MAX_STREAMS = 60  # one client has open: a section and the branches it looks into
PEOPLE_EVERY = 0.15  # s between two messages about carets in a small room
PEOPLE_SHARE = 8000  # a room sends at most about so many person entries a second to all its clients together


class Client:
    """One connection of one browser tab."""

    def __init__(
        self, sid: str, key: str, connection: Connection, actor: Actor, language: str, session_mark: str = ""
    ) -> None:
        self.sid = sid
        self.session_mark = session_mark  # of the session that it was opened in; "" for nobody's
        self.key = key  # how others know this caret; says nothing about the connection
        self.connection = connection
        self.actor = actor
        self.checked_at = time.monotonic()  # when the actor was looked up
        self.language = language
        self.streams: dict[int, Room] = {}

    def send(self, frame: bytes) -> None:
        self.connection.send_frame(frame)


@dataclass(slots=True)
class Room:
    """A stream that somebody here has open."""

    stream_id: int
    section_id: int
    document_id: int
    suggestion_id: int | None  # None: the section's main stream
    sent: int  # version up to which updates were sent
    moved: int = 0  # how often the section had moved when updates were last sent
    clients: dict[str, Client] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)  # by key
    elsewhere: dict[str, tuple[float, list[dict[str, Any]]]] = field(default_factory=dict)  # by worker, as heard when
    people_changed: bool = False
    elsewhere_changed: bool = False
    people_due: float = 0.0

    def all_people(self) -> list[dict[str, Any]]:
        return [*self.people.values(), *(one for _, each in self.elsewhere.values() for one in each)]

    def broadcast(self, frame: bytes, only: Callable[[Client], bool] | None = None) -> None:
        for client in list(self.clients.values()):
            if only is None or only(client):
                client.send(frame)

    def people_pause(self) -> float:
        """How long to wait before the next message about people: all carets go to all clients."""
        return max(PEOPLE_EVERY, len(self.all_people()) * len(self.clients) / PEOPLE_SHARE)


def event_frame(event: str, data: Any) -> bytes:
    """A Socket.IO event in the namespace "/" as one WebSocket frame: 4 is Engine.IO's message, 2 Socket.IO's event."""
    return text_frame(("42" + json.dumps([event, data], ensure_ascii=False, separators=(",", ":"))).encode())


class Rooms:
    """All clients and rooms of this worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clients: dict[str, Client] = {}
        self.rooms: dict[int, Room] = {}
        self.emptied: set[int] = set()  # streams that nobody here has open any more, for other workers to hear

    def add(self, client: Client) -> None:
        with self._lock:
            self.clients[client.sid] = client

    def remove(self, sid: str) -> Client | None:
        """Takes a client out of everything."""
        with self._lock:
            client = self.clients.pop(sid, None)
            if client is not None:
                for room in client.streams.values():
                    self._out(room, client)
                client.streams.clear()
            return client

    def enter(self, client: Client, make: Callable[[], Room], stream_id: int) -> Room:
        """The room of a stream with the client in it. raises: NotSignedIn when its connection ended meanwhile"""
        with self._lock:
            if self.clients.get(client.sid) is not client:
                raise NotSignedIn("this connection has ended; connect again")
            room = self.rooms.get(stream_id)
            if room is None:
                room = self.rooms[stream_id] = make()
            room.clients[client.sid] = client
            client.streams[stream_id] = room
            return room

    def leave(self, client: Client, stream_id: int) -> None:
        with self._lock:
            room = client.streams.pop(stream_id, None)
            if room is not None:
                self._out(room, client)

    def _out(self, room: Room, client: Client) -> None:
        room.clients.pop(client.sid, None)
        if room.people.pop(client.key, None) is not None:
            room.people_changed = True
        if not room.clients and self.rooms.get(room.stream_id) is room:
            del self.rooms[room.stream_id]
            self.emptied.add(room.stream_id)

    def take_emptied(self) -> list[int]:
        """The streams that nobody here has open any more; told once."""
        with self._lock:
            found = sorted(self.emptied - self.rooms.keys())
            self.emptied.clear()
            return found

    def all(self) -> list[Room]:
        with self._lock:
            return list(self.rooms.values())

    def of(self, stream_ids: Iterable[int]) -> list[Room]:
        with self._lock:
            return [self.rooms[each] for each in stream_ids if each in self.rooms]

    def main_of(self, section_id: int) -> Room | None:
        with self._lock:
            return next(
                (room for room in self.rooms.values() if room.section_id == section_id and room.suggestion_id is None),
                None,
            )

    def branches_of(self, section_id: int) -> list[Room]:
        """The branches of a section that somebody here has open."""
        with self._lock:
            return [
                room
                for room in self.rooms.values()
                if room.section_id == section_id and room.suggestion_id is not None
            ]

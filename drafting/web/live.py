"""The live server of a worker: Socket.IO over WebSocket only, put together of its parts.

`rooms` knows who is connected and has what open, `events` answers what clients say, `writer` stores what they push and
tells everybody what is new, `workers` is the line to the other workers, and under all of it lies `websocket`.
"""

from __future__ import annotations

import logging
import secrets
import threading
from contextlib import suppress

from flask import Flask
from flask_socketio import SocketIO

from drafting.config import Settings
from drafting.errors import DraftingError
from drafting.services import annotations, heads, suggestions
from drafting.services.access import ANONYMOUS
from drafting.store.database import Database
from drafting.web import websocket
from drafting.web.events import Events
from drafting.web.rooms import Rooms
from drafting.web.writer import Writer
from drafting.web.workers import Workers

log = logging.getLogger(__name__)

WARM_SECTIONS = 50  # read into memory when a server starts


def init(app: Flask) -> Live:
    """The live server of an application, started."""
    live = Live(app)
    app.extensions["live"] = live
    live.start()
    return live


class Live:
    """The live server of one worker."""

    def __init__(self, app: Flask) -> None:
        self.database: Database = app.extensions["database"]
        self.settings: Settings = app.extensions["settings"]
        self.rooms = Rooms()
        self.socketio = SocketIO(
            app,
            async_mode="threading",
            transports=["websocket"],
            allow_upgrades=False,
            async_handlers=False,  # events of one client stay in order
            serve_client=False,
            max_http_buffer_size=websocket.MAX_INBOUND,
            ping_interval=25,
            ping_timeout=20,
        )
        server = self.socketio.server
        websocket.install(server.eio, most=connections(self.settings.threads))
        self.writer = Writer(self.database, self.rooms)
        self.events = Events(app, server, self.rooms, self.writer)
        self.warming = threading.Thread(target=self._warm, name="live warming", daemon=True)
        self._workers: Workers | None = None
        self._is_stopped = False

    def start(self) -> None:
        if self.settings.redis_url:
            self._workers = Workers(self.settings.redis_url, secrets.token_hex(4), self.writer.hear)
        self.writer.start(self._workers)
        self.warming.start()

    def stop(self) -> None:
        """Stores and answers what was pushed, says goodbye to everybody, and ends the threads. Clients come back."""
        self._is_stopped = True
        self.writer.stop()
        if self._workers is not None:
            self._workers.close()
        for client in list(self.rooms.clients.values()):
            client.connection.close(websocket.CloseReason.GOING_AWAY)

    def _warm(self) -> None:
        """Reads the sections that moved last, so that the first to open one after a start does not wait for it."""
        try:
            with self.database.read() as session:
                newest = heads.newest_sections(session, WARM_SECTIONS)
            for section_id in newest:
                if self._is_stopped:
                    return
                with self.database.read() as session, heads.reading(session, section_id) as head:
                    with suppress(DraftingError):  # not published: only the head is read
                        suggestions.live(session, ANONYMOUS, head)
                        annotations.live(session, ANONYMOUS, head)
        except Exception:  # a section that cannot be read is reported to whoever opens it
            log.exception("sections could not be read ahead")


def connections(threads: int) -> int:
    """How many WebSockets a worker takes: each holds one of its threads, and a tenth is left for pages."""
    return max(1, threads - max(4, threads // 10))

"""The live server of a worker: Socket.IO over WebSocket only, put together of its parts.

`rooms` knows who is connected and has what open, `events` answers what clients say, `writer` stores what they push and
tells everybody what is new, `workers` is the line to the other workers, and under all of it lies `websocket`.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

from flask import Flask
from flask_socketio import SocketIO
from sqlalchemy import select

from drafting.config import Settings
from drafting.errors import DraftingError
from drafting.services import accounts, ahead, annotations, heads, streams, suggestions
from drafting.services.access import ANONYMOUS
from drafting.store.database import Database
from drafting.store.models import User
from drafting.web import websocket
from drafting.web.events import Events
from drafting.web.rooms import Rooms
from drafting.web.workers import Workers
from drafting.web.writer import Writer

log = logging.getLogger(__name__)

SOMEBODY = select(User.id, User.session_epoch).order_by(User.id.desc()).limit(1)
WARM_SECTIONS = 50  # read into memory when a server starts
AHEAD_AFTER = 1.0  # s; those who waited for the start come first, then the past is read ahead
CALM = 3.0  # s in which nobody has asked for anything: then it goes on without a rest
BREATH = 0.001  # s between two steps even then: whoever comes is let in
REST = 2  # times as long as a step took, where people are: writer and pages go before it
QUIET = 0.25  # s since somebody asked before the next step is taken
MOST_REST = 1.0  # s; where it is never quiet it goes on all the same


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
        self.app = app
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
        self._asked_at = -CALM
        self._awaited: set[int] = set()  # the threads that make an answer
        self.events = Events(app, server, self.rooms, self.writer, self._heard)
        self.warming = threading.Thread(target=self._warm, name="live warming", daemon=True)
        self._workers: Workers | None = None
        self.ahead = threading.Thread(target=self._read_ahead, name="live reading ahead", daemon=True)
        self._stopped = threading.Event()
        app.before_request(self._asked)
        app.teardown_request(self._answered)

    def start(self) -> None:
        if self.settings.redis_url:
            self._workers = Workers(self.settings.redis_url, secrets.token_hex(4), self.writer.hear)
        self.writer.start(self._workers)
        self.warming.start()
        self.ahead.start()

    def stop(self) -> None:
        """Stores and answers what was pushed, says goodbye to everybody, and ends the threads. Clients come back."""
        self._stopped.set()
        self.writer.stop()
        if self.ahead.is_alive():
            self.ahead.join(5)  # a step takes a fraction of a second
        if self._workers is not None:
            self._workers.close()
        for client in list(self.rooms.clients.values()):
            client.connection.close(websocket.CloseReason.GOING_AWAY)

    def _warm(self) -> None:
        """Reads the sections that moved last, as those do who open one: the first to come does not wait for it."""
        try:
            with self.database.read() as session:
                newest = heads.newest_sections(session, WARM_SECTIONS)
                accounts.signed_in(session, *session.execute(SOMEBODY).one_or_none() or (0, 0))  # as each who connects
            for section_id in newest:
                if self._stopped.is_set():
                    return
                with self.database.read() as session, heads.reading(session, section_id) as head:
                    with suppress(DraftingError):  # not published: only the head is read
                        streams.place_of(session, ANONYMOUS, head.stream_id)
                        suggestions.live(session, ANONYMOUS, head)
                        annotations.live(session, ANONYMOUS, head)
        except Exception:  # a section that cannot be read is reported to whoever opens it
            log.exception("sections could not be read ahead")

    def _asked(self) -> None:
        """Somebody waits for a page: the reading ahead waits too."""
        self._awaited.add(threading.get_ident())
        self._asked_at = time.monotonic()

    def _answered(self, _: BaseException | None) -> None:
        self._awaited.discard(threading.get_ident())
        self._asked_at = time.monotonic()

    def _heard(self) -> None:
        """Somebody types, or moves in a text that others have open."""
        self._asked_at = time.monotonic()

    def _rest(self, took: float) -> bool:
        """Rests after a step that took so many seconds; whether there is to be another one."""
        now = time.monotonic()
        is_calm = not self._awaited and now - self._asked_at >= CALM
        if self._stopped.wait(BREATH if is_calm else max(BREATH, REST * took)):
            return False
        while time.monotonic() - now < MOST_REST:
            left = self._asked_at + QUIET - time.monotonic()
            if left <= 0 and not self._awaited:
                break
            if self._stopped.wait(max(left, BREATH)):
                return False
        return True

    def _read_ahead(self) -> None:
        """Reads templates, and the past of the documents written last, in small steps; with rests where people are."""
        self.warming.join()
        if self._stopped.wait(AHEAD_AFTER):
            return
        began = time.monotonic()
        try:
            with closing(self._steps()) as steps:
                for _ in steps:
                    if not self._rest(time.monotonic() - began):
                        return
                    began = time.monotonic()
        except Exception:  # whoever asks for it reads it, and is told what is wrong
            log.exception("the past could not be read ahead")

    def _steps(self) -> Iterator[None]:
        for name in self.app.jinja_env.list_templates():
            self.app.jinja_env.get_template(name)
            yield
        with self.database.read() as session:
            newest = ahead.newest_documents(session)
        for document_id, most in newest:
            yield from ahead.read_document(self.database.read, document_id, most)


def connections(threads: int) -> int:
    """How many WebSockets a worker takes: each holds one of its threads, and a tenth is left for pages."""
    return max(1, threads - max(4, threads // 10))

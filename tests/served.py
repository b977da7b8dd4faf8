"""A document that a real server serves: its people with their cookies, and the database to look into."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from drafting.config import load_settings
from drafting.services.access import Actor
from drafting.store.database import Database
from drafting.store.migrations import upgrade
from drafting.store.models import Document
from tests import make
from tests.sockets import PATIENCE, Line, Refused, Writer, cookie_of, page_of
from tests.test_serve import free_port, serving


@contextmanager
def running(place: Place, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The place's server; what it logs is read all the time, and said at the end when there was anything."""
    environment = {"DRAFTING_SIGN_IN_LIMIT": "100000 per minute", **environment}
    logged: list[str] = []
    with serving(place.instance, place.port, "--threads", "150", *arguments, **environment) as (server, _):
        assert server.stdout is not None
        reader = threading.Thread(target=lambda: logged.extend(server.stdout or ()), daemon=True)
        reader.start()
        try:
            yield server
        finally:
            if server.poll() is None:
                place.close()
                os.killpg(server.pid, signal.SIGINT)
                server.wait(timeout=30)
            reader.join(5)
            text = "".join(logged)
            print(text[-6000:])
            place.logged.extend(logged)
            place.complaints.extend(line for line in logged if "Error" in line or "Traceback" in line)


TEXT = "## Trees\n\nWe plant 100 trees in 2027.\n"


class Place:
    """A served document: its people, their cookies, and the database to look into."""

    def __init__(self, instance: Path, database_url: str = "") -> None:
        settings = load_settings({}, instance_path=instance, database_url=database_url)
        self.instance = instance
        self.logged: list[str] = []  # what servers that have ended logged
        self.complaints: list[str] = []  # what servers logged that looks like a mistake of ours
        self.secret = settings.secret_key
        self.database = Database(settings.database_url)
        upgrade(self.database)
        self.port = free_port()
        self.cookies: dict[str, str] = {}
        self.lines: list[Line] = []
        with self.database.write() as session:
            document = make.document(session, phase="consultation")
            self.ours, self.theirs = make.organization(session, document), make.organization(session, document)
            self.people: dict[str, Actor] = {
                "drafter": make.member(session, document, "drafter"),
                "other": make.member(session, document, "drafter"),
                "ngo": make.member(session, document, "contributor", self.ours),
                "colleague": make.member(session, document, "contributor", self.ours),
                "rival": make.member(session, document, "contributor", self.theirs),
                "observer": make.member(session, document, "observer"),
                "coordinator": make.member(session, document, "coordinator"),
            }
            self.document_id, self.slug = document.id, document.slug
            session.commit()

    def section(self, text: str = TEXT) -> tuple[int, int]:
        """A new section: its id and its stream."""
        with self.database.write() as session:
            row = make.section(session, session.get_one(Document, self.document_id), text)
            session.commit()
            assert row.stream_id is not None
            return row.id, row.stream_id

    def line(self, who: str = "") -> Line:
        self.lines.append(Line(self.port, self.cookie(who) if who else ""))
        return self.lines[-1]

    def cookie(self, who: str) -> str:
        if who not in self.cookies:
            user_id = self.people[who].user_id
            assert user_id is not None
            self.cookies[who] = cookie_of(self.port, self.secret, user_id)
        return self.cookies[who]

    def writer(self, who: str, stream: int, client: str) -> Writer:
        writer = Writer(stream, client)
        writer.connect(self.line(who))
        return writer

    def get(self, who: str, path: str) -> Any:
        """A reading call of the JSON API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}", headers={"Cookie": self.cookie(who)}
        )
        return self._answer(request)

    def form(self, who: str, path: str, **fields: str) -> None:
        """Sends a form of a page."""
        cookie, token = page_of(self.port, self.cookie(who))
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=urlencode({"csrf_token": token, **fields}).encode(), headers={"Cookie": cookie}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert answer.status == 200

    def post(self, who: str, path: str, body: dict[str, Any]) -> Any:
        """A call of the JSON API, with the token that the page carries."""
        cookie, token = page_of(self.port, self.cookie(who))
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            data=json.dumps(body).encode(),
            headers={"Cookie": cookie, "X-CSRFToken": token, "Content-Type": "application/json"},
        )
        return self._answer(request)

    @staticmethod
    def _answer(request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(json.load(error)["error"]) from None

    def close(self) -> None:
        """Hangs up all lines."""
        while self.lines:
            self.lines.pop().close()

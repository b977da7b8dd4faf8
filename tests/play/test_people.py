"""Thirty people on one section over real sockets: they edit, suggest, remark, decide, revert and lose their connection.

Played against a server process of its own; once it is killed in the middle, once it is two workers on PostgreSQL and
Redis. Then everybody's text is the same, `verify` is clean, and no acknowledged update is missing. DRAFTING_PLAY=full
plays the numbers of the project; the default is a short one.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from drafting.engine.text import cuts_pair
from drafting.services import editing, verify
from drafting.store.models import Annotation, Decision, Revision, Suggestion
from tests.served import Place, running
from tests.sockets import PATIENCE, Refused, Writer

FULL = os.environ.get("DRAFTING_PLAY", "smoke") == "full"
PEOPLE, SECONDS = (30, 60.0) if FULL else (9, 6.0)
SHORTER = 40.0 if FULL else SECONDS  # the plays about a server that dies and about two workers
FIRST = "## Trees\n\nWe plant 100 trees in 2027. And 😀 more, with the residents of every district.\n"
WORDS = ["tree", " trees", "100", "250", " native", " we ", "plant", "ż", "😀", ".", ", ", "\n", " and "]


class Person(threading.Thread):
    """Somebody with an editor; a person of an NGO has a suggestion too, the coordinator decides."""

    def __init__(self, play: Play, number: int) -> None:
        super().__init__(daemon=True)
        self.play, self.number = play, number
        self.random = random.Random(number)
        self.who = ("drafter", "ngo", "other", "rival", "colleague", "drafter", "ngo", "other", "coordinator")[number % 9]
        self.main = Writer(play.stream, f"m{number}")
        self.branch: Writer | None = None
        self.suggestion: int | None = None
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self.connect()
            while time.monotonic() < self.play.until:
                try:
                    self.step()
                except (ConnectionError, OSError):
                    self.connect()
                time.sleep(self.random.uniform(0.01, 0.12))
        except BaseException as error:
            self.failure = error

    def connect(self) -> None:
        """Comes back as often as it takes, with what was typed meanwhile."""
        until = time.monotonic() + 3 * PATIENCE
        while True:
            try:
                line = self.play.place.line(self.who)
                self.main.connect(line)
                if self.branch is not None:
                    self.connect_branch(line)
                return
            except Exception:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def connect_branch(self, line: Any) -> None:
        assert self.branch is not None
        try:
            self.branch.connect(line)
        except Refused:
            self.branch = self.suggestion = None  # withdrawn

    def step(self) -> None:
        writes_main = self.who in ("drafter", "other", "coordinator")
        act: Callable[[], None] = self.random.choices(
            [self.write, self.lose, self.remark, self.suggest, self.decide, self.revert], [20, 0.6, 0.5, 4, 3, 1]
        )[0]
        if act == self.write and not writes_main:
            act = self.propose
        if (act == self.suggest and writes_main) or (act in (self.decide, self.revert) and self.who != "coordinator"):
            act = self.write if writes_main else self.propose
        with contextlib.suppress(Refused):
            act()

    def write(self) -> None:
        self.type(self.main)
        self.main.push()
        if self.random.random() < 0.05:
            self.main.pull()

    def type(self, writer: Writer) -> None:
        with writer.lock:
            text = writer.units
            start = self.random.randint(0, len(text))
            end = min(len(text), start + self.random.choice([0, 0, 0, 1, 3, 9]))
            start, end = (each + 1 if cuts_pair(text, each) else each for each in (start, end))
            words = self.random.choice(WORDS) if len(text) < 2500 else ""
            if start < end or words:
                writer.type(start, end, words)

    def propose(self) -> None:
        if self.branch is None:
            opened = self.play.place.post(self.who, f"/sections/{self.play.section}/suggestions", {})["suggestion"]
            self.suggestion = opened["id"]
            self.branch = Writer(opened["stream"], f"b{self.number}-{opened['id']}")
            assert self.main.line is not None
            self.connect_branch(self.main.line)
            return
        self.type(self.branch)
        try:
            self.branch.push()
        except Refused as refused:
            if refused.code in ("wrong_state", "not_found"):  # decided meanwhile: a new one is opened
                self.play.given_up.append(self.branch)
                self.branch = self.suggestion = None
            else:
                raise

    def suggest(self) -> None:
        if self.suggestion is not None:
            self.play.place.post(self.who, f"/suggestions/{self.suggestion}/file", {"reason": "for shade"})

    def remark(self) -> None:
        with self.main.lock:
            text, version = self.main.confirmed, self.main.version
        start = self.random.randint(0, len(text))
        end = min(len(text), start + 8)
        start, end = (each + 1 if cuts_pair(text, each) else each for each in (start, end))
        if start < end:
            body = {"text": "hm", "start": start, "end": end, "version": version}
            self.play.place.post(self.who, f"/sections/{self.play.section}/annotations", body)

    def decide(self) -> None:
        with self.play.place.database.read() as session:
            ids = session.scalars(select(Suggestion.id).where(Suggestion.state == "filed")).all()
        if not ids:
            return
        view = self.play.place.get(self.who, f"/suggestions/{self.random.choice(ids)}")
        items = [
            {
                "suggestion": view["id"], "hunk": hunk["id"], "branch_version": view["branch_version"],
                "hash": hunk["hash"], "mode": "stands" if hunk["base_changed"] else "",
            }
            for hunk in view["hunks"]
            if hunk["state"] == "open"
        ][:2]  # fmt: skip
        if items:
            verdict = self.random.choice(["accepted", "accepted", "rejected"])
            body = {"items": items, "verdict": verdict, "reason": "because", "supersedes": view["supersedes"]}
            self.play.place.post(self.who, f"/sections/{self.play.section}/decisions", body)

    def revert(self) -> None:
        with self.play.place.database.read() as session:
            ids = session.scalars(select(Decision.id).where(Decision.verdict != "reverted")).all()
        if ids:
            self.play.place.post(self.who, f"/decisions/{self.random.choice(ids)}/revert", {"confirm": True})

    def lose(self) -> None:
        """The network goes; what is typed meanwhile is kept."""
        assert self.main.line is not None
        self.main.line.cut()
        self.type(self.main) if self.who in ("drafter", "other") else None
        self.connect()


class Play:
    def __init__(self, place: Place, seconds: float = SECONDS) -> None:
        self.place, self.seconds = place, seconds
        self.section, self.stream = place.section(FIRST)
        self.until = time.monotonic() + seconds
        self.given_up: list[Writer] = []
        self.people = [Person(self, number) for number in range(PEOPLE)]

    def begin(self) -> None:
        for one in self.people:
            one.start()

    def end(self) -> None:
        """Everybody stops, sends what is left, and has the same text; then the log says the same."""
        for one in self.people:
            one.join(self.seconds + 4 * PATIENCE)
            assert not one.is_alive()
            if one.failure is not None:
                raise one.failure
        for one in self.people:
            self.settle(one, one.main)
            if one.branch is not None:
                self.settle(one, one.branch)
        with self.place.database.read() as session:
            text = editing.text_at(session, self.place.people["drafter"], self.section).text
        for one in self.people:
            one.main.pull()
            assert one.main.text == text
        by_stream: dict[int, set[str]] = {}
        for one in self.people:
            if one.branch is not None:
                one.branch.pull()
                by_stream.setdefault(one.branch.stream, set()).add(one.branch.text)
        assert all(len(texts) == 1 for texts in by_stream.values())
        self.nothing_acknowledged_is_missing()
        with self.place.database.read() as session:
            assert [str(fault) for fault in verify.verify_document(session, self.place.document_id)] == []
            made = {
                "decisions": len(session.scalars(select(Decision.id)).all()),
                "remarks": len(session.scalars(select(Annotation.id)).all()),
                "revisions": len(session.scalars(select(Revision.version)).all()),
            }
        assert self.place.complaints == []
        assert made["revisions"] > PEOPLE * self.seconds / 4, made

    def settle(self, person: Person, writer: Writer) -> None:
        if writer.line is None or not writer.line.is_open:
            person.connect()
        try:
            writer.settle()
        except Refused as refused:
            assert refused.code in ("wrong_state", "not_found", "not_allowed"), refused
            if person.branch is writer:
                person.branch = None

    def nothing_acknowledged_is_missing(self) -> None:
        """Law 5: an acknowledged update is on disk."""
        writers = [one.main for one in self.people]
        writers += [one.branch for one in self.people if one.branch is not None] + self.given_up
        with self.place.database.read() as session:
            for writer in writers:
                stored = set(
                    session.scalars(
                        select(Revision.sequence).where(
                            Revision.stream_id == writer.stream, Revision.client == writer.client
                        )
                    )
                )
                assert set(range(1, writer.acknowledged + 1)) <= stored, writer.client


def test_thirty_people_on_one_section(tmp_path: Path) -> None:
    place = Place(tmp_path)
    try:
        with running(place):
            play = Play(place)
            play.begin()
            play.end()
    finally:
        place.database.close()


def test_a_server_killed_in_the_middle_loses_nothing_acknowledged(tmp_path: Path) -> None:
    place = Place(tmp_path)
    try:
        with running(place) as server:
            play = Play(place, SHORTER)
            play.begin()
            time.sleep(SHORTER / 2)
            os.killpg(server.pid, 9)
            server.wait()
        play.nothing_acknowledged_is_missing()
        with place.database.read() as session:
            assert [str(fault) for fault in verify.verify_document(session, place.document_id)] == []
        with running(place):
            play.end()
    finally:
        place.database.close()


@pytest.mark.xdist_group("postgresql")
def test_two_workers_on_postgresql_and_redis_serve_one_section(
    tmp_path: Path, postgresql_database: Any, redis_url: str
) -> None:
    url = postgresql_database.url.render_as_string(hide_password=False)
    place = Place(tmp_path, url)
    environment = {"DATABASE_URL": url, "REDIS_URL": redis_url, "DRAFTING_WORKERS": "2"}
    try:
        with running(place, **environment):
            play = Play(place, SHORTER)
            play.begin()
            play.end()
    finally:
        place.database.close()

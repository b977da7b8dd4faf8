"""What a long history and a large section cost the server: bytes on disk, time to the full text, time to open.

    a. the first 20,000 keystrokes of the recorded session automerge-paper, each pushed as its own update through the
       service that the socket uses: bytes in the database file; then a `join` over a real socket: warm (the worker has
       the section in memory) and cold (a server that has just started; with the section among the newest, which it reads
       before it answers anybody, and with it not among them)
    b. a section of 170,000 characters with 500 open suggestions: `join`, the workspace's page and its cards

Etherpad, Hocuspocus and ShareDB took 4-9, 6 and 3 ms (warm) for (a) when this was planned, Etherpad 8-159 MB on disk.
Real inputs are read from ../shared/data.

    python3 tests/bench/bench_server.py
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import flask  # noqa: E402
import websocket  # noqa: E402

from drafting.config import load_settings  # noqa: E402
from drafting.engine.changes import ChangeSet  # noqa: E402
from drafting.engine.rebase import Update  # noqa: E402
from drafting.engine.text import to_units  # noqa: E402
from drafting.services import accounts, clock, documents, editing, people, sections, suggestions  # noqa: E402
from drafting.services.access import SERVER, actor_of  # noqa: E402
from drafting.store.database import Database, transaction  # noqa: E402
from drafting.store.migrations import upgrade  # noqa: E402
from drafting.web import identity  # noqa: E402
from drafting.web.app import create_app  # noqa: E402
from drafting.web.live import WARM_SECTIONS  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
KEYSTROKES = 20_000
TRIES = 15


def keystrokes() -> list[tuple[int, int, str]]:
    """(position, deleted, inserted) of the recorded session; its text is ASCII, so code points are code units."""
    with gzip.open(DATA / "traces" / "sequential_traces_automerge-paper.json.gz") as file:
        trace = json.load(file)
    patches = [patch for txn in trace["txns"] for patch in txn["patches"]]
    return [tuple(patch) for patch in patches[:KEYSTROKES]]


def longest_law() -> str:
    """The longest text of the recorded laws, brought to 170,000 characters."""
    texts = [path.read_text(encoding="utf-8") for path in (DATA / "laws").rglob("*.md")]
    text = max(texts, key=len)
    return (text * (170_000 // len(text) + 1))[:170_000]


class Instance:
    """A database with one document, and a server for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = load_settings({**os.environ, "DRAFTING_INSTANCE_PATH": str(folder)})
        self.server: subprocess.Popen[bytes] | None = None
        database = Database(self.settings.database_url)
        upgrade(database)
        with database.write() as session, transaction(session):
            founder = accounts.create_user(session, SERVER, "founder@bench.example", "Founder", is_operator=True)
            self.person = founder.id
            self.document = documents.create_document(session, actor_of(session, founder.id), "Bench", slug="bench")
            actor = actor_of(session, founder.id)
            documents.publish(session, actor, self.document.id)
            documents.set_phase(session, actor, self.document.id, "consultation", ends_at=clock.now() + timedelta(days=9))
        self.database = database

    def start(self) -> float:
        """Starts the server; returns when it answers, with the seconds that took."""
        self.database.close()
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        env = {**os.environ, "DRAFTING_INSTANCE_PATH": str(self.folder), "DRAFTING_PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        began = time.perf_counter()
        self.server = subprocess.Popen([sys.executable, "-m", "drafting", "serve"], cwd=ROOT, env=env,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:  # it answers once the application is loaded and the newest sections are read
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/signin", timeout=10).close()
                return time.perf_counter() - began
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.02)

    def stop(self) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(20)
            self.server = None

    def cookie(self, person: int | None = None) -> str:
        """Of the founder, or of another person."""
        app = create_app(self.settings)
        serializer = app.session_interface.get_signing_serializer(app)
        with app.test_request_context():
            with app.extensions["database"].read() as reading:
                identity.begin_session(actor_of(reading, person or self.person))
            value = serializer.dumps(dict(flask.session))
        app.extensions["database"].close()
        return f"{app.config['SESSION_COOKIE_NAME']}={value}"


def join_ms(instance: Instance, cookie: str, stream: int) -> tuple[float, float, int]:
    """(milliseconds to connect, milliseconds from `join` to the full text, code units) of one new client.

    A bare socket, so that what is measured is the server and the loopback, not a client library.
    """
    began = time.perf_counter()
    line = websocket.create_connection(
        f"ws://127.0.0.1:{instance.port}/socket.io/?EIO=4&transport=websocket", cookie=cookie, suppress_origin=True,
        timeout=30, enable_multithread=False, skip_utf8_validation=True,
    )
    line.recv()
    line.send("40")
    line.recv()
    connected = time.perf_counter()
    line.send(f'420["join",{{"stream":{stream}}}]')
    while not (message := line.recv()).startswith("430"):
        pass
    joined = time.perf_counter()
    line.close()
    [answer] = json.loads(message[3:])
    if "error" in answer:
        raise SystemExit(f"join failed: {answer['error']}")
    return (connected - began) * 1000, (joined - connected) * 1000, len(to_units(answer["text"]))


def get_ms(instance: Instance, cookie: str, path: str) -> tuple[float, int]:
    """Milliseconds and bytes of one page."""
    request = urllib.request.Request(f"http://127.0.0.1:{instance.port}{path}", headers={"Cookie": cookie})
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        body = answer.read()
    return (time.perf_counter() - began) * 1000, len(body)


def middle(values: list[float], most: float | None = None) -> str:
    """Median and worst, and whether the median is what was to be reached."""
    found = statistics.median(values)
    said = "" if most is None else f"  {'reached' if found <= most else 'MISSED'}: at most {most:.0f} ms"
    return f"median {found:6.1f} ms, worst {max(values):6.1f} ms{said}"


def long_history(folder: Path) -> None:
    instance = Instance(folder)
    with instance.database.write() as session:
        actor = actor_of(session, instance.person)
        view = sections.add_section(session, actor, instance.document.id, "")
        place = editing.text_at(session, actor, view.id)
        length, version = len(to_units(place.text)), place.version
        updates = []
        for sequence, (at, deleted, inserted) in enumerate(keystrokes(), 1):
            updates.append(Update("trace", sequence, ChangeSet.of([(at, at + deleted, inserted)], length)))
            length += len(inserted) - deleted
        began = time.perf_counter()
        for k in range(0, len(updates), 50):  # a writer's keystrokes of one tick are stored together
            version = editing.push(session, actor, place.stream_id, version, updates[k : k + 50])
        seconds = time.perf_counter() - began
    instance.database.close()
    cookie = instance.cookie()
    size = sum(path.stat().st_size for path in folder.glob("drafting.sqlite*"))
    print(f"a. {len(updates):,} keystrokes stored in {seconds:.1f} s ({len(updates) / seconds:,.0f}/s); "
          f"{size / 1e6:.2f} MB on disk  {'reached' if size <= 3e6 else 'MISSED'}: at most 3 MB")
    cold = cold_ms(instance, cookie, place.stream_id)
    instance.start()
    join_ms(instance, cookie, place.stream_id)
    rows = [join_ms(instance, cookie, place.stream_id) for _ in range(TRIES)]
    instance.stop()
    with instance.database.write() as session:  # so many newer ones that a server that starts does not read this one
        actor = actor_of(session, instance.person)
        for number in range(WARM_SECTIONS):
            sections.add_section(session, actor, instance.document.id, f"# {number}\n")
    instance.database.close()
    print(f"   connect + join, cold server:  {middle(cold, 15)}")
    print(f"   the same, not read at start:  {middle(cold_ms(instance, cookie, place.stream_id), 15)}")
    print(f"   connect + join, warm:         {middle([a + b for a, b, _ in rows], 10)}")
    print(f"   join alone, warm:             {middle([b for _, b, _ in rows])}, {rows[0][2]:,} characters")


def cold_ms(instance: Instance, cookie: str, stream: int) -> list[float]:
    """Milliseconds of connect and join together, each of a server that has just started."""
    found = []
    for _ in range(5):
        instance.start()
        found.append(sum(join_ms(instance, cookie, stream)[:2]))
        instance.stop()
    return found


def large_section(folder: Path) -> None:
    instance = Instance(folder)
    text = longest_law()
    with instance.database.write() as session, transaction(session):
        coordinator = actor_of(session, instance.person)
        organization = people.add_organization(session, coordinator, instance.document.id, "Bench organisation")
        ngo = accounts.create_user(session, SERVER, "ngo@bench.example", "NGO")
        people.add_member(session, coordinator, instance.document.id, ngo.id, "contributor", organization.id)
        official = accounts.create_user(session, SERVER, "official@bench.example", "Official")
        people.add_member(session, coordinator, instance.document.id, official.id, "official")
        section = sections.add_section(session, coordinator, instance.document.id, text)
        author = actor_of(session, ngo.id)
        origin = people.use_origin(session, author, instance.document.id, organization.id)
        place = editing.text_at(session, author, section.id)
        units = to_units(place.text)
        blanks = [at for at, letter in enumerate(units) if letter == " "]
        for k in range(500):
            opened = suggestions.open_suggestion(session, author, section.id, origin_ids=[origin.id])
            at = blanks[k * len(blanks) // 500]
            change = ChangeSet.of([(at, at, f" word{k}")], len(units))
            editing.push(session, author, opened.stream_id, opened.branch_version, [Update(f"bench-{k}", 1, change)])
            suggestions.file(session, author, opened.id, reason="For the measurement.")
    instance.database.close()
    cookie = instance.cookie()
    readers = {
        "anonymous reader": ("", "read"),
        "contributor": (instance.cookie(ngo.id), "suggest"),
        "official in review": (instance.cookie(official.id), "review"),
    }
    instance.start()
    first = join_ms(instance, cookie, place.stream_id)
    joins = [join_ms(instance, cookie, place.stream_id)[1] for _ in range(TRIES)]
    page = f"/d/bench/s/{section.id}"
    opened = {
        name: [get_ms(instance, mine, f"{page}?mode={mode}") for _ in range(TRIES)] for name, (mine, mode) in readers.items()
    }
    cards = [get_ms(instance, cookie, page + "/cards") for _ in range(5)]
    instance.stop()
    print(f"b. {len(units):,} code units, 500 open suggestions")
    print(f"   join, cold server:            {middle([first[1]], 150)}")
    print(f"   join, warm:                   {middle(joins, 150)}")
    for name, tries in opened.items():
        print(f"   the page, {name + ':':<20}{middle([ms for ms, _ in tries], 150)}, {tries[0][1] / 1e3:.0f} kB")
    print(f"   its cards, all 500:           {middle([ms for ms, _ in cards])}, {cards[0][1] / 1e3:.0f} kB")


if __name__ == "__main__":
    if not DATA.is_dir():
        raise SystemExit(f"the recorded inputs are not there: {DATA}")
    for part in (long_history, large_section):
        with tempfile.TemporaryDirectory(prefix="drafting-bench-") as name:
            part(Path(name))

"""Long files are made beside the server: a process for each, its progress for a page, its file in `instance/reports`.

The process opens the database itself, so that reading two thousand remarks and laying them out for half a minute
takes nothing from those who are typing. It belongs to no worker: it ends what it has begun when the server starts
anew, and any worker can say how far it is, since all that is known of it stands beside its file. It holds the lock of
its name as long as it lives; so a process that was killed is known from one that works. No more than AT_ONCE work at a
time, the others wait for their turn; and no more than WAITING are begun.

A file's name is made of what the report was made of (`reporting.Outline.key`), so a file that is there is the answer.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from drafting.store.database import Database

log = logging.getLogger(__name__)

AT_ONCE = 1  # processes that work; one takes a core and, for a PDF of two thousand remarks, a gigabyte
WAITING = 12  # processes that are there at all
KEPT = 24  # files of a server; the oldest go
STARTING = 20.0  # s; so long a process may take until it holds its lock
LONGEST = 900  # s of processor time; a process that needs more is ended by the system
FIRST = 2.0  # s; what a process takes to start
EACH = {"pdf": 0.012}  # s; what a row takes to be laid out and written (measured, see tests/bench/bench_report.py)
EACH_OTHER = 0.003
KNOWN = 0.1  # part of the work after which its own pace tells how long the rest takes, on this machine, as it is now
AHEAD = 0.2  # part of the work that may be taken for done since it told last
STEP = 0.01  # part of the work after which the page is told again
# What is started reads its order and leaves a process of its own behind, which no worker has to wait for.
CHILD = (
    "import os, sys; given = sys.stdin.read(); os.fork() and os._exit(0); os.setsid(); "
    "from drafting.web.report_jobs import child; child(given)"
)
NAME = re.compile(r"\d{1,10}-[0-9a-f]{32}\.(?:pdf|xlsx|csv|docx|html)")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a job is. stage: full, waiting, rows, layout, write, done or failed.

    percent   what is done, as the work itself has told; in between, as its pace so far makes it likely
    seconds   what is left at that pace; before there is one, what such files take; 0 while it waits for its turn
    """

    stage: str
    percent: int = 0
    seconds: int = 0


@dataclass
class _Said:
    """What stands beside the file.

    began   when the work began, not the waiting; in seconds, as `at`
    part    of the work that was done at `at`, 0 to 1
    """

    stage: str
    rows: int
    began: float
    part: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is asked for: the report of a document in the form of the name's ending, as its reader sees it."""

    database: str
    document_id: int
    reader: int | None


class Jobs:
    """The jobs of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, young: float | None = None) -> Path | None:
        """The finished file, if it is there. young: and no older than so many seconds"""
        path = self.folder / name
        try:
            age = time.time() - path.stat().st_mtime if NAME.fullmatch(name) else None
        except FileNotFoundError:
            return None
        return path if age is not None and (young is None or age < young) else None

    def start(self, name: str, rows: int, order: Order, *, again: bool = False) -> None:
        """Begins a job unless it is done, under way or there are too many; one that failed only when asked `again`."""
        known = self._said(name)
        if self.file(name) or (known and (self._lives(name, known) or (known.stage == "failed" and not again))):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._working() >= WAITING:
            return
        self._say(name, _Said("waiting", rows, time.time()))
        subprocess.run(
            [sys.executable, "-c", CHILD, str(self.folder), name],
            input=json.dumps(asdict(order)).encode(),  # not an argument: the address of a database holds a password
            cwd=Path(__file__).resolve().parents[2],
            check=False,
        )

    def wait(self, name: str, seconds: float) -> Path | None:
        """The file, when it is there within so many seconds."""
        until = time.monotonic() + seconds
        while True:
            found, progress = self.file(name), self.progress(name)
            if found or time.monotonic() > until or progress.stage in ("failed", "full"):
                return found
            time.sleep(0.05)

    def progress(self, name: str) -> Progress:
        """Where a job is; "full" when it was not begun since too many others are."""
        if self.file(name):
            return Progress("done", 100)
        known = self._said(name)
        if known is None:
            return Progress("full")
        if known.stage == "failed" or not self._lives(name, known):
            return Progress("done", 100) if self.file(name) else Progress("failed")
        return _reached(known, FIRST + EACH.get(name.rsplit(".", 1)[1], EACH_OTHER) * known.rows, time.time())

    # ── what stands in the folder ──

    def _lives(self, name: str, known: _Said) -> bool:
        """Whether the process of a job is there, or has just been begun."""
        if known.stage == "failed":
            return False
        if known.stage == "waiting" and time.time() - known.began < STARTING:
            return True
        with _locked(self.folder / f"{name}.lock") as is_free:
            return not is_free

    def _working(self) -> int:
        """How many processes there are."""
        names = [path.name.removesuffix(".json") for path in self.folder.glob("*.json")]
        return sum(1 for name in names if (known := self._said(name)) and self._lives(name, known))

    def _say(self, name: str, said: _Said) -> None:
        path = self.folder / f"{name}.json"
        partly = path.with_suffix(f".{os.getpid()}")
        partly.write_text(json.dumps(asdict(said)), encoding="utf-8")
        partly.replace(path)

    def _said(self, name: str) -> _Said | None:
        try:
            return _Said(**json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def tidy(self) -> None:
        """Takes away the oldest files, and what is left of processes that were killed."""
        files = sorted(
            (path for path in self.folder.iterdir() if NAME.fullmatch(path.name)),
            key=lambda path: path.stat().st_mtime,
            reverse=True,
        )
        for path in files[KEPT:]:
            path.unlink(missing_ok=True)
        for path in self.folder.iterdir():
            if path.suffix in (".partly", ".json", ".lock") and time.time() - path.stat().st_mtime > LONGEST * 4:
                path.unlink(missing_ok=True)

    def work(self, name: str, order: Order) -> None:
        """What the process does: waits for a place, reads, writes; says how far it is."""
        with _locked(self.folder / f"{name}.lock", patience=2.0) as is_mine:
            if not is_mine or self.file(name):
                return
            said = self._said(name) or _Said("waiting", 0, time.time())
            try:
                self._say(name, said)
                with self._place():
                    self._write(name, order, said)
            except BaseException:
                log.exception("a report could not be made")
                said.stage = "failed"
                self._say(name, said)
                raise
            (self.folder / f"{name}.json").unlink(missing_ok=True)
            (self.folder / f"{name}.lock").unlink(missing_ok=True)
            self.tidy()

    def _write(self, name: str, order: Order, said: _Said) -> None:
        from drafting.services import reporting
        from drafting.services.access import actor_of

        said.began = time.time()

        def progress(stage: str, part: float) -> None:
            if stage != said.stage or part >= said.part + STEP:
                said.stage, said.part, said.at = stage, part, time.time()
                self._say(name, said)

        database = Database(order.database, durable=False)  # it only reads
        try:
            with database.read() as session:
                reader = actor_of(session, order.reader)
                content = reporting.report_file(
                    session, reader, order.document_id, name.rsplit(".", 1)[1], progress=progress
                )
        finally:
            database.close()
        partly = self.folder / f"{name}.partly"
        partly.write_bytes(content)
        partly.replace(self.folder / name)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of AT_ONCE places to work at."""
        while True:
            for number in range(AT_ONCE):
                with _locked(self.folder / f"place-{number}") as is_mine:
                    if is_mine:
                        yield
                        return
            time.sleep(0.2)


def _reached(known: _Said, usual: float, now: float) -> Progress:
    """How far work is at a moment. usual: seconds that such work takes, for as long as its own pace is not known."""
    if known.stage == "waiting":
        return Progress(known.stage)  # nobody knows how long the others take
    has_pace = known.part >= KNOWN
    whole = (known.at - known.began) / known.part if has_pace else max(usual, now - known.began)
    since = (now - max(known.at, known.began)) / max(whole, 0.1)
    part = min(known.part + min(since, AHEAD if has_pace else AHEAD / 4), 0.97)
    return Progress(known.stage, round(100 * part), max(1, round(whole * (1 - part))))


@contextmanager
def _locked(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Whether the lock of this file could be had; it is held inside. The system lets go of it when a process ends.

    patience   seconds; who asks whether a process lives holds its lock for a moment
    """
    until = time.monotonic() + patience
    with open(path, "a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    yield False
                    return
                time.sleep(0.05)
        yield True


def child(given: str) -> None:
    """The process: its arguments are folder and name; given: the order, as JSON."""
    import resource

    os.nice(5)
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST))
    logging.basicConfig()
    folder, name = sys.argv[-2:]
    Jobs(Path(folder)).work(name, Order(**json.loads(given)))

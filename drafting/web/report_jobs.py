"""Long PDFs are made beside the server: a job per report, its progress for a page, its file in `instance/reports`.

A thread reads the rows and gives the HTML to a process of its own, so that laying out two thousand remarks for half a
minute takes nothing from those who are typing. The name of a job changes with everything the report is made of; a file
that is there is the answer. Any worker can answer: what is known of a job stands beside its file.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)

KEPT = 12  # files of a server; the oldest go
LOST_AFTER = 300  # s; a job that has not said anything for so long is begun again
FIRST = 2.0  # s; what a process takes to start
EACH = 0.02  # s; what a row takes to be laid out and written (measured, see tests/bench/bench_report.py)
CHILD = "from drafting.web.report_jobs import child; child()"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a job is. stage: rows, layout, write, done or failed; percent is an estimate from the number of rows."""

    stage: str
    percent: int
    seconds: int


@dataclass
class _Said:
    """What stands beside the file."""

    stage: str
    rows: int
    began: float
    at: float


class Jobs:
    """The jobs of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def file(self, name: str) -> Path | None:
        """The finished file, if it is there."""
        path = self.folder / f"{name}.pdf"
        return path if path.exists() else None

    def start(self, name: str, rows: int, prepare: Callable[[], dict[str, str]]) -> None:
        """Begins a job unless it is done or under way. prepare: in the job's thread, the arguments for `child`."""
        with self._lock:
            known = self._said(name)
            if self.file(name) or (known and known.stage != "failed" and time.time() - known.at < LOST_AFTER):
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            said = _Said("rows", rows, time.time(), time.time())
            self._say(name, said)
        threading.Thread(target=self._run, args=(name, said, prepare), name=f"report-{name[:8]}", daemon=True).start()

    def wait(self, name: str, seconds: float) -> Path | None:
        """The file, when it is there within so many seconds."""
        until = time.monotonic() + seconds
        while True:
            found = self.file(name)
            known = self._said(name)
            if found or time.monotonic() > until or (known and known.stage == "failed"):
                return found
            time.sleep(0.05)

    def progress(self, name: str) -> Progress | None:
        """Where a job is; None when nothing is known of it."""
        if self.file(name):
            return Progress("done", 100, 0)
        known = self._said(name)
        if known is None:
            return None
        if known.stage == "failed" or time.time() - known.at > LOST_AFTER:
            return Progress("failed", 0, 0)
        expected = FIRST + EACH * known.rows
        gone = time.time() - known.began
        return Progress(known.stage, min(97, round(100 * gone / expected)), max(1, round(expected - gone)))

    # ── the work ──

    def _run(self, name: str, said: _Said, prepare: Callable[[], dict[str, str]]) -> None:
        partly = self.folder / f"{name}.{os.getpid()}.partly"
        try:
            given = prepare()
            process = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(partly)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                cwd=Path(__file__).resolve().parents[2],
            )
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(given))
            process.stdin.close()
            for line in process.stdout:
                said.stage, said.at = line.strip(), time.time()
                self._say(name, said)
            process.stdout.close()
            if process.wait() != 0:
                raise RuntimeError(f"the process ended with {process.returncode}")
            partly.replace(self.folder / f"{name}.pdf")
            (self.folder / f"{name}.json").unlink(missing_ok=True)
            self._tidy()
        except Exception:
            log.exception("a report could not be made")
            said.stage, said.at = "failed", time.time()
            self._say(name, said)
            partly.unlink(missing_ok=True)

    def _tidy(self) -> None:
        files = sorted(self.folder.glob("*.pdf"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[KEPT:]:
            path.unlink(missing_ok=True)

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


def child() -> None:
    """The process: HTML from standard input becomes the PDF file that the last argument names; says its stages."""
    from datetime import datetime

    from drafting.formats.pdf import pdf

    os.nice(5)
    given = json.load(sys.stdin)
    content = pdf(
        given["body"],
        title=given["title"],
        language=given["language"],
        created_at=datetime.fromisoformat(given["created_at"]),
        author=given["author"],
        style=given["style"],
        progress=lambda stage: print(stage, flush=True),
    )
    Path(sys.argv[-1]).write_bytes(content)

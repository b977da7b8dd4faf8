"""`drafting serve` as a process: says when it is ready, serves, refuses a second one, comes back after a kill."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from drafting.config import ROOT

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}


def command(instance: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "drafting", "--instance", str(instance), *arguments]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def serving(instance: Path, port: int, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """A server that is ready, and what it printed until then."""
    server = subprocess.Popen(
        command(instance, "serve", "--port", str(port), "--threads", "8", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        start_new_session=True,
    )
    assert server.stdout is not None
    printed = ""
    try:
        for line in server.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        else:
            pytest.fail(printed)
        yield server, printed
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
        server.stdout.close()


def page(port: int, path: str = "/") -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


def test_a_server_says_its_address_when_it_is_ready_and_keeps_the_data(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port) as (server, printed):
        assert f"http://127.0.0.1:{port}" in printed and "user create" in printed
        assert "<html" in page(port)
    assert server.returncode == 0
    made = subprocess.run(
        command(tmp_path, "user", "create", "ewa@example.org", "Ewa"), cwd=ROOT, capture_output=True, env=ENVIRONMENT
    )
    assert made.returncode == 0, made.stderr
    (tmp_path / "p.md").write_text("# P\n\n## A\n\nabc\n\n## B\n\ndef\n")
    made = subprocess.run(
        command(tmp_path, "import", str(tmp_path / "p.md"), "--publish"), cwd=ROOT, capture_output=True, env=ENVIRONMENT
    )
    assert made.returncode == 0, made.stderr
    with serving(tmp_path, port) as (_, printed):
        assert "user create" not in printed
        assert "abc" in page(port, "/d/p/text")


def test_a_second_server_of_a_sqlite_database_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, free_port()):
        second = subprocess.run(
            command(tmp_path, "serve", "--port", str(free_port())),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            env=ENVIRONMENT,
        )
        assert second.returncode == 1 and "serves this SQLite database" in second.stderr


def test_a_server_that_was_killed_starts_again(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port) as (server, _):
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    with serving(tmp_path, port):
        assert "<html" in page(port)


def test_two_workers_serve_postgresql(tmp_path: Path, _postgresql_tables: str, redis_url: str) -> None:
    port = free_port()
    with serving(tmp_path, port, "--workers", "2", DATABASE_URL=_postgresql_tables, REDIS_URL=redis_url) as (
        _,
        printed,
    ):
        assert printed.count("Ctrl-C") == 1
        for _ in range(10):
            assert "<html" in page(port)

"""PostgreSQL and Redis for tests: real servers of their own, in a temporary folder, gone afterwards.

Order: $TEST_DATABASE_URL and $TEST_REDIS_URL, else the installed programs, else None with the reason why not. As root
PostgreSQL is started as the user postgres, because initdb refuses root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Any

import psycopg


@contextmanager
def postgresql() -> Iterator[tuple[str | None, str]]:
    """The address of a server's maintenance database, or None and the reason."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given.replace("postgresql+psycopg://", "postgresql://"), ""
        return
    found = sorted(glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    on_path = shutil.which("initdb")
    programs = Path(found[-1]) if found else Path(on_path).parent if on_path else None
    if programs is None:
        yield None, "PostgreSQL is not installed and TEST_DATABASE_URL is not set"
        return
    as_user: dict[str, Any] = {}
    name = pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        name = "postgres"
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            yield None, "PostgreSQL does not run as root and there is no user postgres"
            return
        as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    with tempfile.TemporaryDirectory(prefix="drafting-pg-", ignore_cleanup_errors=True) as folder:
        if as_user:
            os.chown(folder, as_user["user"], as_user["group"])
        quiet = {"cwd": folder, "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}, **as_user}
        subprocess.run(
            [programs / "initdb", "-D", f"{folder}/data", "-N", "-A", "trust", "-U", name, "-E", "UTF8"],
            check=True,
            capture_output=True,
            **quiet,
        )
        with open(f"{folder}/log", "wb") as log:
            server = subprocess.Popen(
                [
                    *(programs / "postgres", "-D", f"{folder}/data", "-c", f"unix_socket_directories={folder}"),
                    *("-c", "listen_addresses=", "-c", "max_connections=200"),
                    *("-c", "fsync=off", "-c", "full_page_writes=off"),
                ],
                stdout=log,
                stderr=log,
                **quiet,
            )
        address = f"postgresql://{name}@/postgres?host={folder}"
        try:
            _wait_for_postgresql(server, address)
            yield address, ""
        finally:
            server.send_signal(2)  # SIGINT: fast shutdown, does not wait for connections
            server.wait(timeout=20)


def _wait_for_postgresql(server: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(address).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.05)


@contextmanager
def redis() -> Iterator[tuple[str | None, str]]:
    """The address of a Redis, or None and the reason."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given, ""
        return
    program = shutil.which("redis-server")
    if program is None:
        yield None, "Redis is not installed and TEST_REDIS_URL is not set"
        return
    with tempfile.TemporaryDirectory(prefix="drafting-redis-") as folder:
        socket = Path(folder, "redis.sock")
        server = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + 10
            while not socket.exists() and time.monotonic() < until:
                time.sleep(0.02)
            yield f"unix://{socket}", ""
        finally:
            server.terminate()
            server.wait(timeout=10)

"""How soon a keystroke is seen by the others, beside ShareDB and Hocuspocus in the same run on the same machine.

N clients on one text, W of them typing 4 characters a second, all on loopback; the servers run one after the other, the
load generator (load.mjs) is the same for all. Ours runs with everything on: SQLite with synchronous=FULL, a permission
and an attribution for every update, 100 open suggestions on the section. Prints one table: p95 and its ratio to the
best peer, CPU seconds of both sides, memory of the server, and whether all replicas ended equal.

    python3 tests/bench/live/bench_live.py [--seconds 30] [--loads 100/20,200/20,200/50] [--systems drafting,sharedb,hocuspocus]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
SUGGESTIONS = 100
PARAGRAPH = "W każdym roku obowiązywania programu Miasto wspólnie z organizacjami sadzi drzewa i pielęgnuje zieleń. "
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def first_text() -> str:
    """A section of about 20,000 characters."""
    return "# Zadania\n\n" + "\n\n".join(f"{n}. {PARAGRAPH * 2}" for n in range(1, 98)) + "\n"


def usage(pid: int) -> tuple[float, float]:
    """CPU seconds and resident megabytes of a process and its children."""
    seconds = megabytes = 0.0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
            number = int(status.parent.name)
            if number == pid or int(fields[1]) == pid:
                seconds += (int(fields[11]) + int(fields[12])) / TICKS
                megabytes += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        except (OSError, IndexError, ValueError):
            continue
    return seconds, megabytes


def start_peer(system: str, folder: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A peer's server with the same text."""
    text = folder / "text.md"
    text.write_text(first_text(), encoding="utf-8")
    port = free_port()
    server = subprocess.Popen(["node", HERE / f"server_{system}.mjs", str(port), str(text)], cwd=HERE,
                              stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    return server, {"url": f"ws://127.0.0.1:{port}"}


def start_drafting(system: str, folder: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Our server on a fresh SQLite file with the text, the people and the open suggestions of `prepare.py`."""
    instance = folder / "instance"
    prepared = subprocess.run(
        [sys.executable, HERE / "prepare.py", str(instance), str(SUGGESTIONS)], cwd=ROOT, check=True,
        stdout=subprocess.PIPE, text=True, input=first_text(), env={**os.environ, "PYTHONPATH": str(ROOT)})
    port = free_port()
    env = {**os.environ, "DRAFTING_INSTANCE_PATH": str(instance), "DRAFTING_PORT": str(port), "PYTHONPATH": str(ROOT)}
    log = open(folder / "server.log", "w")  # noqa: SIM115 - lives as long as the server
    server = subprocess.Popen([sys.executable, "-m", "drafting", "serve"], cwd=ROOT, env=env, stdout=log, stderr=log, text=True)
    for _ in range(200):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    return server, {"url": f"http://127.0.0.1:{port}", **json.loads(prepared.stdout)}


START = {"drafting": start_drafting, "sharedb": start_peer, "hocuspocus": start_peer}


def measure(system: str, clients: int, writers: int, seconds: float) -> dict[str, Any]:
    """One row of the table."""
    with tempfile.TemporaryDirectory(prefix="drafting-bench-", ignore_cleanup_errors=True) as name:
        server, config = START[system](system, Path(name))
        try:
            config |= {"system": system, "clients": clients, "writers": writers, "seconds": seconds, "rate": 4,
                       "run": str(time.time_ns())}
            load = subprocess.Popen(["node", "--max-old-space-size=4096", HERE / "load.mjs", json.dumps(config)], cwd=HERE,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert load.stdout is not None and load.stderr is not None
            before = after = (0.0, 0.0)
            complaints = []
            for line in load.stderr:
                if line.strip() == "begin":
                    before = usage(server.pid)
                elif line.strip() == "end":
                    after = usage(server.pid)
                else:
                    complaints.append(line)
            printed = load.stdout.read()
            if not printed.strip():
                raise SystemExit(f"the load generator for {system} failed:\n{''.join(complaints)[-2000:]}")
            return json.loads(printed.strip().splitlines()[-1]) | {
                "server_cpu": after[0] - before[0], "server_mb": after[1]}
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()


def verdict(load: str, ours: float, best: float) -> str:
    """Our p95 beside the best peer's, and whether that is what was to be reached at this load."""
    said = f"p95 of ours / of the best peer: {ours / best:.2f}"
    if load == "200/50":
        return f"{said}  {'reached' if ours < best else 'MISSED'}: lower than the best peer"
    if load == "200/20":
        return f"{said}  {'reached' if ours <= 1.5 * best else 'MISSED'}: at most 1.5 times the best peer"
    if load == "100/20":
        return f"{said}  {'reached' if ours <= 25 else 'MISSED'}: at most 25 ms"
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--loads", default="100/20,200/20,200/50")
    parser.add_argument("--systems", default="sharedb,hocuspocus,drafting")
    given = parser.parse_args()
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=HERE, check=True)
    print(f"{'load':>8} {'system':<11} {'p50':>7} {'p95':>7} {'p99':>7} {'max':>7}  {'server CPU':>10} {'memory':>7} "
          f"{'load CPU':>9}  equal, arrived")
    for load in given.loads.split(","):
        clients, writers = (int(part) for part in load.split("/"))
        rows = {system: measure(system, clients, writers, given.seconds) for system in given.systems.split(",")}
        peers = [row["p95"] for system, row in rows.items() if system != "drafting"]
        for system, row in rows.items():
            print(f"{load:>8} {system:<11} {row['p50']:7.1f} {row['p95']:7.1f} {row['p99']:7.1f} {row['max']:7.1f}  "
                  f"{row['server_cpu']:8.1f} s {row['server_mb']:4.0f} MB {row['load_cpu']:7.1f} s  "
                  f"{'equal' if row['equal'] else 'NOT EQUAL'}, {row['arrived']}/{row['typed']}"
                  + (f" errors {row['errors']}" if row["errors"] else ""), flush=True)
        if "drafting" in rows and peers:
            print(f"{load:>8} {verdict(load, rows['drafting']['p95'], min(peers))}", flush=True)


if __name__ == "__main__":
    main()

"""The trace of two people who really typed at once, through a central authority with two rebasing clients."""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from drafting.engine.changes import ChangeSet
from drafting.engine.text import from_units, to_units
from tests.engine.writer import Authority, Writer

TRACES = Path(__file__).resolve().parents[3] / "shared" / "data" / "traces"


def trace(name: str) -> dict:
    file = TRACES / name
    if not file.exists():
        pytest.skip(f"the recorded editing sessions are not here: ../shared/data/traces/{name}")
    return json.loads(gzip.decompress(file.read_bytes()))


def in_order_of_arrival(transactions: list[dict], agents: int) -> Iterator[int]:
    """The transactions in an order in which an authority may have got them: agent 0 always has the faster line.

    Which one of two insertions at one point was stored first is not in the file; this is the order that its end content
    was made with. In others the same sentences come out with neighbouring letters of two people interleaved.
    """
    waiting = [deque(n for n, made in enumerate(transactions) if made["agent"] == agent) for agent in range(agents)]
    arrived: set[int] = set()
    while any(waiting):
        ready = next(line for line in waiting if line and arrived.issuperset(transactions[line[0]]["parents"]))
        arrived.add(ready[0])
        yield ready.popleft()


def test_the_concurrent_trace_ends_in_its_end_content():
    """Each transaction names what its author had seen; the client here has then received exactly that, and no more."""
    recorded = trace("concurrent_traces_friendsforever.json.gz")
    transactions = recorded["txns"]
    assert to_units(recorded["endContent"]) == recorded["endContent"], "positions in the file are code points"
    authority = Authority()
    writers = [Writer(str(agent)) for agent in range(recorded["numAgents"])]
    seen: dict[int, list[int]] = {}  # the newest version that its author had from each agent, or made
    for version, number in enumerate(in_order_of_arrival(transactions, len(writers)), 1):
        transaction = transactions[number]
        agent = transaction["agent"]
        known = [max((seen[parent][a] for parent in transaction["parents"]), default=0) for a in range(len(writers))]
        writer = writers[agent]
        newest = max(last for other, last in enumerate(known) if other != agent)
        if newest > writer.version:
            assert writer.receive(*authority.pull(writer.version, newest - writer.version))
        for pos, deleted, inserted in transaction["patches"]:
            writer.type(ChangeSet.of((pos, pos + deleted, inserted), len(writer.text)))
        assert authority.push(*writer.message()) == version
        known[agent] = version
        seen[number] = known
    for writer in writers:
        writer.receive(*authority.pull(writer.version))
        assert not writer.pending and writer.text == authority.text
    assert from_units(authority.text) == recorded["endContent"]


@pytest.mark.parametrize(
    "name",
    [
        "sequential_traces_friendsforever_flat.json.gz",
        "sequential_traces_seph-blog1.json.gz",
        "sequential_traces_automerge-paper.json.gz",
    ],
)
def test_the_sequential_traces_end_in_their_end_content(name):
    recorded = trace(name)
    text = to_units(recorded["startContent"])
    assert text == recorded["startContent"], "positions in the file are code points: this text would need conversion"
    for transaction in recorded["txns"]:
        for pos, deleted, inserted in transaction["patches"]:
            text = ChangeSet.of((pos, pos + deleted, inserted), len(text)).apply(text)
    assert from_units(text) == recorded["endContent"]

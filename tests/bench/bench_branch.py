"""What a main commit costs with many open suggestions: the index against mapping every hunk, in the same run.

    python tests/bench/bench_branch.py

Also: typing inside a flagged hunk, an acceptance with its plan, a revert, opening from a checkpoint, and catching one
branch up. Medians of processor time; ratios are what counts.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from drafting.engine.attribution import ListLog
from drafting.engine.changes import ChangeSet
from drafting.engine.plans import Item
from drafting.engine.proposals import Proposals

LENGTH = 50_000
SUGGESTIONS = 500
WORDS = ["program", "miasto", "organizacja", "w", "i", "na", "rzecz", "100", "zadania", "publiczne", "2027", "roku."]


def section(rng: random.Random, hunks_each: int) -> tuple[ListLog, Proposals]:
    text = ""
    while len(text) < LENGTH:
        text += rng.choice(WORDS) + " "
    log = ListLog()
    log.append(ChangeSet.of([(0, 0, text)], 0))
    proposals = Proposals(log)
    for number in range(1, SUGGESTIONS + 1):
        proposals.open(number, number)
        places = sorted(rng.sample(range(len(text)), hunks_each))
        pieces = [(place, place, "x") for place in places]
        proposals.branch_update(number, ChangeSet.of(list(pieces), len(text)))
    return log, proposals


def timed(action: Callable[[], Any]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def commits(rng: random.Random, log: ListLog, proposals: Proposals, count: int) -> tuple[list[float], list[float]]:
    """Seconds for each commit by the index, and by mapping each hunk as a change; a person types in runs of 20 keys."""
    by_index, by_mapping = [], []
    pos = rng.randrange(len(proposals.text))
    for _ in range(count):
        if rng.random() < 0.05:
            pos = rng.randrange(len(proposals.text))
        changes = ChangeSet.of([(pos, pos, "a")], len(proposals.text))
        pos += 1
        log.append(changes)
        start = time.process_time()
        proposals.main_update(changes, log.version)
        by_index.append(time.process_time() - start)
    length = len(proposals.text)
    hunks = [ChangeSet.of([hunk.replacement], length) for s in proposals.suggestions() for hunk in proposals.hunks(s)]
    for _ in range(count):
        pos = rng.randrange(length)
        changes = ChangeSet.of([(pos, pos, "a")], length)
        start = time.process_time()
        for hunk in hunks:
            hunk.map(changes)
        by_mapping.append(time.process_time() - start)
    return by_index, by_mapping


def main() -> None:
    rng = random.Random(1)
    print(f"{SUGGESTIONS} open suggestions on {LENGTH:,} characters; µs, medians")
    print(f"{'hunks each':>10} {'commit':>8} {'map each hunk':>14} {'ratio':>7}   95th percentile of commit")
    for hunks_each in (1, 3, 10):
        log, proposals = section(rng, hunks_each)
        by_index, by_mapping = commits(rng, log, proposals, 300)
        one, each = statistics.median(by_index) * 1e6, statistics.median(by_mapping) * 1e6
        late = sorted(by_index)[int(len(by_index) * 0.95)] * 1e6
        print(f"{hunks_each:>10} {one:>8.1f} {each:>14.1f} {one / each:>7.3f}   {late:.1f}")
    log, proposals = section(rng, 3)
    text = proposals.text
    bare = Proposals(log)
    plain = []
    for _ in range(200):
        changes = ChangeSet.of([(100, 100, "a")], len(bare.text))
        log.append(changes)
        plain.append(timed(lambda changes=changes: bare.main_update(changes, bare.version + 1)))
    print(f"a commit without any suggestion: {statistics.median(plain) * 1e6:.1f} µs (the text itself)")

    log, proposals = section(rng, 3)
    hunk = proposals.hunks(250)[0]
    typed = []
    for offset in range(100):
        changes = ChangeSet.of([(hunk.start + 1 + offset, hunk.start + 1 + offset, "b")], len(proposals.text))
        log.append(changes)
        typed.append(timed(lambda changes=changes: proposals.main_update(changes, log.version)))
    print(f"a key inside a flagged hunk: {statistics.median(typed) * 1e6:.0f} µs")
    pair = (100, proposals.hunks(100)[0].id)
    print(f"plan of an acceptance: {timed(lambda: proposals.plan([Item(*pair, mode='stands')])) * 1e3:.1f} ms")
    plan = proposals.plan([Item(*pair, mode="stands")])
    print(f"acceptance: {timed(lambda: proposals.accept(plan)) * 1e3:.1f} ms")
    for applied in plan.applied:
        log.append(applied.changes)
    plans = []
    reverting = timed(lambda: plans.append(proposals.revert_plan(*pair)) or proposals.revert(plans[0], True))
    print(f"revert with its plan: {reverting * 1e3:.1f} ms")
    for applied in plans[0].applied:
        log.append(applied.changes, applied.carried)
    value = json.loads(json.dumps(proposals.dump()))
    dumping, loading = timed(proposals.dump), timed(lambda: Proposals.load(log, value))
    print(f"checkpoint: dump {dumping * 1e3:.0f} ms, load {loading * 1e3:.0f} ms")
    behind = proposals.version - proposals.caught_up(400)
    print(f"catching up {behind} versions of a branch: {timed(lambda: proposals.catch_up(400)) * 1e3:.2f} ms")
    assert text


if __name__ == "__main__":
    main()

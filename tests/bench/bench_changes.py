"""Change sets on their own: apply, map, compose, rebase and JSON. Prints medians and ratios of one run.

Times are processor time. Real keystrokes come from ../shared/data/traces when they are there, otherwise from a seeded
random typist. Run it as  python tests/bench/bench_changes.py
"""

from __future__ import annotations

import gzip
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update, carry

TRACE = Path(__file__).resolve().parents[3] / "shared/data/traces/sequential_traces_automerge-paper.json.gz"
REPEATS = 9


def median(run: Callable[[], object], times: int = 1) -> float:
    """Seconds of one run, the median of several."""
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        for _ in range(times):
            run()
        taken.append((time.process_time() - start) / times)
    return statistics.median(taken)


def told(name: str, seconds: float, note: str = "") -> float:
    unit, factor = ("ns", 1e9) if seconds < 1e-5 else ("µs", 1e6) if seconds < 1e-2 else ("ms", 1e3)
    print(f"  {name:<62}{seconds * factor:>9.1f} {unit}  {note}")
    return seconds


def keystrokes(count: int) -> tuple[list[ChangeSet], str]:
    """Revisions of a text from nothing, as they were typed, and where they come from."""
    if TRACE.exists():
        patches = [p for t in json.loads(gzip.decompress(TRACE.read_bytes()))["txns"] for p in t["patches"]]
        source = TRACE.name
    else:
        rng, length, patches, source = random.Random(1), 0, [], "a random typist"
        while len(patches) < count:
            pos = rng.randint(0, length)
            patches.append([pos, 0, "x"] if rng.random() < 0.8 or pos == length else [pos, 1, ""])
            length += 1 if patches[-1][2] else -1
    made, length = [], 0
    for pos, deleted, inserted in patches[:count]:
        made.append(ChangeSet.of((pos, pos + deleted, inserted), length))
        length = made[-1].new_length
    return made, source


def pairwise(log: list[ChangeSet]) -> ChangeSet:
    total = log[0]
    for changes in log[1:]:
        total = total.compose(changes)
    return total


def halves(log: list[ChangeSet]) -> ChangeSet:
    while len(log) > 1:
        log = [log[n].compose(log[n + 1]) if n + 1 < len(log) else log[n] for n in range(0, len(log), 2)]
    return log[0]


def one_against_one() -> None:
    print("one replacement against one, a text of 20,000 code units")
    length = 20_000
    left, right = ChangeSet.of((500, 500, "x"), length), ChangeSet.of((700, 701, "yy"), length)
    inside = ChangeSet.of((495, 510, "word"), length)
    typed_on, far = ChangeSet.of((501, 501, "z"), length + 1), ChangeSet.of((900, 901, ""), length + 1)
    written = left.to_json()
    times = 20_000
    told("of", median(lambda: ChangeSet.of((500, 500, "x"), length), times))
    told("map, the other behind", median(lambda: left.map(right), times))
    told("map, the other before", median(lambda: right.map(left), times))
    told("map, into the other's range", median(lambda: left.map(inside), times))
    told("compose, typing on", median(lambda: left.compose(typed_on), times))
    told("compose, elsewhere", median(lambda: left.compose(far), times))
    told("map_pos", median(lambda: left.map_pos(600), times))
    told("to_json", median(left.to_json, times))
    told("from_json", median(lambda: ChangeSet.from_json(written), times))


def with_the_length() -> None:
    print("with the length of the text (10,000 and 1,000,000 code units)")
    small, large = 10_000, 1_000_000
    for name, run in {
        "map": lambda n: ChangeSet.of((n // 2, n // 2, "x"), n).map(ChangeSet.of((9, 9, "y"), n)),
        "compose": lambda n: ChangeSet.of((n // 2, n // 2, "x"), n).compose(ChangeSet.of((9, 9, "y"), n + 1)),
    }.items():
        one, other = median(lambda run=run: run(small), 5000), median(lambda run=run: run(large), 5000)
        told(f"{name}, with making both", other, f"{other / one:.2f} × that of the short text")
    texts = {n: "Zażółć gęślą jaźń " * (n // 18) for n in (small, large)}
    typed = {n: ChangeSet.of((len(text) // 2, len(text) // 2, "x"), len(text)) for n, text in texts.items()}
    one, other = (median(lambda n=n: typed[n].apply(texts[n]), 50) for n in (small, large))
    told("apply copies the text (a live head is edited in place)", other, f"{other / one:.1f} × that of the short text")


def many() -> None:
    print("500 replacements against one, a text of 50,000 code units")
    length = 50_000
    rng = random.Random(1)
    places = sorted(rng.sample(range(0, length - 20, 20), 500))
    many_changes = ChangeSet.of([(place, place + 10, "new words") for place in places], length)
    one = ChangeSet.of((length // 2, length // 2, "x"), length)
    alone = [ChangeSet.of((place, place + 10, "new words"), length) for place in places]
    each = told("each of the 500 mapped by itself", median(lambda: [changes.map(one) for changes in alone], 10))
    together = median(lambda: many_changes.map(one), 50)
    told("500 as one change set mapped over the one", together, f"{together / each:.2f} × each by itself")
    told("the one mapped over the 500", median(lambda: one.map(many_changes), 50))
    told("the one composed after the 500", median(lambda: many_changes.compose(one.map(many_changes)), 50))


def history() -> None:
    log, source = keystrokes(10_000)
    print(f"the first {len(log):,} keystrokes of {source}")

    def replay() -> str:
        text = ""
        for changes in log:
            text = changes.apply(text)
        return text

    assert pairwise(log).apply("") == halves(log).apply("") == replay()
    told("apply, each keystroke", median(replay) / len(log))
    one_by_one = told("compose pairwise, each keystroke", median(lambda: pairwise(log)) / len(log))
    tree = median(lambda: halves(log)) / len(log)
    told("compose by halves, each keystroke", tree, f"{tree / one_by_one:.2f} × pairwise")
    # 500 stored keystrokes of somebody else arrive while ten of one's own wait
    stored = [Update("other", number, changes) for number, changes in enumerate(log[:500])]
    waiting = [Update("me", number, ChangeSet.of((number, number, "m"), number)) for number in range(10)]
    told("carry 10 pending over 500 stored, each pair", median(lambda: carry(waiting, stored, 0)) / 5000)


if __name__ == "__main__":
    one_against_one()
    with_the_length()
    many()
    history()

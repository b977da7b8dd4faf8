"""What attribution costs, beside others that were measured in the same run.

    python -m tests.bench.bench_attribution [--data ../shared/data] [--repeat 3] [--quick]

Prints medians in microseconds and ratios, each with the target of issue 2 beside it. Times are processor time, so that
other work of the machine counts little. What others are given is the same sequence of insertions and deletions,
prepared before the clock starts; ours gets ready change sets, as the server has them from the wire. Recorded sessions
are read from the data folder; without it, invented typing stands in for them.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import random
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

from drafting.engine.attribution import ListLog, Tape
from drafting.engine.changes import ChangeSet
from drafting.engine.difference import difference
from drafting.engine.weave import weave

Patch = tuple[int, int, str]
TRACES = ["automerge-paper", "seph-blog1", "friendsforever_flat"]


def measured(action: Callable[[], object], repeat: int) -> float:
    """Median seconds."""
    times = []
    for _ in range(repeat):
        gc.collect()
        gc.disable()
        start = process_time()
        action()
        times.append(process_time() - start)
        gc.enable()
    return statistics.median(times)


def in_turn(actions: list[Callable[[], object]], repeat: int) -> list[float]:
    """Median seconds of each, measured in turns so that a busy moment of the machine hits all of them."""
    times = [[measured(action, 1) for action in actions] for _ in range(repeat)]
    return [statistics.median(each) for each in zip(*times, strict=True)]


def row(name: str, value: str, ratio: float | None = None, target: float | None = None) -> None:
    told = "" if ratio is None else f"{ratio:8.3f}"
    aim = (
        ""
        if target is None
        else f"target ≤ {target:g}   {'reached' if ratio is not None and ratio <= target else 'MISSED'}"
    )
    print(f"  {name:<58} {value:>14} {told:>9}  {aim}")


def recorded(data: Path, name: str) -> list[Patch]:
    file = data / "traces" / f"sequential_traces_{name}.json.gz"
    if not file.exists():
        return invented(40_000)
    trace = json.loads(gzip.decompress(file.read_bytes()))
    patches = [tuple(patch) for transaction in trace["txns"] for patch in transaction["patches"]]
    return ([(0, 0, trace["startContent"])] if trace["startContent"] else []) + patches


def invented(count: int) -> list[Patch]:
    """People typing words, taking some back, here and there."""
    rng = random.Random(1)
    patches: list[Patch] = []
    length = pos = 0
    for _ in range(count):
        if rng.random() < 0.02:
            pos = rng.randint(0, length)
        if pos and rng.random() < 0.15:
            pos -= 1
            patches.append((pos, 1, ""))
            length -= 1
        else:
            patches.append((pos, 0, rng.choice("abcdefghij ")))
            pos += 1
            length += 1
    return patches


def changes_of(patches: list[Patch], length: int = 0) -> list[ChangeSet]:
    changes = []
    for pos, deleted, inserted in patches:
        changes.append(ChangeSet.of((pos, pos + deleted, inserted), length))
        length = changes[-1].new_length
    return changes


def typed(changes: list[ChangeSet], tape: Tape | None = None) -> Tape:
    tape = tape or Tape()
    apply = tape.apply
    for version, each in enumerate(changes, 1):
        apply(each, version)
    return tape


def in_pycrdt(patches: list[Patch]) -> None:
    """Each insertion with who made it; seven people who take turns after 50 keys, which is less than we tell apart."""
    from pycrdt import Doc, Text

    document = Doc()
    text = document.get("text", type=Text)
    for version, (pos, deleted, inserted) in enumerate(patches, 1):
        with document.transaction():
            if deleted:
                del text[pos : pos + deleted]
            if inserted:
                text.insert(pos, inserted, {"by": version // 50 % 7})


def in_loro(patches: list[Patch], marks: bool) -> None:
    from loro import LoroDoc

    document = LoroDoc()
    text = document.get_text("text")
    if marks:
        from loro import ExpandType, StyleConfigMap

        styles = StyleConfigMap()
        styles.insert("by", ExpandType.Null)
        document.config_text_style(styles)
    for version, (pos, deleted, inserted) in enumerate(patches, 1):
        if deleted:
            text.delete(pos, deleted)
        if inserted:
            text.insert(pos, inserted)
            if marks:
                text.mark(pos, pos + len(inserted), "by", version // 50 % 7)
    document.commit()


def keystrokes(data: Path, repeat: int, quick: bool) -> None:
    print("\nA keystroke with attribution, µs")
    for name in TRACES:
        patches = recorded(data, name)
        if quick:
            patches = patches[:20_000]
        changes = changes_of(patches)
        count = len(patches)
        few = patches[: min(count, 20_000)]
        few_changes = changes[: len(few)]
        ours, loro = in_turn(
            [lambda changes=changes: typed(changes), lambda patches=patches: in_loro(patches, False)], 2 * repeat - 1
        )
        ours_few, crdt, marked = in_turn(
            [
                lambda few_changes=few_changes: typed(few_changes),
                lambda few=few: in_pycrdt(few),
                lambda few=few: in_loro(few, True),
            ],
            1,
        )
        row(f"{name}: Drafting, {count} revisions", f"{ours / count * 1e6:.2f}")
        row(f"{name}: pycrdt with attributes (first {len(few)})", f"{crdt / len(few) * 1e6:.2f}", ours_few / crdt, 0.05)
        row(f"{name}: Loro without attribution", f"{loro / count * 1e6:.2f}", ours / loro, 1.8)
        row(f"{name}: Loro with marks (first {len(few)})", f"{marked / len(few) * 1e6:.2f}", ours_few / marked)


def lengths(repeat: int) -> None:
    print("\nTyping in longer texts, µs a keystroke (bursts of 50 keys at random places)")
    rng = random.Random(2)
    cost = {}
    for length in (10_000, 100_000, 1_000_000):
        base = "Zażółć gęślą jaźń i plan. " * (length // 26 + 1)
        base = base[:length]
        patches: list[Patch] = []
        now = length
        for _ in range(200):
            pos = rng.randint(0, now)
            for _ in range(50):
                patches.append((pos, 0, "x"))
                pos += 1
                now += 1
        changes = changes_of(patches, length)
        tape = Tape(base)
        cost[length] = measured(lambda changes=changes, tape=tape: typed(changes, tape.copy()), 1)
        copying = measured(lambda tape=tape: tape.copy(), 3)
        times = [
            measured(lambda changes=changes, tape=tape: typed(changes, tape.copy()), 1) - copying for _ in range(repeat)
        ]
        cost[length] = statistics.median(times)
        row(
            f"{length:>9,} characters",
            f"{cost[length] / len(changes) * 1e6:.2f}",
            cost[length] / cost[10_000],
            1.5 if length > 10_000 else None,
        )


def memory(data: Path) -> None:
    print("\nMemory of text and attribution, bytes a character kept")
    for name in TRACES:
        tape = typed(changes_of(recorded(data, name)))
        row(name, f"{tape.length:,} chars", size_of(tape) / tape.length, 6)
    rng = random.Random(3)
    tape = Tape("Zażółć gęślą jaźń. " * 5000)
    now = tape.length
    changes = []
    for _ in range(60_000):
        pos = rng.randint(0, now)
        changes.append(ChangeSet.of((pos, pos, "ż"), now))
        now += 1
    typed(changes, tape)
    row("Polish, 60,000 keys everywhere in 95,000 characters", f"{tape.length:,} chars", size_of(tape) / tape.length, 6)


def size_of(tape: Tape) -> int:
    total = sys.getsizeof(tape)
    for name in tape.__slots__:
        value = getattr(tape, name)
        total += sys.getsizeof(value)
        if isinstance(value, list):
            total += sum(sys.getsizeof(each) for each in value)
    return total


def folds(repeat: int, quick: bool) -> None:
    print("\nFolding revisions, ms")
    rng = random.Random(4)
    count = 2_000 if quick else 10_000
    cost = {}
    for length in (1_000, 100_000, 1_000_000):
        log = ListLog()
        log.append(ChangeSet.of((0, 0, "Zażółć gęślą jaźń. " * (length // 19)), 0))
        now = log.tape.length
        pos = 0
        for _ in range(count):
            if rng.random() < 0.05:
                pos = rng.randint(0, now)
            if rng.random() < 0.2 and pos:
                log.append(ChangeSet.of((pos - 1, pos, ""), now))
                now -= 1
                pos -= 1
            else:
                log.append(ChangeSet.of((pos, pos, "x"), now))
                now += 1
                pos += 1
        cost[length] = measured(lambda log=log: list(weave(log, 1, log.version).runs()), repeat)
        row(f"{count} revisions of {length:>9,} characters", f"{cost[length] * 1e3:.1f}", cost[length] / cost[1_000])
        if length == 100_000:
            changes = [log.changes(version) for version in range(2, log.version + 1)]

            def pairwise(changes: list[ChangeSet] = changes) -> None:
                total = changes[0]
                for each in changes[1:]:
                    total = total.compose(each)

            composed = measured(pairwise, 1)
            row("  the same, composed pairwise", f"{composed * 1e3:.1f}", cost[length] / composed, 0.25)
    rng = random.Random(5)
    log = ListLog()
    log.append(ChangeSet.of((0, 0, "Zażółć gęślą jaźń. " * 5_000), 0))
    now = log.tape.length
    for _ in range(count):
        pos = rng.randint(0, now - 2)
        log.append(ChangeSet.of((pos, pos + rng.randint(0, 1), "x"), now))
        now = log.tape.length
    spread = measured(lambda: list(weave(log, 1, log.version).runs()), repeat)
    row(f"{count} revisions everywhere in 95,000 characters", f"{spread * 1e3:.1f}", spread / cost[100_000])


def differences(data: Path, repeat: int, quick: bool) -> None:
    print("\nThe attributed difference of two versions, ms")
    import fast_diff_match_patch

    for name in TRACES[:2]:
        log = ListLog()
        for each in changes_of(recorded(data, name)):
            log.append(each)
        b = log.version
        for span in (60_000, b // 2):
            a = b - span
            if quick:
                a = b - 5_000
            if a < 0:
                continue
            text_a, text_b = log.text(a), log.text(b)
            ours = measured(lambda log=log, a=a, b=b: difference(log, a, b), repeat)
            row(f"{name}: {b - a} revisions", f"{ours * 1e3:.1f}")
            start = process_time()
            fast_diff_match_patch.diff(text_a, text_b, timelimit=60, checklines=False, cleanup="No")
            theirs = process_time() - start
            row("  fast-diff-match-patch (C++), characters", f"{theirs * 1e3:.1f}", ours / theirs, 0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description="What attribution costs, beside others measured in the same run.")
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small inputs, to see that it runs")
    parser.add_argument("--only", choices=["keystrokes", "lengths", "memory", "folds", "differences"])
    options = parser.parse_args()
    parts = {
        "keystrokes": lambda: keystrokes(options.data, options.repeat, options.quick),
        "lengths": lambda: lengths(options.repeat),
        "memory": lambda: memory(options.data),
        "folds": lambda: folds(options.repeat, options.quick),
        "differences": lambda: differences(options.data, options.repeat, options.quick),
    }
    for name, part in parts.items():
        if options.only in (None, name):
            part()


if __name__ == "__main__":
    main()

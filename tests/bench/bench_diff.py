"""The difference of consecutive revisions of three laws: borders, size, speed. Prints ratios with their targets.

Sizes are counted in tokens against the exact token-minimal edit (own bit-parallel LCS, nothing shared with the engine's
comparison), and in characters against the engine's comparison before it is tidied. Times are medians of runs in this
process, in processor time, so that other work of the machine counts little.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import itertools

from drafting.engine.diff import _Comparison, diff
from drafting.engine.diff_tokens import tokens
from drafting.engine.text import to_units

LAWS = Path(__file__).parents[3] / "shared" / "data" / "laws"


def revisions() -> list[tuple[str, str, str]]:
    pairs = []
    for law in sorted(LAWS.iterdir()):
        texts = [to_units(p.read_text(encoding="utf-8")) for p in sorted(law.glob("[0-9]*.md"))]
        pairs += [(f"{law.name} {i}", a, b) for i, (a, b) in enumerate(itertools.pairwise(texts))]
    return pairs


def inside_word(text: str, pos: int) -> bool:
    if not 0 < pos < len(text):
        return False
    if text[pos - 1].isalnum() and text[pos].isalnum():
        return True
    return any(
        re.fullmatch(r"\d[.,]\d", text[i : i + 3]) is not None and i < pos < i + 3 for i in range(max(0, pos - 2), pos)
    )


def minimal_tokens(a: list[str], b: list[str]) -> int:
    """Tokens deleted and inserted by a shortest edit: len(a) + len(b) - 2 LCS, with one big integer per token kind.

    source   Hyyrö, Bit-parallel LCS-length computation revisited (2004)
    """
    low = 0
    while low < min(len(a), len(b)) and a[low] == b[low]:
        low += 1
    a, b = a[low:], b[low:]
    while a and b and a[-1] == b[-1]:
        a.pop()
        b.pop()
    places: dict[str, int] = {}
    for i, token in enumerate(a):
        places[token] = places.get(token, 0) | 1 << i
    full = (1 << len(a)) - 1
    v = full
    for token in b:
        u = v & places.get(token, 0)
        v = ((v + u) | (v - u)) & full
    return len(a) + len(b) - 2 * (len(a) - v.bit_count())


def untidied_characters(a: list[str], b: list[str]) -> int:
    """Characters deleted and inserted by the engine's comparison of tokens as it is found."""
    return sum(
        sum(map(len, a[start_a:end_a])) + sum(map(len, b[start_b:end_b]))
        for start_a, end_a, start_b, end_b in _Comparison().compare(a, b)
    )


def median_ms(run, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--python-dmp", action="store_true", help="also time Python diff-match-patch (slow)")
    options = parser.parse_args()
    import fast_diff_match_patch
    from diff_match_patch import diff_match_patch

    if not LAWS.exists():
        print("The laws of shared/data are not here; nothing measured.")
        return
    borders = cut = 0
    size = smallest = characters = fewest = 0
    ours_long = theirs_long = python_long = 0.0
    print(f"{'revision':14}{'chars':>8}{'hunks':>6}{'tokens':>8}{'minimal':>8}{'ratio':>7}{'ours ms':>9}{'C++ ms':>9}")
    for name, a, b in revisions():
        result = diff(a, b)
        assert result.changes.apply(a) == b
        for hunk in result.hunks:
            for text, pos in ((a, hunk.start_a), (a, hunk.end_a), (b, hunk.start_b), (b, hunk.end_b)):
                borders += 1
                cut += inside_word(text, pos)
        characters += sum(h.end_a - h.start_a + len(h.text) for h in result.hunks)
        edited = sum(len(tokens(a[h.start_a : h.end_a])) + len(tokens(h.text)) for h in result.hunks)
        minimal = minimal_tokens(tokens(a), tokens(b))
        fewest += untidied_characters(tokens(a), tokens(b))
        size += edited
        smallest += minimal
        ours = median_ms(lambda a=a, b=b: diff(a, b), options.repeats)
        theirs = median_ms(
            lambda a=a, b=b: fast_diff_match_patch.diff(a, b, timelimit=0, checklines=True, counts_only=True),
            options.repeats,
        )
        if len(a) > 30_000:
            ours_long += ours
            theirs_long += theirs
            if options.python_dmp:
                peer = diff_match_patch()
                peer.Diff_Timeout = 0
                python_long += median_ms(lambda a=a, b=b, peer=peer: peer.diff_main(a, b), 1)
        ratio = edited / minimal if minimal else 1.0
        print(
            f"{name:14}{len(a):8}{len(result.hunks):6}{edited:8}{minimal:8}{ratio:7.3f}{ours:9.1f}{theirs:9.1f}",
            flush=True,
        )
    print(f"\nhunk borders inside words or numbers   {100 * cut / max(borders, 1):.2f} % of {borders}   target 0 %")
    print(f"edit size over token-minimal, tokens   {size / max(smallest, 1):.3f}   target ≤ 1.05")
    print(f"edit size over token-minimal, letters  {characters / max(fewest, 1):.3f}")
    print(
        f"total above 30k characters over C++    {ours_long / max(theirs_long, 1e-9):.3f}   target ≤ 0.3"
        f"   ({ours_long:.0f} ms / {theirs_long:.0f} ms)"
    )
    if options.python_dmp:
        print(f"the same over Python diff-match-patch  {ours_long / max(python_long, 1e-9):.4f}")


if __name__ == "__main__":
    main()

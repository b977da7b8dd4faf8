"""The difference of two texts that share no log, made for people: Text × Text → ChangeSet.

The plan, from coarse to fine:
  1. equal blocks at both ends are set aside; of the rest, blocks that occur once on both sides and are equal are kept,
     the heaviest chain of them that is in the same order on both sides
  2. each region between kept blocks is compared in word tokens by diff-match-patch, each token one character
  3. `diff_tidy` joins confetti and puts borders where people would
  4. whole blocks that went in one place and came in another, also with small edits inside, are named as moves

The same input always gives the same result: no clock (`Diff_Timeout = 0`), but a budget of operations; a region that
would exceed it is divided at words that occur once on both sides, without such words in halves, and when the budget is
spent it is replaced whole.
The only user of diff_match_patch, of which only the comparison is used; its `patch_apply` reports success on garbage.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from diff_match_patch import diff_match_patch

from drafting.engine.changes import ChangeSet
from drafting.engine.diff_moves import Move, find_moves
from drafting.engine.diff_tidy import Change, tidy
from drafting.engine.diff_tokens import Alphabet, begins_block, split_blocks, tokens
from drafting.engine.text import check_units

__all__ = ["Diff", "Move", "Piece", "diff", "word_diff"]

# Products of lengths (tokens × tokens). Up to the first the library's own search is quicker; the second is what one
# comparison may cost (10,000 tokens on both sides: about 20 ms and 13 MB), the third what one call may cost.
SMALL_COMPARISON = 400
LARGEST_COMPARISON = 100_000_000
BUDGET = 1_000_000_000
# An equal block shorter than this may be so by chance and hide a better match, unless such blocks make up a good share
# of what is left to compare.
LONG_BLOCK = 80
SHORT_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Piece:
    """One place where the texts differ: a[start_a:end_a] became b[start_b:end_b]; either may be empty, not both."""

    start_a: int
    end_a: int
    start_b: int
    end_b: int
    text: str


@dataclass(frozen=True, slots=True)
class Diff:
    """What turns one text into another.

    changes   applied to a it gives b
    hunks     its places in order, for people and for suggestions: borders never inside a word, a number or a character
    moves     whole blocks that stand elsewhere now; they are also among the hunks, as a deletion and an insertion
    """

    changes: ChangeSet
    hunks: tuple[Piece, ...]
    moves: tuple[Move, ...]


def diff(a: str, b: str) -> Diff:
    """The difference of two texts as a person would mark it.

    a, b     units form
    raises   EngineError when a text is not in units form
    law      diff(a, b).changes.apply(a) == b
    """
    _check(a)
    _check(b)
    if a == b:
        return Diff(ChangeSet.empty(len(a)), (), ())
    found = _compared(a, b)
    hunks = tuple(Piece(a0, a1, b0, b1, b[b0:b1]) for a0, a1, b0, b1 in found)
    changes = ChangeSet.of([(piece.start_a, piece.end_a, piece.text) for piece in hunks], len(a))
    moves = find_moves(a, b, found, lambda x, y: _changes_of(_compared(x, y), x, y))
    return Diff(changes, hunks, moves)


def word_diff(a: str, b: str) -> ChangeSet:
    """Which words were kept and which changed, for a wording that was worked over: no blocks, no moves.

    Blanks and signs between two changed words count as changed with them.
    """
    _check(a)
    _check(b)
    words_a, words_b = tokens(a), tokens(b)
    changes = tidy(_Comparison().compare(words_a, words_b), words_a, words_b)
    return _changes_of(_in_units(changes, words_a, words_b, 0, 0), a, b)


def _check(text: str) -> None:
    """check_units, quick for a text without astral characters: it has two bytes for each of its code points."""
    if not isinstance(text, str):
        check_units(text)
    try:
        if len(text.encode("utf-16-le")) == 2 * len(text) and "\r" not in text:
            return
    except UnicodeEncodeError:  # pairs of surrogates, as units form has them
        pass
    check_units(text)


def _changes_of(found: Sequence[Change], a: str, b: str) -> ChangeSet:
    return ChangeSet.of([(a0, a1, b[b0:b1]) for a0, a1, b0, b1 in found], len(a))


# ── blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _compared(a: str, b: str) -> list[Change]:
    """The tidied changes, in units."""
    before, after = _equal_ends(a, b)
    middle_a, middle_b = a[before : len(a) - after], b[before : len(b) - after]
    blocks_a, blocks_b = split_blocks(middle_a), split_blocks(middle_b)
    starts_a, starts_b = _starts(blocks_a), _starts(blocks_b)
    comparison = _Comparison()
    found: list[Change] = []
    for i0, i1, j0, j1 in _regions(blocks_a, blocks_b):
        low_a, high_a, low_b, high_b = starts_a[i0], starts_a[i1], starts_b[j0], starts_b[j1]
        if low_a == high_a or low_b == high_b:
            found.append((before + low_a, before + high_a, before + low_b, before + high_b))
            continue
        words_a, words_b = tokens(middle_a[low_a:high_a]), tokens(middle_b[low_b:high_b])
        changes = tidy(comparison.compare(words_a, words_b), words_a, words_b)
        found.extend(_in_units(changes, words_a, words_b, before + low_a, before + low_b))
    return found


def _equal_ends(a: str, b: str) -> tuple[int, int]:
    """Lengths of what is equal at both ends, in whole blocks, one more block kept at each end for the tidying."""
    shorter = min(len(a), len(b))
    before = _equal_length(shorter, lambda n: a.startswith(b[:n]))
    for _ in range(2):
        before = a.rfind("\n", 0, max(before - 1, 0)) + 1
        while before and not begins_block(a, before):
            before = a.rfind("\n", 0, before - 1) + 1
    after = _equal_length(shorter - before, lambda n: a.endswith(b[len(b) - n :]))
    for _ in range(2):  # past the first line, so that what stands before the border is equal too
        line_end = a.find("\n", len(a) - after)
        while line_end >= 0 and not begins_block(a, line_end + 1):
            line_end = a.find("\n", line_end + 1)
        after = len(a) - line_end - 1 if line_end >= 0 else 0
    return before, after


def _equal_length(most: int, equal: Callable[[int], bool]) -> int:
    """The greatest n ≤ most for which equal(n), which holds for all smaller ones too."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if equal(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _starts(parts: Sequence[str]) -> list[int]:
    return [0, *accumulate(map(len, parts))]


def _in_units(changes: list[Change], a: Sequence[str], b: Sequence[str], low_a: int, low_b: int) -> list[Change]:
    starts_a, starts_b = _starts(a), _starts(b)
    return [
        (low_a + starts_a[i], low_a + starts_a[j], low_b + starts_b[k], low_b + starts_b[m]) for i, j, k, m in changes
    ]


def _regions(a: list[str], b: list[str]) -> list[Change]:
    """The runs of blocks that differ, in block numbers: first between long equal blocks, then between short ones."""
    found: list[Change] = []
    for region in _between(a, b, (0, len(a), 0, len(b)), _anchors(a, b, (0, len(a), 0, len(b)), LONG_BLOCK)):
        i0, i1, j0, j1 = region
        short = _anchors(a, b, region, 1) if i1 - i0 > 1 and j1 - j0 > 1 else []
        smaller = min(sum(map(len, a[i0:i1])), sum(map(len, b[j0:j1])))
        if sum(len(a[i]) for i, _ in short) >= SHORT_SHARE * smaller:
            found += _between(a, b, region, short)
        else:
            found.append(region)
    return found


def _between(a: list[str], b: list[str], region: Change, anchors: list[tuple[int, int]]) -> list[Change]:
    """What differs between anchors; the equality around an anchor goes as far as it goes."""
    regions: list[Change] = []
    i, high_a, j, high_b = region
    for x, y in [(i - 1, j - 1), *anchors, (high_a, high_b)]:
        if x < i or y < j:
            if x < region[0]:  # the start of the region stands like an anchor before it
                x, y = i, j
            else:
                continue  # taken already by the block before it, which went on being equal
        end_i, end_j = x, y
        while end_i > i and end_j > j and a[end_i - 1] == b[end_j - 1]:
            end_i -= 1
            end_j -= 1
        if end_i > i or end_j > j:
            regions.append((i, end_i, j, end_j))
        i, j = x, y
        while i < high_a and j < high_b and a[i] == b[j]:
            i += 1
            j += 1
    return regions


def _anchors(a: list[str], b: list[str], region: Change, shortest: int) -> list[tuple[int, int]]:
    """Blocks that occur once on both sides and are equal: the heaviest chain in order on both sides."""
    once_a, once_b = _once(a, region[0], region[1]), _once(b, region[2], region[3])
    pairs = [(i, once_b[block]) for block, i in once_a.items() if len(block) >= shortest and block in once_b]
    return heaviest_chain(pairs, [len(a[i]) for i, _ in pairs])


def _once(parts: Sequence[str], low: int, high: int) -> dict[str, int]:
    counts = Counter(parts[low:high])
    return {part: i for i, part in enumerate(parts[low:high], low) if counts[part] == 1}


def heaviest_chain(pairs: list[tuple[int, int]], weights: list[int]) -> list[tuple[int, int]]:
    """Of pairs with rising first numbers those whose second numbers rise too, with the greatest total weight."""
    ranks = sorted({y for _, y in pairs})
    best: list[tuple[int, int]] = [(0, -1)] * (len(ranks) + 1)  # Fenwick tree of (weight, pair), greatest so far
    before = [-1] * len(pairs)
    top = (0, -1)
    for n, (_, y) in enumerate(pairs):
        rank = bisect_left(ranks, y)
        weight, previous = 0, -1
        k = rank
        while k > 0:
            if best[k][0] > weight:
                weight, previous = best[k]
            k -= k & -k
        before[n] = previous
        entry = (weight + weights[n], n)
        if entry[0] > top[0]:
            top = entry
        k = rank + 1
        while k < len(best):
            if entry[0] > best[k][0]:
                best[k] = entry
            k += k & -k
    chain = []
    n = top[1]
    while n >= 0:
        chain.append(pairs[n])
        n = before[n]
    return chain[::-1]


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────


class _Comparison(diff_match_patch):
    """diff-match-patch over tokens, exact within a budget of operations that one difference shares."""

    def __init__(self) -> None:
        super().__init__()
        self.Diff_Timeout = 0
        self.left = BUDGET

    def compare(self, a: list[str], b: list[str]) -> list[Change]:
        """The changes between two lists of tokens, in token numbers."""
        alphabet = Alphabet()
        changes: list[Change] = []
        i = j = start_i = start_j = 0
        for kind, run in [*self.diff_main(alphabet.encode(a), alphabet.encode(b), False), (0, "\0")]:
            if kind == self.DIFF_DELETE:
                i += len(run)
            elif kind == self.DIFF_INSERT:
                j += len(run)
            else:
                if i > start_i or j > start_j:
                    changes.append((start_i, i, start_j, j))
                i += len(run)
                j += len(run)
                start_i, start_j = i, j
        return changes

    def diff_bisect(self, text1: str, text2: str, deadline: float) -> list[tuple[int, str]]:
        """The exact comparison where the budget allows it, else divided at tokens that occur once on both sides.

        Myers' search, which the library has, costs the square of the difference; beyond a few tokens a search with
        one bit per token is exact as well and costs what reading does.
        """
        cost = len(text1) * len(text2)
        if cost <= SMALL_COMPARISON:
            return super().diff_bisect(text1, text2, deadline)
        if cost <= LARGEST_COMPARISON and cost <= self.left:
            self.left -= cost
            return _longest_common(text1, text2)
        once_1, once_2 = _once(text1, 0, len(text1)), _once(text2, 0, len(text2))
        pairs = [(i, once_2[token]) for token, i in once_1.items() if token in once_2]
        found: list[tuple[int, str]] = []
        i = j = 0
        for x, y in heaviest_chain(pairs, [1] * len(pairs)):
            found += self.diff_main(text1[i:x], text2[j:y], False, deadline)
            found.append((self.DIFF_EQUAL, text1[x]))
            i, j = x + 1, y + 1
        if not i:  # nothing occurs once: the same few words over and over
            if self.left <= 0 or min(len(text1), len(text2)) < 2:
                return [(self.DIFF_DELETE, text1), (self.DIFF_INSERT, text2)]
            i, j = len(text1) // 2, len(text2) // 2
            found = self.diff_main(text1[:i], text2[:j], False, deadline)
        return found + self.diff_main(text1[i:], text2[j:], False, deadline)


def _longest_common(a: str, b: str) -> list[tuple[int, str]]:
    """The difference that keeps the most characters, found with one big integer for each prefix of b.

    Bit i of row j is clear when a[: i + 1] has one character more in common with b[: j] than a[:i] has. The way back
    through the rows leaves out a character of a, then one of b, where nothing is lost by it, else keeps one.

    source   Hyyrö, Bit-parallel LCS-length computation revisited (2004); the way back as in rapidfuzz' description
    """
    places: dict[str, int] = {}
    for i, character in enumerate(a):
        places[character] = places.get(character, 0) | 1 << i
    full = (1 << len(a)) - 1
    row = full
    rows = [row]
    for character in b:
        here = places.get(character)
        if here is not None:
            matched = row & here
            row = (row + matched | row - matched) & full
        rows.append(row)
    steps: list[tuple[int, str]] = []
    i, j = len(a), len(b)
    while i and j:
        if rows[j] >> (i - 1) & 1:
            # every clear bit above is passed at once: all of a down to the next increment goes
            kept = (~rows[j] & ((1 << (i - 1)) - 1)).bit_length()
            steps.append((-1, a[kept:i]))
            i = kept
        elif rows[j - 1] >> (i - 1) & 1:
            end = i
            while i and j and not rows[j] >> (i - 1) & 1 and rows[j - 1] >> (i - 1) & 1:
                i -= 1
                j -= 1
            steps.append((0, a[i:end]))
        else:
            j -= 1
            steps.append((1, b[j]))
    if i:
        steps.append((-1, a[:i]))
    if j:
        steps.append((1, b[:j]))
    return steps[::-1]

"""Ordered lists of replacements: joined, and two of them swept at once, one over the other or one after the other.

A replacement is (start, end, text): [start, end) of the old text becomes text, units form. A list is canonical when

  its replacements are in order and do not overlap, but they may touch: as in CodeMirror, touching ones stay apart,
  because positions map differently around "delete, then insert" than around one replacement;
  none is empty (start == end and text == ""); no two deletions touch; no two insertions stand at one point.

Every list that comes in is canonical and so is every one that goes out. Lengths are the business of `changes.py`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from operator import itemgetter

from drafting.engine.text import cuts_pair
from drafting.errors import PositionError

Replacement = tuple[int, int, str]

# Behind every position: where a list that has ended would begin again.
BEYOND = 2**62

_END = itemgetter(1)


def add(replacements: list[Replacement], start: int, end: int, text: str, joining: bool = False) -> None:
    """Append a replacement that is not empty; one with the last when the canonical form or `joining` asks for it.

    law      a touching deletion joins a deletion, an insertion at the same point joins an insertion
    """
    if replacements:
        s, e, t = replacements[-1]
        if joining or (e == start and ((not t and not text) or (s == e and start == end))):
            del replacements[-1]  # so that nobody else holds the text: it is lengthened in place, not copied each time
            t += text
            replacements.append((s, end, t))
            return
    replacements.append((start, end, text))


def growth(replacements: Iterable[Replacement]) -> int:
    """By how many code units they make a text longer; negative when shorter."""
    return sum([len(text) - (end - start) for start, end, text in replacements])


def mapped(mine: tuple[Replacement, ...], theirs: tuple[Replacement, ...], before: bool) -> list[Replacement]:
    """My replacements over the new text of theirs.

    Plan: sweep the old text. `passed` counts their replacements that lie behind; `reach` is the old position that they
    cover and `shift` what turns an old position from there on into a new one. Each of mine first lets those of theirs
    pass that begin before it (at one point the shorter first; equals as `before` says), then deletes what is left of
    its range. My text goes in once, where my range is first met: so before theirs when I begin first, and behind
    theirs when I begin inside their range. A text of theirs inside my range stays: it splits my range in two, while a
    deletion of theirs inside it merely makes it shorter. What lies before all of theirs or behind them is not swept.
    """
    untouched = bisect_left(mine, theirs[0][0], key=_END)
    result = list(mine[:untouched])
    passed = reach = shift = 0
    count = len(theirs)
    for place in range(untouched, len(mine)):
        start, end, text = mine[place]
        while passed < count:
            p, q, u = theirs[passed]
            if p < start or (p == start and (q - p < end - start or (q - p == end - start and not before))):
                shift += len(u) - (q - p)
                reach = q
                passed += 1
            else:
                break
        if passed == count and start >= reach:
            add(result, start + shift, end + shift, text)
            result.extend([(s + shift, e + shift, t) for s, e, t in mine[place + 1 :]])
            break
        pos = max(start, reach)
        while True:
            # One stretch of the new text without text of theirs: [pos + shift, pos + shift + deleted).
            at = pos + shift
            deleted = 0
            split = None
            while passed < count and theirs[passed][0] < end:
                p, q, u = theirs[passed]
                if u or q >= end:
                    split = theirs[passed]
                    break
                deleted += p - pos
                pos = q
                shift -= q - p
                reach = q
                passed += 1
            stop = split[0] if split else max(end, pos)
            deleted += stop - pos
            if deleted or text:
                add(result, at, at + deleted, text)
            if split is None:
                break
            p, q, u = split
            shift += len(u) - (q - p)
            reach = q
            passed += 1
            if q >= end:
                break
            pos = q
            text = ""
    return result


def composed(mine: tuple[Replacement, ...], theirs: tuple[Replacement, ...]) -> list[Replacement]:
    """My replacements and then theirs, as one list over my old text.

    Plan: sweep the text in the middle, which mine produce and theirs start from. My insertions and their ranges cut it
    into pieces; each piece is kept or inserted by me, and kept or replaced by them. What a piece amounts to is added to
    the result as it comes. While one of my insertions or one of their ranges reaches past the end of a piece, `joining`
    makes the next piece part of the same replacement.
    """
    result, i, j, shift = _undisturbed(mine, theirs)
    old = result[-1][1] if result else 0  # the place in my old text
    pos = old + shift  # and in the text in the middle: for a kept place, `shift` further
    used = 0  # code units of mine[i]'s text that lie behind
    joining = False
    while True:
        left = right = BEYOND  # from pos to the next seam of mine and of theirs
        in_mine = in_theirs = False
        if i < len(mine):
            s, e, t = mine[i]
            if j == len(theirs) and not used:
                add(result, s, e, t)
                result.extend(mine[i + 1 :])
                return result
            in_mine = used > 0 or s + shift == pos
            if in_mine and not t:
                add(result, s, e, "", joining)
                shift -= e - s
                old = e
                i += 1
                continue
            left = len(t) - used if in_mine else s + shift - pos
        if j < len(theirs):
            p, q, u = theirs[j]
            if i == len(mine) and p >= pos:
                add(result, p - shift, q - shift, u)
                result.extend([(p - shift, q - shift, u) for p, q, u in theirs[j + 1 :]])
                return result
            in_theirs = p <= pos
            if p == q == pos:
                add(result, old, old, u, joining)
                j += 1
                continue
            right = q - pos if in_theirs else p - pos
        width = min(left, right)
        if width == BEYOND:
            return result
        until = (old if used else e) if in_mine else old + width
        if in_mine or in_theirs:
            # Their text comes with the first piece of their range; in the others nothing of it is left to come.
            text = (u if p == pos else "") if in_theirs else t[used : used + width]
            count = len(result)
            if until > old or text:
                add(result, old, until, text, joining)
            joining = ((in_mine and left > width) or (in_theirs and right > width)) and (joining or len(result) > count)
        old = until
        pos += width
        if in_mine:
            used += width
            if width == left:
                shift += len(t) - (e - s)
                used = 0
                i += 1
            elif cuts_pair(t, used):
                raise PositionError(f"Position {pos} is between the halves of a surrogate pair.", position=pos)
        if in_theirs and width == right:
            j += 1


def _undisturbed(
    mine: tuple[Replacement, ...], theirs: tuple[Replacement, ...]
) -> tuple[list[Replacement], int, int, int]:
    """What of mine, or of theirs, lies before all of the other: (those, how many of mine, of theirs, their shift)."""
    first = theirs[0][0]
    i = shift = 0
    for start, end, text in mine:
        if start + shift + len(text) >= first:
            break
        shift += len(text) - (end - start)
        i += 1
    if i:
        return list(mine[:i]), i, 0, shift
    j = bisect_left(theirs, mine[0][0], key=_END)
    return list(theirs[:j]), 0, j, 0

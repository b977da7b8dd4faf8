"""The net change between two versions: what stood and stands counts as untouched, however it came and went.

Untouched is, first, every character that stands at both versions or was brought back by identity in its place (see
`weave.py`), and then, between two such characters, what was put back letter for letter: equal ends of what went and
what came. Ctrl-Z of a deletion is an ordinary insertion of the same letters, and must not leave a mark for ever.
"""

from __future__ import annotations

from collections.abc import Iterator

from drafting.engine.attribution import Log, checked_version
from drafting.engine.changes import ChangeSet
from drafting.engine.weave import Weave, inserted_text, weave
from drafting.engine.words import trimmed


def net_change(log: Log, a: int, b: int, *, letters: bool = True) -> ChangeSet:
    """What turns the text of version a into that of version b, less what is untouched.

    a, b      versions in either order; PositionError when the log does not have them
    letters   what was put back letter for letter is untouched too; False goes by identity alone
    law       net_change(log, a, b).apply(log.text(a)) == log.text(b)
    cost      a fold over the revisions between, and log.text(a) where something went and something came
    """
    old, new = min(a, b), max(a, b)
    checked_version(old, 0, log.version)
    return net_of(weave(log, old, new, vanished=False), letters=letters, forward=a <= b)


def net_of(folded: Weave, *, letters: bool = True, forward: bool = True) -> ChangeSet:
    """The net change over a weave, from its first version to its last or, not `forward`, back; see net_change."""
    stretches = stretches_of(folded) if forward else backward(folded)
    length = folded.length_a if forward else folded.length
    known: str | None = None
    replacements = []
    for start, end, _, _, inserted in stretches:
        replacement = (start, end, inserted)
        if letters and inserted and start < end:
            if known is None:
                known = folded.log.text(folded.a if forward else folded.version)
            replacement = trimmed(known, start, end, inserted)
        replacements.append(replacement)
    return ChangeSet.of(replacements, length)


Stretch = tuple[int, int, int, int, str]


def stretches_of(folded: Weave) -> Iterator[Stretch]:
    """(start_a, end_a, start_b, end_b, inserted) between characters that stand at both ends of a weave, in order."""
    pos_a = pos_b = start_a = start_b = 0
    texts: dict[int, str] = {}
    parts: list[str] = []
    for standing, length, born, offset, _ in folded.runs():
        if born:
            if standing:
                if born not in texts:
                    texts[born] = inserted_text(folded.log.changes(born))
                parts.append(texts[born][offset : offset + length])
                pos_b += length
        elif standing:
            if pos_a > start_a or pos_b > start_b:
                yield start_a, pos_a, start_b, pos_b, "".join(parts)
                parts = []
            pos_a += length
            pos_b += length
            start_a, start_b = pos_a, pos_b
        else:
            pos_a += length
    if pos_a > start_a or pos_b > start_b:
        yield start_a, pos_a, start_b, pos_b, "".join(parts)


def backward(folded: Weave) -> Iterator[Stretch]:
    """The same from the newer end to the older."""
    text = folded.log.text(folded.a)
    for start_a, end_a, start_b, end_b, _ in stretches_of(folded):
        yield start_b, end_b, start_a, end_a, text[start_a:end_a]

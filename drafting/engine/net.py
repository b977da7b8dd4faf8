"""The net change between two versions: what stood and stands counts as untouched, however it came and went.

Untouched is, first, every character that stands at both versions or was brought back by identity in its place (see
`weave.py`), and then, between two such characters, what was put back letter for letter: equal ends of what went and
what came. Ctrl-Z of a deletion is an ordinary insertion of the same letters, and must not leave a mark for ever.
"""

from __future__ import annotations

from collections.abc import Iterator

from drafting.engine.attribution import Log, checked_version
from drafting.engine.changes import ChangeSet
from drafting.engine.weave import Run, Weave, inserted_text, weave
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
    stretches = list(stretches_of(folded) if forward else backward(folded))
    if letters:
        stretches = less_equal_ends(stretches, folded.log, folded.a if forward else folded.version)
    length = folded.length_a if forward else folded.length
    return ChangeSet.of([(start, end, inserted) for start, end, _, _, inserted in stretches], length)


Stretch = tuple[int, int, int, int, str]


def stretches_of(folded: Weave) -> Iterator[Stretch]:
    """(start_a, end_a, start_b, end_b, inserted) between characters that stand at both ends of a weave, in order."""
    texts: dict[int, str] = {}
    for start_a, end_a, start_b, end_b, runs in _bare(folded):
        yield start_a, end_a, start_b, end_b, _words(folded.log, runs, texts)


def stretches_near(folded: Weave, start: int, end: int) -> tuple[list[Stretch], int]:
    """The stretches of a weave that overlap or meet a range, and by how much what lies before them has grown.

    start, end  in the weave's first version, code units
    cost        the runs before the range; only the words near it are read from the log
    """
    texts: dict[int, str] = {}
    near: list[Stretch] = []
    grown = 0
    for start_a, end_a, start_b, end_b, runs in _bare(folded):
        if start_a > end:
            break
        if end_a < start:
            grown = end_b - end_a
        else:
            near.append((start_a, end_a, start_b, end_b, _words(folded.log, runs, texts)))
    return near, grown


def less_equal_ends(stretches: list[Stretch], log: Log, version: int) -> list[Stretch]:
    """The stretches without what was put back letter for letter; `version` is the one they start from."""
    text: str | None = None
    result = []
    for start_a, end_a, start_b, end_b, inserted in stretches:
        if start_a < end_a and inserted:
            if text is None:
                text = log.text(version)
            start, end, words = trimmed(text, start_a, end_a, inserted)
            if start == end and not words:
                continue
            start_b += start - start_a
            start_a, end_a, end_b, inserted = start, end, start_b + len(words), words
        result.append((start_a, end_a, start_b, end_b, inserted))
    return result


def _bare(folded: Weave) -> Iterator[tuple[int, int, int, int, list[Run]]]:
    """The stretches of a weave with the runs that came to stand in them, whose words are not looked up yet."""
    pos_a = pos_b = start_a = start_b = 0
    runs: list[Run] = []
    for run in folded.ramps():
        standing, length, born, _, _ = run
        if born:
            if standing:
                runs.append(run)
                pos_b += length
        elif standing:
            if pos_a > start_a or runs:
                yield start_a, pos_a, start_b, pos_b, runs
                runs = []
            pos_a += length
            pos_b += length
            start_a, start_b = pos_a, pos_b
        else:
            pos_a += length
    if pos_a > start_a or runs:
        yield start_a, pos_a, start_b, pos_b, runs


def _words(log: Log, runs: list[Run], texts: dict[int, str]) -> str:
    """The characters of runs that were inserted; `texts` keeps what one revision inserted in several places."""
    parts: list[str] = []
    for _, length, born, offset, _ in runs:
        if offset < 0:
            parts.extend([inserted_text(log.changes(each)) for each in range(born, born + length)])
            continue
        if born not in texts:
            texts[born] = inserted_text(log.changes(born))
        parts.append(texts[born][offset : offset + length])
    return "".join(parts)


def backward(folded: Weave) -> Iterator[Stretch]:
    """The same from the newer end to the older."""
    text = folded.log.text(folded.a)
    for start_a, end_a, start_b, end_b, _ in _bare(folded):
        yield start_b, end_b, start_a, end_a, text[start_a:end_a]

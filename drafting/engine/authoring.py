"""What an author's update of the branch text makes of the hunks: hunks ∘ update, in whole-word form.

Plan: an update's pieces and the hunks that they touch, or meet at a point, form clusters; each cluster becomes one hunk
under its oldest id, or under a new one. Then every edited hunk is brought into whole-word form, joined with a neighbour
that it has come to share a word with, and withdrawn if nothing is left of it. Hunks that are not touched stay the same
values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from drafting.engine.branch import Hunk, Hunks, Written, fresh, grown_by, share_a_word
from drafting.engine.changes import ChangeSet
from drafting.engine.relations import Replacement
from drafting.engine.words import whole_words


@dataclass(frozen=True, slots=True)
class AuthorUpdate:
    """What an update of the branch text made of the hunks; ids of each.

    hunks     all of them, in order
    next_id   the id that the next new hunk gets
    joined    (younger, older) pairs
    """

    hunks: Hunks
    next_id: int
    changed: tuple[int, ...] = ()
    born: tuple[int, ...] = ()
    joined: tuple[tuple[int, int], ...] = ()
    withdrawn: tuple[int, ...] = ()


@dataclass(slots=True)
class _Cluster:
    """Own hunks and pieces of an update that touch: they become one hunk. Positions in the branch text."""

    start: int
    end: int
    pieces: list[Replacement]
    hunks: list[Hunk]


def author_update(
    main: str,
    hunks: Hunks,
    changes: ChangeSet,
    next_id: int,
    version: int,
    written_on: int | None = None,
    flagged: bool = False,
) -> AuthorUpdate:
    """The hunks after an update of the branch text: hunks ∘ changes.

    written_on   main version that the author had before him; None is `version`
    flagged      what is born of it is born base_changed
    law          the new hunks give the branch text with the changes; hunks not touched are the same values
    """
    if written_on is None:
        written_on = version
    starts = []
    offset = 0
    for hunk in hunks:
        starts.append(hunk.start + offset)
        offset += grown_by((hunk,))
    result: list[Hunk] = []
    edited: set[int] = set()
    born: list[int] = []
    joined: dict[int, int] = {}
    offset = 0
    for item in _clusters(hunks, starts, changes):
        if isinstance(item, Hunk):
            result.append(item)
            offset += grown_by((item,))
            continue
        start = item.start - offset
        offset += grown_by(item.hunks)
        end = item.end - offset
        text = _cluster_text(main, item, start, end)
        if item.hunks:
            id = min(hunk.id for hunk in item.hunks)
            joined.update((hunk.id, id) for hunk in item.hunks if hunk.id != id)
            result.append(_rewritten(main, item.hunks, id, (start, end, text), version, written_on))
        else:
            id = next_id
            next_id += 1
            born.append(id)
            hunk = fresh(id, start, end, text, main, version)
            if flagged:
                hunk = replace(hunk, base_changed=True, marked_at=version, written=replace(hunk.written, stale=True))
            result.append(hunk)
        edited.add(id)
    return _settled(main, hunks, result, edited, born, joined, next_id, version, written_on)


def _clusters(hunks: Hunks, starts: list[int], changes: ChangeSet) -> list[Hunk | _Cluster]:
    """Hunks that no piece touches, and clusters of what touches, in order."""
    items: list[Hunk | _Cluster] = []
    index = 0
    open_: _Cluster | None = None
    for start_a, end_a, _, _, text in changes.iter_changes():
        while index < len(hunks) and starts[index] + len(hunks[index].text) < start_a:
            items.append(hunks[index])
            index += 1
        if open_ is not None and open_.end >= start_a:
            open_.pieces.append((start_a, end_a, text))
            open_.end = max(open_.end, end_a)
        else:
            open_ = _Cluster(start_a, end_a, [(start_a, end_a, text)], [])
            items.append(open_)
        while index < len(hunks) and starts[index] <= end_a:
            open_.hunks.append(hunks[index])
            open_.start = min(open_.start, starts[index])
            open_.end = max(open_.end, starts[index] + len(hunks[index].text))
            index += 1
    items.extend(hunks[index:])
    return items


def _cluster_text(main: str, item: _Cluster, start: int, end: int) -> str:
    """The branch text of a cluster's place after its pieces."""
    old = []
    pos = start
    for hunk in item.hunks:
        old.append(main[pos : hunk.start])
        old.append(hunk.text)
        pos = hunk.end
    old.append(main[pos:end])
    text = "".join(old)
    parts = []
    pos = 0
    for piece_start, piece_end, inserted in item.pieces:
        parts.append(text[pos : piece_start - item.start])
        parts.append(inserted)
        pos = piece_end - item.start
    parts.append(text[pos:])
    return "".join(parts)


def _rewritten(main: str, olds: Sequence[Hunk], id: int, form: Replacement, version: int, written_on: int) -> Hunk:
    """A hunk whose words its author changed. Marks set after what he had before him stay (docs/branches.md, 19)."""
    start, end, text = form
    hunk = fresh(id, start, end, text, main, version)
    marked_at = max(old.marked_at for old in olds)
    if not any(old.marked for old in olds) or written_on >= marked_at:
        return hunk
    written = hunk.written
    old = olds[0]
    if len(olds) == 1 and (old.start, old.end) == (start, end) and old.text == old.written.text:
        # Only the words are new: the ground is still the one he had before him.
        written = replace(old.written, text=text)
    return Hunk(
        id,
        start,
        end,
        text,
        written,
        any(old.base_changed for old in olds),
        any(old.lossy for old in olds),
        marked_at,
        min(start, *(old.zone_start for old in olds)),
        max(end, *(old.zone_end for old in olds)),
    )


def _settled(
    main: str,
    before: Hunks,
    result: list[Hunk],
    edited: set[int],
    born: list[int],
    joined: dict[int, int],
    next_id: int,
    version: int,
    written_on: int,
) -> AuthorUpdate:
    """Edited hunks in whole-word form, joined where they share a word, withdrawn where nothing is left."""
    withdrawn: list[int] = []
    done: list[Hunk] = []
    queue = result[::-1]
    while queue:
        hunk = queue.pop()
        if hunk.id in edited:
            low = done[-1].end if done else 0
            high = queue[-1].start if queue else len(main)
            form = whole_words(main, hunk.start, hunk.end, hunk.text, low, high)
            if form is None:
                withdrawn.append(hunk.id)
                continue
            hunk = _in_form(main, hunk, form, version)
        if done and (hunk.id in edited or done[-1].id in edited) and share_a_word(main, done[-1], hunk):
            left = done.pop()
            id, gone = min(left.id, hunk.id), max(left.id, hunk.id)
            joined[gone] = id
            edited.add(id)
            form = (left.start, hunk.end, left.text + hunk.text)
            queue.append(_rewritten(main, (left, hunk), id, form, version, written_on))
            continue
        done.append(hunk)
    for young, old in joined.items():
        while old in joined:
            old = joined[old]
        joined[young] = old
    was = {hunk.id: hunk for hunk in before}
    changed = []
    for index, hunk in enumerate(done):
        old_hunk = was.get(hunk.id)
        if old_hunk is None or hunk.id not in edited:
            continue
        if hunk.replacement == old_hunk.replacement and hunk.id not in joined.values():
            done[index] = old_hunk
        else:
            changed.append(hunk.id)
    return AuthorUpdate(
        tuple(done),
        next_id,
        tuple(changed),
        tuple(id for id in born if id not in joined and id not in withdrawn),
        tuple(sorted((young, old) for young, old in joined.items() if young in was)),
        tuple(id for id in withdrawn if id in was),
    )


def _in_form(main: str, hunk: Hunk, form: Replacement, version: int) -> Hunk:
    if form == hunk.replacement:
        return hunk
    if not hunk.marked:
        return fresh(hunk.id, *form, main, version)
    start, end, text = form
    written = hunk.written
    if written.version == version:
        written = Written(start, end, text, version, main[start:end], written.stale)
    return replace(
        hunk,
        start=start,
        end=end,
        text=text,
        written=written,
        zone_start=min(start, hunk.zone_start),
        zone_end=max(end, hunk.zone_end),
    )

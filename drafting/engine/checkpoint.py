"""The index of a section as JSON values, and back. Strings are ordinary Unicode there, units form in the index."""

from __future__ import annotations

from typing import Any

from drafting.engine.branch import Entry, Hunk, Hunks, Written, check_order
from drafting.engine.changes import ChangeSet
from drafting.engine.open_hunks import Branch, Closed, Event
from drafting.engine.text import from_units, to_units
from drafting.errors import DraftingError, InvalidInput

FORMAT = 1


def dump_branch(branch: Branch) -> dict[str, Any]:
    """A suggestion in the index."""
    return {
        "id": branch.id,
        "number": branch.number,
        "filed": branch.filed,
        "ended": branch.ended,
        "next": branch.next_id,
        "caught_up": branch.caught_up,
        "hunks": _dump_hunks(branch.now()),
        "base": _dump_hunks(branch.base),
        "events": [
            [
                event.entry.kind,
                event.entry.version,
                event.entry.changes.to_json(),
                event.entry.removal,
                _dump_hunks(event.hunks),
            ]
            for event in branch.events
        ],
        "closed": [
            [
                _dump_hunk(closed.hunk),
                closed.state,
                closed.version,
                _dump_written(closed.stood),
                sorted(closed.before),
                sorted(closed.after),
                closed.by,
                closed.shared,
                closed.restated,
                closed.spent,
            ]
            for _, closed in sorted(branch.closed.items())
        ],
    }


def load_branch(value: dict[str, Any], main: str) -> tuple[Branch, Hunks]:
    """A suggestion for the index, and where its hunks are now.

    raises   InvalidInput when the value is not what `dump_branch` makes, or its hunks do not lie in this text
    """
    try:
        branch = Branch(_int(value["id"]), _int(value["number"]), bool(value["filed"]), _int(value["caught_up"]))
        branch.next_id = _int(value["next"])
        branch.base = _load_hunks(value["base"])
        for kind, version, changes, removal, hunks in value["events"]:
            entry = Entry(str(kind), _int(version), ChangeSet.from_json(changes), bool(removal))
            branch.events.append(Event(entry, _load_hunks(hunks)))
        branch.ended = bool(value["ended"])
        for hunk, state, version, stood, before, after, by, shared, restated, spent in value["closed"]:
            closed = Closed(
                _load_hunk(hunk),
                str(state),
                _int(version),
                _load_written(stood),
                frozenset(map(_int, before)),
                frozenset(map(_int, after)),
                None if by is None else _pair(by),
                tuple(map(_pair, shared)),
                bool(restated),
                bool(spent),
            )
            branch.closed[closed.hunk.id] = closed
        hunks = _load_hunks(value["hunks"])
    except DraftingError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InvalidInput(f"This is no checkpoint of a suggestion: {error!r}.") from error
    if not check_order(main, hunks):
        raise InvalidInput(f"The hunks of suggestion {branch.id} do not lie in this text: it is another's checkpoint.")
    return branch, hunks


def load_pairs(value: Any) -> dict[int, int]:
    """Whole numbers by whole numbers, from a list of pairs. raises InvalidInput when it is none"""
    try:
        return dict(map(_pair, value))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"This is no checkpoint of a section: {error!r}.") from error


def _dump_hunks(hunks: Hunks) -> list[list[Any]]:
    return [_dump_hunk(hunk) for hunk in hunks]


def _load_hunks(value: Any) -> Hunks:
    return tuple(_load_hunk(item) for item in value)


def _dump_hunk(hunk: Hunk) -> list[Any]:
    return [
        hunk.id,
        hunk.start,
        hunk.end,
        from_units(hunk.text),
        _dump_written(hunk.written),
        hunk.base_changed,
        hunk.lossy,
        hunk.marked_at,
        hunk.zone_start,
        hunk.zone_end,
    ]


def _load_hunk(value: Any) -> Hunk:
    id, start, end, text, written, base_changed, lossy, marked_at, zone_start, zone_end = value
    return Hunk(
        _int(id),
        _int(start),
        _int(end),
        to_units(text),
        _load_written(written),
        bool(base_changed),
        bool(lossy),
        _int(marked_at),
        _int(zone_start),
        _int(zone_end),
    )


def _dump_written(written: Written) -> list[Any]:
    words = from_units(written.text), from_units(written.ground)
    return [written.start, written.end, words[0], written.version, words[1], written.stale]


def _load_written(value: Any) -> Written:
    start, end, text, version, ground, stale = value
    return Written(_int(start), _int(end), to_units(text), _int(version), to_units(ground), bool(stale))


def _pair(value: Any) -> tuple[int, int]:
    first, second = value
    return _int(first), _int(second)


def _int(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not a whole number")
    return value

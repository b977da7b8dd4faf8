"""Who brought in every character of a text: the log it follows from, and the attribution of any version of it.

A revision's inserted text is attributed to the revision itself unless the revision carries spans, which then cover all
that it inserts. What an identity and a `Span` are is told in `spans.py`. The text as it is edited, with attribution, is
a `Tape`, in `tape.py`. What the log says about the past (differences, net changes, reverts) is derived by folding it,
in `weave.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from drafting.engine.changes import ChangeSet
from drafting.engine.spans import Span
from drafting.engine.tape import Tape
from drafting.errors import PositionError

__all__ = ["ListLog", "Log", "Span", "Tape", "checked_version", "spans_at", "tape_at"]


class Log(Protocol):
    """A stream's revisions as the engine reads them; versions count from 1, the text at version 0 is empty."""

    version: int

    def changes(self, version: int) -> ChangeSet:
        """What the revision that made this version did to the text before it."""

    def carried(self, version: int) -> Sequence[Span] | None:
        """The spans of all that it inserted, or None when that is its own."""

    def text(self, version: int) -> str:
        """The text at a version, units form."""


class ListLog:
    """A log in memory: what tests and short-lived computations use. A copy of the tape is kept every 2,000 versions."""

    _EVERY = 2000

    def __init__(self) -> None:
        self._changes: list[ChangeSet] = []
        self._carried: dict[int, tuple[Span, ...]] = {}
        self._newest = Tape()
        self._kept = [Tape()]

    @property
    def version(self) -> int:
        return len(self._changes)

    @property
    def tape(self) -> Tape:
        """The newest text with its attribution; to be read only."""
        return self._newest

    def append(self, changes: ChangeSet, carried: Sequence[Span] | None = None) -> int:
        """The version that these changes make.

        raises   as Tape.apply, and then nothing has changed
        """
        version = len(self._changes) + 1
        self._newest.apply(changes, version, carried)
        self._changes.append(changes)
        if carried is not None:
            self._carried[version] = tuple(carried)
        if version % self._EVERY == 0:
            self._kept.append(self._newest.copy())
        return version

    def changes(self, version: int) -> ChangeSet:
        return self._changes[checked_version(version, 1, len(self._changes)) - 1]

    def carried(self, version: int) -> tuple[Span, ...] | None:
        return self._carried.get(version)

    def text(self, version: int) -> str:
        return self._tape(version).text()

    def spans(self, version: int) -> list[Span]:
        """The spans of the text at a version."""
        return self._tape(version).spans()

    def _tape(self, version: int) -> Tape:
        if checked_version(version, 0, self.version) == self.version:
            return self._newest
        index = version // self._EVERY
        tape = self._kept[index].copy()
        for each in range(index * self._EVERY + 1, version + 1):
            tape.apply(self._changes[each - 1], each, self._carried.get(each))
        return tape


def spans_at(log: Log, version: int) -> list[Span]:
    """The spans of the text at a version.

    A log that has a method `spans(version)`, because it keeps snapshots, is asked; else its revisions are replayed.
    """
    known = getattr(log, "spans", None)
    if known is not None:
        return list(known(version))
    return tape_at(log, version).spans()


def tape_at(log: Log, version: int) -> Tape:
    """The text at a version with its attribution, replayed from the first revision."""
    tape = Tape()
    for each in range(1, checked_version(version, 0, log.version) + 1):
        tape.apply(log.changes(each), each, log.carried(each))
    return tape


def checked_version(version: int, least: int, newest: int) -> int:
    """The version. raises PositionError when the log does not have it"""
    if type(version) is not int or not least <= version <= newest:
        raise PositionError(f"There is no version {version}: the log has {least} to {newest}.", position=version)
    return version

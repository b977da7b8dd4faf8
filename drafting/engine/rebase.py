"""Updates that are not stored yet, carried onto what has been stored meanwhile.

An update is a change set with the `client` that made it and the `sequence` number that client gave it; together they
name it once for ever in a stream. What is stored stands first: a pending update is mapped over it as the later one.

Both ends do this one stored change at a time and never over a composition of them: mapping over a composition can
give another text (law 4), and then the server and a browser would part without noticing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drafting.engine.changes import ChangeSet
from drafting.errors import EngineError


@dataclass(frozen=True, slots=True)
class Update:
    """Changes with the names that make them recognisable.

    client     one open editor, unique per tab
    sequence   the client's own number for this update, growing by one
    changes    start in the text after the client's update before it
    """

    client: str
    sequence: int
    changes: ChangeSet


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One's own update that was found among the stored ones; version is the one it made."""

    client: str
    sequence: int
    version: int


@dataclass(frozen=True, slots=True)
class Rebased:
    """What has become of pending updates.

    confirmed   those that were stored already, in order
    updates     those that were not, now starting in the text of `version`
    foreign     the stored changes of others, as they read on top of one's own pending ones: what an editor that shows
                its pending updates applies in turn
    version     of the stored text that `updates` start in
    """

    confirmed: tuple[Confirmed, ...]
    updates: tuple[Update, ...]
    foreign: tuple[ChangeSet, ...]
    version: int


def rebase(updates: Sequence[Update], stored: Iterable[Update]) -> list[Update]:
    """The updates that are not among the stored ones, starting in the text after all of these.

    updates   pending, in the order they were made; the first starts in the text that the first stored one starts in
    stored    what was stored since, in order, one's own among it
    raises    as `carry`
    """
    updates, stored = _named(updates), _named(stored)
    if len(updates) == 1:  # nearly every push; nobody here shows what is pending, so nothing is mapped the other way
        [update] = updates
        changes = update.changes
        for revision in stored:
            if revision.client == update.client and revision.sequence == update.sequence:
                check_same(Update(update.client, update.sequence, changes), revision.changes)
                return []
            changes = changes.map(revision.changes)
        return [Update(update.client, update.sequence, changes)]
    return list(carry(updates, stored, 0).updates)


def carry(updates: Sequence[Update], stored: Iterable[Update], version: int) -> Rebased:
    """What has become of pending updates since they were made on `version`.

    updates   pending, in order; the first starts in the text of `version`
    stored    the stream's revisions after `version`, in order, one's own among them
    raises    MismatchError when lengths say that they do not start in one text; EngineError when an update is stored
              but one pending before it is not, when another update is stored under its names, or for what is none
    law       the same result for a resend as for the first send (law 5), and for any split of `stored` into pulls
    """
    if type(version) is not int or version < 0:
        raise EngineError(f"A version is a whole number from 0 on, not {version!r:.100}.")
    pending, stored = _named(updates), _named(stored)
    confirmed: list[Confirmed] = []
    foreign: list[ChangeSet] = []
    for revision in stored:
        version += 1
        if pending and revision.client == pending[0].client and revision.sequence == pending[0].sequence:
            check_same(pending[0], revision.changes)
            confirmed.append(Confirmed(revision.client, revision.sequence, version))
            del pending[0]
            continue
        passing = revision.changes
        for place, update in enumerate(pending):
            if update.client == revision.client and update.sequence == revision.sequence:
                first = pending[0]
                raise EngineError(
                    f"Version {version} is update {update.sequence} of client {update.client}, "
                    f"but update {first.sequence} that came before it is not stored."
                )
            pending[place] = Update(update.client, update.sequence, update.changes.map(passing))
            passing = passing.map(update.changes, before=True)
        foreign.append(passing)
    return Rebased(tuple(confirmed), tuple(pending), tuple(foreign), version)


def _named(updates: Iterable[Update]) -> list[Update]:
    """The updates, each with its names and changes. raises EngineError for what is none"""
    if not isinstance(updates, Iterable):
        raise EngineError(f"Updates come one after the other, not as {type(updates).__name__}.")
    named = list(updates)
    for update in named:
        try:
            client, sequence, changes = update.client, update.sequence, update.changes
        except AttributeError:
            raise EngineError(f"An update has a client, a sequence and changes; {update!r:.100} has not.") from None
        if not (isinstance(client, str) and type(sequence) is int and isinstance(changes, ChangeSet)):
            raise EngineError(
                "An update is of a str, an int and a ChangeSet, "
                f"not of {type(client).__name__}, {type(sequence).__name__} and {type(changes).__name__}."
            )
    return named


def check_same(update: Update, stored: ChangeSet) -> None:
    """Nothing, when the update is what is stored under its names. Carried one at a time both ways, they are equal.

    raises  EngineError: two editors use one client name, and what one of them typed must not pass for stored
    """
    if update.changes != stored:
        raise EngineError(
            f"Update {update.sequence} of client {update.client} is stored with other changes: "
            "two editors have one client name; take a new one."
        )

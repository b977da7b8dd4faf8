"""A small pure model of the two ends: an editor with unconfirmed updates, and the authority that stores them."""

from __future__ import annotations

import json

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update, carry


class Authority:
    """Stores updates in order. What it keeps on disk is JSON; everything else it may forget at any time."""

    def __init__(self) -> None:
        self._disk: list[str] = []
        self.forget()

    def forget(self) -> None:
        """A restart: what is in memory comes from the disk again."""
        self.log: list[Update] = []
        self.text = ""
        for line in self._disk:
            client, sequence, changes = json.loads(line)
            self._remember(Update(client, sequence, ChangeSet.from_json(changes)))

    def push(self, version: int, updates: list[Update]) -> int:
        """The version after these updates, which were made on `version`; those stored before are not stored again."""
        for update in carry(updates, self.log[version:], version).updates:
            self._disk.append(json.dumps([update.client, update.sequence, update.changes.to_json()]))
            self._remember(update)
        return len(self.log)

    def pull(self, version: int, most: int | None = None) -> tuple[int, list[Update]]:
        """The version asked from, and at most so many updates that follow it."""
        return version, self.log[version : None if most is None else version + most]

    def _remember(self, update: Update) -> None:
        self.text = update.changes.apply(self.text)
        self.log.append(update)


class Writer:
    """An open editor: the stored version it knows, its unconfirmed updates, and the text it shows."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.version = 0
        self.pending: list[Update] = []
        self.text = ""
        self._sequence = 0

    def type(self, changes: ChangeSet) -> None:
        self.text = changes.apply(self.text)
        self.pending.append(Update(self.client, self._sequence, changes))
        self._sequence += 1

    def message(self) -> tuple[int, list[Update]]:
        """What a push says."""
        return self.version, list(self.pending)

    def receive(self, version: int, updates: list[Update]) -> bool:
        """Take stored updates that follow `version`; False, and nothing taken, when some before them are missing."""
        if version > self.version:
            return False
        carried = carry(self.pending, updates[self.version - version :], self.version)
        for changes in carried.foreign:
            self.text = changes.apply(self.text)
        self.pending = list(carried.updates)
        self.version = carried.version
        return True

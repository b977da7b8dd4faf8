"""Where the remarks on a section's text stand now, carried with every revision of main by its head.

An anchor is placed once, at a version; a range moves inward (what is written at its edges is not part of it). When
every character is gone it is an orphan, which keeps its quote and the point where it stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.store.models import Annotation


@dataclass(frozen=True, slots=True)
class Place:
    """Where a remark is: code units of main; empty when it is an orphan."""

    start: int
    end: int

    @property
    def orphaned(self) -> bool:
        return self.start >= self.end


def moved(place: Place, changes: ChangeSet) -> Place:
    """The place after one more revision."""
    start = changes.map_pos(place.start, 1)
    end = changes.map_pos(place.end, -1)
    assert start is not None and end is not None
    return Place(min(start, end), end) if start > end else Place(start, end)


class Anchors:
    """All places of a section's remarks, at the head's version."""

    def __init__(self) -> None:
        self.places: dict[int, Place] = {}
        self._placed: dict[int, tuple[int, int, int]] = {}  # start, end and version as it was placed

    def main_update(self, changes: ChangeSet, version: int) -> None:
        """One more revision of main."""
        places = self.places
        if not places:
            return
        first = changes.replacements[0][0] if changes.replacements else changes.length
        for annotation_id, place in places.items():
            if place.end >= first:
                places[annotation_id] = moved(place, changes)

    def refresh(self, session: Session, head: Any) -> None:
        """Takes in remarks that were placed, or placed anew, since the head was last read."""
        rows = session.execute(
            select(
                Annotation.id, Annotation.start, Annotation.end, Annotation.version,
                Annotation.now_start, Annotation.now_end, Annotation.now_version,
            ).where(Annotation.section_id == head.section_id, Annotation.start.is_not(None))
        ).all()
        known = self.places
        self.places = {}
        for row in rows:
            placed = (row.start, row.end, row.version)
            if row.id in known and self._placed.get(row.id) == placed:
                self.places[row.id] = known[row.id]
                continue
            start, end, version = (
                placed if row.now_version is None else (row.now_start, row.now_end, row.now_version)
            )
            place = Place(start, end)
            for stored in head.log.since(version):
                place = moved(place, stored.changes)
            self.places[row.id] = place
            self._placed[row.id] = placed

    def put(self, annotation_id: int, place: Place, placed: tuple[int, int, int]) -> None:
        """A remark that was placed: where it is now, and start, end and version as it was placed."""
        self.places[annotation_id] = place
        self._placed[annotation_id] = placed

    def drop(self, annotation_id: int) -> None:
        self.places.pop(annotation_id, None)

    def save(self, session: Session, version: int) -> None:
        """Writes where they are now, so that a new worker need not replay everything. commits: no"""
        if self.places:
            session.execute(
                update(Annotation)
                .where(Annotation.id == bindparam("a_id"))
                .values(
                    now_start=bindparam("a_start"), now_end=bindparam("a_end"), now_version=version,
                    orphaned=bindparam("a_orphaned"),
                )
                .execution_options(synchronize_session=None),
                [
                    {"a_id": each, "a_start": place.start, "a_end": place.end, "a_orphaned": place.orphaned}
                    for each, place in self.places.items()
                ],
            )

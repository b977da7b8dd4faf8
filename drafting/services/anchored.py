"""The anchors of a section's remarks, in its head: placed forms from the rows, carried on by the engine's index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from drafting.engine.anchors import Anchor, Placed, Quote, place, recalled
from drafting.engine.anchors import Anchors as Index
from drafting.engine.changes import ChangeSet
from drafting.engine.text import to_units
from drafting.store.models import Annotation


class Anchors:
    """Where the remarks on a section's text are, at the head's version."""

    def __init__(self) -> None:
        self._index: Index | None = None
        self.orphans: frozenset[int] = frozenset()  # another object when they are others

    def __len__(self) -> int:
        return 0 if self._index is None else len(self._index)

    def get(self, annotation_id: int) -> Anchor | None:
        """The anchor of a remark now; None when it has no passage."""
        if self._index is None or annotation_id not in self._index:
            return None
        return self._index[annotation_id]

    def main_update(self, changes: ChangeSet, version: int) -> None:
        """One more revision of main, which the head's log has."""
        if self._index is not None:
            self._note(self._index.advance(changes, version))

    def _note(self, names: Iterable[Any]) -> None:
        """Keeps which of these are orphans now."""
        assert self._index is not None
        for each in names:
            if self._index[each].is_orphan != (each in self.orphans):
                self.orphans ^= {each}

    def refresh(self, session: Session, head: Any) -> None:
        """Takes in remarks that were placed, or placed anew, since the head was last read."""
        index = self._index if self._index is not None else Index(head.log)
        for row in session.execute(rows_of(head.section_id)):
            placed = placed_of(row)
            if row.id in index and index[row.id].placed == placed:
                continue
            if row.now_version is None:
                anchor = place(head.log.text(row.version), row.start, row.end, row.version)
            else:
                anchor = recalled(head.log, placed, row.now_start, row.now_end, row.now_version)
            index.put(row.id, anchor)
        self._index = index
        self._note(index)

    def put(self, annotation_id: int, anchor: Anchor) -> Anchor:
        """A remark that was placed; returns its anchor at the head's version."""
        assert self._index is not None
        self._index.put(annotation_id, anchor)
        self._note([annotation_id])
        return self._index[annotation_id]

    def save(self, session: Session, version: int) -> None:
        """Writes where they are now, so that a new worker need not replay everything. commits: no"""
        if self._index is None or not len(self._index):
            return
        rows = []
        for annotation_id in self._index:
            anchor = self._index[annotation_id]
            rows.append(
                {"a_id": annotation_id, "a_start": anchor.start, "a_end": anchor.end, "a_orphaned": anchor.is_orphan}
            )
        session.connection().execute(
            update(Annotation.__table__)
            .where(Annotation.__table__.c.id == bindparam("a_id"))
            .values(
                now_start=bindparam("a_start"),
                now_end=bindparam("a_end"),
                now_version=version,
                orphaned=bindparam("a_orphaned"),
            ),
            rows,
        )


def rows_of(section_id: int) -> Any:
    """The columns of a section's remarks on passages that say where they were put and last seen."""
    columns = Annotation.__table__.c
    return (
        select(
            columns.id, columns.start, columns.end, columns.version,
            columns.quote_prefix, columns.quote_exact, columns.quote_suffix,
            columns.now_start, columns.now_end, columns.now_version, columns.orphaned,
        )
        .where(columns.section_id == section_id, columns.start.is_not(None))
        .order_by(columns.id)
    )  # fmt: skip


def placed_of(row: Any) -> Placed:
    """The placed form of a row."""
    quote = Quote(to_units(row.quote_prefix), to_units(row.quote_exact), to_units(row.quote_suffix))
    return Placed(row.start, row.end, row.version, quote)

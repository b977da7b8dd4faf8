"""Reading the text of a main stream from its log: the nearest snapshot before it, and the revisions since."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.text import from_units, to_units
from drafting.errors import VersionConflict
from drafting.store.models import Revision, Snapshot, Stream


def text_at(session: Session, stream_id: int, version: int | None = None) -> str:
    """The text of a main stream at a version, in ordinary Unicode; None is the present one.

    raises  VersionConflict when the stream does not have that version
    law     law 1: it is the first `version` revisions applied to the empty text
    """
    present = session.execute(select(Stream.version).where(Stream.id == stream_id)).scalar_one()
    version = present if version is None else version
    if not 0 <= version <= present:
        raise VersionConflict(f"stream {stream_id} has versions 0 to {present}, not {version}", version=present)
    snapshot = session.execute(
        select(Snapshot.version, Snapshot.text)
        .where(Snapshot.stream_id == stream_id, Snapshot.version <= version)
        .order_by(Snapshot.version.desc())
        .limit(1)
    ).one_or_none()
    since, units = (snapshot.version, to_units(snapshot.text)) if snapshot else (0, "")
    changes = session.scalars(
        select(Revision.changes)
        .where(Revision.stream_id == stream_id, Revision.version > since, Revision.version <= version)
        .order_by(Revision.version)
    )
    for each in changes:
        units = ChangeSet.from_json(json.loads(each)).apply(units)
    return from_units(units)

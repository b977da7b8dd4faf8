"""Law 1 as the store reads it: the text at a version is the first revisions applied to the empty text."""

from __future__ import annotations

import json
import random

import pytest
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.text import from_units, to_units, units_length
from drafting.errors import VersionConflict
from drafting.services.clock import now
from drafting.store.models import Revision, Snapshot, Stream
from drafting.store.queries import text_at
from tests import make


@pytest.mark.parametrize("seed", range(5))
def test_law_1_log_the_text_at_every_version_is_its_revisions_applied_in_turn(session: Session, seed: int) -> None:
    chance = random.Random(seed)
    section = make.section(session, make.document(session), "# Zażółć 🌳\n")
    stream = session.get_one(Stream, section.stream_id)
    texts = ["", "# Zażółć 🌳\n"]
    for version in range(2, 30):
        units = to_units(texts[-1])
        borders = [units_length(texts[-1][:at]) for at in range(len(texts[-1]) + 1)]
        start, end = sorted(chance.choices(borders, k=2))
        changes = ChangeSet.of([(start, end, to_units(chance.choice(["", "a", "ż\n", "🌳🌳"])))], len(units))
        texts.append(from_units(changes.apply(units)))
        session.add(
            Revision(
                stream_id=stream.id,
                version=version,
                changes=json.dumps(changes.to_json()),
                client="test",
                sequence=version,
                at=now(),
            )
        )
        if chance.random() < 0.2:
            session.add(Snapshot(stream_id=stream.id, version=version, text=texts[-1], spans="[]"))
    stream.version = len(texts) - 1
    session.flush()
    assert [text_at(session, stream.id, version) for version in range(len(texts))] == texts, f"seed {seed}"
    assert text_at(session, stream.id) == texts[-1]
    for version in (-1, len(texts)):
        with pytest.raises(VersionConflict):
            text_at(session, stream.id, version)

"""What became of a text between two versions, run by run, with who did it.

From the log, never from the texts: so every inserted run has the revision that put it there and the identity it first
came with, and every deleted run has the revision that removed it and the identity of what is gone. Characters that
were deleted and brought back by identity in their place stand, and are reported as kept.
"""

from __future__ import annotations

from typing import NamedTuple

from drafting.engine.attribution import Log, checked_version
from drafting.engine.spans import Span
from drafting.engine.weave import Weave, inserted_text, weave
from drafting.errors import PositionError

KEPT, INSERTED, DELETED, VANISHED = "kept", "inserted", "deleted", "vanished"


class Piece(NamedTuple):
    """One run of the difference from version a to version b.

    A tuple and not a dataclass because there is one for nearly every keystroke between the two.

    kind            kept: stands in both · inserted: in b only · deleted: in a only · vanished: in neither
    start_a, end_a  in the text of a; a point for inserted and vanished
    start_b, end_b  in the text of b; a point for deleted and vanished
    brought         identity of the characters, with their length: who had brought them in first; None for kept
    put             the revision between the two that inserted them; 0 when they stood at the older version
    offset          of these characters in all that `put` inserted; 0 when put is 0
    removed         the revision between the two that deleted them; 0 when they stand at the newer version
    """

    kind: str
    start_a: int
    end_a: int
    start_b: int
    end_b: int
    brought: Span | None
    put: int
    offset: int
    removed: int


def difference(log: Log, a: int, b: int, *, vanished: bool = False, folded: Weave | None = None) -> list[Piece]:
    """The pieces from the text of version a to that of version b, in order; between kept ones what went comes first.

    a, b      versions in either order, PositionError when the log does not have them. Backwards, what was inserted
              between them is deleted (`put` says by whom it had been inserted) and what was deleted is inserted again
              (`removed` says by whom it had been deleted)
    vanished  runs that came and went in between too
    folded    the weave of exactly these versions, when the caller has it already
    law       kept and deleted pieces add up to the text of a, kept and inserted ones to the text of b
    cost      a fold over the revisions between, and the spans at the older version where something of it is gone
    """
    old, new = min(a, b), max(a, b)
    checked_version(old, 0, log.version)
    if folded is None:
        folded = weave(log, old, new, vanished=vanished)
    elif (folded.a, folded.version) != (old, new):
        raise PositionError(f"The weave is of {folded.a} to {folded.version}, not of {old} to {new}.", position=old)
    appeared, gone = (INSERTED, DELETED) if a <= b else (DELETED, INSERTED)
    pieces: list[Piece] = []
    went: list[_Told] = []  # of the stretch between two kept runs: what is in version a only
    came: list[_Told] = []  # and what is not in it
    pos_a = pos_b = kept = 0
    spans_of, carrying = folded.spans, folded.carrying
    for run in folded.ramps():
        standing, length, born, offset, died = run
        if standing and not born:
            if came or went:
                pos_a, pos_b = _put(pieces, went, came, pos_a, pos_b)
            kept += length
            continue
        if not standing and born and (not vanished or born <= old):
            continue
        if kept:
            pieces.append(Piece(KEPT, pos_a, pos_a + kept, pos_b, pos_b + kept, None, 0, 0, 0))
            pos_a += kept
            pos_b += kept
            kept = 0
        kind = appeared if standing else VANISHED if born else gone
        side = went if kind == DELETED else came
        if born and born not in carrying:
            side.append((kind, _made(Span, (length, 0, born, offset)), born, offset, died))
            continue
        for span in spans_of(run):
            side.append((kind, span, born, offset if born else 0, died))
            offset += span.length
    if came or went:
        pos_a, pos_b = _put(pieces, went, came, pos_a, pos_b)
    if kept:
        pieces.append(Piece(KEPT, pos_a, pos_a + kept, pos_b, pos_b + kept, None, 0, 0, 0))
    return pieces


# Three times quicker than Piece(...).
_made = tuple.__new__

# Kind, identities; put, offset, removed as in a piece. Of a ramp (see `weave.py`), whose offsets are -1, all at once.
_Told = tuple[str, Span, int, int, int]


def _put(pieces: list[Piece], went: list[_Told], came: list[_Told], pos_a: int, pos_b: int) -> tuple[int, int]:
    """Append the pieces of a stretch, first what went, and empty the lists; the places behind it."""
    for kind, brought, put, offset, removed in (*went, *came):
        length = brought[0]
        start_a, start_b = pos_a, pos_b
        if kind == DELETED:
            pos_a += length
        elif kind == INSERTED:
            pos_b += length
        if offset >= 0:
            pieces.append(_made(Piece, (kind, start_a, pos_a, start_b, pos_b, brought, put, offset, removed)))
            continue
        a, b = int(kind == DELETED), int(kind == INSERTED)  # how far a key of it goes in each text
        for key in range(put, put + length):
            pos_a, pos_b = start_a + a, start_b + b
            one = _made(Span, (1, 0, key, 0))
            pieces.append(_made(Piece, (kind, start_a, pos_a, start_b, pos_b, one, key, 0, removed)))
            start_a, start_b = pos_a, pos_b
    went.clear()
    came.clear()
    return pos_a, pos_b


def words_of(log: Log, piece: Piece, text_a: str, text_b: str) -> str:
    """The characters of a piece, units form.

    text_a, text_b   the texts of the two versions that the piece leads from and to; a vanished piece needs the log
    """
    if piece.end_a > piece.start_a:
        return text_a[piece.start_a : piece.end_a]
    if piece.end_b > piece.start_b:
        return text_b[piece.start_b : piece.end_b]
    assert piece.brought is not None
    return inserted_text(log.changes(piece.put))[piece.offset : piece.offset + piece.brought.length]

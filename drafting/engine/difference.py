"""What became of a text between two versions, run by run, with who did it.

From the log, never from the texts: so every inserted run has the revision that put it there and the identity it first
came with, and every deleted run has the revision that removed it and the identity of what is gone. Characters that
were deleted and brought back by identity in their place stand, and are reported as kept.
"""

from __future__ import annotations

from typing import NamedTuple

from drafting.engine.attribution import Log, Span, checked_version
from drafting.engine.weave import inserted_text, weave

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


def difference(log: Log, a: int, b: int, *, vanished: bool = False) -> list[Piece]:
    """The pieces that lead from the text of version a to that of version b, in order.

    a, b      versions in either order, PositionError when the log does not have them. Backwards, what was inserted
              between them is deleted (`put` says by whom it had been inserted) and what was deleted is inserted again
              (`removed` says by whom it had been deleted)
    vanished  runs that came and went in between too
    law       kept and deleted pieces add up to the text of a, kept and inserted ones to the text of b
    cost      a fold over the revisions between, and the spans at the older version where something of it is gone
    """
    old, new = min(a, b), max(a, b)
    checked_version(old, 0, log.version)
    folded = weave(log, old, new)
    appeared, gone = (INSERTED, DELETED) if a <= b else (DELETED, INSERTED)
    pieces: list[Piece] = []
    spans_of = folded.spans
    carried_of = log.carried
    x = y = kept = 0  # places in the older and the newer text; how much is kept right before them
    for run in folded.runs():
        standing, length, born, offset, died = run
        if standing and not born:
            kept += length
            continue
        if not standing and born and not vanished:
            continue
        if kept:
            pieces.append(Piece(KEPT, x, x + kept, y, y + kept, None, 0, 0, 0))
            x += kept
            y += kept
            kept = 0
        if born and carried_of(born) is None:
            spans = (Span(length, 0, born, offset),)
        else:
            spans = spans_of(run)
        for span in spans:
            size = span[0]
            if standing:
                pieces.append(Piece(appeared, x, x, y, y + size, span, born, offset, 0))
                y += size
            elif born:
                pieces.append(Piece(VANISHED, x, x, y, y, span, born, offset, died))
            else:
                pieces.append(Piece(gone, x, x + size, y, y, span, 0, 0, died))
                x += size
            offset += size
    if kept:
        pieces.append(Piece(KEPT, x, x + kept, y, y + kept, None, 0, 0, 0))
    if a > b:
        pieces = [piece._replace(start_a=piece.start_b, end_a=piece.end_b, start_b=piece.start_a, end_b=piece.end_a) for piece in pieces]
    return pieces


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

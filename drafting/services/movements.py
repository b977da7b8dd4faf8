"""What a transaction changes, told to whoever wants to know once it is committed; `heads` tells them."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session


@dataclass(slots=True)
class Movement:
    """What a committed transaction changed in a section; section 0 is the document as a whole."""

    section_id: int
    document_id: int
    streams: set[int] = field(default_factory=set)  # with new revisions
    suggestions: set[int] = field(default_factory=set)  # whose hunks or state are not what they were
    cards: set[tuple[str, int]] = field(default_factory=set)  # ("suggestion", number), ("annotation", id)
    what: set[str] = field(default_factory=set)  # of the contents: text title order removed phase


def announce(session: Session, document_id: int, what: str) -> None:
    """Says that a document is not what it was, when the transaction under way is committed.

    what  order · removed · phase: of its contents; people: who may read it, or as whom
    """
    all_: dict[int, Movement] = session.info.setdefault("movements", {})
    all_.setdefault(-document_id, Movement(0, document_id)).what.add(what)

"""What is proposed and remarked on a text, as marks on it: what a file for Word and one with CriticMarkup have in common.

Every open hunk of a filed suggestion is a mark by the organisation that proposes it, every remark on a passage a note.
Two marks cannot stand in one place: of rivals the first filed is the mark, the others are notes that say their wording.
Private persons stand there without a name unless they agreed to be named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from drafting.engine.text import to_units
from drafting.formats.docx_tracked import Remark, Reply
from drafting.services import annotations, sections, suggestions
from drafting.services.access import Actor
from drafting.services.names import Names
from drafting.store.models import Document
from drafting.store.queries import text_at


@dataclass(frozen=True, slots=True)
class Mark:
    """text[start:end] should become `text`; `why` names the suggestion and its reason. Places in code units."""

    start: int
    end: int
    text: str
    author: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A section with what is said of it.

    marks   by place, not overlapping
    notes   by place: the rivals that could not be marks, and the remarks on passages
    """

    section_id: int
    version: int
    text: str
    marks: tuple[Mark, ...]
    notes: tuple[Remark, ...]


def marked(session: Session, actor: Actor, document: Document) -> list[Marked]:
    """The sections of a document in order, with everything that is open on them. needs: read"""
    names = Names(session, document)
    return [_section(session, actor, view.id, names) for view in sections.outline(session, actor, document.id)]


def _section(session: Session, actor: Actor, section_id: int, names: Names) -> Marked:
    view = sections.section(session, actor, section_id)
    open_ones = [
        each
        for each in suggestions.of_section(session, actor, section_id, states=("filed",))
        if each.filed_at is not None
    ]
    version = max((each.version for each in open_ones), default=view.version)
    text = text_at(session, view.stream_id, version)
    length = len(to_units(text))
    marks: list[Mark] = []
    notes: list[Remark] = []
    taken: list[tuple[int, int]] = []
    for each in sorted(open_ones, key=lambda each: each.number):
        author, at = names.proposer(each), each.filed_at
        assert at is not None
        for hunk in each.open_hunks:
            if hunk.start is None or hunk.end is None or hunk.fulfilled:
                continue
            if any(start <= hunk.end and hunk.start <= end for start, end in taken):
                why = f"U-{each.number}: „{hunk.ground}” → „{hunk.text}”. {each.reason}"
                notes.append(Remark(hunk.start, hunk.end, author, at, why))
            else:
                taken.append((hunk.start, hunk.end))
                marks.append(Mark(hunk.start, hunk.end, hunk.text, author, at, f"U-{each.number}: {each.reason}"))
    for remark in annotations.of_section(session, actor, section_id):
        if remark.start is None or remark.end is None or remark.suggestion_id is not None:
            continue
        replies = tuple(
            Reply(names.of(one.organization, one.author, one.author_id), one.at, one.text)
            for one in remark.replies
            if not one.is_removed
        )
        author = names.of(remark.organization, remark.author, remark.author_id)
        start, end = min(remark.start, length), min(remark.end, length)
        notes.append(Remark(start, end, author, remark.created_at, remark.text, replies, remark.state == "resolved"))
    marks.sort(key=lambda mark: (mark.start, mark.end))
    notes.sort(key=lambda note: (note.start, note.end))
    return Marked(section_id, version, text, tuple(marks), tuple(notes))

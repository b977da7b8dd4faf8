"""CriticMarkup: changes and remarks written into the Markdown itself, for people who edit in plain text.

  {++put in++}  {--taken out--}  {~~taken~>put~~}  {==remarked==}  {>>a comment<<}

The standard knows no authors. Ours stand in a comment right after the mark, `{>>@Name 2026-10-03: reason<<}`,
and may be missing. A mark never crosses a line: a change over several lines is one mark for each line, and line ends
are marks by themselves, as the standard writes new paragraphs. What only looks like a mark in the text is escaped with
a backslash.

law   read(written(text, changes)) gives the text and changes that make the same proposed text, with the same authors
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from drafting.engine.text import from_units, to_units
from drafting.errors import InvalidFile, MismatchError

_OPENING = re.compile(r"\{(?=\\*(?:\+\+|--|~~|==|>>))")
_CLOSING = re.compile(r"(\+\+|--|~~|==|<<)(?=\\*\})")
_ARROW = re.compile(r"~(?=\\*>)")
_MARK = re.compile(
    r"\{\+\+(?P<put>.*?)\+\+\}|\{--(?P<taken>.*?)--\}|\{~~(?P<old>.*?)~>(?P<new>.*?)~~\}"
    r"|\{==(?P<remarked>.*?)==\}|\{>>(?P<comment>.*?)<<\}",
    re.DOTALL,
)
_ESCAPED = re.compile(r"(\{\\*)\\(?=\+\+|--|~~|==|>>)|((?:\+\+|--|~~|==|<<)\\*)\\(?=\})|(~\\*)\\(?=>)")
_BY = re.compile(r"@(?P<author>.*?)(?: (?P<at>\d{4}-\d\d-\d\d))?(?:: (?P<text>.*))?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CriticChange:
    """text[start:end] becomes `text`; by whom, when and why are empty when nobody said. Places in units."""

    start: int
    end: int
    text: str
    author: str = ""
    at: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CriticRemark:
    """A comment on text[start:end]."""

    start: int
    end: int
    text: str
    author: str = ""
    at: date | None = None


@dataclass(frozen=True, slots=True)
class CriticText:
    """What a file with CriticMarkup says: the text as it stood, the changes, the remarks."""

    text: str
    changes: tuple[CriticChange, ...]
    remarks: tuple[CriticRemark, ...]


def write_critic(text: str, changes: Sequence[CriticChange], remarks: Sequence[CriticRemark] = ()) -> str:
    """The text with marks in it. A remark on more than a line, or on changed words, stands after its place.

    raises   MismatchError when changes overlap, are out of order or lie outside the text
    """
    units = to_units(text, normalising=True)
    out: list[str] = []
    pos = 0
    waiting = sorted(remarks, key=lambda r: (r.start, r.end))

    def keep(end: int) -> None:
        nonlocal pos
        while waiting and (waiting[0].start < end or waiting[0].end <= end):
            remark = waiting.pop(0)
            start = max(remark.start, pos)
            out.append(_escaped(units[pos:start]))
            whole = remark.start >= pos and remark.end <= end and "\n" not in units[start : remark.end]
            pos = start
            if whole and remark.end > start:
                out.append("{==" + _escaped(units[start : remark.end]) + "==}")
                pos = remark.end
            out.append(_comment(remark.author, remark.at, remark.text))
        out.append(_escaped(units[pos:end]))
        pos = end

    for change in changes:
        if not pos <= change.start <= change.end <= len(units):
            raise MismatchError(
                f"Change {change.start}–{change.end} overlaps the one before or lies outside {len(units)} code units."
            )
        keep(change.start)
        taken, put = units[change.start : change.end], to_units(change.text, normalising=True)
        if taken and put and "\n" not in taken + put:
            out.append("{~~" + _escaped(taken) + "~>" + _escaped(put) + "~~}")
        else:
            out += ["{--" + _escaped(piece) + "--}" for piece in _lines(taken)]
            out += ["{++" + _escaped(piece) + "++}" for piece in _lines(put)]
        if change.author or change.reason or change.at:
            out.append(_comment(change.author, change.at, change.reason))
        pos = change.end
    keep(len(units))
    return from_units("".join(out))


def read_critic(marked: str) -> CriticText:
    """What a text with marks says. Marks that touch and have no author between them are one change.

    raises   InvalidFile when the text is not Unicode
    """
    try:
        units = to_units(marked, normalising=True)
    except ValueError as error:
        raise InvalidFile(f"The file is not Unicode text: {error}") from None
    base: list[str] = []
    length = 0
    changes: list[CriticChange] = []
    remarks: list[CriticRemark] = []
    pos = 0
    last: str = ""  # what the mark that ended at `pos` was

    def stand(piece: str) -> None:
        nonlocal length
        base.append(piece)
        length += len(piece)

    for match in _MARK.finditer(units):
        if match.start() > pos:
            stand(_unescaped(units[pos : match.start()]))
            last = ""
        pos = match.end()
        kind = match.lastgroup or ""
        if kind == "comment":
            author, at, text = _read_comment(_unescaped(match["comment"]))
            if last == "change":
                changes[-1] = replace(changes[-1], author=author, at=at, reason=text)
            elif last == "remarked":
                remarks[-1] = replace(remarks[-1], text=text, author=author, at=at)
            else:
                remarks.append(CriticRemark(length, length, text, author, at))
            last = "comment"
        elif kind == "remarked":
            piece = _unescaped(match["remarked"])
            remarks.append(CriticRemark(length, length + len(piece), ""))
            stand(piece)
            last = "remarked"
        else:
            taken = _unescaped(match["taken"] or match["old"] or "")
            put = from_units(_unescaped(match["put"] or match["new"] or ""))
            if last == "change":
                changes[-1] = replace(changes[-1], end=length + len(taken), text=changes[-1].text + put)
            else:
                changes.append(CriticChange(length, length + len(taken), put))
            stand(taken)
            last = "change"
    stand(_unescaped(units[pos:]))
    return CriticText(from_units("".join(base)), tuple(changes), tuple(remarks))


def _lines(text: str) -> Iterator[str]:
    yield from (piece for piece in re.split(r"(\n+)", text) if piece)


def _comment(author: str, at: date | None, text: str) -> str:
    said = " ".join(text.split())
    if author or at:
        name = " ".join(author.replace(":", " ").split())
        said = f"@{name}" + (f" {at.isoformat()}" if at else "") + (f": {said}" if said else "")
    elif said.startswith("@"):
        said = " " + said
    return "{>>" + _escaped(to_units(said)) + "<<}"


def _read_comment(comment: str) -> tuple[str, date | None, str]:
    comment = from_units(comment)
    by = _BY.match(comment) if comment.startswith("@") else None
    if by is None:
        return "", None, comment.strip()
    try:
        at = date.fromisoformat(by["at"]) if by["at"] else None
    except ValueError:
        return "", None, comment
    return by["author"], at, by["text"] or ""


def _escaped(units: str) -> str:
    """The text with a backslash inside whatever looks like a mark."""
    units = _OPENING.sub(r"{\\", units)
    units = _CLOSING.sub(r"\1\\", units)
    return _ARROW.sub(r"~\\", units)


def _unescaped(units: str) -> str:
    return _ESCAPED.sub(lambda m: m[1] or m[2] or m[3], units)

"""WordprocessingML in small: namespaces, text that XML can hold, ids, custom properties, and the lint of a package.

The lint looks for what no other program complains about (the SDK's validator passes nine of 23 spoilt files): text of
deletions, comments without their three parts, ids and dates. Tests run it over everything that the writer writes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from html import escape
from itertools import count
from xml.etree import ElementTree

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_URIS = {
    "w": W,
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    "w15": "http://schemas.microsoft.com/office/word/2012/wordml",
    "w16du": "http://schemas.microsoft.com/office/word/2023/wordml/word16du",
}
NAMESPACES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _URIS.items()) + ' mc:Ignorable="w14 w15 w16du"'

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
_REVISIONS = ("ins", "del", "moveFrom", "moveTo", "rPrChange", "pPrChange")


class Ids:
    """One counter over changes, marks, rows and bookmarks."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self) -> int:
        return next(self._numbers)


def attribute(text: str) -> str:
    return escape(_UNWRITABLE.sub("\ufffd", text).replace("\n", " ").replace("\r", " ").replace("\t", " "))


def content(text: str, *, deleted: bool = False) -> str:
    """The inside of a run: text, tabs and line breaks."""
    tag = "delText" if deleted else "t"
    parts = []
    for piece in re.split(r"([\t\n])", _UNWRITABLE.sub("\ufffd", text).replace("\r", "")):
        if piece == "\t":
            parts.append("<w:tab/>")
        elif piece == "\n":
            parts.append("<w:br/>")
        elif piece:
            parts.append(f'<w:{tag} xml:space="preserve">{escape(piece, quote=False)}</w:{tag}>')
    return "".join(parts)


def custom_properties(properties: Mapping[str, str]) -> bytes:
    """docProps/custom.xml with these text properties."""
    entries = "".join(
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{pid}" name="{attribute(name)}">'
        f"<vt:lpwstr>{attribute(value)}</vt:lpwstr></property>"
        for pid, (name, value) in enumerate(properties.items(), 2)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" '
        f'xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes">{entries}</Properties>'
    ).encode()


def lint(data: bytes) -> list[str]:
    """What is wrong with the changes and comments of a DOCX file that was written here; empty when nothing is."""
    found: list[str] = []
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        names = package.namelist()
        body = ElementTree.fromstring(package.read("word/document.xml"))
        comments = ElementTree.fromstring(package.read("word/comments.xml")) if "word/comments.xml" in names else None
    found += _lint_text(body)
    found += _lint_changes(body)
    found += _lint_comments(body, comments)
    marks = [e.get(f"{{{W}}}name") or "" for e in body.iter(f"{{{W}}}bookmarkStart")]
    found += [f"bookmark {name!r}" for name in marks if not re.fullmatch(r"[A-Za-z_]\w{0,39}", name)]
    if len(set(marks)) < len(marks):
        found.append("two bookmarks of one name")
    return found


def _lint_text(body: ElementTree.Element) -> list[str]:
    found = []
    parents = {child: parent for parent in body.iter() for child in parent}
    for kind, wanted in (("t", False), ("delText", True)):
        for element in body.iter(f"{{{W}}}{kind}"):
            above, deleted = parents.get(element), False
            while above is not None:
                deleted = deleted or above.tag == f"{{{W}}}del"
                above = parents.get(above)
            if deleted is not wanted:
                found.append(f"{kind} {'inside' if deleted else 'outside'} a deletion: {element.text!r}")
    for kind in ("ins", "del"):
        for element in body.iter(f"{{{W}}}{kind}"):
            if parents[element].tag == f"{{{W}}}r" or any(c.tag == f"{{{W}}}p" for c in element):
                found.append(f"{kind} inside a run or around a paragraph")
    return found


def _lint_changes(body: ElementTree.Element) -> list[str]:
    found, ids = [], set()
    for kind in (*_REVISIONS, "bookmarkStart"):
        for element in body.iter(f"{{{W}}}{kind}"):
            number = element.get(f"{{{W}}}id") or ""
            if not number.isdigit() or number in ids:
                found.append(f"{kind} with id {number!r}")
            ids.add(number)
            if kind == "bookmarkStart":
                continue
            author, date = element.get(f"{{{W}}}author"), element.get(f"{{{W}}}date") or ""
            if not author or len(author) > 255:
                found.append(f"{kind} {number} without author, or one that is too long")
            if not _DATE.match(date) or not _DATE.match(element.get(f"{{{_URIS['w16du']}}}dateUtc") or ""):
                found.append(f"{kind} {number} with date {date!r}")
    for kind in ("moveFrom", "moveTo"):
        starts = [e.get(f"{{{W}}}name") for e in body.iter(f"{{{W}}}{kind}RangeStart")]
        other = "moveTo" if kind == "moveFrom" else "moveFrom"
        if sorted(map(str, starts)) != sorted(
            str(e.get(f"{{{W}}}name")) for e in body.iter(f"{{{W}}}{other}RangeStart")
        ):
            found.append(f"{kind} without its other end")
    return found


def _lint_comments(body: ElementTree.Element, comments: ElementTree.Element | None) -> list[str]:
    parts = {
        kind: sorted(e.get(f"{{{W}}}id") or "" for e in body.iter(f"{{{W}}}{kind}"))
        for kind in ("commentRangeStart", "commentRangeEnd", "commentReference")
    }
    written = (
        sorted(e.get(f"{{{W}}}id") or "" for e in comments.iter(f"{{{W}}}comment")) if comments is not None else []
    )
    return [f"{kind} of comments {ids}, but there are {written}" for kind, ids in parts.items() if ids != written]

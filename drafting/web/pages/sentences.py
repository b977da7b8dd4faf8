"""Sentences of the programme as pages show them: with what goes struck and what comes underlined, and where they are.

Positions are code units of the section's main text; texts come and go as ordinary Unicode.
"""

from __future__ import annotations

import re
from functools import lru_cache

from flask_babel import gettext as _
from markupsafe import Markup, escape

from drafting.engine.diff import word_diff
from drafting.engine.text import from_units, to_units

_SIGNS = re.compile(r"(?m)^\s*(?:#{1,6}\s+|[-*+]\s+|\d{1,3}[.)]\s+|>\s?)|\*\*|__|`")
LONGEST = 20_000  # code units compared on a page; more is shown without marks


def plain(text: str) -> str:
    """A sentence without Markdown's signs, on one line."""
    return " ".join(_SIGNS.sub("", text).split())


@lru_cache(maxsize=2048)
def marked(before: str, after: str) -> Markup:
    """The sentence as it would read, with `del` and `ins` where it differs from how it reads now."""
    a, b = to_units(plain(before)), to_units(plain(after))
    if len(a) + len(b) > LONGEST:
        return escape(from_units(b))
    said, at = [], 0
    for start, end, text in word_diff(a, b).replacements:
        said.append(escape(from_units(a[at:start])))
        if end > start:
            said.append(Markup("<del>{}</del>").format(from_units(a[start:end])))
            if text and not text[:1].isspace():
                said.append(Markup(" "))
        if text:
            said.append(Markup("<ins>{}</ins>").format(from_units(text)))
        at = end
    said.append(escape(from_units(a[at:])))
    return Markup("").join(said)


@lru_cache(maxsize=256)
def _lines(text: str) -> tuple[tuple[int, str], ...]:
    """(where it starts, line) of the lines that number a place: headings with § and list items."""
    found, at = [], 0
    for line in to_units(text).split("\n"):
        if re.match(r"\s*(?:#{1,6}\s|\d{1,3}[.)]\s|(?:\*\*)?§)", line):
            found.append((at, line))
        at += len(line) + 1
    return tuple(found)


def place(text: str, pos: int | None) -> str:
    """Where a position is, as lawyers say it: "§ 9 ust. 2 pkt 1"; empty when nothing is numbered there.

    text  of the section, ordinary Unicode
    pos   code units
    """
    if pos is None:
        return ""
    paragraph, item, point = "", "", ""
    for start, line in _lines(text):
        if start > pos:
            break
        sign = re.search(r"§\s*(\d+\w?)", line)
        if sign and re.match(r"\s*(?:#|\*\*§|§)", line):
            paragraph, item, point = sign[1], "", ""
        elif line.lstrip().startswith("#"):
            item = point = ""
        else:
            number = re.match(r"(\s*)(\d{1,3})[.)]\s", line)
            if number and len(number[1]) < 2:
                item, point = number[2], ""
            elif number:
                point = number[2]
    said = []
    if paragraph:
        said.append(_("§ %(number)s", number=paragraph))
    if item:
        said.append(_("para. %(number)s", number=item))
    if point:
        said.append(_("point %(number)s", number=point))
    return " ".join(said).replace(" ", "\u00a0") if said else ""

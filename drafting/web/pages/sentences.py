"""Sentences of the programme as pages show them: with what goes struck and what comes underlined, and where they are.

Positions are code units of the section's main text; texts come and go as ordinary Unicode.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

from flask_babel import gettext as _
from markupsafe import Markup, escape

from drafting.engine.diff import word_diff
from drafting.engine.text import from_units, to_units
from drafting.formats import markdown
from drafting.formats.markdown import Mark

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
        said.append(change(from_units(a[start:end]), from_units(text)))
        at = end
    said.append(escape(from_units(a[at:])))
    return Markup("").join(said)


def change(ground: str, text: str) -> Markup:
    """What goes struck, what comes underlined; blanks at the ends stand outside of the marks."""
    said = Markup("")
    if ground:
        said += _between("del", ground)
        if text and not ground[-1].isspace() and not text[0].isspace():
            said += " "
    if text:
        said += _between("ins", text)
    return said


def _between(tag: str, words: str) -> Markup:
    inner = words.strip()
    if not inner:
        return Markup("<{0}>\u00b6</{0}>").format(Markup(tag)) if "\n" in words else escape(words)
    lead = words[: len(words) - len(words.lstrip())]
    trail = words[len(words.rstrip()) :]
    return Markup("{1}<{0}>{2}</{0}>{3}").format(Markup(tag), lead, inner, trail)


def glimpse(before: str, after: str, around: int = 36) -> Markup:
    """What a sentence changes, with a few words on both sides: for lists and the queue."""
    a, b = plain(before), plain(after)
    front = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    back = 0
    while back < min(len(a), len(b)) - front and a[-1 - back] == b[-1 - back]:
        back += 1
    start = _word_start(a, max(0, front - around))
    tail = max(0, back - around)
    shown_a, shown_b = a[start : len(a) - tail], b[start : len(b) - tail]
    return Markup("{}{}{}").format("… " if start else "", marked(shown_a, shown_b), "…" if tail else "")


def _word_start(text: str, at: int) -> int:
    """The start of the word that begins at or after a place."""
    while 0 < at < len(text) and not text[at - 1].isspace():
        at += 1
    return at


@lru_cache(maxsize=256)
def _places(text: str) -> tuple[list[int], list[tuple[str, str, str]]]:
    """Where the lines start that number a place, headings with § and list items; and paragraph, item, point from there."""
    starts, places, at = [], [], 0
    paragraph, item, point = "", "", ""
    for line in to_units(text).split("\n"):
        if re.match(r"\s*(?:#{1,6}\s|\d{1,3}[.)]\s|(?:\*\*)?§)", line):
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
            starts.append(at)
            places.append((paragraph, item, point))
        at += len(line) + 1
    return starts, places


def place(text: str, pos: int | None) -> str:
    """Where a position is, as lawyers say it: "§ 9 ust. 2 pkt 1"; empty when nothing is numbered there.

    text  of the section, ordinary Unicode
    pos   code units
    """
    if pos is None:
        return ""
    starts, places = _places(text)
    before = bisect_right(starts, pos)
    paragraph, item, point = places[before - 1] if before else ("", "", "")
    said = []
    if paragraph:
        said.append(_("§ %(number)s", number=paragraph))
    if item:
        said.append(_("para. %(number)s", number=item))
    if point:
        said.append(_("point %(number)s", number=point))
    return " ".join(said).replace(" ", "\u00a0") if said else ""


def minutes(text: str, number: int | None) -> Markup:
    """Minutes as safe HTML with one sentence marked: the one that a story names by this number, at #sentence.

    text    Markdown, ordinary Unicode
    number  from 1, as `services.proposal_stories` counts; nothing is marked when there is none
    """
    marks: list[Mark] = []
    borders = [0, *(found.end() for found in re.finditer(r"[.!?…]\s+(?=[\w„“\"])", text)), len(text)]
    if number is not None and 1 <= number < len(borders):
        start, end = borders[number - 1], borders[number]
        said = text[start:end].rstrip()
        low = len(to_units(text[:start]))
        marks.append(Mark(low, low + len(to_units(said)), "mark", (("class", "is-selected"),)))
    return Markup(markdown.render_marked(text, marks, "minutes-").replace("<mark ", '<mark id="sentence" ', 1))

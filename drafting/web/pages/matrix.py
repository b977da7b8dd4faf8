"""What meetings and organisations asked of each section and how much of it stands: matrix, flow picture, tables."""

from __future__ import annotations

import re
from typing import Any

import pyphen
from flask import Blueprint, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from drafting.services import matrix as services
from drafting.services.matrix import NOBODY, Line, Matrix
from drafting.services.register import as_of
from drafting.store.models import Document
from drafting.web import words
from drafting.web.pages import frame
from drafting.web.pages.flow_picture import picture

pages = Blueprint("matrix", __name__, url_prefix="/d/<slug>/matrix")

ENDS = {
    "whole": _l("Taken into account"),
    "partly": _l("In part"),
    "rejected": _l("Not taken into account"),
    "superseded": _l("Gave way to others"),
    "inadmissible": _l("Received too late"),
    "open": _l("Waiting"),
}
SOFT_HYPHEN = "\u00ad"
HEADS = 150  # characters that all heads of columns together hold on one line where the matrix is narrowest
LONGEST_LABEL = 25  # characters of a name beside a node


@pages.get("")
def matrix(slug: str) -> Any:
    document = frame.document(slug)
    by = request.args.get("by", "meeting")
    by = by if by in services.BY else "meeting"
    session = frame.reading()
    made, flow = services.matrix(session, frame.actor(), document.id, by)
    sources = {line.value: (_label(line, by), line.hue) for line in made.lines}
    sections = {
        column.id: f"{words.roman(column.number)}. {_short(column.title, 23)}" if column.id else _("removed sections")
        for column in made.columns
    }
    drawn = picture(flow, sources, ENDS, sections, _says)
    return frame.page(
        "report/matrix.html",
        as_of=as_of(session, session.get_one(Document, document.id)),
        matrix=made,
        flow=flow,
        picture=drawn,
        by=by,
        ends=ENDS,
        name_of=lambda line: name_of(line, by),
        strength=lambda cell: strength(cell.asked, made),
        busy=max((line for line in made.lines if line.value != NOBODY), key=lambda line: line.sum.asked, default=None),
        section_names=sections,
        parted=lambda title: parted(title, document.language, len(made.columns) + 1),
        waiting=dict(flow.ends).get("open", 0),
        nobody=NOBODY,
    )


def name_of(line: Line, by: str) -> str:
    """A row's name; the last row gathers what names no meeting, or no organisation."""
    if line.value != NOBODY:
        return line.name
    return _("Outside of meetings") if by == "meeting" else _("For no organisation")


def strength(asked: int, made: Matrix) -> int:
    """How strong a cell's colour is, 0 to 100: the more was asked, the stronger."""
    return 0 if not asked or not made.busiest else 20 + round(80 * asked / made.busiest)


def parted(title: str, language: str, columns: int) -> str:
    """A head with soft hyphens in the words that are too long for a column, by the language of the document.

    Chromium brings no Polish hyphenation and would cut a word wherever the column is full; a word that has room on a
    line of its own stays whole. columns: how many share the width
    """
    known = pyphen.language_fallback(language)
    if known is None:
        return title
    dictionary = pyphen.Pyphen(lang=known, left=3, right=3)
    longest = max(HEADS // columns, 6)
    return re.sub(r"[^\W\d_]+", lambda word: dictionary.inserted(word[0], SOFT_HYPHEN) if len(word[0]) > longest else word[0], title)


def _label(line: Line, by: str) -> str:
    """What stands beside a row's node. Organisations begin alike, so their badge stands first."""
    name = name_of(line, by)
    return _short(f"{line.code} {name}" if by == "organization" and line.code else name)


def _short(text: str, most: int = LONGEST_LABEL) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip(" ,") + "…"


def _says(start: str, end: str, number: int) -> str:
    return ngettext("%(start)s → %(end)s: %(num)d proposal", "%(start)s → %(end)s: %(num)d proposals", number, start=start, end=end)

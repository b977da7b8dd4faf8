"""The whole document on one page, readable without script and made to be printed; and the search through it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import SEEK_END
from typing import Any, BinaryIO

from flask import Blueprint, Response, request
from markupsafe import Markup, escape

from drafting.engine.text import from_units, to_units
from drafting.formats import markdown
from drafting.services import exchange, meetings, overview, sections
from drafting.services.sections import SectionView
from drafting.store.queries import text_at
from drafting.web import words
from drafting.web.pages import frame, sentences

pages = Blueprint("text", __name__, url_prefix="/d/<slug>")

AROUND = 90  # characters of context on each side of a found word
MOST_FOUND = 100  # results of one kind; more do not help anybody


@dataclass(frozen=True, slots=True)
class Part:
    """A section as the page shows it."""

    section: SectionView
    html: Markup
    headings: tuple[markdown.Heading, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A place where the searched words stand."""

    title: str
    address: str
    excerpt: Markup
    code: str = ""
    hue: int = 0


@pages.get("/text.<any(md, 'critic.md', html, pdf, docx, 'fast-import'):ending>")
def file(slug: str, ending: str) -> Response:
    """The whole document as a file; in Word and CriticMarkup with what is proposed as marks, for git its history."""
    document = frame.document(slug)
    made = exchange.export_file(frame.reading(), frame.actor(), document.id, ending)
    size = made.seek(0, SEEK_END)
    made.seek(0)
    answer = Response(_pieces(made), mimetype=exchange.MEDIA_TYPES[ending])
    answer.call_on_close(made.close)  # also when nobody reads it to its end
    answer.content_length = size
    answer.headers["Content-Disposition"] = f'attachment; filename="{slug}.{ending}"'
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return answer


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(1 << 16):
            yield piece


@pages.get("/text")
def whole(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    parts = []
    for section in sections.outline(session, actor, document.id):
        text = text_at(session, section.stream_id)
        prefix = f"s{section.id}-"
        parts.append(Part(section, Markup(markdown.render(text, prefix)), markdown.outline(text, prefix)))
    hunks = [each.section.hunks for each in parts]
    every = sum(sum(each.values()) for each in hunks)
    settled = every - sum(each.get("open", 0) for each in hunks)
    return frame.page("text/whole.html", parts_of_text=parts, settled=settled, every=every)


@pages.get("/search")
def search(slug: str) -> Any:
    document = frame.document(slug)
    query = " ".join(request.args.get("q", "")[:200].split())
    found: dict[str, list[Found]] = {}
    if len(query) >= 2:
        found = _search(document.id, f"/d/{slug}", query)
    return frame.page(
        "text/search.html",
        query=query,
        is_short=len(query) == 1,
        found=found,
        count=sum(map(len, found.values())),
    )


class _Wanted:
    """The searched words, found whatever their case and accents: who types "zielen" finds "zieleń"."""

    def __init__(self, query: str) -> None:
        self._pattern = re.compile(re.escape(_folded(query)))

    def search(self, said: str) -> re.Match[str] | None:
        return self._pattern.search(_folded(said))


def _folded(text: str) -> str:
    """The text in small letters without accents, one character for each, so that positions stay."""
    return "".join(_letter(char) for char in text)


@lru_cache(maxsize=4096)
def _letter(char: str) -> str:
    if char in "łŁ":
        return "l"
    return (unicodedata.normalize("NFD", char)[0].casefold() or char)[0]


def _search(document_id: int, base: str, query: str) -> dict[str, list[Found]]:
    session, actor = frame.reading(), frame.actor()
    wanted = _Wanted(query)
    in_text: list[Found] = []
    for section in sections.outline(session, actor, document_id):
        text = text_at(session, section.stream_id)
        for start, said in blocks_of(text):
            match = wanted.search(said)
            if match and len(in_text) < MOST_FOUND:
                address = f"{base}/s/{section.id}?pos={start}"
                title = " · ".join(filter(None, [words.section_name(section), sentences.place(text, start)]))
                in_text.append(Found(title, address, _excerpt(said, match)))
    in_suggestions: list[Found] = []
    number = re.fullmatch(r"[uU]?-?\s*(\d{1,6})", query)
    for row in overview.suggestions(session, actor, document_id):
        said = " · ".join([*(each.text for each in row.pieces), row.reason])
        match = wanted.search(said)
        named = number is not None and int(number[1]) == row.number
        by = row.organizations[0] if row.organizations else row.organization
        if (match or named or (by and wanted.search(by.name))) and len(in_suggestions) < MOST_FOUND:
            found = Found(
                f"U-{row.number}",
                f"{base}/suggestions/{row.number}",
                _excerpt(said, match) if match else escape(said[: 2 * AROUND]),
                by.code if by else "",
                by.hue if by else 0,
            )
            in_suggestions.insert(0, found) if named else in_suggestions.append(found)
    in_meetings: list[Found] = []
    for meeting in meetings.meetings(session, actor, document_id):
        said = " · ".join(filter(None, [meeting.topic, meeting.place, meeting.summary, meeting.minutes]))
        match = wanted.search(said)
        if match:
            address = f"{base}/meetings/{meeting.number}"
            in_meetings.append(Found(meeting.topic, address, _excerpt(said, match), str(meeting.number), meeting.hue))
    return {"text": in_text, "suggestions": in_suggestions, "meetings": in_meetings}


def blocks_of(text: str) -> list[tuple[int, str]]:
    """Where each block of a text starts, in code units, and its words without Markdown's signs."""
    units = to_units(text)
    return [(each.start, _plain(from_units(units[each.start : each.end]))) for each in markdown.blocks(text)]


def _plain(source: str) -> str:
    source = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", source)
    return " ".join(re.sub(r"[*`#>|~]+|(?<!\w)_+|_+(?!\w)", "", source).split())


def _excerpt(said: str, match: re.Match[str]) -> Markup:
    """The words around what was found, which is marked."""
    start, end = max(0, match.start() - AROUND), min(len(said), match.end() + AROUND)
    before, found, after = said[start : match.start()], said[match.start() : match.end()], said[match.end() : end]
    return Markup("{}{}<mark>{}</mark>{}{}").format(
        "…" if start else "", before, found, after, "…" if end < len(said) else ""
    )

"""PDF from HTML: tagged (PDF/UA), with fonts inside, and the same bytes for the same HTML.

Nothing is fetched: an address in the HTML, be it of a picture or a style, is refused, so that a text cannot make the
server call anybody. The only user of WeasyPrint.

What it costs, measured: a remark as a section of paragraphs 10 ms, as a row of a table with twelve columns 45 ms when
the columns have fixed widths (class "wide") and 270 ms when they follow their content. So long reports are sections.
A page costs 4 ms of its own, every stretch of text in one look half a millisecond, wherever it stands: few bold words
and full lines make a quick file. Two things that grew with the square of the pages or were done twice are done once,
with the same bytes as their result: `_references` and `_write_once`, a quarter of a long report's time.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import re
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from html import escape
from typing import Any

import pydyf
from weasyprint import CSS, HTML
from weasyprint.urls import URLFetcher, URLFetchingError

from drafting.errors import TooLarge

LONGEST_HTML = 20_000_000  # characters

# WeasyPrint says on its log what it leaves out; a refused address is expected here and not worth a line.
logging.getLogger("weasyprint").setLevel(logging.ERROR)
_STEPS = logging.getLogger("weasyprint.progress")  # what it does, page by page; nobody's but ours
_STEPS.propagate = False

LINE, LINES = 92, 52  # characters in a line, lines on a page of A4 in PRINT_STYLE: how many pages there will be, about
PACKED = 7  # of 9; the pages of a long report take a quarter of the time of 9 and are 1.7 % longer
LAID_OUT, DRAWN = 0.6, 0.85  # parts of the whole time that are over when the pages are laid out, and when they are drawn

PRINT_STYLE = """
@page { size: A4; margin: 22mm 20mm 24mm 20mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 9pt "DejaVu Sans", sans-serif; color: #444;
    width: 20% }
  @bottom-left { content: string(title); font: 9pt "DejaVu Sans", sans-serif; color: #444; width: 80% } }
@page wide { size: A4 landscape; margin: 15mm }
html { font: 10.5pt/1.45 "Source Serif 4", "Liberation Serif", "DejaVu Serif", serif; color: #111 }
h1, h2, h3, h4 { font-family: "Source Sans 3", "Liberation Sans", "DejaVu Sans", sans-serif; line-height: 1.2;
  break-after: avoid; margin: 1.2em 0 0.4em }
h1 { font-size: 19pt; string-set: title content() } h2 { font-size: 14pt } h3 { font-size: 11.5pt }
p { margin: 0 0 0.6em; orphans: 3; widows: 3 }
table { width: 100%; border-collapse: collapse; margin: 0.8em 0; font-size: 9pt }
th, td { border: 0.5pt solid #999; padding: 2pt 4pt; vertical-align: top; text-align: left; overflow-wrap: anywhere }
th { background: #eee } thead { display: table-header-group } tr { break-inside: avoid }
.align-right { text-align: right } .align-center { text-align: center }
ol.parenthesised { list-style: none; counter-reset: point } ol.parenthesised > li { counter-increment: point }
ol.parenthesised > li::before { content: counter(point) ") " }
ins { text-decoration: underline; text-decoration-thickness: 1pt; background: #e8f3ea }
del { text-decoration: line-through; color: #8a1c1c }
blockquote { border-left: 2pt solid #999; margin-left: 0; padding-left: 1em; color: #333 }
pre, code { font-family: "DejaVu Sans Mono", monospace; font-size: 9pt; white-space: pre-wrap }
.wide { page: wide } table.wide { table-layout: fixed }
a { color: inherit; text-decoration: underline }
"""


class _Refusing(URLFetcher):
    """A fetcher that fetches nothing."""

    def fetch(self, url: str, headers: Any = None) -> Any:
        raise URLFetchingError("Nothing is fetched while a PDF is made.")


def pdf(
    body: str,
    *,
    title: str,
    language: str,
    created_at: datetime,
    author: str = "",
    style: str = "",
    progress: Callable[[str, float], None] | None = None,
) -> bytes:
    """The HTML of a body (already safe) as a tagged PDF.

    title        of the document; a PDF/UA must have one
    language     "pl" or "en", for screen readers and hyphenation
    created_at   goes into the file; aware
    style        further CSS, after PRINT_STYLE
    progress     told "layout" and then "write", with the part of the work that is done, 0 to 1: page by page, as they
                 are laid out (how many there will be is estimated), and at two moments of writing
    raises       TooLarge
    law          the same arguments give the same bytes
    """
    if len(body) > LONGEST_HTML:
        raise TooLarge(f"The page has {len(body)} characters; at most {LONGEST_HTML} become a PDF.", limit=LONGEST_HTML)
    moment = created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    html = (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="author" content="{escape(author)}"><meta name="dcterms.created" content="{moment}">'
        f'<meta name="dcterms.modified" content="{moment}"></head><body>{body}</body></html>'
    )
    fetcher = _Refusing()
    with _collecting_seldom(), _telling(progress, body) if progress else nullcontext():
        document = HTML(string=html, url_fetcher=fetcher).render(
            stylesheets=[CSS(string=PRINT_STYLE + style, url_fetcher=fetcher)], pdf_variant="pdf/ua-1"
        )
        written = document.write_pdf(
            pdf_variant="pdf/ua-1",
            pdf_identifier=hashlib.sha256((html + style).encode("utf-8", "replace")).digest()[:16],
            custom_metadata=False,
            finisher=_write_once,
        )
    assert written is not None
    return written


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Python looks for cycles after every 700 new objects; a layout makes millions that live to its end, and a quarter
    of its time went into that (measured on 300 remarks: 22 ms each, 16 ms so; a tenth more memory)."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


# ── progress ────────────────────────────────────────────────────────────────────────────────────────────


class _Steps(logging.Handler):
    """Hears what WeasyPrint says of its steps in one thread, and tells how far that is."""

    def __init__(self, progress: Callable[[str, float], None], pages: int) -> None:
        super().__init__(logging.INFO)
        self.progress = progress
        self.pages = pages
        self.thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self.thread:
            return
        if record.msg.startswith("Step 5") and record.args:  # a page is begun
            number = record.args[0] if isinstance(record.args, tuple) else 0
            if isinstance(number, int) and number > 1:
                self.progress("layout", LAID_OUT * min(0.98, (number - 1) / self.pages))
        elif record.msg.startswith("Step 6"):
            self.progress("write", LAID_OUT)
        elif record.msg.startswith("Step 7"):
            self.progress("write", DRAWN)


@contextmanager
def _telling(progress: Callable[[str, float], None], body: str) -> Iterator[None]:
    """Inside, `progress` is told what WeasyPrint does in this thread."""
    progress("layout", 0.0)
    handler = _Steps(progress, _pages(body))
    _STEPS.addHandler(handler)
    _STEPS.setLevel(logging.INFO)
    try:
        yield
    finally:
        _STEPS.removeHandler(handler)


def _pages(body: str) -> int:
    """How many pages a body will have, about: its blocks begin new lines."""
    blocks = re.split(r"</(?:p|h\d|li|tr|pre)>|<br>", body)
    lines = sum(1 + len(re.sub(r"<[^>]*>", "", each).strip()) // LINE for each in blocks)
    return max(1, round(lines / LINES))


# ── what a long file need not pay ───────────────────────────────────────────────────────────────────────


class _Written(pydyf.Object):
    """An object of a PDF as its bytes."""

    def __init__(self, of: pydyf.Object) -> None:
        super().__init__()
        if isinstance(of, pydyf.Stream) and of.compress:
            of = _packed(of)
        self.number, self.generation, self.free = of.number, of.generation, of.free
        self._data, self._compressible = of.data, of.compressible

    @property
    def data(self) -> bytes:
        return self._data

    @property
    def compressible(self) -> bool:
        return self._compressible


def _packed(of: pydyf.Stream) -> pydyf.Stream:
    """A stream that is packed already, at a quarter of what pydyf's own packing takes."""
    bare = pydyf.Stream(of.stream).data  # its length, "stream", what it holds, "endstream"
    held = bare[bare.index(b"stream\n") + len(b"stream\n") : -len(b"\nendstream")]
    packed = pydyf.Stream([zlib.compress(held, PACKED)], {**of.extra, "Filter": "/FlateDecode"})
    packed.number, packed.generation, packed.free = of.number, of.generation, of.free
    return packed


def _write_once(_document: Any, file: pydyf.PDF) -> None:
    """Makes the bytes of every object: pydyf would make them, and pack the pages, for the file and again for its hash."""
    file.objects[:] = [each if each.free == "f" else _Written(each) for each in file.objects]


_list_references = pydyf.PDF.page_references.fget


def _references(file: pydyf.PDF) -> tuple[bytes, ...]:
    """The references of the pages of a file, kept until there are more: WeasyPrint asks for all of them at every tag,
    and pydyf makes all of them anew (an eighth of the time of a file of 600 pages; twice the pages, four times that)."""
    kept: tuple[bytes, ...] = file.__dict__.get("_references", ())
    if 3 * len(kept) != len(file.pages["Kids"]):
        kept = file.__dict__["_references"] = _list_references(file)
    return kept


pydyf.PDF.page_references = property(_references)

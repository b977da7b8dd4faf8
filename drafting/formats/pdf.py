"""PDF from HTML: tagged (PDF/UA), with fonts inside, and the same bytes for the same HTML.

Nothing is fetched: an address in the HTML, be it of a picture or a style, is refused, so that a text cannot make the
server call anybody. The only user of WeasyPrint.

What it costs, measured: a remark as a section of paragraphs 10 ms, as a row of a table with twelve columns 45 ms when
the columns have fixed widths (class "wide") and 270 ms when they follow their content. So long reports are sections.
"""

from __future__ import annotations

import gc
import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html import escape
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.urls import URLFetcher, URLFetchingError

from drafting.errors import TooLarge

LONGEST_HTML = 20_000_000  # characters

# WeasyPrint says on its log what it leaves out; a refused address is expected here and not worth a line.
logging.getLogger("weasyprint").setLevel(logging.ERROR)

PRINT_STYLE = """
@page { size: A4; margin: 22mm 20mm 24mm 20mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 9pt "DejaVu Sans", sans-serif; color: #444 }
  @bottom-left { content: string(title); font: 9pt "DejaVu Sans", sans-serif; color: #444 } }
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
    progress: Callable[[str], None] | None = None,
) -> bytes:
    """The HTML of a body (already safe) as a tagged PDF.

    title        of the document; a PDF/UA must have one
    language     "pl" or "en", for screen readers and hyphenation
    created_at   goes into the file; aware
    style        further CSS, after PRINT_STYLE
    progress     told "layout" and "write" as the work comes to them
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
    if progress:
        progress("layout")
    with _collecting_seldom():
        document = HTML(string=html, url_fetcher=fetcher).render(
            stylesheets=[CSS(string=PRINT_STYLE + style, url_fetcher=fetcher)], pdf_variant="pdf/ua-1"
        )
        if progress:
            progress("write")
        written = document.write_pdf(
            pdf_variant="pdf/ua-1",
            pdf_identifier=hashlib.sha256((html + style).encode("utf-8", "replace")).digest()[:16],
            custom_metadata=False,
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

"""The reader's language: theirs, else the one chosen in this browser, else the browser's, else the server's.

Source strings are English and stand in code and templates; Polish stands in `translations/`, in words that officials
use. The compiled catalogue is made from it when it is missing or older, so a fresh clone speaks Polish at once.
`python -m drafting.web.language` gathers new strings into the catalogue and compiles it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations

from drafting.config import LANGUAGES, ROOT
from drafting.web import identity

FOLDER = Path(__file__).parent / "translations"
COOKIE = "language"
KEYWORDS = ("_", "gettext", "ngettext:1,2", "lazy_gettext", "_l", "pgettext:1c,2", "npgettext:1c,2,3")


def init(app: Flask) -> None:
    """Puts translations and the choice of language into the application."""
    compile_catalogues()
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", str(FOLDER))
    app.config.setdefault("BABEL_DEFAULT_LOCALE", app.extensions["settings"].language)
    Babel(app, locale_selector=chosen, timezone_selector=time_zone)
    # Babel finds the catalogue anew for every string; a page of cards has ten thousand.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _catalogue().ugettext(text),
        lambda one, more, number: _catalogue().ungettext(one, more, number),
        newstyle=True,
        pgettext=lambda context, text: _catalogue().upgettext(context, text),
        npgettext=lambda context, one, more, number: _catalogue().unpgettext(context, one, more, number),
    )


def chosen() -> str:
    """The language of this answer."""
    default: str = current_app.extensions["settings"].language
    if not has_request_context():
        return default
    if "spoken" not in g:
        wanted = identity.actor().language
        g.spoken = wanted if wanted in LANGUAGES else of_browser()
    spoken: str = g.spoken
    return spoken


def of_browser() -> str:
    """The language that this browser asks for, whoever sits before it; nothing is read for it."""
    wanted = request.cookies.get(COOKIE, "")
    if wanted not in LANGUAGES:
        wanted = request.accept_languages.best_match(LANGUAGES) or ""
    return wanted if wanted in LANGUAGES else current_app.extensions["settings"].language


def _catalogue() -> Any:
    """The translations of this answer, remembered as long as its language stays the same."""
    locale = get_locale()
    if locale is None:  # outside an application
        return get_translations()
    known = g.get("catalogue")
    if known is None or known[0] is not locale:
        known = g.catalogue = locale, get_translations()
    return known[1]


def time_zone() -> str:
    """Where the document is, else where the server's people are."""
    document = g.get("document") if has_request_context() else None
    return document.timezone if document is not None else "Europe/Warsaw"


def compile_catalogues() -> None:
    """Makes each .mo that is missing or older than its .po."""
    for po in FOLDER.glob("*/LC_MESSAGES/*.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
            continue
        with po.open("rb") as file:
            catalogue = read_po(file, locale=po.parent.parent.name)
        partly = mo.with_name(f"{mo.name}.{os.getpid()}")
        with partly.open("wb") as file:
            write_mo(file, catalogue)
        partly.replace(mo)


# ── gathering strings ───────────────────────────────────────────────────────────────────────────────────


def source_strings() -> Any:
    """A catalogue of every translatable string in code and templates, without translations."""
    from babel.messages.catalog import Catalog
    from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

    keywords = DEFAULT_KEYWORDS | {"_l": None, "lazy_gettext": None}
    catalogue = Catalog(project="Drafting", charset="utf-8")
    places = (
        (ROOT / "drafting", [("web/**.py", "python"), ("formats/**.py", "python"), ("services/**.py", "python")]),
        (ROOT / "templates", [("**.html", "jinja2"), ("**.svg", "jinja2"), ("**.txt", "jinja2"), ("**.xml", "jinja2")]),
    )
    options = {"**.*": {"silent": "false", "trimmed": "true"}}
    for folder, method_map in places:
        for name, line, message, comments, context in extract_from_dir(
            folder, method_map, options, keywords, comment_tags=("Translators:",)
        ):
            where = str((folder / name).relative_to(ROOT))
            catalogue.add(message, None, [(where, line)], auto_comments=comments, context=context)
    return catalogue


def update_catalogue(language: str = "pl") -> list[str]:
    """Writes new strings into a catalogue and drops old ones; returns those that are not translated."""
    path = FOLDER / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    catalogue.update(source_strings(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    for message in catalogue:  # places without line numbers, so that moving a line changes nothing
        message.locations = sorted({(where, 0) for where, _ in message.locations})
    with path.open("wb") as file:
        write_po(file, catalogue, omit_header=False, include_lineno=False, sort_output=True, width=120)
    return missing(catalogue)


def missing(catalogue: Any) -> list[str]:
    """The strings of a catalogue that have no translation, or one that nobody has checked."""
    return [
        str(message.id)
        for message in catalogue
        if message.id
        and (message.fuzzy or not message.string or (isinstance(message.string, tuple) and not all(message.string)))
    ]


if __name__ == "__main__":
    for each in update_catalogue():
        print(each, file=sys.stderr)
    compile_catalogues()

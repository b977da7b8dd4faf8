"""The Flask application: `create_app(settings)` puts database, identity, pages, API and live protocol together.

Nothing is served but routes and the built files of `static/dist`. Every answer carries a content policy that allows
neither inline script nor inline style; styles that are made in the browser are constructed style sheets.
"""

from __future__ import annotations

import hashlib
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, ValidationError

from drafting.config import ROOT, Settings, load_settings
from drafting.engine.text import without_controls
from drafting.errors import InvalidInput, NotFound
from drafting.store.database import Database
from drafting.store.migrations import open_database
from drafting.web import failures, identity, language, pages
from drafting.web.wire import LARGEST

log = logging.getLogger(__name__)

YEAR = 365 * 24 * 3600  # s; how long a file whose address holds its hash may be kept

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}


def create_app(settings: Settings | None = None, *, database: Database | None = None, live: bool = True) -> Flask:
    """The application, its database opened and brought to the newest tables.

    settings  None: from the environment and `instance/config.toml`
    database  one that is open already, for tests and the command line; its tables are taken as they are
    live      false leaves the sockets out, for tests of pages
    """
    settings = settings or load_settings()
    app = Flask(
        "drafting",
        root_path=str(ROOT / "drafting"),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static" / "dist"),
        static_url_path="/static",
        instance_path=str(Path(settings.instance_path).resolve()),
    )
    app.url_map.converters["int"] = Number
    app.before_request(_read_fields)
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.testing,
        SESSION_COOKIE_NAME="drafting",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        PERMANENT_SESSION_LIFETIME=30 * 24 * 3600,
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=settings.max_upload_size + 1024 * 1024,  # the file and the form around it
        MAX_FORM_MEMORY_SIZE=8 * 1024 * 1024,  # minutes of a long meeting, and every field beside them
        MAX_FORM_PARTS=5000,
        PREFERRED_URL_SCHEME="https" if settings.cookie_secure else "http",
    )
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    if database is None:
        database = open_database(settings, serving=live)
    app.extensions["settings"] = settings
    app.extensions["database"] = database

    language.init(app)
    identity.init(app, settings)
    failures.init(app)
    pages.init(app)
    _templates(app)
    _doors(app, live)
    app.after_request(_headers)
    app.teardown_appcontext(_close_reading)
    return app


class Number(IntegerConverter):
    """A number in an address: larger than any row can have is no address of ours."""

    def to_python(self, value: str) -> int:
        if len(value) > 10 or int(value) > LARGEST:
            raise ValidationError
        return super().to_python(value)


def _read_fields() -> None:
    """No text of ours holds a NUL, and PostgreSQL stores none: an address or a field with one is refused at the door.

    Other control characters come along unseen with words that are pasted, and nobody could find them to take them out:
    the fields are read without them. Bodies that are JSON are read by `wire`, in the same way.
    """
    if "\0" in request.path:
        raise NotFound("there is no such address")
    for values in (request.args, request.form):
        for name, value in values.items(multi=True):
            if "\0" in name or "\0" in value:
                raise InvalidInput("a field holds a NUL character", field=name, why="not_text")
    if any(without_controls(value) != value for _, value in request.form.items(multi=True)):
        read = [(name, without_controls(value)) for name, value in request.form.items(multi=True)]
        request.form = ImmutableMultiDict(read)


def _doors(app: Flask, with_live: bool) -> None:
    """The JSON API, and the sockets."""
    from drafting.web import api

    api.init(app)
    if with_live:
        from drafting.web import live

        live.init(app)


def _headers(response: Response) -> Response:
    """What every answer says about itself."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", "; ".join(f"{name} {value}" for name, value in POLICY.items()))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
    if request.endpoint == "static":
        hashed = "v" in request.args or request.path.rsplit("/", 1)[-1].startswith("chunk-")
        headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if hashed else "no-cache"
    else:
        headers.setdefault("Cache-Control", "private, no-cache")
        response.vary.update(("Cookie", "Accept-Language"))
    return response


def _close_reading(_: BaseException | None) -> None:
    reading = g.pop("reading", None)
    if reading is not None:
        reading.close()


def _templates(app: Flask) -> None:
    """What every template may use."""
    from drafting.web import words
    from drafting.web.pages import frame

    folder = Path(app.static_folder or "")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    def static(name: str) -> str:
        """The address of a built file, with its hash, so that it may be kept for a year."""
        path = folder / name
        mark = _hash_of(path, path.stat().st_mtime_ns) if path.exists() else "0"
        return f"{app.static_url_path}/{name}?v={mark}"

    app.jinja_env.globals.update(static=static, words=words)
    app.jinja_env.filters.update(words.FILTERS)
    app.context_processor(frame.for_templates)


@lru_cache(maxsize=64)
def _hash_of(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def settings_of(app: Flask) -> Settings:
    """The settings an application was made with."""
    found: Any = app.extensions["settings"]
    return found

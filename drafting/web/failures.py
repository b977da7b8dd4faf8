"""What a reader is told when something was refused or went wrong: a page in their language, never a trace.

Under /api the answer is the one error body of `wire.py`. Not being signed in leads to the sign-in page and back.
"""

from __future__ import annotations

import errno
import logging
from typing import Any

from flask import Flask, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from drafting.errors import (
    Conflict,
    DraftingError,
    EngineError,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    StaleReview,
    TooLarge,
    VersionConflict,
)
from drafting.web import identity, language

log = logging.getLogger(__name__)

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
RETRY = {"Retry-After": "30"}  # s

STATUS: tuple[tuple[type[DraftingError], int], ...] = (  # the most special first; `wire.py` has the same for JSON
    (TooLarge, 413),
    (InvalidInput, 400),
    (NotSignedIn, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
)


def init(app: Flask) -> None:
    app.register_error_handler(DraftingError, refused)
    app.register_error_handler(HTTPException, http_failed)
    app.register_error_handler(CSRFError, old_form)
    app.register_error_handler(Exception, broken)


def refused(error: DraftingError) -> Any:
    """A page for what a service refused; EngineErrors are our bugs."""
    if isinstance(error, EngineError):
        return broken(error)
    if _speaks_json():
        from drafting.web import wire

        body, status = wire.error_answer(error)
        return body, status
    if isinstance(error, NotSignedIn) and not identity.actor().is_signed_in:
        return redirect(url_for("account.sign_in", next=identity.here()))
    from drafting.web import words

    status = next((code for kind, code in STATUS if isinstance(error, kind)), 400)
    titles = {
        401: _("Sign in first"),
        403: _("You may not do this"),
        404: _("There is no such page"),
        409: _("It has changed in the meantime"),
        413: _("That is too much at once"),
    }
    title = titles.get(status, _("That cannot be done"))
    return page(status, title, words.error_text(error), stale=isinstance(error, (StaleReview, VersionConflict)))


def http_failed(error: HTTPException) -> Any:
    """A page for what Flask or Werkzeug refused."""
    if isinstance(error, CSRFError):
        return old_form(error)
    status = error.code or 500
    if isinstance(error.response, Response) or status < 400:
        return error
    titles = {
        400: (_("This request cannot be read"), _("Go back and try again.")),
        404: (_("There is no such page"), _("The address may be mistyped, or what stood here is not published.")),
        405: (_("This address does not take that"), _("Go back and use the buttons of the page.")),
        413: (_("That is too much at once"), _("The file or the text is larger than this server takes.")),
        429: (_("Too many attempts"), _("Wait a minute, then try again.")),
    }
    title, says = titles.get(status, (_("Something went wrong"), _("Try again in a while.")))
    if _speaks_json():
        code = {400: "invalid_input", 404: "not_found", 413: "too_large", 429: "too_many"}.get(status, "invalid_input")
        return {"error": {"code": code, "message": f"{title}. {says}", "details": {}}}, status
    answer = page(status, title, says)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    return answer


def old_form(error: CSRFError) -> Any:
    """A form from a session that has ended: nothing was done, what was typed is still in the browser."""
    title = _("This form is from an earlier session")
    says = _("Nothing was saved. Go back, reload the page and send it again; what you typed is still there.")
    if _speaks_json():
        return {"error": {"code": "old_form", "message": f"{title}. {says}", "details": {}}}, 400
    return page(400, title, says)


def broken(error: Exception) -> Any:
    """A page for a mistake of ours: logged with its trace, told without it."""
    if isinstance(error, HTTPException):
        return http_failed(error)
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    if _is_of_the_machine(error):
        return away()
    title, says = _("Something went wrong"), _("It has been logged. What was saved before is safe.")
    if _speaks_json():
        return {"error": {"code": "internal", "message": f"{title}. {says}", "details": {}}}, 500
    return page(500, title, says)


def _is_of_the_machine(error: BaseException | None) -> bool:
    """Whether the database does not answer or a disk takes nothing: nobody's mistake, and it may pass."""
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError | PoolTimeout) or getattr(error, "errno", None) in NO_ROOM:
            return True
        error = error.__cause__
    return False


def away() -> Any:
    """A page that needs no database: nothing was saved, and what was typed is still in the browser."""
    g.setdefault("spoken", language.of_browser())  # whoever asks cannot be looked up
    title = _("The server cannot read or save at the moment")
    says = _("Nothing of this was saved. Go back: what you typed is still there. Send it again in a while.")
    if _speaks_json():
        return {"error": {"code": "unavailable", "message": f"{title}. {says}", "details": {}}}, 503, RETRY
    html = (
        f'<!doctype html><html lang="{language.chosen()}"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<h1>{escape(title)}</h1><p>{escape(says)}</p>"
    )
    return Response(html, status=503, mimetype="text/html", headers=RETRY)


def page(status: int, title: str, says: str, *, stale: bool = False) -> Response:
    """The page of a failure."""
    g.pop("document", None)  # its menu may not be for this reader
    html = render_template("failure.html", status=status, title=title, says=says, stale=stale)
    return Response(html, status=status, mimetype="text/html")


def _speaks_json() -> bool:
    return request.path.startswith("/api/") or (request.headers.get("HX-Request") == "true" and request.method != "GET")

"""What every page is made in: the request's database session, its document, its menu, and forms.

Reading goes through one read-only session a request. Writing opens a session for one verb, `write(verb, ...)`, while
no other transaction of this request waits: `write` ends the reading one first, so the page after it sees what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import Response, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from drafting.config import Settings
from drafting.errors import Conflict, InvalidInput, NotAllowed, NotFound
from drafting.services import access, documents, notices
from drafting.services.access import Actor
from drafting.services.documents import DocumentView
from drafting.store.database import Database
from drafting.store.models import Document, Organization
from drafting.web import identity, words
from drafting.web.wire import LARGEST

T = TypeVar("T")


def settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found


def database() -> Database:
    found: Database = current_app.extensions["database"]
    return found


def reading() -> Session:
    """The read-only session of this request."""
    if "reading" not in g:
        g.reading = database().session(writes=False)
    session: Session = g.reading
    return session


def actor() -> Actor:
    return identity.actor()


def write(verb: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What a service's verb returns: `verb(session, actor, *args)`, run again when another writer came first."""
    return write_plain(lambda session: verb(session, actor(), *args, **kwargs))


def write_plain(work: Callable[[Session], T]) -> T:
    """What the work returns, in a writing session of its own."""
    if "reading" in g:
        g.pop("reading").close()
    result: T = database().run(work)
    return result


# ── the document of a page ──────────────────────────────────────────────────────────────────────────────


def document(slug: str) -> DocumentView:
    """The document of this page, from now on known to its frame. raises: NotFound also when it may not be known"""
    row = documents.document_row(reading(), actor(), slug)
    view = documents.document_view(actor(), row)
    g.document = view
    g.may = access.allowed_actions(actor(), row)
    return view


def document_row() -> Document:
    """The row of this page's document, for services that ask for it."""
    row = reading().get(Document, g.document.id)
    if row is None:
        raise NotFound("there is no such document")
    return row


def may(action: str) -> bool:
    """Whether the reader may do this in the document of the page."""
    return action in g.get("may", frozenset())


def demand(action: str) -> None:
    """Refuses a page that only offers what the reader may not do. raises: NotSignedIn, NotAllowed"""
    if not may(action):
        access.require(reading(), actor(), action, document_row())


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────


def page(template: str, status: int = 200, **values: Any) -> Response:
    return Response(render_template(template, **values), status=status, mimetype="text/html")


def partial_wanted() -> bool:
    """Whether a script asks for a piece to swap in, and not for a page."""
    return request.headers.get("HX-Request") == "true"


def go(endpoint: str, said: str = "", **values: Any) -> BaseResponse:
    """On to another page of ours, with a word about what was done."""
    if said:
        flash(said)
    return redirect(url_for(endpoint, **values), 303)


def back(otherwise: str, said: str = "") -> BaseResponse:
    """To the address the form named, or to another one."""
    if said:
        flash(said)
    return redirect(identity.safe_target(request.form.get("next"), otherwise), 303)


def own_organization() -> Organization | None:
    """The organisation for which the reader is a member of the page's document."""
    shown = g.get("document")
    number = None if shown is None else actor().organization_id(shown.id)
    return None if number is None else reading().get(Organization, number)


def for_templates() -> dict[str, Any]:
    """What every template knows."""
    who = actor()
    return {
        "actor": who,
        "document": g.get("document"),
        "may": may,
        "language": str(get_locale() or "pl"),
        "unread": (lambda: notices.unread(reading(), who)) if who.is_signed_in else (lambda: 0),
        "now": g.get("now"),
        "here": identity.here,
        "own_organization": own_organization,
    }


def whole(text: str) -> int:
    """A whole number that a row can have. raises: ValueError"""
    value = int(text)
    if len(text) > 11 or not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{text!r:.20} is too large")
    return value


# ── forms ───────────────────────────────────────────────────────────────────────────────────────────────


class Form:
    """What was typed into a form, and what is wrong with it: values by name, errors by name, in the reader's words.

    Before it is sent the values are those of the thing that is being changed. After a refusal they are what was typed,
    so that nothing has to be typed again.
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.is_sent = request.method == "POST"
        self._denied = False
        self.values: dict[str, Any] = dict(values or {})
        self.errors: dict[str, str] = {}
        if self.is_sent:
            self.values.update({name: request.form.get(name, "") for name in request.form if name != "csrf_token"})
            for name, value in list(self.values.items()):
                if isinstance(value, bool) and name not in request.form:
                    self.values[name] = False  # a box that is not ticked is not sent

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name, "")

    def text(self, name: str) -> str:
        """What was typed, with LF line ends."""
        value = self.values.get(name)
        return "" if value is None else str(value).replace("\r\n", "\n")

    def ticked(self, name: str) -> bool:
        return bool(self.values.get(name)) and self.values.get(name) not in ("0", "false")

    def number(self, name: str) -> int | None:
        """A whole number, None for nothing; something else is an error at the field."""
        plain = self.text(name).strip()
        if not plain:
            return None
        try:
            return whole(plain)
        except ValueError:
            self.errors[name] = _("Write a whole number.")
            return None

    def moment(self, name: str, zone: str, *, end_of_day: bool = False) -> datetime | None:
        """A local date, or date and time, as aware UTC; None for nothing."""
        plain = self.text(name).strip().replace(" ", "T")
        if not plain:
            return None
        try:
            value = datetime.fromisoformat(plain)
            if len(plain) == 10 and end_of_day:
                value = value.replace(hour=23, minute=59)
            return value.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.errors[name] = _("Write the date and time like 2026-04-14 17:00.")
            return None

    def needs(self, name: str, says: str) -> str:
        """What was typed; nothing is an error at the field."""
        value = self.text(name).strip()
        if not value:
            self.errors[name] = says
        return value

    def choice(self, name: str, choices: Any, says: str = "") -> str:
        value = self.text(name)
        if value not in choices:
            self.errors[name] = says or _("Choose one of the list.")
        return value

    @property
    def is_good(self) -> bool:
        return not self.errors

    def run(self, verb: Callable[..., T], *args: Any, **kwargs: Any) -> T | None:
        """What a verb returns; None when it refused, with its words at the field or above the form."""
        if self.errors:
            return None
        try:
            return write(verb, *args, **kwargs)
        except (InvalidInput, Conflict) as error:
            self.refuse(error)
        except NotAllowed as error:
            typed = any(request.form.get(name, "").strip() for name in self.values)
            if not typed or "document" not in g:
                raise  # nothing would be lost by a page that only says no
            self.refuse(error)
            self._denied = True
        return None

    def refuse(self, error: Any) -> None:
        """Puts a refusal where it belongs."""
        field = str(error.details.get("field", ""))
        self.errors[field if field in self.values or field == "password" else ""] = words.error_text(error)

    @property
    def kept(self) -> str:
        """The words that were typed and refused, for a page that has no field for them any more; else empty."""
        if not self._denied:
            return ""
        typed = (request.form.get(name, "").strip() for name in request.form if name in self.values)
        return "\n\n".join(words for words in typed if any(char.isspace() for char in words) or len(words) > 12)

    @property
    def status(self) -> int:
        return 403 if self._denied else 422 if self.errors else 200

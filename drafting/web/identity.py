"""Who is asking: sessions by cookie, CSRF tokens, a limit on guessing passwords.

A session names a person and the epoch in which it began; each request looks the person up, so a role that ended, a
password that changed or "sign out everywhere" works at once. Forms carry the token in a field, scripts in the header
X-CSRFToken. Whoever may do what is decided in `services/access.py`, never here.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from flask import Flask, current_app, has_request_context, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect, validate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from wtforms.validators import ValidationError

from drafting.config import Settings
from drafting.errors import NotFound
from drafting.services import accounts
from drafting.services.access import ANONYMOUS, Actor
from drafting.store.database import Database

PATIENCE = 2.0  # s for Redis to count an attempt
LINK_DAYS = 30  # how long a sign-in link printed by `drafting demo` works


class Person:
    """Whom Flask-Login keeps in a session: an actor who is signed in."""

    is_authenticated = is_active = True
    is_anonymous = False

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def get_id(self) -> str:
        return f"{self.actor.user_id}.{self.actor.session_epoch}"


csrf = CSRFProtect()
# Where Redis is gone each worker counts for itself: nobody is kept from signing in by it.
limiter = Limiter(
    get_remote_address, key_prefix="drafting", headers_enabled=False, in_memory_fallback_enabled=True, swallow_errors=True
)


def init(app: Flask, settings: Settings) -> None:
    """Puts sessions, CSRF and the limiter into the application."""
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # as long as the session: minutes of a meeting take an evening
    app.config.setdefault("WTF_CSRF_HEADERS", ["X-CSRFToken"])
    app.config["RATELIMIT_ENABLED"] = bool(settings.sign_in_limit)
    app.config["RATELIMIT_STORAGE_URI"] = _counted_at(settings.redis_url)
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    csrf.init_app(app)
    limiter.init_app(app)
    manager = LoginManager()
    manager.session_protection = None  # people move between networks; the epoch ends sessions
    manager.user_loader(_load)
    manager.init_app(app)


def _counted_at(redis_url: str) -> str:
    """Where attempts are counted: at the Redis of all workers, or in this one. In the words of `limits`."""
    if redis_url.startswith("unix://"):
        return "redis+" + redis_url
    return redis_url or "memory://"


def sign_in_limit() -> str:
    """The limit on guessing, from the settings, in the words of Flask-Limiter."""
    settings: Settings = current_app.extensions["settings"]
    return settings.sign_in_limit


def actor() -> Actor:
    """Who asks in this request; ANONYMOUS for nobody and outside requests."""
    if not has_request_context() or not current_user:
        return ANONYMOUS
    return getattr(current_user, "actor", ANONYMOUS)


def begin_session(who: Actor) -> None:
    """Signs this browser in, with a new session: nothing of the one before stays, also no socket of somebody else."""
    if actor().user_id not in (None, who.user_id):
        _end_sockets()
    session.clear()
    session.permanent = True
    login_user(Person(who))


def session_mark() -> str:
    """What tells the session of this request from every other one and can be told to other workers; "" when it is nobody's."""
    token = session.get("csrf_token")
    return hashlib.sha256(token.encode()).hexdigest()[:32] if token and actor().is_signed_in else ""


def _end_sockets() -> None:
    live, mark = current_app.extensions.get("live"), session_mark()
    if live is not None and mark:
        live.writer.end_session(mark)


def is_of_this_session(token: object) -> bool:
    """Whether a CSRF token was made for the session of this request: asked for sockets, which `csrf` does not see."""
    try:
        validate_csrf(token)
    except ValidationError:
        return False
    return True


def end_session() -> None:
    """Signs this browser out, with all of its windows."""
    _end_sockets()
    logout_user()
    session.clear()


def safe_target(target: str | None, otherwise: str = "/") -> str:
    """The address to go on to, when it lies on this server; else the other one."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return otherwise
    if any(ord(character) < 32 for character in target):
        return otherwise
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else otherwise


def here() -> str:
    """The address of this request, to come back to after signing in."""
    return request.full_path.rstrip("?") if request.method == "GET" else safe_target(_path_of(request.referrer))


# ── sign-in links ───────────────────────────────────────────────────────────────────────────────────────


def sign_in_token(secret_key: str, user_id: int, session_epoch: int) -> str:
    """What `/enter/<token>` takes: signs in as this person, until their password changes or the link is too old.

    Made only on the machine that holds the secret key, for the people of the demo.
    """
    return _links(secret_key).dumps([user_id, session_epoch])


def person_of_link(secret_key: str, token: str) -> tuple[int, int]:
    """Person and epoch of a sign-in link. raises: NotFound when it is not good"""
    try:
        user_id, epoch = _links(secret_key).loads(token, max_age=LINK_DAYS * 24 * 3600)
        return int(user_id), int(epoch)
    except (BadSignature, ValueError, TypeError):
        raise NotFound("this link is not good any more") from None


def _links(secret_key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_key, salt="sign-in link")


def _load(session_id: str) -> Person | None:
    user_id, _, epoch = session_id.partition(".")
    if not (user_id.isdecimal() and epoch.isdecimal()):
        return None
    database: Database = current_app.extensions["database"]
    with database.read() as reading:
        who = accounts.signed_in(reading, int(user_id), int(epoch))
    return Person(who) if who.is_signed_in else None


def _path_of(address: str | None) -> str | None:
    parts = urlsplit(address or "")
    if parts.netloc != request.host:
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")

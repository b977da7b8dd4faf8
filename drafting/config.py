"""The settings of one running Drafting: one frozen value, from the environment and `instance/config.toml`.

The environment wins over the file, the file over what is written here. Every setting of the file is called as the
field; in the environment it is DRAFTING_ and the name in capitals. DATABASE_URL and REDIS_URL are understood too,
because hosts set them. The secret key is made at the first start and kept in `instance/secret_key`, readable by its
owner alone. Nothing here opens a database or a socket.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from limits import parse_many

from drafting.errors import InvalidInput

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("pl", "en")
KEY_LENGTH = 32  # characters that a secret key has at least
OF_TESTS = {"DRAFTING_CHROMIUM", "DRAFTING_PLAY", "DRAFTING_TEST_DATABASES"}  # they steer tests and are no settings


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs between one installation and another."""

    instance_path: Path = ROOT / "instance"  # SQLite file, uploads, secret key, locks
    database_url: str = field(default="", repr=False)  # empty: SQLite in instance_path
    redis_url: str = ""  # empty: one worker; given: workers tell each other that a stream moved
    secret_key: str = field(default="", repr=False)  # signs cookies and CSRF tokens
    base_url: str = ""  # how people reach this server; empty: as the request says
    host: str = "127.0.0.1"  # 0.0.0.0 lets other machines in
    port: int = 8000  # TCP
    threads: int = 500  # must exceed the open web sockets and the requests under way
    workers: int = 1  # more than one needs PostgreSQL and Redis
    language: str = "pl"  # for readers who have not chosen
    cookie_secure: bool = False  # true behind HTTPS; `base_url` with https sets it
    trusted_proxies: int = 0  # how many proxies before us set X-Forwarded-*
    durable: bool = True  # an acknowledged commit is on disk; false only for tests
    testing: bool = False
    max_upload_size: int = 16 * 1024 * 1024  # bytes
    sign_in_limit: str = "10 per minute"  # per address; in the words of Flask-Limiter

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return self.database_url.startswith("sqlite")

    @property
    def uploads_path(self) -> Path:
        """Where attachments are kept, each under its SHA-256."""
        return self.instance_path / "uploads"


def load_settings(environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """The settings of this process; makes the instance folder and the secret key when they are missing.

    environ  defaults to the environment of the process
    given    wins over everything, for tests and the command line
    raises   InvalidInput naming the setting that cannot be read
    """
    environ = os.environ if environ is None else environ
    instance = Path(
        given.get("instance_path") or environ.get("DRAFTING_INSTANCE_PATH") or Settings().instance_path
    ).resolve()
    try:
        instance.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{instance} cannot be made: {error.strerror}", setting="instance_path") from None

    values: dict[str, Any] = _from_file(instance / "config.toml")
    for short, name in (("DATABASE_URL", "database_url"), ("REDIS_URL", "redis_url")):
        if environ.get(short):
            values[name] = environ[short]
    for one in fields(Settings):
        text = environ.get("DRAFTING_" + one.name.upper())
        if text is not None:
            values[one.name] = text
    values.update({name: value for name, value in given.items() if value is not None})
    values["instance_path"] = instance

    values = {name: _read(name, value) for name, value in values.items()}
    values["database_url"] = database_address(values.get("database_url") or "", instance)
    values["secret_key"] = values.get("secret_key") or _secret_key(instance / "secret_key")
    values["base_url"] = (values.get("base_url") or "").rstrip("/")
    if values["base_url"].startswith("https://"):
        values.setdefault("cookie_secure", True)
    settings = Settings(**values)
    _check(settings)
    if settings.workers > 1 and (settings.is_sqlite or not settings.redis_url):
        raise InvalidInput(
            f"{settings.workers} workers need a PostgreSQL DATABASE_URL and a REDIS_URL; with SQLite use one worker",
            setting="workers",
        )
    return settings


def ignored_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """A sentence for each variable of the environment that is called like a setting and is none, with the nearest one.

    It may be one of a newer version, so it is not refused; but who has mistyped an address should hear of it.
    """
    environ = os.environ if environ is None else environ
    known = [one.name.upper() for one in fields(Settings)]
    said = []
    for name in sorted(name for name in environ if name.startswith("DRAFTING_") and name not in OF_TESTS):
        short = name.removeprefix("DRAFTING_")
        if short not in known:
            near = get_close_matches(short, known, 1)
            said.append(f"{name} is no setting and is ignored" + (f"; did you mean DRAFTING_{near[0]}?" if near else ""))
    return said


RANGES: dict[str, tuple[int, int]] = {  # what can be served with; beyond it a server starts that answers nobody
    "port": (1, 65535),
    "threads": (2, 20_000),
    "workers": (1, 1000),
    "trusted_proxies": (0, 100),
    "max_upload_size": (1, 2**40),
}
SCHEMES = {"base_url": ("http://", "https://"), "redis_url": ("redis://", "rediss://", "unix://")}


def _check(settings: Settings) -> None:
    """Nothing, when every setting says something that can be done. raises: InvalidInput naming the one that does not"""
    if settings.language not in LANGUAGES:
        raise InvalidInput(
            f"language is {settings.language!r}; choose one of {', '.join(LANGUAGES)}", setting="language"
        )
    for name, (least, most) in RANGES.items():
        if not least <= getattr(settings, name) <= most:
            raise InvalidInput(f"{name} is {getattr(settings, name)}; it lies between {least} and {most}", setting=name)
    for name, begins in SCHEMES.items():
        given = getattr(settings, name)
        if given and not given.startswith(begins):
            raise InvalidInput(f"{name} must begin with {' or '.join(begins)}", setting=name)
    if len(settings.secret_key) < KEY_LENGTH:
        raise InvalidInput(f"secret_key has fewer than {KEY_LENGTH} characters; it can be guessed", setting="secret_key")
    try:
        parse_many(settings.sign_in_limit or "1 per day")
    except ValueError:
        raise InvalidInput(
            f"sign_in_limit is {settings.sign_in_limit!r}; write it like 10 per minute, or nothing for no limit",
            setting="sign_in_limit",
        ) from None


def database_address(url: str, instance_path: Path) -> str:
    """The address with the driver we use; an empty one becomes SQLite in the instance folder."""
    if not url:
        return f"sqlite:///{instance_path / 'drafting.sqlite'}"
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    if url.startswith(("sqlite:///", "postgresql+psycopg://")):
        return url
    raise InvalidInput(
        f"the database address must begin with sqlite:/// or postgresql://; it begins with {url.split(':', 1)[0]!r}",
        setting="database_url",
    )


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} cannot be read: {error}", setting="config.toml") from None
    unknown = sorted(values.keys() - {one.name for one in fields(Settings)})
    if unknown:
        known = ", ".join(one.name for one in fields(Settings))
        raise InvalidInput(
            f"{path.name} has unknown settings {', '.join(unknown)}; known are {known}", setting=unknown[0]
        )
    return values


def _read(name: str, value: Any) -> Any:
    """The value in the type of its field."""
    kind = type(getattr(Settings(), name)) if name in {one.name for one in fields(Settings)} else None
    if kind is None:
        raise InvalidInput(f"there is no setting {name!r}", setting=name)
    if kind is bool and isinstance(value, str):
        if value.lower() in {"1", "true", "yes", "on"}:
            return True
        if value.lower() in {"0", "false", "no", "off", ""}:
            return False
        raise InvalidInput(f"{name} is {value!r}; write true or false", setting=name)
    if kind is int and not isinstance(value, bool):
        try:
            return int(value)
        except (TypeError, ValueError):
            raise InvalidInput(f"{name} is {value!r}; write a whole number", setting=name) from None
    if isinstance(value, kind) or (isinstance(value, Path) and issubclass(kind, Path)):
        return value
    raise InvalidInput(f"{name} is {value!r}; expected {kind.__name__}", setting=name)


def _secret_key(path: Path) -> str:
    """The key kept in the file; made when there is none, and by one process only when two start at once."""
    if not path.exists():
        new = path.with_name(f"secret_key.{os.getpid()}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        try:
            os.link(new, path)  # atomic: whole or not at all, and the first one wins
        except FileExistsError:
            pass
        finally:
            new.unlink()
    key = path.read_text(encoding="ascii").strip()
    if len(key) < KEY_LENGTH:
        raise InvalidInput(
            f"{path} holds fewer than {KEY_LENGTH} characters; remove it and a new key is made (everybody is signed out)",
            setting="secret_key",
        )
    return key

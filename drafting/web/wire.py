"""Every shape on the wire, HTTP and socket: what comes in as values, what goes out as JSON, errors as one body.

This is a door: an EngineError that what was sent causes becomes an InvalidInput here. Positions are UTF-16 code units,
texts ordinary Unicode, times ISO 8601 in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import without_controls
from drafting.errors import (
    Conflict,
    DraftingError,
    EngineError,
    InvalidChanges,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooLarge,
)
from drafting.services.access import Actor
from drafting.services.editing import MAX_UPDATES, Push
from drafting.services.heads import Stored

# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────

STATUS: dict[type[DraftingError], int] = {  # an error has the status of its nearest ancestor here
    InvalidInput: 400,
    TooLarge: 413,
    NotSignedIn: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    EngineError: 400,
}


def status_of(error: DraftingError) -> int:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def refusal(error: DraftingError) -> DraftingError:
    """The error as its sender should see it: an EngineError is their InvalidChanges."""
    if isinstance(error, EngineError):
        return InvalidChanges(error.message, **error.details)
    return error


def error_body(error: DraftingError, message: str | None = None) -> dict[str, Any]:
    """The one error body. message: in the reader's language; None keeps the English one."""
    shown = refusal(error)
    return {"error": {"code": shown.code, "message": message or shown.message, "details": jsonable(shown.details)}}


def error_answer(error: DraftingError) -> tuple[dict[str, Any], int]:
    """Body and status of an answer over HTTP, in the language of the request."""
    from drafting.web import words

    return error_body(error, words.error_text(refusal(error))), status_of(error)


INTERNAL = {"error": {"code": "internal", "message": "Something went wrong; it has been logged.", "details": {}}}


def jsonable(value: Any) -> Any:
    """The value as JSON has words for it."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(each) for each in value]
    if isinstance(value, datetime):
        return time(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


GREATEST = 2**31 - 1  # of ids, versions and positions: an integer of every database


def is_id(value: Any) -> bool:
    """Whether it can be an id."""
    return type(value) is int and 0 <= value <= GREATEST


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────


def json_of(data: bytes) -> Any:
    """What a body says. raises: InvalidInput when it is not JSON, or nested beyond all reason"""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidInput("the body is not JSON", field="") from None


def mapping(value: Any) -> Mapping[str, Any]:
    """The body of a request. raises: InvalidInput"""
    if not isinstance(value, dict):
        raise InvalidInput(f"send a JSON object, not {type(value).__name__}", field="")
    return value


LARGEST = 2**31 - 1  # of an id, a version or a position: what a column of PostgreSQL holds


def number(body: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A whole number ≥ 0 of the body. raises: InvalidInput when it is missing and there is no default"""
    value = body.get(name, default)
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise InvalidInput(f"{name} must be a whole number, not {value!r:.40}", field=name)
    return value


def maybe_number(body: Mapping[str, Any], name: str) -> int | None:
    return None if body.get(name) is None else number(body, name)


def numbers(body: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """A list of whole numbers, empty when it is missing. raises: InvalidInput"""
    value = body.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > 1000 or any(type(each) is not int or not 0 <= each <= LARGEST for each in value):
        raise InvalidInput(f"{name} must be a list of whole numbers", field=name)
    return tuple(value)


def words_of(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text of the body, without control characters that nobody sees, as the fields of a form are read.

    raises  InvalidInput when it is missing and there is no default, is not Unicode, or holds a NUL
    """
    value = body.get(name, default)
    if not isinstance(value, str):
        raise InvalidInput(f"{name} must be a text", field=name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{name} holds half a surrogate pair", field=name, why="not_text") from None
    if "\x00" in value:
        raise InvalidInput(f"{name} holds a NUL character", field=name, why="not_text")
    return without_controls(value)


def maybe_words(body: Mapping[str, Any], name: str) -> str | None:
    return None if body.get(name) is None else words_of(body, name)


def pairs(body: Mapping[str, Any], name: str) -> tuple[tuple[int, int], ...] | None:
    """A list of [suggestion, hunk]; None when it is missing. raises: InvalidInput"""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, list):
        raise InvalidInput(f"{name} must be a list of pairs", field=name)
    found = []
    for each in value:
        if not isinstance(each, list) or len(each) != 2 or any(type(one) is not int or not 0 <= one <= LARGEST for one in each):
            raise InvalidInput(f"{name} must be a list of pairs", field=name)
        found.append((each[0], each[1]))
    return tuple(found)


def update_of(value: Any) -> Update:
    """An update as an editor sends it. raises: InvalidInput, InvalidChanges"""
    body = mapping(value)
    changes = ChangeSet.from_json(body.get("changes"))
    for _, _, text in changes.replacements:
        if "\x00" in text:
            raise InvalidChanges("the changes insert a NUL character")
    return Update(words_of(body, "client"), number(body, "sequence"), changes)


def push_of(actor: Actor, value: Any) -> Push:
    """A push as an editor sends it. raises: InvalidInput, TooLarge"""
    body = mapping(value)
    updates = body.get("updates")
    if not isinstance(updates, list):
        raise InvalidInput("updates must be a list", field="updates")
    if len(updates) > MAX_UPDATES:
        raise TooLarge(f"a push has at most {MAX_UPDATES} updates, not {len(updates)}", limit=MAX_UPDATES)
    return Push(
        actor=actor,
        stream_id=number(body, "stream"),
        version=number(body, "version"),
        updates=tuple(update_of(each) for each in updates),
        origin_ids=tuple(sorted(set(numbers(body, "origins")))),
    )


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────


def stored_json(stored: Stored, names: Mapping[int, str]) -> dict[str, Any]:
    """A revision as editors receive it. names: {user: name} of its author"""
    author = stored.author_id
    return {
        "client": stored.client,
        "sequence": stored.sequence,
        "changes": stored.changes.to_json(),
        "author": None if author is None else {"id": author, "name": names.get(author, "")},
        "kind": stored.kind,
        "origins": list(stored.origins),
    }


def updates_json(
    stream_id: int, version: int, updates: Iterable[Stored], names: Mapping[int, str]
) -> dict[str, Any]:
    """The message `updates`. version: before the first of them"""
    return {"stream": stream_id, "version": version, "updates": [stored_json(each, names) for each in updates]}

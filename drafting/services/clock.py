"""The time that services write into rows. Tests and the demo set it; nothing else in the services reads a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_clock: ContextVar[Callable[[], datetime] | None] = ContextVar("drafting_clock", default=None)


def now() -> datetime:
    """The time now, aware, UTC; inside `set_to` the time that was set."""
    clock = _clock.get()
    return datetime.now(UTC) if clock is None else clock().astimezone(UTC)


@contextmanager
def set_to(moment: datetime | Callable[[], datetime]) -> Iterator[None]:
    """Within it `now()` is this moment, or what this function returns. Only for the thread (context) that sets it."""
    token = _clock.set(moment if callable(moment) else lambda: moment)
    try:
        yield
    finally:
        _clock.reset(token)

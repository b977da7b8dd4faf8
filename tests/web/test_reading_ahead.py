"""The reading ahead goes on without a rest while nobody is there, and gives way to whoever asks."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask

from drafting.web import live as lives


class Waits:
    """Stands for the event that a server stops by; tells how long was waited for it."""

    def __init__(self) -> None:
        self.told: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.told.append(seconds)
        return False

    def set(self) -> None:
        pass


def test_who_waits_for_a_page_or_types_is_known(app: Flask) -> None:
    live = app.extensions["live"]
    seen: list[bool] = []

    @app.before_request
    def look() -> None:
        seen.append(threading.get_ident() in live._awaited)

    before = live._asked_at
    app.test_client().get("/")
    assert seen == [True]
    assert live._awaited == set() and live._asked_at > before
    before = live._asked_at
    live.events.answering(lambda client, said: {})("a client that has left")
    assert live._asked_at > before


def test_it_rests_only_where_people_are(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    live: Any = app.extensions["live"]
    live.stop()  # the reading of this server itself
    waits = live._stopped = Waits()
    monkeypatch.setattr(lives, "MOST_REST", 0.0)
    live._asked_at = -1e9
    assert live._rest(10.0)
    assert waits.told == [lives.BREATH]
    live._awaited.add(1)
    assert live._rest(10.0)
    assert waits.told[1:] == [lives.REST * 10.0]

"""What the tests of services share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from drafting.services import clock
from tests import make


@pytest.fixture
def ticking() -> Iterator[None]:
    """A clock that goes on a minute at every look."""
    moment = make.NOON

    def tick() -> datetime:
        nonlocal moment
        moment += timedelta(minutes=1)
        return moment

    with clock.set_to(tick):
        yield

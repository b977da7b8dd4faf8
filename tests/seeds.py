"""Random tests that can be repeated: every case has its seed, and a failing one says which it was.

DRAFTING_PLAY says how many cases are played: `smoke` (the default) a few for every run, `full` the numbers that the
project promises.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

FULL = os.environ.get("DRAFTING_PLAY", "smoke") == "full"


def for_seeds(smoke: int, full: int, first: int = 0) -> Callable[[Callable[[random.Random], None]], Callable[[], None]]:
    """Makes a test of a function of a random generator: played once for each seed."""

    def decorate(play: Callable[[random.Random], None]) -> Callable[[], None]:
        def test() -> None:
            for seed in range(first, first + (full if FULL else smoke)):
                try:
                    play(random.Random(seed))
                except BaseException as error:
                    error.add_note(f"{play.__name__} failed with seed {seed}")
                    raise

        test.__name__ = play.__name__
        test.__doc__ = play.__doc__
        test.__module__ = play.__module__
        return test

    return decorate

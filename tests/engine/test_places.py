"""Where the open hunks are, in blocks, against a plain list of ranges."""

from __future__ import annotations

import random

import pytest

from drafting.engine import places as module
from drafting.engine.places import Place, Places
from tests.seeds import for_seeds


@pytest.fixture(autouse=True)
def tiny_blocks(monkeypatch):
    monkeypatch.setattr(module, "_FULL", 3)


def test_blocks_of_places_tell_what_a_plain_list_tells():
    @for_seeds(smoke=60, full=3_000)
    def play(rng: random.Random) -> None:
        places = Places()
        plain: dict[Place, list[int]] = {}
        length = rng.randint(0, 30)
        for _ in range(60):
            kind = rng.random()
            if kind < 0.4:
                at = rng.randint(0, length)
                for _ in range(rng.randint(1, 5)):  # those of a suggestion come in order
                    start = rng.randint(at, length)
                    at = end = rng.randint(start, length)
                    place = Place(len(plain), start, end)
                    places.add(place)
                    plain[place] = [start, end]
            elif kind < 0.6 and plain:
                place = rng.choice(list(plain))
                places.remove(place)
                assert [place.start, place.end] == plain.pop(place)
            else:
                start = rng.randint(0, length)
                end = rng.randint(start, length)
                near = [each for each, (s, e) in plain.items() if s <= end and e >= start]
                found = list(places.touching(start, end))
                assert len(found) == len(near) and set(found) == set(near)
                by = rng.randint(start - end, 3)
                for place in near:  # what is touched is lifted while main changes, as the index does
                    places.remove(place)
                places.shift(end, by)
                length += by
                for place, (s, e) in plain.items():
                    if s > end:
                        plain[place] = [s + by, e + by]
                for place in near:
                    at = min(plain[place][0], length)
                    plain[place] = [at, min(max(at, plain[place][1] + by), length)]
                    back = Place(place.owner, *plain[place])
                    plain[back] = plain.pop(place)
                    places.add(back)
            assert all([each.start, each.end] == told for each, told in plain.items())

    play()

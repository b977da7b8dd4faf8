"""The flow of proposals as a picture: where its nodes and bands lie, for a template that draws them as SVG.

Three columns: who asked, what it came to, where it stands in the text. Heights are numbers of proposals. No style is
written into the picture, only places and classes; the table beside it says the same in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drafting.services.matrix import Flow

WIDTH = 900
LEFT, MIDDLE, RIGHT = 214, 480, 690  # left edges of the three columns of nodes
THICK = 9
TALL = 400  # what all proposals together are high
GAP = 9
LABEL = 15  # the least room a label needs
HEAD = 32  # room above a node of the middle column for its label
STANDING = ("whole", "partly")


@dataclass(frozen=True, slots=True)
class Node:
    """A bar: its place, its size, its label with the number, its hue (None for the ones that are ink) and whether it stands.

    key  of what it counts: the value of a row, the code of an end, the id of a section
    """

    x: float
    y: float
    height: float
    label: str
    number: int
    hue: int | None
    stands: bool = True
    key: Any = None

    @property
    def middle(self) -> float:
        return round(self.y + self.height / 2 + 4, 1)


@dataclass(frozen=True, slots=True)
class Band:
    """A stream between two nodes: its outline, its hue, and what it says when one points at it."""

    path: str
    hue: int
    says: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole picture."""

    width: int
    height: int
    sources: tuple[Node, ...]
    ends: tuple[Node, ...]
    sections: tuple[Node, ...]
    bands: tuple[Band, ...]


def picture(
    flow: Flow,
    sources: Mapping[str, tuple[str, int]],
    ends: Mapping[str, Any],
    sections: Mapping[int | None, str],
    says: Callable[[str, str, int], str],
) -> Picture:
    """The picture of a flow.

    sources   value → (label, hue); ends: code → label; sections: id → label
    says      (from, to, proposals) → what a band says
    """
    total = sum(number for _, number in flow.ends)
    scale = TALL / total if total else 0.0
    order = [end for end, _ in flow.ends]
    shares = {value: float(sum(flow.left.get((value, end), 0) for end in order)) for value, _ in flow.sources}

    left, high_left = _stack([(value, shares[value] * scale) for value, _ in flow.sources], GAP, LABEL)
    middle, high_middle = _stack([(end, number * scale) for end, number in flow.ends], HEAD, HEAD + 4, above=HEAD - 12)
    right, high_right = _stack([(section, number * scale) for section, number in flow.sections], GAP, LABEL)
    height = max(high_left, high_middle, high_right, 60) + 16
    columns = []
    for places, high in ((left, high_left), (middle, high_middle), (right, high_right)):
        shift = 8 + (height - 16 - high) / 2
        columns.append({key: (y + shift, tall) for key, (y, tall) in places.items()})
    left, middle, right = columns

    bands = []
    into = {end: middle[end][0] for end in order}
    for value, _ in flow.sources:
        out = left[value][0]
        label, hue = sources[value]
        for end in order:
            share = float(flow.left.get((value, end), 0)) * scale
            if share:
                bands.append(
                    Band(
                        _band(LEFT + THICK, out, MIDDLE, into[end], share),
                        hue,
                        says(label, str(ends[end]), flow.left_counts[value, end]),
                    )
                )
                out, into[end] = out + share, into[end] + share
    arrives = {section: right[section][0] for section, _ in flow.sections}
    for end in order:
        out = middle[end][0]
        for section, _ in flow.sections:
            number = flow.right.get((end, section), 0)
            if number:
                path = _band(MIDDLE + THICK, out, RIGHT, arrives[section], number * scale)
                bands.append(Band(path, 0, says(str(ends[end]), sections[section], number)))
                out, arrives[section] = out + number * scale, arrives[section] + number * scale
    return Picture(
        WIDTH,
        round(height),
        tuple(_node(LEFT, left[value], sources[value][0], number, sources[value][1], key=value) for value, number in flow.sources),
        tuple(_node(MIDDLE, middle[end], str(ends[end]), number, None, end in STANDING, end) for end, number in flow.ends),
        tuple(_node(RIGHT, right[section], sections[section], number, None, key=section) for section, number in flow.sections),
        tuple(bands),
    )


def _stack(
    parts: list[tuple[Any, float]], gap: float, room: float, above: float = 0
) -> tuple[dict[Any, tuple[float, float]], float]:
    """{key: (top, height)} of nodes one under the other, and how high they are together."""
    places = {}
    at = above
    for key, height in parts:
        slot = max(height + gap, room)
        places[key] = (at + (slot - gap - height) / 2, height)
        at += slot
    return places, max(0.0, at - gap)


def _node(x: int, place: tuple[float, float], label: str, number: int, hue: int | None, stands: bool = True, key: Any = None) -> Node:
    return Node(x, round(place[0], 1), round(max(place[1], 1.5), 1), label, number, hue, stands, key)


def _band(x0: float, y0: float, x1: float, y1: float, height: float) -> str:
    middle = (x0 + x1) / 2
    a, b, c, d = (round(each, 1) for each in (y0, y1, y1 + height, y0 + height))
    return f"M{x0} {a}C{middle} {a} {middle} {b} {x1} {b}V{c}C{middle} {c} {middle} {d} {x0} {d}Z"

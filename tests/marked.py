"""Texts with their positions marked in them, so that nobody counts characters in a test."""

from __future__ import annotations

from drafting.engine.text import to_units


def marked(text: str, marks: str = "<>|") -> tuple:
    """The text without its marks, in units form, and the position of each mark, in order.

    marks    the characters that are marks; give others when the text needs these
    example  text, start, end = marked("one <two> three")
    """
    parts: list[str] = []
    positions: list[int] = []
    pos = 0
    for character in to_units(text):
        if character in marks:
            positions.append(pos)
        else:
            parts.append(character)
            pos += 1
    return "".join(parts), *positions

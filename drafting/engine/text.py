"""Text in UTF-16 code units, and the only places where it becomes that or stops being that.

Inside the engine a text is a `str` in **units form**: a character outside the Basic Multilingual Plane stands as its
two surrogate code points, so `len` and slices count UTF-16 code units, as JavaScript and every number in Drafting do.
A text without such characters is the same in both forms, and both conversions hand it back as it is.

Units form has no CR (lines end with LF, made so once, at the door) and no surrogate without its partner. It must
never leave the engine: it cannot be encoded as UTF-8, so a forgotten `from_units` is loud.
"""

from __future__ import annotations

import re

from drafting.errors import EngineError, InvalidInput, PositionError

# What units form must not contain: CR, an undivided astral character, half a pair.
_STRANGE = re.compile(
    "[\r\U00010000-\U0010ffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]"
)
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LINE_END = re.compile("\r\n?")
_PAGE_END = re.compile("[\x0b\x0c]")  # a line or a page ends, where words are copied from Word or a PDF
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff]")  # nobody sees them, and no file of XML holds them


def normalise(text: str) -> str:
    """The text with every CR LF and every CR made one LF, as CodeMirror reads text. raises InvalidInput for no text"""
    _check_text(text)
    return _LINE_END.sub("\n", text) if "\r" in text else text


def without_controls(text: str) -> str:
    """Words as they were typed or pasted, without the control characters that come along unseen; TAB and LF stay."""
    return _CONTROL.sub("", _PAGE_END.sub("\n", text))


def to_units(text: str, *, normalising: bool = False) -> str:
    """Ordinary Unicode in units form.

    normalising   make every line end LF first; otherwise a CR is refused
    raises        InvalidInput for a lone surrogate or a CR; the message names the code point and its index
    law           from_units(to_units(t)) == t
    """
    _check_text(text)
    if normalising:
        text = normalise(text)
    elif "\r" in text:
        raise InvalidInput(
            f"CR at index {text.index(chr(13))} of the text: line ends must be LF, normalise them first.",
            index=text.index("\r"),
        )
    return text if units_length(text) == len(text) else _ASTRAL.sub(_halves, text)


def from_units(units: str) -> str:
    """Units form as ordinary Unicode.

    raises   EngineError for half a surrogate pair; it cannot arise from sound changes
    """
    if not isinstance(units, str):
        raise EngineError(f"A text in units form is a str, not {type(units).__name__}.")
    if units.isascii():
        return units
    try:
        text = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        pos = error.start // 2
        raise EngineError(
            f"U+{ord(units[pos]):04X} at {pos} of {len(units)} code units is half a surrogate pair.", position=pos
        ) from None
    return units if len(text) == len(units) else text


def units_length(text: str) -> int:
    """Number of UTF-16 code units of ordinary Unicode. raises InvalidInput for a lone surrogate"""
    _check_text(text)
    if text.isascii():
        return len(text)
    try:
        return len(text.encode("utf-16-le")) // 2
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"Lone surrogate U+{ord(text[error.start]):04X} at index {error.start}: the text is not Unicode.",
            index=error.start,
        ) from None


def units_offset(text: str, index: int) -> int:
    """Where the code point at `index` of ordinary Unicode begins, in code units.

    index    0 ≤ index ≤ number of code points
    raises   PositionError when it is outside
    """
    _check_text(text)
    if type(index) is not int or not 0 <= index <= len(text):
        raise PositionError(f"Index {index} is outside a text of {len(text)} code points.", position=index)
    return units_length(text[:index])


def code_point_index(units: str, pos: int) -> int:
    """Which code point of the text begins at `pos`, a position in units form.

    raises   PositionError when `pos` is outside the text or inside a surrogate pair
    """
    check_position(units, pos)
    return pos - len(_PAIR.findall(units, 0, pos))


def check_units(units: str) -> None:
    """Nothing, when the text is in units form.

    raises   EngineError naming the first code point that is not: CR, astral, or half a pair
    """
    if not isinstance(units, str):
        raise EngineError(f"A text in units form is a str, not {type(units).__name__}.")
    if units.isascii() and "\r" not in units:
        return
    strange = _STRANGE.search(units)
    if strange:
        raise EngineError(
            f"U+{ord(strange[0]):04X} at {strange.start()} cannot stand in a text of {len(units)} code units: "
            "lines end with LF, and surrogates come in pairs (see to_units).",
            position=strange.start(),
        )


def check_position(units: str, pos: int) -> None:
    """Nothing, when `pos` is a place in the text.

    raises   PositionError when it is outside the text or between the halves of a surrogate pair
    """
    if type(pos) is not int or not 0 <= pos <= len(units):
        raise PositionError(f"Position {pos} is outside a text of {len(units)} code units.", position=pos)
    if cuts_pair(units, pos):
        raise PositionError(f"Position {pos} is between the halves of a surrogate pair.", position=pos)


def cuts_pair(units: str, pos: int) -> bool:
    """True when `pos` lies between the halves of a surrogate pair."""
    return 0 < pos < len(units) and "\udc00" <= units[pos] <= "\udfff" and "\ud800" <= units[pos - 1] <= "\udbff"


def split_lines(units: str) -> list[str]:
    """The lines of a text, without their LF; a text always has at least one. Other separators are characters."""
    return units.split("\n")


def join_lines(lines: list[str]) -> str:
    """The text that has these lines."""
    return "\n".join(lines)


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise InvalidInput(f"A text is a str, not {type(text).__name__}.")


def _halves(match: re.Match[str]) -> str:
    offset = ord(match[0]) - 0x10000
    return chr(0xD800 + (offset >> 10)) + chr(0xDC00 + (offset & 0x3FF))

"""A text in word tokens and in blocks, for the comparison of two texts.

A token is what a reader takes as one thing: a word, a number or date (`1.000,50`, `12.05.2027`), a run of blanks, one
line end, one sign. Combining marks, surrogate pairs and emoji sequences stay whole, so a border between tokens never
lies inside a word, a number or a character. Tokens joined are the text.

A block is what Markdown and Polish acts set apart by lines: a paragraph, a heading, a list item or numbered unit, a
table row; blank lines after it belong to it. Blocks joined are the text. Texts are in units form.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable


def _marks() -> str:
    """The characters of the BMP that stand on the one before them, as the inside of a regex class."""
    ranges: list[list[int]] = []
    for code in range(0x300, 0xFFFE):
        if not 0xD800 <= code <= 0xDFFF and unicodedata.category(chr(code)) in ("Mn", "Mc", "Me"):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\u{low:04x}-\\u{high:04x}" for low, high in ranges)


_M = f"[{_marks()}\u200d]"
_PAIR = "[\ud800-\udbff][\udc00-\udfff]"
_BLANK = " \t\u00a0\u2000-\u200a\u202f\u3000"
# An emoji may be followed by a skin tone, a variation sign, or a joiner and the next emoji; a flag is two letters.
_EMOJI = (
    f"(?:\ud83c[\udde6-\uddff]){{2}}{_M}*|{_PAIR}(?:\ud83c[\udffb-\udfff]|{_M}|(?<=\u200d)(?:{_PAIR}|[\u2000-\u2bff]))*"
)
_WORD = f"(?:[^\\W_]+{_M}*|(?<=[0-9])[.,:/-](?=[0-9])|(?<=[^\\W_])['’](?=[^\\W_]))+"
_TOKEN = re.compile(f"{_WORD}|[{_BLANK}]+{_M}*|\n|{_EMOJI}|.{_M}*", re.DOTALL)

# A line that begins a block whatever stands before it.
_BEGINS = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]|[-*+–—][ \t]|[|>]|§|```|Art\."
    r"|\d{1,9}[a-z]?\\?[.)](?:[ \t]|$)|\(\d+[a-z]?\)[ \t]|[a-z]{1,2}\\?\)[ \t])"
)

WORD = re.compile(r"[^\W_]")


def tokens(text: str) -> list[str]:
    """The tokens of a text in order."""
    return _TOKEN.findall(text)


def split_blocks(text: str) -> list[str]:
    """The blocks of a text in order, each with its line ends and the blank lines after it."""
    blocks: list[str] = []
    current: list[str] = []
    ended = False
    for line in text.split("\n"):
        blank = not line or line.isspace()
        if current and not blank and (ended or _BEGINS.match(line)):
            blocks.append("\n".join(current) + "\n")
            current = []
        current.append(line)
        ended = blank and not (len(current) == 1 and not blocks)
    blocks.append("\n".join(current))
    return blocks if blocks[-1] else blocks[:-1]


def begins_block(text: str, pos: int) -> bool:
    """True when a block begins at `pos`, the start of a line: after a blank line, or by its own sign."""
    if pos == 0:
        return True
    if text[pos - 1] != "\n":
        return False
    return pos == 1 or text[pos - 2] == "\n" or _BEGINS.match(text, pos) is not None


class Alphabet:
    """One character for each different token, so that a list of tokens can be compared as a string."""

    def __init__(self) -> None:
        self._codes: dict[str, str] = {}

    def encode(self, words: Iterable[str]) -> str:
        codes = self._codes
        out = []
        for word in words:
            code = codes.get(word)
            if code is None:
                number = len(codes) + 1
                code = codes[word] = chr(number if number < 0xD800 else number + 0x800)
            out.append(code)
        return "".join(out)

    # More different tokens than code points cannot come from a text that is small enough to be stored.
    limit = sys.maxunicode - 0x801

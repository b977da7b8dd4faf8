"""A Markdown text as what Word is made of: paragraphs and tables of characters that know where they came from.

A `Character` is one code point of a run with its place in the source text (units) and its look. A paragraph's mark has
a place too: the end of its last line. Numbers of list items are characters like others ("1." and a tab), so that a
change of a number is a tracked change and the printed number is the one that the act has; bullets are Word's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from drafting.engine.text import to_units
from drafting.formats.markdown import Token, parse


class Look(NamedTuple):
    """How a run looks."""

    bold: bool = False
    italic: bool = False
    struck: bool = False
    code: bool = False
    raised: bool = False
    href: str = ""


PLAIN = Look()


class Character(NamedTuple):
    """One code point, or LF for a line break inside a paragraph; place: where it stands in the source, units."""

    text: str
    place: int
    look: Look


@dataclass(slots=True)
class Paragraph:
    """characters, a style's name as Word stores it ("Heading 1", "List Bullet"), indent in steps, its mark's place."""

    characters: list[Character]
    style: str = "Normal"
    indent: int = 0
    hanging: bool = False
    mark: int = 0


@dataclass(slots=True)
class TableBlock:
    """Rows of cells; every cell is a list of one paragraph. `start` and `end` are its lines in the source."""

    rows: list[list[Paragraph]]
    places: list[int] = field(default_factory=list)
    end: int = 0


Block = Paragraph | TableBlock
_NUMBER = re.compile(r"(\d{1,9}\\?[.)])(\s+|$)")


def paragraphs(text: str) -> tuple[list[Block], list[Block]]:
    """The blocks of a Markdown text, and those of its footnotes, which stand at the end."""
    units = to_units(text, normalising=True)
    reader = _Reader(units, parse(text))
    return reader.blocks, reader.notes


class _Reader:
    """Walks the tokens once; keeps the open lists and the indent they make."""

    def __init__(self, units: str, tokens: Sequence[Token]) -> None:
        self.units = units
        self.starts = [0]
        for line in units.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.blocks: list[Block] = []
        self.notes: list[Block] = []
        self.lists: list[Token] = []
        self.item: Token | None = None
        self.quotes = 0
        self.style = "Normal"
        self.end = 0
        self.note = ""
        self._walk(tokens)

    def _walk(self, tokens: Sequence[Token]) -> None:
        table: TableBlock | None = None
        for token in tokens:
            kind = token.type
            if token.map:
                self.end = min(self.starts[token.map[1]] - 1, len(self.units))
                while self.end > 0 and token.nesting >= 0 and self.units[self.end - 1 : self.end] == "\n":
                    self.end -= 1  # blank lines after a block are not its own
            if kind == "heading_open":
                self.style = f"Heading {token.tag[1]}"
            elif kind in ("bullet_list_open", "ordered_list_open"):
                self.lists.append(token)
            elif kind in ("bullet_list_close", "ordered_list_close"):
                self.lists.pop()
            elif kind == "list_item_open":
                self.item = token
            elif kind in ("blockquote_open", "blockquote_close"):
                self.quotes += token.nesting
            elif kind == "table_open":
                table = TableBlock([], [], 0)
            elif kind == "tr_open" and table is not None:
                table.rows.append([])
                table.places.append(self.starts[token.map[0]] if token.map else 0)
            elif kind == "table_close" and table is not None:
                table.end = self.end
                self._add(table)
                table = None
            elif kind == "footnote_open":
                self.note = f"[{token.meta['id'] + 1}] "
            elif kind == "footnote_block_close":
                self.note = ""
            elif kind == "inline":
                characters = list(_characters(token.children or (), self._first_place(token), self.units))
                if table is not None:
                    table.rows[-1].append(Paragraph(characters, mark=self._mark(characters)))
                else:
                    self._add_paragraph(characters)
            elif kind in ("fence", "code_block"):
                code = Look(code=True)
                content = token.content.rstrip("\n")
                at = token.meta.get("at", [])
                self._add_paragraph([Character(c, p, code) for c, p in zip(content, at, strict=False)])
            elif kind == "hr":
                place = self.starts[token.map[0]] if token.map else 0
                self._add_paragraph([Character("—", place + i, PLAIN) for i in range(3)])

    def _first_place(self, token: Token) -> int:
        return self.starts[token.map[0]] if token.map else self.end

    def _mark(self, characters: list[Character]) -> int:
        return characters[-1].place + 1 if characters else self.end

    def _add(self, block: Block) -> None:
        (self.notes if self.note else self.blocks).append(block)

    def _add_paragraph(self, characters: list[Character]) -> None:
        indent, hanging, style = len(self.lists) + self.quotes, False, self.style
        if self.quotes and style == "Normal":
            style = "Quote"
        if self.item is not None and self.lists:
            if self.lists[-1].type == "bullet_list_open":
                depth = sum(1 for t in self.lists if t.type == "bullet_list_open")
                style, indent = ("List Bullet" if depth == 1 else f"List Bullet {min(depth, 3)}"), 0
            else:
                characters, hanging = self._number(characters) + characters, True
            self.item = None
        if self.note:
            first = characters[0].place if characters else self.end
            characters = [Character(c, first, PLAIN) for c in self.note] + characters
            self.note = " "  # said once; what follows is still of the notes
        self._add(Paragraph(characters, style, indent, hanging, self._line_end(characters)))
        self.style = "Normal"

    def _line_end(self, characters: list[Character]) -> int:
        """The end of the line that the paragraph's last character stands on."""
        if not characters:
            return self.end
        end = self.units.find("\n", characters[-1].place)
        return len(self.units) if end < 0 else end

    def _number(self, characters: list[Character]) -> list[Character]:
        """The item's number as it is written before its words, and a tab."""
        item = self.item
        assert item is not None
        start = self.starts[item.map[0]] if item.map else 0
        first = characters[0].place if characters else self.end
        written = f"{item.info}{item.markup}"
        found = self.units.find(written, start, max(first, start + len(written)))
        place = found if found >= 0 else start
        number = [Character(c, place + i, PLAIN) for i, c in enumerate(written)]
        return [*number, Character("\t", place + len(written), PLAIN)]


def _characters(children: Sequence[Token], first: int, units: str) -> Iterator[Character]:
    """The characters of inline tokens; what has no place of its own takes that of the one before."""
    bold = italic = struck = 0
    href, place = "", first
    for n, child in enumerate(children):
        kind = child.type
        if kind in ("strong_open", "strong_close"):
            bold += child.nesting
        elif kind in ("em_open", "em_close"):
            italic += child.nesting
        elif kind in ("s_open", "s_close"):
            struck += child.nesting
        elif kind == "link_open":
            href = str(child.attrGet("href") or "")
        elif kind == "link_close":
            href = ""
        look = Look(bold > 0, italic > 0, struck > 0, kind == "code_inline", kind == "footnote_ref", href)
        if kind in ("text", "code_inline"):
            at = child.meta.get("at") or []
            at = at[len(at) - len(child.content) :] if len(at) > len(child.content) else at
            for i, character in enumerate(child.content):
                place = at[i] if i < len(at) else place
                yield Character(" " if character == "\u00a0" else character, place, look)
        elif kind == "softbreak":
            following = children[n + 1].content if n + 1 < len(children) else ""
            lettered = re.match(r"(?:[a-z]{1,2}\)|[–—])\s", following)
            place = max(units.find("\n", place), place)
            yield Character("\n" if lettered else " ", place, look)
        elif kind == "hardbreak":
            place = max(units.find("\n", place), place)
            yield Character("\n", place, look)
        elif kind == "footnote_ref":
            for character in f"[{child.meta['id'] + 1}]":
                yield Character(character, place, look)
        elif kind == "image":
            yield from _characters(child.children or (), place, units)
        elif kind == "html_inline":  # the box of a task
            yield Character("☒" if "checked=" in child.content else "☐", place, look)

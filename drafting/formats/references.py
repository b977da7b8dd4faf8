"""Where a passage stands, as people cite it: "§ 4 ust. 2 pkt 3", its block, its sentence; and the sections of a text.

Polish acts number by the line: `§ 4.` (or `Art. 4.`), under it `1.` (ust.), `1)` (pkt), `a)` (lit.), `–` (tiret),
above it `Rozdział 2`; `(1)` is ust. too, as in German laws. The marks may stand in headings, in bold, or run on in one
line ("§ 4. 1. Miasto …"). Texts are ordinary Unicode, positions UTF-16 code units. Reads lines, not markup.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from drafting.engine.text import from_units, to_units
from drafting.errors import InvalidFile, PositionError
from drafting.formats.markdown import LONGEST_TEXT, Block, blocks, outline, plain_text

_HEADING = re.compile(r"[ ]{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_CHAPTER = re.compile(
    r"(Rozdział|Dział|Część|Tytuł|Oddział|Załącznik(?: nr)?)\s+([0-9]+[a-z]*|[IVXLCDM]+)\b\.?", re.IGNORECASE
)
_PARAGRAPH = re.compile(r"(?:(§)\s*|(Art)\.\s*)(\d+[a-z]*)\b\.?", re.IGNORECASE)
_ITEM = re.compile(r"\(?(\d+[a-z]*)(\\?[.)])(?:\s+|$)")
_LETTER = re.compile(r"([a-z]{1,2})\\?\)\s+")
_DASH = re.compile(r"[–—]\s+")
_BULLET = re.compile(r"(?:[-*+]|>)\s+")
_SHORT = {
    "Rozdział": "rozdz.",
    "Dział": "dział",
    "Część": "część",
    "Tytuł": "tytuł",
    "Oddział": "oddz.",
    "Załącznik": "zał.",
}

# Words after which a full stop ends no sentence.
_SHORTENED = """
art ust pkt lit poz nr str r w ww m.in in np tj itd itp tzw tzn dz u z ul al pl os zł gr tys mln mld ok godz rozdz zał
prof dr mgr inż hab im św wg zob por cd ds red sp tel br ub abs nt pn ps s v vgl bzw
"""
_ABBREVIATIONS = frozenset(_SHORTENED.split())
_STOP = re.compile(r"[.!?…]+[\"”»’)\]*_]*(?=\s+[\"„«(\[*_]*[A-ZĄĆĘŁŃÓŚŹŻÄÖÜ0-9§])")


@dataclass(frozen=True, slots=True)
class Part:
    """A section of an imported text; `text` is what stands from `start` to `end` (units)."""

    title: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Parts:
    """A text in sections; `title` is that of a heading that stands alone above them, which is then in no part."""

    title: str
    parts: tuple[Part, ...]


@dataclass(slots=True)
class _Place:
    """The numbering that is in force while lines are read."""

    chapter: str = ""
    heading: str = ""
    paragraph: str = ""
    item: str = ""
    point: str = ""
    letter: str = ""
    dash: int = 0

    def label(self) -> str:
        numbers = [
            self.item and f"ust. {self.item}" if self.paragraph else self.item and f"pkt {self.item}",
            self.point and f"pkt {self.point}",
            self.letter and f"lit. {self.letter}",
            self.dash and f"tiret {self.dash}",
        ]
        top = self.paragraph or self.heading or self.chapter
        inner = " ".join(n for n in numbers if n)
        if top and inner:
            return f"{top} {inner}" if self.paragraph else f"{top}, {inner}"
        return top or inner


def unit_at(text: str, pos: int) -> str:
    """How the place is cited, "§ 4 ust. 2 pkt 3"; under no numbering the nearest heading; empty above everything.

    raises   PositionError when `pos` is outside the text
    """
    starts, labels, length = _units_of(text)
    if not 0 <= pos <= length:
        raise PositionError(f"Position {pos} is outside a text of {length} code units.", position=pos)
    i = bisect_right(starts, pos) - 1
    return labels[i] if i >= 0 else ""


def block_at(text: str, start: int, end: int | None = None) -> tuple[int, int]:
    """The range of the leaf blocks that the range touches; an empty range between blocks gives the next one."""
    end = start if end is None else end
    found = _blocks_of(text)
    touched = [b for b in found if b.start <= max(end - (end > start), start) and b.end >= start]
    if not touched:
        touched = [b for b in found if b.start >= start][:1] or list(found[-1:])
    if not touched:
        return 0, len(to_units(text, normalising=True))
    return min(b.start for b in touched), max(b.end for b in touched)


def sentence_at(text: str, start: int, end: int | None = None) -> tuple[int, int]:
    """The range of the sentences that the range touches, not beyond its blocks; list signs are left out."""
    end = start if end is None else end
    low, high = block_at(text, start, end)
    units = to_units(text, normalising=True)
    borders = [low + _signs_length(units[low:high])]
    for match in _STOP.finditer(units, low, high):
        word = re.search(r"[\w.]*\Z", units[max(low, match.start() - 12) : match.start()])
        before = word[0].lower().strip(".") if word else ""
        single = len(before) == 1 and before.isalpha()
        ordinal = before.isdigit() and match[0] == "."
        if match[0].startswith(".") and (before in _ABBREVIATIONS or single or ordinal):
            continue
        after = match.end()
        while after < high and units[after].isspace():
            after += 1
        borders.append(after)
    borders.append(high)
    first = max((b for b in borders[:-1] if b <= start), default=borders[0])
    last = min((b for b in borders[1:] if b >= max(end, first + 1)), default=high)
    while last > first and units[last - 1].isspace() and last > end:
        last -= 1
    return min(first, start) if start >= low else first, max(last, min(end, high))


# How files begin that are no text though people have theirs in them.
OTHER_FILES = {
    b"PK\x03\x04": "a Word or OpenDocument file",
    b"\xd0\xcf\x11\xe0": "a Word file of an old kind",
    b"%PDF-": "a PDF",
}


def read_sections(content: bytes) -> Parts:
    """The sections of a Markdown file.

    raises  InvalidFile with `why`: encoding (`at` is the byte that is wrong), nul (`at` is the character), long, empty
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = next((name for sign, name in OTHER_FILES.items() if content.startswith(sign)), "")
        said = f"is {kind}, not Markdown; save its text" if kind else f"is not UTF-8: byte {error.start} is wrong; save it"
        raise InvalidFile(f"{said} as UTF-8", field="file", why="encoding", at=error.start) from None
    if "\0" in text:
        at = text.index("\0")
        raise InvalidFile(
            f"is not a text: character {at} is NUL; save it as UTF-8", field="file", why="nul", at=at
        )
    if len(text) > LONGEST_TEXT:
        raise InvalidFile(
            f"has {len(text)} characters; a file has at most {LONGEST_TEXT}: split it into several",
            field="file", why="long", length=len(text), limit=LONGEST_TEXT,
        )  # fmt: skip
    found = split_sections(text)
    if not found.parts:
        raise InvalidFile("has no text", field="file", why="empty")
    return found


def split_sections(text: str) -> Parts:
    """The text in sections: by the highest heading level that occurs twice, else by chapters, else by paragraphs (§).

    law   the parts' texts joined are the text, less a lone title above them
    """
    units = to_units(text, normalising=True)
    text = from_units(units)
    headings = outline(text)
    borders: list[tuple[int, str]] = []
    for level in range(1, 7):
        at_level = [h for h in headings if h.level == level]
        if len(at_level) > 1:
            borders = [(h.start, h.title) for h in headings if h.level <= level]
            break
    if not borders:
        borders = _numbered_borders(units, _CHAPTER) or _numbered_borders(units, _PARAGRAPH)
    if not borders and headings:
        first = headings[0]
        alone = len(headings) > 1 and not units[: first.start].strip() and _is_heading_alone(units[first.start : headings[1].start])
        borders = [(h.start, h.title) for h in headings[: 1 + alone]]  # a title and one section, or one section
    if not borders:
        return Parts("", (Part(_first_words(text), 0, len(units), text),) if units.strip() else ())
    title = ""
    above, below = units[: borders[0][0]], units[borders[0][0] : borders[1][0]] if len(borders) > 1 else ""
    if below and not above.strip() and _is_heading_alone(below):
        title = borders.pop(0)[1]  # a heading alone above the first section is the document's title
    elif above.strip():
        borders.insert(0, (0, ""))
    else:
        borders[0] = (0, borders[0][1])
    parts = []
    for i, (start, name) in enumerate(borders):
        end = borders[i + 1][0] if i + 1 < len(borders) else len(units)
        piece = from_units(units[start:end])
        parts.append(Part(name or _first_words(piece), start, end, piece))
    return Parts(title, tuple(parts))


def _is_heading_alone(units: str) -> bool:
    """Whether there is a heading and nothing under it; the heading may be underlined."""
    return re.fullmatch(r"[^\n]+(?:\n=+|\n-+)?", units.strip()) is not None


def _first_words(text: str) -> str:
    """The first line that has words, as a title for a part without heading."""
    for line in text.split("\n"):
        if re.search(r"\w", line):
            return plain_text(line)[:80]
    return ""


def _numbered_borders(units: str, pattern: re.Pattern[str]) -> list[tuple[int, str]]:
    borders, pos = [], 0
    lines = units.split("\n")
    for i, line in enumerate(lines):
        bare = line.strip().strip("*_").strip()
        match = pattern.match(bare)
        if match:
            name = bare.rstrip(".")
            if match.end() >= len(bare.rstrip(".")) and i + 1 < len(lines) and pattern is _CHAPTER:
                below = next((other.strip() for other in lines[i + 1 : i + 3] if other.strip()), "")
                if below and not _PARAGRAPH.match(below):
                    name = f"{name} {below}"
            borders.append((pos, plain_text(from_units(name))[:120]))
        pos += len(line) + 1
    return borders if len(borders) > 1 else []


@lru_cache(maxsize=32)
def _blocks_of(text: str) -> tuple[Block, ...]:
    return blocks(text)


@lru_cache(maxsize=32)
def _units_of(text: str) -> tuple[list[int], list[str], int]:
    """Where the citation changes, and to what; a mark counts from the start of its line, or where it stands in it."""
    units = to_units(text, normalising=True)
    starts: list[int] = []
    labels: list[str] = []
    place, pos, level = _Place(), 0, 0
    previous = ("", "")
    for line in units.split("\n"):
        rest, offset = line, 0
        heading = _HEADING.match(line)
        if heading:
            rest = heading[2]
            offset = heading.start(2)
            bare = rest.strip("*_ ")
            if not _PARAGRAPH.match(bare):
                deeper = bool(place.paragraph) and len(heading[1]) > level
                if not deeper:
                    place = _Place(chapter=place.chapter)
                place.heading = "" if deeper else plain_text(from_units(rest))
                level = level if deeper else len(heading[1])
                chapter = _CHAPTER.match(bare)
                if chapter:
                    short = next((v for k, v in _SHORT.items() if chapter[1].lower().startswith(k.lower())), chapter[1])
                    place = _Place(chapter=f"{short} {chapter[2]}")
                previous = ("", "")
            else:
                level = len(heading[1])
        first = True
        while rest:
            skipped = len(rest) - len(rest.lstrip(" \t*_>" if first else " \t*_"))
            rest, offset = rest[skipped:], offset + skipped
            if first and not heading and (match := _BULLET.match(rest)):
                rest, offset = rest[match.end() :], offset + match.end()
                continue
            taken = _advance(place, rest, previous, first)
            if taken is None:
                break
            match, previous = taken
            starts.append(pos if first else pos + offset)
            labels.append(place.label())
            first = False
            rest, offset = rest[match.end() :], offset + match.end()
            if heading:
                break
        if heading and first:
            starts.append(pos)
            labels.append(place.label())
        pos += len(line) + 1
    return starts, labels, len(units)


def _advance(
    place: _Place, rest: str, previous: tuple[str, str], first: bool
) -> tuple[re.Match[str], tuple[str, str]] | None:
    """Reads one mark at the start of `rest` into the place; None when there is none."""
    if first and (match := _CHAPTER.match(rest)) and len(rest) < 120:
        short = next((v for k, v in _SHORT.items() if match[1].lower().startswith(k.lower())), match[1])
        _set(place, chapter=f"{short} {match[2]}", heading="", paragraph="", item="", point="", letter="", dash=0)
        return match, ("", "")
    if (
        first
        and (match := _PARAGRAPH.match(rest))
        and not re.match(r"\s*(?:ust|pkt|ustawy|i|oraz|,)\b", rest[match.end() :])
    ):
        name = f"§ {match[3]}" if match[1] else f"art. {match[3]}"
        _set(place, paragraph=name, item="", point="", letter="", dash=0)
        return match, ("", "")
    if match := _ITEM.match(rest):
        number = match[1]
        in_brackets = rest.startswith("(")
        if match[2].endswith(".") or in_brackets:
            if place.item and number == previous[1] == "1" and previous[0] == "item" and place.item.isdigit():
                number = str(int(place.item) + 1)  # Markdown counts on when every item is written "1."
            _set(place, item=number, point="", letter="", dash=0)
            return match, ("item", match[1])
        if place.point and number == previous[1] == "1" and previous[0] == "point" and place.point.isdigit():
            number = str(int(place.point) + 1)
        _set(place, point=number, letter="", dash=0)
        return match, ("point", match[1])
    if (place.paragraph or place.point or place.item) and (match := _LETTER.match(rest)):
        _set(place, letter=match[1], dash=0)
        return match, previous
    if first and (place.letter or place.point) and (match := _DASH.match(rest)):
        place.dash += 1
        return match, previous
    return None


def _set(place: _Place, **values: str | int) -> None:
    for name, value in values.items():
        setattr(place, name, value)


def _signs_length(line: str) -> int:
    """Length of the signs a block begins with: heading, list, quotation, table."""
    match = re.match(r"(?:\s|#{1,6}\s|>|[-*+]\s|\d{1,9}[.)]\s|[a-z]{1,2}\)\s|\|)*", line)
    return match.end() if match else 0

"""Markdown as people see it: safe HTML, the outline, sections, and HTML with marked ranges of the source.

With markdown_sources.py the only file that knows markdown_it. CommonMark with tables, strikethrough, footnotes and
task lists; raw HTML is off, links go to http, https, mailto, # and relative addresses only, and nh3 cleans the result
once more. Every block says which source lines it came from: `data-l="start-end"`, lines 0-based and half-open.
Positions that go in or come out count UTF-16 code units of the text; texts are ordinary Unicode.

How marks get into HTML. The inline parser is made to remember, for every character it puts out, the place in the
source that the character came from (`Token.meta["at"]`); Markdown's own signs put out nothing. A mark is then written
around characters of single text tokens, never around tags. So whatever the marks are, the HTML is well-formed, and
without the marks it is the HTML of the plain text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from html import escape
from html.parser import HTMLParser
from itertools import accumulate
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, linkify
from markdown_it.token import Token as Token  # for the writers of other formats
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from drafting.engine.text import cuts_pair, from_units, normalise, to_units
from drafting.errors import PositionError, TooLarge
from drafting.formats.markdown_sources import remember_sources

LONGEST_TEXT = 1_000_000  # characters; the longest law of the corpus has 170,000
LONGEST_HTML = 12_000_000  # characters; footnote references can make 33 times their own length
WIDEST_TABLE = 60  # columns; 12,000 columns took a second
LONGEST_SCHEME = 40  # characters before a colon that are looked through for "https"

_ALLOWED_LINK = re.compile(r"(?:https?:|mailto:|#|/|\?|\.{0,2}/|[^:/?#\s]*(?:[/?#]|$))", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?:class|title|tabindex|role|data-[a-z0-9-]+|aria-[a-z]+)\Z")
_MARK_TAGS = frozenset({"ins", "del", "span", "mark"})
# Polish typography: no line ends after a one-letter word or between a mark of reference and its number.
_BOUND = re.compile(
    r"(?<!\w)([aiouwzAIOUWZ]|§{1,2}|(?:[Uu]st|[Aa]rt|[Ll]it|[Pp]oz|[Nn]r|[Pp]kt|[Rr]ozdz|[Ss]tr)\.?) (?=\S|\Z)"
)
_LETTERED = re.compile(r"(?:[a-z]{1,2}\)|[–—])\s")  # "a)" and "–" begin a line in Polish acts, but no Markdown list


_LINE_SIGN = re.compile(r"\s*(?:#{1,6}|[-*+>])\s+")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a text: level 1 to 6, its words without markup, where its line starts and where its part ends."""

    level: int
    title: str
    start: int
    end: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Block:
    """A leaf block (paragraph, list item's text, heading, table row, code) and the range of its lines, in units."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A range of the source to be shown inside a tag, or (`text`) a piece that no longer stands, shown at `start`.

    start, end    units, start ≤ end; with `text` both are the place of the piece
    tag           ins, del, span or mark
    attributes    (name, value): class, title, tabindex, role, data-…, aria-…
    """

    start: int
    end: int
    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""


def render(text: str, prefix: str = "") -> str:
    """The text as HTML.

    prefix    goes into ids of headings and footnotes, so that several texts can stand on one page
    raises    TooLarge
    """
    return _render(_checked(text), prefix)


def render_marked(text: str, marks: Iterable[Mark], prefix: str = "") -> str:
    """The text as HTML with marked ranges and with pieces that no longer stand.

    A piece of whole lines is shown as the block it was when that leaves the rest as it is, otherwise inside the line.
    raises    PositionError for a mark outside the text or of an unknown tag or attribute, TooLarge
    law       without ins/span/mark tags and without pieces, the words are those of render(text)
    """
    text = _checked(text)
    units = to_units(text)
    ordered = sorted((_checked_mark(m, units) for m in marks), key=lambda m: (m.start, -m.end))
    blocks = [m for m in ordered if "\n" in m.text]
    if blocks:
        plain = words(_render(text, prefix))
        # Whole lines put back where they stood: together, else by halves, so that one odd piece spoils only its half.
        for part in (blocks, blocks[: len(blocks) // 2], blocks[len(blocks) // 2 :]):
            if part and (html := _render_put_back(units, ordered, part, prefix, plain)) is not None:
                return html
    return _render_with(units, ordered, prefix)


@lru_cache(maxsize=64)  # a page of a long section asks again and again while the text stands still
def outline(text: str, prefix: str = "") -> tuple[Heading, ...]:
    """The headings in order; `anchor` is the id that `render` gives."""
    text = _checked(text)
    starts, tokens = _line_starts(text), _parser().parse(text, _environment(prefix))
    found = []
    for i, token in enumerate(tokens):
        if token.type == "heading_open" and token.map:
            title = _plain(tokens[i + 1].children or [])
            found.append((int(token.tag[1]), title, starts[token.map[0]], str(token.attrGet("id") or "")))
    headings = []
    for i, (level, title, start, anchor) in enumerate(found):
        end = next((later[2] for later in found[i + 1 :] if later[0] <= level), starts[-1])
        headings.append(Heading(level, title, start, end, anchor))
    return tuple(headings)


def blocks(text: str) -> tuple[Block, ...]:
    """The leaf blocks in order, ranges in units without the final line end."""
    text = _checked(text)
    starts, found = _line_starts(text), []
    kind, seen = "", -1
    for token in _blocks_parser().parse(text):
        if token.nesting == 1:
            kind = token.tag
        if token.map and token.type in ("inline", "fence", "code_block", "hr") and token.map[0] >= seen:
            first, seen = token.map
            seen = max(seen, first + 1)
            while seen > first + 1 and starts[seen] - starts[seen - 1] <= 1:
                seen -= 1
            kind = {"fence": "code", "code_block": "code", "hr": "hr"}.get(token.type, kind)
            found.append(Block(starts[first], max(starts[first], starts[seen] - 1), kind))
    return tuple(found)


def words(html: str) -> str:
    """The characters that a reader sees, without `del`, blanks made one: for comparing renderings."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.parts).split())


def plain_text(markdown: str) -> str:
    """One line of text without Markdown's signs: for titles, notices and table cells."""
    pieces = [
        _plain(token.children or [])
        for token in _parser().parse(_checked(markdown), _environment(""))
        if token.type == "inline"
    ]
    return " ".join(" ".join(pieces).split())


def parse(text: str) -> list[Token]:
    """The tokens of a text, for writers of other formats.

    returns  tokens whose leaves (text and code) say in meta["at"], for each character of `content`, the place in the
             text that it came from, in units; Polish typography applied, blanks of the source made non-breaking
    """
    text = _checked(text)
    units = to_units(text)
    tokens = _tracking_parser().parse(text, _environment(""))
    offsets = [0, *accumulate(2 if c > "\uffff" else 1 for c in text)] if len(units) != len(text) else []
    for token in tokens:
        for leaf in [token, *(token.children or ())]:
            for part in [leaf, *(leaf.children or ())] if leaf.type == "image" else [leaf]:
                if offsets and "at" in part.meta:
                    part.meta["at"] = [offsets[min(place, len(text))] for place in part.meta["at"]]
    return tokens


# ── parsing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _checked(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise TooLarge(
            f"The text has {len(text)} characters; at most {LONGEST_TEXT} can be rendered.", limit=LONGEST_TEXT
        )
    return normalise(text)


def _line_starts(text: str) -> list[int]:
    """Where each line starts, in units; one more for the end (as if the text ended with LF)."""
    starts, total = [0], 0
    for line in to_units(text).split("\n"):
        total += len(line) + 1
        starts.append(total)
    return starts


def _environment(prefix: str) -> dict[str, Any]:
    return {"docId": prefix, "prefix": prefix}


@cache
def _parser() -> MarkdownIt:
    """The one configuration; shared, since a parser keeps nothing between texts."""
    return _configured(MarkdownIt("commonmark", {"html": False, "linkify": True}, renderer_cls=_Renderer))


@cache
def _tracking_parser() -> MarkdownIt:
    """The same, remembering where each character came from."""
    md = MarkdownIt("commonmark", {"html": False, "linkify": True}, renderer_cls=_MarkingRenderer)
    return _configured(remember_sources(md))


@cache
def _blocks_parser() -> MarkdownIt:
    """Block structure only, which costs a tenth."""
    md = MarkdownIt("commonmark", {"html": False}).enable("table")
    md.block.ruler.at("table", _narrow_table, {"alt": ["paragraph", "reference"]})
    md.core.ruler.disable(["inline", "text_join"])
    return md


def _configured(md: MarkdownIt) -> MarkdownIt:
    md.enable(["table", "strikethrough", "linkify"])
    md.inline.ruler.at("linkify", _address)
    md.core.ruler.disable("linkify")  # bare names like "ust.pl" stay words; only addresses with a scheme become links
    md.block.ruler.at("table", _narrow_table, {"alt": ["paragraph", "reference"]})
    md.use(footnote_plugin).use(tasklists_plugin)
    md.core.ruler.push("typography", _typography)
    md.core.ruler.push("source_lines", _source_lines)
    md.validateLink = lambda url: _ALLOWED_LINK.match(url.strip()) is not None  # type: ignore[method-assign]
    return md


def _address(state: StateInline, silent: bool) -> bool:
    """linkify, which searches all of the text before each colon for a scheme: asked first with the end of it alone."""
    pending, pos = state.pending, state.pos
    if state.src[pos] != ":":
        return False
    state.pending = pending[-LONGEST_SCHEME:]
    is_one = linkify(state, True)
    state.pending, state.pos = pending, pos
    return is_one and linkify(state, silent)


def _narrow_table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    line = state.src[state.bMarks[start_line] : state.eMarks[start_line]]
    return line.count("|") <= WIDEST_TABLE and table(state, start_line, end_line, silent)


def _typography(state: StateCore) -> None:
    """Blanks that must not become line ends, made non-breaking: one for one, so positions stay."""
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "text":
                child.content = _BOUND.sub("\\1\u00a0", child.content)


def _source_lines(state: StateCore) -> None:
    """data-l on every block, ids on headings, and "1)" told apart from "1."."""
    taken: dict[str, int] = {}
    prefix = state.env.get("prefix") or ""
    for i, token in enumerate(state.tokens):
        if token.map and token.nesting >= 0 and token.type != "inline":
            token.attrSet("data-l", f"{token.map[0]}-{token.map[1]}")
        if token.type == "heading_open":
            slug = _slug(_plain(state.tokens[i + 1].children or []))
            name = "-".join(part for part in ("h", prefix, slug) if part)
            taken[name] = taken.get(name, 0) + 1
            token.attrSet("id", name if taken[name] == 1 else f"{name}-{taken[name]}")
        elif token.type == "ordered_list_open" and token.markup == ")":
            token.attrJoin("class", "parenthesised")
        elif token.type in ("td_open", "th_open"):
            align = str(token.attrs.pop("style", "") or "").removeprefix("text-align:")
            if align:
                token.attrJoin("class", f"align-{align}")  # no style attributes: the pages' policy forbids them


def _slug(title: str) -> str:
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:60].rstrip("-")


def _plain(children: Sequence[Token]) -> str:
    parts = []
    for child in children:
        if child.type in ("text", "text_special", "code_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.children:
            parts.append(_plain(child.children))
    return "".join(parts).replace("\u00a0", " ")


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────────────────────

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "input", "ins", "li",
    "mark", "ol", "p", "pre", "s", "section", "span", "strong", "sup", "table", "tbody", "td", "th", "thead", "tr",
    "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"id", "class", "title", "tabindex", "role"},
    "a": {"href"},
    "img": {"src", "alt"},
    "input": {"type", "checked", "disabled"},
    "ol": {"start"},
}


class _Renderer(RendererHTML):
    """Softbreaks before "a)" and "–" become line breaks: Polish acts list with them, Markdown does not. Code has no
    colours, so its language is left out."""

    def shown(self, token: Token, env: Any) -> str:
        return escape(token.content)

    def softbreak(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        following = tokens[idx + 1].content if idx + 1 < len(tokens) and tokens[idx + 1].type == "text" else ""
        return "<br>\n" if _LETTERED.match(following) else "\n"

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return self.shown(tokens[idx], env)

    def code_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<code>{self.shown(tokens[idx], env)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<pre{self.renderAttrs(tokens[idx])}><code>{self.shown(tokens[idx], env)}</code></pre>\n"

    fence = code_block


class _MarkingRenderer(_Renderer):
    """Writes marks around the characters of leaves."""

    def shown(self, token: Token, env: Any) -> str:
        return env["marking"].leaf(token.content, token)


class _Marking:
    """The marks of one rendering, ready to be asked for by leaves.

    cuts      the places where the set of marks changes; between cuts[i] and cuts[i + 1] stand active[i]
    pieces    by leaf (id of the token): (place, mark) of what no longer stands
    """

    def __init__(self, marks: Sequence[Mark]) -> None:
        ranges = [m for m in marks if not m.text and m.start < m.end]
        self.cuts = sorted({m.start for m in ranges} | {m.end for m in ranges})
        self.active: list[tuple[Mark, ...]] = []
        standing: list[Mark] = []
        next_mark = 0
        for cut in self.cuts:
            standing = [m for m in standing if m.end > cut]
            while next_mark < len(ranges) and ranges[next_mark].start <= cut:
                standing.append(ranges[next_mark])
                next_mark += 1
            self.active.append(tuple(standing))
        self.waiting = [m for m in marks if m.text]
        self.pieces: dict[int, list[tuple[int, Mark]]] = {}

    def assign(self, leaves: list[Token], text: str) -> list[Mark]:
        """Gives each piece its leaf: the one around its place, else the nearest on its line, else the one before.

        returns   the pieces that found none, when the text shows nothing
        """
        with_places = sorted((t for t in leaves if t.meta.get("at")), key=lambda t: t.meta["at"][0])
        if not with_places:
            return self.waiting
        firsts = [t.meta["at"][0] for t in with_places]
        for mark in self.waiting:
            i = bisect_right(firsts, mark.start) - 1
            before = with_places[i] if i >= 0 else None
            after = with_places[i + 1] if i + 1 < len(with_places) else None
            leaf = before or after
            if before is not None and after is not None and before.meta["at"][-1] + 1 < mark.start:
                gap_after = text[mark.start : after.meta["at"][0]]
                if "\n" not in gap_after and "\n" in text[before.meta["at"][-1] + 1 : mark.start]:
                    leaf = after
            assert leaf is not None
            at = leaf.meta["at"]
            self.pieces.setdefault(id(leaf), []).append((bisect_left(at, mark.start), mark))
        return []

    def leaf(self, content: str, token: Token) -> str:
        """The characters of a leaf as HTML, marks and pieces written in."""
        at: list[int] = token.meta.get("at") or []
        pieces = self.pieces.get(id(token), [])
        if len(at) > len(content):  # the sign of a task, "[ ]", was taken off the front
            taken = len(at) - len(content)
            at, pieces = at[taken:], [(max(0, i - taken), m) for i, m in pieces]
        if not at:
            return escape(content) + "".join(_piece(m) for _, m in pieces)
        out: list[str] = []
        borders = {0, len(content)} | {i for i, _ in pieces}
        low, high = bisect_right(self.cuts, at[0]), bisect_right(self.cuts, at[-1])
        borders.update(bisect_left(at, cut) for cut in self.cuts[low:high])
        edges = sorted(borders)
        for start, end in zip(edges, [*edges[1:], edges[-1]], strict=True):
            out.extend(_piece(m) for i, m in pieces if i == start)
            if start < end:
                slot = bisect_right(self.cuts, at[min(start, len(at) - 1)]) - 1
                marks = self.active[slot] if slot >= 0 else ()
                out.append("".join(_opening(m) for m in marks) + escape(content[start:end]))
                out.extend(f"</{m.tag}>" for m in reversed(marks))
        return "".join(out)


def _opening(mark: Mark) -> str:
    return f"<{mark.tag}" + "".join(f' {name}="{escape(value)}"' for name, value in mark.attributes) + ">"


def _piece(mark: Mark) -> str:
    """A piece inside a line: its words without markup, lines divided by <br>."""
    if "\n" in mark.text:
        lines = [_inline_words(_LINE_SIGN.sub("", line)) for line in mark.text.split("\n") if line.strip()]
        shown = "<br>".join(escape(line) for line in lines) or "¶"
    else:
        shown = escape(_inline_words(mark.text))
    return f"{_opening(mark)}{shown}</{mark.tag}>"


def _inline_words(line: str) -> str:
    """The words of a line without markup; a line of nothing but markup as it is."""
    words_only = "".join(_plain(token.children or []) for token in _parser().parseInline(line, _environment("")))
    return words_only if words_only.strip() else line


def _checked_mark(mark: Mark, units: str) -> Mark:
    if not 0 <= mark.start <= mark.end <= len(units):
        raise PositionError(
            f"Mark {mark.start}–{mark.end} is outside a text of {len(units)} code units.", start=mark.start
        )
    if mark.tag not in _MARK_TAGS or not all(_ATTRIBUTE.match(name) for name, _ in mark.attributes):
        raise PositionError(
            f"Mark at {mark.start} has a tag or attribute that is not allowed: {mark.tag}.", start=mark.start
        )
    if cuts_pair(units, mark.start) or cuts_pair(units, mark.end):  # shown around the whole character
        return replace(
            mark,
            start=mark.start - cuts_pair(units, mark.start),
            end=mark.end + cuts_pair(units, mark.end) * (not mark.text),
        )
    return mark


@lru_cache(maxsize=128)
def _render(text: str, prefix: str) -> str:
    md = _parser()
    return _clean(md.render(text, _environment(prefix)))


def _render_with(units: str, marks: Sequence[Mark], prefix: str) -> str:
    """The HTML with pieces inside their lines."""
    text, marks = _in_code_points(units, marks)
    md, env, marking = _tracking_parser(), _environment(prefix), _Marking(marks)
    tokens = md.parse(text, env)
    leaves = []
    for token in tokens:
        if token.type in ("fence", "code_block"):
            leaves.append(token)
        leaves.extend(
            child for child in token.children or () if child.type in ("text", "code_inline") and child.content
        )
    homeless = marking.assign(leaves, text)
    env["marking"] = marking
    html = md.renderer.render(tokens, md.options, env)
    if homeless:
        html += "<p>" + "".join(_piece(m) for m in homeless) + "</p>\n"
    return _clean(html)


def _render_put_back(
    units: str, marks: Sequence[Mark], put_back: Sequence[Mark], prefix: str, plain: str
) -> str | None:
    """The HTML with these pieces standing in the source again, or None when that changes anything else."""
    pieces: list[str] = []
    moved: list[Mark] = []
    chosen = {id(m) for m in put_back}
    done = shift = 0
    insertions: list[tuple[int, int]] = []  # (place, length), by place
    for mark in marks:
        if id(mark) in chosen:
            put = to_units(mark.text, normalising=True)
            pieces += [units[done : mark.start], put]
            done = mark.start
            moved.append(replace(mark, start=mark.start + shift, end=mark.start + shift + len(put), text=""))
            insertions.append((mark.start, len(put)))
            shift += len(put)
    places = [place for place, _ in insertions]
    totals = [0]
    for _, length in insertions:
        totals.append(totals[-1] + length)
    for mark in marks:
        if (
            id(mark) not in chosen
        ):  # a range that ends where a piece stands ends before it, one that starts there, after
            start = mark.start + totals[bisect_right(places, mark.start)]
            end = start if mark.text else mark.end + totals[bisect_left(places, mark.end)]
            moved.append(replace(mark, start=start, end=max(start, end)))
    combined = "".join(pieces) + units[done:]
    html = _render_with(combined, sorted(moved, key=lambda m: (m.start, -m.end)), prefix)
    return html if words(html) == plain else None


def _in_code_points(units: str, marks: Sequence[Mark]) -> tuple[str, list[Mark]]:
    """Text and marks as the parser needs them; a mark that cuts a pair takes all of it."""
    text = from_units(units)
    if len(text) == len(units):
        return text, list(marks)
    seconds = [i for i, c in enumerate(units) if "\udc00" <= c <= "\udfff"]  # where a pair's second half stands
    return text, [
        replace(m, start=m.start - bisect_left(seconds, m.start), end=m.end - bisect_left(seconds, m.end))
        for m in marks
    ]


def _clean(html: str) -> str:
    if len(html) > LONGEST_HTML:
        raise TooLarge(
            f"The text would make {len(html)} characters of HTML; at most {LONGEST_HTML}.", limit=LONGEST_HTML
        )
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        generic_attribute_prefixes={"data-", "aria-"},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


class _Words(HTMLParser):
    """Collects what is read; what stands in `del` is not."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.struck = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "del":
            self.struck += 1
        elif not self.struck and tag in (
            "p",
            "li",
            "br",
            "td",
            "th",
            "tr",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "pre",
            "blockquote",
        ):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "del":
            self.struck -= 1

    def handle_data(self, data: str) -> None:
        if not self.struck:
            self.parts.append(data)

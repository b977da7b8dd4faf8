"""Where each character of rendered Markdown came from.

An inline parser for markdown_it that notes, for every character it puts out, its place in the source:
`Token.meta["at"]`, one code point index per character of `content`, never falling. Markdown's own signs put out
nothing. `markdown.py` alone uses it.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_core import StateCore
from markdown_it.rules_core.text_join import text_join
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.fragments_join import fragments_join
from markdown_it.token import Token


def remember_sources(md: MarkdownIt) -> MarkdownIt:
    """The same parser, its inline part replaced; to be called before rules and plugins are added."""
    md.inline = _SourceParser(md.inline)
    md.core.ruler.at("inline", _inline_with_sources)
    md.core.ruler.at("text_join", _text_join)
    md.inline.ruler2.at("fragments_join", _fragments_join)
    return md


def _place_code(token: Token, lines: list[str], starts: list[int]) -> None:
    """Notes the sources of a block of code, which has no inline part."""
    first = (token.map or [0])[0] + (token.type == "fence")
    at: list[int] = []
    for k, line in enumerate(token.content.split("\n")):
        i = min(first + k, len(lines) - 1)
        found = max(lines[i].rfind(line), 0)
        at.extend(range(starts[i] + found, starts[i] + found + len(line)))
        at.append(starts[i] + len(lines[i]))
    token.meta["at"] = at[: len(token.content)]


class _SourceState(StateInline):
    """An inline state whose pending characters know their places in the source."""

    def __init__(self, src: str, md: MarkdownIt, env: MutableMapping[str, Any], tokens: list[Token]) -> None:
        super().__init__(src, md, env, tokens)
        self.where: list[int] = []
        self.at: list[int] = []

    def append_pending(self, text: str) -> None:
        self.at.extend(self.where[self.pos : self.pos + len(text)])
        super().append_pending(text)

    def pushPending(self) -> Token:
        token = super().pushPending()
        token.meta["at"] = self.at[: len(token.content)]
        self.at = []
        return token

    def push(self, ttype: str, tag: str, nesting: Any) -> Token:
        token = super().push(ttype, tag, nesting)
        self.at = []
        return token


class _SourceParser(ParserInline):
    """The inline parser with a note of the source kept beside every token that shows characters."""

    def __init__(self, original: ParserInline) -> None:
        super().__init__()
        self.ruler, self.ruler2, self.terminator_re = original.ruler, original.ruler2, original.terminator_re

    def tokenize(self, state: StateInline) -> None:
        assert isinstance(state, _SourceState)
        rules, end = self.ruler.getRules(""), state.posMax
        while state.pos < end:
            start, count = state.pos, len(state.tokens)
            if state.level < state.md.options["maxNesting"] and any(rule(state, False) for rule in rules):
                if len(state.tokens) > count:
                    _note_sources(state, count, start)
            else:
                state.append_pending(state.src[state.pos])
                state.pos += 1
        if state.pending:
            state.pushPending()

    def parse(self, src: str, md: MarkdownIt, env: MutableMapping[str, Any], tokens: list[Token]) -> list[Token]:
        state = _SourceState(src, md, env, tokens)
        outer: _SourceState | None = env.get("outer")
        if outer is None:
            state.where = env["where"]
        else:  # an inline footnote or the words of an image: a part of the outer source
            offset = max(outer.src.find(src, outer.pos), 0)
            state.where = outer.where[offset : offset + len(src)] or [outer.where[0]] * len(src)
        env["outer"] = state
        try:
            self.tokenize(state)
            for rule in self.ruler2.getRules(""):
                rule(state)
        finally:
            env["outer"] = outer
        return state.tokens


def _note_sources(state: _SourceState, count: int, start: int) -> None:
    cursor = start
    for token in state.tokens[count:]:
        if token.type not in ("text", "text_special", "code_inline") or "at" in token.meta or not token.content:
            continue
        shown = (
            state.src[cursor : state.pos].replace("\n", " ")
            if token.type == "code_inline"
            else state.src[cursor : state.pos]
        )
        found = shown.find(token.content)
        if found < 0:  # an entity or a decoded address: all of it from one place
            token.meta["at"] = [state.where[min(cursor, len(state.where) - 1)]] * len(token.content)
        else:
            first = cursor + found
            token.meta["at"] = state.where[first : first + len(token.content)]
            cursor = first + len(token.content)


def _inline_with_sources(state: StateCore) -> None:
    lines = state.src.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    cursors: dict[int, int] = {}
    for token in state.tokens:
        if token.type in ("fence", "code_block"):
            _place_code(token, lines, starts)
        elif token.type == "inline":
            token.children = token.children or []
            state.env["where"] = _places(token.content, token.map, lines, starts, cursors)
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _places(
    content: str, lines_of: list[int] | None, lines: list[str], starts: list[int], cursors: dict[int, int]
) -> list[int]:
    """For each character of a block's content its place in the source: content lines are ends of source lines, and
    cells stand in their row in order."""
    places: list[int] = []
    first = lines_of[0] if lines_of else 0
    for k, piece in enumerate(content.split("\n")):
        i = min(first + k, len(lines) - 1)
        one_line = lines_of is not None and lines_of[1] - lines_of[0] == 1 and "|" in lines[i]
        cursor = cursors.get(i, 0) if one_line else 0
        written = piece.replace("|", "\\|") if one_line and "|" in piece and piece not in lines[i] else piece
        found = lines[i].find(written, cursor) if one_line else lines[i].rfind(piece)
        if found < 0:
            found, written = min(cursor, len(lines[i])), piece
        if one_line:
            cursors[i] = found + len(written)
        if written == piece:
            places.extend(range(starts[i] + found, starts[i] + found + len(piece)))
        else:
            places.extend(
                starts[i] + found + j
                for j, c in enumerate(written)
                if not (c == "\\" and written[j + 1 : j + 2] == "|")
            )
        places.append(starts[i] + len(lines[i]))  # the line end
    return places


def _fragments_join(state: StateInline) -> None:
    _gather(state.tokens, last=True)
    fragments_join(state)


def _text_join(state: StateCore) -> None:
    for token in state.tokens:
        _gather(token.children or [], last=False)
    text_join(state)


def _gather(tokens: list[Token], *, last: bool) -> None:
    """The sources of adjacent text tokens, laid on the one token (the last, or the first) that the join keeps."""
    kinds = ("text",) if last else ("text", "text_special")
    i = 0
    while i < len(tokens):
        j = i
        while j < len(tokens) and tokens[j].type in kinds:
            j += 1
        if j - i > 1:
            at = [place for token in tokens[i:j] for place in token.meta.get("at", [])[: len(token.content)]]
            tokens[j - 1 if last else i].meta["at"] = at
        i = max(j, i + 1)

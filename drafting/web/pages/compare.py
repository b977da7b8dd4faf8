"""Two moments of the document side by side or in one text, with everybody behind each change; to be printed and saved.

Only the paragraphs that changed are shown unless all of them are asked for: so the page costs what changed. The same
values make HTML for a file, PDF, and Word with tracked changes whose authors are the organisations.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from markupsafe import Markup, escape

from drafting.engine.text import from_units, to_units
from drafting.formats import docx_writer, markdown, pdf
from drafting.formats.markdown import Mark
from drafting.services import history, meetings, milestones, people, sections
from drafting.services.clock import now
from drafting.services.history import Change, Comparison, SectionComparison, Source
from drafting.services.stories import titles
from drafting.web import words
from drafting.web.pages import frame, marking

pages = Blueprint("compare", __name__)

WHOLE_UP_TO = 60_000  # characters of which unchanged paragraphs may be shown on one page
BEHIND = 8  # of those behind the changes whose keys are always seen
ON_ONE_PAGE = 200  # changes, each with everybody behind it; the others are a click away, and all of them in the files


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a section with changes in it, as HTML: in one text, and before beside after. gap: text was left out"""

    inline: Markup
    before: Markup
    after: Markup
    gap: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A section of the comparison as the page shows it.

    changes   those of this page that the filter lets through
    every     how many it lets through
    first     the number of the first of this page among them, from 0
    """

    section: SectionComparison
    changes: tuple[Change, ...]
    passages: tuple[Passage, ...]
    every: int = 0
    first: int = 0


@pages.get("/d/<slug>/compare")
def compare(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    asked = request.args
    versions = milestones.milestones(session, actor, document.id)
    a = asked.get("from", "")[:40] or (f"m{versions[-1].id}" if versions else "start")
    b = asked.get("to", "")[:40] or "now"
    for name in ("from", "to"):
        if asked.get(name) == "date" and asked.get(f"{name}_date"):
            a, b = (asked[f"{name}_date"][:40], b) if name == "from" else (a, asked[f"{name}_date"][:40])
    section_id = asked.get("section", type=frame.whole)
    only = asked.get("only", "")[:40]
    view = "side" if asked.get("view") == "side" else "inline"
    vanished = asked.get("vanished") == "1"
    found = history.compare(session, actor, document.id, a, b, section_id=section_id, vanished=vanished)
    size = sum(len(each.text_b) for each in found.sections)
    whole = asked.get("whole") == "1" and size <= WHOLE_UP_TO
    query = {
        "from": a, "to": b, "section": str(section_id or ""), "only": only, "view": "side" if view == "side" else "",
        "vanished": "1" if vanished else "", "whole": "1" if whole else "",
    }  # fmt: skip

    def address(**changed: str) -> str:
        said = urlencode({name: value for name, value in {**query, **changed}.items() if value})
        return f"/d/{slug}/compare?{said}"

    form = asked.get("format", "")
    if form in ("html", "pdf", "docx"):
        return _file(form, found, only, whole)
    first = max(0, asked.get("first", 0, type=frame.whole)) if section_id is not None else 0
    shown = _page(slug, found, only, whole, view, first)
    return frame.page(
        "history/compare.html",
        found=found,
        shown=shown,
        a=a,
        b=b,
        section_id=section_id,
        only=only,
        view=view,
        vanished=vanished,
        whole=whole,
        may_be_whole=size <= WHOLE_UP_TO,
        versions=versions,
        behind=_behind(found),
        outline=sections.outline(session, actor, document.id),
        meetings=meetings.meetings(session, actor, document.id),
        organizations=people.organizations(session, actor, document.id),
        titles=titles(session, document.id),
        address=address,
        who=marking.who,
        moment_name=moment_name,
        hue_of=hue_of,
        plain=plain,
        most=ON_ONE_PAGE,
        most_behind=BEHIND,
    )


@dataclass(frozen=True, slots=True)
class Behind:
    """Somebody behind changes: what the filter calls them, their badge and name, and how many changes are theirs."""

    only: str
    code: str
    hue: int
    name: str
    changes: int


def _behind(found: Comparison) -> list[Behind]:
    """Everybody behind the changes, those of most changes first: organisations, and meetings where none is named."""
    named: dict[str, tuple[str, int, str]] = {}
    counted: Counter[str] = Counter()
    for section in found.sections:
        for change in section.changes:
            source = change.source
            if source is None:
                continue
            for one in source.organizations:
                named[f"o{one.code}"] = (one.code, one.hue, one.name)
                counted[f"o{one.code}"] += 1
            if not source.organizations:
                for each in source.meetings:
                    named[f"m{each.number}"] = (str(each.number), each.hue, each.topic)
                    counted[f"m{each.number}"] += 1
    return [Behind(only, *named[only], number) for only, number in sorted(counted.items(), key=lambda each: (-each[1], each[0]))]


def moment_name(moment: Any) -> str:
    """A moment in words."""
    if moment.name:
        return str(moment.name)
    if moment.spec == "now":
        return _("now")
    if moment.spec == "start":
        return _("the beginning")
    if moment.spec.startswith("v"):
        return _("version %(number)s", number=moment.spec[1:])
    return words.long_moment(moment.at)


def hue_of(source: Source | None) -> int:
    """Of the organisation, else of the meeting: here colours mean organisations."""
    if source is None:
        return 0
    return source.organizations[0].hue if source.organizations else source.meetings[0].hue if source.meetings else 0


def code_of(source: Source | None) -> str:
    """The badges of all that asked for it."""
    if source is None:
        return ""
    return "+".join(each.code for each in source.organizations[:4]) or "".join(str(each.number) for each in source.meetings[:1])


_MARKS = re.compile(r"^[ \t]*(?:#{1,6}|[*+-]|\d{1,9}[.)]|>)[ \t]+|\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|[`~]", re.MULTILINE)


def plain(text: str) -> str:
    """The words of a change without marks, for a line of the list; a change of nothing but line ends is said to be one."""
    return " ".join(_MARKS.sub("", text).split()) or " ".join(text.split()) or "¶"


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────────


def _page(slug: str, found: Comparison, only: str, whole: bool, view: str, first: int) -> list[Shown]:
    """The sections of the page: as many changes as fit, from number `first` on; of the other sections how many they have."""
    left = ON_ONE_PAGE
    shown = []
    for each in found.sections:
        matching = tuple(change for change in each.changes if change.matches(only))
        here = matching[first : first + left]
        left -= len(here)
        address = stories(slug, each.section_id)
        passages = _passages(each, here, only, whole and len(here) == len(matching), view, address) if here or whole else ()
        shown.append(Shown(each, here, passages, len(matching), first))
    return shown


def stories(slug: str, section_id: int) -> Callable[[str], str]:
    """Where the story of a run of a section is."""
    return lambda key: f"/d/{slug}/s/{section_id}/story?run={key}"


def _passages(
    section: SectionComparison,
    changes: tuple[Change, ...],
    only: str,
    whole: bool,
    view: str,
    address: Callable[[str], str],
) -> tuple[Passage, ...]:
    """The paragraphs that these changes touch, or all of them. view: inline or side; only that is rendered"""
    text_a, text_b = to_units(section.text_a), to_units(section.text_b)
    places = _Places(section.changes)
    passages = []
    last = 0
    for start, end in [(0, len(text_b))] if whole or not text_b else _stretches(text_b, section.changes, changes):
        at_end = end == len(text_b)
        kept = [each for each in places.inside(start, end, at_end) if each.matches(only)]
        inline = before = after = Markup()
        prefix = f"s{section.section_id}-{start}-"
        new = from_units(text_b[start:end])
        if view == "side":
            low, high = places.before(start), places.before(end, at_end)
            old = from_units(text_a[low:high])
            before = _side(old, [each for each in kept if each.end_a > each.start_a], low, "a", prefix, address)
            after = _side(new, [each for each in kept if each.end_b > each.start_b], start, "b", prefix, address)
        else:
            inline = _inline(new, kept, start, prefix, address)
        passages.append(Passage(inline, before, after, start > last))
        last = end
    return tuple(passages)


class _Places:
    """The changes of a section by their places in the newer text."""

    def __init__(self, changes: tuple[Change, ...]) -> None:
        self._changes = changes
        self._starts = [each.start_b for each in changes]
        self._shifts = [0, *accumulate((each.end_a - each.start_a) - (each.end_b - each.start_b) for each in changes)]

    def inside(self, start: int, end: int, at_end: bool) -> list[Change]:
        """Those of a stretch; what stood at its end belongs to the next one, unless the text ends there."""
        low = bisect_left(self._starts, start)
        high = bisect_right(self._starts, end) if at_end else bisect_left(self._starts, end)
        return [each for each in self._changes[low:high] if each.end_b <= end]

    def before(self, pos: int, at_end: bool = False) -> int:
        """Where a border of the newer text lies in the older one."""
        return pos + self._shifts[bisect_right(self._starts, pos) if at_end else bisect_left(self._starts, pos)]


def _stretches(text: str, every: tuple[Change, ...], changes: tuple[Change, ...]) -> list[tuple[int, int]]:
    """The paragraphs of the newer text that these changes touch, joined where they meet. Borders stand in kept text."""
    inside = [(each.start_b, each.end_b) for each in every if each.end_b > each.start_b]
    lows = [low for low, _ in inside]
    starts = [0]
    for found in re.finditer(r"\n[ \t]*\n+", text):
        around = bisect_left(lows, found.end()) - 1
        if around < 0 or inside[around][1] <= found.end():
            starts.append(found.end())
    borders = [*starts, len(text)]
    found_: list[tuple[int, int]] = []
    for each in changes:
        first = bisect_right(starts, each.start_b) - 1
        last = bisect_right(starts, max(each.start_b, each.end_b - 1)) - 1
        low, high = borders[max(first, 0)], borders[max(last, 0) + 1]
        if found_ and low <= found_[-1][1]:
            found_[-1] = (found_[-1][0], max(high, found_[-1][1]))
        else:
            found_.append((low, high))
    return found_


def _attributes(change: Change, known: dict[Any, Any]) -> tuple[tuple[str, str], ...]:
    """Class, name, label and badge of a change. known: what neighbours by the same people have been called"""
    key = change.kind, change.is_move, change.source and change.source.signature
    found = known.get(key)
    if found is None:
        found = known[key] = _called(change)
    kind, *rest = found
    return (kind, ("data-run", change.key), *rest)


def _called(change: Change) -> tuple[tuple[str, str], ...]:
    said = marking.who(change.source)
    title = {"inserted": _("added by: %(who)s", who=said), "deleted": _("removed by: %(who)s", who=said)}.get(
        change.kind, _("came and went: %(who)s", who=said)
    )
    code = "↷" if change.is_move else code_of(change.source)
    classes = f"run hue-{hue_of(change.source)}"
    if change.is_move:
        title, classes = _("moved"), classes + " is-moved"
    elif change.kind == "vanished":
        classes += " is-vanished"
    if not code:
        return ("class", classes + " run--bare"), ("title", title)
    return ("class", classes), ("title", title), ("data-code", code)


def with_changes(text: str, changes: list[Change], prefix: str, address: Callable[[str], str]) -> Markup:
    """A whole section in which these changes are marked."""
    return _inline(text, changes, 0, prefix, address)


def _inline(text: str, changes: list[Change], base: int, prefix: str, address: Callable[[str], str]) -> Markup:
    marks = []
    known: dict[Any, Any] = {}
    for each in changes:
        start, end = each.start_b - base, each.end_b - base
        if end > start:
            marks.append(Mark(start, end, "ins", _attributes(each, known)))
        elif each.text:
            marks.append(Mark(start, start, "del", _attributes(each, known), each.text))
    return marking.linked(marking.rendered(text, tuple(marks), prefix), address)


def _side(text: str, changes: list[Change], base: int, side: str, prefix: str, address: Callable[[str], str]) -> Markup:
    marks = []
    known: dict[Any, Any] = {}
    for each in changes:
        start, end = (each.start_a, each.end_a) if side == "a" else (each.start_b, each.end_b)
        marks.append(Mark(start - base, end - base, "del" if side == "a" else "ins", _attributes(each, known)))
    return marking.linked(marking.rendered(text, tuple(marks), prefix + side), address)


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────

STYLE = """
.legend-line { color: #444; font-size: 9pt } del a, ins a { text-decoration: inherit }
.who { font-size: 8.5pt; color: #444; margin: 0 0 0.2em } .is-moved { text-decoration: underline dotted }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem } @media print { body { margin: 0; max-width: none } }
"""


def _file(form: str, found: Comparison, only: str, whole: bool) -> Response:
    document = frame.document_row()
    title = _("Changes: %(title)s", title=document.title)
    name = f"{document.slug}-{found.a.spec}-{found.b.spec}".replace(":", "")
    if form == "docx":
        data = docx_writer.docx(
            [_section_file(each, only) for each in found.sections],
            title=title,
            author=document.municipality or document.title,
            created_at=_created(found),
            properties={"Drafting document": str(document.id)},
            zone=document.timezone,
        )
        return _attachment(data, f"{name}.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
    body = _body(found, only, whole, title)
    if form == "pdf":
        data = pdf.pdf(body, title=title, language=document.language, created_at=_created(found), style=STYLE.replace("body {", "x {"))
        return _attachment(data, f"{name}.pdf", "application/pdf")
    page = (
        f'<!doctype html><html lang="{escape(document.language)}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{pdf.PRINT_STYLE}{STYLE}</style></head><body>{body}</body></html>"
    )
    return _attachment(page.encode(), f"{name}.html", "text/html; charset=utf-8")


def _created(found: Comparison) -> Any:
    """The same comparison has the same date: a file made twice is the same file."""
    return found.b.at if found.b.spec != "now" else now().replace(second=0, microsecond=0)


def _body(found: Comparison, only: str, whole: bool, title: str) -> str:
    said = [Markup("<h1>{}</h1><p>{}</p>").format(title, _("From %(a)s to %(b)s.", a=moment_name(found.a), b=moment_name(found.b)))]
    for section in found.sections:
        changes = tuple(each for each in section.changes if each.matches(only))
        if not changes and not whole and section.state == "same":
            continue
        said.append(Markup("<h2>{}</h2>").format(section.title or _("(untitled)")))
        if changes or whole:
            for passage in _passages(section, changes, only, whole, "inline", lambda key: f"#{key}"):
                if passage.gap:
                    said.append(Markup("<p>[…]</p>"))
                said.append(_plain(passage.inline))
        if changes:
            said.append(Markup("<h3>{}</h3>").format(_("Changes, one by one")))
            for change in changes:
                tag = Markup("ins" if change.kind == "inserted" else "del")
                said.append(
                    Markup('<p><{0}>{1}</{0}></p><p class="who">{2}</p>').format(tag, _short(change.text), said_of(change))
                )
    return str(Markup("").join(said))


def said_of(change: Change) -> str:
    """Who is behind a change, in one line."""
    said = [marking.who(change.source)]
    if change.source is not None and change.source.decided_by:
        said.append(_("decided by %(who)s", who=words.person(change.source.decided_by)))
    if change.brought is not None:
        said.append(_("brought in by %(who)s", who=marking.who(change.brought)))
    if change.is_move:
        said.append(_("moved"))
    return "; ".join(said)


def _short(text: str) -> str:
    plain = " ".join(markdown.plain_text(text).split()) or "¶"
    return plain if len(plain) <= 300 else plain[:300] + "…"


def _plain(html: Markup) -> Markup:
    """Without the links to stories, which lead nowhere from a file."""
    return Markup(re.sub(r'<a class="run-link" href="[^"]*">(.*?)</a>', r"\1", str(html), flags=re.DOTALL))


def _section_file(section: SectionComparison, only: str) -> docx_writer.SectionFile:
    """The older text with the changes tracked; with a filter the others are taken as made."""
    text = to_units(section.text_a)
    changes: list[docx_writer.Change] = []
    for each in section.changes:
        if each.kind == "vanished":
            continue
        source = each.source or each.brought
        author = ", ".join(one.name for one in source.organizations) if source else ""
        at = (source.decided_at or source.at) if source else now()
        put = each.text if each.kind == "inserted" else ""
        changes.append(docx_writer.Change(each.start_a, each.end_a, put, author or _("the drafting team"), at))
    if only:
        kept = [one for one, each in zip(changes, (c for c in section.changes if c.kind != "vanished"), strict=True) if each.matches(only)]
        others = [one for one, each in zip(changes, (c for c in section.changes if c.kind != "vanished"), strict=True) if not each.matches(only)]
        text, changes = _with(text, others, kept)
    return docx_writer.SectionFile(section.section_id, section.version_a, from_units(text), tuple(_paired(changes)))


def _with(text: str, made: list[docx_writer.Change], kept: list[docx_writer.Change]) -> tuple[str, list[docx_writer.Change]]:
    """The text after these changes, and the others moved to their places in it."""
    pieces, at, shift, moved = [], 0, 0, []
    for each, is_made in sorted([(one, True) for one in made] + [(one, False) for one in kept], key=lambda one: (one[0].start, one[0].end)):
        if is_made:
            put = to_units(each.text)
            pieces += [text[at : each.start], put]
            at = each.end
            shift += len(put) - (each.end - each.start)
        else:
            moved.append(replace(each, start=each.start + shift, end=each.end + shift))
    return "".join([*pieces, text[at:]]), moved


def _paired(changes: list[docx_writer.Change]) -> list[docx_writer.Change]:
    """A deletion and the insertion right behind it by the same people are one replacement."""
    made: list[docx_writer.Change] = []
    for each in changes:
        last = made[-1] if made else None
        if last is not None and last.end == each.start and last.author == each.author and last.at == each.at:
            made[-1] = replace(last, end=each.end, text=last.text + each.text)
        else:
            made.append(each)
    return made


def _attachment(data: bytes, name: str, kind: str) -> Response:
    answer = Response(data, mimetype=kind.split(";")[0], content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return answer

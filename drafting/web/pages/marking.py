"""Texts of the programme with their runs marked: colour, label and line of the source, and a link to the story.

`formats.markdown` writes marks around characters and never around tags; here they get their classes, and those that
have a story become links. Rendering is the dear part, so what was rendered once with the same marks is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from drafting.formats import markdown
from drafting.formats.markdown import Mark
from drafting.services.history import Attribution, Group, Source, group_of

NAMES = {
    "platform": _l("On the platform"),
    "team": _l("Text of the drafting team"),
    "kind-suggestion": _l("Accepted suggestion"),
    "kind-edit": _l("Written directly into the draft"),
    "kind-import": _l("Imported"),
    "kind-restore": _l("Restored"),
    "kind-revert": _l("Brought back by a reverted decision"),
    "kind-move": _l("Moved from elsewhere"),
    "kind-rewording": _l("Written by the office"),
    "verdict-accepted": _l("Accepted"),
    "verdict-reworded": _l("Accepted with changes"),
    "verdict-reverted": _l("Reverted"),
    "age-0": _l("Less than a week"),
    "age-1": _l("Less than a month"),
    "age-2": _l("Less than three months"),
    "age-3": _l("Less than a year"),
    "age-4": _l("More than a year"),
}
UNNAMED = {  # what words without a group are called under a colouring
    "organization": _l("Without an organisation"),
    "decision": _l("Without a decision"),
}
CODES = {
    "platform": "P", "team": "–", "kind-suggestion": "U", "kind-edit": "E", "kind-import": "I", "kind-restore": "R",
    "kind-revert": "Z", "kind-move": "M", "kind-rewording": "B", "verdict-accepted": "✓", "verdict-reworded": "≈",
    "verdict-reverted": "↶", "age-0": _l("7 d"), "age-1": _l("30 d"), "age-2": _l("90 d"), "age-3": _l("1 y"), "age-4": _l("1 y+"),
}  # fmt: skip


def group_name(group: Group, by: str = "meeting") -> str:
    """A group of the legend in words."""
    if group.id == "team" and by in UNNAMED:
        return str(UNNAMED[by])
    return group.name or str(NAMES.get(group.id, group.id))


def group_code(group: Group) -> str:
    """The sign that stands beside its words."""
    return group.code or str(CODES.get(group.id, "?"))


def tone(group: Group) -> str:
    """The classes of its colour: a hue, and of an age one of five steps from dark to light."""
    return f"hue-{group.hue} {group.id}" if group.id.startswith("age-") else f"hue-{group.hue}"


def who(source: Source | None) -> str:
    """Everybody behind a change in a few words: organisations, meetings, the suggestion; else who typed it."""
    if source is None:
        return ""
    said = [each.name for each in source.organizations]
    said += [_("meeting %(number)s, %(topic)s", number=each.number, topic=each.topic) for each in source.meetings]
    said += [f"U-{each}" for each in (source.suggestion, *source.credited) if each]
    if source.kind == "rewording":
        said.insert(0, _("own wording of the office"))
    return " · ".join(said) or _("the drafting team")


def runs_html(
    shown: Attribution,
    by: str,
    at: datetime,
    address: Callable[[str], str],
    *,
    only: str = "",
    selected: str = "",
    labels: bool = True,
    prefix: str = "",
) -> Markup:
    """A section with every run coloured by its group and leading to its story; removed words where they stood.

    only      group, meeting, organisation or suggestion: what others brought in stays plain
    selected  key of the run whose story is shown
    """
    marks: list[Mark] = []
    names: dict[str, str] = {}  # a text has thousands of runs and a dozen groups
    last = ""
    for run in shown.runs:
        group = group_of(run.source, by, at)
        seen = not only or group.id == only or run.source.matches(only)
        hue = tone(group) if seen else "hue-0"
        bare = "" if labels and group.id != last else " run--bare"
        last = group.id if seen else ""
        name = ""
        if seen:
            name = names.get(group.id) or names.setdefault(group.id, group_name(group, by))
        chosen = (" is-match" if only and seen else "") + (" is-selected" if run.key == selected else "")
        attributes = [("class", f"run {hue}{bare}{chosen}"), ("data-run", run.key)]
        if hue != "hue-0":
            said = who(run.source)
            attributes += [("data-code", group_code(group)), ("title", said if name in said else f"{name} · {said}")]
        marks.append(Mark(run.start, run.end, "span", tuple(attributes)))
    for each in shown.removed:
        group = group_of(each.source, by, at)
        if only and group.id != only and not each.source.matches(only):
            continue
        chosen = (" is-match" if only else "") + (" is-selected" if each.key == selected else "")
        marks.append(
            Mark(
                each.pos, each.pos, "del",
                (
                    ("class", f"run {tone(group)}{'' if labels else ' run--bare'}{chosen}"), ("data-run", each.key),
                    ("data-code", group_code(group)), ("title", _("Removed, asked for by: %(who)s", who=who(each.source))),
                ),
                each.text,
            )
        )  # fmt: skip
    return linked(rendered(shown.text, tuple(marks), prefix), address)


@lru_cache(maxsize=256)
def rendered(text: str, marks: tuple[Mark, ...], prefix: str) -> str:
    """The text with its marks as safe HTML; what was asked for lately is remembered."""
    return markdown.render_marked(text, marks, prefix)


_LINK = re.compile(r"(<a\b.*?</a>)", re.DOTALL)
_RUN = re.compile(r'<(span|ins|del)\b([^>]*?) data-run="([0-9.]+)"([^>]*)>(.*?)</\1>', re.DOTALL)


def linked(html: str, address: Callable[[str], str]) -> Markup:
    """The HTML with every run that has a key made a link; inside a link of the text it stays a mark.

    The first of the selected run is the place #run, the first of one that a filter lets through #at- and its key. A stop or a blank without a label is no link: nobody could hit it,
    and its neighbours tell its story.
    """
    found_selected = False
    matched: set[str] = set()

    def link(found: re.Match[str]) -> str:
        nonlocal found_selected
        tag, before, key, after, words = found.groups()
        if tag == "span" and ("run--bare" in before or "hue-0" in before) and not any(map(str.isalnum, words)):
            return f"<{tag}{before}{after}>{words}</{tag}>"
        place = ""
        if "is-selected" in before and not found_selected:
            found_selected, place = True, ' id="run"'
        elif "is-match" in before and key not in matched:
            matched.add(key)
            place = f' id="at-{key}"'
        href = escape(address(key))
        if tag == "span":
            return f'<a{before}{after}{place} href="{href}">{words}</a>'
        return f'<a class="run-link"{place} href="{href}"><{tag}{before}{after}>{words}</{tag}></a>'

    return Markup("".join(part if part.startswith("<a") else _RUN.sub(link, part) for part in _LINK.split(html)))


def matches(shown: Attribution, by: str, at: datetime, only: str) -> list[str]:
    """The keys of the runs, and of the removed words, that a filter lets through, in the order of the text."""
    found: list[tuple[int, int, str]] = [
        (run.start, 1, run.key) for run in shown.runs if group_of(run.source, by, at).id == only or run.source.matches(only)
    ]
    found += [
        (each.pos, 0, each.key) for each in shown.removed if group_of(each.source, by, at).id == only or each.source.matches(only)
    ]
    return [key for _, _, key in sorted(found)]


def told(story: Any) -> list[dict[str, Any]]:
    """The entries of a story for its template; support that came in one go is one line."""
    made: list[dict[str, Any]] = []
    for entry in story.entries:
        row = {name: getattr(entry, name) for name in entry.__slots__}
        row["until"] = None
        last = made[-1] if made else None
        if entry.kind == "endorsed" and not entry.note and last and last["kind"] == "endorsed" and last["number"] == entry.number and not last["note"]:
            last["organizations"] = (*last["organizations"], *entry.organizations)
            if entry.at and last["at"] and entry.at.date() != last["at"].date():
                last["until"] = entry.at
            continue
        made.append(row)
    return made


def shortest(texts: Sequence[str], most: int) -> list[bool]:
    """Which of these texts fit on one page of `most` characters, from the first on."""
    total, fits = 0, []
    for each in texts:
        total += len(each)
        fits.append(total <= most or not any(fits))
    return fits

"""The history of a document: the text at any moment, a line of days with what happened, and what one was away for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from drafting.engine.text import from_units
from drafting.errors import NotFound
from drafting.services import milestones, people, returning, timeline
from drafting.services.attribution_view import Reader
from drafting.services.moments import Moment, moment_of
from drafting.services.stories import titles
from drafting.services.timeline import Happened, TimelineMark
from drafting.web import words
from drafting.web.pages import frame, marking
from drafting.web.pages.compare import moment_name

pages = Blueprint("history", __name__)

AT_ONCE = 40_000  # characters of the text at a moment shown on one page; the rest is a click away


@dataclass(frozen=True, slots=True)
class Stop:
    """A place of the slider: a moment, its share of the line in percent, what happened there."""

    mark: TimelineMark
    place: int
    says: str
    address: str


@pages.get("/d/<slug>/history")
def line(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    found = timeline.marks(session, actor, document.id)
    stops = _stops(slug, found)
    chosen = request.args.get("step", type=frame.whole)
    if chosen is not None and stops:
        chosen = min(chosen, len(stops) - 1)
        at = stops[chosen].mark.at
        spec = (at + timedelta(microseconds=1)).isoformat()
    else:
        spec = request.args.get("at", "now")[:40] or "now"
    reader = Reader(session, document.id)
    moment = moment_of(reader, frame.document_row(), spec)
    if chosen is None:
        chosen = max((i for i, each in enumerate(stops) if each.mark.at <= moment.at), default=0)
    names = titles(session, document.id)
    texts = _texts(reader, moment, request.args.get("section", type=frame.whole))
    values = {
        "stops": stops,
        "chosen": chosen,
        "moment": moment,
        "moment_name": moment_name(moment),
        "texts": texts,
        "titles": names,
    }
    if frame.partial_wanted():
        return frame.page("history/moment.html", **values)
    days = [
        (day, list(group))
        for day, group in groupby(reversed(list(enumerate(stops))), key=lambda one: words.day(one[1].mark.at, year=True))
    ]
    return frame.page("history/line.html", days=days, may_catch_up=actor.is_signed_in, **values)


@pages.get("/d/<slug>/history/away")
def away(slug: str) -> Any:
    document = frame.document(slug)
    found = timeline.away(frame.reading(), frame.actor(), document.id, _since())
    return frame.page(
        "history/away.html", away=found, happened=[told(slug, each) for each in found.events], titles=titles(frame.reading(), document.id)
    )


@pages.post("/d/<slug>/history/away")
def caught_up(slug: str) -> Any:
    """The reader has seen it: from now on the page tells what comes after."""
    document = frame.document(slug)
    frame.write(people.seen, document.id)
    return frame.go("history.line", _("Noted. Next time you see what happened from now on."), slug=slug)


@pages.post("/d/<slug>/milestones/<int:milestone_id>/restore")
def restore(slug: str, milestone_id: int) -> Any:
    document = frame.document(slug)
    view = milestones.milestone(frame.reading(), frame.actor(), milestone_id)
    if view.document_id != document.id:
        raise NotFound("there is no such milestone in this document")
    frame.write(returning.restore_milestone, milestone_id)
    return frame.go("text.whole", _("The text reads as in “%(name)s” again. Nothing of what came after is lost.", name=view.name), slug=slug)


# ── what the templates need ─────────────────────────────────────────────────────────────────────────────


def _since() -> datetime | None:
    try:
        value = datetime.fromisoformat(request.args.get("since", ""))
    except ValueError:
        return None
    return value if value.tzinfo else None


def _texts(reader: Reader, moment: Moment, section_id: int | None) -> list[tuple[int, Markup | None]]:
    """(section, its text at the moment as HTML; None where it does not fit on the page)."""
    found: list[tuple[int, Markup | None]] = []
    total = 0
    for each, version in moment.sections:
        text = from_units(reader.history(each).text(version))
        total += len(text)
        shown = each == section_id if section_id else total <= AT_ONCE or not found
        found.append((each, Markup(marking.rendered(text, (), f"s{each}-")) if shown else None))
    return found


def _stops(slug: str, found: list[TimelineMark]) -> list[Stop]:
    if not found:
        return []
    last = max(len(found) - 1, 1)
    base = f"/d/{slug}"
    return [Stop(each, round(100 * i / last), _says(each), _address(base, each)) for i, each in enumerate(found)]


def _says(mark: TimelineMark) -> str:
    if mark.kind == "meeting":
        return _("Meeting %(number)s, %(topic)s", number=mark.id, topic=mark.name)
    if mark.kind == "phase":
        return _("Phase: %(phase)s", phase=words.PHASES.get(mark.name, mark.name))
    if mark.kind == "milestone":
        return _("Named version: %(name)s", name=mark.name)
    if mark.kind == "decisions":
        return ngettext("%(num)d decision", "%(num)d decisions", mark.count)
    if mark.kind == "suggestions":
        return ngettext("%(num)d suggestion filed", "%(num)d suggestions filed", mark.count)
    return ngettext("%(num)d change of the text", "%(num)d changes of the text", mark.count)


def _address(base: str, mark: TimelineMark) -> str:
    if mark.kind == "meeting":
        return f"{base}/meetings/{mark.id}"
    if mark.kind == "milestone":
        return f"{base}/milestones/{mark.id}"
    return ""


def told(slug: str, event: Happened) -> tuple[Happened, str, str]:
    """(event, sentence, address)."""
    base, data = f"/d/{slug}", event.data
    number = data.get("number", "")
    suggestion = f"{base}/suggestions/{number}"
    sentences = {
        "phase_changed": (_("The document has entered another phase."), base),
        "section_added": (_("A section was added: %(title)s", title=data.get("title", "")), f"{base}/s/{data.get('section')}"),
        "section_removed": (_("A section was removed: %(title)s", title=data.get("title", "")), f"{base}/s/{data.get('section')}"),
        "section_restored": (_("A section was put back: %(title)s", title=data.get("title", "")), f"{base}/s/{data.get('section')}"),
        "sections_reordered": (_("The sections have another order."), f"{base}/text"),
        "passage_moved": (_("A passage was moved to another section."), f"{base}/s/{data.get('to')}"),
        "section_text_restored": (_("A section was taken back to an earlier version."), f"{base}/s/{data.get('section')}"),
        "suggestion_filed": (_("Suggestion U-%(number)s was filed.", number=number), suggestion),
        "suggestion_withdrawn": (_("Suggestion U-%(number)s was withdrawn.", number=number), suggestion),
        "hunk_accepted": (_("U-%(number)s was accepted.", number=number), suggestion),
        "hunk_reworded": (_("U-%(number)s was accepted with changes.", number=number), suggestion),
        "hunk_rejected": (_("U-%(number)s was rejected.", number=number), suggestion),
        "hunk_reverted": (_("A decision on U-%(number)s was taken back.", number=number), suggestion),
        "milestone_created": (_("A version got a name: %(name)s", name=data.get("name", "")), f"{base}/milestones/{data.get('milestone')}"),
        "milestone_restored": (_("The text was taken back to “%(name)s”.", name=data.get("name", "")), f"{base}/milestones/{data.get('milestone')}"),
        "meeting_added": (_("A meeting was announced."), f"{base}/meetings"),
        "news_added": (_("News on the project page."), base),
        "annotation_added": (_("A remark, no. %(number)s", number=number), f"{base}/remarks/{number}"),
        "annotation_answered": (_("The office answered remark no. %(number)s.", number=number), f"{base}/remarks/{number}"),
    }  # fmt: skip
    says, address = sentences.get(event.kind, (event.kind, base))
    return event, says, address



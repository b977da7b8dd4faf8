"""The history of a document: the text at any moment, a line of days with what happened, and what one was away for."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, request, session
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy.exc import OperationalError

from drafting.engine.text import from_units
from drafting.errors import NotFound
from drafting.services import milestones, people, returning, timeline
from drafting.services.attribution_view import Reader
from drafting.services.clock import now
from drafting.services.comparison import Change, between
from drafting.services.moments import Moment, moment_of
from drafting.services.stories import titles
from drafting.services.timeline import Happened, TimelineMark
from drafting.web import words
from drafting.web.pages import compare, frame
from drafting.web.pages.compare import moment_name

log = logging.getLogger(__name__)

pages = Blueprint("history", __name__)

AT_ONCE = 40_000  # characters of the text at a moment shown on one page; the rest is a click away
MARKED = 400  # changes of one stop that are marked in the text; more would say nothing
WHAT = {  # what the page of what one was away for counts, and lists alone when asked
    "decisions": ("hunk_accepted", "hunk_reworded", "hunk_rejected", "hunk_reverted"),
    "suggestions": ("suggestion_filed",),
    "remarks": ("annotation_added",),
    "answers": ("annotation_answered",),
}
VISIT = timedelta(hours=1)  # who comes back after that is on a new visit
NOTED = timedelta(minutes=10)  # how often it is written down that somebody is here


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
    reading, actor = frame.reading(), frame.actor()
    found = timeline.marks(reading, actor, document.id)
    stops = _stops(slug, found)
    chosen = request.args.get("step", type=frame.whole)
    if chosen is not None and stops:
        chosen = min(chosen, len(stops) - 1)
        at = stops[chosen].mark.at
        spec = _just_after(at)
    else:
        spec = request.args.get("at", "now")[:40] or "now"
    reader = Reader(reading, document.id)
    moment = moment_of(reader, frame.document_row(), spec)
    is_stop = chosen is not None and bool(stops)
    if chosen is None:
        chosen = max((i for i, each in enumerate(stops) if each.mark.at <= moment.at), default=0)
    before = None
    if is_stop:
        before = moment_of(reader, frame.document_row(), _just_after(stops[chosen - 1].mark.at) if chosen else "start")
    names = titles(reading, document.id)
    values = {
        "stops": stops,
        "chosen": chosen,
        "is_stop": is_stop,
        "moment": moment,
        "moment_name": moment_name(moment),
        "before": before,
        "texts": _texts(slug, reader, moment, before, request.args.get("section", type=frame.whole)),
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
    visit = session.get("visits", {}).get(str(document.id))
    since = _since()
    if since is None and visit is not None:  # on a visit that has begun: since the end of the one before
        since = datetime.fromtimestamp(visit[1], UTC) if visit[1] else now() - timeline.AWAY
    found = timeline.away(frame.reading(), frame.actor(), document.id, since)
    is_first = found.first_visit or (visit is not None and not visit[1] and _since() is None)
    what = request.args.get("what", "")
    events = [each for each in found.events if each.kind in WHAT[what]] if what in WHAT else found.events
    happened = [told(slug, each) for each in events]
    days = [(day, list(group)) for day, group in groupby(happened, key=lambda one: words.day(one[0].at, year=True))]
    return frame.page("history/away.html", away=found, is_first=is_first, days=days, summary=_summary(found.counts), what=what if what in WHAT else "", asked_since=request.args.get("since", "") if _since() else "")


@pages.post("/d/<slug>/history/away")
def caught_up(slug: str) -> Any:
    """The reader has seen it: from now on the page tells what comes after."""
    document = frame.document(slug)
    frame.write(people.seen, document.id)
    _note_visit(document.id, now().timestamp())
    return frame.go("history.line", _("Noted. Next time you see what happened from now on."), slug=slug)


@pages.post("/d/<slug>/milestones/<int:milestone_id>/restore")
def restore(slug: str, milestone_id: int) -> Any:
    document = frame.document(slug)
    view = milestones.milestone(frame.reading(), frame.actor(), milestone_id)
    if view.document_id != document.id:
        raise NotFound("there is no such milestone in this document")
    frame.write(returning.restore_milestone, milestone_id)
    return frame.go("text.whole", _("The text reads as in “%(name)s” again. Nothing of what came after is lost.", name=view.name), slug=slug)


# ── visits ──────────────────────────────────────────────────────────────────────────────────────────────


@pages.after_app_request
def visited(response: Response) -> Response:
    """Writes down, now and then, that a member is here; the end of the last visit is what "away" is counted from."""
    document = g.get("document")
    is_page = request.method == "GET" and response.status_code == 200 and response.mimetype == "text/html"
    if document is None or not is_page or frame.partial_wanted() or frame.actor().member(document.id) is None:
        return response
    noted, since = session.get("visits", {}).get(str(document.id), (0, None))
    ago = now().timestamp() - noted
    if ago < NOTED.total_seconds():
        return response
    try:
        before = frame.write(people.seen, document.id)
    except OperationalError as error:  # the page was read and is shown, also where nothing can be written
        log.warning("a visit could not be written down: %s", error.orig)
        return response
    if ago > VISIT.total_seconds():
        since = before.timestamp() if before is not None else None
    _note_visit(document.id, since)
    return response


def _note_visit(document_id: int, since: float | None) -> None:
    """In this browser's session: {document: [last noted, end of the visit before]}, of the last few documents."""
    visits = {key: value for key, value in session.get("visits", {}).items() if key != str(document_id)}
    session["visits"] = {**dict(list(visits.items())[-9:]), str(document_id): [now().timestamp(), since]}


# ── what the templates need ─────────────────────────────────────────────────────────────────────────────


def _since() -> datetime | None:
    try:
        value = datetime.fromisoformat(request.args.get("since", ""))
    except ValueError:
        return None
    return value if value.tzinfo else None


def _just_after(at: datetime) -> str:
    """The moment when what happened at a moment has happened."""
    return (at + timedelta(microseconds=1)).isoformat()


@dataclass(frozen=True, slots=True)
class Text:
    """A section at a moment. html: None where it does not fit; changes: since the stop before"""

    section_id: int
    html: Markup | None
    changes: tuple[Change, ...] = ()


def _texts(slug: str, reader: Reader, moment: Moment, before: Moment | None, section_id: int | None) -> list[Text]:
    """The sections at a moment; with the one before it, what has come since is marked, and those are shown first of all."""
    changes: dict[int, tuple[Change, ...]] = {}
    if before is not None:
        for each, version in moment.sections:
            old = before.version_of(each) or 0
            if old < version:
                changes[each] = between(reader, each, "", old, version).changes
    texts = {each: from_units(reader.history(each).text(version)) for each, version in moment.sections}
    total = 0
    fits = set()
    for each in sorted(texts, key=lambda one: not changes.get(one)):
        total += len(texts[each])
        if each == section_id if section_id else total <= AT_ONCE or not fits:
            fits.add(each)
    found = []
    for each, text in texts.items():
        came = [one for one in changes.get(each, ()) if one.kind == "inserted"]
        html = None
        if each in fits:
            marked = came if len(came) <= MARKED else []
            html = compare.with_changes(text, marked, f"s{each}-", compare.stories(slug, each))
        found.append(Text(each, html, changes.get(each, ())))
    return found


def _summary(counts: dict[str, int]) -> list[tuple[str, str]]:
    """(what, in words) of what happened, counted; `what` lists only that."""
    numbers = {what: sum(counts.get(kind, 0) for kind in kinds) for what, kinds in WHAT.items()}
    said = {
        "decisions": ngettext("%(num)d decision", "%(num)d decisions", numbers["decisions"]),
        "suggestions": ngettext("%(num)d suggestion filed", "%(num)d suggestions filed", numbers["suggestions"]),
        "remarks": ngettext("%(num)d remark", "%(num)d remarks", numbers["remarks"]),
        "answers": ngettext("%(num)d answer to remarks", "%(num)d answers to remarks", numbers["answers"]),
    }
    return [(what, words_) for what, words_ in said.items() if numbers[what]]


def _stops(slug: str, found: list[TimelineMark]) -> list[Stop]:
    if not found:
        return []
    last = max(len(found) - 1, 1)
    base = f"/d/{slug}"
    zone = ZoneInfo(frame.document_row().timezone)
    return [Stop(each, round(100 * i / last), _says(each), _address(base, each, zone)) for i, each in enumerate(found)]


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


def _address(base: str, mark: TimelineMark, zone: ZoneInfo) -> str:
    """Where a stop leads: the page of what it is, or the list of the suggestions that it counts."""
    if mark.kind == "meeting":
        return f"{base}/meetings/{mark.id}"
    if mark.kind == "milestone":
        return f"{base}/milestones/{mark.id}"
    day = mark.at.astimezone(zone).date().isoformat()
    if mark.kind == "suggestions":
        return f"{base}/suggestions?filed={day}"
    if mark.kind == "decisions":
        return f"{base}/suggestions?decided={day}"
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



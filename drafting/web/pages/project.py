"""What a resident sees first: what the programme is for, until when, how far it is, its meetings, news and files."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any
from xml.sax.saxutils import escape

from flask import Blueprint, Response, request, send_file, url_for
from flask_babel import gettext as _

from drafting.engine.text import without_controls
from drafting.services import access, documents, meetings, milestones, notices, overview, people, sections
from drafting.services.clock import now
from drafting.services.documents import DocumentView, PhaseView
from drafting.web import words
from drafting.web.pages import frame

pages = Blueprint("project", __name__, url_prefix="/d/<slug>")


@dataclass(frozen=True, slots=True)
class Step:
    """A phase in the line of phases: behind, present or ahead."""

    code: str
    place: str  # "done" "now" "" (ahead)
    begins: datetime | None
    ends: datetime | None
    part: int  # percent of the present phase that is over


def steps(document: DocumentView, changes: list[PhaseView]) -> list[Step]:
    """The five phases in order, with when each began and ended as far as the document's history says."""
    began: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    for change, following in zip_longest(changes, changes[1:]):
        began.setdefault(change.phase, change.at)
        if following is not None and following.phase != change.phase:
            ended[change.phase] = following.at
    present = access.PHASES.index(document.phase)
    made = []
    for place, code in enumerate(access.PHASES):
        if place < present:
            made.append(Step(code, "done", began.get(code), ended.get(code), 100))
        elif place == present:
            start, end = began.get(code), document.phase_ends_at
            part = (
                words.share(int((now() - start).total_seconds()), int((end - start).total_seconds()))
                if (start and end and end > start)
                else 50
            )
            made.append(Step(code, "now", start, end, part))
        else:
            made.append(Step(code, "", None, None, 0))
    return made


@pages.get("/", strict_slashes=False)
def home(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    rows = overview.suggestions(session, actor, document.id)
    every = meetings.meetings(session, actor, document.id)
    contents = sections.outline(session, actor, document.id)
    ahead = [each for each in every if each.held_at and each.held_at > now()]
    return frame.page(
        "project/home.html",
        steps=steps(document, documents.phases(session, actor, document.id)),
        figures=overview.figures(session, document.id, rows),
        meetings=every,
        yields=overview.by_meeting(rows),
        contents=contents,
        news=notices.news(session, actor, document.id, limit=4),
        files=[each for each in meetings.attachments(session, actor, document.id) if each.meeting_id is None],
        named=milestones.milestones(session, actor, document.id)[:3],
        ahead=sorted(ahead, key=lambda each: each.held_at or now())[:3],
        way_in=_way_in(contents),
    )


def _way_in(contents: list[sections.SectionView]) -> tuple[str, str]:
    """The one thing most people came to do, and the mode of the text in which they do it."""
    if not contents and frame.may("structure"):
        return _("Add sections"), "sections"
    if contents and frame.may("decide") and frame.actor().role(frame.document_row()) == "official":
        return _("Go to the review desk"), "desk"
    if frame.may("suggest") and not frame.may("edit"):
        return _("Suggest a change"), "suggest"
    if frame.may("edit"):
        return _("Write the draft"), "edit"
    document = frame.document_row()
    if not frame.actor().is_signed_in and document.phase == "consultation" and contents:
        return _("Suggest a change"), "sign-in"
    return "", ""


@pages.get("/news.atom")
def feed(slug: str) -> Any:
    """The news as an Atom feed."""
    document = frame.document(slug)
    every = notices.news(frame.reading(), frame.actor(), document.id)
    address = url_for("project.home", slug=slug, _external=True)
    updated = every[0].at if every else document.created_at
    entries = "".join(
        f"<entry><id>{escape(address)}#news-{each.id}</id><title>{escape(each.title)}</title>"
        f'<updated>{each.at.isoformat()}</updated><link href="{escape(address)}#news-{each.id}"/>'
        f'<content type="html">{escape(str(words.prose(each.text)))}</content></entry>'
        for each in every
    )
    body = (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{escape(address)}</id><title>{escape(document.title)}</title><updated>{updated.isoformat()}</updated>"
        f"<author><name>{escape(document.municipality or document.title)}</name></author>"
        f'<link rel="self" href="{escape(request.base_url)}"/>{entries}</feed>'
    )
    return Response(without_controls(body), mimetype="application/atom+xml")


@pages.get("/dates.ics")
def dates(slug: str) -> Any:
    """The deadline and the meetings to come, for a calendar."""
    document = frame.document(slug)
    every = meetings.meetings(frame.reading(), frame.actor(), document.id)
    events = [
        (f"meeting-{each.number}", each.held_at, each.held_at + timedelta(hours=2), each.topic, each.place)
        for each in every
        if each.held_at
    ]
    if document.phase_ends_at:
        end = document.phase_ends_at
        says = _("Deadline: %(phase)s", phase=words.PHASES[document.phase])
        events.append((f"phase-{document.phase}", end - timedelta(minutes=15), end, says, ""))
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Drafting//EN"]
    for name, start, end, says, place in events:
        uid = hashlib.sha256(f"{document.slug}/{name}".encode()).hexdigest()[:24]
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid}@{request.host.split(':')[0]}",
            f"DTSTAMP:{now():%Y%m%dT%H%M%SZ}",
            f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
            f"DTEND:{end:%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{_calendar(f'{says} · {document.title}')}",
            *([f"LOCATION:{_calendar(place)}"] if place else []),
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return Response("\r\n".join(map(_folded, lines)) + "\r\n", mimetype="text/calendar")


def _calendar(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, "\\" + sign)
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """The line in pieces of at most 75 bytes, as RFC 5545 wants."""
    pieces, piece = [], ""
    for character in line:
        if len((piece + character).encode()) > 73:
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join([*pieces, piece])


@pages.get("/files/<int:attachment_id>")
def file(slug: str, attachment_id: int) -> Any:
    """A file of the document or of one of its meetings, always to be saved and never shown as a page."""
    frame.document(slug)
    view, path = meetings.attachment(frame.reading(), frame.actor(), attachment_id, frame.settings().uploads_path)
    return send_file(path, mimetype=view.media_type, as_attachment=True, download_name=view.name, etag=view.sha256)


@pages.post("/files")
def add_file(slug: str) -> Any:
    document = frame.document(slug)
    given = request.files.get("file")
    form = frame.Form({"file": ""})
    if given is None or not given.filename:
        form.errors["file"] = _("Choose a file first.")
    else:
        number = request.form.get("meeting", "")
        chosen = None
        if number.isdecimal() and len(number) < 10:
            chosen = meetings.meeting(frame.reading(), frame.actor(), document.id, int(number)).id
        with closing(given):  # a large one lies in a temporary file
            content = given.read()
        form.run(
            meetings.add_attachment,
            document.id,
            given.filename,
            content,
            frame.settings().uploads_path,
            meeting_id=chosen,
            largest=frame.settings().max_upload_size,
        )
    if form.errors:
        from flask import flash

        flash(next(iter(form.errors.values())), "wrong")
        return frame.back(url_for("project.home", slug=slug))
    return frame.back(url_for("project.home", slug=slug), _("The file is added."))


@pages.post("/files/<int:attachment_id>/remove")
def remove_file(slug: str, attachment_id: int) -> Any:
    frame.document(slug)
    frame.write(meetings.remove_attachment, attachment_id)
    return frame.back(url_for("project.home", slug=slug), _("The file is removed."))


@pages.post("/leave")
def leave(slug: str) -> Any:
    """Ends one's own membership."""
    document = frame.document(slug)
    frame.write(people.end_membership, document.id, frame.actor().user_id)
    return frame.go("home.start", _("You are no longer a member of this document."))

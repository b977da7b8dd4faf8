"""Meetings: the list, each meeting with what was asked there and what became of it, and changing them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _

from drafting.services import impact, meetings, overview, people
from drafting.web.pages import frame, sentences
from drafting.web.pages.suggestions import glimpses

pages = Blueprint("meetings", __name__, url_prefix="/d/<slug>/meetings")

EMPTY = {"topic": "", "short": "", "place": "", "held_at": "", "summary": "", "minutes": ""}


@pages.get("")
def every(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    rows = overview.suggestions(session, actor, document.id)
    return frame.page(
        "meetings/every.html",
        every=meetings.meetings(session, actor, document.id),
        yields=overview.by_meeting(rows),
    )


@pages.get("/<int:number>")
def one(slug: str, number: int) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    meeting = meetings.meeting(session, actor, document.id, number)
    all_rows = overview.suggestions(session, actor, document.id)
    rows = [row for row in all_rows if any(each.id == meeting.id for each in row.meetings)]
    every = meetings.meetings(session, actor, document.id)
    place = [each.number for each in every].index(number)
    return frame.page(
        "meetings/one.html",
        meeting=meeting,
        minutes=sentences.minutes(meeting.minutes, request.args.get("sentence", type=frame.whole)) if meeting.minutes else "",
        asked=rows,
        glimpses=glimpses(rows),
        sum=overview.sum_of(rows),
        impact=impact.of_meeting(session, actor, document.id, meeting.id, all_rows),
        sections=overview.sections_of(session, document.id),
        files=meetings.attachments(session, actor, document.id, meeting.id),
        before=every[place - 1] if place else None,
        after=every[place + 1] if place + 1 < len(every) else None,
    )


@pages.route("/new", methods=["GET", "POST"])
def new(slug: str) -> Any:
    document = frame.document(slug)
    frame.demand("manage_meetings")
    form = frame.Form(EMPTY)
    if form.is_sent:
        made = form.run(meetings.add_meeting, document.id, **_values(form, document.timezone, document.id))
        if made is not None:
            return frame.go("meetings.one", _("The meeting is added."), slug=slug, number=made.number)
    return _edit_page(document.id, form, None)


@pages.route("/<int:number>/edit", methods=["GET", "POST"])
def edit(slug: str, number: int) -> Any:
    document = frame.document(slug)
    frame.demand("manage_meetings")
    meeting = meetings.meeting(frame.reading(), frame.actor(), document.id, number)
    from drafting.web import words

    form = frame.Form(
        {
            "topic": meeting.topic,
            "short": meeting.short,
            "place": meeting.place,
            "held_at": words.field_moment(meeting.held_at),
            "summary": meeting.summary,
            "minutes": meeting.minutes,
            **{f"people-{each.organization.id}": each.people for each in meeting.attendance},
        }
    )
    if form.is_sent:
        values = _values(form, document.timezone, document.id)
        changed = form.run(meetings.change_meeting, meeting.id, no_date=values["held_at"] is None, **values)
        if changed is not None:
            return frame.go("meetings.one", _("Saved."), slug=slug, number=number)
    return _edit_page(document.id, form, meeting)


@pages.post("/<int:number>/remove")
def remove(slug: str, number: int) -> Any:
    document = frame.document(slug)
    meeting = meetings.meeting(frame.reading(), frame.actor(), document.id, number)
    form = frame.Form()
    form.run(meetings.remove_meeting, meeting.id)
    if form.errors:
        from flask import flash

        flash(next(iter(form.errors.values())), "wrong")
        return frame.go("meetings.one", slug=slug, number=number)
    return frame.go("meetings.every", _("The meeting is removed."), slug=slug)


def _values(form: frame.Form, zone: str, document_id: int) -> dict[str, Any]:
    form.needs("topic", _("Write what the meeting is about."))
    attendance: dict[int, int] = {}
    for name in request.form:
        kind, _sign, code = name.partition("-")
        if kind == "people" and code.isdecimal() and len(code) < 10:
            count = form.number(name)
            if count:
                attendance[int(code)] = count
            if count is not None and count < 0:
                form.errors[name] = _("Write how many people came, as a number.")
    return {
        "topic": form.text("topic"),
        "short": form.text("short"),
        "place": form.text("place"),
        "held_at": form.moment("held_at", zone),
        "summary": form.text("summary"),
        "minutes": form.text("minutes"),
        "attendance": attendance,
    }


def _edit_page(document_id: int, form: frame.Form, meeting: meetings.MeetingView | None) -> Any:
    return frame.page(
        "meetings/edit.html",
        form.status,
        form=form,
        meeting=meeting,
        organizations=people.organizations(frame.reading(), frame.actor(), document_id),
    )

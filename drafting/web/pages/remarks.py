"""Remarks: the list with filters, each thread on its own page, the position of the office, putting orphans back."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext as _

from drafting.errors import NotFound
from drafting.services import annotations, overview, people, sections
from drafting.services.annotations import AnnotationView
from drafting.web import words
from drafting.web.pages import frame
from drafting.web.pages.suggestions import page_of

pages = Blueprint("remarks", __name__, url_prefix="/d/<slug>/remarks")

STATES = ("open", "unanswered", "resolved", "orphaned")


@pages.get("")
def every(slug: str) -> Any:
    document = frame.document(slug)
    return _list_page(document.id, frame.Form({"text": "", "section": "", "kind": "remark"}))


def _list_page(document_id: int, form: frame.Form) -> Any:
    session, actor = frame.reading(), frame.actor()
    slug = frame.document_row().slug
    filters = {name: request.args[name] for name in ("state", "section", "organization", "q") if request.args.get(name)}
    section = int(filters["section"]) if re.fullmatch("[0-9]{1,9}", filters.get("section", "")) else None
    every_organization = people.organizations(session, actor, document_id)
    organization = next((each.id for each in every_organization if each.code == filters.get("organization")), None)
    rows = annotations.listing(
        session,
        actor,
        document_id,
        section_id=section,
        organization_id=organization,
        words=filters.get("q", "")[:200],
        limit=5000,
    )
    rows = sorted(rows, key=lambda row: -row.number)
    state = filters.get("state", "")
    return frame.page(
        "remarks/every.html",
        form.status,
        form=form,
        listed=page_of([row for row in rows if not state or _is(row, state)], request.args.get("page")),
        counts={name: sum(_is(row, name) for row in rows) for name in STATES},
        every_count=len(rows),
        filters=filters,
        sections=overview.sections_of(session, document_id),
        outline=sections.outline(session, actor, document_id),
        organizations=every_organization,
        at=lambda **changed: url_for("remarks.every", slug=slug, **{**filters, **changed}),
    )


def _is(row: AnnotationView, state: str) -> bool:
    if state == "unanswered":
        return row.position is None and row.state == "open"
    if state == "orphaned":
        return row.orphaned
    return row.state == state


@pages.post("")
def add(slug: str) -> Any:
    """A remark on the whole document, or on a whole section."""
    document = frame.document(slug)
    form = frame.Form({"text": "", "section": "", "kind": "remark"})
    text = form.needs("text", _("Write something first."))
    kind = form.choice("kind", words.ANNOTATION_KINDS)
    made = form.run(annotations.annotate, document.id, text, section_id=form.number("section"), kind=kind)
    if made is None:
        return _list_page(document.id, form)
    return frame.go("remarks.one", _("Your remark is here."), slug=slug, number=made.number)


@pages.get("/<int:number>")
def one(slug: str, number: int) -> Any:
    document = frame.document(slug)
    return _page(document.id, number, frame.Form({"text": "", "position": "", "reason": ""}))


def _page(document_id: int, number: int, form: frame.Form) -> Any:
    view = annotations.by_number(frame.reading(), frame.actor(), document_id, number)
    return frame.page(
        "remarks/one.html",
        form.status,
        view=view,
        form=form,
        positions=[("", _("choose a position")), *words.POSITIONS.items()],
    )


@pages.post("/<int:number>/reply")
def reply(slug: str, number: int) -> Any:
    document = frame.document(slug)
    view = annotations.by_number(frame.reading(), frame.actor(), document.id, number)
    form = frame.Form({"text": ""})
    text = form.needs("text", _("Write something first."))
    form.run(annotations.reply, view.id, text)
    if form.errors:
        return _page(document.id, number, form)
    return frame.back(url_for("remarks.one", slug=slug, number=number), _("Your reply is here."))


@pages.post("/<int:number>/answer")
def answer(slug: str, number: int) -> Any:
    document = frame.document(slug)
    view = annotations.by_number(frame.reading(), frame.actor(), document.id, number)
    form = frame.Form({"position": "", "reason": ""})
    position = form.choice("position", words.POSITIONS, _("Choose a position."))
    form.run(annotations.answer, view.id, position, form.text("reason"))
    if form.errors:
        return _page(document.id, number, form)
    return frame.go("remarks.one", _("The position is published."), slug=slug, number=number)


@pages.post("/<int:number>/<any(resolve,reopen):what>")
def settle(slug: str, number: int, what: str) -> Any:
    document = frame.document(slug)
    view = annotations.by_number(frame.reading(), frame.actor(), document.id, number)
    form = frame.Form()
    form.run(annotations.resolve if what == "resolve" else annotations.reopen, view.id)
    if form.errors:
        flash(next(iter(form.errors.values())), "wrong")
    said = (
        "" if form.errors else (_("The remark is resolved.") if what == "resolve" else _("The remark is open again."))
    )
    return frame.back(url_for("remarks.one", slug=slug, number=number), said)


@pages.post("/<int:number>/put-back")
def put_back(slug: str, number: int) -> Any:
    """Puts an orphan back on its words, when they stand in one place; else says what was found."""
    document = frame.document(slug)
    view = annotations.by_number(frame.reading(), frame.actor(), document.id, number)
    found = frame.write(annotations.put_back, view.id)
    says = {
        "found": _("Its words stand in the text; the remark is there again."),
        "ambiguous": _("Its words stand in several places. Open the section, select the right ones and put it there."),
        "not_found": _("Its words stand nowhere in the section. Open it and select where the remark belongs now."),
    }
    flash(says[found.outcome], "message" if found.outcome == "found" else "wrong")
    return frame.go("remarks.one", slug=slug, number=number)


@pages.post("/<int:number>/comments/<int:comment_id>/remove")
def remove_comment(slug: str, number: int, comment_id: int) -> Any:
    document = frame.document(slug)
    view = annotations.by_number(frame.reading(), frame.actor(), document.id, number)
    if comment_id not in {each.id for each in view.replies}:
        raise NotFound("there is no such entry in this thread")
    frame.write(annotations.remove_comment, comment_id)
    return frame.go("remarks.one", _("The entry is removed."), slug=slug, number=number)

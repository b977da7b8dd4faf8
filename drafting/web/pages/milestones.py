"""Named versions of the whole document: the list, making one, and one with its contents and its hash."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import gettext as _
from markupsafe import Markup

from drafting.errors import NotFound
from drafting.formats import markdown
from drafting.services import milestones
from drafting.store.queries import text_at
from drafting.web.pages import frame

pages = Blueprint("milestones", __name__, url_prefix="/d/<slug>/milestones")


@pages.route("", methods=["GET", "POST"])
def every(slug: str) -> Any:
    document = frame.document(slug)
    form = frame.Form({"name": "", "note": ""})
    if form.is_sent:
        name = form.needs("name", _("Write a name, such as “Draft for consultation”."))
        made = form.run(milestones.create_milestone, document.id, name, form.text("note"))
        if made is not None:
            return frame.go("milestones.one", _("The version has its name."), slug=slug, milestone_id=made.id)
        if form.errors.get("") and "name" not in form.errors:
            form.errors["name"] = _("The document has a version of this name already.")
    return frame.page(
        "milestones/every.html",
        form.status,
        form=form,
        every=list(reversed(milestones.milestones(frame.reading(), frame.actor(), document.id))),
    )


@pages.get("/<int:milestone_id>")
def one(slug: str, milestone_id: int) -> Any:
    document = frame.document(slug)
    session = frame.reading()
    view = milestones.milestone(session, frame.actor(), milestone_id)
    if view.document_id != document.id:
        raise NotFound("there is no such milestone in this document")
    texts = [
        (each, Markup(markdown.render(text_at(session, each.stream_id, each.version), f"s{each.section_id}-")))
        for each in view.sections
    ]
    every = milestones.milestones(session, frame.actor(), document.id)
    earlier = [each for each in every if (each.at, each.id) < (view.at, view.id)]
    return frame.page("milestones/one.html", milestone=view, texts=texts, previous=earlier[-1] if earlier else None)

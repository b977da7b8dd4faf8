"""The first page: what can be read here, and one's own documents; making a new one; pages about this server."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import gettext as _

from drafting.services import access, documents
from drafting.services.access import Role
from drafting.web import words
from drafting.web.pages import frame

pages = Blueprint("home", __name__)


@pages.get("/")
def start() -> Any:
    every = documents.documents(frame.reading(), frame.actor())
    return frame.page(
        "home/start.html",
        own=[each for each in every if each.role is not Role.PUBLIC],
        public=[each for each in every if each.role is Role.PUBLIC],
    )


@pages.route("/documents/new", methods=["GET", "POST"])
def new_document() -> Any:
    access.require_operator(frame.actor())
    form = frame.Form({"title": "", "slug": "", "municipality": "", "summary": "", "language": "pl"})
    if form.is_sent:
        form.needs("title", _("Write the title of the document."))
        made = form.run(
            documents.create_document,
            form.text("title"),
            slug=form.text("slug").strip(),
            municipality=form.text("municipality"),
            summary=form.text("summary"),
            language=form.text("language"),
        )
        if made is not None:
            return frame.go(
                "project.home", _("The document is made. Add its sections, then publish it."), slug=made.slug
            )
    return frame.page("home/new_document.html", form.status, form=form, languages=list(words.LANGUAGES.items()))


@pages.get("/how-it-works")
def how() -> Any:
    return frame.page("home/how.html")


@pages.get("/accessibility")
def accessibility() -> Any:
    return frame.page("home/accessibility.html")


@pages.get("/personal-data")
def privacy() -> Any:
    return frame.page("home/privacy.html")

"""News of a document: writing and taking back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import gettext as _

from drafting.errors import NotFound
from drafting.services import notices
from drafting.web.pages import frame

pages = Blueprint("news", __name__, url_prefix="/d/<slug>/news")


@pages.route("", methods=["GET", "POST"])
def every(slug: str) -> Any:
    document = frame.document(slug)
    frame.demand("news")
    form = frame.Form({"title": "", "text": ""})
    if form.is_sent:
        title = form.needs("title", _("Write a title."))
        if form.run(notices.add_news, document.id, title, form.text("text")) is not None:
            return frame.go("news.every", _("Published on the project page."), slug=slug)
    return frame.page(
        "news/every.html", form.status, form=form, every=notices.news(frame.reading(), frame.actor(), document.id)
    )


@pages.post("/<int:news_id>/remove")
def remove(slug: str, news_id: int) -> Any:
    document = frame.document(slug)
    if news_id not in {each.id for each in notices.news(frame.reading(), frame.actor(), document.id, limit=1000)}:
        raise NotFound("there is no such notice")
    frame.write(notices.remove_news, news_id)
    return frame.go("news.every", _("Taken off the project page."), slug=slug)

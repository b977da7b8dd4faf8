"""Deciding together: the open places of the queue, of many suggestions, ticked and accepted or rejected with one reason.

A set is of one section and one transaction. It names what was read, the hash of every place, and what the page said
that it would supersede; when something of it has changed since, nothing is decided and the page shows the new state,
with the ticks and the reason that was typed. A place whose ground has changed is decided alone, at the desk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from drafting.errors import Conflict, InvalidInput, StaleReview
from drafting.services import decisions
from drafting.services.decisions import Decided, Judged
from drafting.services.suggestions import HunkView, SuggestionView
from drafting.store.models import Section
from drafting.web import words
from drafting.web.pages import frame, review, sentences
from drafting.web.pages.suggestions import glimpse_of, page_of

pages = Blueprint("sets", __name__, url_prefix="/d/<slug>/review/set")


A_PAGE = 100  # suggestions of the queue shown at once


@dataclass(frozen=True, slots=True)
class Place:
    """One open hunk of the queue. `value` is what its tick sends; empty when it can only be decided alone."""

    view: SuggestionView
    hunk: HunkView
    where: str
    glimpse: Markup
    rivals: Sequence[int]  # numbers of the suggestions it competes with
    value: str
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The open places of one section, and the pairs (suggestion:hunk) that accepting them can supersede."""

    section_id: int
    title: str
    places: Sequence[Place]
    known: Sequence[str]


@pages.get("")
def choose(slug: str) -> Any:
    document = frame.document(slug)
    frame.demand("decide")
    return _page(document.id, frame.Form({"reason": ""}), request.args, 0)


@pages.post("")
def decide(slug: str) -> Any:
    document = frame.document(slug)
    frame.demand("decide")
    form = frame.Form({"reason": "", "verdict": ""})
    verdict = form.choice("verdict", decisions.VERDICTS)
    section_id = form.number("in") or 0
    row = frame.reading().get(Section, section_id)  # also one that was removed, or is only proposed
    if row is None or row.document_id != document.id:
        form.errors[""] = _("The sections have changed in the meantime; the page shows them as they are.")
    if not request.form.getlist("place"):
        form.errors[""] = _("Tick at least one place.")
    if verdict == "rejected" and not form.text("reason").strip():
        form.errors["reason"] = _("Write a reason: it goes into the consultation report.")
    done: Decided | None = None
    if form.is_good:
        try:
            items = [review.judged(value) for value in request.form.getlist("place")]
            done = _decide(section_id, items, verdict, form.text("reason"))
        except (Conflict, InvalidInput) as error:
            form.refuse(error)
            form.errors.setdefault("", words.error_text(error))
    if done is None:
        return _page(document.id, form, request.form, section_id)
    review.say(done, document.id)
    page = {"page": request.args["page"]} if request.args.get("page", "").isdecimal() else {}
    return frame.go("sets.choose", slug=slug, **review.filters_of(request.form), **page)


def _decide(section_id: int, items: Sequence[Judged], verdict: str, reason: str) -> Decided:
    """What the service made of it. What it supersedes is no more than the page said; else StaleReview."""
    if verdict == "rejected":
        return frame.write(decisions.decide, section_id, items, verdict, reason=reason)
    foreseen = decisions.foresee(frame.reading(), frame.actor(), section_id, items)
    known = set(request.form.getlist("known"))
    news = [pair for pair in foreseen.supersedes if f"{pair[0]}:{pair[1]}" not in known]
    if news:
        raise StaleReview("others would be superseded than the page said", superseded=[list(pair) for pair in news])
    return frame.write(decisions.decide, section_id, items, verdict, reason=reason, supersedes=foreseen.supersedes)


def _page(document_id: int, form: frame.Form, given: Mapping[str, str], section_id: int) -> Any:
    """The queue as it is now. After a refusal the ticks of this section stay where they were."""
    slug = frame.document_row().slug
    filters = review.filters_of(given)
    queue, counts = review.queue_of(document_id, filters)
    listed = page_of(queue, request.args.get("page"), A_PAGE)
    ticked = {_place_of(value) for value in request.form.getlist("place")}
    groups = []
    for _title, items in review.groups_of(document_id, review.items_of(document_id, listed.rows)):
        text = review.text_of(items[0].view.section_id)
        places = [_place(item.view, hunk, text, ticked) for item in items for hunk in item.view.open_hunks]
        known = {
            f"{one.suggestion_id}:{one.hunk_id}"
            for place in places
            for one in place.hunk.related
            if one.supersedes
        }
        groups.append(Group(items[0].view.section_id, _title, places, sorted(known)))
    return frame.page(
        "review/set.html",
        form.status,
        form=form,
        groups=groups,
        section_id=section_id,
        filters=filters,
        count=sum(each.hunks for each in queue),
        listed=listed,
        page_at=lambda number: url_for("sets.choose", slug=slug, **{**filters, "page": number}),
        of=counts["waiting"],
        desk=url_for("review.desk", slug=slug, **filters),
        reasons=words.REASONS,
    )


def _place(view: SuggestionView, hunk: HunkView, text: str, ticked: set[str]) -> Place:
    alone = hunk.base_changed or hunk.fulfilled
    value = "" if alone else ":".join([str(view.id), str(hunk.id), str(view.branch_version), hunk.hash, ""])
    rivals = sorted({one.number for one in hunk.related if one.supersedes})
    where = sentences.place(text, hunk.start)
    return Place(view, hunk, where, glimpse_of(hunk), rivals, value, f"{view.id}:{hunk.id}" in ticked)


def _place_of(value: str) -> str:
    """The suggestion and the hunk of a tick, whatever else it names."""
    return ":".join(value.split(":")[:2])

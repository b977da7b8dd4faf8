"""Suggestions: the list with filters, and each suggestion's own page with its wording, reason, support and fate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.errors import NotFound, WrongState
from drafting.services import annotations, decisions, editing, meetings, overview, people, suggestions
from drafting.services.overview import SuggestionFacts
from drafting.services.suggestions import HunkView, SuggestionView
from drafting.store.models import Decision, Section, Suggestion
from drafting.store.queries import text_at
from drafting.web import words
from drafting.web.pages import frame, sentences

pages = Blueprint("suggestions", __name__, url_prefix="/d/<slug>/suggestions")

A_PAGE = 50  # suggestions of a list shown at once


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list."""

    rows: Sequence[Any]
    count: int
    page: int
    pages: int


def page_of(rows: Sequence[Any], number: str | None, size: int = A_PAGE) -> Listed:
    """The page of a list that was asked for; the nearest there is."""
    count = max(1, -(-len(rows) // size))
    at = min(max(1, int(number) if number and number.isdecimal() and len(number) < 7 else 1), count)
    return Listed(rows[(at - 1) * size : at * size], len(rows), at, count)


def chosen_filters(given: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address that are set."""
    return {name: given[name] for name in ("fate", "section", "organization", "meeting", "q") if given.get(name)}


def on_days(rows: Sequence[SuggestionFacts], given: Mapping[str, str]) -> tuple[list[SuggestionFacts], dict[str, date]]:
    """Those filed, and those of which something was decided, on the days that an address names; and these days."""
    document = frame.document_row()
    zone = ZoneInfo(document.timezone)
    days: dict[str, date] = {}
    for name in ("filed", "decided"):
        with suppress(ValueError):
            days[name] = date.fromisoformat(given.get(name, ""))
    found = list(rows)
    if "filed" in days:
        found = [row for row in found if row.filed_at and row.filed_at.astimezone(zone).date() == days["filed"]]
    if "decided" in days:
        verdicts = frame.reading().execute(select(Decision.suggestion_id, Decision.at).where(Decision.document_id == document.id))
        ids = {suggestion for suggestion, at in verdicts if at.astimezone(zone).date() == days["decided"]}
        found = [row for row in found if row.id in ids]
    return found, days


def filtered(rows: Sequence[SuggestionFacts], given: Mapping[str, str], *, fate: bool = True) -> list[SuggestionFacts]:
    """The suggestions that pass all filters of an address."""
    needle = given.get("q", "").strip().casefold()[:200]
    found = []
    for row in rows:
        if fate and given.get("fate") and not _has_fate(row, given["fate"]):
            continue
        if given.get("section") and str(row.section_id) != given["section"]:
            continue
        codes = {each.code for each in row.organizations} or {"none"}
        numbers = {str(each.number) for each in row.meetings} or {"none"}
        if given.get("organization") and given["organization"] not in codes:
            continue
        if given.get("meeting") and given["meeting"] not in numbers:
            continue
        if needle and needle not in _said(row):
            continue
        found.append(row)
    return found


def _has_fate(row: SuggestionFacts, fate: str) -> bool:
    if fate == "open":
        return row.is_open
    if fate == "stands":
        return row.fate in overview.STANDS
    if fate == "whole":
        return row.fate in ("accepted", "fulfilled")
    if fate == "refused":
        return row.fate in ("rejected", "superseded")
    if fate == "asked":  # what the matrix counts
        return row.filed_at is not None and row.fate not in ("draft", "withdrawn")
    return row.fate == fate


def _said(row: SuggestionFacts) -> str:
    return " ".join(
        [
            f"u-{row.number}",
            row.reason,
            *(each.name for each in row.organizations),
            *(each.topic for each in row.meetings),
            *(f"{each.ground} {each.text}" for each in row.pieces),
        ]
    ).casefold()


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("")
def every(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    rows, days = on_days(overview.suggestions(session, actor, document.id), request.args)
    filters = chosen_filters(request.args) | {name: day.isoformat() for name, day in days.items()}
    narrowed = filtered(rows, filters, fate=False)
    found = filtered(narrowed, filters)
    found.sort(key=lambda row: -row.number)
    listed = page_of(found, request.args.get("page"))
    counts = {fate: sum(_has_fate(row, fate) for row in narrowed) for fate in (*overview.FATES, "stands")}
    return frame.page(
        "suggestions/every.html",
        listed=listed,
        glimpses=glimpses(listed.rows),
        filters=filters,
        days=days,
        counts={fate: number for fate, number in counts.items() if number and fate not in ("stands", "partly_open")},
        every_count=len(narrowed),
        sections=overview.sections_of(session, document.id),
        organizations=people.organizations(session, actor, document.id),
        meetings=meetings.meetings(session, actor, document.id),
        at=lambda **changed: url_for("suggestions.every", slug=slug, **{**filters, **changed}),
    )


def glimpses(rows: Sequence[SuggestionFacts], most: int = 60) -> dict[int, list[Markup]]:
    """Suggestion id → what each of its places changes, with a few words around; of the first so many."""
    ids = [row.id for row in rows[:most]]
    session = frame.reading()
    found = {row.id: row for row in session.scalars(select(Suggestion).where(Suggestion.id.in_(ids)))}
    views = suggestions.views(session, frame.actor(), [found[each] for each in ids if each in found])
    return {view.id: [glimpse_of(hunk) for hunk in view.hunks] for view in views}


def glimpse_of(hunk: HunkView) -> Markup:
    """What a hunk changes, with a few words around it where they are known."""
    if hunk.ways:
        return sentences.glimpse(hunk.ways[0].before, hunk.ways[0].after)
    if hunk.decision is not None and hunk.decision.before != hunk.decision.after:
        return sentences.glimpse(hunk.decision.before, hunk.decision.after)
    return sentences.change(hunk.ground, hunk.text)


# ── one ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Place:
    """A hunk as its page shows it: the sentence it makes, where, and what was decided."""

    hunk: HunkView
    where: str
    sentence: Markup
    rivals: Sequence[Any]
    identical: Sequence[Any]


def places(view: SuggestionView) -> list[Place]:
    """The hunks of a suggestion with their sentences."""
    session = frame.reading()
    section = session.get_one(Section, view.section_id)
    text = text_at(session, section.stream_id or 0)
    made = []
    for hunk in view.hunks:
        if hunk.state == "open" and hunk.ways:
            way = hunk.ways[0]
            sentence = sentences.marked(way.before, way.after)
        elif hunk.decision is not None and (hunk.decision.before or hunk.decision.after):
            sentence = sentences.marked(hunk.decision.before, hunk.decision.after)
        else:
            sentence = sentences.marked(hunk.ground, hunk.text)
        made.append(
            Place(
                hunk,
                sentences.place(text, hunk.start),
                sentence,
                [each for each in hunk.related if each.kind == "clash"],
                [each for each in hunk.related if each.kind == "identical"],
            )
        )
    return made


@pages.get("/<int:number>")
def one(slug: str, number: int) -> Any:
    return _page(slug, number, frame.Form({"reason": "", "text": ""}))


@pages.get("/<int:number>/card")
def card(slug: str, number: int) -> Any:
    from drafting.web.pages import cards

    document = frame.document(slug)
    view = suggestions.by_number(frame.reading(), frame.actor(), document.id, number)
    return frame.page("cards/suggestion.html", card=cards.suggestion_card(view))


def _page(slug: str, number: int, form: frame.Form, *, asks: dict[str, Any] | None = None) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    view = suggestions.by_number(session, actor, document.id, number)
    every_meeting = {each.id: each for each in meetings.meetings(session, actor, document.id)}
    return frame.page(
        "suggestions/one.html",
        form.status,
        view=view,
        fate=_fate(view),
        places=places(view),
        origins=[(each, every_meeting.get(each.meeting_id or 0)) for each in view.origins],
        decided=_decisions(view),
        numbers=_numbers(document.id),
        threads=annotations.of_suggestion(session, actor, view.id),
        form=form,
        asks=asks,
    )


def _fate(view: SuggestionView) -> str:
    """The fate in the words of lists: reworded is accepted in part, open with something decided is partly open."""
    if view.fate == "reworded":
        return "partly"
    if view.fate == "open" and any(hunk.decision is not None and hunk.state != "open" for hunk in view.hunks):
        return "partly_open"
    return view.fate if view.fate in words.FATES else "open"


def _decisions(view: SuggestionView) -> list[Any]:
    """Every decision on the suggestion, reverted ones too, oldest first."""
    found = suggestions.decisions_on(frame.reading(), [view.id])
    return sorted((each for of_hunk in found.values() for each in of_hunk), key=lambda each: each.id)


def _numbers(document_id: int) -> dict[int, int]:
    """Suggestion id → number, of those the reader may know of."""
    return {row.id: row.number for row in overview.suggestions(frame.reading(), frame.actor(), document_id)}


@pages.post("/<int:number>/<any(endorse,unendorse,withdraw):what>")
def act(slug: str, number: int, what: str) -> Any:
    document = frame.document(slug)
    view = suggestions.by_number(frame.reading(), frame.actor(), document.id, number)
    form = frame.Form({"note": ""})
    if what == "endorse":
        form.run(suggestions.endorse, view.id, form.text("note"))
        if form.errors and form.text("note").strip():
            return _page(slug, number, form)
        said = _("Your organisation endorses U-%(number)s.", number=number)
    elif what == "unendorse":
        form.run(suggestions.unendorse, view.id)
        said = _("The endorsement is taken back.")
    else:
        form.run(suggestions.withdraw, view.id)
        said = _("U-%(number)s is withdrawn. It stays readable.", number=number)
    return _done(form, slug, number, said)


@pages.post("/<int:number>/file")
def file(slug: str, number: int) -> Any:
    document = frame.document(slug)
    view = suggestions.by_number(frame.reading(), frame.actor(), document.id, number)
    form = frame.Form({"reason": view.reason, "minutes_quote": view.minutes_quote})
    reason = form.needs("reason", _("Write a reason: it goes into the consultation report."))
    if view.state == "draft":
        form.run(suggestions.file, view.id, reason=reason, minutes_quote=form.text("minutes_quote"))
        said = _("U-%(number)s is filed. Everybody sees it now.", number=number)
    else:
        form.run(suggestions.amend, view.id, reason=reason, minutes_quote=form.text("minutes_quote"))
        said = _("Saved.")
    if form.errors:
        return _page(slug, number, form)
    return frame.go("suggestions.one", said, slug=slug, number=number)


@pages.post("/<int:number>/decisions/<int:decision_id>/revert")
def revert(slug: str, number: int, decision_id: int) -> Any:
    """Takes a decision back; when newer words stand in the place, asks first and names them."""
    document = frame.document(slug)
    view = suggestions.by_number(frame.reading(), frame.actor(), document.id, number)
    if decision_id not in {each.id for each in _decisions(view)}:
        raise NotFound("there is no such decision on this suggestion")
    confirmed = True if request.form.get("confirm") else None
    try:
        done = frame.write(decisions.revert, decision_id, reason=request.form.get("reason", ""), confirm=confirmed)
    except WrongState as error:
        if "preview" in error.details and not confirmed:
            form = frame.Form({"reason": "", "text": ""})
            asks = {"decision": decision_id, "preview": error.details["preview"]}
            form.errors[""] = _("Newer words stand in this place. Look at what would go with it, then confirm.")
            return _page(slug, number, form, asks=asks)
        flash(words.error_text(error), "wrong")
        return frame.go("suggestions.one", slug=slug, number=number)
    said = _("The decision is taken back; U-%(number)s is open again.", number=number)
    if done.closed:
        said += " " + _("What does not fit any more is closed and can be reopened by hand.")
    return frame.back(url_for("suggestions.one", slug=slug, number=number), said)


@pages.post("/<int:number>/remark")
def remark(slug: str, number: int) -> Any:
    document = frame.document(slug)
    view = suggestions.by_number(frame.reading(), frame.actor(), document.id, number)
    form = frame.Form({"text": ""})
    text = form.needs("text", _("Write something first."))
    form.run(annotations.annotate, document.id, text, suggestion_id=view.id)
    if form.errors:
        return _page(slug, number, form)
    return frame.go("suggestions.one", _("Your remark is here."), slug=slug, number=number, _anchor="discussion")


@pages.route("/new-section", methods=["GET", "POST"])
def new_section(slug: str) -> Any:
    """Suggests a whole new section: its text, why, and on whose behalf; filed at once."""
    document = frame.document(slug)
    if request.method == "GET":
        frame.demand("suggest")  # what is sent is refused with what was typed
    actor = frame.actor()
    own = actor.organization_id(document.id)
    form = frame.Form({"title": "", "text": "", "reason": "", "meeting": "", "organization": own or ""})
    if form.is_sent:
        title = form.needs("title", _("Write the title of the section."))
        form.needs("text", _("Write the text that you suggest."))
        reason = form.needs("reason", _("Write a reason: it goes into the consultation report."))
        organization, meeting = form.number("organization"), form.number("meeting")
        if form.is_good:
            text = f"## {' '.join(title.split())}\n\n{form.text('text').strip()}\n"
            number = form.run(_propose, document.id, text, reason, organization, meeting)
            if number is not None:
                said = _("U-%(number)s is filed. Everybody sees it now.", number=number)
                return frame.go("suggestions.one", said, slug=slug, number=number)
    speaks = people.organizations(frame.reading(), actor, document.id)
    if not frame.may("speak_for_anyone"):
        speaks = [each for each in speaks if each.id == own]
    return frame.page(
        "suggestions/new_section.html",
        form.status,
        form=form,
        organizations=[(each.id, each.name) for each in speaks],
        meetings=[
            (each.id, f"{each.number}. {each.topic}") for each in meetings.meetings(frame.reading(), actor, document.id)
        ],
    )


def _propose(
    session: Any, actor: Any, document_id: int, text: str, reason: str, organization: Any, meeting: Any
) -> int:
    """A proposed section with its text, filed: one transaction."""
    from drafting.store.database import transaction

    with transaction(session):
        origin_ids = []
        if organization or meeting:
            made = people.use_origin(session, actor, document_id, organization, meeting)
            origin_ids = [made.id] if made.id is not None else []
        view = suggestions.propose_section(session, actor, document_id, origin_ids=origin_ids)
        changes = ChangeSet.of([(0, 0, to_units(text, normalising=True))], 0)
        update = Update(f"form-{view.id}", 1, changes)
        editing.push(session, actor, view.stream_id, view.branch_version, [update], origin_ids)
        filed = suggestions.file(session, actor, view.id, reason=reason)
    return filed.number


def _done(form: frame.Form, slug: str, number: int, said: str) -> Any:
    if form.errors:
        flash(next(iter(form.errors.values())), "wrong")
        return frame.back(url_for("suggestions.one", slug=slug, number=number))
    return frame.back(url_for("suggestions.one", slug=slug, number=number), said)

"""Organisations: the list, each with what it asked for and what became of it, and changing them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from drafting.services import impact, meetings, overview, people
from drafting.store.models import Endorsement
from drafting.web import words
from drafting.web.pages import frame
from drafting.web.pages.suggestions import glimpses

pages = Blueprint("organizations", __name__, url_prefix="/d/<slug>/organizations")

EMPTY = {"name": "", "code": "", "kind": "ngo", "hue": "", "description": ""}


@pages.get("")
def every(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    rows = overview.suggestions(session, actor, document.id)
    return frame.page(
        "organizations/every.html",
        every=people.organizations(session, actor, document.id),
        sums=overview.by_organization(rows),
    )


@pages.get("/<code>")
def one(slug: str, code: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    organization = people.organization(session, actor, document.id, code)
    if organization.code != code:
        return redirect(url_for("organizations.one", slug=slug, code=organization.code), 301)
    every = overview.suggestions(session, actor, document.id)
    asked = [row for row in every if any(each.id == organization.id for each in row.organizations)]
    endorsed = set(
        session.scalars(
            select(Endorsement.suggestion_id).where(
                Endorsement.organization_id == organization.id, Endorsement.ended_at.is_(None)
            )
        )
    )
    supported = [row for row in every if row.id in endorsed]
    return frame.page(
        "organizations/one.html",
        organization=organization,
        asked=asked,
        glimpses=glimpses([*asked, *supported]),
        endorsed=supported,
        sum=overview.sum_of(asked),
        impact=impact.of_organization(session, actor, document.id, organization.id, every),
        sections=overview.sections_of(session, document.id),
        meetings=meetings.attended(session, actor, organization.id),
    )


@pages.route("/new", methods=["GET", "POST"])
def new(slug: str) -> Any:
    document = frame.document(slug)
    frame.demand("manage_organizations")
    form = frame.Form(EMPTY)
    if form.is_sent:
        made = form.run(people.add_organization, document.id, **_values(form))
        if made is not None:
            return frame.go("organizations.every", _("The organisation is added."), slug=slug)
    return _edit_page(form, None)


@pages.route("/<code>/edit", methods=["GET", "POST"])
def edit(slug: str, code: str) -> Any:
    document = frame.document(slug)
    frame.demand("manage_organizations")
    organization = people.organization(frame.reading(), frame.actor(), document.id, code)
    form = frame.Form({name: getattr(organization, name) for name in EMPTY})
    if form.is_sent:
        changed = form.run(people.change_organization, organization.id, **_values(form))
        if changed is not None:
            return frame.go("organizations.one", _("Saved."), slug=slug, code=changed.code)
    return _edit_page(form, organization)


def _values(form: frame.Form) -> dict[str, Any]:
    return {
        "name": form.needs("name", _("Write the name of the organisation.")),
        "code": form.text("code"),
        "kind": form.choice("kind", people.KINDS),
        "hue": form.number("hue"),
        "description": form.text("description"),
    }


def _edit_page(form: frame.Form, organization: people.OrganizationView | None) -> Any:
    return frame.page(
        "organizations/edit.html",
        form.status,
        form=form,
        organization=organization,
        kinds=[(code, words.ORGANIZATION_KINDS[code]) for code in people.KINDS],
        hues=[(number, number) for number in range(1, people.HUES + 1)],
    )

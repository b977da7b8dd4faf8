"""The people of a document: members with role and organisation, invitations and reset links.

A link is shown once, on the page that made it, and is kept nowhere.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, url_for
from flask_babel import gettext as _

from drafting.errors import DraftingError, InvalidInput, NotFound
from drafting.services import access, accounts, invitations, people
from drafting.web import words
from drafting.web.pages import frame

pages = Blueprint("people", __name__, url_prefix="/d/<slug>/people")

EMPTY = {"role": "contributor", "organization_id": "", "email": "", "uses": "1", "days": "30"}


@pages.get("")
def every(slug: str) -> Any:
    document = frame.document(slug)
    frame.demand("see_members")
    return _page(document.id, frame.Form(EMPTY))


@pages.post("/invite")
def invite(slug: str) -> Any:
    document = frame.document(slug)
    form = frame.Form(EMPTY)
    email, uses, days = form.text("email").strip(), form.number("uses"), form.number("days")
    try:
        accounts.email_of(email or "nobody@example.org")
    except InvalidInput as error:
        form.refuse(error)
    if uses is not None and not 1 <= uses <= (1 if email else 500):
        form.errors["uses"] = str(words.FIELDS["invalid_input", "uses"])
    if days is not None and not 1 <= days <= 365:
        form.errors["days"] = _("From 1 to 365 days.")
    link = form.run(
        invitations.invite,
        document.id,
        form.choice("role", access.MEMBER_ROLES),
        organization_id=form.number("organization_id"),
        email=email or None,
        uses=_or(uses, 1),
        days=_or(days, 30),
    )
    if link is None:
        return _page(document.id, form)
    address = url_for("account.invitation", token=link.token, _external=True)
    fresh = frame.Form()
    fresh.values = dict(EMPTY)
    return _page(document.id, fresh, link=_at_base(address), link_says=_("The invitation link"), until=link.expires_at)


@pages.post("/invitations/<int:invitation_id>/revoke")
def revoke(slug: str, invitation_id: int) -> Any:
    document = frame.document(slug)
    if invitation_id not in {each.id for each in invitations.invitations(frame.reading(), frame.actor(), document.id)}:
        raise NotFound("there is no such invitation")
    frame.write(invitations.revoke_invitation, invitation_id)
    return frame.go("people.every", _("The link does nothing any more."), slug=slug)


@pages.post("/<int:user_id>")
def change(slug: str, user_id: int) -> Any:
    document = frame.document(slug)
    form = frame.Form({"role": "", "organization_id": ""})
    form.run(
        people.change_member,
        document.id,
        user_id,
        form.choice("role", access.MEMBER_ROLES),
        form.number("organization_id"),
    )
    return _done(form, slug, _("Saved."))


@pages.post("/<int:user_id>/end")
def end(slug: str, user_id: int) -> Any:
    document = frame.document(slug)
    form = frame.Form()
    form.run(people.end_membership, document.id, user_id)
    return _done(form, slug, _("The person is no longer a member. What they did stays."))


@pages.post("/<int:user_id>/reset")
def reset(slug: str, user_id: int) -> Any:
    document = frame.document(slug)
    frame.demand("manage_people")
    names = {each.user_id: each.name for each in people.members(frame.reading(), frame.actor(), document.id)}
    if user_id not in names:
        raise NotFound("there is no such member")
    fresh = frame.Form()
    fresh.values = dict(EMPTY)
    try:
        link = frame.write(invitations.make_reset_link, user_id)
    except DraftingError as error:
        flash(
            _("This person also has rights elsewhere; ask the operator of the server.")
            if error.code == "not_allowed"
            else words.error_text(error),
            "wrong",
        )
        return frame.go("people.every", slug=slug)
    address = url_for("account.reset", token=link.token, _external=True)
    says = _("The link with which %(name)s sets a new password", name=names[user_id])
    return _page(document.id, fresh, link=_at_base(address), link_says=says, until=link.expires_at)


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _done(form: frame.Form, slug: str, says: str) -> Any:
    if form.errors:
        reason = next(iter(form.errors.values()))
        if reason == str(words.ERRORS["wrong_state"]):
            reason = _("This is the only coordinator; make somebody else coordinator first.")
        flash(reason, "wrong")
        return frame.go("people.every", slug=slug)
    return frame.go("people.every", says, slug=slug)


def _at_base(address: str) -> str:
    """The address as people reach this server."""
    base = frame.settings().base_url
    return base + "/" + address.split("/", 3)[3] if base else address


def _page(document_id: int, form: frame.Form, **link: Any) -> Any:
    session, actor = frame.reading(), frame.actor()
    managing = frame.may("manage_people")
    return frame.page(
        "people/every.html",
        form.status,
        form=form,
        members=people.members(session, actor, document_id),
        invitations=[each for each in invitations.invitations(session, actor, document_id) if each.is_open]
        if managing
        else [],
        roles=[(str(role), words.role(role)) for role in access.MEMBER_ROLES],
        organizations=[(each.id, each.name) for each in people.organizations(session, actor, document_id)],
        **{"link": "", "link_says": "", "until": None, **link},
    )

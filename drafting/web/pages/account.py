"""Signing in and out, invitations and reset links, one's own account and notifications, the choice of language."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, request, url_for
from flask_babel import gettext as _

from drafting.config import LANGUAGES
from drafting.errors import DraftingError, InvalidInput, NotAllowed, NotFound, NotSignedIn
from drafting.services import accounts, invitations, notices
from drafting.web import identity, language, words
from drafting.web.pages import frame, told

pages = Blueprint("account", __name__)


# ── in and out ──────────────────────────────────────────────────────────────────────────────────────────


@pages.route("/signin", methods=["GET", "POST"])
@identity.limiter.limit(identity.sign_in_limit, methods=["POST"])
def sign_in() -> Any:
    target = identity.safe_target(request.values.get("next"))
    form = frame.Form({"email": ""})
    if not form.is_sent:
        if frame.actor().is_signed_in:
            return redirect(target)
        return frame.page("account/sign_in.html", form=form, target=target)
    try:
        who = frame.write_plain(
            lambda session: accounts.sign_in(session, form.text("email"), request.form.get("password", ""))
        )
    except NotSignedIn:
        form.errors[""] = _("The address or the password is wrong.")
        return frame.page("account/sign_in.html", 422, form=form, target=target)
    identity.begin_session(who)
    return redirect(target, 303)


@pages.post("/signout")
def sign_out() -> Any:
    identity.end_session()
    return frame.go("home.start", _("You are signed out."))


@pages.get("/enter/<token>")
@identity.limiter.limit(identity.sign_in_limit)
def enter(token: str) -> Any:
    """A sign-in link made on this machine, for the people of the demo."""
    user_id, epoch = identity.person_of_link(current_app.config["SECRET_KEY"], token)
    who = accounts.signed_in(frame.reading(), user_id, epoch)
    if not who.is_signed_in:
        raise NotFound("this link is not good any more")
    identity.begin_session(who)
    return redirect(identity.safe_target(request.args.get("next")), 303)


@pages.route("/invite/<token>", methods=["GET", "POST"])
@identity.limiter.limit(identity.sign_in_limit, methods=["POST"])
def invitation(token: str) -> Any:
    try:
        offer = invitations.invitation(frame.reading(), token)
    except NotFound:
        return frame.page("account/old_link.html", 404)
    form = frame.Form({"email": offer.email or "", "name": ""})
    if form.is_sent:
        if not frame.actor().is_signed_in:
            form.needs("name", _("Write your name as others should see it."))
            form.needs("email", _("Write your e-mail address; you will sign in with it."))
            if len(request.form.get("password", "")) < accounts.MIN_PASSWORD:
                form.refuse(InvalidInput("too short", field="password", minimum=accounts.MIN_PASSWORD))
        try:
            who = form.run(
                invitations.accept_invitation,
                token,
                email=form.text("email"),
                name=form.text("name"),
                password=request.form.get("password", ""),
                language=language.chosen(),
            )
        except NotAllowed:
            form.errors["" if frame.actor().is_signed_in else "email"] = _("This invitation is for another address.")
            who = None
        if who is not None:
            identity.begin_session(who)
            return frame.go("project.home", _("Welcome. You can start right away."), slug=offer.document_slug)
    form.values.pop("password", None)
    return frame.page("account/invitation.html", form.status, form=form, offer=offer, minimum=accounts.MIN_PASSWORD)


@pages.route("/reset/<token>", methods=["GET", "POST"])
@identity.limiter.limit(identity.sign_in_limit, methods=["POST"])
def reset(token: str) -> Any:
    try:
        name = invitations.reset_name(frame.reading(), token)
    except NotFound:
        return frame.page("account/old_link.html", 404)
    form = frame.Form()
    if form.is_sent:
        try:
            who = frame.write_plain(
                lambda session: invitations.reset_password(session, token, request.form.get("password", ""))
            )
        except DraftingError as error:
            form.refuse(error)
        else:
            identity.begin_session(who)
            return frame.go("home.start", _("Your new password is set, and you are signed in."))
    return frame.page("account/reset.html", form.status, form=form, name=name, minimum=accounts.MIN_PASSWORD)


# ── one's own account ───────────────────────────────────────────────────────────────────────────────────


@pages.route("/account", methods=["GET", "POST"])
def settings() -> Any:
    mine = accounts.user(frame.reading(), frame.actor())
    form = frame.Form({"name": mine.name, "language": mine.language, "may_be_named": mine.may_be_named})
    if form.is_sent:
        form.needs("name", _("Write your name as others should see it."))
        changed = form.run(
            accounts.change_profile,
            name=form.text("name"),
            language=form.text("language"),
            may_be_named=form.ticked("may_be_named"),
        )
        if changed is not None:
            answer = frame.go("account.settings", _("Saved."))
            answer.delete_cookie(language.COOKIE)
            return answer
    return _account_page(form, frame.Form(), mine)


@pages.post("/account/password")
@identity.limiter.limit(identity.sign_in_limit)
def password() -> Any:
    mine = accounts.user(frame.reading(), frame.actor())
    form = frame.Form({"old": "", "password": ""})
    who = form.run(accounts.change_password, request.form.get("old", ""), request.form.get("password", ""))
    if who is not None:
        identity.begin_session(who)
        return frame.go("account.settings", _("Your password is changed; you are signed out everywhere else."))
    kept = frame.Form()
    kept.values = {"name": mine.name, "language": mine.language, "may_be_named": mine.may_be_named}
    return _account_page(kept, form, mine)


@pages.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> Any:
    frame.write(accounts.end_sessions)
    identity.end_session()
    return frame.go("account.sign_in", _("You are signed out everywhere."))


@pages.post("/account/end")
def end_account() -> Any:
    mine = accounts.user(frame.reading(), frame.actor())
    form = frame.Form({"confirm": False})
    if not form.ticked("confirm"):
        form.errors["confirm"] = _("Tick the box if you mean it.")
    else:
        form.run(accounts.anonymise, mine.id)
        if form.is_good:
            identity.end_session()
            return frame.go("home.start", _("Your account is gone; your name stands nowhere any more."))
        form.errors = {
            "confirm": _("You are the only coordinator of a document; make somebody else coordinator first.")
        }
    kept = frame.Form()
    kept.values = {"name": mine.name, "language": mine.language, "may_be_named": mine.may_be_named}
    return _account_page(kept, frame.Form(), mine, ending=form)


def _account_page(form: frame.Form, secret: frame.Form, mine: accounts.UserView, *, ending: Any = None) -> Any:
    status = 422 if form.errors or secret.errors or (ending is not None and ending.errors) else 200
    return frame.page(
        "account/settings.html",
        status,
        form=form,
        secret=secret,
        ending=ending or frame.Form(),
        mine=mine,
        minimum=accounts.MIN_PASSWORD,
        languages=list(words.LANGUAGES.items()),
    )


@pages.get("/notifications")
def notifications() -> Any:
    every = notices.notifications(frame.reading(), frame.actor(), limit=200)
    return frame.page("account/notifications.html", every=[told.notification(each) for each in every])


@pages.post("/notifications/read")
def mark_read() -> Any:
    ids = [int(each) for each in request.form.getlist("id") if each.isdecimal() and len(each) < 10]
    frame.write(notices.mark_read, ids or None)
    return frame.go("account.notifications", _("All are marked as read."))


@pages.get("/language/<code>")
def speak(code: str) -> Any:
    """Chooses the language of this browser, and of the account when somebody is signed in."""
    answer = redirect(identity.safe_target(request.args.get("next"), url_for("home.start")), 303)
    if code in LANGUAGES:
        if frame.actor().is_signed_in and request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none"):
            frame.write(accounts.change_profile, language=code)
        answer.set_cookie(
            language.COOKIE,
            code,
            max_age=365 * 24 * 3600,
            httponly=True,
            samesite="Lax",
            secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        )
    return answer

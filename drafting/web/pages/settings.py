"""What a coordinator sets: what the document is, whether everybody reads it, its phase and deadline."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import gettext as _

from drafting.services import access, documents
from drafting.services.documents import DocumentView
from drafting.web import words
from drafting.web.pages import frame

pages = Blueprint("settings", __name__, url_prefix="/d/<slug>/settings")

FIELDS = ("title", "municipality", "summary", "language", "timezone")


def _about(view: DocumentView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in FIELDS}


def _phase(view: DocumentView) -> dict[str, Any]:
    return {"phase": view.phase, "ends_at": words.field_moment(view.phase_ends_at), "note": ""}


@pages.route("", methods=["GET", "POST"])
def document(slug: str) -> Any:
    view = frame.document(slug)
    frame.demand("manage_document")
    form = frame.Form(_about(view))
    if form.is_sent:
        form.needs("title", _("Write the title of the document."))
        changed = form.run(documents.change_document, view.id, **{name: form.text(name) for name in FIELDS})
        if changed is not None:
            return frame.go("settings.document", _("Saved."), slug=slug)
    return _page(view, form, _kept(_phase(view)))


@pages.post("/phase")
def phase(slug: str) -> Any:
    view = frame.document(slug)
    frame.demand("manage_phase")
    form = frame.Form(_phase(view))
    chosen = form.choice("phase", access.PHASES)
    ends_at = form.moment("ends_at", view.timezone, end_of_day=True)
    changed = form.run(documents.set_phase, view.id, chosen, ends_at=ends_at, note=form.text("note"))
    if changed is not None:
        said = _("The document is now in the phase “%(phase)s”. Members are told.", phase=words.PHASES[changed.phase])
        return frame.go("settings.document", said, slug=slug)
    return _page(view, _kept(_about(view)), form)


@pages.post("/publish")
def publish(slug: str) -> Any:
    view = frame.document(slug)
    form = frame.Form({"is_public": False})
    changed = frame.write(documents.publish, view.id, form.ticked("is_public"))
    said = _("Everybody can read it now.") if changed.is_public else _("Only members can read it now.")
    return frame.go("settings.document", said, slug=slug)


def _kept(values: dict[str, Any]) -> frame.Form:
    """A form that was not the one sent."""
    form = frame.Form()
    form.values = values
    return form


def _page(view: DocumentView, form: frame.Form, phase_form: frame.Form) -> Any:
    return frame.page(
        "settings/document.html",
        max(form.status, phase_form.status),
        form=form,
        phase_form=phase_form,
        phases=[(code, words.PHASES[code]) for code in access.PHASES],
        history=documents.phases(frame.reading(), frame.actor(), view.id),
        languages=list(words.LANGUAGES.items()),
        table=_table(view.phase),
    )


def _table(present: str) -> list[tuple[str, dict[str, bool]]]:
    """What changes from phase to phase for organisations: the lines a coordinator asks about."""
    lines = (
        ("suggest", _("organisations suggest changes")),
        ("annotate", _("organisations remark")),
        ("endorse", _("organisations endorse")),
    )
    roles = (access.Role.CONTRIBUTOR, access.Role.COUNCIL)
    return [
        (says, {phase: any(access.permitted(role, action, phase) for role in roles) for phase in access.PHASES})
        for action, says in lines
    ]

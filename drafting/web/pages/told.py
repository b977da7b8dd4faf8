"""Notifications and events as sentences in the reader's language, with the address they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from drafting.services.notices import NotificationView
from drafting.web import words


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, when, and where it leads."""

    says: str
    at: datetime
    address: str
    document: str
    is_new: bool
    icon: str = "bell"
    id: int = 0  # of the notification


def notification(view: NotificationView) -> Told:
    """A notification in words; a kind that this version does not know is named plainly."""
    base = f"/d/{view.document_slug}"
    says, address, icon = _sentence(view.kind, view.data, base)
    return Told(says, view.at, address, view.document_title, not view.is_read, icon, view.id)


def _sentence(kind: str, data: dict[str, Any], base: str) -> tuple[str, str, str]:
    number = data.get("number", data.get("suggestion_number", data.get("suggestion", "")))
    suggestion = f"{base}/suggestions/{number}"
    remark = f"{base}/remarks/{data.get('number', data.get('annotation', ''))}"
    by = data.get("by_number", data.get("by", ""))
    sentences: dict[str, tuple[str, str, str]] = {
        "phase_changed": (
            _("The document has entered the phase “%(phase)s”.", phase=words.PHASES.get(data.get("to", ""), "")),
            base,
            "flag",
        ),
        "member_joined": (_("Somebody has accepted your invitation."), f"{base}/people", "people"),
        "member_changed": (
            _("Your role is now: %(role)s.", role=words.role(data.get("role", ""))),
            base,
            "people",
        ),
        "suggestion_filed": (
            _("Suggestion U-%(number)s was filed: %(by)s.", number=number, by=data["organization"])
            if data.get("organization")
            else _("Suggestion U-%(number)s was filed.", number=number),
            suggestion,
            "pencil",
        ),
        "suggestion_decided": (_("Suggestion U-%(number)s was decided.", number=number), suggestion, "check"),
        "suggestion_withdrawn": (_("Suggestion U-%(number)s was withdrawn.", number=number), suggestion, "x"),
        "suggestion_endorsed": (_("Suggestion U-%(number)s has new support.", number=number), suggestion, "thumb"),
        "hunk_accepted": (_("Your suggestion U-%(number)s was accepted.", number=number), suggestion, "check"),
        "hunk_reworded": (
            _("Your suggestion U-%(number)s was accepted with changes.", number=number),
            suggestion,
            "check",
        ),
        "hunk_rejected": (_("Your suggestion U-%(number)s was rejected.", number=number), suggestion, "x"),
        "hunk_reverted": (
            _("A decision on your suggestion U-%(number)s was reverted.", number=number),
            suggestion,
            "undo",
        ),
        "hunk_superseded": (
            _("Your suggestion U-%(number)s was superseded by another.", number=number)
            if not by
            else _("Your suggestion U-%(number)s was superseded by U-%(by)s.", number=number, by=by),
            suggestion,
            "rival",
        ),
        "hunk_fulfilled": (
            _("Your suggestion U-%(number)s was fulfilled together with another.", number=number)
            if not by
            else _("Your suggestion U-%(number)s was fulfilled together with U-%(by)s.", number=number, by=by),
            suggestion,
            "equal",
        ),
        "base_changed": (
            _("The text under your suggestion U-%(number)s has changed.", number=number),
            suggestion,
            "warn",
        ),
        "mentioned": (_("You were mentioned in a discussion."), _thread(base, data), "bubble"),
        "comment_added": (_("There is a new reply to your remark."), _thread(base, data), "bubble"),
        "replied": (_("There is a new reply in a discussion of yours."), _thread(base, data), "bubble"),
        "annotation_answered": (_("An official has answered your remark."), remark, "check"),
        "annotation_resolved": (_("Your remark was resolved."), remark, "check"),
        "annotation_reopened": (_("Your remark was opened again."), remark, "open"),
        "annotation_orphaned": (_("The passage of your remark is gone."), remark, "warn"),
        "annotation_added": (_("There is a new remark."), remark, "bubble"),
    }
    return sentences.get(kind, (_("Something has happened in this document."), base, "bell"))


def _thread(base: str, data: dict[str, Any]) -> str:
    return f"{base}/remarks/{data['number']}" if "number" in data else f"{base}/remarks"

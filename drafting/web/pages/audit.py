"""The chain of events: whether it is whole, where it ends, and everything that happened, newest first."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, request
from flask_babel import lazy_gettext as _l

from drafting.services import audit, milestones
from drafting.services.audit import EventView
from drafting.web.pages import frame

pages = Blueprint("audit", __name__, url_prefix="/d/<slug>/audit")

A_PAGE = 100  # events shown at once
AT_ONCE = 5000  # events; a longer chain is checked when one asks for it

KINDS = {
    "annotation_added": _l("Remark made"),
    "annotation_answered": _l("Remark answered"),
    "annotation_placed": _l("Remark put to its passage"),
    "annotation_resolved": _l("Remark resolved"),
    "annotation_reopened": _l("Remark reopened"),
    "attachment_added": _l("File added"),
    "attachment_removed": _l("File removed"),
    "comment_added": _l("Reply written"),
    "comment_edited": _l("Reply edited"),
    "comment_removed": _l("Reply removed"),
    "document_changed": _l("Document's details changed"),
    "document_created": _l("Document created"),
    "document_hidden": _l("Document hidden"),
    "document_published": _l("Document published"),
    "hunk_accepted": _l("Proposed change accepted"),
    "hunk_rejected": _l("Proposed change rejected"),
    "hunk_reworded": _l("Proposed change accepted with changes"),
    "hunk_reopened": _l("Proposed change reopened"),
    "hunk_reverted": _l("Decision reverted"),
    "invitation_made": _l("Invitation made"),
    "invitation_revoked": _l("Invitation revoked"),
    "meeting_added": _l("Meeting added"),
    "meeting_changed": _l("Meeting changed"),
    "meeting_removed": _l("Meeting removed"),
    "member_changed": _l("Role changed"),
    "member_joined": _l("Person joined"),
    "member_left": _l("Person left"),
    "milestone_created": _l("Version named"),
    "milestone_restored": _l("Named version restored"),
    "news_added": _l("News written"),
    "news_removed": _l("News removed"),
    "organization_added": _l("Organisation added"),
    "organization_changed": _l("Organisation changed"),
    "passage_moved": _l("Passage moved"),
    "phase_changed": _l("Phase changed"),
    "reset_link_made": _l("Link for a new password made"),
    "section_added": _l("Section added"),
    "section_removed": _l("Section removed"),
    "section_restored": _l("Section brought back"),
    "section_text_restored": _l("Earlier text of a section restored"),
    "sections_reordered": _l("Sections reordered"),
    "statutory_point_set": _l("Statutory point set"),
    "suggestion_amended": _l("Suggestion amended"),
    "suggestion_endorsed": _l("Suggestion endorsed"),
    "suggestion_filed": _l("Suggestion filed"),
    "suggestion_opened": _l("Suggestion begun"),
    "suggestion_unendorsed": _l("Endorsement taken back"),
    "suggestion_withdrawn": _l("Suggestion withdrawn"),
}


@pages.get("")
def chain(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    total = audit.count_events(session, document.id)
    before = request.args.get("before", "")
    at = int(before) if before.isdecimal() and len(before) < 10 else None
    shown = audit.events(session, actor, document.id, before=at, limit=A_PAGE)
    printed = request.args.get("printed", "").strip()[:100]
    checked = total <= AT_ONCE or bool(printed) or request.args.get("check") == "1"
    return frame.page(
        "report/audit.html",
        total=total,
        report=audit.verify_chain(session, document.id) if checked else None,
        head=audit.head(session, document.id),
        printed=printed,
        found=audit.find(session, actor, document.id, printed) if printed else None,
        events=shown,
        kinds=KINDS,
        says=_says,
        named=milestones.milestones(session, actor, document.id),
        older=shown[-1].number if shown and shown[-1].number > 1 else None,
        newer=at is not None,
    )


def _says(event: EventView) -> str:
    """What the event holds, as it was hashed, short."""
    text = json.dumps(event.data, ensure_ascii=False, sort_keys=True, separators=(", ", ": "))[1:-1]
    return text if len(text) <= 240 else text[:239] + "…"

"""The section workspace: the text, its contents, its margin cards, on whose behalf one writes, the story of words.

The page reads without script; with script it becomes the editor (static/src/workspace.ts). What the script needs is one
JSON element in the page; the pieces that it fetches again are the cards, the contents and the story.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, jsonify, request
from flask_babel import gettext as _
from markupsafe import Markup

from drafting.errors import NotFound
from drafting.formats import markdown
from drafting.services import editing, meetings, people, sections
from drafting.services.sections import SectionView
from drafting.web import wire, words
from drafting.web.pages import cards, frame

pages = Blueprint("workspace", __name__)

# So many cards come with the page; a section with more open proposals than anybody reads at once fetches the rest
# when the text is there already.
FIRST = 60
MODES = ("read", "edit", "suggest", "review", "sources")


@pages.get("/d/<slug>/s/<int:section_id>")
def section(slug: str, section_id: int) -> Any:
    document = frame.document(slug)
    view = _section(document.id, section_id)
    text = editing.text_at(frame.reading(), frame.actor(), section_id)
    is_there, is_proposed = view.removed_at is None, view.version == 0  # one that is only proposed has no text yet
    shut = () if is_there else ("edit",) if is_proposed else ("edit", "suggest")
    modes = [each for each in _modes() if each[0] not in shut]
    mode = _mode(modes)
    shown = cards.of_section(view)
    data = {
        "user": {"id": frame.actor().user_id, "name": frame.actor().name} if frame.actor().is_signed_in else None,
        "document": {"id": document.id, "slug": document.slug, "language": document.language},
        "section": {"id": view.id, "stream": view.stream_id, "title": view.title, "limit": editing.MAX_LENGTH},
        "organization": _organization(document.id),
        "can": {
            "edit": "edit" not in shut and frame.may("edit"),
            "suggest": "suggest" not in shut and frame.may("suggest"),
            "annotate": frame.may("annotate"),
            "decide": frame.may("decide"),
        },
        "mode": mode,
        "more": len(shown) > FIRST,
        "suggestion": cards.own_draft(shown, request.args.get("u", type=frame.whole)) if mode == "suggest" else None,
        "origins": [],
        "paths": {"socket": "/socket.io", **_paths(slug, section_id)},
    }
    return frame.page(
        "workspace/section.html",
        section=view,
        chapter=_("Chapter %(number)s", number=words.roman(view.number)) if view.number else "",
        html=Markup(markdown.render(text.text)),
        mode=mode,
        modes=modes,
        is_removed="suggest" in shut,
        picker=_picker(document.id),
        cards=shown[:FIRST],
        counts=cards.counts(shown),
        data=data,
        data_with=lambda said: _json({**data, "words": json.loads(said)}),
        **_contents(document.id, view, text.text, shown),
    )


@pages.get("/d/<slug>/s/<int:section_id>/contents")
def contents(slug: str, section_id: int) -> Any:
    """The contents, for when a section was added, renamed, moved or removed."""
    document = frame.document(slug)
    view = _section(document.id, section_id)
    text = editing.text_at(frame.reading(), frame.actor(), section_id)
    return frame.page(
        "workspace/contents.html", mode="read", **_contents(document.id, view, text.text, cards.of_section(view))
    )


@pages.get("/d/<slug>/s/<int:section_id>/cards")
def section_cards(slug: str, section_id: int) -> Any:
    """All margin cards, or the one of a suggestion or a remark; 404 when there is no such one (any more)."""
    document = frame.document(slug)
    view = _section(document.id, section_id)
    asked = {
        "suggestion_id": request.args.get("suggestion", type=frame.whole),
        "number": request.args.get("number", type=frame.whole),
        "annotation_id": request.args.get("annotation", type=frame.whole),
    }
    found = cards.of_section(view, **asked)
    # a remark on a suggestion is there and has no card of its own
    if not found and any(asked.values()) and asked["annotation_id"] is None:
        raise NotFound("there is no such card")
    return frame.page("cards/cards.html", cards=found)


@pages.post("/d/<slug>/origins")
def origins(slug: str) -> Any:
    """The origins that are meant by these organisations at this meeting, made where they are new."""
    document = frame.document(slug)
    body = wire.mapping(wire.json_of(request.data))
    meeting = wire.maybe_number(body, "meeting")
    named = wire.numbers(body, "organizations")[:20]
    pairs = [(each, meeting) for each in named] or ([(None, meeting)] if meeting is not None else [])
    made = [frame.write(people.use_origin, document.id, each, at) for each, at in pairs]
    return jsonify(origins=[each.id for each in made])


# ── what the templates need ─────────────────────────────────────────────────────────────────────────────


def _section(document_id: int, section_id: int) -> SectionView:
    view = sections.section(frame.reading(), frame.actor(), section_id)
    if view.document_id != document_id:
        raise NotFound("there is no such section in this document")
    return view


def _paths(slug: str, section_id: int) -> dict[str, str]:
    here = f"/d/{slug}/s/{section_id}"
    return {
        "section": here,
        "cards": f"{here}/cards",
        "story": f"{here}/story",
        "contents": f"{here}/contents",
        "origins": f"/d/{slug}/origins",
    }


def _modes() -> list[tuple[str, str]]:
    """The modes that the person may use, with their names."""
    says = {
        "read": _("Read"),
        "edit": _("Edit"),
        "suggest": _("Suggest"),
        "review": _("Review"),
        "sources": _("Sources"),
    }
    may = {"read": True, "sources": True, "edit": frame.may("edit"), "suggest": frame.may("suggest")}
    may["review"] = frame.may("decide")
    return [(mode, says[mode]) for mode in MODES if may[mode]]


def _mode(modes: list[tuple[str, str]]) -> str:
    """The mode asked for when it is offered; else the one in which most of the person's work is done."""
    offered = [mode for mode, _says in modes]
    asked = request.args.get("mode", "")
    if asked in offered:
        return asked
    if "edit" in offered and "review" not in offered:
        return "edit"
    return "suggest" if "suggest" in offered and "edit" not in offered else "read"


def _organization(document_id: int) -> dict[str, Any] | None:
    organization_id = frame.actor().organization_id(document_id)
    if organization_id is None:
        return None
    every = people.organizations(frame.reading(), frame.actor(), document_id)
    own = next((each for each in every if each.id == organization_id), None)
    return None if own is None else {"id": own.id, "name": own.name, "code": own.code, "hue": own.hue}


def _picker(document_id: int) -> dict[str, Any] | None:
    """For whom the person may write: their organisation, or any; and the meetings."""
    if not (frame.may("suggest") or frame.may("edit")):
        return None
    own = frame.actor().organization_id(document_id)
    every = people.organizations(frame.reading(), frame.actor(), document_id)
    return {
        "organizations": every if frame.may("speak_for_anyone") else [each for each in every if each.id == own],
        "meetings": meetings.meetings(frame.reading(), frame.actor(), document_id),
        "own": own,
    }


def _contents(document_id: int, current: SectionView, text: str, shown: list[cards.Card]) -> dict[str, Any]:
    """The contents with what is open, what is settled in all, and who proposes in this section."""
    here = request.path.partition("/s/")[0] + "/s"
    entries, decided, every = [], 0, 0
    for each in sections.outline(frame.reading(), frame.actor(), document_id):
        count = sum(each.hunks.values())
        every += count
        decided += count - each.hunks.get("open", 0)
        is_current = each.id == current.id
        headings = [
            {"title": one.title, "anchor": one.anchor, "pos": one.start}
            for one in (markdown.outline(text) if is_current else ())
            if one.level > 1
        ]
        entries.append(
            {
                "no": words.roman(each.number),
                "title": each.title or _("(untitled)"),
                "url": f"{here}/{each.id}",
                "current": is_current,
                "open": each.hunks.get("open", 0) + each.annotations,
                "percent": None if each.progress is None else words.percent(each.progress),
                "headings": headings,
            }
        )
    return {"contents": entries, "settled": (decided, every), "voices": cards.voices(shown)}


def _json(value: Any) -> Markup:
    """JSON that may stand in a script element: nothing in it can end the element."""
    plain = json.dumps(value, ensure_ascii=False)
    return Markup(plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))

"""Where the words come from: the whole text coloured by its sources with a legend that counts and filters, and stories.

Everything works as links and a form. A script only swaps the story in place and sends the form at once.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, request

from drafting.engine.text import from_units, to_units
from drafting.errors import NotFound
from drafting.services import history, milestones, sections
from drafting.services.attribution_view import Attribution, Reader
from drafting.services.clock import now
from drafting.services.documents import DocumentView
from drafting.services.history import group_of
from drafting.services.moments import Moment, moment_of
from drafting.services.stories import titles
from drafting.web.pages import citing, frame, marking
from drafting.web.pages.compare import moment_name, plain

pages = Blueprint("sources", __name__)

LISTED = 12  # groups of the legend that are always seen: as many as there are hues; the others are a click away
EXAMPLES = 3  # stories that are offered before one is chosen
ON_ONE_PAGE = 80_000  # characters; a longer programme is read section by section


@pages.get("/d/<slug>/sources")
def every(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    asked = request.args
    by = asked.get("by", "meeting")
    by = by if by in history.COLOURINGS else "meeting"
    only, run = asked.get("only", "")[:40], asked.get("run", "")[:60]
    removed = asked.get("removed", "1") != "0"
    labels = asked.get("labels", "1") != "0"
    spec = asked.get("at", "now")[:40]
    query = {"by": by, "only": only, "removed": "" if removed else "0", "labels": "" if labels else "0", "at": "" if spec == "now" else spec}

    def address(**changed: str) -> str:
        values = {**query, "section": asked.get("section", ""), **changed}
        said = urlencode({name: value for name, value in values.items() if value})
        return f"/d/{slug}/sources?{said}"

    told = history.story(session, actor, _section_of(document.id, run), run=run) if run else None
    cited = citing.cite(session, document, told) if told is not None else None
    names = titles(session, document.id)
    if told is not None and frame.partial_wanted():
        return frame.page("workspace/story.html", story=told, cited=cited, tell=marking.told, titles=names, plain=plain)
    views = _attributions(document, spec, removed)
    numbers = {each.id: each for each in sections.outline(session, actor, document.id)}
    legend = history.legend(views, by)
    counts = sorted(legend.counts, key=lambda each: each.group.id) if by == "age" else list(legend.counts)
    chosen = asked.get("section", type=int)
    fits = marking.shortest([each.text for each in views], ON_ONE_PAGE)
    at = now()
    here = address()
    story_at = here if here.endswith("?") else f"{here}&"  # a key is of digits and points
    parts = []
    for view, fit in zip(views, fits, strict=True):
        shown = view.section_id == chosen if chosen else fit
        html = None
        if shown:
            html = marking.runs_html(
                view, by, at, lambda key: f"{story_at}run={key}#run", only=only, selected=run, labels=labels,
                prefix=f"s{view.section_id}-",
            )  # fmt: skip
        parts.append((view, numbers.get(view.section_id), html))
    most = max((each.characters for each in legend.counts if each.group.id != "team"), default=1)
    matching = [key for view in views for key in marking.matches(view, by, at, only)] if only else []
    return frame.page(
        "history/sources.html",
        by=by,
        counts=counts,
        listed=LISTED if len(counts) > LISTED + 2 else len(counts),
        matching=list(dict.fromkeys(matching)),
        only_name=_only_name(views, by, only) if only else "",
        examples=[] if told is not None or only else _examples(views),
        only=only,
        removed=removed,
        labels=labels,
        spec=spec,
        moment_name="" if spec == "now" or spec.startswith("m") else moment_name(_moment(document, spec)),
        versions=milestones.milestones(session, actor, document.id),
        legend=legend,
        most=most,
        parts_of_text=parts,
        titles=names,
        address=address,
        story=told,
        cited=cited,
        plain=plain,
        tell=marking.told,
        marking=marking,
        chosen=chosen,
        all_shown=all(html is not None for _, _, html in parts),
    )


@pages.get("/d/<slug>/s/<int:section_id>/story")
def story(slug: str, section_id: int) -> Any:
    """The story of the words at `pos`, or of the `run`; with `deleted` of the removed words there. A piece, or a page."""
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    view = sections.section(session, actor, section_id)
    if view.document_id != document.id:
        raise NotFound("there is no such section in this document")
    found = history.story(
        session,
        actor,
        section_id,
        request.args.get("pos", 0, type=frame.whole),
        request.args.get("version", type=frame.whole),
        deleted=request.args.get("deleted") == "1",
        run=request.args.get("run", "")[:60],
    )
    names = titles(session, document.id)
    alone = "text/html" in request.headers.get("Accept", "") and not frame.partial_wanted()
    template = "history/story.html" if alone else "workspace/story.html"
    cited = citing.cite(session, document, found)
    return frame.page(template, story=found, cited=cited, tell=marking.told, titles=names, section=view, plain=plain)


def _only_name(views: list[Attribution], by: str, only: str) -> str:
    """What the filter lets through, in words."""
    at = now()
    for source in (run.source for view in views for run in (*view.runs, *view.removed)):
        group = group_of(source, by, at)
        if group.id == only:
            return marking.group_name(group, by)
        if source.matches(only):
            named = {f"m{each.number}": each.topic for each in source.meetings}
            named |= {f"o{each.code}": each.name for each in source.organizations}
            return named.get(only, f"U-{only[1:]}")
    return only


def _examples(views: list[Attribution]) -> list[tuple[str, str]]:
    """(key, words) of a few words that were asked for and decided about: those that most organisations stand behind."""
    found: dict[int, tuple[int, str, str]] = {}
    for view in views:
        text = to_units(view.text)
        for run in view.runs:
            said = plain(from_units(text[run.start : run.end]))
            number = run.source.suggestion
            if number and run.source.verdict and number not in found and 8 <= len(said) <= 60 and said[0].isalnum():
                found[number] = (-len(run.source.organizations) - len(run.source.credited), said, run.key)
    return [(key, said) for _, said, key in sorted(found.values(), key=lambda each: each[0])[:EXAMPLES]]


def _attributions(document: DocumentView, spec: str, removed: bool) -> list[Attribution]:
    session, actor = frame.reading(), frame.actor()
    if spec == "now":
        return history.of_document(session, actor, document.id, removed=removed)
    reader = Reader(session, document.id)
    moment = _moment(document, spec)
    return [reader.attribution(section_id, version, removed=removed) for section_id, version in moment.sections]


def _moment(document: DocumentView, spec: str) -> Moment:
    return moment_of(Reader(frame.reading(), document.id), frame.document_row(), spec)


def _section_of(document_id: int, run: str) -> int:
    """The section that a run's key belongs to first. raises: NotFound"""
    reader = Reader(frame.reading(), document_id)
    for section_id, stream_id in reader.stream_of.items():
        if run.split(".")[0] == str(stream_id):
            return section_id
    raise NotFound("no words have this name")

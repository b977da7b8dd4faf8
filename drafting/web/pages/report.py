"""The consultation report as pages and files, its course with the text of point 10, and the progress of a long PDF."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l

from drafting.errors import NotFound
from drafting.services import reporting
from drafting.services.access import require
from drafting.services.course import point10
from drafting.services.register import POSITIONS
from drafting.services.report_prose import Outline
from drafting.services.report_words import Speech
from drafting.web.pages import frame
from drafting.web.pages.suggestions import page_of
from drafting.web.report_jobs import NAME, Jobs, Order

pages = Blueprint("report", __name__, url_prefix="/d/<slug>")

A_PAGE = 25  # rows of the report on one page
PATIENCE = 4.0  # s; a file that is ready within this is sent at once
GOOD_FOR = 3600  # s; so long a file that was made for somebody may be fetched although the document has gone on
AT_ONCE_ROWS = 200  # rows; what has no more is written where it is asked for, but for a PDF: some 0.3 s
REFUSED = ("rejected", "superseded", "inadmissible")
CHIPS = {
    "": _l("All"),
    "stands": _l("Taken into account"),
    "partly": _l("In part"),
    "refused": _l("Not taken into account"),
    "noted": _l("Noted"),
    "open": _l("Waiting"),
    "withdrawn": _l("Withdrawn"),
}
OF_CHIP = {
    "stands": ("accepted", "fulfilled"),
    "partly": ("partly",),
    "refused": REFUSED,
    "noted": ("noted",),
    "open": ("open",),
    "withdrawn": ("withdrawn",),
}
assert {each for many in OF_CHIP.values() for each in many} == set(POSITIONS)


def _language() -> str:
    return str(get_locale() or "pl")


@pages.get("/report")
def report(slug: str) -> Any:
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    outline = reporting.outline(session, actor, document.id)
    chip = request.args.get("position", "")
    chip = chip if chip in CHIPS or chip in POSITIONS else ""
    wanted = OF_CHIP.get(chip) or ((chip,) if chip else POSITIONS)
    found = [each for each in outline.groups if each[1][0].position in wanted]
    listed = page_of(found, request.args.get("page"), A_PAGE)
    speech = Speech(_language(), document.timezone)
    return frame.page(
        "report/report.html",
        outline=outline,
        speech=speech,
        rows=reporting.rows(session, actor, document.id, listed.rows, _language()),
        listed=listed,
        chip=chip,
        chips=[
            (code, says, sum(each.position in (OF_CHIP.get(code) or ((code,) if code else POSITIONS)) for each in outline.entries))
            for code, says in (CHIPS if chip in CHIPS else {**CHIPS, chip: speech.positions[chip]}).items()
        ],
        joined=len(outline.entries) - len(outline.groups),
        refused=REFUSED,
        at=lambda number: url_for("report.report", slug=slug, **({"position": chip} if chip else {}), page=number),
    )


@pages.get("/report/course")
def course(slug: str) -> Any:
    """How it went: phases, meetings, numbers, and the text of point 10 to be copied into the programme."""
    document = frame.document(slug)
    outline = reporting.outline(frame.reading(), frame.actor(), document.id)
    speech = Speech(document.language, document.timezone)
    return frame.page(
        "report/course.html",
        outline=outline,
        told=outline.course,
        speech=speech,
        own=Speech(_language(), document.timezone),
        point10=[each.split("\n") for each in point10(outline.course, speech)],
    )


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/report.<any(pdf, xlsx, csv, docx, html):ending>")
def file(slug: str, ending: str) -> Any:
    """The report as a file, in the document's language. What takes long is made beside the server, with its progress.

    job    in the address: the file of that job, though the document may have gone on since
    """
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    outline = reporting.outline(session, actor, document.id)
    jobs = _jobs()
    asked = request.args.get("job", "")
    if asked.startswith(f"{document.id}-") and asked.endswith(f".{ending}") and (path := jobs.file(asked, GOOD_FOR)):
        return _sent(path.read_bytes(), slug, ending)
    if ending != "pdf" and len(outline.groups) <= AT_ONCE_ROWS:
        return _sent(reporting.report_file(session, actor, document.id, ending), slug, ending)
    name = _job_name(outline, ending)
    order = Order(frame.database().url.render_as_string(hide_password=False), document.id, actor.user_id)
    jobs.start(name, len(outline.groups), order, again=request.args.get("again") == "1")
    if path := jobs.wait(name, PATIENCE):
        return _sent(path.read_bytes(), slug, ending)
    return frame.go("report.progress", slug=slug, job=name)


def _sent(content: bytes, slug: str, ending: str) -> Response:
    response = Response(content, mimetype=reporting.MEDIA_TYPES[ending])
    response.headers["Content-Disposition"] = f'attachment; filename="{slug}-report.{ending}"'
    return response


@pages.get("/report/progress")
def progress(slug: str) -> Any:
    """How far a file is; with nothing but HTML it asks again by itself, and leads to the file when it is ready."""
    document = frame.document(slug)
    require(frame.reading(), frame.actor(), "report", document.id)
    name = request.args.get("job", "")
    if not name:
        return frame.go("report.report", slug=slug)
    if not NAME.fullmatch(name) or not name.startswith(f"{document.id}-"):
        raise NotFound("there is no such file")
    ending = name.rsplit(".", 1)[1]
    return frame.page(
        "report/progress.html",
        progress=_jobs().progress(name),
        ending=ending.upper(),
        address=url_for("report.file", slug=slug, ending=ending, job=name),
        again=url_for("report.file", slug=slug, ending=ending, again=1),
    )


def _jobs() -> Jobs:
    return Jobs(frame.settings().instance_path / "reports")


def _job_name(outline: Outline, ending: str) -> str:
    """The name of the file of a report as it is now, as this version of Drafting writes it."""
    made_of = f"{outline.document_id}/{outline.key}/{reporting.WRITTEN}"
    return f"{outline.document_id}-{hashlib.sha256(made_of.encode()).hexdigest()[:32]}.{ending}"

"""The consultation report as pages and files, its course with the text of point 10, and the progress of a long PDF."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l

from drafting.errors import NotFound
from drafting.services import reporting
from drafting.services.course import point10
from drafting.services.register import POSITIONS
from drafting.services.report_prose import STYLE, body, title_of
from drafting.services.report_words import Speech
from drafting.web.pages import frame
from drafting.web.pages.suggestions import page_of
from drafting.web.report_jobs import Jobs

pages = Blueprint("report", __name__, url_prefix="/d/<slug>")

A_PAGE = 25  # rows of the report on one page
PATIENCE = 4.0  # s; a PDF that is ready within this is sent at once
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
    chip = chip if chip in CHIPS else ""
    wanted = OF_CHIP.get(chip, POSITIONS)
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
            (code, says, sum(each.position in OF_CHIP.get(code, POSITIONS) for each in outline.entries))
            for code, says in CHIPS.items()
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


@pages.get("/report.pdf", defaults={"ending": "pdf"})
@pages.get("/report.xlsx", defaults={"ending": "xlsx"})
@pages.get("/report.csv", defaults={"ending": "csv"})
@pages.get("/report.docx", defaults={"ending": "docx"})
def file(slug: str, ending: str) -> Any:
    """The report as a file, in the document's language; a PDF that takes long is made beside, with its progress."""
    document = frame.document(slug)
    session, actor = frame.reading(), frame.actor()
    if ending == "pdf":
        return _pdf(slug)
    content = reporting.report_file(session, actor, document.id, ending)
    return _sent(Response(content, mimetype=reporting.MEDIA_TYPES[ending]), slug, ending)


def _sent(response: Response, slug: str, ending: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{slug}-report.{ending}"'
    return response


def _pdf(slug: str) -> Any:
    name, jobs = _job(slug)
    path = jobs.wait(name, PATIENCE)
    if path is None:
        return frame.go("report.progress", slug=slug)
    return _sent(Response(path.read_bytes(), mimetype=reporting.MEDIA_TYPES["pdf"]), slug, "pdf")


@pages.get("/report/pdf")
def progress(slug: str) -> Any:
    """How far the PDF is; with nothing but HTML it asks again by itself, and leads to the file when it is ready."""
    frame.document(slug)
    name, jobs = _job(slug)
    return frame.page("report/progress.html", progress=jobs.progress(name), address=url_for("report.file", slug=slug, ending="pdf"))


def _job(slug: str) -> tuple[str, Jobs]:
    """The name of the job for the report as it is now, begun if nobody has begun it."""
    document = frame.document(slug)
    actor, database = frame.actor(), frame.database()
    outline = reporting.outline(frame.reading(), actor, document.id)
    if outline.document_id != document.id:
        raise NotFound("there is no such report")
    name = hashlib.sha256(f"{document.id}/{outline.key}/{STYLE}".encode()).hexdigest()[:32]
    jobs = Jobs(frame.settings().instance_path / "reports")

    def prepare() -> dict[str, str]:
        with database.read() as session:
            made = reporting.report(session, actor, document.id)
            return {
                "body": body(made),
                "title": title_of(made),
                "language": made.speech.language,
                "created_at": made.outline.as_of.isoformat(),
                "author": document.municipality or document.title,
                "style": STYLE,
            }

    jobs.start(name, len(outline.groups), prepare)
    return name, jobs

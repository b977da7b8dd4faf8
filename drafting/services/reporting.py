"""The consultation report: generated, never typed. `report` as values, `report_file` as a PDF, HTML, XLSX, CSV or DOCX file.

Everything comes from the register and the log; the only time in it is that of the last event, so the same document gives
the same bytes whenever and by whomever it is asked for. It works with no entries at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from drafting.errors import InvalidInput
from drafting.formats.tables import Cell, Column, Run, Table, csv_bytes, xlsx
from drafting.services import audit
from drafting.services.access import Actor, require
from drafting.services.course import course, point10
from drafting.services.register import as_of, register, state_key
from drafting.services.report_prose import STYLE, Group, Outline, Report, body, closing, front, page, title_of, told
from drafting.services.report_rows import Builder, Row, groups
from drafting.services.report_words import WIDTHS, Speech

FORMATS = ("pdf", "html", "xlsx", "csv", "docx")
WRITTEN = 3  # goes up when the same report is written in other bytes, so that no file of before is taken for it
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
POSITION = 8  # number of its column
LONG_CELL, CELL_BEGINS = 1_000, 400  # characters; a cell for paper that has more begins with so many (a column is 3 cm)
ROWS_OF_PDF, ROWS_OF_OTHERS = 0.08, 0.6  # part of the time of a long file that its rows take to be read
KEPT = 6  # reports of a database whose entries and groups are remembered

_outlines: WeakKeyDictionary[Any, dict[tuple[int, str], Outline]] = WeakKeyDictionary()
_lock = threading.Lock()


def outline(session: Session, actor: Actor, document_id: int) -> Outline:
    """What the report holds, without its words. The same for everybody who may read it. needs: report"""
    document = require(session, actor, "report", document_id)
    key = state_key(session, document_id)
    with _lock:
        kept = _outlines.setdefault(session.get_bind().pool, {})
        known = kept.get((document_id, key))
    if known is not None:
        return known
    entries = register(session, actor, document_id)
    numbered: list[tuple[int, Group]] = []
    for kind in ("suggestion", "remark"):
        for group in groups(session, [each for each in entries if each.kind == kind]):
            numbered.append((len(numbered) + 1, group))
    until = as_of(session, document)
    made = Outline(
        document_id, document.title, document.municipality, until, key, audit.head(session, document_id), tuple(entries),
        tuple(numbered), course(session, document, entries, until),
    )  # fmt: skip
    with _lock:
        while len(kept) >= KEPT:
            del kept[next(iter(kept))]
        kept[document_id, key] = made
    return made


def rows(
    session: Session, actor: Actor, document_id: int, chosen: Sequence[tuple[int, Group]], language: str
) -> list[Row]:
    """The rows of these groups of an outline. needs: report"""
    document = require(session, actor, "report", document_id)
    return Builder(session, document, Speech(language, document.timezone)).rows(chosen)


def report(session: Session, actor: Actor, document_id: int, language: str = "") -> Report:
    """The whole report. language: "pl" or "en"; the document's when empty. needs: report"""
    document = require(session, actor, "report", document_id)
    found = outline(session, actor, document_id)
    speech = Speech(language or document.language, document.timezone)
    built = Builder(session, document, speech).rows(found.groups)
    return Report(
        found,
        speech,
        tuple(row for row in built if row.kind == "suggestion"),
        tuple(row for row in built if row.kind == "remark"),
        tuple(point10(found.course, speech)),
    )


def report_file(
    session: Session,
    actor: Actor,
    document_id: int,
    ending: str,
    language: str = "",
    progress: Callable[[str, float], None] | None = None,
) -> bytes:
    """The report as a file.

    ending    pdf html xlsx csv docx
    progress  told "rows", for a PDF "layout", and "write" as the work comes to them, with the part of the whole work
              that is done by then, 0 to 1
    raises    InvalidInput for another ending
    needs     report
    law       the same document gives the same bytes
    """
    if ending not in FORMATS:
        raise InvalidInput(f"a report is written as one of {', '.join(FORMATS)}", field="file")
    document = require(session, actor, "report", document_id)
    if progress:
        progress("rows", 0.0)
    made = report(session, actor, document_id, language)
    author = document.municipality or document.title
    title = title_of(made)
    moment = made.outline.as_of
    if ending == "pdf":
        from drafting.formats.pdf import pdf

        return pdf(
            body(made), title=title, language=made.speech.language, created_at=moment, author=author, style=STYLE,
            progress=progress and (lambda stage, part: progress(stage, ROWS_OF_PDF + (1 - ROWS_OF_PDF) * part)),
        )  # fmt: skip
    if progress:
        progress("write", ROWS_OF_OTHERS)
    if ending == "csv":
        return csv_bytes(everything_table(made), document.timezone)
    if ending == "html":
        return page(made, author).encode()
    if ending == "xlsx":
        return xlsx(tables(made), title=title, author=author, created_at=moment, zone=document.timezone)
    from drafting.formats.docx_writer import report_docx

    suggestions, remarks, statistics, meetings, phases = tables(made)
    course = [phases, meetings] if meetings.rows else [phases]
    return report_docx(
        [
            front(made), statistics, *course, told(made), *_long_apart(suggestions, made.speech),
            *_long_apart(remarks, made.speech), closing(made),
        ],
        title=title, author=author, created_at=moment, language="pl-PL" if made.speech.language == "pl" else "en-GB", zone=document.timezone,
    )  # fmt: skip


def _long_apart(table: Table, speech: Speech) -> list[Table]:
    """The table for paper: what is too long for a narrow column begins there and stands in full in a table under it.

    law  nothing is lost: a cell that was cut stands below, letter for letter, with its number and its column
    """
    listed: list[list[Cell]] = []
    apart: list[tuple[Cell, ...]] = []
    for row in table.rows:
        cells = list(row)
        for n, cell in enumerate(cells):
            if isinstance(cell, str | tuple) and len("".join(run.text for run in _runs(cell))) > LONG_CELL:
                apart.append((row[0], table.columns[n].title, cell))
                cells[n] = (*_beginning(_runs(cell), CELL_BEGINS), Run(f"… {speech.say('in_full_below')}"))
        listed.append(cells)
    if not apart:
        return [table]
    heads = (Column(table.columns[0].title, 6), Column(speech.say("column"), 24), Column(speech.say("words"), 120))
    return [
        Table(table.name, table.columns, listed, table.none),
        Table(f"{table.name}: {speech.say('in_full')}", heads, apart),
    ]


def _runs(cell: str | tuple[Run, ...]) -> tuple[Run, ...]:
    return cell if isinstance(cell, tuple) else (Run(cell),)


def _beginning(runs: Sequence[Run], length: int) -> Iterator[Run]:
    """As much of the runs as has so many characters."""
    for run in runs:
        if length <= 0:
            return
        yield Run(run.text[:length], run.struck, run.underlined)
        length -= len(run.text)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────


def columns(speech: Speech) -> tuple[Column, ...]:
    """The twelve columns of the practice of Polish offices; in a spreadsheet the position is chosen from a list."""
    positions = tuple(speech.positions.values())
    return tuple(
        Column(title, width, positions if number == POSITION else ())
        for number, (title, width) in enumerate(zip(speech.columns, WIDTHS, strict=True))
    )


def everything_table(made: Report) -> Table:
    """Suggestions and remarks in one table."""
    every = (*made.suggestions, *made.remarks)
    return Table(made.speech.say("title"), columns(made.speech), [row.cells(made.speech) for row in every])


def tables(made: Report) -> list[Table]:
    """Suggestions, remarks, statistics, meetings and phases, a sheet each."""
    speech, course = made.speech, made.outline.course
    listed = [
        Table(speech.say("suggestions"), columns(speech), [row.cells(speech) for row in made.suggestions], speech.say("no_suggestions")),
        Table(speech.say("remarks"), columns(speech), [row.cells(speech) for row in made.remarks], speech.say("no_remarks")),
    ]
    counts: list[tuple[Any, ...]] = [
        (speech.positions[position], suggestions, remarks, suggestions + remarks)
        for position, (suggestions, remarks) in course.statistics.items()
    ]
    counts.append((speech.say("total"), course.suggestions, course.remarks, course.suggestions + course.remarks))
    heads = ("position", "count_suggestions", "count_remarks", "total")
    listed.append(
        Table(speech.say("statistics"), tuple(Column(speech.say(each), 44 if each == "position" else 18) for each in heads), counts)
    )
    heads = ("at_meeting", "date", "topic", "place", "organizations", "people", "asked", "stands")
    listed.append(
        Table(
            speech.say("meetings"),
            tuple(
                Column(speech.columns[0] if each == "at_meeting" else speech.say(each), 40 if each in ("topic", "place") else 14)
                for each in heads
            ),
            [
                (
                    each.number, each.held_at.astimezone(speech.zone).date() if each.held_at else None, each.topic, each.place,
                    each.organizations, each.people, each.asked, each.stands,
                )
                for each in course.meetings
            ],
        )
    )  # fmt: skip
    listed.append(
        Table(
            speech.say("phases"),
            tuple(Column(speech.say(each), 28) for each in ("phase", "since", "until")),
            [
                (
                    speech.phases.get(each.phase, each.phase), each.at.astimezone(speech.zone).date(),
                    (each.ends_at - timedelta(seconds=1)).astimezone(speech.zone).date() if each.ends_at else None,
                )
                for each in course.phases
            ],
        )
    )
    return listed



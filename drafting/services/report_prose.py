"""The consultation report as a value, and as running text: HTML for the PDF, Markdown for the head of the Word file.

A remark is a section of short lines and not a row of twelve columns: it is read on paper by people and by screen
readers, and it is laid out four times as fast (formats/pdf.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape

from drafting.formats.tables import Run
from drafting.services.course import Course
from drafting.services.register import Entry
from drafting.services.report_rows import Row
from drafting.services.report_words import Speech

Group = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A report before its rows are read: its entries, which of them are one row, and the course of it all.

    key      changes whenever anything the report is made of does
    groups   (number of the row, its entries): suggestions first, then remarks
    """

    document_id: int
    title: str
    municipality: str
    as_of: datetime
    key: str
    entries: tuple[Entry, ...]
    groups: tuple[tuple[int, Group], ...]
    course: Course


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. point10: paragraphs."""

    outline: Outline
    speech: Speech
    suggestions: tuple[Row, ...]
    remarks: tuple[Row, ...]
    point10: tuple[str, ...]


def title_of(made: Report) -> str:
    """What the file is called inside."""
    return f"{made.speech.say('title')}: {made.outline.title}"


STYLE = """
.facts { font-size: 9pt; color: #333; margin: 0 0 0.3em }
.row { border-top: 0.5pt solid #999; padding-top: 0.4em; margin-top: 0.7em }
.row h3 { margin: 0 0 0.2em; font-size: 10.5pt }
.row p { margin: 0 0 0.25em; orphans: 2; widows: 2 }
.row b { font: bold 8.5pt "Source Sans 3", "Liberation Sans", "DejaVu Sans", sans-serif; color: #333 }
.num { text-align: right }
"""


def body(made: Report) -> str:
    """The report as the body of an HTML page, safe."""
    speech, outline = made.speech, made.outline
    told = outline.course
    parts = [
        f"<h1>{escape(speech.say('title'))}</h1>",
        f"<p><strong>{escape(outline.title)}</strong>{'<br>' + escape(outline.municipality) if outline.municipality else ''}</p>",
        f'<p class="facts">{escape(speech.say("as_of", moment=speech.moment(outline.as_of)))}</p>',
        f"<h2>{escape(speech.say('statistics'))}</h2>",
        _table(
            [speech.say(each) for each in ("position", "count_suggestions", "count_remarks", "total")],
            [
                *([speech.positions[p], str(a), str(b), str(a + b)] for p, (a, b) in told.statistics.items()),
                [speech.say("total"), str(told.suggestions), str(told.remarks), str(told.suggestions + told.remarks)],
            ],
            numbers_from=1,
        ),
        f"<h2>{escape(speech.say('course'))}</h2>",
        f"<h3>{escape(speech.say('phases'))}</h3>",
        _table(
            [speech.say(each) for each in ("phase", "since", "until")],
            [
                [speech.phases.get(each.phase, each.phase), speech.day(each.at), speech.day(each.ends_at) if each.ends_at else ""]
                for each in told.phases
            ],
        ),
    ]
    if told.meetings:
        parts.append(f"<h3>{escape(speech.say('meetings'))}</h3>")
        parts.append(
            _table(
                [speech.columns[0], *(speech.say(each) for each in ("date", "topic", "organizations", "people", "asked", "stands"))],
                [
                    [
                        str(each.number), speech.day(each.held_at) if each.held_at else "", each.topic, str(each.organizations),
                        str(each.people), str(each.asked), str(each.stands),
                    ]
                    for each in told.meetings
                ],
                numbers_from=3,
            )
        )  # fmt: skip
    parts.append(f"<h2>{escape(speech.say('point10'))}</h2>")
    parts.append(f'<p class="facts">{escape(speech.say("point10_note"))}</p>')
    parts.extend(_paragraph(each) for each in made.point10)
    for name, rows, none in (
        ("suggestions", made.suggestions, "no_suggestions"),
        ("remarks", made.remarks, "no_remarks"),
    ):
        parts.append(f"<h2>{escape(speech.say(name))}</h2>")
        parts.extend(_section(made, row) for row in rows)
        if not rows:
            parts.append(f"<p>{escape(speech.say(none))}</p>")
    return "\n".join(parts)


def _paragraph(text: str) -> str:
    first, *points = text.split("\n")
    listed = "".join(f"<li>{escape(each)}</li>" for each in points)
    return f"<p>{escape(first)}</p>" + (f"<ul>{listed}</ul>" if listed else "")


def _table(heads: list[str], rows: Iterable[list[str]], numbers_from: int = 99) -> str:
    def cells(row: list[str]) -> str:
        return "".join(f"<td{' class=num' if n >= numbers_from else ''}>{escape(each)}</td>" for n, each in enumerate(row))

    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{cells(row)}</tr>' for row in rows)}</tbody></table>"


def _section(made: Report, row: Row) -> str:
    """One row: what the twelve columns say, each with its heading, empty ones left out."""
    speech = made.speech
    values = row.cells(speech)
    said = [f"<h3>{row.number}. {escape(str(values[2]).replace(chr(10), '; '))}</h3>"]
    facts = [speech.day(row.at), str(values[3]), str(values[4]), ", ".join(each.key for each in row.entries)]
    said.append(f'<p class="facts">{escape(" · ".join(each for each in facts if each))}</p>')
    for column in (5, 6, 7, 8, 9, 10, 11):
        value = values[column]
        if column == 5 and len(row.changes) == 1 and row.changes[0].proposed:
            continue  # the proposed wording shows the draft's words struck out
        if column == 11 and _as_proposed(row):
            value = speech.say("as_proposed")
        html = _runs(value) if isinstance(value, tuple) else escape(str(value or "")).replace("\n", "<br>")
        if html:
            said.append(f"<p><b>{escape(speech.columns[column])}:</b> {html}</p>")
    return f'<section class="row">{"".join(said)}</section>'


def _as_proposed(row: Row) -> bool:
    """Whether what stands after the decision is, letter for letter, what the row has said already."""
    return all(
        each.position == "accepted" and each.after == "".join(run.text for run in each.proposed if not run.struck).strip()
        for each in row.changes
    )


def _runs(runs: tuple[Run, ...]) -> str:
    made = []
    for run in runs:
        text = escape(run.text).replace("\n", "<br>")
        made.append(f"<del>{text}</del>" if run.struck else f"<ins>{text}</ins>" if run.underlined else text)
    return "".join(made)


def introduction(made: Report) -> str:
    """The head of the Word file, in Markdown: title, statistics, course, the text of point 10."""
    speech, outline = made.speech, made.outline
    told = outline.course

    def plain(text: str) -> str:
        for sign in "\\*_[]#`<>|":
            text = text.replace(sign, "\\" + sign)
        return text

    lines = [f"# {plain(title_of(made))}", "", plain(outline.municipality), "", speech.say("as_of", moment=speech.moment(outline.as_of)), ""]
    lines += [f"## {speech.say('statistics')}", ""]
    lines += [
        f"| {speech.say('position')} | {speech.say('count_suggestions')} | {speech.say('count_remarks')} | {speech.say('total')} |",
        "|---|---:|---:|---:|",
        *(f"| {speech.positions[p]} | {a} | {b} | {a + b} |" for p, (a, b) in told.statistics.items()),
        f"| {speech.say('total')} | {told.suggestions} | {told.remarks} | {told.suggestions + told.remarks} |",
        "",
    ]
    if told.meetings:
        lines += [f"## {speech.say('meetings')}", ""]
        lines += [
            f"| {speech.columns[0]} | {speech.say('date')} | {speech.say('topic')} | {speech.say('organizations')} | {speech.say('people')} | {speech.say('asked')} | {speech.say('stands')} |",
            "|---|---|---|---:|---:|---:|---:|",
            *(
                f"| {each.number} | {speech.day(each.held_at) if each.held_at else ''} | {plain(each.topic)} | {each.organizations} | {each.people} | {each.asked} | {each.stands} |"
                for each in told.meetings
            ),
            "",
        ]
    lines += [f"## {speech.say('point10')}", ""]
    for each in made.point10:
        first, *points = each.split("\n")
        lines += [plain(first), "", *(f"- {plain(point)}" for point in points), ""]
    return "\n".join(lines)

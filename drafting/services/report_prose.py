"""The consultation report as a value, and as running text: HTML for the PDF and the page that one keeps, Markdown for
what stands before and after the tables of the Word file.

A remark is a section of short lines, each with the heading of its column, and not a row of twelve columns: it is read
on paper by people and by screen readers, and it is laid out four times as fast (formats/pdf.py). What goes is struck
out in the wording of the draft and what comes is underlined in the proposed one, so that both can be read aloud.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from drafting.formats.tables import Cell, Run
from drafting.services.course import Course
from drafting.services.register import Entry
from drafting.services.report_rows import Row
from drafting.services.report_words import Speech

Group = tuple[Entry, ...]
LONG = 40  # characters; a word that may not find room in a line (to look for a place to break costs in every line)
MANY, SHOWN = 6, 4  # voices of a row: of more than so many, so many are named in its heading, and all under it


@dataclass(frozen=True, slots=True)
class Outline:
    """A report before its rows are read: its entries, which of them are one row, and the course of it all.

    key      changes whenever anything the report is made of does
    head     the hash of the last event
    groups   (number of the row, its entries): suggestions first, then remarks
    """

    document_id: int
    title: str
    municipality: str
    as_of: datetime
    key: str
    head: str
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
.front { margin: 0 0 1.2em } .front h1 { margin: 0.2em 0 0.3em } .front p { margin: 0 0 0.2em }
.office { font: bold 9pt "Source Sans 3", "Liberation Sans", "DejaVu Sans", sans-serif; letter-spacing: 0.04em }
.subject { font-size: 12.5pt }
.facts { font-size: 9pt; color: #333; margin: 0 0 0.3em }
.row { border-top: 0.5pt solid #999; padding-top: 0.4em; margin-top: 0.7em }
.row h3 { margin: 0 0 0.2em; font-size: 10.5pt }
.row p { margin: 0 0 0.25em; line-height: 1.35; orphans: 2; widows: 2 }
.row .long { overflow-wrap: break-word }
.row .facts { break-after: avoid }
.row ins { background: none }
.row b { font: bold 8.5pt "Source Sans 3", "Liberation Sans", "DejaVu Sans", sans-serif; color: #333 }
.row .became { font-size: 9pt; color: #222; margin-top: 0.35em }
.row .became b { font-size: 9pt; color: #111 }
td, th { overflow-wrap: break-word } .num { text-align: right; white-space: nowrap } .day { white-space: nowrap }
.total td { font-weight: bold; background: #f5f5f5 }
.closing { margin-top: 2em; border-top: 1pt solid #444; padding-top: 0.6em; break-inside: avoid }
.hash { font: 8pt "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
.sign { margin: 3.2em 0 0 55%; border-top: 0.5pt dotted #444; padding-top: 0.2em; text-align: center; font-size: 9pt }
.approved { margin: 1.4em 0 0 55%; text-align: center }
"""
SCREEN = "body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem } @media print { body { margin: 0; padding: 0 } }"


def page(made: Report, author: str) -> str:
    """The report as one HTML file that needs no other."""
    from drafting.formats.pdf import PRINT_STYLE

    return (
        f'<!doctype html>\n<html lang="{made.speech.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{escape(title_of(made))}</title><meta name="author" content="{escape(author)}">'
        f"<style>{PRINT_STYLE}{STYLE}{SCREEN}</style></head><body>\n{body(made)}\n</body></html>\n"
    )


def body(made: Report) -> str:
    """The report as the body of an HTML page, safe."""
    speech, outline = made.speech, made.outline
    office = f'<p class="office">{escape(outline.municipality)}</p>' if outline.municipality else ""
    parts = [
        f'<header class="front">{office}<h1>{escape(speech.say("title"))}</h1>'
        f'<p class="subject">{escape(speech.say("subject", title=outline.title))}</p>'
        f'<p class="facts">{escape(speech.say("as_of", moment=speech.moment(outline.as_of)))}</p></header>',
        *_numbers(made),
        f"<h2>{escape(speech.say('point10'))}</h2>",
        f'<p class="facts">{escape(speech.say("point10_note"))}</p>',
        *(_paragraph(each) for each in made.point10),
    ]
    for name, rows, none in (
        ("suggestions", made.suggestions, "no_suggestions"),
        ("remarks", made.remarks, "no_remarks"),
    ):
        parts.append(f"<h2>{escape(speech.say(name))}</h2>")
        parts.extend(_section(made, row) for row in rows)
        if not rows:
            parts.append(f"<p>{escape(speech.say(none))}</p>")
    before, after = speech.say("head", head="\0").split("\0")
    parts.append(
        f'<footer class="closing"><p class="facts">{escape(speech.say("closing"))} {escape(before)}'
        f'<span class="hash">{outline.head}</span>{escape(after)}</p>'
        f'<p class="approved">{escape(speech.say("approved"))}</p><p class="sign">{escape(speech.say("signature"))}</p></footer>'
    )
    return "\n".join(parts)


def _numbers(made: Report) -> list[str]:
    """Statistics and course: tables."""
    speech, told = made.speech, made.outline.course
    counts = [[speech.positions[p], str(a), str(b), str(a + b)] for p, (a, b) in told.statistics.items()]
    counts.append([speech.say("total"), str(told.suggestions), str(told.remarks), str(told.suggestions + told.remarks)])
    heads = [speech.say(each) for each in ("position", "count_suggestions", "count_remarks", "total")]
    parts = [
        f"<h2>{escape(speech.say('statistics'))}</h2>",
        _table(heads, counts, ("", "num", "num", "num"), total=True),
        f"<h2>{escape(speech.say('course'))}</h2>",
        f"<h3>{escape(speech.say('phases'))}</h3>",
        _table(
            [speech.say(each) for each in ("phase", "since", "until")],
            [
                [
                    speech.phases.get(each.phase, each.phase), speech.day(each.at),
                    speech.last_day(each.ends_at) if each.ends_at else "",
                ]
                for each in told.phases
            ],
        ),
    ]  # fmt: skip
    if told.meetings:
        heads = ["date", "topic", "organizations", "people", "asked", "stands"]
        parts.append(f"<h3>{escape(speech.say('meetings'))}</h3>")
        parts.append(
            _table(
                [speech.columns[0], *(speech.say(each) for each in heads)],
                [
                    [
                        str(each.number), speech.day(each.held_at) if each.held_at else "", each.topic, str(each.organizations),
                        str(each.people), str(each.asked), str(each.stands),
                    ]
                    for each in told.meetings
                ],
                ("num", "day", "", "num", "num", "num", "num"),
            )
        )  # fmt: skip
    return parts


def _paragraph(text: str) -> str:
    first, *points = text.split("\n")
    listed = "".join(f"<li>{escape(each)}</li>" for each in points)
    return f"<p>{escape(first)}</p>" + (f"<ul>{listed}</ul>" if listed else "")


def _table(heads: list[str], rows: list[list[str]], kinds: Sequence[str] = (), *, total: bool = False) -> str:
    """kinds: the class of each column's cells; total: the last row sums up."""

    def cells(row: list[str], tag: str, more: str = "") -> str:
        made = []
        for n, each in enumerate(row):
            kind = kinds[n] if n < len(kinds) else ""
            kind = f' class="{kind}"' if kind else ""
            made.append(f"<{tag}{more}{kind}>{escape(each)}</{tag}>")
        return "".join(made)

    head = cells(heads, "th", ' scope="col"')
    lines = [
        f'<tr{" class=total" if total and n == len(rows) - 1 else ""}>{cells(row, "td")}</tr>' for n, row in enumerate(rows)
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _section(made: Report, row: Row) -> str:
    """One row: what the twelve columns say, each with its heading, empty ones left out.

    The words of the row are paragraphs; what is short stands in two lines of facts: whence it came, and what became of it.
    """
    speech = made.speech
    values = row.cells(speech)
    heads = speech.columns

    def paragraph(column: int, value: Cell) -> str:
        head = speech.say("says") if column == 7 and row.kind == "remark" else heads[column]
        html = _runs(value) if isinstance(value, tuple) else escape(str(value or "")).replace("\n", "<br>")
        long = ' class="long"' if any(len(each) > LONG for each in html.split()) else ""
        return f"<p{long}><b>{escape(head)}:</b> {html}</p>" if html else ""

    def fact(column: int, value: str) -> str:
        return f"{escape(heads[column])}: {escape(value)}" if value else ""

    names = str(values[2]).split("\n")
    keys = [each.key for each in row.entries]
    many = len(names) > MANY
    first = "; ".join(names if not many else [*names[:SHOWN], speech.say("and_more", number=len(names) - SHOWN)])
    after = speech.say("as_proposed") if _as_proposed(row) else str(values[11])
    is_short = after in (speech.say("as_proposed"), speech.say("unchanged"), speech.say("removed"))
    came = [
        fact(1, speech.day(row.at)), fact(3, str(values[3])), fact(4, str(values[4])),
        escape(", ".join(keys if len(keys) <= MANY else [*keys[:SHOWN], speech.say("and_more", number=len(keys) - SHOWN)])),
    ]  # fmt: skip
    became = [
        f"{escape(heads[8])}: <b>{escape(str(values[8]))}</b>", fact(10, str(values[10]).replace("\n", "; ")),
        fact(11, after if is_short else ""),
    ]  # fmt: skip
    said = [
        f"<h3>{row.number}. {escape(first)}</h3>",
        f'<p class="facts">{" · ".join(each for each in came if each)}</p>',
        paragraph(2, "; ".join(names)) if many else "",
        *(paragraph(column, values[column]) for column in (5, 6, 7)),
        f'<p class="became">{" · ".join(each for each in became if each)}</p>',
        paragraph(9, values[9]),
        "" if is_short else paragraph(11, after),
    ]
    return f'<section class="row">{"".join(said)}</section>'


def _as_proposed(row: Row) -> bool:
    """Whether what stands after the decision is, letter for letter, what the row has said already."""
    return any(each.proposed for each in row.changes) and all(
        each.position == "accepted" and each.after == "".join(run.text for run in each.proposed if not run.struck).strip()
        for each in row.changes
    )


def _runs(runs: Iterable[Run]) -> str:
    made = []
    for run in runs:
        text = escape(run.text).replace("\n", "<br>")
        made.append(f"<del>{text}</del>" if run.struck else f"<ins>{text}</ins>" if run.underlined else text)
    return "".join(made)


# ── Word ────────────────────────────────────────────────────────────────────────────────────────────────


def front(made: Report) -> str:
    """The head of the Word file, in Markdown."""
    speech, outline = made.speech, made.outline
    subject = _plain(speech.say("subject", title=outline.title))
    lines = [_plain(outline.municipality), f"# {speech.say('title')}", f"**{subject}**"]
    return "\n\n".join([*lines, speech.say("as_of", moment=speech.moment(outline.as_of))])


def told(made: Report) -> str:
    """The text of point 10 for the Word file, in Markdown."""
    lines = [f"## {made.speech.say('point10')}", f"*{_plain(made.speech.say('point10_note'))}*"]
    for each in made.point10:
        first, *points = each.split("\n")
        lines += [_plain(first), "\n".join(f"- {_plain(point)}" for point in points)]
    return "\n\n".join(lines)


def closing(made: Report) -> str:
    """The end of the Word file, in Markdown."""
    speech = made.speech
    said = f"{speech.say('closing')} {speech.say('head', head=made.outline.head)}"
    return f"{_plain(said)}\n\n{speech.say('approved')}\n\n{'.' * 60}\n\n{speech.say('signature')}\n"


def _plain(text: str) -> str:
    """Words as Markdown that says just them."""
    text = " ".join(text.split())
    for sign in "\\*_[]#`<>|~":
        text = text.replace(sign, "\\" + sign)
    return text

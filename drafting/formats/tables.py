"""Tables as XLSX and CSV files: the report, the matrix, lists of suggestions.

Plain values in, bytes out; the same values give the same bytes. What people wrote stays text: no cell is ever a
formula, neither in XLSX (strings are written as strings) nor in CSV (a guard before what a spreadsheet would compute).
CSV is what Excel in Polish opens by a double click: semicolons, a byte order mark, CR LF.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

LONGEST_CELL = 32_767  # Excel's limit, in UTF-16 code units; what is longer is cut and says so
LONGEST_LIST = 255  # of a list of choices written into the cell's rule, with commas
_GUARDED = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")  # also after blanks, and as they are written in full width
_FORBIDDEN_IN_NAME = re.compile(r"[\[\]:*?/\\]")
# XML holds no control characters but TAB, LF and CR, and no half surrogate pairs.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Run:
    """Part of a cell: struck through for what goes, underlined for what comes."""

    text: str
    struck: bool = False
    underlined: bool = False


Cell = str | int | float | date | datetime | None | tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its width in characters, and the words that may stand in it if only these may."""

    title: str
    width: float = 18
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet: its name, its columns, its rows (as long as the columns), and what a text says where there are none."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    none: str = ""


def xlsx(
    tables: Sequence[Table], *, title: str, author: str, created_at: datetime, zone: str = "Europe/Warsaw"
) -> bytes:
    """A workbook with one sheet for each table.

    created_at   goes into the file's properties; aware
    zone         in which aware times are shown
    law          the same values give the same bytes
    """
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties(
            {"title": title[:255], "author": author[:255], "created": created_at.astimezone(UTC).replace(tzinfo=None)}
        )
        formats = _formats(book)
        taken: set[str] = set()
        for table in tables:
            _write_sheet(book.add_worksheet(_sheet_name(table.name, taken)), table, formats, ZoneInfo(zone))
    return out.getvalue()


def csv_bytes(table: Table, zone: str = "Europe/Warsaw") -> bytes:
    """The table as CSV: UTF-8 with a byte order mark, semicolons, CR LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow([_guarded(column.title) for column in table.columns])
    for row in table.rows:
        writer.writerow([_csv_cell(cell, ZoneInfo(zone)) for cell in row])
    return ("\ufeff" + out.getvalue()).encode("utf-8")


def _formats(book: xlsxwriter.Workbook) -> dict[str, Format]:
    cell = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#B8B8B8"}
    return {
        "head": book.add_format({**cell, "bold": True, "bg_color": "#ECECEC"}),
        "text": book.add_format(cell),
        "date": book.add_format({**cell, "num_format": "yyyy-mm-dd"}),
        "time": book.add_format({**cell, "num_format": "yyyy-mm-dd hh:mm"}),
        "struck": book.add_format({"font_strikeout": True, "font_color": "#9A1B1B"}),
        "underlined": book.add_format({"underline": 1, "font_color": "#14532D"}),
        "plain": book.add_format({}),
    }


def _write_sheet(sheet: Worksheet, table: Table, formats: dict[str, Format], zone: ZoneInfo) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 0)
    for i, column in enumerate(table.columns):
        sheet.set_column(i, i, column.width)
        sheet.write_string(0, i, _text(column.title), formats["head"])
        if table.rows and column.choices and len(",".join(column.choices)) <= LONGEST_LIST:
            sheet.data_validation(1, i, len(table.rows), i, {"validate": "list", "source": list(column.choices)})
    for n, row in enumerate(table.rows, 1):
        for i, cell in enumerate(row):
            _write_cell(sheet, n, i, cell, formats, zone)
    if table.columns:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _write_cell(
    sheet: Worksheet, row: int, column: int, cell: Cell, formats: dict[str, Format], zone: ZoneInfo
) -> None:
    if cell is None or cell == "" or cell == ():
        sheet.write_blank(row, column, None, formats["text"])
    elif isinstance(cell, bool | str):
        sheet.write_string(row, column, _text(str(cell)), formats["text"])
    elif isinstance(cell, int | float):
        sheet.write_number(row, column, cell, formats["text"])
    elif isinstance(cell, datetime):
        sheet.write_datetime(row, column, _local(cell, zone), formats["time"])
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell, formats["date"])
    else:
        _write_runs(sheet, row, column, cell, formats)


def _write_runs(sheet: Worksheet, row: int, column: int, runs: Sequence[Run], formats: dict[str, Format]) -> None:
    written = [(run, _text(run.text)) for run in runs if run.text]
    total = _text("".join(text for _, text in written))
    if len(written) < 2 or total.endswith("…") or sum(map(_units, (t for _, t in written))) > LONGEST_CELL:
        if len(written) == 1 and (written[0][0].struck or written[0][0].underlined):
            written.append((Run(" "), " "))  # a rich string has at least two parts
        else:
            sheet.write_string(row, column, total, formats["text"])
            return
    parts: list[Format | str] = []
    for run, text in written:
        parts += [formats["struck" if run.struck else "underlined" if run.underlined else "plain"], text]
    sheet.write_rich_string(row, column, *parts, formats["text"])


def _csv_cell(cell: Cell, zone: ZoneInfo) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    if isinstance(cell, datetime):
        return _local(cell, zone).strftime("%Y-%m-%d %H:%M")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, tuple):
        if not (any(run.struck for run in cell) and any(run.underlined for run in cell)):
            return _guarded("".join(run.text for run in cell))
        # CriticMarkup's signs: a CSV file has no other way to tell what goes from what comes
        marks = {True: "{--%s--}", False: "%s"}
        return _guarded("".join((marks[r.struck] if not r.underlined else "{++%s++}") % r.text for r in cell))
    return _guarded(str(cell))


def _guarded(text: str) -> str:
    text = _writable(text)
    return "'" + text if _GUARDED.match(text) else text


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    return moment.replace(tzinfo=None, microsecond=0)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


def _writable(text: str) -> str:
    """The text with the line ends of a cell, which are LF, and without what no file can hold."""
    return _UNWRITABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def _text(text: str) -> str:
    text = _writable(text)
    if _units(text) <= LONGEST_CELL:
        return text
    return text.encode("utf-16-le")[: 2 * (LONGEST_CELL - 2)].decode("utf-16-le", "ignore") + "…"


def _sheet_name(name: str, taken: set[str]) -> str:
    """A name that Excel accepts: 31 characters, none of []:*?/\\, no apostrophe at its ends, no other the same."""
    bare = _FORBIDDEN_IN_NAME.sub(" ", _UNWRITABLE.sub(" ", name)).strip().strip("'")[:31] or "1"
    candidate, n = bare, 1
    while candidate.lower() in taken or candidate.lower() == "history":
        n += 1
        candidate = f"{bare[: 30 - len(str(n))]} {n}"
    taken.add(candidate.lower())
    return candidate

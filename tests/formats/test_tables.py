"""XLSX and CSV files: what is read back is what was written, and nothing in them computes."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from datetime import UTC, date, datetime

import openpyxl

from drafting.formats.tables import Column, Run, Table, csv_bytes, xlsx

MOMENT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DANGEROUS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")']


def table(rows) -> Table:
    columns = (Column("Lp.", 6), Column("Zgłaszający"), Column("Stanowisko", 20, ("uwzględniono", "nie uwzględniono")))
    return Table("Raport: [uwagi]", columns, rows)


def read(data: bytes):
    return openpyxl.load_workbook(io.BytesIO(data))


def test_what_was_written_is_read_back():
    rows = [(1, "Fundacja „Żuraw” 🌳", "uwzględniono"), (2, date(2026, 1, 2), datetime(2026, 7, 1, 10, 0, tzinfo=UTC))]
    sheet = read(xlsx([table(rows)], title="Raport", author="Miasto", created_at=MOMENT)).worksheets[0]
    assert sheet.title == "Raport   uwagi"
    assert [c.value for c in sheet[1]] == ["Lp.", "Zgłaszający", "Stanowisko"]
    assert [c.value for c in sheet[2]] == [1, "Fundacja „Żuraw” 🌳", "uwzględniono"]
    assert sheet["B3"].value == datetime(2026, 1, 2) and sheet["C3"].value == datetime(2026, 7, 1, 12, 0)
    (rule,) = sheet.data_validations.dataValidation
    assert rule.formula1 == '"uwzględniono,nie uwzględniono"'


def test_no_cell_is_a_formula():
    rows = [(n, text, (Run(text, struck=True), Run(text, underlined=True))) for n, text in enumerate(DANGEROUS)]
    data = xlsx([table(rows)], title="x", author="y", created_at=MOMENT)
    for row in read(data).worksheets[0].iter_rows(min_row=2):
        assert all(cell.data_type in ("s", "n", "inlineStr") for cell in row)
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
    lines = list(csv.reader(io.StringIO(csv_bytes(table(rows)).decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [line[1] for line in lines[1:]] == ["'" + text for text in DANGEROUS]


def test_csv_is_what_excel_in_polish_opens():
    data = csv_bytes(table([(-1, "a;b\n„c”", None)]))
    assert data.startswith(b"\xef\xbb\xbfLp.;Zg") and data.endswith(b'-1;"a;b\n\xe2\x80\x9ec\xe2\x80\x9d";\r\n')


def test_changes_are_struck_and_underlined():
    runs = (Run("sadzi "), Run("100", struck=True), Run("250", underlined=True), Run(" drzew"))
    data = xlsx([table([(1, runs, (Run("x", struck=True),))])], title="x", author="y", created_at=MOMENT)
    sheet = openpyxl.load_workbook(io.BytesIO(data), rich_text=True).worksheets[0]
    assert [str(part) for part in sheet["B2"].value] == ["sadzi ", "100", "250", " drzew"]
    assert sheet["B2"].value[1].font.strike and sheet["B2"].value[2].font.u == "single"
    assert "{--100--}{++250++}" in csv_bytes(table([(1, runs, "")])).decode()


def test_the_same_values_give_the_same_bytes():
    tables = [table([(1, "a", "b")]), table([]), table([(2, "ą", None)])]
    first = xlsx(tables, title="Raport", author="Miasto", created_at=MOMENT)
    time.sleep(1.1)  # files of a zip archive carry seconds
    assert xlsx(tables, title="Raport", author="Miasto", created_at=MOMENT) == first
    assert len({s.title.lower() for s in read(first).worksheets}) == 3


def test_cells_that_are_too_long_or_unwritable_are_cut_and_replaced():
    rows = [(1, "ż🌳" * 20_000, "\x00\x0b\ud800x")]
    sheet = read(xlsx([table(rows)], title="x", author="y", created_at=MOMENT)).worksheets[0]
    assert sheet["B2"].value.endswith("…") and len(sheet["B2"].value.encode("utf-16-le")) // 2 <= 32_767
    assert sheet["C2"].value == "\ufffd\ufffd\ufffdx"

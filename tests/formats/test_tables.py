"""XLSX and CSV files: what is read back is what was written, and nothing in them computes."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from datetime import UTC, date, datetime

import openpyxl

from drafting.formats.tables import Column, Run, Table, csv_bytes, xlsx
from tests.formats.validator import assert_valid

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


def test_the_validator_of_the_sdk_accepts_it(tmp_path):
    runs = (Run("sadzi "), Run("100", struck=True), Run("250 🌳", underlined=True))
    rows = [(n, text, (Run(text, struck=True), Run(text, underlined=True))) for n, text in enumerate(DANGEROUS)]
    rows += [(1, runs, "ż" * 40_000), (None, MOMENT, (Run("x", struck=True),)), (2, date(2026, 1, 2), "a\nb\tc\x07")]
    assert_valid(tmp_path / "a.xlsx", xlsx([table(rows), table([])], title="Raport", author="Miasto", created_at=MOMENT))


def test_csv_guards_what_a_spreadsheet_would_compute_also_behind_blanks_and_in_full_width():
    rows = [(1, text, (Run(text),)) for text in (" =1+1", "\u00a0@x", "＝1", "－1", "\n=1", "a=1", "")]
    lines = list(csv.reader(io.StringIO(csv_bytes(table(rows)).decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [line[1][:1] == "'" for line in lines[1:]] == [True, True, True, True, True, False, False]
    assert all(line[1] == line[2] for line in lines[1:])


def test_csv_holds_no_control_characters_and_lines_of_a_cell_stay_in_it():
    text = "a\x00b\x07\nקו 🌳\r\n„c”;d"
    [_, row] = csv.reader(io.StringIO(csv_bytes(table([(1, text, "")])).decode("utf-8-sig"), newline=""), delimiter=";")
    assert row == ["1", "a\ufffdb\ufffd\nקו 🌳\n„c”;d", ""]


def test_the_line_ends_of_a_form_are_lines_of_a_cell():
    """A browser sends CR LF; a workbook showed it as _x000D_."""
    [_, row] = read(xlsx([table([(1, "a\r\nb\rc", "")])], title="x", author="x", created_at=MOMENT)).active.values
    assert row[1] == "a\nb\nc"


def test_csv_has_no_signs_where_a_cell_shows_one_side_only():
    [_, row] = csv.reader(
        io.StringIO(csv_bytes(table([(1, (Run("a "), Run("b", struck=True)), (Run("a "), Run("c", underlined=True)))])).decode("utf-8-sig"), newline=""),
        delimiter=";",
    )
    assert row[1:] == ["a b", "a c"]

"""PDF files: tagged, readable, repeatable, and made without asking anybody anything."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import zlib
from datetime import UTC, datetime

import pydyf
import pytest

from drafting.errors import TooLarge
from drafting.formats import pdf as pdf_module
from drafting.formats.markdown import Mark, render_marked
from drafting.formats.pdf import pdf

MOMENT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TEXT = "# Formy współpracy\n\n1) Miasto sadzi **250** drzew 🌳.\n2) Drugi punkt\n\n| a | b |\n|---|---|\n| ą | ł |\n"


def make(body: str) -> bytes:
    return pdf(body, title="Próba", language="pl", created_at=MOMENT, author="Miasto")


def test_the_same_html_gives_the_same_bytes():
    body = render_marked(TEXT, [Mark(30, 36, "ins"), Mark(36, 36, "del", (), "100 ")])
    assert make(body) == make(body)
    assert make(body) != make(body + "<p>x</p>")


def test_it_is_tagged_and_says_its_title_and_language():
    written = make(render_marked(TEXT, []))
    assert written.startswith(b"%PDF-1.7")
    for packed in re.findall(rb"stream\n(x.*?)\nendstream", written, re.DOTALL):
        with contextlib.suppress(zlib.error):
            written += zlib.decompress(packed)
    for sign in (b"/MarkInfo", b"/StructTreeRoot", b"/Lang", b"/DisplayDocTitle true"):
        assert sign in written
    assert b"pdfuaid" in written


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="pdfinfo (poppler-utils) is not installed")
def test_another_reader_finds_its_structure(tmp_path):
    """Headings, lists, and tables whose cells know their heads; everything that is shown is in the structure."""
    (tmp_path / "a.pdf").write_bytes(make(render_marked(TEXT, [])))
    tree = subprocess.run(["pdfinfo", "-struct-text", str(tmp_path / "a.pdf")], capture_output=True, check=True).stdout.decode()
    kinds = re.findall(r"^\s*(\w+)", tree, re.MULTILINE)
    for kind in ("Document", "H1", "L", "LI", "Table", "THead", "TBody", "TR", "TH", "TD"):
        assert kind in kinds, tree
    assert re.search(r"TD:?\s*\n\s*/Headers", tree), tree
    shown = subprocess.run(["pdftotext", str(tmp_path / "a.pdf"), "-"], capture_output=True, check=True).stdout.decode()
    said = "".join(re.findall(r'"([^"]*)"', tree))
    for word in shown.split():
        if not re.fullmatch(r"[\d/]+|Formy|współpracy", word):  # the foot of the page is no content
            assert word in "".join(said.split()) or word in said, word
    facts = subprocess.run(["pdfinfo", str(tmp_path / "a.pdf")], capture_output=True, check=True).stdout.decode()
    assert re.search(r"Title:\s+Próba", facts) and re.search(r"Tagged:\s+yes", facts) and re.search(r"Author:\s+Miasto", facts)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_its_words_can_be_read(tmp_path):
    (tmp_path / "a.pdf").write_bytes(make(render_marked(TEXT, [])))
    text = subprocess.run(["pdftotext", str(tmp_path / "a.pdf"), "-"], capture_output=True, check=True).stdout.decode()
    assert "Formy współpracy" in text and "1) Miasto sadzi 250 drzew" in " ".join(text.split())


def test_nothing_is_fetched():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        there = f"http://127.0.0.1:{server.getsockname()[1]}"
        make(
            f'<img src="{there}/a.png" alt="a"><img src="file:///etc/hostname" alt="b">'
            f'<link rel="stylesheet" href="{there}/a.css"><style>@import url({there}/b.css);'
            f"@font-face {{ font-family: x; src: url({there}/x.woff) }} p {{ background: "
            f"url({there}/c.png) }}</style><p>x</p>"
        )
        with pytest.raises(BlockingIOError):
            server.accept()  # nobody has knocked


def test_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(pdf_module, "LONGEST_HTML", 10)
    with pytest.raises(TooLarge):
        make("x" * 11)


def test_progress_is_told_page_by_page_and_never_goes_back():
    told: list[tuple[str, float]] = []
    body = "<p>Drzewa rosną.</p>" * 400
    pdf(body, title="x", language="pl", created_at=MOMENT, progress=lambda stage, part: told.append((stage, part)))
    pages = sum(stage == "layout" for stage, _ in told)
    assert pages > 5 and [stage for stage, _ in told] == ["layout"] * pages + ["write"] * 2
    parts = [part for _, part in told]
    assert parts == sorted(parts) and parts[0] == 0 and parts[-1] < 1


def test_a_file_whose_progress_is_told_is_the_same_file():
    written = pdf("<p>x</p>", title="Próba", language="pl", created_at=MOMENT, author="Miasto", progress=lambda *_: None)
    assert written == make("<p>x</p>")


def test_the_references_of_pages_are_those_of_all_pages_there_are():
    """They are kept while a file is written; a page that comes later must be among them."""
    file = pydyf.PDF()
    for number in range(3):
        file.add_page(pydyf.Dictionary({"Type": "/Page"}))
        assert file.page_references == pdf_module._list_references(file)
        assert len(file.page_references) == number + 1


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="pdfinfo (poppler-utils) is not installed")
def test_a_table_over_many_pages_has_each_tag_on_its_own_page(tmp_path):
    """What is kept and what is packed once shifts no reference: another reader finds every word where the tag says."""
    rows = "".join(f"<tr><td>w{n}</td><td>z{n}</td></tr>" for n in range(120))
    (tmp_path / "a.pdf").write_bytes(make(f"<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>{rows}</tbody></table>"))
    tree = subprocess.run(["pdfinfo", "-struct-text", str(tmp_path / "a.pdf")], capture_output=True, check=True).stdout.decode()
    assert re.findall(r'"([wz]\d+)"', tree) == [f"{letter}{n}" for n in range(120) for letter in "wz"]

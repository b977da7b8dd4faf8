"""The whole document as a file: complete, the same each time, and with the names of organisations only."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.errors import InvalidInput, NotFound
from drafting.formats.references import split_sections
from drafting.services import annotations, editing, exchange, sections, suggestions
from drafting.services.access import ANONYMOUS, Actor
from drafting.store.models import Document
from tests import make

TREES = "## Trees 🌳\n\nWe plant 100 trees.\n"
BENCHES = "## Benches\n\nBenches too.\n"


@pytest.fixture
def document(session: Session) -> Document:
    """Two sections; U-1 and U-2 want other numbers of trees; a person without organisation remarks."""
    row = make.document(session)
    chief = make.member(session, row, "coordinator")
    session.commit()
    first = sections.add_section(session, chief, row.id, TREES)
    sections.add_section(session, chief, row.id, BENCHES)
    for name, new in (("Fundacja A", "250 🌲"), ("Fundacja B", "150")):
        author = make.member(session, row, "contributor", make.organization(session, row, name))
        suggest(session, author, first.id, "100", new)
    person = make.member(session, row, "contributor")
    session.commit()
    annotations.annotate(session, person, row.id, "Which trees?", section_id=first.id, start=0, end=8)
    return row


def suggest(session: Session, author: Actor, section_id: int, old: str, new: str) -> None:
    session.commit()
    view = suggestions.open_suggestion(session, author, section_id)
    at = TREES.index(old) + 1  # the tree before it counts two
    changes = ChangeSet.of([(at, at + len(old), to_units(new))], len(TREES) + 1)
    editing.push(session, author, view.stream_id, view.branch_version, [Update(f"tab{view.id}", 1, changes)])
    suggestions.file(session, author, view.id, reason=f"Because {new}.")


def test_markdown_is_the_sections_and_reads_in_again_the_same(session: Session, document: Document) -> None:
    text = exchange.export(session, ANONYMOUS, document.id, "md").decode()
    assert text == f"# {document.title}\n\n{TREES}\n{BENCHES}"
    found = split_sections(text)
    assert found.title == document.title
    assert [part.text.strip() for part in found.parts] == [TREES.strip(), BENCHES.strip()]


def test_html_has_every_section_and_runs_nothing(session: Session, document: Document) -> None:
    html = exchange.export(session, ANONYMOUS, document.id, "html").decode()
    assert "We plant 100 trees." in html and "Benches too." in html and "<script" not in html


def test_word_shows_the_first_rival_tracked_and_the_others_as_comments(session: Session, document: Document) -> None:
    content = exchange.export(session, ANONYMOUS, document.id, "docx")
    assert content == exchange.export(session, ANONYMOUS, document.id, "docx")
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        body, comments = (package.read(f"word/{name}.xml").decode() for name in ("document", "comments"))
    assert set(re.findall(r'<w:(?:ins|del) [^>]*w:author="([^"]*)"', body)) == {"Fundacja A"}
    assert "250" in body and "150" not in body
    assert "150" in comments and "Because 250 🌲." in comments and "Fundacja B" in comments
    assert "Which trees?" in comments and "uczestnik konsultacji" in comments
    for name in ("contributor", "coordinator"):  # the people of the tests are called so
        assert name not in comments and name not in body


def test_a_private_person_stands_in_the_file_without_a_name_unless_they_agreed(session: Session, document: Document) -> None:
    private = make.organization(session, document, "Jan Kowalski")
    private.kind = "person"
    jan = make.user(session, "Jan Kowalski")
    author = make.member(session, document, "contributor", private, user=jan)
    session.commit()
    first = sections.outline(session, author, document.id)[0]
    suggest(session, author, first.id, "plant", "set")
    annotations.annotate(session, author, document.id, "How deep?", section_id=first.id, start=0, end=8)

    def written() -> str:
        content = exchange.export(session, ANONYMOUS, document.id, "docx")
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return "".join(package.read(f"word/{name}.xml").decode() for name in ("document", "comments"))

    assert "How deep?" in written() and "Kowalski" not in written()
    jan.may_be_named = True
    session.commit()
    assert "Jan Kowalski" in written()


def test_a_pdf_is_one(session: Session, document: Document) -> None:
    assert exchange.export(session, ANONYMOUS, document.id, "pdf").startswith(b"%PDF-")


def test_what_one_may_not_read_one_may_not_export(session: Session, document: Document) -> None:
    document.is_public = False
    session.commit()
    with pytest.raises(NotFound):
        exchange.export(session, ANONYMOUS, document.id, "md")


def test_an_unknown_form_is_refused(session: Session, document: Document) -> None:
    with pytest.raises(InvalidInput):
        exchange.export(session, ANONYMOUS, document.id, "exe")

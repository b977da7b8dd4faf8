"""The whole document as a file: complete, the same each time, and with the names of organisations only."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import from_units, to_units
from drafting.errors import InvalidInput, NotFound
from drafting.formats import critic
from drafting.formats.references import split_sections
from drafting.services import annotations, editing, exchange, sections, suggestions
from drafting.services.access import ANONYMOUS, Actor
from drafting.services.marked import marked
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


def test_criticmarkup_reads_back_as_the_text_and_what_was_proposed(session: Session, document: Document) -> None:
    content = exchange.export(session, ANONYMOUS, document.id, "critic.md").decode()
    said = critic.read_critic(content)
    assert said.text == exchange.export(session, ANONYMOUS, document.id, "md").decode()
    (change,) = said.changes
    assert (change.author, change.reason) == ("Fundacja A", "U-1: Because 250 🌲.")
    units = to_units(said.text)
    proposed = from_units(units[: change.start] + to_units(change.text) + units[change.end :])
    assert proposed == said.text.replace("100 trees", "250 🌲 trees")
    assert {(remark.author, remark.text) for remark in said.remarks} == {
        ("Fundacja B", "U-2: „100” → „150”. Because 150."),
        ("uczestnik konsultacji", "Which trees?"),
    }
    for name in ("contributor", "coordinator"):
        assert name not in content


def test_criticmarkup_marks_what_word_tracks(session: Session, document: Document) -> None:
    """One rule for rivals: what is a tracked change in Word is a mark here, what is a comment there a comment here."""
    author = make.member(session, document, "contributor", make.organization(session, document, "Fundacja C"))
    session.commit()
    first = sections.outline(session, author, document.id)[0]
    suggest(session, author, first.id, "plant", "set")
    (part, other) = marked(session, ANONYMOUS, document)
    assert [(one.author, one.text) for one in part.marks] == [("Fundacja C", "set"), ("Fundacja A", "250 🌲")]
    assert not other.marks and not other.notes
    with zipfile.ZipFile(io.BytesIO(exchange.export(session, ANONYMOUS, document.id, "docx"))) as package:
        body = package.read("word/document.xml").decode()
    tracked = set(re.findall(r'<w:ins [^>]*w:author="([^"]*)"', body))
    changes = critic.read_critic(exchange.export(session, ANONYMOUS, document.id, "critic.md").decode()).changes
    assert tracked == {one.author for one in changes} == {"Fundacja A", "Fundacja C"}


def test_an_addition_at_the_end_of_a_section_stays_in_it(session: Session, document: Document) -> None:
    author = make.member(session, document, "contributor", make.organization(session, document, "Fundacja C"))
    session.commit()
    first = sections.outline(session, author, document.id)[0]
    view = suggestions.open_suggestion(session, author, first.id)
    changes = ChangeSet.of([(len(TREES) + 1, len(TREES) + 1, "\nMore.\n")], len(TREES) + 1)
    editing.push(session, author, view.stream_id, view.branch_version, [Update("end", 1, changes)])
    suggestions.file(session, author, view.id, reason="more")
    said = critic.read_critic(exchange.export(session, ANONYMOUS, document.id, "critic.md").decode())
    assert said.text == exchange.export(session, ANONYMOUS, document.id, "md").decode()
    units = to_units(said.text)
    last = said.changes[-1]
    assert from_units(units[: last.start] + last.text + units[last.end :]).endswith(f"{TREES}\nMore.\n\n{BENCHES}")


def test_a_draft_stands_in_no_file(session: Session, document: Document) -> None:
    author = make.member(session, document, "contributor", make.organization(session, document, "Fundacja D"))
    session.commit()
    first = sections.outline(session, author, document.id)[0]
    before = exchange.export(session, ANONYMOUS, document.id, "critic.md")
    view = suggestions.open_suggestion(session, author, first.id)
    changes = ChangeSet.of([(0, 0, to_units("SECRET"))], len(TREES) + 1)
    editing.push(session, author, view.stream_id, view.branch_version, [Update("draft", 1, changes)])
    assert exchange.export(session, ANONYMOUS, document.id, "critic.md") == before
    with zipfile.ZipFile(io.BytesIO(exchange.export(session, ANONYMOUS, document.id, "docx"))) as package:
        assert not [name for name in package.namelist() if b"SECRET" in package.read(name)]


def test_what_looks_like_a_mark_in_the_text_stays_text(session: Session) -> None:
    row = make.document(session)
    row.title = "A {++title++}"
    make.section(session, row, "## {==B==}\n\n{>>not said<<} {~~a~>b~~} without an end")
    session.commit()
    said = critic.read_critic(exchange.export(session, ANONYMOUS, row.id, "critic.md").decode())
    assert not said.changes and not said.remarks
    assert said.text == exchange.export(session, ANONYMOUS, row.id, "md").decode()


def test_the_longest_ending_says_the_form() -> None:
    names = ("a.md", "b.critic.md", "C.CRITIC.MD", "critic.md", "x.y.docx", "bare")
    assert [exchange.ending_of(name) for name in names] == ["md", "critic.md", "critic.md", "md", "docx", "bare"]


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
        marks = exchange.export(session, ANONYMOUS, document.id, "critic.md").decode()
        content = exchange.export(session, ANONYMOUS, document.id, "docx")
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return marks + "".join(package.read(f"word/{name}.xml").decode() for name in ("document", "comments"))

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

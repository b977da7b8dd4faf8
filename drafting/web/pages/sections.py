"""Adding, renaming, ordering, removing and restoring sections."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _
from flask_babel import ngettext

from drafting.errors import InvalidFile, NotFound, WrongState
from drafting.formats.references import read_sections
from drafting.services import editing, sections
from drafting.store.queries import text_at
from drafting.web import words
from drafting.web.pages import frame

pages = Blueprint("sections", __name__, url_prefix="/d/<slug>/sections")


def _points() -> list[tuple[str, str]]:
    return [(str(number), f"{number}) {says}") for number, says in enumerate(words.STATUTORY, start=1)]


@pages.get("")
def every(slug: str) -> Any:
    document = frame.document(slug)
    frame.demand("structure")
    return _page(document.id, frame.Form({"title": "", "statutory_point": "", "position": ""}))


@pages.post("")
def add(slug: str) -> Any:
    document = frame.document(slug)
    form = frame.Form({"title": "", "statutory_point": "", "position": ""})
    title = form.needs("title", _("Write the title of the section."))
    if len(title) > 300:
        form.errors["title"] = _("Write a title that is not too long.")
    made = form.run(
        sections.add_section,
        document.id,
        title=title,
        position=form.number("position"),
        statutory_point=form.number("statutory_point"),
    )
    if made is not None:
        return frame.go("sections.every", _("The section is added."), slug=slug)
    return _page(document.id, form)


@pages.post("/import")
def read_file(slug: str) -> Any:
    """Reads a Markdown file into sections by its headings, after those that are there."""
    document = frame.document(slug)
    frame.demand("structure")
    form = frame.Form({"title": "", "statutory_point": "", "position": "", "file": ""})
    sent = request.files.get("file")
    found = None
    if sent is None or not sent.filename:
        form.errors["file"] = _("Choose a file first.")
    else:
        with closing(sent):  # a large one lies in a temporary file
            content = sent.read()
        try:
            found = read_sections(content)
        except InvalidFile as error:
            form.errors["file"] = _file_says(error)
    if found is not None:
        try:
            made = frame.write(sections.add_sections, document.id, [part.text for part in found.parts])
        except WrongState:
            form.errors["file"] = _("That is more sections than a document can have.")
        else:
            said = ngettext("%(num)d section is added.", "%(num)d sections are added.", len(made))
            return frame.go("sections.every", said, slug=slug)
    return _page(document.id, form)


def _file_says(error: InvalidFile) -> str:
    """What is wrong with a file, and what to do."""
    says = {
        "encoding": _("The file is not in UTF-8. Open it in your editor and save it as “UTF-8”."),
        "nul": _("This is not a text file. Save the text as Markdown, in UTF-8."),
        "long": _("The text is too long for one file; split it into several."),
        "empty": _("There is no text in the file."),
    }
    return says.get(str(error.details.get("why")), words.error_text(error))


@pages.post("/order")
def order(slug: str) -> Any:
    """Moves one section up or down, or puts all in the order that was sent."""
    document = frame.document(slug)
    ids = [each.id for each in sections.outline(frame.reading(), frame.actor(), document.id)]
    if "move" in request.form:
        code, _sign, direction = request.form["move"].partition(":")
        if code.isdecimal() and len(code) < 10 and int(code) in ids:
            at = ids.index(int(code))
            to = max(0, min(len(ids) - 1, at + (-1 if direction == "up" else 1)))
            ids.insert(to, ids.pop(at))
    else:
        ids = [int(each) for each in request.form.getlist("section_ids") if each.isdecimal() and len(each) < 10]
    frame.write(sections.reorder_sections, document.id, ids)
    return frame.go("sections.every", _("The order is changed."), slug=slug)


@pages.post("/<int:section_id>/rename")
def rename(slug: str, section_id: int) -> Any:
    """Changes the first heading of the section's text: its title is what stands there."""
    document = frame.document(slug)
    form = frame.Form({"title": ""})
    title = " ".join(form.needs("title", _("Write the title of the section.")).split())
    point = form.number("statutory_point")
    if form.is_good:
        section = sections.section(frame.reading(), frame.actor(), section_id)
        if section.document_id != document.id:
            raise NotFound("there is no such section in this document")
        if section.statutory_point != point:
            form.run(sections.set_statutory_point, section_id, point)
        if form.is_good and section.title != title:
            text = text_at(frame.reading(), section.stream_id)
            form.run(editing.replace_text, section_id, with_heading(text, title), version=section.version)
    if form.is_good:
        return frame.go("sections.every", _("Saved."), slug=slug)
    fresh = frame.Form()
    fresh.values, fresh.errors = (
        {"title": "", "statutory_point": "", "position": ""},
        {"": next(iter(form.errors.values()))},
    )
    return _page(document.id, fresh)


@pages.post("/<int:section_id>/remove")
def remove(slug: str, section_id: int) -> Any:
    document = frame.document(slug)
    _of_this(document.id, section_id)
    frame.write(sections.remove_section, section_id)
    return frame.go("sections.every", _("The section is removed. It can be put back below."), slug=slug)


@pages.post("/<int:section_id>/restore")
def restore(slug: str, section_id: int) -> Any:
    document = frame.document(slug)
    _of_this(document.id, section_id)
    frame.write(sections.restore_section, section_id)
    return frame.go("sections.every", _("The section is back."), slug=slug)


def with_heading(text: str, title: str) -> str:
    """The text with another first heading; with one before it when it has none."""
    lines = text.split("\n")
    for place, line in enumerate(lines):
        sign = re.match(r" {0,3}#{1,6}[ \t]+(?=\S)", line)
        if sign:
            lines[place] = sign[0] + title
            return "\n".join(lines)
    return f"## {title}\n\n{text}"


def _of_this(document_id: int, section_id: int) -> None:
    row = sections.section_row(frame.reading(), frame.actor(), section_id)
    if row.document_id != document_id:
        raise NotFound("there is no such section in this document")


def _page(document_id: int, form: frame.Form) -> Any:
    views = sections.outline(frame.reading(), frame.actor(), document_id, removed=True)
    return frame.page(
        "sections/every.html",
        form.status,
        form=form,
        every=[each for each in views if each.removed_at is None],
        removed=[each for each in views if each.removed_at is not None],
        points=_points(),
    )

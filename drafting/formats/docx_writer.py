"""DOCX out: sections with real tracked changes and comments, and report tables. The same values give the same bytes.

python-docx makes the package and brings the styles; the body is written here as XML, for python-docx knows no tracked
changes. What Word, LibreOffice and the validator of Microsoft's SDK need, and where they differ, is in FORMATS §3:
changes go around runs, a paragraph's mark is tracked in its own properties, `w:date` is local time with a false Z and
the true instant stands beside it as `w16du:dateUtc`, every comment needs start, end and reference. Each section carries
a bookmark `sec_<id>_v<version>`, the file the document's id and versions as custom properties: what survives editing
elsewhere, so that an upload finds its base again. The author of a change is an organisation; who typed it is not in
the file.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.section import WD_ORIENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from drafting.engine.text import without_controls
from drafting.formats.docx_paragraphs import Look, Paragraph
from drafting.formats.docx_tracked import (
    Change,
    Remark,
    Reply,
    Tracked,
    TrackedBlock,
    TrackedParagraph,
    TrackedTable,
    tracked_blocks,
)
from drafting.formats.docx_xml import NAMESPACES, Ids, attribute, content, custom_properties
from drafting.formats.tables import Cell, Run, Table

__all__ = ["Change", "Remark", "Reply", "SectionFile", "docx", "report_docx"]

_COMMENTS_EXTENDED = "http://schemas.microsoft.com/office/2011/relationships/commentsExtended"
_COMMENTS_EXTENDED_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.commentsExtended+xml"
_NUMBER_WIDE, _WORD_WIDE = 520, 1_150  # twips; "1234", and "uwzględniono" or a date, in the size of a table
_RIGHT = '<w:jc w:val="right"/>'
_CUSTOM_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"


@dataclass(frozen=True, slots=True)
class SectionFile:
    """A section as it is exported: its Markdown, and the changes and remarks on it, places in units of that text.

    changes   in order, not overlapping
    """

    id: int
    version: int
    text: str
    changes: tuple[Change, ...] = ()
    remarks: tuple[Remark, ...] = ()


def docx(
    sections: Sequence[SectionFile],
    *,
    title: str,
    author: str,
    created_at: datetime,
    properties: Mapping[str, str] | None = None,
    language: str = "pl-PL",
    zone: str = "Europe/Warsaw",
    recording: bool = False,
) -> bytes:
    """The sections as a Word file; open changes are tracked changes, remarks are comments.

    properties   custom properties of the file, such as the document's id; base versions are added
    recording    Word goes on tracking what is edited, for files sent out for consultation
    raises       MismatchError when changes overlap
    law          all changes rejected it reads as the sections, all accepted as they would be with the changes
    """
    document = _document(title, author, created_at, language)
    writer = _Writer(document, ZoneInfo(zone))
    body = "".join(writer.section(section) for section in sections)
    writer.finish(body)
    versions = {f"Section {section.id}": f"version {section.version}" for section in sections}
    _add_properties(document, {**(properties or {}), **versions})
    if recording:
        settings = document.settings.element
        settings.find(qn("w:defaultTabStop")).addprevious(parse_xml(f"<w:trackRevisions {NAMESPACES}/>"))
    return _saved(document)


def report_docx(
    parts: Sequence[str | Table],
    *,
    title: str,
    author: str,
    created_at: datetime,
    language: str = "pl-PL",
    zone: str = "Europe/Warsaw",
) -> bytes:
    """Texts in Markdown and tables, each under its name as a heading, in this order on landscape pages.

    law   the same values give the same bytes
    """
    document = _document(title, author, created_at, language)
    page = document.sections[0]
    page.orientation = WD_ORIENT.LANDSCAPE
    page.page_width, page.page_height = Cm(29.7), Cm(21)
    page.left_margin = page.right_margin = Cm(1.5)
    writer = _Writer(document, ZoneInfo(zone))
    body = ""
    for part in parts:
        if isinstance(part, str):
            body += "".join(map(writer.block, tracked_blocks(part, ())))
        else:
            body += _heading(part.name)
            body += writer.table(part, width=15_000) if part.rows or not part.none else _said(part.none)
    writer.finish(body)
    return _saved(document)


# ── the package ─────────────────────────────────────────────────────────────────────────────────────────────────


def _document(title: str, author: str, created_at: datetime, language: str) -> DocxDocument:
    document = Document()
    moment = created_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    core = document.core_properties
    title, author = without_controls(title)[:255], without_controls(author)[:255]
    core.title, core.author, core.last_modified_by = title, author, author
    core.created = core.modified = moment
    core.comments, core.language, core.revision = "", language, 1
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(2.3)
    for style in document.styles:
        name = style.name or ""
        if name.startswith("Heading"):
            style.font.color.rgb = RGBColor(0x1A, 0x1A, 0x1A)
            style.font.italic = False
    normal = document.styles["Normal"]
    normal.font.size = Pt(11)
    normal.paragraph_format.space_after = Pt(6)
    languages = document.styles.element.find(f"{qn('w:docDefaults')}//{qn('w:lang')}")
    if languages is not None:
        languages.set(qn("w:val"), language)
    return document


def _add_properties(document: DocxDocument, properties: Mapping[str, str]) -> None:
    package = document.part.package
    part = Part(PackURI("/docProps/custom.xml"), _CUSTOM_TYPE, custom_properties(properties), package)
    package.relate_to(part, RELATIONSHIP_TYPE.CUSTOM_PROPERTIES)


def _saved(document: DocxDocument) -> bytes:
    """The file, with the entries of its archive dated 1980, since a zip archive writes when it was made."""
    raw, out = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            target.writestr(info, source.read(name))
    return out.getvalue()


# ── the body ────────────────────────────────────────────────────────────────────────────────────────────────────


class _Writer:
    """Writes blocks as XML and gathers what stands elsewhere in the package: comments, addresses of links."""

    def __init__(self, document: DocxDocument, zone: ZoneInfo) -> None:
        self.document = document
        self.zone = zone
        self.ids = Ids()
        self.comments: list[str] = []
        self.extended: list[str] = []
        self.links: dict[str, str] = {}
        self.changes: Sequence[Change] = ()
        self.opening: dict[int, list[int]] = {}  # id of a Tracked → comments that begin before it
        self.closing: dict[int, list[int]] = {}
        self.styles = {style.name: style.style_id for style in document.styles}

    def section(self, section: SectionFile) -> str:
        blocks = tracked_blocks(section.text, section.changes)
        self.changes = section.changes
        self._place_remarks(section.remarks, blocks)
        mark = self.ids.next()
        name = f"sec_{section.id}_v{section.version}"[:40]
        xml = [self.block(block) for block in blocks] or [_empty()]
        if isinstance(blocks[-1] if blocks else None, TrackedTable):
            xml.append(_empty())  # Word wants a paragraph after a table
        return f'<w:bookmarkStart w:id="{mark}" w:name="{name}"/>{"".join(xml)}<w:bookmarkEnd w:id="{mark}"/>'

    def block(self, block: TrackedBlock) -> str:
        return self._table(block) if isinstance(block, TrackedTable) else self._paragraph(block)

    def finish(self, body: str) -> None:
        """Puts the body and the comments into the package."""
        old = self.document.element
        page = old.body.find(qn("w:sectPr"))
        root = parse_xml(f"<w:document {NAMESPACES}><w:body>{body or _empty()}</w:body></w:document>")
        root.find(qn("w:body")).append(page)
        part = self.document.part
        part._element = root
        self.document._element = root
        if not self.comments:
            return
        comments = part._comments_part
        comments._element = parse_xml(f"<w:comments {NAMESPACES}>{''.join(self.comments)}</w:comments>")
        extended = f"<w15:commentsEx {NAMESPACES}>{''.join(self.extended)}</w15:commentsEx>"
        blob = ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + extended).encode("utf-8")
        name = PackURI("/word/commentsExtended.xml")
        part.relate_to(Part(name, _COMMENTS_EXTENDED_TYPE, blob, part.package), _COMMENTS_EXTENDED)

    # paragraphs

    def _paragraph(self, paragraph: TrackedParagraph, *, cell: bool = False) -> str:
        mark = paragraph.mark
        shape = paragraph.shape
        properties = self._properties(shape, cell=cell)
        tracked = "" if mark.status == "kept" else f"<w:rPr>{self._change(mark, empty=True)}</w:rPr>"
        if paragraph.before is not None and not cell:
            before = self._properties(paragraph.before, cell=cell)
            if before != properties and 0 <= mark.change < len(self.changes):
                tracked += f"<w:pPrChange {self._who(mark.change)}><w:pPr>{before}</w:pPr></w:pPrChange>"
        inside = f"<w:pPr>{properties}{tracked}</w:pPr>" if properties or tracked else ""
        return f"<w:p>{inside}{''.join(self._runs(paragraph.characters))}</w:p>"

    def _properties(self, shape: Paragraph, *, cell: bool) -> str:
        style = self.styles.get(shape.style, "Normal")
        xml = "" if style == "Normal" else f'<w:pStyle w:val="{style}"/>'
        if cell:
            return xml + '<w:spacing w:after="0"/>'
        if shape.hanging:
            xml += f'<w:tabs><w:tab w:val="left" w:pos="{shape.indent * 567}"/></w:tabs>'
            xml += f'<w:ind w:left="{shape.indent * 567}" w:hanging="567"/>'
        elif shape.indent:
            xml += f'<w:ind w:left="{shape.indent * 567}"/>'
        return xml

    def _runs(self, characters: Sequence[Tracked]) -> Iterator[str]:
        """The runs, cut where comments begin and end; the fate of a run outside, a link around that, looks inside."""
        for piece in self._pieces(characters):
            for comment in self.opening.get(id(piece[0]), ()):
                yield f'<w:commentRangeStart w:id="{comment}"/>'
            for href, linked in groupby(piece, key=lambda t: t.character.look.href if t.character else ""):
                inside = "".join(
                    self._fated(list(run), status, change)
                    for (status, change), run in groupby(
                        linked, key=lambda t: (t.status, t.change * (t.status != "kept"))
                    )
                )
                yield f'<w:hyperlink r:id="{self._link(href)}">{inside}</w:hyperlink>' if href else inside
            for comment in self.closing.get(id(piece[-1]), ()):
                yield f'<w:commentRangeEnd w:id="{comment}"/><w:r><w:commentReference w:id="{comment}"/></w:r>'

    def _pieces(self, characters: Sequence[Tracked]) -> Iterator[Sequence[Tracked]]:
        start = 0
        for i, character in enumerate(characters):
            if i > start and id(character) in self.opening:
                yield characters[start:i]
                start = i
            if id(character) in self.closing:
                yield characters[start : i + 1]
                start = i + 1
        if start < len(characters):
            yield characters[start:]

    def _fated(self, characters: Sequence[Tracked], status: str, change: int) -> str:
        runs = ""
        for look, run in groupby(characters, key=lambda t: t.character.look if t.character else Look()):
            text = "".join(t.character.text for t in run if t.character)
            runs += f"<w:r>{_look(look)}{content(text, deleted=status == 'del')}</w:r>"
        if status == "kept":
            return runs
        return f"<w:{status} {self._who(change)}>{runs}</w:{status}>"

    def _change(self, tracked: Tracked, *, empty: bool) -> str:
        return f"<w:{tracked.status} {self._who(tracked.change)}/>" if empty else ""

    def _who(self, change: int) -> str:
        by = self.changes[min(max(change, 0), len(self.changes) - 1)]
        return f'w:id="{self.ids.next()}" w:author="{attribute(by.author[:255])}" {self._dates(by.at)}'

    def _dates(self, at: datetime) -> str:
        local = at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%SZ")  # Word's Z is local time
        return f'w:date="{local}" w16du:dateUtc="{at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}"'

    def _link(self, href: str) -> str:
        if href not in self.links:
            self.links[href] = self.document.part.relate_to(href, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
        return self.links[href]

    # tables

    def _table(self, table: TrackedTable) -> str:
        width = 9_300 // max(len(table.rows[0][2]), 1)
        rows = []
        for n, (status, change, cells) in enumerate(table.rows):
            properties = "<w:tblHeader/>" if n == 0 else ""
            if status != "kept":
                properties += f"<w:{status} {self._who(change)}/>"
            inside = "".join(
                f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{self._paragraph(cell, cell=True)}</w:tc>'
                for cell in cells
            )
            rows.append(f"<w:tr>{f'<w:trPr>{properties}</w:trPr>' if properties else ''}{inside}</w:tr>")
        return _framed([width] * len(table.rows[0][2]), "".join(rows))

    def table(self, table: Table, width: int) -> str:
        """A plain table of values; its head is repeated on every page."""
        widths = _shares([column.width for column in table.columns], width)
        head = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{w}" w:type="dxa"/>'
            '<w:shd w:val="clear" w:color="auto" w:fill="ECECEC"/></w:tcPr>'
            f'<w:p><w:pPr><w:spacing w:after="0"/></w:pPr><w:r><w:rPr><w:b/><w:sz w:val="14"/></w:rPr>'
            f"{content(column.title)}</w:r></w:p></w:tc>"
            for w, column in zip(widths, table.columns, strict=True)
        )
        rows = [f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{head}</w:tr>"]
        for row in table.rows:
            cells = "".join(
                f'<w:tc><w:tcPr><w:tcW w:w="{w}" w:type="dxa"/></w:tcPr><w:p><w:pPr><w:spacing w:after="0"/>'
                f"{_RIGHT if isinstance(cell, int) else ''}</w:pPr>{self._cell(cell)}</w:p></w:tc>"
                for w, cell in zip(widths, row, strict=True)
            )
            rows.append(f"<w:tr>{cells}</w:tr>")
        return _framed(widths, "".join(rows)) + _empty()

    def _cell(self, cell: Cell) -> str:
        if isinstance(cell, datetime):
            cell = (cell.astimezone(self.zone) if cell.tzinfo else cell).strftime("%Y-%m-%d %H:%M")
        runs = cell if isinstance(cell, tuple) else (Run("" if cell is None else str(cell)),)
        return "".join(
            "<w:r><w:rPr>"
            + ("<w:strike/>" if run.struck else "")
            + '<w:sz w:val="16"/>'
            + ('<w:u w:val="single"/>' if run.underlined else "")
            + f"</w:rPr>{content(run.text)}</w:r>"
            for run in runs
            if run.text
        )

    # comments

    def _place_remarks(self, remarks: Sequence[Remark], blocks: Sequence[TrackedBlock]) -> None:
        self.opening, self.closing = {}, {}
        flat = [t for p in _flat(blocks) for t in p.characters]
        if not flat:
            return
        for remark in remarks:
            inside = [
                t for t in flat if remark.start <= t.base < max(remark.end, remark.start + 1) and t.status != "ins"
            ]
            if not inside:  # a place without characters: the next that there is, else the last
                inside = [next((t for t in flat if t.base >= remark.start), flat[-1])]
            parent = ""
            for entry in (Reply(remark.author, remark.at, remark.text), *remark.replies):
                comment = len(self.comments)
                self.opening.setdefault(id(inside[0]), []).append(comment)
                self.closing.setdefault(id(inside[-1]), []).append(comment)
                parent = self._comment(comment, entry, parent, remark.resolved)

    def _comment(self, number: int, entry: Reply, parent: str, resolved: bool) -> str:
        lines = entry.text.split("\n")
        last = f"{number + 1:08X}"  # paraId of the comment's last paragraph, below 0x80000000
        names = [""] * (len(lines) - 1) + [f' w14:paraId="{last}"']
        paragraphs = "".join(
            f"<w:p{name}><w:r>{content(line)}</w:r></w:p>" for name, line in zip(names, lines, strict=True)
        )
        initials = "".join(word[0] for word in entry.author.split() if word[0].isalnum())[:9] or "?"
        self.comments.append(
            f'<w:comment w:id="{number}" w:author="{attribute(entry.author[:255])}" {self._dates(entry.at)} '
            f'w:initials="{attribute(initials)}">{paragraphs}</w:comment>'
        )
        above = f' w15:paraIdParent="{parent}"' if parent else ""
        self.extended.append(f'<w15:commentEx w15:paraId="{last}"{above} w15:done="{int(resolved)}"/>')
        return parent or last


def _flat(blocks: Sequence[TrackedBlock]) -> Iterator[TrackedParagraph]:
    for block in blocks:
        if isinstance(block, TrackedTable):
            yield from (cell for _, _, cells in block.rows for cell in cells)
        else:
            yield block


def _look(look: Look) -> str:
    inside = (
        ('<w:rFonts w:ascii="Consolas" w:hAnsi="Consolas" w:cs="Consolas"/>' if look.code else "")
        + ("<w:b/>" if look.bold else "")
        + ("<w:i/>" if look.italic else "")
        + ("<w:strike/>" if look.struck else "")
        + ('<w:color w:val="1F4E79"/>' if look.href else "")
        + ('<w:u w:val="single"/>' if look.href else "")
        + ('<w:vertAlign w:val="superscript"/>' if look.raised else "")
    )
    return f"<w:rPr>{inside}</w:rPr>" if inside else ""


def _shares(wanted: Sequence[float], width: int) -> list[int]:
    """The widths of columns, twips: as wanted in proportion, but none so narrow that words are cut in it."""
    least = [_NUMBER_WIDE if each <= 8 else _WORD_WIDE for each in wanted]
    if sum(least) > width:
        return [width // len(wanted)] * len(wanted)
    narrow: set[int] = set()
    while True:
        room = width - sum(least[n] for n in narrow)
        total = sum(each for n, each in enumerate(wanted) if n not in narrow) or 1
        found = [least[n] if n in narrow else int(room * each / total) for n, each in enumerate(wanted)]
        tight = {n for n, each in enumerate(found) if each < least[n]} - narrow
        if not tight:
            return found
        narrow |= tight


def _framed(widths: Sequence[int], rows: str) -> str:
    grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="999999"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{sides}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/>'
        f"</w:tblCellMar></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>"
    )


def _heading(text: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r>{content(text)}</w:r></w:p>'


def _said(text: str) -> str:
    return f"<w:p><w:r>{content(text)}</w:r></w:p>"


def _empty() -> str:
    return "<w:p/>"

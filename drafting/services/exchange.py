"""The whole document as a file: Markdown, HTML, PDF, DOCX and CriticMarkup with what is proposed, and its history as git.

In DOCX and CriticMarkup every open hunk of a filed suggestion is a tracked change by the organisation that proposes it,
and every remark on a passage a comment; what becomes of rivals says `marked`. Private persons stand there without a name
unless they agreed to be named. The same document gives the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from html import escape
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from drafting.engine.text import to_units
from drafting.errors import InvalidInput
from drafting.formats import critic, markdown
from drafting.services import sections
from drafting.services.access import Actor, require
from drafting.services.git_history import write_git
from drafting.services.marked import Marked, marked
from drafting.services.register import as_of
from drafting.store.models import Document
from drafting.store.queries import text_at

MEDIA_TYPES = {
    "md": "text/markdown",
    "critic.md": "text/markdown",
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "fast-import": "application/x-git-fast-import",
}
IN_MEMORY = 4_000_000  # bytes of a file; what is longer lies on the disk until it was sent
RESOLVED = {"pl": "załatwione", "en": "resolved"}


def ending_of(name: str) -> str:
    """The ending of a file's name that says the form: the longest that there is, else all after the last dot."""
    known = [ending for ending in MEDIA_TYPES if name.lower().endswith(f".{ending}")]
    return max(known, key=len, default=name.lower().rpartition(".")[2])


def export_file(session: Session, actor: Actor, document_id: int, ending: str) -> BinaryIO:
    """As `export`, in a temporary file at its start: a long history is larger than a server's memory should be.

    returns  a file that the caller closes, and that is gone then
    """
    document = require(session, actor, "export", document_id)
    file = cast(BinaryIO, SpooledTemporaryFile(IN_MEMORY))
    try:
        if ending == "fast-import":
            write_git(session, actor, document.id, file)
        else:
            file.write(export(session, actor, document.id, ending))
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def export(session: Session, actor: Actor, document_id: int, ending: str) -> bytes:
    """The document in the form that a file's ending names.

    ending  md critic.md html pdf docx; fast-import: its history for git
    raises  InvalidInput for another one
    needs   export
    """
    document = require(session, actor, "export", document_id)
    if ending not in MEDIA_TYPES:
        raise InvalidInput(f"a document is exported as {', '.join(MEDIA_TYPES)}, not {ending!r}", field="ending")
    if ending == "fast-import":
        with export_file(session, actor, document_id, ending) as file:
            return file.read()
    if ending == "docx":
        return _docx(session, document, marked(session, actor, document))
    if ending == "critic.md":
        return _critic(document, marked(session, actor, document)).encode()
    parts = [
        (view, text_at(session, view.stream_id, view.version)) for view in sections.outline(session, actor, document_id)
    ]
    if ending == "md":
        return _markdown(document.title, [text for _, text in parts]).encode()
    body = f"<h1>{escape(document.title)}</h1>" + "".join(markdown.render(text, f"s{view.id}-") for view, text in parts)
    from drafting.formats import pdf

    if ending == "pdf":
        return pdf.pdf(
            body,
            title=document.title,
            language=document.language,
            created_at=as_of(session, document),
            author=document.municipality,
        )
    return (
        f'<!doctype html><html lang="{escape(document.language)}"><head><meta charset="utf-8">'
        f"<title>{escape(document.title)}</title><style>{pdf.PRINT_STYLE}</style></head><body>{body}</body></html>"
    ).encode()


def _markdown(title: str, texts: list[str]) -> str:
    """The sections under a title of their own; read again by `drafting import` it is the same document."""
    return "\n".join([f"# {title}\n", *(text.rstrip() + "\n" for text in texts)])


def _critic(document: Document, parts: list[Marked]) -> str:
    """The sections under a title of their own, with marks. Read again, it is these texts and what was proposed."""
    zone = ZoneInfo(document.timezone)
    resolved = RESOLVED.get(document.language, RESOLVED["en"])
    written = [critic.write_critic(f"# {document.title}\n", ())]
    for part in parts:
        changes = [
            critic.CriticChange(one.start, one.end, one.text, one.author, one.at.astimezone(zone).date(), one.why)
            for one in part.marks
        ]
        remarks = []
        for note in part.notes:
            said = f"{note.text} ({resolved})" if note.resolved else note.text
            for one, text in ((note, said), *((reply, reply.text) for reply in note.replies)):
                at = one.at.astimezone(zone).date()
                remarks.append(critic.CriticRemark(note.start, note.end, text, one.author, at))
        text = critic.write_critic(part.text, changes, remarks)
        plain = text.rstrip()  # blank lines at the end go, as in Markdown; a mark there stays where it is
        written.append(text if plain == text and part.text.endswith("\n") else plain + "\n")
    return "\n".join(written)


def _docx(session: Session, document: Document, parts: list[Marked]) -> bytes:
    from drafting.formats import docx_writer

    files = []
    for part in parts:
        length = len(to_units(part.text))
        said = [*(docx_writer.Remark(one.start, one.end, one.author, one.at, one.why) for one in part.marks), *part.notes]
        remarks = []
        for one in said:
            start, end = _seen(one.start, one.end, length)
            remarks.append(replace(one, start=start, end=end))
        remarks.sort(key=lambda remark: (remark.start, remark.end))
        changes = tuple(docx_writer.Change(one.start, one.end, one.text, one.author, one.at) for one in part.marks)
        files.append(docx_writer.SectionFile(part.section_id, part.version, part.text, changes, tuple(remarks)))
    return docx_writer.docx(
        files,
        title=document.title,
        author=document.municipality or document.title,
        created_at=as_of(session, document),
        properties={"Drafting document": str(document.id)},
        language={"pl": "pl-PL", "en": "en-GB"}.get(document.language, "pl-PL"),
        zone=document.timezone,
    )


def _seen(start: int, end: int, length: int) -> tuple[int, int]:
    """The range of a comment: an empty one takes the character beside it, so that Word has something to mark."""
    if start < end:
        return start, end
    return (start, start + 1) if start < length else (max(0, start - 1), start)

"""The whole document as a file: Markdown, HTML, PDF, and DOCX with what is proposed as tracked changes.

In the DOCX every open hunk of a filed suggestion is a tracked change by the organisation that proposes it, and every
remark on a passage a comment. Two tracked changes cannot stand in one place: of rivals the first filed is tracked, the
others are comments that say their wording. Private persons stand there without a name unless they agreed to be named.
The same document gives the same bytes.
"""

from __future__ import annotations

from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.text import to_units
from drafting.errors import InvalidInput
from drafting.formats import markdown
from drafting.services import annotations, sections, suggestions
from drafting.services.access import Actor, require
from drafting.services.people import OrganizationView
from drafting.services.register import as_of
from drafting.services.suggestions import SuggestionView
from drafting.store.models import Document, Membership, Organization, User
from drafting.store.queries import text_at

MEDIA_TYPES = {
    "md": "text/markdown",
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
SOMEBODY = {"pl": "uczestnik konsultacji", "en": "participant"}


def export(session: Session, actor: Actor, document_id: int, ending: str) -> bytes:
    """The document in the form that a file's ending names.

    ending  md html pdf docx
    raises  InvalidInput for another one
    needs   export
    """
    document = require(session, actor, "export", document_id)
    if ending not in MEDIA_TYPES:
        raise InvalidInput(f"a document is exported as {', '.join(MEDIA_TYPES)}, not {ending!r}", field="ending")
    parts = [
        (view, text_at(session, view.stream_id, view.version)) for view in sections.outline(session, actor, document_id)
    ]
    if ending == "docx":
        return _docx(session, actor, document, [view.id for view, _ in parts])
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


# ── Word ────────────────────────────────────────────────────────────────────────────────────────────────


def _docx(session: Session, actor: Actor, document: Document, section_ids: list[int]) -> bytes:
    from drafting.formats import docx_writer

    names = _Names(session, document, SOMEBODY.get(document.language, SOMEBODY["en"]))
    files = []
    for section_id in section_ids:
        stream_id = sections.section_row(session, actor, section_id).stream_id
        assert stream_id is not None
        open_ones = [
            view
            for view in suggestions.of_section(session, actor, section_id, states=("filed",))
            if view.filed_at is not None
        ]
        version = max((view.version for view in open_ones), default=None)
        text = text_at(session, stream_id, version)
        length = len(to_units(text))
        changes: list[docx_writer.Change] = []
        remarks: list[docx_writer.Remark] = []
        taken: list[tuple[int, int]] = []
        for view in sorted(open_ones, key=lambda view: view.number):
            author, at = names.proposer(view), view.filed_at
            assert at is not None
            for hunk in view.open_hunks:
                if hunk.start is None or hunk.end is None or hunk.fulfilled:
                    continue
                why = f"U-{view.number}: {view.reason}"
                if any(start <= hunk.end and hunk.start <= end for start, end in taken):
                    why = f"U-{view.number}: „{hunk.ground}” → „{hunk.text}”. {view.reason}"
                else:
                    taken.append((hunk.start, hunk.end))
                    changes.append(docx_writer.Change(hunk.start, hunk.end, hunk.text, author, at))
                remarks.append(docx_writer.Remark(*_seen(hunk.start, hunk.end, length), author, at, why))
        for remark in annotations.of_section(session, actor, section_id):
            if remark.start is None or remark.end is None or remark.suggestion_id is not None:
                continue
            remarks.append(
                docx_writer.Remark(
                    *_seen(min(remark.start, length), min(remark.end, length), length),
                    names.of(remark.organization, remark.author, remark.author_id),
                    remark.created_at,
                    remark.text,
                    tuple(
                        docx_writer.Reply(names.of(one.organization, one.author, one.author_id), one.at, one.text)
                        for one in remark.replies
                        if not one.is_removed
                    ),
                    remark.state == "resolved",
                )
            )
        view = sections.section(session, actor, section_id)
        changes.sort(key=lambda change: (change.start, change.end))
        remarks.sort(key=lambda remark: (remark.start, remark.end))
        files.append(
            docx_writer.SectionFile(
                section_id, view.version if version is None else version, text, tuple(changes), tuple(remarks)
            )
        )
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


class _Names:
    """Under which name something stands in the file: an organisation's; a private person's only if they agreed."""

    def __init__(self, session: Session, document: Document, somebody: str) -> None:
        self.somebody = somebody
        self.named = set(session.scalars(select(User.id).where(User.may_be_named.is_(True))))
        agreed = (
            select(Membership.organization_id)
            .join(User, User.id == Membership.user_id)
            .where(
                Membership.document_id == document.id,
                Membership.organization_id.is_not(None),
                User.may_be_named.is_(True),
                User.anonymised_at.is_(None),
            )
        )
        self.private = set(
            session.scalars(
                select(Organization.id).where(
                    Organization.document_id == document.id, Organization.kind == "person", Organization.id.not_in(agreed)
                )
            )
        )

    def proposer(self, view: SuggestionView) -> str:
        """On whose behalf: the origins' organisations, else the author's, else the person if they agreed."""
        names = [
            self.somebody if one.organization_id in self.private else one.organization
            for one in view.origins
            if one.organization
        ]
        return ", ".join(dict.fromkeys(names)) or self.of(view.organization, view.author, view.author_id)

    def of(self, organization: OrganizationView | None, person: str, person_id: int) -> str:
        if organization is not None:
            return self.somebody if organization.id in self.private else organization.name
        return person if person_id in self.named and person else self.somebody

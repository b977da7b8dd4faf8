"""Reading ahead: what the first to look at a document's past would wait for, read while nobody asks.

A worker that has just started knows nothing of logs, weaves, ledgers and counted words (`logs`, `attribution_view`,
`impact`), and what one section has behind it takes a tenth of a second. It is read here in small steps, so that
whoever drives them may rest between two and stop at any. All of it is kept where the views keep it, under the same
stamps: a view asks the database what is new whether something was read ahead or not.

Nobody is shown anything here, so nobody is asked for permission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from drafting.services import comparison, heads, impact, logs
from drafting.store.models import Milestone, MilestoneSection, Revision, Section, Stream

STEP = 300  # revisions of one step: some ten milliseconds
MOST_DOCUMENTS = 20
MOST_REVISIONS = 100_000  # of all documents together: what a worker keeps of them
MOST_MILESTONES = 4  # of the newest; a section keeps a dozen old states

Reading = Callable[[], AbstractContextManager[Session]]


def newest_documents(session: Session) -> list[tuple[int, int]]:
    """The documents that are read ahead, last written first, with how many revisions of them may be read: all of them,
    but of the last document."""
    rows = session.execute(
        select(Section.document_id, func.sum(Stream.version))
        .join(Stream, Stream.id == Section.stream_id)
        .join(Revision, (Revision.stream_id == Stream.id) & (Revision.version == Stream.version))
        .group_by(Section.document_id)
        .order_by(func.max(Revision.at).desc())
        .limit(MOST_DOCUMENTS)
    )
    found, left = [], MOST_REVISIONS
    for document_id, revisions in rows:
        if left > 0:
            found.append((document_id, left))
            left -= revisions
    return found


def read_document(reading: Reading, document_id: int, most: int = MOST_REVISIONS) -> Iterator[None]:
    """Reads what a document has behind it, a step at a time: all of it, or the logs of the sections written last.

    reading  gives a session that only reads; none is open over the long part of it
    most     revisions that may be read; when there are more, nothing is made of them that is of the whole document
    """
    with reading() as session:
        streams = session.execute(
            select(Stream.id, Stream.version)
            .join(Section, Section.stream_id == Stream.id)
            .outerjoin(Revision, (Revision.stream_id == Stream.id) & (Revision.version == Stream.version))
            .where(Section.document_id == document_id)
            .order_by(Section.removed_at.is_not(None), Revision.at.desc(), Section.id)
        ).all()
    is_whole = sum(version for _, version in streams) <= most
    for stream_id, version in streams:
        most -= version
        if most < 0:
            most += version
            continue
        more = True
        while more:
            with reading() as session:
                read = logs.read_ahead(session, stream_id, STEP)
            if read is None:
                break
            history, more = read
            yield
        while read is not None and history.fold_ahead(STEP):
            yield
    yield
    if is_whole:
        with reading() as session:
            yield from _views(session, document_id)
        yield from _ways(reading, document_id)


def _ways(reading: Reading, document_id: int) -> Iterator[None]:
    """How suggestions whose base changed can be accepted: each needs the log since it was written."""
    with reading() as session:
        present = session.scalars(
            select(Section.id).where(Section.document_id == document_id, Section.removed_at.is_(None))
        ).all()
    for section_id in present:
        with reading() as session, heads.reading(session, section_id) as head:
            flagged = sorted(head.flagged())
        for suggestion_id in flagged:
            with reading() as session, heads.reading(session, section_id) as head:
                if suggestion_id in head.flagged():
                    for hunk in head.proposals.shown(suggestion_id):
                        head.proposals.ways(suggestion_id, hunk.id)
            yield


def _views(session: Session, document_id: int) -> Iterator[None]:
    """Of every section the runs, removed words and counted words now and in the newest named versions, and what became
    of it since the beginning and since the newest of them."""
    book = impact.Book(session, document_id)
    reader = book.reader
    yield
    newest = session.scalars(
        select(Milestone.id)
        .where(Milestone.document_id == document_id)
        .order_by(Milestone.at.desc(), Milestone.id.desc())
        .limit(MOST_MILESTONES)
    ).all()
    named: dict[int, dict[int, int]] = {each: {} for each in newest}
    for milestone_id, section_id, version in session.execute(
        select(MilestoneSection.milestone_id, MilestoneSection.section_id, MilestoneSection.version).where(
            MilestoneSection.milestone_id.in_(newest)
        )
    ):
        named[milestone_id][section_id] = version
        book.counts(section_id, version)
        yield
    last = named[newest[0]] if newest else {}
    for section_id, version in book.present():
        book.counts(section_id, version)
        yield
        reader.attribution(section_id, version, removed=True)
        yield
        for since in dict.fromkeys((0, last.get(section_id, 0))):
            comparison.between(reader, section_id, "", since, version)
            yield

"""Writing text: what editors push, and what is written at one stroke (replace, restore, move).

`push_many` is the hot path. Pushes that arrived together are stored in one transaction; each is all or nothing, and one
that is refused does not hurt the others. A pushed update is brought over what was stored since, one stored change at a
time (law 4); (client, sequence) makes a resend harmless (law 5). Main is written by those who may `edit`, a branch by
its owners (law 7).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine import diff, restoration
from drafting.engine.attribution import Span
from drafting.engine.changes import ChangeSet
from drafting.engine.proposals import carry
from drafting.engine.rebase import Update, rebase
from drafting.engine.text import from_units, to_units
from drafting.errors import DraftingError, InvalidChanges, InvalidInput, NotFound, TooLarge, VersionConflict, WrongState
from drafting.services import audit, grounds, heads, hunks, people, sections
from drafting.services.access import Actor, require, require_own
from drafting.services.clock import now
from drafting.services.heads import MAIN_CLIENT, SERVER_CLIENT, Branch, Head, Stored
from drafting.store.database import transaction, verb
from drafting.store.models import Document, Revision, Section, Stream, Suggestion

MAX_LENGTH = 300_000  # code units of a section; the longest law tried is 170,000
MAX_UPDATES = 2000  # of one push
MAX_CARRIED = 400_000  # updates × revisions they are carried over: about a second, in which nobody else is served
TITLE_REACH = 1000  # code units in which a section's first heading is looked for while people type
RESERVED = {MAIN_CLIENT, SERVER_CLIENT, "structure", "import"}  # client names that no editor may use


@dataclass(frozen=True, slots=True)
class Push:
    """What an editor sends: updates made on a version of a stream, and on whose behalf."""

    actor: Actor
    stream_id: int
    version: int
    updates: tuple[Update, ...]
    origin_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TextView:
    """A section's text at a version, ordinary Unicode."""

    section_id: int
    stream_id: int
    version: int
    text: str


# ── pushing ─────────────────────────────────────────────────────────────────────────────────────────────


def push(
    session: Session,
    actor: Actor,
    stream_id: int,
    version: int,
    updates: Sequence[Update],
    origin_ids: Collection[int] = (),
) -> int:
    """The stream's version once these updates are stored.

    version  of the stream that the first update starts in
    raises   VersionConflict for a version that is not there, NotAllowed, WrongState (also when the section was
             removed), InvalidChanges, EngineError when the changes do not fit the text
    commits  yes, once
    needs    edit for main, suggest and ownership for a branch
    """
    [result] = push_many(session, [Push(actor, stream_id, version, tuple(updates), tuple(origin_ids))])
    if isinstance(result, DraftingError):
        raise result
    return result


def push_many(
    session: Session, pushes: Sequence[Push], open_branches: Collection[int] = ()
) -> list[int | DraftingError]:
    """For each push the stream's version once it is stored, or why it was refused.

    open_branches  streams of branches that somebody looks at: when main moves, it is put into their logs too
    commits        yes, once for all of them
    law            3, 4, 5, 7
    """
    results: list[int | DraftingError] = [NotFound("there is no such stream")] * len(pushes)
    with transaction(session):
        places = sections_of(session, {each.stream_id for each in pushes})
        held = heads.writing_all(session, places.values())
        work = Work(session)
        for index, each in enumerate(pushes):
            if each.stream_id not in places:
                continue
            head = held[places[each.stream_id]]
            try:
                results[index] = work.take(head, each)
            except DraftingError as error:
                results[index] = error
        work.finish(open_branches)
    return results


def sections_of(session: Session, stream_ids: Collection[int]) -> dict[int, int]:
    """{stream: section} for those that are there; remembered, because it never changes."""
    registry = heads.registry_of(session)
    known = registry.section_of_stream
    missing = [each for each in stream_ids if each not in known]
    if missing:
        known.update(
            (row.id, row.section_id)
            for row in session.execute(select(Stream.id, Stream.section_id).where(Stream.id.in_(missing)))
        )
    return {each: known[each] for each in stream_ids if each in known}


class Work:
    """The pushes of one transaction: what was asked once is not asked again, what is to be written is gathered."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.at = now()
        self.heads: dict[int, Head] = {}
        self.rows: dict[int, list[tuple[int, Stored]]] = {}  # by section
        self.hunks: dict[int, dict[int, set[int]]] = {}  # by section: {suggestion: hunks}
        self.fates: dict[int, list[object]] = {}
        self.beginnings: dict[int, str] = {}
        self.documents: dict[int, Document] = {}
        self.allowed: set[tuple[object, ...]] = set()
        self.there: set[int] = set()  # sections that were not removed

    def take(self, head: Head, push: Push) -> int:
        """The push, taken by the head; nothing is changed when it raises."""
        self.heads.setdefault(head.section_id, head)
        self.beginnings.setdefault(head.section_id, head.text[:TITLE_REACH])
        log = head.log_of(push.stream_id)
        branch = head.branch_of(push.stream_id)
        self._check_right(head, branch, push)
        client = check_updates(push.updates)
        if not 0 <= push.version <= log.version:
            raise VersionConflict(
                f"stream {push.stream_id} has no version {push.version}; its newest is {log.version}",
                version=log.version,
            )
        if len(push.updates) * (log.version - push.version) > MAX_CARRIED:
            raise VersionConflict(
                f"{len(push.updates)} updates on version {push.version} are too far behind {log.version}: ask for what "
                "is new, carry them over it, and send them again",
                version=log.version,
            )
        updates = self._not_stored_before(head, push, client)
        if not updates:
            return log.version
        if branch is None:
            self._take_main(head, push, updates)
        else:
            self._take_branch(head, branch, push, updates)
        newest = max(updates[-1].sequence, head.newest_of(push.stream_id, client)[0])
        head.clients[push.stream_id, client] = (newest, push.actor.user_id)
        return log.version

    def _check_right(self, head: Head, branch: Branch | None, push: Push) -> None:
        key = (push.actor, head.document_id, branch and branch.suggestion_id, push.origin_ids)
        if key in self.allowed:
            return
        document = self.documents.get(head.document_id)
        if document is None:
            document = self.session.get(Document, head.document_id)
        if branch is None:
            document = require(self.session, push.actor, "edit", document or head.document_id)
        else:
            suggestion = self.session.get(Suggestion, branch.suggestion_id)
            assert suggestion is not None
            document = require_own(self.session, push.actor, "suggest", suggestion)
            if suggestion.state not in ("draft", "filed"):
                raise WrongState(
                    f"suggestion {suggestion.number} is {suggestion.state}; open a new one", state=suggestion.state
                )
        self.documents[document.id] = document  # held: a session forgets what nobody holds
        people.check_origins(self.session, push.actor, document, push.origin_ids)
        self.allowed.add(key)

    def _check_there(self, head: Head) -> None:
        """Nothing, when the section is in the document: into what was taken out nobody writes. raises: WrongState"""
        if head.section_id not in self.there:
            sections.require_there(self.session.get_one(Section, head.section_id))
            self.there.add(head.section_id)

    def _not_stored_before(self, head: Head, push: Push, client: str) -> list[Update]:
        """The updates without those that were stored at or before the version they are said to start in.

        raises  InvalidInput when the client is the editor of somebody else: their numbers are not to be used up
        """
        last, author_id = head.newest_of(push.stream_id, client)
        if last and author_id != push.actor.user_id:
            raise InvalidInput(f"client {client} is the editor of somebody else; take a new name", field="client")
        if push.updates[0].sequence > last:
            return list(push.updates)
        log = head.log_of(push.stream_id)
        since = {each.sequence for each in log.since(push.version) if each.client == client}
        kept = []
        for each in push.updates:
            if each.sequence > last or each.sequence in since:
                kept.append(each)
            elif not self._is_stored(push.stream_id, client, each.sequence):
                raise InvalidChanges(
                    f"client {client} sent update {each.sequence} after {last}; sequences must grow",
                    sequence=each.sequence,
                )
        return kept

    def _is_stored(self, stream_id: int, client: str, sequence: int) -> bool:
        return (
            self.session.scalar(
                select(Revision.version).where(
                    Revision.stream_id == stream_id, Revision.client == client, Revision.sequence == sequence
                )
            )
            is not None
        )

    def _take_main(self, head: Head, push: Push, updates: list[Update]) -> None:
        fresh = rebase(updates, head.log.since(push.version))
        if fresh:
            self._check_there(head)
        check_fits(head.text, fresh)
        rows = self.rows.setdefault(head.section_id, [])
        touched = heads.movement(self.session, head).suggestions
        fates = self.fates.setdefault(head.section_id, [])
        before = grounds.grounds_of(head)
        for update in fresh:
            stored = Stored(
                version=head.version + 1,
                client=update.client,
                sequence=update.sequence,
                changes=update.changes,
                kind="edit",
                author_id=push.actor.user_id,
                origins=push.origin_ids,
                at=self.at,
            )
            outcome = head.take_main(stored)
            touched.update(outcome.touched)
            fates.extend(outcome.fates)
            rows.append((head.stream_id, stored))
        grounds.tell(self.session, push.actor, head, before)

    def _take_branch(self, head: Head, branch: Branch, push: Push, updates: list[Update]) -> None:
        section, suggestion_id = head.section_id, branch.suggestion_id
        rows = self.rows.setdefault(section, [])
        rows.extend(bring_up(head, branch, self.at))
        since = branch.log.since(push.version)
        carried = carry(updates, [(one.client, one.sequence, one.changes, one.removal) for one in since])
        check_fits(head.proposals.branch_text(suggestion_id), carried)
        written_on = branch.opened_at_version if push.version == 0 else branch.log.stored(push.version).main_version
        movement = heads.movement(self.session, head)
        changed = self.hunks.setdefault(section, {}).setdefault(suggestion_id, set())
        for update in carried:
            stored = Stored(
                version=branch.log.version + 1,
                client=update.client,
                sequence=update.sequence,
                changes=update.changes,
                kind="edit",
                author_id=push.actor.user_id,
                origins=push.origin_ids,
                main_version=head.version,
                written_on=None if written_on == head.version else written_on,
                removal=update.flagged,
                at=self.at,
            )
            outcome = head.take_branch(branch, stored)
            assert outcome is not None
            rows.append((branch.log.stream_id, stored))
            changed.update(outcome.changed)
            changed.update(outcome.born)
            self.fates.setdefault(section, []).extend(outcome.fates)
        movement.suggestions.add(suggestion_id)

    def finish(self, open_branches: Collection[int] = ()) -> None:
        """Writes what was gathered."""
        for section_id, head in self.heads.items():
            rows = self.rows.get(section_id)
            if not rows:
                continue
            if open_branches:
                for branch in head.branches.values():
                    if branch.log.stream_id in open_branches and branch.main_version < head.version:
                        rows.extend(bring_up(head, branch, self.at))
            changed, fates = self.hunks.get(section_id, {}), self.fates.get(section_id, [])
            if changed:
                hunks.keep_hunks(self.session, head, changed)
            if fates:
                hunks.keep_fates(self.session, head, fates)
            if head.text[:TITLE_REACH] != self.beginnings[section_id]:
                keep_title(self.session, head)
            heads.store(self.session, head, rows)


def keep_title(session: Session, head: Head) -> None:
    """The section's title, when its first heading is another now. commits: no"""
    if sections.keep_title(session, head.section_id, from_units(head.text)) is not None:
        heads.movement(session, head).what.add("title")


def bring_up(head: Head, branch: Branch, at: datetime, decision_id: int | None = None) -> list[tuple[int, Stored]]:
    """Appends to a branch's log what main has done to it since, and what was decided; returns the rows to store.

    decision_id  of the entry that a decision on this very suggestion makes
    """
    rows = []
    for entry in head.proposals.catch_up(branch.suggestion_id):
        version = branch.log.version + 1
        from_main = entry.kind == "from_main"
        stored = Stored(
            version=version,
            client=MAIN_CLIENT if from_main else SERVER_CLIENT,
            sequence=entry.version if from_main else version,
            changes=entry.changes,
            kind=entry.kind,
            author_id=None,
            main_version=entry.version,
            removal=entry.removal,
            decision_id=None if from_main else decision_id,
            at=at,
        )
        head.take_branch(branch, stored)
        rows.append((branch.log.stream_id, stored))
    return rows


@verb
def bring_up_branches(session: Session, section_id: int, stream_ids: Collection[int]) -> None:
    """Puts what main did meanwhile into the logs of these branches. commits: yes, once, when there is anything"""
    with heads.reading(session, section_id) as head:
        behind = [b for b in head.branches.values() if b.log.stream_id in stream_ids and b.main_version < head.version]
    if not behind:
        return
    head = heads.writing(session, section_id)
    at = now()
    rows: list[tuple[int, Stored]] = []
    for branch in head.branches.values():
        if branch.log.stream_id in stream_ids:
            rows.extend(bring_up(head, branch, at))
    if rows:
        heads.store(session, head, rows)


def check_updates(updates: Sequence[Update]) -> str:
    """The one client that made these updates, when they hang together.

    raises  InvalidInput, TooLarge
    """
    if not updates:
        raise InvalidInput("a push needs at least one update", field="updates")
    if len(updates) > MAX_UPDATES:
        raise TooLarge(f"a push has at most {MAX_UPDATES} updates, not {len(updates)}", limit=MAX_UPDATES)
    client = updates[0].client
    if not client or len(client) > 40 or client in RESERVED:
        raise InvalidInput("a client is named by 1 to 40 characters, and not like one of the server's", field="client")
    sequence, length = 0, updates[0].changes.length
    for each in updates:
        if each.client != client or each.sequence <= sequence:
            raise InvalidInput("the updates of a push come from one client, in growing sequence", field="sequence")
        if each.changes.length != length:
            raise InvalidChanges(
                f"update {each.sequence} starts from {each.changes.length} code units, the one before ends with {length}",
                sequence=each.sequence,
            )
        sequence, length = each.sequence, each.changes.new_length
    return client


def check_fits(text: str, updates: Sequence[Update | object]) -> None:
    """Nothing, when the updates can be applied one after the other. raises: EngineError, TooLarge"""
    for each in updates:
        changes: ChangeSet = each.changes  # type: ignore[union-attr]
        if changes.new_length > MAX_LENGTH and changes.new_length > changes.length:
            raise TooLarge(f"a section has at most {MAX_LENGTH} code units", limit=MAX_LENGTH)
        text = changes.apply(text)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────


def text_at(session: Session, actor: Actor, section_id: int, version: int | None = None) -> TextView:
    """A section's text now or at a version.

    raises  NotFound for a section or version that is not there
    needs   read
    """
    row = sections.section_row(session, actor, section_id)
    if version is None:
        with heads.reading(session, section_id) as head:
            version, text = head.version, head.text
    else:
        text = units_at(session, row.stream_id, version)
    return TextView(section_id, row.stream_id, version, from_units(text))


def units_at(session: Session, stream_id: int, version: int) -> str:
    """A main stream's text at a version in units form, from the nearest snapshot. raises: NotFound"""
    newest = session.scalar(select(Stream.version).where(Stream.id == stream_id))
    if newest is None or not 0 <= version <= newest:
        raise NotFound(f"stream {stream_id} has no version {version}", version=newest)
    found, text = heads.nearest_text(session, stream_id, version)
    for stored in heads.read_revisions(session, stream_id, found, version):
        text = stored.changes.apply(text)
    return text


# ── at one stroke ───────────────────────────────────────────────────────────────────────────────────────


def append(
    session: Session,
    head: Head,
    actor: Actor,
    changes: ChangeSet,
    *,
    kind: str,
    origin_ids: Sequence[int] = (),
    carried: Sequence[Span] | None = None,
) -> int:
    """The version that one more main revision of the server's own makes; an empty change makes none.

    carried  attribution of the inserted text, when it comes from elsewhere
    raises   TooLarge, EngineError
    commits  no
    """
    if changes.is_empty:
        return head.version
    check_fits(head.text, [Update(SERVER_CLIENT, 1, changes)])
    before = head.text[:TITLE_REACH]
    version = head.version + 1
    stored = Stored(
        version=version,
        client=SERVER_CLIENT,
        sequence=version,
        changes=changes,
        kind=kind,
        author_id=actor.user_id,
        origins=tuple(origin_ids),
        carried=None if carried is None else head.own_spans(carried),
        at=now(),
    )
    moved = heads.movement(session, head)
    grounds_before = grounds.grounds_of(head)
    outcome = head.take_main(stored)
    moved.suggestions.update(outcome.touched)
    hunks.keep_fates(session, head, outcome.fates)
    grounds.tell(session, actor, head, grounds_before)
    if head.text[:TITLE_REACH] != before:
        keep_title(session, head)
    heads.store(session, head, [(head.stream_id, stored)])
    return version


@verb
def replace_text(
    session: Session,
    actor: Actor,
    section_id: int,
    text: str,
    *,
    version: int | None = None,
    origin_ids: Collection[int] = (),
    kind: str = "edit",
) -> int:
    """The version at which the section reads like this: what differs from the text now is one revision.

    text     ordinary Unicode; line ends are made LF
    version  what the writer had before them: changes made since are kept, and theirs are carried over them
    kind     edit or import
    commits  yes, once
    needs    edit
    """
    document = require(session, actor, "edit", _present(session, actor, section_id).document_id)
    origins = people.check_origins(session, actor, document, origin_ids)
    head = heads.writing(session, section_id)
    units = to_units(text, normalising=True)
    base = head.version if version is None else version
    changes = diff.diff(head.log.text(base), units).changes
    for stored in head.log.since(base):
        changes = changes.map(stored.changes)
    return append(session, head, actor, changes, kind=kind, origin_ids=origins)


@verb
def restore(session: Session, actor: Actor, section_id: int, version: int) -> int:
    """The version at which the section reads as it did at another one; who wrote what comes back is kept.

    commits  yes, once
    needs    restore
    """
    row = _present(session, actor, section_id)
    require(session, actor, "restore", row.document_id)
    head = heads.writing(session, section_id)
    if not 0 <= version <= head.version:
        raise NotFound(f"section {section_id} has no version {version}", version=head.version)
    changes, carried = restoration.restore(head.log, version)
    made = append(session, head, actor, changes, kind="restore", carried=carried)
    audit.record(
        session, row.document_id, actor, "section_text_restored", {"section": section_id, "to": version, "version": made}
    )
    return made


@verb
def move(
    session: Session, actor: Actor, section_id: int, start: int, end: int, target_id: int, position: int
) -> tuple[int, int]:
    """The versions of both sections after a passage was moved from one to the other, with its attribution.

    start, end   of the passage, code units, in the section as it is
    position     in the target as it is
    raises       PositionError outside the texts
    commits      yes, once
    needs        edit
    """
    row, target = _present(session, actor, section_id), _present(session, actor, target_id)
    if row.document_id != target.document_id or section_id == target_id:
        raise InvalidInput("a passage is moved to another section of the same document", field="target")
    require(session, actor, "edit", row.document_id)
    both = heads.writing_all(session, [section_id, target_id])
    source, there = both[section_id], both[target_id]
    if not 0 <= start < end <= len(source.text):
        raise InvalidInput("there is no such passage", field="start")
    if not 0 <= position <= len(there.text):
        raise InvalidInput("there is no such place in the other section", field="position")
    words = source.text[start:end]
    spans = source.spans(start, end)
    made = append(
        session, there, actor, ChangeSet.of([(position, position, words)], len(there.text)), kind="move", carried=spans
    )
    left = append(session, source, actor, ChangeSet.of([(start, end, "")], len(source.text)), kind="move")
    data = {"from": section_id, "to": target_id, "length": end - start, "version": left, "target_version": made}
    audit.record(session, row.document_id, actor, "passage_moved", data)
    return left, made


@verb
def split(session: Session, actor: Actor, section_id: int, position: int) -> int:
    """The id of the new section that takes the text from a position on, with its attribution.

    commits  yes, once
    needs    structure
    """
    row = _present(session, actor, section_id)
    require(session, actor, "structure", row.document_id)
    head = heads.writing(session, section_id)
    if not 0 < position < len(head.text):
        raise InvalidInput("a section is split inside its text", field="position")
    number = sections.section(session, actor, section_id).number
    words = head.text[position:]
    view = sections.add_section(
        session,
        actor,
        row.document_id,
        from_units(words),
        position=None if number is None else number + 1,
        kind="move",
        carried=heads.spans_json(head.spans(position, len(head.text))),
    )
    append(session, head, actor, ChangeSet.of([(position, len(head.text), "")], len(head.text)), kind="move")
    return view.id


@verb
def merge(session: Session, actor: Actor, section_id: int, into_id: int) -> int:
    """The version of a section after another one's text was put at its end; the emptied one is removed.

    commits  yes, once
    needs    structure
    """
    row, into = _present(session, actor, section_id), _present(session, actor, into_id)
    require(session, actor, "structure", row.document_id)
    both = heads.writing_all(session, [section_id, into_id])
    source, target = both[section_id], both[into_id]
    if source.text:
        move(session, actor, section_id, 0, len(source.text), into_id, len(target.text))
    sections.remove_section(session, actor, section_id)
    assert into.id == into_id
    return target.version


def _present(session: Session, actor: Actor, section_id: int) -> Section:
    """The row of a section that is in the document. raises: NotFound, WrongState when it was removed"""
    row = sections.section_row(session, actor, section_id)
    sections.require_there(row)
    return row

"""Recomputes everything that is derived from what is logged, and names the first row of each section that disagrees.

The log of a section is replayed from its beginning in the one order that its writers had: at each version of main the
suggestions that were opened or filed on it, the branch revisions that name it, the suggestions that were withdrawn on
it; then the next revision of main, an edit or what a decision made. From the replay come text, spans, branch texts,
hunks with their states, and anchors; they are compared with revisions, snapshots, the checkpoint, hunk rows and
remarks. The chain of events has a check of its own (`audit.verify_chain`).
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.anchors import follow, place
from drafting.engine.attribution import ListLog
from drafting.engine.branch import Entry
from drafting.engine.plans import Applied, Item
from drafting.engine.proposals import Proposals
from drafting.engine.text import from_units, to_units
from drafting.errors import DraftingError
from drafting.services import heads, sections
from drafting.services.anchored import placed_of, rows_of
from drafting.services.editing import TITLE_REACH
from drafting.services.heads import MAIN_CLIENT, SERVER_CLIENT, Stored
from drafting.store.models import (
    Checkpoint,
    Decision,
    Hunk,
    HunkState,
    Section,
    Snapshot,
    Stream,
    Suggestion,
)

MAIN_KINDS = {"edit", "accept", "revert", "restore", "import", "move"}
BRANCH_KINDS = {"edit", "from_main", "decision"}
ACCEPTED = {"accepted", "reworded"}
VERDICTS = ACCEPTED | {"rejected", "reverted"}
SETTLED = {"accepted", "rejected", "fulfilled", "superseded"}  # by a decision
HUNK_STATES = SETTLED | {"open", "closed", "joined", "withdrawn"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is not what its log says."""

    table: str
    row: str
    why: str

    def __str__(self) -> str:
        return f"{self.table} ({self.row}): {self.why}"


class Disagrees(Exception):
    """Ends the check of a section at its first fault."""

    def __init__(self, table: str, row: str, why: str) -> None:
        super().__init__(why)
        self.fault = Fault(table, row, why)


def verify_document(session: Session, document_id: int) -> list[Fault]:
    """The first fault of each section of a document; empty when all is as its logs say."""
    sections = session.scalars(
        select(Section.id).where(Section.document_id == document_id, Section.stream_id.is_not(None)).order_by(Section.id)
    ).all()
    return [fault for section_id in sections if (fault := verify_section(session, section_id)) is not None]


def verify_section(session: Session, section_id: int) -> Fault | None:
    """The first fault of a section, or None."""
    try:
        Replay(session, section_id).run()
    except Disagrees as found:
        return found.fault
    return None


class Replay:
    """One section, from its first revision on."""

    def __init__(self, session: Session, section_id: int) -> None:
        self.session = session
        self.section_id = section_id
        section = session.get_one(Section, section_id)
        stream = session.get(Stream, section.stream_id, populate_existing=True)
        assert stream is not None
        self.stream: Stream = stream
        self.log = ListLog()
        self.index = Proposals(self.log)
        self.suggestions = list(
            session.scalars(
                select(Suggestion)
                .where(Suggestion.section_id == section_id)
                .order_by(Suggestion.id)
                .execution_options(populate_existing=True)
            )
        )
        self.decisions = {
            one.id: one
            for one in session.scalars(
                select(Decision).where(Decision.section_id == section_id).execution_options(populate_existing=True)
            )
        }
        self.snapshots = {
            row.version: row
            for row in session.execute(
                select(Snapshot.version, Snapshot.text, Snapshot.spans).where(Snapshot.stream_id == stream.id)
            )
        }
        self.branch_rows: dict[int, deque[Stored]] = {}
        self.branch_texts: dict[int, str] = {}
        self.branch_versions: dict[int, int] = defaultdict(int)
        self.silent: dict[int, list[Decision]] = {}  # reverts of rejections that left no revision
        self.expected: dict[int, deque[Entry]] = defaultdict(deque)
        self.checkpoint = session.execute(
            select(Checkpoint.version, Checkpoint.branches, Checkpoint.hunks).where(Checkpoint.section_id == section_id)
        ).one_or_none()

    def run(self) -> None:
        main = deque(self._revisions(self.stream, "main"))
        for each in self.suggestions:
            stream = self.session.get(Stream, each.stream_id, populate_existing=True)
            assert stream is not None
            rows = self.branch_rows[each.id] = deque(self._revisions(stream, f"branch of suggestion {each.number}"))
            logged = {row.decision_id for row in rows}
            self.silent[each.id] = [
                one
                for one in sorted(self.decisions.values(), key=lambda one: one.id)
                if one.suggestion_id == each.id
                and one.verdict == "reverted"
                and one.id not in logged
                and (reverted := self.decisions.get(one.reverts_id or 0)) is not None
                and reverted.verdict == "rejected"
            ]
        while True:
            self._at_this_version()
            if not main:
                break
            first = main.popleft()
            if first.kind in ("accept", "revert"):
                self._decided(first, main)
            else:
                self._edited(first)
        self._ends()
        self._anchors()

    def _revisions(self, stream: Stream, what: str) -> Iterator[Stored]:
        """The rows of a stream, each readable and in its place."""
        expected = 0
        if stream.kind != ("main" if stream.id == self.stream.id else "branch"):
            raise Disagrees("stream", f"id {stream.id}", f"says that it is a {stream.kind}, it is the {what}")
        try:
            rows = heads.read_revisions(self.session, stream.id, 0, 2**31 - 1)
        except (DraftingError, ValueError, TypeError):
            rows = []
            self._find_unreadable(stream)
        for row in rows:
            expected += 1
            if row.version != expected:
                raise Disagrees("revision", f"stream {stream.id}, version {expected}", f"it is missing from the {what}")
            known = MAIN_KINDS if stream.id == self.stream.id else BRANCH_KINDS
            if row.kind not in known or (row.client == SERVER_CLIENT and row.sequence != row.version):
                said = f"kind {row.kind}, client {row.client}, sequence {row.sequence}"
                raise Disagrees("revision", f"stream {stream.id}, version {expected}", f"says {said} in the {what}")
            yield row
        if stream.version != expected:
            raise Disagrees("stream", f"id {stream.id}", f"says version {stream.version}, its log has {expected}")

    def _find_unreadable(self, stream: Stream) -> None:
        for version in range(1, stream.version + 1):
            try:
                heads.read_revisions(self.session, stream.id, version - 1, version)
            except (DraftingError, ValueError, TypeError) as error:
                raise Disagrees("revision", f"stream {stream.id}, version {version}", f"cannot be read: {error}") from None

    # ── main ──

    def _edited(self, stored: Stored) -> None:
        self._append(stored)
        try:
            self.index.main_update(stored.changes, stored.version, stored.carried)
        except DraftingError as error:
            raise self._main_fault(stored, f"the index does not take it: {error.message}") from None

    def _append(self, stored: Stored) -> None:
        try:
            self.log.append(stored.changes, stored.carried)
        except DraftingError as error:
            raise self._main_fault(stored, f"does not fit the text before it: {error.message}") from None
        snapshot = self.snapshots.get(stored.version)
        if snapshot is not None:
            row = f"stream {self.stream.id}, version {stored.version}"
            if snapshot.text != from_units(self.log.text(stored.version)):
                raise Disagrees("snapshot", row, "its text is not that of the log")
            if heads.spans_of(json.loads(snapshot.spans)) != tuple(self.log.tape.spans()):
                raise Disagrees("snapshot", row, "its spans are not those of the log")

    def _main_fault(self, stored: Stored, why: str) -> Disagrees:
        return Disagrees("revision", f"stream {self.stream.id}, version {stored.version}", why)

    def _decided(self, first: Stored, rest: deque[Stored]) -> None:
        """A set of acceptances, or a revert with what rests on it: the revisions that one transaction made."""
        decision = self._decision_of(first)
        rows, decisions = [first], [decision]
        while rest and rest[0].kind == first.kind and decision.set_id is not None:
            other = self._decision_of(rest[0])
            if other.set_id != decision.set_id:
                break
            rows.append(rest.popleft())
            decisions.append(other)
        try:
            if first.kind == "accept":
                items = [self._item(one) for one in decisions]
                plan = self.index.plan(items)
                self.index.accept(plan)
                applied = plan.applied
            else:
                asked = decisions[-1]
                undoing = self.index.revert_plan(asked.suggestion_id, asked.hunk_id)
                self.index.revert(undoing, confirm=True)
                applied = undoing.applied
        except DraftingError as error:
            raise self._main_fault(first, f"decision {decision.id} does not lead to it: {error.message}") from None
        self._compare_applied(rows, applied)
        for row in rows:
            self._append(row)

    def _decision_of(self, stored: Stored) -> Decision:
        decision = self.decisions.get(stored.decision_id or 0)
        if decision is None:
            raise self._main_fault(stored, f"names decision {stored.decision_id}, which is not there")
        if decision.main_version != stored.version:
            raise Disagrees(
                "decision", f"id {decision.id}", f"says main version {decision.main_version}, made {stored.version}"
            )
        if decision.verdict not in (ACCEPTED if stored.kind == "accept" else {"reverted"}):
            raise Disagrees("decision", f"id {decision.id}", f"says {decision.verdict}, its revision is of kind {stored.kind}")
        proposer = next((one.author_id for one in self.suggestions if one.id == decision.suggestion_id), None)
        if stored.author_id != (proposer if stored.kind == "accept" else decision.by_id):
            raise self._main_fault(stored, f"its author is not whom decision {decision.id} names")
        return decision

    def _item(self, decision: Decision) -> Item:
        given = decision.form.get("given")
        return Item(
            decision.suggestion_id,
            decision.hunk_id,
            decision.hunk_hash,
            decision.mode,
            None if given is None else to_units(given, normalising=True),
        )

    def _compare_applied(self, rows: list[Stored], applied: tuple[Applied, ...]) -> None:
        if len(applied) != len(rows):
            raise self._main_fault(rows[0], f"its decisions make {len(applied)} revisions, the log has {len(rows)}")
        for row, one in zip(rows, applied, strict=True):
            if row.changes != one.changes:
                raise self._main_fault(row, f"its changes are not what decision {row.decision_id} makes")
            carried = None if one.carried is None else tuple(one.carried)
            if row.carried != carried:
                raise self._main_fault(row, f"its carried spans are not what decision {row.decision_id} makes")

    # ── branches ──

    def _at_this_version(self) -> None:
        version = self.log.version
        for each in self.suggestions:
            if each.opened_at_version == version:
                self.index.open(each.id, each.number, filed=False)
                self.branch_texts[each.id] = self.log.text(version)
        for each in self.suggestions:
            if each.id not in self.branch_texts or each.opened_at_version > version:
                continue
            rows = self.branch_rows[each.id]
            is_filed_now = each.filed_version == version and each.filed_at is not None
            as_filed = is_filed_now and self._reads_as_filed(each)
            # Versions that one transaction made together have no branch edits between them.
            self._without_revision(each)
            while rows and rows[0].main_version is not None and rows[0].main_version <= version:
                if rows[0].kind != "from_main" and rows[0].main_version < version:
                    raise self._branch_fault(each, rows[0], f"says main version {rows[0].main_version} out of order")
                self._branch_row(each, rows.popleft())
                self._without_revision(each)
                as_filed = as_filed or (is_filed_now and self._reads_as_filed(each))
            if rows and rows[0].main_version is None:
                raise self._branch_fault(each, rows[0], "says no main version")
            if is_filed_now:
                self.index.file(each.id)
                if not as_filed:
                    raise Disagrees("suggestion", f"number {each.number}", "its filed form is not what it was then")
            if each.state == "withdrawn" and each.main_version == version:
                self.index.close(each.id)
                del self.branch_texts[each.id]

    def _without_revision(self, suggestion: Suggestion) -> None:
        """Reverts of rejections that put nothing back, because the words did not fit any more."""
        waiting = self.silent.get(suggestion.id, [])
        while (
            waiting
            and waiting[0].branch_version <= self.branch_versions[suggestion.id]
            and waiting[0].main_version <= self.log.version
        ):
            decision = waiting.pop(0)
            try:
                self.expected[suggestion.id].extend(self.index.catch_up(suggestion.id))
                self.index.unreject(suggestion.id, decision.hunk_id)
            except DraftingError as error:
                raise Disagrees("decision", f"id {decision.id}", f"does not follow from the log: {error.message}") from None

    def _branch_row(self, suggestion: Suggestion, stored: Stored) -> None:
        try:
            if stored.kind == "edit":
                self._branch_edit(suggestion, stored)
            else:
                self._branch_entry(suggestion, stored)
            self.branch_texts[suggestion.id] = stored.changes.apply(self.branch_texts[suggestion.id])
            self.branch_versions[suggestion.id] = stored.version
        except DraftingError as error:
            raise self._branch_fault(suggestion, stored, f"does not follow from the log: {error.message}") from None
        if stored.kind == "edit" and self.branch_texts[suggestion.id] != self.index.branch_text(suggestion.id):
            raise self._branch_fault(suggestion, stored, "the hunks applied to main do not give its text (law 6)")

    def _branch_edit(self, suggestion: Suggestion, stored: Stored) -> None:
        if self.expected[suggestion.id]:
            raise self._branch_fault(suggestion, stored, "what main did before it is missing from the log")
        written_on = self.log.version if stored.written_on is None else stored.written_on
        self.index.branch_update(suggestion.id, stored.changes, written_on=written_on, flagged=stored.removal)

    def _branch_entry(self, suggestion: Suggestion, stored: Stored) -> None:
        expected = self.expected[suggestion.id]
        if stored.kind == "decision":
            expected.extend(self.index.catch_up(suggestion.id))
            if expected:
                raise self._branch_fault(suggestion, stored, "what main did before it is missing from the log")
            self._decide_on_branch(suggestion, stored)
        expected.extend(self.index.catch_up(suggestion.id))
        if not expected:
            raise self._branch_fault(suggestion, stored, "nothing happened that it could come from")
        entry = expected.popleft()
        if (entry.kind, entry.version) != (stored.kind, stored.main_version):
            raise self._branch_fault(suggestion, stored, f"{entry.kind} of main version {entry.version} is missing before it")
        if stored.kind == "from_main" and (stored.client, stored.sequence) != (MAIN_CLIENT, entry.version):
            raise self._branch_fault(suggestion, stored, f"is not named after main version {entry.version}")
        if entry.changes != stored.changes or entry.removal != stored.removal:
            raise self._branch_fault(suggestion, stored, "its changes are not what main or the decision did to the branch")

    def _decide_on_branch(self, suggestion: Suggestion, stored: Stored) -> None:
        if stored.decision_id is None:
            hunk_id = self.session.scalar(
                select(HunkState.hunk_id).where(
                    HunkState.suggestion_id == suggestion.id,
                    HunkState.state == "open",
                    HunkState.at == stored.at,
                    HunkState.decision_id.is_(None),
                )
            )
            if hunk_id is None:
                raise self._branch_fault(suggestion, stored, "no hunk was opened again then")
            self.index.reopen(suggestion.id, hunk_id)
            return
        decision = self.decisions.get(stored.decision_id)
        if decision is None or decision.suggestion_id != suggestion.id:
            raise self._branch_fault(suggestion, stored, f"names decision {stored.decision_id}, which is not there")
        if decision.verdict == "rejected":
            self.index.reject(suggestion.id, decision.hunk_id, decision.hunk_hash)
        else:
            self.index.unreject(suggestion.id, decision.hunk_id)

    def _branch_fault(self, suggestion: Suggestion, stored: Stored, why: str) -> Disagrees:
        row = f"stream {suggestion.stream_id}, version {stored.version}; suggestion {suggestion.number}"
        return Disagrees("revision", row, why)

    def _reads_as_filed(self, suggestion: Suggestion) -> bool:
        """Whether the hunks are now as they were filed; typing went on at the same version of main."""
        shown = [
            [one.id, one.start, one.end, from_units(one.text), from_units(one.ground)]
            for one in self.index.shown(suggestion.id)
            if not one.fulfilled
        ]
        return bool(json.loads(suggestion.filed_form or "null") == shown)

    # ── the end ──

    def _ends(self) -> None:
        text = self.log.text(self.log.version)
        if self.stream.length != len(text):
            raise Disagrees(
                "stream", f"id {self.stream.id}", f"says a length of {self.stream.length}, its text has {len(text)}"
            )
        newest = max(self.snapshots, default=0)
        if newest > self.log.version:
            raise Disagrees("snapshot", f"stream {self.stream.id}, version {newest}", "there is no such version")
        for each in self.suggestions:
            if self.branch_rows[each.id]:
                raise self._branch_fault(each, self.branch_rows[each.id][0], "it names a main version that is not there")
            if each.id in self.branch_texts:
                self._compare_suggestion(each)
        self._compare_decisions()
        self._compare_states()
        self._compare_title()
        self._compare_checkpoint()

    def _compare_decisions(self) -> None:
        """What a decision says of itself, also when it made no revision of main."""
        for each in sorted(self.decisions.values(), key=lambda one: one.id):
            row = f"id {each.id}"
            if each.verdict not in VERDICTS:
                raise Disagrees("decision", row, f"there is no verdict {each.verdict}")
            if not 0 <= each.main_version <= self.log.version:
                raise Disagrees("decision", row, f"names main version {each.main_version}, which is not there")
            if not 0 <= each.branch_version <= self.branch_versions[each.suggestion_id]:
                raise Disagrees("decision", row, f"names branch version {each.branch_version}, which is not there")

    def _compare_states(self) -> None:
        """The history of each hunk ends where the hunk is, and a suggestion is what its hunks make it."""
        numbers = {each.id: each.number for each in self.suggestions}
        now = {
            (row.suggestion_id, row.id): row.state
            for row in self.session.execute(
                select(Hunk.suggestion_id, Hunk.id, Hunk.state).where(Hunk.suggestion_id.in_(numbers))
            )
        }
        last: dict[tuple[int, int], tuple[int, str]] = {}
        for row in self.session.execute(
            select(HunkState.id, HunkState.suggestion_id, HunkState.hunk_id, HunkState.state, HunkState.main_version)
            .where(HunkState.suggestion_id.in_(numbers))
            .order_by(HunkState.id)
        ):
            if row.state not in HUNK_STATES:
                raise Disagrees("hunk_state", f"id {row.id}", f"there is no state {row.state}")
            if not 0 <= row.main_version <= self.log.version:
                raise Disagrees("hunk_state", f"id {row.id}", f"names main version {row.main_version}, which is not there")
            last[row.suggestion_id, row.hunk_id] = (row.id, row.state)
        for pair, (row_id, state) in last.items():
            if now.get(pair, state) != state:
                raise Disagrees("hunk_state", f"id {row_id}", f"hunk {pair} is {now[pair]}, its history ends with {state}")
        for each in self.suggestions:
            states = {state for (suggestion_id, _), state in now.items() if suggestion_id == each.id}
            settled = states & SETTLED and "open" not in states
            expected = (
                "withdrawn" if each.withdrawn_at else "draft" if each.filed_at is None else "decided" if settled else "filed"
            )
            if each.state != expected:
                raise Disagrees("suggestion", f"number {each.number}", f"is {each.state}, its hunks make it {expected}")

    def _compare_title(self) -> None:
        """The section is called as its first heading says, when that stands where typing is watched for it."""
        units = self.log.text(self.log.version)
        watched = units if len(units) <= TITLE_REACH else units[:TITLE_REACH].rpartition("\n")[0]
        heading = sections.first_heading(from_units(watched))
        title = self.session.scalar(select(Section.title).where(Section.id == self.section_id))
        if heading and title != heading:
            raise Disagrees("section", f"id {self.section_id}", f"is called {title!r}, its first heading is {heading!r}")

    def _compare_suggestion(self, suggestion: Suggestion) -> None:
        branch_row = f"number {suggestion.number}"
        text = self.branch_texts[suggestion.id]
        pending = [*self.expected[suggestion.id], *self.index.copy().catch_up(suggestion.id)]
        for entry in pending:
            text = entry.changes.apply(text)
        if text != self.index.branch_text(suggestion.id):
            raise Disagrees("suggestion", branch_row, "its hunks applied to main do not give its branch text (law 6)")
        caught_up = self.log.version - sum(entry.kind == "from_main" for entry in pending)
        if suggestion.main_version != caught_up:
            raise Disagrees("suggestion", branch_row, f"says its branch holds main {suggestion.main_version}, it holds {caught_up}")
        rows = {
            row.id: row
            for row in self.session.scalars(
                select(Hunk).where(Hunk.suggestion_id == suggestion.id).execution_options(populate_existing=True)
            )
        }
        for hunk in self.index.hunks(suggestion.id):
            row = rows.pop(hunk.id, None)
            written = hunk.written
            expected = ("open", written.start, written.end, written.version, from_units(written.text), from_units(written.ground))
            found = None if row is None else (row.state, row.start, row.end, row.version, row.text, row.ground)
            if found != expected:
                raise Disagrees("hunk", f"suggestion {suggestion.id}, id {hunk.id}", f"is {found}, by the log {expected}")
        closed = self.index.closed(suggestion.id)
        for hunk_id, row in rows.items():
            state = closed.get(hunk_id)
            if (state is None and row.state not in ("joined", "withdrawn")) or (state is not None and row.state != state):
                raise Disagrees("hunk", f"suggestion {suggestion.id}, id {hunk_id}", f"is {row.state}, by the log {state}")

    def _compare_checkpoint(self) -> None:
        """The checkpoint and what came after it must lead to the index that the whole log leads to."""
        row = f"section {self.section_id}"
        if self.checkpoint is None:
            if self.suggestions:
                raise Disagrees("checkpoint", row, "is missing although there are suggestions")
            return
        if not 0 <= self.checkpoint.version <= self.log.version:
            raise Disagrees("checkpoint", row, f"is of version {self.checkpoint.version}, which is not there")
        head = heads.Head(heads.registry_of(self.session), self.section_id)
        try:
            head.refresh(self.session, heads.stream_row(self.session, self.section_id))
        except (DraftingError, ValueError, TypeError, KeyError, AssertionError) as error:
            raise Disagrees("checkpoint", row, f"cannot be read: {error}") from None
        if from_units(head.text) != from_units(self.log.text(self.log.version)):
            raise Disagrees("checkpoint", row, "leads to another text than the log")
        if head.tape.spans() != self.log.tape.spans():
            raise Disagrees("checkpoint", row, "leads to other spans than the log")
        for each in self.suggestions:
            if each.id not in self.branch_texts:
                continue
            if each.id not in head.branches:
                raise Disagrees("checkpoint", row, f"does not know suggestion {each.number}")
            if head.proposals.hunks(each.id) != self.index.hunks(each.id):
                raise Disagrees("checkpoint", row, f"leads to other hunks of suggestion {each.number} than the log")

    # ── remarks ──

    def _anchors(self) -> None:
        for row in self.session.execute(rows_of(self.section_id)):
            name = f"id {row.id}"
            if not 0 <= row.version <= self.log.version:
                raise Disagrees("annotation", name, f"was placed on version {row.version}, which is not there")
            try:
                anchor = place(self.log.text(row.version), row.start, row.end, row.version)
            except DraftingError as error:
                raise Disagrees("annotation", name, f"its passage is not there: {error.message}") from None
            if anchor.placed != placed_of(row):
                raise Disagrees("annotation", name, "its quote is not what stood in its passage")
            if row.now_version is None:
                continue
            if row.now_version > self.log.version:
                raise Disagrees("annotation", name, f"was seen at version {row.now_version}, which is not there")
            now = follow(anchor, self.log, row.now_version)
            if (row.now_start, row.now_end, row.orphaned) != (now.start, now.end, now.is_orphan):
                raise Disagrees(
                    "annotation", name, f"is said to be at [{row.now_start}, {row.now_end}), the log says [{now.start}, {now.end})"
                )


"""The writer of a worker: stores what was pushed, and tells everybody what is new, in one order.

One thread takes all pushes that have gathered, stores them in one transaction (`editing.push_many`), tells the rooms
what is new in the log, and then answers. It works at once when it is quiet; when busy it lets pushes gather for twice
the time the last round took, so it is never busy for more than a third of the time, and never longer than `MAX_PAUSE`.

Every broadcast of text is read from the log, from where the room's last one ended, by this thread alone: so updates
arrive in order also when a decision over HTTP, or another worker, made them. A word of another worker that was lost is
made up for within `POLL_EVERY` seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from drafting.errors import DraftingError, NotFound
from drafting.services import accounts, editing, heads, streams, suggestions
from drafting.services.editing import Push
from drafting.services.heads import Movement
from drafting.store.database import Database
from drafting.store.models import Section, Stream, User
from drafting.web import wire
from drafting.web.rooms import Client, Room, Rooms, event_frame
from drafting.web.workers import Workers, movement_json, movement_of

log = logging.getLogger(__name__)

MAX_PAUSE = 0.03  # s; how long pushes gather at most
HUNKS_EVERY = 0.1  # s between two messages about the hunks of one section while they are typed
SETTLE = 0.1  # s after a join: what was sent between the reading and the answer is sent again
POLL_EVERY = 5.0  # s between two looks for what other workers did not say
PEOPLE_AGE = 3.5 * POLL_EVERY  # s without a word from a worker, after which its people are taken for gone


class Ticket:
    """A push that waits for its answer."""

    __slots__ = ("came_late", "done", "push", "result")

    def __init__(self, push: Push) -> None:
        self.push = push
        self.result: int | Exception | None = None
        self.came_late = False  # the writer has ended: nothing was stored
        self.done = threading.Event()


class Writer:
    """The writer thread of one worker, and what it has to do."""

    def __init__(self, database: Database, rooms: Rooms) -> None:
        self.database = database
        self.rooms = rooms
        with database.read() as session:
            self.registry = heads.registry_of(session)
        self.registry.listeners.append(self._moved)
        self.shown_out = 0  # how often people's roles were looked at again
        self._workers: Workers | None = None  # None: no other worker
        self._wake = threading.Condition()
        self._tickets: list[Ticket] = []
        self._movements: list[Movement] = []
        self._settling: list[tuple[float, Client, Room, int]] = []
        self._hunks: dict[int, set[int]] = {}  # by section: suggestions whose hunks are to be sent
        self._hunks_due: dict[int, float] = {}
        self._names: dict[int, str] = {}
        self._running = False
        self._is_over = False
        self._polled = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="live writer", daemon=True)

    def start(self, workers: Workers | None = None) -> None:
        self._workers = workers
        self._running = True
        self._thread.start()

    def stop(self) -> None:
        """Stores and answers what was pushed until now, then ends."""
        self._running = False
        if self._moved in self.registry.listeners:
            self.registry.listeners.remove(self._moved)
        self.poke()
        if self._thread.is_alive():
            self._thread.join(10)
        with self._wake:
            self._is_over = True
            late, self._tickets = self._tickets, []
        for ticket in late:
            ticket.came_late = True
            ticket.done.set()

    # ── what others ask for ────────────────────────────────────────────────────────────────────────────

    def submit(self, push: Push) -> Ticket:
        """The ticket of a push that will be stored in the next round; it says so when there will be none."""
        ticket = Ticket(push)
        with self._wake:
            if self._is_over:
                ticket.came_late = True
                ticket.done.set()
            else:
                self._tickets.append(ticket)
                self._wake.notify()
        return ticket

    def entered(self, client: Client, room: Room, version: int) -> None:
        """A client was just answered with a stream at this version; what was sent meanwhile is sent to it again."""
        with self._wake:
            self._settling.append((time.monotonic() + SETTLE, client, room, version))
            self._wake.notify()
        if self._workers is not None and len(room.clients) == 1:
            self._workers.tell({"who": room.stream_id})

    def poke(self) -> None:
        """Lets the thread look for what is to be done."""
        with self._wake:
            self._wake.notify()

    def hear(self, message: Mapping[str, Any]) -> None:
        """What another worker says: what moved there, who is there, or that it asks who is here."""
        if "who" in message:
            for room in self.rooms.of([message["who"]]):
                room.people_changed = True
            self.poke()
        elif "ended" in message:
            self.hang_up(message["ended"])
        elif "people" in message:
            for room in self.rooms.of([message["stream"]]):
                said = room.elsewhere.pop(message["worker"], None)
                if message["people"]:
                    room.elsewhere[message["worker"]] = (time.monotonic(), message["people"])
                if said is None or said[1] != message["people"]:
                    room.elsewhere_changed = True
            self.poke()
        else:
            with self._wake:
                self._movements.append(movement_of(message))
                self._wake.notify()

    def end_session(self, mark: str) -> None:
        """Somebody signed out: what other windows of that session have open ends too, also at other workers."""
        self.hang_up(mark)
        if self._workers is not None:
            self._workers.tell({"ended": mark})

    def hang_up(self, mark: str) -> None:
        for client in list(self.rooms.clients.values()):
            if client.session_mark == mark:
                self.rooms.remove(client.sid)
                client.connection.close()
        self.poke()

    # ── the thread ─────────────────────────────────────────────────────────────────────────────────────

    def _moved(self, movements: list[Movement]) -> None:
        """A transaction of this process was committed."""
        with self._wake:
            self._movements.extend(movements)
            self._wake.notify()
        if self._workers is not None:
            for each in movements:
                self._workers.tell(movement_json(each))

    def _run(self) -> None:
        began, pause = 0.0, 0.0
        while self._running or self._tickets:
            with self._wake:
                while self._running and not self._tickets and not self._movements:
                    due = self._next_due()
                    now = time.monotonic()
                    if due is not None and due <= now:
                        break
                    self._wake.wait(None if due is None else due - now)
            ahead = began + pause - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            began = time.monotonic()
            try:
                self._round()
            except Exception:
                log.exception("a round of the live server failed")
            pause = min(MAX_PAUSE, 2 * (time.monotonic() - began))

    def _next_due(self) -> float | None:
        times = [each[0] for each in self._settling]
        times.extend(self._hunks_due.get(section, 0.0) for section in self._hunks)
        times.extend(room.people_due for room in self.rooms.all() if room.people_changed or room.elsewhere_changed)
        times.extend(0.0 for _ in self.rooms.emptied)
        if self._workers is not None:
            times.append(self._polled + POLL_EVERY)
        return min(times, default=None)

    def _round(self) -> None:
        """Stores what has gathered, tells everybody, answers."""
        with self._wake:
            tickets, self._tickets = self._tickets, []
        try:
            if tickets:
                self._store(tickets)
            self._poll()
            with self._wake:
                movements, self._movements = self._movements, []
            if movements:
                self._deliver(movements)
        finally:
            for ticket in tickets:
                ticket.done.set()
        self._settle()
        self._send_hunks()
        self._send_people()

    def _store(self, tickets: list[Ticket]) -> None:
        pushes = [ticket.push for ticket in tickets]
        open_branches = [room.stream_id for room in self.rooms.all() if room.suggestion_id is not None]
        try:
            results = self.database.run(lambda session: editing.push_many(session, pushes, open_branches))
        except Exception as error:
            if len(tickets) == 1:
                log.exception("a push failed")
                tickets[0].result = error
                return
            for ticket in tickets:  # find the one that fails; the others must not suffer
                self._store([ticket])
            return
        for ticket, result in zip(tickets, results, strict=True):
            ticket.result = result

    def _deliver(self, movements: list[Movement]) -> None:
        gathered: dict[int, Movement] = {}
        for each in movements:
            found = gathered.get(each.section_id)
            if found is None or each.section_id == 0:
                gathered[each.section_id if each.section_id else -len(gathered) - 1] = each
            else:
                found.streams |= each.streams
                found.suggestions |= each.suggestions
                found.cards |= each.cards
                found.what |= each.what
        for movement in gathered.values():
            self._deliver_one(movement)

    def _deliver_one(self, movement: Movement) -> None:
        section_id = movement.section_id
        if section_id:
            main, branches = self.rooms.main_of(section_id), self.rooms.branches_of(section_id)
            if main is not None or branches:
                self._bring_up(section_id, branches)
                self._send_updates(section_id, [*([main] if main else []), *branches])
            if main is not None:
                if movement.suggestions:
                    self._hunks.setdefault(section_id, set()).update(movement.suggestions)
                for kind, number in sorted(movement.cards):
                    main.broadcast(event_frame("card", {kind: number}))
        if "people" in movement.what:
            self.show_out(movement.document_id)
        rooms = [
            room for room in self.rooms.all() if room.document_id == movement.document_id and room.suggestion_id is None
        ]
        for what in sorted(movement.what - {"people"}) if rooms else ():
            gone = self._removed({room.section_id for room in rooms}) if what == "removed" else set()
            for room in rooms:
                own = what == "phase" or room.section_id in gone
                section = room.section_id if own else section_id
                room.broadcast(event_frame("section", {"section": section, "what": what}))

    def _removed(self, section_ids: set[int]) -> set[int]:
        """Which of these sections are not there any more."""
        with self.database.read() as session:
            return set(
                session.scalars(select(Section.id).where(Section.id.in_(section_ids), Section.removed_at.is_not(None)))
            )

    def show_out(self, document_id: int) -> None:
        """Looks up again who is in a document's rooms; who may not be there any more is disconnected at once."""
        self.shown_out += 1
        self._names = {}  # a name may have been changed, or taken away for good
        rooms = [room for room in self.rooms.all() if room.document_id == document_id]
        for client in {client.sid: client for room in rooms for client in list(room.clients.values())}.values():
            was_signed_in = client.actor.is_signed_in
            with self.database.read() as session:
                actor = client.actor
                if actor.user_id is not None:
                    actor = client.actor = accounts.signed_in(session, actor.user_id, actor.session_epoch)
                    client.checked_at = time.monotonic()
                try:
                    for room in rooms:
                        if client.sid in room.clients:
                            streams.place_of(session, actor, room.stream_id)
                    stays = actor.is_signed_in == was_signed_in
                except DraftingError:
                    stays = False
            if not stays:
                self.rooms.remove(client.sid)
                client.connection.close()

    def _bring_up(self, section_id: int, branches: list[Room]) -> None:
        """Puts into open branches what main did to them, when it was not done with the push."""
        if not branches:
            return
        with self._head(section_id) as head:
            behind = [
                room.stream_id
                for room in branches
                if (branch := head.branches.get(room.suggestion_id or 0)) and branch.main_version < head.version
            ]
        if behind:
            self.database.run(lambda session: editing.bring_up_branches(session, section_id, behind))

    def _send_updates(self, section_id: int, rooms: list[Room]) -> None:
        """What is new in the logs, to those who have them open."""
        waiting = []
        with self._head(section_id) as head:
            for room in rooms:
                room.moved = head.moved
                try:
                    stream = head.log_of(room.stream_id)
                except NotFound:
                    continue  # withdrawn
                if stream.version > room.sent:
                    waiting.append((room, room.sent, stream.since(room.sent)))
                    room.sent = stream.version
        names = self.names_of([one for _, _, stored in waiting for one in stored])
        for room, version, stored in waiting:
            room.broadcast(event_frame("updates", wire.updates_json(room.stream_id, version, stored, names)))

    def _settle(self) -> None:
        now = time.monotonic()
        with self._wake:
            due = [each for each in self._settling if each[0] <= now]
            if not due:
                return
            self._settling = [each for each in self._settling if each[0] > now]
        for _, client, room, version in due:
            if client.sid not in room.clients or room.sent <= version:
                continue
            with self._head(room.section_id) as head:
                try:
                    stored = head.log_of(room.stream_id).since(version, room.sent)
                except NotFound:
                    continue  # withdrawn
            names = self.names_of(stored)
            client.send(event_frame("updates", wire.updates_json(room.stream_id, version, stored, names)))

    def _send_hunks(self) -> None:
        now = time.monotonic()
        for section_id in [each for each in self._hunks if self._hunks_due.get(each, 0.0) <= now]:
            changed = self._hunks.pop(section_id)
            self._hunks_due[section_id] = now + HUNKS_EVERY
            room = self.rooms.main_of(section_id)
            if room is None:
                continue
            with self.database.read() as session, heads.reading(session, section_id) as head:
                messages = suggestions.live_messages(session, head, changed)
            for message in messages:
                others = event_frame("hunks", {**message.body, "mine": False})
                own = event_frame("hunks", {**message.body, "mine": True})
                for client in list(room.clients.values()):
                    mine = message.is_own(client.actor)
                    if mine or message.is_public:
                        client.send(own if mine else others)

    def _send_people(self) -> None:
        now = time.monotonic()
        for room in self.rooms.all():
            changed, elsewhere = room.people_changed, room.elsewhere_changed
            if (changed or elsewhere) and room.people_due <= now:
                room.people_changed = room.elsewhere_changed = False
                room.people_due = now + room.people_pause()
                room.broadcast(event_frame("people", {"stream": room.stream_id, "people": room.all_people()}))
                if changed:
                    self._tell_people(room.stream_id, room.people)
        for stream_id in self.rooms.take_emptied():
            self._tell_people(stream_id, {})

    def _tell_people(self, stream_id: int, people: Mapping[str, dict[str, Any]]) -> None:
        if self._workers is not None:
            self._workers.tell({"people": list(people.values()), "stream": stream_id})

    @contextmanager
    def _head(self, section_id: int) -> Iterator[heads.Head]:
        """The section's head; what this process committed it knows already, and nobody else writes without Redis."""
        if self._workers is None:
            head = self.registry.acquire(section_id)
            try:
                if head.is_loaded:
                    yield head
                    return
            finally:
                head.lock.release()
        with self.database.read() as session, heads.reading(session, section_id) as head:
            yield head

    # ── names ──────────────────────────────────────────────────────────────────────────────────────────

    def names_of(self, stored: Sequence[heads.Stored]) -> Mapping[int, str]:
        """{user: name} of the authors, and of others."""
        names = self._names
        missing = {each.author_id for each in stored if each.author_id is not None} - names.keys()
        if missing:
            with self.database.read() as session:
                rows = session.execute(select(User.id, User.name).where(User.id.in_(missing)))
                names.update({row.id: row.name for row in rows})
        return names

    # ── other workers ──────────────────────────────────────────────────────────────────────────────────

    def _poll(self) -> None:
        """Looks for what other workers did without our hearing of it, and says again who is here."""
        if self._workers is None or time.monotonic() - self._polled < POLL_EVERY:
            return
        self._polled = time.monotonic()
        rooms = self.rooms.all()
        if not rooms:
            return
        with self.database.read() as session:
            found = {
                row.id: row
                for row in session.execute(
                    select(Stream.id, Stream.version, Stream.moved).where(
                        Stream.id.in_([room.stream_id for room in rooms])
                    )
                )
            }
        for room in rooms:
            row = found.get(room.stream_id)
            if row is not None and (row.version > room.sent or (room.suggestion_id is None and row.moved > room.moved)):
                self._catch_up(room)
            self._tell_people(room.stream_id, room.people)
            for worker, (at, _) in list(room.elsewhere.items()):
                if self._polled - at > PEOPLE_AGE:
                    del room.elsewhere[worker]
                    room.elsewhere_changed = True

    def _catch_up(self, room: Room) -> None:
        """Everything of a section is told anew: what of it has changed nobody said."""
        movement = Movement(room.section_id, room.document_id, {room.stream_id})
        if room.suggestion_id is None:
            with self._head(room.section_id) as head:
                movement.suggestions.update(head.branches)
                movement.cards.update(("suggestion", branch.number) for branch in head.branches.values())
        with self._wake:
            self._movements.append(movement)

"""The live server: Socket.IO over WebSocket only, one writer thread, one order of broadcasts.

Events come in on a thread per connection. A push is put into the writer's queue and waits for its answer. The writer
thread takes all that has gathered, stores it in one transaction (`editing.push_many`), tells the rooms what is new in
the log, and then answers. It works at once when it is quiet; when busy it lets pushes gather for twice the time the
last round took, so it is never busy for more than a third of the time, and never longer than `MAX_PAUSE`.

Every broadcast of text is read from the log, from where the room's last one ended, by the writer thread alone: so
updates arrive in order also when a decision over HTTP, or another worker, made them. Workers tell each other only that
a section moved (Redis); each reads the rows itself. A lost word is made up for within `POLL_EVERY` seconds.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from flask import Flask
from flask_babel import force_locale
from flask_socketio import SocketIO
from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.config import Settings
from drafting.errors import DraftingError, InvalidInput, NotFound, NotSignedIn
from drafting.services import accounts, annotations, editing, heads, suggestions
from drafting.services.access import ANONYMOUS, Actor
from drafting.services.editing import Push
from drafting.services.heads import Movement
from drafting.store.database import Database
from drafting.store.models import Organization, Section, Stream, User
from drafting.web import identity, websocket, wire
from drafting.web.rooms import MAX_STREAMS, Client, Room, Rooms, event_frame

log = logging.getLogger(__name__)

MAX_PAUSE = 0.03  # s; how long pushes gather at most
HUNKS_EVERY = 0.1  # s between two messages about the hunks of one section while they are typed
ACTOR_AGE = 3.0  # s after which a client's roles are looked up again
SETTLE = 0.1  # s after a join: what was sent between the reading and the answer is sent again
PATIENCE = 30.0  # s that a push may wait for its answer
POLL_EVERY = 5.0  # s between two looks for what other workers did not say
CHANNEL = "drafting:moved"
WARM_SECTIONS = 50  # read into memory when a server starts


class Ticket:
    """A push that waits for its answer."""

    __slots__ = ("done", "push", "result")

    def __init__(self, push: Push) -> None:
        self.push = push
        self.result: int | Exception | None = None
        self.done = threading.Event()


def init(app: Flask) -> Live:
    """The live server of an application, started."""
    live = Live(app)
    app.extensions["live"] = live
    live.start()
    return live


class Live:
    """The live server of one worker."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.database: Database = app.extensions["database"]
        self.settings: Settings = app.extensions["settings"]
        self.rooms = Rooms()
        self.worker = secrets.token_hex(4)
        self.socketio = SocketIO(
            app,
            async_mode="threading",
            transports=["websocket"],
            allow_upgrades=False,
            async_handlers=False,  # events of one client stay in order
            serve_client=False,
            max_http_buffer_size=websocket.MAX_INBOUND,
            ping_interval=25,
            ping_timeout=20,
        )
        server = self.socketio.server
        websocket.install(server.eio)
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
        for event, handler in {
            "join": self._join,
            "leave": self._leave,
            "push": self._push,
            "pull": self._pull,
            "caret": self._caret,
        }.items():
            server.on(event, self._answering(handler))
        with self.database.read() as session:
            self.registry = heads.registry_of(session)
        self.registry.listeners.append(self._moved)
        self._wake = threading.Condition()
        self._tickets: list[Ticket] = []
        self._movements: list[Movement] = []
        self._settling: list[tuple[float, Client, Room, int]] = []
        self._hunks: dict[int, set[int]] = {}  # by section: suggestions whose hunks are to be sent
        self._hunks_due: dict[int, float] = {}
        self._names: dict[int, str] = {}
        self._badges: dict[int, dict[str, Any]] = {}
        self._running = False
        self._polled = time.monotonic()
        self._redis: Any = None

    def start(self) -> None:
        self._running = True
        threading.Thread(target=self._run, name="live writer", daemon=True).start()
        threading.Thread(target=self._warm, name="live warming", daemon=True).start()
        if self.settings.redis_url:
            import redis

            self._redis = redis.from_url(self.settings.redis_url)
            threading.Thread(target=self._listen, name="live listener", daemon=True).start()

    def _warm(self) -> None:
        """Reads the sections that moved last, so that the first to open one after a start does not wait for it."""
        try:
            with self.database.read() as session:
                newest = heads.newest_sections(session, WARM_SECTIONS)
            for section_id in newest:
                if not self._running:
                    return
                with self.database.read() as session, heads.reading(session, section_id) as head:
                    with suppress(DraftingError):  # not published: only the head is read
                        suggestions.live(session, ANONYMOUS, head)
                        annotations.live(session, ANONYMOUS, head)
        except Exception:  # a section that cannot be read is reported to whoever opens it
            log.exception("sections could not be read ahead")

    def stop(self) -> None:
        """Ends the threads; open connections are closed."""
        self._running = False
        if self._moved in self.registry.listeners:
            self.registry.listeners.remove(self._moved)
        with self._wake:
            self._wake.notify_all()
        for client in list(self.rooms.clients.values()):
            client.connection.close()

    # ── clients come and go ────────────────────────────────────────────────────────────────────────────

    def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> bool | None:
        server = self.socketio.server
        connection = server.eio.sockets[server.manager.eio_sid_from_sid(sid, "/")].queue.connection
        if connection is None:
            return False
        with self.app.request_context(environ):
            from drafting.web import language

            actor, spoken = identity.actor(), language.chosen()
        self.rooms.add(Client(sid, secrets.token_hex(4), connection, actor, spoken))
        return None

    def _disconnect(self, sid: str, reason: Any = None) -> None:
        self.rooms.remove(sid)
        self._poke()

    def _poke(self) -> None:
        """Lets the writer look for what is to be done."""
        with self._wake:
            self._wake.notify()

    def _actor(self, session: Session, client: Client) -> Actor:
        """Who the client is now; roles that ended and passwords that changed count within seconds."""
        now = time.monotonic()
        if client.actor.user_id is not None and now - client.checked_at > ACTOR_AGE:
            client.actor = accounts.signed_in(session, client.actor.user_id, client.actor.session_epoch)
            client.checked_at = now
        return client.actor

    def _answering(self, handler: Callable[[Client, Mapping[str, Any]], dict[str, Any]]) -> Callable[..., Any]:
        """The handler, which answers every event with its value or the one error body."""

        def answer(sid: str, data: Any = None, *rest: Any) -> dict[str, Any]:
            client = self.rooms.clients.get(sid)
            if client is None:
                return wire.error_body(NotSignedIn("this connection has ended; connect again"))
            try:
                return handler(client, wire.mapping(data))
            except DraftingError as error:
                return self._refused(client, error)
            except Exception:
                log.exception("a socket event failed")
                return wire.INTERNAL

        return answer

    def _refused(self, client: Client, error: DraftingError) -> dict[str, Any]:
        from drafting.web import words

        with self.app.app_context(), force_locale(client.language):
            return wire.error_body(error, words.error_text(wire.refusal(error)))

    # ── events ─────────────────────────────────────────────────────────────────────────────────────────

    def _join(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
        stream_id, version = wire.number(body, "stream"), wire.maybe_number(body, "version")
        if len(client.streams) >= MAX_STREAMS and stream_id not in client.streams:
            raise InvalidInput(f"at most {MAX_STREAMS} streams are open at once; leave one", limit=MAX_STREAMS)
        with self.database.read() as session:
            actor = self._actor(session, client)
            place = editing.place_of(session, actor, stream_id)
        answer: dict[str, Any] = {
            "stream": stream_id,
            "kind": "main" if place.suggestion_id is None else "branch",
            "section": place.section_id,
            "key": client.key,
        }
        opened = None
        if place.suggestion_id is not None:
            opened = self.database.run(
                lambda session: editing.open_branch(session, place.section_id, stream_id, version)
            )
        with self.database.read() as session:
            if opened is None:
                with heads.reading(session, place.section_id) as head:
                    opened = editing.opening(head, stream_id, version)
                    answer["suggestions"] = suggestions.live(session, actor, head)
                    answer["annotations"] = annotations.live(session, actor, head)
            answer["can"] = editing.can(session, actor, place)
            badge = self._badge(session, actor, place.document_id) if actor.is_signed_in else {}
        now = answer["version"] = opened.version
        if opened.text is not None:
            answer["text"] = opened.text
        else:
            names = self._names_of(opened.updates)
            answer["updates"] = [wire.stored_json(each, names) for each in opened.updates]
        room = self.rooms.enter(
            client,
            lambda: Room(stream_id, place.section_id, place.document_id, place.suggestion_id, sent=now),
            stream_id,
        )
        if actor.is_signed_in:
            present = {"key": client.key, "name": actor.name, **badge, "anchor": None, "head": None, "version": now}
            room.people[client.key] = present
            room.people_changed = True
        answer["people"] = [one for one in room.all_people() if one["key"] != client.key]
        with self._wake:
            self._settling.append((time.monotonic() + SETTLE, client, room, now))
            self._wake.notify()
        return answer

    def _leave(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
        self.rooms.leave(client, wire.number(body, "stream"))
        self._poke()
        return {}

    def _push(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
        if client.actor.user_id is not None and time.monotonic() - client.checked_at > ACTOR_AGE:
            with self.database.read() as session:
                self._actor(session, client)
        ticket = Ticket(wire.push_of(client.actor, body))
        with self._wake:
            self._tickets.append(ticket)
            self._wake.notify()
        if not ticket.done.wait(PATIENCE):
            log.error("a push waited for more than %s s", PATIENCE)
            return wire.INTERNAL
        if isinstance(ticket.result, DraftingError):
            raise ticket.result
        if not isinstance(ticket.result, int):
            return wire.INTERNAL
        return {"version": ticket.result}

    def _pull(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
        stream_id, version = wire.number(body, "stream"), wire.number(body, "version")
        with self.database.read() as session:
            place = editing.place_of(session, self._actor(session, client), stream_id)
            with heads.reading(session, place.section_id) as head:
                stream = head.log_of(stream_id)
                now = stream.version
                if version > now:
                    raise NotFound(f"stream {stream_id} has no version {version}; its newest is {now}", version=now)
                updates = stream.since(version)
            names = self._names_of(updates)
        return {**wire.updates_json(stream_id, version, updates, names), "version": now}

    def _caret(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
        stream_id = wire.number(body, "stream")
        room = client.streams.get(stream_id)
        present = room.people.get(client.key) if room is not None else None
        if room is None or present is None:
            return {}
        room.people[client.key] = {
            **present,
            "anchor": wire.maybe_number(body, "anchor"),
            "head": wire.maybe_number(body, "head"),
            "version": wire.number(body, "version", 0),
        }
        if not room.people_changed:
            room.people_changed = True
            self._poke()
        return {}

    # ── the writer ─────────────────────────────────────────────────────────────────────────────────────

    def _moved(self, movements: list[Movement]) -> None:
        """A transaction of this process was committed."""
        with self._wake:
            self._movements.extend(movements)
            self._wake.notify()
        if self._redis is not None:
            self._tell_workers(movements)

    def _run(self) -> None:
        began, pause = 0.0, 0.0
        while self._running:
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
        times.extend(room.people_due for room in self.rooms.all() if room.people_changed)
        if self._redis is not None:
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
            self._show_out(movement.document_id)
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

    def _show_out(self, document_id: int) -> None:
        """Looks up again who is in a document's rooms; who may not be there any more is disconnected at once."""
        rooms = [room for room in self.rooms.all() if room.document_id == document_id]
        for client in {client.sid: client for room in rooms for client in list(room.clients.values())}.values():
            was_signed_in = client.actor.is_signed_in
            with self.database.read() as session:
                client.checked_at = 0.0
                actor = self._actor(session, client)
                try:
                    for room in rooms:
                        if client.sid in room.clients:
                            editing.place_of(session, actor, room.stream_id)
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
                try:
                    stream = head.log_of(room.stream_id)
                except NotFound:
                    continue  # withdrawn
                if stream.version > room.sent:
                    waiting.append((room, room.sent, stream.since(room.sent)))
                    room.sent = stream.version
        names = self._names_of([one for _, _, stored in waiting for one in stored])
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
                stored = head.log_of(room.stream_id).since(version, room.sent)
            names = self._names_of(stored)
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
            if room.people_changed and room.people_due <= now:
                room.people_changed = False
                room.people_due = now + room.people_pause()
                room.broadcast(event_frame("people", {"stream": room.stream_id, "people": room.all_people()}))
                if self._redis is not None:
                    self._publish({"people": list(room.people.values()), "stream": room.stream_id})

    @contextmanager
    def _head(self, section_id: int) -> Iterator[heads.Head]:
        """The section's head; what this process committed it knows already, and nobody else writes without Redis."""
        if self._redis is None:
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

    def _names_of(self, stored: Sequence[heads.Stored]) -> Mapping[int, str]:
        missing = {each.author_id for each in stored if each.author_id is not None} - self._names.keys()
        if missing:
            with self.database.read() as session:
                rows = session.execute(select(User.id, User.name).where(User.id.in_(missing)))
                self._names.update({row.id: row.name for row in rows})
        return self._names

    def _badge(self, session: Session, actor: Actor, document_id: int) -> dict[str, Any]:
        organization_id = actor.organization_id(document_id)
        if organization_id is None:
            return {"organization": None, "code": None, "hue": None}
        row = session.get(Organization, organization_id)
        assert row is not None
        return {"organization": row.name, "code": row.code, "hue": row.hue}

    # ── other workers ──────────────────────────────────────────────────────────────────────────────────

    def _publish(self, message: dict[str, Any]) -> None:
        try:
            self._redis.publish(CHANNEL, json.dumps({"worker": self.worker, **message}))
        except Exception as error:  # a lost word only delays
            log.warning("Redis did not take a message: %s", error)

    def _tell_workers(self, movements: list[Movement]) -> None:
        for each in movements:
            self._publish(
                {
                    "section": each.section_id,
                    "document": each.document_id,
                    "streams": sorted(each.streams),
                    "suggestions": sorted(each.suggestions),
                    "cards": sorted(each.cards),
                    "what": sorted(each.what),
                }
            )

    def _listen(self) -> None:
        while self._running:
            try:
                with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(CHANNEL)
                    while self._running:
                        message = channel.get_message(timeout=1.0)
                        if message is not None:
                            self._heard(json.loads(message["data"]))
            except Exception as error:
                log.warning("the line to Redis broke: %s; trying again", error)
                time.sleep(1.0)

    def _heard(self, message: dict[str, Any]) -> None:
        if message.get("worker") == self.worker:
            return
        if "people" in message:
            for room in self.rooms.of([message["stream"]]):
                room.elsewhere[message["worker"]] = message["people"]
                room.people_changed = True
            self._poke()
            return
        movement = Movement(
            message["section"],
            message["document"],
            set(message["streams"]),
            set(message["suggestions"]),
            {(kind, number) for kind, number in message["cards"]},
            set(message["what"]),
        )
        with self._wake:
            self._movements.append(movement)
            self._wake.notify()

    def _poll(self) -> None:
        """Looks for what other workers stored without our hearing of it."""
        if self._redis is None or time.monotonic() - self._polled < POLL_EVERY:
            return
        self._polled = time.monotonic()
        rooms = self.rooms.all()
        if not rooms:
            return
        with self.database.read() as session:
            versions = dict(
                session.execute(
                    select(Stream.id, Stream.version).where(Stream.id.in_([room.stream_id for room in rooms]))
                )
                .all()
            )
        for room in rooms:
            if versions.get(room.stream_id, 0) > room.sent:
                with self._wake:
                    self._movements.append(Movement(room.section_id, room.document_id, {room.stream_id}))

"""What clients say over the socket: connect, join, leave, push, pull, caret; each is answered with its value or an error.

Every event comes on the thread of its connection, and those of one client in order. Who asks is looked up again every
`ACTOR_AGE` seconds, and at once when a role or a session ended (`Writer.show_out`); what they may do is decided by the
services, never here. A push is handed to the writer, which stores what has gathered and answers.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import socketio
from flask import Flask
from flask_babel import force_locale
from sqlalchemy.orm import Session

from drafting.errors import DraftingError, InvalidInput, NotSignedIn
from drafting.services import accounts, annotations, heads, streams, suggestions
from drafting.services.access import ANONYMOUS, Actor
from drafting.store.database import Database
from drafting.store.models import Organization
from drafting.web import identity, language, websocket, wire, words
from drafting.web.rooms import MAX_STREAMS, Client, Room, Rooms
from drafting.web.writer import Writer

log = logging.getLogger(__name__)

ACTOR_AGE = 3.0  # s after which a client's roles are looked up again
PATIENCE = 30.0  # s that a push may wait for its answer


class Events:
    """The handlers of one live server."""

    def __init__(
        self, app: Flask, server: socketio.Server, rooms: Rooms, writer: Writer, heard: Callable[[], None]
    ) -> None:
        """heard: called whenever a client says something"""
        self.app = app
        self.server = server
        self.rooms = rooms
        self.writer = writer
        self.heard = heard
        self.database: Database = app.extensions["database"]
        server.on("connect", self.connect)
        server.on("disconnect", self.disconnect)
        for event, handler in {
            "join": self.join,
            "leave": self.leave,
            "push": self.push,
            "pull": self.pull,
            "caret": self.caret,
        }.items():
            server.on(event, self.answering(handler))

    # ── clients come and go ────────────────────────────────────────────────────────────────────────────

    def connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> bool | None:
        """Lets a client in as whoever its session names.

        auth  {"csrf": the token of the page}. A browser whose page is of another session is nobody: what was typed as
              one person is never stored as another's who has signed in meanwhile in the next tab.
        """
        connection = self.server.eio.sockets[self.server.manager.eio_sid_from_sid(sid, "/")].queue.connection
        if connection is None:
            return False
        with self.app.request_context(environ):
            actor, spoken, mark = identity.actor(), language.chosen(), identity.session_mark()
            if actor.is_signed_in and "HTTP_ORIGIN" in environ:
                token = auth.get("csrf") if isinstance(auth, dict) else None
                if not identity.is_of_this_session(token):
                    actor = ANONYMOUS
        self.rooms.add(Client(sid, secrets.token_hex(4), connection, actor, spoken, mark))
        return None

    def disconnect(self, sid: str, reason: Any = None) -> None:
        client = self.rooms.remove(sid)
        if client is not None:
            client.connection.close()  # also when it only left the namespace: it has nothing more to say
        self.writer.poke()

    def actor(self, session: Session, client: Client) -> Actor:
        """Who the client is now; roles that ended and passwords that changed count within seconds."""
        now = time.monotonic()
        if client.actor.user_id is not None and now - client.checked_at > ACTOR_AGE:
            client.actor = accounts.signed_in(session, client.actor.user_id, client.actor.session_epoch)
            client.checked_at = now
        return client.actor

    def answering(self, handler: Callable[[Client, Mapping[str, Any]], dict[str, Any]]) -> Callable[..., Any]:
        """The handler, which answers every event with its value or the one error body."""

        def answer(sid: str, data: Any = None, *rest: Any) -> dict[str, Any]:
            self.heard()
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
        with self.app.app_context(), force_locale(client.language):
            return wire.error_body(error, words.error_text(wire.refusal(error)))

    # ── events ─────────────────────────────────────────────────────────────────────────────────────────

    def join(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
        stream_id, version = wire.number(body, "stream"), wire.maybe_number(body, "version")
        if len(client.streams) >= MAX_STREAMS and stream_id not in client.streams:
            raise InvalidInput(f"at most {MAX_STREAMS} streams are open at once; leave one", limit=MAX_STREAMS)
        shown_out = self.writer.shown_out
        with self.database.read() as session:
            actor = self.actor(session, client)
            place = streams.place_of(session, actor, stream_id)
        answer: dict[str, Any] = {
            "stream": stream_id,
            "kind": "main" if place.suggestion_id is None else "branch",
            "section": place.section_id,
            "key": client.key,
        }
        opened, moved = None, 0
        if place.suggestion_id is not None:
            opened = self.database.run(
                lambda session: streams.open_branch(session, place.section_id, stream_id, version)
            )
        with self.database.read() as session:
            if opened is None:
                with heads.reading(session, place.section_id) as head:
                    opened, moved = streams.opening(head, stream_id, version), head.moved
                    answer["suggestions"] = suggestions.live(session, actor, head)
                    answer["annotations"] = annotations.live(session, actor, head)
            answer["can"] = streams.can(session, actor, place)
            badge = _badge(session, actor, place.document_id) if actor.is_signed_in else {}
        now = answer["version"] = opened.version
        if opened.text is not None:
            answer["text"] = opened.text
        else:
            names = self.writer.names_of(opened.updates)
            answer["updates"] = [wire.stored_json(each, names) for each in opened.updates]
        room = self.rooms.enter(
            client,
            lambda: Room(stream_id, place.section_id, place.document_id, place.suggestion_id, sent=now, moved=moved),
            stream_id,
        )
        if self.writer.shown_out != shown_out:  # somebody's role ended meanwhile, when this client was in no room yet
            self.writer.show_out(place.document_id)
        if actor.is_signed_in:
            present = {"key": client.key, "name": actor.name, **badge, "anchor": None, "head": None, "version": now}
            room.people[client.key] = present
            room.people_changed = True
        answer["people"] = [one for one in room.all_people() if one["key"] != client.key]
        self.writer.entered(client, room, now)
        return answer

    def leave(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
        self.rooms.leave(client, wire.number(body, "stream"))
        self.writer.poke()
        return {}

    def push(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
        if client.actor.user_id is not None and time.monotonic() - client.checked_at > ACTOR_AGE:
            with self.database.read() as session:
                self.actor(session, client)
        ticket = self.writer.submit(wire.push_of(client.actor, body))
        if not ticket.done.wait(PATIENCE):
            log.error("a push waited for more than %s s", PATIENCE)
            return wire.INTERNAL
        if ticket.came_late:  # no answer at all: the client sends it again when it is back
            client.connection.close(websocket.CloseReason.GOING_AWAY)
            return wire.INTERNAL
        if isinstance(ticket.result, DraftingError):
            raise ticket.result
        if not isinstance(ticket.result, int):
            return wire.INTERNAL
        return {"version": ticket.result}

    def pull(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
        stream_id, version = wire.number(body, "stream"), wire.number(body, "version")
        with self.database.read() as session:
            place = streams.place_of(session, self.actor(session, client), stream_id)
            now, updates = streams.missed(session, place, version)
            names = self.writer.names_of(updates)
        return {**wire.updates_json(stream_id, version, updates, names), "version": now}

    def caret(self, client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
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
            self.writer.poke()
        return {}


def _badge(session: Session, actor: Actor, document_id: int) -> dict[str, Any]:
    """For whom a person speaks, as carets show it."""
    organization_id = actor.organization_id(document_id)
    if organization_id is None:
        return {"organization": None, "code": None, "hue": None}
    row = session.get_one(Organization, organization_id)
    return {"organization": row.name, "code": row.code, "hue": row.hue}

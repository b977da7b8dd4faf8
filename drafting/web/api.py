"""The JSON API under /api/v1, described by itself at /api/v1/openapi.json.

A call is one service function: the body is read here, the answer is its value as JSON. Cookies say who asks; what
writes needs the CSRF token in the header X-CSRFToken. Refusals have the one error body of `wire`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from sqlalchemy.orm import Session

from drafting.errors import EngineError, InvalidInput, NotFound
from drafting.services import annotations, decisions, documents, editing, mentions, people, sections, suggestions
from drafting.services.access import Actor
from drafting.services.decisions import Judged
from drafting.store.database import Database
from drafting.web import identity, wire

VERSION = "1"
blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

Body = Mapping[str, Any]
described: list[dict[str, Any]] = []  # what openapi.json is made of


def init(app: Flask) -> None:
    """Puts the API into the application."""
    app.register_blueprint(blueprint)


def call(
    method: str, path: str, summary: str, body: str = "", answer: str = "", status: int = 200
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A route of the API. The function gets (session, actor, body, **path) and returns a value for JSON.

    body     names of the fields, "*" after those that are needed: "reason* origins"
    answer   what comes back, in a few words
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        writes = method != "GET"

        def view(**values: Any) -> Response:
            database: Database = current_app.extensions["database"]
            actor = identity.actor()
            sent: Body = {}
            if any(isinstance(each, int) and not wire.is_id(each) for each in values.values()):
                raise NotFound("there is no such thing")
            if writes:
                sent = wire.mapping(wire.json_of(request.data) if request.data else {})

                def work(session: Session) -> Any:
                    return function(session, actor, sent, **values)

                try:
                    value = database.run(work)
                except EngineError as error:  # what was sent does not fit the text
                    raise wire.refusal(error) from None
            else:
                sent = request.args
                with database.read() as session:
                    value = function(session, actor, sent, **values)
            response = jsonify(value_json(value))
            response.status_code = status
            return response

        view.__name__ = function.__name__
        blueprint.add_url_rule(path, endpoint=function.__name__, view_func=view, methods=[method])
        described.append(
            {"method": method.lower(), "path": path, "summary": summary, "body": body.split(), "answer": answer}
        )
        return function

    return decorate


def value_json(value: Any) -> Any:
    """A service's value as JSON: dataclasses become objects with the names of their fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: value_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): value_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [value_json(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(value_json(each) for each in value)
    return wire.jsonable(value)


def asked(args: Body, name: str) -> int | None:
    """A whole number of the query. raises: InvalidInput"""
    text = args.get(name)
    if text is None or text == "":
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > wire.LARGEST:
        raise InvalidInput(f"{name} must be a whole number", field=name)
    return int(text)


# ── documents and sections ──────────────────────────────────────────────────────────────────────────────


@call("GET", "/documents", "The documents that one may read", answer="documents")
def list_documents(session: Session, actor: Actor, args: Body) -> Any:
    return {"documents": documents.documents(session, actor)}


@call("GET", "/documents/<slug>", "A document with its sections", answer="document, sections")
def show_document(session: Session, actor: Actor, args: Body, slug: str) -> Any:
    document = documents.document(session, actor, slug)
    return {"document": document, "sections": sections.outline(session, actor, document.id)}


@call("POST", "/documents/<slug>/origins", "On whose behalf: the origin with this organisation and meeting", "organization meeting", "origin")
def use_origin(session: Session, actor: Actor, body: Body, slug: str) -> Any:
    row = documents.document_row(session, actor, slug)
    return {
        "origin": people.use_origin(
            session, actor, row.id, wire.maybe_number(body, "organization"), wire.maybe_number(body, "meeting")
        )
    }


@call("GET", "/sections/<int:section_id>", "A section and its text, now or at a version", answer="id title stream version text")
def show_section(session: Session, actor: Actor, args: Body, section_id: int) -> Any:
    view = sections.section(session, actor, section_id)
    text = editing.text_at(session, actor, section_id, asked(args, "version"))
    return {**value_json(view), "stream": view.stream_id, "version": text.version, "text": text.text}


@call("GET", "/sections/<int:section_id>/attribution", "Who brought in every character", answer="version spans sources")
def attribution(session: Session, actor: Actor, args: Body, section_id: int) -> Any:
    from drafting.services import history

    return history.attribution_json(
        session, actor, section_id, asked(args, "version"), deleted=args.get("deleted") == "1"
    )


@call("GET", "/sections/<int:section_id>/story", "The story of the words at a place", answer="the story")
def story(session: Session, actor: Actor, args: Body, section_id: int) -> Any:
    from drafting.services import history

    return history.story(session, actor, section_id, asked(args, "pos") or 0, asked(args, "version"))


@call("POST", "/sections/<int:section_id>/restore", "The section as it was at a version", "version*", "version")
def restore(session: Session, actor: Actor, body: Body, section_id: int) -> Any:
    return {"version": editing.restore(session, actor, section_id, wire.number(body, "version"))}


@call("POST", "/sections/<int:section_id>/text", "The section with this text", "text* version origins", "version")
def replace_text(session: Session, actor: Actor, body: Body, section_id: int) -> Any:
    version = editing.replace_text(
        session, actor, section_id, wire.words_of(body, "text"),
        version=wire.maybe_number(body, "version"), origin_ids=wire.numbers(body, "origins"),
    )
    return {"version": version}


@call("POST", "/sections/<int:section_id>/move", "A passage moved to another section", "start* end* target* position*", "version target_version")
def move(session: Session, actor: Actor, body: Body, section_id: int) -> Any:
    version, target_version = editing.move(
        session, actor, section_id, wire.number(body, "start"), wire.number(body, "end"),
        wire.number(body, "target"), wire.number(body, "position"),
    )
    return {"version": version, "target_version": target_version}


@call("POST", "/streams/<int:stream_id>/push", "Updates of an editor, as over the socket", "version* updates* origins", "version")
def push(session: Session, actor: Actor, body: Body, stream_id: int) -> Any:
    one = wire.push_of(actor, {**body, "stream": stream_id})
    return {"version": editing.push(session, actor, stream_id, one.version, one.updates, one.origin_ids)}


# ── suggestions ─────────────────────────────────────────────────────────────────────────────────────────


@call("GET", "/documents/<slug>/suggestions", "The suggestions of a document, filtered by section, organization, meeting, state, hunk_state, words", answer="suggestions total")
def list_suggestions(session: Session, actor: Actor, args: Body, slug: str) -> Any:
    row = documents.document_row(session, actor, slug)
    filters: dict[str, Any] = {
        "section_id": asked(args, "section"),
        "organization_id": asked(args, "organization"),
        "meeting_id": asked(args, "meeting"),
        "states": tuple(filter(None, (args.get("state") or "").split(","))),
        "hunk_state": args.get("hunk_state") or None,
        "words": args.get("words") or "",
    }
    limit, offset = min(asked(args, "limit") or 100, 500), asked(args, "offset") or 0
    found = suggestions.listing(session, actor, row.id, **filters, limit=limit, offset=offset)
    return {
        "suggestions": [suggestion_json(one) for one in found],
        "total": suggestions.count(session, actor, row.id, **filters),
    }


@call("GET", "/sections/<int:section_id>/suggestions", "The suggestions of a section", answer="suggestions")
def section_suggestions(session: Session, actor: Actor, args: Body, section_id: int) -> Any:
    return {"suggestions": [suggestion_json(one) for one in suggestions.of_section(session, actor, section_id)]}


@call("POST", "/sections/<int:section_id>/suggestions", "A new draft; its changes are pushed to its stream", "origins form", "suggestion", 201)
def open_suggestion(session: Session, actor: Actor, body: Body, section_id: int) -> Any:
    view = suggestions.open_suggestion(
        session, actor, section_id, origin_ids=wire.numbers(body, "origins"), form=wire.words_of(body, "form", "platform")
    )
    return {"suggestion": suggestion_json(view)}


@call("POST", "/documents/<slug>/suggestions", "A new draft for a whole new section", "origins form position", "suggestion", 201)
def propose_section(session: Session, actor: Actor, body: Body, slug: str) -> Any:
    row = documents.document_row(session, actor, slug)
    view = suggestions.propose_section(
        session, actor, row.id, position=wire.maybe_number(body, "position"),
        origin_ids=wire.numbers(body, "origins"), form=wire.words_of(body, "form", "platform"),
    )
    return {"suggestion": suggestion_json(view)}


@call("GET", "/suggestions/<int:suggestion_id>", "A suggestion with its hunks", answer="the suggestion")
def show_suggestion(session: Session, actor: Actor, args: Body, suggestion_id: int) -> Any:
    return suggestion_json(suggestions.suggestion(session, actor, suggestion_id))


@call("PATCH", "/suggestions/<int:suggestion_id>", "Another reason, other origins", "reason origins minutes_quote", "suggestion")
def amend(session: Session, actor: Actor, body: Body, suggestion_id: int) -> Any:
    view = suggestions.amend(
        session, actor, suggestion_id, reason=wire.maybe_words(body, "reason"),
        origin_ids=None if body.get("origins") is None else wire.numbers(body, "origins"),
        minutes_quote=wire.maybe_words(body, "minutes_quote"),
    )
    return {"suggestion": suggestion_json(view)}


@call("POST", "/suggestions/<int:suggestion_id>/file", "Put a draft before everybody", "reason* origins minutes_quote", "suggestion")
def file(session: Session, actor: Actor, body: Body, suggestion_id: int) -> Any:
    view = suggestions.file(
        session, actor, suggestion_id, reason=wire.words_of(body, "reason", ""),
        origin_ids=None if body.get("origins") is None else wire.numbers(body, "origins"),
        minutes_quote=wire.words_of(body, "minutes_quote", ""),
    )
    return {"suggestion": suggestion_json(view)}


@call("POST", "/suggestions/<int:suggestion_id>/withdraw", "Take a suggestion back", answer="suggestion")
def withdraw(session: Session, actor: Actor, body: Body, suggestion_id: int) -> Any:
    return {"suggestion": suggestion_json(suggestions.withdraw(session, actor, suggestion_id))}


@call("POST", "/suggestions/<int:suggestion_id>/endorse", "Support a suggestion for one's organisation", "note", "suggestion")
def endorse(session: Session, actor: Actor, body: Body, suggestion_id: int) -> Any:
    view = suggestions.endorse(session, actor, suggestion_id, wire.words_of(body, "note", ""))
    return {"suggestion": suggestion_json(view)}


@call("POST", "/suggestions/<int:suggestion_id>/unendorse", "Take the support back", answer="suggestion")
def unendorse(session: Session, actor: Actor, body: Body, suggestion_id: int) -> Any:
    return {"suggestion": suggestion_json(suggestions.unendorse(session, actor, suggestion_id))}


@call("GET", "/suggestions/<int:suggestion_id>/hunks/<int:hunk_id>/comparison", "The sentence as it stands, with the hunk, and with its rivals", answer="wordings")
def comparison(session: Session, actor: Actor, args: Body, suggestion_id: int, hunk_id: int) -> Any:
    return {"wordings": suggestions.comparison(session, actor, suggestion_id, hunk_id)}


@call("POST", "/suggestions/<int:suggestion_id>/hunks/<int:hunk_id>/reopen", "Open a superseded hunk again by hand", answer="suggestion")
def reopen_hunk(session: Session, actor: Actor, body: Body, suggestion_id: int, hunk_id: int) -> Any:
    return {"suggestion": suggestion_json(decisions.reopen(session, actor, suggestion_id, hunk_id))}


def suggestion_json(view: suggestions.SuggestionView) -> dict[str, Any]:
    """A suggestion's value; `stream` and `url` names as the editor reads them."""
    return {**value_json(view), "stream": view.stream_id, "supersedes": [list(pair) for pair in view.supersedes]}


# ── decisions ───────────────────────────────────────────────────────────────────────────────────────────


def judged(body: Body) -> list[Judged]:
    """The items of a decision. raises: InvalidInput"""
    items = body.get("items")
    if not isinstance(items, list):
        raise InvalidInput("items must be a list", field="items")
    found = []
    for each in items:
        one = wire.mapping(each)
        found.append(
            Judged(
                wire.number(one, "suggestion"),
                wire.number(one, "hunk"),
                wire.number(one, "branch_version"),
                wire.words_of(one, "hash"),
                wire.words_of(one, "mode", ""),
            )
        )
    return found


@call("POST", "/sections/<int:section_id>/decisions", "Accept or reject hunks as they were read", "items* verdict* reason wording supersedes", "version decisions outcomes")
def decide(session: Session, actor: Actor, body: Body, section_id: int) -> Any:
    done = decisions.decide(
        session, actor, section_id, judged(body), wire.words_of(body, "verdict"),
        reason=wire.words_of(body, "reason", ""), wording=wire.maybe_words(body, "wording"),
        supersedes=wire.pairs(body, "supersedes") or (),
    )
    return {
        **value_json(done),
        "outcomes": [{**value_json(one), "suggestion": one.suggestion_id, "hunk": one.hunk_id} for one in done.outcomes],
    }


@call("POST", "/sections/<int:section_id>/decisions/foresee", "What accepting hunks would do", "items* wording", "outcomes supersedes sentences")
def foresee(session: Session, actor: Actor, body: Body, section_id: int) -> Any:
    return decisions.foresee(session, actor, section_id, judged(body), wire.maybe_words(body, "wording"))


@call("GET", "/decisions/<int:decision_id>", "A decision", answer="the decision")
def show_decision(session: Session, actor: Actor, args: Body, decision_id: int) -> Any:
    return decisions.decision(session, actor, decision_id)


@call("POST", "/decisions/<int:decision_id>/revert", "Take a decision back; `confirm` is the preview of the refusal", "confirm reason", "version decisions closed")
def revert(session: Session, actor: Actor, body: Body, decision_id: int) -> Any:
    return decisions.revert(
        session, actor, decision_id, reason=wire.words_of(body, "reason", ""), confirm=body.get("confirm")
    )


# ── remarks ─────────────────────────────────────────────────────────────────────────────────────────────


def _annotate(session: Session, actor: Actor, body: Body, document_id: int, **about: Any) -> Any:
    view = annotations.annotate(
        session, actor, document_id, wire.words_of(body, "text"),
        kind=wire.words_of(body, "kind", "remark"), origin_id=wire.maybe_number(body, "origin"), **about,
    )
    return {"annotation": view}


@call("POST", "/sections/<int:section_id>/annotations", "A remark on a passage, or on the section without start and end", "text* start end version kind origin", "annotation", 201)
def annotate(session: Session, actor: Actor, body: Body, section_id: int) -> Any:
    row = sections.section_row(session, actor, section_id)
    return _annotate(
        session, actor, body, row.document_id, section_id=section_id, start=wire.maybe_number(body, "start"),
        end=wire.maybe_number(body, "end"), version=wire.maybe_number(body, "version"),
    )


@call("POST", "/suggestions/<int:suggestion_id>/annotations", "A remark on a suggestion", "text* kind origin", "annotation", 201)
def annotate_suggestion(session: Session, actor: Actor, body: Body, suggestion_id: int) -> Any:
    row = suggestions.seen_row(session, actor, suggestion_id)
    return _annotate(session, actor, body, row.document_id, suggestion_id=suggestion_id)


@call("POST", "/documents/<slug>/annotations", "A remark on the whole document", "text* kind origin", "annotation", 201)
def annotate_document(session: Session, actor: Actor, body: Body, slug: str) -> Any:
    row = documents.document_row(session, actor, slug)
    return _annotate(session, actor, body, row.id)


@call("GET", "/sections/<int:section_id>/annotations", "The remarks on a section", answer="annotations")
def section_annotations(session: Session, actor: Actor, args: Body, section_id: int) -> Any:
    return {"annotations": annotations.of_section(session, actor, section_id)}


@call("GET", "/documents/<slug>/annotations", "The remarks of a document, filtered by section, organization, state, words", answer="annotations")
def list_annotations(session: Session, actor: Actor, args: Body, slug: str) -> Any:
    row = documents.document_row(session, actor, slug)
    found = annotations.listing(
        session, actor, row.id, section_id=asked(args, "section"), organization_id=asked(args, "organization"),
        states=tuple(filter(None, (args.get("state") or "").split(","))), words=args.get("words") or "",
        limit=min(asked(args, "limit") or 200, 1000), offset=asked(args, "offset") or 0,
    )
    return {"annotations": found}


@call("GET", "/documents/<slug>/mentionable", "Those whom @Name in a remark tells, for whoever may write one", answer="people")
def list_mentionable(session: Session, actor: Actor, args: Body, slug: str) -> Any:
    row = documents.document_row(session, actor, slug)
    return {"people": mentions.mentionable(session, actor, row.id)}


@call("GET", "/annotations/<int:annotation_id>", "A remark with its thread", answer="annotation")
def show_annotation(session: Session, actor: Actor, args: Body, annotation_id: int) -> Any:
    return {"annotation": annotations.annotation(session, actor, annotation_id)}


@call("POST", "/annotations/<int:annotation_id>/comments", "Reply; @Name tells that person", "text*", "annotation", 201)
def reply(session: Session, actor: Actor, body: Body, annotation_id: int) -> Any:
    return {"annotation": annotations.reply(session, actor, annotation_id, wire.words_of(body, "text"))}


@call("PATCH", "/comments/<int:comment_id>", "An entry of one's own in other words", "text*", "annotation")
def edit_comment(session: Session, actor: Actor, body: Body, comment_id: int) -> Any:
    return {"annotation": annotations.edit_comment(session, actor, comment_id, wire.words_of(body, "text"))}


@call("DELETE", "/comments/<int:comment_id>", "Take an entry out", answer="annotation")
def remove_comment(session: Session, actor: Actor, body: Body, comment_id: int) -> Any:
    return {"annotation": annotations.remove_comment(session, actor, comment_id)}


@call("POST", "/annotations/<int:annotation_id>/resolve", "Settle a remark", answer="annotation")
def resolve(session: Session, actor: Actor, body: Body, annotation_id: int) -> Any:
    return {"annotation": annotations.resolve(session, actor, annotation_id)}


@call("POST", "/annotations/<int:annotation_id>/reopen", "Open a remark again", answer="annotation")
def reopen(session: Session, actor: Actor, body: Body, annotation_id: int) -> Any:
    return {"annotation": annotations.reopen(session, actor, annotation_id)}


@call("POST", "/annotations/<int:annotation_id>/position", "The office's position, with its reason", "position* reason", "annotation")
def answer(session: Session, actor: Actor, body: Body, annotation_id: int) -> Any:
    view = annotations.answer(
        session, actor, annotation_id, wire.words_of(body, "position"), wire.words_of(body, "reason", "")
    )
    return {"annotation": view}


@call("POST", "/annotations/<int:annotation_id>/find", "Find the passage of an orphan by its words; put back when it is in one place only", answer="found annotation")
def find(session: Session, actor: Actor, body: Body, annotation_id: int) -> Any:
    found = annotations.put_back(session, actor, annotation_id)
    return {"found": found, "annotation": annotations.annotation(session, actor, annotation_id)}


@call("POST", "/annotations/<int:annotation_id>/place", "Put a remark on a passage by hand", "start* end* version*", "annotation")
def place(session: Session, actor: Actor, body: Body, annotation_id: int) -> Any:
    view = annotations.place(
        session, actor, annotation_id, wire.number(body, "start"), wire.number(body, "end"), wire.number(body, "version")
    )
    return {"annotation": view}


# ── the description ─────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The API described in OpenAPI 3.1."""
    return jsonify(description())


def description() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the API."""
    paths: dict[str, Any] = {}
    refused = {"$ref": "#/components/responses/Refused"}
    for one in described:
        parameters = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "integer" if kind == "int" else "string"},
            }
            for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", one["path"])
        ]
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one["path"])
        operation: dict[str, Any] = {
            "summary": one["summary"],
            "parameters": parameters,
            "responses": {
                "200": {"description": one["answer"] or "done", "content": {"application/json": {"schema": {"type": "object"}}}},
                "default": refused,
            },
        }
        if one["body"]:
            names = [name.rstrip("*") for name in one["body"]]
            operation["requestBody"] = {
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "properties": {name: {} for name in names},
                            "required": [name.rstrip("*") for name in one["body"] if name.endswith("*")],
                        }
                    }
                }
            }
        paths.setdefault(path, {})[one["method"]] = operation
    error = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "details"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "details": {"type": "object"},
                },
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Drafting", "version": VERSION, "description": "Positions count UTF-16 code units."},
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": {"Error": error},
            "responses": {
                "Refused": {
                    "description": "The one error body; `code` is stable, `message` is in the reader's language",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
            },
        },
    }

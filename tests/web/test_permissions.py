"""Every route and API call × every person × every phase, against the one table of `services/access.py`.

What counts is what happens: a refused request changes nothing in the database, an allowed one does what it is for.
Each request starts from the same world. An address that writes and is not listed here fails the test; one that only
reads, and is not listed, is for everybody who may read the document.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from drafting.config import Settings
from drafting.services import heads
from drafting.services.access import Actor, Role, permitted
from drafting.services.clock import now
from drafting.store.database import Database
from drafting.store.models import Document
from drafting.web.app import create_app
from drafting.web.identity import sign_in_token
from tests.web.conftest import visitor
from tests.web.world import World, build

Judge = Callable[[Actor, "Moment"], bool]


@dataclass(frozen=True)
class Moment:
    """A phase, before or after its deadline, of a document that is published or not."""

    phase: str
    late: bool = False
    hidden: bool = False

    def __str__(self) -> str:
        return self.phase + ("-late" if self.late else "") + ("-hidden" if self.hidden else "")


MOMENTS = (
    Moment("drafting"),
    Moment("consultation"),
    Moment("consultation", late=True),
    Moment("consultation", hidden=True),
    Moment("review"),
    Moment("opinion"),
    Moment("opinion", late=True),
    Moment("adopted"),
)

if os.environ.get("DRAFTING_PLAY", "smoke") == "smoke":  # the others take a minute and are walked in full plays
    MOMENTS = tuple(at for at in MOMENTS if str(at) in {"consultation", "consultation-hidden", "opinion-late"})

# ── who may, beyond the table ───────────────────────────────────────────────────────────────────────────

DOCUMENT = 1


def table(action: str) -> Judge:
    """As the table says, for members, and for everybody when the document is published."""

    def judge(actor: Actor, at: Moment) -> bool:
        role = actor.role(DOCUMENT)
        if role is Role.PUBLIC and at.hidden:
            return False
        return permitted(role, action, at.phase, deadline_passed=at.late)

    return judge


def own(action: str) -> Judge:
    """As the table says, for what is one's own: of the roles that own something here."""
    return lambda actor, at: actor.role(DOCUMENT) not in (Role.PUBLIC, Role.OBSERVER) and table(action)(actor, at)


def either(*judges: Judge) -> Judge:
    return lambda actor, at: any(judge(actor, at) for judge in judges)


def nobody(actor: Actor, at: Moment) -> bool:
    return False


def anyone(actor: Actor, at: Moment) -> bool:
    return True


def signed_in(actor: Actor, at: Moment) -> bool:
    return actor.is_signed_in


def member(actor: Actor, at: Moment) -> bool:
    return actor.role(DOCUMENT) is not Role.PUBLIC


def operator(actor: Actor, at: Moment) -> bool:
    return actor.is_operator


def contributor(actor: Actor, at: Moment) -> bool:
    return actor.role(DOCUMENT) is Role.CONTRIBUTOR


# ── what is asked ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Case:
    """A request: values in braces are filled in from the world, as the asking person means them."""

    method: str
    path: str
    judge: Judge
    form: dict[str, Any] | None = None
    json: dict[str, Any] | None = None
    writes: bool = True  # an allowed one changes the database

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def get(path: str, judge: Judge | str = "read") -> Case:
    return Case("GET", path, table(judge) if isinstance(judge, str) else judge, writes=False)


def post(path: str, judge: Judge | str, writes: bool = True, /, **form: Any) -> Case:
    return Case("POST", path, table(judge) if isinstance(judge, str) else judge, form=form, writes=writes)


def send(method: str, path: str, judge: Judge | str, writes: bool = True, /, **json: Any) -> Case:
    return Case(method, "/api/v1" + path, table(judge) if isinstance(judge, str) else judge, json=json, writes=writes)


D = "/d/{slug}"
CHANGE = [{"client": "walker", "sequence": 1, "changes": [[0, "X"], "{rest}"]}]
SHIFT = "2026-03-01T10:00"

CASES: dict[str, list[Case]] = {
    # the server
    "home.start": [get("/", anyone)],
    "home.accessibility": [get("/accessibility", anyone)],
    "home.how": [get("/how-it-works", anyone)],
    "home.privacy": [get("/personal-data", anyone)],
    "home.new_document": [
        get("/documents/new", operator),
        post("/documents/new", operator, title="New", language="pl"),
    ],
    "api.openapi": [get("/api/v1/openapi.json", anyone)],
    "api.list_documents": [get("/api/v1/documents", anyone)],
    # accounts
    "account.sign_in": [get("/signin", anyone), post("/signin", nobody, email="x@example.org", password="x")],
    "account.sign_out": [post("/signout", anyone, False)],
    "account.speak": [Case("GET", "/language/en", signed_in)],  # the language of the account
    "account.enter": [get("/enter/{enter}", anyone)],
    "account.invitation": [
        get("/invite/{token}", anyone),
        post("/invite/{token}", anyone, name="New", email="new@example.org", password="ławka pod lipą"),
    ],
    "account.reset": [get("/reset/{reset}", anyone), post("/reset/{reset}", anyone, password="ławka pod lipą")],
    "account.settings": [
        get("/account", signed_in),
        post("/account", signed_in, name="Another", language="en", may_be_named="1"),
    ],
    "account.password": [post("/account/password", nobody, old="wrong", password="ławka pod lipą")],
    "account.sign_out_everywhere": [post("/account/sign-out-everywhere", signed_in)],
    "account.end_account": [post("/account/end", signed_in, confirm="1")],
    "account.notifications": [get("/notifications", signed_in)],
    "account.mark_read": [post("/notifications/read", signed_in, False)],
    # the document
    "people.every": [get(D + "/people", "see_members")],
    "people.invite": [post(D + "/people/invite", "manage_people", role="observer")],
    "people.revoke": [post(D + "/people/invitations/{invitation}/revoke", "manage_people")],
    "people.change": [post(D + "/people/{victim}", "manage_people", role="drafter")],
    "people.end": [post(D + "/people/{victim}/end", "manage_people")],
    "people.reset": [post(D + "/people/{victim}/reset", "manage_people")],
    "project.leave": [post(D + "/leave", member)],
    "settings.document": [
        get(D + "/settings", "manage_document"),
        post(D + "/settings", "manage_document", title="T", language="en", timezone="Europe/Warsaw"),
    ],
    "settings.phase": [post(D + "/settings/phase", "manage_phase", phase="drafting", ends_at="", note="Why")],
    "settings.publish": [
        post(D + "/settings/publish", lambda actor, at: not at.hidden and table("publish")(actor, at)),
        post(D + "/settings/publish", lambda actor, at: at.hidden and table("publish")(actor, at), is_public="1"),
    ],
    "news.every": [get(D + "/news", "news"), post(D + "/news", "news", title="T", text="x")],
    "news.remove": [post(D + "/news/{news}/remove", "news")],
    "project.add_file": [post(D + "/files", "manage_meetings", file=(b"x", "x.txt"))],
    "project.remove_file": [post(D + "/files/{file}/remove", "manage_meetings")],
    "meetings.new": [
        get(D + "/meetings/new", "manage_meetings"),
        post(D + "/meetings/new", "manage_meetings", topic="T", held_at=SHIFT),
    ],
    "meetings.edit": [
        get(D + "/meetings/{meeting}/edit", "manage_meetings"),
        post(D + "/meetings/{meeting}/edit", "manage_meetings", topic="T"),
    ],
    "meetings.remove": [post(D + "/meetings/{unused}/remove", "manage_meetings")],
    "organizations.new": [
        get(D + "/organizations/new", "manage_organizations"),
        post(D + "/organizations/new", "manage_organizations", name="New", kind="ngo"),
    ],
    "organizations.edit": [
        get(D + "/organizations/{code}/edit", "manage_organizations"),
        post(D + "/organizations/{code}/edit", "manage_organizations", name="New", code="{code}", kind="ngo"),
    ],
    "milestones.every": [get(D + "/milestones"), post(D + "/milestones", "milestone", name="Second")],
    "sections.every": [get(D + "/sections", "structure")],
    "sections.add": [post(D + "/sections", "structure", title="New")],
    "sections.rename": [post(D + "/sections/{section}/rename", "edit", title="New")],
    "sections.remove": [post(D + "/sections/{section}/remove", "structure")],
    "sections.restore": [post(D + "/sections/{removed}/restore", "structure")],
    "sections.read_file": [post(D + "/sections/import", "structure", file=(b"# A", "a.md"))],
    "sections.order": [post(D + "/sections/order", "structure", move="{section}:down")],
    # on whose behalf
    "workspace.origins": [
        Case(
            "POST",
            D + "/origins",
            either(table("speak_for_anyone"), contributor),
            json={"organizations": ["{contributor_organization}"], "meeting": "{unused_id}"},
        )
    ],
    "api.use_origin": [
        send(
            "POST",
            "/documents/{slug}/origins",
            either(table("speak_for_anyone"), contributor),
            organization="{contributor_organization}",
            meeting="{unused_id}",
        )
    ],
    # the past
    "history.caught_up": [post(D + "/history/away", member)],
    "history.restore": [post(D + "/milestones/{milestone}/restore", "restore")],
    # the text
    "api.restore": [send("POST", "/sections/{section}/restore", "restore", version=1)],
    "api.replace_text": [send("POST", "/sections/{section}/text", "edit", text="New")],
    "api.move": [
        send("POST", "/sections/{second}/move", "edit", start=0, end=5, target="{section}", position=0),
    ],
    "api.push": [
        send("POST", "/streams/{stream}/push", "edit", version="{version}", updates=CHANGE),
        send("POST", "/streams/{branch}/push", own("suggest"), version="{branch_version}", updates=CHANGE),
    ],
    # suggestions
    "api.open_suggestion": [send("POST", "/sections/{section}/suggestions", "suggest")],
    "api.propose_section": [send("POST", "/documents/{slug}/suggestions", "suggest")],
    "api.amend": [send("PATCH", "/suggestions/{filed}", own("suggest"), reason="Other")],
    "api.file": [send("POST", "/suggestions/{draft}/file", own("file"), reason="Because")],
    "api.withdraw": [send("POST", "/suggestions/{filed}/withdraw", own("withdraw"))],
    "api.endorse": [send("POST", "/suggestions/{suggestion}/endorse", "endorse")],
    "api.unendorse": [send("POST", "/suggestions/{endorsed}/unendorse", "endorse")],
    "api.reopen_hunk": [send("POST", "/suggestions/{superseded}/hunks/{superseded_hunk}/reopen", "decide")],
    "suggestions.act": [
        post(D + "/suggestions/{suggestion_number}/endorse", "endorse", note="Yes"),
        post(D + "/suggestions/{endorsed_number}/unendorse", "endorse"),
        post(D + "/suggestions/{number}/withdraw", own("withdraw")),
    ],
    "suggestions.file": [
        post(D + "/suggestions/{draft_number}/file", own("file"), reason="Because"),
        post(D + "/suggestions/{number}/file", own("suggest"), reason="Other"),
    ],
    "suggestions.new_section": [
        get(D + "/suggestions/new-section", "suggest"),
        post(D + "/suggestions/new-section", "suggest", title="T", text="x", reason="Because"),
    ],
    # decisions
    "suggestions.revert": [
        post(D + "/suggestions/{decided_number}/decisions/{decision}/revert", "revert", reason="So")
    ],
    "review.desk": [get(D + "/review", "decide")],
    "review.decide": [
        post(D + "/review", "decide", u="{suggestion_number}", verdict="accepted", w="{choice}", reason="Yes"),
        post(D + "/review", "decide", u="{suggestion_number}", verdict="rejected", read="{choice}", reason="No"),
    ],
    "sets.choose": [get(D + "/review/set", "decide")],
    "sets.decide": [
        post(D + "/review/set", "decide", place="{choice}", verdict="rejected", reason="No", **{"in": "{section}"})
    ],
    "api.decide": [
        send("POST", "/sections/{section}/decisions", "decide", items="{items}", verdict="accepted", reason="Yes"),
        send("POST", "/sections/{section}/decisions", "decide", items="{items}", verdict="rejected", reason="No"),
        send(
            "POST",
            "/sections/{section}/decisions",
            "reword",
            items="{items}",
            verdict="accepted",
            reason="So",
            wording="Z",
        ),
    ],
    "api.foresee": [send("POST", "/sections/{section}/decisions/foresee", "decide", False, items="{items}")],
    "api.revert": [send("POST", "/decisions/{decision}/revert", "revert")],
    # remarks
    "suggestions.remark": [post(D + "/suggestions/{suggestion_number}/remark", "annotate", text="A")],
    "remarks.add": [post(D + "/remarks", "annotate", text="A", kind="remark")],
    "remarks.reply": [post(D + "/remarks/{remark_number}/reply", "reply", text="A")],
    "remarks.answer": [post(D + "/remarks/{remark_number}/answer", "answer", position="noted", reason="So")],
    "remarks.settle": [
        post(D + "/remarks/{remark_number}/resolve", "resolve"),
        post(D + "/remarks/{resolved_number}/reopen", "resolve"),
    ],
    "remarks.put_back": [post(D + "/remarks/{lost_number}/put-back", "place")],
    "remarks.remove_comment": [post(D + "/remarks/{remark_number}/comments/{foreign_reply}/remove", "moderate")],
    "api.list_mentionable": [get("/api/v1/documents/{slug}/mentionable", "reply")],
    "api.annotate": [send("POST", "/sections/{section}/annotations", "annotate", text="A", start=2, end=7, version=1)],
    "api.annotate_suggestion": [send("POST", "/suggestions/{suggestion}/annotations", "annotate", text="A")],
    "api.annotate_document": [send("POST", "/documents/{slug}/annotations", "annotate", text="A")],
    "api.reply": [send("POST", "/annotations/{remark}/comments", "reply", text="A")],
    "api.edit_comment": [send("PATCH", "/comments/{comment}", own("reply"), text="B")],
    "api.remove_comment": [
        send("DELETE", "/comments/{foreign_comment}", "moderate"),
        send("DELETE", "/comments/{comment}", either(own("reply"), table("moderate"))),
    ],
    "api.resolve": [
        send("POST", "/annotations/{remark}/resolve", "resolve"),
        send("POST", "/annotations/{mine}/resolve", either(own("resolve_own"), table("resolve"))),
    ],
    "api.reopen": [send("POST", "/annotations/{resolved}/reopen", "resolve")],
    "api.answer": [send("POST", "/annotations/{remark}/position", "answer", position="noted", reason="So")],
    "api.find": [send("POST", "/annotations/{lost}/find", "place")],
    "api.place": [send("POST", "/annotations/{lost}/place", "place", start=2, end=7, version=1)],
}

# What an address needs when it is not listed: values for its places.
PLACES = {
    "slug": "slug",
    "section_id": "section",
    "number": "number",
    "code": "code",
    "milestone_id": "milestone",
    "attachment_id": "file",
    "suggestion_id": "suggestion",
    "hunk_id": "hunk",
    "annotation_id": "remark",
    "decision_id": "decision",
    "user_id": "victim",
}
NUMBERS = {"meetings.one": "meeting", "remarks.one": "remark_number"}
NOT_WALKED = {"static"}


def readings(app: Flask) -> Iterator[Case]:
    """The addresses that only read and are not listed: everybody who reads the document may have them."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint in CASES or rule.endpoint in NOT_WALKED:
            continue
        if "POST" in rule.methods or "PATCH" in rule.methods or "DELETE" in rule.methods or "PUT" in rule.methods:
            pytest.fail(f"{rule.endpoint} ({rule.rule}) writes and is not in CASES: say who may")
        names = {**PLACES, "number": NUMBERS.get(rule.endpoint, "number")}
        path = re.sub(r"<any\((?:.*\b(csv)\b.*|(\w+).*)\):\w+>", r"\1\2", rule.rule)  # one of a choice stands for all
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
        yield get(path.format_map({name: "{" + known + "}" for name, known in names.items()}))


def filled(value: Any, ids: dict[str, Any]) -> Any:
    """The value with its braces filled in; a lone brace keeps the type of what is put in."""
    if isinstance(value, dict):
        return {key: filled(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    if isinstance(value, str) and re.fullmatch(r"\{\w+\}", value):
        return ids[value[1:-1]]
    return value.format_map(ids) if isinstance(value, str) else value


# ── the walk ────────────────────────────────────────────────────────────────────────────────────────────


class Walk:
    """One world in a SQLite file, put back as it was after every request that changed it."""

    def __init__(self, app: Flask, database: Database, world: World, path: Path) -> None:
        self.app, self.database, self.world, self.path = app, database, world, path
        self.kept = path.with_suffix(".kept")
        stranger = world.actors["stranger"]
        self.enter = sign_in_token(app.config["SECRET_KEY"], stranger.user_id or 0, stranger.session_epoch)
        self._close()
        shutil.copyfile(path, self.kept)
        self._open()

    def _close(self) -> None:
        self.database.engine.dispose()
        for ending in ("-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)

    def _open(self) -> None:
        self.observer = sqlite3.connect(self.path, isolation_level=None)
        self.before = self._data_version()
        with self.database.read() as session:
            heads.registry_of(session).forget_all()

    def _data_version(self) -> int:
        return self.observer.execute("PRAGMA data_version").fetchone()[0]

    def ask(self, case: Case, who: str) -> tuple[int, str, bool]:
        """Status, where it leads, and whether anything was changed."""
        ids = self.world.of(who)
        length = self.observer.execute(
            "SELECT length FROM stream WHERE id = ?", (ids["branch" if "{branch}" in case.path else "stream"],)
        ).fetchone()[0]
        ids = {**ids, "rest": length, "enter": self.enter}
        form = filled(case.form, ids)
        if form is not None:
            form = {k: (io.BytesIO(v[0]), v[1]) if isinstance(v, tuple) else v for k, v in form.items()}
        client = visitor(self.app, self.world.actors[who])
        with client.session_transaction() as session:  # the one thing that reading writes: that one was here, once in a while
            session["visits"] = {str(DOCUMENT): [now().timestamp(), None]}
        answer = client.open(
            case.path.format_map(ids),
            method=case.method,
            data=form,
            json=filled(case.json, ids) if case.json is not None else None,
        )
        status, target = answer.status_code, answer.headers.get("Location", "")
        answer.close()
        changed = self._data_version() != self.before
        if changed:
            self.observer.close()
            self._close()
            shutil.copyfile(self.kept, self.path)
            self._open()
        return status, target, changed

    def end(self) -> None:
        self.observer.close()


@pytest.fixture
def walk(sqlite_database: Database, settings: Settings, tmp_path: Path) -> Iterator[Walk]:
    app = create_app(settings, database=sqlite_database, live=False)
    with sqlite_database.write() as session:
        world = build(session, settings.uploads_path)
    walk = Walk(app, sqlite_database, world, tmp_path / "drafting.sqlite")
    yield walk
    walk.end()


def set_moment(walk: Walk, at: Moment) -> None:
    with walk.database.write() as session:
        document = session.get_one(Document, DOCUMENT)
        document.phase, document.is_public = at.phase, not at.hidden
        document.phase_ends_at = now() + timedelta(days=-1 if at.late else 1)
        session.commit()
    walk.observer.close()
    walk._close()
    shutil.copyfile(walk.path, walk.kept)
    walk._open()


@pytest.mark.parametrize("at", MOMENTS, ids=str)
def test_law_7_every_request_does_what_the_table_says_and_nothing_else(walk: Walk, at: Moment) -> None:
    set_moment(walk, at)
    wrong, worked = [], set()
    cases = [case for cases in CASES.values() for case in cases]
    people = dict(walk.world.actors)
    if at.phase == "consultation" and not at.late:
        cases += readings(walk.app)
    else:  # reading and accounts do not know phases; whoever is no member is like anybody
        cases = [
            case for case in cases if case.writes and "{" in case.path and not case.path.startswith(("/inv", "/res"))
        ]
        del people["stranger"], people["operator"]
    for case in cases:
        for who, actor in people.items():
            expected = case.judge(actor, at)
            status, target, changed = walk.ask(case, who)
            happened = changed if case.writes else status < 400 and "/signin" not in target
            if status >= 500 or happened is not expected or (changed and not case.writes and case.method == "GET"):
                wrong.append(f"{who}: {case} → {status} {target} changed={changed}, expected {expected}")
            if case.path.startswith("/api/") and not expected and status not in (401, 403, 404):
                wrong.append(f"{who}: {case} → {status}, a refusal is 401, 403 or 404")
            if expected and happened:
                worked.add(str(case))
    assert not wrong, "\n".join(wrong)
    assert worked, "nothing was allowed"


def test_every_address_that_writes_is_walked(walk: Walk) -> None:
    known = {rule.endpoint for rule in walk.app.url_map.iter_rules()}
    assert set(CASES) <= known, f"gone: {sorted(set(CASES) - known)}"
    list(readings(walk.app))

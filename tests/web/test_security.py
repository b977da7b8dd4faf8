"""What a browser is told to refuse, what the server refuses, and that words stay words."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from flask import Flask

from drafting.config import load_settings
from drafting.store.database import Database
from drafting.web import identity
from drafting.web.app import create_app
from tests import make
from tests.web.conftest import visitor

PASSWORD = "a long sentence"
ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "![x](data:text/html,<script>alert(1)</script>)",
    "{{ 7 * 7 }}{% include 'base.html' %}",
    '<a href="javascript:alert(1)">x</a>',
    "</textarea><script>alert(1)</script>",
    "<style>*{display:none}</style>",
    "`<iframe src=javascript:alert(1)>`",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("security")
    return load_settings({}, instance_path=folder / "instance", testing=True, sign_in_limit="5 per minute")


@pytest.fixture(scope="module")
def application(settings, _sqlite_template, tmp_path_factory) -> Iterator[Flask]:
    path = tmp_path_factory.mktemp("application") / "empty.sqlite"
    shutil.copyfile(_sqlite_template, path)
    database = Database(f"sqlite:///{path}", durable=False)
    yield create_app(settings, database=database, live=False)
    database.close()


@pytest.fixture
def app(application, sqlite_database) -> Flask:
    application.extensions["database"] = sqlite_database
    identity.limiter.reset()
    return application


@pytest.fixture
def coordinator(app, sqlite_database):
    with sqlite_database.write() as session:
        document = make.document(session, slug="trees")
        make.section(session, document, "# Trees\n\nWe plant 100 trees.\n")
        actor = make.member(
            session, document, "coordinator", make.organization(session, document, "Friends", code="FR")
        )
        session.commit()
    return actor


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def dangers(html: str) -> list[str]:
    """What could run in a page: scripts of others, handlers, javascript addresses, frames, style attributes."""
    reader = Tags()
    reader.feed(html)
    found = []
    for tag, attrs in reader.found:
        if tag in ("iframe", "object", "embed", "base", "style"):
            found.append(tag)
        if (
            tag == "script"
            and attrs.get("type") != "application/json"
            and not (attrs.get("src") or "").startswith("/static/")
        ):
            found.append("script")
        for name, value in attrs.items():
            if name.startswith("on") or name == "style":
                found.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction") and re.match(
                r"\s*(javascript|vbscript|data:text)", value or "", re.I
            ):
                found.append(f"{tag} {name}={value}")
    return found


def test_every_answer_carries_a_strict_content_policy(app, coordinator):
    for client in (visitor(app), visitor(app, coordinator)):
        for path in ("/", "/signin", "/d/trees/", "/d/trees/text", "/nothing", "/api/v1/nothing"):
            headers = client.get(path).headers
            policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
            assert policy["default-src"] == "'none'"
            assert policy["script-src"] == "'self'" and policy["style-src"] == "'self'"
            assert (
                policy["frame-ancestors"] == "'none'"
                and policy["base-uri"] == "'none'"
                and policy["form-action"] == "'self'"
            )
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
            assert headers["Cache-Control"] == "private, no-cache"


def test_no_page_has_inline_script_or_style(app, coordinator):
    client = visitor(app, coordinator)
    for path in (
        "/",
        "/account",
        "/d/trees/",
        "/d/trees/text",
        "/d/trees/review",
        "/d/trees/settings",
        "/d/trees/people",
        "/d/trees/meetings/new",
    ):
        assert dangers(client.get(path).text) == [], path


def test_only_built_files_are_served(app):
    client = visitor(app)
    for path in (
        "/static/../package.json",
        "/static/%2e%2e/package.json",
        "/static/src/page.ts",
        "/templates/base.html",
        "/instance/secret_key",
    ):
        assert client.get(path).status_code == 404, path


def test_cookies_are_kept_from_scripts_and_other_sites(settings, sqlite_database, app, coordinator):
    cookies = app.test_client().get("/signin").headers.getlist("Set-Cookie")
    assert cookies and all("HttpOnly" in each and "SameSite=Lax" in each for each in cookies)
    secure = load_settings({}, instance_path=settings.instance_path, testing=True, base_url="https://example.org")
    answer = (
        create_app(secure, database=sqlite_database, live=False)
        .test_client()
        .get("/signin", base_url="https://example.org")
    )
    assert all("Secure" in each for each in answer.headers.getlist("Set-Cookie"))
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_reading_sets_no_cookie(app, coordinator):
    for path in ("/", "/d/trees/", "/d/trees/text", "/d/trees/suggestions"):
        assert not app.test_client().get(path).headers.getlist("Set-Cookie"), path


def test_a_form_without_its_token_does_nothing(app, coordinator):
    client = visitor(app, coordinator)
    del client.environ_base["HTTP_X_CSRFTOKEN"]
    for path in ("/d/trees/settings/publish", "/d/trees/sections", "/signout", "/d/trees/meetings/new", "/account"):
        assert client.post(path, data={"title": "Smuggled"}).status_code == 400, path
    answer = client.post("/api/v1/sections/1/annotations", json={"text": "x"})
    assert answer.status_code == 400 and answer.json["error"]["code"] == "old_form"
    assert "Smuggled" not in client.get("/d/trees/sections").text


def test_a_token_of_another_session_does_nothing(app, coordinator):
    client = visitor(app, coordinator)
    with client.session_transaction() as session:
        session["csrf_token"] = "1" * 40
    assert client.post("/d/trees/settings/publish").status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "http:evil.example",
        "/\n/evil",
        "",
    ],
)
def test_no_redirect_leads_to_another_site(app, coordinator, target):
    assert identity.safe_target(target) == "/"
    answer = visitor(app).get("/language/en", query_string={"next": target})
    assert answer.location == "/"
    signed_in = visitor(app, coordinator).get("/signin", query_string={"next": target})
    assert signed_in.location == "/"


def test_a_target_on_this_site_is_kept():
    assert identity.safe_target("/d/trees/review?u=3#x") == "/d/trees/review?u=3#x"


def test_guessing_passwords_is_slowed_down(app):
    client = visitor(app)
    statuses = [
        client.post("/signin", data={"email": "a@example.org", "password": "guess number"}).status_code
        for _ in range(7)
    ]
    assert statuses[:5] == [422] * 5 and statuses[5:] == [429, 429]
    assert client.get("/signin").status_code == 200


def test_sign_in_links_are_signed_and_end_with_the_epoch(app, coordinator):
    key = app.config["SECRET_KEY"]
    good = identity.sign_in_token(key, coordinator.user_id, coordinator.session_epoch)
    assert app.test_client().get(f"/enter/{good}").status_code == 303
    for bad in (
        good[:-2],
        identity.sign_in_token("another key" * 4, coordinator.user_id, 0),
        identity.sign_in_token(key, coordinator.user_id, 7),
        "x",
    ):
        assert app.test_client().get(f"/enter/{bad}").status_code == 404


def test_a_session_ends_when_the_person_signs_out_everywhere(app, coordinator):
    one, other = visitor(app, coordinator), visitor(app, coordinator)
    assert one.post("/account/sign-out-everywhere").status_code == 303
    assert other.get("/account").status_code == 302


def test_a_broken_session_is_nobody(app):
    for forged in ("1", "x.y", "1.0.0", "-1.0", "99999999.0", "1.99"):
        client = app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = forged
        assert client.get("/account").status_code == 302, forged


@pytest.mark.parametrize("attack", ATTACKS)
def test_words_typed_into_every_field_stay_words(app, coordinator, attack):
    client = visitor(app, coordinator)
    short = attack[:40]
    client.post(
        "/d/trees/meetings/new",
        data={"topic": attack, "short": short, "place": attack, "summary": attack, "minutes": attack},
    )
    client.post("/d/trees/organizations/new", data={"name": attack, "kind": "ngo", "code": "XX", "description": attack})
    client.post(
        "/d/trees/settings",
        data={
            "title": attack,
            "municipality": attack,
            "summary": attack,
            "language": "pl",
            "timezone": "Europe/Warsaw",
        },
    )
    client.post("/d/trees/settings/phase", data={"phase": "consultation", "note": attack})
    client.post("/d/trees/news", data={"title": attack, "text": attack})
    client.post("/d/trees/sections", data={"title": attack})
    client.post("/d/trees/milestones", data={"name": attack, "note": attack})
    client.post("/d/trees/remarks", data={"text": attack, "kind": "remark"})
    client.post(
        "/d/trees/suggestions/new-section",
        data={"title": attack, "text": attack, "reason": attack, "organization": "", "meeting": ""},
    )
    client.post("/account", data={"name": attack, "language": "pl"})
    pages = (
        "", "text", "suggestions", "suggestions/1", "review", "remarks", "remarks/1", "meetings", "meetings/1",
        "meetings/1/edit", "organizations", "organizations/XX", "settings", "news", "sections", "milestones",
        "milestones/1", "people", "news.atom", "s/1", "s/1?mode=suggest",
    )  # fmt: skip
    for path in ("/", "/account", *(f"/d/trees/{page}" for page in pages)):
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        assert dangers(answer.text) == [], path
        assert "49{" not in answer.text
    searched = client.get("/d/trees/search", query_string={"q": attack})
    assert dangers(searched.text) == []
    echoed = client.get("/d/trees/suggestions", query_string={"q": attack, "fate": attack, "section": attack})
    assert dangers(echoed.text) == []


def test_what_is_refused_tells_no_trace(app, coordinator, sqlite_database):
    answer = visitor(app, coordinator).get("/d/trees/suggestions/99999999999999999999999")
    assert answer.status_code == 404 and "Traceback" not in answer.text
    sqlite_database.close()
    app.extensions["database"] = None
    broken = app.test_client().get("/d/trees/")
    assert broken.status_code == 500 and "Traceback" not in broken.text and "NoneType" not in broken.text

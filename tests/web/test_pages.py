"""Every page for every role: it renders, its forms work, errors stand at the field, nothing needs script to be read."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from drafting.config import Settings, load_settings
from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.services import editing, exchange, reporting, sections, suggestions
from drafting.services.access import ANONYMOUS
from drafting.store.database import Database
from drafting.store.models import (
    Comment,
    Decision,
    Document,
    Meeting,
    Membership,
    News,
    Organization,
    Section,
    Suggestion,
    User,
)
from drafting.web.app import create_app
from drafting.web.pages import review, sets
from tests import make
from tests.web import world as worlds
from tests.web.conftest import visitor

BASE = "/d/trees"
READING = (
    "", "/text", "/search?q=stays", "/suggestions", "/remarks", "/meetings", "/organizations", "/milestones",
    "/meetings/1", "/news.atom", "/dates.ics",
)  # fmt: skip
OUTSIDE = ("/", "/signin", "/account", "/notifications", "/how-it-works", "/accessibility", "/personal-data")
MANAGING = (
    "/meetings/1", "/meetings/1/edit", "/meetings/new", "/organizations/new", "/people", "/settings", "/sections",
    "/news", "/review", "/review/set", "/suggestions/new-section",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(_sqlite_template, tmp_path_factory) -> tuple[Path, worlds.World, Settings]:
    """A file with the world in it, made once: the tests work on copies."""
    folder = tmp_path_factory.mktemp("pages")
    settings = load_settings({}, instance_path=folder / "instance", testing=True, sign_in_limit="10000 per minute")
    shutil.copyfile(_sqlite_template, folder / "world.sqlite")
    database = Database(f"sqlite:///{folder / 'world.sqlite'}", durable=False)
    with database.write() as session:
        world = worlds.build(session, settings.uploads_path)
    with database.engine.connect() as connection:
        connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder / "world.sqlite", world, settings


@pytest.fixture(scope="module")
def application(made, _sqlite_template, tmp_path_factory) -> Iterator[Flask]:
    """Pages alone, on SQLite: what databases do differently is tested in the services."""
    path = tmp_path_factory.mktemp("application") / "empty.sqlite"
    shutil.copyfile(_sqlite_template, path)
    database = Database(f"sqlite:///{path}", durable=False)
    yield create_app(made[2], database=database, live=False)
    database.close()


@pytest.fixture
def app(application, sqlite_database) -> Flask:
    application.extensions["database"] = sqlite_database
    return application


@pytest.fixture
def sqlite_database(request, made, _sqlite_template, tmp_path) -> Iterator[Database]:
    """A copy of the world when the test asks for it, else an empty database."""
    source = made[0] if "world" in request.fixturenames else _sqlite_template
    shutil.copyfile(source, tmp_path / "drafting.sqlite")
    database = Database(f"sqlite:///{tmp_path / 'drafting.sqlite'}", durable=False)
    yield database
    database.close()


@pytest.fixture
def world(made) -> worlds.World:
    return made[1]


def row(app, query):
    with app.extensions["database"].read() as session:
        return session.scalars(query).first()


def words_of(answer) -> str:
    """The text of a page without its tags."""

    class Text(HTMLParser):
        said: list[str]

        def handle_data(self, data: str) -> None:
            self.said.append(data)

    reader = Text()
    reader.said = []
    reader.feed(answer.text)
    return " ".join(" ".join(reader.said).split())


def fields_of(answer, action: str = "") -> dict[str, str]:
    """Names and values of the fields of the form with this address (the only one when none is named)."""

    class Fields(HTMLParser):
        inside = False
        select = area = None

        def handle_starttag(self, tag, attrs):
            given = dict(attrs)
            if tag == "form":
                self.inside = not action or (given.get("action") or "").endswith(action)
            if not self.inside:
                return
            if tag == "input" and given.get("name") and given.get("type") not in ("submit", "file"):
                if given.get("type") in ("radio", "checkbox") and "checked" not in given:
                    return
                found[given["name"]] = given.get("value") or ""
            elif tag == "select":
                self.select = given.get("name")
                found.setdefault(self.select, "")
            elif tag == "option" and self.select and "selected" in given:
                found[self.select] = given.get("value") or ""
            elif tag == "textarea":
                self.area = given.get("name")
                found[self.area] = ""

        def handle_data(self, data):
            if self.inside and self.area:
                found[self.area] += data.removeprefix("\n")

        def handle_endtag(self, tag):
            if tag == "form":
                self.inside = False
            if tag == "select":
                self.select = None
            if tag == "textarea":
                self.area = None

    found: dict[str, str] = {}
    Fields().feed(answer.text)
    return found


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "who", ["anonymous", "stranger", "coordinator", "drafter", "official", "contributor", "council", "observer"]
)
def test_every_page_for_reading_renders_for_everybody(app, world, who):
    client = visitor(app, world.actors[who])
    ids = world.of(who)
    for path in (
        *READING,
        f"/s/{ids['section']}",
        f"/organizations/{ids['code']}",
        f"/milestones/{ids['milestone']}",
        f"/remarks/{ids['remark_number']}",
    ):
        answer = client.get(BASE + path)
        assert answer.status_code == 200, (who, path, answer.status_code)
    for number in _filed(app):
        assert client.get(f"{BASE}/suggestions/{number}").status_code == 200
        assert client.get(f"{BASE}/suggestions/{number}/card").status_code == 200


@pytest.mark.parametrize("language", ["pl", "en"])
def test_pages_have_landmarks_one_heading_and_a_language(app, world, language):
    client = visitor(app, world.actors["coordinator"])
    client.get(f"/language/{language}")
    for path in (*OUTSIDE, *(BASE + each for each in (*READING[:2], *READING[3:8], *MANAGING))):
        answer = client.get(path)
        if answer.status_code == 302:
            continue  # signed in already
        assert answer.status_code == 200, path
        assert f'<html lang="{language}">' in answer.text, path
        assert len(re.findall(r"<main\b", answer.text)) == 1, path
        # the sections of a text begin with headings of their own
        assert len(re.findall(r"<h1\b", re.sub(r"(?s)<article.*?</article>", "", answer.text))) == 1, path
        assert '<a class="skip" href="#main">' in answer.text
        ids = re.findall(r'\sid="([^"]+)"', answer.text)
        assert len(ids) == len(set(ids)), (path, sorted(each for each in ids if ids.count(each) > 1))
        labelled = set(re.findall(r'<label[^>]*\sfor="([^"]+)"', answer.text))
        for tag in re.findall(r"<(?:input|select|textarea)\b[^>]*>", answer.text):
            kind = re.search(r'type="(\w+)"', tag)
            if kind and kind[1] in ("hidden", "radio", "checkbox"):
                continue
            name = re.search(r'\sid="([^"]+)"', tag)
            assert "aria-label" in tag or (name and name[1] in labelled), (path, tag)


def test_every_form_of_the_document_that_is_offered_can_be_had(app, world, sqlite_database):
    client = visitor(app)
    page = client.get(f"{BASE}/text")
    offered = re.findall(rf'href="{BASE}/text\.([\w.-]+)"', page.text)
    assert sorted(offered) == sorted(exchange.MEDIA_TYPES)
    for ending in offered:
        answer = client.get(f"{BASE}/text.{ending}")
        assert answer.status_code == 200 and answer.data, ending
        assert answer.mimetype == exchange.MEDIA_TYPES[ending]
        assert answer.headers["Content-Disposition"] == f'attachment; filename="trees.{ending}"'
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert client.get(f"{BASE}/text.exe").status_code == 404
    with sqlite_database.write() as session:
        session.scalar(select(Document).where(Document.slug == "trees")).is_public = False
        session.commit()
    for ending in offered:
        assert client.get(f"{BASE}/text.{ending}").status_code == 404, ending


def test_a_reader_without_script_reads_the_whole_text_and_every_fate(app, world):
    client = visitor(app)
    whole = client.get(f"{BASE}/text")
    assert "aword stays." in words_of(whole) and "Benches here." in words_of(whole)
    assert "<article" in whole.text
    section = client.get(f"{BASE}/s/{world.ids['section']}")
    assert "aword stays." in words_of(section)
    listed = client.get(f"{BASE}/suggestions")
    for number in _filed(app):
        assert f"U-{number}" in listed.text


def test_every_list_has_an_empty_state(app, sqlite_database):
    with sqlite_database.write() as session:
        make.document(session, slug="trees")
        session.commit()
    client = visitor(app)
    for path in (
        "",
        "/text",
        "/suggestions",
        "/remarks",
        "/meetings",
        "/organizations",
        "/milestones",
        "/search?q=nothing",
    ):
        answer = client.get(BASE + path)
        assert answer.status_code == 200
        assert 'class="empty"' in answer.text, path


def test_a_document_that_is_not_published_does_not_exist_for_strangers(app, world, sqlite_database):
    with sqlite_database.write() as session:
        session.get_one(Document, world.ids["document"]).is_public = False
        session.commit()
    for path in ("", "/text", "/suggestions", "/meetings/1", "/remarks"):
        assert visitor(app).get(BASE + path).status_code == 404
        assert visitor(app, world.actors["stranger"]).get(BASE + path).status_code == 404
        assert visitor(app, world.actors["observer"]).get(BASE + path).status_code == 200
    assert (
        "trees" not in visitor(app).get("/").text.replace("Programme trees", "")
        or "Programme trees" not in visitor(app).get("/").text
    )


def test_buttons_are_offered_only_to_those_who_may(app, world):
    def offered(who: str, path: str, button: str) -> bool:
        return button in visitor(app, world.actors[who]).get(BASE + path).text

    for path, button, who, others in (
        (
            "/meetings",
            "/meetings/new",
            ("coordinator", "drafter"),
            ("official", "contributor", "observer", "anonymous"),
        ),
        ("/organizations", "/organizations/new", ("coordinator",), ("official", "contributor", "anonymous")),
        ("", f'{BASE}/settings"', ("coordinator",), ("drafter", "official", "contributor", "anonymous")),
        ("", f'{BASE}/review"', ("coordinator", "official"), ("drafter", "contributor", "anonymous")),
    ):
        assert all(offered(each, path, button) for each in who), (path, button)
        assert not any(offered(each, path, button) for each in others), (path, button)


def test_search_finds_words_suggestions_by_number_and_meetings(app, world):
    client = visitor(app)
    assert "<mark>benches</mark>" in client.get(f"{BASE}/search?q=benches").text.lower()
    number = _filed(app)[0]
    assert f"/suggestions/{number}" in client.get(f"{BASE}/search?q=U-{number}").text
    assert "/meetings/1" in client.get(f"{BASE}/search?q=trees").text
    assert 'class="empty"' in client.get(f"{BASE}/search?q=zzzz").text


def test_search_minds_neither_case_nor_accents(app, world, sqlite_database):
    with sqlite_database.write() as session:
        editing.replace_text(
            session, world.actors["drafter"], world.ids["second"], "# Zieleń\n\n## § 7. Łąki\n\n1. Żółte ŁĄKI 🌼 i straße.\n"
        )
    client = visitor(app)
    for query, found in (("laki", "ŁĄKI"), ("ŻÓŁTE", "Żółte"), ("zolte laki", "Żółte ŁĄKI"), ("🌼 I", "🌼 i")):
        answer = client.get(f"{BASE}/search", query_string={"q": query}).text
        assert f"<mark>{found}</mark>" in answer, query
    assert "§\u00a07\u00a0ust.\u00a01" in answer


def test_a_search_for_one_letter_is_answered_plainly(app, world):
    answer = visitor(app).get(f"{BASE}/search?q=x")
    assert answer.status_code == 200 and 'class="empty"' not in answer.text and 'role="status"' in answer.text


def test_lists_are_filtered(app, world):
    client = visitor(app)
    open_ones = client.get(f"{BASE}/suggestions?fate=open").text
    decided = client.get(f"{BASE}/suggestions?fate=accepted").text
    assert open_ones != decided
    assert 'class="empty"' in client.get(f"{BASE}/suggestions?q=zzzz").text
    assert client.get(f"{BASE}/suggestions?section=x&organization=%3C&meeting=-1&page=99999999999").status_code == 200
    assert client.get(f"{BASE}/remarks?state=resolved&section=x&page=x").status_code == 200


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_invited_person_makes_an_account_and_is_in(app, world):
    client = visitor(app)
    page = client.get(f"/invite/{world.ids['token']}")
    assert page.status_code == 200
    weak = client.post(
        f"/invite/{world.ids['token']}", data={"name": "Ewa", "email": "ewa@example.org", "password": "short"}
    )
    assert weak.status_code == 422 and 'id="password-error"' in weak.text
    assert 'value="ewa@example.org"' in weak.text and 'value="short"' not in weak.text
    good = client.post(
        f"/invite/{world.ids['token']}", data={"name": "Ewa", "email": "ewa@example.org", "password": "a long sentence"}
    )
    assert good.status_code == 303 and good.location == f"{BASE}/"
    assert client.get("/account").status_code == 200
    assert visitor(app).get(f"/invite/{world.ids['token']}").status_code == 404


def test_signing_in_and_out(app, world):
    client = visitor(app)
    client.post(
        f"/invite/{world.ids['token']}", data={"name": "Ewa", "email": "ewa@example.org", "password": "a long sentence"}
    )
    other = visitor(app)
    wrong = other.post("/signin", data={"email": "ewa@example.org", "password": "wrong words here"})
    assert wrong.status_code == 422 and 'role="alert"' in wrong.text and 'value="ewa@example.org"' in wrong.text
    assert other.post("/signin", data={"email": "nobody@example.org", "password": "wrong"}).status_code == 422
    right = other.post("/signin", data={"email": "EWA@example.org ", "password": "a long sentence", "next": "/account"})
    assert right.status_code == 303 and right.location == "/account"
    assert "Ewa" in other.get("/account").text


def test_a_page_that_needs_an_account_leads_to_sign_in_and_back(app, world):
    answer = visitor(app).get(f"{BASE}/review?u=3")
    assert answer.status_code == 302 and answer.location.startswith("/signin?next=")
    assert "review" in answer.location


def test_changing_the_password_ends_other_sessions(app, world):
    first = visitor(app)
    first.post(
        f"/invite/{world.ids['token']}", data={"name": "Ewa", "email": "ewa@example.org", "password": "a long sentence"}
    )
    second = visitor(app)
    second.post("/signin", data={"email": "ewa@example.org", "password": "a long sentence"})
    wrong = visitor_again(app, first).post("/account/password", data={"old": "no", "password": "another sentence"})
    assert wrong.status_code == 422 and 'id="old-error"' in wrong.text
    assert (
        visitor_again(app, first)
        .post("/account/password", data={"old": "a long sentence", "password": "another sentence"})
        .status_code
        == 303
    )
    assert second.get("/account").status_code == 302
    assert first.get("/account").status_code == 200


def visitor_again(app, client):
    """The same browser with a token of its present session."""
    from itsdangerous import URLSafeTimedSerializer

    from tests.web.conftest import CSRF

    with client.session_transaction() as session:
        session["csrf_token"] = CSRF
    client.environ_base["HTTP_X_CSRFTOKEN"] = URLSafeTimedSerializer(
        app.config["SECRET_KEY"], salt="wtf-csrf-token"
    ).dumps(CSRF)
    return client


def test_a_reset_link_sets_a_new_password_once(app, world):
    client = visitor(app)
    assert client.get(f"/reset/{world.ids['reset']}").status_code == 200
    assert client.post(f"/reset/{world.ids['reset']}", data={"password": "x"}).status_code == 422
    assert client.post(f"/reset/{world.ids['reset']}", data={"password": "a new sentence"}).status_code == 303
    assert visitor(app).get(f"/reset/{world.ids['reset']}").status_code == 404


def test_an_invitation_says_all_that_is_wrong_at_once(app, world):
    client = visitor(app)
    answer = client.post(f"/invite/{world.ids['token']}", data={"name": " ", "email": "", "password": "short"})
    assert answer.status_code == 422
    assert all(f'id="{name}-error"' in answer.text for name in ("name", "email", "password"))
    chief = visitor(app, world.actors["coordinator"])
    wrong = {"role": "drafter", "email": "no address", "uses": "0", "days": "9999"}
    answer = chief.post(f"{BASE}/people/invite", data=wrong)
    assert answer.status_code == 422
    assert all(f'id="{name}-error"' in answer.text for name in ("email", "uses", "days"))
    assert all(f'value="{value}"' in answer.text for value in ("no address", "0", "9999"))


def test_a_notification_says_who_filed_and_is_read_alone(app, world):
    client = visitor(app, world.actors["official"])
    page = client.get("/notifications").text
    assert re.search(r"U-\d+: organization \d+\.|U-\d+: [^<]+\.", page), page
    ids = re.findall(r'data-read="(\d+)"', page)
    assert len(ids) > 1
    client.post("/notifications/read", data={"id": ids[0]})
    assert re.findall(r'data-read="(\d+)"', client.get("/notifications").text) == ids[1:]
    client.post("/notifications/read")
    assert "data-read" not in client.get("/notifications").text


def test_a_person_ends_their_account(app, world):
    client = visitor(app, world.actors["observer"])
    assert client.post("/account/end").status_code == 422
    assert client.post("/account/end", data={"confirm": "1"}).status_code == 303
    gone = row(app, select(User).where(User.id == world.actors["observer"].user_id))
    assert gone.email is None and gone.anonymised_at is not None


def test_the_language_is_the_persons_then_the_cookies_then_the_browsers(app, world):
    anonymous = visitor(app)
    assert '<html lang="pl">' in anonymous.get("/").text
    assert '<html lang="en">' in anonymous.get("/", headers={"Accept-Language": "en-GB"}).text
    anonymous.get("/language/en")
    assert '<html lang="en">' in anonymous.get("/", headers={"Accept-Language": "pl"}).text
    person = visitor(app, world.actors["drafter"])
    person.set_cookie("language", "en")
    assert '<html lang="pl">' in person.get("/").text
    person.get("/language/en")
    assert '<html lang="en">' in person.get("/").text


# ── the coordinator's forms ─────────────────────────────────────────────────────────────────────────────


def test_a_meeting_is_added_and_edited_with_what_was_typed_kept(app, world):
    client = visitor(app, world.actors["coordinator"])
    wrong = client.post(
        f"{BASE}/meetings/new", data={"topic": "", "held_at": "soon", "place": "Town <hall>", "people-1": "many"}
    )
    assert wrong.status_code == 422
    assert (
        'id="topic-error"' in wrong.text and 'id="held_at-error"' in wrong.text and 'id="people-1-error"' in wrong.text
    )
    assert 'value="Town &lt;hall&gt;"' in wrong.text and 'value="soon"' in wrong.text
    organization = row(app, select(Organization).where(Organization.document_id == world.ids["document"]))
    data = {
        "topic": "Water",
        "held_at": "2026-04-14T17:00",
        "place": "Town hall",
        "minutes": "**Said.**",
        f"people-{organization.id}": "4",
    }
    assert client.post(f"{BASE}/meetings/new", data=data).status_code == 303
    made = row(app, select(Meeting).where(Meeting.topic == "Water"))
    assert made.held_at.isoformat() == "2026-04-14T15:00:00+00:00"
    shown = client.get(f"{BASE}/meetings/{made.number}").text
    assert "<strong>Said.</strong>" in shown and organization.name in shown
    edit = client.get(f"{BASE}/meetings/{made.number}/edit")
    fields = fields_of(edit)
    assert fields["held_at"] == "2026-04-14T17:00" and fields["minutes"] == "**Said.**"
    assert (
        client.post(
            f"{BASE}/meetings/{made.number}/edit", data={**fields, "topic": "Rivers", "held_at": ""}
        ).status_code
        == 303
    )
    again = row(app, select(Meeting).where(Meeting.id == made.id))
    assert again.topic == "Rivers" and again.held_at is None
    assert client.post(f"{BASE}/meetings/{made.number}/remove").status_code == 303


def test_an_organisation_is_added_and_a_taken_name_is_said_at_the_field(app, world):
    client = visitor(app, world.actors["coordinator"])
    assert (
        client.post(
            f"{BASE}/organizations/new", data={"name": "Friends of Water", "kind": "ngo", "code": "fw", "hue": "3"}
        ).status_code
        == 303
    )
    twice = client.post(f"{BASE}/organizations/new", data={"name": "Friends of Water", "kind": "ngo", "code": "fx"})
    assert twice.status_code == 422 and 'id="name-error"' in twice.text and 'value="fx"' in twice.text
    bad = client.post(f"{BASE}/organizations/new", data={"name": "X", "kind": "ngo", "code": "toolong", "hue": "99"})
    assert bad.status_code == 422
    assert client.get(f"{BASE}/organizations/fw").status_code == 301
    assert (
        client.post(
            f"{BASE}/organizations/FW/edit", data={"name": "Water", "kind": "ngo", "code": "FW", "hue": "3"}
        ).status_code
        == 303
    )


def test_sections_are_added_renamed_ordered_removed_and_put_back(app, world):
    client = visitor(app, world.actors["coordinator"])
    assert client.post(f"{BASE}/sections", data={"title": ""}).status_code == 422
    assert (
        client.post(f"{BASE}/sections", data={"title": "Money", "statutory_point": "8", "position": "1"}).status_code
        == 303
    )
    made = row(app, select(Section).where(Section.title == "Money"))
    assert made.position == 1 and made.statutory_point == 8
    assert (
        client.post(f"{BASE}/sections/{made.id}/rename", data={"title": "Funds", "statutory_point": ""}).status_code
        == 303
    )
    assert row(app, select(Section).where(Section.id == made.id)).title == "Funds"
    assert client.post(f"{BASE}/sections/order", data={"move": f"{made.id}:down"}).status_code == 303
    assert row(app, select(Section).where(Section.id == made.id)).position > 1
    assert client.post(f"{BASE}/sections/{made.id}/remove").status_code == 303
    assert row(app, select(Section).where(Section.id == made.id)).removed_at is not None
    shut = client.get(f"{BASE}/s/{made.id}?mode=edit")
    assert "This section was removed" in shut.text or "Tę część usunięto" in shut.text
    assert 'value="edit"' not in shut.text and 'value="suggest"' not in shut.text
    assert client.post(f"{BASE}/sections/{made.id}/restore").status_code == 303
    assert "Funds" in client.get(f"{BASE}/text").text


def test_a_whole_text_is_read_in_by_its_headings(app, world, monkeypatch):
    import io

    monkeypatch.setattr("drafting.formats.references.LONGEST_TEXT", 10_000)
    client = visitor(app, world.actors["coordinator"])

    def sent(content: bytes | None, name: str = "text.md"):
        data = {} if content is None else {"file": (io.BytesIO(content), name)}
        return client.post(f"{BASE}/sections/import", data=data, content_type="multipart/form-data")

    for content in (None, b"", "# Część".encode("iso8859-2"), b"# A\0", b"x" * 10_001, b"# A\n\n" * 1001):
        answer = sent(content)
        assert answer.status_code == 422 and 'id="file-error"' in answer.text, content and content[:20]
    before = client.get(f"{BASE}/sections").text.count("/rename")
    assert sent("# Program\r\n\r\n## Łąki\r\n\r\nx\r\n\r\n## Drzewa\r\n".encode()).status_code == 303
    page = client.get(f"{BASE}/sections").text
    assert page.count("/rename") == before + 2 and page.index("Łąki") < page.index("Drzewa")
    assert sent(b"# A", "../../<b>.md").status_code == 303


def test_people_are_invited_by_a_link_shown_once(app, world):
    client = visitor(app, world.actors["coordinator"])
    answer = client.post(
        f"{BASE}/people/invite",
        data={"role": "contributor", "organization_id": "", "email": "", "uses": "2", "days": "7"},
    )
    link = re.search(r'value="(http://localhost/invite/[\w-]+)"', answer.text)
    assert answer.status_code == 200 and link
    assert link[1] not in client.get(f"{BASE}/people").text
    assert visitor(app).get(link[1].removeprefix("http://localhost")).status_code == 200
    bad = client.post(f"{BASE}/people/invite", data={"role": "king", "uses": "0", "email": "no address"})
    assert bad.status_code == 422 and "no address" in bad.text
    reset = client.post(f"{BASE}/people/{world.ids['victim']}/reset")
    assert re.search(r"http://localhost/reset/[\w-]+", reset.text)
    assert (
        client.post(f"{BASE}/people/{world.ids['victim']}", data={"role": "drafter", "organization_id": ""}).status_code
        == 303
    )
    member = row(app, select(Membership).where(Membership.user_id == world.ids["victim"]))
    assert member.role == "drafter"
    assert client.post(f"{BASE}/people/{world.ids['victim']}/end").status_code == 303


def test_settings_phase_and_publishing(app, world):
    client = visitor(app, world.actors["coordinator"])
    assert (
        client.post(f"{BASE}/settings", data={"title": "", "timezone": "Mars/Base", "language": "pl"}).status_code
        == 422
    )
    past = client.post(f"{BASE}/settings/phase", data={"phase": "review", "ends_at": "2001-01-01T10:00"})
    assert past.status_code == 422 and 'id="ends_at-error"' in past.text and 'value="2001-01-01T10:00"' in past.text
    assert (
        client.post(
            f"{BASE}/settings/phase", data={"phase": "review", "ends_at": "2099-10-17", "note": "Now the city."}
        ).status_code
        == 303
    )
    document = row(app, select(Document).where(Document.slug == "trees"))
    assert document.phase == "review" and document.phase_ends_at.year == 2099
    assert client.post(f"{BASE}/settings/publish").status_code == 303
    assert visitor(app).get(BASE).status_code == 404
    assert client.post(f"{BASE}/settings/publish", data={"is_public": "1"}).status_code == 303
    assert visitor(app).get(BASE).status_code in (200, 308)


def test_news_files_and_named_versions(app, world):
    import io

    client = visitor(app, world.actors["coordinator"])
    assert client.post(f"{BASE}/news", data={"title": "", "text": "Body"}).status_code == 422
    assert client.post(f"{BASE}/news", data={"title": "Open now", "text": "*Read* it."}).status_code == 303
    assert "<em>Read</em>" in visitor(app).get(f"{BASE}/").text
    assert "Open now" in visitor(app).get(f"{BASE}/news.atom").text
    sent = client.post(
        f"{BASE}/files",
        data={"file": (io.BytesIO(b"<script>"), "page.html")},
        content_type="multipart/form-data",
        follow_redirects=True,
    )
    assert 'role="alert"' in sent.text
    client.post(
        f"{BASE}/files",
        data={"file": (io.BytesIO(b"a,b"), "table.csv"), "meeting": "1"},
        content_type="multipart/form-data",
    )
    assert "table.csv" in visitor(app).get(f"{BASE}/meetings/1").text
    file = visitor(app).get(f"{BASE}/files/{world.ids['file']}")
    assert file.status_code == 200 and file.headers["Content-Disposition"].startswith("attachment")
    file.close()
    assert client.post(f"{BASE}/milestones", data={"name": "First"}).status_code == 422
    made = client.post(f"{BASE}/milestones", data={"name": "Second", "note": "After the meetings"})
    assert made.status_code == 303 and "Second" in visitor(app).get(made.location).text


def test_an_operator_makes_a_document(app, world):
    assert visitor(app, world.actors["coordinator"]).get("/documents/new").status_code == 403
    client = visitor(app, world.actors["operator"])
    assert client.post("/documents/new", data={"title": "", "language": "pl"}).status_code == 422
    taken = client.post("/documents/new", data={"title": "Again", "slug": "trees", "language": "pl"})
    assert taken.status_code == 422 and 'id="slug-error"' in taken.text
    made = client.post("/documents/new", data={"title": "Water programme", "language": "pl"})
    assert made.status_code == 303 and made.location == "/d/water-programme/"


# ── suggestions and remarks ─────────────────────────────────────────────────────────────────────────────


def _filed(app) -> list[int]:
    with app.extensions["database"].read() as session:
        return list(
            session.scalars(
                select(Suggestion.number).where(Suggestion.filed_at.is_not(None)).order_by(Suggestion.number)
            )
        )


def open_suggestion(app, world, *, by: str = "official"):
    """A filed suggestion with an open hunk, as this person sees it."""
    with app.extensions["database"].read() as session:
        found = suggestions.listing(
            session, world.actors[by], world.ids["document"], states=("filed",), hunk_state="open"
        )
        return next(view for view in found if view.open_hunks)


def test_an_organisation_endorses_and_takes_it_back(app, world):
    client = visitor(app, world.actors["contributor"])
    with app.extensions["database"].read() as session:
        views = suggestions.listing(session, world.actors["contributor"], world.ids["document"], states=("filed",))
        number = next(view.number for view in views if "endorse" in view.can)
    assert client.post(f"{BASE}/suggestions/{number}/endorse", data={"note": "Yes"}).status_code == 303
    assert "Yes" in visitor(app).get(f"{BASE}/suggestions/{number}").text
    assert client.post(f"{BASE}/suggestions/{number}/unendorse").status_code == 303


def test_a_whole_section_is_suggested_by_a_plain_form(app, world):
    client = visitor(app, world.actors["contributor"])
    assert client.get(f"{BASE}/suggestions/new-section").status_code == 200
    wrong = client.post(f"{BASE}/suggestions/new-section", data={"title": "Bees", "text": "", "reason": ""})
    assert (
        wrong.status_code == 422
        and 'value="Bees"' in wrong.text
        and 'id="text-error"' in wrong.text
        and 'id="reason-error"' in wrong.text
    )
    own = world.ids["contributor_organization"]
    made = client.post(
        f"{BASE}/suggestions/new-section",
        data={
            "title": "Bees",
            "text": "1. Bees are kept.",
            "reason": "They pollinate.",
            "organization": str(own),
            "meeting": "",
        },
    )
    assert made.status_code == 303
    assert "Bees are kept." in visitor(app).get(made.location).text
    assert "Bees are kept." not in visitor(app).get(f"{BASE}/text").text


def test_a_remark_is_made_replied_to_answered_and_resolved(app, world):
    contributor, official = visitor(app, world.actors["contributor"]), visitor(app, world.actors["official"])
    assert contributor.post(f"{BASE}/remarks", data={"text": "", "kind": "remark"}).status_code == 422
    made = contributor.post(f"{BASE}/remarks", data={"text": "Who waters them?", "kind": "question", "section": ""})
    assert made.status_code == 303
    address = made.location
    assert official.post(f"{address}/reply", data={"text": "The city."}).status_code == 303
    bare = official.post(f"{address}/answer", data={"position": "rejected", "reason": ""})
    assert bare.status_code == 422 and 'id="reason-error"' in bare.text
    assert official.post(f"{address}/answer", data={"position": "noted", "reason": "Thank you."}).status_code == 303
    assert "Thank you." in visitor(app).get(address).text and "The city." in visitor(app).get(address).text
    assert contributor.post(f"{address}/resolve").status_code == 303
    assert contributor.post(f"{address}/reopen").status_code == 303
    assert contributor.post(f"{address}/answer", data={"position": "noted"}).status_code == 403


def test_what_is_refused_after_the_deadline_is_shown_to_be_copied(app, world, sqlite_database):
    client = visitor(app, world.actors["contributor"])
    number = world.ids["endorsed_number"]
    with sqlite_database.write() as session:
        session.get_one(Document, world.ids["document"]).phase_ends_at = datetime(2020, 1, 1, tzinfo=UTC)
        session.commit()
    typed = "Words that took an hour."
    own = {"organization": str(world.ids["contributor_organization"]), "meeting": ""}
    for path, data in (
        ("/remarks", {"text": typed, "kind": "remark", "section": ""}),
        (f"/suggestions/{number}/endorse", {"note": typed}),
        (f"/suggestions/{number}/remark", {"text": typed}),
        ("/suggestions/new-section", {"title": "Bees", "text": typed, "reason": "They pollinate.", **own}),
    ):
        answer = client.post(BASE + path, data=data)
        assert answer.status_code == 403, (path, answer.status_code)
        assert typed in answer.text and 'role="alert"' in answer.text, path
        assert "Termin na to już minął." in answer.text, path
    assert visitor(app, world.actors["observer"]).get(f"{BASE}/suggestions/new-section").status_code == 403


# ── the desk ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_official_accepts_the_chosen_wording_by_a_plain_form(app, world):
    view = open_suggestion(app, world)
    client = visitor(app, world.actors["official"])
    desk = client.get(f"{BASE}/review?u={view.number}")
    fields = fields_of(desk, "/review")
    assert fields["w"].startswith(f"{view.id}:")
    answer = client.post(f"{BASE}/review", data={**fields, "verdict": "accepted", "reason": "Right."})
    assert answer.status_code == 303
    with app.extensions["database"].read() as session:
        after = suggestions.suggestion(session, ANONYMOUS, view.id)
    assert after.hunks[0].state == "accepted" and after.hunks[0].decision.reason == "Right."


def test_a_rejection_needs_a_reason_and_keeps_what_was_typed(app, world):
    view = open_suggestion(app, world)
    client = visitor(app, world.actors["official"])
    fields = fields_of(client.get(f"{BASE}/review?u={view.number}"), "/review")
    bare = client.post(f"{BASE}/review", data={**fields, "verdict": "rejected", "reason": " "})
    assert bare.status_code == 422 and 'id="reason-error"' in bare.text
    assert (
        client.post(f"{BASE}/review", data={**fields, "verdict": "rejected", "reason": "No money."}).status_code == 303
    )
    assert "No money." in visitor(app).get(f"{BASE}/suggestions/{view.number}").text


def test_an_own_wording_is_accepted_with_changes(app, world):
    view = open_suggestion(app, world)
    client = visitor(app, world.actors["official"])
    fields = fields_of(client.get(f"{BASE}/review?u={view.number}"), "/review")
    way = view.open_hunks[0].ways[0]
    own = way.after.replace(view.open_hunks[0].text, "something else")
    answer = client.post(
        f"{BASE}/review", data={**fields, "w": "own", "wording": own, "verdict": "reworded", "reason": "Clearer."}
    )
    assert answer.status_code == 303, words_of(answer)[:2000]
    assert "something else" in visitor(app).get(f"{BASE}/text").text
    empty = open_suggestion(app, world)
    fields = fields_of(client.get(f"{BASE}/review?u={empty.number}"), "/review")
    refused = client.post(
        f"{BASE}/review", data={**fields, "w": "own", "wording": "", "verdict": "reworded", "reason": "Clearer."}
    )
    assert refused.status_code == 422 and "Clearer." in refused.text
    both = client.post(f"{BASE}/review", data={**fields, "wording": "", "verdict": "reworded", "reason": ""})
    assert both.status_code == 422 and 'id="wording-error"' in both.text and 'id="reason-error"' in both.text


def test_a_decision_on_what_has_changed_is_refused_and_the_reason_stays(app, world):
    view = open_suggestion(app, world)
    client = visitor(app, world.actors["official"])
    fields = fields_of(client.get(f"{BASE}/review?u={view.number}"), "/review")
    stale = fields["w"].split(":")
    stale[3] = "0" * len(stale[3])
    answer = client.post(
        f"{BASE}/review", data={**fields, "w": ":".join(stale), "verdict": "accepted", "reason": "My reason."}
    )
    assert answer.status_code == 422 and "My reason." in answer.text and 'role="alert"' in answer.text
    for odd in ("", "x", "1:2:3", "9" * 40, "1:1:1:a:b:c", "0:0:0::"):
        assert client.post(f"{BASE}/review", data={**fields, "w": odd, "verdict": "accepted"}).status_code in (
            404,
            422,
        ), odd


def test_a_decision_is_taken_back(app, world):
    view = open_suggestion(app, world)
    client = visitor(app, world.actors["official"])
    fields = fields_of(client.get(f"{BASE}/review?u={view.number}"), "/review")
    client.post(f"{BASE}/review", data={**fields, "verdict": "accepted", "reason": "Right."})
    desk = client.get(f"{BASE}/review").text
    undo = re.search(rf'action="({BASE}/suggestions/{view.number}/decisions/\d+/revert)"', desk)
    assert undo
    target = fields_of(client.get(f"{BASE}/review"), undo[1])["next"]
    back = client.post(undo[1], data={"reason": "A mistake.", "next": target})
    assert back.status_code == 303 and back.location == f"{BASE}/review?u={view.number}"
    assert open_suggestion(app, world).open_hunks
    page = visitor(app).get(f"{BASE}/suggestions/{view.number}").text
    assert "A mistake." in page


def test_rivals_stand_side_by_side_and_the_other_is_superseded(app, world, sqlite_database):
    with sqlite_database.write() as session:
        first = worlds._suggest(
            session, world.actors["contributor"], world.ids["second"], "Benches here", "Chairs here"
        )
        second = worlds._suggest(session, world.actors["drafter"], world.ids["second"], "Benches here", "Tables here")
    client = visitor(app, world.actors["official"])
    desk = client.get(f"{BASE}/review?u={first.number}")
    assert desk.text.count('class="wording hue-') == 2 and "Tables" in desk.text and "Chairs" in desk.text
    fields = fields_of(desk, "/review")
    assert client.post(f"{BASE}/review", data={**fields, "verdict": "accepted", "reason": ""}).status_code == 303
    with sqlite_database.read() as session:
        assert suggestions.suggestion(session, ANONYMOUS, second.id).hunks[0].state == "superseded"


def ticks_of(answer) -> list[str]:
    return re.findall(r'name="place" value="([^"]+)"', answer.text)


def test_a_set_across_suggestions_is_decided_with_one_reason(app, world):
    client = visitor(app, world.actors["official"])
    page = client.get(f"{BASE}/review/set")
    places = ticks_of(page)
    assert len(places) > 3 and 'href="/d/trees/review"' in page.text
    ids = {int(place.split(":")[0]) for place in places[:2]}
    assert len(ids) == 2
    form = {"in": world.ids["section"], "verdict": "accepted", "place": places[:2], "reason": "Both fit."}
    assert client.post(f"{BASE}/review/set", data=form).status_code == 303
    rejected = {**form, "place": places[2:4], "verdict": "rejected", "reason": " "}
    bare = client.post(f"{BASE}/review/set", data=rejected)
    assert bare.status_code == 422 and 'id="reason-error"' in bare.text
    assert len(re.findall(r'name="place" value="[^"]+" id="[^"]+" checked', bare.text)) == 2, "ticks are kept"
    assert client.post(f"{BASE}/review/set", data={**rejected, "reason": "Not now."}).status_code == 303
    with app.extensions["database"].read() as session:
        for place in places[:4]:
            suggestion, hunk = map(int, place.split(":")[:2])
            view = suggestions.suggestion(session, ANONYMOUS, suggestion)
            decision = next(each for each in view.hunks if each.id == hunk).decision
            assert (decision.verdict, decision.reason) == (
                ("accepted", "Both fit.") if place in places[:2] else ("rejected", "Not now.")
            )
            assert decision.set_id
    assert not set(ticks_of(client.get(f"{BASE}/review/set"))) & set(places[:4])


def test_a_set_is_about_what_was_read(app, world, sqlite_database):
    client = visitor(app, world.actors["official"])
    places = ticks_of(client.get(f"{BASE}/review/set"))
    form = {"in": world.ids["section"], "verdict": "accepted", "reason": "Kept."}
    old = ":".join([*places[0].split(":")[:3], "0" * 16, ""])
    stale = client.post(f"{BASE}/review/set", data={**form, "place": [old, places[1]]})
    assert stale.status_code == 422 and "Kept." in stale.text and stale.text.count(" checked") == 2
    with sqlite_database.write() as session:
        first = worlds._suggest(session, world.actors["contributor"], world.ids["second"], "Benches here", "Chairs")
        rival = worlds._suggest(session, world.actors["drafter"], world.ids["second"], "Benches here", "Tables")
    page = client.get(f"{BASE}/review/set?section={world.ids['second']}")
    own = [place for place in ticks_of(page) if place.startswith(f"{first.id}:")]
    second = {**form, "in": world.ids["second"], "place": own}
    unknown = client.post(f"{BASE}/review/set", data=second)
    assert unknown.status_code == 422, "the form did not say that a rival will be superseded"
    known = re.findall(r'name="known" value="([^"]+)"', page.text)
    assert client.post(f"{BASE}/review/set", data={**second, "known": known}).status_code == 303
    with sqlite_database.read() as session:
        assert suggestions.suggestion(session, ANONYMOUS, rival.id).hunks[0].state == "superseded"
    for odd in ({}, {"place": ["x"]}, {"place": places[:1], "in": "99"}, {"place": places[:1], "verdict": "king"}):
        assert client.post(f"{BASE}/review/set", data={**form, **odd}).status_code == 422, odd


def test_a_removed_section_is_named_wherever_something_would_be_accepted_into_it(app, world):
    client, ids = visitor(app, world.actors["official"]), world.ids
    with app.extensions["database"].write() as session:
        sections.remove_section(session, world.actors["coordinator"], ids["section"])
    says = "Część „Trees” usunięto. Najpierw trzeba ją przywrócić"
    api = f"/api/v1/sections/{ids['section']}/decisions"
    sent = client.post(api, json={"items": ids["items"], "verdict": "accepted"})
    assert sent.status_code == 409 and says in sent.json["error"]["message"]
    desk = {"u": ids["suggestion_number"], "verdict": "accepted", "w": ids["choice"], "reason": "It fits."}
    refused = client.post(f"{BASE}/review", data=desk)
    assert refused.status_code == 422 and says in refused.text and "It fits." in refused.text
    page = client.get(f"{BASE}/review/set")
    assert "Trees (część usunięta)" in page.text
    places = [place for place in ticks_of(page) if place.startswith(f"{ids['suggestion']}:")]
    known = re.findall(r'name="known" value="([^"]+)"', page.text)
    form = {"in": ids["section"], "verdict": "accepted", "reason": "Both.", "place": places, "known": known}
    set_ = client.post(f"{BASE}/review/set", data=form)
    assert set_.status_code == 422 and says in set_.text and "Both." in set_.text
    assert client.post(f"{BASE}/review/set", data={**form, "verdict": "rejected"}).status_code == 303
    with app.extensions["database"].read() as session:
        assert suggestions.suggestion(session, ANONYMOUS, ids["suggestion"]).hunks[0].state == "rejected"


def test_a_section_that_is_only_proposed_is_accepted_in_a_set(app, world):
    with app.extensions["database"].write() as session:
        new = suggestions.propose_section(session, world.actors["contributor"], world.ids["document"])
        typed = Update("tab", 1, ChangeSet.of([(0, 0, "# Bees\n")], 0))
        editing.push(session, world.actors["contributor"], new.stream_id, 0, [typed])
        suggestions.file(session, world.actors["contributor"], new.id, reason="Bees.")
    client = visitor(app, world.actors["official"])
    [place] = [one for one in ticks_of(client.get(f"{BASE}/review/set")) if one.startswith(f"{new.id}:")]
    form = {"in": new.section_id, "verdict": "accepted", "reason": "", "place": [place]}
    assert client.post(f"{BASE}/review/set", data=form).status_code == 303
    assert row(app, select(Section).where(Section.id == new.section_id)).removed_at is None


def test_control_characters_are_left_out_of_words_and_a_nul_is_refused_at_every_door(app, world):
    """They come along unseen with words copied from Word or a PDF; PostgreSQL and XML hold none of them."""
    client, own = visitor(app, world.actors["contributor"]), world.own["contributor"]
    number, id_ = own["number"], own["filed"]
    pasted, kept = "One\x0btwo\x01 \x1b\tthree\x7f\ufffe", "One\ntwo \tthree"

    def reason() -> str:
        return row(app, select(Suggestion).where(Suggestion.id == id_)).reason

    assert client.patch(f"/api/v1/suggestions/{id_}", json={"reason": pasted}).status_code == 200
    assert reason() == kept
    assert client.patch(f"/api/v1/suggestions/{id_}", json={"reason": "other"}).status_code == 200
    form = {"reason": pasted, "minutes_quote": ""}
    assert client.post(f"{BASE}/suggestions/{number}/file", data=form).status_code == 303
    assert reason() == kept
    says = "Są tu znaki, które nie są tekstem"
    for wrong in ("a\0b", "a\ud800b"):
        refused = client.patch(f"/api/v1/suggestions/{id_}", json={"reason": wrong})
        assert refused.status_code == 400 and says in refused.json["error"]["message"], wrong
    refused = client.post(f"{BASE}/suggestions/{number}/file", data={"reason": "a\0b"})
    assert refused.status_code == 400 and says in refused.text
    long = client.patch(f"/api/v1/suggestions/{id_}", json={"reason": "x" * 10_001})
    assert long.status_code == 400 and "Najwyżej 10 000 znaków" in long.json["error"]["message"].replace("\xa0", " ")
    assert reason() == kept


def test_no_file_breaks_on_control_characters_that_were_stored_before_they_were_left_out(app, world):
    import io
    from xml.etree import ElementTree
    from zipfile import ZipFile

    nasty = "a\x01b\x0bc\x0cd\x1b[0m\x7f\ufffe"
    columns = {
        Document: ("title", "municipality", "summary"), Meeting: ("topic", "minutes"), News: ("title", "text"),
        Suggestion: ("reason", "minutes_quote"), Decision: ("reason",), Comment: ("text",), User: ("name",),
        Section: ("title",),
    }  # fmt: skip
    with app.extensions["database"].write() as session:
        for model, names in columns.items():
            session.execute(update(model).values(dict.fromkeys(names, nasty)))
        session.commit()
    client = visitor(app, world.actors["coordinator"])
    ElementTree.fromstring(client.get(f"{BASE}/news.atom").data)
    with app.extensions["database"].read() as session:
        chief, document = world.actors["coordinator"], world.ids["document"]
        files = [reporting.report_file(session, chief, document, ending) for ending in ("docx", "xlsx")]
    for data in (client.get(f"{BASE}/text.docx").data, *files):
        with ZipFile(io.BytesIO(data)) as package:
            for name in package.namelist():
                if name.endswith((".xml", ".rels")):
                    ElementTree.fromstring(package.read(name))


def test_a_long_queue_is_shown_a_page_at_a_time_in_the_order_of_the_text(app, world, monkeypatch):
    """Desk and set show the same suggestions in the same order, whole or in pages; from page to page leads a link."""
    client = visitor(app, world.actors["official"])
    shown = r'class="item" href="[^"]*[?&;]u=(\d+)"'
    desk, whole = client.get(f"{BASE}/review"), client.get(f"{BASE}/review/set")
    numbers, places = re.findall(shown, desk.text), ticks_of(whole)
    assert len(numbers) > 3 and len(places) >= len(numbers) and 'rel="next"' not in desk.text + whole.text
    monkeypatch.setattr(review, "A_QUEUE", 2)
    monkeypatch.setattr(sets, "A_PAGE", 2)
    seen, address = [], f"{BASE}/review"
    while address:
        page = client.get(address)
        part = re.findall(shown, page.text)
        assert 1 <= len(part) <= 2 and page.text.count('aria-current="true"><span class="item__top"') == 1
        seen += part
        found = re.search(r'rel="next" href="([^"]+)"', page.text)
        address = html.unescape(found[1]) if found else ""
    assert seen == numbers
    last = client.get(f"{BASE}/review?u={numbers[1]}")
    assert f'data-after="{BASE}/review?u={numbers[2]}"' in last.text, "J leads on to the next page"
    ticked, number = [], 0
    while len(ticked) < len(places):
        number += 1
        part = ticks_of(client.get(f"{BASE}/review/set?page={number}"))
        assert part
        ticked += part
    assert ticked == places
    second = ticks_of(client.get(f"{BASE}/review/set?page=2"))
    form = {"in": world.ids["section"], "verdict": "rejected", "reason": "Not now.", "place": second[:1]}
    done = client.post(f"{BASE}/review/set?page=2", data=form)
    assert done.status_code == 303 and done.location.endswith("/review/set?page=2")
    assert len(re.findall(shown, client.get(f"{BASE}/review?state=competing").text)) <= 2


def test_where_nothing_can_be_written_pages_are_read_and_what_is_sent_is_refused_in_words(application, made, tmp_path):
    """A file that may only be read; a full disk and a database that is away are the same error."""
    path, world, _ = made
    shutil.copyfile(path, tmp_path / "fixed.sqlite")
    database = Database(f"sqlite:///file:{tmp_path}/fixed.sqlite?mode=ro&uri=true", durable=False)
    application.extensions["database"] = database
    client, says = visitor(application, world.actors["contributor"]), "Serwer nie może teraz odczytywać ani zapisywać danych"
    try:
        for page in ("/", "/text", f"/s/{world.ids['section']}", "/suggestions", "/meetings/1"):
            assert client.get(BASE + page).status_code == 200, page
        own = world.own["contributor"]
        sent = client.patch(f"/api/v1/suggestions/{own['filed']}", json={"reason": "other"})
        assert sent.status_code == 503 and sent.json["error"]["code"] == "unavailable"
        assert says in sent.json["error"]["message"]
        page = client.post(f"{BASE}/suggestions/{own['number']}/file", data={"reason": "other"})
        assert page.status_code == 503 and says in page.text and page.headers["Retry-After"]
    finally:
        database.close()


def test_the_desk_is_empty_when_nothing_waits(app, sqlite_database):
    with sqlite_database.write() as session:
        document = make.document(session, slug="trees")
        actor = make.member(session, document, "official")
        session.commit()
    answer = visitor(app, actor).get(f"{BASE}/review")
    assert answer.status_code == 200 and 'class="empty"' in answer.text


def test_the_way_in_leads_each_to_what_they_came_to_do(app, world):
    def way(role: str) -> str:
        page = visitor(app, world.actors[role]).get(f"{BASE}/").text
        found = re.search(r'<section class="today".*?<a class="btn btn--main" href="([^"]*)"', page, re.DOTALL)
        assert found
        return found[1]

    assert way("official") == f"{BASE}/review"
    assert way("contributor").endswith("?mode=suggest") and way("drafter").endswith("?mode=edit")
    assert way("observer") == f"{BASE}/text"


def test_who_begins_a_document_is_led_to_its_sections(app, sqlite_database):
    with sqlite_database.write() as session:
        document = make.document(session, slug="new", phase="drafting", is_public=False)
        chief = make.member(session, document, "coordinator")
        session.commit()
    client = visitor(app, chief)
    assert 'class="btn btn--main" href="/d/new/sections"' in client.get("/d/new/").text
    with sqlite_database.write() as session:
        make.section(session, session.get_one(Document, document.id), "# One\n")
        session.commit()
    assert 'href="/d/new/settings#public"' in client.get("/d/new/").text

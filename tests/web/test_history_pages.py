"""Pages of the past: sources, stories, comparison, time line; all of it as links and forms, without script."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from drafting.formats.docx_xml import lint
from drafting.services import decisions, suggestions
from drafting.services.decisions import Judged
from drafting.store.database import Database
from drafting.web.pages import compare
from tests.web import world
from tests.web.conftest import visitor


@pytest.fixture
def made(database: Database, tmp_path: Path) -> world.World:
    """The world of the permission tests, with one suggestion accepted."""
    with database.session() as session:
        built = world.build(session, tmp_path)
        official = built.actors["official"]
        for view in suggestions.listing(session, official, built.ids["document"]):
            if view.open_hunks and view.filed_at is not None:
                hunk = view.open_hunks[0]
                decisions.decide(session, official, view.section_id, [Judged(view.id, hunk.id)], "accepted", reason="Fits. <b>")
                break
        return built


@pytest.fixture
def reader(app: Flask, made: world.World) -> FlaskClient:
    return visitor(app)


def page(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return answer.get_data(as_text=True)


def runs(html: str) -> list[str]:
    """The keys of the runs that are links."""
    return re.findall(r'href="[^"]*[?;]run=([0-9.]+)', html)


def test_the_sources_page_colours_by_choice_and_every_run_leads_to_its_story(reader: FlaskClient) -> None:
    for by in ("meeting", "organization", "kind", "decision", "age", "nonsense"):
        html = page(reader, f"/d/trees/sources?by={by}")
        found = runs(html)
        assert found, by
        for key in found[:6]:
            shown = page(reader, f"/d/trees/sources?by={by}&run={key}")
            assert 'class="story__word"' in shown, (by, key)
        assert 'style="' not in html, by


def test_the_legend_filters_by_links(reader: FlaskClient) -> None:
    html = page(reader, "/d/trees/sources?by=kind")
    keys = re.findall(r'href="(/d/trees/sources\?[^"]*only=[^"]*)"', html)
    assert keys
    filtered = page(reader, keys[0].replace("&amp;", "&"))
    assert 'aria-current="true"' in filtered


def test_removed_words_are_switched_by_a_link(reader: FlaskClient) -> None:
    assert "<del" in page(reader, "/d/trees/sources?by=kind")
    assert "<del" not in page(reader, "/d/trees/sources?by=kind&removed=0")


def test_a_story_is_a_page_for_people_and_a_piece_for_scripts(reader: FlaskClient, made: world.World) -> None:
    address = f"/d/trees/s/{made.ids['section']}/story?pos=12"
    alone = reader.get(address, headers={"Accept": "text/html"}).get_data(as_text=True)
    assert "<html" in alone and 'class="line"' in alone
    piece = reader.get(address, headers={"Accept": "text/html", "HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in piece and 'class="line"' in piece
    answer = reader.get(f"/api/v1/sections/{made.ids['section']}/story?pos=12")
    assert answer.status_code == 200 and answer.get_json()["entries"]


def test_what_is_not_there_is_not_found(reader: FlaskClient, made: world.World) -> None:
    for address in (
        "/d/trees/sources?run=9.9.9",
        "/d/trees/sources?run=x",
        f"/d/trees/s/{made.ids['section']}/story?pos=99999999",
        "/d/trees/s/999999/story",
        "/d/trees/compare?from=m999999",
        "/d/nowhere/history",
    ):
        page(reader, address, 404)
    page(reader, "/d/trees/compare?from=yesterday", 400)
    page(reader, "/d/trees/history?at=never", 400)


def test_moments_are_compared(reader: FlaskClient) -> None:
    for query in ("", "?view=side", "?whole=1", "?from=start&to=now&vanished=1", "?only=oXX", "?from=date&from_date=2026-01-01"):
        html = page(reader, f"/d/trees/compare{query}")
        assert 'style="' not in html, query


def test_a_comparison_names_who_is_behind_a_change_and_what_they_say_stays_inert(reader: FlaskClient) -> None:
    html = page(reader, "/d/trees/compare?from=start&to=now")
    assert "<ins" in html and runs(html)
    key = next(each for each in runs(html))
    assert "Fits. <b>" not in page(reader, f"/d/trees/sources?run={key}")


def test_a_comparison_is_saved_as_word_pdf_and_html_with_the_same_bytes_twice(reader: FlaskClient) -> None:
    for form, sign in (("docx", b"PK"), ("pdf", b"%PDF"), ("html", b"<!doctype")):
        address = f"/d/trees/compare?from=start&to=2100-01-01&format={form}"
        once, twice = reader.get(address), reader.get(address)
        assert once.status_code == 200 and once.data.startswith(sign)
        assert once.data == twice.data
        assert "attachment" in once.headers["Content-Disposition"]
    word = reader.get("/d/trees/compare?from=start&to=now&format=docx").data
    assert lint(word) == []
    assert b"<w:ins " in zipfile.ZipFile(io.BytesIO(word)).read("word/document.xml")


def test_the_time_line_shows_the_text_at_any_moment(reader: FlaskClient) -> None:
    html = page(reader, "/d/trees/history")
    assert 'type="range"' in html
    page(reader, "/d/trees/history?step=0")
    page(reader, "/d/trees/history?step=99999")
    page(reader, "/d/trees/history?at=2026-03-02T10:00")
    last = int(re.search(r'max="(\d+)"', html)[1])  # type: ignore[index]
    for step in range(last + 1):
        answer = reader.get(f"/d/trees/history?step={step}", headers={"HX-Request": "true"})
        assert answer.status_code == 200, f"the piece of step {step}"
        assert "<html" not in answer.get_data(as_text=True)
    counted = [page(reader, f"/d/trees/history?step={step}") for step in range(last + 1)]
    for what in ("filed", "decided"):  # a count of suggestions leads to them
        addresses = {each for html in counted for each in re.findall(rf'href="(/d/trees/suggestions\?{what}=[\d-]+)"', html)}
        assert addresses, what
        for address in addresses:
            assert 'class="asked__no"' in page(reader, address), address
    filed = re.findall(r'suggestions\?filed=[\d-]+">(\d+) ', "".join(counted))
    assert sum(map(int, filed)) == page(reader, "/d/trees/suggestions").count('class="asked__no"')
    assert 'class="asked__no"' not in page(reader, "/d/trees/suggestions?filed=1999-01-01")
    assert 'class="asked__no"' in page(reader, "/d/trees/suggestions?filed=never"), "what is no day is no filter"
    long_ago = reader.get("/d/trees/history?at=1900-01-01", headers={"HX-Request": "true"})
    assert long_ago.status_code == 200, "an empty text has its words in a piece too"


def test_what_a_moment_brought_is_marked_and_leads_to_its_story(reader: FlaskClient) -> None:
    html = page(reader, "/d/trees/history")
    last = int(re.search(r'max="(\d+)"', html)[1])  # type: ignore[index]
    pieces = [page(reader, f"/d/trees/history?step={step}") for step in range(last + 1)]
    marked = [each for each in pieces if "<ins " in each]
    assert marked and all("/story?run=" in each for each in marked)
    assert "<ins " not in html, "the text as it is now is marked with nothing"


def test_what_happened_while_one_was_away_ends_when_one_has_seen_it(app: Flask, made: world.World) -> None:
    client = visitor(app, made.actors["official"])
    assert "/suggestions/" in page(client, "/d/trees/history/away?since=2020-01-01T00:00:00%2B00:00")
    assert client.post("/d/trees/history/away").status_code == 303
    assert "/suggestions/" not in page(client, "/d/trees/history/away").partition('id="events"')[2].partition("</section>")[0]


def test_a_named_version_is_taken_back_to_by_those_who_may(app: Flask, made: world.World) -> None:
    address = f"/d/trees/milestones/{made.ids['milestone']}/restore"
    assert visitor(app, made.actors["contributor"]).post(address).status_code == 403
    assert visitor(app, made.actors["official"]).post(address).status_code in (303, 403)


def test_the_api_tells_who_brought_in_every_character(reader: FlaskClient, made: world.World) -> None:
    section = made.ids["section"]
    answer = reader.get(f"/api/v1/sections/{section}/attribution?deleted=1").get_json()
    text = reader.get(f"/api/v1/sections/{section}").get_json()["text"]
    assert sum(length for length, _ in answer["spans"]) == len(text)
    assert {"label", "organization", "meeting", "kind", "suggestion", "decision", "at", "by"} <= set(answer["sources"][0])


def test_a_comparison_of_more_changes_than_fit_goes_on_page_by_page_and_files_have_them_all(
    reader: FlaskClient, made: world.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = made.ids["section"]

    def listed(html: str) -> list[str]:
        return re.findall(rf'href="/d/trees/s/{section}/story\?run=([0-9.]+)">(?:Historia|Story)', html)

    everything = listed(page(reader, f"/d/trees/compare?from=start&to=now&section={section}&vanished=1"))
    assert len(everything) > 3
    monkeypatch.setattr(compare, "ON_ONE_PAGE", 2)
    found: list[str] = []
    for first in range(0, len(everything), 2):
        html = page(reader, f"/d/trees/compare?from=start&to=now&section={section}&vanished=1&first={first}")
        found += listed(html)
        assert (f"first={first + 2}" in html) == (first + 2 < len(everything)), "a link to the next ones"
    assert found == everything
    whole = page(reader, "/d/trees/compare?from=start&to=now&vanished=1")
    assert len(listed(whole)) <= 2 and f"section={section}" in whole
    saved = page(reader, f"/d/trees/compare?from=start&to=now&section={section}&vanished=1&format=html")
    assert saved.count('class="who"') == len(everything)
    for odd in ("first=-5", "first=99999", "first=x", "first=99999999999999999999"):
        page(reader, f"/d/trees/compare?from=start&to=now&section={section}&{odd}")

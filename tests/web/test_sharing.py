"""What people show each other: a story's own page and the sentence to cite, and numbers that lead to what they count."""

from __future__ import annotations

import html
import re

from flask.testing import FlaskClient

from drafting.services.proposal_stories import _sentence_number
from drafting.web.pages import sentences
from tests.web import world
from tests.web.test_history_pages import made, page, reader, runs

__all__ = ["made", "reader"]  # fixtures

COUNTED = re.compile(r'<a href="(/d/trees/suggestions\?[^"]*)"[^>]*>(?:<span>)?(?:<b>)?(?:(\d+)(?:</b>)?/)?(\d+)<')


def test_a_story_has_a_title_an_address_and_a_sentence_to_cite(reader: FlaskClient, made: world.World) -> None:
    section = made.ids["section"]
    found = list(dict.fromkeys(runs(page(reader, "/d/trees/sources?only=u1&by=organization")) + runs(page(reader, "/d/trees/sources"))))
    told = [reader.get(f"/d/trees/s/{section}/story?run={key}", headers={"Accept": "text/html"}).get_data(as_text=True) for key in found]
    asked = next(each for each in told if re.search(r'og:description" content="[^"]*Fits\.', each))
    meta = dict(re.findall(r'<meta property="(og:\w+)" content="([^"]*)"', asked))
    assert meta["og:url"] == re.findall(r'<link rel="canonical" href="([^"]*)"', asked)[0]
    assert meta["og:title"] in asked.partition("</title>")[0]
    [copied] = re.findall(r'data-copies="([^"]*)"', asked)
    assert meta["og:description"] in copied and meta["og:url"] in copied and "U-" in copied
    assert "Fits. <b>" not in asked and "Fits. &lt;b&gt;" in asked
    again = reader.get(html.unescape(meta["og:url"]).removeprefix("http://localhost"), headers={"Accept": "text/html"})
    assert html.unescape(meta["og:title"]) in html.unescape(again.get_data(as_text=True))


def test_a_filter_says_how_many_places_it_lets_through_and_leads_to_the_first(reader: FlaskClient) -> None:
    said = page(reader, "/d/trees/sources?by=kind&only=kind-suggestion")
    places = list(dict.fromkeys(re.findall(r'id="at-([0-9.]+)"', said)))
    assert places and f'href="#at-{places[0]}"' in said
    line = re.search(r'class="controls__row filterline"><p role="status"><b>[^<]*</b>: (\d+)', said)
    assert line and int(line[1]) == len(places)


def test_numbers_lead_to_lists_of_that_many(reader: FlaskClient) -> None:
    followed = 0
    for address in ("/d/trees/matrix", "/d/trees/matrix?by=organization", "/d/trees/meetings/1", "/d/trees/report/course"):
        for link, _, number in dict.fromkeys(COUNTED.findall(page(reader, address))):
            listed = page(reader, html.unescape(link))
            assert len(re.findall(r'class="asked__no"', listed)) == int(number), (address, link)
            followed += 1
    assert followed > 5


def test_the_sentence_of_the_minutes_that_a_story_names_is_the_one_that_is_marked() -> None:
    minutes = "Przyszło dużo osób 😀. Fundacja prosi o **250 drzew** rodzimych! „Dlaczego?” – zapytał ktoś. Podano herbatę."
    for said in ("Przyszło dużo", "Fundacja prosi", "zapytał ktoś", "Podano herbatę"):
        number = _sentence_number(minutes, said)
        marked = sentences.minutes(minutes, number)
        text = re.sub(r"<[^>]+>", "", marked[marked.index('<mark id="sentence"') : marked.rindex("</mark>")])
        assert said in text and text.count("herbatę") == said.count("herbatę")
    for none in (None, 0, 99):
        assert "<mark" not in sentences.minutes(minutes, none)

"""Remarks on a passage, a section and a suggestion; orphans put back by a person; the discussion on the cards."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, Programme
from tests.browser.test_screens import violations


def test_a_remark_stands_on_the_chosen_words_though_others_typed_before_them(programme: Programme, open_as: Open) -> None:
    ngo, team = open_as(programme, "ngo", "read"), open_as(programme, "team", "edit")
    ngo.select("300 m")
    ngo.page.click(".remark")
    expect(ngo.page.locator("#new-remark [data-quote]")).to_have_text("300 m")
    team.put_caret("Miasto wspólnie").type(" i zgodnie").settled()
    ngo.reads("wspólnie i zgodnie")
    ngo.page.fill("#new-remark-t", "Czy w linii prostej?")
    ngo.send_remark()
    for hand in (ngo, team):
        expect(hand.page.locator("mark[data-annotation]")).to_have_text("300 m")


def test_a_remark_whose_words_were_removed_meanwhile_is_not_lost(programme: Programme, open_as: Open) -> None:
    ngo, team = open_as(programme, "ngo", "read"), open_as(programme, "team", "edit")
    ngo.begin_remark("300 m", "Czy w linii prostej?")
    team.select("300 m").press("Delete").settled()
    ngo.no_longer_reads("300 m")
    ngo.send_remark()
    expect(ngo.page.locator("#new-remark .notice--wrong")).to_contain_text("usunięte")
    ngo.select("ławek")
    ngo.page.click(".margin [data-remark]")
    expect(ngo.page.locator("#new-remark-t")).to_have_value("Czy w linii prostej?")
    ngo.send_remark()
    expect(team.page.locator("mark[data-annotation]")).to_have_text("ławek")


def test_a_remark_being_written_goes_along_into_another_mode(programme: Programme, open_as: Open) -> None:
    ngo = open_as(programme, "ngo", "read")
    ngo.begin_remark("300 m", "Czy w linii prostej?")
    ngo.page.locator(".modes label", has_text="Proponuj").click()
    ngo.put_caret("Miasto wspólnie").type(" i zgodnie")
    ngo.until("workspace.branch !== null").settled()
    ngo.send_remark()
    expect(ngo.page.locator("mark[data-annotation]")).to_have_text("300 m")


def test_a_remark_on_the_whole_section(programme: Programme, open_as: Open) -> None:
    ngo, team = open_as(programme, "ngo", "read"), open_as(programme, "team", "read")
    ngo.page.click(".margin [data-remark]")
    expect(ngo.page.locator("#new-remark [data-quote]")).to_have_text("o całej części")
    ngo.page.fill("#new-remark-t", "Brakuje terminów.")
    ngo.send_remark()
    card = team.page.locator(".card--note")
    expect(card).to_contain_text("Brakuje terminów.")
    expect(card).to_contain_text("o całej części")


def test_an_orphan_is_put_back_by_a_person(programme: Programme, open_as: Open) -> None:
    ngo, team = open_as(programme, "ngo", "read"), open_as(programme, "team", "edit")
    ngo.remark("300 m", "W linii prostej?")
    expect(team.page.locator("mark[data-annotation]")).to_have_text("300 m")
    team.select("300 m").type("pół kilometra").settled()
    card = team.page.locator(".card--note")
    for hand in (ngo, team):
        expect(hand.page.locator(".card--note")).to_have_attribute("data-state", "orphaned")
    card.locator(".card__head").click()
    # what is said about the caret's place goes into the status line and nowhere else
    expect(card.locator("[data-place]")).to_have_text("Umieść przy zaznaczonych słowach")
    card.locator("[data-post$='/find']").click()
    # it never guesses: nothing there reads as its words did
    expect(card.locator(".notice--wrong")).to_contain_text("Zaznacz")
    expect(card).to_have_attribute("data-state", "orphaned")
    team.select("pół kilometra")
    card.locator("[data-place]").click()
    expect(card).to_have_attribute("data-state", "open")
    for hand in (ngo, team):
        expect(hand.page.locator("mark[data-annotation]")).to_have_text("pół kilometra")


def test_a_remark_whose_words_come_back_has_its_place_again(programme: Programme, open_as: Open) -> None:
    ngo, team = open_as(programme, "ngo", "read"), open_as(programme, "team", "edit")
    ngo.remark("300 m", "W linii prostej?")
    expect(team.page.locator("mark[data-annotation]")).to_have_text("300 m")
    team.select(" nie rzadziej niż co 300 m").press("Delete").settled()
    for hand in (ngo, team):
        expect(hand.page.locator(".card--note")).to_have_attribute("data-state", "orphaned")
    team.press("Control+z").settled()
    for hand in (ngo, team):
        expect(hand.page.locator("mark[data-annotation]")).to_have_text("300 m")
        expect(hand.page.locator(".card--note")).to_have_attribute("data-state", "open")


def test_a_suggestion_is_discussed_on_its_card(programme: Programme, open_as: Open) -> None:
    ngo, official = open_as(programme, "ngo", "suggest"), open_as(programme, "official", "review")
    number = ngo.suggest("100 drzew", "250 lip", "Więcej.")
    card = official.choose(number)
    card.locator("[data-talk] summary").click()
    card.locator("[data-talk] textarea").fill("Skąd te liczby?")
    card.locator("[data-talk] .btn").click()
    expect(card.locator(".talk")).to_contain_text("Skąd te liczby?")
    theirs = ngo.choose(number)
    expect(theirs.locator(".talk")).to_contain_text("Skąd te liczby?")
    # it stands on the suggestion's card and nowhere else
    for hand in (ngo, official):
        expect(hand.page.locator(".card--note")).to_have_count(0)
    theirs.locator("[data-talk] summary").click()
    theirs.locator("[data-talk] textarea").fill("Z wykazu wycinek.")
    theirs.locator("[data-talk] .btn").click()
    expect(card.locator(".talk li")).to_have_count(2)
    official.go("review")
    expect(official.choose(number).locator(".talk li")).to_have_count(2)


def test_a_thread_is_answered_resolved_and_opened_again(programme: Programme, open_as: Open) -> None:
    ngo, official = open_as(programme, "ngo", "read"), open_as(programme, "official", "read")
    ngo.remark("300 m", "W linii prostej?")
    card = official.page.locator(".card--note")
    card.locator(".card__head").click()
    card.locator("textarea[name=text]").fill("Po chodnikach.")
    card.locator("form .btn", has_text="Wyślij").click()
    expect(card.locator(".talk li")).to_have_count(1)
    card.locator("details summary").click()
    card.locator("select[name=position]").select_option("partly")
    card.locator("textarea[name=reason]").fill("Dopiszemy sposób pomiaru.")
    card.locator("[data-post$='/position'] .btn").click()
    theirs = ngo.page.locator(".card--note")
    expect(theirs).to_contain_text("Dopiszemy sposób pomiaru.")
    ngo.page.locator(".card--note .card__head").click()
    theirs.locator("[data-post$='/resolve']").click()
    expect(card).to_have_attribute("data-state", "resolved")
    theirs.locator("[data-post$='/reopen']").click()
    expect(card).to_have_attribute("data-state", "open")


def test_a_suggestion_named_in_the_address_is_amended(programme: Programme, open_as: Open) -> None:
    ngo = open_as(programme, "ngo", "suggest")
    number = ngo.suggest("100 drzew", "250 lip", "Więcej.")
    ngo.propose("300 m", "200 m")
    ngo.page.goto(f"{ngo.address}?mode=suggest&u={number}")
    ngo.page.wait_for_selector(".cm-content")
    ngo.settled().reads("posadzi 250 lip").reads("co 300 m")
    expect(ngo.page.locator("[data-draft-state]")).to_contain_text(f"U-{number}")
    expect(ngo.card(number)).to_have_class(re.compile("is-selected"))


@pytest.mark.parametrize("width", [1280, 390])
def test_names_are_completed_after_an_at_by_key_and_by_touch(programme: Programme, open_as: Open, width: int) -> None:
    ngo = open_as(programme, "ngo", "read", width=width)
    ngo.begin_remark("300 m", "Prosimy ")
    field, listed = ngo.page.locator("#new-remark-t"), ngo.page.locator("#mentions [role=option]")
    name, other = programme.people["second"].name, programme.people["official"].name
    field.press("End")
    ngo.type("@coor")
    expect(listed).to_have_text([name])
    expect(field).to_have_attribute("aria-activedescendant", "mentions-0")
    assert width == 1280 or not violations(ngo)
    ngo.until(
        """{ const { top, bottom } = document.querySelector('#mentions').getBoundingClientRect();
             return top >= 0 && bottom <= innerHeight; }""",
        says="the names are on the screen",
    )
    # Escape leaves what was typed, and the card
    ngo.press("Escape")
    expect(listed).to_have_count(0)
    expect(field).to_have_value("Prosimy @coor")
    ngo.type("d")
    expect(listed).to_have_count(1)
    ngo.press("Enter")
    expect(field).to_have_value(f"Prosimy @{name} ")
    expect(field).to_be_focused()
    # everybody but the writer, and nobody else
    ngo.type("i @")
    expect(listed).to_have_count(len(programme.people) - 1)
    ngo.press("ArrowUp")
    expect(field).to_have_attribute("aria-activedescendant", f"mentions-{len(programme.people) - 2}")
    listed.filter(has_text=other).click()
    expect(field).to_have_value(f"Prosimy @{name} i @{other} ")
    expect(listed).to_have_count(0)
    ngo.send_remark()
    expect(ngo.page.locator(".card--note")).to_contain_text(f"@{other}")
    second = open_as(programme, "second", "read")
    second.page.goto(f"{second.url}/notifications")
    expect(second.page.locator(".list")).to_contain_text("Wspomniano cię w dyskusji")


def test_names_are_completed_on_the_pages_too(programme: Programme, open_as: Open) -> None:
    official = open_as(programme, "official", "read")
    official.page.goto(f"{official.url}/d/{programme.slug}/remarks")
    official.page.locator("#text").click()
    official.type("@zp")
    expect(official.page.locator("#mentions [role=option]")).to_have_count(1)
    official.press("Tab")
    expect(official.page.locator("#text")).to_have_value(f"@{programme.people['ngo'].name} ")
    expect(official.page.locator("#text")).to_be_focused()

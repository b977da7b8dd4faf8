"""The review desk by keyboard: from one proposal to the next, a verdict with its reason, the own wording."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Open, Programme


def test_the_queue_is_worked_off_by_keyboard(programme: Programme, open_as: Open) -> None:
    ngo, rival = open_as(programme, "ngo", "suggest"), open_as(programme, "rival", "suggest")
    ngo.propose("100 drzew", "250 lip")
    ngo.file("Więcej drzew.")
    rival.propose("podwórek", "podwórek i ogrodów")
    rival.file("Ogrody też.")
    official = open_as(programme, "official", "read")
    page = official.page
    page.goto(f"{official.url}/d/{programme.slug}/review")
    expect(page.locator(".item[aria-current]")).to_contain_text("U-1")
    page.keyboard.press("j")
    expect(page.locator(".item[aria-current]")).to_contain_text("U-2")
    page.keyboard.press("k")
    expect(page.locator(".item[aria-current]")).to_contain_text("U-1")
    page.fill(".verdict textarea", "Zgodne z planem nasadzeń.")
    page.locator(".bench h1, .bench h2").first.click()
    page.keyboard.press("a")
    ngo.reads("Miasto posadzi 250 lip w miejscach")
    expect(page.locator(".queue")).not_to_contain_text("U-1")


def test_the_own_wording_keeps_the_proposers_words_theirs(programme: Programme, open_as: Open) -> None:
    ngo = open_as(programme, "ngo", "suggest")
    ngo.propose("100 drzew", "250 lip rodzimych")
    ngo.file("Więcej drzew.")
    official = open_as(programme, "official", "read")
    page = official.page
    page.goto(f"{official.url}/d/{programme.slug}/review")
    own = page.locator(".wording textarea")
    own.click()
    expect(own).not_to_have_value("")
    own.fill(own.input_value().replace("250 lip", "200 lip"))
    page.fill(".verdict textarea", "Na tyle jest środków.")
    page.locator("button", has_text="Popraw i przyjmij").click()
    ngo.reads("Miasto posadzi 200 lip rodzimych w miejscach")

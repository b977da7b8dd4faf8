"""The review desk by keyboard: from one proposal to the next, a verdict with its reason, the own wording."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Open, Programme


def test_the_queue_is_worked_off_by_keyboard(programme: Programme, open_as: Open) -> None:
    ngo, rival = open_as(programme, "ngo", "suggest"), open_as(programme, "rival", "suggest")
    ngo.suggest("100 drzew", "250 lip", "Więcej drzew.")
    rival.suggest("podwórek", "podwórek i ogrodów", "Ogrody też.")
    official = open_as(programme, "official", "read").desk()
    page = official.page
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
    ngo.suggest("100 drzew", "250 lip rodzimych", "Więcej drzew.")
    official = open_as(programme, "official", "read").desk()
    page = official.page
    own = page.locator(".wording textarea")
    own.click()
    expect(own).not_to_have_value("")
    own.fill(own.input_value().replace("250 lip", "200 lip"))
    page.fill(".verdict textarea", "Na tyle jest środków.")
    page.locator("button", has_text="Popraw i przyjmij").click()
    ngo.reads("Miasto posadzi 200 lip rodzimych w miejscach")


def test_keys_alone_compare_rivals_decide_and_take_back(programme: Programme, open_as: Open) -> None:
    ngo, rival = open_as(programme, "ngo", "suggest"), open_as(programme, "rival", "suggest")
    ngo.suggest("100 drzew", "250 drzew", "Więcej drzew.")
    rival.suggest("100 drzew", "150 drzew", "Tyle da się podlać.")
    official = open_as(programme, "official", "read").desk()
    page = official.page
    main = page.locator(".verdict .btn--main")
    expect(page.locator(".wording__text")).to_contain_text(
        ["posadzi 100 drzew", "posadzi 100 250 drzew", "posadzi 100 150 drzew"]
    )
    expect(main).to_contain_text("Przyjmij U-1")
    page.keyboard.press("3")
    expect(main).to_contain_text("Przyjmij U-2")
    expect(page.locator(".follows:visible")).to_contain_text("U-1 (Fundacja Zielony Przykład) zostanie zastąpiona")
    page.keyboard.press("r")  # a reason is missing: the desk comes back, the caret in its field
    expect(page.locator("#reason-error")).to_be_visible()
    expect(page.locator("#why")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    page.keyboard.press("a")
    ngo.reads("posadzi 150 drzew w miejscach")
    expect(page.locator(".flashes")).to_contain_text("U-2 przyjęta. Zastąpione: U-1.")
    expect(ngo.card(1)).to_contain_text("Zastąpiona")
    page.once("dialog", lambda dialog: dialog.accept())
    page.keyboard.press("z")
    ngo.reads("posadzi 100 drzew w miejscach")
    expect(page.locator(".item[aria-current]")).to_contain_text("U-2")  # back at the desk, where it was
    page.keyboard.press("e")  # no own wording yet: the key leads to it, begun from the chosen one
    own = page.locator("#wording")
    expect(own).to_be_focused()
    expect(own).to_have_value("W każdym roku Miasto posadzi 150 drzew w miejscach uzgodnionych z organizacjami.")
    ngo.page.goto(f"{ngo.url}/notifications")
    expect(ngo.page.locator(".list")).to_contain_text("Twoją propozycję U-1 zastąpiła U-2.")


def test_many_suggestions_are_decided_together(programme: Programme, open_as: Open) -> None:
    ngo, rival = open_as(programme, "ngo", "suggest"), open_as(programme, "rival", "suggest")
    ngo.suggest("100 drzew", "250 drzew", "Więcej drzew.")
    rival.suggest("podwórek", "podwórek i ogrodów", "Ogrody też.")
    official = open_as(programme, "official", "read").desk()
    page = official.page
    page.get_by_text("Rozstrzygnij razem").click()
    ticks = page.locator("input.set__tick")
    expect(ticks).to_have_count(2)  # the click does not wait for the page it leads to
    for tick in ticks.all():
        tick.check()
    page.locator(".set textarea").fill("Zgodne z planem.")
    page.locator(".set .btn--main").click()
    ngo.reads("posadzi 250 drzew w miejscach")
    ngo.reads("zazielenianie podwórek i ogrodów")
    expect(page.locator(".flashes")).to_contain_text("U-1 przyjęta. U-2 przyjęta.")
    expect(page.locator(".empty")).to_be_visible()


def test_a_reader_on_a_phone_without_script_gets_everywhere(programme: Programme, open_as: Open) -> None:
    ngo = open_as(programme, "ngo", "suggest")
    ngo.suggest("100 drzew", "250 lip", "Więcej drzew.")
    browser = ngo.page.context.browser
    assert browser is not None
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="pl-PL", java_script_enabled=False, has_touch=True
    )
    page = context.new_page()
    page.goto(f"{ngo.url}/d/{programme.slug}/")
    for name, heading in (("Propozycje", "Propozycje i ich los"), ("Spotkania", "Spotkania"), ("Uwagi", "Uwagi")):
        page.locator("summary.barbtn").first.click()
        page.locator(".menu__list a", has_text=name).first.click()
        expect(page.locator("h1")).to_have_text(heading)
    page.goto(f"{ngo.url}/d/{programme.slug}/suggestions")
    page.select_option("#organization", "ZP")
    page.get_by_role("button", name="Filtruj").click()
    page.locator(".asked__no").first.click()
    expect(page.locator("main")).to_contain_text("Więcej drzew.")
    page.goto(f"{ngo.url}/d/{programme.slug}/search")
    page.fill("#q", "lawek")
    page.locator("main button").click()
    expect(page.locator("mark").first).to_have_text("ławek")
    context.close()

"""Cards come anew while people read and write in them: nothing typed is lost, nothing refused goes unsaid."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.services import editing, suggestions
from drafting.web.pages.workspace import FIRST
from tests.browser.conftest import MakeProgramme, Open, Programme, Site
from tests.browser.hands import Hand


def filed(programme: Programme, open_as: Open) -> tuple[Hand, Hand, int, Any]:
    """An organisation's suggestion "250 lip" before an official: both people, its number and the official's card."""
    ngo, official = open_as(programme, "ngo", "suggest"), open_as(programme, "official", "review")
    number = ngo.suggest("100 drzew", "250 lip", "Więcej.")
    return ngo, official, number, official.choose(number)


def amend(ngo: Hand, number: int, old: str, new: str) -> None:
    ngo.choose(number).locator("[data-amend]").click()
    ngo.until("workspace.branch !== null").reads(old)
    ngo.select(old).type(new).settled()


def test_law_9_a_stale_review_is_refused_with_the_new_state(programme: Programme, open_as: Open) -> None:
    ngo, official, number, card = filed(programme, open_as)
    reason = card.locator("textarea[name=reason]")
    reason.fill("Zgodne z planem.")
    amend(ngo, number, "250 lip", "300 lip")
    # kept as it was read, and said so
    expect(card.locator(".card__newer")).to_contain_text("zmieniła się, gdy piszesz")
    expect(card.locator(".card__change").first).to_contain_text("250")
    official.page.keyboard.press("Escape")
    official.press("a")
    expect(card.locator(".notice--wrong")).to_be_visible()
    expect(card.locator(".card__change").first).to_contain_text("300")
    expect(card.locator(".card__newer")).to_have_count(0)
    expect(reason).to_have_value("Zgodne z planem.")
    official.reads("posadzi 100 drzew")
    # what is read now may be decided; the refusal goes
    card.locator("[data-verdict=accepted]").first.click()
    official.reads("posadzi 300 lip w")
    expect(card).to_have_attribute("data-state", "accepted")
    expect(card.locator(".notice--wrong")).to_have_count(0)


def test_a_card_that_was_kept_comes_anew_when_its_writer_leaves(programme: Programme, open_as: Open) -> None:
    ngo, official, number, card = filed(programme, open_as)
    reason = card.locator("textarea[name=reason]")
    reason.fill("Zgodne z planem.")
    amend(ngo, number, "250 lip", "300 lip")
    expect(card.locator(".card__newer")).to_be_visible()
    official.page.locator(".cm-content").focus()
    expect(card.locator(".card__change").first).to_contain_text("300")
    expect(reason).to_have_value("Zgodne z planem.")


def test_the_new_form_is_shown_on_request_with_the_words_and_the_caret(programme: Programme, open_as: Open) -> None:
    ngo, official, number, card = filed(programme, open_as)
    reason = card.locator("textarea[name=reason]")
    reason.fill("Zgodne z planem.")
    amend(ngo, number, "250 lip", "300 lip")
    card.locator("[data-newer]").click()
    expect(card.locator(".card__change").first).to_contain_text("300")
    expect(reason).to_have_value("Zgodne z planem.")
    expect(card.locator(".card__newer")).to_have_count(0)


def test_focus_and_selection_go_over_into_the_fresh_card(programme: Programme, open_as: Open) -> None:
    _ngo, official, number, card = filed(programme, open_as)
    reason = card.locator("textarea[name=reason]")
    reason.fill("Zgodne z planem.")
    rival = open_as(programme, "rival", "read")
    rival.choose(number).locator("[data-post$='/endorse']").click()
    expect(card.locator(".card__newer")).to_be_visible()
    reason.focus()
    official.page.evaluate("document.activeElement.setSelectionRange(3, 7)")
    old = card.element_handle()
    official.page.evaluate("id => void workspace.margin.refresh(id, true)", card.get_attribute("id"))
    official.until("!value.isConnected && document.activeElement.name === 'reason'", old)
    official.type("y")
    expect(reason).to_have_value("Zgoyz planem.")
    expect(card.locator(".support .tag")).to_have_text("OW")


def test_a_refusal_stays_when_its_card_comes_anew(programme: Programme, open_as: Open) -> None:
    ngo, official, number, card = filed(programme, open_as)
    official.page.locator(".cm-content").focus()
    official.press("r")
    expect(card.locator(".notice--wrong")).to_have_count(1)
    official.press("Escape")
    rival = open_as(programme, "rival", "read")
    rival.choose(number).locator("[data-post$='/endorse']").click()
    expect(card.locator(".support .tag")).to_have_text("OW")
    expect(card.locator(".notice--wrong")).to_have_count(1)
    card.locator("textarea[name=reason]").fill("Brak środków.")
    card.locator("[data-verdict=rejected]").click()
    expect(card).to_have_attribute("data-state", "rejected")
    expect(card.locator(".notice--wrong")).to_have_count(0)


def test_an_answer_that_was_overtaken_is_dropped(programme: Programme, open_as: Open) -> None:
    ngo, official, number, card = filed(programme, open_as)
    held: list[Any] = []
    # the next answer is held back until a later one was applied
    official.page.route("**/cards?*", lambda route: held.append(route) if not held else route.continue_())
    rival = open_as(programme, "rival", "read")
    official.page.evaluate("void workspace.margin.refreshNumber(1)")
    for _ in range(500):
        if not held:
            official.page.wait_for_timeout(20)
    old = held[0].fetch()
    rival.choose(number).locator("[data-post$='/endorse']").click()
    expect(card.locator(".support .tag")).to_have_text("OW")
    held[0].fulfill(response=old)
    official.page.wait_for_timeout(200)
    expect(card.locator(".support .tag")).to_have_text("OW")


def test_all_cards_come_anew_without_losing_words_or_refusals(programme: Programme, open_as: Open) -> None:
    ngo, official, number, card = filed(programme, open_as)
    rival = open_as(programme, "rival", "suggest")
    second = rival.suggest("podwórek", "podwórek i skwerów", "Skwery też.")
    other = official.choose(second)
    other.locator("[data-verdict=rejected]").click()
    expect(other.locator(".notice--wrong")).to_be_visible()
    other.locator("textarea[name=reason]").fill("Zieleń to nie wszystko.")
    official.choose(number).locator("textarea[name=reason]").fill("Zgodne z pla")
    official.goes_offline()
    third = ngo.suggest("300 m", "200 m", "Bliżej.")
    official.page.context.set_offline(False)
    expect(official.card(third)).to_have_count(1)
    expect(official.page.locator(".card[id^=s-]")).to_have_count(3)
    official.page.keyboard.type("nem.")
    expect(card.locator("textarea[name=reason]")).to_have_value("Zgodne z planem.")
    expect(other.locator("textarea[name=reason]")).to_have_value("Zieleń to nie wszystko.")
    expect(other.locator(".notice--wrong")).to_have_count(1)


def test_words_whose_field_is_gone_are_kept_to_be_copied(programme: Programme, open_as: Open) -> None:
    _ngo, official, number, card = filed(programme, open_as)
    card.locator("textarea[name=reason]").fill("Zgodne z planem.")
    second = open_as(programme, "second", "review")
    second.accept(number)
    expect(card.locator(".card__newer")).to_be_visible()
    official.page.locator(".cm-content").focus()
    expect(card).to_have_attribute("data-state", "accepted")
    expect(card.locator(".card__kept textarea")).to_have_value("Zgodne z planem.")
    card.locator(".card__kept button").click()
    expect(card.locator(".card__kept")).to_have_count(0)


def test_words_in_cards_outlive_a_reload(programme: Programme, open_as: Open) -> None:
    ngo, official, number, card = filed(programme, open_as)
    card.locator("textarea[name=reason]").fill("Zgodne z planem.")
    official.page.click(".margin [data-remark]")
    official.page.fill("#new-remark-t", "Brakuje terminów.")
    official.go("review")
    expect(card.locator("textarea[name=reason]")).to_have_value("Zgodne z planem.")
    expect(official.page.locator("#new-remark-t")).to_have_value("Brakuje terminów.")
    official.accept(number)
    ngo.reads("posadzi 250 lip w")
    official.page.click("#new-remark .card__head")
    official.page.click("#new-remark [data-cancel]")
    official.go("review")
    expect(official.page.locator("#new-remark")).to_have_count(0)


def test_by_key_from_the_words_to_their_card_and_back(programme: Programme, open_as: Open) -> None:
    _ngo, official, _number, card = filed(programme, open_as)
    ref = official.page.locator(".cm-proposed .ref")
    ref.focus()
    official.press("Enter")
    expect(card).to_be_focused()
    official.press("Tab")
    expect(card.locator(".card__no a")).to_be_focused()
    official.press("Escape")
    expect(ref).to_be_focused()


def streets(every: int) -> str:
    """A section of so many paragraphs."""
    return "# Ławki\n\n" + "\n\n".join(f"{n}. Ulica numer {n} ma ławkę." for n in range(1, every + 1))


def plant(site: Site, programme: Programme, every: int, n: int) -> None:
    """A suggestion filed without a browser: a tree in place of the bench of street n."""
    text, ngo = streets(every), programme.people["ngo"]
    start = text.index(f"{n} ma ławkę") + len(f"{n} ma ")
    changes = ChangeSet.of([(start, start + 5, to_units("drzewo"))], len(text))
    with site.database.write() as session:
        view = suggestions.open_suggestion(session, ngo, programme.section_id)
        editing.push(session, ngo, view.stream_id, 0, [Update(f"many{n}", 1, changes)])
        suggestions.file(session, ngo, view.id, reason="Cień.")


def test_on_a_phone_the_words_of_an_opened_card_are_above_its_sheet(
    make_programme: MakeProgramme, open_as: Open, site: Site
) -> None:
    every = 60
    programme = make_programme(streets(every))
    plant(site, programme, every, every)
    reader = open_as(programme, None, "read", width=390)
    shown = """{ const sheet = document.querySelector('.margin.is-open')?.getBoundingClientRect();
                 const words = document.querySelector('.cm-proposed ins')?.getBoundingClientRect();
                 return !!sheet && !!words && words.top > 0 && words.bottom < sheet.top; }"""
    reader.page.goto(f"{reader.address}#U-1")
    reader.page.wait_for_selector(".cm-content")
    reader.until(shown, says="the words that the address names are above the sheet")
    # a tap on words at the foot of the screen
    reader.page.locator(".margin [data-close-sheet]").click()
    reader.page.locator(".cm-proposed .ref").evaluate(
        "ref => scrollBy({ top: ref.getBoundingClientRect().top - innerHeight + 60, behavior: 'instant' })"
    )
    reader.page.locator(".cm-proposed .ref").click()
    reader.until(shown, says="the words that were tapped are above the sheet")


def test_more_cards_than_come_with_the_page_are_fetched_behind_the_text(
    make_programme: MakeProgramme, open_as: Open, site: Site
) -> None:
    every = FIRST + 3
    programme = make_programme(streets(every))
    for n in range(1, every + 1):
        plant(site, programme, every, n)
    reader = open_as(programme, None, "read")
    reader.page.goto(f"{reader.address}#U-{every}")
    reader.page.wait_for_selector(".cm-content")
    expect(reader.page.locator(".card[id^=s-]")).to_have_count(every)
    expect(reader.card(every)).to_have_class(re.compile("is-selected"))
    expect(reader.page.locator("[data-counts]")).to_contain_text(str(every))


def test_the_focus_follows_the_keyboard_from_card_to_card_and_what_became_of_one_is_told(
    programme: Programme, open_as: Open
) -> None:
    ngo, rival = open_as(programme, "ngo", "suggest"), open_as(programme, "rival", "suggest")
    first = ngo.propose("100 drzew", "250 lip")
    ngo.file("Więcej drzew.")
    second = rival.propose("podwórek", "podwórek i ogrodów")
    rival.file("Ogrody też.")
    official = open_as(programme, "official", "review")
    for number in (first, second):
        expect(official.card(number)).to_be_visible()
    official.press("j")
    expect(official.card(first)).to_be_focused()
    official.press("a")
    expect(official.page.locator("[data-decided][role=status]")).to_contain_text(f"U-{first}: ")
    expect(official.card(second)).to_be_focused()
    expect(official.card(second)).to_have_class(re.compile("is-selected"))
    expect(official.card(first)).to_have_attribute("data-state", "accepted")
    # nothing is left behind the last one: the focus stays on what was decided
    official.press("a")
    expect(official.page.locator("[data-decided][role=status]")).to_contain_text(f"U-{second}: ")
    expect(official.card(second)).to_have_attribute("data-state", "accepted")
    expect(official.card(second)).to_be_focused()

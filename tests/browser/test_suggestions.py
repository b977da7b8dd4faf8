"""Suggest → see → decide, in several browsers at once: rivals, identical pairs, stale reviews, remarks."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Open, Programme


def test_a_suggestion_is_seen_as_it_is_typed_and_accepted_everywhere(programme: Programme, open_as: Open) -> None:
    ngo, team = open_as(programme, "ngo", "suggest"), open_as(programme, "team", "edit")
    official = open_as(programme, "official", "review")
    number = ngo.propose("100 drzew", "250 lip")
    expect(ngo.page.locator(".cm-gone del")).to_have_text("100 drzew")
    ngo.file("Sto drzew nie pokrywa nawet wycinek.")
    for hand in (team, official):
        expect(hand.page.locator(".cm-proposed ins")).to_have_text("250 lip")
        expect(hand.page.locator(".cm-line del")).to_have_text("100 drzew")
    card = official.choose(number)
    expect(card).to_contain_text("Sto drzew nie pokrywa")
    card.locator("textarea[name=reason]").fill("Zgodne z planem nasadzeń.")
    card.locator("[data-verdict=accepted]").first.click()
    for hand in (ngo, team, official):
        hand.reads("Miasto posadzi 250 lip w miejscach")
        expect(hand.page.locator(".cm-proposed")).to_have_count(0)
    expect(team.card(number)).to_have_attribute("data-state", "accepted")


def test_a_draft_is_seen_by_its_organisation_only(programme: Programme, open_as: Open) -> None:
    ngo, other, rival = (
        open_as(programme, "ngo", "suggest"), open_as(programme, "ngo", "read"), open_as(programme, "rival", "read")
    )  # fmt: skip
    ngo.propose("100 drzew", "250 lip")
    expect(other.page.locator(".cm-proposed ins")).to_have_text("250 lip")
    expect(rival.page.locator(".cm-proposed")).to_have_count(0)


def test_two_people_of_one_organisation_type_in_one_suggestion(programme: Programme, open_as: Open) -> None:
    ngo = open_as(programme, "ngo", "suggest")
    ngo.propose("100 drzew", "250 lip")
    colleague = open_as(programme, "ngo", "suggest")
    colleague.reads("posadzi 250 lip")
    colleague.put_caret("250 lip").type(" rodzimych")
    ngo.put_caret("zazielenianie podwórek").type(" i skwerów")
    for hand in (ngo, colleague):
        hand.reads("250 lip rodzimych").reads("podwórek i skwerów").settled()
        expect(hand.page.locator(".cm-line ins.is-own")).to_have_count(2)
    assert ngo.text() == colleague.text()


def test_rivals_are_marked_and_the_loser_is_superseded(programme: Programme, open_as: Open) -> None:
    ngo, rival = open_as(programme, "ngo", "suggest"), open_as(programme, "rival", "suggest")
    official = open_as(programme, "official", "review")
    first = ngo.suggest("100 drzew", "250 lip", "Więcej drzew.")
    second = rival.suggest("100 drzew", "150 dębów", "Tyle da się podlać.")
    expect(official.page.locator(".ref--rival")).to_have_count(2)
    official.go("review")
    card = official.choose(first)
    expect(card.locator(".rival")).to_contain_text("150")
    card.locator("textarea[name=reason]").fill("Zgodne z planem.")
    card.locator("[data-verdict=accepted]").first.click()
    rival.reads("250 lip w miejscach")
    expect(rival.card(second)).to_have_attribute("data-state", "superseded")


def test_identical_suggestions_are_both_credited(programme: Programme, open_as: Open) -> None:
    ngo, rival = open_as(programme, "ngo", "suggest"), open_as(programme, "rival", "suggest")
    official = open_as(programme, "official", "review")
    first = ngo.suggest("100 drzew", "250 lip", "Więcej.")
    second = rival.suggest("100 drzew", "250 lip", "Też więcej.")
    official.go("review")
    official.accept(first)
    ngo.reads("posadzi 250 lip w")
    expect(rival.card(second)).to_have_attribute("data-state", "fulfilled")


def test_reject_needs_a_reason_and_keys_work(programme: Programme, open_as: Open) -> None:
    ngo, official = open_as(programme, "ngo", "suggest"), open_as(programme, "official", "review")
    number = ngo.suggest("100 drzew", "250 lip", "Więcej.")
    official.go("review")
    official.page.locator("body").click(position={"x": 5, "y": 400})
    official.press("j")
    card = official.card(number)
    expect(official.page.locator(".card.is-selected")).to_have_attribute("data-number", str(number))
    official.press("r")
    expect(card.locator(".notice--wrong")).to_be_visible()
    card.locator("textarea[name=reason]").fill("Brak środków.")
    official.press("Escape").press("r")
    expect(official.card(number)).to_have_attribute("data-state", "rejected")
    official.press("u")
    expect(official.card(number)).to_have_attribute("data-state", "open")


def test_endorsing_and_withdrawing(programme: Programme, open_as: Open) -> None:
    ngo, rival = open_as(programme, "ngo", "suggest"), open_as(programme, "rival", "read")
    number = ngo.suggest("100 drzew", "250 lip", "Więcej.")
    card = rival.choose(number)
    card.locator("[data-post$='/endorse']").click()
    expect(rival.card(number).locator(".support .tag")).to_have_text("OW")
    ngo.page.once("dialog", lambda dialog: dialog.accept())
    ngo.choose(number).locator("[data-post$='/withdraw']").click()
    expect(rival.page.locator(".cm-proposed")).to_have_count(0)


def test_a_remark_follows_its_passage_and_is_orphaned_when_it_goes(programme: Programme, open_as: Open) -> None:
    ngo, team = open_as(programme, "ngo", "read"), open_as(programme, "team", "edit")
    ngo.remark("300 m", "Czy 300 m w linii prostej? 🌳")
    expect(team.page.locator("mark[data-annotation]")).to_have_text("300 m")
    team.put_caret("nie rzadziej niż").type(" mniej więcej")
    expect(ngo.page.locator("mark[data-annotation]")).to_have_text("300 m")
    team.select("300 m").press("Delete")
    expect(ngo.page.locator("mark[data-annotation]")).to_have_count(0)
    ngo.go("read")
    card = ngo.page.locator(".card--note")
    expect(card).to_have_attribute("data-state", "orphaned")
    expect(card).to_contain_text("300 m")


def test_a_direct_edit_under_a_suggestion_is_said(programme: Programme, open_as: Open) -> None:
    ngo, team = open_as(programme, "ngo", "suggest"), open_as(programme, "team", "edit")
    number = ngo.suggest("100 drzew", "250 lip", "Więcej.")
    expect(team.page.locator(".cm-proposed ins")).to_have_text("250 lip")
    team.select("100 drzew").type("120 krzewów").settled()
    expect(team.card(number)).to_have_attribute("data-state", "base-changed")
    # nothing of what it replaces stands any more: there is no way around the new words, and no button for one
    card = open_as(programme, "official", "review").choose(number)
    expect(card.locator("[data-verdict=accepted][data-mode=stands]")).to_be_visible()
    expect(card.locator("[data-mode=around]")).to_have_count(0)


def test_the_story_of_a_word_says_who_asked_and_what_stood_there(programme: Programme, open_as: Open) -> None:
    ngo, official = open_as(programme, "ngo", "suggest"), open_as(programme, "official", "review")
    number = ngo.suggest("100 drzew", "250 lip rodzimych", "Sto drzew nie pokrywa nawet wycinek.")
    official.accept(number, "Zgodne z planem nasadzeń.")
    official.reads("250 lip rodzimych")
    reader = open_as(programme, None, "sources")
    run = reader.page.locator("[data-run]")
    expect(run).to_have_text("250 lip rodzimych")
    run.focus()
    reader.press("Enter")
    story = reader.page.locator("[data-story]")
    for words in ("Fundacja Zielony Przykład", "100 drzew", f"U-{number}", "nie pokrywa nawet", "Zgodne z planem"):
        expect(story).to_contain_text(words)
    reader.page.locator("del[data-deleted]").click()
    expect(story.locator(".story__word")).to_have_text("100 drzew")
    reader.page.select_option("select[name=by]", "organization")
    expect(run).to_have_attribute("data-code", "ZP")
    reader.page.uncheck('input[name=key][value="oZP"]')
    expect(run).to_have_count(0)


def test_a_flagged_suggestion_is_accepted_knowingly_and_taken_back(programme: Programme, open_as: Open) -> None:
    ngo, team, official = (
        open_as(programme, "ngo", "suggest"),
        open_as(programme, "team", "edit"),
        open_as(programme, "official", "review"),
    )
    number = ngo.suggest("100 drzew", "250 lip", "Więcej.")
    expect(team.page.locator(".cm-proposed ins")).to_have_text("250 lip")
    team.put_caret("posadzi 100").type(" nowych").settled()
    expect(official.card(number)).to_have_attribute("data-state", "base-changed")
    card = official.choose(number)
    expect(card).to_contain_text("100 nowych drzew")
    expect(card.locator(".card__decide")).to_contain_text("250 lip")
    expect(card.locator("[data-verdict=accepted][data-mode=around]")).to_be_visible()
    card.locator("[data-verdict=accepted][data-mode=stands]").click()
    team.reads("posadzi 250 lip w")
    card = official.choose(number)
    card.locator("[data-revert]").click()
    team.reads("posadzi 100 nowych drzew w")
    expect(official.card(number)).not_to_have_attribute("data-state", "accepted")

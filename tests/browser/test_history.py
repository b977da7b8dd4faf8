"""The past as people look at it: sources and stories, two moments compared, the time line, named versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.services import clock, decisions, editing, milestones, suggestions
from drafting.services.access import ANONYMOUS
from drafting.services.decisions import Judged
from drafting.store.models import Meeting, Organization
from drafting.web import identity
from tests import make
from tests.browser.conftest import MakeProgramme, Open, Programme, Site
from tests.browser.hands import Hand
from tests.browser.test_screens import violations

NATIVE = "250 drzew rodzimych gatunków"
SAID = "Fundacja prosi o 250 drzew rodzimych gatunków."


@pytest.fixture
def told(make_programme: MakeProgramme, site: Site) -> Programme:
    """A programme with a named version, words asked for at a meeting, and words taken out for somebody."""
    moment = [clock.now() - timedelta(days=4)]

    def tick() -> datetime:
        moment[0] += timedelta(minutes=7)
        return moment[0]

    with clock.set_to(tick):
        programme = make_programme(phase="review")
    with clock.set_to(tick), site.database.session() as session:
        document = session.get_one(make.Document, programme.document_id)
        organizations = {row.code: row for row in session.query(Organization).filter_by(document_id=document.id)}
        meeting = session.query(Meeting).filter_by(document_id=document.id).one()
        meeting.minutes, meeting.held_at = f"Przyszło dużo osób. {SAID} Podano herbatę.", clock.now()
        asked = make.origin(session, document, organizations["ZP"], meeting).id
        other = make.origin(session, document, organizations["OW"]).id
        session.commit()
        chief, official = programme.people["second"], programme.people["official"]
        milestones.create_milestone(session, chief, document.id, "Przed uwagami")

        def suggest(old: str, new: str, origin: int, quote: str = "") -> None:
            moment[0] += timedelta(days=1)
            view = suggestions.open_suggestion(session, official, programme.section_id, origin_ids=(origin,))
            text = editing.text_at(session, ANONYMOUS, programme.section_id).text
            start = text.index(old)
            change = ChangeSet.of([(start, start + len(old), to_units(new))], len(to_units(text)))
            editing.push(session, official, view.stream_id, view.branch_version, [Update(f"t{view.id}", 1, change)])
            filed = suggestions.file(session, official, view.id, reason="Bo trzeba.", minutes_quote=quote)
            [hunk] = filed.open_hunks
            item = Judged(filed.id, hunk.id)
            decisions.decide(session, official, programme.section_id, [item], "accepted", reason="Zgodne z planem.")

        suggest("100 drzew", NATIVE, asked, SAID)
        suggest("zaniedbane", "", other)
    return programme


Look = Callable[..., Page]


@pytest.fixture
def look(site: Site, chromium: Browser) -> Iterator[Look]:
    """Opens an address of a programme as a resident or as one of its people."""
    pages: list[tuple[Page, list[str]]] = []

    def opened(
        programme: Programme, path: str, who: str | None = None, *, width: int = 1280, dark: bool = False,
        script: bool = True, locale: str = "pl-PL",
    ) -> Page:  # fmt: skip
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", locale=locale,
            java_script_enabled=script,
        )  # fmt: skip
        page = context.new_page()
        page.set_default_timeout(12_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        pages.append((page, wrong))
        if who is not None:
            person = programme.people[who]
            assert person.user_id is not None
            page.goto(f"{site.url}/enter/{identity.sign_in_token(site.secret_key, person.user_id, person.session_epoch)}")
        page.goto(f"{site.url}/d/{programme.slug}{path}")
        return page

    yield opened
    for page, _ in pages:
        page.context.close()
    assert not [each for _, wrong in pages for each in wrong]


def run(page: Page, words: str):  # type: ignore[no-untyped-def]
    return page.locator(".canvas a", has_text=words).first


def story_is_told(page: Page) -> None:
    story = page.locator("#story-place, .story--page").first
    expect(story.locator(".story__word")).to_contain_text("250 drzew")
    for words in ("Fundacja Zielony Przykład", SAID, "zdanie 2", "U-1", "Bo trzeba.", "Zgodne z planem.", "100 drzew"):
        expect(story).to_contain_text(words)


# ── sources and stories ─────────────────────────────────────────────────────────────────────────────────


def test_a_click_on_words_opens_their_story_beside_them(told: Programme, look: Look) -> None:
    page = look(told, "/sources")
    run(page, NATIVE).click()
    story_is_told(page)
    expect(page.locator(".run.is-selected")).to_contain_text(NATIVE)
    assert "run=" in page.url
    page.reload()
    story_is_told(page)
    expect(page.locator("#run")).to_be_in_viewport()
    page.locator("#story-place a[data-story-link]").first.click()
    expect(page.locator("#story-place .story__word")).not_to_contain_text("250")


def test_a_story_is_reached_by_keys_alone_and_left_again(told: Programme, look: Look) -> None:
    page = look(told, "/sources")
    link = run(page, NATIVE)
    link.focus()
    page.keyboard.press("Enter")
    story_is_told(page)
    expect(page.locator("#story")).to_be_focused()
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    expect(page.locator(".run.is-selected")).to_have_count(0)


def test_on_a_phone_a_story_is_a_sheet_that_opens_and_closes(told: Programme, look: Look) -> None:
    page = look(told, "/sources", width=390)
    expect(page.locator("#story")).to_be_hidden()
    run(page, NATIVE).click()
    story_is_told(page)
    expect(page.locator("#story")).to_be_visible()
    expect(run(page, NATIVE)).to_be_in_viewport()
    page.locator("#story [data-close-sheet]").click()
    expect(page.locator("#story")).to_be_hidden()


def test_a_story_has_a_page_of_its_own_that_is_cited_and_leads_to_the_sentence_of_the_minutes(told: Programme, look: Look) -> None:
    page = look(told, "/sources", width=390)
    run(page, NATIVE).click()
    story_is_told(page)
    page.locator("#story-place").get_by_role("link", name="Strona tej historii").click()
    expect(page).to_have_title(re.compile("kto o to prosił i dlaczego"))
    story_is_told(page)
    assert page.locator(".story--page").evaluate("e => getComputedStyle(e).position") == "static", "a page, not a sheet"
    expect(page.locator("#citation")).to_contain_text(f"„{NATIVE}”")
    expect(page.locator("#citation")).to_contain_text("§ 1 ust. 2")
    page.get_by_role("button", name="Kopiuj jako cytat").click()
    # where the browser does not let a page copy, the sentence is shown to be taken
    expect(page.locator(".story__share [data-copied]:visible, .story__share textarea")).to_be_visible()
    page.get_by_role("link", name="Protokół, zdanie 2").click()
    expect(page.locator("#sentence")).to_have_text(SAID)
    expect(page.locator("#sentence")).to_be_in_viewport()
    page = look(told, "/sources?by=organization&only=oZP")
    page.get_by_role("link", name="Pokaż następne").click()
    expect(page.locator(".canvas .is-match").first).to_be_in_viewport()


def test_removed_words_stand_where_they_stood_and_have_a_story(told: Programme, look: Look) -> None:
    page = look(told, "/sources")
    page.locator(".canvas a:has(> del)", has_text="zaniedbane").click()
    story = page.locator("#story-place")
    expect(story).to_contain_text("Historia usuniętych słów")
    for words in ("Osiedle Wzorcowe", "U-2", "Zgodne z planem."):
        expect(story).to_contain_text(words)
    page.locator("a.switchlink").first.click()
    expect(page.locator(".canvas del")).to_have_count(0)


def test_the_legend_counts_and_filters(told: Programme, look: Look) -> None:
    page = look(told, "/sources?by=organization")
    key = page.locator("a.key", has_text="Fundacja Zielony Przykład")
    expect(key.locator(".num")).to_contain_text(str(len(NATIVE)))
    key.click()
    expect(page.locator("a.key[aria-current=true]")).to_contain_text("Fundacja Zielony Przykład")
    coloured = page.locator(".canvas .run:not(.hue-0)")
    expect(coloured).to_have_text(["100 drzew", NATIVE])  # what they asked to take out, and what for
    assert NATIVE not in page.locator(".canvas").evaluate("x => [...x.querySelectorAll('.run.hue-0')].map(e => e.textContent).join()")


def test_colour_is_never_the_only_sign(told: Programme, look: Look) -> None:
    page = look(told, "/sources?by=meeting")
    words = page.locator(".canvas .run", has_text=NATIVE)
    assert "spotkanie 1" in (words.get_attribute("title") or "")
    assert words.evaluate("e => getComputedStyle(e, '::before').content") == '"1"'
    assert words.evaluate("e => getComputedStyle(e).borderBottomStyle") in ("solid", "dashed", "dotted", "double")


def test_in_the_section_itself_words_are_chosen_too(told: Programme, open_as: Open) -> None:
    hand: Hand = open_as(told, None, "sources")
    key = hand.page.locator(".legend .key", has_text="Rewitalizacja")
    expect(key.locator(".num")).to_have_text(str(len(NATIVE)))
    hand.page.locator(".cm-content .run", has_text=NATIVE).click()
    story = hand.page.locator("[data-story]").first
    expect(story).to_contain_text(SAID)
    hand.page.locator(".cm-content del.run", has_text="zaniedbane").click()
    expect(story).to_contain_text("Osiedle Wzorcowe")
    # a browser that puts the controls back as they stood finds the words coloured like them
    hand.page.locator(".legend select").select_option("organization")
    expect(hand.page.locator(".legend .key", has_text="Rewitalizacja")).to_have_count(0)
    hand.page.goto(hand.url)
    hand.page.go_back()
    hand.settled()
    expect(hand.page.locator(".legend select")).to_have_value("organization")
    expect(hand.page.locator(".legend .key", has_text="Fundacja Zielony Przykład")).to_be_visible()
    expect(hand.page.locator(".legend .key", has_text="Rewitalizacja")).to_have_count(0)


# ── comparison ──────────────────────────────────────────────────────────────────────────────────────────


def test_two_moments_are_compared_in_one_text_and_side_by_side_and_filtered(told: Programme, look: Look) -> None:
    page = look(told, "/compare?from=start")
    page.select_option("#from", label="Przed uwagami")
    page.get_by_role("button", name="Porównaj").click()
    text = page.locator(".compared article.text")
    expect(text.locator("ins")).to_have_text(NATIVE)
    expect(text.locator("del", has_text="100 drzew")).to_be_visible()
    expect(page.locator(".changes")).to_contain_text("Fundacja Zielony Przykład")
    page.get_by_label("Obok siebie").check()
    page.get_by_role("button", name="Porównaj").click()
    sides = page.locator(".sides").first.locator("article")
    expect(sides).to_have_count(2)
    assert page.locator(".sides article:nth-child(1) ins, .sides article:nth-child(2) del").count() == 0
    page.get_by_label("Obok siebie").uncheck()
    page.select_option("#only", label="1. Rewitalizacja")
    page.get_by_role("button", name="Porównaj").click()
    expect(page.locator(".compared article.text ins")).to_have_text(NATIVE)
    expect(page.locator(".compared article.text del")).to_have_text("100 drzew")


# ── time line, named versions, away ─────────────────────────────────────────────────────────────────────


def test_the_slider_shows_the_text_of_every_moment_and_plays(told: Programme, look: Look) -> None:
    page = look(told, "/history")
    text = page.locator("#moment")
    expect(text).to_contain_text(NATIVE)
    slider = page.locator("#step")
    slider.focus()
    page.keyboard.press("Home")
    expect(text).not_to_contain_text(NATIVE)
    expect(page).to_have_url(re.compile("step=0"))
    page.get_by_role("button", name="Odtwórz").click()
    expect(text.locator("ins.run", has_text=NATIVE)).to_be_visible(timeout=30_000)
    expect(text).to_contain_text("Zmieniło się od poprzedniej chwili")
    expect(page.locator(".line--days a[aria-current=true]")).to_have_count(1)
    expect(page.get_by_role("button", name="Odtwórz")).to_have_attribute("aria-pressed", "false", timeout=30_000)
    last = int(slider.get_attribute("max") or 0)
    expect(slider).to_have_value(str(last))
    page.get_by_role("link", name="Poprzednia chwila").click()
    expect(slider).to_have_value(str(last - 1))


def test_the_text_is_taken_back_to_a_named_version_and_forward_comparison_goes_on(told: Programme, look: Look) -> None:
    page = look(told, "/milestones", "official")
    page.get_by_role("link", name="Przed uwagami", exact=True).click()
    expect(page.locator(".reader__section")).not_to_contain_text(NATIVE)
    page.locator("summary", has_text="Cofnij").or_(page.locator(".reader__head summary")).first.click()
    page.locator("form[action$='/restore'] button").click()
    expect(page).not_to_have_url(re.compile("/milestones/"))
    expect(page.locator("main, .reader").first).to_contain_text("100 drzew")
    page = look(told, "/compare")
    expect(page.locator(".comparehead")).to_contain_text("0 znaków")
    page = look(told, "/sources")
    page.locator(".canvas a:has(> del)", has_text="250 drzew").first.click()
    story_is_told(page)
    expect(page.locator("#story-place")).to_contain_text("przywrócenie wcześniejszej wersji")


def test_what_happened_while_one_was_away_is_told_in_words_until_one_has_seen_it(told: Programme, look: Look) -> None:
    page = look(told, "/history/away", "team")
    events = page.locator("#events").locator("xpath=..")
    for words in ("U-1", NATIVE, "Zgodne z planem.", "Przed uwagami"):
        expect(events).to_contain_text(words)
    page.goto(page.url)  # still the same visit
    expect(events).to_contain_text(NATIVE)
    page.locator("form.push button").click()
    expect(page.locator(".flashes")).to_be_visible()  # a click does not wait for the page it leads to
    page.goto(page.url.split("/history")[0] + "/history/away")
    expect(page.locator("#events").locator("xpath=..")).not_to_contain_text(NATIVE)
    expect(page.locator(".awayhead")).to_contain_text("Od ostatniej wizyty")


def test_everything_works_without_script(told: Programme, look: Look) -> None:
    page = look(told, "/sources", script=False)
    run(page, NATIVE).click()
    story_is_told(page)
    expect(page.locator("#run")).to_be_in_viewport()
    page = look(told, "/history?step=0", script=False)
    moment = page.locator("#moment")
    expect(moment).not_to_contain_text(NATIVE)
    page.locator("a[data-step='1']").click()
    expect(page).to_have_url(re.compile("step=1"))
    page.locator(".line--days a").first.click()
    expect(moment).to_contain_text(NATIVE)
    page = look(told, "/compare?from=start", script=False)
    page.get_by_label("Obok siebie").check()
    page.get_by_role("button", name="Porównaj").click()
    expect(page.locator(".sides").first).to_be_visible()


PLACES = (
    "/sources", "/sources?by=organization&labels=0", "/compare?from=start", "/compare?view=side&vanished=1", "/history",
    "/history?step=4", "/milestones", "/history/away",
)  # fmt: skip


@pytest.mark.parametrize(
    ("width", "dark", "locale"), [(1280, False, "pl-PL"), (390, True, "en-GB")], ids=["wide light Polish", "narrow dark English"]
)
def test_the_pages_of_the_past_pass_the_checker(told: Programme, look: Look, width: int, dark: bool, locale: str) -> None:
    page = look(told, "", "official", width=width, dark=dark, locale=locale)
    found = []
    base = page.url.rstrip("/")
    for place in PLACES:
        page.goto(base + place)
        if place == "/sources":
            run(page, NATIVE).click()
            expect(page.locator("#story-place .story__word")).to_be_visible()
        found += [f"{place}: {each}" for each in violations(Hand(page, base))]
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{place} scrolls sideways by {overflow} px at {width}"
    assert not found, "\n".join(found)

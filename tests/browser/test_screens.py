"""Every mode and page: nothing executes that should not, nothing that a checker of accessibility finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from drafting.config import ROOT
from tests.browser.conftest import MakeProgramme, Open, Programme
from tests.browser.hands import Hand

AXE = ROOT / "static" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
MODES = (("team", "edit"), ("ngo", "suggest"), ("official", "review"), (None, "read"), (None, "sources"))
PAYLOADS = """# <img src=x onerror=alert(1)> [x](javascript:alert(1))

<script>window.inert = false</script>

1. <svg onload="window.inert=false"> **<b onmouseover=alert(1)>** `</script><script>window.inert=false</script>`

2. [link](javascript:window.inert=false) <javascript:alert(1)> ![](x" onerror="window.inert=false)

3. {{ 7*7 }} ${7*7} "><iframe src="javascript:window.inert=false">
"""


def violations(hand: Hand) -> list[str]:
    """What axe-core finds, one line each."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in static/")
    # evaluated in the page's world by the driver, so the content policy does not stand in the way
    hand.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = hand.page.evaluate(
        "rules => axe.run(document, { runOnly: { type: 'tag', values: rules } })"
        ".then(result => result.violations.map(one => one.id + ': ' + one.help + ' — ' +"
        " one.nodes.slice(0, 4).map(node => node.html.slice(0, 160)).join(' | ')))",
        RULES,
    )
    return list(found)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_mode_passes_the_checker(programme: Programme, open_as: Open, width: int, dark: bool) -> None:
    ngo = open_as(programme, "ngo", "suggest")
    number = ngo.suggest("100 drzew", "250 drzew rodzimych", "Więcej drzew.")
    found = []
    for who, mode in MODES:
        hand = open_as(programme, who, mode, width=width, dark=dark)
        if mode == "review":
            if width == 1280:
                hand.choose(number)
            else:
                hand.page.locator(".cm-proposed .ref").first.click()
        found += [f"{mode}: {each}" for each in violations(hand)]
        overflow = hand.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{mode} scrolls sideways by {overflow} px at {width}"
    assert not found, "\n".join(found)


def test_nothing_in_a_text_is_executed(make_programme: MakeProgramme, open_as: Open, tmp_path: Path) -> None:
    programme = make_programme(PAYLOADS)
    for who, mode in MODES:
        hand = open_as(programme, who, mode)
        hand.page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
        assert hand.page.evaluate("window.inert") is None
        assert (
            hand.page.locator(
                "#editor script, #editor iframe, #editor img:not(.cm-widgetBuffer), #editor svg[onload]"
            ).count()
            == 0
        )
        for link in hand.page.locator("[data-href], #editor a[href^=javascript]").all():
            assert not (link.get_attribute("data-href") or "").lower().startswith("javascript")
    # through cards: reasons and remarks
    ngo = open_as(programme, "ngo", "suggest")
    ngo.put_caret("7*7")
    ngo.type(' <img src=x onerror="window.inert=false">')
    ngo.until("workspace.branch").settled()
    ngo.file('<script>window.inert=false</script><img src=x onerror="window.inert=false">')
    reader = open_as(programme, None, "read")
    expect(reader.page.locator(".card").first).to_be_visible()
    assert reader.page.evaluate("window.inert") is None
    assert reader.page.locator(".card img, .card script").count() == 0


def test_reading_works_without_script(programme: Programme, chromium, site) -> None:  # type: ignore[no-untyped-def]
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/d/{programme.slug}/s/{programme.section_id}")
    expect(page.locator("#editor-fallback h1")).to_have_text("Przestrzeń i zieleń")
    expect(page.locator("#editor-fallback")).to_contain_text("100 drzew")
    context.close()


def test_no_line_ends_after_a_one_letter_word_and_marks_stay_whole(programme: Programme, open_as: Open) -> None:
    reader = open_as(programme, None, "read", width=390)
    expect(reader.page.locator(".cm-h2").first.locator(".cm-sign")).to_have_text(["§ 1."])
    expect(reader.page.locator(".cm-bound")).to_contain_text(["§", "z", "W", "w", "z"])
    parted = reader.page.evaluate(
        """[...document.querySelectorAll('.cm-bound')].filter(each => {
             const { view } = workspace;
             const at = view.posAtDOM(each);
             return Math.abs(view.coordsAtPos(at, 1).top - view.coordsAtPos(at + each.textContent.length, 1).top) > 9;
           }).map(each => each.textContent)"""
    )
    assert parted == []


def test_a_card_is_level_with_its_words(programme: Programme, open_as: Open) -> None:
    ngo = open_as(programme, "ngo", "suggest")
    number = ngo.suggest("sąsiedzki", "sąsiedzki i rodzinny", "Rodziny też.")
    reader = open_as(programme, None, "read")
    reader.choose(number)
    reader.until(
        """{ const card = document.querySelector('.card.is-selected').getBoundingClientRect();
             const words = document.querySelector('.cm-proposed').getClientRects()[0];
             return Math.abs(card.top - words.top) < 40; }""",
        says="the selected card is level with its words",
    )


PAGES = (
    "", "/text", "/suggestions", "/suggestions/1", "/remarks", "/meetings", "/meetings/1", "/organizations",
    "/organizations/ZP", "/review", "/milestones", "/people", "/settings", "/history", "/sources", "/report", "/audit",
    "/matrix", "/compare", "/review/set", "/sections", "/news", "/meetings/new", "/meetings/1/edit", "/organizations/new",
    "/organizations/ZP/edit", "/suggestions/new-section", "/search?q=drzew", "/search?q=zzzz",
)  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_passes_the_checker(programme: Programme, open_as: Open, width: int) -> None:
    ngo = open_as(programme, "ngo", "suggest")
    ngo.suggest("100 drzew", "250 lip", "Więcej drzew.")
    hand = open_as(programme, "second", "read", width=width)
    found = []
    for page in PAGES:
        answer = hand.page.goto(f"{hand.url}/d/{programme.slug}{page}")
        if answer is None or answer.status == 404:
            continue  # not built yet, or not for this person
        assert answer.status in (200, 403), f"{page}: {answer.status}"
        found += [f"{page or '/'}: {each}" for each in violations(hand)]
        overflow = hand.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            found.append(f"{page or '/'}: scrolls sideways by {overflow} px at {width}")
    assert not found, "\n".join(found)

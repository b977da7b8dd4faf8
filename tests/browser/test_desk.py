"""The review desk by keyboard, its decisions in other open browsers, and the pages of a browser without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.services import editing, suggestions
from drafting.web import identity
from tests.browser.conftest import Open, Programme, Site


def propose(site: Site, programme: Programme, who: str, old: str, new: str, reason: str) -> int:
    """The number of a suggestion that was filed while nobody looked."""
    with site.database.write() as session:
        actor = programme.people[who]
        view = suggestions.open_suggestion(session, actor, programme.section_id)
        text = to_units(editing.text_at(session, actor, programme.section_id).text)
        at = text.index(old)
        changes = ChangeSet.of([(at, at + len(old), new)], len(text))
        editing.push(session, actor, view.stream_id, view.branch_version, [Update(f"test-{view.id}", 1, changes)])
        suggestions.file(session, actor, view.id, reason=reason)
    return view.number


@pytest.fixture
def queue(site: Site, programme: Programme) -> list[int]:
    """Three suggestions, of which the first two compete; filed before the server opened the section."""
    return [
        propose(site, programme, "ngo", "100 drzew", "250 lip", "Sto nie wystarcza."),
        propose(site, programme, "rival", "100 drzew", "150 dębów", "Tyle da się podlać."),
        propose(site, programme, "rival", "300 m", "200 m", "Trudno dojść dalej."),
    ]


def at_desk(open_as: Open, site: Site, programme: Programme) -> Page:
    page = open_as(programme, "official").page
    page.goto(f"{site.url}/d/{programme.slug}/review")
    return page


def test_the_queue_is_gone_through_by_keyboard(
    site: Site, programme: Programme, queue: list[int], open_as: Open
) -> None:
    page = at_desk(open_as, site, programme)
    first, second, third = queue
    current = page.locator(".item[aria-current] b")
    expect(current).to_have_text(f"U-{first}")
    for key, number in (("j", second), ("j", third), ("k", second), ("k", first)):
        page.keyboard.press(key)
        expect(current).to_have_text(f"U-{number}")
    follows = page.locator(".follows:visible h3")
    page.keyboard.press("3")
    expect(follows).to_have_text(f"Gdy przyjmiesz U-{second}")
    page.keyboard.press("2")
    expect(follows).to_have_text(f"Gdy przyjmiesz U-{first}")
    page.keyboard.press("a")
    expect(page.get_by_role("status").first).to_contain_text(f"U-{first} przyjęta. Zastąpione: U-{second}.")
    expect(page.locator(".queue .item")).to_have_count(1)
    page.on("dialog", lambda dialog: dialog.accept())
    page.keyboard.press("z")
    expect(page.get_by_role("status").first).to_contain_text(f"U-{first} znów jest otwarta")
    page.goto(f"{site.url}/d/{programme.slug}/review")
    expect(page.locator(".queue .item")).to_have_count(3)


def test_a_rejection_without_a_reason_asks_for_it(
    site: Site, programme: Programme, queue: list[int], open_as: Open
) -> None:
    page = at_desk(open_as, site, programme)
    page.keyboard.press("r")
    expect(page.locator("#reason-error")).to_be_visible()
    page.get_by_label("Uzasadnienie").fill("Brak środków.")
    page.get_by_role("button", name="Odrzuć").first.click()
    expect(page.locator(".queue .item")).to_have_count(1)


def test_a_template_of_a_reason_is_written_and_an_own_wording_starts_from_the_suggestion(
    site: Site, programme: Programme, queue: list[int], open_as: Open
) -> None:
    page = at_desk(open_as, site, programme)
    page.get_by_role("button", name="Zgodne z planem").click()
    assert "Zgodne z planem" in page.locator("#why").input_value()
    own = page.locator("#wording")
    own.focus()
    assert "250 lip" in own.input_value()
    own.fill(own.input_value().replace("250 lip", "200 lip"))
    page.get_by_role("button", name="Popraw i przyjmij").click()
    expect(page.get_by_role("status").first).to_contain_text("ze zmianami")
    page.goto(f"{site.url}/d/{programme.slug}/text")
    expect(page.locator("article").first).to_contain_text("posadzi 200 lip w miejscach")


def test_a_decision_at_the_desk_is_in_every_open_browser(
    site: Site, programme: Programme, queue: list[int], open_as: Open
) -> None:
    team = open_as(programme, "team", "edit")
    team.reads("100 drzew")
    page = at_desk(open_as, site, programme)
    page.get_by_role("button", name="Przyjmij wybrane").click()
    team.reads("posadzi 250 lip w miejscach")


def test_everything_is_read_and_decided_without_script(
    site: Site, programme: Programme, queue: list[int], chromium: Browser
) -> None:
    official = programme.people["official"]
    assert official.user_id is not None
    context = chromium.new_context(java_script_enabled=False, locale="pl-PL")
    page, base = context.new_page(), f"{site.url}/d/{programme.slug}"
    for path, words in (
        ("/text", "Miasto posadzi 100 drzew"),
        (f"/s/{programme.section_id}", "Miasto posadzi 100 drzew"),
        ("/suggestions", "250 lip"),
        (f"/suggestions/{queue[0]}", "Sto nie wystarcza."),
        ("/meetings", "Rewitalizacja"),
    ):
        page.goto(base + path)
        expect(page.locator("main").first).to_contain_text(words)
    page.goto(f"{site.url}/enter/{identity.sign_in_token(site.secret_key, official.user_id, official.session_epoch)}")
    page.goto(f"{base}/review")
    page.locator("#why").fill("Zgodne z planem.")
    page.get_by_role("button", name="Przyjmij wybrane").click()
    page.goto(f"{base}/text")
    expect(page.locator("article").first).to_contain_text("posadzi 250 lip w miejscach")
    context.close()

"""Two and three people write at once; a line that breaks loses nothing; undo takes back only one's own."""

from __future__ import annotations

import re

from playwright.sync_api import WebSocketRoute, expect

from drafting.services import documents, sections
from tests.browser.conftest import MakeProgramme, Open, Programme, Site


def test_law_3_convergence_of_three_people_typing_in_one_paragraph(programme: Programme, open_as: Open) -> None:
    team, second, reader = (
        open_as(programme, who, mode) for who, mode in (("team", "edit"), ("second", "edit"), (None, "read"))
    )
    team.put_caret("miejsca zaniedbane")
    second.put_caret("Miasto wspólnie")
    for one, two in zip(" i opuszczone", ", rady i 🌳", strict=False):
        team.type(one)
        second.type(two)
    for hand in (team, second, reader):
        hand.reads("miejsca zaniedbane i ")
        hand.reads("Miasto wspólnie, rady i 🌳")
    team.settled()
    second.settled()
    reader.until("workspace.view.state.doc.toString() === value", team.text())
    assert team.text() == second.text() == reader.text()


def test_undo_takes_back_only_ones_own(programme: Programme, open_as: Open) -> None:
    team, second = open_as(programme, "team", "edit"), open_as(programme, "second", "edit")
    team.put_caret("100 drzew").type(" liściastych")
    second.reads("100 drzew liściastych").put_caret("drzew liściastych").type(" i iglastych")
    team.reads("liściastych i iglastych")
    team.press("Control+z")
    team.no_longer_reads("liściastych").reads("100 drzew i iglastych")
    second.reads("100 drzew i iglastych").press("Control+z")
    team.no_longer_reads("iglastych")
    team.press("Control+y").reads("100 drzew liściastych")


def test_marks_of_the_toolbar_and_the_keyboard(programme: Programme, open_as: Open) -> None:
    team = open_as(programme, "team", "edit")
    team.select("100 drzew")
    team.page.click("[data-command=bold]")
    team.reads("**100 drzew**")
    expect(team.page.locator(".cm-strong")).to_have_text("**100 drzew**")  # the caret is there: marks show
    team.put_caret("Wolontariat")
    expect(team.page.locator(".cm-strong")).to_have_text("100 drzew")
    team.select("100 drzew")
    expect(team.page.locator("[data-command=bold]")).to_have_attribute("aria-pressed", "true")
    team.select("100 drzew").press("Control+b")
    team.no_longer_reads("**")
    team.select("Wolontariat").press("Control+i")
    team.reads("*Wolontariat*")
    team.put_caret("zadaniem ciągłym.")
    team.press("Enter").type("Umowy zawiera się na trzy lata.")
    team.reads("ciągłym.\n\n2. Umowy zawiera")


def test_a_link_takes_an_address_as_people_write_it_and_refuses_what_is_none(programme: Programme, open_as: Open) -> None:
    team = open_as(programme, "team", "edit")
    field, error = team.page.locator("#ask-link-f"), team.page.locator("#ask-link [data-error]")
    team.select("100 drzew").press("Control+k")
    field.fill("javascript:alert(1)")
    team.press("Enter")
    expect(error).to_contain_text("https://example.org")
    field.fill("www.example.org/plan_(1)")
    team.press("Enter")
    team.reads("[100 drzew](https://www.example.org/plan_%281%29)")
    team.select("podwórek").press("Control+k")
    expect(error).to_be_hidden()
    field.fill("biuro@example.org")
    team.press("Enter")
    team.reads("[podwórek](mailto:biuro@example.org)")
    team.select("ławek").press("Control+k")
    team.press("Escape")
    team.reads("ustawianie ławek nie")
    # somebody writes before it while the address is typed
    team.select("300 m").press("Control+k")
    second = open_as(programme, "second", "edit")
    second.put_caret("Miasto wspólnie").type(" i zgodnie")
    team.reads("wspólnie i zgodnie")
    field.fill("example.org")
    team.press("Enter")
    team.reads("co [300 m](https://example.org).")


def test_carets_and_names_of_others_are_seen(programme: Programme, open_as: Open) -> None:
    team, ngo = open_as(programme, "team", "edit"), open_as(programme, "ngo", "suggest")
    ngo.put_caret("100 drzew").press("ArrowLeft")
    expect(team.page.locator(".caret")).to_have_count(1)
    expect(team.page.locator(".caret")).to_contain_text("Fundacja Zielony Przykład")
    ngo.page.context.close()
    expect(team.page.locator(".caret")).to_have_count(0)


def test_law_10_what_was_typed_without_a_line_survives_a_reload(programme: Programme, open_as: Open) -> None:
    team, second = open_as(programme, "team", "edit"), open_as(programme, "second", "edit")
    team.goes_offline()
    team.put_caret("100 drzew").type(" rodzimych gatunków")
    team.until("Object.keys(localStorage).some(key => key.startsWith('drafting.kept.'))")
    expect(team.page.locator(".statusline")).to_contain_text("19")
    second.put_caret("podwórek").type(" i skwerów").settled()
    team.page.context.set_offline(False)
    team.go("edit")
    for hand in (team, second):
        hand.reads("100 drzew rodzimych gatunków").reads("podwórek i skwerów")
    team.until("!Object.keys(localStorage).some(key => key.startsWith('drafting.kept.'))")
    assert team.text() == second.text()


def test_a_draft_typed_without_a_line_is_sent_after_a_reload(programme: Programme, open_as: Open) -> None:
    ngo, colleague = open_as(programme, "ngo", "suggest"), open_as(programme, "ngo", "read")
    number = ngo.propose("100 drzew", "250 lip")
    ngo.goes_offline()
    ngo.put_caret("250 lip").type(" rodzimych")
    ngo.until("Object.keys(localStorage).some(key => key.startsWith('drafting.kept.'))")
    ngo.page.context.set_offline(False)
    ngo.go("suggest").reads("250 lip rodzimych")
    assert ngo.page.evaluate("workspace.draft.number") == number
    expect(colleague.page.locator(".cm-proposed ins")).to_have_text("250 lip rodzimych")


def test_what_was_proposed_without_a_line_never_goes_into_the_text(programme: Programme, open_as: Open) -> None:
    team, reader = open_as(programme, "team", "suggest"), open_as(programme, None, "read")
    team.goes_offline()
    team.put_caret("100 drzew").type(" rodzimych")
    team.until("Object.keys(localStorage).some(key => key.startsWith('drafting.kept.'))")
    team.page.context.set_offline(False)
    team.go("suggest").reads("100 drzew rodzimych")
    team.until("workspace.draft !== null")
    reader.reads("100 drzew w miejscach")
    expect(team.page.locator(".cm-line ins.is-own")).to_have_text(" rodzimych")


def test_law_5_exactly_once_after_the_server_was_killed(programme: Programme, open_as: Open, site: Site) -> None:
    team, second = open_as(programme, "team", "edit"), open_as(programme, "second", "edit")
    team.put_caret("100 drzew").type(" liściastych").settled()
    site.stop(hard=True)
    team.until("document.querySelector('.statusline').dataset.state === 'offline'")
    team.type(" i iglastych")
    site.start()
    team.settled()
    second.reads("100 drzew liściastych i iglastych w miejscach")
    assert team.text().count("iglastych") == 1


def test_law_10_words_that_may_not_go_into_the_text_become_a_suggestion(
    programme: Programme, open_as: Open, site: Site
) -> None:
    team = open_as(programme, "team", "edit")
    official = open_as(programme, "official", "read")
    team.goes_offline()
    team.put_caret("100 drzew").type(" rodzimych")
    team.until("Object.keys(localStorage).some(key => key.startsWith('drafting.kept.'))")
    with site.database.write() as session:
        documents.set_phase(session, programme.people["second"], programme.document_id, "review")
    team.page.context.set_offline(False)
    team.until("workspace.draft !== null", says="a draft was opened for the words")
    team.reads("100 drzew rodzimych")
    official.reads("100 drzew w miejscach")
    expect(team.page.locator("[data-notices]")).to_contain_text("U-")


def test_a_section_of_170_000_characters_opens_and_edits(make_programme: MakeProgramme, open_as: Open) -> None:
    text = "# Długa ustawa\n\n" + "\n\n".join(
        f"## § {n}. Przepis {n}\n\n"
        + "\n\n".join(f"{i}. Zdanie numer {i} przepisu {n} o drzewach i ławkach." for i in range(1, 13))
        for n in range(1, 250)
    )
    assert len(text) > 140_000
    long = make_programme(text + "\n" * 2 + "Koniec. " * 3000)
    team, second = open_as(long, "team", "edit"), open_as(long, "second", "edit")
    team.put_caret("Zdanie numer 7 przepisu 200").type(" (nowe)")
    second.put_caret("Zdanie numer 7 przepisu 3").type(" (także)")
    for hand in (team, second):
        hand.reads("przepisu 200 (nowe)").reads("przepisu 3 (także)")
    assert team.text() == second.text()


def test_what_would_make_a_section_too_long_is_not_put_in_and_said(programme: Programme, open_as: Open) -> None:
    team = open_as(programme, "team", "edit")
    before = team.text()
    team.page.evaluate(
        """() => workspace.view.dispatch({
            changes: { from: 0, insert: "długi tekst ".repeat(30000) }, userEvent: "input.paste" })"""
    )
    expect(team.page.locator("[data-notices] .notice")).to_contain_text("nie może być dłuższa")
    assert team.text() == before
    team.put_caret("100 drzew").type(" liściastych").settled()
    team.reads("100 drzew liściastych")


def test_words_of_a_suggestion_that_is_not_open_yet_are_not_left_behind_with_the_mode(
    programme: Programme, open_as: Open
) -> None:
    ngo = open_as(programme, "ngo", "suggest")
    read = ngo.page.locator(".modes label", has=ngo.page.locator("[value=read]"))
    ngo.goes_offline()
    ngo.put_caret("100 drzew").type(" rodzimych")
    read.click()
    expect(ngo.page.locator("[data-notices]")).to_contain_text("nie jest jeszcze zapisana")
    ngo.reads("100 drzew rodzimych").until("workspace.mode === 'suggest'")
    expect(ngo.page.locator(".modes [value=suggest]")).to_be_checked()
    ngo.page.context.set_offline(False)
    ngo.until("workspace.draft && workspace.branch").settled()
    read.click()
    ngo.until("workspace.mode === 'read'")
    expect(ngo.page.locator(".cm-proposed ins")).to_have_text(" rodzimych")


def test_words_for_a_section_that_was_removed_are_shown_to_be_taken_elsewhere(
    programme: Programme, open_as: Open, site: Site
) -> None:
    team = open_as(programme, "team", "edit")
    team.goes_offline()
    team.put_caret("100 drzew").type(" rodzimych")
    team.until("Object.keys(localStorage).some(key => key.startsWith('drafting.kept.'))")
    with site.database.write() as session:
        sections.remove_section(session, programme.people["second"], programme.section_id)
    team.page.context.set_offline(False)
    expect(team.page.locator("#kept-words textarea")).to_have_value(" rodzimych")
    expect(team.page.locator("#kept-words [data-why]")).to_contain_text("Tę część usunięto")
    team.page.click("#kept-words [value=keep]")
    team.go()
    expect(team.page.locator("#kept-words textarea")).to_have_value(" rodzimych")
    expect(team.page.locator(".stage > .notice")).to_contain_text("Tę część usunięto")
    expect(team.page.locator(".modes [value=edit]")).to_have_count(0)


def test_a_server_in_trouble_is_asked_again_and_the_words_stay(programme: Programme, open_as: Open) -> None:
    team = open_as(programme, "team", "read")
    trouble = '[{"error": {"code": "internal", "message": "", "details": {}}}]'
    answered: list[str] = []

    def between(browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()

        def heard(message: str | bytes) -> None:
            if isinstance(message, str) and '["push",' in message and not answered:
                answered.append(message)
                browser.send(f"43{message[2 : message.index('[')]}{trouble}")
            else:
                server.send(message)

        browser.on_message(heard)

    team.page.route_web_socket(re.compile("/socket.io/"), between)
    team.go("edit").put_caret("100 drzew").type("!")
    team.until("document.querySelector('.statusline').dataset.state === 'wrong'")
    team.settled().reads("100 drzew!")
    assert answered and team.page.evaluate("workspace.mode") == "edit"

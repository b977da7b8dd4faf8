"""Matrix, flow, report, its files and the chain of events, as people use them: by mouse, by keyboard, on a phone."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import expect
from sqlalchemy import select

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.services import annotations, decisions, editing, milestones, people, suggestions
from drafting.services.decisions import Judged
from drafting.store.models import Meeting, Organization
from drafting.web import report_jobs
from tests.browser.conftest import TEXT, Open, Programme, Site


def fill(site: Site, programme: Programme) -> None:
    """U-1 of Zielony Przykład at the meeting, accepted; U-2 of Osiedle Wzorcowe at the meeting, refused; U-3 of
    Osiedle Wzorcowe, open; a remark with its position; a named version."""
    official, ngo, rival = (programme.people[each] for each in ("official", "ngo", "rival"))
    units = to_units(TEXT)
    with site.database.write() as session:
        meeting = session.scalar(select(Meeting.id).where(Meeting.document_id == programme.document_id))
        codes = dict(
            session.execute(
                select(Organization.code, Organization.id).where(Organization.document_id == programme.document_id)
            ).all()
        )
        for _, code, old, new, at in (
            (ngo, "ZP", "100 drzew", "250 lip", meeting),
            (rival, "OW", "300 m", "200 m", meeting),
            (rival, "OW", "podwórek", "podwórek i ogrodów", None),
        ):
            origin = people.use_origin(session, programme.people["team"], programme.document_id, codes[code], at)
            view = suggestions.open_suggestion(session, programme.people["team"], programme.section_id, origin_ids=[origin.id])
            start = units.index(to_units(old))
            changes = ChangeSet.of([(start, start + len(to_units(old)), to_units(new))], len(units))
            editing.push(
                session, programme.people["team"], view.stream_id, view.branch_version, [Update(f"t{view.id}", 1, changes)]
            )
            filed = suggestions.file(session, programme.people["team"], view.id, reason="Bo tak lepiej.")
            items = [Judged(filed.id, each.id) for each in filed.hunks]
            if new == "250 lip":
                decisions.decide(session, official, programme.section_id, items, "accepted", reason="Zgodne z planem.")
                units = to_units(editing.text_at(session, official, programme.section_id).text)
            elif new == "200 m":
                decisions.decide(session, official, programme.section_id, items, "rejected", reason="Brak środków.")
        thread = annotations.annotate(session, ngo, programme.document_id, "Kto podlewa?", section_id=programme.section_id)
        annotations.answer(session, official, thread.id, "noted", "Zarząd Zieleni.")
        milestones.create_milestone(session, programme.people["second"], programme.document_id, "Po konsultacjach")


def test_a_cell_of_the_matrix_leads_to_its_suggestions(site: Site, programme: Programme, open_as: Open) -> None:
    fill(site, programme)
    page = open_as(programme, "official").page
    page.goto(f"{site.url}/d/{programme.slug}/matrix")
    cell = page.get_by_role("table").first.get_by_role("link", name="1/2 w tekście: Rewitalizacja, część I", exact=True)
    cell.click()
    expect(page.locator(".asked__no")).to_have_text(["U-2", "U-1"])
    page.goto(f"{site.url}/d/{programme.slug}/matrix")
    page.get_by_role("link", name="Organizacje", exact=True).last.click()
    row = page.get_by_role("row", name=re.compile("Osiedle Wzorcowe"))
    row.get_by_role("link", name="0/2 w tekście: Osiedle Wzorcowe, część I", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".asked__no")).to_have_text(["U-3", "U-2"])


def test_the_flow_is_a_picture_and_by_keyboard_a_table(site: Site, programme: Programme, open_as: Open) -> None:
    fill(site, programme)
    page = open_as(programme, "official").page
    page.goto(f"{site.url}/d/{programme.slug}/matrix?by=organization")
    flow = page.locator("svg.flow")
    expect(flow).to_have_attribute("aria-label", re.compile("3"))
    expect(flow.get_by_role("link", name=re.compile("Osiedle Wzorcowe"))).to_have_attribute("href", re.compile("organization=OW"))
    assert page.locator("svg.flow .band").count() == 4  # ZP accepted; OW refused, OW waiting; accepted to the section
    page.locator("summary", has_text="To samo w tabeli").focus()
    page.keyboard.press("Enter")
    table = page.get_by_role("table", name="Kto prosił i co z tego wynikło")
    expect(table.get_by_role("row", name=re.compile("Osiedle Wzorcowe"))).to_have_text(re.compile(r"Osiedle Wzorcowe\s*0\s*1\s*1\s*2"))
    expect(table.get_by_role("row").last).to_have_text(re.compile(r"1\s*1\s*1\s*3$"))


def test_a_file_that_takes_long_shows_its_progress_and_then_comes(site: Site, programme: Programme, open_as: Open) -> None:
    fill(site, programme)
    hand = open_as(programme, "official")
    page = hand.page
    folder = site.instance / "reports"
    folder.mkdir(exist_ok=True)
    page.goto(f"{site.url}/d/{programme.slug}/report")
    with ExitStack() as busy:
        for number in range(report_jobs.AT_ONCE):
            assert busy.enter_context(report_jobs._locked(folder / f"place-{number}", patience=30))
        page.get_by_role("link", name="PDF").click()
        expect(page.get_by_role("progressbar")).to_be_visible(timeout=30_000)
        expect(page.locator("main").get_by_role("status")).to_contain_text("Plik czeka na swoją kolej.")
    with page.expect_download(timeout=90_000) as coming:
        pass
    assert Path(coming.value.path()).read_bytes().startswith(b"%PDF-")
    assert coming.value.suggested_filename == f"{programme.slug}-report.pdf"
    assert hand.wrong == []


def test_what_was_printed_is_looked_up_in_the_chain(site: Site, programme: Programme, open_as: Open) -> None:
    fill(site, programme)
    page = open_as(programme, "official", width=390).page
    page.goto(f"{site.url}/d/{programme.slug}/milestones")
    page.get_by_role("link", name="Po konsultacjach").first.click()
    head = page.locator("dd.mono").inner_text().strip()
    assert re.fullmatch("[0-9a-f]{64}", head)
    page.goto(f"{site.url}/d/{programme.slug}/audit")
    expect(page.get_by_text("Łańcuch jest cały.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Skrót z wydruku").fill(head[:20].upper())
    page.keyboard.press("Enter")
    expect(page.locator("main").get_by_role("status")).to_contain_text(re.compile(r"To skrót zdarzenia nr \d+\."))
    page.get_by_label("Skrót z wydruku").fill("0123456789abcdef")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Żadne zdarzenie nie ma tu takiego skrótu.")


def test_on_a_phone_a_row_of_the_report_is_a_card(site: Site, programme: Programme, open_as: Open) -> None:
    fill(site, programme)
    page = open_as(programme, "official", width=390).page
    page.goto(f"{site.url}/d/{programme.slug}/report")
    expect(page.get_by_role("row")).to_have_count(5)  # the head, three proposals, a remark
    first = page.locator(".report tbody tr").first
    expect(first).to_contain_text("Zgodne z planem.")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.querySelectorAll('.wide')].every(each => each.scrollWidth <= each.clientWidth + 1)")
    said = first.locator("td").nth(8).evaluate("cell => getComputedStyle(cell, '::before').content")
    assert said == '"Stanowisko"'
    page.get_by_role("link", name=re.compile("Nieuwzględnione")).click()
    expect(page.locator(".report tbody tr")).to_have_count(1)
    expect(page.locator(".report tbody")).to_contain_text("Brak środków.")

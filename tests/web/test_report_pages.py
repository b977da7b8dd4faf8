"""The pages of the report: matrix with links that count what they say, files, a PDF made beside the server, the chain."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from drafting.services import annotations
from drafting.services.matrix import matrix
from drafting.services.register import register
from drafting.store.database import Database
from drafting.store.models import Document, Event
from drafting.web import report_jobs
from drafting.web.pages import report as report_page
from drafting.web.pages.flow_picture import picture
from drafting.web.pages.matrix import parted
from drafting.web.report_jobs import Jobs, Order, Progress
from tests.web.conftest import visitor
from tests.web.world import World, build


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    with database.write() as session:
        return build(session, tmp_path / "uploads")


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_every_page_is_there_for_the_public_in_both_languages(app: Flask, world: World) -> None:
    client = visitor(app)
    for path in ("matrix", "matrix?by=organization", "report", "report?position=open", "report/course", "audit"):
        for language in ("pl", "en"):
            answer = client.get(f"/d/trees/{path}", headers={"Accept-Language": language})
            assert answer.status_code == 200, path
            html = answer.text
            assert f'lang="{language}"' in html and " style=" not in html and "<script>" not in html, (path, language)


def test_a_cell_leads_to_as_many_suggestions_as_it_says(app: Flask, world: World, database: Database) -> None:
    client = visitor(app, world.actors["coordinator"])
    for by in ("meeting", "organization"):
        html = client.get(f"/d/trees/matrix?by={by}").text
        cells = re.findall(r'<td(?: class="sum")?><a (?:class="[^"]*" )?href="([^"]+)"><?(?:span>)?(?:<b>)?(\d+)(?:</b>)?/(\d+)', html)
        assert cells
        for address, stands, asked in cells:
            listed = client.get(unescape(address)).text
            assert len(re.findall(r'class="asked__no"', listed)) == int(asked), address
            assert int(stands) <= int(asked)
    with database.read() as session:
        made, _ = matrix(session, world.actors["coordinator"], world.ids["document"])
    assert f"{made.total.stands}/{made.total.asked}" in html


def test_the_heads_of_narrow_columns_are_parted_by_syllables_where_a_word_has_no_room() -> None:
    assert parted("Zakres przedmiotowy, współpraca", "pl", 12) == "Zakres przedmiotowy, współpraca"
    assert parted("Zakres przedmiotowy, współpraca", "pl", 16) == "Zakres przed\u00admio\u00adtowy, współ\u00adpraca"
    assert parted("Antydyskryminacyjne", "pl", 2) == "Antydyskryminacyjne"
    assert parted("<b>Organisations</b>", "en", 12) == "<b>Organ\u00adisa\u00adtions</b>"
    assert parted("Antydyskryminacyjne", "xx", 12) == "Antydyskryminacyjne"


def test_the_chips_of_the_report_add_up(app: Flask, world: World, database: Database) -> None:
    html = visitor(app).get("/d/trees/report", headers={"Accept-Language": "en"}).text
    numbers = [int(each) for each in re.findall(r'class="chip"[^>]*>[^<]*<span class="num">(\d+)', html)]
    with database.read() as session:
        entries = register(session, world.actors["anonymous"], world.ids["document"])
    assert numbers[0] == len(entries) == sum(numbers[1:])


def test_files_are_files(app: Flask, world: World) -> None:
    client = visitor(app)
    beginnings = {"xlsx": b"PK", "docx": b"PK", "csv": "\ufeffLp.;".encode(), "html": b"<!doctype html>"}
    for ending, beginning in beginnings.items():
        answer = client.get(f"/d/trees/report.{ending}")
        assert answer.status_code == 200 and answer.data.startswith(beginning)
        assert f"trees-report.{ending}" in answer.headers["Content-Disposition"]
    assert client.get("/d/trees/report.txt").status_code == 404


def until(says: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not says():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_pdf_comes_at_once_or_with_its_progress(app: Flask, world: World) -> None:
    client = visitor(app)
    for _ in range(60):
        answer = client.get("/d/trees/report.pdf")
        if answer.status_code == 200:
            break
        assert answer.status_code == 303
        page = client.get(answer.headers["Location"], headers={"Accept-Language": "en"})
        assert page.status_code == 200 and "http-equiv=\"refresh\"" in page.text
    assert answer.data.startswith(b"%PDF-")
    again = client.get("/d/trees/report.pdf")
    assert again.data == answer.data


def test_a_long_file_is_made_beside_the_server_and_fetched_although_the_document_goes_on(
    app: Flask, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_page, "AT_ONCE_ROWS", 0)
    monkeypatch.setattr(report_page, "PATIENCE", -1.0)
    client = visitor(app)
    for ending, beginning in {"csv": "\ufeffLp.;".encode(), "pdf": b"%PDF-"}.items():
        answer = client.get(f"/d/trees/report.{ending}")
        assert answer.status_code == 303
        address = answer.headers["Location"]
        with database.write() as session:  # somebody goes on typing, and what the report is made of has changed
            annotations.annotate(session, world.actors["coordinator"], world.ids["document"], "One more.")

        def ready(address: str = address) -> bool:
            page = client.get(address, headers={"Accept-Language": "en"}).text
            assert "http-equiv=\"refresh\"" in page, page
            return "The file is ready" in page

        until(ready)
        page = client.get(address, headers={"Accept-Language": "en"}).text
        [link] = {unescape(each) for each in re.findall(r'href="([^"]*report\.[a-z]+\?job=[^"]*)"', page)}
        made = client.get(link)
        assert made.status_code == 200 and made.data.startswith(beginning)
    assert client.get("/d/trees/report/progress?job=x").status_code == 404
    assert client.get(address.replace("job=1-", "job=2-")).status_code == 404
    with database.write() as session:
        session.get_one(Document, world.ids["document"]).is_public = False
        session.commit()
    assert visitor(app).get(address).status_code == 404
    assert visitor(app).get(link).status_code == 404


def an_order(database: Database, world: World) -> Order:
    return Order(database.url.render_as_string(hide_password=False), world.ids["document"], None)


def named(letter: str, ending: str = "csv") -> str:
    return f"1-{letter * 32}.{ending}"


def test_a_file_that_fails_says_so_and_is_tried_again_only_when_asked(
    database: Database, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, name = Jobs(tmp_path), named("a")
    nowhere = Order(f"sqlite:///{tmp_path}/nowhere/x.sqlite", 1, None)
    jobs.start(name, 10, nowhere)
    until(lambda: jobs.progress(name).stage == "failed")
    jobs.start(name, 10, an_order(database, world))
    assert jobs.progress(name).stage == "failed" and jobs.wait(name, 0.5) is None
    jobs.start(name, 10, an_order(database, world), again=True)
    until(lambda: jobs.file(name) is not None)
    assert jobs.progress(name) == Progress("done", 100)


def test_the_page_of_a_file_that_failed_says_so_and_stays(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It began the same work again every two seconds, for ever."""
    monkeypatch.setattr(report_page, "PATIENCE", -1.0)
    monkeypatch.setattr(report_jobs, "CHILD", "import sys; sys.stdin.read(); sys.exit(1)")
    monkeypatch.setattr(report_jobs, "STARTING", 0.0)
    client = visitor(app)
    page = client.get("/d/trees/report.pdf", follow_redirects=True, headers={"Accept-Language": "en"}).text
    assert "The file could not be made" in page and "http-equiv=\"refresh\"" not in page
    assert "report.pdf?again=1" in page


def test_a_process_that_was_killed_is_found_dead_and_its_work_done_anew(database: Database, world: World, tmp_path: Path) -> None:
    jobs, name = Jobs(tmp_path), named("b")
    with report_jobs._locked(tmp_path / "place-0"), report_jobs._locked(tmp_path / "place-1"):
        jobs.start(name, 10, an_order(database, world))
        process = until_somebody_holds(tmp_path / f"{name}.lock")
        assert jobs.progress(name).stage == "waiting"
        os.kill(process, signal.SIGKILL)
        said = json.loads((tmp_path / f"{name}.json").read_text())
        (tmp_path / f"{name}.json").write_text(json.dumps({**said, "began": 0.0}))  # long ago
        until(lambda: jobs.progress(name).stage == "failed")
    jobs.start(name, 10, an_order(database, world))
    until(lambda: jobs.file(name) is not None)


def test_progress_follows_the_pace_of_the_work_itself() -> None:
    """A machine ten times as slow stood at 97 % with one more second to go for minutes."""
    def reached(part: float, at: float, now: float, stage: str = "layout") -> Progress:
        return report_jobs._reached(report_jobs._Said(stage, 2000, began=0.0, part=part, at=at), usual=26.0, now=now)

    assert reached(0.25, 60, 60) == Progress("layout", 25, 180)
    assert reached(0.5, 120, 132) == Progress("layout", 55, 108)
    assert reached(0.5, 120, 9000).percent == 70  # it has told nothing since; nobody knows better
    assert reached(0.0, 0, 1, "rows").seconds == 25 and reached(0.0, 0, 400, "rows").percent == 5
    assert reached(0.98, 100, 400).percent == 97
    assert reached(0.0, 0, 100, "waiting") == Progress("waiting", 0, 0)  # nobody knows how long the others take


def until_somebody_holds(path: Path) -> int:
    """The number of the process that holds the lock of a file, found as the system tells it."""
    until(path.exists)
    number = str(path.stat().st_ino)
    found: list[int] = []

    def held() -> bool:
        rows = Path("/proc/locks").read_text().splitlines()
        found[:] = [int(row.split()[4]) for row in rows if "FLOCK" in row and row.split()[5].endswith(f":{number}")]
        return bool(found)

    until(held)
    return found[0]


def test_only_so_many_files_are_made_and_so_many_wait(
    database: Database, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_jobs, "WAITING", 2)
    jobs = Jobs(tmp_path)
    with report_jobs._locked(tmp_path / "place-0"), report_jobs._locked(tmp_path / "place-1"):
        for letter in "abc":
            jobs.start(named(letter), 10, an_order(database, world))
        until(lambda: (tmp_path / f"{named('b')}.lock").exists())
        assert [jobs.progress(named(letter)).stage for letter in "abc"] == ["waiting", "waiting", "full"]
    until(lambda: jobs.file(named("a")) is not None and jobs.file(named("b")) is not None)
    jobs.start(named("c"), 10, an_order(database, world))
    until(lambda: jobs.file(named("c")) is not None)


def test_the_picture_conserves_what_flows(database: Database, world: World) -> None:
    with database.read() as session:
        made, flow = matrix(session, world.actors["coordinator"], world.ids["document"])
    labels = {line.value: (line.name, line.hue) for line in made.lines}
    drawn = picture(flow, labels, {end: end for end, _ in flow.ends}, {column.id: column.title for column in made.columns},
                    lambda start, end, number: f"{start} {end} {number}")  # fmt: skip
    assert sum(node.number for node in drawn.ends) == made.total.asked
    assert sum(node.number for node in drawn.sections) == made.total.stands
    assert all(node.y >= 0 and node.y + node.height <= drawn.height for node in (*drawn.sources, *drawn.ends, *drawn.sections))


def test_meetings_and_organisations_show_their_impact(app: Flask, world: World) -> None:
    client = visitor(app)
    for path in (f"meetings/{world.ids['meeting']}", f"organizations/{world.ids['code']}"):
        text = plain(client.get(f"/d/trees/{path}", headers={"Accept-Language": "en"}).text)
        assert "Impact" in text and "the text now" in text and "First" in text


def test_the_chain_is_shown_whole_and_shown_broken(app: Flask, world: World, database: Database) -> None:
    client = visitor(app)
    html = client.get("/d/trees/audit", headers={"Accept-Language": "en"}).text
    assert "The chain is whole." in html
    head = re.search(r'class="mono hash">([0-9a-f]{64})<', html)
    assert head is not None
    milestone = client.get(f"/d/trees/milestones/{world.ids['milestone']}").text
    assert re.search(r">([0-9a-f]{64})<", milestone)
    with database.write() as session:
        session.execute(update(Event).where(Event.document_id == world.ids["document"], Event.number == 3).values(data="{}"))
        session.commit()
    html = client.get("/d/trees/audit", headers={"Accept-Language": "en"}).text
    assert "The chain is broken at event 3." in html


def test_names_of_people_in_the_chain_are_for_members(app: Flask, world: World) -> None:
    name = world.actors["coordinator"].name
    assert name in visitor(app, world.actors["observer"]).get("/d/trees/audit").text
    assert name not in visitor(app).get("/d/trees/audit").text


def test_a_member_of_an_organisation_is_one_click_from_its_page(app: Flask, world: World) -> None:
    own = re.compile(r'href="(/d/trees/organizations/[^"]+)"><svg(?:(?!</a>).)*(?:My organisation|Moja organizacja)', re.DOTALL)
    client = visitor(app, world.actors["contributor"])
    found = own.search(client.get("/d/trees/").text)
    assert found and client.get(found[1]).status_code == 200
    assert 'href="/d/trees/"' in client.get("/").text, "the first page lists the documents one is in"
    for who in ("anonymous", "observer"):
        assert not own.search(visitor(app, world.actors[who]).get("/d/trees/").text)

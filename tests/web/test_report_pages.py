"""The pages of the report: matrix with links that count what they say, files, a PDF made beside the server, the chain."""

from __future__ import annotations

import re
import time
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from drafting.services.matrix import matrix
from drafting.services.register import register
from drafting.store.database import Database
from drafting.store.models import Event
from drafting.web.pages.flow_picture import picture
from drafting.web.report_jobs import Jobs
from tests.web.conftest import visitor
from tests.web.world import World, build


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    with database.write() as session:
        return build(session, tmp_path / "uploads")


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.parametrize("path", ["matrix", "matrix?by=organization", "report", "report?position=open", "report/course", "audit"])
@pytest.mark.parametrize("language", ["pl", "en"])
def test_every_page_is_there_for_the_public_in_both_languages(app: Flask, world: World, path: str, language: str) -> None:
    client = visitor(app)
    answer = client.get(f"/d/trees/{path}", headers={"Accept-Language": language})
    assert answer.status_code == 200
    html = answer.text
    assert f'lang="{language}"' in html and " style=" not in html and "<script>" not in html


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


def test_the_chips_of_the_report_add_up(app: Flask, world: World, database: Database) -> None:
    html = visitor(app).get("/d/trees/report", headers={"Accept-Language": "en"}).text
    numbers = [int(each) for each in re.findall(r'class="chip"[^>]*>[^<]*<span class="num">(\d+)', html)]
    with database.read() as session:
        entries = register(session, world.actors["anonymous"], world.ids["document"])
    assert numbers[0] == len(entries) == sum(numbers[1:])


def test_files_are_files(app: Flask, world: World) -> None:
    client = visitor(app)
    beginnings = {"xlsx": b"PK", "docx": b"PK", "csv": "\ufeffLp.;".encode()}
    for ending, beginning in beginnings.items():
        answer = client.get(f"/d/trees/report.{ending}")
        assert answer.status_code == 200 and answer.data.startswith(beginning)
        assert f"trees-report.{ending}" in answer.headers["Content-Disposition"]
    assert client.get("/d/trees/report.txt").status_code == 404


def test_a_pdf_comes_at_once_or_with_its_progress(app: Flask, world: World) -> None:
    client = visitor(app)
    for _ in range(60):
        answer = client.get("/d/trees/report.pdf")
        if answer.status_code == 200:
            break
        assert answer.status_code == 303
        page = client.get(answer.headers["Location"], headers={"Accept-Language": "en"})
        assert page.status_code == 200 and ("http-equiv=\"refresh\"" in page.text)
    assert answer.data.startswith(b"%PDF-")
    again = client.get("/d/trees/report.pdf")
    assert again.data == answer.data
    ready = client.get("/d/trees/report/pdf", headers={"Accept-Language": "en"})
    assert "The PDF is ready" in ready.text


def test_a_job_that_fails_says_so_and_may_be_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    jobs = Jobs(tmp_path)

    def broken() -> dict[str, str]:
        raise ValueError("no rows today")

    jobs.start("x", 10, broken)
    assert jobs.wait("x", 20) is None
    found = jobs.progress("x")
    assert found is not None and found.stage == "failed"
    assert "no rows today" in caplog.text
    good = {"body": "<h1>T</h1>", "title": "T", "language": "en", "created_at": "2026-01-01T00:00:00+00:00", "author": "", "style": ""}
    jobs.start("x", 10, lambda: good)
    until = time.monotonic() + 60
    while jobs.file("x") is None and time.monotonic() < until:
        time.sleep(0.1)
    path = jobs.file("x")
    assert path is not None and path.read_bytes().startswith(b"%PDF-")


def test_the_picture_conserves_what_flows(database: Database, world: World) -> None:
    with database.read() as session:
        made, flow = matrix(session, world.actors["coordinator"], world.ids["document"])
    labels = {line.value: (line.name, line.hue) for line in made.lines}
    drawn = picture(flow, labels, {end: end for end, _ in flow.ends}, {column.id: column.title for column in made.columns},
                    lambda start, end, number: f"{start} {end} {number}")  # fmt: skip
    assert sum(node.number for node in drawn.ends) == made.total.asked
    assert sum(node.number for node in drawn.sections) == made.total.stands
    assert all(0 <= node.y and node.y + node.height <= drawn.height for node in (*drawn.sources, *drawn.ends, *drawn.sections))


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

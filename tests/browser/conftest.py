"""A real server on an instance of its own, a real Chromium, and people who have a section open in it.

`site` is one server for all tests; `programme` is a document of a test's own, made with rows while the server runs.
A `Hand` is one person in one browser context: it signs in by a link, types, chooses and looks.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from drafting.config import ROOT, load_settings
from drafting.services.access import Actor
from drafting.store.database import Database
from drafting.store.migrations import upgrade
from drafting.web import identity
from tests import make
from tests.browser.hands import Hand

KNOWN = (os.environ.get("DRAFTING_CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser")
CHROMIUM = next((path for path in KNOWN if path and Path(path).exists()), None)
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
START = 30.0  # s until a server that does not answer is given up
# two busy cores with a server and three browsers on them: what takes longer than this is broken, not slow
expect.set_options(timeout=15_000)

TEXT = """# Przestrzeń i zieleń

## § 1. Drzewa

1. Miasto wspólnie z organizacjami przywraca mieszkańcom miejsca zaniedbane.

2. W każdym roku Miasto posadzi 100 drzew w miejscach uzgodnionych z organizacjami.

3. Za zadania priorytetowe uznaje się:

   1) zazielenianie podwórek;

   2) ustawianie ławek nie rzadziej niż co 300 m.

## § 2. Seniorzy

1. Wolontariat sąsiedzki jest zadaniem ciągłym.
"""


@dataclass
class Site:
    """A running server: where it is, and its database."""

    url: str
    database: Database
    secret_key: str
    instance: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        port = self.url.rsplit(":", 1)[1]
        environ = {**os.environ, "DRAFTING_DURABLE": "false", "DRAFTING_SIGN_IN_LIMIT": ""}
        with open(self.instance / "log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "drafting", "--instance", str(self.instance), "serve", "--port", port],
                cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + START
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(self.url + "/sign-in-is-not-here", timeout=1):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise AssertionError("the server did not start:\n" + (self.instance / "log").read_text(errors="replace"))

    def stop(self, *, hard: bool = False) -> None:
        if self.process is not None:
            # hard: the worker too, as when the machine goes
            if hard:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.terminate()
            self.process.wait(20)
            self.process = None


@dataclass
class Programme:
    """A document of one section with a team, two organisations and an official."""

    slug: str
    section_id: int
    document_id: int
    people: dict[str, Actor] = field(default_factory=dict)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not (ROOT / "static" / "dist" / "workspace.js").exists():
        pytest.skip("the browser part is not built: npm ci and npm run build in static/")
    instance = tmp_path_factory.mktemp("instance")
    settings = load_settings({}, instance_path=instance, durable=False)
    database = Database(settings.database_url, durable=False)
    upgrade(database)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = Site(f"http://127.0.0.1:{port}", database, settings.secret_key, instance)
    site.start()
    yield site
    site.stop()
    database.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One server and one browser for all of these, also when tests run on several workers.

    One that fails is played once more, and the summary names it as rerun: real browsers on two busy cores are late once
    in a thousand gestures. A test that is named there has a race to be mended; what fails twice fails.
    """
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


MakeProgramme = Callable[..., Programme]


@pytest.fixture
def make_programme(site: Site) -> MakeProgramme:
    def made(text: str = TEXT, phase: str = "consultation") -> Programme:
        with site.database.write() as session:
            document = make.document(session, phase=phase)
            zp = make.organization(session, document, "Fundacja Zielony Przykład", code="ZP")
            ow = make.organization(session, document, "Osiedle Wzorcowe", code="OW")
            make.meeting(session, document, "Rewitalizacja")
            section = make.section(session, document, text)
            people = {
                "team": make.member(session, document, "drafter"),
                "second": make.member(session, document, "coordinator"),
                "ngo": make.member(session, document, "contributor", zp),
                "rival": make.member(session, document, "contributor", ow),
                "official": make.member(session, document, "official"),
            }
            programme = Programme(document.slug, section.id, document.id, people)
            session.commit()
        return programme

    return made


@pytest.fixture
def programme(make_programme: MakeProgramme) -> Programme:
    return make_programme()


Open = Callable[..., Hand]


@pytest.fixture
def open_as(site: Site, chromium: Browser) -> Iterator[Open]:
    """Opens the programme's section as one of its people, in a browser context of their own."""
    hands: list[Hand] = []

    def opened(
        programme: Programme, who: str | None, mode: str = "read", *, width: int = 1280, dark: bool = False
    ) -> Hand:
        context = chromium.new_context(
            viewport={"width": width, "height": 900 if width > 500 else 844},
            color_scheme="dark" if dark else "light",
            locale="pl-PL",
        )
        hand = Hand(context.new_page(), site.url)
        hands.append(hand)
        if who is not None:
            person = programme.people[who]
            assert person.user_id is not None
            token = identity.sign_in_token(site.secret_key, person.user_id, person.session_epoch)
            hand.page.goto(f"{site.url}/enter/{token}")
        hand.address = f"{site.url}/d/{programme.slug}/s/{programme.section_id}"
        hand.go(mode)
        return hand

    yield opened
    for hand in hands:
        hand.page.context.close()
    wrong = [line for hand in hands for line in hand.wrong]
    assert not wrong, "the browser reported errors:\n" + "\n".join(wrong)

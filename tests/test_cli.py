"""The commands of the command line, on a real instance folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from drafting.cli import main
from drafting.config import ROOT
from drafting.formats.critic import read_critic
from drafting.services import accounts, documents, invitations, sections
from drafting.services.access import ANONYMOUS, Role, actor_of
from drafting.services.exchange import MEDIA_TYPES
from drafting.store.database import Database
from drafting.store.models import Event, Revision
from drafting.store.queries import text_at
from tests.served import TEXT, Place, running
from tests.sockets import PATIENCE, Writer
from tests.test_serve import free_port, serving


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    return tmp_path / "instance"


Run = Callable[..., str]


@pytest.fixture
def drafting(instance: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command, run in this process; returns what it printed. The test fails when it ends with another status."""
    for name in [name for name in os.environ if name.startswith("DRAFTING_") or name in ("DATABASE_URL", "REDIS_URL")]:
        monkeypatch.delenv(name)

    def run(*arguments: str | Path, status: int = 0, instance: Path = instance) -> str:
        found = main(["--instance", str(instance), *map(str, arguments)])
        printed = "".join(capsys.readouterr())
        assert found == status, printed
        return printed

    return run


def opened(instance: Path) -> Database:
    return Database(f"sqlite:///{instance}/drafting.sqlite")


def test_the_first_account_is_an_operators_and_sets_its_password_by_the_link(drafting: Run, instance: Path) -> None:
    out = drafting("user", "create", "ewa@example.org", "Ewa Przykładna")
    token = out.split("/reset/")[1].split()[0]
    assert "operator" in out
    assert "operator" not in drafting("user", "create", "jan@example.org", "Jan").splitlines()[0]
    database = opened(instance)
    with database.write() as session:
        actor = invitations.reset_password(session, token, "a long password")
        assert actor.is_operator and actor.name == "Ewa Przykładna"
        accounts.sign_in(session, "ewa@example.org", "a long password")
    database.close()
    assert "ewa@example.org" in drafting("user", "list")
    drafting("user", "operator", "jan@example.org")
    drafting("user", "anonymise", "jan@example.org")
    assert "jan" not in drafting("user", "list").lower()
    assert "no account has the address" in drafting("user", "link", "jan@example.org", status=1)


def test_a_markdown_file_becomes_a_document_in_sections(drafting: Run, instance: Path, tmp_path: Path) -> None:
    file = tmp_path / "programme.md"
    file.write_text("# Programme 🌳\n\n## One\n\ntext 1\n\n## Two\r\n\r\ntext 2\n", encoding="utf-8")
    assert "no operator yet" in drafting("import", file, status=1)
    drafting("user", "create", "ewa@example.org", "Ewa")
    assert "2 sections" in drafting("import", file, "--publish")
    database = opened(instance)
    with database.read() as session:
        (document,) = documents.documents(session, ANONYMOUS)
        assert document.title == "Programme 🌳"
        views = sections.outline(session, ANONYMOUS, document.id)
        texts = [text_at(session, view.stream_id) for view in views]
        assert texts == ["## One\n\ntext 1\n\n", "## Two\n\ntext 2\n"]
        assert actor_of(session, 1).role(document.id) is Role.COORDINATOR
    database.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "not UTF-8"),
        ("# Część".encode("iso8859-2"), "byte 4 is wrong; save it as UTF-8"),
        ("# T\n\n## Część\n".encode("utf-16"), "not UTF-8"),
        ("# T\n\n## A\n".encode("utf-16-le"), "character 1 is NUL"),
        (b"# T\n\nx\0y\n", "character 6 is NUL"),
        (b"# T\n\n" + b"a b " * 300_000, "1200005 characters; a file has at most 1000000"),
        (b"".join(b"## %d\n\nx\n\n" % k for k in range(1001)), "at most 1000 sections"),
        (b"  \n", "no text"),
        (None, "No such file"),
    ],
    ids=range(9),
)
def test_a_file_that_cannot_be_read_is_refused_and_leaves_nothing(
    drafting: Run, instance: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "x.md"
    if content is not None:
        file.write_bytes(content)
    drafting("user", "create", "ewa@example.org", "Ewa")
    assert said in drafting("import", file, status=1)
    assert "there are: none" in drafting("verify", "x", status=1)


@pytest.mark.parametrize(
    ("content", "title", "titles"),
    [
        ("just words\n\nmore\n", "x", ["just words"]),
        ("# A\n\n## B\n\n## C\n\n### D\n", "A", ["B", "C"]),
        ("# T\n\n## Only one\n\nx\n", "T", ["Only one"]),
        ("# T\n\n#### Deep\n\nx\n\n## Up\n\ny\n", "T", ["Deep"]),
        ("\ufeff# T\r\n\r\n## A\r\n\r\nx\r\n\r\n## B\r\n\r\ny\r\n", "T", ["A", "B"]),
        ("# T\r\r## A\r\rx\r\r## B\r\ry\r", "T", ["A", "B"]),
        ("# T\n\n## A\n\n```\n# no\n## no\n```\n\n## B\n\ny\n", "T", ["A", "B"]),
        ("# T\n\n## A\n\nx\n\n## A\n\ny\n\n## A\n", "T", ["A", "A", "A"]),
        ("Title\n=====\n\nA\n---\n\nx\n\nB\n---\n\ny\n", "Title", ["A", "B"]),
        ("Before.\n\n# T\n\nin\n\n## A\n\nx\n", "x", ["Before.", "T"]),
        ("# <script>alert(1)</script>\n\n## <img src=x>\n\nx\n\n## B\n", "<script>alert(1)</script>", ["<img src=x>", "B"]),
    ],
    ids=range(11),
)
def test_any_shape_of_headings_opens_whole(
    drafting: Run, instance: Path, tmp_path: Path, content: str, title: str, titles: list[str]
) -> None:
    file = tmp_path / "x.md"
    file.write_bytes(content.encode())
    drafting("user", "create", "ewa@example.org", "Ewa")
    drafting("import", file, "--publish")
    database = opened(instance)
    with database.read() as session:
        (document,) = documents.documents(session, ANONYMOUS)
        views = sections.outline(session, ANONYMOUS, document.id)
        assert (document.title, [view.title for view in views]) == (title, titles)
        joined = "".join(text_at(session, view.stream_id) for view in views)
    database.close()
    whole = content.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    assert whole.endswith(joined) and whole.removesuffix(joined).strip("\n# =") in ("", title)
    assert "as its logs say" in drafting("verify")


def test_a_document_of_one_section_comes_back_as_it_went_out(drafting: Run, instance: Path, tmp_path: Path) -> None:
    file, again = tmp_path / "x.md", tmp_path / "y.md"
    file.write_text("# Programme\n\n## Trees\n\n100 trees.\n")
    drafting("user", "create", "ewa@example.org", "Ewa")
    assert drafting("import", file).startswith("Programme: 1 section, 21 characters")
    drafting("export", "programme", again)
    assert again.read_text() == file.read_text()


def test_the_ending_of_a_file_says_the_form_of_an_export(drafting: Run, instance: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    file.write_text("# Programme\n\n## Trees\n\n100 trees.\n\n## Benches\n\n{++Two++}.\n")
    drafting("user", "create", "ewa@example.org", "Ewa")
    drafting("import", file)
    begins = {
        "md": b"# Programme\n\n## Trees\n", "critic.md": b"# Programme\n\n## Trees\n", "html": b"<!doctype html>",
        "pdf": b"%PDF-", "docx": b"PK", "fast-import": b"feature done\n",
    }  # fmt: skip
    assert set(begins) == set(MEDIA_TYPES)
    said = drafting("export", "programme", tmp_path / "x.exe", status=1)
    for ending, beginning in begins.items():
        out = tmp_path / f"out.{ending}"
        assert drafting("export", "programme", out) == f"{out}: {len(out.read_bytes())} bytes\n"
        assert out.read_bytes().startswith(beginning) and ending in said
    marked = read_critic((tmp_path / "out.critic.md").read_text())
    assert (marked.text, marked.changes) == ((tmp_path / "out.md").read_text(), ())
    assert not (tmp_path / "x.exe").exists()
    for command in ("export", "report"):
        nowhere = tmp_path / "no" / "x.html"
        told = drafting(command, "programme", nowhere, status=1)
        assert told == f"drafting: {nowhere} cannot be written: No such file or directory\n"


def test_a_backup_is_a_whole_instance(drafting: Run, instance: Path, tmp_path: Path) -> None:
    drafting("user", "create", "ewa@example.org", "Ewa")
    (instance / "uploads").mkdir()
    (instance / "uploads" / "abc").write_bytes(b"file")
    drafting("backup", tmp_path / "b.tar.gz")
    restored = tmp_path / "restored"
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        archive.extractall(restored, filter="data")
    assert (restored / "uploads" / "abc").read_bytes() == b"file"
    assert (restored / "secret_key").read_text() == (instance / "secret_key").read_text()
    assert "ewa@example.org" in drafting("user", "list", instance=restored)


def test_a_port_that_is_taken_is_said_in_one_line(drafting: Run) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = drafting("serve", "--port", str(port), status=1)
    assert said.startswith(f"drafting: port {port} is taken by another program; ") and said.count("\n") == 1
    assert "cannot be served" in drafting("serve", "--host", "203.0.113.7", "--port", str(port), status=1)


def test_a_backup_made_while_people_write_is_whole_and_can_be_served(drafting: Run, tmp_path: Path) -> None:
    """Everything acknowledged before it is in it; what is in it verifies clean; the writers never notice."""
    place = Place(tmp_path / "instance")
    stop = threading.Event()
    try:
        section, stream = place.section()
        with running(place):
            writers = [place.writer("drafter", stream, "a"), place.writer("other", stream, "b")]
            failures: list[BaseException] = []

            def write(writer: Writer) -> None:
                try:
                    while not stop.is_set():
                        writer.type(0, 0, writer.client)
                        writer.push()
                except BaseException as error:
                    failures.append(error)

            threads = [threading.Thread(target=write, args=(writer,)) for writer in writers]
            for thread in threads:
                thread.start()
            until = time.monotonic() + PATIENCE
            while min(writer.acknowledged for writer in writers) < 20:
                assert time.monotonic() < until
                time.sleep(0.01)
            before = {writer.client: writer.acknowledged for writer in writers}
            drafting("backup", tmp_path / "b.tar.gz", instance=place.instance)
            after = {writer.client: writer.sequence for writer in writers}
            stop.set()
            for thread in threads:
                thread.join(PATIENCE)
            assert not failures
    finally:
        stop.set()
        place.database.close()
    restored = tmp_path / "restored"
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        archive.extractall(restored, filter="data")
    assert "as its logs say" in drafting("verify", instance=restored)
    database = opened(restored)
    with database.read() as session:
        text = text_at(session, stream)
    database.close()
    for client in before:
        assert before[client] <= text.count(client) - TEXT.count(client) <= after[client]
    with serving(restored, free_port()) as (_, printed):
        assert "Drafting is at" in printed


def test_a_wrong_setting_is_said_in_one_line(drafting: Run, instance: Path) -> None:
    instance.mkdir()
    (instance / "config.toml").write_text("prot = 80")
    said = drafting("user", "list", status=1)
    assert said.startswith("drafting: config.toml has unknown settings prot") and said.count("\n") == 1


def test_a_mistyped_variable_is_said_at_the_start(drafting: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAFTING_DATABSE_URL", "postgresql://elsewhere")
    assert "did you mean DRAFTING_DATABASE_URL?" in drafting("user", "list")


def test_words_that_are_no_text_are_refused_and_control_characters_left_out(drafting: Run, tmp_path: Path) -> None:
    refused = drafting("user", "create", "jan@example.org", "Jan\udcff", status=1)
    assert refused.startswith("drafting: name is not text") and refused.count("\n") == 1
    assert drafting("user", "create", "jan@example.org", "J\x01a\x1bn").startswith("Jan <jan@example.org>")
    file = tmp_path / "a\udcff.md"
    file.write_text("Words.\n")
    assert "a\ufffd:" in drafting("import", file)


def test_a_chain_that_was_tampered_with_is_named(drafting: Run, instance: Path, tmp_path: Path) -> None:
    file = tmp_path / "p.md"
    file.write_text("# P\n\n## A\n\ntext\n\n## B\n\ntext\n")
    drafting("user", "create", "ewa@example.org", "Ewa")
    drafting("import", file)
    assert "p: as its logs say; 4 events" in drafting("verify")
    database = opened(instance)
    with database.write() as session:
        session.execute(update(Event).where(Event.number == 3).values(data="{}"))
        session.execute(update(Revision).where(Revision.stream_id == 1).values(changes='[[0,"other"]]'))
        session.commit()
    database.close()
    said = drafting("verify", status=1)
    assert "event 3 is not what its hash was made of" in said and "as its logs say" not in said


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "drafting", "--help"], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0 and "backup" in done.stdout


def test_what_the_machine_refuses_is_said_in_one_line(drafting: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/nowhere/drafting.sqlite")
    assert drafting("user", "list", status=1) == "drafting: the database cannot be used: unable to open database file\n"
    monkeypatch.delenv("DATABASE_URL")
    drafting("user", "list")

    def pressed(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("drafting.cli.run_user_list", pressed)
    assert drafting("user", "list", status=130) == "drafting: stopped\n"

"""The commands, run as people run them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from drafting.config import ROOT
from drafting.services import accounts, documents, invitations, sections
from drafting.services.access import ANONYMOUS, Role, actor_of
from drafting.store.database import Database
from drafting.store.queries import text_at


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    return tmp_path / "instance"


def drafting(instance: Path, *arguments: str | Path, status: int = 0) -> str:
    """What the command printed; the test fails when it ends with another status."""
    done = subprocess.run(
        [sys.executable, "-m", "drafting", "--instance", instance, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def opened(instance: Path) -> Database:
    return Database(f"sqlite:///{instance}/drafting.sqlite")


def test_the_first_account_is_an_operators_and_sets_its_password_by_the_link(instance: Path) -> None:
    out = drafting(instance, "user", "create", "ewa@example.org", "Ewa Przykładna")
    token = out.split("/reset/")[1].split()[0]
    assert "operator" in out
    assert "operator" not in drafting(instance, "user", "create", "jan@example.org", "Jan").splitlines()[0]
    database = opened(instance)
    with database.write() as session:
        actor = invitations.reset_password(session, token, "a long password")
        assert actor.is_operator and actor.name == "Ewa Przykładna"
        accounts.sign_in(session, "ewa@example.org", "a long password")
    database.close()
    assert "ewa@example.org" in drafting(instance, "user", "list")
    drafting(instance, "user", "operator", "jan@example.org")
    drafting(instance, "user", "anonymise", "jan@example.org")
    assert "jan" not in drafting(instance, "user", "list").lower()
    assert "no account has the address" in drafting(instance, "user", "link", "jan@example.org", status=1)


def test_a_markdown_file_becomes_a_document_in_sections(instance: Path, tmp_path: Path) -> None:
    file = tmp_path / "programme.md"
    file.write_text("# Programme 🌳\n\n## One\n\ntext 1\n\n## Two\r\n\r\ntext 2\n", encoding="utf-8")
    assert "no operator yet" in drafting(instance, "import", file, status=1)
    drafting(instance, "user", "create", "ewa@example.org", "Ewa")
    assert "2 sections" in drafting(instance, "import", file, "--publish")
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
    ("content", "said"), [(b"\xff\xfe", "not UTF-8"), (b"  \n", "no text"), (None, "No such file")], ids=str
)
def test_a_file_that_cannot_be_read_is_refused_and_leaves_nothing(
    instance: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "x.md"
    if content is not None:
        file.write_bytes(content)
    drafting(instance, "user", "create", "ewa@example.org", "Ewa")
    assert said in drafting(instance, "import", file, status=1)
    assert "there are: none" in drafting(instance, "verify", "x", status=1)


def test_a_backup_is_a_whole_instance(instance: Path, tmp_path: Path) -> None:
    drafting(instance, "user", "create", "ewa@example.org", "Ewa")
    (instance / "uploads").mkdir()
    (instance / "uploads" / "abc").write_bytes(b"file")
    drafting(instance, "backup", tmp_path / "b.tar.gz")
    restored = tmp_path / "restored"
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        archive.extractall(restored, filter="data")
    assert (restored / "uploads" / "abc").read_bytes() == b"file"
    assert (restored / "secret_key").read_text() == (instance / "secret_key").read_text()
    assert "ewa@example.org" in drafting(restored, "user", "list")


def test_a_wrong_setting_is_said_in_one_line(instance: Path) -> None:
    instance.mkdir()
    (instance / "config.toml").write_text("prot = 80")
    said = drafting(instance, "user", "list", status=1)
    assert said.startswith("drafting: config.toml has unknown settings prot") and said.count("\n") == 1

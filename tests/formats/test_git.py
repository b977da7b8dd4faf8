"""The history as a git repository: sound, repeatable, and blaming the organisation that proposed."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta, timezone

import pytest

from drafting.errors import InvalidInput
from drafting.formats.git import Commit, Person, Tag, fast_import

TEAM = Person("Zespół roboczy", "team")
STORKS = Person("Fundacja <Żuraw>\n\x00 & Sp.", "Org 12!")
OFFICE = Person("Urzędnik", "user-3")
T = datetime(2026, 7, 1, 10, 0, tzinfo=timezone(timedelta(hours=2)))
COMMITS = (
    Commit(TEAM, T, TEAM, T, "Początek", files={"01 Cel.md": "# Cel\n\nSto drzew.\n", "a/ż.md": "x\n"}),
    Commit(
        STORKS,
        T,
        OFFICE,
        T + timedelta(days=3),
        "U-17: 250 drzew",
        "Bo sto to mało.",
        (("Suggestion-Id", "U-17"), ("Source", "Spotkanie 4"), ("Accepted-By", "Urzędnik\nx")),
        files={"01 Cel.md": "# Cel\n\n250 rodzimych drzew.\n"},
        removed=("a/ż.md",),
    ),
)
TAGS = (Tag("Do rady: wersja 1..2", 1, OFFICE, T, "Do rady"),)

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder, *arguments: str, data: bytes = b"") -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@needs_git
def test_git_takes_it_finds_nothing_wrong_and_blames_the_organisation(tmp_path):
    ids = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
        git(folder, "fast-import", "--quiet", data=fast_import(COMMITS, TAGS))
        assert git(folder, "fsck", "--strict") == ""
        ids.append(git(folder, "rev-parse", "main", "Do-rady-wersja-1-2"))
    assert ids[0] == ids[1]
    blame = git(folder, "blame", "--line-porcelain", "main", "--", "01 Cel.md")
    assert "author Fundacja Żuraw & Sp.\nauthor-mail <org-12@drafting.invalid>" in blame
    assert "author Zespół roboczy" in blame
    assert git(folder, "log", "-1", "--format=%(trailers:key=Suggestion-Id,valueonly)", "main").strip() == "U-17"
    assert git(folder, "log", "-1", "--format=%cI", "main").strip() == "2026-07-04T10:00:00+02:00"
    assert git(folder, "-c", "core.quotepath=off", "ls-tree", "-r", "--name-only", "main").split("\n")[0] == "01 Cel.md"


@needs_git
def test_names_and_messages_that_git_would_refuse_are_made_good(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    commits = [Commit(TEAM, T, TEAM, T, "a\0b", "c\0", (("Source", "d\0"),))]
    names = ("x.lock.lock", "y.lock.", ".z", "a..b", "@{", "q?*[\\^~: w", "e/f/", ".lock")
    git(tmp_path, "fast-import", "--quiet", data=fast_import(commits, [Tag(each, 0, TEAM, T, "t\0") for each in names]))
    assert git(tmp_path, "fsck", "--strict") == ""
    assert {"x", "y", "z", "a-b", "-", "e/f"} <= set(git(tmp_path, "tag").split("\n"))


def test_paths_that_leave_the_repository_are_refused():
    for path in ("../x", "/etc/passwd", "a//b", ".git/config", "a/.GIT/x", ""):
        with pytest.raises(InvalidInput):
            fast_import([Commit(TEAM, T, TEAM, T, "x", files={path: ""})])


def test_a_tag_needs_its_commit_and_a_time_its_zone():
    with pytest.raises(InvalidInput):
        fast_import(COMMITS, [Tag("x", 2, TEAM, T, "")])
    with pytest.raises(InvalidInput):
        fast_import([Commit(TEAM, datetime(2026, 1, 1), TEAM, T, "x")])
    assert fast_import([Commit(TEAM, datetime(2026, 1, 1, tzinfo=UTC), TEAM, T, "x")]).count(b"1767225600 +0000") == 1

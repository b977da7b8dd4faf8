"""The history as a git repository, made by real git: sound, the same each time, and true to texts, names and versions."""

from __future__ import annotations

import random
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.errors import NotFound
from drafting.services import clock, editing, exchange, milestones, returning, sections, suggestions
from drafting.services.access import ANONYMOUS, Actor
from drafting.services.decisions import Judged, decide
from drafting.services.git_history import PAUSE
from drafting.store.database import Database
from drafting.store.models import Document, Organization, Revision, Section, User
from drafting.store.queries import text_at
from tests import make
from tests.seeds import FULL
from tests.services.proposing import Around

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

TEXT = "## Trees\n\nWe plant 100 trees in 2027.\n\nThe park stays open.\n"


class Repository:
    """What git made of a stream; every one that a test makes is checked by git."""

    def __init__(self, folder: Path, stream: bytes) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("fast-import", "--quiet", data=stream)
        assert self.git("fsck", "--strict") == ""

    def git(self, *arguments: str, data: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "-c", "core.quotepath=off", "-C", str(self.folder), *arguments], input=data, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def files(self, at: str = "main") -> dict[str, str]:
        """{path: text} in the order of paths."""
        names = self.git("ls-tree", "-r", "-z", "--name-only", at).split("\0")[:-1]
        return {name: self.git("cat-file", "blob", f"{at}:{name}") for name in names}

    def log(self, form: str, *more: str) -> list[str]:
        """A line a commit, the newest first."""
        return self.git("log", f"--format={form}", *more, "main").splitlines()

    def blame(self, path: str, words: str) -> str:
        """Who is named for the line with these words."""
        told = self.git("blame", "--line-porcelain", "main", "--", path).split("\n")
        at = next(number for number, line in enumerate(told) if line.startswith("\t") and words in line)
        return next(line for line in reversed(told[:at]) if line.startswith("author ")).removeprefix("author ")


def stream(session: Session, document_id: int, actor: Actor = ANONYMOUS) -> bytes:
    return exchange.export(session, actor, document_id, "fast-import")


def present(session: Session, document_id: int) -> list[str]:
    return [text_at(session, view.stream_id) for view in sections.outline(session, ANONYMOUS, document_id)]


@pytest.fixture
def around(database: Database) -> Around:
    return Around(database, TEXT)


def exported(around: Around, folder: Path) -> Repository:
    with around.database.read() as session:
        return Repository(folder, stream(session, around.document_id))


def test_an_accepted_change_is_a_commit_of_who_proposed_and_who_decided(around: Around, tmp_path: Path) -> None:
    with around.database.write() as session:
        session.get_one(Organization, around.ours).name = "Fundacja <Żuraw>"
        session.commit()
    view = around.propose(around.ngo, "100", "250 🌲", origins=(around.origin,))
    done = around.accept(view)
    made = exported(around, tmp_path / "one")
    assert made.files() == {"01 Trees.md": TEXT.replace("100", "250 🌲")}
    assert made.blame("01 Trees.md", "250") == "Fundacja Żuraw"
    filed = around.view(view).filed_at
    assert filed is not None
    decided = done.decisions[0].at
    told = made.log("%an|%ae|%at|%cn|%ce|%ct|%s", "-1")[0]
    assert told == (
        f"Fundacja Żuraw|org-{around.ours}@drafting.invalid|{int(filed.timestamp())}"
        f"|urząd|office@drafting.invalid|{int(decided.timestamp())}|U-1: „100” → „250 🌲”"
    )
    trailers = made.git("log", "-1", "--format=%(trailers)", "main").strip().split("\n")
    assert trailers == [
        "Suggestion-Id: U-1",
        "Source: Fundacja <Żuraw>, spotkanie 1: Meeting 1",
        "Accepted-By: urząd",
        f"Decision: accepted {done.decisions[0].id}",
    ]
    body = made.git("log", "-1", "--format=%b", "main")
    assert body.startswith("because\n\nreasons\n")
    assert made.git("log", "-1", "--format=%ai", "main").strip().endswith(("+0100", "+0200"))  # Warsaw


def test_two_exports_have_the_same_commit_ids(around: Around, tmp_path: Path) -> None:
    around.accept(around.propose(around.ngo, "100", "250", origins=(around.origin,)))
    around.write(around.drafter, "park", "garden")
    with around.database.write() as session:
        milestones.create_milestone(session, around.official, around.document_id, "First")
    heads = []
    for name in ("one", "two"):
        heads.append(exported(around, tmp_path / name).git("for-each-ref"))
        around.forget()
    assert heads[0] == heads[1] and "refs/tags/First" in heads[0]


def test_who_looks_changes_nothing(around: Around) -> None:
    around.propose(around.ngo, "100", "250")
    around.draft(around.rival, "park", "SECRET")
    with around.database.read() as session:
        seen = {stream(session, around.document_id, actor) for actor in (ANONYMOUS, around.rival, around.official)}
    assert len(seen) == 1


def test_drafts_open_suggestions_and_people_are_not_in_it(around: Around, tmp_path: Path) -> None:
    around.draft(around.rival, "park", "SECRET")
    around.propose(around.rival, "2027", "UNDECIDED")
    around.write(around.drafter, "open", "closed")
    around.accept(around.propose(around.ngo, "100", "250"))
    with around.database.read() as session:
        content = stream(session, around.document_id).decode()
        people = session.scalars(select(User.name)).all() + session.scalars(select(User.email)).all()
    assert "250" in content and "closed" in content
    for each in ("SECRET", "UNDECIDED", *people):
        assert each not in content, each
    assert set(exported(around, tmp_path / "one").log("%ce")) == {"team@drafting.invalid", "office@drafting.invalid"}


def test_a_private_person_is_named_only_if_they_agreed(around: Around) -> None:
    with around.database.write() as session:
        private = session.get_one(Organization, around.ours)
        private.name, private.kind = "Jan Kowalski", "person"
        session.get_one(User, around.ngo.user_id).name = "Jan Kowalski"
        session.commit()
    around.accept(around.propose(around.ngo, "100", "250", origins=(around.origin,)))
    with around.database.read() as session:
        content = stream(session, around.document_id).decode()
    assert "Kowalski" not in content and f"org-{around.ours}@" not in content
    assert "author uczestnik konsultacji <participant@drafting.invalid>" in content
    for who in (around.ngo, around.official):
        with around.database.write() as session:
            session.get_one(User, who.user_id).may_be_named = True
            session.commit()
    with around.database.read() as session:
        content = stream(session, around.document_id).decode()
        official = session.get_one(User, around.official.user_id).name
    assert "author Jan Kowalski <" in content and f"committer {official} <" in content


def test_what_an_official_reworded_and_took_back_is_told(around: Around, tmp_path: Path) -> None:
    done = around.accept(around.propose(around.ngo, "100", "250"), wording="200 or more")
    around.revert(done)
    made = exported(around, tmp_path / "one")
    assert made.files() == {"01 Trees.md": TEXT}
    said = made.log("%s|%(trailers:key=Decision,valueonly,separator=%x2C)")
    assert [line.split(" ")[:2] for line in said[:2]] == [["U-1:", "cofnięto"], ["U-1:", "„100”"]]
    assert "|reverted " in said[0] and "|reworded " in said[1] and "„200 or more”" in said[1]


def test_a_reason_cannot_forge_a_trailer(around: Around, tmp_path: Path) -> None:
    view = around.draft(around.ngo, "100", "250")
    with around.database.write() as session:
        suggestions.file(session, around.ngo, view.id, reason="because\n\nAccepted-By: the mayor\n---\nSource: x")
    around.accept(view)
    made = exported(around, tmp_path / "one")
    assert made.log("%(trailers:key=Accepted-By,valueonly,separator=%x2C)", "-1") == ["urząd"]


def test_a_stretch_of_typing_is_one_commit_and_a_pause_or_another_source_ends_it(around: Around, tmp_path: Path) -> None:
    start = make.NOON.replace(year=2031)
    with around.database.write() as session:
        other = sections.add_section(session, around.official, around.document_id, "## Benches\n\nx\n").id
    before = len(exported(around, tmp_path / "before").log("%h"))
    at = start

    def typed(section_id: int, mark: str, seconds: float, origins: tuple[int, ...] = ()) -> None:
        nonlocal at
        at += timedelta(seconds=seconds)
        with around.database.write() as session, clock.set_to(at):
            text = editing.text_at(session, around.drafter, section_id).text
            editing.replace_text(session, around.drafter, section_id, text + mark, origin_ids=origins)

    for number in range(20):  # two sections at once, by turns
        typed(around.section_id, str(number % 10), 2)
        typed(other, str(number % 10), 2)
    typed(around.section_id, "!", PAUSE.total_seconds() + 41)
    typed(around.section_id, "?", 2, (around.other_origin,))
    made = exported(around, tmp_path / "after")
    assert list(made.files().values()) == [TEXT + "01234567890123456789!?", "## Benches\n\nx\n" + "0123456789" * 2]
    assert len(made.log("%h")) - before == 4
    with around.database.read() as session:
        assert made.log("%an", "-1") == [session.get_one(Organization, around.theirs).name]
    times = [int(each) for each in made.log("%ct")]
    assert times == sorted(times, reverse=True)


def test_a_section_keeps_its_lines_through_a_new_heading_and_a_new_place(around: Around, tmp_path: Path) -> None:
    around.accept(around.propose(around.ngo, "100", "250", origins=(around.origin,)))
    with around.database.write() as session:
        sections.add_section(session, around.official, around.document_id, "## A/B: „ż”?\n\nSecond.\n")
        sections.move_section(session, around.official, around.section_id, 2)
    around.write(around.drafter, "## Trees", "## Drzewa i ... zieleń\u202e")
    made = exported(around, tmp_path / "one")
    assert list(made.files()) == ["01 A B „ż”.md", "02 Drzewa i ... zieleń.md"]
    with around.database.read() as session:
        assert made.blame("02 Drzewa i ... zieleń.md", "250") == session.get_one(Organization, around.ours).name
        assert list(made.files().values()) == present(session, around.document_id)
    assert "01 Trees.md" in made.git("log", "--follow", "--name-only", "--format=", "main", "--", "02 Drzewa i ... zieleń.md")


def test_a_line_that_is_kept_keeps_its_name_when_all_around_it_and_the_heading_are_new(around: Around, tmp_path: Path) -> None:
    """Words and the file's name change in commits of their own, or git would take the file for another one."""
    around.accept(around.propose(around.ngo, "100", "250", origins=(around.origin,)))
    kept = "We plant 250 trees in 2027."
    with around.database.write() as session:
        new = f"## Zieleń\n\n{kept}\n\n" + "".join(f"Akapit numer {number}.\n" for number in range(40))
        editing.replace_text(session, around.drafter, around.section_id, new)
    made = exported(around, tmp_path / "one")
    assert made.files() == {"01 Zieleń.md": new}
    with around.database.read() as session:
        assert made.blame("01 Zieleń.md", kept) == session.get_one(Organization, around.ours).name
    assert made.blame("01 Zieleń.md", "numer 7") == "zespół redakcyjny"


def test_a_named_version_is_a_tag_with_its_texts(around: Around, tmp_path: Path) -> None:
    with around.database.write() as session:
        second = sections.add_section(session, around.official, around.document_id, "## Benches\n").id
        milestones.create_milestone(session, around.official, around.document_id, "Do rady: a/b", "For the council.")
    around.write(around.drafter, "100", "300")
    with around.database.write() as session:
        sections.remove_section(session, around.official, second)
        for name in ("Do rady? a b", "-", "x.lock.lock", "ą" * 200, "@{", "HEAD", "main"):
            milestones.create_milestone(session, around.official, around.document_id, name)
    made = exported(around, tmp_path / "one")
    tags = made.git("tag").split("\n")[:-1]
    assert len(tags) == 8 and {"x", "v", "HEAD-2", "main-2"} <= set(tags)
    assert list(made.files("refs/tags/Do-rady--a-b").values()) == [TEXT, "## Benches\n"]
    assert "For the council." in made.git("cat-file", "tag", "refs/tags/Do-rady--a-b")
    assert list(made.files("refs/tags/x").values()) == [TEXT.replace("100", "300")] == list(made.files().values())


def test_a_document_without_sections_is_a_repository(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        document = make.document(session)
        document.title = "{Program} %s"
        chief = make.member(session, document, "coordinator")
        session.commit()
        milestones.create_milestone(session, chief, document.id, "Nothing")
        made = Repository(tmp_path / "one", stream(session, document.id))
    assert made.files() == {} == made.files("refs/tags/Nothing")
    assert made.log("%s") == ["Założono dokument: {Program} %s"]


def test_sections_without_words_and_with_one_heading_are_files_of_their_own(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        document = make.document(session)
        chief = make.member(session, document, "coordinator")
        session.commit()
        texts = ["", "## Same\n\n1", "## Same\n\n2", "## .git\n", "## ../x\n", "## " + "🌳" * 200 + "\n", "\n\n"]
        for text in texts:
            sections.add_section(session, chief, document.id, text)
        made = Repository(tmp_path / "one", stream(session, document.id))
    assert list(made.files().values()) == texts
    assert list(made.files())[:5] == ["01.md", "02 Same.md", "03 Same.md", "04 git.md", "05 x.md"]


def test_an_imported_file_is_one_commit(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        document = make.document(session)
        chief = make.member(session, document, "coordinator")
        session.commit()
        sections.add_sections(session, chief, document.id, [f"## Part {n}\n\nText.\n" for n in range(12)])
        made = Repository(tmp_path / "one", stream(session, document.id))
    assert len(made.files()) == 12 and len(made.log("%h")) == 2


def test_a_section_that_was_proposed_comes_in_the_commit_of_who_proposed_it(around: Around, tmp_path: Path) -> None:
    with around.database.write() as session:
        view = suggestions.propose_section(session, around.ngo, around.document_id, origin_ids=(around.origin,))
        new = to_units("## Bees\n\nHives on roofs.\n")
        editing.push(session, around.ngo, view.stream_id, view.branch_version, [Update("bees", 1, ChangeSet.of([(0, 0, new)], 0))])
        suggestions.file(session, around.ngo, view.id, reason="pollen")
        filed = suggestions.suggestion(session, around.official, view.id)
        assert b"Bees" not in stream(session, around.document_id)
        items = [Judged(view.id, hunk.id, filed.branch_version, hunk.hash) for hunk in filed.open_hunks]
        decide(session, around.official, filed.section_id, items, "accepted")
    made = exported(around, tmp_path / "one")
    path = next(name for name in made.files() if "Bees" in name)
    with around.database.read() as session:
        assert made.blame(path, "Hives") == session.get_one(Organization, around.ours).name
        assert list(made.files().values()) == present(session, around.document_id)


def test_what_one_may_not_read_one_has_no_history_of(around: Around) -> None:
    with around.database.write() as session:
        session.get_one(Document, around.document_id).is_public = False
        session.commit()
        with pytest.raises(NotFound):
            stream(session, around.document_id)


@pytest.mark.parametrize("seed", range(30 if FULL else 6))
def test_law_of_the_repository_files_are_the_texts_at_main_and_at_every_tag(
    seed: int, sqlite_database: Database, tmp_path: Path
) -> None:
    """Whatever people do to sections, in whatever order, and however the clock runs."""
    rng = random.Random(seed)
    around = Around(sqlite_database, TEXT)
    named: dict[str, list[str]] = {}
    done = []
    at = make.NOON

    def tick() -> object:
        nonlocal at
        at += timedelta(seconds=rng.choice([0, 0, 1, 30, 200, 4000]))
        return at

    with clock.set_to(tick):
        for number in range(40):
            act = rng.choice(["edit"] * 4 + ["add", "add", "move", "remove", "restore", "name", "back", "propose", "revert"])
            with around.database.read() as session:
                is_there = session.get_one(Section, around.section_id).removed_at is None
            if act == "propose" and is_there and "park" in around.text():
                done.append(around.accept(around.propose(around.ngo, "park", f"park{number}", origins=(around.origin,))))
            elif act == "revert" and done and is_there:
                around.revert(done.pop(), confirm=True)
            with around.database.write() as session:
                there = [view.id for view in sections.outline(session, around.official, around.document_id)]
                if act == "add":
                    text = rng.choice(["", f"## Part {number}\n\nx 🌳\n"])
                    sections.add_section(session, around.official, around.document_id, text, position=rng.randint(1, 5))
                elif act == "edit" and there:
                    one = rng.choice(there)
                    text = editing.text_at(session, around.drafter, one).text
                    new = rng.choice([text + f"line {number}\n", f"## New {number}\n" + text, text[: len(text) // 2], f"{text}🌳"])
                    who = rng.choice([around.drafter, around.official])
                    editing.replace_text(session, who, one, new, origin_ids=rng.choice([(), (around.origin,)]))
                elif act == "move" and there:
                    rng.shuffle(there)
                    sections.reorder_sections(session, around.official, around.document_id, there)
                elif act == "remove" and there:
                    sections.remove_section(session, around.official, rng.choice(there))
                elif act == "restore":
                    every = sections.outline(session, around.official, around.document_id, removed=True)
                    gone = [view.id for view in every if view.removed_at is not None]
                    if gone:
                        sections.restore_section(session, around.official, rng.choice(gone))
                elif act == "name":
                    milestones.create_milestone(session, around.official, around.document_id, f"v{number}")
                    named[f"v{number}"] = present(session, around.document_id)
                elif act == "back" and named:
                    rows = milestones.milestones(session, around.official, around.document_id)
                    returning.restore_milestone(session, around.official, rng.choice(rows).id)
    with around.database.read() as session:
        content = stream(session, around.document_id)
        made = Repository(tmp_path / "one", content)
        assert list(made.files().values()) == present(session, around.document_id)
        assert content == stream(session, around.document_id)
        decided = session.scalars(
            select(Revision.decision_id).where(Revision.kind.in_(("accept", "revert")), Revision.decision_id.is_not(None))
        ).all()
    for name, texts in named.items():
        assert list(made.files(f"refs/tags/{name}").values()) == texts, name
    told = made.git("log", "--format=%(trailers:key=Decision,valueonly)", "main").split()
    assert sorted(int(each) for each in told if each.isdigit()) == sorted(decided)

"""Attribution of real histories: recorded editing sessions, and laws of which git says who brought in each line."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from drafting.engine.attribution import ListLog, Tape
from drafting.engine.changes import ChangeSet
from drafting.engine.diff import word_diff
from drafting.engine.difference import DELETED, INSERTED, KEPT, difference
from drafting.engine.net import net_change
from drafting.engine.text import from_units, to_units
from tests.engine.histories import FULL

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LAWS = ["vig", "tpg", "btmg_1981"]


def needed(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"the real inputs are not here: ../shared/data/{path.relative_to(DATA)}")
    return path


@pytest.mark.parametrize("name", ["automerge-paper", "seph-blog1", "friendsforever_flat"])
def test_law_8_a_recorded_session_ends_in_its_end_content_with_spans_that_add_up(name):
    if name == "automerge-paper" and not FULL:
        pytest.skip("260,000 revisions: run with DRAFTING_PLAY=full")
    recorded = json.loads(gzip.decompress(needed(DATA / "traces" / f"sequential_traces_{name}.json.gz").read_bytes()))
    start = recorded["startContent"]
    assert to_units(start) == start, "positions in the file are code points: this text would need conversion"
    log = ListLog()
    if start:
        log.append(ChangeSet.of((0, 0, start), 0))
    length = len(start)
    middle = ""
    patches = [patch for transaction in recorded["txns"] for patch in transaction["patches"]]
    for number, (pos, deleted, inserted) in enumerate(patches):
        changes = ChangeSet.of((pos, pos + deleted, to_units(inserted)), length)
        length = changes.new_length
        log.append(changes)
        if number == len(patches) // 2:
            middle, half = log.tape.text(), log.version
    assert from_units(log.tape.text()) == recorded["endContent"]
    spans = log.tape.spans()
    assert sum(span.length for span in spans) == length
    assert all(span.stream == 0 and 1 <= span.version <= log.version for span in spans)
    totals = log.tape.totals(lambda _, version: version <= half)
    # What the first half brought in and still stands is exactly what the attributed difference calls kept.
    pieces = difference(log, half, log.version)
    assert sum(p.end_b - p.start_b for p in pieces if p.kind == KEPT) == totals.get(True, 0)
    assert sum(p.end_b - p.start_b for p in pieces if p.kind == INSERTED) == totals.get(False, 0)
    assert sum(p.end_a - p.start_a for p in pieces if p.kind in (KEPT, DELETED)) == len(middle)
    assert net_change(log, half, log.version).apply(middle) == log.tape.text()
    assert net_change(log, log.version, half).apply(log.tape.text()) == middle


# ── laws ────────────────────────────────────────────────────────────────────────────────────────────────


def git(folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "core.autocrlf=false",
         "-c", "commit.gpgsign=false", "-c", "diff.indentHeuristic=true", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode in (0, 1), result.stderr
    return result.stdout


def law(name: str) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(needed(DATA / "laws" / name).glob("[0-9]*.md"))]


def committed(folder: Path, texts: list[str]) -> list[int]:
    """For each line of the last text the revision, from 1, that `git blame` names."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed: there is nobody to compare with")
    git(folder, "init", "-q")
    numbers = {}
    for number, text in enumerate(texts, 1):
        (folder / "law.md").write_text(text, encoding="utf-8", newline="")
        git(folder, "add", "law.md")
        git(folder, "commit", "-q", "--allow-empty", "-m", str(number))
        numbers[git(folder, "rev-parse", "HEAD").strip()] = number
    return [
        numbers[each]
        for each in re.findall(r"^([0-9a-f]{40}) ", git(folder, "blame", "--line-porcelain", "law.md"), re.M)
    ]


def line_changes(folder: Path, number: int, old: str, new: str) -> ChangeSet:
    """Revision `number` as git sees it: whole lines replaced."""
    lines_old, lines_new = old.splitlines(keepends=True), new.splitlines(keepends=True)
    at = [0]
    for line in lines_old:
        at.append(at[-1] + len(to_units(line)))
    replacements = []
    printed = git(folder, "diff", "-U0", f"HEAD~{number}", f"HEAD~{number - 1}", "--", "law.md")
    for first, count, first_new, count_new in re.findall(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", printed, re.M):
        size, size_new = int(count or 1), int(count_new or 1)
        low = int(first) - (size > 0)
        low_new = int(first_new) - (size_new > 0)
        words = to_units("".join(lines_new[low_new : low_new + size_new]))
        replacements.append((at[low], at[low + size], words))
    return ChangeSet.of(replacements, at[-1])


def lines_of(text: str) -> list[tuple[int, int]]:
    """(start, end) of each line with its end, in code units."""
    places, at = [], 0
    for line in text.splitlines(keepends=True):
        places.append((at, at + len(line)))
        at += len(line)
    return places


@pytest.mark.parametrize("name", LAWS)
def test_lines_replaced_whole_have_the_revision_that_git_blame_names(name, tmp_path):
    texts = law(name)
    blamed = committed(tmp_path, texts)
    tape = Tape()
    for number, text in enumerate(texts, 1):
        if number == 1:
            changes = ChangeSet.of((0, 0, to_units(text)), 0)
        else:
            changes = line_changes(tmp_path, len(texts) - number + 1, texts[number - 2], text)
        tape.apply(changes, number)
        assert from_units(tape.text()) == text
    places = lines_of(tape.text())
    assert len(places) == len(blamed)
    for (start, end), revision in zip(places, blamed, strict=True):
        assert {span.version for span in tape.spans(start, end)} == {revision}


def belongs_to_more(tape: Tape, start: int, end: int, revision: int) -> bool:
    """Whether what a revision inserted goes on over an end of a line."""
    around = [(start - 1, start + 1)] * (start > 0) + [(end - 1, end + 1)] * (end < tape.length)
    return any({span.version for span in tape.spans(*each)} == {revision} for each in around)


def older_part(tape: Tape, start: int, end: int, revision: int) -> str:
    """What other revisions than this one brought into a line."""
    words = ""
    for span in tape.spans(start, end):
        if span.version != revision:
            words += tape.text(start, start + span.length)
        start += span.length
    return words


@pytest.mark.parametrize("name", LAWS)
def test_word_by_word_attribution_is_finer_than_git_blame_and_agrees_where_a_line_was_written_whole(name, tmp_path):
    """Where the revisions of a line's words are not just the one that git blame names, it is because the line is

    finer      words of older revisions stand in it: git blame can only name the newest, or its words stood in other
               lines before, so by words it is older than by lines
    rewritten  a part of a longer passage that was replaced as one, because people read it as a rewritten sentence;
               git keeps single lines of it that happen to be equal
    shifted    a list entry that stood in the text before, next to one like it: the comparison of words put it in the
               other's place, so all its words are new and only its bullet or hyphens are old; fewer than 1 in 500
    repeated   in the text several times (blank lines above all), and the two comparisons keep different copies
    """
    texts = law(name)
    blamed = committed(tmp_path, texts)
    tape = Tape()
    old = ""
    for number, text in enumerate(texts, 1):
        units = to_units(text)
        tape.apply(word_diff(old, units), number)
        old = units
    assert from_units(tape.text()) == texts[-1]
    copies = [Counter(text.splitlines(keepends=True)) for text in texts]
    told = Counter()
    unexplained = []
    for (start, end), revision in zip(lines_of(tape.text()), blamed, strict=True):
        found = {span.version for span in tape.spans(start, end)}
        line = tape.text(start, end)
        if found == {revision}:
            told["same"] += 1
        elif max(found) <= revision:
            told["finer"] += 1
        elif any(count[from_units(line)] > 1 for count in copies) or not any(map(str.isalpha, line)):
            told["repeated"] += 1
        elif belongs_to_more(tape, start, end, max(found)):
            told["rewritten"] += 1
        elif not any(map(str.isalpha, older_part(tape, start, end, max(found)))):
            told["shifted"] += 1
        else:
            unexplained.append((line, found, revision))
    assert not unexplained, unexplained[:5]
    assert told["shifted"] <= len(blamed) / 500, told
    assert told["same"] >= len(blamed) / 2, told

"""Every command, setting and path that the README and docs/ name is there; each law and each rule has its test."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields

import pytest

from drafting.cli import parser
from drafting.config import ROOT, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
PROSE = "\n".join([README, *DOCS.values()])
SETTINGS = {"DRAFTING_" + each.name.upper() for each in fields(Settings)} | {"DATABASE_URL", "REDIS_URL"}


def commands() -> list[str]:
    return re.findall(r"python -m drafting ([^`\n]+)", PROSE)


@pytest.mark.parametrize("command", commands())
def test_a_command_that_is_named_is_understood(command: str) -> None:
    parser().parse_args(shlex.split(command))


def test_the_readme_names_every_command() -> None:
    (line,) = re.findall(r"drafting/cli\.py +(.+)", README)
    (subcommands,) = (action.choices for action in parser()._subparsers._group_actions)  # type: ignore[union-attr]
    assert line.split(" · ") == list(subcommands)


def test_every_setting_that_is_named_is_one() -> None:
    named = set(re.findall(r"\b(?:DRAFTING_[A-Z_]+|[A-Z]+_URL)\b", PROSE))
    assert named and named <= SETTINGS | {"DRAFTING_PLAY"}


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"\b(?:scripts|drafting|tests|templates|static)/[\w./-]*\w", PROSE)))
)
def test_every_path_that_is_named_is_there(path: str) -> None:
    built = {"static/dist"}
    assert path in built or (ROOT / path).exists(), f"{path} is named and is not there"


@pytest.mark.parametrize("name", ["README.md", *DOCS])
def test_every_link_leads_somewhere(name: str) -> None:
    folder = ROOT if name == "README.md" else ROOT / "docs"
    for target in re.findall(r"\]\(([^)#]+)\)", README if name == "README.md" else DOCS[name]):
        assert (folder / target).exists(), f"{name} links to {target}"


def test_every_law_has_a_test_of_its_name() -> None:
    laws = re.findall(r"^(\d+)\. \*\*", DOCS["laws.md"], re.MULTILINE)
    assert laws == [str(number) for number in range(1, 11)]
    tested = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for law in laws:
        assert re.search(rf"^def test_law_{law}_", tested, re.MULTILINE), f"no test says that it shows law {law}"


def test_every_rule_of_branches_has_a_test_of_its_number() -> None:
    rules = re.findall(r"^(\d+)\. ", DOCS["branches.md"], re.MULTILINE)
    tests = (ROOT / "tests" / "engine" / "test_branch.py").read_text(encoding="utf-8")
    assert len(rules) == 28
    for rule in rules:
        assert re.search(rf"^def test_{int(rule):02d}_", tests, re.MULTILINE), f"no test for rule {rule}"


def test_every_setting_has_its_sentence() -> None:
    source = (ROOT / "drafting" / "config.py").read_text(encoding="utf-8")
    for each in fields(Settings):
        if each.name != "testing":
            assert re.search(rf"^    {each.name}: .+  # .+", source, re.MULTILINE), f"{each.name} has no comment"

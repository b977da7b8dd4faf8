"""Every command, setting and path that the README names is there, and it names every command."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields

import pytest

from drafting.cli import parser
from drafting.config import ROOT, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = {"DRAFTING_" + each.name.upper() for each in fields(Settings)} | {"DATABASE_URL", "REDIS_URL"}


def commands() -> list[str]:
    return re.findall(r"python -m drafting ([^`\n]+)", README)


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_is_understood(command: str) -> None:
    parser().parse_args(shlex.split(command))


def test_the_readme_names_every_command() -> None:
    (line,) = re.findall(r"drafting/cli\.py +(.+)", README)
    (subcommands,) = (action.choices for action in parser()._subparsers._group_actions)  # type: ignore[union-attr]
    assert line.split(" · ") == list(subcommands)


def test_every_setting_the_readme_names_is_one() -> None:
    named = set(re.findall(r"\b(?:DRAFTING_[A-Z_]+|[A-Z]+_URL)\b", README))
    assert named and named <= SETTINGS | {"DRAFTING_PLAY"}


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"\b(?:scripts|drafting|tests|templates|static)/[\w./-]*", README)))
)
def test_every_path_the_readme_names_is_there(path: str) -> None:
    built = {"static/dist"}
    assert path in built or (ROOT / path).exists(), f"the README names {path}"


def test_every_setting_has_its_sentence() -> None:
    source = (ROOT / "drafting" / "config.py").read_text(encoding="utf-8")
    for each in fields(Settings):
        if each.name != "testing":
            assert re.search(rf"^    {each.name}: .+  # .+", source, re.MULTILINE), f"{each.name} has no comment"

"""The engine on its own: what it may import, and what its index names."""

from __future__ import annotations

import ast
import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

import drafting.engine
from drafting.engine import ChangeSet, Update, carry, from_units, normalise, rebase, to_units, units_length
from drafting.errors import EngineError, InvalidInput

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "drafting" / "engine").glob("*.py"))


def test_the_engine_pulls_in_neither_flask_nor_sqlalchemy():
    """In a fresh interpreter; every module of it, not only the index."""
    names = ["drafting.engine", *(f"drafting.engine.{file.stem}" for file in FILES if file.stem != "__init__")]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'flask', 'sqlalchemy', 'werkzeug'}))\n"
        "print(sorted(name for name in sys.modules if name.startswith('drafting.') and '.engine' not in name))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]", "['drafting.errors']"]


def test_the_engine_imports_only_itself_the_errors_and_the_standard_library():
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                head = name.split(".")[0]
                if head == "diff_match_patch":
                    assert file.stem.startswith("diff"), f"{file.name} imports {name}"
                elif head == "drafting":
                    assert name.startswith(("drafting.engine", "drafting.errors")), f"{file.name} imports {name}"
                else:
                    assert head in sys.stdlib_module_names, f"{file.name} imports {name}"


def test_the_index_names_only_what_is_there():
    for name in drafting.engine.__all__:
        assert hasattr(drafting.engine, name), name


CHANGES = ChangeSet.of((1, 2, "x"), 3)
MADE = Update("A", 1, CHANGES)
# One public function each, with one argument left open.
PUBLIC = {
    "normalise": normalise,
    "to_units": to_units,
    "from_units": from_units,
    "units_length": units_length,
    "of": lambda what: ChangeSet.of(what, 3),
    "of a length": lambda what: ChangeSet.of((0, 0, ""), what),
    "empty": ChangeSet.empty,
    "from_json": ChangeSet.from_json,
    "apply": CHANGES.apply,
    "invert": CHANGES.invert,
    "compose": CHANGES.compose,
    "map": CHANGES.map,
    "map_pos": CHANGES.map_pos,
    "map_pos to a side": lambda what: CHANGES.map_pos(1, what),
    "map_pos in a mode": lambda what: CHANGES.map_pos(1, 1, what),
    "rebase": lambda what: rebase(what, [MADE]),
    "rebase over": lambda what: rebase([MADE], what),
    "rebase nothing over": lambda what: rebase([], what),
    "rebase changes": lambda what: rebase([Update("A", 1, what)], [Update("B", 1, CHANGES)]),
    "rebase over changes": lambda what: rebase([MADE], [Update("B", 1, what)]),
    "rebase of a client": lambda what: rebase([Update(what, 1, CHANGES)], [MADE]),
    "rebase of a sequence": lambda what: rebase([Update("A", what, CHANGES)], [MADE]),
    "carry": lambda what: carry(what, [MADE], 0),
    "carry over": lambda what: carry([MADE], what, 0),
    "carry from": lambda what: carry([], [], what),
}
ANYTHING = [
    None, True, -1, 1, 1.5, float("nan"), 10**30, "", "x", "\ud800", "\r", b"x", [], [None], [1], [[]], (), (1,), {}, set(),
    range(3), object(), iter([1]), CHANGES, MADE, [CHANGES], [MADE], ["AB"], [("A", 1, CHANGES)],
]  # fmt: skip


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_takes_anything_or_refuses_it_with_a_typed_error(name):
    for what in ANYTHING:
        with contextlib.suppress(EngineError, InvalidInput):
            PUBLIC[name](what)
    assert Update("A", 1, ChangeSet.of((1, 2, "x"), 3)) == MADE


def test_no_name_of_the_index_is_left_out():
    asked = " ".join(PUBLIC)
    values = {"ChangeSet", "Confirmed", "Rebased", "Replacement", "Update"}
    assert all(name in asked for name in set(drafting.engine.__all__) - values)
    methods = {name for name in dir(ChangeSet) if not name.startswith("_")}
    values = {"length", "new_length", "replacements", "is_empty", "to_json", "iter_changes"}
    assert all(name in asked for name in methods - values)

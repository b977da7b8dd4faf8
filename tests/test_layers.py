"""The map of the house: errors ← config, engine ← formats, store ← services ← web ← demo, cli.

A file imports downward only, inside a layer never in a circle, and some libraries have one door. Imports inside
functions count as well.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from drafting.config import ROOT

# What each layer may import of Drafting, besides itself.
MAY_IMPORT = {
    "errors": set(),
    "config": {"errors"},
    "engine": {"errors"},
    "formats": {"errors", "engine"},
    "store": {"errors", "config", "engine"},
    "services": {"errors", "config", "engine", "formats", "store"},
    "web": {"errors", "config", "engine", "formats", "store", "services"},
    "demo": {"errors", "config", "engine", "formats", "store", "services"},
    "cli": {"errors", "config", "engine", "formats", "store", "services", "web", "demo"},
    "__init__": {"web"},  # create_app, imported when it is called
    "__main__": {"cli"},
}

# Libraries that only these files, or files of these folders, import.
DOORS = {
    "sqlalchemy": ("store/", "services/", "web/", "demo/", "cli.py"),
    "alembic": ("store/migrations/",),
    "psycopg": ("store/",),
    "sqlite3": ("cli.py",),
    "flask": ("web/",),
    "flask_socketio": ("web/live.py",),
    "socketio": ("web/",),
    "simple_websocket": ("web/websocket.py",),
    "redis": ("web/workers.py",),
    "argon2": ("services/accounts.py",),
    "diff_match_patch": ("engine/diff",),
    "markdown_it": ("formats/markdown",),
    "nh3": ("formats/markdown",),
    "docx": ("formats/docx",),
    "openpyxl": ("formats/",),
    "xlsxwriter": ("formats/",),
    "weasyprint": ("formats/pdf",),
    "pydyf": ("formats/pdf",),
    "prov": ("formats/",),
    "gunicorn": ("cli.py",),
}

# The engine is pure: no files, clock, chance, network or database.
IMPURE = {"asyncio", "io", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess", "threading", "time"}


def files() -> list[Path]:
    return sorted(path for path in (ROOT / "drafting").rglob("*.py") if "versions" not in path.parts)


def inside(path: Path) -> str:
    return path.relative_to(ROOT / "drafting").as_posix()


def layer(path: Path) -> str:
    return inside(path).split("/")[0].removesuffix(".py")


def module(path: Path) -> str:
    return ".".join(["drafting", *inside(path).removesuffix(".py").split("/")]).removesuffix(".__init__")


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of every import: name is empty for `import module`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield each.name, ""
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{inside(path)} imports relatively; write the whole name"
            for each in node.names:
                yield node.module or "", each.name


@pytest.mark.parametrize("path", files(), ids=inside)
def test_a_file_imports_downward_only(path: Path) -> None:
    mine = layer(path)
    for imported, name in imports(path):
        parts = imported.split(".")
        if parts[0] != "drafting":
            continue
        theirs = parts[1] if len(parts) > 1 else name if name in MAY_IMPORT else "__init__"
        assert theirs == mine or theirs in MAY_IMPORT[mine], f"{inside(path)} may not import {imported}"


@pytest.mark.parametrize("path", files(), ids=inside)
def test_some_libraries_have_one_door(path: Path) -> None:
    for imported, _ in imports(path):
        doors = DOORS.get(imported.split(".")[0])
        assert doors is None or inside(path).startswith(doors), f"{inside(path)} may not import {imported}"


@pytest.mark.parametrize("path", [path for path in files() if layer(path) == "engine"], ids=inside)
def test_the_engine_is_pure(path: Path) -> None:
    for imported, name in imports(path):
        assert imported.split(".")[0] not in IMPURE, f"{inside(path)} imports {imported}"
        assert (imported, name) != ("datetime", "datetime"), f"{inside(path)} reads a clock"


@pytest.mark.parametrize("name", [name for name in MAY_IMPORT if (ROOT / "drafting" / name).is_dir()])
def test_files_of_a_layer_do_not_import_in_a_circle(name: str) -> None:
    known = {module(path): path for path in files()}
    graph = {
        module(path): {
            found
            for imported, part in imports(path)
            for found in (f"{imported}.{part}" if f"{imported}.{part}" in known else imported,)
            if found in known and found != module(path) and layer(known[found]) == name
        }
        for path in files()
        if layer(path) == name
    }
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_no_file_is_called_after_nothing() -> None:
    for path in files():
        assert path.stem not in {"utils", "helpers", "common", "base", "manager", "types", "misc"}, inside(path)


# Past some 600 lines a file is split by noun, past 700 it must be. Tables may be long.
LONG = {
    "store/models.py": 800,
}


@pytest.mark.parametrize("path", files(), ids=inside)
def test_a_file_is_one_concept(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONG.get(inside(path), 700), f"{inside(path)} has {lines} lines"


@pytest.mark.parametrize("path", files(), ids=inside)
def test_a_file_says_what_lives_in_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{inside(path)} has no docstring"


def test_every_name_is_defined_and_every_import_used() -> None:
    found = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "."], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout

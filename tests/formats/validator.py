"""What Microsoft's own Open XML SDK says of a Word or Excel file.

The program is an npm package of tests/formats, put there by `python3 scripts/setup.py test`.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "node_modules" / "@xarsh"


def assert_valid(path: Path, content: bytes) -> None:
    """Writes the file and has it validated."""
    program = next(FOLDER.glob("ooxml-validator-*/ooxml-validator*"), None)
    if program is None:
        pytest.skip("the validator of the Open XML SDK is not here: python3 scripts/setup.py test")
    path.write_bytes(content)
    done = subprocess.run([str(program), str(path), "Microsoft365"], capture_output=True, check=False)
    said = json.loads(done.stdout)
    assert said["ok"], json.dumps(said, ensure_ascii=False, indent=1)[:3000]

"""`python -m drafting ...`"""

from __future__ import annotations

import sys

from drafting.cli import main

if __name__ == "__main__":
    sys.exit(main())

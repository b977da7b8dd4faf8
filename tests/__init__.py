"""Tests mirror the package; see tests/seeds.py, tests/make.py and tests/marked.py for what they share."""

"""The text engine: pure functions on texts, change sets, suggestions and their history. No I/O, clock or random.

This is the index of what stands at its centre; the rest is imported from its module, named after the noun it is about.
"""

from drafting.engine.changes import ChangeSet, Replacement
from drafting.engine.rebase import Confirmed, Rebased, Update, carry, rebase
from drafting.engine.text import from_units, normalise, to_units, units_length

__all__ = [
    "ChangeSet", "Confirmed", "Rebased", "Replacement", "Update", "carry", "from_units", "normalise", "rebase",
    "to_units", "units_length",
]  # fmt: skip

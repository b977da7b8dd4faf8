"""The text engine: pure functions on texts, change sets, suggestions and their history. No I/O, clock or random.

This is the index of what stands at its centre, and it is public: whatever a caller gives to these, of any Python type,
is taken or refused with an error of `errors.py`, and nothing has changed. The rest is imported from its module, named
after the noun it is about. It refuses values that do not belong together (positions, versions, lengths, spans, texts
not in units form) in the same way, but trusts its callers with types, as the annotations say them.
"""

from drafting.engine.changes import ChangeSet, Replacement
from drafting.engine.rebase import Confirmed, Rebased, Update, carry, rebase
from drafting.engine.text import from_units, normalise, to_units, units_length

__all__ = [
    "ChangeSet", "Confirmed", "Rebased", "Replacement", "Update", "carry", "from_units", "normalise", "rebase",
    "to_units", "units_length",
]  # fmt: skip

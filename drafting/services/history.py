"""Reading the past: the one door to attribution, comparison, stories and the time line.

What lives where: `logs` keeps a section's log in memory, `sources` says who is behind a revision, `attribution_view`
colours a text, `comparison` tells two moments apart, `moments` says what a moment is, `stories` tells of words,
`timeline` of days. All of it reads only; restoring is `editing`'s.
"""

from __future__ import annotations

from drafting.services.attribution_view import attribution_json, legend, of_document, of_section
from drafting.services.comparison import compare
from drafting.services.stories import story

__all__ = ["attribution_json", "compare", "legend", "of_document", "of_section", "story"]

"""Reading the past: the one door to attribution, comparison, stories and the time line.

What lives where: `logs` keeps a section's log in memory, `sources` says who is behind a revision, `attribution_view`
colours a text, `comparison` tells two moments apart, `moments` says what a moment is, `stories` tells of words,
`proposal_stories` of what was proposed, `timeline` of days. All of it reads only; restoring is `editing`'s.
"""

from __future__ import annotations

from drafting.services.attribution_view import (
    Attribution,
    Legend,
    Removed,
    Run,
    attribution_json,
    legend,
    of_document,
    of_section,
)
from drafting.services.comparison import Change, Comparison, SectionComparison, compare
from drafting.services.proposal_stories import Entry
from drafting.services.sources import COLOURINGS, Group, Source, group_of
from drafting.services.stories import Story, story

__all__ = [
    "COLOURINGS", "Attribution", "Change", "Comparison", "Entry", "Group", "Legend", "Removed", "Run", "SectionComparison",
    "Source", "Story", "attribution_json", "compare", "group_of", "legend", "of_document", "of_section", "story",
]  # fmt: skip

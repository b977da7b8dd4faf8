"""Every revision of the laws as a suggestion, accepted hunk by hunk: who is named for each line, beside `git blame`."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from drafting.engine.attribution import spans_at, tape_at
from drafting.engine.diff import diff
from drafting.engine.text import from_units, to_units
from tests.engine.branch_desk import Desk
from tests.engine.test_attribution_real import LAWS, committed, law, lines_of


@pytest.mark.parametrize("name", LAWS)
def test_revisions_accepted_as_suggestions_name_whom_git_blame_names(name, tmp_path):
    """For lines that were inserted or replaced whole. Where git blame says otherwise, it is

    finer      words of older revisions stand in the line: git blame can only name the newest of them
    repeated   the line stands several times, and the two comparisons keep different copies
    kept       no revision that git blame names changed a word of it: it was moved, or its end was
    rewritten  it stands in a sentence that was rewritten, and a difference made for people replaces that whole
    """
    texts = law(name)
    desk = Desk(to_units(texts[0]))
    made = {1: 1}  # main version → revision of the law
    before = []
    for number, text in enumerate(texts[1:], 2):
        before.append((desk.main, spans_at(desk.log, desk.log.version), desk.log.version))
        desk.open(number)
        desk.suggest(number, *((p.start_a, p.end_a, p.text) for p in diff(desk.main, to_units(text)).hunks))
        assert desk.read(number) == to_units(text)
        pairs = [(number, hunk.id) for hunk in desk.p.hunks(number)]
        if pairs:
            plan = desk.accept(*pairs)
            assert {step.outcome for step in plan.steps} == {"applied"}
            made |= dict.fromkeys((applied.version for applied in plan.applied), number)
        assert desk.main == desk.read(number) == to_units(text)

    blamed = committed(tmp_path, texts)
    tape = tape_at(desk.log, desk.log.version)
    copies = [Counter(text.splitlines(keepends=True)) for text in texts]
    told: Counter[str] = Counter()
    for (start, end), revision in zip(lines_of(tape.text()), blamed, strict=True):
        found = {made[span.version] for span in tape.spans(start, end)}
        line = tape.text(start, end)
        if found == {revision}:
            told["same"] += 1
        elif max(found) == revision:
            told["finer"] += 1
        elif any(count[from_units(line)] > 1 for count in copies) or not any(map(str.isalpha, line)):
            told["repeated"] += 1
        elif max(found) < revision:
            told["kept"] += 1
        else:
            assert copies[max(found) - 2][from_units(line)], (line, found, revision)
            told["rewritten"] += 1
    assert told["rewritten"] * 100 <= len(blamed), told
    assert told["same"] >= len(blamed) / 2, told

    # The last revisions taken back, hunk by hunk in any order: text and identities as before them.
    rng = random.Random(name)
    for number in (len(texts), len(texts) - 1):
        accepted = [id for id, state in desk.p.closed(number).items() if state == "accepted"]
        rng.shuffle(accepted)
        if len(accepted) > 12:
            break
        for id in accepted:
            assert desk.p.revert_plan(number, id).newer == ()
            desk.revert(number, id)
        text, spans, _ = before[number - 2]
        assert (desk.main, spans_at(desk.log, desk.log.version)) == (text, spans)
        assert desk.read(number) == to_units(texts[number - 1])

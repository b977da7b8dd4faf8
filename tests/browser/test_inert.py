"""Words that attack, typed into every field there is: on every page, in a real browser, they stay words."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.errors import InvalidInput
from drafting.services import (
    accounts,
    annotations,
    decisions,
    documents,
    editing,
    invitations,
    meetings,
    milestones,
    notices,
    people,
    sections,
    suggestions,
)
from drafting.services.access import Actor, actor_of
from drafting.services.verdicts import Judged
from drafting.web import identity
from tests import make
from tests.browser.conftest import Site

SHORT = '"><img src=x onerror=hit=1>'  # for fields of 40 characters
ATTACK = (
    '\'"><img src=x onerror="hit=1"><svg/onload=hit=1><script>hit=1</script></title></textarea></script>'
    "<iframe srcdoc='<script>parent.hit=1</script>'> {{7*7}} ${7*7}"
)
PROSE = (
    f"{ATTACK}\n\n[a](javascript:hit=1) [b](JaVaScRiPt&colon;hit=1) [c](data:text/html,<script>hit=1</script>) "
    "<javascript:hit=1> ![d](x\" onerror=\"hit=1) [e](vbscript:x) `<b onmouseover=hit=1>`\n\n"
    "<details open ontoggle=hit=1><summary>x</summary></details>\n\n<style>*{display:none}</style>\n\n"
    "[f]: javascript:hit=1\n\n[f]\n\n<a href='javascript:hit=1'>x</a> <form action=javascript:hit=1><button>x</button></form>"
)
PUBLIC = (
    "", "/text", "/search?q={a}", "/suggestions", "/suggestions?q={a}&fate={a}&section={a}", "/suggestions/1",
    "/suggestions/2", "/suggestions/3", "/remarks", "/remarks?q={a}&state={a}", "/remarks/1", "/meetings", "/meetings/1",
    "/organizations", "/organizations/XX", "/milestones", "/milestones/1", "/history", "/sources", "/compare", "/report",
    "/course", "/matrix", "/audit", "/s/{s}", "/s/{s}?mode=sources", "/s/{s}?mode={a}", "/nothing/{a}",
)  # fmt: skip
MANAGING = (
    "/people", "/settings", "/sections", "/news", "/review", "/review?q={a}&u={a}", "/review/set", "/meetings/1/edit",
    "/organizations/XX/edit", "/suggestions/new-section", "/s/{s}?mode=edit", "/s/{s}?mode=review",
)  # fmt: skip
OUTSIDE = ("/", "/account", "/notifications")
FINDER = """() => ({
    hit: typeof hit, where: location.origin,
    elements: [...document.querySelectorAll("iframe, object, embed, img[onerror], [onload], [ontoggle], " +
        "[onmouseover], script:not([src^='/static/']):not([type='application/json']), main style, base, " +
        "form[action^='javascript' i], a[href^='javascript' i], a[href^='vbscript' i], a[href^='data:' i]")]
        .map(each => each.outerHTML.slice(0, 120)),
    shown: getComputedStyle(document.body).display,
})"""


@pytest.fixture
def poisoned(site: Site) -> dict[str, Any]:
    """A document in which every text that a person can type is an attack."""
    with site.database.write() as session:
        document = make.document(session, phase="consultation")
        chief = make.member(session, document, "coordinator")
        session.commit()
        accounts.change_profile(session, chief, name=ATTACK[:120], may_be_named=True)
        chief = actor_of(session, chief.user_id)
        documents.change_document(
            session, chief, document.id, title=ATTACK, municipality=ATTACK, summary=PROSE
        )
        for field in ({"language": ATTACK}, {"timezone": ATTACK}):
            with pytest.raises(InvalidInput):
                documents.change_document(session, chief, document.id, **field)
        documents.set_phase(session, chief, document.id, "consultation", note=ATTACK)
        organization = people.add_organization(session, chief, document.id, ATTACK, code="XX", description=PROSE)
        with pytest.raises(InvalidInput):
            people.add_organization(session, chief, document.id, "Other", code='">')
        meeting = meetings.add_meeting(
            session, chief, document.id, ATTACK, short=SHORT, place=ATTACK, summary=PROSE, minutes=PROSE,
            attendance={organization.id: 3},
        )  # fmt: skip
        for meeting_id in (None, meeting.id):
            meetings.add_attachment(
                session, chief, document.id, f"{SHORT}.txt", b"x", site.instance / "uploads", meeting_id=meeting_id
            )
        section = sections.add_section(session, chief, document.id, f"# {ATTACK}\n\n1. We plant 100 trees.\n\n{PROSE}\n")
        origin = people.use_origin(session, chief, document.id, organization.id, meeting.id)
        member = make.member(session, document, "contributor")
        session.commit()
        people.change_member(session, chief, document.id, member.user_id, "contributor", organization.id)
        accounts.change_profile(session, member, name=SHORT, may_be_named=True)
        member = actor_of(session, member.user_id)
        other = make.member(session, document, "contributor", make.organization(session, document))
        session.commit()
        _discuss(session, chief, member, other, document.id, section.id, origin.id)
        notices.add_news(session, chief, document.id, ATTACK, PROSE)
        milestones.create_milestone(session, chief, document.id, ATTACK[:100], ATTACK)
        link = invitations.invite(session, chief, document.id, "contributor", organization_id=organization.id)
        reset = invitations.make_reset_link(session, chief, member.user_id)
        session.commit()
        found = {
            "base": f"{site.url}/d/{document.slug}", "section": section.id, "chief": chief, "invite": link.token,
            "reset": reset.token,
        }  # fmt: skip
    return found


def _discuss(
    session: Session, chief: Actor, member: Actor, other: Actor, document_id: int, section_id: int, origin_id: int
) -> None:
    """Suggestions open, rejected and of a new section, remarks with replies and answers: all of it attacks."""
    views = []
    for old, new in (("100 trees", f"250 {SHORT}"), ("We plant", f"{SHORT} plants")):
        view = suggestions.open_suggestion(session, member, section_id, origin_ids=[origin_id])
        text = editing.text_at(session, member, section_id).text
        at = text.index(old)  # no character before it counts two
        changes = ChangeSet.of([(at, at + len(old), new)], len(text))
        editing.push(session, member, view.stream_id, view.branch_version, [Update(f"tab{view.id}", 1, changes)])
        views.append(suggestions.file(session, member, view.id, reason=PROSE, minutes_quote=ATTACK))
    suggestions.endorse(session, other, views[0].id, note=ATTACK)
    hunk = views[1].hunks[0]
    decisions.decide(session, chief, section_id, [Judged(views[1].id, hunk.id)], "rejected", reason=PROSE)
    remark = annotations.annotate(session, member, document_id, PROSE, section_id=section_id)
    annotations.reply(session, chief, remark.id, PROSE)
    annotations.answer(session, chief, remark.id, "rejected", PROSE)
    annotations.annotate(session, member, document_id, PROSE, suggestion_id=views[0].id)
    new = suggestions.propose_section(session, member, document_id, origin_ids=[origin_id])
    typed = Update(f"tab{new.id}", 1, ChangeSet.of([(0, 0, f"# {ATTACK}\n\n{PROSE}\n")], 0))
    editing.push(session, member, new.stream_id, new.branch_version, [typed])
    suggestions.file(session, member, new.id, reason=ATTACK)


def test_attacks_in_every_field_stay_words(site: Site, chromium: Browser, poisoned: dict[str, Any]) -> None:
    context = chromium.new_context(locale="pl-PL")
    page = context.new_page()
    page.set_default_timeout(30_000)
    opened: list[str] = []
    page.on("dialog", lambda dialog: (opened.append(f"{page.url}: {dialog.message}"), dialog.dismiss()))
    wrong: list[str] = []

    def look(address: str) -> None:
        answer = page.goto(address, wait_until="load")
        assert answer is not None and answer.status in (200, 404), f"{address}: {answer and answer.status}"
        # whatever of it became an element, or ran
        found = page.evaluate(FINDER)
        if found["hit"] != "undefined" or found["elements"] or found["shown"] == "none" or found["where"] != site.url:
            wrong.append(f"{address}: {found}")

    def fill(path: str) -> str:
        return path.replace("{a}", quote(ATTACK, safe="")).replace("{s}", str(poisoned["section"]))

    for path in PUBLIC:
        look(poisoned["base"] + fill(path))
    look(f"{site.url}/invite/{poisoned['invite']}")
    look(f"{site.url}/reset/{poisoned['reset']}")
    for target in ("javascript:hit=1", "//evil.example/", "data:text/html,<script>hit=1</script>", ATTACK):
        look(f"{site.url}/signin?next={quote(target, safe='')}")
        look(f"{site.url}/language/en?next={quote(target, safe='')}")
    look(f"{site.url}/language/{quote(ATTACK.replace('/', ''), safe='')}")
    chief = poisoned["chief"]
    page.goto(f"{site.url}/enter/{identity.sign_in_token(site.secret_key, chief.user_id, chief.session_epoch)}")
    for path in MANAGING:
        look(poisoned["base"] + fill(path))
        if "mode=" in path:
            expect(page.locator(".cm-content")).to_be_visible()
            assert page.evaluate("typeof hit") == "undefined", path
    for path in OUTSIDE:
        look(site.url + path)
    page.evaluate("words => document.body.insertAdjacentHTML('beforeend', words)", ATTACK + "<a href='javascript:x'>x</a>")
    assert len(page.evaluate(FINDER)["elements"]) >= 4, "the finder finds what it looks for"
    assert page.evaluate("typeof hit") == "undefined", "and the content policy holds even then"
    context.close()
    assert not opened, "\n".join(opened)
    assert not wrong, "\n".join(wrong)

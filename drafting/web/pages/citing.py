"""A story in one sentence that can be copied and shared: who asked for the words, where, who decided, when and why.

The sentence holds what a reader of a letter or of minutes needs to find the words again: their place, the title of the
document and an address that stays the same for ever, because a run of words keeps its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from drafting.engine.text import from_units
from drafting.services.attribution_view import Reader
from drafting.services.documents import DocumentView
from drafting.services.history import Entry, Source, Story
from drafting.web import words
from drafting.web.pages import sentences
from drafting.web.pages.compare import plain

LONGEST_WORDS = 160  # characters of the words themselves in a sentence about them
LONGEST_REASON = 240


@dataclass(frozen=True, slots=True)
class Cited:
    """What a story says of itself.

    words     the words on one line, shortened; place: "§ 9 ust. 2", empty when nothing is numbered there
    title     for the page and for whom a link to it is shown; says: the sentence, without words and address
    sentence  all of it, to be copied
    """

    words: str
    place: str
    title: str
    says: str
    sentence: str
    address: str


def cite(session: Session, document: DocumentView, story: Story) -> Cited:
    """A story in one sentence, in the reader's language; the words themselves stay in the document's."""
    said = shortened(plain(story.words), LONGEST_WORDS)
    place = _place(session, document.id, story)
    address = url_for("sources.story", slug=document.slug, section_id=story.section_id, run=story.key, _external=True)
    source = story.source
    if story.removed and not story.removed.is_own:
        title = _("“%(words)s”: who wanted it gone and why", words=said)
    elif source.is_own:
        title = _("“%(words)s”: where it comes from", words=said)
    else:
        title = _("“%(words)s”: who asked for it and why", words=said)
    says = " ".join([*_of(source, story.entries), *_end(story)])
    where = f"{document.title}, {place}" if place else document.title
    sentence = f"{_('“%(words)s”', words=said)} ({where}). {says} {address}"
    return Cited(said, place, title, says, sentence, address)


def shortened(text: str, most: int) -> str:
    """The text, cut between words when it is longer than `most` characters."""
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0].rstrip(" ,;:–") + "…"


def _of(source: Source, entries: tuple[Entry, ...]) -> list[str]:
    """Sentences about who asked and who decided."""
    own = [each for each in entries if each.number == source.suggestion]
    filed = next((each.at for each in own if each.kind == "proposed"), None)
    if source.suggestion:
        said = [_("Proposed in suggestion U-%(number)s", number=source.suggestion)]
    elif source.kind == "import":
        said = [_("Imported with a file")]
    else:
        said = [_("Written directly into the draft")]
    if source.organizations:
        said.append(_("on behalf of: %(who)s", who=", ".join(each.name for each in source.organizations)))
    said += [_("at the meeting “%(topic)s”", topic=each.topic) for each in source.meetings]
    said.append(words.day(filed or source.at, year=True))
    found = [", ".join(said) + "."]
    if source.decided_by and source.decided_at:
        values = {"day": words.day(source.decided_at, year=True), "who": words.person(source.decided_by)}
        if source.kind == "rewording" or source.verdict == "reworded":
            verdict = _("Accepted with changes on %(day)s by: %(who)s", **values)
        else:
            verdict = _("Accepted on %(day)s by: %(who)s", **values)
        found += [f"{verdict}.", *_reason(source)]
    return found


def _reason(source: Source) -> list[str]:
    """Why it was decided so, when that was said."""
    reason = shortened(" ".join(source.reason.split()), LONGEST_REASON)
    return [_("Reason: “%(reason)s”", reason=reason)] if reason else []


def _end(story: Story) -> list[str]:
    """What became of the words that stand no more."""
    gone = story.removed
    if gone is None:
        return []
    who = ", ".join(each.name for each in gone.organizations) or words.person(gone.decided_by or gone.author)
    said = _("Removed from the text on %(day)s: %(who)s", day=words.day(gone.decided_at or gone.at, year=True), who=who)
    return [said + (f" (U-{gone.suggestion})." if gone.suggestion else "."), *_reason(gone)]


def _place(session: Session, document_id: int, story: Story) -> str:
    """Where the words stand now, as lawyers say it."""
    if not story.standing:
        return ""
    history = Reader(session, document_id).history(story.standing[0].section_id)
    text, stands = history.text(history.version), story.standing[0]
    lead = re.match(r"[\s#]*", text[stands.start : stands.end])
    return sentences.place(from_units(text), stands.start + (lead.end() if lead else 0))

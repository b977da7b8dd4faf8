"""The review desk: the queue of what is to be decided, and one sentence in all wordings that are proposed for it.

Everything works by plain forms; keys are added by the script (static/src/desk.ts). A decision names what was read, the
branch version and the hash of each hunk, and what it will supersede; when something of it has changed since, the page
comes back with the new state and the reason that was typed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from drafting.errors import Conflict, DraftingError, InvalidInput, NotFound, WrongState
from drafting.services import decisions, meetings, overview, people, sections, suggestions
from drafting.services.decisions import Decided, Judged
from drafting.services.people import OrganizationView
from drafting.services.suggestions import HunkView, SuggestionView, Waiting
from drafting.store.models import Decision, Suggestion
from drafting.store.queries import text_at
from drafting.web import words
from drafting.web.pages import frame, sentences
from drafting.web.pages.suggestions import chosen_filters, filtered, glimpse_of, page_of

pages = Blueprint("review", __name__, url_prefix="/d/<slug>/review")

STATES = ("waiting", "competing", "changed")
A_QUEUE = 100  # suggestions shown at once


@dataclass(frozen=True, slots=True)
class Item:
    """A suggestion in the queue."""

    view: SuggestionView
    where: str
    pieces: Sequence[HunkView]
    glimpse: Markup
    rivals: Sequence[int]  # numbers of those it competes with
    changed: bool


@dataclass(frozen=True, slots=True)
class Wording:
    """One of the sentences to choose from. `value` is what the form sends; empty for the text as it stands."""

    value: str
    view: SuggestionView | None
    hunk: HunkView | None
    sentence: Markup
    plain: str
    mode: str = ""
    follows: Sequence[tuple[str, str]] = field(default=())  # (sign, sentence) of what accepting it brings
    checked: bool = False

    @property
    def organization(self) -> OrganizationView | None:
        return self.view.organization if self.view else None


@pages.get("")
def desk(slug: str) -> Any:
    document = frame.document(slug)
    frame.demand("decide")
    return _page(document.id, frame.Form({"reason": "", "wording": "", "w": ""}), request.args)


def _page(document_id: int, form: frame.Form, given: Mapping[str, str]) -> Any:
    session, actor = frame.reading(), frame.actor()
    slug = frame.document_row().slug
    filters = filters_of(given)
    queue, counts = queue_of(document_id, filters)
    chosen = _chosen(document_id, queue, given)
    numbers = [each.number for each in queue]
    place = numbers.index(chosen.number) if chosen is not None and chosen.number in numbers else None
    hunk = _hunk(chosen, given) if chosen is not None else None

    def at(**changed: Any) -> str:
        return url_for("review.desk", slug=slug, **{**filters, **changed})

    listed = page_of(queue, str((place or 0) // A_QUEUE + 1), A_QUEUE)
    return frame.page(
        "review/desk.html",
        form.status,
        form=form,
        listed=listed,
        groups=groups_of(document_id, items_of(document_id, listed.rows)),
        counts=counts,
        filters=filters,
        chosen=chosen,
        hunk=hunk,
        wordings=_wordings(chosen, hunk, form) if chosen is not None and hunk is not None else [],
        where=_where(chosen, hunk) if chosen is not None else "",
        page_at=lambda number: at(u=numbers[(number - 1) * A_QUEUE]),
        before=at(u=numbers[place - 1]) if place else "",
        after=at(u=numbers[place + 1]) if place is not None and place + 1 < len(numbers) else "",
        following=numbers[place + 1] if place is not None and place + 1 < len(numbers) else None,
        place=None if place is None else place + 1,
        at=at,
        sections=sections.outline(session, actor, document_id),
        organizations=people.organizations(session, actor, document_id),
        meetings=meetings.meetings(session, actor, document_id),
        last=_last_decision(document_id),
        reasons=words.REASONS,
    )


def filters_of(given: Mapping[str, str]) -> dict[str, str]:
    """The filters of the queue that an address or a form sets."""
    found = {**chosen_filters(given), **({"state": given["state"]} if given.get("state") in STATES else {})}
    found.pop("fate", None)
    return found


# ── the queue ───────────────────────────────────────────────────────────────────────────────────────────


def queue_of(document_id: int, filters: Mapping[str, str]) -> tuple[list[Waiting], dict[str, int]]:
    """What waits for a decision, in the order of the text, and how much of it is in each state."""
    session, actor = frame.reading(), frame.actor()
    rows = filtered(overview.suggestions(session, actor, document_id), filters)
    wanted = {row.id for row in rows if row.is_open}
    order = {each.id: place for place, each in enumerate(sections.outline(session, actor, document_id))}
    found = [each for each in suggestions.waiting(session, actor, document_id) if each.id in wanted]
    found.sort(key=lambda each: (order.get(each.section_id, len(order)), each.section_id, each.start, each.number))
    states = {
        "waiting": found,
        "competing": [each for each in found if each.competes],
        "changed": [each for each in found if each.base_changed],
    }
    return states[filters.get("state", "waiting")], {name: len(each) for name, each in states.items()}


def items_of(document_id: int, queue: Sequence[Waiting]) -> list[Item]:
    """A piece of the queue with its words."""
    ids = [each.id for each in queue]
    listed = suggestions.listing(frame.reading(), frame.actor(), document_id, ids=ids, limit=len(ids), ways=1)
    views = {view.id: view for view in listed if view.open_hunks}
    texts: dict[int, str] = {}
    items = []
    for view in (views[each] for each in ids if each in views):
        if view.section_id not in texts:
            texts[view.section_id] = text_of(view.section_id)
        rivals = sorted({one.number for hunk in view.open_hunks for one in hunk.related if one.supersedes})
        changed = any(hunk.base_changed for hunk in view.open_hunks)
        where = sentences.place(texts[view.section_id], view.open_hunks[0].start)
        items.append(Item(view, where, view.open_hunks, glimpse_of(view.open_hunks[0]), rivals, changed))
    return items


def groups_of(document_id: int, queue: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    """The queue by section, named as the programme names them."""
    every = sections.outline(frame.reading(), frame.actor(), document_id, removed=True)
    names = {
        each.id: words.section_name(each)
        if each.removed_at is None
        else _("%(title)s (this section was removed)", title=words.section_name(each))
        for each in every
    }
    groups: dict[int, list[Item]] = {}
    for item in queue:
        groups.setdefault(item.view.section_id, []).append(item)
    return [
        (names.get(section_id) or items[0].view.section_title or _("(a new section)"), items)
        for section_id, items in groups.items()
    ]


def _chosen(document_id: int, queue: Sequence[Waiting], given: Mapping[str, str]) -> SuggestionView | None:
    """The suggestion to be decided now, with every way to accept it: the one that is asked for, else the first."""
    session, actor = frame.reading(), frame.actor()
    number = given.get("u", "")
    if number.isdecimal() and len(number) < 10:
        return suggestions.by_number(session, actor, document_id, int(number))
    return suggestions.suggestion(session, actor, queue[0].id) if queue else None


def _hunk(view: SuggestionView, given: Mapping[str, str]) -> HunkView | None:
    """The place that was asked for, else the first that is open."""
    wanted = given.get("hunk", "")
    for hunk in view.open_hunks:
        if wanted == str(hunk.id):
            return hunk
    return view.open_hunks[0] if view.open_hunks else None


def text_of(section_id: int) -> str:
    from drafting.store.models import Section

    row = frame.reading().get(Section, section_id)
    return text_at(frame.reading(), row.stream_id) if row is not None and row.stream_id is not None else ""


def _where(view: SuggestionView, hunk: HunkView | None) -> str:
    return sentences.place(text_of(view.section_id), hunk.start if hunk is not None else None)


def _last_decision(document_id: int) -> tuple[int, int] | None:
    """(decision, number of its suggestion) of the reader's newest decision that stands."""
    row = (
        frame.reading()
        .execute(
            select(Decision.id, Suggestion.number)
            .join(Suggestion, Suggestion.id == Decision.suggestion_id)
            .where(
                Decision.document_id == document_id,
                Decision.by_id == frame.actor().user_id,
                Decision.verdict != "reverted",
                Decision.reverted_by_id.is_(None),
            )
            .order_by(Decision.id.desc())
            .limit(1)
        )
        .first()
    )
    return None if row is None else (row[0], row[1])


# ── the wordings ────────────────────────────────────────────────────────────────────────────────────────


def _wordings(view: SuggestionView, hunk: HunkView, form: frame.Form) -> list[Wording]:
    """The sentence as it stands, with this suggestion, and with each that competes with it."""
    session, actor = frame.reading(), frame.actor()
    others = suggestions.comparison(session, actor, view.id, hunk.id)
    now_reads = others[0].text if others else (hunk.ways[0].before if hunk.ways else hunk.ground)
    made = [Wording("", None, None, sentences.marked(now_reads, now_reads), sentences.plain(now_reads))]
    picked = form.text("w")
    for way in hunk.ways or ():
        made.append(_wording(view, hunk, way.before, way.after, way.mode))
    if not hunk.ways:
        made.append(_wording(view, hunk, hunk.ground, hunk.text, ""))
    for other in others[1:]:
        if other.suggestion_id is None or other.suggestion_id == view.id:
            continue
        rival = suggestions.suggestion(session, actor, other.suggestion_id)
        its = next((each for each in rival.open_hunks if each.id == other.hunk_id), None)
        if its is not None:
            made.append(_wording(rival, its, now_reads, other.text, its.ways[0].mode if its.ways else ""))
    default = picked if form.is_sent else made[1].value
    return [
        Wording(
            each.value,
            each.view,
            each.hunk,
            each.sentence,
            each.plain,
            each.mode,
            each.follows,
            each.value == default and not (form.is_sent and picked == "own"),
        )
        for each in made
    ]


def _wording(view: SuggestionView, hunk: HunkView, before: str, after: str, mode: str) -> Wording:
    value = ":".join([str(view.id), str(hunk.id), str(view.branch_version), hunk.hash, mode])
    return Wording(value, view, hunk, sentences.marked(before, after), sentences.plain(after), mode, _follows(hunk))


def _follows(hunk: HunkView) -> list[tuple[str, str]]:
    """What accepting the hunk brings: who is superseded, who is fulfilled, who is credited."""
    said = [("check", _("the text changes at once for everybody who has this section open"))]
    for one in hunk.related:
        by = one.organization.name if one.organization else words.person(one.author)
        if one.supersedes:
            said.append(
                (
                    "rival",
                    _(
                        "U-%(number)s (%(by)s) is superseded; its wording and support stay on its card",
                        number=one.number,
                        by=by,
                    ),
                )
            )
        elif one.kind == "identical":
            said.append(
                (
                    "equal",
                    _(
                        "U-%(number)s (%(by)s) has the same wording: it is fulfilled, and credited beside it",
                        number=one.number,
                        by=by,
                    ),
                )
            )
        elif one.kind == "compatible":
            said.append(("open", _("U-%(number)s (%(by)s) can stand beside it", number=one.number, by=by)))
    if hunk.base_changed:
        said.append(("warn", _("the text under it has changed since it was written: read the sentence again")))
    return [(sign, says + (";" if one < len(said) else ".")) for one, (sign, says) in enumerate(said, 1)]


# ── deciding ────────────────────────────────────────────────────────────────────────────────────────────


@pages.post("")
def decide(slug: str) -> Any:
    document = frame.document(slug)
    frame.demand("decide")
    form = frame.Form({"reason": "", "wording": "", "w": "", "verdict": "accepted"})
    verdict = form.choice("verdict", ("accepted", "reworded", "rejected", "accepted_all", "rejected_all"))
    given = MultiDict(request.form)
    reason = form.text("reason").strip()
    if not reason and verdict != "accepted" and verdict != "accepted_all":
        form.errors["reason"] = _("Write a reason: it goes into the consultation report.")
    if (verdict == "reworded" or form.text("w") == "own") and verdict in ("accepted", "reworded"):
        form.needs("wording", _("Write the wording, or choose another one."))
        if not reason:
            form.errors["reason"] = _("Write a reason: it goes into the consultation report.")
    view = _view(document.id, request.form.get("u", ""))
    done: Decided | None = None
    if form.is_good:
        try:
            done = _decide(form, view, verdict, reason)
        except (Conflict, InvalidInput) as error:
            form.refuse(error)
            form.errors.setdefault("", words.error_text(error))
    if done is None:
        return _page(document.id, form, given)
    say(done, document.id)
    following = request.form.get("after", "")
    return frame.go(
        "review.desk",
        slug=slug,
        **filters_of(request.form),
        **({"u": following} if following.isdecimal() and _waits(document.id, following) else {}),
    )


def _decide(form: frame.Form, view: SuggestionView, verdict: str, reason: str) -> Decided | None:
    """What the service made of the form."""
    if verdict.endswith("_all"):
        items = [
            Judged(
                view.id,
                hunk.id,
                view.branch_version,
                request.form.get(f"hash-{hunk.id}", hunk.hash),
                "stands" if hunk.base_changed else "",
            )
            for hunk in view.open_hunks
        ]
        if not items:
            raise WrongState("nothing of the suggestion is open", state=view.state)
        supersedes = None if verdict == "rejected_all" else view.supersedes
        return frame.write(
            decisions.decide, view.section_id, items, verdict.removesuffix("_all"), reason=reason, supersedes=supersedes
        )
    if verdict == "rejected":
        items = [judged(value) for value in request.form.getlist("read") if value]
        if not items:
            raise InvalidInput("name at least one hunk", field="")
        return frame.write(
            decisions.decide, view.section_id, [_plain_mode(item) for item in items], "rejected", reason=reason
        )
    picked = form.text("w")
    own = picked == "own" or verdict == "reworded"
    if own:
        base = judged(form.text("base"))
        whole = _whole_wording(view, base, form.text("wording").strip())
        return frame.write(decisions.decide, view.section_id, [base], "accepted", reason=reason, wording=whole)
    if not picked:
        form.errors[""] = _("Choose a wording, or reject what was suggested.")
        return None
    item = judged(picked)
    chosen = suggestions.suggestion(frame.reading(), frame.actor(), item.suggestion_id)
    hunk = next((each for each in chosen.open_hunks if each.id == item.hunk_id), None)
    known = [(one.suggestion_id, one.hunk_id) for one in hunk.related if one.supersedes] if hunk is not None else []
    return frame.write(decisions.decide, view.section_id, [item], "accepted", reason=reason, supersedes=known)


def _whole_wording(view: SuggestionView, base: Judged, sentence: str) -> str:
    """What the hunk's ground becomes when the sentence is to read so: the sentence without what stands around the hunk.

    raises  InvalidInput when words around the hunk were changed too, which is an edit and not a decision
    """
    hunk = next((each for each in view.open_hunks if each.id == base.hunk_id), None)
    if hunk is None:
        raise WrongState("this place is not open any more", state="decided")
    if not hunk.ways:
        return sentence
    after = hunk.ways[0].after
    before = hunk.ways[0].before
    head = _common(before, after, hunk.ground, hunk.text)
    if head is None:
        return sentence
    front, tail = head
    plain_front, plain_tail = sentences.plain(front), sentences.plain(tail)
    said = " ".join(sentence.split())
    if (
        not said.startswith(plain_front)
        or not said.endswith(plain_tail)
        or len(said) < len(plain_front) + len(plain_tail)
    ):
        raise InvalidInput("words around the place were changed", field="wording_around")
    inner = said[len(plain_front) : len(said) - len(plain_tail)]
    lead = hunk.text[: len(hunk.text) - len(hunk.text.lstrip())]
    trail = hunk.text[len(hunk.text.rstrip()) :]
    return lead + inner.strip() + trail


def _common(before: str, after: str, ground: str, text: str) -> tuple[str, str] | None:
    """What stands before and after the hunk in its sentence; None when it cannot be told."""
    at = 0
    while (at := before.find(ground, at)) >= 0 if ground else at <= len(before):
        front, tail = before[:at], before[at + len(ground) :]
        if front + text + tail == after:
            return front, tail
        at += 1
    return None


def judged(value: str) -> Judged:
    """A hunk as the form names it. raises: InvalidInput"""
    parts = value.split(":")
    if len(parts) != 5 or not all(part.isdecimal() and len(part) < 12 for part in parts[:3]):
        raise InvalidInput("choose a wording", field="w")
    return Judged(int(parts[0]), int(parts[1]), int(parts[2]), parts[3], parts[4])


def _plain_mode(item: Judged) -> Judged:
    return Judged(item.suggestion_id, item.hunk_id, item.branch_version, item.hash)


def _view(document_id: int, number: str) -> SuggestionView:
    if not number.isdecimal() or len(number) > 9:
        raise NotFound("there is no such suggestion")
    return suggestions.by_number(frame.reading(), frame.actor(), document_id, int(number))


def _waits(document_id: int, number: str) -> bool:
    try:
        return bool(_view(document_id, number).open_hunks)
    except DraftingError:
        return False


def say(done: Decided, document_id: int) -> None:
    """Tells what was decided, and what was not, in sentences."""
    numbers = {row.id: row.number for row in overview.suggestions(frame.reading(), frame.actor(), document_id)}
    said: list[str] = []
    verdicts: dict[tuple[int, str], int] = {}
    for each in done.decisions:
        key = (numbers.get(each.suggestion_id, 0), each.verdict)
        verdicts[key] = verdicts.get(key, 0) + 1
    for (number, verdict), places in verdicts.items():
        sentence = {
            "accepted": _("U-%(number)s is accepted.", number=number),
            "reworded": _("U-%(number)s is accepted with changes.", number=number),
            "rejected": _("U-%(number)s is rejected.", number=number),
        }.get(verdict, "")
        said.append(sentence + (ngettext(" (%(num)d place)", " (%(num)d places)", places) if places > 1 else ""))
    superseded = sorted({numbers.get(pair[0], 0) for each in done.decisions for pair in each.superseded})
    fulfilled = sorted({numbers.get(pair[0], 0) for each in done.decisions for pair in each.fulfilled})
    if superseded:
        said.append(_("Superseded: %(numbers)s.", numbers=", ".join(f"U-{each}" for each in superseded)))
    if fulfilled:
        said.append(_("Fulfilled with it: %(numbers)s.", numbers=", ".join(f"U-{each}" for each in fulfilled)))
    if said:
        flash(" ".join(said))
    refused = [one for one in done.outcomes if one.outcome not in ("applied", "rejected", "fulfilled")]
    why = {
        "rival": _("it competes with another of the set"),
        "fulfilled_by_edit": _("the text reads so already"),
        "needs_mode": _("the text under it has changed; decide on it by itself"),
        "no_effect": _("it changes nothing any more"),
        "impossible": _("it does not fit the text any more"),
    }
    for one in refused:
        number = numbers.get(one.suggestion_id, 0)
        flash(_("U-%(number)s is not decided: %(why)s.", number=number, why=why.get(one.outcome, one.outcome)), "wrong")

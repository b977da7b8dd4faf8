"""Words for people: the names of roles, phases and states, dates and counts, errors, in the reader's language.

Codes come in, sentences go out. Templates reach it as `words`; nothing here decides or reads anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask_babel import format_date, format_datetime, format_decimal, format_time, get_locale, get_timezone, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from drafting.errors import DraftingError, InvalidInput, NameTaken, NotAllowed, StaleReview, WrongState
from drafting.formats import markdown
from drafting.services.clock import now

LANGUAGES = {"pl": "Polski", "en": "English"}  # each in itself

ROLES: Mapping[str, Any] = {
    "coordinator": _l("coordinator"),
    "drafter": _l("member of the drafting team"),
    "official": _l("official"),
    "contributor": _l("representative of an organisation"),
    "council": _l("member of the council for public benefit work"),
    "observer": _l("observer"),
    "public": _l("resident"),
}
ROLE_SAYS: Mapping[str, Any] = {
    "coordinator": _l("runs the process: people, meetings, phases, publishing"),
    "drafter": _l("writes the draft itself"),
    "official": _l("decides on suggestions, with reasons, and writes while the city reviews"),
    "contributor": _l("suggests changes, remarks and endorses, for an organisation"),
    "council": _l("suggests and remarks in the opinion phase, for the council"),
    "observer": _l("reads everything, also before it is published"),
}
PHASES: Mapping[str, Any] = {
    "drafting": _l("Drafting"),
    "consultation": _l("Consultation"),
    "review": _l("City review"),
    "opinion": _l("Opinion"),
    "adopted": _l("Adoption"),
}
PHASE_SAYS: Mapping[str, Any] = {
    "drafting": _l("the team writes; meetings are held"),
    "consultation": _l("organisations suggest changes and remark"),
    "review": _l("departments answer every suggestion"),
    "opinion": _l("the council for public benefit work gives its opinion"),
    "adopted": _l("the city council adopts the text"),
}
ORGANIZATION_KINDS: Mapping[str, Any] = {
    "ngo": _l("organisation"),
    "department": _l("city department"),
    "council": _l("council for public benefit work"),
    "office": _l("city office"),
    "person": _l("private person"),
}
SUGGESTION_STATES: Mapping[str, Any] = {
    "draft": _l("Draft"),
    "filed": _l("Open"),
    "decided": _l("Decided"),
    "withdrawn": _l("Withdrawn"),
}
HUNK_STATES: Mapping[str, Any] = {
    "open": _l("Open"),
    "accepted": _l("Accepted"),
    "reworded": _l("Accepted with changes"),
    "rejected": _l("Rejected"),
    "reverted": _l("Reverted"),
    "fulfilled": _l("Fulfilled"),
    "superseded": _l("Superseded"),
    "withdrawn": _l("Withdrawn"),
    "joined": _l("Joined with another place"),
}
FATES: Mapping[str, Any] = {
    "draft": _l("Draft, seen by its organisation only"),
    "open": _l("Open"),
    "partly_open": _l("Decided in part"),
    "accepted": _l("Accepted"),
    "partly": _l("Accepted in part"),
    "rejected": _l("Rejected"),
    "fulfilled": _l("Fulfilled"),
    "superseded": _l("Superseded"),
    "withdrawn": _l("Withdrawn"),
}
FATE_ICONS = {
    "draft": "lock",
    "open": "open",
    "partly_open": "open",
    "accepted": "check",
    "partly": "check",
    "rejected": "x",
    "fulfilled": "equal",
    "superseded": "rival",
    "withdrawn": "x",
}
VERDICTS: Mapping[str, Any] = {
    "accepted": _l("accepted"),
    "reworded": _l("accepted with changes"),
    "rejected": _l("rejected"),
    "reverted": _l("reverted"),
}
RELATIONS: Mapping[str, Any] = {
    "identical": _l("the same wording"),
    "compatible": _l("both can stand"),
    "clash": _l("competes"),
    "independent": _l("independent"),
}
ANNOTATION_STATES: Mapping[str, Any] = {
    "open": _l("Open"),
    "resolved": _l("Resolved"),
    "orphaned": _l("Its passage is gone"),
}
ANNOTATION_KINDS: Mapping[str, Any] = {"remark": _l("remark"), "question": _l("question")}
POSITIONS: Mapping[str, Any] = {
    "accepted": _l("taken into account"),
    "partly": _l("taken into account in part"),
    "rejected": _l("not taken into account"),
    "noted": _l("noted"),
    "inadmissible": _l("not subject to consideration"),
}
FORMS: Mapping[str, Any] = {
    "platform": _l("this platform"),
    "meeting": _l("meeting"),
    "email": _l("e-mail"),
    "form": _l("paper form"),
}
SOURCES: Mapping[str, Any] = {"organization": _l("organisation"), "meeting": _l("meeting")}
STATUTORY: tuple[Any, ...] = (
    _l("main goal and detailed goals"),
    _l("principles of cooperation"),
    _l("subject scope"),
    _l("forms of cooperation"),
    _l("priority public tasks"),
    _l("period of implementation"),
    _l("way of implementation"),
    _l("funds planned"),
    _l("way of assessing the implementation"),
    _l("how the programme was made and how the consultation went"),
    _l("appointing and working of the competition commissions"),
)
REASONS: tuple[Any, ...] = (  # templates for officials; two words shown, a sentence written
    _l("In line with the department's plan."),
    _l("There are no funds for it in the budget."),
    _l("It is outside the scope of the programme."),
    _l("It stands already in §…"),
)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────

ERRORS: Mapping[str, Any] = {
    "invalid_input": _l("What was sent cannot be taken as it is."),
    "invalid_changes": _l("The change cannot be read; reload the page."),
    "invalid_file": _l("The file cannot be read."),
    "too_large": _l("That is more than this server takes at once."),
    "not_signed_in": _l("Sign in first."),
    "not_allowed": _l("Your role does not include this in the present phase."),
    "not_found": _l("There is no such thing here, or it is not published."),
    "conflict": _l("It has changed in the meantime. Look at its present state and decide again."),
    "version_conflict": _l("The text has moved on; your change is being brought up to it."),
    "stale_review": _l("This suggestion has changed since you read it. Look at its present state and decide again."),
    "wrong_state": _l("In its present state this cannot be done."),
    "name_taken": _l("This name or address is in use already."),
}
FIELDS: Mapping[tuple[str, str], Any] = {
    # (code, field) → what to say beside the field
    ("name_taken", "email"): _l("This address has an account already. Sign in with it."),
    ("name_taken", "name"): _l("An organisation of this document has this name or badge already."),
    ("name_taken", "slug"): _l("Another document has this address."),
    ("invalid_input", "email"): _l("This is not an e-mail address."),
    ("invalid_input", "name"): _l("Write a name that is not too long."),
    ("invalid_input", "title"): _l("Write a title that is not too long."),
    ("invalid_input", "topic"): _l("Write a topic of at most 200 characters."),
    ("invalid_input", "short"): _l("At most 40 characters."),
    ("invalid_input", "place"): _l("At most 200 characters."),
    ("invalid_input", "municipality"): _l("At most 200 characters."),
    ("invalid_input", "summary"): _l("This is too long."),
    ("invalid_input", "code"): _l("A badge has 2 to 4 letters or digits."),
    ("invalid_input", "slug"): _l("Use small letters, digits and hyphens, at most 60."),
    ("invalid_input", "old"): _l("This is not your present password."),
    ("invalid_input", "ends_at"): _l("This moment has passed already. Give a later one, or none."),
    ("invalid_input", "held_at"): _l("Write the date and time like 2026-04-14 17:00."),
    ("invalid_input", "uses"): _l("1 to 500 people; an invitation to one address is for one person."),
    ("invalid_input", "attendance"): _l("Write how many people came, as a number."),
    ("invalid_input", "timezone"): _l("There is no such time zone."),
    ("invalid_input", "reason"): _l("Write a reason: it goes into the consultation report."),
    ("invalid_input", "text"): _l("Write something first."),
    ("invalid_input", "changes"): _l("Nothing would be changed by it. Type in the text what should change."),
    ("invalid_input", "section_ids"): _l("The sections have changed in the meantime; the page shows them as they are."),
    ("invalid_input", "statutory_point"): _l("Choose a point from 1 to 11."),
    ("invalid_input", "role"): _l("Choose a role."),
    ("invalid_input", "phase"): _l("Choose a phase."),
    ("invalid_input", "wording"): _l("Write the wording, or choose another one."),
}


def error_text(error: DraftingError) -> str:
    """A refusal as a sentence to the reader; the message of the error itself is for logs."""
    field = error.details.get("field")
    if isinstance(error, InvalidInput) and field == "password":
        if "minimum" in error.details:
            return _("A password needs at least %(number)s characters.", number=error.details["minimum"])
        return _("This password is too easy to guess.")
    if isinstance(error, InvalidInput) and error.details.get("why") == "not_text":
        return _("This holds characters that are no text, such as NUL. Paste the words once more, as plain text.")
    if error.code == "invalid_input" and "longest" in error.details:
        return _("At most %(number)s characters.", number=format_decimal(error.details["longest"]))
    if (error.code, field) in FIELDS:
        return str(FIELDS[error.code, field])
    if isinstance(error, NotAllowed):
        if error.details.get("deadline_passed"):
            return _("The deadline for this has passed.")
        phase = error.details.get("phase")
        if phase in PHASES:
            return _(
                "Your role (%(role)s) does not include this in the phase “%(phase)s”.",
                role=role(error.details.get("role", "")),
                phase=PHASES[phase],
            )
    if isinstance(error, WrongState) and error.details.get("state") == "used":
        return _("Changes, suggestions, remarks or files belong to it, so it stays.")
    if isinstance(error, WrongState) and error.details.get("state") == "section_removed":
        if "title" in error.details:
            return _(
                "The section “%(title)s” was removed. Put it back first; what was suggested in it can be rejected as it is.",
                title=error.details["title"] or _("(untitled)"),
            )
        return _("This section was removed. Nothing can be written in it until it is put back.")
    if isinstance(error, StaleReview):
        return str(ERRORS["stale_review"])
    if isinstance(error, NameTaken):
        return str(ERRORS["name_taken"])
    return str(ERRORS.get(error.code, _("That did not work.")))


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────


def role(code: str) -> str:
    """A role in a word or a few."""
    return str(ROLES.get(code, code))


def person(name: str | None) -> str:
    """A person's name; somebody whose account is anonymised, or the server itself, is said in words."""
    if not name:
        return _("the system")
    return _("a person whose account has ended") if name == "—" else name


def roman(number: int | None) -> str:
    """A section's number as the programme writes it."""
    if not number or number < 0:
        return ""
    said, left = "", number
    for value, sign in (
        (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
        (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
    ):  # fmt: skip
        said, left = said + sign * (left // value), left % value
    return said


def section_name(section: Any) -> str:
    """A section as it is called in a sentence: "V. Priority tasks"."""
    title = section.title or _("(untitled)")
    return f"{roman(section.number)}. {title}" if section.number else title


# ── times ───────────────────────────────────────────────────────────────────────────────────────────────


def _here(at: datetime) -> datetime:
    return at.astimezone(get_timezone() or UTC)


def day(at: datetime | date | None, *, year: bool | None = None) -> str:
    """ "14 April", with the year when it is another one than this."""
    if at is None:
        return ""
    if isinstance(at, datetime):
        at = _here(at).date()
    with_year = at.year != _here(now()).year if year is None else year
    return format_date(at, "d MMMM y" if with_year else "d MMMM")


def weekday(at: datetime) -> str:
    """ "Wednesday, 30 September"."""
    return f"{format_date(_here(at).date(), 'EEEE')}, {day(at)}"


def clock(at: datetime) -> str:
    """ "17:42"."""
    return format_time(_here(at).timetz(), "HH:mm", rebase=False)


def moment(at: datetime | None) -> str:
    """ "14 April, 17:42"."""
    return "" if at is None else f"{day(at)}, {clock(at)}"


def iso(at: datetime | None) -> str:
    """For the `datetime` attribute of <time>."""
    return "" if at is None else _here(at).isoformat(timespec="minutes")


def when(at: datetime | None) -> Markup:
    """A <time> with the moment in words."""
    if at is None:
        return Markup("")
    return Markup('<time datetime="{}">{}</time>').format(iso(at), moment(at))


def on(at: datetime | None) -> Markup:
    """A <time> with the day in words."""
    if at is None:
        return Markup("")
    return Markup('<time datetime="{}">{}</time>').format(iso(at), day(at))


def field_moment(at: datetime | None) -> str:
    """For a field of the kind datetime-local."""
    return "" if at is None else _here(at).strftime("%Y-%m-%dT%H:%M")


def days_left(until: datetime | None) -> str:
    """ "12 more days", "today", or nothing when it is over or open."""
    if until is None or until <= now():
        return ""
    days = (_here(until - timedelta(seconds=1)).date() - _here(now()).date()).days
    if days == 0:
        return _("until today, %(time)s", time=clock(until))
    return ngettext("%(num)d more day", "%(num)d more days", days)


def last_day(until: datetime) -> str:
    """The last day on which something may be done; midnight belongs to the day before."""
    return day(until - timedelta(seconds=1))


def size(number: int) -> str:
    """Bytes as people say them."""
    if number < 1024 * 1024:
        return _("%(number)s kB", number=max(1, round(number / 1024)))
    value = f"{number / 1024 / 1024:.1f}"
    return _("%(number)s MB", number=value.replace(".", ",") if str(get_locale()) == "pl" else value)


def long_moment(at: datetime) -> str:
    """With weekday and year, for the foot of what is printed."""
    return format_datetime(_here(at), "d MMMM y, HH:mm", rebase=False)


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────


def prose(text: str) -> Markup:
    """Markdown written by people of the process (minutes, summaries, news) as safe HTML."""
    return Markup(markdown.render(text)) if text.strip() else Markup("")


def nobreak(text: str) -> str:
    """The text with signs kept beside their numbers, "§ 9", and one-letter words beside the next, "z organizacjami"."""
    for sign in ("§ ", "ust. ", "pkt ", "art. ", "lit. "):
        text = text.replace(sign, sign.rstrip() + "\u00a0")
    return re.sub(r"(?<!\w)([aiouwzAIOUWZ]) (?=\S)", "\\1\u00a0", text)


def percent(part: float | None) -> int:
    """0 to 100, for the measure classes v-0 to v-100."""
    return 0 if part is None else max(0, min(100, round(part * 100)))


def count(number: int) -> str:
    """A number as people write it: "19 831" in Polish, "19,831" in English."""
    return str(format_decimal(number))


def share(part: int, whole: int) -> int:
    """Part of a whole as 0 to 100."""
    return percent(part / whole) if whole else 0


FILTERS = {
    "day": day,
    "on": on,
    "moment": moment,
    "when": when,
    "prose": prose,
    "nobreak": nobreak,
    "roman": roman,
    "size": size,
    "count": count,
}

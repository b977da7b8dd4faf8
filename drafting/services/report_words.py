"""The words of the consultation report, in the document's language: columns, positions, forms, dates and numbers.

The report is an act of the office that is attached to the programme, so its words do not follow the reader's language
and are not in the catalogue of the pages. The Polish columns are those of FORMATS §7, letter for letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

COLUMNS = {
    "pl": (
        "Lp.", "Data wpływu", "Zgłaszający (organizacja / spotkanie)", "Forma", "Jednostka redakcyjna",
        "Zapis w projekcie", "Proponowany zapis", "Uzasadnienie zgłaszającego", "Stanowisko", "Uzasadnienie stanowiska",
        "Kto i kiedy rozstrzygnął", "Brzmienie po zmianie",
    ),
    "en": (
        "No.", "Received", "Submitted by (organisation / meeting)", "Form", "Unit", "Wording in the draft",
        "Proposed wording", "Proposer's reason", "Position", "Reason for the position", "Who decided and when",
        "Wording after the change",
    ),
}  # fmt: skip
WIDTHS = (6, 12, 30, 14, 16, 34, 38, 34, 20, 34, 28, 38)  # characters, for a spreadsheet

POSITIONS = {
    "pl": {
        "accepted": "uwzględniono",
        "fulfilled": "uwzględniono przez inną propozycję",
        "partly": "uwzględniono częściowo",
        "rejected": "nie uwzględniono",
        "superseded": "nie uwzględniono (ustąpiła innej propozycji)",
        "noted": "przyjęto do wiadomości",
        "inadmissible": "nie podlega rozpatrzeniu",
        "open": "w trakcie",
        "withdrawn": "wycofano",
    },
    "en": {
        "accepted": "taken into account",
        "fulfilled": "taken into account through another proposal",
        "partly": "taken into account in part",
        "rejected": "not taken into account",
        "superseded": "not taken into account (gave way to another proposal)",
        "noted": "noted",
        "inadmissible": "not subject to consideration",
        "open": "under way",
        "withdrawn": "withdrawn",
    },
}
FORMS = {
    "pl": {"platform": "platforma", "meeting": "spotkanie", "email": "e-mail", "form": "formularz"},
    "en": {"platform": "platform", "meeting": "meeting", "email": "e-mail", "form": "form"},
}
PHASES = {
    "pl": {
        "drafting": "redagowanie projektu",
        "consultation": "konsultacje",
        "review": "opracowanie przez urząd",
        "opinion": "opiniowanie",
        "adopted": "uchwalenie",
    },
    "en": {
        "drafting": "drafting",
        "consultation": "consultation",
        "review": "review by the office",
        "opinion": "opinion",
        "adopted": "adoption",
    },
}
WORDS = {
    "pl": {
        "title": "Raport z konsultacji",
        "subject": "projektu dokumentu „{title}”",
        "as_of": "Stan na {moment}",
        "says": "Treść uwagi",
        "closing": "Raport ułożono z dziennika prac; nic w nim nie jest wpisane ręcznie.",
        "head": "Skrót (SHA-256) ostatniego zdarzenia w dzienniku: {head}. Kto go zachowa, może później sprawdzić, że wcześniejszych wpisów nie zmieniono.",
        "approved": "Zatwierdzam",
        "signature": "data i podpis",
        "person": "osoba fizyczna",
        "team": "zespół redakcyjny",
        "office": "urząd",
        "council": "rada działalności pożytku publicznego",
        "meeting": "spotkanie {number}: {topic}",
        "at_meeting": "spotkanie {number}",
        "suggestions": "Propozycje zmian",
        "remarks": "Uwagi ogólne",
        "statistics": "Statystyka",
        "course": "Przebieg konsultacji",
        "meetings": "Spotkania",
        "phases": "Etapy",
        "point10": "Informacja o sposobie tworzenia programu oraz o przebiegu konsultacji",
        "point10_note": "Tekst do art. 5a ust. 4 pkt 10 ustawy o działalności pożytku publicznego i o wolontariacie, ułożony z dziennika prac.",
        "none": "W toku konsultacji nie zgłoszono żadnych propozycji ani uwag.",
        "no_suggestions": "Nie zgłoszono propozycji zmian.",
        "no_remarks": "Nie zgłoszono uwag ogólnych.",
        "and_more": "i jeszcze {number}",
        "in_full_below": "[całość pod tabelą]",
        "in_full": "dłuższe teksty w całości",
        "column": "Kolumna",
        "words": "Treść",
        "unchanged": "bez zmian",
        "as_proposed": "zgodnie z propozycją",
        "removed": "(skreślono)",
        "nothing": "(nowy zapis)",
        "whole_section": "cała część",
        "whole_document": "cały dokument",
        "new_section": "nowa część",
        "suggestion": "propozycja U-{number}",
        "gave_way": "Ustąpiła miejsca propozycji {key}.",
        "fulfilled_by": "Spełniono przez uwzględnienie propozycji {key}.",
        "late": "Wpłynęło po terminie konsultacji ({day}).",
        "somebody": "osoba, której konto zamknięto",
        "position": "Stanowisko",
        "count_suggestions": "Propozycje zmian",
        "count_remarks": "Uwagi ogólne",
        "total": "Razem",
        "date": "Data",
        "topic": "Temat",
        "place": "Miejsce",
        "organizations": "Organizacje",
        "people": "Osoby",
        "asked": "Propozycje",
        "stands": "W tekście",
        "phase": "Etap",
        "since": "Od",
        "until": "Termin",
    },
    "en": {
        "title": "Consultation report",
        "subject": "on the draft “{title}”",
        "as_of": "As of {moment}",
        "says": "Remark",
        "closing": "This report was put together from the log; nothing in it was typed by hand.",
        "head": "Hash (SHA-256) of the last event in the log: {head}. Whoever keeps it can check later that no earlier entry was changed.",
        "approved": "Approved",
        "signature": "date and signature",
        "person": "private person",
        "team": "drafting team",
        "office": "city office",
        "council": "council for public benefit work",
        "meeting": "meeting {number}: {topic}",
        "at_meeting": "meeting {number}",
        "suggestions": "Proposed changes",
        "remarks": "General remarks",
        "statistics": "Statistics",
        "course": "Course of the consultation",
        "meetings": "Meetings",
        "phases": "Phases",
        "point10": "How the programme was made and how the consultation went",
        "point10_note": "Text for art. 5a par. 4 point 10 of the Act on public benefit work and volunteering, drafted from the log.",
        "none": "No proposals and no remarks were submitted.",
        "no_suggestions": "No changes were proposed.",
        "no_remarks": "No general remarks were submitted.",
        "and_more": "and {number} more",
        "in_full_below": "[in full under the table]",
        "in_full": "longer texts in full",
        "column": "Column",
        "words": "Text",
        "unchanged": "unchanged",
        "as_proposed": "as proposed",
        "removed": "(struck out)",
        "nothing": "(new wording)",
        "whole_section": "whole section",
        "whole_document": "whole document",
        "new_section": "new section",
        "suggestion": "proposal U-{number}",
        "gave_way": "Gave way to proposal {key}.",
        "fulfilled_by": "Met by taking proposal {key} into account.",
        "late": "Received after the deadline of the consultation ({day}).",
        "somebody": "a person whose account has ended",
        "position": "Position",
        "count_suggestions": "Proposed changes",
        "count_remarks": "General remarks",
        "total": "Total",
        "date": "Date",
        "topic": "Topic",
        "place": "Place",
        "organizations": "Organisations",
        "people": "People",
        "asked": "Proposals",
        "stands": "In the text",
        "phase": "Phase",
        "since": "Since",
        "until": "Deadline",
    },
}
MONTHS = {
    "pl": ("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października",
           "listopada", "grudnia"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December"),
}  # fmt: skip


def plural(number: int, one: str, few: str, many: str) -> str:
    """The Polish form that goes with a number: 1 · 2–4, 22–24, … · 0, 5–21, …"""
    if number == 1:
        return one
    return few if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else many


def counted(number: int, one: str, few: str, many: str) -> str:
    """A number with its noun: "1 propozycja", "3 propozycje", "12 propozycji"."""
    return f"{number} {plural(number, one, few, many)}"


class Speech:
    """The words of one language, with times in the document's zone."""

    def __init__(self, language: str, zone: str) -> None:
        self.language = language if language in COLUMNS else "en"
        self.zone = ZoneInfo(zone)
        self.columns = COLUMNS[self.language]
        self.positions = POSITIONS[self.language]
        self.forms = FORMS[self.language]
        self.phases = PHASES[self.language]
        self._words = WORDS[self.language]

    def say(self, name: str, **values: object) -> str:
        return self._words[name].format(**values)

    def day(self, at: datetime) -> str:
        """"14 kwietnia 2026 r.", "14 April 2026"."""
        local = at.astimezone(self.zone)
        end = " r." if self.language == "pl" else ""
        return f"{local.day} {MONTHS[self.language][local.month - 1]} {local.year}{end}"

    def last_day(self, until: datetime) -> str:
        """The last day on which something may be done; midnight belongs to the day before."""
        return self.day(until - timedelta(seconds=1))

    def moment(self, at: datetime) -> str:
        """The day with the time of day."""
        return f"{self.day(at)}, {at.astimezone(self.zone):%H:%M}"

    def numbered(self, parts: Sequence[str]) -> str:
        """One part as it is; several as a list "1) … 2) …", a line each."""
        return parts[0] if len(parts) == 1 else "\n".join(f"{n}) {part}" for n, part in enumerate(parts, 1))

"""A document's history as a git repository: who proposed is the author, who decided the committer.

One Markdown file a section, called by its number and heading. One commit a decision that changed the text, dated when it
was proposed and when it was decided. What the team typed is one commit for a stretch of typing: the same people behind
it, one section, no pause longer than PAUSE. A milestone is an annotated tag on exactly its texts. A commit changes words
or names of files, never both in one file, so that `git blame` follows a section wherever it goes.

Nobody is named who would not be named in Word (`names`): organisations and meetings are, people only if they agreed, the
office by its name as an office. Addresses are synthetic. Only main texts are read, so drafts are not in it. The same
document gives the same bytes, and git the same commit ids.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO

from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.text import from_units
from drafting.formats.git import Commit, Tag, Writer, ref_name
from drafting.services import sections
from drafting.services.access import Actor, require
from drafting.services.git_steps import Step, steps
from drafting.services.git_voices import Said, Voices, shortened
from drafting.store.models import Document

PAUSE = timedelta(seconds=90)  # a longer one ends a stretch of typing
LONGEST = timedelta(minutes=30)  # and so does this: a day of typing is more than one commit
SUBJECT = 72  # characters; what git's lists show
NAME = 120  # bytes of a file's or a tag's name in UTF-8, of 255 that file systems hold


def write_git(session: Session, actor: Actor, document_id: int, out: BinaryIO) -> None:
    """Writes what `git fast-import` makes a repository of, with the branch main.

    needs  export
    law    the files at main are the sections' texts, those at a named version's tag its texts
    """
    document = require(session, actor, "export", document_id)
    made = _Repository(Voices(session, document), Writer(out))
    made.begin(document)
    for step in steps(session, actor, document_id):
        made.take(step)
    made.close()
    made.settle([view.id for view in sections.outline(session, actor, document_id)], made.last_at)
    made.writer.close()


@dataclass(eq=False)
class _Group:
    """Steps that become one commit. `moves`: sections came in with them; `texts`: section → units."""

    said: Said
    first_at: datetime
    last_at: datetime
    texts: dict[int, str] = field(default_factory=dict)
    moves: bool = False


class _Repository:
    """Makes commits and writes them.

    live    section → its text now, units form; `order`: the sections, `gone` those of them that were removed
    files   section → (path, text) as the last commit has them
    groups  not yet committed: each of sections of its own, or one alone with which sections came in
    """

    def __init__(self, voices: Voices, writer: Writer) -> None:
        self.voices = voices
        self.writer = writer
        self.words = voices.words
        self.tags: set[str] = set()  # their names, in small letters
        self.live: dict[int, str] = {}
        self.order: list[int] = []
        self.gone: set[int] = set()
        self.files: dict[int, tuple[str, str]] = {}
        self.groups: list[_Group] = []
        self._titles: dict[int, tuple[str, str]] = {}  # section → (text, its title)

    def begin(self, document: Document) -> None:
        """The first commit, without files: a document that has no section yet is a repository too."""
        self.last_at = document.created_at
        said = self._by_team(self.words["made"].replace("{title}", _braced(document.title)), document.municipality)
        self._commit(said, self.last_at, self.last_at, "")

    def take(self, step: Step) -> None:
        """One more step."""
        self.last_at = max(self.last_at, step.at)
        if step.milestone is not None:
            self.close()
            self.settle([each.section_id for each in step.milestone.sections], step.at)
            self._tag(step)
        elif not step.version:
            self._structure(step)
        else:
            self._revision(step)

    def close(self, upto: datetime | None = None) -> None:
        """Commits the groups, the oldest first; those that ended later stay open."""
        ready = [each for each in self.groups if upto is None or each.last_at <= upto]
        self.groups = [each for each in self.groups if each not in ready]
        for group in sorted(ready, key=lambda each: each.last_at):
            self._write(group)

    def settle(self, there: Sequence[int], at: datetime) -> None:
        """Puts the sections in the order that is known for sure."""
        if list(there) != self._there():
            self.gone = set(self.order) - set(there)
            self.order = [*there, *(each for each in self.order if each in self.gone)]
        self._name(self._by_team(self.words["reordered"]), at, at)

    # ── steps ──

    def _structure(self, step: Step) -> None:
        self.close()
        if step.kind == "reordered":
            places = iter(step.order)
            self.order = [each if each in self.gone else next(places, each) for each in self.order]
        elif step.kind == "removed":
            self.gone.add(step.section_id)
        else:
            self._bring(step.section_id, step.place)
        who = self.voices.typist(step.author_id)
        self._name(Said((), who, who, self.words[step.kind]), step.at, step.at, step.section_id)

    def _bring(self, section_id: int, place: int | None) -> None:
        self.gone.discard(section_id)
        if section_id not in self.order:
            self.order.insert(len(self.order) if place is None else max(0, place - 1), section_id)

    def _revision(self, step: Step) -> None:
        if step.decision_id is not None:
            self.close()
        group = self._group(step)
        if step.place is not None:
            self._bring(step.section_id, step.place)
            group.moves = True
        changes = ChangeSet.from_json(json.loads(step.changes or "[]"))
        units = self.live[step.section_id] = changes.apply(self.live.get(step.section_id, ""))
        group.texts[step.section_id] = units
        group.last_at = max(group.last_at, step.at)
        if step.decision_id is not None:
            self.close()

    def _group(self, step: Step) -> _Group:
        """The open group that the step belongs to, or a new one; what cannot stay open beside it is committed."""
        said = self.voices.of(step)
        self.close(step.at - PAUSE)
        for group in list(self.groups):
            if group not in self.groups:
                continue
            is_same = group.said.key == said.key and step.at - group.first_at <= LONGEST
            if is_same and (step.place is None or group.moves):
                return group
            if group.moves or step.place is not None or step.section_id in group.texts:
                self.close(group.last_at)
        group = _Group(said, said.proposed_at or step.at, step.at)
        self.groups.append(group)
        return group

    def _tag(self, step: Step) -> None:
        one = step.milestone
        assert one is not None
        plain = ref_name(_cut(re.sub(r"[\s/]+", "-", _visible(one.name)), NAME).strip("-") or "v")
        name, number = plain, 2
        while name.casefold() in self.tags | {"head", "main"}:  # file systems may not tell A from a
            name, number = f"{plain}-{number}", number + 1
        chain = f"Chain-Head: {one.chain_head}" if one.chain_head else ""
        message = "\n\n".join(filter(None, (one.name, one.note, chain))) + "\n"
        self.tags.add(name.casefold())
        self.writer.tag(Tag(name, self.writer.count - 1, self.voices.team, self.voices.local(one.at), message))

    # ── commits ──

    def _write(self, group: _Group) -> None:
        changed = {}
        for section_id, units in group.texts.items():
            path, old = self.files.get(section_id, ("", ""))
            text = from_units(units)
            if path and text != old:
                changed[path] = text
                self.files[section_id] = (path, text)
        first = next(iter(group.texts))
        if changed:
            self._commit(group.said, group.first_at, group.last_at, self._title(first), changed)
            who = group.said.committer
            self._name(Said((), who, who, self.words["names"]), group.last_at, group.last_at)
        elif not self._name(group.said, group.first_at, group.last_at, first) and group.said.proposed_at is not None:
            # a decision that changed nothing that is there is a decision all the same
            self._commit(group.said, group.first_at, group.last_at, self._title(first))

    def _name(self, said: Said, first_at: datetime, last_at: datetime, section_id: int = 0) -> bool:
        """Commits the files under the names that they should have now; False when they have them."""
        title = self._title(section_id)
        there = self._there()
        wide = max(2, len(str(len(there))))
        files = {}
        for number, each in enumerate(there, 1):
            text = self.files[each][1] if each in self.files else from_units(self.live.get(each, ""))
            name = _cut(_filed(self._title(each, text)), NAME)
            files[each] = (f"{number:0{wide}d} {name}".rstrip() + ".md", text)
        old, new = dict(self.files.values()), dict(files.values())
        self.files = files
        if old == new:
            return False
        changed = {path: text for path, text in new.items() if old.get(path) != text}
        self._commit(said, first_at, last_at, self._title(section_id) or title, changed, sorted(old.keys() - new.keys()))
        return True

    def _title(self, section_id: int, text: str | None = None) -> str:
        """The title of a section that has this text; without one, of what was committed last, else of what is there."""
        if text is None:
            text = self.files[section_id][1] if section_id in self.files else from_units(self.live.get(section_id, ""))
        known = self._titles.get(section_id)
        if known is None or known[0] != text:
            known = self._titles[section_id] = (text, sections.heading_of(text))
        return known[1]

    def _there(self) -> list[int]:
        return [each for each in self.order if each not in self.gone]

    def _by_team(self, subject: str, body: str = "") -> Said:
        return Said((), self.voices.team, self.voices.team, subject, body=body)

    def _commit(
        self,
        said: Said,
        first_at: datetime,
        last_at: datetime,
        title: str,
        files: dict[str, str] | None = None,
        removed: Sequence[str] = (),
    ) -> None:
        self.writer.commit(
            Commit(
                said.author,
                self.voices.local(first_at),
                said.committer,
                self.voices.local(last_at),
                shortened(said.subject.format(title=title or self.words["untitled"]), SUBJECT),
                said.body,
                said.trailers,
                files or {},
                tuple(removed),
            )
        )


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _visible(text: str) -> str:
    """The text composed, without characters that show nothing or turn the direction of others."""
    return "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in unicodedata.normalize("NFC", text))


def _filed(title: str) -> str:
    """The title as every file system takes it."""
    return " ".join(re.sub(r'[/\\:*?"<>|]+', " ", _visible(title)).split()).strip(" .")


def _cut(text: str, most: int) -> str:
    """Its beginning that has at most so many bytes in UTF-8."""
    return text.encode()[:most].decode(errors="ignore").strip(" .")

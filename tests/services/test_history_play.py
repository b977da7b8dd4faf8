"""People do anything to a document; attribution and difference are what following every letter says."""

from __future__ import annotations

import random
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import from_units, to_units
from drafting.services import decisions, editing, milestones, returning, sections, suggestions
from drafting.services.access import ANONYMOUS, Actor
from drafting.services.attribution_view import Reader
from drafting.services.comparison import SectionComparison, between
from drafting.services.decisions import Judged
from drafting.services.sources import Source
from drafting.store.database import Database
from drafting.store.models import Section
from tests import make
from tests.engine.histories import some
from tests.services.letters import Letter, Page, Who, typed

WORDS = ("drzewo", "ławka", "😀", "sto", "🌳", "las", "250", "park", "ω")
STEPS = 14


def who_of(source: Source) -> Who:
    """A source as the letters are told of."""
    codes = frozenset(each.code for each in source.organizations)
    if source.kind == "suggestion":
        return "suggestion", source.suggestion, codes
    if source.kind == "rewording":
        return "rewording", source.decided_by, codes
    if source.kind == "revert":
        return "revert", source.suggestion
    return (source.kind, source.author_id, codes) if source.kind == "edit" else (source.kind, source.author_id)


class Decided:
    """A decision that stands, with the letters that it took out and put in, and what stands around them."""

    def __init__(self, id_: int, number: int, section_id: int, page: Page, start: int, out: list[Letter], put: list[Letter]) -> None:
        self.id, self.number, self.section_id, self.out, self.put = id_, number, section_id, out, put
        self.version, self.codes = 0, frozenset[str]()
        self.before = page.letters[start - 1] if start else None
        after = start + len(out)
        self.after = page.letters[after] if after < len(page.letters) else None

    def place(self, page: Page) -> int | None:
        """Where its letters stand untouched between the same neighbours; None when something has happened there."""
        wanted = [each for each in (self.before, *self.put, self.after) if each is not None]
        if any(each.has_moved for each in (*wanted, *self.out)):
            return None
        # what has stood since, and was taken out by something else, is not this decision's to bring back
        if any(page.last_going(each) != self.version for each in self.out):
            return None
        for at in range(len(page.letters) - len(self.put) + 1):
            before = page.letters[at - 1] if at else None
            end = at + len(self.put)
            after = page.letters[end] if end < len(page.letters) else None
            if before is self.before and after is self.after and all(a is b for a, b in zip(page.letters[at:end], self.put, strict=True)):
                return at
        return None


class Play:
    """The same deeds done to the services and to the letters."""

    def __init__(self, session: Session, rng: random.Random) -> None:
        self.session, self.rng = session, rng
        self.document = make.document(session, phase="review")
        self.chief = make.member(session, self.document, "coordinator")
        self.official = make.member(session, self.document, "official")
        self.organizations = [make.organization(session, self.document, code=f"O{n}") for n in range(3)]
        meeting = make.meeting(session, self.document)
        self.origins = [make.origin(session, self.document, each, meeting).id for each in self.organizations]
        session.commit()
        self.pages: dict[int, Page] = {}
        self.decided: list[Decided] = []
        self.reopened: list[tuple[list[Letter], frozenset[str]]] = []
        self.named: list[tuple[int, dict[int, list[Letter]]]] = []
        self.numbers = count(1)
        self.reached: set[str] = set()
        self.looked_at: dict[int, list[Letter]] = {}
        self.names: dict[str, Letter] = {}  # a run's name is its first letter's for ever
        for _ in range(2):
            text = f"# {self.words()}\n\n{self.words()}\n\n{self.words()}\n"
            view = sections.add_section(session, self.chief, self.document.id, text)
            page = self.pages[view.id] = Page(kept={0: []})
            page.become(typed(to_units(text), ("edit", self.chief.user_id, frozenset())), 1, ())

    # ── choosing ──

    def words(self) -> str:
        return " ".join(self.rng.choices(WORDS, k=self.rng.randint(2, 5)))

    def here(self) -> list[int]:
        """The sections that are there, in their order."""
        there = select(Section.id).where(Section.document_id == self.document.id, Section.removed_at.is_(None))
        return list(self.session.scalars(there.order_by(Section.position, Section.id)))

    def version(self, section_id: int) -> int:
        return editing.text_at(self.session, ANONYMOUS, section_id).version

    def cut(self, page: Page, low: int = 0) -> int:
        """A place that splits no pair."""
        while True:
            at = self.rng.randint(low, len(page.letters))
            if at == len(page.letters) or not "\udc00" <= page.letters[at].unit <= "\udfff":
                return at

    def word(self, page: Page) -> tuple[int, int] | None:
        """Some whole word between blanks."""
        text = " " + page.text.replace("\n", " ") + " "
        starts = [at for at in range(len(text) - 1) if text[at] == " " and text[at + 1] != " "]
        if not starts:
            return None
        start = self.rng.choice(starts)
        return start, text.index(" ", start + 1) - 1

    def fresh(self) -> str:
        return f"nowe{next(self.numbers)}"

    def open_(self, section_id: int, start: int, end: int, new: str, origin: int) -> suggestions.SuggestionView:
        view = suggestions.open_suggestion(self.session, self.official, section_id, origin_ids=(self.origins[origin],))
        change = ChangeSet.of([(start, end, to_units(new))], len(self.pages[section_id].letters))
        editing.push(self.session, self.official, view.stream_id, view.branch_version, [Update(f"s{view.id}", 1, change)])
        return suggestions.file(self.session, self.official, view.id, reason="Bo tak.")

    # ── deeds ──

    def edit(self, section_id: int) -> None:
        page = self.pages[section_id]
        start = self.cut(page)
        end = self.cut(page, start) if self.rng.random() < 0.3 else start
        new = self.rng.choice([self.words(), "", " ", "\n\n"])
        author: Actor = self.rng.choice([self.chief, self.official])
        which = self.rng.choice([None, 0, 1, 2])
        origins = [] if which is None else [self.origins[which]]
        stream = editing.text_at(self.session, ANONYMOUS, section_id)
        change = ChangeSet.of([(start, end, to_units(new))], len(page.letters))
        client = f"e{next(self.numbers)}"
        editing.push(self.session, author, stream.stream_id, stream.version, [Update(client, 1, change)], origins)
        who = "edit", author.user_id, frozenset() if which is None else frozenset({self.organizations[which].code})
        page.become(page.replaced(start, end, typed(to_units(new), who)), self.version(section_id), who)

    def accept(self, section_id: int) -> None:
        """A word put in place of one, or out; now and then wanted by two, refused first, or put otherwise by the office."""
        page, rng = self.pages[section_id], self.rng
        found = self.word(page)
        if found is None:
            return
        start, end = found
        first, second = self.fresh(), self.fresh()
        new = rng.choice([first, f"{first} {second}", ""])
        one = rng.randrange(3)
        ours = self.open_(section_id, start, end, new, one)
        both = [one]
        if rng.random() < 0.3:
            both.append((one + 1) % 3)
            self.open_(section_id, start, end, new, both[1])
            self.reached.add("fulfilled")
        [hunk] = ours.open_hunks
        assert hunk.start is not None and hunk.end is not None
        assert from_units(page.text[hunk.start : hunk.end]) == hunk.ground
        if rng.random() < 0.2:
            said = decisions.decide(self.session, self.official, section_id, [Judged(ours.id, hunk.id)], "rejected", reason="Nie.")
            decisions.revert(self.session, self.official, said.decisions[0].id)
            page.kept[self.version(section_id)] = page.letters
            self.reached.add("rejected and reopened")
        codes = frozenset(self.organizations[each].code for each in both)
        if new == "":  # whose deletion of the same letters was accepted and reverted asks for it still
            going = page.letters[hunk.start : hunk.end]
            codes = codes.union(*(theirs for letters, theirs in self.reopened if letters == going))
        who: Who = ("suggestion", ours.number, codes)
        put = typed(to_units(hunk.text), who)
        wording = None
        if new == f"{first} {second}" and hunk.text == new and len(both) == 1 and rng.random() < 0.7:
            wording = f"{first} {self.fresh()}"
            office = "rewording", self.official.name, frozenset()
            put = [*typed(first, who), *typed(" ", None), *typed(wording[len(first) + 1 :], office)]
            self.reached.add("reworded")
        done = decisions.decide(
            self.session, self.official, section_id, [Judged(ours.id, hunk.id)], "accepted", reason="Tak.", wording=wording
        )
        out = page.letters[hunk.start : hunk.end]
        self.decided.append(Decided(done.decisions[0].id, ours.number, section_id, page, hunk.start, out, put))
        self.decided[-1].version, self.decided[-1].codes = self.version(section_id), codes
        page.become(page.replaced(hunk.start, hunk.end, put), self.version(section_id), who)

    def revert(self, _: int) -> None:
        self.rng.shuffle(self.decided)
        for one in self.decided:
            page = self.pages[one.section_id]
            at = one.place(page)
            if at is None or one.section_id not in self.here():
                continue
            decisions.revert(self.session, self.official, one.id, confirm=True)
            self.decided.remove(one)
            if not one.put:
                self.reopened.append((one.out, one.codes))
            after = page.replaced(at, at + len(one.put), one.out)
            page.become(after, self.version(one.section_id), ("revert", one.number))
            self.reached.add("reverted")
            return

    def move(self, section_id: int) -> None:
        other = self.rng.choice([each for each in self.here() if each != section_id] or [0])
        page = self.pages[section_id]
        if not other or not page.letters:
            return
        start, end = sorted((self.cut(page), self.cut(page)))
        to = self.cut(self.pages[other])
        if start < end:
            editing.move(self.session, self.chief, section_id, start, end, other, to)
            self.moved(section_id, start, end, other, to)

    def moved(self, section_id: int, start: int, end: int, other: int, to: int) -> None:
        page, there = self.pages[section_id], self.pages[other]
        passage = page.letters[start:end]
        for each in passage:
            each.has_moved = True
        by = "move", self.chief.user_id
        there.become(there.replaced(to, to, passage), self.version(other), by)
        page.become(page.replaced(start, end, []), self.version(section_id), by)
        self.reached.add("moved")

    def split(self, section_id: int) -> None:
        page = self.pages[section_id]
        at = self.cut(page)
        if not 0 < at < len(page.letters) or len(self.here()) > 3:
            return
        new = editing.split(self.session, self.chief, section_id, at)
        self.pages[new] = Page(kept={0: []})
        self.moved(section_id, at, len(page.letters), new, 0)
        self.reached.add("split")

    def merge(self, section_id: int) -> None:
        here = self.here()
        if len(here) < 3:
            return
        into = self.rng.choice([each for each in here if each != section_id])
        editing.merge(self.session, self.chief, section_id, into)
        if self.pages[section_id].letters:
            self.moved(section_id, 0, len(self.pages[section_id].letters), into, len(self.pages[into].letters))
        self.reached.add("merged")

    def restore(self, section_id: int) -> None:
        page = self.pages[section_id]
        version = self.rng.choice(list(page.kept))
        editing.restore(self.session, self.chief, section_id, version)
        page.become(page.kept[version], self.version(section_id), ("restore", self.chief.user_id))
        self.reached.add("restored")

    def name(self, _: int) -> None:
        made = milestones.create_milestone(self.session, self.chief, self.document.id, self.fresh())
        self.named.append((made.id, {each: self.pages[each].letters for each in self.here()}))

    def take_back(self, _: int) -> None:
        if not self.named:
            return
        id_, texts = self.rng.choice(self.named)
        returning.restore_milestone(self.session, self.chief, id_)
        assert self.here() == list(texts), "sections and their order"
        for section_id, letters in texts.items():
            self.pages[section_id].become(letters, self.version(section_id), ("restore", self.chief.user_id))
        self.reached.add("taken back")

    def step(self) -> None:
        deeds = {
            self.edit: 6, self.accept: 6, self.revert: 3, self.move: 2, self.split: 1, self.merge: 1, self.restore: 2,
            self.name: 1, self.take_back: 1,
        }  # fmt: skip
        [deed] = self.rng.choices(list(deeds), list(deeds.values()))
        deed(self.rng.choice(self.here()))
        for section_id, page in self.pages.items():
            if page.letters is self.looked_at.get(section_id):
                continue
            self.looked_at[section_id] = page.letters
            assert to_units(editing.text_at(self.session, ANONYMOUS, section_id).text) == page.text, deed.__name__

    # ── holding against the letters ──

    def check(self) -> None:
        reader = Reader(self.session, self.document.id)
        assert self.here() == [each.id for each in sections.outline(self.session, ANONYMOUS, self.document.id)]
        for section_id, page in self.pages.items():
            self.check_attribution(reader, section_id, self.version(section_id), page.letters)
            for version in self.rng.sample(list(page.kept), min(3, len(page.kept))):
                self.check_attribution(reader, section_id, version, page.kept[version])
            for _ in range(8):
                a, b = sorted(self.rng.choices(list(page.kept), k=2))
                self.check_difference(page, between(reader, section_id, "", a, b), a, b)

    def check_attribution(self, reader: Reader, section_id: int, version: int, letters: list[Letter]) -> None:
        view = reader.attribution(section_id, version)
        units = to_units(view.text)
        assert units == "".join(each.unit for each in letters), f"section {section_id}, version {version}"
        pos = 0
        for run in view.runs:
            assert run.start == pos, "runs add up"
            pos = run.end
            assert self.names.setdefault(run.key, letters[run.start]) is letters[run.start], run.key
            for each in letters[run.start : run.end]:
                assert each.who is None or each.who == who_of(run.source), f"{section_id}/{version}: {units[run.start : run.end]!r}"
        assert pos == len(letters)

    def check_difference(self, page: Page, compared: SectionComparison, a: int, b: int) -> None:
        old, new = page.kept[a], page.kept[b]
        case = f"section {compared.section_id} from {a} to {b}"
        stays_a, stays_b = [True] * len(old), [True] * len(new)
        for each in compared.changes:
            assert each.source is not None
            if each.kind == "inserted":
                said, stays = new[each.start_b : each.end_b], stays_b
                stays[each.start_b : each.end_b] = [False] * len(said)
                for letter in said:
                    assert letter.who is None or letter.who == who_of(each.source), case
            else:
                assert each.kind == "deleted" and each.brought is not None
                said, stays = old[each.start_a : each.end_a], stays_a
                stays[each.start_a : each.end_a] = [False] * len(said)
                for letter in said:
                    assert letter.who is None or letter.who == who_of(each.brought), case
                    if not letter.has_moved:
                        assert page.remover(letter, a, b) == who_of(each.source), case
            assert self.names.setdefault(each.key, said[0]) is said[0], case
            assert to_units(each.text) == "".join(letter.unit for letter in said), case
        kept_a = [letter for letter, stays in zip(old, stays_a, strict=True) if stays]
        kept_b = [letter for letter, stays in zip(new, stays_b, strict=True) if stays]
        assert len(kept_a) == len(kept_b) and all(one is other for one, other in zip(kept_a, kept_b, strict=True)), case
        if not any(letter.has_moved for letter in (*old, *new)):
            both = {id(letter) for letter in old} & {id(letter) for letter in new}
            assert {id(letter) for letter in kept_a} == both, f"{case}: what stands in both is kept"


def test_law_8_whatever_people_do_every_letter_has_the_source_that_following_it_says(database: Database, ticking: None) -> None:
    reached: set[str] = set()
    for seed in range(some(16, 220 if database.engine.dialect.name == "sqlite" else 30)):
        with database.session() as session:
            play = Play(session, random.Random(seed))
            try:
                for _ in range(STEPS):
                    play.step()
                play.check()
            except Exception as error:
                raise AssertionError(f"seed {seed}: {error}") from error
            reached |= play.reached
    assert reached >= {
        "fulfilled", "rejected and reopened", "reworded", "reverted", "moved", "split", "merged", "restored", "taken back",
    }  # fmt: skip

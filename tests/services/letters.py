"""A document of letters: what the past must tell, followed letter by letter from what people did and from nothing else.

It reads no log, no span and no row. Each letter is an object with whoever brought it in; what people do moves, drops and
brings back these objects in plain lists, so whatever the services say of a letter can be held against the one that was
followed. It knows nothing of how the services do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Who = tuple[object, ...]


class Letter:
    """One code unit. who: brought it in; None for a blank of a reworded proposal, which may be either's."""

    __slots__ = ("has_moved", "unit", "who")

    def __init__(self, unit: str, who: Who | None) -> None:
        self.unit = unit
        self.who = who
        self.has_moved = False


@dataclass
class Page:
    """A section: its letters now and at every version that was looked at, and who took which letter out when."""

    letters: list[Letter] = field(default_factory=list)
    kept: dict[int, list[Letter]] = field(default_factory=dict)
    goings: list[tuple[int, frozenset[int], Who]] = field(default_factory=list)

    def become(self, letters: Sequence[Letter], version: int, by: Who) -> None:
        """The letters from this version on; what is no longer among them was taken out by `by`."""
        still = {id(each) for each in letters}
        self.goings.append((version, frozenset(id(each) for each in self.letters if id(each) not in still), by))
        self.letters = list(letters)
        self.kept[version] = self.letters

    def replaced(self, start: int, end: int, letters: Sequence[Letter]) -> list[Letter]:
        return [*self.letters[:start], *letters, *self.letters[end:]]

    def remover(self, letter: Letter, a: int, b: int) -> Who:
        """Who took it out last between two versions."""
        return [by for version, gone, by in self.goings if a < version <= b and id(letter) in gone][-1]

    def last_going(self, letter: Letter) -> int:
        """The version that took it out last."""
        return [version for version, gone, _ in self.goings if id(letter) in gone][-1]

    @property
    def text(self) -> str:
        return "".join(each.unit for each in self.letters)


def typed(units: str, who: Who | None) -> list[Letter]:
    return [Letter(each, who) for each in units]

"""An independent and slow account of a history: every character is an object that is followed through lists.

No code is shared with the engine: it reads nothing but replacements (start, end, text) and carried spans as plain
tuples. All characters that ever stood are in one list, living and dead, in the order the rules give them.
"""

from __future__ import annotations


class Character:
    """One code unit. identity: who brought it in first; born: the revision that put this object here."""

    def __init__(self, letter, identity, born, offset):
        self.letter = letter
        self.identity = identity
        self.born = born
        self.offset = offset
        self.alive_at = set()  # versions
        self.dead_by = 0
        self.is_alive = True


class History:
    """Revisions one after the other, followed character by character."""

    def __init__(self):
        self.everything = []
        self.version = 0
        self.texts = [""]

    def living(self):
        return [each for each in self.everything if each.is_alive]

    def living_at(self, version):
        return [each for each in self.everything if version in each.alive_at]

    def revise(self, replacements, carried=None):
        """One revision: replacements in positions of the text before it."""
        self.version += 1
        before = self.living()
        identities = []
        if carried is None:
            size = sum(len(text) for _, _, text in replacements)
            identities = [(0, self.version, i) for i in range(size)]
        else:
            for length, stream, version, offset in carried:
                identities += [(stream, version, offset + i) for i in range(length)]
        offset = 0
        for start, end, text in replacements:
            for each in before[start:end]:
                each.is_alive = False
                each.dead_by = self.version
            # What replaces stands before what it replaces; what comes back looks for its dead ones in the whole gap.
            after = end if carried is not None else start
            follower = before[after] if after < len(before) else None
            self._insert(text, identities[offset : offset + len(text)], offset, follower)
            offset += len(text)
        for each in self.everything:
            if each.is_alive:
                each.alive_at.add(self.version)
        self.texts.append("".join(each.letter for each in self.everything if each.is_alive))

    def _insert(self, text, identities, offset, follower):
        """Before the follower. One character after the other: where a dead one of the same identity waits, it wakes."""
        stop = self.everything.index(follower) if follower else len(self.everything)
        here = stop
        while here > 0 and not self.everything[here - 1].is_alive:
            here -= 1
        waiting = []  # new characters whose place is before the next one that wakes, or at the end
        for i, (letter, identity) in enumerate(zip(text, identities, strict=True)):
            found = None
            for k in range(here, stop):
                if self.everything[k].identity == identity and not self.everything[k].is_alive:
                    found = k
                    break
            if found is None:
                waiting.append(Character(letter, identity, self.version, offset + i))
                continue
            assert self.everything[found].letter == letter
            self.everything[found:found] = waiting
            found += len(waiting)
            stop += len(waiting)
            waiting = []
            self.everything[found].is_alive = True
            self.everything[found].dead_by = 0
            here = found + 1
        self.everything[stop:stop] = waiting


def deleter(history, character, version):
    """The revision that had deleted a character last, as of a version at which it is dead but had stood before."""
    last = max(v for v in character.alive_at if v <= version)
    return last + 1

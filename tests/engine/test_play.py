"""Three writers and one authority: delays, resends, lost acknowledgements, partial pulls, restarts. All end equal."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import from_units
from tests.engine.crowded import random_changes
from tests.engine.writer import Authority, Writer
from tests.seeds import for_seeds

COLLAB = Path(__file__).parent.parent / "vectors" / "collab.json.gz"
LONGEST = 7  # a text under 8 characters is crowded: everything meets everything


class Network:
    """Messages on their way: pushes and answers wait, are doubled, overtake each other or are lost."""

    def __init__(self, rng: random.Random, authority: Authority, writers: list[Writer]) -> None:
        self.rng = rng
        self.authority = authority
        self.writers = writers
        self.pushes: list[tuple[int, list[Update]]] = []
        self.answers: list[tuple[Writer, tuple[int, list[Update]]]] = []

    def step(self) -> None:
        rng, writer = self.rng, self.rng.choice(self.writers)
        action = rng.random()
        if action < 0.30:
            if len(writer.text) <= LONGEST:
                changes = random_changes(rng, writer.text, 2)
                if changes.new_length <= LONGEST:
                    writer.type(changes)
        elif action < 0.50:
            if writer.pending:
                self.pushes.append(writer.message())
        elif action < 0.70:
            if self.pushes:
                self.deliver_push()
        elif action < 0.80:
            most = rng.choice([1, 1, 2, 3, None])
            self.answers.append((writer, self.authority.pull(writer.version, most)))
        elif action < 0.97:
            if self.answers:
                # in any order: one that comes too early is not taken, one that comes again changes nothing
                receiver, message = self.answers.pop(rng.randrange(len(self.answers)))
                receiver.receive(*message)
        else:
            self.authority.forget()

    def deliver_push(self) -> None:
        place = self.rng.randrange(len(self.pushes))
        version, updates = self.pushes[place] if self.rng.random() < 0.2 else self.pushes.pop(place)
        before = len(self.authority.log)
        self.authority.push(version, updates)
        if self.rng.random() < 0.6:  # the news to everybody, which is the acknowledgement too; otherwise lost
            for writer in self.writers:
                if self.rng.random() < 0.8:
                    self.answers.append((writer, (before, self.authority.log[before:])))

    def settle(self) -> None:
        """Everybody sends and fetches until nothing is under way."""
        self.rng.shuffle(self.writers)
        for _ in range(2):
            for writer in self.writers:
                writer.receive(*self.authority.pull(writer.version))
                self.authority.push(*writer.message())
                writer.receive(*self.authority.pull(writer.version))
        for writer in self.writers:
            writer.receive(*self.authority.pull(writer.version))


@for_seeds(smoke=600, full=12_000)
def test_law_3_and_5_three_writers_end_with_one_text(rng: random.Random):
    authority = Authority()
    writers = [Writer(name) for name in "ABC"]
    network = Network(rng, authority, list(writers))
    for _ in range(rng.randint(5, 60)):
        network.step()
    network.settle()
    text = ""
    for update in authority.log:
        text = update.changes.apply(text)
    assert authority.text == text
    for writer in writers:
        assert not writer.pending and writer.version == len(authority.log)
        assert writer.text == text, f"{writer.client} shows {writer.text!r}, stored is {text!r}"
    keys = [(update.client, update.sequence) for update in authority.log]
    assert len(keys) == len(set(keys)), "an update was stored twice"
    for writer in writers:
        sequences = [sequence for client, sequence in keys if client == writer.client]
        assert sequences == list(range(writer._sequence)), "an update is missing or out of order"


def test_real_codemirror_clients_and_this_authority_store_the_same_to_the_byte():
    """Plays of three `@codemirror/collab` clients (tests/vectors/generate_collab.mjs), their pushes replayed here."""
    plays = json.loads(gzip.decompress(COLLAB.read_bytes()))["plays"]
    assert len(plays) >= 500
    for number, play in enumerate(plays):
        authority = Authority()
        for push in play["pushes"]:
            updates = [
                Update(push["client"], update["sequence"], ChangeSet.from_json(update["changes"]))
                for update in push["updates"]
            ]
            authority.push(push["version"], updates)
        stored = [
            {"client": update.client, "sequence": update.sequence, "changes": update.changes.to_json()}
            for update in authority.log
        ]
        assert json.dumps(stored) == json.dumps(play["stored"]), f"play {number}"
        assert from_units(authority.text) == play["text"], f"play {number}"

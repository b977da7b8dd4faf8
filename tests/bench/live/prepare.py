"""Makes the instance that bench_live serves: a document with one section, its writers, and open suggestions.

    prepare.py INSTANCE SUGGESTIONS < TEXT      prints {"stream", "section", "people": [{"cookie"}]} as JSON

Everything goes through the services, so that the rows are what real use leaves; the suggestions each replace a word.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta

import flask
from flask_wtf.csrf import generate_csrf

from drafting.config import load_settings
from drafting.engine.changes import ChangeSet
from drafting.engine.rebase import Update
from drafting.engine.text import to_units
from drafting.services import accounts, clock, documents, editing, people, sections, suggestions
from drafting.services.access import SERVER, actor_of
from drafting.store.database import Database, transaction
from drafting.store.migrations import upgrade
from drafting.web import identity
from drafting.web.app import create_app

DRAFTERS = 50
WORD = "drzewa"


def main(instance: str, number: int, text: str) -> None:
    settings = load_settings({**os.environ, "DRAFTING_INSTANCE_PATH": instance})
    database = Database(settings.database_url)
    upgrade(database)
    with database.write() as session, transaction(session):
        founder = accounts.create_user(session, SERVER, "founder@bench.example", "Founder", is_operator=True)
        coordinator = actor_of(session, founder.id)
        document = documents.create_document(session, coordinator, "Bench", slug="bench")
        coordinator = actor_of(session, founder.id)
        section = sections.add_section(session, coordinator, document.id, text)
        organization = people.add_organization(session, coordinator, document.id, "Bench organisation")
        drafters = [accounts.create_user(session, SERVER, f"d{k}@bench.example", f"Drafter {k}") for k in range(DRAFTERS)]
        for each in drafters:
            people.add_member(session, coordinator, document.id, each.id, "drafter")
        ngo = accounts.create_user(session, SERVER, "ngo@bench.example", "NGO")
        people.add_member(session, coordinator, document.id, ngo.id, "contributor", organization.id)
        documents.set_phase(session, coordinator, document.id, "consultation", ends_at=clock.now() + timedelta(days=9))
        author = actor_of(session, ngo.id)
        origin = people.use_origin(session, author, document.id, organization.id)
        view = editing.text_at(session, author, section.id)
        units = to_units(view.text)
        places = [at for at in range(len(units)) if units.startswith(WORD, at)]
        for k in range(number):
            opened = suggestions.open_suggestion(session, author, section.id, origin_ids=[origin.id])
            at = places[k * len(places) // number]
            change = ChangeSet.of([(at, at + len(WORD), f"krzewy{k}")], len(units))
            editing.push(session, author, opened.stream_id, opened.branch_version, [Update(f"bench-{k}", 1, change)])
            suggestions.file(session, author, opened.id, reason="For the measurement.")
    database.close()
    app = create_app(settings)
    serializer = app.session_interface.get_signing_serializer(app)
    cookies = []
    for each in drafters:
        with app.test_request_context():
            with app.extensions["database"].read() as reading:
                identity.begin_session(actor_of(reading, each.id))
            token = generate_csrf()
            cookie = f"{app.config['SESSION_COOKIE_NAME']}={serializer.dumps(dict(flask.session))}"
            cookies.append({"cookie": cookie, "csrf": token})
    print(json.dumps({"stream": view.stream_id, "section": section.id, "people": cookies}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.stdin.read())

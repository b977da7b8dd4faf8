"""An application on an empty database, and visitors to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.serving import make_server

from drafting.config import Settings, load_settings
from drafting.services.access import ANONYMOUS, Actor
from drafting.store.database import Database
from drafting.web.app import create_app

CSRF = "0" * 40


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an instance folder of this test's own; passwords may be guessed as often as a test likes."""
    return load_settings({}, instance_path=tmp_path / "instance", testing=True, sign_in_limit="10000 per minute")


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The application on `database`, with its live server; runs on SQLite and on PostgreSQL."""
    application = create_app(settings, database=database)
    yield application
    application.extensions["live"].stop()


def visitor(app: Flask, actor: Actor = ANONYMOUS) -> FlaskClient:
    """A browser in which this person is signed in; it sends a good CSRF token with everything."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["csrf_token"] = CSRF
        if actor.user_id is not None:
            session["_user_id"] = f"{actor.user_id}.{actor.session_epoch}"
            session["_fresh"] = True
    serializer = URLSafeTimedSerializer(app.config["SECRET_KEY"], salt="wtf-csrf-token")
    client.environ_base["HTTP_X_CSRFTOKEN"] = serializer.dumps(CSRF)
    client.environ_base["HTTP_REFERER"] = "http://localhost/"
    return client


@contextmanager
def served(app: Flask) -> Iterator[int]:
    """The port on which the application answers, sockets too, in threads of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

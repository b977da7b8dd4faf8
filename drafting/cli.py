"""The command line of the machine that holds the database: serve, demo, import, export, report, user, verify, backup.

Whoever can run it may do everything, so commands act as the operator `SERVER`, or as the person that `--as` names. Each
prints what it did in words; a refusal is one line on standard error and exit status 1.
"""

from __future__ import annotations

import argparse
import errno
import gc
import io
import os
import shutil
import socket
import sqlite3
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from drafting.config import Settings, ignored_variables, load_settings
from drafting.engine.text import without_controls
from drafting.errors import DraftingError, InvalidFile, InvalidInput, NotFound, WrongState
from drafting.services import accounts, audit, documents, invitations, sections
from drafting.services.access import SERVER, Actor, Role, actor_of
from drafting.store.database import Database, ServerLock, transaction
from drafting.store.migrations import open_database
from drafting.store.models import Document, Membership, User

FIRST_ACCOUNT = 'python -m drafting user create you@example.org "Your name"'


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    options = parser().parse_args(arguments)
    try:
        _read_words(options)
        for sentence in ignored_variables():
            print(f"drafting: {sentence}", file=sys.stderr)
        given = {name: getattr(options, name, None) for name in ("host", "port", "threads", "workers")}
        settings = load_settings(instance_path=options.instance, **given)
        return options.run(settings, options) or 0
    except DraftingError as error:
        print(f"drafting: {error.message}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        print("drafting: stopped", file=sys.stderr)
        return 130
    except OperationalError as error:  # not there, full, or not to be written
        print(f"drafting: the database cannot be used: {str(error.orig).strip()}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"drafting: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}", file=sys.stderr)
        return 1


def _read_words(options: argparse.Namespace) -> None:
    """Reads words that were given as the fields of a form are read: without control characters, and they are text.

    raises  InvalidInput naming what is not
    """
    for name, value in vars(options).items():
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise InvalidInput(f"{name} is not text in UTF-8: {value!r:.80}", field=name) from None
            setattr(options, name, without_controls(value))


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    made = argparse.ArgumentParser(prog="drafting", description="A city and its NGOs write a programme together.")
    made.add_argument("--instance", metavar="FOLDER", help="where data lives; default instance/")
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the pages and the live editor")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.add_argument("--threads", type=int, help="more than open browser windows and requests together")
    serve.add_argument("--workers", type=int, help="more than one needs PostgreSQL and Redis")
    serve.set_defaults(run=run_serve)

    demo = commands.add_parser("demo", help="load the demo programme into an empty database")
    demo.add_argument("--if-empty", action="store_true", help="do nothing, silently, when there is a document already")
    demo.set_defaults(run=run_demo)

    load = commands.add_parser("import", help="make a document of a Markdown file, in sections by its headings")
    load.add_argument("file", type=Path, metavar="FILE.md")
    load.add_argument(
        "--title", default="", help="default: the heading that stands alone at the top, or the file's name"
    )
    load.add_argument("--slug", default="", help="the last part of its address; default: made from the title")
    load.add_argument("--as", dest="email", default="", help="its coordinator; default: the first operator")
    load.add_argument("--publish", action="store_true", help="everybody may read it")
    load.set_defaults(run=run_import)

    export = commands.add_parser("export", help="write a document to a file; the ending says the form")
    export.add_argument("slug")
    export.add_argument(
        "file", type=Path, metavar="FILE",
        help="ends in .md .html .pdf, or in .docx or .critic.md (CriticMarkup), which also show what is proposed, "
        "or in .fast-import: its history for `git fast-import`",
    )  # fmt: skip
    export.set_defaults(run=run_export)

    report = commands.add_parser("report", help="write the consultation report; the ending says the form")
    report.add_argument("slug")
    report.add_argument("file", type=Path, metavar="FILE")
    report.set_defaults(run=run_report)

    user = commands.add_parser("user", help="accounts of this server")
    kinds = user.add_subparsers(required=True, metavar="WHAT")
    create = kinds.add_parser("create", help="make an account; prints a link to set its password")
    create.add_argument("email")
    create.add_argument("name")
    create.add_argument("--operator", action="store_true", help="may create documents; the first account always may")
    create.add_argument("--language", default="pl")
    create.set_defaults(run=run_user_create)
    link = kinds.add_parser("link", help="print a link that sets a new password")
    link.add_argument("email")
    link.set_defaults(run=run_user_link)
    operator = kinds.add_parser("operator", help="let somebody create documents")
    operator.add_argument("email")
    operator.add_argument("--no", action="store_true", help="no longer")
    operator.set_defaults(run=run_user_operator)
    remove = kinds.add_parser("anonymise", help="take name and address from an account for good")
    remove.add_argument("email")
    remove.set_defaults(run=run_user_anonymise)
    kinds.add_parser("list", help="all accounts").set_defaults(run=run_user_list)

    verify = commands.add_parser(
        "verify", help="recompute everything from the logs and name the first row that disagrees"
    )
    verify.add_argument("slug", nargs="?", help="one document; default: all")
    verify.set_defaults(run=run_verify)

    backup = commands.add_parser("backup", help="write the database and the uploads to one file, also while serving")
    backup.add_argument("file", type=Path, metavar="FILE.tar.gz")
    backup.set_defaults(run=run_backup)
    return made


# ── serve and demo ──────────────────────────────────────────────────────────────────────────────────────


def run_serve(settings: Settings, options: argparse.Namespace) -> int:
    """Serves until it is stopped. One worker with many threads; several with PostgreSQL and Redis."""
    from gunicorn.app.base import BaseApplication

    if settings.is_sqlite:  # a worker that cannot have the file would only say so in its log
        ServerLock(settings.instance_path / "server.lock", patience=1).release()
    _check_port(settings.host, settings.port)
    address = settings.base_url or f"http://{_host_of(settings)}:{settings.port}"
    with _opened(settings) as database:
        greeting = _greeting(settings, database, address)
    # The workers read their settings anew, from the environment.
    for name in ("host", "port", "threads", "workers"):
        os.environ[f"DRAFTING_{name.upper()}"] = str(getattr(settings, name))
    os.environ["DRAFTING_INSTANCE_PATH"] = str(settings.instance_path)

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": f"{settings.host}:{settings.port}",
                "worker_class": "gthread",
                "workers": settings.workers,
                "threads": settings.threads,
                "worker_connections": 2 * settings.threads,
                "graceful_timeout": 5,  # for requests under way; sockets are closed at once
                "timeout": 120,
                "proc_name": "drafting",
                "loglevel": "warning",
                "post_worker_init": ready,
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            from drafting.web.app import create_app

            return create_app()

    def ready(worker: Any) -> None:
        worker.wsgi.extensions["live"].warming.join(FIRST_WAIT)
        threading.Thread(target=_tend, args=(worker,), daemon=True).start()
        if worker.age == 1:
            print(greeting, flush=True)

    Server().run()
    return 0


def _check_port(host: str, port: int) -> None:
    """Refuses an address that cannot be served before anything is started. raises: WrongState"""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: an old connection is no hindrance
            listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"port {port} is taken by another program; stop it, or choose another port: --port {port % 65535 + 1}"
        else:
            why = f"{host}:{port} cannot be served: {error.strerror}; choose another address with --host and --port"
        raise WrongState(why, port=port) from None


FIRST_WAIT = 1.0  # s at most that a worker reads the sections that moved last before it answers anybody
GARBAGE = (20_000, 20, 20)  # new objects before a collection of the young, of the middle-aged, of all


def _tend(worker: Any) -> None:
    """Looks after a worker's memory at its beginning and after its sockets at its end.

    What a worker has read when it is warm stays; the collector would go through it again and again, and everybody
    waits meanwhile (measured: 60 to 160 ms, every few seconds under load). When gunicorn's worker is told to end, what
    was pushed is stored and answered and the sockets are closed: each holds a thread, waited for in vain otherwise.
    """
    live = worker.wsgi.extensions["live"]
    live.warming.join()
    gc.freeze()  # without collecting first: the first to come would wait for that
    gc.set_threshold(*GARBAGE)
    is_ahead = False
    while worker.alive:
        if not is_ahead and not live.ahead.is_alive():
            is_ahead = True
            gc.freeze()  # what was read ahead stays too
        time.sleep(0.1)
    live.stop()


def _host_of(settings: Settings) -> str:
    return "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host


def _greeting(settings: Settings, database: Database, address: str) -> str:
    """What is printed when the server is ready: the address, and for the demo a link for each kind of person."""
    from drafting.web import identity

    lines = ["", f"  Drafting is at {address}"]
    with database.read() as session:
        for document in session.scalars(select(Document).where(Document.slug == _demo_slug())):
            lines += ["", f"  {document.title}", f"  {address}/d/{document.slug}", "", "  Sign in as"]
            for label, user_id in _demo_people(session, document):
                epoch = session.get_one(User, user_id).session_epoch
                token = identity.sign_in_token(settings.secret_key, user_id, epoch)
                lines += [f"    {label}", f"      {address}/enter/{token}?next=/d/{document.slug}/"]
        if len(lines) == 2 and session.scalar(select(User.id).limit(1)) is None:
            lines.append(f"  There is no account yet: {FIRST_ACCOUNT}")
    return "\n".join([*lines, "", "  Stop with Ctrl-C", ""])


def _demo_slug() -> str:
    try:
        from drafting.demo import SLUG
    except ImportError:
        return "program-wspolpracy-2027-2030"
    return SLUG


def _demo_people(session: Session, document: Document) -> list[tuple[str, int]]:
    """One person of the team, two of NGOs, an official and a coordinator: whoever was there first."""
    wanted = ((Role.DRAFTER, 1), (Role.CONTRIBUTOR, 2), (Role.OFFICIAL, 1), (Role.COORDINATOR, 1))
    found = []
    for role, number in wanted:
        rows = session.execute(
            select(Membership)
            .join(User, User.id == Membership.user_id)
            .where(
                Membership.document_id == document.id,
                Membership.role == str(role),
                Membership.ended_at.is_(None),
                User.email.endswith(".example"),
            )
            .order_by(Membership.id)
            .limit(number)
        ).unique()
        for (member,) in rows:
            whose = f" ({member.organization.name})" if member.organization and role is Role.CONTRIBUTOR else ""
            found.append((f"{role}{whose}", member.user_id))
    return found


def run_demo(settings: Settings, options: argparse.Namespace) -> int:
    """Loads the demo, which is made by driving the services."""
    with _opened(settings) as database:
        with database.read() as session:
            slug = session.scalar(select(Document.slug).limit(1))
        if slug is not None:
            if options.if_empty:
                return 0
            raise WrongState(
                f"the database has a document already (/d/{slug}); the demo goes into an empty database: "
                "name another folder with --instance"
            )
        from drafting.demo.loader import load

        load(database)
        print("The demo is loaded.")
    return 0


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────


def run_import(settings: Settings, options: argparse.Namespace) -> int:
    """Makes a document of a Markdown file; everything or nothing."""
    from drafting.formats.references import read_sections

    try:
        content = options.file.read_bytes()
    except OSError as error:
        raise InvalidFile(f"{options.file} cannot be read: {error.strerror}") from None
    try:
        found = read_sections(content)
    except InvalidFile as error:
        raise InvalidFile(f"{options.file} {error.message}") from None
    with _opened(settings) as database, database.write() as session:
        actor = _acting(session, options.email)
        with transaction(session):
            title = options.title or found.title or os.fsencode(options.file.stem).decode("utf-8", "replace")
            document = documents.create_document(session, actor, title, slug=options.slug)
            actor = actor_of(session, actor.user_id)
            sections.add_sections(session, actor, document.id, [part.text for part in found.parts])
            if options.publish:
                documents.publish(session, actor, document.id)
        total = sum(view.length for view in sections.outline(session, actor, document.id))
    count = "1 section" if len(found.parts) == 1 else f"{len(found.parts)} sections"
    print(f"{document.title}: {count}, {total} characters, at /d/{document.slug}")
    return 0


def run_export(settings: Settings, options: argparse.Namespace) -> int:
    """Writes a document in the form that the file's ending names."""
    from drafting.services import exchange

    with _opened(settings) as database, database.read() as session:
        document = _document(session, options.slug)
        ending = exchange.ending_of(options.file.name)
        made = exchange.export_file(session, _reader(session, document), document.id, ending)
    with made:
        _write(options.file, made)
    return 0


def run_report(settings: Settings, options: argparse.Namespace) -> int:
    """Writes the consultation report in the form that the file's ending names."""
    from drafting.services import reporting

    with _opened(settings) as database, database.read() as session:
        document = _document(session, options.slug)
        ending = options.file.suffix.lstrip(".").lower()
        content = reporting.report_file(session, _reader(session, document), document.id, ending)
    _write(options.file, io.BytesIO(content))
    return 0


def _write(path: Path, made: BinaryIO) -> None:
    """Copies a file that was made to its place and says how long it is. raises: InvalidFile"""
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(made, file)
            size = file.tell()
    except OSError as error:
        raise InvalidFile(f"{path} cannot be written: {error.strerror}") from None
    print(f"{path}: {size} bytes")


def run_verify(settings: Settings, options: argparse.Namespace) -> int:
    """Checks the chain of events, and everything that can be recomputed from the logs; 1 when something disagrees."""
    from drafting.services import verify

    broken = False
    with _opened(settings) as database, database.read() as session:
        query = select(Document).order_by(Document.id)
        rows = [_document(session, options.slug)] if options.slug else session.scalars(query).all()
        for document in rows:
            chain = audit.verify_chain(session, document.id)
            faults = [] if chain.is_whole else [chain.why]
            faults += [str(fault) for fault in verify.verify_document(session, document.id)]
            for fault in faults:
                print(f"{document.slug}: {fault}")
            if not faults:
                print(f"{document.slug}: as its logs say; {chain.events} events, head {chain.head}")
            broken = broken or bool(faults)
    return 1 if broken else 0


def _document(session: Session, slug: str) -> Document:
    row = session.scalar(select(Document).where(Document.slug == slug))
    if row is None:
        known = ", ".join(session.scalars(select(Document.slug).order_by(Document.slug))) or "none"
        raise NotFound(f"there is no document {slug!r}; there are: {known}")
    return row


def _acting(session: Session, email: str) -> Actor:
    """The person that --as names, as an operator for this command; else the first operator."""
    if email:
        person = accounts.find_user(session, SERVER, email).id
    else:
        found = session.scalar(select(User.id).where(User.is_operator.is_(True)).order_by(User.id).limit(1))
        if found is None:
            raise NotFound(
                'there is no operator yet; first: python -m drafting user create you@example.org "Your name"'
            )
        person = found
    return replace(actor_of(session, person), is_operator=True)


def _reader(session: Session, document: Document) -> Actor:
    """Somebody who may read the document: its first coordinator."""
    person = session.scalar(
        select(Membership.user_id)
        .where(
            Membership.document_id == document.id,
            Membership.role == str(Role.COORDINATOR),
            Membership.ended_at.is_(None),
        )
        .order_by(Membership.id)
        .limit(1)
    )
    return actor_of(session, person)


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────


def run_user_create(settings: Settings, options: argparse.Namespace) -> int:
    """Makes an account; the first of a server is an operator's."""
    with _opened(settings) as database, database.write() as session, transaction(session):
        first = session.scalar(select(User.id).where(User.is_operator.is_(True)).limit(1)) is None
        made = accounts.create_user(
            session,
            SERVER,
            options.email,
            options.name,
            language=options.language,
            is_operator=options.operator or first,
        )
        link = invitations.make_reset_link(session, SERVER, made.id)
    print(f"{made.name} <{made.email}>" + (", operator" if made.is_operator else ""))
    _print_link(settings, link)
    return 0


def run_user_link(settings: Settings, options: argparse.Namespace) -> int:
    """Prints a link with which a person sets a new password."""
    with _opened(settings) as database, database.write() as session:
        link = invitations.make_reset_link(session, SERVER, accounts.find_user(session, SERVER, options.email).id)
    _print_link(settings, link)
    return 0


def run_user_operator(settings: Settings, options: argparse.Namespace) -> int:
    """Makes a person an operator, or no longer one."""
    with _opened(settings) as database, database.write() as session:
        found = accounts.find_user(session, SERVER, options.email)
        view = accounts.set_operator(session, SERVER, found.id, not options.no)
    print(f"{view.name} is {'an operator' if view.is_operator else 'not an operator'}")
    return 0


def run_user_anonymise(settings: Settings, options: argparse.Namespace) -> int:
    """Takes name and address from an account."""
    with _opened(settings) as database, database.write() as session:
        found = accounts.find_user(session, SERVER, options.email)
        accounts.anonymise(session, SERVER, found.id)
    print(f"account {found.id} has no name and no address any more")
    return 0


def run_user_list(settings: Settings, options: argparse.Namespace) -> int:
    """Prints all accounts."""
    with _opened(settings) as database, database.read() as session:
        for view in accounts.users(session, SERVER):
            print(
                f"{view.id:>5}  {view.email or '(anonymised)':<40} {view.name}"
                + ("  operator" if view.is_operator else "")
            )
    return 0


def _print_link(settings: Settings, link: invitations.Link) -> None:
    address = settings.base_url or f"http://{_host_of(settings)}:{settings.port}"
    print(f"Set a password at {address}/reset/{link.token}")
    print(f"good once, until {link.expires_at:%Y-%m-%d %H:%M} UTC, while the server runs (python -m drafting serve)")


# ── backup ──────────────────────────────────────────────────────────────────────────────────────────────


def run_backup(settings: Settings, options: argparse.Namespace) -> int:
    """Writes one file from which an instance folder can be restored; the server may go on meanwhile."""
    if not settings.is_sqlite:
        raise WrongState(
            'PostgreSQL is backed up by its own tools: pg_dump --format=custom --file=drafting.dump "$DATABASE_URL"; '
            f"then copy {settings.instance_path} (uploads, secret_key, config.toml)"
        )
    with _opened(settings) as database, tempfile.TemporaryDirectory(dir=options.file.resolve().parent) as folder:
        source = str(database.url.database)
        copy = Path(folder, "drafting.sqlite")
        taken, kept = sqlite3.connect(source), sqlite3.connect(copy)
        try:
            taken.backup(kept)
            (fault,) = kept.execute("PRAGMA quick_check").fetchone()
        finally:
            taken.close()
            kept.close()
        if fault != "ok":
            raise WrongState(f"the copy is damaged ({fault}); the database needs to be looked at")
        partly = Path(folder, "backup.tar.gz")
        with tarfile.open(partly, "w:gz") as archive:
            archive.add(copy, arcname="drafting.sqlite")
            for name in ("uploads", "config.toml", "secret_key"):
                if (settings.instance_path / name).exists():
                    archive.add(settings.instance_path / name, arcname=name)
        partly.chmod(0o600)  # it holds the secret key
        partly.replace(options.file)
    print(f"{options.file}: {options.file.stat().st_size} bytes; to restore, unpack it into an empty instance folder")
    return 0


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()

"""A document's history as a git repository: a stream for `git fast-import`.

Each decision is a commit: author is the organisation that proposed, with the time of the proposal; committer the one
who decided, with the time of the decision; trailers name the suggestion, its sources and the decision. So `git
blame` names the organisation of each line. Milestones are annotated tags. Addresses are synthetic and end in .invalid:
nobody's mailbox leaves the system. The same values give the same stream, and with it the same commit ids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from drafting.errors import InvalidInput

_NOT_IN_NAMES = re.compile(r"[<>\x00-\x1f\x7f]+")
_NOT_IN_REFS = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]+|\.\.|@\{|/{2,}")
_MAILS = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom a commit names: `key`, such as "org-12", makes a stable address that is nobody's mailbox."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A state of the document.

    files      path → text of every file that this commit changes or adds
    removed    paths that it removes
    trailers   (name, value), such as ("Suggestion-Id", "U-17"); several of one name are several lines
    """

    author: Person
    authored_at: datetime
    committer: Person
    committed_at: datetime
    subject: str
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A named version: an annotated tag on commit number `commit` (from 0)."""

    name: str
    commit: int
    tagger: Person
    at: datetime
    message: str


class Writer:
    """Writes the stream commit by commit, so that a long history never lies in memory. `count`: commits written."""

    def __init__(self, out: BinaryIO, *, branch: str = "main") -> None:
        self._out = out
        self._ref = f"refs/heads/{ref_name(branch)}"
        self.count = 0
        out.write(b"feature done\n")

    def commit(self, commit: Commit) -> None:
        """One more commit on the branch. raises: InvalidInput for a path that leaves the repository"""
        self.count += 1
        out = [
            f"commit {self._ref}\nmark :{self.count}\n".encode(),
            f"author {_person(commit.author)} {_moment(commit.authored_at)}\n".encode(),
            f"committer {_person(commit.committer)} {_moment(commit.committed_at)}\n".encode(),
            _data(_message(commit)),
        ]
        if self.count == 1:
            out.append(b"deleteall\n")  # whatever the branch held before
        out += [f"D {_path(path)}\n".encode() for path in sorted(commit.removed)]
        for path in sorted(commit.files):
            out += [f"M 100644 inline {_path(path)}\n".encode(), _data(commit.files[path])]
        self._out.writelines([*out, b"\n"])

    def tag(self, tag: Tag) -> None:
        """A tag on a commit that was written. raises: InvalidInput when it was not"""
        if not 0 <= tag.commit < self.count:
            raise InvalidInput(f"Tag {tag.name!r} names commit {tag.commit} of {self.count}.")
        self._out.writelines(
            [
                f"tag {ref_name(tag.name)}\nfrom :{tag.commit + 1}\n".encode(),
                f"tagger {_person(tag.tagger)} {_moment(tag.at)}\n".encode(),
                _data(tag.message.replace("\0", "")),
            ]
        )

    def close(self) -> None:
        """Ends the stream; git takes nothing of one that was cut off before."""
        self._out.write(b"done\n")


def fast_import(commits: Sequence[Commit], tags: Sequence[Tag] = (), *, branch: str = "main") -> bytes:
    """The stream that `git fast-import` makes a repository of.

    raises   InvalidInput for a path that leaves the repository, or a tag on a commit that is not there
    law      the same values give the same bytes, and git gives them the same ids
    """
    out = BytesIO()
    writer = Writer(out, branch=branch)
    for commit in commits:
        writer.commit(commit)
    for tag in tags:
        writer.tag(tag)
    writer.close()
    return out.getvalue()


def _person(person: Person) -> str:
    name = " ".join(_NOT_IN_NAMES.sub(" ", person.name).split()) or "?"
    return f"{name} <{_MAILS.sub('-', person.key.lower()).strip('-.') or 'nobody'}@drafting.invalid>"


def _moment(at: datetime) -> str:
    """Seconds since 1970 and the offset that the time was given with."""
    offset = at.utcoffset()
    if offset is None:
        raise InvalidInput(f"The time {at} has no zone.")
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{int(at.timestamp())} {sign}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def _message(commit: Commit) -> str:
    subject = " ".join(commit.subject.replace("\0", "").split()) or "-"
    trailers = "\n".join(f"{name}: {' '.join(value.split())}" for name, value in commit.trailers)
    said = "\n\n".join(part for part in (subject, commit.body.strip(), trailers) if part) + "\n"
    return said.replace("\0", "")  # git takes no message that has one


def _data(text: str) -> bytes:
    raw = text.encode("utf-8")
    return b"data %d\n%b\n" % (len(raw), raw)


def _path(path: str) -> str:
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) or "\0" in path:
        raise InvalidInput(f"{path!r} is not a path inside a repository.")
    if re.search(r'[\n"\\]', path):
        quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{quoted}"'
    return path


def ref_name(name: str) -> str:
    """A name that git accepts for a branch or tag."""
    parts = (re.sub(r"[.]*([.]lock)*[.]*$", "", part.lstrip(".")) for part in _NOT_IN_REFS.sub("-", name).strip("/").split("/"))
    return "/".join(part or "-" for part in parts)

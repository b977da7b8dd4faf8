"""Every exception that Drafting raises on purpose.

DraftingError                    code: stable snake_case; typed attributes; the message names the numbers and what to do
├─ InvalidInput                  what was sent is not what it claims to be
│  ├─ InvalidChanges             a change set, a position or a text on the wire that cannot be read
│  ├─ InvalidFile                an uploaded file that cannot be read
│  └─ TooLarge                   more than the limit that the message names
├─ NotSignedIn                   the request names nobody
├─ NotAllowed                    the role does not include the action in this phase
├─ NotFound                      there is no such thing, or the actor may not know that there is
├─ Conflict                      right when it was written, no longer when it arrived
│  ├─ VersionConflict            based on a version that is not there
│  ├─ StaleReview                the hunk is not what the official read
│  ├─ WrongState                 the thing is in a state that does not admit the action
│  └─ NameTaken                  the name or address is in use
└─ EngineError (also ValueError) two values do not belong together
   ├─ PositionError              a position outside the text, or inside a surrogate pair
   └─ MismatchError              a change set and a text, or two change sets, of different lengths

Blame decides the branch: the sender's are InvalidInput to Conflict; EngineError is the caller's. Only the doors
(`web/wire.py` and the readers in `formats/`) turn an EngineError into InvalidInput; seen anywhere else it is our bug.
Messages of this file are English and for logs and the wire; `web` translates by code for the reader.
"""

from __future__ import annotations

from typing import Any


class DraftingError(Exception):
    """The root. `code` is stable; `details` are values that a client may use."""

    code = "error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(DraftingError):
    """What was sent is not what it claims to be."""

    code = "invalid_input"


class InvalidChanges(InvalidInput):
    """A change set, position or text on the wire that cannot be read."""

    code = "invalid_changes"


class InvalidFile(InvalidInput):
    """An uploaded file that cannot be read."""

    code = "invalid_file"


class TooLarge(InvalidInput):
    """More than the limit that the message names."""

    code = "too_large"


class NotSignedIn(DraftingError):
    """The request names nobody, and the action needs somebody."""

    code = "not_signed_in"


class NotAllowed(DraftingError):
    """The actor's role does not include the action in this phase; details: action, role, phase."""

    code = "not_allowed"


class NotFound(DraftingError):
    """There is no such thing, or the actor may not know that there is."""

    code = "not_found"


class Conflict(DraftingError):
    """Right when it was written, no longer when it arrived."""

    code = "conflict"


class VersionConflict(Conflict):
    """Based on a version that the stream does not have; details: version."""

    code = "version_conflict"


class StaleReview(Conflict):
    """The hunk, or what accepting it supersedes, is not what the official read; details: the new state."""

    code = "stale_review"


class WrongState(Conflict):
    """The thing is in a state that does not admit the action; details: state."""

    code = "wrong_state"


class NameTaken(Conflict):
    """The name or address is in use."""

    code = "name_taken"


class EngineError(DraftingError, ValueError):
    """Two values that were put together do not belong together."""

    code = "engine_error"


class PositionError(EngineError):
    """A position outside the text, or between the halves of a surrogate pair."""

    code = "position_error"


class MismatchError(EngineError):
    """A change set and a text, or two change sets, of different lengths."""

    code = "mismatch_error"

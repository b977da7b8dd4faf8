"""HTML pages, one blueprint a subject. `init` puts them into the application."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

SUBJECTS = (
    "home",
    "account",
    "project",
    "text",
    "sections",
    "meetings",
    "organizations",
    "people",
    "settings",
    "news",
    "suggestions",
    "remarks",
    "review",
    "sets",
    "milestones",
    "workspace",
    "history",
    "sources",
    "compare",
    "report",
    "matrix",
    "audit",
)


def init(app: Flask) -> None:
    """Registers the blueprint `pages` of every subject."""
    for subject in SUBJECTS:
        app.register_blueprint(import_module(f"{__name__}.{subject}").pages)

"""Drafting: a city and its NGOs write a programme together, and every word keeps its story."""

from __future__ import annotations

from typing import Any


def create_app(*args: Any, **kwargs: Any) -> Any:
    """The Flask application, for `gunicorn 'drafting:create_app()'`; see drafting/web/app.py.

    Imported when called, so that `import drafting.engine` brings in neither Flask nor SQLAlchemy.
    """
    from drafting.web.app import create_app as make

    return make(*args, **kwargs)

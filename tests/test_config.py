"""Settings: where they come from, and what is said when one cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from drafting.config import ignored_variables, load_settings
from drafting.errors import InvalidInput


def test_nothing_given_is_sqlite_in_the_instance_folder(tmp_path: Path) -> None:
    settings = load_settings({}, instance_path=tmp_path / "new")
    assert settings.database_url == f"sqlite:///{tmp_path}/new/drafting.sqlite" and settings.is_sqlite


def test_the_environment_wins_over_the_file_and_what_is_given_over_both(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('port = 1\nthreads = 2\nlanguage = "en"\ncookie_secure = true\n')
    settings = load_settings({"DRAFTING_PORT": "3", "DRAFTING_THREADS": "4"}, instance_path=tmp_path, threads=5)
    assert (settings.port, settings.threads, settings.language, settings.cookie_secure) == (3, 5, "en", True)


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = load_settings({}, instance_path=tmp_path)
    assert load_settings({}, instance_path=tmp_path).secret_key == first.secret_key
    assert len(first.secret_key) == 64 and (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert first.secret_key not in repr(first)


@pytest.mark.parametrize(
    ("given", "opened"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("sqlite:////tmp/x.sqlite", "sqlite:////tmp/x.sqlite"),
    ],
)
def test_a_database_address_is_opened_with_our_driver(tmp_path: Path, given: str, opened: str) -> None:
    assert load_settings({"DATABASE_URL": given}, instance_path=tmp_path).database_url == opened


def test_an_https_address_makes_cookies_secure(tmp_path: Path) -> None:
    assert load_settings({"DRAFTING_BASE_URL": "https://x.example/"}, instance_path=tmp_path).cookie_secure
    assert not load_settings({"DRAFTING_BASE_URL": "http://x.example/"}, instance_path=tmp_path).cookie_secure


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"DRAFTING_PORT": "eighty"}, "port"),
        ({"DRAFTING_COOKIE_SECURE": "perhaps"}, "cookie_secure"),
        ({"DRAFTING_LANGUAGE": "tlh"}, "language"),
        ({"DATABASE_URL": "mysql://x"}, "database_url"),
        ({"DRAFTING_WORKERS": "2"}, "workers"),
        ({"DRAFTING_WORKERS": "0"}, "workers"),
        ({"DRAFTING_PORT": "99999"}, "port"),
        ({"DRAFTING_PORT": "-1"}, "port"),
        ({"DRAFTING_THREADS": "0"}, "threads"),
        ({"DRAFTING_TRUSTED_PROXIES": "-1"}, "trusted_proxies"),
        ({"DRAFTING_MAX_UPLOAD_SIZE": "-1"}, "max_upload_size"),
        ({"DRAFTING_BASE_URL": "programme.example"}, "base_url"),
        ({"REDIS_URL": "localhost:6379"}, "redis_url"),
        ({"DRAFTING_SECRET_KEY": "short"}, "secret_key"),
        ({"DRAFTING_SIGN_IN_LIMIT": "a few"}, "sign_in_limit"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path, environ: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        load_settings(environ, instance_path=tmp_path)
    assert refused.value.details["setting"] == named


@pytest.mark.parametrize("content", ["port = ", "prot = 1", 'port = "x"', "\x00"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.toml").write_text(content)
    with pytest.raises(InvalidInput):
        load_settings({}, instance_path=tmp_path)


def test_a_mistyped_variable_is_named_with_the_nearest_setting() -> None:
    environ = {"DRAFTING_DATABSE_URL": "x", "DRAFTING_PORT": "1", "DRAFTING_X": "", "DRAFTING_CHROMIUM": "y", "PATH": ""}
    assert ignored_variables(environ) == [
        "DRAFTING_DATABSE_URL is no setting and is ignored; did you mean DRAFTING_DATABASE_URL?",
        "DRAFTING_X is no setting and is ignored",
    ]


def test_several_workers_need_postgresql_and_redis(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://h/d", "REDIS_URL": "redis://h", "DRAFTING_WORKERS": "2"}
    assert load_settings(environ, instance_path=tmp_path).workers == 2


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in its place")
    with pytest.raises(InvalidInput, match="cannot be made"):
        load_settings({}, instance_path=tmp_path / "file" / "instance")

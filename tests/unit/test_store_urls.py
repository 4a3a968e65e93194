"""A store's URL names a place, and is never shown with a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.store.store import Store
from app.store.urls import default_url, display_url, parse_url
from shared.errors import SettingsInvalid


@pytest.mark.parametrize(
    "folder", ["home", "with space", "100% sure? #1", "a:b@c", "ünïcode", "no utf-8: \udce4"]
)
def test_the_default_store_is_a_file_in_the_home_folder(tmp_path: Path, folder: str) -> None:
    home = tmp_path / folder

    Store.open(default_url(home)).close()

    assert (home / "fedloom.db").is_file()


def test_a_name_that_is_no_utf_8_is_shown_in_a_way_that_can_be_given_back() -> None:
    url = default_url(Path("/srv/B\udce4r"))

    assert url == display_url(url) == "sqlite:////srv/B%E4r/fedloom.db"
    assert parse_url(url).database == "/srv/B\udce4r/fedloom.db"


def test_a_relative_home_is_made_absolute() -> None:
    assert parse_url(default_url(Path(".fedloom"))).database == str(Path.cwd() / ".fedloom" / "fedloom.db")


def test_postgresql_is_reached_by_one_driver_whatever_the_url_says() -> None:
    for scheme in ("postgresql", "postgres", "postgresql+psycopg2"):
        assert parse_url(f"{scheme}://host/db").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////srv/fedloom.db", "sqlite:////srv/fedloom.db"),
        ("postgresql://ann:secret@host:5433/study", "postgresql://ann@host:5433/study"),
        ("postgresql://host/study?password=secret&sslmode=require", "postgresql://host/study"),
        ("postgres://ann:s%40cret@host/study", "postgresql://ann@host/study"),
    ],
)
def test_it_is_shown_without_the_password(url: str, shown: str) -> None:
    assert display_url(url) == shown


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("fedloom.db", "cannot be read"),
        ("postgresql://ann:secret@host:secret/study", "cannot be read"),
        ("mysql://ann:secret@host/study", "'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_another_url_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words) as refusal:
        Store.open(url)
    assert "secret" not in str(refusal.value)

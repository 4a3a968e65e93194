"""Where a store is, as a URL: `sqlite:///path/fedloom.db` or `postgresql://user@host/database`."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import SettingsInvalid

FILE_NAME = "fedloom.db"


def default_url(home: Path) -> str:
    """The store in FedLoom's own folder."""
    return _sqlite_url(str(home.absolute() / FILE_NAME))


def parse_url(url: str) -> URL:
    """A URL that `Store` can open. Raises SettingsInvalid, without repeating what may hold a password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsInvalid(
            "The store's URL cannot be read. Write sqlite:///path/to/fedloom.db or "
            "postgresql://user:password@host:5432/database; a sign like @, : or / in the password is written "
            "as %40, %3A or %2F."
        ) from None
    kind = parsed.drivername.partition("+")[0]
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise SettingsInvalid(f"A store cannot be in {kind!r}: use sqlite:/// or postgresql://.")
    if parsed.database in (None, "", ":memory:"):
        raise SettingsInvalid("The store's URL names no file: write sqlite:///path/to/fedloom.db.")
    return parsed.set(database=_file_of(url))


def display_url(url: str) -> str:
    """The URL as it may be shown: without the password, and without options, which may hold one as well."""
    parsed = parse_url(url)
    if parsed.drivername.startswith("sqlite"):
        return _sqlite_url(str(parsed.database))
    shown = parsed.set(drivername=parsed.drivername.partition("+")[0], query={})
    return URL.create(
        shown.drivername, shown.username, None, shown.host, shown.port, shown.database
    ).render_as_string()


def _sqlite_url(path: str) -> str:
    """As SQLAlchemy writes it; the bytes of a name that is no UTF-8, which that refuses, as %E4."""
    return f"sqlite:///{quote(os.fsencode(path), safe=' +/')}"


def _file_of(sqlite_url: str) -> str:
    """The file that a URL names, which SQLAlchemy reads as UTF-8 whatever it is."""
    database = sqlite_url.partition("://")[2].partition("/")[2].partition("?")[0]
    return os.fsdecode(unquote_to_bytes(os.fsencode(database)))

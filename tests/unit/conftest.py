"""The databases on which the store is tested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.urls import default_url
from tests.support.postgres import PostgresServer, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests; each makes a database of its own in it."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store can be made."""
    if request.param == "sqlite":
        return default_url(tmp_path / "home")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()

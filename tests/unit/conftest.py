"""The databases on which the store is tested, and what holds for all tests, or all property tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from app.store.urls import default_url
from tests.support.logs import logging_as_before
from tests.support.postgres import PostgresServer, running_postgres

# No test judges speed, also where several of them share a core.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """No test depends on what one before it, or what that has called, has done to loggers."""
    with logging_as_before():
        yield


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

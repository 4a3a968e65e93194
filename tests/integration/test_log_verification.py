"""A server verifies its own audit log, and says at REST where somebody has changed it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.store.urls import FILE_NAME
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.waiting import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkedServer]:
    server = ForkedServer(tmp_path / "home")
    server.start()
    yield server
    server.end()


def change(home: Path, number: int) -> None:
    """As somebody does who can write the database and has no key: one entry names another server version."""
    with closing(sqlite3.connect(home / FILE_NAME, timeout=30.0)) as connection, connection:
        (entry,) = connection.execute("SELECT entry FROM audit_entries WHERE number = ?", [number]).fetchone()
        changed = entry.replace(b'"version":"', b'"version":"9')
        assert changed != entry
        connection.execute("UPDATE audit_entries SET entry = ? WHERE number = ?", [changed, number])


def test_a_log_that_was_changed_is_reported_and_not_served_as_right(server: ForkedServer) -> None:
    with closing(Api(server.url)) as api:
        wait_until(lambda: api.get("/audit/checkpoint")["size"] > 0, "something is signed")
        right = api.get("/audit/verification")
        assert right["wrong"] is None
        assert right["entries"] >= 1

        change(server.home, number=0)

        wrong = api.get("/audit/verification")
        assert wrong["wrong"].startswith("Line "), wrong
        assert "one of them was changed" in wrong["wrong"]
        assert (wrong["entries"], wrong["checkpoints"]) == (None, None)
        run = api.start(num_rounds=1, min_clients=1)
        assert api.run(run["id"])["state"] in ("queued", "running", "waiting"), "the server goes on"

"""A server that keeps few runs forgets the others, with their checkpoints, and its audit log tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.audit.export import export
from app.audit.verify import entries_of, verify
from app.demo.fleet import Fleet
from app.federation.runs.retention import Kept
from app.store.urls import default_url
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.waiting import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkedServer]:
    server = ForkedServer(tmp_path / "home")
    yield server
    server.end()


def test_old_runs_go_and_what_was_said_of_them_in_the_audit_log_stays(
    server: ForkedServer, tmp_path: Path
) -> None:
    server.start()
    with Fleet() as fleet, closing(Api(server.url)) as api:
        Clients(fleet, server, tmp_path).start("a")
        done = [
            api.start(num_rounds=1, min_clients=1, num_partitions=1, model="linear")["id"] for _ in range(3)
        ]
        for run_id in done:
            api.wait_for_run(run_id, "completed")
    server.end()

    server.start(keep=Kept(2, megabytes=0))

    with closing(Api(server.url)) as api:
        wait_until(
            lambda: [run["id"] for run in api.get("/runs")["runs"]] == [done[2], done[1]],
            "the oldest is gone",
        )
        assert len(api.rounds(done[1])) == 2, "of those that stay, the curves stay"
        wait_until(
            lambda: [path.name for path in (server.home / "checkpoints").iterdir()] == [done[2]],
            "of checkpoints, those of the last run are left",
        )
    server.end()
    export(default_url(server.home), tmp_path / "audit")
    with (tmp_path / "audit").open("rb") as lines:
        verify(lines)
        lines.seek(0)
        told = [
            (entry.kind, entry.fields["run"])
            for entry in entries_of(lines)
            if entry.kind.endswith("-deleted")
        ]
    assert told == [
        ("run-deleted", done[0]),
        ("checkpoints-deleted", done[1]),
    ]

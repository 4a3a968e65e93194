"""A store of version 0.1 is opened by today's server: all of it is there, and its cut run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.demo.fleet import Fleet
from app.store.urls import FILE_NAME, default_url
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.consistency import require_consistent
from tests.support.forked_server import Death, ForkedServer, ServerRefused
from tests.support.old_store import (
    COMPLETED,
    CUT,
    CUT_AFTER,
    STOPPED,
    put_checkpoints,
    put_postgresql,
    put_sqlite,
    rows,
    schema_of,
)
from tests.support.postgres import PostgresServer, running_postgres

TABLES = ("runs", "rounds", "client_rounds", "clients", "events", "logs", "run_internals", "run_clients")


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ForkedServer]:
    """Today's server with that store, not yet started."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        put_sqlite(home)
        server = ForkedServer(home)
    else:
        put_checkpoints(home)
        server = ForkedServer(home, store=put_postgresql(request.getfixturevalue("postgres")))
    yield server
    server.end()
    if request.param == "sqlite":
        require_consistent(home)


def test_what_was_kept_is_there_in_rest_and_export(server: ForkedServer) -> None:
    server.start(resume="never")
    with closing(Api(server.url)) as api:
        runs = {run["id"]: run for run in api.get("/runs")["runs"]}
        assert {run_id: run["state"] for run_id, run in runs.items()} == {
            COMPLETED: "completed",
            STOPPED: "stopped",
            CUT: "interrupted",
        }
        assert (runs[STOPPED]["reason"], runs[STOPPED]["cause"]) == ("stopped by request", "request")
        assert (runs[COMPLETED]["spec"]["model"], runs[COMPLETED]["spec"]["seed"]) == ("linear", 7)

        rounds = api.rounds(COMPLETED)
        assert [round_["round"] for round_ in rounds] == [0, 1, 2, 3]
        assert runs[COMPLETED]["final"]["accuracy"] == rounds[-1]["accuracy"] > 0.9
        assert all(set(round_["per_client"]) == {"client-1", "client-2"} for round_ in rounds[1:])
        assert {(client["id"], client["state"]) for client in api.clients().values()} == {
            ("client-1", "lost"),
            ("client-2", "lost"),
        }
        said = [entry["message"] for entry in api.logs(limit=5_000)]
        assert f"run {COMPLETED} completed" in said

        document = api.http.get(f"/api/v1/runs/{COMPLETED}/export", params={"format": "json"}).json()
        assert [round_["loss"] for round_ in document["rounds"]] == [round_["loss"] for round_ in rounds]


def test_the_run_that_was_cut_goes_on_with_the_same_clients_and_a_new_one_works(
    server: ForkedServer, tmp_path: Path
) -> None:
    """The clients had no keys then: their names belong to the keys with which they come now."""
    server.start()
    with closing(Api(server.url)) as api, Fleet() as fleet:
        Clients(fleet, server, tmp_path).start("client-1", "client-2")
        api.wait_for_round(CUT, CUT_AFTER + 2)
        assert [round_["round"] for round_ in api.rounds(CUT)][: CUT_AFTER + 2] == list(range(CUT_AFTER + 2))
        api.stop(CUT)
        api.wait_for_run(CUT, "stopped")

        run_id = api.start(model="linear", num_rounds=1, min_clients=2)["id"]
        api.wait_for_run(run_id, "completed")
        assert len(api.get("/runs")["runs"]) == 4


class TestSqlite:
    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        return tmp_path / "home"

    @pytest.mark.parametrize("call", [1, 3, 5, 7])
    def test_a_migration_that_is_killed_leaves_the_old_store_whole(self, home: Path, call: int) -> None:
        database = put_sqlite(home)
        before = {table: rows(database, table) for table in TABLES}
        server = ForkedServer(home)

        server.start(Death("alembic.op:add_column", call=call, after=True))
        server.wait_until_dead()

        assert schema_of(database) == "0001"
        assert {table: rows(database, table) for table in TABLES} == before
        server.start(resume="never")
        server.end()
        assert len(rows(database, "runs")) == 3

    def test_a_store_of_a_newer_version_is_refused_in_words_and_left_alone(self, home: Path) -> None:
        database = put_sqlite(home)
        engine = create_engine(default_url(home))
        with engine.begin() as connection:
            connection.execute(text("UPDATE fedloom_version SET version_num = '9999'"))
        engine.dispose()
        before = {table: rows(database, table) for table in TABLES}

        with pytest.raises(ServerRefused, match=r"newer FedLoom \(schema 9999.*Nothing was changed"):
            ForkedServer(home).start()

        assert {table: rows(home / FILE_NAME, table) for table in TABLES} == before

"""A run's results as files, from a real server over REST and from its store on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.demo.fleet import Fleet
from app.exporting.document import RunDocument
from app.records import RunState
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.exports import scalars, unzipped
from tests.support.processes import Command, ServerProcess

PAIR = ["client-1", "client-2"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's own folder, with its store."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[ServerProcess]:
    """A server with two clients."""
    server = ServerProcess(home=home)
    with Fleet() as fleet:
        Clients(fleet, server, home / "data").start(*PAIR)
        yield server
    server.end()


@pytest.fixture(scope="module")
def rest(server: ServerProcess) -> Iterator[Api]:
    api = Api(server.url)
    yield api
    api.close()


@pytest.fixture(scope="module")
def run(rest: Api) -> Json:
    """A run that is complete."""
    return rest.wait_for_run(rest.start(num_rounds=2, min_clients=2)["id"], "completed")


def ask(api: Api, run_id: str, **query: str) -> httpx.Response:
    return api.http.get(f"/api/v1/runs/{run_id}/export", params=query)


def export(home: Path, output: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of `python -m app.export` and what it said."""
    command = Command("-m app.export", *arguments, "--output", str(output), home=home)
    return command.wait_for_exit(60), command.output


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_the_document_is_what_the_api_says_of_the_run(rest: Api, run: Json) -> None:
    response = ask(rest, run["id"])

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Disposition"] == f"attachment; filename=fedloom-{run['id']}.json"
    assert response.json()["run"] == run
    assert response.json()["rounds"] == rest.rounds(run["id"])
    assert RunDocument.model_validate_json(response.content).run.state is RunState.COMPLETED


@pytest.mark.parametrize("kind", ["csv", "tensorboard"])
def test_several_files_come_as_an_archive(kind: str, rest: Api, run: Json) -> None:
    response = ask(rest, run["id"], format=kind)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/zip"
    name = f"fedloom-{run['id']}-{kind}.zip"
    assert response.headers["Content-Disposition"] == f"attachment; filename={name}"
    assert all(unzipped(response.content).values())


def test_what_cannot_be_exported_is_a_problem(rest: Api, run: Json) -> None:
    unknown, wrong = ask(rest, "nonsense"), ask(rest, run["id"], format="xml")
    assert (unknown.status_code, wrong.status_code) == (404, 422)
    assert "no run 'nonsense'" in unknown.json()["detail"]
    assert wrong.json()["errors"][0]["field"] == "format"


def test_the_command_writes_the_same_files_while_the_server_runs(
    rest: Api, run: Json, home: Path, tmp_path: Path
) -> None:
    code, said = export(home, tmp_path, run["id"])

    assert code == 0, said
    written = files_below(tmp_path / run["id"])
    assert written == {
        "run.json": ask(rest, run["id"]).content,
        "report.html": ask(rest, run["id"], format="html").content,
        **unzipped(ask(rest, run["id"], format="csv").content),
        **unzipped(ask(rest, run["id"], format="tensorboard").content),
    }
    rounds = rest.rounds(run["id"])
    for folder, name in (("global", "accuracy"), ("clients-mean", "train_loss")):
        found = scalars(tmp_path / run["id"] / "tensorboard" / folder)[name]
        known = [
            (r["round"], r["started_at"] + r["duration_s"], r[name]) for r in rounds if r[name] is not None
        ]
        assert [point[:2] for point in found] == [point[:2] for point in known]
        assert [point[2] for point in found] == pytest.approx([point[2] for point in known])
    for client_id in PAIR:
        found = scalars(tmp_path / run["id"] / "tensorboard" / "client" / client_id)["accuracy"]
        assert [step for step, *_ in found] == [1, 2]


def test_a_run_that_goes_on_can_be_exported(rest: Api, home: Path, tmp_path: Path) -> None:
    going = rest.start(num_rounds=10_000, min_clients=2)
    rest.wait_for_round(going["id"], 1)

    document = RunDocument.model_validate_json(ask(rest, going["id"]).content)
    code, said = export(home, tmp_path, going["id"], "--format", "json")

    assert code == 0, said
    stored = RunDocument.model_validate_json((tmp_path / going["id"] / "run.json").read_bytes())
    for seen in (document, stored):
        assert seen.run.state is RunState.RUNNING
        assert [round_.complete for round_ in seen.rounds[:2]] == [True, True]
    rest.stop(going["id"])
    rest.wait_for_run(going["id"], "stopped")


def test_a_run_that_there_is_not_lists_those_that_there_are(run: Json, home: Path, tmp_path: Path) -> None:
    code, said = export(home, tmp_path, "nonsense")

    assert code == 1
    assert "error: There is no run 'nonsense'. The runs are:" in said
    assert f"  {run['id']}  " in said
    assert "completed, digits, round 2 of 2" in said
    assert files_below(tmp_path) == {}


def test_the_store_can_be_read_when_the_server_has_ended(
    rest: Api, run: Json, home: Path, tmp_path: Path, server: ServerProcess
) -> None:
    """The last in this file, as it ends the server."""
    table = unzipped(ask(rest, run["id"], format="csv").content)["clients.csv"]
    server.end()

    code, said = export(home, tmp_path, run["id"], "--store", f"sqlite:///{home / 'fedloom.db'}")

    assert code == 0, said
    assert files_below(tmp_path / run["id"])["clients.csv"] == table

"""Which clients the page may start on the server's machine, and with what."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import g

from app.api.aside import SLEEP
from app.api.local_clients import local_clients_api
from app.api.openapi import create_openapi_app
from app.api.problems import register_problem_handlers
from app.audit.entry import Kind
from app.auth.identity import By, Credential, Identity
from app.auth.roles import Role
from app.local_clients import clients as local
from app.local_clients.clients import LocalClients, LocalClientsRefused
from app.local_clients.process import RUN_CLIENT, Place
from app.records import ClientState
from app.records.membership import MembershipState
from app.settings import ServerSettings
from shared.address import Address
from shared.app_process.starting import ProgramNotStarted, start_program
from shared.flower_app import FlowerApp, read_app
from tests.support.apps import write_app
from tests.support.records import a_client

SERVER = Address("127.0.0.1", 9092)


class Stub:
    """A client without a process."""

    def __init__(self, client_id: str, dataset: str | None, place: Place, server: Address) -> None:
        if client_id == "local-4":
            raise ProgramNotStarted("A process cannot be started: no more.")
        self.id, self.dataset, self.server = client_id, dataset, server
        self.is_running = True
        self.reason: str | None = None


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of those that were ended."""
    names: list[str] = []

    def end_all(clients: Sequence[Stub], grace_s: float) -> None:
        names.extend(client.id for client in clients)

    monkeypatch.setattr(local, "LocalClient", Stub)
    monkeypatch.setattr(local, "end_all", end_all)
    return names


@pytest.fixture
def here(tmp_path: Path) -> LocalClients:
    return LocalClients(Place(tmp_path, tmp_path, None), limit=5)


def ids(clients: Sequence[Any]) -> list[str]:
    return [client.id for client in clients]


def test_each_has_the_first_name_that_is_free(here: LocalClients, ended: list[str]) -> None:
    assert ids(here.start(1, "digits", SERVER, taken={"local-1"})) == ["local-2"]
    assert ids(here.start(2, "digits", SERVER, taken=set())) == ["local-1", "local-3"]
    here.end("local-2")
    assert ids(here.start(1, "digits", SERVER, taken=set())) == ["local-2"]
    assert ended == ["local-2"]


def test_one_that_has_ended_by_itself_makes_room_and_is_replaced(
    here: LocalClients, ended: list[str]
) -> None:
    here.start(3, "digits", SERVER, taken={"local-4"})
    first: Any = here.all()[0]
    first.is_running = False

    with pytest.raises(LocalClientsRefused, match=r"room for 5 local clients.* 2 run\. Start 3 at most"):
        here.start(4, "digits", SERVER, taken=set())
    here.start(1, "digits", SERVER, taken=set())

    assert sorted(ids(here.all())) == ["local-1", "local-2", "local-3"]
    assert all(client.is_running for client in here.all())


def test_where_one_cannot_be_started_none_is(here: LocalClients, ended: list[str]) -> None:
    with pytest.raises(ProgramNotStarted):
        here.start(5, "digits", SERVER, taken=set())

    assert ended == ["local-1", "local-2", "local-3"]
    assert here.all() == ()


def test_none_is_started_once_the_server_ends(here: LocalClients, ended: list[str]) -> None:
    here.start(2, "digits", SERVER, taken=set())
    here.stop()

    assert ended == ["local-1", "local-2"]
    with pytest.raises(LocalClientsRefused, match="about to end"):
        here.start(1, "digits", SERVER, taken=set())


def test_a_client_is_the_same_program_in_the_same_folder_without_the_servers_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDLOOM_STORE", "postgresql://user:secret@host/db")
    monkeypatch.setenv("FEDLOOM_INVITE", "fedloom://elsewhere")
    place = Place(tmp_path, tmp_path / "data", None)

    assert RUN_CLIENT.is_file()
    assert place.command("local-1", "digits", SERVER) == (
        *(sys.executable, "-u", str(RUN_CLIENT), "--client-id", "local-1", "--server", "127.0.0.1:9092"),
        *("--dataset", "digits", "--data-dir", str(tmp_path / "data")),
    )
    environment = place.environment()
    assert environment["FEDLOOM_HOME"] == str(tmp_path)
    assert not {"FEDLOOM_STORE", "FEDLOOM_INVITE"} & environment.keys()


def test_a_server_with_an_app_starts_clients_of_that(tmp_path: Path) -> None:
    app = read_app(write_app(tmp_path / "app", "tiny"))

    command = Place(tmp_path, tmp_path, app).command("local-1", None, SERVER)

    assert command[-2:] == ("--app", str(app.folder.absolute()))


def test_a_program_that_cannot_be_started_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nothing/here")
    before = len(list(Path("/dev/fd").iterdir()))

    with pytest.raises(ProgramNotStarted, match=r"cannot be started: .*No such file"):
        start_program(["/bin/true"], env={})

    assert len(list(Path("/dev/fd").iterdir())) == before


# over REST


class Server:
    """What of one the routes use."""

    def __init__(self, here: LocalClients, host: str = "127.0.0.1", app: FlowerApp | None = None) -> None:
        self.entries: list[tuple[Kind, dict[str, Any]]] = []
        self.known = [
            a_client("local-1"),
            a_client("local-2", state=ClientState.LOST),
            a_client("local-3", state=ClientState.LOST, membership=MembershipState.REVOKED),
        ]
        flask_app = create_openapi_app("app")
        flask_app.extensions[SLEEP] = lambda seconds: None
        flask_app.extensions["fedloom"] = SimpleNamespace(
            settings=ServerSettings(host=host, app=app),
            local_clients=here,
            link_address=SERVER,
            dataset_in_hand="mnist",
            registry=SimpleNamespace(snapshot=lambda: self.known),
            audit=SimpleNamespace(record=lambda kind, **fields: self.entries.append((kind, fields))),
        )
        register_problem_handlers(flask_app)
        flask_app.before_request(self._sent_by_the_owner)
        flask_app.register_api(local_clients_api)
        self.browser = flask_app.test_client()

    @staticmethod
    def _sent_by_the_owner() -> None:
        g.identity = Identity(Role.ADMIN, By.OWNER, None, Credential(By.OWNER))

    def start(self, **body: Any) -> Any:
        return self.browser.post("/api/v1/local-clients", json=body)


def test_names_of_clients_that_are_connected_or_were_sent_away_are_left_out(
    here: LocalClients, ended: list[str]
) -> None:
    server = Server(here)

    answer = server.start(count=1)

    assert answer.status_code == 201
    assert answer.get_json() == {
        "clients": [{"id": "local-2", "state": "running", "dataset": "mnist", "reason": None}],
        "limit": 5,
        "refused": None,
    }
    ((kind, fields),) = server.entries
    assert kind is Kind.LOCAL_CLIENTS_STARTED
    assert (fields["clients"], fields["dataset"]) == (["local-2"], "mnist")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "::", "fedloom.example"])
def test_who_can_be_reached_from_elsewhere_starts_none(
    here: LocalClients, ended: list[str], host: str
) -> None:
    server = Server(here, host)

    answer = server.start(count=1)

    assert answer.status_code == 409
    assert f"this server listens on {host}" in answer.get_json()["detail"]
    assert server.browser.get("/api/v1/local-clients").get_json()["refused"] == answer.get_json()["detail"]
    assert (here.all(), server.entries) == ((), [])


def test_with_an_app_no_data_set_is_asked_for(here: LocalClients, ended: list[str], tmp_path: Path) -> None:
    server = Server(here, app=read_app(write_app(tmp_path / "app", "tiny")))

    refused = server.start(count=1, dataset="digits")

    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["field"] == "dataset"
    assert server.start(count=1).get_json()["clients"][0]["dataset"] is None

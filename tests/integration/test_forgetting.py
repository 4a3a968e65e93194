"""A client that is gone for good is forgotten: it is not on the list any more, and what it has done stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.proto.link_pb2 import Usage
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkedServer]:
    server = ForkedServer(tmp_path / "home")
    server.start()
    yield server
    server.end()


@pytest.fixture
def api(server: ForkedServer) -> Iterator[Api]:
    with closing(Api(server.url)) as api:
        yield api


def forget(api: Api, client: str) -> tuple[int, str]:
    answer = api.http.delete(f"/api/v1/clients/{client}")
    return answer.status_code, "" if answer.status_code == 204 else answer.json()["detail"]


def has_usage(api: Api, client: str) -> bool:
    return any(node["client"] == client for node in api.get("/system")["nodes"])


def test_one_that_is_gone_is_off_the_list_with_what_its_machine_did_also_after_a_restart(
    server: ForkedServer, api: Api
) -> None:
    with RawClient(server.home) as client:
        client.hello("gone")
        client.send(usage=Usage(cpu=0.5, cores=4, process_cores=1.0, memory_total=10))
        wait_until(lambda: has_usage(api, "gone"), "it has told of its machine")
        status, why = forget(api, "gone")
        assert (status, why) == (
            409,
            "gone is connected, so it is not forgotten. End it at its site first, or revoke it.",
        )
    api.wait_for_client("gone", "lost")
    key = api.clients()["gone"]["key"]
    run = api.start(num_rounds=1, min_clients=1)  # it is gone, and waited for

    assert forget(api, "gone") == (204, "")

    assert "gone" not in api.clients()
    assert not has_usage(api, "gone")
    assert forget(api, "gone")[0] == 404
    wait_until(
        lambda: (
            [
                (entry["fields"]["client"], entry["fields"]["key"], "by" in entry["fields"])
                for entry in api.get("/audit/entries", limit=50)["entries"]
                if entry["kind"] == "client-forgotten"
            ]
            == [("gone", key, True)]
        ),
        "it stands in the audit log",
    )
    assert any(
        entry["kind"] == "client-joined" and entry["fields"]["client"] == "gone"
        for entry in api.get("/audit/entries", limit=50)["entries"]
    )
    api.stop(run["id"])
    server.end()
    server.start()
    assert "gone" not in api.clients()


def test_it_may_come_again_as_one_that_is_new(server: ForkedServer, api: Api) -> None:
    for _ in range(2):
        with RawClient(server.home) as client:
            client.hello("again")
            api.wait_for_client("again", "idle")
        api.wait_for_client("again", "lost")
        assert forget(api, "again")[0] == 204
    assert "again" not in api.clients()


def test_a_key_that_was_revoked_is_not_forgotten(server: ForkedServer, api: Api) -> None:
    with RawClient(server.home) as client:
        client.hello("thief")
    api.wait_for_client("thief", "lost")
    assert api.http.post("/api/v1/clients/thief/revoke", json={}).status_code == 200

    status, why = forget(api, "thief")

    assert status == 409
    assert "is not let in again" in why
    assert api.clients()["thief"]["membership"] == "revoked"

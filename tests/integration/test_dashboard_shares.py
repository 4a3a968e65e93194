"""What many large answers through a dashboard leave to others, and whose connections it keeps."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.auth.peer import PEER, Peer
from app.auth.replica_key import FILE
from app.event_log.messages import PREFIX
from app.replica import federation as connections
from app.replica.federation import Federation
from app.replica.server import create_dashboard_app
from app.settings import parse
from shared.security.server_identity import KEYS
from tests.support.little_federation import ENDLESS, little_federation
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

KEY = "k" * 43


def dashboard_of(federation: Federation) -> Flask:
    settings = parse(["--role", "dashboard", "--federation", federation.url, "--async-mode", "threading"])
    return create_dashboard_app(settings, federation, lambda: True)


@pytest.fixture
def federation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Federation]:
    monkeypatch.setattr(connections, "STREAMS_OF_ONE", 3)
    monkeypatch.setattr(connections, "PASSED_ON", 5)
    with little_federation() as url, closing(Federation(url, KEY)) as federation:
        yield federation


def asked(app: Flask, path: str, address: str) -> TestResponse:
    """The answer, of which nothing but the head is taken."""
    return app.test_client().get(path, environ_overrides={"REMOTE_ADDR": address})


def test_who_takes_in_no_answer_leaves_the_other_connections_to_others(federation: Federation) -> None:
    app = dashboard_of(federation)
    unread = [asked(app, ENDLESS, "203.0.113.5") for _ in range(3)]
    try:
        assert {each.status_code for each in unread} == {200}
        assert asked(app, ENDLESS, "203.0.113.5").status_code == 429
        assert asked(app, "/api/little", "203.0.113.5").status_code == 200, "small ones go on"
        with closing(asked(app, ENDLESS, "203.0.113.6")) as other:
            assert other.status_code == 200
        unread.pop().close()

        def is_free() -> bool:
            with closing(asked(app, ENDLESS, "203.0.113.5")) as again:
                return again.status_code == 200

        wait_until(is_free, "another is begun once one is over")
    finally:
        for each in unread:
            each.close()


def test_a_dashboards_own_questions_need_none_of_the_connections_of_others(federation: Federation) -> None:
    taken = [
        federation.send(federation.request("GET", ENDLESS, timeout_s=10.0))
        for _ in range(connections.PASSED_ON)
    ]
    try:
        with pytest.raises(httpx.PoolTimeout):
            federation.send(federation.request("GET", ENDLESS, timeout_s=0.05))
        assert "little" in federation.snapshot()
    finally:
        for each in taken:
            each.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess("--role", "federation", home=tmp_path_factory.mktemp("federation"))
    yield server
    server.end()


def key_of(home: Path) -> str:
    return (home / KEYS / FILE).read_text().strip()


class Kept:
    """A connection to a dashboard, and how often it was kept."""

    def __init__(self) -> None:
        self.count = 0
        self._socket = socket.socket()
        self.environ: dict[str, Any] = {PEER: Peer(self._socket, self._keep)}

    def _keep(self) -> None:
        self.count += 1

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/openapi.json", "/api/v1/runs/none", "/api/none"])
def test_a_dashboard_keeps_the_connections_of_those_who_are_known(server: ServerProcess, path: str) -> None:
    token = {"Authorization": f"Bearer {(server.home / KEYS / 'page-key').read_text().strip()}"}
    with closing(Federation(server.url, key_of(server.home))) as federation, closing(Kept()) as kept:
        asker = dashboard_of(federation).test_client()

        asker.get(path, environ_overrides=kept.environ)
        asker.get(path, headers={"Authorization": "Bearer x"}, environ_overrides=kept.environ)
        assert kept.count == 0, "nobody is known by asking"

        answer = asker.get(path, headers=token, environ_overrides=kept.environ)
        assert kept.count == (0 if path == "/api/none" else 1)
        assert not [name for name in dict(answer.headers) if name.startswith("X-FedLoom")]


def test_what_the_federation_tells_dashboards_it_tells_nobody_else(server: ServerProcess) -> None:
    token = {"Authorization": f"Bearer {(server.home / KEYS / 'page-key').read_text().strip()}"}
    answer = httpx.get(f"{server.url}/api/v1/status", headers=token)

    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("x-fedloom")]
    own = {"X-FedLoom-Replica-Key": key_of(server.home)}
    assert httpx.get(f"{server.url}{PREFIX}/snapshot", headers=own).status_code == 200
    passed_on = {**own, "X-FedLoom-For-Another": "1"}
    assert httpx.get(f"{server.url}{PREFIX}/snapshot", headers=passed_on).status_code == 403

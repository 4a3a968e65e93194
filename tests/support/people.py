"""People at the page of a real server: they log in with a password, as a browser has them do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio

from app.running_server import RunningServer
from tests.support.api import Json
from tests.support.processes import ServerProcess, run_command
from tests.support.waiting import wait_until

PASSWORD = "correct horse battery"
CSRF = "X-CSRF-Token"

BY_PROXY = ("--trusted-proxy", "127.0.0.1")
"""Flags of a server that believes where a `browser` says that it comes from."""


def administrator(server: ServerProcess) -> httpx.Client:
    """Whoever has the server's key for the page."""
    word = RunningServer.find(server.home)
    assert word is not None
    return bearer(server, word.key)


def bearer(server: ServerProcess, token: str) -> httpx.Client:
    """A program with a token."""
    return browser(server, headers={"Authorization": f"Bearer {token}"})


def browser(server: ServerProcess, **options: Any) -> httpx.Client:
    """Somebody of whom nothing is known, but that the request went through a proxy on this machine: else the
    tests would be taken for the user who started the server."""
    client = httpx.Client(base_url=server.url, timeout=30, trust_env=False, verify=False, **options)
    client.headers["X-Forwarded-For"] = "198.51.100.7"
    return client


def add_user(server: ServerProcess, name: str, role: str) -> None:
    """One with the password of all."""
    with administrator(server) as admin:
        added = admin.post("/api/v1/users", json={"name": name, "role": role, "password": PASSWORD})
        assert added.status_code == 201, added.text


def log_in(client: httpx.Client, name: str, password: str = PASSWORD) -> Json:
    """Who the browser is from then on; its changes carry the proof that they come from the page."""
    answer = client.post("/api/v1/login", json={"name": name, "password": password})
    assert answer.status_code == 200, answer.text
    me: Json = answer.json()
    client.headers[CSRF] = me["csrf"]
    return me


def page_server(*flags: str) -> Any:
    """A fixture of a module: a server with these flags on either web server, with the administrator root."""

    @pytest.fixture(scope="module", params=["eventlet", "threading"])
    def server(
        request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[ServerProcess]:
        home = tmp_path_factory.mktemp(request.param)
        server = ServerProcess("--async-mode", request.param, *BY_PROXY, *flags, home=home)
        try:
            add_user(server, "root", "admin")
            yield server
        finally:
            server.end()

    return server


@contextmanager
def user_of(server: ServerProcess, name: str, role: str) -> Iterator[httpx.Client]:
    """A new user who has logged in; removed afterwards."""
    add_user(server, name, role)
    with browser(server) as client:
        log_in(client, name)
        yield client
    with administrator(server) as admin:
        admin.delete(f"/api/v1/users/{name}")


class OpenPage:
    """The socket of somebody's page. A context manager."""

    def __init__(self, client: httpx.Client) -> None:
        self.snapshots: list[Json] = []
        self.ended = False
        make: Any = socketio.Client
        origin = {"origin": client.headers.get("Origin")}  # the library's own, unless the browser has another
        self._socket: Any = make(reconnection=False, ssl_verify=False, websocket_extra_options=origin)
        self._socket.on("snapshot", self.snapshots.append)
        self._socket.on("disconnect", self._end)
        names = ("Authorization", "X-Forwarded-For")
        headers = {name: client.headers[name] for name in names if name in client.headers}
        if cookies := "; ".join(f"{name}={value}" for name, value in client.cookies.items()):
            headers["Cookie"] = cookies
        self._socket.connect(str(client.base_url), headers=headers, transports=["websocket"])

    def _end(self, *_: object) -> None:
        self.ended = True

    def __enter__(self) -> OpenPage:
        wait_until(lambda: self.snapshots, "the page is let in")
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.disconnect()

    def say(self, event: str, data: Json) -> None:
        """An event that the server may not know."""
        self._socket.emit(event, data)

    def wait_until_ended(self) -> None:
        """Until the server has ended it."""
        wait_until(lambda: self.ended, "the server ends the page's socket")


def run_users(home: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """`python -m app.users …` for the server with this folder."""
    return run_command("-m app.users", *arguments, home=home, typed=stdin)

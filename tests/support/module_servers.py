"""Fixtures of a module, made by what it calls: `server = own_server()`, `api = api_of_server()`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api, tidied
from tests.support.processes import ServerProcess


def own_server() -> Any:
    """A server with nothing but what the module's tests give it."""

    @pytest.fixture(scope="module")
    def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
        server = ServerProcess(home=tmp_path_factory.mktemp("server"))
        yield server
        server.end()

    return server


def either_web_server() -> Any:
    """One of the servers that all tests share, on one web server after the other: both answer the same."""

    @pytest.fixture(scope="module", params=["eventlet", "threading"])
    def server(request: pytest.FixtureRequest, session_server: ServerProcess) -> ServerProcess:
        if request.param == "eventlet":
            return session_server
        server: ServerProcess = request.getfixturevalue("threading_server")
        return server

    return server


def api_of_server() -> Any:
    """The REST API of the module's fixture `server`; runs that a test leaves behind are stopped."""

    @pytest.fixture
    def api(server: ServerProcess) -> Iterator[Api]:
        with tidied(server.url) as api:
            yield api

    return api

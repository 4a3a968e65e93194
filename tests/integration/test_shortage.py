"""A shortage passes, and a peer's error is the peer's: the server and its store go on."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import httpx
import pytest

from tests.conftest import StartServer
from tests.support.api import Api
from tests.support.processes import END_TIMEOUT_S, ServerProcess
from tests.support.waiting import wait_until

LIMIT = 256
MODES = ["eventlet", "threading"]
WITH_FEW_DESCRIPTORS = ["bash", "-c", f'ulimit -n {LIMIT}; exec "$0" "$@"']
"""Soft and hard, so that the server cannot raise it."""


@pytest.fixture(params=MODES, scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    server = ServerProcess(
        "--async-mode", request.param, home=tmp_path_factory.mktemp("few"), before=WITH_FEW_DESCRIPTORS
    )
    yield server
    server.end()


@contextmanager
def connections(server: ServerProcess, count: int, say: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many at once, on each of which `say` was said and no more."""
    with ExitStack() as ending:
        opened = []
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            opened.append(ending.enter_context(closing(one)))
            one.sendall(say)
        yield opened


def answers(server: ServerProcess) -> bool:
    """Whether a page would get through."""
    try:
        return httpx.get(f"{server.url}/healthz", timeout=10, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def require_kept(api: Api, server: ServerProcess) -> None:
    """A run is started and stopped, and what happens is on the disk."""
    run = api.start()
    api.wait_for_run(run["id"], "waiting")
    api.stop(run["id"])
    api.wait_for_run(run["id"], "stopped")
    assert api.get("/status")["store_problem"] is None
    assert "nothing can be kept" not in server.output


def test_idle_connections_give_way_to_a_page(server: ServerProcess) -> None:
    with connections(server, LIMIT - 16), closing(Api(server.url)) as api:
        require_kept(api, server)
        for _ in range(20):
            assert answers(server)

    assert answers(server)
    assert server.process.poll() is None
    assert server.count("Traceback") == 0
    assert f"only {LIMIT} files and connections open at once" in server.output


def test_requests_that_are_begun_and_never_ended_give_way_to_a_page(server: ServerProcess) -> None:
    begun = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    with connections(server, LIMIT + 50, say=begun), closing(Api(server.url)) as api:
        require_kept(api, server)
        for _ in range(20):
            assert answers(server)
        assert api.get("/status")["refused"]["page-gave-way"] >= 50

    assert server.process.poll() is None
    assert server.count("more connections to the page than there is room for") == 1
    assert server.count("Traceback") == 0


@pytest.mark.parametrize("mode", MODES)
def test_connections_that_cannot_be_accepted_end_nothing(start_server: StartServer, mode: str) -> None:
    errors = (
        "ECONNABORTED ECONNRESET ENOBUFS EMFILE ENFILE ENOMEM EPROTO EPERM EPIPE ENOTCONN ESHUTDOWN EBADF"
    )
    server = start_server(
        "--async-mode",
        mode,
        script="-m tests.support.failing_accept",
        env={"FEDLOOM_TEST_ERRORS": errors},
    )

    for _ in errors.split():
        answers(server)
    wait_until(lambda: answers(server), "the page is served")

    assert server.count("could not connect") == 1
    server.signal(signal.SIGINT)
    assert server.wait_for_exit(END_TIMEOUT_S) == 0
    assert server.count("Traceback") == 0

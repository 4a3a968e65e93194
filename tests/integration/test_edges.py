"""Whatever is raised in a request, a page, the pump or a thread: it is reported, and ends nothing else."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing, suppress

import httpx
import pytest

from tests.support.api import Api
from tests.support.failing_server import NAMES
from tests.support.page import Page
from tests.support.processes import END_TIMEOUT_S, ServerProcess
from tests.support.waiting import wait_until


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """It survives all tests, and still ends in order when it is told to."""
    server = ServerProcess(
        "--async-mode",
        request.param,
        home=tmp_path_factory.mktemp("failing"),
        script="-m tests.support.failing_server",
    )
    yield server
    server.signal(signal.SIGINT)
    assert server.wait_for_exit(END_TIMEOUT_S) == 0
    assert "Exception in thread" not in server.output
    assert "Logging error" not in server.output


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    with closing(Api(server.url)) as api:
        yield api


def wait_for_report(api: Api, since: int, name: str) -> str:
    """The message of the log record with such a traceback."""

    def look() -> str | None:
        for entry in api.logs(level="error"):
            if entry["seq"] > since and name in (entry["traceback"] or "").splitlines()[-1]:
                message: str = entry["message"]
                return message
        return None

    return wait_until(look, f"{name} is reported")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["now", "first"])
def test_what_fails_before_the_answer_is_500_and_in_the_log(
    api: Api, server: ServerProcess, way: str, name: str
) -> None:
    since = api.get("/status")["seq"]

    response = api.http.get(f"/fail/{way}/{name}")

    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert name in response.json()["detail"]
    assert f"GET /fail/{way}/{name}" in wait_for_report(api, since, name)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_breaks_off_is_seen_to_be_cut_and_in_the_log(
    api: Api, server: ServerProcess, name: str
) -> None:
    since = api.get("/status")["seq"]

    with pytest.raises(httpx.RemoteProtocolError):
        api.http.get(f"/fail/later/{name}")

    assert "the answer broke off" in wait_for_report(api, since, name)


@pytest.mark.parametrize("name", NAMES)
def test_what_ends_a_thread_is_in_the_log(api: Api, server: ServerProcess, name: str) -> None:
    since = api.get("/status")["seq"]

    assert api.http.get(f"/fail/thread/{name}").text == "done"

    assert "the thread hapless ended" in wait_for_report(api, since, name)


@pytest.mark.parametrize("server", ["threading"], indirect=True)  # eventlet starts none
def test_a_request_for_which_no_thread_can_be_started_costs_no_other(api: Api, server: ServerProcess) -> None:
    api.http.get("/fail/start/RuntimeError")
    with suppress(httpx.TransportError):
        api.get("/status")

    assert api.get("/status")["version"]
    refused = "a page or a script could not connect (on purpose)"
    wait_until(lambda: server.count(refused) == 1, "it has said so")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_that_cannot_be_welcomed_costs_no_other(api: Api, server: ServerProcess, name: str) -> None:
    since = api.get("/status")["seq"]
    api.http.get(f"/fail/page/{name}")

    with suppress(Exception), Page(server.url):
        pass

    wait_for_report(api, since, name)
    with Page(server.url) as page:
        assert page.snapshot()


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_in_the_pump_costs_the_pages_no_more_than_a_snapshot(
    api: Api, server: ServerProcess, name: str
) -> None:
    since = api.get("/status")["seq"]
    with Page(server.url) as page:
        page.snapshot()
        api.http.get(f"/fail/pump/{name}")
        wait_for_report(api, since, name)
        wait_until(lambda: len(page.snapshots) == 2, "the page starts over")


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_in_the_thread_of_the_store_loses_nothing(
    api: Api, server: ServerProcess, name: str
) -> None:
    api.http.get(f"/fail/writer/{name}")
    run = api.start()
    api.stop(run["id"])
    api.wait_for_run(run["id"], "stopped")

    wait_until(lambda: api.get("/status")["store_problem"] is None, "the store works")
    assert api.run(run["id"])["state"] == "stopped"

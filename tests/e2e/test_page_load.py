"""The page while many clients train: it keeps up, and what it loads first is small.

Speed is for `python -m bench page`. Here stand limits that hold on a busy machine with two cores, and that
were missed by far before: hundreds of messages a second, tasks of more than one, lags that grew by the round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from bench.crew import Crew
from bench.crowd_run import CROWD_RUN, fill
from bench.light import SPEC, light_clients, names
from bench.page import longest_lag
from bench.watched_page import WatchedPage
from tests.support.api import Api
from tests.support.module_servers import api_of_server
from tests.support.processes import ServerProcess

CLIENTS, ROUNDS = 40, 12
CPU_PER_MESSAGE_S = 0.1
"""On average: with more, ten messages a second would leave the page no time. Tasks are not timed here: on a
machine with two cores and forty processes, one that computes for 50 ms takes a second."""
LAG_S = 3.0
STORED_CLIENTS = 150
STORED_ROUNDS = 20
FIRST_SCREEN_BYTES = 500_000

pytestmark = [pytest.mark.alone, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that has a run with many clients in its store, and light clients."""
    home = tmp_path_factory.mktemp("server")
    fill(home, STORED_CLIENTS, STORED_ROUNDS)
    server = ServerProcess(home=home)
    with Crew(light_clients, [(names(CLIENTS), server.link_port, home)]):
        yield server
    server.end()


api = api_of_server()


def test_the_page_keeps_up_with_many_clients(page: Page, server: ServerProcess, api: Api) -> None:
    watched = WatchedPage(page)
    watched.open(f"http://localhost:{server.port}/")
    api.wait_for_client(f"client-{CLIENTS}", "idle", timeout_s=180)
    watched.forget()
    before = watched.cpu_s()

    run = api.start(**SPEC, num_rounds=ROUNDS, min_clients=CLIENTS)
    watched.wait_for_round(ROUNDS, 120)
    api.wait_for_run(run["id"], "completed")

    assert 0 < watched.messages_per_s() <= 10.5  # the last may have been held up less than the first
    assert longest_lag(api.rounds(run["id"]), watched.shown_at()) < LAG_S
    assert (watched.cpu_s() - before) / len(watched.message_times) < CPU_PER_MESSAGE_S


def test_a_run_of_many_clients_that_is_over_is_shown(page: Page, server: ServerProcess) -> None:
    page.goto(f"http://localhost:{server.port}/runs/{CROWD_RUN}/curves")

    newest = page.locator(f"[data-latest-round='{STORED_ROUNDS}']").first
    expect(newest).to_be_visible(timeout=60_000)


def test_what_the_page_loads_first_is_small_and_kept(page: Page, server: ServerProcess) -> None:
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response))
    page.goto(f"http://localhost:{server.port}/", wait_until="load")
    assets = [response for response in loaded if "/static/assets/" in response.url]
    first = set(re.findall(r"/static/assets/[^\"]+", Path("app/templates/index.html").read_text()))
    of_first = [each for each in assets if each.url.endswith((*first, ".woff2"))]

    assert len(of_first) >= len(first)
    assert sum(each.request.sizes()["responseBodySize"] for each in of_first) < FIRST_SCREEN_BYTES
    for each in assets:
        assert "immutable" in each.headers["cache-control"]
        if each.url.endswith((".js", ".css")) and len(each.body()) > 1024:
            assert each.headers["content-encoding"] == "br"
            assert each.headers["vary"] == "Accept-Encoding"

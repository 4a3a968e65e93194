"""Live through a whole run, from an empty server to its end: clients leave and return, nothing jumps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.e2e.conftest import PAIR
from tests.e2e.test_page import SLOW_MS, open_page
from tests.e2e.test_page_engine import client_row
from tests.support.api import Api, tidied
from tests.support.processes import ServerProcess
from tests.support.shifts import WATCH_SHIFTS, expect_still

ROUNDS = 40
ENDS = {"num_rounds": ROUNDS, "min_clients": 2, "model": "linear", "local_epochs": 3}
"""Enough to stop clients in the middle on a fast machine as well, few enough to wait for the end."""


@dataclass(frozen=True)
class Site:
    """A server, and the clients that its test starts and ends."""

    server: ServerProcess
    clients: Clients


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Empty at first."""
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    with Fleet() as fleet:
        yield Site(server, Clients(fleet, server, tmp_path_factory.mktemp("data")))
    server.end()


@pytest.fixture
def api(site: Site) -> Iterator[Api]:
    with tidied(site.server.url) as api:
        yield api


def leave(site: Site, *client_ids: str) -> None:
    """Killed while they stand still, so that the run does not end meanwhile."""
    for client_id in client_ids:
        site.clients.freeze(client_id)
    for client_id in client_ids:
        site.clients.kill(client_id)


def test_nothing_jumps_from_the_ready_check_to_the_end_of_a_run(page: Page, site: Site, api: Api) -> None:
    page.add_init_script(WATCH_SHIFTS)
    open_page(page, site.server)
    state = page.get_by_test_id("run-state")
    expect(page.get_by_test_id("ready-check")).to_be_visible()
    site.clients.start(*PAIR)
    expect(page.get_by_test_id("ready-clients")).to_contain_text("2 of 2", timeout=SLOW_MS)

    run = api.start(**ENDS)["id"]
    api.wait_for_round(run, 2)
    leave(site, PAIR[1])
    expect(client_row(page, PAIR[1])).to_have_attribute("data-role", "lost", timeout=SLOW_MS)
    expect(page.get_by_test_id("more-clients")).to_be_visible(timeout=SLOW_MS)
    expect(state).to_have_attribute("data-state", "waiting")
    site.clients.start(PAIR[1])
    expect(state).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    expect(page.get_by_test_id("chart-accuracy")).to_have_attribute("data-latest-round", str(ROUNDS))

    expect_still(page)


def test_when_the_last_client_has_left_the_run_waits_and_ends_once_all_are_back(
    page: Page, site: Site, api: Api, tmp_path: Path
) -> None:
    for client_id in PAIR:
        api.wait_for_client(client_id, "idle")
    open_page(page, site.server)
    run = api.start(**ENDS)["id"]
    api.wait_for_round(run, 1)

    leave(site, *PAIR)

    state, situation = page.get_by_test_id("run-state"), page.get_by_test_id("run-situation")
    expect(state).to_have_attribute("data-state", "waiting", timeout=SLOW_MS)
    expect(situation).to_contain_text(re.compile(r"^waiting for .* \(0 of [12]\): .*client-1.*client-2"))
    missing = page.get_by_test_id("more-clients")
    for client_id in PAIR:
        expect(missing).to_contain_text(f"{client_id} was last seen on")
        command = missing.get_by_test_id("restart-command").filter(has_text=client_id)
        expect(command).to_contain_text(f"--client-id {client_id} --dataset digits")
        expect(client_row(page, client_id)).to_have_attribute("data-role", "lost")
    expect(page.get_by_test_id("client-count")).to_have_text("0 connected")

    site.clients.start(PAIR[0])
    expect(missing).not_to_contain_text(f"{PAIR[0]} was last seen on", timeout=SLOW_MS)
    expect(missing).to_contain_text(f"{PAIR[1]} was last seen on")
    expect(state).to_have_attribute("data-state", "waiting")
    site.clients.start(PAIR[1])

    expect(state).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
    expect(missing).to_have_count(0)
    rounds = [each["round"] for each in api.rounds(run)]
    assert rounds == [*range(ROUNDS + 1)], "no round was lost with its clients"

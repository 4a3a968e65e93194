"""Live with many clients, of whom some are gone and one is slow: who holds up the round is seen at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from app.demo.fleet import Fleet
from bench.crew import Crew
from bench.light import SPEC, light_clients, names
from tests.conftest import Clients
from tests.e2e.test_page import SLOW_MS, open_page
from tests.e2e.test_page_engine import client_row
from tests.support.api import Api
from tests.support.processes import ServerProcess
from tests.support.raw_link import RawClient

pytestmark = pytest.mark.timeout(600)

LIGHT = 16
SLOW, *LOST = REAL = ["slow", "gone-1", "gone-2"]
LATER = "later"
TOGETHER = LIGHT + len(REAL)
LONG = {
    **SPEC,
    "num_rounds": 10_000,
    "min_clients": LIGHT,
    "num_partitions": 32,
    "local_epochs": 1_000,
    "batch_size": 8,
}
"""Many steps for the slow one, whom they keep busy for a minute: the crowd trains nothing."""


@dataclass(frozen=True)
class Crowd:
    """A server with a crowd that answers at once, and clients that can be stopped."""

    server: ServerProcess
    clients: Clients
    api: Api


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    home = tmp_path_factory.mktemp("server")
    server = ServerProcess(home=home)
    with (
        Fleet() as fleet,
        closing(Api(server.url)) as api,
        Crew(light_clients, [(names(LIGHT), server.link_port, home)]),
    ):
        clients = Clients(fleet, server, tmp_path_factory.mktemp("data"))
        clients.start(*REAL)
        for client_id in (*names(LIGHT), *REAL):
            api.wait_for_client(client_id, "idle")
        yield Crowd(server, clients, api)
    server.end()


def test_who_holds_up_a_crowd_comes_first_and_is_named(page: Page, crowd: Crowd) -> None:
    open_page(page, crowd.server)
    run = crowd.api.start(**LONG)["id"]
    crowd.api.wait_for_round(
        run, 2, timeout_s=240.0
    )  # from then on it is known how long a client usually takes
    rows = page.get_by_test_id("client-row")
    said = page.get_by_test_id("run-situation")

    with crowd.clients.slowed(SLOW):
        for client_id in LOST:
            crowd.clients.kill(client_id)
            crowd.api.wait_for_client(client_id, "lost")
        left = TOGETHER - len(LOST)
        expect(said).to_have_text(
            re.compile(
                rf"Round \d+: training {left - 1} of {left}, "
                rf"waiting for {SLOW} \(\d+ s, usually .+ s\); gone-1, gone-2 lost"
            ),
            timeout=SLOW_MS,
        )
        assert [row.get_attribute("data-client") for row in rows.all()[:3]] == [*LOST, SLOW]
        expect(page.get_by_test_id("role-lost")).to_contain_text("2 lost")
        expect(page.get_by_test_id("role-delivered")).to_contain_text(f"{LIGHT} delivered")
        expect(page.get_by_test_id("role-idle")).to_have_count(0)
        page.get_by_test_id("role-delivered").click()
        expect(rows.first).to_contain_text(re.compile(r"delivered in \d+(\.\d)? s"))
        page.get_by_test_id("role-delivered").click()
        with RawClient(crowd.server.home) as later:
            later.hello(LATER)  # too late to be asked in this round
            page.get_by_test_id("role-idle").click()
            row = client_row(page, LATER)
            expect(row).to_have_attribute("data-role", "idle")
            expect(row).to_contain_text("idle")
            expect(row).not_to_contain_text("delivered")
        held_up = crowd.api.run(run)["round"]

        page.get_by_test_id("go-on").click()

        expect(page.locator(f"[data-testid=round-row][data-round='{held_up}']")).to_contain_text(
            f"aggregated from {left - 1} of {left} clients, without {SLOW}", timeout=SLOW_MS
        )
    crowd.api.end_all_runs()

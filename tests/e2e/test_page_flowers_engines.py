"""The page of a run on Flower's simulation engine: asked for in the form, watched, and stopped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_page import open_page
from tests.support.processes import ServerProcess
from tests.support.ray_processes import rays
from tests.support.waiting import wait_until

START_MS = 120_000
"""Ray's processes may take long to start beside other tests."""


pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    yield server
    server.end()


def test_a_simulation_is_started_in_the_form_watched_and_stopped(page: Page, server: ServerProcess) -> None:
    open_page(page, server, "/new")
    page.locator("[name=num_rounds]").fill("2000")
    page.get_by_test_id("engine").click()
    page.locator("[name=engine]").select_option("simulation")
    page.locator("[name=simulated_clients]").fill("4")
    page.get_by_test_id("start-submit").click()

    expect(page.get_by_test_id("run-bar")).to_contain_text("Flower's simulation of 4 clients")
    rows = page.get_by_test_id("run-client")
    expect(rows).to_have_count(4, timeout=START_MS)
    expect(page.get_by_test_id("engine-note")).to_contain_text("there are no verdicts and receipts")
    expect(rows.first.get_by_test_id("client-accuracy")).to_contain_text("%", timeout=START_MS)
    expect(page.get_by_test_id("client-count")).to_contain_text("0 connected")

    page.get_by_test_id("stop").click()
    page.get_by_test_id("stop-confirm").click()
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "stopped", timeout=START_MS)
    wait_until(lambda: not rays(server), "Ray's processes have ended", 60)

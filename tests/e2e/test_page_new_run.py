"""From nothing to a run on the page alone: clients started here, a first look, and what a run would be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.axe import violations, violations_in_both_themes
from tests.support.processes import ServerProcess

STARTS_MS = 30_000
RUNS_MS = 60_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One without a run and without clients."""
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    yield server
    server.end()


def open_at(page: Page, server: ServerProcess, address: str) -> None:
    page.goto(f"http://localhost:{server.port}{address}")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")


def test_from_nothing_to_a_completed_run(page: Page, server: ServerProcess) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    open_at(page, server, "/")
    clients = page.get_by_test_id("ready-clients")
    expect(clients).to_contain_text("Clients: 0 of 2 are there")
    expect(clients.get_by_test_id("join-command")).to_be_in_viewport()
    expect(page.get_by_test_id("first-look")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollHeight") <= 720
    assert violations_in_both_themes(page) == []

    # first the run, which waits: then the check stays, and says for whom
    page.get_by_test_id("first-look").click()
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "waiting")
    expect(page.get_by_test_id("ready-start")).to_contain_text("once 2 more clients that fit are there")

    page.get_by_test_id("start-here").click()
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "completed", timeout=RUNS_MS)
    expect(page.get_by_test_id("ready-check")).to_have_count(0)
    expect(page.get_by_test_id("chart-accuracy")).to_have_attribute("data-latest-round", "5")
    expect(page.locator("[data-testid=client-row]")).to_have_count(2)

    # they are ended on the page of the clients
    page.goto(f"http://localhost:{server.port}/clients")
    page.get_by_test_id("end-local").click()
    expect(page.get_by_test_id("client-count")).to_have_text("0 connected", timeout=STARTS_MS)
    page.get_by_test_id("start-here").click()
    expect(page.get_by_test_id("client-count")).to_have_text("1 connected", timeout=STARTS_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_shows_who_would_have_which_labels(page: Page, server: ServerProcess, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    open_at(page, server, "/new")

    page.get_by_test_id("preset-unequal-data").click()

    expect(page.get_by_test_id("preview-labels").locator("tbody tr")).to_have_count(2)
    expect(page.get_by_test_id("preview")).to_have_attribute("data-stale", "false")
    assert violations(page) == []

"""The page of a run on a real SuperLink with two SuperNodes: asked for in the form, watched, and stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from shared.flower_superlink import SuperLink
from tests.e2e.test_page import open_page
from tests.support.processes import ServerProcess
from tests.support.superlink import START_S, Federation, states, superlink_of
from tests.support.waiting import wait_until

START_MS = START_S * 1000

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with ExitStack() as ending:
        yield Federation(tmp_path_factory.mktemp("superlink"), ending)


@pytest.fixture(scope="module")
def server(federation: Federation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(*federation.flags, home=tmp_path_factory.mktemp("server"))
    yield server
    server.end()


@pytest.fixture
def superlink(federation: Federation) -> Iterator[SuperLink]:
    with superlink_of(federation) as superlink:
        yield superlink


def test_a_run_on_a_superlink_is_started_in_the_form_watched_and_stopped(
    page: Page, server: ServerProcess, superlink: SuperLink
) -> None:
    open_page(page, server, "/new")
    page.locator("[name=num_rounds]").fill("500")
    page.get_by_test_id("engine").click()
    page.locator("[name=engine]").select_option("superlink")
    page.get_by_test_id("start-submit").click()

    expect(page.get_by_test_id("run-bar")).to_contain_text("Flower's SuperLink")
    rows = page.get_by_test_id("run-client")
    expect(rows).to_have_count(2, timeout=START_MS)
    for row in rows.all():
        expect(row).to_contain_text("supernode-")
    expect(page.get_by_test_id("engine-note")).to_contain_text("SuperNodes of Flower's SuperLink")
    expect(rows.first.get_by_test_id("client-accuracy")).to_contain_text("%", timeout=START_MS)
    expect(page.get_by_test_id("client-count")).to_contain_text("0 connected")
    assert states(superlink) == ["running"]

    page.get_by_test_id("stop").click()
    page.get_by_test_id("stop-confirm").click()
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "stopped", timeout=START_MS)
    wait_until(lambda: states(superlink) == ["finished:stopped"], "the SuperLink has stopped it", START_S)

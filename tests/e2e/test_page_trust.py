"""The audit log on the page, in Chromium, against a real server and real clients."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.audit.verify import verify
from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.processes import ServerProcess

PAIR = ["client-1", "client-2"]

expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two clients."""
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path_factory.mktemp("data")).start(*PAIR)
        yield server
    server.end()


def test_the_log_is_shown_as_it_grows_is_witnessed_and_can_be_taken_away(
    page: Page, server: ServerProcess
) -> None:
    api = Api(server.url)
    for client_id in PAIR:
        api.wait_for_client(client_id, "idle")
    page.goto(f"http://localhost:{server.port}/")
    page.get_by_test_id("tab-trust").click()
    expect(page.get_by_test_id("audit-entry").first).to_be_visible()

    run_id = api.start(num_rounds=2, min_clients=2, model="linear")["id"]
    api.wait_for_run(run_id, "completed")

    expect(page.get_by_test_id("audit-entry").first).to_contain_text(f"run ended run {run_id}: completed")
    summary = page.get_by_test_id("audit-summary")
    expect(summary).to_contain_text("All of it has been witnessed.")
    for client_id in PAIR:
        expect(summary).to_contain_text(f"{client_id} all of it")
    with page.expect_download() as download:
        page.get_by_test_id("audit-export").click()
    data = Path(download.value.path()).read_bytes()
    assert verify(io.BytesIO(data)).witnesses.keys() == set(PAIR)
    api.close()

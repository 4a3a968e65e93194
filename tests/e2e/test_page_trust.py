"""The audit log on the page, in Chromium, against a real server and real clients."""

from __future__ import annotations

import io
from pathlib import Path

from playwright.sync_api import Page, expect

from app.audit.verify import verify
from tests.e2e.conftest import PAIR
from tests.support.api import Api
from tests.support.processes import ServerProcess

expect.set_options(timeout=15_000)


def test_the_log_is_shown_as_it_grows_is_witnessed_and_can_be_taken_away(
    page: Page, paired_server: ServerProcess
) -> None:
    api = Api(paired_server.url)
    for client_id in PAIR:
        api.wait_for_client(client_id, "idle")
    page.goto(f"http://localhost:{paired_server.port}/")
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

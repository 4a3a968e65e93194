"""The audit log on the page, in Chromium, against a real server and real clients."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, expect

from app.audit.verify import verify
from tests.e2e.conftest import PAIR
from tests.support.api import Api
from tests.support.processes import ServerProcess


def test_the_log_is_shown_as_it_grows_is_witnessed_and_can_be_taken_away(
    page: Page, paired_server: ServerProcess
) -> None:
    api = Api(paired_server.url)
    for client_id in PAIR:
        api.wait_for_client(client_id, "idle")
    page.goto(f"http://localhost:{paired_server.port}/trust")
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


def test_on_a_small_screen_the_log_keeps_five_entries_in_view_beside_budgets(
    page: Page, paired_server: ServerProcess
) -> None:
    """Once, what stood above them had left no room."""
    page.set_viewport_size({"width": 1280, "height": 720})
    with closing(Api(paired_server.url)) as api:
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        run_id = api.start(num_rounds=1, model="linear", dp={"noise_multiplier": 2.0})["id"]
        api.wait_for_run(run_id, "completed")
    page.goto(f"http://localhost:{paired_server.port}/trust")
    expect(page.get_by_test_id("budget")).to_have_count(len(PAIR))
    expect(page.get_by_test_id("refusals")).to_contain_text("refused since the server started")

    entries = page.get_by_test_id("audit-entry")
    for newest in range(5):
        expect(entries.nth(newest)).to_be_in_viewport(ratio=1)
    for last in (page.get_by_test_id("audit-export"), page.get_by_test_id("audit-verify")):
        last.scroll_into_view_if_needed()
        expect(last).to_be_in_viewport(ratio=1)

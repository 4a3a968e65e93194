"""A run that waits for a client that it has lost: the page has the command that starts that client again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients, StartServer
from tests.e2e.conftest import PAIR
from tests.e2e.test_page import SLOW_MS, open_page
from tests.support.api import Api

LONG = {"num_rounds": 10_000, "min_clients": 2, "model": "linear"}
"""A round goes on without the reply of a lost client, and the next one waits for as many as at the start."""


def test_the_command_starts_the_lost_client_again_and_no_other(
    page: Page, start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    with Fleet() as fleet, closing(Api(server.url)) as api:
        clients = Clients(fleet, server, tmp_path)
        clients.start(*PAIR)
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        run = api.start(**LONG)["id"]
        api.wait_for_round(run, 3)
        open_page(page, server)
        expect(page.get_by_test_id("run-accuracy")).to_contain_text("%")
        clients.kill(PAIR[1])

        expect(page.get_by_test_id("more-clients")).to_contain_text(
            f"{PAIR[1]} was last seen on", timeout=SLOW_MS
        )
        shown = page.get_by_test_id("more-clients").get_by_test_id("restart-command")
        expect(shown).to_contain_text(f"--client-id {PAIR[1]}")
        expect(page.get_by_test_id("join-command")).to_have_count(0)
        page.get_by_test_id("start-lost").click()
        expect(page.get_by_role("dialog").get_by_test_id("restart-command")).to_contain_text(
            f"--client-id {PAIR[1]}"
        )

        api.end_all_runs()
        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "stopped")
        expect(page.get_by_test_id("start-lost")).to_have_count(0)

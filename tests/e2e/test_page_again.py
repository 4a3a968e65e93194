"""What the page offers before a run's first round and after its end: how to join, and to run it again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients, StartServer
from tests.e2e.test_page import SLOW_MS, TRIO, open_page
from tests.support.api import Api, tidied
from tests.support.processes import ServerProcess

SHORT = {"num_rounds": 2, "min_clients": 2, "model": "linear", "seed": 7}


def test_how_to_join_is_said_until_nobody_is_missing(
    page: Page, start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    with Fleet() as fleet, closing(Api(server.url)) as api:
        clients = Clients(fleet, server, tmp_path)
        open_page(page, server)
        api.start(**{**SHORT, "min_clients": len(TRIO)})
        command = page.get_by_test_id("join-command")
        for there, client_id in enumerate(TRIO):
            expect(page.get_by_test_id("run-situation")).to_contain_text(f"({there} of {len(TRIO)})")
            expect(command).to_have_count(1)
            expect(command).to_contain_text(f"--client-id {client_id} --dataset digits")
            clients.start(client_id)

        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
        expect(command).to_have_count(0)


def test_a_run_that_is_over_is_run_again(page: Page, paired_server: ServerProcess) -> None:
    with tidied(paired_server.url) as api:
        completed = api.wait_for_run(api.start(**SHORT)["id"], "completed")
        begun = api.start(**{**SHORT, "num_rounds": 10_000})["id"]
        api.wait_for_round(begun, 1)
        api.stop(begun)
        stopped = api.wait_for_run(begun, "stopped")
        api.wait_until_idle()
        for run in (completed, stopped):
            open_page(page, paired_server, f"/runs/{run['id']}/curves")
            expect(page.get_by_test_id("run-id")).to_have_text(run["id"])
            expect(page.get_by_test_id("resume")).to_have_count(0)
            again = page.get_by_test_id("start-again")
            expect(again).to_have_text("Run again")

            again.click()

            expect(page).to_have_url(f"http://localhost:{paired_server.port}/")
            expect(page.get_by_test_id("run-id")).not_to_have_text(run["id"])
            newest = api.get("/runs")["runs"][0]
            expect(page.get_by_test_id("run-id")).to_have_text(newest["id"])
            assert newest["spec"] == run["spec"]
            assert api.run(run["id"]) == run, "it stays as it was"
            api.end_all_runs()

"""A run with differential privacy, from the page's form to what each client has spent, in Chromium."""

from __future__ import annotations

import re
from contextlib import closing

from playwright.sync_api import Page, expect

from tests.e2e.conftest import PAIR
from tests.support.api import Api
from tests.support.processes import ServerProcess

expect.set_options(timeout=15_000)


def test_a_private_run_is_started_and_shows_what_it_costs_beside_what_it_is_worth(
    page: Page, paired_server: ServerProcess
) -> None:
    with closing(Api(paired_server.url)) as api:
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        page.goto(f"http://localhost:{paired_server.port}/")
        page.get_by_test_id("new-run").click()
        form = page.get_by_test_id("start-form")
        form.get_by_label("Rounds", exact=True).fill("2")
        form.get_by_label("Model", exact=True).select_option("linear")
        form.get_by_test_id("privacy").click()
        form.get_by_role("switch", name=re.compile("^Differential privacy")).check(force=True)
        form.get_by_label("Noise multiplier").fill("2")
        form.get_by_test_id("start-submit").click()

        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "completed")
        run = api.get("/runs")["runs"][0]
        spent = {
            client_id: part["epsilon"] for client_id, part in api.rounds(run["id"])[-1]["per_client"].items()
        }
        expect(page.get_by_test_id("run-privacy")).to_contain_text(f"ε {max(spent.values()):.2f}")
        for client_id in PAIR:
            row = page.locator(f'[data-testid="client-row"][data-client="{client_id}"]')
            expect(row.get_by_test_id("client-epsilon")).to_have_text(f"{spent[client_id]:.2f}")
            expect(
                row.get_by_label(re.compile("no data: not told: the run protects the clients"))
            ).to_have_count(3)
        chart = page.get_by_test_id("chart-loss")
        expect(chart).to_have_attribute("data-metric", "epsilon")
        expect(chart).to_have_attribute("data-clients", "2")

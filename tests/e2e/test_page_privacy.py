"""Private runs, from the page's form to what is told of them and what is not, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.demo.fleet import Fleet
from client.site.policy import Policy
from tests.conftest import Clients
from tests.e2e.conftest import PAIR
from tests.support.api import Api
from tests.support.processes import ServerProcess

TRIO = [*PAIR, "client-3"]
NOT_TOLD = re.compile("no data: not told: .*metrics_of_private_runs")


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with three clients, as many as secure aggregation needs."""
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path_factory.mktemp("data")).start(*TRIO)
        yield server
    server.end()


def open_form(page: Page, server: ServerProcess) -> Locator:
    """The start form of a short run, with its section on privacy open."""
    page.goto(f"http://localhost:{server.port}/")
    page.get_by_test_id("new-run").click()
    form = page.get_by_test_id("start-form")
    form.get_by_label("Rounds", exact=True).fill("2")
    form.get_by_label("Model", exact=True).select_option("linear")
    form.get_by_test_id("privacy").click()
    return form


def row_of(page: Page, client_id: str) -> Locator:
    """A client's row in the table."""
    return page.locator(f'[data-testid="client-row"][data-client="{client_id}"]')


def says_why_on_every_page(page: Page, server: ServerProcess) -> None:
    """No dash for a number that a private run keeps back is without its reason, in words for all to read."""
    why = re.compile("of single clients stay with them: .*(updates|sums) alone")
    for address, note in (
        ("/", "kept-note"),
        ("/", "curves-kept"),
        ("/clients", "kept-note"),
        (f"/clients/{PAIR[0]}", "client-kept"),
        (f"/clients/{PAIR[0]}", "curves-kept"),
        ("/data?view=labels", "kept-note"),
    ):
        page.goto(f"http://localhost:{server.port}{address}")
        expect(page.get_by_test_id(note).first).to_have_text(why)
    expect(page.locator("[data-row]").first.get_by_text("not told: ")).to_be_visible()
    expect(page.locator("[data-row]").first.get_by_label(NOT_TOLD).first).to_be_visible()


def test_a_private_run_is_started_and_shows_what_it_costs_beside_what_it_is_worth(
    page: Page, paired_server: ServerProcess
) -> None:
    with closing(Api(paired_server.url)) as api:
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        form = open_form(page, paired_server)
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
            row = row_of(page, client_id)
            expect(row.get_by_test_id("client-epsilon")).to_have_text(f"{spent[client_id]:.2f}")
            expect(row.get_by_label(NOT_TOLD)).to_have_count(4)
        chart = page.get_by_test_id("chart-loss")
        expect(chart).to_have_attribute("data-metric", "epsilon")
        expect(chart).to_have_attribute("data-clients", "2")
        says_why_on_every_page(page, paired_server)


def test_a_run_whose_updates_nobody_sees_is_started_and_says_why_numbers_are_missing(
    page: Page, trio: ServerProcess
) -> None:
    with closing(Api(trio.url)) as api:
        for client_id in TRIO:
            api.wait_for_client(client_id, "idle")
        form = open_form(page, trio)
        form.get_by_role("switch", name=re.compile("^Secure aggregation")).check(force=True)
        expect(form.get_by_label("Threshold")).to_have_value("0.7")
        form.get_by_test_id("privacy").click()
        expect(form.get_by_text("secure aggregation, no noise is added")).to_be_visible()

        form.get_by_label("Min. clients").fill("2")
        form.get_by_test_id("start-submit").click()
        expect(form).to_contain_text("of two each knows the other's update by the sum")
        assert api.get("/runs")["runs"] == []
        form.get_by_label("Min. clients").fill("3")
        form.get_by_test_id("start-submit").click()

        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "completed")
        [run] = api.get("/runs")["runs"]
        assert run["spec"]["secure_aggregation"]["threshold"] == 0.7
        newest = api.rounds(run["id"])[-1]
        assert (newest["round"], newest["clients"]) == (2, 3)
        assert newest["accuracy"] > 0.3, "the sum is a model that has learned"
        for client_id in TRIO:
            part = newest["per_client"][client_id]
            assert [part[name] for name in ("train_loss", "loss", "accuracy", "samples")] == [None] * 4
            expect(row_of(page, client_id).get_by_label(NOT_TOLD)).to_have_count(5)
        says_why_on_every_page(page, trio)
        page.goto(f"http://localhost:{trio.port}/trust")
        expect(page.get_by_test_id("no-budgets")).to_contain_text("adds no noise")
        page.get_by_test_id("view-runs").click()
        settings = re.compile("α 0.5 · secure aggregation")
        expect(page.get_by_test_id("run-row")).to_have_attribute("title", settings)


def test_a_client_that_refuses_the_others_keys_is_named_with_the_rule_and_the_sum_is_made_without_it(
    page: Page, trio: ServerProcess, tmp_path: Path
) -> None:
    """As it refuses those that a server has put in their place (`tests/fault/test_lying_server.py`)."""
    with closing(Api(trio.url)) as api, Fleet() as fleet:
        keys = {client_id: api.wait_for_client(client_id, "idle")["key"] for client_id in TRIO}
        members = Policy(members=tuple(keys[client_id] for client_id in PAIR))
        Clients(fleet, trio, tmp_path).start("picky", policy=members)
        api.wait_for_client("picky", "idle")
        spec = {"model": "linear", "num_rounds": 1, "min_clients": 4, "secure_aggregation": {}}
        run_id = api.start(**spec)["id"]
        api.wait_for_run(run_id, "completed")
        assert api.rounds(run_id)[-1]["clients"] == len(TRIO)

        page.goto(f"http://localhost:{trio.port}/")
        note = row_of(page, "picky").get_by_test_id("client-note")
        expect(note).to_have_attribute("data-kind", "declined")
        note.get_by_role("button").click()
        why = re.compile("secagg-keys: .*not among the members of this site")
        expect(page.get_by_role("dialog")).to_contain_text(why)

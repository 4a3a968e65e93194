"""Clients, the page of each, data and trust, in Chromium, against a real server and real clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.e2e.conftest import PAIR
from tests.e2e.test_page import open_page, wait_for_points
from tests.support.api import Api, Json
from tests.support.axe import violations
from tests.support.processes import ServerProcess
from tests.support.raw_link import RawClient
from tests.support.screen import FITS, FITS_IN_WIDTH
from tests.support.waiting import wait_until

UNEQUAL = {"num_rounds": 3, "min_clients": 2, "model": "linear", "alpha": 0.1}

APART = """() => {
  const panels = [...document.querySelectorAll('section:has(> header)')];
  const boxes = panels.map(each => each.getBoundingClientRect()).sort((a, b) => a.top - b.top);
  return boxes.length > 3 && boxes.every((each, at) => at === 0 || boxes[at - 1].bottom <= each.top);
}"""
"""Whether the panels stand below each other, as they do on a phone."""


@pytest.fixture(scope="module")
def api(paired_server: ServerProcess) -> Iterator[Api]:
    with closing(Api(paired_server.url)) as api:
        yield api


@pytest.fixture(scope="module")
def run(api: Api) -> Json:
    return api.wait_for_run(api.start(**UNEQUAL)["id"], "completed")


def test_the_clients_are_searched_and_put_in_order_by_the_address(
    page: Page, paired_server: ServerProcess, run: Json
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    open_page(page, paired_server, "/clients?sort=client&order=desc")

    rows = page.get_by_test_id("client-row")
    expect(rows).to_have_count(len(PAIR))
    assert [row.get_attribute("data-client") for row in rows.all()] == sorted(PAIR, reverse=True)
    expect(rows.first).to_contain_text("3 of 3")
    assert page.evaluate(FITS)
    assert violations(page) == []
    page.get_by_test_id("search-clients").fill(PAIR[0])
    expect(rows).to_have_count(1)
    page.reload()
    expect(rows).to_have_count(1)

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(FITS_IN_WIDTH)


def test_a_clients_name_leads_to_all_that_is_known_of_it(
    page: Page, paired_server: ServerProcess, api: Api, run: Json
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    open_page(page, paired_server, "/clients")
    client = api.clients()[PAIR[1]]

    page.get_by_role("link", name=PAIR[1]).click()

    expect(page).to_have_url(re.compile(f"/clients/{PAIR[1]}(\\?|$)"))
    expect(page.get_by_test_id("client-in-run")).to_contain_text("its update counted in 3 of 3 rounds")
    expect(page.get_by_test_id("client-key")).to_contain_text(client["key"])
    expect(page.get_by_test_id("client-restart")).to_contain_text(f"--client-id {PAIR[1]}")
    expect(page.get_by_test_id("client-verdicts")).to_contain_text("accepted")
    expect(page.get_by_test_id("system-row")).to_have_count(1)
    wait_for_points(page, "accuracy", 4)
    expect(page.get_by_test_id("chart-accuracy")).to_have_attribute("data-lines", "1")
    assert page.evaluate(FITS)
    assert violations(page) == []

    moved = re.compile(r"B came from it and .*B went to it")
    expect(page.get_by_test_id("client-bytes")).to_contain_text(moved)

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(FITS_IN_WIDTH)
    page.wait_for_function(APART)
    page.go_back()
    expect(page.get_by_test_id("client-row")).to_have_count(len(PAIR))


def test_the_address_of_a_client_that_nobody_knows_says_so(page: Page, paired_server: ServerProcess) -> None:
    open_page(page, paired_server, "/clients/nobody")
    expect(page.get_by_test_id("no-such-client")).to_contain_text("nobody")
    assert violations(page) == []


def test_the_data_page_says_who_has_unusual_labels(
    page: Page, paired_server: ServerProcess, run: Json
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    open_page(page, paired_server, f"/runs/{run['id']}/data?view=labels")

    expect(page.get_by_test_id("unusual")).to_contain_text(re.compile("most of all client-[12]: .* % are "))
    unusual = page.locator("[data-unusual=true]")
    expect(unusual.first).to_be_visible()
    assert page.evaluate(FITS)
    assert violations(page) == []
    page.get_by_test_id("evaluation-rounds").click()
    expect(page.get_by_test_id("class-rounds")).to_be_visible()
    assert violations(page) == []

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(FITS_IN_WIDTH)


def test_the_round_of_the_evaluation_is_moved_with_the_keyboard(
    page: Page, paired_server: ServerProcess, run: Json
) -> None:
    open_page(page, paired_server, f"/runs/{run['id']}/data")
    shown = page.get_by_test_id("evaluation-round")
    expect(shown).to_have_text("round 3")

    page.get_by_test_id("evaluation-slider").press("ArrowLeft")

    expect(shown).to_have_text("round 2")
    expect(page).to_have_url(re.compile(r"\?round=2$"))
    page.reload()
    expect(shown).to_have_text("round 2")
    page.get_by_test_id("evaluation-slider").press("End")
    expect(shown).to_have_text("round 3")
    expect(page).to_have_url(re.compile(r"/data$"))


def test_the_server_verifies_its_log_and_counts_the_verdicts(
    page: Page, paired_server: ServerProcess, run: Json
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    open_page(page, paired_server, "/trust")
    expect(page.get_by_test_id("replies")).to_contain_text(re.compile(r"\d accepted"))

    page.get_by_test_id("audit-check").click()

    expect(page.get_by_test_id("audit-checked")).to_contain_text("All hashes and signatures of")
    assert violations(page) == []
    page.get_by_test_id("trust-users").click()
    expect(page.get_by_role("dialog", name="Users and tokens")).to_be_visible()


def test_one_that_is_gone_for_good_is_forgotten_after_a_question(
    page: Page, paired_server: ServerProcess, api: Api
) -> None:
    with RawClient(paired_server.home) as client:
        client.hello("visitor")
        api.wait_for_client("visitor", "idle")
    api.wait_for_client("visitor", "lost")
    open_page(page, paired_server, "/clients/visitor")

    page.get_by_test_id("forget").click()
    expect(page.get_by_test_id("forget-consequence")).to_contain_text("the audit log stay")
    assert violations(page) == []
    page.get_by_test_id("forget-confirm").click()

    expect(page.get_by_test_id("no-such-client")).to_contain_text("somebody had it forgotten")
    assert "visitor" not in api.clients()


def rounds_in(row: Locator) -> int:
    """Of the run, as a client's row tells them: "3 of 12"."""
    (told,) = re.findall(r" of ([\d,]+)", row.inner_text())
    return int(told.replace(",", ""))


def test_a_run_keeps_a_client_that_was_forgotten_while_it_goes_on(
    page: Page, paired_server: ServerProcess, api: Api, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    guest = "guest"
    with Fleet() as fleet:
        clients = Clients(fleet, paired_server, tmp_path)
        clients.start(guest)
        api.wait_for_client(guest, "idle")
        run = api.start(num_rounds=10_000, min_clients=2, num_partitions=3, model="linear")["id"]
        api.wait_for_round(run, 2)
        clients.kill(guest)
    api.wait_for_client(guest, "lost")
    open_page(page, paired_server, f"/runs/{run}/clients")
    row = page.locator(f"[data-testid=run-client][data-client={guest}]")
    expect(row).to_have_attribute("data-role", "lost")
    expect(page.get_by_test_id("run-client").first).to_have_attribute("data-client", guest)

    assert api.http.delete(f"/api/v1/clients/{guest}").status_code == 204

    expect(row).to_have_attribute("data-role", "apart")
    expect(page.get_by_test_id("run-client")).to_have_count(len(PAIR) + 1)
    expect(row.get_by_test_id("client-accuracy")).to_contain_text("%")
    expect(row.get_by_test_id("label-strip")).to_be_visible()
    others = page.locator(f"[data-testid=run-client][data-client={PAIR[0]}]")
    done = api.run(run)["round"]
    wait_until(lambda: rounds_in(others) > done + 1, "the run goes on, and its page with it")
    assert page.evaluate(FITS)
    assert violations(page) == []

    api.end_all_runs()
    page.reload()
    expect(row).to_be_visible()
    page.get_by_test_id("part-data").click()
    page.get_by_test_id("evaluation-labels").click()
    expect(page.get_by_test_id("labels")).to_contain_text(guest)
    page.get_by_test_id("part-clients").click()
    row.get_by_test_id("client-open").click()
    expect(page.get_by_test_id("client-gone")).to_be_visible()
    expect(page.get_by_test_id("client-in-run")).to_contain_text("its update counted in")

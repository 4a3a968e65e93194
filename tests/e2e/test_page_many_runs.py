"""2,000 runs in the store: the page lists, searches, sorts and compares them at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.store.store import Store
from app.store.urls import default_url
from tests.e2e.test_page import open_page
from tests.support.api import Api
from tests.support.many_runs import fill, run_id
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.alone

RUNS, ROUNDS = 2_000, 5
COMPARED = [run_id(place) for place in range(500, 520)]

LIST_S, COMPARISON_S = 0.3, 1.0
"""What is promised on a machine that does nothing else."""
LIST_LIMIT_S, COMPARISON_LIMIT_S = 2.0, 5.0

SEEN = """
(() => {
  const wanted = "[data-testid=run-row][data-run], [data-testid=compare-chart][data-lines='20'] canvas";
  const watch = new MutationObserver(() => {
    if (document.querySelector(wanted) === null) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.seenAt = performance.now())));
  });
  watch.observe(document, { subtree: true, childList: true, attributes: true });
})();
"""
"""Run in the page before anything else: when the first runs, or all curves, stood on the screen."""

ASKED = """path => performance.getEntriesByType("resource")
  .filter(({ name }) => new URL(name).pathname.endsWith(path)).map(({ requestStart }) => requestStart)[0]"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    home: Path = tmp_path_factory.mktemp("server")
    with Store.open(default_url(home)) as store:
        fill(store, RUNS, ROUNDS)
    server = ServerProcess(home=home)
    yield server
    server.end()


def seconds_until_seen(page: Page, path: str, promised_s: float) -> float:
    """From the moment at which the page asks the server at this path until what it answers is drawn."""
    page.wait_for_function("() => window.seenAt > 0")
    seconds = float(page.evaluate("() => window.seenAt") - page.evaluate(ASKED, path)) / 1000
    sys.stdout.write(f"{path}: {seconds * 1000:.0f} ms, where {promised_s * 1000:.0f} are promised\n")
    return seconds


def test_the_first_of_two_thousand_runs_are_there_at_once(page: Page, server: ServerProcess) -> None:
    page.add_init_script(SEEN)
    open_page(page, server, "/runs")
    expect(page.get_by_test_id("run-row").first).to_be_visible()

    page.reload()

    assert 0 < seconds_until_seen(page, "/api/v1/runs", LIST_S) < LIST_LIMIT_S
    expect(page.get_by_test_id("runs-count")).to_have_text(f"{RUNS:,}")
    expect(page.get_by_test_id("run-row").first).to_have_attribute("data-run", run_id(RUNS - 1))


def test_two_thousand_runs_are_scrolled_searched_and_put_in_order(page: Page, server: ServerProcess) -> None:
    open_page(page, server, "/runs")
    rows = page.get_by_test_id("run-row")
    expect(rows.first).to_be_visible()

    for part, place in ((0.5, RUNS // 2), (1, 0)):
        page.get_by_test_id("runs").evaluate(
            "(box, part) => { box.scrollTop = part * (box.scrollHeight - box.clientHeight); }", part
        )
        expect(page.locator(f"[data-testid=run-row][data-run='{run_id(place)}']")).to_be_visible()
        assert rows.count() < 80, "those in view alone are drawn"

    with closing(Api(server.url)) as api:
        found = api.get("/runs", q="sweep 42", limit=100)
    page.get_by_test_id("search-runs").fill("sweep 42")
    expect(page.get_by_test_id("runs-count")).to_have_text(f"{found['total']} of {RUNS:,}")
    shown = [run["id"] for run in found["runs"][:10]]
    expect(rows.nth(0)).to_have_attribute("data-run", shown[0])
    assert [row.get_attribute("data-run") for row in rows.all()[: len(shown)]] == shown
    page.get_by_test_id("search-runs").fill("")
    expect(page.get_by_test_id("runs-count")).to_have_text(f"{RUNS:,}")

    page.get_by_test_id("sort-lr").click()
    expect(rows.first).to_contain_text("0.09")
    page.get_by_test_id("sort-lr").click()
    expect(rows.first).to_contain_text("0.01")


def test_twenty_of_them_are_compared_at_once(page: Page, server: ServerProcess) -> None:
    page.add_init_script(SEEN)

    open_page(page, server, f"/runs/compare?ids={','.join(COMPARED)}")

    assert 0 < seconds_until_seen(page, "/api/v1/runs/compare", COMPARISON_S) < COMPARISON_LIMIT_S
    expect(page.get_by_test_id("compared-run")).to_have_count(len(COMPARED))
    expect(page.get_by_test_id("differing").locator("tbody tr")).to_have_count(3)

"""Runs are found, named, compared and deleted on the page, and an address opens again what it showed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.api import Api, Json
from tests.support.processes import ServerProcess

LEARNING_RATES = (0.05, 0.2, 0.01)


@pytest.fixture(scope="module")
def runs(paired_server: ServerProcess) -> Iterator[list[Json]]:
    """Three runs that differ in their learning rate alone."""
    with closing(Api(paired_server.url)) as api:
        yield [
            api.wait_for_run(api.start(num_rounds=2, min_clients=2, model="linear", lr=lr)["id"], "completed")
            for lr in LEARNING_RATES
        ]


def open_at(page: Page, server: ServerProcess, address: str) -> None:
    page.goto(f"http://localhost:{server.port}{address}")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")


def test_runs_are_named_found_compared_and_deleted(
    page: Page, paired_server: ServerProcess, runs: list[Json], tmp_path: Path
) -> None:
    open_at(page, paired_server, "/runs")
    rows = page.get_by_test_id("run-row")
    expect(rows).to_have_count(3)
    expect(page.get_by_test_id("runs-count")).to_have_text("3")

    # named where it stands
    first = page.locator(f"[data-testid=run-row][data-run='{runs[0]['id']}']")
    first.get_by_test_id("edit-run").click()
    page.get_by_test_id("edit-run-input").fill("the usual #paper, base")
    page.keyboard.press("Enter")
    expect(first).to_contain_text("the usual")
    expect(first).to_contain_text("paper")

    # found by that, also after a reload
    page.get_by_test_id("search-runs").fill("usual")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=usual"))
    page.reload()
    expect(rows).to_have_count(1)
    page.get_by_test_id("search-runs").fill("")
    expect(rows).to_have_count(3)

    # put in order
    page.get_by_test_id("sort-lr").click()
    expect(rows.first).to_have_attribute("data-run", runs[1]["id"])

    # compared
    for run in runs:
        page.locator(f"[data-run='{run['id']}']").get_by_test_id("select-run").check()
    page.get_by_test_id("compare").click()
    expect(page.get_by_test_id("compare-chart")).to_have_attribute("data-lines", "3")
    expect(page.get_by_test_id("differing").locator("tbody tr")).to_have_count(1)
    expect(page.get_by_test_id("differing")).to_contain_text("Learning rate")
    expect(page.get_by_test_id("difference").first).to_have_text("baseline")
    with page.expect_download() as download:
        page.get_by_test_id("compare-report").click()
    report = tmp_path / "comparison.html"
    download.value.save_as(report)
    text = report.read_text(encoding="utf-8")
    assert "the usual" in text
    assert "<script" not in text

    # deleted, after a question that names what is lost
    page.go_back()
    for run in runs[:2]:
        page.locator(f"[data-run='{run['id']}']").get_by_test_id("select-run").uncheck()
    page.get_by_test_id("delete-runs").click()
    expect(page.get_by_test_id("delete-runs-consequence")).to_have_text(
        "Its curves, checkpoints and exports are gone; the audit log keeps what it says of it."
    )
    page.get_by_test_id("delete-runs-confirm").click()
    expect(rows).to_have_count(2)
    open_at(page, paired_server, f"/runs/{runs[2]['id']}/curves")
    expect(page.get_by_test_id("no-such-run")).to_contain_text(runs[2]["id"])
    with closing(Api(paired_server.url)) as api:
        assert api.http.get(f"/api/v1/runs/{runs[2]['id']}/checkpoints").status_code == 404

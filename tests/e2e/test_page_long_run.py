"""A run of twenty clients, flat at 98 % for a long time: what is different is seen all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from app.store.store import Store
from app.store.urls import default_url
from tests.e2e.test_page import open_page, wait_for_points
from tests.e2e.test_page_zoom import RECORD_TEXTS
from tests.support.long_run import CLIENTS, FEW, HIGHEST, LOWEST, ROUNDS, RUN, WARNINGS, accuracy_at, fill
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

LEAST_PART = 0.2
"""Of the plot's height that the curve's flat end takes up, at least."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One that has only the past run."""
    home = tmp_path_factory.mktemp("server")
    with Store.open(default_url(home)) as store:
        fill(store)
    server = ServerProcess(home=home)
    yield server
    server.end()


def open_curves(page: Page, server: ServerProcess, query: str = "") -> None:
    open_page(page, server, f"/runs/{RUN}/curves{query}")
    wait_for_points(page, "accuracy", ROUNDS + 1)


def percents(page: Page) -> list[float]:
    """The numbers at the axes in percent that were drawn since the page was opened."""
    texts: list[str] = page.evaluate("window.drawn")
    return sorted({float(text[:-2]) for text in texts if re.fullmatch(r"[\d.]+ %", text)})


def test_twenty_clients_are_a_median_with_a_band_and_one_is_pinned(page: Page, server: ServerProcess) -> None:
    page.add_init_script(RECORD_TEXTS)
    open_curves(page, server)
    accuracy = page.get_by_test_id("chart-accuracy")
    expect(accuracy).to_have_attribute("data-clients", str(len(CLIENTS)))
    expect(accuracy).to_have_attribute("data-band", str(ROUNDS))
    expect(accuracy).to_have_attribute("data-lines", "0")
    assert any(text.startswith("median") for text in page.evaluate("window.drawn"))

    open_curves(page, server, "?clients=client-7")

    expect(accuracy).to_have_attribute("data-lines", "1")
    drawn = page.evaluate("window.drawn")
    assert any(text.startswith("client-7") for text in drawn)
    assert not any(text.startswith("client-8") for text in drawn)


def test_half_a_percent_is_seen_where_the_curve_is_flat(page: Page, server: ServerProcess) -> None:
    page.add_init_script(RECORD_TEXTS)
    open_curves(page, server, "?y=zero")
    whole = percents(page)
    assert (whole[0], whole[-1]) == (0, 100)

    page.evaluate("window.drawn = []")
    page.get_by_test_id("y-fit").click()
    expect(page.get_by_test_id("chart-accuracy")).to_have_attribute("aria-busy", "false")

    fitted = wait_until(lambda: percents(page), "the axis is drawn anew")
    assert fitted[0] <= LOWEST * 100
    assert fitted[-1] >= HIGHEST * 100
    assert (HIGHEST - LOWEST) * 100 / (fitted[-1] - fitted[0]) > LEAST_PART


def test_an_accuracy_of_few_samples_is_marked(page: Page, server: ServerProcess) -> None:
    page.set_viewport_size({"width": 1440, "height": 1600})  # all rows are in view
    open_page(page, server, f"/runs/{RUN}/clients")
    rows = page.get_by_test_id("run-client")
    expect(rows).to_have_count(len(CLIENTS))
    last = accuracy_at(ROUNDS)

    expect(page.get_by_test_id("few-samples")).to_have_count(len(FEW))

    for name, samples in FEW.items():
        accuracy = last + (CLIENTS.index(name) - 10) / 10_000
        row = page.locator(f"[data-testid=run-client][data-client={name}]")
        words = f"{accuracy * 100:.1f} % of {samples} samples: too few to say much"
        expect(row.get_by_role("button", name=words)).to_be_visible()


def test_what_each_round_was_spent_on_is_told(page: Page, server: ServerProcess) -> None:
    open_curves(page, server)
    parts = page.get_by_test_id("chart-parts")
    expect(parts).to_have_attribute("data-kind", "times")
    expect(parts).to_have_attribute("data-points", str(ROUNDS + 1))
    expect(parts).to_have_attribute(
        "aria-valuetext",
        f"round {ROUNDS}: together 4.0 s, evaluating 500 ms, moving, aggregating 500 ms, waiting 2.0 s, "
        "training 1.0 s",
    )


def test_the_server_counts_the_events_that_the_page_does_not_hold(page: Page, server: ServerProcess) -> None:
    open_page(page, server, f"/runs/{RUN}/events")

    expect(page.get_by_test_id("events-warning")).to_contain_text(f"{WARNINGS:,}")
    page.get_by_test_id("events-warning").click()
    expect(page.get_by_test_id("events-left")).to_contain_text(f"of {WARNINGS:,}")

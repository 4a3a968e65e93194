"""`python -m bench.crowd_pages`: each page of a run of many clients and many rounds, opened and used.

For each: seconds until it shows what it is about, and the longest task of the page's thread while it opens,
and while somebody scrolls, filters, sorts and points at it. A task is told in the time that it computed, as
Chromium's own trace has it, so that a machine that is busy otherwise adds nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Locator, Page

from bench.crowd_run import CROWD_RUN, fill
from bench.page_server import page_server
from bench.tasks import longest_task_ms, traced
from bench.watched_page import browser_page
from shared.console import configure_logging
from shared.errors import FedLoomError
from shared.interrupt import end_on_signals

OLDER, NEWER = "0ff1ce01", "0ff1ce02"
"""Runs of few clients from before it, and after it: with that, it is a past one."""
SMALL = 5, 50
DAY_S = 86_400
LIMIT_MS = 120_000.0
SETTLE_MS = 1_500.0
CHARTS = "[data-testid^=chart-][data-metric]"


@dataclass(frozen=True)
class Visit:
    """A page: where it is, what shows that it is there, and what somebody does on it."""

    name: str
    address: str
    shows: str
    use: Callable[[Page], None]


@dataclass(frozen=True)
class Found:
    """Seconds until a page was there, and ms of its longest task as it opened, and as it was used."""

    name: str
    shown_s: float
    opening_ms: float
    use_ms: float


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table; 2: nothing was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd_pages", description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--only", metavar="WORD", default="", help="pages with this in their name")
    arguments = parser.parse_args(argv)
    configure_logging("bench")
    end_on_signals()
    try:
        found = list(_measure(arguments.clients, arguments.rounds, arguments.only))
    except FedLoomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table(found))
    return 0


def table(found: Sequence[Found]) -> str:
    """In Markdown."""
    lines = ["| page | shown, s | longest task as it opens, ms | as it is used, ms |", "|---|---|---|---|"]
    lines += [
        f"| {each.name} | {each.shown_s:.1f} | {each.opening_ms:.0f} | {each.use_ms:.0f} |" for each in found
    ]
    return "\n".join(lines)


def _measure(clients: int, rounds: int, only: str) -> Iterator[Found]:
    with TemporaryDirectory(prefix="fedloom-bench-") as home:
        now = time.time()
        fill(Path(home), *SMALL, run_id=OLDER, created_at=now - 2 * DAY_S)
        fill(Path(home), clients, rounds, created_at=now - DAY_S, known=True)
        yield from _visited(Path(home), [each for each in visits(rounds) if only in each.name])
        fill(Path(home), *SMALL, run_id=NEWER, created_at=now)
        yield from _visited(Path(home), [each for each in past_visits(rounds) if only in each.name])


def _visited(home: Path, wanted: Sequence[Visit]) -> Iterator[Found]:
    if not wanted:
        return
    with page_server(home) as server, browser_page() as page:
        for visit in wanted:
            with traced(page) as opening:
                began = time.monotonic()
                page.goto(f"http://localhost:{server.port}{visit.address}", timeout=LIMIT_MS)
                page.locator(visit.shows).first.wait_for(timeout=LIMIT_MS)
                shown_s = time.monotonic() - began
                page.wait_for_timeout(SETTLE_MS)
            with traced(page) as use:
                visit.use(page)
                page.wait_for_timeout(SETTLE_MS)
            yield Found(visit.name, shown_s, longest_task_ms(opening), longest_task_ms(use))


def visits(rounds: int) -> list[Visit]:
    """The pages while the run is the newest: its own, and those of all clients and runs."""
    whole = f"[data-testid=chart-accuracy][data-points='{rounds}']"
    run = f"/runs/{CROWD_RUN}"
    return [
        Visit("Live", "/", whole, _use_live),
        Visit("clients", "/clients", "[data-testid=client-row]", _use_clients),
        Visit("client", "/clients/client-7", "[data-testid=client-facts]", _point_at_charts),
        Visit("runs", "/runs", "[data-testid=run-row]", _nothing),
        Visit("network", "/network", "[data-testid=network-group]", _scroll("[data-testid=peer-table]")),
        Visit("system", "/system", "[data-testid=system-row]", _nothing),
        Visit("logs", "/logs", "[data-testid=log-lines]", _nothing),
        Visit("run: curves", f"{run}/curves", whole, _point_at_charts),
        Visit("run: clients", f"{run}/clients", "[data-testid=client-tile]", _nothing),
        Visit("run: classes", f"{run}/data", "[data-testid=confusion]", _nothing),
        Visit("run: labels", f"{run}/data?view=labels", "[data-testid=labels]", _use_labels),
        Visit("run: events", f"{run}/events", "[data-testid=round-row]", _scroll("[data-testid=events]")),
        Visit("run: files", f"{run}/files", "[data-testid=export-command]", _nothing),
        _comparison(),
    ]


def past_visits(rounds: int) -> list[Visit]:
    """Its own pages once there is a newer run."""
    whole = f"[data-testid=chart-accuracy][data-points='{rounds}']"
    run = f"/runs/{CROWD_RUN}"
    clients = "[data-testid=clients]"
    return [
        Visit("past run: curves", f"{run}/curves", whole, _point_at_charts),
        Visit("past run: clients", f"{run}/clients", "[data-testid=client-tile]", _scroll(clients)),
        Visit(
            "past run: events", f"{run}/events", "[data-testid=round-row]", _scroll("[data-testid=events]")
        ),
    ]


def _comparison() -> Visit:
    address = f"/runs/compare?ids={CROWD_RUN},{OLDER}"
    return Visit(
        "compare", address, "[data-testid=compare-chart][data-lines='2']", _point_at("compare-chart")
    )


def _nothing(_: Page) -> None:
    """There is nothing to use."""


def _scroll(selector: str) -> Callable[[Page], None]:
    """Through the first of these, down and up again."""

    def use(page: Page) -> None:
        where = page.locator(selector).first
        where.hover()
        for step in (400, 400, 4_000, 40_000, -400, -40_000):
            page.mouse.wheel(0, step)
            page.wait_for_timeout(100)

    return use


def _point_at(test_id: str) -> Callable[[Page], None]:
    return lambda page: _move_over(page, page.get_by_test_id(test_id))


def _point_at_charts(page: Page) -> None:
    for chart in page.locator(CHARTS).all():
        _move_over(page, chart)
    _zoom(page, page.locator(CHARTS).first)


def _move_over(page: Page, chart: Locator) -> None:
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    if box is not None:
        page.mouse.move(box["x"] + 80, box["y"] + box["height"] / 2)
        page.mouse.move(box["x"] + box["width"] - 140, box["y"] + box["height"] / 3, steps=20)


def _zoom(page: Page, chart: Locator) -> None:
    """By dragging, and back."""
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    if box is not None:
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.3, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
        page.mouse.up()
        page.wait_for_timeout(300)
        chart.dblclick()


def _use_live(page: Page) -> None:
    _point_at_charts(page)
    _scroll("[data-testid=clients]")(page)
    for tile in page.get_by_test_id("client-tile").all()[:5]:
        tile.hover()


def _use_clients(page: Page) -> None:
    _scroll("[data-testid=clients]")(page)
    page.get_by_test_id("sort-accuracy").click()
    page.get_by_test_id("search-clients").press_sequentially("client-77", delay=50)
    page.get_by_test_id("search-clients").fill("")


def _use_labels(page: Page) -> None:
    _scroll("[data-testid=labels]")(page)
    page.get_by_test_id("order-by name").click()
    page.get_by_test_id("cells-share").click()


if __name__ == "__main__":
    sys.exit(main())

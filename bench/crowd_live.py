"""`python -m bench.crowd_live`: each page while many clients of a run do the same at the same time.

For each page: ms that the longest task of its thread computed, as Chromium's own trace has it, when it is
gone to from another page, when it is opened, and at each step of a round. The clients are told of
(`bench/told_run.py`): what is measured is the page.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

from bench.tasks import longest_task_ms, traced
from bench.told_run import Step
from bench.told_server import ToldServer, told_server
from bench.watched_page import browser_page
from shared.console import configure_logging
from shared.errors import FedLoomError
from shared.interrupt import end_on_signals

LIMIT_MS = 120_000.0
SETTLE_MS = 1_000.0
GONE_TO, OPENED = "gone to", "opened"
SITUATIONS = (GONE_TO, OPENED, *Step)


@dataclass(frozen=True)
class Place:
    """A page: what is pressed on any other to get there, and what shows that it is there."""

    name: str
    way: tuple[str, ...]
    shows: str


MEMBERS_ALONE = (
    Place("Clients", ("view-clients",), "search-clients"),
    Place("Network", ("view-network",), "network"),
)
"""Pages without the clients of the simulation engine, which are no members of the server."""
OF_ALL = (
    Place("Data: labels", ("view-data", "evaluation-labels"), "labels"),
    Place("System", ("view-system",), "system-row"),
    Place("Runs", ("view-runs",), "run-row"),
    Place("Live", ("view-live",), "chart-accuracy"),
)
BETWEEN = Place("Trust", ("view-trust",), "audit-summary")
"""From where each is gone to."""

Computed = dict[str, dict[str, float]]
"""By page and situation, ms of the longest task."""


def main(argv: list[str] | None = None) -> int:
    """Measure, print the tables; 2: nothing was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd_live", description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--only", metavar="WORD", default="", help="pages with this in their name")
    arguments = parser.parse_args(argv)
    configure_logging("bench")
    end_on_signals()
    try:
        for kind, all_places in (("connected", (*MEMBERS_ALONE, *OF_ALL)), ("simulated", OF_ALL)):
            places = [place for place in all_places if arguments.only in place.name]
            if places:
                computed = _measure(arguments.clients, places, simulated=kind == "simulated")
                print(f"\n{arguments.clients} {kind} clients\n\n{table(computed)}\n")
    except FedLoomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def table(computed: Mapping[str, Mapping[str, float]]) -> str:
    """In Markdown."""
    lines = [f"| page | {' | '.join(SITUATIONS)} |", "|---" * (1 + len(SITUATIONS)) + "|"]
    lines += [
        f"| {place} | {' | '.join(f'{found[each]:.0f}' for each in SITUATIONS)} |"
        for place, found in computed.items()
    ]
    return "\n".join(lines)


def _measure(clients: int, places: Sequence[Place], *, simulated: bool) -> Computed:
    with (
        TemporaryDirectory(prefix="fedloom-bench-") as home,
        told_server(Path(home), clients, simulated=simulated) as server,
        browser_page() as page,
    ):
        for step in Step:
            server.tell(step)  # there is a round to look back to
        page.goto(f"http://localhost:{server.port}/", timeout=LIMIT_MS)
        return {place.name: dict(_on(page, place, server)) for place in places}


def _on(page: Page, place: Place, server: ToldServer) -> Iterator[tuple[str, float]]:
    """What is computed at the most in each situation."""
    server.tell(Step.ASKED)
    _go(page, BETWEEN)
    with traced(page) as trace:
        _go(page, place)
    yield GONE_TO, longest_task_ms(trace)
    with traced(page) as trace:
        page.reload(timeout=LIMIT_MS)
        _wait_for(page, place)
    yield OPENED, longest_task_ms(trace)
    for step in Step:
        with traced(page) as trace:
            server.tell(step)
            page.wait_for_timeout(SETTLE_MS)
        yield step, longest_task_ms(trace)


def _go(page: Page, place: Place) -> None:
    for test_id in place.way:
        page.get_by_test_id(test_id).click(timeout=LIMIT_MS)
    _wait_for(page, place)


def _wait_for(page: Page, place: Place) -> None:
    page.get_by_test_id(place.shows).first.wait_for(timeout=LIMIT_MS)
    page.wait_for_timeout(SETTLE_MS)


if __name__ == "__main__":
    sys.exit(main())

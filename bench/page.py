"""`page`: what a browser has to do while many clients train, and for a run too large to be held whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.crowd_run import CROWD_RUN, fill
from bench.page_server import page_server
from bench.report import FEDLOOM, Figure, Result, medians, this_machine
from bench.tasks import longest_task_ms, traced
from bench.told_run import Step
from bench.told_server import told_server
from bench.watched_page import WatchedPage, browser_page, watched_page

TASK_MS = 100.0
LAG_S = 1.0
MESSAGES = 10.0
HEAP_MB = 300.0
NOTHING = "a page that nobody tells anything"
SETTLE_S = 2.0
TRACED = 50
"""So many last rounds are traced, when the curves are longest: a trace of all would not fit in memory."""
LIMIT_S = 60.0
"""Within which the page shows something new: another round, or a stored run whole."""


def measure(repeats: int, quick: bool) -> Result:
    """A run under an open page, and a stored one that a page opens, for each repetition."""
    machine = this_machine()
    live, stored = ((10, 5), (50, 40)) if quick else ((100, 500), (1_000, 1_000))
    found = [_live(*live) for _ in range(repeats)]
    crowds = [_crowd(stored[0]) for _ in range(repeats)]
    heaps = [_heap(*stored) for _ in range(repeats)]
    runs = [{FEDLOOM: each["task"], NOTHING: each["idle"]} for each in found]
    beside = medians(runs)
    return Result(
        name="page",
        title=f"the page's longest task while {live[0]} light clients train for {live[1]} rounds",
        value=beside.pop(FEDLOOM),
        unit="ms",
        reach=TASK_MS,
        beside=beside,
        runs=runs,
        runs_unit="ms",
        figures=[
            _figure(
                f"computed by the longest task of the last {TRACED} rounds",
                "ms",
                TASK_MS,
                [each["computed"] for each in found],
            ),
            _figure(
                f"the longest task while {stored[0]} simulated clients go through a round",
                "ms",
                TASK_MS,
                [each["task"] for each in crowds],
            ),
            _figure(
                f"computed by the longest task of these {stored[0]}",
                "ms",
                TASK_MS,
                [each["computed"] for each in crowds],
            ),
            _figure("lag of a round", "s", LAG_S, [each["lag"] for each in found]),
            _figure("messages of the socket", "a second", MESSAGES, [each["messages"] for each in found]),
            _figure(f"heap with a run of {stored[0]} clients and {stored[1]} rounds", "MB", HEAP_MB, heaps),
        ],
        note="a task lasts longer than it computes where clients, server and browser share the cores; "
        "one under 50 ms is not told by the browser and counts as 0; the lag is the longest of any round, "
        "from its end until the page shows it",
        quick=quick,
        machine=machine,
    )


def _figure(name: str, unit: str, reach: float, runs: Sequence[float]) -> Figure:
    value = medians([{name: run} for run in runs])[name]
    return Figure(name=name, value=value, unit=unit, reach=reach, runs=runs)


def _live(clients: int, rounds: int) -> dict[str, float]:
    with (
        TemporaryDirectory(prefix="fedloom-bench-") as home,
        page_server(Path(home)) as server,
        browser_page() as in_browser,
    ):
        page = WatchedPage(in_browser)
        page.open(f"http://localhost:{server.port}/")
        page.pause(SETTLE_S)
        page.forget()
        page.pause(SETTLE_S)
        idle = page.longest_task_ms()
        page.forget()
        with server.run(clients, rounds) as run_id:
            page.wait_for_round(max(rounds - TRACED, 0), LIMIT_S)
            with traced(in_browser) as trace:
                page.wait_for_round(rounds, LIMIT_S)
            done = server.wait_for_end(run_id)
        return {
            "task": page.longest_task_ms(),
            "computed": longest_task_ms(trace),
            "idle": idle,
            "lag": longest_lag(done, page.shown_at()),
            "messages": page.messages_per_s(),
        }


def _crowd(clients: int) -> dict[str, float]:
    """Of the longest task while so many clients of the simulation engine do the same at the same time."""
    with (
        TemporaryDirectory(prefix="fedloom-bench-") as home,
        told_server(Path(home), clients, simulated=True) as server,
        browser_page() as in_browser,
    ):
        page = WatchedPage(in_browser)
        page.open(f"http://localhost:{server.port}/")
        page.pause(SETTLE_S)
        page.forget()
        with traced(in_browser) as trace:
            for step in Step:
                server.tell(step)
            page.wait_for_round(1, LIMIT_S)
        return {"task": page.longest_task_ms(), "computed": longest_task_ms(trace)}


def longest_lag(rounds: Sequence[dict[str, Any]], shown_at: dict[int, float]) -> float:
    """Seconds from the end of a round until the page showed it, or a later one."""
    lags = [0.0]
    for round_ in rounds:
        ended = round_["started_at"] + round_["duration_s"]
        shown = [at for number, at in shown_at.items() if number >= round_["round"]]
        if shown and round_["round"] > 0:
            lags.append(min(shown) - ended)
    return max(lags)


def _heap(clients: int, rounds: int) -> float:
    """MB in a page that shows a stored run."""
    with TemporaryDirectory(prefix="fedloom-bench-") as home:
        fill(Path(home), clients, rounds)
        with page_server(Path(home)) as server, watched_page() as page:
            page.open(f"http://localhost:{server.port}/runs/{CROWD_RUN}/curves")
            page.wait_for_curve(rounds, LIMIT_S)
            page.pause(SETTLE_S)
            return page.heap_mb()

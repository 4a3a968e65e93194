"""What each task of a page's thread computed, from Chromium's own trace."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

from bench.crew import BenchFailed

CATEGORIES = ["toplevel", "devtools.timeline"]
MAIN_THREAD = "CrRendererMain"
TASKS = {"RunTask", "ThreadControllerImpl::RunTask"}

Trace = list[dict[str, Any]]


@contextmanager
def traced(page: Page) -> Iterator[Trace]:
    """The browser's events while the block lasts, once it is over. Raises BenchFailed where no browser is."""
    trace: Trace = []
    browser = page.context.browser
    if browser is None:
        raise BenchFailed("Only a browser's own page can be traced.")
    browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        yield trace
    finally:
        trace += json.loads(browser.stop_tracing())["traceEvents"]


def longest_task_ms(trace: Sequence[dict[str, Any]]) -> float:
    """Milliseconds of a CPU that the longest task of a page's thread took, however long it waited for one."""
    threads = {
        (event["pid"], event["tid"])
        for event in trace
        if event["name"] == "thread_name" and event["args"]["name"] == MAIN_THREAD
    }
    tasks = [
        event["tdur"] / 1000
        for event in trace
        if (event["pid"], event["tid"]) in threads and event["name"] in TASKS and "tdur" in event
    ]
    return max(tasks, default=0.0)

"""The page in Chromium, and what a browser knows of its own trouble."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from bench.crew import BenchFailed

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

LOOK_S = 0.2

WATCH = """
window.watched = { longest: 0, shown: {} };
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) watched.longest = Math.max(watched.longest, duration);
}).observe({ type: "longtask" });
let newest;
new MutationObserver(() => {
  const round = document.querySelector("[data-latest-round]")?.dataset.latestRound;
  if (round !== undefined && round !== newest) watched.shown[round] ??= Date.now() / 1000;
  newest = round;
}).observe(document, { subtree: true, childList: true, attributeFilter: ["data-latest-round"] });
"""
"""Run in the page before anything else: its longest task in ms, and when it first showed each round."""


class WatchedPage:
    """A page that is looked at from outside: messages are counted by the browser, not by the page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._tools: CDPSession = page.context.new_cdp_session(page)
        self._tools.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._tools.send("Network.enable")
        self.message_times: list[float] = []
        self._tools.on("Network.webSocketFrameReceived", self._received)
        page.add_init_script(WATCH)

    def open(self, url: str) -> None:
        """Go there, and wait until the page is connected."""
        self._page.goto(url)
        self._page.locator("[data-testid=connection][data-state=connected]").wait_for()

    def forget(self) -> None:
        """Count from now on: what a page does while it opens is another matter."""
        self._page.evaluate("watched.longest = 0; watched.shown = {}")
        self.message_times.clear()

    def longest_task_ms(self) -> float:
        """The longest time for which the page answered nobody; tasks under 50 ms do not count."""
        return float(self._page.evaluate("watched.longest"))

    def shown_at(self) -> dict[int, float]:
        """When each round was shown first, in Unix seconds."""
        shown: dict[str, float] = self._page.evaluate("watched.shown")
        return {int(number): at for number, at in shown.items()}

    def wait_for_round(self, number: int, timeout_s: float) -> None:
        """Wait until it shows a round. Raises BenchFailed when it shows nothing new for so long."""
        newest, deadline = -1, time.monotonic() + timeout_s
        while newest < number:  # the page's policy forbids to wait in it
            if (shown := max(self.shown_at(), default=-1)) > newest:
                newest, deadline = shown, time.monotonic() + timeout_s
            elif time.monotonic() > deadline:
                raise BenchFailed(
                    f"The page was to show round {number}, and has shown nothing after round {newest} for "
                    f"{timeout_s:.0f} s."
                )
            self.pause(LOOK_S)

    def wait_for_curve(self, points: int, timeout_s: float) -> None:
        """Wait until accuracy has so many points. Raises BenchFailed when it has not within that time."""
        whole = self._page.locator(f"[data-testid=chart-accuracy][data-points='{points}']")
        try:
            whole.wait_for(timeout=timeout_s * 1000)
        except PlaywrightTimeout:
            raise BenchFailed(
                f"The page has not shown a curve of {points} rounds for {timeout_s:.0f} s."
            ) from None

    def heap_mb(self) -> float:
        """What of the heap is in use after a collection, in MB."""
        self._tools.send("HeapProfiler.collectGarbage")
        return self._metric("JSHeapUsedSize") / 1e6

    def pause(self, seconds: float) -> None:
        """Let it work for a while."""
        self._page.wait_for_timeout(seconds * 1000)

    def cpu_s(self) -> float:
        """Seconds of a CPU that the page's thread has taken so far, however busy the machine is otherwise."""
        return self._metric("TaskDuration")

    def messages_per_s(self) -> float:
        """How many messages came, by the time from the first to the last of them."""
        times = self.message_times
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0

    def _metric(self, name: str) -> float:
        metrics = self._tools.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == name))

    def _received(self, frame: dict[str, Any]) -> None:
        if frame["response"]["payloadData"].startswith("42"):  # an event of Socket.IO, and no ping
            self.message_times.append(float(frame["timestamp"]))


@contextmanager
def watched_page() -> Iterator[WatchedPage]:
    """A page that is watched, while the block lasts. Raises BenchFailed without Chromium."""
    with browser_page() as page:
        yield WatchedPage(page)


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page in a browser of its own, while the block lasts. Raises BenchFailed without Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise BenchFailed(
            "Chromium is needed to measure the page: install it (Debian: apt install chromium)."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 720})
        finally:
            browser.close()

"""UsageHistory: takes what nodes use of their machines, keeps it, and tells of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

from app.records import NodeUsage, Usage
from app.usage.means import downsampled
from app.usage.minutes import MINUTE_S, MinuteMean, Minutes
from app.usage.recent import RECENT_S, Node, Recent
from dashboard.reading import Reading
from shared.errors import StoreUnavailable

HISTORY_S = 24 * 3600.0
MAX_WAITING = 20_000
"""Minutes that wait for a database that fails; the oldest are lost first."""

log = logging.getLogger(__name__)


class KeptMinutes(Protocol):
    """Where minutes are kept."""

    def keep(self, minutes: list[MinuteMean], oldest: int) -> None:
        """Keep these, and nothing that is older than minute `oldest`. Raises StoreUnavailable."""

    def between(self, first: int, last: int) -> list[MinuteMean]:
        """Those from one minute to another, oldest first. Raises StoreUnavailable."""

    def forget(self, node: Node) -> None:
        """Keep none of a node. Raises StoreUnavailable."""


class UsageHistory:
    """Of one server. Any thread adds and asks; `keep_minutes` is called in the monitor's alone."""

    def __init__(self, kept: KeptMinutes, clock: Callable[[], float] = time.time) -> None:
        self._kept = kept
        self._clock = clock
        self._begun = clock()
        self._recent = Recent()
        self._minutes = Minutes()
        self._waiting: list[MinuteMean] = []
        self._fails = False

    def add(self, node: Node, usage: Usage) -> None:
        """A node is used so now."""
        self._recent.add(node, usage)
        self._minutes.add(node, usage)

    def of_server(self, reading: Reading) -> None:
        """The server's own machine; in the monitor's thread, which then keeps the minutes that are over."""
        self.add(None, Usage.model_validate({**asdict(reading), "time": self._clock()}))
        self.keep_minutes()

    def keep_minutes(self) -> None:
        """Have those kept that are over. While that fails, they wait."""
        now = self._clock()
        self._waiting += self._minutes.take_finished(now)
        del self._waiting[:-MAX_WAITING]
        if not self._waiting:
            return
        try:
            self._kept.keep(self._waiting, int((now - HISTORY_S) // MINUTE_S))
        except StoreUnavailable as error:
            if not self._fails:
                log.warning("what machines are used for cannot be kept now: %s", error)
            self._fails = True
            return
        self._fails = False
        self._waiting = []

    def forget(self, node: Node) -> None:
        """Nothing is told of a node any more. Raises StoreUnavailable: then its minutes stay in the store,
        for a day at most."""
        self._recent.forget(node)
        self._minutes.forget(node)
        self._kept.forget(node)

    def take_news(self) -> tuple[NodeUsage, ...]:
        """Of each node of which something came since the last time: the newest."""
        return self._recent.take_news()

    def latest(self) -> dict[Node, Usage]:
        """Of each node of which something came lately, the newest."""
        return self._recent.latest()

    def series(self, since: float, until: float, points: int) -> dict[Node, list[Usage]]:
        """Of each node at most so many usages in this time, as means of equal spans.

        What is older than a quarter of an hour comes from the store; with that, also what a server before
        this one has kept of the last quarter. Raises StoreUnavailable.
        """
        recent_from = self._clock() - RECENT_S
        found: dict[Node, list[Usage]] = {}
        if since < recent_from:
            last = int(min(until, max(recent_from, self._begun)) // MINUTE_S)
            for minute in self._kept.between(int(since // MINUTE_S), last):
                found.setdefault(minute.node, []).append(minute.usage)
        for node, usages in self._recent.nodes().items():
            newest = found[node][-1].time if node in found else since
            found.setdefault(node, []).extend(usage for usage in usages if usage.time > newest)
        sampled = {node: downsampled(usages, since, until, points) for node, usages in found.items()}
        return {node: usages for node, usages in sampled.items() if usages}

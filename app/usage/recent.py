"""Recent: every usage of the last quarter of an hour, of each node, in memory."""

from __future__ import annotations

import threading
from collections import deque

from app.records import NodeUsage, Usage

RECENT_S = 15 * 60.0
MAX_USAGES = 450
"""Of one node: one each two seconds. Of a client that sends more, the oldest go before their time."""

Node = str | None
"""A client's id; None: the server."""


class Recent:
    """Of all nodes. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[Node, deque[Usage]] = {}
        self._news: dict[Node, Usage] = {}

    def add(self, node: Node, usage: Usage) -> None:
        """A node is used so now. Nodes of which nothing was heard for too long are dropped."""
        with self._lock:
            kept = self._of.pop(node, None) or deque(maxlen=MAX_USAGES)
            kept.append(usage)
            self._of[node] = kept  # the last one: first is who was not heard for longest
            self._news[node] = usage
            while self._of[oldest := next(iter(self._of))][-1].time < usage.time - RECENT_S:
                del self._of[oldest]
                self._news.pop(oldest, None)

    def forget(self, node: Node) -> None:
        """Nothing is kept of it."""
        with self._lock:
            self._of.pop(node, None)
            self._news.pop(node, None)

    def nodes(self) -> dict[Node, list[Usage]]:
        """All that is kept, oldest first."""
        with self._lock:
            return {node: list(kept) for node, kept in self._of.items()}

    def latest(self) -> dict[Node, Usage]:
        """Of each node the newest."""
        with self._lock:
            return {node: kept[-1] for node, kept in self._of.items()}

    def take_news(self) -> tuple[NodeUsage, ...]:
        """Of each node of which something came since the last time: the newest."""
        with self._lock:
            news, self._news = self._news, {}
        return tuple(NodeUsage(client=node, usage=usage) for node, usage in news.items())

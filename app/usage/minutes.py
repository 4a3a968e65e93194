"""Minutes: the mean of each node's minute, once that is over."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from app.records import Usage
from app.usage.means import mean_of
from app.usage.recent import Node

MINUTE_S = 60
MAX_OPEN = 200
"""Usages of one minute of one node that count: more than an honest client sends."""


@dataclass(frozen=True)
class MinuteMean:
    """`minute`: since 1970, in whole ones."""

    node: Node
    minute: int
    usage: Usage


class Minutes:
    """Of all nodes. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[Node, int], list[Usage]] = {}

    def add(self, node: Node, usage: Usage) -> None:
        """A node is used so now."""
        with self._lock:
            kept = self._open.setdefault((node, int(usage.time // MINUTE_S)), [])
            if len(kept) < MAX_OPEN:
                kept.append(usage)

    def forget(self, node: Node) -> None:
        """Nothing is kept of it."""
        with self._lock:
            for key in [key for key in self._open if key[0] == node]:
                del self._open[key]

    def take_finished(self, now: float) -> list[MinuteMean]:
        """The minutes that are over, each of which is given once."""
        current = int(now // MINUTE_S)
        with self._lock:
            over = [key for key in self._open if key[1] < current]
            finished = {key: self._open.pop(key) for key in over}
        return [MinuteMean(node, minute, mean_of(kept)) for (node, minute), kept in finished.items()]

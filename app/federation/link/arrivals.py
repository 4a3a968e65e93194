"""Arrivals: connections to the link of which nobody knows yet whose they are. There may be only so many.

A connection costs whoever opens it next to nothing. So one that does not say hello in time is ended, and so
are those that have waited longest when there are too many: an honest client is through in a moment.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable

from app.descriptors import for_connections
from app.federation.link.peers import OpenConnection, Peer, connections_to
from app.federation.link.refusals import Reason, Refusals

HELLO_TIMEOUT_S = 10.0
"""From the time at which a connection is accepted."""

LONG_S = 3.0
"""Whoever leaves after so much time without a word is counted as well."""

MOST_OF_ONE = 256
"""Arrivals from one address. After a server was started again all of a site's clients may come at once."""

MOST = 1_024
"""Arrivals in all."""

MOST_CONNECTIONS = 4_096
"""To the link, with those of the clients that are in."""

INTERVAL_S = 0.25

log = logging.getLogger(__name__)


def most_connections(limit: int | None) -> int:
    """How many connections the link takes, of so many descriptors: at most half; the page has the rest."""
    room = for_connections(limit)
    return MOST_CONNECTIONS if room is None else min(MOST_CONNECTIONS, room // 2)


class Arrivals:
    """Who is in, and since when the others are there. Safe from any thread."""

    def __init__(self, most_of_one: int = MOST_OF_ONE, most: int = MOST) -> None:
        self._most_of_one = most_of_one
        self._most = most
        self._lock = threading.Lock()
        self._admitted: set[Peer] = set()
        self._since: dict[int, float] = {}
        """By the inode of the connection."""
        self._peers: dict[int, Peer] = {}
        """Of the same."""
        self._told: set[int] = set()
        """Those that have to go, and are not closed yet."""

    def admit(self, peer: Peer) -> None:
        """Whoever is there has said who they are."""
        with self._lock:
            self._admitted.add(peer)

    def forget(self, peer: Peer) -> None:
        """They left."""
        with self._lock:
            self._admitted.discard(peer)

    def left(self, connections: Iterable[OpenConnection], now: float) -> list[Peer]:
        """Who has waited for long, and is not among the connections that there are: they went, or gRPC has
        ended them since they answered nothing. An honest client that only looks at the certificate goes at
        once."""
        with self._lock:
            here = {connection.inode for connection in connections} | self._told
            return [
                self._peers[inode]
                for inode, since in self._since.items()
                if inode not in here and now - since > LONG_S
            ]

    def unwelcome(
        self, connections: Iterable[OpenConnection], now: float
    ) -> tuple[list[OpenConnection], list[OpenConnection]]:
        """Of all connections that there are: those that have waited for too long, and those too many."""
        with self._lock:
            waiting = [connection for connection in connections if connection.peer not in self._admitted]
        self._told &= {connection.inode for connection in waiting}
        waiting = [connection for connection in waiting if connection.inode not in self._told]
        self._since = {connection.inode: self._since.get(connection.inode, now) for connection in waiting}
        self._peers = {connection.inode: connection.peer for connection in waiting}
        waiting.sort(key=lambda connection: self._since[connection.inode], reverse=True)
        silent, too_many = [], []
        of_one: defaultdict[str, int] = defaultdict(int)
        kept = 0
        for connection in waiting:  # the newest first
            network = connection.peer.network
            if now - self._since[connection.inode] > HELLO_TIMEOUT_S:
                silent.append(connection)
            elif of_one[network] >= self._most_of_one or kept >= self._most:
                too_many.append(connection)
            else:
                of_one[network] += 1
                kept += 1
        self._told |= {connection.inode for connection in (*silent, *too_many)}
        return silent, too_many


class ArrivalWatch:
    """The thread that ends what must not wait any longer. `start` and `stop` are called once."""

    def __init__(self, port: int, arrivals: Arrivals, refusals: Refusals) -> None:
        self._port = port
        self._arrivals = arrivals
        self._refusals = refusals
        self._known: dict[int, OpenConnection] = {}
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="arrivals", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for that."""
        self._is_ending.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._is_ending.wait(INTERVAL_S):
            try:
                self._look()
            except Exception:  # the edge of the thread
                log.exception("the connections to the link could not be looked through")

    def _look(self) -> None:
        self._known = connections_to(self._port, self._known)
        for peer in self._arrivals.left(self._known.values(), time.monotonic()):
            self._refusals.count(peer.host, Reason.SILENT, "it went, or was gone, without saying who it is")
        silent, too_many = self._arrivals.unwelcome(self._known.values(), time.monotonic())
        self._end(silent, Reason.SILENT, f"it did not say within {HELLO_TIMEOUT_S:.0f} s who it is")
        self._end(too_many, Reason.CROWD, "it was among too many that had not said who they are")
        self._refusals.sum_up()

    def _end(self, connections: Iterable[OpenConnection], reason: Reason, words: str) -> None:
        for connection in connections:
            connection.end()
            self._refusals.count(connection.peer.host, reason, words)

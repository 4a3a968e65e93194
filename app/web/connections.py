"""How many connections the web server takes, so that the store and the run never lack a file descriptor.

A process may have only so many files and connections open at once (RLIMIT_NOFILE). Browsers and scripts could
use up all of them with connections on which nothing happens, or hardly anything; then the database could not
be opened any more, and nobody would see the page. The system always gives the lowest number that is free, so
a connection with a number close to the limit tells that hardly any are left, whoever has the others: then
one goes of which nobody knows whose it is, or the new one is turned away.

A connection is kept while a request is answered of which is known who sends it. All others may have to go:
those that wait for their next request, and those that say one slowly, shake hands slowly, or are slow to take
in an answer that is for everybody. Who opens many from one address loses their own first.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from app.descriptors import for_connections
from app.web.loose import Loose

log = logging.getLogger(__name__)

LOW_LIMIT = 1_024
"""A limit below this is worth a word."""

MOST = 1_024
"""Connections at once, however many descriptors there are."""

RETRY_S = 0.1
"""How long to wait after a connection could not be accepted."""

SPELL_S = 30.0
"""What goes wrong again within this time is not reported again."""

SHORT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})

FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"


class Connection(Protocol):
    """What is needed of a socket, be it eventlet's or Python's."""

    def fileno(self) -> int: ...
    def getpeername(self) -> Any: ...
    def send(self, data: bytes, /) -> int: ...


def end_below_tls(connection: Connection) -> None:
    """The socket's own `shutdown` would take TLS apart in the middle of what another thread does with it."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as plain:
        plain.shutdown(socket.SHUT_RDWR)


class Connections:
    """The connections of one web server. Safe from any thread."""

    def __init__(
        self,
        limit: int | None,
        per_connection: int = 1,
        *,
        speaks_tls: bool = False,
        end: Callable[[Connection], None] = end_below_tls,
    ) -> None:
        """`limit`: of this process's descriptors. `per_connection`: how many one connection may need.
        `speaks_tls`: nothing can be said to a new connection before it has shaken hands. `end`: has whoever
        serves a connection find out that it is over."""
        self._end = end
        self._speaks_tls = speaks_tls
        self._limit = limit
        self._room = for_connections(limit)
        self._extra = per_connection - 1
        self._lock = threading.Lock()
        self._kept: set[Connection] = set()
        self._loose: Loose[Connection] = Loose()
        self._ended: set[Connection] = set()
        """Those that have to go, and have not been closed yet."""
        self._quiet_until: dict[str, float] = {}
        self._ended_count = 0
        self._turned_away = 0
        if limit is not None and limit < LOW_LIMIT:
            log.warning(
                "This process may have only %d files and connections open at once. That is enough for some "
                "clients and pages; for more, raise the limit (ulimit -n) before you start the server.",
                limit,
            )

    def admit(self, connection: Connection) -> bool:
        """Take a new connection, of which nobody knows whose it is until `keep` says so.

        When there are too many, those that are not kept are ended in its favour, in the order of Loose. If
        there are none, the new one is told to come again later: the answer is False, and the caller closes
        it.
        """
        with self._lock:
            excess = self._excess(connection)
            ended = self._end_loose(excess)
            if excess > 0 and not ended:
                self._turned_away += 1
                self._report("as many connections as there is room for are in use")
                if not self._speaks_tls:
                    with suppress(OSError):
                        connection.send(FULL)
                return False
            if ended:
                self._report_once(
                    "gave way",
                    "there are more connections to the page than there is room for: those of which nobody "
                    "knows whose they are are ended, the oldest of the address that has most",
                )
            self._loose.add(connection)
            return True

    def keep(self, connection: Connection) -> None:
        """It is known who sends the request that is answered on it."""
        with self._lock:
            if connection in self._loose:
                self._loose.remove(connection)
                self._kept.add(connection)

    def release(self, connection: Connection) -> None:
        """A connection waits for its next request."""
        with self._lock:
            if connection in self._kept:
                self._kept.remove(connection)
                self._loose.add(connection)

    def refused(self) -> dict[str, int]:
        """How many had to go, or were turned away, so far, by the reason's code; empty where none had."""
        counts = {"page-gave-way": self._ended_count, "page-turned-away": self._turned_away}
        return {code: count for code, count in counts.items() if count}

    def remove(self, connection: Connection) -> None:
        """A connection is closed."""
        with self._lock:
            self._kept.discard(connection)
            self._ended.discard(connection)
            self._loose.remove(connection)

    def failed(self, error: Exception) -> None:
        """A connection could not be accepted, or there was no thread for it. That passes; try again soon."""
        with self._lock:
            self._report(str(error))
            if isinstance(error, OSError) and error.errno in SHORT_OF_DESCRIPTORS:
                self._end_loose(1)

    def _excess(self, newcomer: Connection) -> int:
        """How many have to go, beside those that are going, before there is room for a new one."""
        open_now = len(self._loose) + len(self._kept)
        excess = open_now + 1 - MOST
        if self._room is not None:
            excess = max(excess, newcomer.fileno() + 1 + self._extra * open_now - self._room)
        return excess - len(self._ended)

    def _end_loose(self, count: int) -> bool:
        """End so many of those that are not kept; whoever serves one finds that out and closes it."""
        chosen = list(self._loose.first(count))
        for connection in chosen:
            self._ended.add(connection)
            self._end(connection)
        self._ended_count += len(chosen)
        return bool(chosen)

    def _report(self, reason: str) -> None:
        """Somebody could not connect."""
        limit = (
            ""
            if self._limit is None
            else (f" This process may have {self._limit} files and connections open (ulimit -n).")
        )
        self._report_once(
            "turned away",
            f"a page or a script could not connect ({reason}); the server goes on, and takes connections "
            f"again as soon as there is room.{limit}",
        )

    def _report_once(self, what: str, message: str) -> None:
        """Once for each time that it begins."""
        now = time.monotonic()
        if now >= self._quiet_until.get(what, 0.0):
            log.warning("%s", message)
        self._quiet_until[what] = now + SPELL_S

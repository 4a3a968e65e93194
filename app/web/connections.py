"""How many connections the web server takes, so that the store and the run never lack a file descriptor.

A process may have only so many files and connections open at once (RLIMIT_NOFILE). Browsers and scripts could
use up all of them with connections on which nothing happens; then the database could not be opened any more.
The system always gives the lowest number that is free, so a connection with a number close to the limit tells
that hardly any are left, whoever has the others: then the one that has been idle for longest goes, or the new
one is turned away.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from contextlib import suppress
from itertools import islice
from typing import Protocol

from app.descriptors import for_connections

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
    def send(self, data: bytes, /) -> int: ...
    def shutdown(self, how: int, /) -> object: ...


class Connections:
    """The connections of one web server. Safe from any thread."""

    def __init__(self, limit: int | None, per_connection: int = 1, *, speaks_tls: bool = False) -> None:
        """`limit`: of this process's descriptors. `per_connection`: how many one connection may need.
        `speaks_tls`: nothing can be said to a new connection before it has shaken hands."""
        self._speaks_tls = speaks_tls
        self._limit = limit
        self._room = for_connections(limit)
        self._extra = per_connection - 1
        self._lock = threading.Lock()
        self._busy: set[Connection] = set()
        self._idle: dict[Connection, None] = {}
        """In the order in which they became idle."""
        self._ended: set[Connection] = set()
        """Those that have to go, and have not been closed yet."""
        self._quiet_until = 0.0
        if limit is not None and limit < LOW_LIMIT:
            log.warning(
                "This process may have only %d files and connections open at once. That is enough for some "
                "clients and pages; for more, raise the limit (ulimit -n) before you start the server.",
                limit,
            )

    def admit(self, connection: Connection) -> bool:
        """Take a new connection, which is idle until `busy` says otherwise.

        When there are too many, those that are idle for longest are ended in its favour. Without any that is,
        the new one is told to come again later; then the answer is False, and the caller closes it.
        """
        with self._lock:
            excess = self._excess(connection)
            ended = self._end_idle(excess)
            if excess > 0 and not ended:
                self._report("as many connections as there is room for are in use")
                if not self._speaks_tls:
                    with suppress(OSError):
                        connection.send(FULL)
                return False
            self._idle[connection] = None
            return True

    def busy(self, connection: Connection) -> None:
        """A request is read and answered on a connection."""
        with self._lock:
            if connection in self._idle:
                del self._idle[connection]
                self._busy.add(connection)

    def idle(self, connection: Connection) -> None:
        """A connection waits for its next request."""
        with self._lock:
            if connection in self._busy:
                self._busy.remove(connection)
                self._idle[connection] = None

    def remove(self, connection: Connection) -> None:
        """A connection is closed."""
        with self._lock:
            self._busy.discard(connection)
            self._ended.discard(connection)
            self._idle.pop(connection, None)

    def failed(self, error: Exception) -> None:
        """A connection could not be accepted, or there was no thread for it. That passes; try again soon."""
        with self._lock:
            self._report(str(error))
            if isinstance(error, OSError) and error.errno in SHORT_OF_DESCRIPTORS:
                self._end_idle(1)

    def _excess(self, newcomer: Connection) -> int:
        """How many have to go, beside those that are going, before there is room for a new one."""
        open_now = len(self._idle) + len(self._busy)
        excess = open_now + 1 - MOST
        if self._room is not None:
            excess = max(excess, newcomer.fileno() + 1 + self._extra * open_now - self._room)
        return excess - len(self._ended)

    def _end_idle(self, count: int) -> bool:
        """End those that are idle for longest; whoever serves one finds that out and closes it."""
        chosen = list(islice(self._idle, max(count, 0)))
        for connection in chosen:
            del self._idle[connection]
            self._ended.add(connection)
            with suppress(OSError):  # it has gone by itself
                connection.shutdown(socket.SHUT_RDWR)
        return bool(chosen)

    def _report(self, reason: str) -> None:
        """Once for each time that it begins."""
        now = time.monotonic()
        if now >= self._quiet_until:
            log.warning(
                "a page or a script could not connect (%s); the server goes on, and takes connections again "
                "as soon as there is room. %s",
                reason,
                ""
                if self._limit is None
                else f"This process may have {self._limit} files and connections open (ulimit -n).",
            )
        self._quiet_until = now + SPELL_S

"""Peer: the other end of one connection to the page, and which user of this machine it is."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import Any, Protocol

from app.auth.socket_owner import End, owner_of

PEER = "fedloom.peer"
"""The key in a request's WSGI environment."""


class Connected(Protocol):
    """What is needed of a socket."""

    def getsockname(self) -> Any: ...
    def getpeername(self) -> Any: ...


class Peer:
    """Made with the connection, asked at its first request, and then for as long as the connection lasts: a
    socket does not change hands without its owner's doing."""

    def __init__(self, connection: Connected) -> None:
        self._ends: tuple[End, End] | None = None
        with suppress(OSError, ValueError, IndexError):  # it has gone already
            self._ends = End.of(connection.getpeername()), End.of(connection.getsockname())

    @cached_property
    def uid(self) -> int | None:
        """The user whose process it is; None: not of this machine by loopback, or not to be known."""
        if self._ends is None or not all(end.ip.is_loopback for end in self._ends):
            return None
        return owner_of(*self._ends)

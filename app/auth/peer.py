"""Peer: the other end of one connection to the page, and which user of this machine it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    def __init__(self, connection: Connected, on_known: Callable[[], None] = lambda: None) -> None:
        """`on_known`: called when a request came of which is known who sends it."""
        self._connection = connection
        self.is_known = on_known

    @cached_property
    def uid(self) -> int | None:
        """The user whose process it is; None: not of this machine by loopback, or not to be known."""
        ends = self._ends()
        if ends is None or not all(end.ip.is_loopback for end in ends):
            return None
        uid = owner_of(*ends)
        # Still connected, so that nobody else can have had these addresses meanwhile: what was read may be of
        # somebody who has reset the connection since, and whose port another process took.
        return uid if self._ends() == ends else None

    def _ends(self) -> tuple[End, End] | None:
        """The other end and ours; None once the connection is gone."""
        try:
            return End.of(self._connection.getpeername()), End.of(self._connection.getsockname())
        except (OSError, ValueError, IndexError):
            return None


def mark_known(environ: Mapping[str, Any]) -> None:
    """Keep the connection of the request with this WSGI environment: it is known who sends it."""
    if isinstance(peer := environ.get(PEER), Peer):
        peer.is_known()

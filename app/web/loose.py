"""Loose: connections of which nobody knows whose they are, and which of them goes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

from app.auth.limits import site_of


class Connected(Protocol):
    """What is needed of a socket, be it eventlet's or Python's."""

    def getpeername(self) -> Any: ...


C = TypeVar("C", bound=Connected)


class Loose(Generic[C]):
    """By the address that they come from, so that who opens many of them only loses their own.

    The first to go is the oldest of the address that has most. Of several with as many, it is the one of
    which none has come for longest.
    """

    def __init__(self) -> None:
        self._of: dict[str, dict[C, None]] = {}
        self._sites: dict[C, str] = {}

    def __len__(self) -> int:
        return len(self._sites)

    def __contains__(self, connection: C) -> bool:
        return connection in self._sites

    def add(self, connection: C) -> None:
        """The newest of its address."""
        site = _site(connection)
        self._sites[connection] = site
        of_site = self._of.pop(site, {})
        of_site[connection] = None
        self._of[site] = of_site

    def remove(self, connection: C) -> None:
        """It has gone, or is known; nothing, if it was not here."""
        site = self._sites.pop(connection, None)
        if site is None:
            return
        of_site = self._of[site]
        del of_site[connection]
        if not of_site:
            del self._of[site]

    def first(self, count: int) -> Iterator[C]:
        """So many that are to go, if there are so many. Each is removed."""
        for _ in range(min(count, len(self))):
            site = max(self._of, key=lambda site: len(self._of[site]))
            connection = next(iter(self._of[site]))
            self.remove(connection)
            yield connection


def _site(connection: Connected) -> str:
    try:
        return site_of(str(connection.getpeername()[0]))
    except (OSError, IndexError):  # it is gone already
        return ""

"""OpenExchanges: what a run waits for now, and the word that ends it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.federation.grid.exchange import Exchange


class OpenExchanges:
    """Those of one grid. Opened and closed in the threads of its run; asked from any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: tuple[Exchange, ...] = ()

    @contextmanager
    def holding(self, exchange: Exchange) -> Iterator[None]:
        """The exchange is waited for while the block lasts."""
        with self._lock:
            self._open = (*self._open, exchange)
        try:
            yield
        finally:
            with self._lock:
                self._open = tuple(each for each in self._open if each is not exchange)

    def of(self, kind: str) -> tuple[Exchange, ...]:
        """Those of one kind of message that lack replies. A run of an older app can have several."""
        return tuple(each for each in self._open if each.kind == kind and each.awaited)

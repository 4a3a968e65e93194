"""Shares: how much of something limited everybody may have at once, by the address that they come from."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.auth.limits import site_of


class ShareUsedUp(Exception):
    """This address has as many as one may have."""


class Shares:
    """Safe from any thread."""

    def __init__(self, most: int) -> None:
        """`most`: for one address (of IPv6, a /64)."""
        self.most = most
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    @contextmanager
    def one_for(self, address: str) -> Iterator[None]:
        """Hold one. Raises ShareUsedUp."""
        site = site_of(address)
        with self._lock:
            if self._held[site] >= self.most:
                raise ShareUsedUp
            self._held[site] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[site] -= 1
                if not self._held[site]:
                    del self._held[site]

"""How often a login may fail: so that nobody guesses passwords, and nobody locks another one out.

Failures count for the address that they come from, and for the name that was tried, from wherever. A name
that was tried too often is closed only to addresses from which it has not logged in since the server started.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

SPELL_S = 300.0
PER_ADDRESS = 10
PER_NAME = 30
"""Failures within SPELL_S."""

REMEMBERED = 10_000
"""Addresses and names at most; the oldest are forgotten first."""

ADDRESSES_OF_A_NAME = 32

IPV6_SITE = 64
"""Bits of an IPv6 address that are the site's: the rest of it, a site has as many of as it likes."""


class LoginLimits:
    """Safe from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._known: dict[str, OrderedDict[str, None]] = {}

    def attempt(self, name: str, address: str) -> float:
        """Begin a login: how long to wait before it may be tried; 0: now.

        It counts as failed until `succeeded` takes that back, so that many at once gain nothing.
        """
        site = site_of(address)
        with self._lock:
            wait = self._wait("address", site, PER_ADDRESS)
            if site not in self._known.get(name, {}):
                wait = max(wait, self._wait("name", name, PER_NAME))
            if wait <= 0:
                self._count(("address", site), ("name", name))
            return wait

    def succeeded(self, name: str, address: str) -> None:
        """The right password came: the failures of this address, and this one of the name, do not count."""
        site = site_of(address)
        with self._lock:
            self._failures.pop(("address", site), None)
            if times := self._failures.get(("name", name)):
                times.pop()
            known = self._known.setdefault(name, OrderedDict())
            known[site] = None
            known.move_to_end(site)
            while len(known) > ADDRESSES_OF_A_NAME:
                known.popitem(last=False)

    def _count(self, *keys: tuple[str, str]) -> None:
        for key in keys:
            times = self._failures.setdefault(key, deque(maxlen=max(PER_ADDRESS, PER_NAME)))
            times.append(self._clock())
            self._failures.move_to_end(key)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def _wait(self, kind: str, of: str, most: int) -> float:
        times = self._failures.get((kind, of), ())
        recent = [at for at in times if at > self._clock() - SPELL_S]
        return max(recent[-most] + SPELL_S - self._clock(), 0.0) if len(recent) >= most else 0.0


def site_of(address: str) -> str:
    """What counts as one address."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(IPv6Address(int(ip) >> (128 - IPV6_SITE) << (128 - IPV6_SITE)))

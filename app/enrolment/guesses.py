"""Wrong tokens, counted by the address that they come from.

A token has 192 random bits, which nobody guesses. The limit keeps whoever tries from filling the log.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque

MOST = 10
"""Wrong tokens from an address, within `WINDOW_S`."""
WINDOW_S = 300.0
MOST_ADDRESSES = 4096

UNKNOWN = "unknown"


class Guesses:
    """Of one server."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def are_too_many(self, address: str, now: float) -> bool:
        """Whether no further token of this address is looked at for now."""
        times = self._times.get(address)
        return times is not None and len(times) == MOST and now - times[0] < WINDOW_S

    def add(self, address: str, now: float) -> None:
        """A wrong one has come."""
        self._times.setdefault(address, deque(maxlen=MOST)).append(now)
        self._times.move_to_end(address)
        if len(self._times) > MOST_ADDRESSES:
            self._times.popitem(last=False)


def network_of(peer: str) -> str:
    """Where somebody comes from, as gRPC names a peer: the address without the port; of IPv6 the network of
    64 bits, all of whose addresses one machine can have."""
    place = peer.partition(":")[2]
    host = place.rpartition(":")[0].replace("%5B", "").replace("%5D", "").strip("[]")
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address)

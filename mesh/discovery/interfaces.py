"""Which of a machine's interfaces a node looks for others on: chosen ones, never all.

On a machine with containers, all of them are dozens, each of which would be flooded with every question:
https://github.com/home-assistant/core/issues/35031
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

import ifaddr

from shared.errors import SettingsInvalid

EVERYWHERE = "0.0.0.0"
_ELSEWHERE = ("198.51.100.1", 9)
"""An address that nobody has (RFC 5737), for which the system has a route if it has one for all."""


def default_address() -> str | None:
    """This machine's IPv4 address on the way to everywhere else, to which nothing is sent; None: there is no
    such way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(_ELSEWHERE)
            return str(asking.getsockname()[0])
        except OSError:
            return None


def addresses_on(chosen: Sequence[str]) -> tuple[str, ...]:
    """The IPv4 addresses on these interfaces, which are named, or given by such an address.

    Without any, that on the default route's. Raises SettingsInvalid for one that there is not.
    """
    if not chosen:
        default = default_address()
        return () if default is None else (default,)
    there = [
        (str(adapter.name), str(ip.ip))
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4
    ]
    found: list[str] = []
    for each in chosen:
        matching = [address for name, address in there if each in (name, address)]
        if not matching:
            known = ", ".join(sorted({name for name, _ in there}))
            raise SettingsInvalid(
                f"This machine has no interface {each!r} with an IPv4 address. It has: {known}."
            )
        found += matching
    return tuple(dict.fromkeys(found))


def host_on(chosen: Sequence[str]) -> str:
    """Where to listen: at the only address on these interfaces, or, as with none, at all of the machine's.
    Raises SettingsInvalid for one that there is not."""
    found = addresses_on(chosen) if chosen else ()
    return found[0] if len(found) == 1 else EVERYWHERE


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches it there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

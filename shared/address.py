"""HOST:PORT as people and gRPC write it; a host that is an IPv6 address stands in brackets."""

from __future__ import annotations

import ipaddress
import socket
from typing import NamedTuple


class Address(NamedTuple):
    """Where somebody listens. As text: `example.org:5050`, `127.0.0.1:5050`, `[::1]:5050`."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})
"""Whoever listens there listens on all addresses of the machine. Nobody can connect to them by that name."""


def parse_address(text: str) -> Address:
    """The inverse of `str`. Raises ValueError, in words, for anything else.

    An IPv6 address without brackets is not taken: where it ends and the port begins cannot be told.
    """
    host, _, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    name = host[1:-1] if is_bracketed else host
    if is_bracketed is not (":" in name) or (is_bracketed and not _is_ipv6(name)):
        raise ValueError(
            f"{text!r} is not HOST:PORT; write an IPv6 address in brackets, for example [::1]:5050"
        )
    if not _is_name(name):
        raise ValueError(f"{text!r} is not HOST:PORT")
    if not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} does not end in a port from 1 to 65535")
    return Address(name, int(port))


def _is_name(name: str) -> bool:
    """Whether a name, or an address, can be looked up at all."""
    if any(character in "/[]@" or character.isspace() or not character.isprintable() for character in name):
        return False
    try:
        return bool(name.encode("idna"))
    except UnicodeError:  # a part of it is empty, or too long
        return False


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def reach_words(error: OSError, address: Address) -> str:
    """Why nobody could be reached at an address."""
    match error:
        case socket.gaierror():
            return f"the name {address.host} cannot be resolved ({error.strerror})"
        case ConnectionRefusedError():
            return "nothing listens there"
        case TimeoutError():
            return "it does not answer"
    return f"it cannot be reached ({error.strerror or error})"


def bracketed(host: str) -> str:
    """A host as it stands in an address or a URL."""
    return f"[{host}]" if _is_ipv6(host) else host


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False

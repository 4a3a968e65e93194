"""Peers: where the connections to the link come from, as gRPC and the system tell it.

gRPC offers no way to see or to end a connection on which nobody has called yet. But a connection is a
descriptor of this process, and the system tells which of them are connected to the link's port.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import unquote

_DESCRIPTORS = {"linux": "/proc/self/fd", "darwin": "/dev/fd"}.get(sys.platform)
"""Where the system lists a process's own descriptors."""


class Peer(NamedTuple):
    """The other end of a connection. One that came by IPv4 to a listener for IPv6 is shown as what it is."""

    host: str
    port: int

    @classmethod
    def of(cls, host: str, port: int) -> Self:
        """As the system tells it."""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return cls(host, port)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return cls(str(mapped or address), port)

    @classmethod
    def of_call(cls, text: str) -> Self:
        """As gRPC tells it: `ipv4:127.0.0.1:5050`, `ipv6:%5B::1%5D:5050`."""
        host, _, port = unquote(text).partition(":")[2].rpartition(":")
        return cls.of(host.strip("[]"), int(port) if port.isdecimal() else 0)

    @property
    def network(self) -> str:
        """Whose connections are counted together: an address, of IPv6 a site's 64 bits of it."""
        if ":" not in self.host:
            return self.host
        return str(ipaddress.ip_network((self.host, 64), strict=False).network_address)


@dataclass(frozen=True)
class OpenConnection:
    """A connection of this process. `inode` tells it from a later one with the same descriptor."""

    descriptor: int
    inode: int
    peer: Peer

    def end(self) -> None:
        """Have the system say to both ends that it is over; gRPC closes it then."""
        with suppress(OSError), _borrowed(self.descriptor) as connection:
            if os.fstat(connection.fileno()).st_ino == self.inode:
                connection.shutdown(socket.SHUT_RDWR)


def connections_to(port: int, known: Mapping[int, OpenConnection]) -> dict[int, OpenConnection]:
    """The connections of this process to its own port, by inode; empty where the system does not tell.

    `known` are those of the last time, which need not be looked at again.
    """
    if _DESCRIPTORS is None:
        return {}
    found: dict[int, OpenConnection] = {}
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - the names are numbers, and there may be many
        with suppress(OSError):  # it is closed by now
            status = os.fstat(int(name))
            if not stat.S_ISSOCK(status.st_mode):
                continue
            connection = known.get(status.st_ino) or _look_at(int(name), status.st_ino, port)
            if connection is not None:
                found[status.st_ino] = connection
    return found


def _look_at(descriptor: int, inode: int, port: int) -> OpenConnection | None:
    with _borrowed(descriptor) as connection:
        if connection.family not in (socket.AF_INET, socket.AF_INET6) or connection.getsockname()[1] != port:
            return None
        host, peer_port, *_ = connection.getpeername()  # the listener has none
        return OpenConnection(descriptor, inode, Peer.of(host, peer_port))


def _borrowed(descriptor: int) -> socket.socket:
    """The same connection by a descriptor of one's own, so that nobody else can close it meanwhile."""
    mine = os.dup(descriptor)
    try:
        return socket.socket(fileno=mine)
    except BaseException:
        os.close(mine)
        raise

"""Which user of this machine is at the other end of a loopback connection. Linux only.

The kernel is asked for the one socket that has our addresses the other way round: over netlink
(sock_diag(7)), which takes a tenth of a millisecond however many connections there are, else by the table
/proc/net/tcp.

Only a socket that a process has open has an owner. One that was closed still exists for a while, and the
kernel then says that it is root's (uid 0): without a look at the inode anybody could pass for root by sending
a request and closing at once.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
ANY_COOKIE = 0xFFFFFFFF

HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI2s2s16s16sIII")
"""inet_diag_req_v2 with its inet_diag_sockid."""
ANSWER = struct.Struct("=BBBB2s2s16s16sIIIIIIII")
"""inet_diag_msg with its inet_diag_sockid."""

TIMEOUT_S = 0.5

OPEN_STATES = frozenset({1, 4, 5, 8})
"""Established, and those in which one of the two sides has said its last word."""

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))

NOBODY = 65_534
"""As whom the kernel shows every user that has no number here, in a container: no particular one."""

Ip = IPv4Address | IPv6Address


class End(NamedTuple):
    """One end of a TCP connection. An IPv4 address within an IPv6 one is the IPv4 address."""

    ip: Ip
    port: int

    @classmethod
    def of(cls, name: tuple[object, ...]) -> End:
        """From what `getsockname` or `getpeername` says. Raises ValueError."""
        ip = ip_address(str(name[0]).partition("%")[0])
        mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
        return cls(mapped or ip, int(str(name[1])))


def is_known_here() -> bool:
    """Whether this system tells whose a connection is: a connection of this process's own is asked about."""
    if sys.platform != "linux":
        return False
    with suppress(OSError), socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address, TIMEOUT_S) as ours:
            return owner_of(End.of(ours.getsockname()), End.of(address)) == os.geteuid() != NOBODY
    return False


def owner_of(near: End, far: End) -> int | None:
    """The uid whose socket is bound to `near` and connected to `far`; None: not to be known."""
    if sys.platform != "linux" or near.ip.version != far.ip.version:
        return None
    try:
        uid = _by_netlink(near, far)
    except OSError:  # the kernel lacks that, or a sandbox forbids it
        uid = _by_table(near, far)
    return None if uid == NOBODY else uid


def _by_netlink(near: End, far: End) -> int | None:
    """Raises OSError where the kernel does not answer such questions."""
    family = socket.AF_INET if near.ip.version == 4 else socket.AF_INET6
    wanted = (
        near.port.to_bytes(2, "big"),
        far.port.to_bytes(2, "big"),
        near.ip.packed.ljust(16, b"\0"),
        far.ip.packed.ljust(16, b"\0"),
    )
    body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF, *wanted, 0, ANY_COOKIE, ANY_COOKIE)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(TIMEOUT_S)
        kernel.send(HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + body)
        answer = kernel.recv(4096)
    kind = HEADER.unpack_from(answer)[1]
    if kind != SOCK_DIAG_BY_FAMILY:
        _raise_refusal(answer)
        return None
    family, state, _, _, *found = ANSWER.unpack_from(answer, HEADER.size)
    uid, inode = found[-2:]
    size = 4 if family == socket.AF_INET else 16  # the latter also for IPv4 by way of an IPv6 socket
    ends = [
        End.of((str(ip_address(ip[:size])), int.from_bytes(port, "big")))
        for port, ip in ((found[0], found[2]), (found[1], found[3]))
    ]
    # Without such a connection the kernel may answer with a listener on the port.
    is_it = ends == [near, far] and state in OPEN_STATES and inode != 0
    return int(uid) if is_it else None


def _raise_refusal(answer: bytes) -> None:
    """Raises OSError, unless all that the answer says is that there is no such socket."""
    (error,) = struct.unpack_from("=i", answer, HEADER.size)
    if -error not in (2, 3):  # ENOENT, ESRCH
        raise OSError(-error, os.strerror(-error))


def _by_table(near: End, far: End) -> int | None:
    for table in TABLES:
        with suppress(OSError):
            for line in table.read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if _end(fields[1]) == near and _end(fields[2]) == far:
                    uid, inode, state = int(fields[7]), int(fields[9]), int(fields[3], 16)
                    return uid if inode != 0 and state in OPEN_STATES else None
    return None


def _end(text: str) -> End:
    """An address as the table has it: words of 32 bits in the machine's own order, in hex."""
    address, port = text.split(":")
    words = (int(address[at : at + 8], 16) for at in range(0, len(address), 8))
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return End.of((str(ip_address(packed)), int(port, 16)))

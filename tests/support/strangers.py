"""Connections to the link by those who are no clients: each goes so far and no further."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import TypeVar

from shared.address import Address
from shared.wire import LINK_METHOD
from tests.support.waiting import wait_until

TIMEOUT_S = 20.0
ANY = "0.0.0.0"
SOURCES = tuple(f"127.0.0.{number}" for number in range(2, 34))
"""Addresses that this machine has by itself, so that many connections come from many."""

S = TypeVar("S", bound=socket.socket)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING = 0, 1, 4, 6
ACK = 1
END_HEADERS = 4
HEAD = 9
"""Bytes before the content of a frame."""

INITIAL_WINDOW_SIZE = 4


def connected(address: Address, source: str = ANY) -> socket.socket:
    """A connection on which nothing is said, from an address of this machine's."""
    return socket.create_connection(address, TIMEOUT_S, (source, 0))


def half_a_handshake(address: Address, source: str = ANY) -> socket.socket:
    """The first half of the first message of TLS."""
    out = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        client_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="fedloom").do_handshake()
    said = out.read()
    return _saying(connected(address, source), said[: len(said) // 2])


def over_tls(address: Address, source: str = ANY) -> ssl.SSLSocket:
    """TLS, and nothing in it."""
    return client_context().wrap_socket(connected(address, source), server_hostname="fedloom")


def over_http2(address: Address, source: str = ANY) -> ssl.SSLSocket:
    """HTTP/2, and no call."""
    return _over_http2(address, source, b"")


def with_a_call(address: Address, source: str = ANY) -> ssl.SSLSocket:
    """A call of the link's method, and no frame."""
    return _saying(over_http2(address, source), frame(HEADERS, END_HEADERS, _call_headers(), stream=1))


def with_half_a_hello(address: Address, source: str = ANY) -> ssl.SSLSocket:
    """A frame of the link that is announced and does not come."""
    announced = frame(DATA, 0, struct.pack("!BI", 0, 500) + bytes(100), stream=1)
    return _saying(with_a_call(address, source), announced)


def who_takes_nothing(address: Address, source: str = ANY) -> ssl.SSLSocket:
    """A call to which not a byte may be answered."""
    connection = _over_http2(address, source, struct.pack("!HI", INITIAL_WINDOW_SIZE, 0))
    return _saying(connection, frame(HEADERS, END_HEADERS, _call_headers(), stream=1))


KINDS: dict[str, Callable[[Address, str], socket.socket]] = {
    "silent": connected,
    "half a handshake": half_a_handshake,
    "TLS alone": over_tls,
    "HTTP/2 alone": over_http2,
    "no frame": with_a_call,
    "half a hello": with_half_a_hello,
    "takes nothing": who_takes_nothing,
}


@contextmanager
def crowd(address: Address, **numbers: int) -> Iterator[list[socket.socket]]:
    """So many of each kind, with underscores in its name, from many addresses; those that the server turns
    away are not in it."""
    connections: list[socket.socket] = []
    sources = cycle(SOURCES)
    try:
        for kind, number in numbers.items():
            for _ in range(number):
                with suppress(OSError):
                    connections.append(KINDS[kind.replace("_", " ")](address, next(sources)))
        yield connections
    finally:
        for connection in connections:
            connection.close()


def wait_until_turned_away(connections: list[socket.socket], timeout_s: float) -> None:
    """Wait until the server has closed all of these."""
    open_still = list(connections)

    def all_closed() -> bool:
        open_still[:] = [connection for connection in open_still if not _is_closed(connection)]
        return not open_still

    wait_until(all_closed, "the server has turned all of them away", timeout_s)


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while connection.recv(1 << 16):
            pass
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        pass
    return True


class Polite:
    """A connection with a call and no hello, which does answer pings: gRPC takes it for alive and well."""

    def __init__(self, address: Address) -> None:
        self._connection = with_a_call(address)
        self._connection.setblocking(False)
        self._unread = bytearray()

    def is_open(self) -> bool:
        """Whether it still is; answers what has come meanwhile."""
        try:
            while data := self._connection.recv(1 << 16):
                self._unread += data
                self._answer()
        except ssl.SSLWantReadError:
            return True
        except OSError:
            pass
        self._connection.close()
        return False

    def _answer(self) -> None:
        while len(self._unread) >= HEAD:
            length, kind, flags = int.from_bytes(self._unread[:3]), self._unread[3], self._unread[4]
            if len(self._unread) < HEAD + length:
                return
            if kind in (PING, SETTINGS) and not flags & ACK:
                content = bytes(self._unread[HEAD : HEAD + length]) if kind == PING else b""
                self._connection.sendall(frame(kind, ACK, content))
            del self._unread[: HEAD + length]


def frame(kind: int, flags: int, content: bytes, stream: int = 0) -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return struct.pack("!I", len(content))[1:] + struct.pack("!BBI", kind, flags, stream) + content


def _over_http2(address: Address, source: str, settings: bytes) -> ssl.SSLSocket:
    return _saying(over_tls(address, source), PREFACE + frame(SETTINGS, 0, settings))


def _saying(connection: S, data: bytes) -> S:
    """The connection with this said on it; one that the server turns away before is closed here too."""
    try:
        connection.sendall(data)
    except OSError:
        connection.close()
        raise
    return connection


def _call_headers() -> bytes:
    """Each as a literal (RFC 7541, section 6.2.2)."""
    headers = {
        ":method": "POST",
        ":scheme": "https",
        ":path": LINK_METHOD,
        ":authority": "fedloom",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    return b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in headers.items()
    )


def client_context() -> ssl.SSLContext:
    """TLS of somebody who does not look at the server's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context

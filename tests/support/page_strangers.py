"""Connections to the page by nobody in particular: each says nothing, or as little as it can."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle

from tests.support.processes import ROOT, ServerProcess
from tests.support.strangers import SOURCES

TIMEOUT_S = 20.0
LARGEST = max((ROOT / "app" / "static" / "assets").iterdir(), key=lambda path: path.stat().st_size).name

OF_NOBODY = b"Host: localhost\r\nX-Forwarded-For: 198.51.100.9\r\n"
"""Without a proxy's header they would be taken for the user who started the server."""

HEAD = b"GET /healthz HTTP/1.1\r\n" + OF_NOBODY + b"X-Slow: "
BODY = (
    b"POST /api/v1/login HTTP/1.1\r\n"
    + OF_NOBODY
    + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
)
ANSWER = b"GET /static/assets/%b HTTP/1.1\r\n%b\r\n" % (LARGEST.encode(), OF_NOBODY)


def silent(_: socket.socket) -> None:
    """Not a byte."""


def half_a_line(connection: socket.socket) -> None:
    """Not even which request it will be."""
    connection.sendall(b"GET /hea")


def slow_head(connection: socket.socket) -> None:
    """A header that does not end."""
    connection.sendall(HEAD)


def slow_body(connection: socket.socket) -> None:
    """A body of which a byte comes now and then."""
    connection.sendall(BODY)


def slow_reader(connection: socket.socket) -> None:
    """Asks for much, and takes nothing."""
    connection.sendall(20 * ANSWER)


KINDS: dict[str, Callable[[socket.socket], None]] = {
    "silent": silent,
    "half_a_line": half_a_line,
    "slow_head": slow_head,
    "slow_body": slow_body,
    "slow_reader": slow_reader,
}

HALF_A_HANDSHAKE = "half_a_handshake"


class Crowd:
    """Many of them, from many addresses. Made by `crowd`."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._sources = cycle(SOURCES)
        self._talking: list[socket.socket] = []
        self.connections: list[socket.socket] = []
        self.count = 0

    def add(self, kind: str, number: int) -> None:
        """So many more; one that the server ends at once is counted all the same."""
        for _ in range(number):
            self.count += 1
            connection = _connect(self._server, next(self._sources))
            self.connections.append(connection)
            with suppress(OSError):
                if kind == HALF_A_HANDSHAKE:
                    connection.sendall(half_a_handshake())
                    continue
                if self._server.scheme == "https" and kind != "silent":
                    connection = self.connections[-1] = context().wrap_socket(connection)
                KINDS[kind](connection)
            if kind.startswith("slow"):
                self._talking.append(connection)

    def say_more(self) -> None:
        """Each slow writer says a byte more, so that it is not taken for dead."""
        for connection in self._talking:
            with suppress(OSError):
                connection.setblocking(False)
                connection.send(b"x")

    def close(self) -> None:
        """They are gone."""
        for connection in self.connections:
            connection.close()


@contextmanager
def crowd(server: ServerProcess, **numbers: int) -> Iterator[Crowd]:
    """So many of each kind."""
    made = Crowd(server)
    try:
        for kind, number in numbers.items():
            made.add(kind, number)
        yield made
    finally:
        made.close()


def context() -> ssl.SSLContext:
    """TLS of somebody who does not look at the server's certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def half_a_handshake() -> bytes:
    """The first half of the first thing that a client of TLS says."""
    out = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    said = out.read()
    return said[: len(said) // 2]


def _connect(server: ServerProcess, source: str) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.settimeout(TIMEOUT_S)
    try:
        connection.bind((source, 0))
        connection.connect(("127.0.0.1", server.port))
    except OSError:
        connection.close()
        raise
    return connection

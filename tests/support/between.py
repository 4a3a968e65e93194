"""What may stand between a client and its server: one who passes everything on, and one who looks into it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.address import Address
from shared.security.certificate import make_certificate
from shared.security.keys import KeyPair
from tests.support.strangers import client_context


class Between:
    """Listens at `port` (0: any) and passes on what comes to `target`. A context manager."""

    def __init__(self, target: Address, port: int = 0) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", port))
        self.address = Address(*self._listener.getsockname())
        self.connections = 0
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in (self._listener, *self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def serve(self, connection: socket.socket, number: int) -> None:
        """What becomes of a connection, the so manieth: all of it is passed on as it is."""
        upstream = socket.create_connection(self._target)
        self._open.append(upstream)
        join(connection, upstream)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self.connections += 1
                work = _quietly(partial(self.serve, number=self.connections))
                threading.Thread(target=work, args=(connection,), daemon=True).start()


class ManInTheMiddle(Between):
    """Speaks TLS with the client by a certificate of his own, and with the server as a client does; but the
    first `trusty` connections he leaves alone."""

    def __init__(self, target: Address, key: KeyPair, folder: Path, port: int = 0, trusty: int = 0) -> None:
        super().__init__(target, port)
        self._trusty = trusty
        self.heard = bytearray()
        """What the client has told him in confidence."""
        self._context = server_context(key, folder)

    def serve(self, connection: socket.socket, number: int) -> None:
        """Listen to all of it, and pass it on."""
        if number <= self._trusty:
            super().serve(connection, number)
            return
        inside = self._context.wrap_socket(connection, server_side=True)
        upstream = client_context().wrap_socket(socket.create_connection(self._target))
        self._open += [inside, upstream]
        threading.Thread(target=_quietly(_copy), args=(upstream, inside), daemon=True).start()
        while data := inside.recv(1 << 16):
            self.heard += data
            upstream.sendall(data)


def server_context(key: KeyPair, folder: Path) -> ssl.SSLContext:
    """TLS of a server that has this key, and a certificate that holds now."""
    (folder / "his.pem").write_bytes(key.pem() + make_certificate(key, datetime.now(UTC)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "his.pem")
    context.set_alpn_protocols(["h2"])
    return context


def join(one: socket.socket, other: socket.socket) -> None:
    """Pass on what either says until one is gone."""
    threading.Thread(target=_quietly(_copy), args=(other, one), daemon=True).start()
    _copy(one, other)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    finally:
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


def _quietly(work: Callable[..., None]) -> Callable[..., None]:
    """A connection that breaks is what the test is about."""

    def working(*args: socket.socket) -> None:
        with suppress(OSError):
            work(*args)

    return working

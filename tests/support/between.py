"""What may stand between a client and its server: one who passes everything on, and one who looks into it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from shared.address import Address
from shared.security.certificate import make_certificate
from shared.security.keys import KeyPair
from tests.support.strangers import client_context

S = TypeVar("S", bound=socket.socket)


class Between:
    """Listens at `port` (0: any) and passes on what comes to `target`. A context manager."""

    def __init__(self, target: Address, port: int = 0, host: str = "127.0.0.1") -> None:
        self._target = target
        self._listener = socket.create_server((host, port))
        self.address = Address(*self._listener.getsockname())
        self.connections = 0
        self._lock = threading.Lock()
        self._ended = False
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._work(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._ended = True
        for connection in (self._listener, *self._open):
            _end(connection)
        for thread in self._threads:  # nobody reads from what is closed below
            thread.join()
        for connection in (self._listener, *self._open):
            connection.close()

    def serve(self, connection: socket.socket, number: int) -> None:
        """What becomes of a connection, the so manieth: all of it is passed on as it is."""
        upstream = self._keep(socket.create_connection(self._target))
        self._join(connection, upstream)

    def _keep(self, connection: S) -> S:
        """Close it at the end; at once where that has come already, which is an OSError."""
        with self._lock:
            if self._ended:
                connection.close()
                raise ConnectionAbortedError("whoever stood between has gone")
            self._open.append(connection)
        return connection

    def _join(self, one: socket.socket, other: socket.socket) -> None:
        """Pass on what either says until one is gone."""
        self._work(_copy, other, one)
        _copy(one, other)

    def _work(self, work: Callable[..., None], *args: object) -> None:
        """In a thread, of which a connection that breaks is no failure: that is what the tests are about."""

        def working() -> None:
            with suppress(OSError):
                work(*args)

        thread = threading.Thread(target=working, daemon=True)
        with self._lock:
            if self._ended:
                raise ConnectionAbortedError("whoever stood between has gone")
            self._threads.append(thread)
            thread.start()

    def _accept(self) -> None:
        while True:
            connection = self._keep(self._listener.accept()[0])
            self.connections += 1
            self._work(self.serve, connection, self.connections)


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
        inside = self._greet(self._context, connection, server_side=True)
        upstream = self._greet(client_context(), socket.create_connection(self._target), server_side=False)
        self._work(_copy, upstream, inside)
        while data := inside.recv(1 << 16):
            self.heard += data
            upstream.sendall(data)

    def _greet(
        self, context: ssl.SSLContext, connection: socket.socket, *, server_side: bool
    ) -> ssl.SSLSocket:
        """TLS takes a connection over: what has to be closed is its socket, however the handshake goes."""
        secure = context.wrap_socket(connection, server_side=server_side, do_handshake_on_connect=False)
        self._keep(secure).do_handshake()
        return secure


def server_context(key: KeyPair, folder: Path) -> ssl.SSLContext:
    """TLS of a server that has this key, and a certificate that holds now."""
    (folder / "his.pem").write_bytes(key.pem() + make_certificate(key, datetime.now(UTC)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "his.pem")
    context.set_alpn_protocols(["h2"])
    return context


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    finally:
        _end(target)


def _end(connection: socket.socket) -> None:
    """Whoever waits for it, in whatever thread, is told that nothing comes any more. That of an `SSLSocket`
    itself would take its TLS from under the thread that reads."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)

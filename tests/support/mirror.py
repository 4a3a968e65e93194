"""A web server on loopback that has files to download, and the faults of real ones."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.address import Address
from shared.security.certificate import SERVER_NAME, make_certificate
from shared.security.keys import KeyPair

WEB_NAME = SERVER_NAME
"""The host name in the certificate of a mirror with HTTPS."""


def web_tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """TLS of a mirror, and the file of the authority that vouches for it: itself."""
    key = KeyPair.make()
    certificate = make_certificate(key, datetime.now(UTC))
    authority, both = folder / "authority.pem", folder / "mirror.pem"
    authority.write_bytes(certificate)
    both.write_bytes(key.pem() + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, authority


class Mirror:
    """Serves `files` by name. A context manager.

    Attributes:
        asked: the name of each file that was asked for, in order.
        before_answer: called with the name before each answer.
        answer: sent in place of every file, if not None.
        headers: lines that are added to each answer.
        cut_after: so many bytes of the first file are sent before the connection ends, if not None.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: it speaks HTTPS."""
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.before_answer: Callable[[str], object] = lambda _: None
        self.answer: bytes | None = None
        self.headers = ""
        self.cut_after: int | None = None
        mirror = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request = self.rfile.readline().split()
                while self.rfile.readline().strip():
                    pass
                self.wfile.write(mirror._answer(request[1].decode().removeprefix("/")))

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.address = Address("127.0.0.1", self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.url = f"{'http' if tls is None else 'https'}://{self.address}/"

    def _answer(self, name: str) -> bytes:
        self.asked.append(name)
        self.before_answer(name)
        if self.answer is not None:
            return self.answer
        if name not in self.files:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        content = self.files[name]
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n{self.headers}\r\n"
        sent, self.cut_after = content[: self.cut_after], None
        return head.encode() + sent

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

"""PyTorch's own index, as far as uv knows: a proxy that answers as whatever host uv wants to reach."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.wheels import Index

TRUSTED = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
"""Where uv and pip look for the authorities that they trust, the last before all others."""

VALID = timedelta(days=1)


class PytorchIndex:
    """Has an index for each backend, at a path with the backend's name in it. A context manager.

    Attributes:
        asked: the host and path of each request, in order.
        environment: what a program needs to come here by HTTPS, and to nobody else.
    """

    def __init__(self, backends: Mapping[str, Index], folder: Path) -> None:
        """`folder`: a new one, for certificates."""
        folder.mkdir()
        self.asked: list[str] = []
        self._backends = backends
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._write("authority.pem", self._certificate("authority", of_authority=True))
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            host = ""

            def handle(self) -> None:
                with suppress(OSError):  # uv leaves without a word
                    super().handle()

            def do_CONNECT(self) -> None:
                self.rfile.close()
                self.host = self.path.rpartition(":")[0]
                self.send_response(200)
                self.end_headers()
                inside = index._context(self.host).wrap_socket(self.connection, server_side=True)
                self.connection = inside
                self.rfile = inside.makefile("rb")
                self.wfile = inside.makefile("wb")
                self.close_connection = False

            def do_GET(self) -> None:
                index.asked.append(f"{self.host}{self.path}")
                content = index._content(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def finish(self) -> None:
                super().finish()
                self.connection.close()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.environment = {
            "HTTPS_PROXY": f"http://127.0.0.1:{self._server.server_address[1]}",
            **{name: str(folder / "authority.pem") for name in TRUSTED},
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _content(self, path: str) -> bytes | None:
        """A package's page, or one of its wheels; None: there is none."""
        *above, package, name = unquote(path).split("/")
        backend = above[-1] if above else ""
        return self._backends[backend].read(package, name) if backend in self._backends else None

    def _context(self, host: str) -> ssl.SSLContext:
        """TLS of whoever has this name."""
        key = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._write(f"{host}.key", key + self._certificate(host)))
        return context

    def _write(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path

    def _certificate(self, name: str, *, of_authority: bool = False) -> bytes:
        """As PEM, of the one key there is, signed with it."""

        def called(common_name: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])

        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(called(name))
            .issuer_name(called("authority"))
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - VALID)
            .not_valid_after(now + VALID)
            .add_extension(x509.BasicConstraints(ca=of_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

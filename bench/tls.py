"""TLS for the plain sockets of `payload`: with the cipher that gRPC's two ends agree on."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.security.certificate import make_certificate
from shared.security.keys import KeyPair

CIPHER = "ECDHE-RSA-AES128-GCM-SHA256"
"""gRPC's records are of TLS 1.3's AES128-GCM. Python leaves no choice among those of TLS 1.3, so the sockets
have the same one of TLS 1.2, which encrypts as many bytes in the same way."""


def server_side() -> ssl.SSLContext:
    """With a key and a certificate of its own."""
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    key = KeyPair.make()
    with TemporaryDirectory(prefix="fedloom-bench-") as folder:
        file = Path(folder, "server.pem")
        file.write_bytes(key.pem() + make_certificate(key, datetime.now(UTC)))
        context.load_cert_chain(file)
    return context


def client_side() -> ssl.SSLContext:
    """Takes any certificate: what is compared is how fast bytes move."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHER)
    return context

"""The page over HTTPS: a context for the server's own certificate or a given one, and the handshake.

A connection is wrapped when it is accepted, and shakes hands where its requests are served, so that one that
says nothing holds up nobody.
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.settings import ServerSettings
from shared.errors import FedLoomError
from shared.security.server_identity import KEYS

HANDSHAKE_S = 10.0
"""How long a connection may take for it."""

MOST_READ = 65_536

WORDS = b"This port speaks HTTPS only: write https:// before the address.\n"
PLAIN_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(WORDS), WORDS)
)

log = logging.getLogger(__name__)


def page_context(settings: ServerSettings) -> ssl.SSLContext | None:
    """The context for the page; None: without TLS. Raises FedLoomError for files that cannot be used."""
    if not settings.tls:
        return None
    certificate = settings.tls_cert or _own_certificate(settings)
    key = settings.tls_key or settings.home / KEYS / "server.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # of which SSLError is one
        raise FedLoomError(
            f"The page cannot be served over HTTPS with the certificate {certificate} and the key {key}: "
            f"{error}. Both must be in PEM, without a password, and belong together."
        ) from error
    return context


def fingerprint(settings: ServerSettings) -> str:
    """Of the server's own certificate, as browsers show it."""
    content = ssl.PEM_cert_to_DER_cert(_own_certificate(settings).read_text("ascii"))
    return hashlib.sha256(content).digest().hex(":").upper()


def _own_certificate(settings: ServerSettings) -> Path:
    return settings.home / KEYS / "server.crt"


def _no_password() -> str:
    """In place of OpenSSL's own question at the terminal."""
    raise ValueError("the key has a password")


def shake_hands(connection: Any) -> bool:
    """On a wrapped connection, in the thread that serves it; False: there will be no request on it."""
    patience = connection.gettimeout()
    connection.settimeout(HANDSHAKE_S)
    try:
        connection.do_handshake()
    except (OSError, ValueError) as error:
        if getattr(error, "reason", None) in ("HTTP_REQUEST", "HTTPS_PROXY_REQUEST"):
            _answer_plainly(connection)
        log.debug("a connection to the page did not come to speak TLS: %s", error)
        return False
    connection.settimeout(patience)
    return True


def _answer_plainly(connection: Any) -> None:
    """Tell somebody who speaks HTTP without TLS, past the encryption. Never waits."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as plain:
        plain.setblocking(False)
        plain.send(PLAIN_HTTP)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(MOST_READ):  # closing while some of the request is unread resets the connection
            pass

"""The link's credentials: the server's key and its certificate, which is renewed while the server runs.

A machine that starts with a wrong clock, or runs for years, would else be refused by everybody once its
certificate does not hold any more.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import grpc

from shared.security.certificate import make_certificate, used_between
from shared.security.server_identity import ServerIdentity

log = logging.getLogger(__name__)


class Renewal:
    """The certificate that is in use. A new one is not kept on the disk: the key is what counts, and the next
    start looks by itself."""

    def __init__(self, identity: ServerIdentity) -> None:
        self._key = identity.key
        self._certificate = identity.certificate
        self._begins, self._ends = used_between(self._certificate)

    def renewed(self, now: datetime) -> bytes | None:
        """A new certificate in PEM; None: the one in use will do."""
        if self._begins <= now < self._ends:
            return None
        self._certificate = make_certificate(self._key, now)
        self._begins, self._ends = used_between(self._certificate)
        log.info("the certificate of the link is renewed; the server's key, and so its id, is the same")
        return self._certificate


def credentials_of(identity: ServerIdentity) -> grpc.ServerCredentials:
    """gRPC asks for a newer certificate before each handshake, in a thread of its own."""
    renewal = Renewal(identity)
    key = identity.key.pem()

    def configuration(certificate: bytes) -> Any:
        return grpc.ssl_server_certificate_configuration([(key, certificate)])

    def newer() -> Any:
        certificate = renewal.renewed(datetime.now(UTC))
        return None if certificate is None else configuration(certificate)

    credentials: grpc.ServerCredentials = grpc.dynamic_ssl_server_credentials(
        configuration(identity.certificate), newer
    )
    return credentials

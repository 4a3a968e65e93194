"""Pinned: TLS to a server that must have one certificate, and no other."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from shared.errors import SettingsInvalid


class _PinnedContext(ssl.SSLContext):
    """Ends a connection whose other end has another certificate, whoever vouches for that."""

    pinned: bytes
    """In DER."""

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        """Raises ssl.SSLCertVerificationError."""
        connection = super().wrap_socket(*args, **options)
        if connection.getpeercert(binary_form=True) != self.pinned:
            connection.close()
            raise ssl.SSLCertVerificationError("it has another certificate than the one of --federation-cert")
        return connection


def trust(certificate: Path | None) -> ssl.SSLContext:
    """`certificate`: a file in PEM that begins with the only certificate that is accepted; None: any that
    authorities vouch for, of the host that is asked. Raises SettingsInvalid."""
    if certificate is None:
        return ssl.create_default_context()
    try:
        content = certificate.read_bytes()
        context = _PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.pinned = x509.load_pem_x509_certificates(content)[0].public_bytes(Encoding.DER)
        context.load_verify_locations(cadata=content.decode("ascii"))
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"--federation-cert {certificate} cannot be used: {error}") from error
    # A server's own certificate has no name of a host, and the file need not hold who has issued another.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context

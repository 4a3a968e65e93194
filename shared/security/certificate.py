"""The server's certificate for TLS: made of its own key, pinned by that key, and renewed without ceremony.

Nobody checks who has issued it, or what name is in it: a client knows the server's key from its invitation.
Python's gRPC cannot ask whether a certificate will do, so a client fetches it first, compares the key, and
then takes exactly this one (`fetch_pinned`).
"""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from shared.address import Address
from shared.errors import FedLoomError
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, KeyUnusable, PublicKey

SERVER_NAME = "fedloom"
"""The name in every server's certificate, and what clients ask for: where the server is, says the address."""

VALID = timedelta(days=3650)
RENEWED_BEFORE = timedelta(days=365)
BACKDATED = timedelta(days=2)
"""Clocks of machines in the field are wrong, by a day as well."""


class WrongServer(FedLoomError):
    """Who answers at the server's address has another key."""


class NoTls(FedLoomError):
    """Who answers at the server's address does not speak TLS. What says why is its cause."""


def make_certificate(key: KeyPair, now: datetime) -> bytes:
    """A self-signed certificate for a key in PEM (RFC 5280), for ten years from two days before `now`."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVER_NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)  # it is its own issuer
        .sign(key.private, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def is_due(certificate: bytes, key: KeyPair, now: datetime) -> bool:
    """Whether it is time for a new one: it ends within a year, begins later, or is another key's."""
    try:
        parsed = x509.load_pem_x509_certificate(certificate)
        is_other = _key_of(parsed).id != key.public.id
    except (ValueError, KeyUnusable):
        return True
    return is_other or not parsed.not_valid_before_utc <= now < parsed.not_valid_after_utc - RENEWED_BEFORE


def load_or_make_certificate(path: Path, key: KeyPair) -> bytes:
    """The certificate in a file in PEM; a new one is written there when it is due. Raises OSError."""
    now = datetime.now(UTC)
    certificate = path.read_bytes() if path.exists() else b""
    if is_due(certificate, key, now):
        certificate = make_certificate(key, now)
        draft = path.with_suffix(".new")
        draft.write_bytes(certificate)
        draft.replace(path)
    return certificate


def fetch_pinned(address: Address, pin: KeyId, timeout_s: float) -> bytes:
    """The certificate in PEM by which the server at an address answers, which must have the pinned key.

    Blocks for `timeout_s` at most at each step. Raises WrongServer, NoTls, and OSError when nobody can be
    reached.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the key is compared below
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])  # gRPC closes the connection else
    with socket.create_connection(address, timeout_s) as connection:
        try:
            with context.wrap_socket(connection, server_hostname=SERVER_NAME) as secure:
                certificate = secure.getpeercert(binary_form=True)
        except ssl.SSLError as error:
            raise NoTls(
                f"There is something at {address} that does not speak TLS as a FedLoom server does."
            ) from error
    try:
        parsed = x509.load_der_x509_certificate(certificate or b"")
        found = _key_of(parsed).id
    except (ValueError, KeyUnusable) as error:
        raise WrongServer(f"The server at {address} has no key as FedLoom's servers have one.") from error
    if found != pin:
        raise WrongServer(
            f"The server at {address} has another key than the one in the invitation. It is not the server "
            f"that you were invited to, or somebody is between: its key is {found}, and {pin} is expected. "
            "Ask who sent the invitation, by another way than this one."
        )
    return parsed.public_bytes(Encoding.PEM)


def certified_key(certificate: bytes) -> PublicKey:
    """The key that a certificate in PEM is of. Raises KeyUnusable."""
    return _key_of(x509.load_pem_x509_certificate(certificate))


def _key_of(certificate: x509.Certificate) -> PublicKey:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyUnusable("The certificate is not of a key of RSA.")
    return PublicKey.of(key)

"""The server's certificate for TLS: made of its own key, pinned by that key, and renewed without ceremony.

Nobody checks who has issued it, or what name is in it: a client knows the server's key from its invitation.
Python's gRPC cannot ask whether a certificate will do, so a client fetches it first, compares the key, and
then takes exactly this one (`find_pinned`).
"""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from shared.address import Address
from shared.errors import FedLoomError
from shared.proxy import Proxy, ProxyFailed, connect
from shared.security.files import write_whole
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


class ClockWrong(FedLoomError):
    """The server's certificate does not hold now, by this machine's clock."""


@dataclass(frozen=True)
class PinnedServer:
    """A server that has the pinned key."""

    address: Address
    """One of those that its name stands for; by a proxy its name, which may be known there alone."""

    key: PublicKey
    certificate: bytes
    """In PEM."""

    proxy: Proxy | None = None
    """By which it is reached, at one of the addresses that the proxy's name stands for."""

    @property
    def target(self) -> str:
        """To where gRPC connects, which takes `unix:5050` and others for something else."""
        address = self.address if self.proxy is None else self.proxy.address
        return f"ipv6:{quote(str(address), safe='[]:')}" if ":" in address.host else f"ipv4:{address}"


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


def used_between(certificate: bytes) -> tuple[datetime, datetime]:
    """From when until when a certificate in PEM is used. Raises ValueError for what is none."""
    parsed = x509.load_pem_x509_certificate(certificate)
    return parsed.not_valid_before_utc, parsed.not_valid_after_utc - RENEWED_BEFORE


def is_due(certificate: bytes, key: KeyPair, now: datetime) -> bool:
    """Whether it is time for a new one: it ends within a year, begins later, or is another key's."""
    try:
        begins, ends = used_between(certificate)
        is_other = key_in(certificate).id != key.public.id
    except _UNREADABLE:
        return True
    return is_other or not begins <= now < ends


def load_or_make_certificate(path: Path, key: KeyPair) -> bytes:
    """The certificate in a file in PEM; a new one is written there when it is due. Raises OSError."""
    now = datetime.now(UTC)
    certificate = path.read_bytes() if path.is_file() else b""
    if is_due(certificate, key, now):
        certificate = make_certificate(key, now)
        write_whole(path, certificate)
    return certificate


def find_pinned(
    address: Address, pins: Sequence[KeyId], timeout_s: float, proxy: Proxy | None = None
) -> PinnedServer:
    """The server with one of the pinned keys, at whichever address that a name stands for it listens.

    `localhost` is 127.0.0.1 and ::1, and somebody else may be at one of them. What a name stands for is left
    to the proxy, if there is one. Raises as `reach`, what says most of why none of them will do.
    """
    if proxy is not None:
        return reach(address, pins, timeout_s, proxy)
    resolved = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    errors: list[FedLoomError | OSError] = []
    for numeric in dict.fromkeys(Address(str(where[0]), address.port) for *_, where in resolved):
        try:
            return reach(numeric, pins, timeout_s)
        except (FedLoomError, OSError) as error:
            errors.append(error)
    raise max(errors, key=_tells)


def _tells(error: FedLoomError | OSError) -> int:
    """How much an error says of a server; of several that say as much, the first is taken."""
    kinds: list[type[Exception]] = [OSError, NoTls, WrongServer, ClockWrong]
    return next(place for place, kind in enumerate(kinds) if isinstance(error, kind))


def reach(
    address: Address, pins: Sequence[KeyId], timeout_s: float, proxy: Proxy | None = None
) -> PinnedServer:
    """The server at an address, which must have one of the pinned keys, of which there is at least one.

    Blocks for `timeout_s` at most at each step. Raises WrongServer, NoTls, ClockWrong, ProxyFailed, and
    OSError when nobody can be reached.
    """
    with connect(address, timeout_s, proxy) as connection:
        at = Address(*connection.getpeername()[:2])
        certificate = _certificate_at(connection, address)
    now = datetime.now(UTC)
    if proxy is None:
        return require_pinned(certificate, address, pins, now)
    try:
        return replace(require_pinned(certificate, address, pins, now), proxy=replace(proxy, address=at))
    except WrongServer as error:
        raise WrongServer(
            f"{error} The way there is the proxy at {proxy.address}: if that opens TLS, to look into it, "
            f"have {address} excepted from that."
        ) from error


def require_pinned(
    certificate: bytes, address: Address, pins: Sequence[KeyId], now: datetime
) -> PinnedServer:
    """The server that answered by a certificate in DER. Raises WrongServer unless that is of a pinned key,
    and ClockWrong unless it holds now."""
    try:
        parsed = _strictly_parsed(certificate)
        key = _key_of(parsed)
        begins, ends = parsed.not_valid_before_utc, parsed.not_valid_after_utc
    except _UNREADABLE as error:
        raise WrongServer(f"The server at {address} has no key as FedLoom's servers have one.") from error
    if key.id not in pins:
        raise WrongServer(
            f"The server at {address} has another key than the one in the invitation. It is not the server "
            f"that you were invited to, or somebody is between: its key is {key.id}, and {pins[0]} is "
            "expected. Ask who sent the invitation, by another way than this one. If the server has got a "
            "new key while this client was away, it needs a new invitation."
        )
    if not begins <= now < ends:
        raise ClockWrong(
            f"It is {now:%Y-%m-%d %H:%M} UTC by the clock of this machine, and the certificate of the server "
            f"at {address} is for the time from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}. The key is the right "
            "one, so a clock is wrong: compare those of both machines, and set the wrong one."
        )
    return PinnedServer(address, key, parsed.public_bytes(Encoding.PEM))


def key_in(certificate: bytes) -> PublicKey:
    """The key in a certificate in PEM. Raises KeyUnusable."""
    return _key_of(x509.load_pem_x509_certificate(certificate))


def speaks_tls(address: Address, timeout_s: float, proxy: Proxy | None = None) -> bool:
    """Whether somebody answers there as a FedLoom server would, whoever it is; blocks as `reach`."""
    try:
        with connect(address, timeout_s, proxy) as connection:
            return bool(_certificate_at(connection, address))
    except (NoTls, OSError, ProxyFailed):
        return False


def _certificate_at(connection: socket.socket, address: Address) -> bytes:
    """The certificate in DER by which somebody at an address answers; whose it is, is to be looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the key is compared instead
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])  # gRPC closes the connection else
    try:
        with context.wrap_socket(connection, server_hostname=SERVER_NAME) as secure:
            return secure.getpeercert(binary_form=True) or b""
    except ssl.SSLError as error:
        raise NoTls(
            f"There is something at {address} that does not speak TLS as a FedLoom server does."
        ) from error


_UNREADABLE = (
    ValueError,
    KeyUnusable,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    CryptographyDeprecationWarning,
)


def _strictly_parsed(certificate: bytes) -> x509.Certificate:
    """A stranger's certificate in DER. What its parser only warns of as yet, a serial number below zero for
    one, raises that warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        return x509.load_der_x509_certificate(certificate)


def _key_of(certificate: x509.Certificate) -> PublicKey:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyUnusable("The certificate is not of a key of RSA.")
    return PublicKey.of(key)

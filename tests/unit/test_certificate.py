"""The server's certificate: pinned by its key, whatever else is in it, and renewed while the pin stays."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shared.address import Address
from shared.security.certificate import (
    NoTls,
    WrongServer,
    fetch_pinned,
    is_due,
    load_or_make_certificate,
    make_certificate,
)
from shared.security.keys import KeyPair

NOW = dt.datetime(2026, 11, 26, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
LIMIT_S = 5.0

Serve = Callable[[Callable[[socket.socket], None]], Address]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Listens, and does this with each connection."""
    with ExitStack() as ending:

        def start(handle: Callable[[socket.socket], None]) -> Address:
            listener = ending.enter_context(socket.create_server(("127.0.0.1", 0)))

            def accept() -> None:
                with suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        with connection, suppress(OSError):
                            handle(connection)

            threading.Thread(target=accept, daemon=True).start()
            ending.callback(listener.shutdown, socket.SHUT_RDWR)
            return Address(*listener.getsockname())

        yield start


def over_tls(private: bytes, certificate: bytes, folder: Path) -> Callable[[socket.socket], None]:
    """A server's end of a handshake."""
    (folder / "key.pem").write_bytes(private)
    (folder / "certificate.pem").write_bytes(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    context.set_alpn_protocols(["h2"])

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    return handle


def test_the_servers_certificate_is_fetched_as_it_is(key: KeyPair, serve: Serve, tmp_path: Path) -> None:
    certificate = make_certificate(key, NOW)
    address = serve(over_tls(key.pem(), certificate, tmp_path))

    assert fetch_pinned(address, key.public.id, LIMIT_S) == certificate


def test_a_server_with_another_key_is_refused_and_both_keys_are_named(
    key: KeyPair, other: KeyPair, serve: Serve, tmp_path: Path
) -> None:
    address = serve(over_tls(other.pem(), make_certificate(other, NOW), tmp_path))

    with pytest.raises(WrongServer) as caught:
        fetch_pinned(address, key.public.id, LIMIT_S)
    assert str(key.public.id) in str(caught.value)
    assert str(other.public.id) in str(caught.value)


def test_a_server_with_a_key_of_another_kind_is_refused(key: KeyPair, serve: Serve, tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fedloom")])
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), 1, NOW - DAY, NOW + DAY)
        .sign(private, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    address = serve(over_tls(pem, certificate, tmp_path))

    with pytest.raises(WrongServer, match="no key as FedLoom's servers have one"):
        fetch_pinned(address, key.public.id, LIMIT_S)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x16\x03\x03\xff\xff"])
def test_what_does_not_speak_tls_is_said(key: KeyPair, serve: Serve, answer: bytes) -> None:
    def handle(connection: socket.socket) -> None:
        connection.sendall(answer)

    address = serve(handle)

    with pytest.raises((NoTls, OSError)):
        fetch_pinned(address, key.public.id, LIMIT_S)


def test_who_says_nothing_is_given_up(key: KeyPair, serve: Serve) -> None:
    release = threading.Event()

    def keep_silent(_: socket.socket) -> None:
        release.wait(LIMIT_S)

    address = serve(keep_silent)

    with pytest.raises(TimeoutError):
        fetch_pinned(address, key.public.id, 0.2)
    release.set()


def test_nobody_there_is_an_error_of_the_system(key: KeyPair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address(*listener.getsockname())

    with pytest.raises(ConnectionRefusedError):
        fetch_pinned(address, key.public.id, LIMIT_S)


@pytest.mark.parametrize(
    ("later", "due"),
    [
        (-3 * DAY, True),
        (-DAY, False),
        (0 * DAY, False),
        (3284 * DAY, False),
        (3286 * DAY, True),
        (5000 * DAY, True),
    ],
)
def test_a_certificate_is_good_for_nine_years_and_for_clocks_that_are_a_day_wrong(
    key: KeyPair, later: dt.timedelta, due: bool
) -> None:
    assert is_due(make_certificate(key, NOW), key, NOW + later) is due


def test_a_certificate_of_another_key_and_what_is_none_are_due(key: KeyPair, other: KeyPair) -> None:
    assert is_due(make_certificate(other, NOW), key, NOW)
    assert is_due(b"", key, NOW)
    assert is_due(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key, NOW)


def test_a_certificate_is_kept_and_renewed_when_it_is_due(
    key: KeyPair, other: KeyPair, tmp_path: Path
) -> None:
    path = tmp_path / "server.crt"

    first = load_or_make_certificate(path, key)
    again = load_or_make_certificate(path, key)
    of_another = load_or_make_certificate(path, other)
    path.write_bytes(make_certificate(other, dt.datetime(2015, 1, 1, tzinfo=dt.UTC)))
    renewed = load_or_make_certificate(path, other)

    assert first == again != of_another != renewed
    assert [file.name for file in tmp_path.iterdir()] == [path.name]

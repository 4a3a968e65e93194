"""The server's certificate: pinned by its key, whatever else is in it, and renewed while the pin stays."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from shared.address import Address
from shared.security.certificate import (
    ClockWrong,
    NoTls,
    PinnedServer,
    WrongServer,
    find_pinned,
    is_due,
    load_or_make_certificate,
    make_certificate,
    reach,
    require_pinned,
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

    assert reach(address, [key.public.id], LIMIT_S).certificate == certificate


def test_a_server_with_another_key_is_refused_and_both_keys_are_named(
    key: KeyPair, other: KeyPair, serve: Serve, tmp_path: Path
) -> None:
    address = serve(over_tls(other.pem(), make_certificate(other, NOW), tmp_path))

    with pytest.raises(WrongServer) as caught:
        reach(address, [key.public.id], LIMIT_S)
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
        reach(address, [key.public.id], LIMIT_S)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x16\x03\x03\xff\xff"])
def test_what_does_not_speak_tls_is_said(key: KeyPair, serve: Serve, answer: bytes) -> None:
    def handle(connection: socket.socket) -> None:
        connection.sendall(answer)

    address = serve(handle)

    with pytest.raises((NoTls, OSError)):
        reach(address, [key.public.id], LIMIT_S)


def test_who_says_nothing_is_given_up(key: KeyPair, serve: Serve) -> None:
    release = threading.Event()

    def keep_silent(_: socket.socket) -> None:
        release.wait(LIMIT_S)

    address = serve(keep_silent)

    with pytest.raises(TimeoutError):
        reach(address, [key.public.id], 0.2)
    release.set()


def test_nobody_there_is_an_error_of_the_system(key: KeyPair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address(*listener.getsockname())

    with pytest.raises(ConnectionRefusedError):
        reach(address, [key.public.id], LIMIT_S)


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


HERE = Address("127.0.0.1", 5050)
NAME = "server.example"


def in_der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


@pytest.mark.parametrize("off", [-DAY, 0 * DAY, DAY])
def test_a_clock_that_is_a_day_wrong_does_no_harm(key: KeyPair, off: dt.timedelta) -> None:
    certificate = make_certificate(key, NOW)

    assert require_pinned(in_der(certificate), HERE, [key.public.id], NOW + off).certificate == certificate


@pytest.mark.parametrize("off", [-30 * DAY, -20_000 * DAY, 4_000 * DAY])
def test_a_clock_that_is_more_than_that_wrong_is_said_with_both_times(
    key: KeyPair, off: dt.timedelta
) -> None:
    with pytest.raises(ClockWrong, match="by the clock of this machine") as caught:
        require_pinned(in_der(make_certificate(key, NOW)), HERE, [key.public.id], NOW + off)
    assert f"{NOW + off:%Y-%m-%d}" in str(caught.value)
    assert "from 2026-11-24 to 2036-11-23" in str(caught.value)


def test_another_key_says_more_than_a_wrong_clock(key: KeyPair, other: KeyPair) -> None:
    with pytest.raises(WrongServer):
        require_pinned(in_der(make_certificate(other, NOW)), HERE, [key.public.id], NOW - 30 * DAY)


@given(place=st.integers(0, 10_000), noise=st.binary(max_size=4))
def test_a_certificate_that_was_changed_is_never_taken_for_another_key(
    key: KeyPair, place: int, noise: bytes
) -> None:
    """Whatever a certificate holds, it is refused in words or is of the pinned key."""
    der = in_der(make_certificate(key, NOW))
    place %= len(der)

    for changed in (der[:place] + noise + der[place + len(noise) :], der[:place], noise):
        with suppress(WrongServer, ClockWrong):
            pem = require_pinned(changed, HERE, [key.public.id], NOW).certificate
            public = x509.load_pem_x509_certificate(pem).public_key()
            assert public == key.private.public_key()


def test_a_serial_number_below_zero_is_refused_without_a_warning(key: KeyPair) -> None:
    der = in_der(make_certificate(key, NOW))
    serial = der.index(b"\x02\x14") + 2
    negative = der[:serial] + bytes([der[serial] | 0x80]) + der[serial + 1 :]
    with pytest.raises(WrongServer, match="no key"):
        require_pinned(negative, HERE, [key.public.id], NOW)


class TestNames:
    """A name stands for several addresses."""

    @pytest.fixture
    def resolve(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Have a name stand for these, which the system's resolver cannot be told."""
        ask = socket.getaddrinfo

        def to(*addresses: Address) -> None:
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", tuple(address)) for address in addresses]

            def look_up(host: str, *rest: Any, **more: Any) -> Any:
                return found if host == NAME else ask(host, *rest, **more)

            monkeypatch.setattr(socket, "getaddrinfo", look_up)

        return to

    def test_the_server_is_found_where_somebody_else_is_at_the_first_of_them(
        self, key: KeyPair, other: KeyPair, resolve: Callable[..., None], tmp_path: Path
    ) -> None:
        """As with `localhost`, which may be ::1 as well as 127.0.0.1."""
        with ExitStack() as ending:
            first = ending.enter_context(socket.create_server(("127.0.0.2", 0)))
            port = first.getsockname()[1]
            second = ending.enter_context(socket.create_server(("127.0.0.3", port)))
            for listener, who in ((first, other), (second, key)):
                folder = tmp_path / who.public.id.short
                folder.mkdir()
                answer = over_tls(who.pem(), make_certificate(who, NOW), folder)
                threading.Thread(target=_answer_once, args=(listener, answer), daemon=True).start()
            resolve(Address("127.0.0.2", port), Address("127.0.0.3", port))

            found = find_pinned(Address(NAME, port), [key.public.id], LIMIT_S)

        assert found.address == Address("127.0.0.3", port)
        assert found.target == f"ipv4:127.0.0.3:{port}"

    def test_of_several_that_will_not_do_the_most_telling_is_said(
        self, key: KeyPair, other: KeyPair, serve: Serve, resolve: Callable[..., None], tmp_path: Path
    ) -> None:
        address = serve(over_tls(other.pem(), make_certificate(other, NOW), tmp_path))
        resolve(Address("127.0.0.9", address.port), address)

        with pytest.raises(WrongServer):
            find_pinned(Address(NAME, address.port), [key.public.id], LIMIT_S)

    def test_a_name_that_nobody_knows_is_an_error_of_the_system(self, key: KeyPair) -> None:
        with pytest.raises(OSError, match=r"."):
            find_pinned(Address("nobody.invalid", 5050), [key.public.id], LIMIT_S)

    @pytest.mark.parametrize(
        ("address", "target"),
        [
            (Address("10.0.0.1", 5050), "ipv4:10.0.0.1:5050"),
            (Address("::1", 5050), "ipv6:[::1]:5050"),
            (Address("fe80::1%eth0", 5050), "ipv6:[fe80::1%25eth0]:5050"),
        ],
    )
    def test_grpc_is_told_what_kind_of_address_it_is(
        self, key: KeyPair, address: Address, target: str
    ) -> None:
        assert PinnedServer(address, key.public, b"").target == target


def _answer_once(listener: socket.socket, answer: Callable[[socket.socket], None]) -> None:
    with suppress(OSError), listener.accept()[0] as connection:
        answer(connection)

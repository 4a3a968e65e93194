"""By which proxy an address is reached, and what a real one says, over real sockets."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from shared.address import Address, parse_address
from shared.doctor.machine import PROXY_VARIABLES
from shared.errors import SettingsInvalid
from shared.proxy import Proxy, ProxyFailed, is_direct, parse_proxy, proxy_for
from tests.support.connect_proxy import ConnectProxy

SERVER = Address("fl.example", 5050)
NOBODY = Address("127.0.0.1", 9)
LIMIT_S = 30.0


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class TestWhichOne:
    @pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY"])
    def test_the_variable_names_it(self, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert proxy_for(SERVER) is None

        monkeypatch.setenv(variable, "http://proxy.example:3128")

        assert proxy_for(SERVER) == Proxy(Address("proxy.example", 3128))

    @pytest.mark.parametrize("variable", ["http_proxy", "all_proxy", "grpc_proxy"])
    def test_others_are_not_asked(self, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(variable, "http://proxy.example:3128")

        assert proxy_for(SERVER) is None

    @pytest.mark.parametrize("address", ["localhost:5050", "127.0.0.1:5050", "127.8.9.10:1", "[::1]:5050"])
    def test_this_machine_is_never_reached_by_one(
        self, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("https_proxy", "http://proxy.example:3128")

        assert proxy_for(parse_address(address)) is None

    @pytest.mark.parametrize(
        ("listed", "address", "direct"),
        [
            ("*", "fl.example:5050", True),
            ("fl.example", "fl.example:5050", True),
            ("FL.example", "fl.EXAMPLE:5050", True),
            ("a.example, fl.example:5050", "fl.example:5050", True),
            ("fl.example:443", "fl.example:5050", False),
            (".example", "fl.example:5050", True),
            ("example", "fl.example:5050", True),
            ("l.example", "fl.example:5050", False),
            ("10.1.2.3", "10.1.2.3:5050", True),
            ("10.0.0.0/8", "10.1.2.3:5050", True),
            ("10.0.0.1/8", "10.1.2.3:5050", True),
            ("10.0.0.0/8", "11.1.2.3:5050", False),
            ("10.0.0.0/99", "10.1.2.3:5050", False),
            ("10.0.0.0/8", "ten.example:5050", False),
            ("fd00::/8", "[fd00::1]:5050", True),
            ("[fd00::1]", "[fd00::1]:5050", True),
            ("fd00::2", "[fd00::1]:5050", False),
            ("", "fl.example:5050", False),
        ],
    )
    def test_no_proxy_excepts_names_domains_and_networks(
        self, listed: str, address: str, direct: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("no_proxy", listed)
        monkeypatch.setenv("https_proxy", "http://proxy.example:3128")

        assert is_direct(parse_address(address)) is direct
        assert (proxy_for(parse_address(address)) is None) is direct

    @pytest.mark.parametrize(
        ("url", "address", "login"),
        [
            ("http://proxy.example:3128", "proxy.example:3128", ""),
            ("http://proxy.example:3128/", "proxy.example:3128", ""),
            ("proxy.example:3128", "proxy.example:3128", ""),
            ("http://proxy.example", "proxy.example:80", ""),
            ("http://[fd00::1]:3128", "[fd00::1]:3128", ""),
            ("http://site:s%40fe%3A%25@proxy.example:3128", "proxy.example:3128", "site:s@fe:%"),
            ("site:secret@proxy.example:3128", "proxy.example:3128", "site:secret"),
            ("http://site@proxy.example:3128", "proxy.example:3128", "site:"),
            ("http://J%C3%BCrgen:x@proxy.example:3128", "proxy.example:3128", "Jürgen:x"),
        ],
    )
    def test_its_address_is_read(self, url: str, address: str, login: str) -> None:
        read = parse_proxy(url)

        assert str(read.address) == address
        assert base64.b64decode(read.credentials).decode() == login

    @pytest.mark.parametrize(
        "url",
        [
            "socks5://site:secret@proxy.example:1080",
            "https://site:secret@proxy.example:3128",
            "http://site:secret#1@proxy.example:3128",
            "http://site:secret@proxy.example:port",
            "http://site:secret@:3128",
            "http://site:secret@[fd00::1:3128",
            "http://",
        ],
    )
    def test_one_that_cannot_be_used_is_an_error_that_tells_no_password(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("https_proxy", url)

        with pytest.raises(SettingsInvalid, match=r"https_proxy .*no_proxy") as raised:
            proxy_for(SERVER)

        assert "secret" not in str(raised.value)
        assert proxy_for(Address("127.0.0.1", 5050)) is None, "where it is not needed, it does no harm"

    def test_who_prints_one_prints_no_password(self) -> None:
        read = parse_proxy("http://site:secret@proxy.example:3128")

        assert read.credentials
        assert read.credentials not in repr(read)


@contextmanager
def echo() -> Iterator[Address]:
    """Answers one connection, what it says in capitals."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HELLO ")
                while data := connection.recv(100):
                    connection.sendall(data.upper())

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield Address(*server.getsockname())


@contextmanager
def answering(data: bytes, *, closes: bool = True) -> Iterator[Proxy]:
    """What is no proxy, or none as it should be."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):  # who is not believed is not heard to the end
                connection.sendall(data)
                if closes:
                    connection.shutdown(socket.SHUT_WR)
                while connection.recv(100):
                    pass

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield Proxy(Address(*server.getsockname()))
        thread.join(LIMIT_S)


def read(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        assert more, "the connection has ended"
        data += more
    return data


class TestConnecting:
    @pytest.mark.parametrize("login", ["", "site:p@ss:wörd"])
    def test_it_connects_and_nothing_that_the_server_says_is_lost(self, login: str) -> None:
        with (
            echo() as address,
            ConnectProxy(address, login=login) as proxy,
            parse_proxy(proxy.url).connect(SERVER, LIMIT_S) as connection,
        ):
            assert read(connection, 6) == b"HELLO ", "who speaks first is heard from the first byte on"
            connection.sendall(b"abc")
            assert read(connection, 3) == b"ABC"

        assert proxy.asked == ["fl.example:5050"]

    @pytest.mark.parametrize(
        ("target", "asked"),
        [
            (Address("fd00::1", 5050), "[fd00::1]:5050"),
            (Address("bücher.example", 5050), "xn--bcher-kva.example:5050"),
        ],
    )
    def test_it_is_asked_as_http_writes_addresses(self, target: Address, asked: str) -> None:
        with echo() as address, ConnectProxy(address) as proxy:
            proxy.proxy.connect(target, LIMIT_S).close()

        assert proxy.asked == [asked]

    @pytest.mark.parametrize(
        ("refusal", "words"),
        [
            (
                "403 Forbidden",
                "does not let connections to fl.example:5050 pass (403 Forbidden). Many let port 443",
            ),
            (
                "502 Bad Gateway",
                "does not reach fl.example:5050 (502 Bad Gateway). Look whether the server runs",
            ),
            ("503 No", "does not reach fl.example:5050 (503 No)."),
            ("504 Gateway Timeout", "does not reach fl.example:5050 (504 Gateway Timeout)."),
            (
                "405 Method Not Allowed",
                "does not connect to fl.example:5050: it answers 405 Method Not Allowed.",
            ),
            ("301 \x1b[2J" + "x" * 300, "it answers 301 "),
            (
                "407 Who\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM",
                "wants to know who asks (407 Who), by Negotiate or NTLM; FedLoom can show name and",
            ),
        ],
    )
    def test_a_refusal_is_told_in_words(self, refusal: str, words: str) -> None:
        with ConnectProxy(NOBODY, refusal=refusal) as proxy, pytest.raises(ProxyFailed) as raised:
            proxy.proxy.connect(SERVER, LIMIT_S)

        assert str(raised.value).startswith(f"The proxy at {proxy.address} ")
        assert words in str(raised.value)
        assert str(raised.value).isprintable()
        assert len(str(raised.value)) < 400

    @pytest.mark.parametrize(
        ("shown", "words"),
        [
            (
                "",
                "wants a name and a password (407 Proxy Authentication Required). Put them into https_proxy",
            ),
            ("site:wrong@", "does not take the name and password in https_proxy (407 "),
        ],
    )
    def test_credentials_that_lack_or_are_wrong_are_told_apart(self, shown: str, words: str) -> None:
        with ConnectProxy(NOBODY, login="site:secret") as proxy, pytest.raises(ProxyFailed) as raised:
            parse_proxy(f"http://{shown}{proxy.address}").connect(SERVER, LIMIT_S)

        assert words in str(raised.value)
        assert "wrong" not in str(raised.value)

    def test_one_that_is_not_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = Address(*server.getsockname())

        with pytest.raises(
            ProxyFailed, match=f"The proxy at {address} cannot be reached: nothing listens there"
        ):
            Proxy(address).connect(SERVER, LIMIT_S)

    def test_a_server_that_is_not_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = Address(*server.getsockname())

        with (
            ConnectProxy(address) as proxy,
            pytest.raises(ProxyFailed, match="does not reach fl"),
        ):
            proxy.proxy.connect(SERVER, LIMIT_S)

    def test_one_that_says_nothing(self) -> None:
        with (
            answering(b"HTTP/1.1 ", closes=False) as proxy,
            pytest.raises(ProxyFailed, match="has not said within"),
        ):
            proxy.connect(SERVER, 0.2)

    @pytest.mark.parametrize(
        ("data", "what"),
        [
            (b"", "closes the connection without an answer"),
            (b"SSH-2.0-OpenSSH\r\n\r\n", "does not answer as one"),
            (b"HTTP/1.1 200 OK\r\nVia: ", "does not answer as one"),
            (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000 + b"\r\n", "does not answer as one"),
            (bytes([21, 3, 3, 0, 2, 2, 70]), "does not answer as one"),
        ],
    )
    def test_what_is_no_proxy(self, data: bytes, what: str) -> None:
        with answering(data) as proxy, pytest.raises(ProxyFailed, match=what):
            proxy.connect(SERVER, LIMIT_S)

"""What client.doctor finds on the way to a server, over real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.federation.link import reception
from app.federation.link.spool import Spool
from client.doctor import network
from client.known_server import KnownServer
from client.membership import WayIn
from shared.address import Address
from shared.doctor.machine import PROXY_VARIABLES
from shared.finding import Finding, Level
from shared.security.certificate import make_certificate
from shared.security.invitation import Invitation
from shared.security.keys import KeyPair
from shared.security.server_identity import ServerIdentity
from tests.support.a_link import a_link
from tests.support.between import ManInTheMiddle
from tests.support.connect_proxy import ConnectProxy

TOKEN = "t" * 32


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "TIMEOUT_S", 1.0)
    for name in (*PROXY_VARIABLES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def levels(found: list[Finding]) -> dict[str, str]:
    return {finding.check: str(finding.level) for finding in found}


Serve = Callable[[ServerIdentity], Invitation]


@pytest.fixture
def identity(tmp_path: Path) -> ServerIdentity:
    return ServerIdentity.load_or_make(tmp_path)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a link of a server; returns the invitation to it."""
    with ExitStack() as ending:

        def start(identity: ServerIdentity) -> Invitation:
            link, _ = a_link(identity, Spool(tmp_path / "spool"))
            ending.callback(link.stop, 0.0)
            address = Address("127.0.0.1", link.start("127.0.0.1", 0))
            return Invitation(address, identity.key.public.id, identity.token)

        yield start


def way_to(invitation: Invitation) -> list[Finding]:
    return list(network.of(WayIn(invitation.address, Path(), invitation)))


def to_port(port: int) -> Invitation:
    return Invitation(Address("127.0.0.1", port), KeyPair.make().public.id, TOKEN)


@contextmanager
def listener(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server that does this with each connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    serve(connection)

        thread = threading.Thread(target=work)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def in_tls(key: KeyPair, certificate: bytes, folder: Path) -> Callable[[socket.socket], None]:
    """Speaks TLS as the owner of a key, and no more."""
    (folder / "key.pem").write_bytes(key.pem())
    (folder / "crt.pem").write_bytes(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt.pem", folder / "key.pem")

    def greet(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(100)

    return greet


class TestTheWay:
    def test_to_a_server_that_is_there_all_is_well(self, serve: Serve, identity: ServerIdentity) -> None:
        found = way_to(serve(identity))

        names = ["name", "port", "proxy", "tls", "protocol", "clock"]
        assert levels(found) == dict.fromkeys(names, "ok")
        assert found[-1].words == "as the server's"

    def test_nothing_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]

        found = way_to(to_port(port))

        assert levels(found) == {"name": "ok", "port": "problem", "proxy": "ok"}
        assert found[1].words == f"Nothing listens at 127.0.0.1:{port}: the connection was refused."
        assert "--link-port" in found[1].todo

    def test_a_port_that_says_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:  # the system accepts, nobody answers
            port = server.getsockname()[1]
            found = way_to(to_port(port))

        assert found[-1].check == "tls"
        assert found[-1].words == f"No FedLoom link answers at 127.0.0.1:{port}: it does not answer."

    def test_a_firewall_that_drops_what_comes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Played, since no test can count on one."""

        def dropped(*_: Any, **__: Any) -> None:
            raise TimeoutError("timed out")

        monkeypatch.setattr(socket, "create_connection", dropped)

        found = network.port(Address("192.0.2.1", 5050))

        assert found.is_problem
        assert found.words == "192.0.2.1:5050 does not answer within 1 s, as behind a firewall."
        assert "let TCP to 192.0.2.1:5050 pass" in found.todo

    def test_a_web_server(self) -> None:
        def answer(connection: socket.socket) -> None:
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        with listener(answer) as port:
            found = way_to(to_port(port))

        assert found[-1].is_problem
        assert "a web server answers there; clients connect to FedLoom's --link-port" in found[-1].words

    def test_a_server_with_another_key(self, serve: Serve, identity: ServerIdentity) -> None:
        invitation = replace(serve(identity), key=KeyPair.make().public.id)

        found = way_to(invitation)

        assert levels(found)["tls"] == "ok"
        assert levels(found)["server"] == "problem"
        assert "has another key than the one in the invitation" in found[-1].words
        assert str(identity.key.public.id) in found[-1].words

    def test_a_server_with_the_key_that_it_has_announced_to_a_client(
        self, serve: Serve, identity: ServerIdentity, tmp_path: Path
    ) -> None:
        address = serve(identity).address
        memory = tmp_path / "client-1.json"
        KnownServer(address, KeyPair.make().public.id, following=identity.key.public.id).save(memory)

        found = list(network.of(WayIn(address, tmp_path / "a client's", memory=memory)))

        assert set(levels(found).values()) == {"ok"}
        (tls,) = [finding.words for finding in found if finding.check == "tls"]
        assert "which it has announced to this client" in tls

    def test_a_name_that_nobody_knows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: Any, **__: Any) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)

        (found,) = way_to(replace(to_port(1), address=Address("no-such-host.invalid", 5050)))

        assert str(found).startswith(
            "  problem  name          The name no-such-host.invalid cannot be resolved (Name or service"
        )

    def test_a_server_of_another_version(
        self, serve: Serve, identity: ServerIdentity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        invitation = serve(identity)
        monkeypatch.setattr(reception, "PROTOCOL_VERSION", 77)

        found = [finding for finding in way_to(invitation) if finding.check == "protocol"]

        assert found[0].words.startswith("The server speaks version 77 of the link, this FedLoom")

    def test_the_right_key_and_no_link(self, identity: ServerIdentity, tmp_path: Path) -> None:
        with listener(in_tls(identity.key, identity.certificate, tmp_path)) as port:
            found = way_to(replace(to_port(port), key=identity.key.public.id))

        assert found[-1].check == "protocol"
        assert "does not begin as one of this version does" in found[-1].words

    @pytest.mark.parametrize("days", [-20 * 365, 30])
    def test_a_clock_that_tls_does_not_forgive(self, days: int, tmp_path: Path) -> None:
        key = KeyPair.make()
        certificate = make_certificate(key, datetime.now(UTC) + timedelta(days=days))

        with listener(in_tls(key, certificate, tmp_path)) as port:
            found = way_to(replace(to_port(port), key=key.public.id))

        assert (found[-1].check, found[-1].level) == ("clock", Level.PROBLEM)
        assert "set the wrong one" in found[-1].words

    def test_without_an_invitation_it_is_seen_that_somebody_is_there(
        self, serve: Serve, identity: ServerIdentity, tmp_path: Path
    ) -> None:
        found = list(network.of(WayIn(serve(identity).address, tmp_path / "a client's")))

        assert levels(found) == dict.fromkeys(["name", "port", "proxy", "tls"], "ok")
        assert "shows an invitation alone" in found[-1].words

    def test_nobody_joins_by_that(self, serve: Serve, identity: ServerIdentity, caplog: Any) -> None:
        way_to(serve(identity))

        assert "is new here" not in caplog.text


class TestProxy:
    FAR = Address("fl.example", 5050)

    def test_none_is_set(self) -> None:
        found = network.no_proxy({}, self.FAR, is_reached=False)

        assert str(found) == "  ok       proxy         none is set"

    def test_one_for_the_web_is_not_used_and_not_needed(self) -> None:
        given = {"http_proxy": "http://user:secret@proxy:3128"}

        found = network.no_proxy(given, self.FAR, is_reached=True)

        assert found.level is Level.OK
        assert found.words == (
            "http_proxy is set; the link goes by https_proxy alone, so by none, and needs none here"
        )

    def test_where_the_port_cannot_be_reached_it_may_be_the_only_way_out(self) -> None:
        given = {"HTTP_PROXY": "http://p:1", "all_proxy": "socks5://p:2"}

        found = network.no_proxy(given, self.FAR, is_reached=False)

        assert found.level is Level.WARNING
        assert found.words == (
            "HTTP_PROXY and all_proxy are set; the link goes by https_proxy alone, so by none."
        )
        assert "name it in https_proxy" in found.todo

    def test_this_machine_is_reached_whatever_proxy_is_set(
        self, serve: Serve, identity: ServerIdentity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the check says of gRPC is so: nobody listens at this proxy."""
        for name in PROXY_VARIABLES:
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        invitation = serve(identity)

        found = list(network.of(WayIn.find(Path(), None, None, invitation)))

        assert {finding.level for finding in found} == {Level.OK}
        assert "127.0.0.1 is reached without" in found[2].words

    @pytest.mark.parametrize("login", ["", "site:p@ss:word"])
    def test_a_server_that_only_a_proxy_reaches(
        self, login: str, serve: Serve, identity: ServerIdentity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        invitation = serve(identity)
        far = replace(invitation, address=self.FAR)
        with ConnectProxy(invitation.address, login=login) as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            found = list(network.of(WayIn.find(Path(), None, None, far)))

        assert levels(found) == dict.fromkeys(["proxy", "tls", "protocol", "clock"], "ok")
        assert found[0].words == (
            f"the one at {proxy.address}, which https_proxy names, connects to fl.example:5050"
        )
        assert set(proxy.asked) == {"fl.example:5050"}, "also by gRPC"

    def test_a_proxy_that_refuses(self) -> None:
        with ConnectProxy(self.FAR, refusal="403 Forbidden") as proxy:
            found = list(network.of(WayIn(self.FAR, Path(), to_port(1), proxy=proxy.proxy)))

        assert levels(found) == {"proxy": "problem"}
        assert "does not let connections to fl.example:5050 pass" in found[0].words
        assert "add fl.example to no_proxy" in found[0].todo

    def test_a_proxy_that_opens_tls(self, serve: Serve, identity: ServerIdentity, tmp_path: Path) -> None:
        invitation = serve(identity)
        with (
            ManInTheMiddle(invitation.address, KeyPair.make(), tmp_path) as man,
            ConnectProxy(man.address) as proxy,
        ):
            way = WayIn(self.FAR, Path(), replace(invitation, address=self.FAR), proxy=proxy.proxy)
            found = list(network.of(way))

        assert levels(found) == {"proxy": "ok", "tls": "ok", "server": "problem"}
        assert "has another key than the one in the invitation" in found[-1].words
        assert f"the proxy at {proxy.address}: if that opens TLS" in found[-1].words

    def test_behind_it_too_it_is_said_what_is_there_in_place_of_a_link(self, tmp_path: Path) -> None:
        def answer(connection: socket.socket) -> None:
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        with listener(answer) as port, ConnectProxy(Address("127.0.0.1", port)) as proxy:
            found = list(network.of(WayIn(self.FAR, tmp_path, to_port(port), proxy=proxy.proxy)))

        assert found[-1].words == (
            "No FedLoom link answers at fl.example:5050: a web server answers there; clients connect to "
            "FedLoom's --link-port."
        )


@pytest.mark.parametrize(
    ("apart", "level", "words"),
    [
        (0, Level.OK, "as the server's"),
        (-59, Level.OK, "as the server's"),
        (3_600, Level.OK, "it differs from the server's by 1:00:00, which harms nothing"),
        (-86_400, Level.OK, "it differs from the server's by 1 day, 0:00:00, which harms nothing"),
        (86_401, Level.WARNING, "it differs from the server's by 1 day, 0:00:01."),
        (-3_000_000, Level.WARNING, "it differs from the server's by 34 days, 17:20:00."),
    ],
)
def test_a_day_between_two_clocks_harms_nothing(apart: int, level: Level, words: str) -> None:
    found = network.clock(1_790_000_000 + apart, 1_790_000_000)

    assert (found.level, found.words) == (level, words)

"""What client.doctor finds, check by check, over real sockets and files."""

from __future__ import annotations

import os
import re
import shutil
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

from app.event_bus import EventBus
from app.federation.link import reception
from app.federation.link.clients import ClientRegistry
from app.federation.link.server import LinkServer
from app.federation.link.spool import Spool
from client.cli import INVITE_VARIABLE, build_parser
from client.doctor import installed, machine, network, site
from client.doctor.finding import Finding, Level
from client.known_server import SERVERS, KnownServer
from client.ledger.ledger import Ledger, ledger_file
from client.membership import HERE, WayIn, key_file
from client.site.policy import Policy
from shared import packages
from shared.address import Address
from shared.flower_app import read_app
from shared.security.certificate import make_certificate
from shared.security.invitation import Invitation
from shared.security.keys import KeyPair
from shared.security.server_identity import ServerIdentity, local_invitation
from tests.support.apps import APPS
from tests.support.audit import a_log
from tests.support.enrolment import an_enrolment
from tests.support.ledgers import expense

TOKEN = "t" * 32


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "TIMEOUT_S", 1.0)
    for name in network.PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def levels(found: list[Finding]) -> dict[str, str]:
    return {finding.check: str(finding.level) for finding in found}


class TestInstalled:
    def test_what_is_here_is_named_with_its_version(self) -> None:
        found = installed.of_any_client()

        assert found.level is Level.OK
        assert "grpcio " in found.words

    def test_what_cannot_be_imported_is_a_problem(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packages, "OF_CLIENTS", {"grpcio": "no_such_module", "torch": "json"})

        found = installed.of_any_client()

        assert found.is_problem
        assert (
            "grpcio cannot be imported: ModuleNotFoundError: No module named 'no_such_module'" in found.words
        )
        assert "requirements.txt" in found.todo


class TestHome:
    def test_one_that_is_not_there_is_made_at_the_first_start(self, tmp_path: Path) -> None:
        (found,) = machine.home(tmp_path / "new")

        assert found.level is Level.OK
        assert "is made at the first start" in found.words
        assert not (tmp_path / "new").exists()

    def test_one_that_is_a_file_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "home").touch()

        (found,) = machine.home(tmp_path / "home")

        assert found.is_problem
        assert "cannot be written" in found.words

    @pytest.mark.skipif(os.name != "posix", reason="needs file modes")
    def test_one_that_others_may_write_is_worth_a_word(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o777)

        (found,) = machine.home(tmp_path)

        assert found.level is Level.WARNING
        assert f"chmod go-w {tmp_path}" in found.todo

    def test_a_full_disk_is_worth_a_word(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tmp_path.chmod(0o700)
        monkeypatch.setattr(machine, "LITTLE_ROOM", shutil.disk_usage(tmp_path).total + 1)

        assert levels(list(machine.home(tmp_path))) == {"home": "ok", "disk": "warning"}


class TestKey:
    def test_one_that_is_to_be_made_is_not_made_now(self, tmp_path: Path) -> None:
        found = machine.key(tmp_path, "client-1")

        assert (found.level, found.words) == (
            Level.OK,
            "client-1 has none yet: it is made at the first start",
        )
        assert list(tmp_path.iterdir()) == []

    def test_one_that_is_there_is_shown(self, tmp_path: Path) -> None:
        key = KeyPair.load_or_make(key_file(tmp_path, "client-1"))

        assert machine.key(tmp_path, "client-1").words == f"client-1 has the key {key.public.id}"

    @pytest.mark.skipif(os.name != "posix", reason="needs file modes")
    def test_one_that_others_may_read_is_a_problem(self, tmp_path: Path) -> None:
        KeyPair.load_or_make(key_file(tmp_path, "client-1"))
        key_file(tmp_path, "client-1").chmod(0o644)

        found = machine.key(tmp_path, "client-1")

        assert found.is_problem
        assert "may be read or written by other users" in found.words

    def test_a_name_that_no_server_would_take_is_a_problem(self, tmp_path: Path) -> None:
        found = machine.key(tmp_path, "../elsewhere")

        assert found.is_problem
        assert "Choose another --client-id" in found.words

    def test_without_a_name_there_is_none_to_look_at(self, tmp_path: Path) -> None:
        assert machine.key(tmp_path, None).level is Level.OK


def way_in(home: Path, *flags: str) -> tuple[Finding, WayIn | None]:
    """By what a client with these flags would join."""
    return site.way_in(build_parser(needs_id=False).parse_args(flags), home)


class TestInvitation:
    @pytest.fixture(autouse=True)
    def _without_any(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(INVITE_VARIABLE, raising=False)

    def test_one_that_was_given_is_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        given = Invitation(Address("fl.example", 5050), KeyPair.make().public.id, TOKEN)

        file = tmp_path / "invitation.txt"
        file.write_text(f"{given}\n")
        monkeypatch.setenv(INVITE_VARIABLE, str(given))

        for flags in (("--invite", str(given)), ("--invite-file", str(file)), ()):
            found, way = way_in(tmp_path, *flags)

            assert found.level is Level.OK
            assert "to the server at fl.example:5050" in found.words
            assert TOKEN not in str(found)
            assert way is not None
            assert (way.address, way.invitation()) == (given.address, given)

    @pytest.mark.parametrize("flag", ["--invite", "--invite-file"])
    def test_one_that_is_cut_short_is_a_problem(self, flag: str, tmp_path: Path) -> None:
        text = "fedloom://fl.example:5050?key="
        (tmp_path / "invitation.txt").write_text(text)
        what = text if flag == "--invite" else str(tmp_path / "invitation.txt")

        found, way = way_in(tmp_path, flag, what)

        assert (found.level, way) == (Level.PROBLEM, None)
        assert f"{flag}" in found.words
        assert "has no key" in found.words

    def test_that_of_a_server_on_this_machine_is_found(self, tmp_path: Path) -> None:
        identity = ServerIdentity.load_or_make(tmp_path)
        identity.invite(tmp_path, "127.0.0.1", 5050)

        found, way = way_in(tmp_path)

        assert found.level is Level.OK
        assert way is not None
        assert way.invitation() == local_invitation(tmp_path)

    def test_none_is_needed_for_a_server_that_the_client_has_joined(self, tmp_path: Path) -> None:
        old, new = (KeyPair.make().public.id for _ in range(2))
        memory = tmp_path / SERVERS / "client-1.json"
        KnownServer(Address("fl.example", 5050), old, following=new).save(memory)

        found, way = way_in(tmp_path, "--client-id", "client-1")

        assert found.level is Level.OK
        assert "it has joined the server at fl.example:5050 before" in found.words
        assert f"key {old.short}… or {new.short}…" in found.words
        assert way is not None
        assert way.address == Address("fl.example", 5050)

    def test_what_is_remembered_and_cannot_be_read_is_a_problem_also_beside_an_invitation(
        self, tmp_path: Path
    ) -> None:
        given = Invitation(Address("fl.example", 5050), KeyPair.make().public.id, TOKEN)
        (tmp_path / SERVERS).mkdir()
        (tmp_path / SERVERS / "client-1.json").write_text("{")

        found, way = way_in(tmp_path, "--client-id", "client-1", "--invite", str(given))

        assert (found.level, way) == (Level.PROBLEM, None)
        assert "Move it away" in found.words

    def test_without_any_it_says_where_one_comes_from(self, tmp_path: Path) -> None:
        found, way = way_in(tmp_path)

        assert found.is_problem
        assert way is not None
        assert way.address == HERE
        assert "python -m app.invite" in found.todo


class TestPolicy:
    def test_its_rules_are_shown(self, tmp_path: Path) -> None:
        (tmp_path / "client.toml").write_text("minimum_cohort = 5\nlabel_counts = false\n")
        (tmp_path / "client.toml").chmod(0o600)

        found, policy = site.policy(tmp_path, None)

        assert str(found) == "  ok       policy        minimum_cohort = 5, label_counts = false"
        assert policy == Policy(minimum_cohort=5, label_counts=False)

    def test_one_that_cannot_be_read_is_a_problem_with_its_line(self, tmp_path: Path) -> None:
        (tmp_path / "client.toml").write_text("epsilon = 3\n")

        found, policy = site.policy(tmp_path, None)

        assert (found.is_problem, policy) == (True, None)
        assert "client.toml, line 1: there is no 'epsilon'" in found.words

    def test_none_is_said_to_be_none(self, tmp_path: Path) -> None:
        assert "every run is accepted" in site.policy(tmp_path, None)[0].words


class TestPrivacy:
    def test_what_is_spent_and_left_is_told(self, tmp_path: Path) -> None:
        Ledger(tmp_path, "digits").enter(expense(1))

        found = site.privacy("digits", tmp_path, Policy(privacy_budget=9.0))

        assert found.level is Level.OK
        assert re.fullmatch(
            r"digits: epsilon \d\.\d\d of 9\.00 is spent at delta 1e-05, \d\.\d\d left", found.words
        )

    def test_nothing_may_be_spent_or_limited(self, tmp_path: Path) -> None:
        words = site.privacy("digits", tmp_path, Policy()).words

        assert words == "digits: nothing is spent, and there is no budget"

    def test_a_budget_that_is_spent_is_a_warning(self, tmp_path: Path) -> None:
        Ledger(tmp_path, "digits").enter(expense(1))

        found = site.privacy("digits", tmp_path, Policy(privacy_budget=0.5))

        assert found.level is Level.WARNING
        assert found.todo == "Private rounds are declined."

    def test_a_ledger_that_cannot_be_read_is_a_problem(self, tmp_path: Path) -> None:
        Ledger(tmp_path, "digits").enter(expense(1))
        ledger_file(tmp_path, "digits").write_text("1\n")

        found = site.privacy("digits", tmp_path, Policy())

        assert found.is_problem
        assert "is damaged: line 1" in found.words


class TestApp:
    def test_its_digest_is_shown_to_be_put_into_a_policy(self) -> None:
        folder = APPS / "quickstart-numpy"

        found = site.app(folder, Policy())

        assert found.level is Level.OK
        assert read_app(folder).digest in found.words

    def test_one_that_the_policy_does_not_name_is_a_problem(self) -> None:
        found = site.app(APPS / "quickstart-numpy", Policy(apps=("built-in",)))

        assert found.is_problem
        assert "add '" in found.todo

    def test_a_folder_without_an_app_is_a_problem(self, tmp_path: Path) -> None:
        assert site.app(tmp_path, Policy()).is_problem


class TestData:
    @pytest.mark.parametrize("dataset", ["digits", "synthetic"])
    def test_what_needs_no_file_is_there(self, dataset: str, tmp_path: Path) -> None:
        assert [found.words for found in site.data(dataset, tmp_path)] == [f"{dataset} needs no file"]

    @pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist", "cifar10"])
    def test_what_can_be_downloaded_is_worth_a_word_and_not_downloaded(
        self, dataset: str, tmp_path: Path
    ) -> None:
        (found,) = site.data(dataset, tmp_path / "data")

        assert found.level is Level.WARNING
        assert "MB are downloaded at the first start" in found.words
        assert list(tmp_path.iterdir()) == []

    def test_what_does_not_fit_on_the_disk_is_a_problem(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(site, "DOWNLOADED_MB", {"mnist": 10**9})

        (found,) = site.data("mnist", tmp_path)

        assert found.is_problem
        assert "are free there" in found.words

    def test_where_nothing_can_be_written_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()

        (found,) = site.data("mnist", tmp_path / "data")

        assert found.is_problem

    def test_files_that_are_damaged_are_a_problem(self, tmp_path: Path) -> None:
        raw = tmp_path / "MNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / "train-images-idx3-ubyte").write_bytes(b"not pictures")

        (found,) = site.data("mnist", tmp_path)

        assert found.is_problem
        assert "train-images-idx3-ubyte" in found.words


Serve = Callable[[ServerIdentity], Invitation]


@pytest.fixture
def identity(tmp_path: Path) -> ServerIdentity:
    return ServerIdentity.load_or_make(tmp_path)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a link of a server; returns the invitation to it."""
    with ExitStack() as ending:

        def start(identity: ServerIdentity) -> Invitation:
            bus = EventBus()
            link = LinkServer(
                ClientRegistry(bus),
                bus,
                None,
                lambda _: None,
                Spool(tmp_path / "spool"),
                identity,
                an_enrolment(identity),
                a_log(),
            )
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
    def test_none_is_set(self) -> None:
        assert str(network.proxy({}, is_reached=False)) == "  ok       proxy         none is set"

    def test_it_is_not_used_and_not_needed(self) -> None:
        found = network.proxy({"https_proxy": "http://user:secret@proxy:3128"}, is_reached=True)

        assert found.level is Level.OK
        assert found.words.startswith("https_proxy is set; the link uses no proxy and needs none here")
        assert "secret" not in str(found)

    def test_where_the_port_cannot_be_reached_it_may_be_the_only_way_out(self) -> None:
        found = network.proxy({"HTTPS_PROXY": "http://p:1", "all_proxy": "socks5://p:2"}, is_reached=False)

        assert found.level is Level.WARNING
        assert found.words == "HTTPS_PROXY and all_proxy are set; the link uses no proxy."
        assert "ask for a direct way to the server's port" in found.todo

    def test_the_link_is_reached_whatever_proxy_is_set(
        self, serve: Serve, identity: ServerIdentity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the check says of gRPC is so: nobody listens at this proxy."""
        for name in network.PROXY_VARIABLES:
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)

        found = way_to(serve(identity))

        assert {finding.level for finding in found} == {Level.OK}


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

"""Certificates that were renewed, clocks that are wrong, a server with another key, another user's client."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509

from shared.address import parse_address
from shared.security.certificate import is_due, make_certificate, reach
from shared.security.invitation import Invitation
from shared.security.keys import KeyPair
from shared.security.server_identity import KEYS
from tests.conftest import StartCommand
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.other_user import UID
from tests.support.processes import Command
from tests.support.tools import give_up

DAY = dt.timedelta(days=1)
RUN = {"model": "linear", "num_rounds": 1, "min_clients": 1}


@pytest.fixture
def api(server: ForkedServer) -> Iterator[Api]:
    """Of the server, which the test starts."""
    server.start()
    with closing(Api(server.url)) as api:
        yield api


def certificate_of(server: ForkedServer) -> bytes:
    """The one by which it answers; its key is the one in its invitation."""
    return reach(parse_address(server.link), [server.invitation.key], 20.0).certificate


def put_certificate(server: ForkedServer, made_at: dt.datetime) -> None:
    """As if the server had made it then."""
    key = KeyPair.load_or_make(server.home / KEYS / "server.pem")
    (server.home / KEYS / "server.crt").write_bytes(make_certificate(key, made_at))


def beside(server: ForkedServer, start_command: StartCommand) -> Command:
    """A client of the same user's."""
    flags = ("--client-id", "a", "--server", server.link)
    return start_command("run_client.py", *flags, env={"FEDLOOM_HOME": str(server.home)})


def works(api: Api) -> bool:
    """Whether a run goes to its end with the clients that are there."""
    return bool(api.wait_for_run(api.start(**RUN)["id"], "completed"))


def test_a_certificate_that_ends_is_renewed_at_the_start_and_connected_clients_come_back(
    server: ForkedServer, start_command: StartCommand, tmp_path: Path
) -> None:
    server.start()
    text = str(server.invitation)
    with closing(Api(server.url)) as api:
        client = start_command(
            "run_client.py", "--client-id", "a", "--invite", text, env={"FEDLOOM_HOME": str(tmp_path / "far")}
        )
        api.wait_for_client("a", "idle")
        before = certificate_of(server)
        put_certificate(server, dt.datetime.now(dt.UTC) - 3_400 * DAY)

        server.kill()
        server.start()

        api.wait_for_client("a", "idle")
        after = certificate_of(server)
        assert after != before
        key = KeyPair.load_or_make(server.home / KEYS / "server.pem")
        assert not is_due(after, key, dt.datetime.now(dt.UTC))
        assert str(server.invitation) == text, "what was handed out holds"
        assert works(api)
    assert client.count("connected to the server") == 2
    assert "Traceback" not in client.output


@pytest.mark.parametrize("off", [-DAY, DAY], ids=["behind", "ahead"])
def test_a_day_between_the_clocks_does_no_harm(
    server: ForkedServer, start_command: StartCommand, tmp_path: Path, off: dt.timedelta
) -> None:
    put_certificate(server, dt.datetime.now(dt.UTC) + off)
    server.start()
    made = x509.load_pem_x509_certificate(certificate_of(server))
    assert abs(made.not_valid_before_utc + 2 * DAY - dt.datetime.now(dt.UTC) - off) < DAY / 2

    with closing(Api(server.url)) as api:
        beside(server, start_command)
        api.wait_for_client("a", "idle")
        assert works(api)


def test_a_client_of_the_same_user_follows_a_server_that_has_a_new_key(
    api: Api, server: ForkedServer, start_command: StartCommand
) -> None:
    """Who deletes the server's keys has lost its name, but not the clients beside it."""
    client = beside(server, start_command)
    api.wait_for_client("a", "idle")
    before = server.invitation.key

    server.end()
    shutil.move(server.home / KEYS / "server.pem", server.home / "lost.pem")
    server.start()

    assert server.invitation.key != before
    api.wait_for_client("a", "idle")
    assert works(api)
    assert "Traceback" not in client.output


def test_a_client_that_was_invited_by_the_old_key_says_so_and_comes_back_when_it_is_restored(
    api: Api, server: ForkedServer, start_command: StartCommand, tmp_path: Path
) -> None:
    client = start_command(
        "run_client.py",
        *("--client-id", "a", "--invite", str(server.invitation)),
        env={"FEDLOOM_HOME": str(tmp_path / "far")},
    )
    api.wait_for_client("a", "idle")

    server.end()
    shutil.move(server.home / KEYS / "server.pem", server.home / "lost.pem")
    server.start()
    client.wait_for_output("has another key than the one in the invitation")
    assert api.clients()["a"]["state"] == "lost"

    server.end()
    shutil.move(server.home / "lost.pem", server.home / KEYS / "server.pem")
    server.start()
    api.wait_for_client("a", "idle")
    assert "Traceback" not in client.output


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user of the machine may enter, unlike those that pytest makes."""
    if os.geteuid() != 0:
        give_up("needs root, to be another user")
    with tempfile.TemporaryDirectory(prefix="fedloom-public-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def public_server(public_folder: Path) -> Iterator[ForkedServer]:
    """A server that keeps its files where others may look, as far as it lets them."""
    before = os.umask(0)
    server = ForkedServer(public_folder / "home")
    try:
        server.start()
    finally:
        os.umask(before)
    yield server
    server.end()


class TestAnotherUserOfThisMachine:
    @pytest.mark.parametrize("file", ["invitation", "keys/server.pem", "fedloom.db", "keys"])
    @pytest.mark.parametrize("home_is_open", [False, True], ids=["as it was made", "opened by its user"])
    def test_cannot_read_what_the_server_keeps_for_itself(
        self, public_server: ForkedServer, start_command: StartCommand, file: str, home_is_open: bool
    ) -> None:
        if home_is_open:
            public_server.home.chmod(0o755)
            if file == "fedloom.db":
                return  # whoever opens the folder opens that

        reader = start_command("-m tests.support.other_user", "read", str(public_server.home / file))

        assert reader.wait_for_exit(120) == 1
        assert "Permission denied" in reader.output

    def test_is_told_that_they_are_not_invited(
        self, public_server: ForkedServer, start_command: StartCommand, public_folder: Path
    ) -> None:
        theirs = public_folder / "theirs"
        theirs.mkdir()
        shutil.chown(theirs, UID, UID)
        client = start_command(
            "-m tests.support.other_user",
            *("run_client", "--client-id", "them", "--dataset", "synthetic", "--server", public_server.link),
            env={"FEDLOOM_HOME": str(theirs)},
        )

        client.wait_for_output("this client has no invitation to it", 120)

        with closing(Api(public_server.url)) as api:
            assert api.clients() == {}

    def test_is_refused_with_a_token_that_they_made_up(
        self, public_server: ForkedServer, start_command: StartCommand, public_folder: Path
    ) -> None:
        """The server's key is no secret: whoever connects sees it."""
        theirs = public_folder / "theirs"
        theirs.mkdir()
        shutil.chown(theirs, UID, UID)
        real = public_server.invitation
        made_up = Invitation(real.address, real.key, "x" * len(real.token))
        client = start_command(
            "-m tests.support.other_user",
            *("run_client", "--client-id", "them", "--dataset", "synthetic", "--invite", str(made_up)),
            env={"FEDLOOM_HOME": str(theirs)},
        )

        assert client.wait_for_exit(120) == 1

        assert "This server has not made this invitation" in client.output
        assert "Traceback" not in client.output
        with closing(Api(public_server.url)) as api:
            assert api.clients() == {}

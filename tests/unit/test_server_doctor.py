"""What app.doctor finds, check by check, over real sockets, files and databases."""

from __future__ import annotations

import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.auth.replica_key import FILE, load_or_make_replica_key
from app.doctor import roles, server
from app.doctor.__main__ import main
from app.events import event_of
from app.role_flags import Deployment
from app.settings import ServerSettings
from app.store.store import Store
from app.store.urls import FILE_NAME, default_url
from shared import packages
from shared.finding import Level
from shared.security.keys import KeyPair
from shared.security.server_identity import KEYS, SERVER_KEY
from tests.support.ports import free_port
from tests.support.stores import line


def found(settings: ServerSettings) -> dict[str, str]:
    return {finding.check: str(finding.level) for finding in server.of(settings)}


def test_where_no_server_was_all_is_well_and_nothing_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"

    levels = found(ServerSettings(home=home, port=0, link_port=0))

    checks = ["home", "room", "key", "store", "clock", "page port", "link port", "reach", "proxy", "device"]
    assert levels == dict.fromkeys(checks, "ok")
    assert not home.exists()


def test_a_port_that_is_taken_is_a_problem_with_the_flag_that_helps() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        taken = server.port_free("link", "127.0.0.1", port, "--link-port", None)
        own = server.port_free("link", "127.0.0.1", port, "--link-port", ("http://localhost:1", {port}))

    assert taken.is_problem
    assert f"Nothing can listen at 127.0.0.1 port {port}: Address already in use" in taken.words
    assert "--link-port" in taken.todo
    assert own.level is Level.OK
    assert "by the server of this folder, http://localhost:1" in own.words


def test_little_room_is_worth_a_word() -> None:
    assert server.room(1 << 30).level is Level.WARNING
    assert server.room(100 << 30).level is Level.OK


def test_a_store_of_today_and_its_clock(tmp_path: Path) -> None:
    with Store.open(default_url(tmp_path)) as store:
        store.apply([event_of(1, time.time() + 3600, line("of tomorrow"))])

    finding, newest = server.store(default_url(tmp_path))

    assert finding.level is Level.OK
    behind = server.clock(time.time(), newest)
    assert behind.level is Level.WARNING
    assert "Set the clock" in behind.todo
    assert server.clock(newest, newest).level is Level.OK


def test_a_store_of_an_older_version_wants_a_backup_first(tmp_path: Path) -> None:
    url = default_url(tmp_path)
    Store.open(url).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE fedloom_version SET version_num = '0001'")

    finding, _ = server.store(url)

    assert finding.level is Level.WARNING
    assert "is of an older FedLoom" in finding.words
    assert "python -m app.backup" in finding.todo


def test_what_is_no_store_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("a diary")

    finding, _ = server.store(default_url(tmp_path))

    assert finding.is_problem
    assert "is not a database" in finding.words


def test_a_key_that_others_may_read_is_a_problem(tmp_path: Path) -> None:
    key = KeyPair.load_or_make(tmp_path / KEYS / SERVER_KEY)
    assert server.key(tmp_path).words == str(key.public.id)
    (tmp_path / KEYS / SERVER_KEY).chmod(0o644)

    assert server.key(tmp_path).is_problem


def test_proxies_are_named_without_what_is_in_them() -> None:
    finding = server.proxy({"https_proxy": "http://user:secret@proxy:3128"})

    assert finding.words.startswith("https_proxy is set: downloads of data sets, webhook and MLflow use it; ")
    assert server.proxy({}).words == "none is set"


def test_from_where_it_can_be_reached_follows_from_its_host() -> None:
    assert "this machine alone" in server.reach(ServerSettings()).words
    assert "if firewalls let TCP to 5000 and 5050 pass" in server.reach(ServerSettings(host="0.0.0.0")).words


def test_a_federation_also_has_a_secret_and_redis(tmp_path: Path) -> None:
    settings = ServerSettings(home=tmp_path, port=0, link_port=0, deployment=Deployment(role="federation"))

    before = {each.check: each for each in server.of(settings)}
    load_or_make_replica_key(None, tmp_path / KEYS)
    after = {each.check: each for each in server.of(settings)}

    assert before.keys() >= {"store", "link port", "replica key", "redis"}
    assert before["replica key"].words.startswith("none yet")
    assert after["replica key"].words == f"in {tmp_path / KEYS / FILE}"
    assert {each.level for each in (*before.values(), *after.values())} == {Level.OK}


def test_a_dashboard_is_asked_for_what_it_needs_and_makes_nothing(tmp_path: Path) -> None:
    """It has no link, store or folder; here it has neither the secret nor a federation."""
    redis_url = f"redis://127.0.0.1:{free_port()}/0"
    deployment = Deployment(role="dashboard", federation="http://127.0.0.1:1", redis=redis_url)
    with socket.create_server(("127.0.0.1", 0)) as other:
        link_port = other.getsockname()[1]

        levels = found(
            ServerSettings(home=tmp_path / "no", port=0, link_port=link_port, deployment=deployment)
        )

    assert levels == {
        "replica key": "problem",
        "federation": "warning",
        "redis": "warning",
        "clock": "ok",
        "page port": "ok",
        "reach": "ok",
    }
    assert not (tmp_path / "no").exists()


def test_a_federation_that_does_not_answer_is_a_problem_of_its_dashboard() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    finding = roles.federation(Deployment(role="dashboard", federation=url), "the secret of both")

    assert finding.is_problem
    assert f"The federation at {url} cannot be reached" in finding.words
    assert "--role federation" in finding.todo


def test_a_certificate_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    deployment = Deployment(
        role="dashboard", federation="https://127.0.0.1:1", federation_cert=tmp_path / "none"
    )

    assert "--federation-cert" in roles.federation(deployment, "the secret of both").words


def test_the_command_takes_the_servers_flags_and_its_code_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FEDLOOM_STORE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])

        assert main(["--port", "0", "--link-port", taken]) == 1
        assert "A server cannot run here: 1 problem, see above." in capsys.readouterr().out
        assert main(["--port", "0", "--link-port", "0"]) == 0

    assert capsys.readouterr().out.endswith("A server can run here.\n")


def test_without_its_packages_nothing_else_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packages, "OF_SERVERS", {"flask": "no_such_module"})

    assert main([]) == 1

    assert "flask cannot be imported" in capsys.readouterr().out

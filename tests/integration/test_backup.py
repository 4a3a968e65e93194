"""A backup that is made while a run goes on: restored elsewhere, the run goes on there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.audit.export import export
from app.audit.verify import verify
from app.demo.fleet import Fleet
from app.store.urls import default_url
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.consistency import require_consistent
from tests.support.forked_server import ForkedServer
from tests.support.processes import Command

PAIR = ("a", "b")
PASSPHRASE = "some words that nobody guesses\n"
LONG = {"num_rounds": 5_000, "min_clients": 2, "num_partitions": 2, "model": "linear"}


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE)
    file.chmod(0o600)
    return file


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with Fleet() as fleet:
        yield fleet


def command(name: str, home: Path, *arguments: str) -> str:
    """What it has printed, once it is done."""
    started = Command(f"-m {name}", *arguments, home=home)
    try:
        assert started.wait_for_exit(60) == 0, started
        return started.output
    finally:
        started.end()


def test_a_run_that_was_going_on_goes_on_where_the_backup_was_restored(
    tmp_path: Path, passphrase: Path, fleet: Fleet
) -> None:
    home, elsewhere, file = tmp_path / "home", tmp_path / "elsewhere", tmp_path / "weekly.backup"
    server = ForkedServer(home)
    server.start()
    Clients(fleet, server, tmp_path).start(*PAIR)
    with closing(Api(server.url)) as api:
        run = api.start(**LONG)
        api.wait_for_round(run["id"], 3)
        with fleet:
            command("app.backup", home, str(file), "--passphrase-file", str(passphrase))
            at_least = api.run(run["id"])["round"]
            assert at_least > 3, "it went on meanwhile"
            server.kill()
    shutil.rmtree(home)

    said = command("app.restore", tmp_path, str(file), str(elsewhere), "--passphrase-file", str(passphrase))

    assert "The audit log verifies: " in said
    restored = ForkedServer(elsewhere)
    restored.start()
    # What clients have seen is in the folder as well, and no newer than the log.
    with Fleet() as others, closing(Api(restored.url)) as api:
        Clients(others, restored, tmp_path).start(*PAIR)
        before = len(api.rounds(run["id"])) - 1
        assert 3 <= before <= at_least
        api.wait_for_round(run["id"], before + 2)
        assert api.run(run["id"])["clients"] == list(PAIR)
        api.stop(run["id"])
        api.wait_for_run(run["id"], "stopped")
    restored.end()
    export(default_url(elsewhere), tmp_path / "audit")
    with (tmp_path / "audit").open("rb") as lines:
        assert set(verify(lines).witnesses) == set(PAIR)
    require_consistent(elsewhere)

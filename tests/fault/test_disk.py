"""A disk that is full, read-only or damaged: a clear error, and nothing that was kept is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.demo.fleet import Fleet
from app.store.checkpoints import CheckpointStore
from tests.conftest import Clients, StartCommand
from tests.fault.conftest import PAIR, Undisturbed, without_times
from tests.support.api import Api, Json
from tests.support.consistency import require_consistent
from tests.support.forked_server import ForkedServer, ServerRefused
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.waiting import wait_until

SPEC: dict[str, Any] = {
    "num_rounds": 40,
    "min_clients": 2,
    "num_partitions": 2,
    "model": "linear",
    "alpha": None,
    "seed": 11,
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def served(disk: SmallDisk) -> Iterator[ForkedServer]:
    """A server with its home on the small disk."""
    server = ForkedServer(disk.folder / "home")
    server.start()
    yield server
    server.end()
    require_consistent(server.home)


def join(server: ForkedServer, fleet: Fleet, folder: Path) -> None:
    """The two clients, whose own disk has room."""
    Clients(fleet, server, folder, home=folder / "clients").start(*PAIR)


def begun(api: Api) -> str:
    """A run that has come to its third round."""
    run_id: str = api.start(**SPEC)["id"]
    api.wait_for_round(run_id, 3)
    return run_id


class TestFullDisk:
    def test_the_run_is_interrupted_and_goes_on_when_there_is_room(
        self, served: ForkedServer, disk: SmallDisk, fleet: Fleet, undisturbed: Undisturbed, tmp_path: Path
    ) -> None:
        join(served, fleet, tmp_path)
        with closing(Api(served.url)) as api:
            run_id = begun(api)

            disk.fill()

            interrupted = api.wait_for_run(run_id, "interrupted")
            assert interrupted["can_resume"]
            assert "is full, so nothing new can be kept" in interrupted["reason"]
            assert "Free some space on it." in interrupted["reason"]
            problem = wait_until(lambda: api.get("/status")["store_problem"], "the page is told")
            assert "is full" in problem
            newest = CheckpointStore(served.home / "checkpoints").newest(run_id)
            assert newest is not None
            assert newest.round >= 2, "the last good one is there"

            disk.free()
            api.command(run_id, "resume")
            api.wait_for_run(run_id, "completed")
            assert without_times(api.rounds(run_id)) == without_times(undisturbed(**SPEC))
            wait_until(lambda: api.get("/status")["store_problem"] is None, "all is well again")

    def test_a_server_that_is_killed_then_goes_on_when_there_is_room(
        self, served: ForkedServer, disk: SmallDisk, fleet: Fleet, undisturbed: Undisturbed, tmp_path: Path
    ) -> None:
        join(served, fleet, tmp_path)
        with closing(Api(served.url)) as api:
            run_id = begun(api)
            disk.fill()
            wait_until(lambda: api.get("/status")["store_problem"], "nothing can be kept any more")
            served.kill()
            disk.free()
            served.start()

            api.wait_for_run(run_id, "completed")
            assert without_times(api.rounds(run_id)) == without_times(undisturbed(**SPEC))

    def test_a_server_without_room_for_a_store_does_not_start_and_says_why(self, disk: SmallDisk) -> None:
        disk.fill()

        with pytest.raises(ServerRefused, match="is full, so nothing new can be kept"):
            ForkedServer(disk.folder / "home").start()


class TestReadOnly:
    def test_a_server_does_not_start_and_says_why(
        self, disk: SmallDisk, start_command: StartCommand, tmp_path: Path
    ) -> None:
        server = ForkedServer(disk.folder / "home")
        server.start()
        server.end()
        disk.make_read_only()
        try:
            with pytest.raises(
                ServerRefused, match=r"cannot be read and written here \(Read-only file system\)"
            ):
                server.start()
            command = start_command(
                "run_server.py", "--port", "0", "--link-port", "0", env={"FEDLOOM_HOME": str(server.home)}
            )
            assert command.wait_for_exit(30) == 1
            assert "error: " in command.output
            assert "choose another folder with FEDLOOM_HOME" in command.output
            assert "Traceback" not in command.output
        finally:
            disk.make_read_only(False)


class TestDamage:
    def test_a_damaged_database_is_refused_and_left_as_it_is(self, tmp_path: Path) -> None:
        server = ForkedServer(tmp_path / "home")
        server.start()
        server.end()
        file = server.home / "fedloom.db"
        damaged = file.read_bytes()[:8192] + bytes([0x5A]) * 16384
        file.write_bytes(damaged)

        with pytest.raises(ServerRefused, match="is damaged") as refused:
            server.start()

        assert "It was not changed, and the checkpoints beside it are untouched" in str(refused.value)
        assert file.read_bytes() == damaged

    @pytest.mark.parametrize("how", ["cut short", "other values", "gone"])
    def test_with_a_damaged_checkpoint_a_run_goes_on_from_the_one_before(
        self, how: str, server: ForkedServer, fleet: Fleet, undisturbed: Undisturbed, tmp_path: Path
    ) -> None:
        server.start()
        join(server, fleet, tmp_path)
        with closing(Api(server.url)) as api:
            run_id = begun(api)
            server.kill()
            checkpoints = CheckpointStore(server.home / "checkpoints")
            newest = [info.round for info in checkpoints.list(run_id)][-1]
            damage(checkpoints.path(run_id, newest), how)
            server.start()

            api.wait_for_run(run_id, "completed")
            assert without_times(api.rounds(run_id)) == without_times(undisturbed(**SPEC))
            said = [entry["message"] for entry in api.logs(source="server")]
            assert f"run {run_id} goes on after round {newest - 1}" in said
            if how != "gone":
                assert any("the run can go on from the one before" in line for line in said)

    def test_without_any_sound_checkpoint_a_run_begins_again(
        self, server: ForkedServer, fleet: Fleet, undisturbed: Undisturbed, tmp_path: Path
    ) -> None:
        server.start()
        join(server, fleet, tmp_path)
        with closing(Api(server.url)) as api:
            run_id = begun(api)
            server.kill()
            for path in (server.home / "checkpoints" / run_id).iterdir():
                damage(path, "cut short")
            server.start()

            api.wait_for_run(run_id, "completed")
            assert without_times(api.rounds(run_id)) == without_times(undisturbed(**SPEC))


def damage(path: Path, how: str) -> None:
    """As a disk that fails might."""
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "cut short":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:-64] + bytes([1]) * 64)


class TestLocked:
    def test_a_second_server_is_refused_with_the_process_that_has_it(self, server: ForkedServer) -> None:
        server.start()
        second = ForkedServer(server.home)

        with pytest.raises(ServerRefused, match=rf"Another FedLoom server \(process {server.pid}\)"):
            second.start()

    def test_a_run_outlasts_a_lock_that_passes(
        self, server: ForkedServer, fleet: Fleet, undisturbed: Undisturbed, tmp_path: Path
    ) -> None:
        server.start()
        join(server, fleet, tmp_path)
        with closing(Api(server.url)) as api:
            run_id = begun(api)

            with locked(server.home):
                problem = wait_until(lambda: api.get("/status")["store_problem"], "the page is told")
                assert "is locked by another program" in problem

            wait_until(lambda: api.get("/status")["store_problem"] is None, "all is well again")
            self.complete(api, run_id)
            assert without_times(api.rounds(run_id)) == without_times(undisturbed(**SPEC))

    def test_a_run_that_a_lock_has_interrupted_goes_on_by_itself_when_it_passes(
        self, server: ForkedServer, fleet: Fleet, undisturbed: Undisturbed, tmp_path: Path
    ) -> None:
        server.start()
        join(server, fleet, tmp_path)
        with closing(Api(server.url)) as api:
            run_id = begun(api)

            with locked(server.home):
                interrupted = api.wait_for_run(run_id, "interrupted", timeout_s=60)
                assert (interrupted["cause"], interrupted["can_resume"]) == ("store", True)

            api.wait_for_run(run_id, "completed", timeout_s=60)
            assert without_times(api.rounds(run_id)) == without_times(undisturbed(**SPEC))

    @staticmethod
    def complete(api: Api, run_id: str) -> Json:
        """The run goes on, by itself or when somebody says so."""
        if api.wait_for_run(run_id, "running", "interrupted", "completed")["state"] == "interrupted":
            api.command(run_id, "resume")
        return api.wait_for_run(run_id, "completed")


class locked:  # noqa: N801 - reads like contextlib's
    """Another program has the database for itself."""

    def __init__(self, home: Path) -> None:
        self._connection = sqlite3.connect(home / "fedloom.db", isolation_level=None, timeout=10)

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self._connection.close()

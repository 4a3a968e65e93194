"""What the store does when the machine fails it: kills, full disks, wrong rights, damage, a database gone."""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord

from app.event_bus import EventBus
from app.records import LogRecord
from app.store.checkpoints import CheckpointStore
from app.store.store import Store
from app.store.urls import default_url
from app.store.writer import StoreWriter
from shared.errors import StoreUnavailable
from tests.support.audit import a_log
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.processes import ROOT
from tests.support.records import a_run
from tests.support.store_worker import RUN, round_of
from tests.support.waiting import wait_until

LIMIT_S = 60.0


def line(message: str) -> LogRecord:
    return LogRecord(level="info", source="client-1", logger="test", message=message)


def a_model(value: float, size: int = 1000) -> ArrayRecord:
    return ArrayRecord({"weight": Array(np.full(size, value, np.float32))})


@contextmanager
def worker(job: str, place: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has to do with a store; killed in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.store_worker", job, place],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def kill_after(process: subprocess.Popen[str], lines: int) -> int:
    """Let a worker print so many lines, kill it, and return the last number that it printed whole."""
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    printed += process.stdout.readlines()
    return int(next(text for text in reversed(printed) if text.endswith("\n")))


class TestKilled:
    def test_nothing_that_was_called_written_is_lost(self, tmp_path: Path) -> None:
        url = default_url(tmp_path)
        chance = random.Random(3)
        written = 0
        for _ in range(5):
            with worker("events", url) as process:
                written = max(written, kill_after(process, chance.randrange(20, 1500)))
            with closing(sqlite3.connect(tmp_path / "fedloom.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            with Store.open(url) as store:
                self.check(store, written)
        assert written > 100

    @staticmethod
    def check(store: Store, written: int) -> None:
        """All events up to `written` are there, and of those after it whatever is there is whole."""
        lines = store.logs(1_000_000)
        rounds = {round_.round: round_ for round_ in store.rounds(RUN)}
        history = store.events(1_000_000)

        assert all(int(entry.message) == entry.seq for entry in lines)
        assert all(round_ == round_of(4 * number) for number, round_ in rounds.items())
        run_updates = {event.seq for event in history if event.type == "run_update"}
        told = {entry.seq for entry in lines} | {4 * number for number in rounds} | run_updates
        assert set(range(1, written + 1)) <= told
        completed = {event.data["round"] for event in history if event.type == "metrics_update"}
        assert completed == rounds.keys()

    def test_the_newest_checkpoint_is_always_sound(self, tmp_path: Path) -> None:
        chance = random.Random(4)
        for _ in range(5):
            with worker("checkpoints", str(tmp_path)) as process:
                saved = kill_after(process, chance.randrange(2, 40))
            models = sorted((tmp_path / RUN).glob("round-?????.safetensors"))
            checkpoints = CheckpointStore(tmp_path)
            newest = checkpoints.newest(RUN)

            assert newest is not None
            assert newest.round >= saved
            assert checkpoints.path(RUN, newest.round) == models[-1], "none is passed over"
            assert set(newest.arrays["weight"].numpy()) == {newest.round}
            assert set(newest.state["moment"]) == {2 * newest.round}
            left = {re.sub(r"-[0-9a-f]{8}\.state", "", path.name) for path in (tmp_path / RUN).iterdir()}
            assert left == {path.name for path in models}


class TestTwoServers:
    def test_the_second_is_told_of_the_first_and_takes_over_when_that_was_killed(
        self, tmp_path: Path
    ) -> None:
        url = default_url(tmp_path)
        with worker("hold", url) as process:
            assert process.stdout is not None
            process.stdout.readline()
            with pytest.raises(
                StoreUnavailable, match=rf"Another FedLoom server \(process {process.pid}\) uses"
            ):
                Store.open(url)

        Store.open(url).close()


class SmallDisk:
    """A disk on which there soon is no room: 4 MB of memory, or where nothing can be mounted, short files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mount = [shutil.which("mount") or "false", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)]
        self._mounted = subprocess.run(mount, capture_output=True).returncode == 0
        self._ballast = folder / "ballast"
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self, leave: int = 0) -> None:
        """Leave no room, or so many bytes."""
        if not self._mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (max(leave, 1), self._limits[1]))
            return
        with suppress(OSError), self._ballast.open("ab", buffering=0) as ballast:
            while ballast.write(b"x" * 4096):
                pass
        os.truncate(self._ballast, self._ballast.stat().st_size - leave)

    def free(self) -> None:
        """Make room again."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """As if it had never been there."""
        self.free()
        if self._mounted and subprocess.run(["umount", self.folder]).returncode:
            subprocess.run(["umount", "--lazy", self.folder], check=True)
            pytest.fail("something on the disk is still open")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    disk = SmallDisk(tmp_path)
    yield disk
    disk.close()


FULL = r"is full, so nothing new can be kept|does not work \(disk I/O error"
"""SQLite does not tell a file that is too long from a disk that is broken."""


class TestFullDisk:
    def test_the_writer_says_so_and_goes_on_when_there_is_room(self, disk: SmallDisk) -> None:
        with Store.open(default_url(disk.folder)) as store:
            bus = EventBus()
            writer = StoreWriter(store, bus, lambda: (), a_log())
            writer.start()
            bus.publish(a_run("a"))
            writer.flush(LIMIT_S)

            disk.fill()
            for number in range(100):
                bus.publish(line(f"{number} {'x' * 5000}"))
            problem = wait_until(lambda: writer.problem, "the disk is full")
            assert re.search(FULL, problem)
            assert writer.written < bus.last
            assert store.run("a") is not None

            disk.free()
            writer.flush(LIMIT_S)
            writer.stop()
            assert writer.problem is None
            assert [entry.message.split()[0] for entry in store.logs(200)] == [str(n) for n in range(100)]
        with Store.open(default_url(disk.folder)) as store:
            assert len(store.logs(200)) == 100

    @pytest.mark.parametrize("leave", [0, 4096, 8192, 16384, 32768, 65536])
    def test_a_store_that_cannot_be_made_is_a_clear_error_and_can_be_made_later(
        self, disk: SmallDisk, leave: int
    ) -> None:
        url = default_url(disk.folder / "home")
        disk.fill(leave)

        with pytest.raises(StoreUnavailable, match=FULL):
            Store.open(url)

        disk.free()
        Store.open(url).close()

    def test_a_checkpoint_for_which_there_is_no_room_leaves_the_one_before_it(self, disk: SmallDisk) -> None:
        checkpoints = CheckpointStore(disk.folder / "checkpoints")
        checkpoints.save(RUN, 1, a_model(1.0), {"moment": np.ones(1000)}, {})
        left = sorted(path.name for path in (disk.folder / "checkpoints" / RUN).iterdir())

        disk.fill(leave=40_000)
        with pytest.raises(StoreUnavailable, match=r"is full, so nothing new can be kept"):
            checkpoints.save(RUN, 2, a_model(2.0, size=100_000), {}, {})
        with pytest.raises(StoreUnavailable, match=r"is full"):
            checkpoints.save(RUN, 1, a_model(2.0), {"moment": np.ones(100_000)}, {})

        newest = checkpoints.newest(RUN)
        assert newest is not None
        assert (newest.round, newest.arrays["weight"].numpy()[0]) == (1, 1.0)
        assert sorted(path.name for path in (disk.folder / "checkpoints" / RUN).iterdir()) == left
        disk.free()
        checkpoints.save(RUN, 2, a_model(2.0, size=100_000), {}, {})


class TestHeldByAnotherProgram:
    def test_the_writer_goes_on_by_itself_and_keeps_all_that_happened_meanwhile(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.store.sqlite.BUSY_TIMEOUT_S", 0.05)
        with (
            Store.open(default_url(tmp_path)) as store,
            closing(sqlite3.connect(tmp_path / "fedloom.db", isolation_level=None)) as other,
        ):
            bus = EventBus()
            writer = StoreWriter(store, bus, lambda: (), a_log())
            writer.start()
            bus.publish(a_run("a"))
            writer.flush(LIMIT_S)

            other.execute("BEGIN EXCLUSIVE")
            for number in range(1000):
                bus.publish(line(str(number)))
            problem = wait_until(lambda: writer.problem, "the store is locked")
            assert "is locked by another program" in problem
            bus.publish(a_run("b"))
            assert [run.id for run in store.runs()] == ["a"], "who only reads is not in its way"
            other.execute("COMMIT")

            wait_until(lambda: writer.problem is None, "the store works again")
            writer.flush(LIMIT_S)
            writer.stop()
            assert [entry.message for entry in store.logs(2000)] == [str(number) for number in range(1000)]
            assert {run.id for run in store.runs()} == {"a", "b"}


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    """This process may not open any further file."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 8, limits[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in taken:
            os.close(descriptor)


TOO_MANY = "as many files and connections open as it may"


class TestTooManyOpen:
    def test_a_store_that_cannot_be_opened_now_is_not_called_a_bad_disk(self, tmp_path: Path) -> None:
        url = default_url(tmp_path)
        Store.open(url).close()

        with no_descriptors_left(), pytest.raises(StoreUnavailable, match=TOO_MANY):
            Store.open(url)

        Store.open(url).close()

    def test_a_store_that_is_open_still_writes(self, tmp_path: Path) -> None:
        with Store.open(default_url(tmp_path)) as store:
            bus = EventBus()
            bus.publish(a_run("a"))
            with no_descriptors_left():
                store.apply(bus.since(0))
            assert store.run("a") is not None

    def test_a_checkpoint_is_not_taken_for_damaged(self, tmp_path: Path) -> None:
        checkpoints = CheckpointStore(tmp_path)
        path = checkpoints.save(RUN, 1, a_model(1.0), {}, {})

        with no_descriptors_left():
            with pytest.raises(StoreUnavailable, match=TOO_MANY):
                checkpoints.newest(RUN)
            with pytest.raises(StoreUnavailable, match=TOO_MANY):
                checkpoints.save(RUN, 2, a_model(2.0), {}, {})

        assert path.exists()
        newest = checkpoints.newest(RUN)
        assert newest is not None
        assert newest.round == 1


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="fedloom-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


class TestWrongRights:
    """Root may do everything, so the process that looks gives up root's rights first."""

    def look(self, home: Path) -> list[str]:
        with worker("look", str(home)) as process:
            output, _ = process.communicate(timeout=LIMIT_S)
        return output.splitlines()

    def test_a_folder_that_cannot_be_written_to_is_a_clear_error(self, public_folder: Path) -> None:
        public_folder.chmod(0o555)

        opened, read, checkpoints = self.look(public_folder)

        refused = rf"{public_folder}.* cannot be read and written here \(Permission denied\), so nothing"
        assert re.match(refused, opened)
        assert read.startswith("There is no store at")
        assert re.match(refused, checkpoints)

    def test_so_is_a_folder_that_cannot_be_made(self, public_folder: Path) -> None:
        public_folder.chmod(0o555)

        opened, _, _ = self.look(public_folder / "home")

        assert "cannot be read and written here (Permission denied)" in opened
        assert not (public_folder / "home").exists()

    def test_a_store_on_a_disk_without_the_right_to_write_can_be_read(self, public_folder: Path) -> None:
        with Store.open(default_url(public_folder)) as store:
            bus = EventBus()
            bus.publish(a_run("a"))
            store.apply(bus.since(0))
        for path in public_folder.iterdir():
            path.chmod(0o444)
        public_folder.chmod(0o555)

        opened, read, _ = self.look(public_folder)

        assert "cannot be read and written here (Permission denied)" in opened
        assert read.startswith("[Run(id='a'")

    def test_a_store_of_another_user_is_no_traceback(self, public_folder: Path) -> None:
        Store.open(default_url(public_folder)).close()
        (public_folder / "fedloom.db").chmod(0o000)
        public_folder.chmod(0o555)

        _, read, _ = self.look(public_folder)

        assert re.search(r"fedloom\.db cannot be read here \(unable to open database file\)", read)

    def test_a_file_in_place_of_the_folder_is_a_clear_error(self, tmp_path: Path) -> None:
        (tmp_path / "home").write_text("a file")

        for home in (tmp_path / "home", tmp_path / "home" / "below"):
            words = re.escape(
                f"The folder {home} cannot be made: {tmp_path / 'home'} is a file. Move it away"
            )
            with pytest.raises(StoreUnavailable, match=words):
                Store.open(default_url(home))
            with pytest.raises(StoreUnavailable, match=words):
                CheckpointStore(home)


class TestDamage:
    def test_a_damaged_database_is_refused_and_left_as_it_is(self, tmp_path: Path) -> None:
        url, file = default_url(tmp_path), tmp_path / "fedloom.db"
        with Store.open(url) as store:
            bus = EventBus()
            for number in range(300):
                bus.publish(line(f"{number} {'x' * 200}"))
            store.apply(bus.since(0))
        whole = file.read_bytes()
        damaged = {
            "pages of nonsense": whole[:8192] + b"\x5a" * 8192 + whole[16384:],
            "cut short": whole[: len(whole) // 2],
            "no header": b"\0" * 4096 + whole[4096:],
        }
        for kind, content in damaged.items():
            file.write_bytes(content)
            with pytest.raises(StoreUnavailable, match=r"is damaged \(|is not a database") as refusal:
                Store.open(url)
            assert file.read_bytes() == content, kind
            assert "It was not changed" in str(refusal.value), kind

        file.write_bytes(whole)
        with Store.open(url) as store:
            assert len(store.logs(1000)) == 300

    def test_a_file_that_is_no_database_is_left_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "fedloom.db").write_text("my notes\n" * 1000)

        with pytest.raises(StoreUnavailable, match=r"fedloom\.db is not a database"):
            Store.open(default_url(tmp_path))
        assert (tmp_path / "fedloom.db").read_text() == "my notes\n" * 1000

    def test_an_empty_file_becomes_a_store(self, tmp_path: Path) -> None:
        (tmp_path / "fedloom.db").touch()

        Store.open(default_url(tmp_path)).close()

    def test_a_folder_in_place_of_the_file_is_a_clear_error(self, tmp_path: Path) -> None:
        (tmp_path / "fedloom.db").mkdir()

        with pytest.raises(StoreUnavailable, match=r"fedloom\.db cannot be used \(Is a directory\)"):
            Store.open(default_url(tmp_path))


class TestLocked:
    @pytest.fixture(autouse=True)
    def be_impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.store.sqlite.BUSY_TIMEOUT_S", 0.1)

    @contextmanager
    def locked(self, folder: Path, begin: str) -> Iterator[None]:
        """Another program has the database for itself."""
        with closing(sqlite3.connect(folder / "fedloom.db", isolation_level=None)) as connection:
            connection.execute(begin)
            connection.execute("DELETE FROM runs WHERE id = 'nothing'")
            yield

    def test_it_is_a_clear_error_and_passes(self, tmp_path: Path) -> None:
        bus = EventBus()
        bus.publish(a_run("a"))
        with Store.open(default_url(tmp_path)) as store:
            with self.locked(tmp_path, "BEGIN IMMEDIATE"):
                with pytest.raises(StoreUnavailable, match=r"fedloom\.db is locked by another program"):
                    store.apply(bus.since(0))
                assert store.runs() == [], "reading goes on"
            store.apply(bus.since(0))
            assert [run.id for run in store.runs()] == ["a"]

    def test_so_it_is_at_the_start(self, tmp_path: Path) -> None:
        Store.open(default_url(tmp_path)).close()

        with (
            self.locked(tmp_path, "PRAGMA locking_mode = EXCLUSIVE"),
            pytest.raises(StoreUnavailable, match=r"is locked by another program"),
        ):
            Store.open(default_url(tmp_path))
        Store.open(default_url(tmp_path)).close()


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


class TestPostgres:
    def test_a_server_that_goes_away_costs_nothing(self, postgres: PostgresServer) -> None:
        url = postgres.new_database()
        with Store.open(url) as store:
            bus = EventBus()
            writer = StoreWriter(store, bus, lambda: (), a_log())
            writer.start()
            for attempt in range(3):
                bus.publish(line(f"{attempt} before"))
                writer.flush(LIMIT_S)
                postgres.stop("immediate")
                try:
                    bus.publish(line(f"{attempt} during"))
                    problem = wait_until(lambda: writer.problem, "PostgreSQL is gone")
                    assert problem.startswith("postgresql://fedloom@127.0.0.1:")
                    with pytest.raises(StoreUnavailable, match=r"cannot be used"):
                        store.runs()
                finally:
                    postgres.start()
                writer.flush(LIMIT_S)
                wait_until(lambda: writer.problem is None, "the problem is over")
            writer.stop()
            kept = [entry.message for entry in store.logs(100, source="client-1")]
            assert kept == [f"{attempt} {when}" for attempt in range(3) for when in ("before", "during")]

    def test_a_server_that_lost_the_lock_to_another_writes_no_more(self, postgres: PostgresServer) -> None:
        url = postgres.new_database()
        bus = EventBus()
        bus.publish(a_run("a"))
        with Store.open(url) as first:
            with postgres.connect("postgres") as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                )
            with Store.open(url) as second:
                for words in (r"cannot be used", r"Another FedLoom server uses the store"):
                    with pytest.raises(StoreUnavailable, match=words):
                        first.apply(bus.since(0))
                assert second.runs() == []
            first.apply(bus.since(0))
            assert [run.id for run in first.runs()] == ["a"]

    def test_a_store_that_cannot_be_reached_is_a_clear_error_without_the_password(
        self, postgres: PostgresServer
    ) -> None:
        url = postgres.new_database()
        name = url.rpartition("/")[2]
        nobody_listens = re.sub(r":\d+/", ":1/", url)
        unknown_host = url.replace("127.0.0.1", "nowhere.invalid")
        for wrong, words in (
            (postgres.url("nothing"), r'database "nothing" does not exist.*Create it'),
            (
                postgres.url(name, password="secret"),
                r"password authentication failed.*Check user and password",
            ),
            (postgres.url(name, password=None), r"no password supplied.*Give the password"),
            (postgres.url(name, user="nobody"), r"password authentication failed.*Check user and password"),
            (nobody_listens, r"Connection refused.*Start PostgreSQL"),
            (unknown_host, r"resolve host 'nowhere\.invalid'.*Correct the host"),
        ):
            with pytest.raises(StoreUnavailable, match=words) as refusal:
                Store.open(wrong)
            assert not re.search(r"secret|p@ss|p%40ss", str(refusal.value))

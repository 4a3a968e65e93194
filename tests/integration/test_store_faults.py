"""What the store does when the machine fails it: kills, full disks, wrong rights, damage, a database gone."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.event_bus import EventBus
from app.store.checkpoints import CheckpointStore
from app.store.store import Store
from app.store.urls import default_url
from app.store.writer import StoreWriter
from shared.errors import StoreUnavailable
from tests.support.audit import a_log
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.records import a_run
from tests.support.stores import line, worker
from tests.support.waiting import wait_until

LIMIT_S = 60.0


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

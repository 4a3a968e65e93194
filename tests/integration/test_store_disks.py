"""What the store does when the disk is full, and when there are no descriptors left."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from app.event_bus import EventBus
from app.store.checkpoints import CheckpointStore
from app.store.store import Store
from app.store.urls import default_url
from app.store.writer import StoreWriter
from shared.errors import StoreUnavailable
from tests.support.audit import a_log
from tests.support.records import a_run
from tests.support.store_worker import RUN
from tests.support.stores import a_model, line
from tests.support.waiting import wait_until

LIMIT_S = 60.0


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

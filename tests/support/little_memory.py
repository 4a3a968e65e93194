"""A group of processes that may use little memory."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

CGROUPS = Path("/sys/fs/cgroup")
MEMBERS = "cgroup.procs"
LIMIT_BYTES = 400 << 20
LOOK_S = 0.05


@contextmanager
def little_memory() -> Iterator[str]:
    """The folder of a memory cgroup, of either version, whose members the kernel kills. Where this user can
    make none, a folder like it: who is named in its file of members is killed by a watcher, as earlyoom does.
    """
    for root, limit in ((CGROUPS / "memory", "memory.limit_in_bytes"), (CGROUPS, "memory.max")):
        folder = root / f"fedloom-test-{uuid.uuid4().hex[:8]}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / limit).write_text(str(LIMIT_BYTES), encoding="ascii")
        except OSError:
            folder.rmdir()
            continue
        yield str(folder)
        with suppress(OSError):  # somebody is still in it
            folder.rmdir()
        return
    with TemporaryDirectory(prefix="fedloom-test-") as instead, _watching(Path(instead)):
        yield instead


@contextmanager
def _watching(folder: Path) -> Iterator[None]:
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(folder / MEMBERS, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(members: Path, over: threading.Event) -> None:
    before: dict[int, int] = {}
    """What each had when it came, which a cgroup does not count either."""
    while not over.wait(LOOK_S):
        with suppress(OSError, ValueError, psutil.Error):  # nobody yet; it is being written; it has gone
            process = psutil.Process(int(members.read_text(encoding="ascii")))
            used = process.memory_info().rss
            if used - before.setdefault(process.pid, used) > LIMIT_BYTES:
                process.kill()

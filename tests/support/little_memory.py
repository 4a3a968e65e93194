"""A group of processes that may use little memory, where this user may make one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
LIMIT_BYTES = 400 << 20


@contextmanager
def little_memory() -> Iterator[str]:
    """The folder of a memory cgroup, of either version; an empty text where none can be made."""
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
    yield ""

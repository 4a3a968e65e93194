"""How much memory another process has had at most."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.tools import give_up


class PeakMemory:
    """Of a process, since this object was made. Linux only."""

    def __init__(self, pid: int) -> None:
        self._process = Path("/proc") / str(pid)
        if not self._process.exists():
            give_up("needs /proc: a server's memory is watched (Linux)")
        (self._process / "clear_refs").write_text("5")  # proc(5): the peak begins anew
        self._before = self._peak()

    @property
    def grown_by(self) -> int:
        """Bytes that it has had in memory at most, beyond what it had at first."""
        return self._peak() - self._before

    def _peak(self) -> int:
        found = re.search(r"VmHWM:\s+(\d+) kB", (self._process / "status").read_text())
        assert found is not None
        return int(found[1]) << 10

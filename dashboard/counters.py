"""The counters of this machine and of this process with its descendants, by psutil."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psutil

from dashboard.gpus import Gpus
from dashboard.reading import Counters, Process

TREE_S = 10.0
"""How often it is looked which descendants there are: that goes through all processes of the machine."""


class CounterSource(Protocol):
    """Where counters come from."""

    def read(self) -> Counters:
        """As they are now."""


class MachineCounters:
    """Of the machine, of the disk with `folder`, and of this process. Owned by one thread."""

    def __init__(
        self, folder: Path, gpus: Gpus | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._gpus = Gpus() if gpus is None else gpus
        self._clock = clock
        self._own = psutil.Process()
        self._tree: list[psutil.Process] = [self._own]
        self._looked_at: float | None = None

    def read(self) -> Counters:
        """As they are now. What this system does not count is 0."""
        busy, total = _cpu_seconds()
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(str(self._folder))
        on_disk = psutil.disk_io_counters(nowrap=False)
        network = psutil.net_io_counters(nowrap=False)
        processes, process_memory = self._processes()
        return Counters(
            at=self._clock(),
            cpu_busy=busy,
            cpu_total=total,
            cores=psutil.cpu_count() or 1,
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
            disk_used=disk.used,
            disk_total=disk.total,
            disk_read=on_disk.read_bytes if on_disk else 0,
            disk_written=on_disk.write_bytes if on_disk else 0,
            sent=network.bytes_sent if network else 0,
            received=network.bytes_recv if network else 0,
            processes=processes,
            process_memory=process_memory,
            gpus=self._gpus.read(),
        )

    def _processes(self) -> tuple[dict[Process, float], int]:
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= TREE_S:
            self._looked_at = now
            self._tree = [self._own, *self._own.children(recursive=True)]
        times: dict[Process, float] = {}
        memory = 0
        for process in self._tree:
            try:
                with process.oneshot():
                    cpu = process.cpu_times()
                    times[Process(process.pid, process.create_time())] = cpu.user + cpu.system
                    memory += process.memory_info().rss
            except psutil.Error:
                continue  # it has ended, or is another user's by now
        return times, memory


def _cpu_seconds() -> tuple[float, float]:
    """Of all cores: busy, and in all. Linux counts the time of guests a second time as user's."""
    times = psutil.cpu_times()._asdict()
    total = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))
    return total - times["idle"] - times.get("iowait", 0.0), total

"""What this client's machine is used for, as it is told to the server, while there is one that takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from dashboard.counters import CounterSource
from dashboard.monitor import Monitor
from dashboard.reading import Reading
from shared.proto.link_pb2 import GpuUsage, Usage


class UsageReport:
    """Of one client. Nobody looks at the machine's counters while nobody asks for them."""

    def __init__(self, counters: Callable[[], CounterSource], tell: Callable[[Usage], None]) -> None:
        """`tell` is called in a thread of its own."""
        self._counters = counters
        self._tell = tell
        self._monitor: Monitor | None = None

    def is_wanted(self, wanted: bool) -> None:
        """Whether there is a server that takes it."""
        if wanted and self._monitor is None:
            self._monitor = Monitor(self._counters(), lambda reading: self._tell(usage_frame(reading)))
            self._monitor.start()
        elif not wanted and self._monitor is not None:
            self._monitor.stop(timeout_s=0.0)
            self._monitor = None


def usage_frame(reading: Reading) -> Usage:
    """A reading as it travels."""
    gpus = [GpuUsage(**asdict(gpu)) for gpu in reading.gpus]
    return Usage(**{**asdict(reading), "gpus": gpus})

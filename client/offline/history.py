"""History: what happened in the time without a server, until it can be told."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from shared.proto.link_pb2 import LogLine

MAX_LINES = 500
"""The newest; how many were left out before is told as well."""


class History:
    """Of one client. In its event loop."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lines: deque[LogLine] = deque(maxlen=MAX_LINES)
        self._left_out = 0

    def add(self, line: LogLine) -> None:
        """Something happened now, and cannot be told."""
        if len(self._lines) == MAX_LINES:
            self._left_out += 1
        at = time.strftime("%H:%M:%S", time.gmtime(self._clock()))
        self._lines.append(
            LogLine(level=line.level, logger=line.logger, message=f"[{at} UTC] {line.message}")
        )

    def take(self) -> list[LogLine]:
        """All of it, to be told now; after that there is none."""
        lines = list(self._lines)
        if self._left_out:
            words = f"{self._left_out:,} earlier lines of the time without the server are not kept"
            lines.insert(0, LogLine(level="info", logger=__name__, message=words))
        self._lines.clear()
        self._left_out = 0
        return lines

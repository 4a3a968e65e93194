"""Outbox: frames on their way to an app's process, which takes them when it comes to that."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import AppDied

Send = Callable[..., None]
"""`send(kind, parts, **fields)`: sends a frame, and may wait for the other side."""


class Outbox:
    """Sends in a thread of its own, so that nobody waits for a process that is busy or paused."""

    def __init__(self, send: Send, failed: Callable[[BaseException], None]) -> None:
        """`failed` takes what else than the end of the process keeps it from sending."""
        self._send = send
        self._failed = failed
        self._frames: queue.SimpleQueue[tuple[str, Sequence[bytes], dict[str, Any]] | None] = (
            queue.SimpleQueue()
        )
        threading.Thread(target=self._work, name="app-outbox", daemon=True).start()

    def put(self, kind: str, parts: Sequence[bytes] = (), **fields: Any) -> None:
        """Send a frame after those before it."""
        self._frames.put((kind, parts, fields))

    def close(self) -> None:
        """Nothing more will be sent."""
        self._frames.put(None)

    def _work(self) -> None:
        while (frame := self._frames.get()) is not None:
            kind, parts, fields = frame
            try:
                self._send(kind, parts, **fields)
            except AppDied:
                return  # whoever receives from the process says so
            except BaseException as error:  # noqa: BLE001 - the edge of the thread: it ends the run
                self._failed(error)
                return
            del frame, parts

"""Outbox: frames on their way to an app's process, which takes them when it comes to that."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import AppDied

MAX_WAITING = 10_000
"""Frames: some for each client of a large run."""

Send = Callable[..., None]
"""`send(kind, parts, **fields)`: sends a frame, and may wait for the other side."""


class Outbox:
    """Sends in a thread of its own, so that nobody waits for a process that is busy or paused."""

    def __init__(self, send: Send, failed: Callable[[BaseException], None]) -> None:
        """`failed` takes what else than the end of the process keeps it from sending."""
        self._send = send
        self._failed = failed
        self._frames: deque[tuple[str, Sequence[bytes], dict[str, Any]]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        threading.Thread(target=self._work, name="app-outbox", daemon=True).start()

    def put(self, kind: str, parts: Sequence[bytes] = (), **fields: Any) -> None:
        """Send a frame after those before it."""
        with self._changed:
            self._frames.append((kind, parts, fields))
            self._changed.notify_all()

    def wait_for_room(self) -> None:
        """Wait until few frames wait: who asks and asks, and takes no answer, is not listened to."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._frames) < MAX_WAITING)

    def close(self) -> None:
        """Nothing more will be sent."""
        with self._changed:
            self._is_closed = True
            self._frames.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while (frame := self._next()) is not None:
                kind, parts, fields = frame
                self._send(kind, parts, **fields)
                del frame, parts
        except AppDied:
            pass  # whoever receives from the process says so
        except BaseException as error:  # noqa: BLE001 - the edge of the thread: it ends the run
            self._failed(error)
        finally:
            self.close()

    def _next(self) -> tuple[str, Sequence[bytes], dict[str, Any]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or bool(self._frames))
            if self._is_closed:
                return None
            frame = self._frames.popleft()
            self._changed.notify_all()
            return frame

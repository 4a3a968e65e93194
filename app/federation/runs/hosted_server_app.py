"""HostedServerApp: the ServerApp of another Flower app, called in a process of its own.

Threads of the server: the run's own waits on the grid, so that it hears of a stop whatever the app does;
`app-reader` takes what the process sends; `app-outbox` sends, and each call of the app's grid has one.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol

from flwr.app import Context
from pydantic import BaseModel, ConfigDict

from app.federation.grid.link_grid import LinkGrid
from app.federation.rounds.results import AppResults
from app.federation.runs import words
from app.federation.runs.grid_calls import GridCalls
from app.federation.runs.outbox import Outbox
from shared.app_host.channel import Frame
from shared.errors import AppDied, AppFailed
from shared.text import printable

END_S = 10.0
"""How long a process whose app is done may take to end: what the app has registered `atexit` is called."""

MAX_TEXT = 64 << 10
"""Characters that are kept of a traceback."""


class AppHost(Protocol):
    """The process, with the app imported: an `AppProcess`."""

    def send(self, kind: str, parts: Any = (), **fields: Any) -> None:
        """Send a frame; waits until the process takes it. Raises AppDied."""

    def receive(self) -> Frame:
        """The next frame. Raises AppDied once the process is gone."""

    def kill(self) -> None:
        """End it and all its descendants at once."""

    def end(self, grace_s: float) -> None:
        """End it in its own way, or kill it after so many seconds."""


class _Raised(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)
    reason: str
    traceback: str


class HostedServerApp:
    """Carries out one run."""

    def __init__(self, host: AppHost, grid: LinkGrid, results: AppResults) -> None:
        self._host = host
        self._grid = grid
        self._outbox = Outbox(host.send)
        self._calls = GridCalls(grid, results, self._outbox.put, self._end)
        self._lock = threading.Lock()
        self._is_over = False
        self._error: BaseException | None = None

    def run(self, context: Context) -> None:
        """Call the ServerApp, and wait until it is done.

        Raises AppFailed for what the app raised, AppDied when its process ended, RunStopped when the run was
        stopped. The process has ended then.
        """
        self._outbox.put(
            "run",
            run_id=context.run_id,
            node_id=context.node_id,
            node_config=dict(context.node_config),
            run_config=dict(context.run_config),
        )
        threading.Thread(target=self._read, name="app-reader", daemon=True).start()
        try:
            self._grid.wait_until(lambda: self._is_over)
            self._grid.breathe()  # an app may end because it was stopped, and say nothing of it
            if self._error is None or isinstance(self._error, AppFailed):
                self._host.end(END_S)
        finally:
            self._outbox.close()
            self._host.kill()
        if self._error is not None:
            raise self._error

    @property
    def is_over(self) -> bool:
        """Whether the app is done, or has failed."""
        return self._is_over

    def _read(self) -> None:
        """The edge of the thread: what ends it ends the run."""
        try:
            while not self._is_over:
                self._take(self._host.receive())
        except BaseException as error:  # noqa: BLE001 - raised in the run thread, which reports it
            self._end(error)

    def _take(self, frame: Frame) -> None:
        try:
            match frame.kind:
                case "finished":
                    self._end(None)
                case "raised":
                    raised = _Raised.model_validate(frame.fields)
                    reason = words.app_ended_by(printable(raised.reason))
                    self._end(AppFailed(reason, printable(raised.traceback)[-MAX_TEXT:]))
                case _:
                    self._calls.serve(frame)
        except ValueError as error:  # of what was parsed
            raise AppDied(words.app_sent_garbage(str(error))) from error

    def _end(self, error: BaseException | None) -> None:
        """The run is over, by this error or without one; the first counts."""
        with self._lock:
            if not self._is_over:
                self._error = error
                self._is_over = True
        self._grid.membership_changed()

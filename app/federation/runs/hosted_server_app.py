"""HostedServerApp: the ServerApp of another Flower app, called in a process of its own.

Threads of the server: the run's own waits on the grid, so that it hears of a stop whatever the app does;
`app-reader` starts the process and takes what it sends, and each call of the app's grid has one, which sends
the answers: an app that takes none has all its threads wait, and is not listened to any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flwr.app import Context
from pydantic import BaseModel, ConfigDict, ValidationError

from app.federation.grid.link_grid import LinkGrid
from app.federation.rounds.results import AppResults
from app.federation.runs import words
from app.federation.runs.grid_calls import GridCalls
from shared.app_host.channel import Frame, Part
from shared.errors import AppDied, AppFailed
from shared.text import printable

END_S = 10.0
"""How long a process whose app is done may take to end: what the app has registered `atexit` is called."""

MAX_NAME = 200
MAX_REASON = 2_000
MAX_TRACEBACK = 64 << 10
"""Characters that are kept."""


class AppHost(Protocol):
    """The process, as an AppProcess is one."""

    def load(self) -> object:
        """Have it import the app, unless it has. Raises AppInvalid and AppDied."""

    def send(self, kind: str, parts: Sequence[Part] = (), **fields: Any) -> None:
        """Send a frame, from any thread; waits until the process takes it. Raises AppDied."""

    def receive(self) -> Frame:
        """The next frame. Raises AppDied once the process is gone."""

    def broken(self, what: str) -> AppDied:
        """Kill it for what it sent; returns the error that says so."""

    def pause(self, paused: bool) -> None:
        """Stop it where it is, or let it go on."""

    def end(self, grace_s: float) -> None:
        """Have it leave by itself, which may take so long; then as `close`."""

    def close(self) -> None:
        """Kill it with all that it has started, and wait until nothing of it is left."""


class _Raised(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)
    reason: str
    traceback: str


class HostedServerApp:
    """Carries out one run: `begin`, wait until `is_ready`, `call`, and in any case `close`."""

    def __init__(self, start: Callable[[], AppHost], grid: LinkGrid, results: AppResults) -> None:
        """`start` starts the process; it may raise AppInvalid."""
        self._start = start
        self._grid = grid
        self._results = results
        self._lock = threading.Lock()
        self._host: AppHost | None = None
        self._calls: GridCalls | None = None
        self._is_paused = False
        self._is_closed = False
        self._is_over = False
        self._error: BaseException | None = None
        self.is_ready = False
        """Whether the app is imported."""

    def begin(self) -> None:
        """Have the process start and import the app; does not wait for that."""
        threading.Thread(target=self._work, name="app-reader", daemon=True).start()

    def wait_until(self, condition: Callable[[], bool], every_s: float | None = None) -> None:
        """As `LinkGrid.wait_until`. Raises what the app has failed by meanwhile, if it has."""
        self._grid.wait_until(lambda: self._is_over or condition(), every_s)
        if self._error is not None:
            raise self._error

    def call(self, context: Context) -> None:
        """Call the ServerApp, which `is_ready`, and wait until it is done.

        Raises AppFailed for what it raised, AppDied when its process ended, RunStopped when the run was
        stopped.
        """
        assert self._host is not None
        sending = (self._host, context)
        threading.Thread(target=self._send_run, args=sending, name="app-run", daemon=True).start()
        self._grid.wait_until(lambda: self._is_over, commands_only=True)
        self._grid.breathe()  # an app may end because it was stopped, and say nothing of it
        if self._error is None or isinstance(self._error, AppFailed):
            self._host.end(END_S)
        if self._error is not None:
            raise self._error

    def pause(self, paused: bool) -> None:
        """Stop the process where it is, or let it go on."""
        with self._lock:
            self._is_paused = paused
            if self._host is not None:
                self._host.pause(paused)

    def close(self) -> None:
        """End the process, if it has not ended."""
        with self._lock:
            self._is_closed = True
            host, calls = self._host, self._calls
        if host is not None:
            host.close()
        if calls is not None:
            calls.close()

    def _work(self) -> None:
        """The edge of the thread: what ends it ends the run."""
        try:
            host = self._start()
            if not self._take_over(host):
                host.close()
                return
            host.load()
            self.is_ready = True
            self._grid.membership_changed()
            while not self._is_over:
                self._take(host, host.receive())
        except BaseException as error:  # noqa: BLE001 - raised in the run thread, which reports it
            self._end(error)

    def _send_run(self, host: AppHost, context: Context) -> None:
        """The edge of a thread of its own: a process that is paused takes nothing."""
        try:
            host.send(
                "run",
                run_id=context.run_id,
                node_id=context.node_id,
                node_config=dict(context.node_config),
                run_config=dict(context.run_config),
            )
        except AppDied:
            pass  # whoever receives from the process says so
        except BaseException as error:  # noqa: BLE001 - raised in the run thread, which reports it
            self._end(error)

    def _take_over(self, host: AppHost) -> bool:
        """Have the process as the run's own, unless the run is over."""
        with self._lock:
            if not self._is_closed:
                self._host = host
                self._calls = GridCalls(self._grid, self._results, host.send, self._end)
                if self._is_paused:
                    host.pause(True)
            return not self._is_closed

    def _take(self, host: AppHost, frame: Frame) -> None:
        assert self._calls is not None
        try:
            match frame.kind:
                case "finished":
                    self._end(None)
                case "raised":
                    raised = _Raised.model_validate(frame.fields)
                    reason = words.app_ended_by(printable(raised.reason)[:MAX_REASON])
                    self._end(AppFailed(reason, printable(raised.traceback)[-MAX_TRACEBACK:]))
                case _:
                    self._calls.serve(frame)
        except ValidationError as error:
            raise host.broken(f"a frame of kind {frame.kind!r}, {_in_words(error)}") from error
        except ValueError as error:
            raise host.broken(str(error)) from error

    def _end(self, error: BaseException | None) -> None:
        """The app is done, or this is why the run cannot go on; the first counts."""
        with self._lock:
            if not self._is_over:
                self._error = error
                self._is_over = True
        self._grid.membership_changed()


def _in_words(error: ValidationError) -> str:
    """The first thing that is wrong, and where."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))[:MAX_NAME]
    return f"of which {place} is wrong: {first['msg']}"

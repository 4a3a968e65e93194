"""Attempt: a run at a SuperLink, which FedLoom may end at any time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from shared.errors import FedLoomError
from shared.flower_superlink import COMPLETED, SuperLink, TokenGrid


class Over(FedLoomError):
    """FedLoom has ended the run before it was submitted."""


class Attempt:
    """One thread has the run begin and carries its messages; another ends it."""

    def __init__(self, superlink: SuperLink) -> None:
        self._superlink = superlink
        self._lock = threading.Lock()
        self._run_id: int | None = None
        self._grid: TokenGrid | None = None
        self._is_over = False

    def submit(self, files: Mapping[str, bytes]) -> int:
        """Submit the run, of the app in these files; returns its number there. Raises Over."""
        with self._lock:
            if self._is_over:
                raise Over("The run is over.")
            self._run_id = self._superlink.start_run(files)
            return self._run_id

    def begin(self, grid: TokenGrid) -> None:
        """Begin as the run's ServerApp, whose grid it is."""
        grid.begin()
        self._grid = grid

    def end(self, completed: bool) -> None:
        """The run is over: it is stopped for its nodes, too, unless it was completed. One that is being
        submitted is stopped when its number is known."""
        self._is_over = True
        with self._lock:
            if completed and self._grid is not None:
                self._grid.finish(COMPLETED)
            elif self._run_id is not None:
                self._superlink.stop_run(self._run_id)

    @contextmanager
    def until_its_end(self) -> Iterator[None]:
        """For the thread that carries: what fails since the run is over is nobody's failure. The other thread
        ends the process."""
        try:
            yield
        except Exception:
            if not self._is_over:
                raise
            threading.Event().wait()

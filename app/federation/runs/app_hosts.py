"""AppHosts: the processes for the ServerApp of the server's app, a fresh one for each run."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from pathlib import Path

from app.federation.runs import words
from shared.app_copy import make_copy, place_of, where_it_wrote, working_directory
from shared.app_process import AppProcess
from shared.errors import AppDied, AppInvalid
from shared.flower_app import FlowerApp

WHO = "server"
"""Whose copy of the app the ServerApp runs from."""

log = logging.getLogger(__name__)


class AppHosts:
    """Starts them. The one that has checked the app when the server started waits for the first run."""

    def __init__(self, app: FlowerApp, home: Path) -> None:
        """`home`: FedLoom's own folder, in which the app's copy is made."""
        self._app = app
        self._place = place_of(home, app, WHO)
        self._copy = self._place
        self._lock = threading.Lock()
        self._spare: AppProcess | None = None
        self._copying = threading.Lock()
        """A run that was stopped may still be copying when the next one begins."""

    def check(self) -> None:
        """Import the ServerApp, in a process that is kept. Raises AppInvalid when that is not possible."""
        spare = self._start(None)
        try:
            spare.load()
        except BaseException as error:
            spare.close()
            if isinstance(error, AppDied):
                raise AppInvalid(words.app_died_at_import(self._app.name, str(error))) from error
            raise
        with self._lock:
            self._spare = spare

    def start(self, run_id: str) -> AppProcess:
        """A process for a run, which may have imported the app. Raises AppInvalid."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None and spare.is_alive:
            spare.belongs_to(run_id)
            return spare
        if spare is not None:  # the system has ended it, for want of memory
            spare.close()
        return self._start(run_id)

    def say_what_was_written(self, run_id: str) -> None:
        """Log where the app has written to, if it has, and that can be seen."""
        with suppress(OSError):
            if (where := where_it_wrote(self._copy)) is not None:
                log.info("%s", where, extra={"run_id": run_id})

    def close(self) -> None:
        """End the process that waits for a run, if one does."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()

    def _start(self, run_id: str | None) -> AppProcess:
        with self._copying:
            self._copy = make_copy(self._app, self._place)
        cwd = working_directory(self._app, self._copy, Path.cwd())
        return AppProcess.start(self._app, self._copy, "server", cwd=cwd, run_id=run_id)

"""AppCopies: starts the processes of a client's app, each from the app's copy."""

from __future__ import annotations

import logging
from pathlib import Path

from shared.app_copy import make_copy, where_it_wrote, working_directory
from shared.app_process import AppProcess
from shared.flower_app import FlowerApp

log = logging.getLogger(__name__)


class AppCopies:
    """There is one copy, which is brought up to date for each process. `place`: where it is to be."""

    def __init__(self, app: FlowerApp, place: Path) -> None:
        self._app = app
        self._place = place
        self._copy = place

    def start(self) -> AppProcess:
        """A process for the app. Raises AppInvalid when it cannot be copied."""
        self._copy = make_copy(self._app, self._place)
        cwd = working_directory(self._app, self._copy, Path.cwd())
        return AppProcess.start(self._app, self._copy, "client", cwd=cwd)

    def say_what_was_written(self) -> None:
        """Log where the app has written to, if it has."""
        if (words := where_it_wrote(self._copy)) is not None:
            log.info("%s", words)

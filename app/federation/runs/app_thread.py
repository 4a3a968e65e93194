"""AppThread: a ServerApp in a thread of its own, so that a run ends also when its app does not notice."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from app.federation.grid.link_grid import LinkGrid
from app.federation.runs import words
from shared.errors import RunStopped

PATIENCE_S = 3.0
"""How long an app that was stopped may take to come to its next message before it is left behind."""

log = logging.getLogger(__name__)


class AppThread:
    """Calls a function once."""

    def __init__(self, function: Callable[[], None], grid: LinkGrid) -> None:
        self._function = function
        self._grid = grid
        self._is_over = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="app", daemon=True)

    def run(self) -> None:
        """Wait until the function has ended; raises what that raised, or RunStopped when the run was."""
        self._thread.start()
        try:
            self._grid.wait_until(lambda: self._is_over)
            self._grid.breathe()  # an app may end because it was stopped, and say nothing of it
        except RunStopped:
            self._thread.join(PATIENCE_S)
            if self._thread.is_alive():
                log.warning("the app goes on until its next message, which will not be sent")
            raise
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        """The edge of the thread: what was raised is raised in the run thread instead."""
        try:
            self._function()
        except SystemExit as error:
            if error.code not in (None, 0):
                self._error = RuntimeError(f"The app ended by sys.exit({error.code!r}).")
        except Exception as error:  # noqa: BLE001 - raised in the run thread, which reports it
            self._error = error
        except BaseException as error:  # noqa: BLE001 - the same, without ending that thread
            self._error = RuntimeError(words.app_ended_by(error))
            self._error.__cause__ = error
        finally:
            self._is_over = True
            self._grid.membership_changed()

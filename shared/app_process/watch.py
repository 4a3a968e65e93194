"""Takes what the warden of an app's host reports: what the app prints and logs, and how it ended."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

OUTPUT = "app"
"""The name under which the log has what an app prints."""

MAX_LINE_BYTES = 2 << 20
"""Of a report. The warden's own limits are lower."""


class _LogLine(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    level: int
    name: str
    message: str
    traceback: str | None


class _Report(BaseModel):
    """One line of the warden's; which fields it has says what it is."""

    model_config = ConfigDict(frozen=True, strict=True)

    started: int | None = None
    line: str | None = None
    log: _LogLine | None = None
    left_out: int | None = None
    ended: int | None = None
    last: str | None = None


class Watch:
    """A thread that reads the reports until the warden has gone."""

    def __init__(
        self,
        control: socket.socket,
        run_id: str | None,
        on_gone: Callable[[], object],
        *,
        logs_output: bool = True,
    ) -> None:
        """`run_id`: whose run's log lines they are, where that is known. `logs_output`: whether what is
        printed goes into the log, as it should not of a client, which sends its log by itself."""
        self._control = control
        self.run_id = run_id
        self._logs_output = logs_output
        self._on_gone = on_gone
        self._gone = threading.Event()
        self._host: int | None = None
        """Its process id, and that of its group, until it is known to have ended."""
        self.status: int | None = None
        """How the host ended, as waitpid has it."""
        self.last = ""
        """The last that it wrote to stderr."""
        threading.Thread(target=self._read, name="app-watch", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether the host and its warden have ended."""
        return self._gone.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until they have."""
        return self._gone.wait(timeout_s)

    def _read(self) -> None:
        try:
            with suppress(OSError), self._control.makefile("rb") as lines:
                while line := lines.readline(MAX_LINE_BYTES):
                    self._take(line)
        finally:
            self._end_what_is_left()
            self._on_gone()
            self._gone.set()

    def _end_what_is_left(self) -> None:
        """Somebody has killed the warden: the host ends by itself then, but not what it has started."""
        if self._host is not None:
            with suppress(OSError):
                os.killpg(self._host, signal.SIGKILL)

    def _take(self, line: bytes) -> None:
        try:
            report = _Report.model_validate_json(line)
        except ValidationError as error:
            logging.getLogger(__name__).warning("what an app logged cannot be read: %s", error)
            return
        if report.started is not None:
            self._host = report.started
        elif report.last is not None:
            self.status, self.last, self._host = report.ended, report.last, None
        elif self._logs_output:
            self._take_output(report)

    def _take_output(self, report: _Report) -> None:
        if report.line is not None:
            self._log(logging.INFO, OUTPUT, report.line, is_printed=True)
        elif report.log is not None:
            self._log(report.log.level, report.log.name, report.log.message, traceback=report.log.traceback)
        elif report.left_out is not None:
            self._log(logging.INFO, OUTPUT, f"({report.left_out:,} more lines are left out here)")

    def _log(self, level: int, name: str, message: str, **more: Any) -> None:
        """Log in the app's name, which is none of FedLoom's loggers, whatever it is."""
        record = logging.LogRecord(name, level, "", 0, message, None, None)
        record.__dict__.update(more)
        if self.run_id is not None:
            record.__dict__["run_id"] = self.run_id
        logging.getLogger().handle(record)

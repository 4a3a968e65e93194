"""What a FedLoom process says on its terminal, and how log records are named everywhere."""

from __future__ import annotations

import logging
import queue
import sys
import threading
from typing import Literal

from shared.error_text import traceback_text

log = logging.getLogger(__name__)

LevelName = Literal["debug", "info", "warning", "error"]


def configure_logging(source: str, flower_level: int = logging.WARNING) -> None:
    """Log from INFO up to the terminal, each line with the time and `source` (a client's id, or "server").

    Flower itself reports every step of a round at INFO. FedLoom says that in its own words, but the strategy
    of another Flower app says there what nobody else knows: `flower_level` is for that.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(source))
    handler.addFilter(lambda record: not getattr(record, "is_printed", False))  # by an app's own process
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    flower = logging.getLogger("flwr")
    flower.handlers = []  # it brings one of its own
    flower.propagate = True
    flower.setLevel(flower_level)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def report_uncaught() -> None:
    """Log what ends a thread, or comes up where nobody can catch it: Python prints it at best.

    The latter may be in a destructor, which runs in the middle of whatever a thread does, even of logging. So
    it is only put down there (SimpleQueue allows for that), and logged in a thread of its own.
    """
    put_down: queue.SimpleQueue[tuple[str, BaseException]] = queue.SimpleQueue()

    def in_thread(failure: threading.ExceptHookArgs) -> None:
        if failure.exc_value is not None:
            name = failure.thread.name if failure.thread is not None else "?"
            log.error("the thread %s ended", name, exc_info=failure.exc_value)

    def nowhere(failure: sys.UnraisableHookArgs) -> None:
        if failure.exc_value is not None:
            put_down.put((failure.err_msg or "an error that nobody caught", failure.exc_value))

    def report() -> None:
        while True:
            message, error = put_down.get()
            log.error("%s", message, exc_info=error)

    threading.excepthook = in_thread
    sys.unraisablehook = nowhere
    threading.Thread(target=report, name="uncaught", daemon=True).start()


def level_name(level: int) -> LevelName:
    """A logging level as FedLoom names it."""
    if level >= logging.ERROR:
        return "error"
    if level >= logging.WARNING:
        return "warning"
    return "info" if level >= logging.INFO else "debug"


def traceback_of(record: logging.LogRecord) -> str | None:
    """The traceback of a record that was logged with an exception, here or in an app's process."""
    if record.exc_info and record.exc_info[1] is not None:
        return traceback_text(record.exc_info[1])
    return getattr(record, "traceback", None)  # of another process, which had the exception


class _Formatter(logging.Formatter):
    """`12:41:07 client-1  warning: the text`; the level is named from warning up."""

    def __init__(self, source: str) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._source = source

    def format(self, record: logging.LogRecord) -> str:
        level = level_name(record.levelno)
        mark = f"{level}: " if record.levelno >= logging.WARNING else ""
        line = f"{self.formatTime(record, self.datefmt)} {self._source:<9} {mark}{record.getMessage()}"
        trace = traceback_of(record)
        return f"{line}\n{trace.rstrip()}" if trace else line

"""What a FedLoom process says on its terminal, and how log records are named everywhere."""

from __future__ import annotations

import argparse
import json
import logging
import queue
import sys
import threading
from datetime import UTC, datetime
from typing import Literal

from shared.error_text import traceback_text

log = logging.getLogger(__name__)

LevelName = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]

SERVER = "server"
DASHBOARD = "dashboard"
"""The sources of what no client logs."""


def add_log_format_flag(parser: argparse._ActionsContainer) -> None:
    """The flag that says how this process logs on its terminal."""
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="how the log is written to standard error: for people, or as one JSON object a line with time, "
        "level, logger, message, run, client and traceback (%(default)s)",
    )


def configure_logging(
    source: str, flower_level: int = logging.WARNING, log_format: LogFormat = "text"
) -> None:
    """Log from INFO up to the terminal, each line with the time and `source`: a client's id, SERVER or
    DASHBOARD.

    Flower itself reports every step of a round at INFO. FedLoom says that in its own words, but the strategy
    of another Flower app says there what nobody else knows: `flower_level` is for that.
    """
    handler = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        handler.setFormatter(_JsonFormatter(source))
    else:
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
    leave_requests_out()


def leave_requests_out() -> None:
    """Keep each HTTP request, of which there may be several a second, out of the log: its address may hold
    what is secret."""
    for library in ("httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.WARNING)


def logs_json() -> bool:
    """Whether each line on standard error is to be a JSON object: then nothing else may be written there."""
    return any(isinstance(handler.formatter, _JsonFormatter) for handler in logging.getLogger().handlers)


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


class _JsonFormatter(logging.Formatter):
    """One object a line. `run` and `client` are null where they are not known, `traceback` where there is
    none; the time is that of RFC 3339, in UTC."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._client = None if source in (SERVER, DASHBOARD) else source

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps(
            {
                "time": time.replace("+00:00", "Z"),
                "level": level_name(record.levelno),
                "logger": record.name,
                "message": record.getMessage(),
                "run": getattr(record, "run_id", None),
                "client": self._client,
                "traceback": traceback_of(record),
            }
        )

"""What a process says on its terminal."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections import deque
from collections.abc import Iterator

import pytest

from app.event_bus import EventBus
from app.log_feed import EventLogHandler
from app.records import LogRecord
from shared.console import configure_logging, level_name, report_uncaught, traceback_of
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, flower = logging.getLogger(), logging.getLogger("flwr")
    before = root.handlers[:], root.level, flower.handlers[:], flower.propagate, flower.level
    yield
    root.handlers, root.level, flower.handlers, flower.propagate, flower.level = before


@pytest.mark.parametrize(
    ("level", "name"),
    [(5, "debug"), (10, "debug"), (20, "info"), (25, "info"), (30, "warning"), (40, "error"), (50, "error")],
)
def test_levels_have_four_names(level: int, name: str) -> None:
    assert level_name(level) == name


def test_a_line_says_when_who_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("client-1")
    logging.getLogger("x").info("hello %s", "you")
    logging.getLogger("x").warning("careful")
    logging.getLogger("x").debug("not shown")

    info, warning = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d client-1  hello you", info)
    assert re.fullmatch(r"\d\d:\d\d:\d\d client-1  warning: careful", warning)


def test_an_exception_is_shown_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("server")
    try:
        raise ValueError("it broke")
    except ValueError:
        logging.getLogger("x").exception("a run failed")

    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("error: a run failed")
    assert lines[-1] == "ValueError: it broke"


def test_flower_speaks_up_only_from_warning(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("server")
    logging.getLogger("flwr").info("a step")
    logging.getLogger("flwr").warning("a problem")

    assert [line.endswith("warning: a problem") for line in capsys.readouterr().err.splitlines()] == [True]


def test_a_record_without_an_exception_has_no_traceback() -> None:
    def record(exc_info: object) -> logging.LogRecord:
        return logging.LogRecord("x", logging.ERROR, __file__, 1, "m", None, exc_info)  # type: ignore[arg-type]

    assert traceback_of(record(None)) is None
    assert traceback_of(record(sys.exc_info())) is None


class Failing:
    """Cannot be destroyed without an error."""

    def __del__(self) -> None:
        raise ValueError("in the destructor")


def test_an_error_in_a_destructor_is_logged_also_when_it_comes_up_in_the_middle_of_logging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A destructor runs wherever the garbage collector happens to be called, with whatever lock is held."""
    bus = EventBus()
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(bus, "_logs", Collecting())
    logging.getLogger().addHandler(EventLogHandler(bus))
    report_uncaught()

    publishing = threading.Thread(
        target=bus.publish,
        args=[LogRecord(level="info", source="server", logger="a", message="b")],
        daemon=True,
    )
    publishing.start()
    publishing.join(10)

    assert not publishing.is_alive(), "it waits for a lock that it holds itself"
    wait_until(lambda: bus.last == 2, "the error is on the bus")


class Collecting(deque[object]):
    """Where the bus keeps log records: the first one sets off a destructor that fails."""

    def append(self, item: object) -> None:
        if not self:
            Failing()
        super().append(item)

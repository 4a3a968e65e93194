"""What a process says on its terminal."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
from collections import deque
from datetime import datetime

import httpx
import pytest

from app.event_bus import EventBus
from app.log_feed import EventLogHandler
from app.records import LogRecord
from shared.console import (
    SERVER,
    configure_logging,
    leave_requests_out,
    level_name,
    logs_json,
    report_uncaught,
    traceback_of,
)
from tests.support.waiting import wait_until


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


def test_as_json_each_line_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("client-1", log_format="json")
    before = time.time()
    logging.getLogger("x").info("hello\n%s", "ünicode", extra={"run_id": "7f3a9c01"})
    try:
        raise ValueError("it broke")
    except ValueError:
        logging.getLogger("y").exception("it failed")
    logging.getLogger("z").info("printed by an app", extra={"is_printed": True})

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [set(line) for line in lines] == [
        {"time", "level", "logger", "message", "run", "client", "traceback"} for _ in range(3)
    ]
    told, failed, printed = lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["time"])
    assert abs(datetime.fromisoformat(told["time"]).timestamp() - before) < 60
    assert (told["level"], told["logger"], told["message"]) == ("info", "x", "hello\nünicode")
    assert (told["run"], told["client"], told["traceback"]) == ("7f3a9c01", "client-1", None)
    assert (failed["level"], failed["run"]) == ("error", None)
    assert failed["traceback"].rstrip().endswith("ValueError: it broke")
    assert printed["message"] == "printed by an app"
    assert logs_json()


def test_the_servers_lines_are_no_clients(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(SERVER, log_format="json")
    logging.getLogger("x").warning("careful")

    assert json.loads(capsys.readouterr().err)["client"] is None


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


def test_requests_are_not_in_the_log_once_they_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200)))
    with caplog.at_level(logging.INFO, logger="httpx"):
        client.post("http://superlink/v1")
        assert "HTTP Request" in caplog.text, "what this test looks for is still what httpx says"
        caplog.clear()

        leave_requests_out()
        client.post("http://superlink/v1")

    assert not caplog.records

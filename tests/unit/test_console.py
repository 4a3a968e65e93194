"""What a process says on its terminal."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator

import pytest

from shared.console import configure_logging, level_name, traceback_of


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

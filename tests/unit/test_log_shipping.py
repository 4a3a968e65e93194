"""A client's log lines reach the link as text that fits into a frame, whatever is logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from client.log_shipping import LinkLogHandler
from shared.proto.link_pb2 import ClientFrame, LogLine
from shared.wire import MAX_LOG_TEXT


class Unprintable(Exception):
    def __str__(self) -> str:
        raise SystemExit


@pytest.fixture
def lines() -> list[LogLine]:
    return []


@pytest.fixture
def logger(lines: list[LogLine]) -> Iterator[logging.Logger]:
    handler = LinkLogHandler(lines.append)
    logger = logging.getLogger("B\udce4r")
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


def test_text_that_is_no_utf_8_is_shown_as_far_as_it_can_be(
    logger: logging.Logger, lines: list[LogLine]
) -> None:
    try:
        raise OSError("/data/B\udce4r.csv")
    except OSError:
        logger.exception("cannot read %s", "/data/B\udce4r.csv")

    (line,) = lines
    assert ClientFrame(log=line).SerializeToString()
    assert (line.logger, line.message) == ("B\ufffdr", "cannot read /data/B\ufffdr.csv")
    assert line.traceback.rstrip().endswith("OSError: /data/B\ufffdr.csv")


def test_an_error_that_cannot_be_shown_is_named(logger: logging.Logger, lines: list[LogLine]) -> None:
    try:
        raise Unprintable
    except Unprintable:
        logger.exception("it failed")

    assert lines[0].traceback.rstrip().endswith("Unprintable: <exception str() failed>")


def test_long_text_is_cut(logger: logging.Logger, lines: list[LogLine]) -> None:
    logger.warning("x" * (MAX_LOG_TEXT + 1))

    assert lines[0].message == "x" * MAX_LOG_TEXT

"""The edge of the web application: what is an error of the server, and what a page that went away."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Any

import pytest

from app.web.edge import WebEdge


def failing(_environ: Any, _start: Any) -> Iterable[bytes]:
    raise OSError(errno.EBADF, "Bad file descriptor")


def environ(path: str) -> dict[str, Any]:
    return {"REQUEST_METHOD": "GET", "PATH_INFO": path}


def test_a_page_that_went_away_while_it_was_told_something_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ConnectionAbortedError):
        WebEdge(failing)(environ("/socket.io/"), lambda *_: lambda _: None)

    assert not caplog.records


def test_the_same_anywhere_else_is_one(caplog: pytest.LogCaptureFixture) -> None:
    answered: list[str] = []

    WebEdge(failing)(environ("/api/v1/runs"), lambda status, *_: answered.append(status))  # type: ignore[arg-type]

    assert answered == ["500 INTERNAL SERVER ERROR"]
    assert "GET /api/v1/runs failed" in caplog.text

"""Whatever an error does when it is asked what it says, its type is told, as text that can be shown."""

from __future__ import annotations

from typing import Any

import pytest

from shared.error_text import error_text, traceback_text


class Panic(BaseException):
    """As a library in Rust raises it."""


class Unprintable(Exception):
    def __init__(self, raised: BaseException) -> None:
        super().__init__()
        self._raised = raised

    def __str__(self) -> str:
        raise self._raised

    __repr__ = __str__


class Unreadable(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise Panic


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001
        return caught


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no"), "ValueError: no"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (OSError("/data/B\udce4r.csv"), "OSError: /data/B\ufffdr.csv"),
        (Unprintable(ValueError()), "Unprintable: its message cannot be shown"),
        (Unprintable(Panic()), "Unprintable: its message cannot be shown"),
        (Unprintable(KeyboardInterrupt()), "Unprintable: its message cannot be shown"),
    ],
)
def test_an_error_in_a_line(error: BaseException, text: str) -> None:
    assert error_text(error) == text


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no"), "ValueError: no"),
        (OSError("/data/B\udce4r.csv"), "OSError: /data/B\ufffdr.csv"),
        (Unprintable(Panic()), "Unprintable: <exception str() failed>"),
    ],
)
def test_an_error_with_its_traceback(error: BaseException, line: str) -> None:
    text = traceback_text(raised(error))

    assert text.startswith("Traceback (most recent call last):\n")
    assert text.rstrip().endswith(line)


def test_an_error_whose_traceback_cannot_be_had_is_named() -> None:
    assert traceback_text(raised(Unreadable("x"))).endswith("Unreadable: x")

"""The line of a traceback that people are shown."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import NoReturn

import pytest
from pydantic import BaseModel

from shared.error_line import MAX_LINE, error_line, error_of


def _traceback_of(function: Callable[[], object]) -> str:
    try:
        function()
    except Exception:  # noqa: BLE001 - whatever it is
        return traceback.format_exc()
    raise AssertionError("nothing was raised")


def _chained() -> NoReturn:
    try:
        raise KeyError("cause")
    except KeyError as error:
        raise OSError("the disk is full") from error


def _with_notes() -> NoReturn:
    error = ValueError("first line\nsecond line")
    error.add_note("while training")
    raise error


def _group() -> NoReturn:
    noted = KeyError("lr")
    noted.add_note("of client-3")
    try:
        _with_notes()
    except ValueError as raised:
        members = [raised, noted, ExceptionGroup("inner", [OSError("gone")])]
        raise ExceptionGroup("training failed", members) from None


def _after_a_group() -> NoReturn:
    try:
        _group()
    except ExceptionGroup:
        raise RuntimeError("gave up")  # noqa: B904 - so that "During handling" is printed


def _validation() -> None:
    class Model(BaseModel):
        lr: float

    Model.model_validate({"lr": "x"})


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (lambda: 1 // 0, "ZeroDivisionError: integer division or modulo by zero"),
        (_chained, "OSError: the disk is full"),
        (_with_notes, "ValueError: first line"),
        (lambda: compile("x =", "file.py", "exec"), "SyntaxError: invalid syntax"),
        (_after_a_group, "RuntimeError: gave up"),
        (_validation, "pydantic_core._pydantic_core.ValidationError: 1 validation error for Model"),
    ],
    ids=["plain", "chained", "notes", "syntax", "after a group", "many lines"],
)
def test_the_exception_is_named_and_not_what_stands_after_it(
    function: Callable[[], object], line: str
) -> None:
    assert error_line(_traceback_of(function)) == line


def test_the_members_of_an_exception_group_are_named_and_not_the_box_around_them() -> None:
    assert error_line(_traceback_of(_group)) == (
        "ExceptionGroup: training failed (3 sub-exceptions): "
        "ValueError: first line; KeyError: 'lr'; ExceptionGroup: inner (1 sub-exception)"
    )


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("client-3 was lost", "client-3 was lost"),
        ("two\nlines\n", "lines"),
        ("cut off:\n  | ValueError: x\n  +----------", "ValueError: x"),
        ("", "no reason given"),
        (" \n+---\n", "no reason given"),
    ],
)
def test_of_any_other_text_the_last_line_with_words_counts(reason: str, line: str) -> None:
    assert error_line(reason) == line


def test_a_long_line_is_cut() -> None:
    assert len(error_line("x" * 10_000)) == MAX_LINE


class Unprintable(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt

    __repr__ = __str__


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no such file\nreally"), "ValueError: no such file"),
        (KeyError("x"), "KeyError: 'x'"),
        (MemoryError(), "MemoryError"),
        (OSError("\udce4 is no folder"), "OSError: \ufffd is no folder"),
        (Unprintable("secret"), "Unprintable: its message cannot be shown"),
    ],
)
def test_any_exception_has_a_line(error: BaseException, line: str) -> None:
    assert error_of(error) == line

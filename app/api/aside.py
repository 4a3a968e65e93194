"""What takes longer than a web thread has is done in another: under eventlet all else would stand still."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

from flask import current_app

LOOK_S = 0.01

SLEEP = "fedloom-sleep"
"""Among an app's extensions: how threads of its web server wait, as `app/web/servers.py` puts it down."""

T = TypeVar("T")
Sleep = Callable[[float], None]


def aside(work: Callable[[], T]) -> T:
    """What `work` returns or raises, done in a thread of its own."""
    with ThreadPoolExecutor(1) as executor:
        return outcome(executor.submit(work))


def outcome(future: Future[T]) -> T:
    """What was, or will be, made in another thread, once it is."""
    return outcome_of(web_sleep(), future)


def outcome_of(sleep: Sleep, future: Future[T]) -> T:
    """The same outside of a request that Flask handles."""
    while not future.done():
        sleep(LOOK_S)
    return future.result()


def web_sleep() -> Sleep:
    """How a thread of the web server waits, and lets the others go on."""
    return cast(Sleep, current_app.extensions[SLEEP])

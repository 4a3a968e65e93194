"""An asyncio loop in a thread: it outlasts whatever is raised in it, and ends when it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.federation.link.loop_thread import LoopThread

LIMIT_S = 2.0


class Panic(BaseException):
    """As a library in Rust raises it."""


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    thread = LoopThread("test")
    thread.start()
    yield thread
    thread.stop()


def caught_up(loop: LoopThread) -> bool:
    """Whether the thread does what it is asked to."""
    done = threading.Event()
    loop.post(done.set)
    return done.wait(LIMIT_S)


def test_what_is_posted_happens_in_order_in_its_thread(loop: LoopThread) -> None:
    seen: list[int] = []
    names: set[str] = set()
    for number in range(100):
        loop.post(seen.append, number)
    loop.post(lambda: names.add(threading.current_thread().name))

    assert caught_up(loop)
    assert seen == list(range(100))
    assert names == {"test"}


def test_a_coroutine_gives_its_result_or_its_error(loop: LoopThread) -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        if number < 0:
            raise ValueError("no")
        return 2 * number

    assert loop.run(double(4)) == 8
    with pytest.raises(ValueError, match="no"):
        loop.run(double(-1))


@pytest.mark.parametrize(
    "error", [ValueError, Panic, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError]
)
@pytest.mark.parametrize("by", ["a posted function", "a task", "a callback"])
def test_the_thread_outlasts_what_is_raised_in_it(
    loop: LoopThread, by: str, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise error

    async def failing() -> None:
        fail()

    tasks = []
    match by:
        case "a posted function":
            loop.post(fail)
        case "a task":
            loop.post(lambda: tasks.append(asyncio.get_running_loop().create_task(failing())))
        case _:
            loop.post(lambda: asyncio.get_running_loop().call_soon(fail))
    loop.post(lambda: None)

    assert caught_up(loop)
    assert caught_up(loop)
    assert loop.is_alive
    if by != "a task":
        assert error.__name__ in caplog.text


def test_who_posts_to_a_thread_that_has_ended_is_not_told_off() -> None:
    thread = LoopThread("test")
    thread.start()
    thread.stop()

    thread.post(lambda: None)

    assert not thread.is_alive

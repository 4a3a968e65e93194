"""A ServerApp in its own thread: its errors are the run's, and a run ends also without its help."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from flwr.supercore.run import RunNotRunningException

from app.federation.grid.inbox import Inbox
from app.federation.grid.link_grid import LinkGrid
from app.federation.runs import app_thread
from app.federation.runs.app_thread import AppThread
from shared.errors import RunStopped
from tests.unit.test_grid import RUN_ID, FakeLink, FakeOwner, Watching


@pytest.fixture
def grid() -> LinkGrid:
    return LinkGrid(FakeLink(), RUN_ID, FakeOwner(), Watching())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_thread, "PATIENCE_S", 0.05)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Set at the end, so that no thread stays behind."""
    event = threading.Event()
    yield event
    event.set()


def test_it_returns_when_the_app_is_done(grid: LinkGrid) -> None:
    threads = []

    AppThread(lambda: threads.append(threading.current_thread()), grid).run()

    assert len(threads) == 1
    assert threads != [threading.current_thread()]


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("x")])
def test_the_apps_error_is_the_runs(grid: LinkGrid, error: Exception) -> None:
    def broken() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        AppThread(broken, grid).run()
    assert caught.value is error


def test_an_app_that_exits_has_ended(grid: LinkGrid) -> None:
    AppThread(lambda: sys.exit(0), grid).run()
    AppThread(sys.exit, grid).run()
    with pytest.raises(RuntimeError, match=r"sys\.exit\(3\)"):
        AppThread(lambda: sys.exit(3), grid).run()


class EndOfApp(BaseException):
    """What a library raises where nobody should catch it."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (asyncio.CancelledError("too long"), "CancelledError: too long"),
        (GeneratorExit(), "GeneratorExit"),
        (EndOfApp("enough"), "EndOfApp: enough"),
    ],
)
def test_what_would_end_the_run_thread_is_an_error_of_the_app(
    grid: LinkGrid, error: BaseException, words: str
) -> None:
    def broken() -> None:
        raise error

    with pytest.raises(RuntimeError, match=f"The app ended by {words}$") as caught:
        AppThread(broken, grid).run()
    assert caught.value.__cause__ is error


def test_an_app_that_ends_by_what_cannot_say_why_has_failed_all_the_same(grid: LinkGrid) -> None:
    class Mute(BaseException):
        def __str__(self) -> str:
            raise self

    def broken() -> None:
        raise Mute

    with pytest.raises(RuntimeError, match="The app ended by Mute: "):
        AppThread(broken, grid).run()


def test_an_app_that_was_stopped_and_says_nothing_of_it_has_not_completed(
    grid: LinkGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread hears of the stop, and ends, while the run thread is between two looks."""
    run_thread = threading.current_thread()
    go, told = threading.Event(), threading.Event()
    real = cast(Any, Inbox.version).fget

    def version(inbox: Inbox) -> int:
        if threading.current_thread() is run_thread and not go.is_set():
            go.set()
            for thread in threading.enumerate():
                if thread.name == "app":
                    thread.join(5)
        return int(real(inbox))

    def quiet() -> None:  # as the threads of Flower's older style are
        go.wait(5)
        grid.stop("stopped by request")
        try:
            grid.get_node_ids()
        except RunStopped:
            told.set()

    monkeypatch.setattr(Inbox, "version", property(version))
    with pytest.raises(RunStopped, match="stopped by request"):
        AppThread(quiet, grid).run()
    assert told.is_set()


def test_an_app_that_does_not_notice_is_left_behind(
    grid: LinkGrid, release: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    ended = threading.Event()

    def deaf() -> None:
        release.wait(10)
        try:
            grid.get_node_ids()
        except RunStopped:
            ended.set()

    grid.stop("stopped by request")
    with pytest.raises(RunStopped, match="stopped by request"):
        AppThread(deaf, grid).run()

    assert "goes on until its next message" in caplog.text
    release.set()
    assert ended.wait(10), "its next message is not sent"


def test_an_app_that_notices_is_waited_for(grid: LinkGrid, caplog: pytest.LogCaptureFixture) -> None:
    grid.stop("stopped by request")

    with pytest.raises(RunStopped):
        AppThread(lambda: grid.wait_until(lambda: False), grid).run()

    assert not caplog.records


def test_flowers_own_threads_end_quietly_when_the_run_is_stopped(grid: LinkGrid) -> None:
    grid.end("the run is over")

    with pytest.raises(RunNotRunningException):
        grid.get_node_ids()

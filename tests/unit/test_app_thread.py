"""A ServerApp in its own thread: its errors are the run's, and a run ends also without its help."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import cast

import pytest
from flwr.supercore.run import RunNotRunningException

from app.federation import app_thread
from app.federation.app_thread import AppThread
from app.federation.grid import LinkGrid
from app.federation.link_server import LinkServer
from shared.errors import RunStopped
from tests.unit.test_grid import RUN_ID, FakeHost, FakeLink, Watching


@pytest.fixture
def grid() -> LinkGrid:
    return LinkGrid(cast(LinkServer, FakeLink()), RUN_ID, FakeHost(), Watching())


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

"""An app's process imports the app, answers, says what becomes of it, and leaves nothing behind."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from shared.app_process import AppProcess
from shared.errors import AppDied
from shared.flower_app import read_app
from tests.support.apps import APPS, CLIENT_APP, write_app
from tests.support.processes import wait_until_gone

Start = Callable[..., AppProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the process of an app whose ClientApp is this text."""
    with ExitStack() as ending:

        def start(client_app: str) -> AppProcess:
            app = read_app(write_app(tmp_path / "app", "pkg", client_app=client_app))
            return ending.enter_context(AppProcess.start(app, app.folder, "client", cwd=tmp_path))

        yield start


@pytest.mark.parametrize("name", ["quickstart-numpy"])
def test_it_loads_an_app_and_leaves_when_it_is_told(name: str) -> None:
    app = read_app(APPS / name)

    with AppProcess.start(app, app.folder, "client", cwd=Path.cwd()) as process:
        assert process.load().device == "cpu"
        family = psutil.Process().children(recursive=True)
        process.end(grace_s=20)

        assert not process.is_alive
        with pytest.raises(AppDied, match="it left by itself"):
            process.receive()
    wait_until_gone(family, 5)


def test_a_crash_is_said_in_words(start: Start) -> None:
    process = start("import os\nos.kill(os.getpid(), 11)\n" + CLIENT_APP)

    with pytest.raises(AppDied, match=signal.SIGSEGV.name):
        process.load()

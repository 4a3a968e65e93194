"""Nothing of an app outlives it or FedLoom, whatever the app has started, and what it prints hurts nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.app_host import AskedApp, a_message
from tests.support.processes import END_TIMEOUT_S, ROOT, Command, app_family, wait_until_gone
from tests.support.waiting import wait_until

NOTE = """
def note():
    with open("pids", "a") as file:
        file.write(f"{os.getpid()}\\n")

def never_end():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    note()
    while True:
        time.sleep(600)
"""

CHILDREN = {
    "twenty that never end": (20, "for _ in range(20):\n        if not os.fork(): never_end()"),
    "one in a session of its own": (1, "if not os.fork():\n        os.setsid(); never_end()"),
    "one whose parent has left": (
        1,
        "child = os.fork()\n    if not child:\n        os.setsid()\n"
        "        if not os.fork(): never_end()\n        os._exit(0)\n    os.waitpid(child, 0)",
    ),
    "one that was stopped": (
        1,
        "child = os.fork()\n    if not child: never_end()\n"
        "    time.sleep(0.5)\n    os.kill(child, signal.SIGSTOP)",
    ),
    "one that starts others": (
        1,
        "if not os.fork():\n        os.setsid(); note()\n"
        "        while True:\n"
        "            if os.fork(): os._exit(0)\n"
        "            os.setsid(); time.sleep(0.001)",
    ),
    "the workers of a DataLoader": (
        2,
        "from torch.utils.data import DataLoader\n"
        "    loader = DataLoader(\n"
        "        list(range(8)), num_workers=2, persistent_workers=True, worker_init_fn=lambda _: note()\n"
        "    )\n"
        "    list(loader)",
    ),
    "a worker of multiprocessing": (1, "multiprocessing.Process(target=never_end, daemon=True).start()"),
}


def app_with(children: str, then: str) -> str:
    return f"{NOTE}\n@app.query()\ndef query(msg, context):\n    {children}\n    {then}\n"


def noted(folder: Path, number: int) -> list[int]:
    """The ids of so many children, once they have all noted their own."""
    file = folder / "app" / "pids"

    def look() -> list[int] | None:
        ids = [int(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []
        return ids if len(ids) == number else None

    return wait_until(look, f"{number} children are there")


def working_in(folder: Path) -> list[psutil.Process]:
    """All processes that work in a folder: an app's and whatever it has started."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(folder):
                found.append(process)
        except psutil.Error:  # it has ended, or is somebody else's
            continue
    return found


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[list[AskedApp]]:
    """Apps that the test has started."""
    started: list[AskedApp] = []
    yield started
    for each in started:
        each.process.close()


@pytest.mark.parametrize("children", CHILDREN)
def test_children_end_with_an_app_that_is_killed(
    asked: list[AskedApp], tmp_path: Path, children: str
) -> None:
    number, code = CHILDREN[children]
    asked.append(AskedApp(app_with(code, "time.sleep(600)"), tmp_path / "app"))
    asked[0].load()
    asked[0].tell(a_message())
    noted(tmp_path, number)

    asked[0].process.kill()

    assert asked[0].process.wait(15)
    wait_until(lambda: not working_in(tmp_path / "app"), "nothing of the app is left", 5)


def test_children_end_with_an_app_that_ends_and_keep_nobody_waiting(
    asked: list[AskedApp], tmp_path: Path
) -> None:
    number, code = CHILDREN["one in a session of its own"]
    asked.append(AskedApp(app_with(code, "return answer(msg, a=1)"), tmp_path / "app"))
    asked[0].load()
    assert asked[0].query() == {"a": 1}
    noted(tmp_path, number)  # it holds the pipes of stdout and stderr

    asked[0].process.end(grace_s=10)

    wait_until(lambda: not working_in(tmp_path / "app"), "nothing of the app is left", 5)


@pytest.mark.parametrize("children", ["twenty that never end", "one whose parent has left"])
@pytest.mark.parametrize("is_paused", [False, True])
def test_nothing_of_an_app_outlives_a_fedloom_that_is_killed(
    tmp_path: Path, children: str, is_paused: bool
) -> None:
    number, code = CHILDREN[children]
    (tmp_path / "app.py").write_text(app_with(code, "time.sleep(600)"), encoding="utf-8")
    owner = Command("-m tests.support.app_owner", str(tmp_path), home=tmp_path)
    noted(tmp_path, number)
    family = owner.family()
    assert len(family) >= 3, "it, the warden, and the app"
    if is_paused:
        for process in working_in(tmp_path / "app"):
            process.suspend()

    owner.signal(signal.SIGKILL)
    owner.process.wait()

    wait_until(lambda: not working_in(tmp_path / "app"), "nothing of the app is left", 15)
    wait_until_gone(family)
    owner.end()


def test_nothing_of_an_app_outlives_its_warden(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(app_with("note()", "time.sleep(600)"), encoding="utf-8")
    owner = Command("-m tests.support.app_owner", str(tmp_path), home=tmp_path)
    (app_id,) = noted(tmp_path, 1)
    app = psutil.Process(app_id)
    warden = app.parent()
    assert warden is not None

    warden.kill()

    wait_until_gone([app, warden])
    assert owner.wait_for_exit(END_TIMEOUT_S) == 1
    assert "AppDied: Its process is gone" in owner.output


def test_ctrl_c_in_the_terminal_is_fedlooms_affair(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(app_with("note()", "time.sleep(600)"), encoding="utf-8")
    owner = Command("-m tests.support.app_owner", str(tmp_path), home=tmp_path)
    (app_id,) = noted(tmp_path, 1)
    app = psutil.Process(app_id)
    warden = app.parent()
    assert warden is not None

    groups = {os.getpgid(process.pid) for process in (app, warden, psutil.Process(owner.process.pid))}
    sessions = {os.getsid(process.pid) for process in (app, warden, psutil.Process(owner.process.pid))}

    assert len(groups) == len(sessions) == 3
    owner.end()
    wait_until_gone([app, warden])


FLOOD = """
@app.query()
def query(msg, context):
    line = "x" * 999 + "\\n"
    for _ in range(200):
        sys.stdout.write(line * 1000)
    return answer(msg, a=1)
"""


def test_an_app_that_prints_without_end_fills_nobodys_memory_or_log(
    asked: list[AskedApp], tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    asked.append(AskedApp(FLOOD, tmp_path / "app"))
    asked[0].load()
    warden = app_family()[0]
    assert asked[0].query() == {"a": 1}

    assert warden.memory_info().rss < 64 << 20
    asked[0].process.end(grace_s=20)

    lines = [record.getMessage() for record in caplog.records if record.name == "app"]
    assert len(lines) < 20_000
    assert any("more lines are left out here" in line for line in lines)
    assert max(map(len, lines)) == 999
    assert capfd.readouterr().out.count("\n") > 1_000, "the terminal has as much as it takes"


def test_a_terminal_that_nobody_reads_does_not_hold_an_app_up(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "@app.query()\ndef query(msg, context):\n"
        "    print('x' * 5_000_000)\n    Path('done').touch()\n    time.sleep(600)\n",
        encoding="utf-8",
    )
    owner = subprocess.Popen(
        [sys.executable, "-m", "tests.support.app_owner", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_until((tmp_path / "app" / "done").exists, "the app goes on", 60)
    finally:
        owner.kill()
        owner.communicate()
    wait_until(lambda: not working_in(tmp_path / "app"), "nothing of the app is left", 15)

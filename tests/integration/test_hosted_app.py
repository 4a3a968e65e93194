"""Whatever an app does in its process, each message is answered or given up, and the next one as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.app_process import AppProcess
from shared.proto.link_pb2 import Assignment
from tests.support.app_host import RUN_ID
from tests.support.hosted_app import HostedClient
from tests.support.processes import app_family, wait_until_gone
from tests.support.waiting import wait_until

Start = Callable[[str], HostedClient]

COUNTING = """
calls = 0

@app.query()
def query(msg, context):
    global calls
    calls += 1
    kept = context.state.setdefault("kept", MetricRecord({"calls": 0}))
    kept["calls"] += 1
    INSERT
    return answer(msg, calls=calls, kept=kept["calls"])
"""
"""Counts the calls in this process, and those whose state was kept."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as ending:

        def start(client_app: str) -> HostedClient:
            client = HostedClient(tmp_path / "app", client_app)
            ending.callback(client.close)
            return client

        yield start


def counting(line: str) -> str:
    return COUNTING.replace("INSERT", line)


def wait_for_file(path: Path) -> None:
    wait_until(path.exists, f"the app has written {path.name}")


def test_a_crash_is_the_failure_of_one_message_and_the_state_goes_on(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    client = start(
        counting(
            "if kept['calls'] == 2 and not Path('was').exists():\n        Path('was').touch(); os.abort()"
        )
    )
    assert client.ask() == {"calls": 1, "kept": 1}

    assert "it aborted" in client.error()

    assert client.ask() == {"calls": 1, "kept": 2}
    assert "query failed: Its process ended: it aborted" in caplog.text
    assert len(client.processes) == 2


def test_a_process_that_ended_between_two_messages_costs_none(start: Start) -> None:
    client = start(counting(""))
    client.ask()

    client.processes[0].kill()
    assert client.processes[0].wait(10)

    assert client.ask() == {"calls": 1, "kept": 2}


def test_a_process_that_is_about_to_end_is_not_asked(start: Start) -> None:
    client = start(counting(""))
    client.ask()
    client.processes[0].pause(True)

    client.processes[0].kill()

    assert client.ask() == {"calls": 1, "kept": 2}


@pytest.mark.parametrize("when", ["it works", "it is loaded again"])
def test_an_app_that_the_client_ends_has_not_failed(
    when: str, start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    busy = "Path('busy').touch(); time.sleep(600)"
    client = start(
        "if Path('loaded').exists():\n    Path('again').touch(); time.sleep(600)\nPath('loaded').touch()\n"
        + counting(busy if when == "it works" else "")
    )
    if when == "it works":
        client.tell()
        wait_for_file(tmp_path / "app" / "busy")
    else:
        client.ask()
        client.runtime.stay_in(0)
        wait_for_file(tmp_path / "app" / "again")

    client.close()

    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
    assert "killed" not in caplog.text


def test_every_run_gets_a_process_of_its_own(start: Start) -> None:
    client = start(counting(""))

    seen = []
    for run_id in (RUN_ID, 8, 9):
        client.assign(run_id)
        seen += [client.ask(run_id)["calls"], client.ask(run_id)["kept"]]
    assert seen == [1, 2] * 3
    assert len(client.processes) == 3, "the first was there before the first run"
    client.runtime.stay_in(0)
    wait_until(lambda: len(client.processes) == 4, "the process for the next run is started")
    assert [process.is_alive for process in client.processes] == [False, False, False, True]


def test_a_run_that_is_over_ends_an_app_that_never_listens(start: Start, tmp_path: Path) -> None:
    client = start(
        counting(
            "Path('busy').touch()\n"
            "    while kept['calls'] == 1 and context.run_id == 7:\n"
            "        try:\n"
            "            time.sleep(0)\n"
            "        except BaseException:\n"
            "            pass"
        )
    )
    work = client.tell()
    wait_for_file(tmp_path / "app" / "busy")

    client.runtime.cancel(work)
    client.runtime.stay_in(0)

    assert client.outcome()[0] == "released"
    client.assign(8)
    assert client.ask(8) == {"calls": 1, "kept": 1}


def test_a_message_that_is_not_wanted_any_more_may_be_finished(start: Start, tmp_path: Path) -> None:
    client = start(
        counting("Path('busy').touch()\n    while not Path('go').exists():\n        time.sleep(0.01)")
    )
    work = client.tell()
    wait_for_file(tmp_path / "app" / "busy")

    client.runtime.cancel(work)
    (tmp_path / "app" / "go").touch()

    assert client.outcome()[0] == "released"
    assert client.ask() == {"calls": 2, "kept": 2}, "the same process, which has what the app has loaded"


def test_an_app_that_does_not_finish_it_soon_is_replaced(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.hosted_app.GRACE_S", 0.2)
    client = start(
        counting("while kept['calls'] == 2 and not Path('go').exists():\n        Path('busy').touch()")
    )
    client.ask()
    work = client.tell()
    wait_for_file(tmp_path / "app" / "busy")

    client.runtime.cancel(work)
    assert client.outcome()[0] == "released"

    (tmp_path / "app" / "go").touch()
    assert client.ask() == {"calls": 1, "kept": 2}, "with the state of the last reply"


def test_a_paused_app_stands_still_and_one_that_is_given_up_meanwhile_ends(
    start: Start, tmp_path: Path
) -> None:
    client = start(
        counting("Path('busy').touch()\n    while kept['calls'] == 1 and context.run_id == 7:\n        pass")
    )
    work = client.tell()
    wait_for_file(tmp_path / "app" / "busy")
    client.runtime.pause(True)
    family = app_family()
    wait_until(lambda: any(each.status() == psutil.STATUS_STOPPED for each in family), "it is stopped")

    client.runtime.pause(False)
    client.runtime.pause(True)
    client.runtime.cancel(work)
    client.runtime.stay_in(0)

    assert client.outcome()[0] == "released"
    client.runtime.pause(False)
    client.assign(8)
    assert client.ask(8) == {"calls": 1, "kept": 1}


def test_a_message_of_another_run_is_a_failure_in_words(start: Start) -> None:
    client = start(counting(""))
    client.tell(99)

    kind, reason = client.outcome()

    assert kind == "failure"
    assert "a run in which it gave this client no place" in str(reason)
    assert client.ask() == {"calls": 1, "kept": 1}


def test_an_end_of_the_client_is_the_end_of_all_that_its_app_has_started(
    start: Start, tmp_path: Path
) -> None:
    client = start(
        counting(
            "for _ in range(3):\n"
            "        if not os.fork():\n"
            "            os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "            time.sleep(600)\n"
            "    Path('busy').touch()\n"
            "    time.sleep(600)"
        )
    )
    client.tell()
    wait_for_file(tmp_path / "app" / "busy")
    family = app_family()
    assert len(family) >= 5, "the warden, the app, and its children"

    client.close()

    wait_until_gone(family)


def test_an_app_is_not_told_its_place_again_when_only_others_come_or_go(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its state would travel with that each time."""
    client = start(counting("pass"))
    client.ask()
    told: list[str] = []
    send = AppProcess.send

    def noted(process: AppProcess, kind: str, *args: Any, **fields: Any) -> None:
        told.append(kind)
        send(process, kind, *args, **fields)

    monkeypatch.setattr(AppProcess, "send", noted)

    client.runtime.assign(Assignment(run_id=RUN_ID, run=f"{RUN_ID:016x}", clients=9))

    assert client.ask()["kept"] == 2
    assert told == ["execute"]

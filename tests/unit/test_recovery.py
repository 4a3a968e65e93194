"""What a server takes up of the runs that it finds, and what it leaves to one with another app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.federation.runs.recovery import Recovered, Recovery
from app.federation.runs.run_queue import RunQueue
from app.records import Cause, Pending, Run, RunState
from shared.flower_app import FlowerApp, read_app
from shared.run_spec import RunSpec
from tests.support.apps import write_app
from tests.support.records import a_run

OF_THE_APP = RunSpec(app="made-up", run_config={"lr": 0.1})
CUT = {"state": RunState.RUNNING, "started_at": 1.0}


class Servers:
    """One server after the other, with the same runs."""

    def __init__(self, *runs: Run) -> None:
        self.runs = list(runs)

    def start(self, app: FlowerApp | None, *, resume: bool = True) -> tuple[list[str], Recovered]:
        """The runs that this one takes up, in the order in which it does."""
        book = RunBook(EventBus(), self.runs)
        queue = RunQueue(book)
        recovered = Recovery(book, queue, app).recover(resume=resume)
        queue.close()
        self.runs = book.newest_first()[::-1]
        return list(iter(queue.take, None)), recovered

    def run(self, run_id: str) -> Run:
        return next(run for run in self.runs if run.id == run_id)


@pytest.fixture
def app(tmp_path: Path) -> FlowerApp:
    return read_app(write_app(tmp_path / "first", "made_up", config="lr = 0.5"))


def of_the_app(run_id: str, **fields: Any) -> Run:
    return a_run(run_id, spec=OF_THE_APP, **fields)


def test_what_was_cut_goes_before_what_was_queued(app: FlowerApp) -> None:
    servers = Servers(a_run("a"), a_run("b", **CUT))

    assert servers.start(None)[0] == ["b", "a"]


@pytest.mark.parametrize("resume", [True, False])
def test_queued_runs_of_an_app_wait_for_a_server_that_runs_it(app: FlowerApp, resume: bool) -> None:
    """Once, to start the server without --app made them fail for good."""
    servers = Servers(of_the_app("a"), a_run("b"), of_the_app("c"))

    for _ in range(2):
        taken, recovered = servers.start(None, resume=resume)
        assert taken == ["b"]
        assert [run.id for run in recovered.going_on] == ["b"]
        assert (servers.run("a").state, servers.run("a").cause) == (RunState.INTERRUPTED, Cause.APP)
        assert "the app 'made-up', which this server was not started with" in (servers.run("a").reason or "")
        servers.runs = [run if run.id != "b" else a_run("b") for run in servers.runs]

    servers.runs = [run for run in servers.runs if run.id != "b"]
    assert servers.start(app, resume=resume)[0] == ["a", "c"]
    gone_on = servers.run("a")
    assert (gone_on.state, gone_on.reason, gone_on.cause, gone_on.finished_at) == (
        RunState.QUEUED,
        None,
        None,
        None,
    )


def test_runs_of_the_built_in_app_wait_for_a_server_without_another(app: FlowerApp) -> None:
    servers = Servers(a_run("a"), a_run("b", **CUT), of_the_app("c"))

    assert servers.start(app)[0] == ["c"]
    assert [servers.run(run_id).cause for run_id in "ab"] == [Cause.APP, Cause.APP]
    assert "started without --app" in (servers.run("a").reason or "")

    servers.runs = servers.runs[:2]
    assert servers.start(None)[0] == ["b", "a"]


def test_a_run_takes_its_app_as_it_is_when_it_begins(app: FlowerApp, tmp_path: Path) -> None:
    newer = read_app(
        write_app(tmp_path / "second", "made_up", version="2.0.0", config="lr = 0.5\nepochs = 1")
    )
    assert newer.digest != app.digest

    assert Servers(of_the_app("a")).start(newer)[0] == ["a"]


def test_a_run_that_its_app_no_longer_takes_waits_for_one_that_does(app: FlowerApp, tmp_path: Path) -> None:
    newer = read_app(write_app(tmp_path / "second", "made_up", config="epochs = 1"))
    servers = Servers(of_the_app("a"))

    assert servers.start(newer)[0] == []
    run = servers.run("a")
    assert (run.state, run.cause, run.can_resume) == (RunState.INTERRUPTED, Cause.APP, True)
    assert "has no 'lr' in its run config" in (run.reason or "")

    assert servers.start(app)[0] == ["a"]


def test_a_run_that_was_paused_is_so_again_after_a_server_with_another_app(app: FlowerApp) -> None:
    servers = Servers(a_run("a", state=RunState.PAUSED, started_at=1.0))

    assert servers.start(app)[0] == []
    assert servers.start(app)[0] == []
    taken, recovered = servers.start(None)

    assert taken == ["a"]
    assert recovered.paused == {"a"}


def test_a_run_that_was_paused_before_it_trained_is_not_taken_for_one_that_was_queued(
    app: FlowerApp,
) -> None:
    servers = Servers(a_run("a"), a_run("b", state=RunState.PAUSED))

    assert servers.start(app)[0] == []
    assert servers.start(None, resume=False)[0] == ["a"], "it would hold the queue up, being paused"
    assert servers.run("b").state is RunState.INTERRUPTED
    servers.runs = servers.runs[1:]
    taken, recovered = servers.start(None)
    assert taken == ["b"]
    assert recovered.paused == {"b"}


def test_what_was_cut_does_not_go_on_by_itself_with_resume_never(app: FlowerApp) -> None:
    servers = Servers(a_run("a", **CUT), a_run("b"))

    assert servers.start(app, resume=True)[0] == []
    assert servers.start(None, resume=False)[0] == ["b"]
    run = servers.run("a")
    assert (run.state, run.can_resume) == (RunState.INTERRUPTED, True)
    assert (run.cause, run.reason) == (Cause.CRASH, "the server ended while it was going on")


def test_a_stop_that_was_confirmed_holds_whatever_app_the_server_runs(app: FlowerApp) -> None:
    servers = Servers(a_run("a", **CUT, pending=Pending.STOPPING))

    assert servers.start(app)[0] == []
    assert servers.run("a").state is RunState.STOPPED


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.WAITING, RunState.RUNNING])
def test_a_run_that_was_cut_before_it_was_paused_again_is_paused(state: RunState) -> None:
    """What a server has on the disk that is killed twice, one time just after it was started."""
    servers = Servers(a_run("a", state=state, pending=Pending.PAUSING, started_at=1.0))

    taken, recovered = servers.start(None)

    assert taken == ["a"]
    assert recovered.paused == {"a"}
    assert servers.run("a").pending is Pending.PAUSING, "and so it is on the disk, until it is paused"

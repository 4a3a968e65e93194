"""RunManager: a run's state says how it ended, and what was asked of a run is not forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.audit.updates import UPDATES, UpdateFiles
from app.event_bus import EventBus
from app.federation.grid.link_grid import LinkGrid
from app.federation.link.spool import Spool
from app.federation.runs.active import ActiveRun
from app.federation.runs.book import RunBook
from app.federation.runs.built_in import BuiltInKind
from app.federation.runs.endings import Endings
from app.federation.runs.kind import RunParts
from app.federation.runs.manager import RunManager
from app.federation.runs.saved_rounds import SavedRounds
from app.federation.runs.services import Services
from app.federation.runs.tracker import RoundTracker
from app.records import Cause, Pending, Run, RunState, WaitingFor, WaitKind
from app.store.checkpoints import CheckpointStore
from app.store.store import Store
from app.store.urls import default_url
from app.store.writer import StoreWriter
from shared.errors import IllegalTransition, StoreUnavailable
from shared.run_spec import RunSpec
from shared.security.server_identity import ServerIdentity
from tests.support.a_link import a_link
from tests.support.audit import a_log
from tests.support.records import A_KEY, a_hello, a_run
from tests.support.waiting import wait_until

LIMIT_S = 4.0


class Server:
    """The parts of a server that runs need, and a manager."""

    def __init__(self, home: Path, known: list[Run]) -> None:
        self.store = Store.open(default_url(home))
        audit = a_log()
        bus = EventBus()
        self.writer = StoreWriter(self.store, bus, lambda: (), audit)
        identity = ServerIdentity.load_or_make(home)
        self.link, self.registry = a_link(identity, Spool(home / "spool"), bus=bus, audit=audit)
        self.book = RunBook(bus, known)
        self.services = Services(
            book=self.book,
            link=self.link,
            registry=self.registry,
            store=self.store,
            writer=self.writer,
            checkpoints=CheckpointStore(home / "checkpoints"),
            audit=audit,
            server=identity.key.public.id,
            updates=UpdateFiles(home / UPDATES),
            data_dir=home,
            app=None,
        )
        self.manager = RunManager(self.services)
        self.link.start("127.0.0.1", 0)
        self.writer.start()

    def end(self) -> None:
        self.manager.shut_down(LIMIT_S)
        self.link.stop(0.0)
        self.writer.stop()
        self.store.close()

    def run(self, run_id: str) -> Run:
        run = self.book.get(run_id)
        assert run is not None
        return run

    def wait_for(self, run_id: str, state: RunState) -> Run:
        wait_until(lambda: self.run(run_id).state is state, f"the run is {state}", LIMIT_S)
        return self.run(run_id)


StartServer = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Starts a server that knows these runs, oldest first; its manager is not started."""
    servers: list[Server] = []

    def start(*known: Run) -> Server:
        servers.append(Server(tmp_path / "home", list(known)))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


@pytest.fixture
def server(start: StartServer) -> Server:
    server = start()
    server.manager.start()
    return server


class Work:
    """A run that says when it begins, and goes on to its next call of the grid when it may."""

    def __init__(self) -> None:
        self.began, self.may_go_on = threading.Event(), threading.Event()

    def carry_out(self, run: RunParts) -> None:
        """In place of federated learning."""
        run.shown.waits(WaitingFor(kind=WaitKind.DATA), "test")
        run.shown.goes_on()
        self.began.set()
        assert self.may_go_on.wait(LIMIT_S)
        run.grid.breathe()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    work = Work()
    monkeypatch.setattr(BuiltInKind, "call_server_app", lambda _, run, context: work.carry_out(run))
    yield work
    work.may_go_on.set()


def test_a_run_whose_start_the_database_does_not_allow_is_interrupted_and_can_be_resumed(
    server: Server, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.may_go_on.set()
    with monkeypatch.context() as broken:

        def locked(*_: Any) -> None:
            raise StoreUnavailable("The database is locked by another program.")

        broken.setattr(server.store, "num_partitions", locked)
        run_id = server.manager.submit(RunSpec()).id
        run = server.wait_for(run_id, RunState.INTERRUPTED)
        assert run.reason == "The database is locked by another program."
        assert run.can_resume

    server.manager.resume(run_id)

    server.wait_for(run_id, RunState.COMPLETED)


class Mute(BaseException):
    """What a library raises where nobody should catch it, and what fails to say why."""

    def __str__(self) -> str:
        raise Mute


class MuteError(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


WHATEVER = [KeyboardInterrupt("stop"), SystemExit(3), GeneratorExit(), Mute(), MuteError(), ValueError("no")]


@pytest.mark.parametrize("error", WHATEVER, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("where", ["at its start", "in its work", "at its end"])
def test_whatever_a_run_raises_ends_that_run_in_words_and_no_other(
    server: Server, work: Work, monkeypatch: pytest.MonkeyPatch, where: str, error: BaseException
) -> None:
    def broken(*_: Any) -> None:
        raise error

    work.may_go_on.set()
    with monkeypatch.context() as trouble:
        match where:
            case "at its start":
                trouble.setattr(server.store, "num_partitions", broken)
            case "in its work":
                trouble.setattr(BuiltInKind, "call_server_app", broken)
            case "at its end":
                trouble.setattr(RoundTracker, "close", broken)
        failed = server.wait_for(server.manager.submit(RunSpec()).id, RunState.FAILED)
        wait_until(lambda: server.manager.active_id is None, "it is let go", LIMIT_S)
    assert failed.cause is Cause.ERROR
    assert f"An unexpected error ended the run: {type(error).__name__}" in (failed.reason or "")
    assert type(error).__name__ in (failed.error or "")

    server.wait_for(server.manager.submit(RunSpec()).id, RunState.COMPLETED)


def test_a_run_that_cannot_be_let_go_holds_no_other_up(
    server: Server, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.may_go_on.set()
    tried = threading.Event()

    def broken(*_: Any) -> None:
        tried.set()
        raise KeyboardInterrupt

    with monkeypatch.context() as trouble:
        trouble.setattr(ActiveRun, "close", broken)
        server.wait_for(server.manager.submit(RunSpec()).id, RunState.COMPLETED)
        assert tried.wait(LIMIT_S)

    server.wait_for(server.manager.submit(RunSpec()).id, RunState.COMPLETED)


def broken_store(*_: Any) -> None:
    raise StoreUnavailable("The database is locked by another program.")


def test_a_run_that_the_store_has_interrupted_goes_on_by_itself_when_the_store_works_again(
    start: StartServer, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start()
    server.manager.recover(resume=True)
    work.may_go_on.set()
    with monkeypatch.context() as broken:
        broken.setattr(StoreWriter, "problem", "The database is locked by another program.")
        broken.setattr(server.store, "num_partitions", broken_store)
        server.manager.start()
        first, second = (server.manager.submit(RunSpec()).id for _ in range(2))
        server.wait_for(first, RunState.INTERRUPTED)
        assert server.run(second).state is RunState.QUEUED, "no other run begins while the store fails"

    server.wait_for(second, RunState.COMPLETED)
    assert server.run(first).state is RunState.COMPLETED, "it goes before those that were queued after it"


def test_a_run_that_the_store_has_interrupted_can_be_stopped(
    start: StartServer, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start()
    server.manager.recover(resume=True)
    work.may_go_on.set()
    with monkeypatch.context() as broken:
        broken.setattr(StoreWriter, "problem", "The database is locked by another program.")
        broken.setattr(server.store, "num_partitions", broken_store)
        server.manager.start()
        run_id = server.manager.submit(RunSpec()).id
        server.wait_for(run_id, RunState.INTERRUPTED)
        server.manager.stop(run_id)

    server.wait_for(server.manager.submit(RunSpec()).id, RunState.COMPLETED)
    assert server.run(run_id).state is RunState.STOPPED


def test_a_run_of_an_app_that_this_server_does_not_run_cannot_be_resumed_here(start: StartServer) -> None:
    queued = a_run("0000000a", spec=RunSpec(app="another"))
    server = start(queued)
    server.manager.recover(resume=True)

    with pytest.raises(IllegalTransition, match="which this server was not started with"):
        server.manager.resume("0000000a")

    assert server.run("0000000a").cause is Cause.APP


def test_a_stop_that_was_confirmed_holds_when_the_server_is_shut_down_before_it_takes_effect(
    server: Server, work: Work
) -> None:
    run_id = server.manager.submit(RunSpec()).id
    assert work.began.wait(LIMIT_S)
    assert server.manager.stop(run_id).pending is Pending.STOPPING

    server.manager.shut_down(0.0)
    work.may_go_on.set()

    run = server.wait_for(run_id, RunState.STOPPED)
    assert (run.reason, run.cause) == ("stopped by request", Cause.REQUEST)


def test_a_run_that_is_cut_by_the_servers_end_is_interrupted(server: Server, work: Work) -> None:
    run_id = server.manager.submit(RunSpec()).id
    assert work.began.wait(LIMIT_S)

    server.manager.shut_down(0.0)
    work.may_go_on.set()

    run = server.wait_for(run_id, RunState.INTERRUPTED)
    assert (run.reason, run.cause, run.can_resume) == ("the server was shut down", Cause.SHUTDOWN, True)


def test_a_round_that_lacked_updates_is_tried_again_when_a_client_came_during_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rounds(kind: BuiltInKind, run: RunParts, _: object) -> None:
        run.shown.waits(WaitingFor(kind=WaitKind.DATA), "test")
        hears_of_clients = threading.Event()
        server.link.post(hears_of_clients.set)
        assert hears_of_clients.wait(LIMIT_S)
        run.grid.breathe()
        saved = SavedRounds(server.run(run_id), run, kind.replies, kind.accounts, server.services)
        saved.before_round(1)
        run.grid.membership_changed()
        run.grid.breathe()  # as the exchange does, which hears of it
        saved.short_of_updates(1, "too few updates")
        run.shown.goes_on()

    monkeypatch.setattr(BuiltInKind, "call_server_app", rounds)
    server.link.post(server.registry.connected, a_hello("a"), A_KEY)
    run_id = server.manager.submit(RunSpec(min_clients=1)).id

    server.wait_for(run_id, RunState.COMPLETED)


@pytest.mark.parametrize("command", ["stop", "pause"])
def test_what_is_pending_is_there_before_the_command_can_have_its_effect(
    server: Server, work: Work, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    run_id = server.manager.submit(RunSpec()).id
    assert work.began.wait(LIMIT_S)
    seen: list[Pending | None] = []
    real = getattr(LinkGrid, command)

    def commanded(grid: LinkGrid, *args: Any, **kwargs: Any) -> None:
        seen.append(server.run(run_id).pending)
        real(grid, *args, **kwargs)

    with monkeypatch.context() as watched:
        watched.setattr(LinkGrid, command, commanded)
        answered = getattr(server.manager, command)(run_id)

    assert seen == [{"stop": Pending.STOPPING, "pause": Pending.PAUSING}[command]]
    assert answered.pending is seen[0]


def test_a_stop_that_was_confirmed_holds_whatever_is_asked_for_after_it(server: Server, work: Work) -> None:
    run_id = server.manager.submit(RunSpec()).id
    assert work.began.wait(LIMIT_S)
    server.manager.stop(run_id)

    assert server.manager.pause(run_id).pending is Pending.STOPPING
    assert server.manager.resume(run_id).pending is Pending.STOPPING
    work.may_go_on.set()

    assert server.wait_for(run_id, RunState.STOPPED).pending is None


def test_a_pause_right_after_a_resume_is_not_lost(
    server: Server, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = server.manager.submit(RunSpec()).id
    assert work.began.wait(LIMIT_S)
    server.manager.pause(run_id)
    work.may_go_on.set()
    server.wait_for(run_id, RunState.PAUSED)
    told: list[str] = []

    with monkeypatch.context() as slow:  # the run has not come to the resume when the pause is asked for
        slow.setattr(LinkGrid, "resume", lambda grid: told.append("go on"))
        slow.setattr(LinkGrid, "pause", lambda grid: told.append("pause"))
        server.manager.resume(run_id)
        assert server.manager.pause(run_id).pending is None

    assert told == ["go on", "pause"]


def test_what_a_paused_run_says_is_that_it_is_paused(server: Server, work: Work) -> None:
    run_id = server.manager.submit(RunSpec()).id
    assert work.began.wait(LIMIT_S)
    server.manager.pause(run_id)
    work.may_go_on.set()
    assert server.wait_for(run_id, RunState.PAUSED).reason == "paused by request"

    server.manager.resume(run_id)

    assert server.wait_for(run_id, RunState.COMPLETED).reason is None


@pytest.mark.parametrize("state", [RunState.WAITING, RunState.RUNNING, RunState.PAUSED])
@pytest.mark.parametrize("resume", [True, False])
def test_a_run_that_was_cut_on_its_way_to_a_stop_is_stopped(
    start: StartServer, state: RunState, resume: bool
) -> None:
    server = start(a_run("0000000a", state=state, pending=Pending.STOPPING), a_run("0000000b"))

    going_on = server.manager.recover(resume=resume)

    assert [run.id for run in going_on] == ["0000000b"]
    run = server.run("0000000a")
    assert (run.state, run.reason) == (RunState.STOPPED, "stopped by request")
    with pytest.raises(IllegalTransition):
        server.manager.resume("0000000a")


@pytest.mark.parametrize(
    ("state", "pending", "reason"),
    [
        (RunState.RUNNING, None, None),
        (RunState.RUNNING, Pending.PAUSING, None),
        (RunState.WAITING, None, "waiting"),
        (RunState.WAITING, None, "stopping"),  # words that no program reads
    ],
)
def test_any_other_run_that_was_cut_goes_on(
    start: StartServer, state: RunState, pending: Pending | None, reason: str | None
) -> None:
    server = start(a_run("0000000a", state=state, pending=pending, reason=reason))

    assert [run.state for run in server.manager.recover(resume=True)] == [RunState.QUEUED]


def test_an_interrupted_run_that_is_still_active_can_be_commanded_as_one_that_is_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its state is there a moment before the run thread has let go of it."""
    interrupted, may_let_go = threading.Event(), threading.Event()
    real = Endings.interrupt

    def interrupt(endings: Endings, *args: Any) -> Run:
        run = real(endings, *args)
        interrupted.set()
        assert may_let_go.wait(LIMIT_S)
        return run

    def broken(_: BuiltInKind, run: RunParts, context: object) -> None:
        run.shown.waits(WaitingFor(kind=WaitKind.DATA), "test")
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(Endings, "interrupt", interrupt)
    monkeypatch.setattr(BuiltInKind, "call_server_app", broken)
    run_id = server.manager.submit(RunSpec()).id
    assert interrupted.wait(LIMIT_S)

    with pytest.raises(IllegalTransition, match="cannot be paused: it is interrupted"):
        server.manager.pause(run_id)
    stopped = server.manager.stop(run_id)
    may_let_go.set()

    assert stopped.state is RunState.STOPPED

"""HostedServerApp: a run ends as its app does, and whenever the run says so, whatever the app does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flwr.app import Context, Message, RecordDict
from flwr.serverapp import Grid

from app.federation.runs.hosted_server_app import HostedServerApp
from shared.app_host import server_host
from shared.app_host.hooks import Hooks
from shared.app_host.server_host import _Told
from shared.errors import AppDied, AppFailed, AppInvalid, RunStopped, StoreUnavailable
from shared.flower import identify_server_task, node_id_of
from tests.support.fake_link import CLIENTS, RUN_ID
from tests.support.hosted import Lab, ThreadHost, context_of
from tests.support.waiting import wait_until

LIMIT_S = 10


@pytest.fixture
def lab() -> Lab:
    identify_server_task(RUN_ID)
    return Lab()


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Set at the end, so that no thread stays behind."""
    event = threading.Event()
    yield event
    event.set()


class Run:
    """A run in a thread of its own, as the run thread is one."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self._error = error

    def outcome(self) -> BaseException | None:
        self._thread.join(LIMIT_S)
        assert not self._thread.is_alive(), "the run does not end"
        return self._error


def test_an_app_that_returns_has_completed_and_its_process_is_asked_to_end(lab: Lab) -> None:
    seen: list[Any] = []

    host = lab.start(lambda grid, context: seen.append(context))
    lab.carry_out(host, {"lr": 0.5, "rounds": 3, "name": "x", "flag": True})

    assert host.did == ["was asked to end", "was closed"]
    (context,) = seen
    assert context.run_config == {"lr": 0.5, "rounds": 3, "name": "x", "flag": True}
    assert (context.run_id, context.node_id, context.state) == (RUN_ID, 1, RecordDict())


def test_the_app_is_called_in_the_main_thread_of_its_process_and_knows_its_task(lab: Lab) -> None:
    threads: list[Any] = []

    def main(grid: Grid, context: Context) -> None:
        threads.append(threading.current_thread())
        assert Message(RecordDict(), 2, "train").metadata.run_id == RUN_ID

    host = lab.run(main)

    assert threads == [host.thread]


class Mute(BaseException):
    """What a library raises where nobody should catch it, and what fails to say why."""

    def __str__(self) -> str:
        raise self


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no"), "The ServerApp ended by ValueError: no"),
        (KeyError("x"), "The ServerApp ended by KeyError: 'x'"),
        (GeneratorExit(), "The ServerApp ended by GeneratorExit"),
        (KeyboardInterrupt(), "The ServerApp ended by KeyboardInterrupt"),
        (MemoryError(), "The ServerApp ended by MemoryError"),
        (Mute(), "The ServerApp ended by Mute: its message cannot be shown"),
        (SystemExit(3), r"The ServerApp ended by sys\.exit\(3\)"),
        (SystemExit("bad"), r"The ServerApp ended by sys\.exit\('bad'\)"),
        (UnicodeError("\udcff"), "The ServerApp ended by UnicodeError: \ufffd"),
    ],
)
def test_what_an_app_raises_is_the_runs_failure_with_its_traceback(
    lab: Lab, error: BaseException, words: str
) -> None:
    def broken(grid: Grid, context: Context) -> None:
        raise error

    with pytest.raises(AppFailed, match=f"^{words}$") as caught:
        lab.run(broken)
    assert "in broken" in caught.value.traceback
    assert "server_host.py" not in caught.value.traceback, "it begins where the app was called"


def test_of_an_error_that_says_very_much_the_beginning_and_the_end_are_kept(lab: Lab) -> None:
    def broken(grid: Grid, context: Context) -> None:
        raise ValueError("x" * 20_000_000 + " is too long")

    with pytest.raises(AppFailed, match=r"^The ServerApp ended by ValueError: xxx") as caught:
        lab.run(broken)
    assert len(str(caught.value)) < 3_000
    assert "in broken" in caught.value.traceback
    assert caught.value.traceback.rstrip().endswith("is too long")


def test_an_app_that_exits_without_a_code_has_completed(lab: Lab) -> None:
    lab.run(lambda grid, context: sys.exit())
    lab.run(lambda grid, context: sys.exit(0))


def test_a_process_that_ends_before_the_app_does_is_the_runs_failure(
    lab: Lab, release: threading.Event
) -> None:
    host = lab.start(lambda grid, context: release.wait(LIMIT_S))
    run = Run(lambda: lab.carry_out(host))
    host.die()

    died = run.outcome()

    assert isinstance(died, AppDied)
    assert (str(died), died.last) == ("It is gone.", "what it said last")
    assert host.did == ["was closed"]


def test_an_app_that_does_not_notice_a_stop_is_ended_at_once(lab: Lab, release: threading.Event) -> None:
    computes = threading.Event()

    def deaf(grid: Grid, context: Context) -> None:
        computes.set()
        release.wait(LIMIT_S)

    host = lab.start(deaf)
    run = Run(lambda: lab.carry_out(host))
    assert computes.wait(LIMIT_S)
    lab.grid.stop("stopped by request")

    assert isinstance(run.outcome(), RunStopped)
    assert host.did == ["was closed"]


def test_an_app_that_waits_for_replies_when_the_run_is_stopped_is_ended(lab: Lab) -> None:
    lab.link.silent = set(CLIENTS)

    def main(grid: Grid, context: Context) -> None:
        grid.get_node_ids()
        list(grid.send_and_receive([Message(RecordDict(), node_id_of("client-1"), "train")]))

    host = lab.start(main)
    run = Run(lambda: lab.carry_out(host))
    wait_until(lambda: lab.watching.sent_to, "the message is sent")
    lab.grid.stop("stopped by request")

    assert isinstance(run.outcome(), RunStopped)


def test_an_app_that_is_done_when_the_run_is_stopped_has_not_completed(lab: Lab) -> None:
    def main(grid: Grid, context: Context) -> None:
        lab.grid.stop("stopped by request")

    with pytest.raises(RunStopped, match="stopped by request"):
        lab.run(main)


def test_while_the_run_is_paused_the_process_is_and_a_stop_ends_it(
    lab: Lab, release: threading.Event
) -> None:
    host = lab.start(lambda grid, context: release.wait(LIMIT_S))
    hosted = lab.hosted(host)
    hosted.pause(True)
    hosted.begin()
    wait_until(lambda: hosted.is_ready, "the app is there")
    hosted.pause(False)
    hosted.close()

    assert host.did == ["was paused", "went on", "was closed"]


# loading


def test_an_app_that_cannot_be_loaded_ends_the_wait_for_clients(lab: Lab) -> None:
    host = lab.start(lambda grid, context: None)
    host.may_load.clear()
    host.load_error = AppInvalid("it has no ServerApp")
    hosted = lab.hosted(host)
    hosted.begin()
    run = Run(lambda: hosted.wait_until(lambda: False))
    host.may_load.set()

    assert isinstance(run.outcome(), AppInvalid)
    hosted.close()


def test_a_process_that_cannot_be_started_is_the_runs_failure(lab: Lab) -> None:
    def start() -> ThreadHost:
        raise AppInvalid("there is no room for its copy")

    hosted = HostedServerApp(start, lab.grid, lab.told)
    hosted.begin()

    with pytest.raises(AppInvalid, match="no room"):
        hosted.wait_until(lambda: False)
    hosted.close()


def test_a_run_that_ends_while_its_process_starts_leaves_none_behind(lab: Lab) -> None:
    may_start, host = threading.Event(), lab.start(lambda grid, context: None)

    def start() -> ThreadHost:
        assert may_start.wait(LIMIT_S)
        return host

    hosted = HostedServerApp(start, lab.grid, lab.told)
    hosted.begin()
    hosted.close()
    may_start.set()

    wait_until(lambda: host.did == ["was closed"], "the process is closed")


# what comes from the process


GARBAGE: list[tuple[str, dict[str, Any]]] = [
    ("nonsense", {"call": 1}),
    ("node_ids", {}),
    ("node_ids", {"call": "one"}),
    ("push", {"call": 1, "layout": {}, "timeout": "soon"}),
    ("pull", {"call": 1, "message_ids": [1]}),
    ("evaluated", {"number": "first", "metrics": {}}),
    ("evaluated", {"number": 10**30, "metrics": {}}),
    ("evaluated", {"number": 1, "metrics": {"loss": float("nan")}}),
    ("aggregated", {"stage": "x" * 1000, "number": 1, "metrics": {}}),
    ("evaluated", {"number": 1, "metrics": {str(n): 0.5 for n in range(100_000)}}),
    ("raised", {"reason": 3}),
]


@pytest.mark.parametrize(("kind", "fields"), GARBAGE, ids=lambda value: str(value)[:40])
def test_a_process_that_sends_garbage_is_ended(
    lab: Lab, release: threading.Event, kind: str, fields: dict[str, Any]
) -> None:
    host = lab.start(lambda grid, context: release.wait(LIMIT_S))
    run = Run(lambda: lab.carry_out(host))
    host.say(kind, **fields)

    error = run.outcome()
    assert isinstance(error, AppDied)
    assert "\n" not in str(error), "it is said in a line"
    assert host.did == ["was ended for what it sent", "was closed"]


def test_messages_that_cannot_be_read_are_refused_in_words(lab: Lab) -> None:
    def main(grid: Grid, context: Context) -> None:
        with pytest.raises(ValueError, match="A batch of messages cannot be read"):
            _calls_of(grid).ask("push", (b"\xff",), layout={"contents": [[0]], "messages": [[0, 0]]})

    lab.run(main)


def _calls_of(grid: Any) -> Any:
    return grid._calls


def test_what_the_app_computes_is_taken_before_what_it_asks_for_next(lab: Lab) -> None:
    order: list[Any] = []

    def main(grid: Grid, context: Context) -> None:
        report = _Told(_calls_of(grid))
        report.evaluated(0, {"auc": 0.5})
        grid.get_node_ids()
        order.append(list(lab.told.told))
        report.aggregated("train", None, {"loss": 1.0, "\udcff" + "x" * 1000: 2.0})

    lab.run(main)

    assert order == [[("server", 0, {"auc": 0.5})]]
    (stage, number, metrics) = lab.told.told[-1]
    assert (stage, number, metrics["loss"]) == ("train", None, 1.0)
    assert sorted(map(len, metrics)) == [4, 200]


def test_trouble_of_the_server_itself_ends_the_run_as_such(lab: Lab) -> None:
    def unavailable() -> None:
        raise StoreUnavailable("the disk is full")

    lab.owner.looks_for_clients = unavailable
    host = lab.start(lambda grid, context: grid.get_node_ids())

    with pytest.raises(StoreUnavailable, match="the disk is full"):
        lab.carry_out(host)
    assert host.did == ["was closed"]


def test_a_host_that_is_not_given_a_run_ends_when_it_is_told(lab: Lab) -> None:
    called: list[Any] = []
    host = ThreadHost(_an_app(called), Hooks())

    host.end(LIMIT_S)
    host.close()

    assert called == []


def _an_app(called: list[Any]) -> Any:
    return lambda grid, context: called.append(grid)


def test_what_is_prepared_before_the_app_is_imported_serves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[Hooks] = []
    monkeypatch.setattr(Hooks, "install", lambda hooks: installed.append(hooks))

    serve: Any = server_host.prepare()

    assert serve.args == tuple(installed)


def test_two_runs_of_an_app_have_a_process_each(lab: Lab) -> None:
    hosts = [lab.run(lambda grid, context: None) for _ in range(2)]

    assert [host.did for host in hosts] == [["was asked to end", "was closed"]] * 2
    assert context_of({}).run_config == {}

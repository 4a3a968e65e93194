"""Apps that crash, hang, print without end, take all memory or leave children: each hurts its own run only.

All by one app (`tests/apps/misbehaving`), on one server with two clients that outlive all of it. What the
server's answers took meanwhile is printed, and held to what those of an idle server took at the same time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import psutil
import pytest

from app.demo.fleet import Fleet
from shared.flower_app import read_app
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.apps import APPS
from tests.support.forked_server import ForkedServer
from tests.support.little_memory import little_memory
from tests.support.processes import wait_until_gone
from tests.support.responsiveness import Latency, Measured
from tests.support.waiting import wait_until

pytestmark = pytest.mark.alone

PAIR = ("a", "b")
CHILDREN = 20
"""That `start-children` starts."""

ENOUGH_ANSWERS = 100
"""Of the server, while something goes on: some three seconds."""

SLOWER_MS = 100.0
"""By so much the server's answers may be slower than without an app."""

STALL_MS = 2_000.0
"""By so much the slowest answer may be slower than the idle server's."""

STALLED_S = 4.0
"""So long is a server stopped that must be noticed."""

STOPS_WITHIN_S = 5.0
PRINTED_WITHIN_S = 120.0

LITTLE_BYTES = 100 << 20
"""Beside 2 GB; a server keeps the newest lines of its log."""

GONE_WITHIN_S = 30.0

KILLED = r"it was killed, perhaps because the memory ran out \(SIGKILL\)"
CRASHED = r"it crashed: compiled code touched memory that is not its own \(SIGSEGV\)"

ENDS = {
    "abort": r"it aborted, .* \(SIGABRT\)",
    "crash": CRASHED,
    "overflow-the-stack": CRASHED,
    "exit-at-once": r"it left by itself \(exit code 0\) before it was done",
    "kill-itself": KILLED,
    "use-up-memory": KILLED,
}
"""What ends the app's process, and how that is said."""

RAISES = {
    "exit-by-sys": r"sys\.exit\(3\)|SystemExit: 3",
    "want-more-memory": "MemoryError",
}

GOES_ON = ["swallow-everything", "hold-the-gil", "print-without-end", "start-children"]
"""What never ends by itself."""


@pytest.fixture(scope="module")
def lasting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedServer]:
    """A server with the app, which must survive all of it."""
    home = tmp_path_factory.mktemp("apps") / "home"
    server = ForkedServer(home, app=read_app(APPS / "misbehaving"), queue_run=False)
    server.start()
    yield server
    assert server.is_running
    server.end()


@pytest.fixture(scope="module")
def pair(lasting_server: ForkedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Its clients; they must survive as well."""
    with Fleet() as fleet:
        clients = Clients(fleet, lasting_server, tmp_path_factory.mktemp("data"))
        clients.start(*PAIR, app=read_app(APPS / "misbehaving"))
        yield fleet
        assert all(process.is_alive() for process in fleet.clients.values())


@pytest.fixture(scope="module")
def cgroup() -> Iterator[str]:
    with little_memory() as folder:
        yield folder


@pytest.fixture(scope="module")
def idle_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedServer]:
    """One beside it, to which nothing happens."""
    server = ForkedServer(tmp_path_factory.mktemp("idle") / "home")
    server.start()
    yield server
    server.end()


@pytest.fixture(scope="module")
def undisturbed(lasting_server: ForkedServer, idle_server: ForkedServer, pair: Fleet) -> Latency:
    """What the server's answers take when there is no run."""
    with Measured(lasting_server.url, idle_server.url) as measured:
        wait_until(lambda: measured.answers >= ENOUGH_ANSWERS, "there are enough answers")
    print(f"undisturbed: {measured}")  # noqa: T201
    return measured.latency


class Suite:
    """Runs the app, and looks at what it leaves."""

    def __init__(
        self,
        api: Api,
        server: ForkedServer,
        idle_server: ForkedServer,
        fleet: Fleet,
        undisturbed: Latency,
        cgroup: str,
    ) -> None:
        self.api = api
        self._server = server
        self._idle_server = idle_server
        self._clients = fleet.clients.values()
        self._undisturbed = undisturbed
        self._cgroup = cgroup

    def start(self, **does: str) -> str:
        """A run of two rounds, of which the first goes well."""
        for client_id in PAIR:
            self.api.wait_for_client(client_id, "idle")
        spec = {"app": "misbehaving", "min_clients": 2, "round_timeout_s": 4.0}
        config = {f"{role}-does": what for role, what in does.items()}
        run_id: str = self.api.start(**spec, run_config={**config, "cgroup": self._cgroup})["id"]
        return run_id

    def wait_until_it_does(self, run_id: str, what: str) -> None:
        def said() -> bool:
            logs = self.api.get("/logs")["logs"]
            return any(
                f"now comes: {what}" in entry["message"] for entry in logs if entry["run_id"] == run_id
            )

        wait_until(said, f"the app begins to {what}")

    @property
    def server(self) -> psutil.Process:
        """The server's own process."""
        return psutil.Process(self._server.pid)

    def family(self) -> list[psutil.Process]:
        """All processes that the server has started, and theirs."""
        return self.server.children(recursive=True)

    def wait_until_all_is_gone(self) -> None:
        """Wait until the server has no process, and each client only one that waits for a run, and its
        warden."""

        def clean() -> bool:
            clients = [psutil.Process(client.pid).children(recursive=True) for client in self._clients]
            return not self.family() and [len(children) for children in clients] == [2, 2]

        wait_until(clean, "nothing is left of the app", GONE_WITHIN_S)

    def require_prompt_answers(self, what: str, measured: Measured) -> None:
        """A machine that is slow for both servers fails nothing; what one of them waits for alone does."""
        print(f"{what}: {measured}")  # noqa: T201
        latency = measured.latency
        assert latency.median_ms < self._undisturbed.median_ms + SLOWER_MS
        assert latency.p95_ms < 2 * self._undisturbed.p95_ms + SLOWER_MS
        assert latency.worst_ms < measured.idle.worst_ms + STALL_MS

    def measured(self) -> Measured:
        return Measured(self._server.url, self._idle_server.url)

    def wait_for_answers(self, measured: Measured) -> None:
        wait_until(lambda: measured.answers >= ENOUGH_ANSWERS, "the server has answered often enough")

    def stop(self, run_id: str) -> Json:
        """Have the run stopped, which must not take long."""
        began = time.monotonic()
        self.api.stop(run_id)
        run = self.api.wait_for_run(run_id, "stopped")
        print(f"stopped in {time.monotonic() - began:.2f} s")  # noqa: T201
        assert time.monotonic() - began < STOPS_WITHIN_S
        return run


@pytest.fixture
def suite(
    api: Api,
    lasting_server: ForkedServer,
    idle_server: ForkedServer,
    pair: Fleet,
    undisturbed: Latency,
    cgroup: str,
) -> Suite:
    return Suite(api, lasting_server, idle_server, pair, undisturbed, cgroup)


def failed(suite: Suite, run_id: str) -> Json:
    """The run, once it has failed; its first round stays, and its clients are free."""
    run = suite.api.wait_for_run(run_id, "failed")
    assert run["cause"] == "app-failed"
    (first,) = [round_ for round_ in suite.api.rounds(run_id) if round_["round"] == 1]
    assert (first["complete"], first["clients"], first["train_loss"]) == (True, 2, 0.5)
    return run


def test_a_server_that_stands_still_for_some_seconds_is_noticed(suite: Suite) -> None:
    """Else what the other tests say of its answers would mean little."""
    with suite.measured() as measured:
        suite.wait_for_answers(measured)
        suite.server.suspend()
        time.sleep(STALLED_S)
        suite.server.resume()
        before = measured.answers
        wait_until(lambda: measured.answers > before + 1, "it answers again")

    assert measured.latency.p95_ms < 1000 * STALLED_S, "which most answers do not show"
    with pytest.raises(AssertionError):
        suite.require_prompt_answers("standing still", measured)


@pytest.mark.parametrize("does", [*ENDS, *RAISES])
def test_a_server_app_that_ends_is_its_runs_failure_with_the_reason(suite: Suite, does: str) -> None:
    with suite.measured() as measured:
        run_id = suite.start(server=does)
        run = failed(suite, run_id)
        suite.wait_for_answers(measured)

    if does in ENDS:
        assert run["reason"].startswith("The ServerApp did not come to its end. Its process ended: ")
    else:
        assert run["reason"].startswith("The ServerApp ended by ")
        assert "misbehaving/deeds.py" in run["error"]
    assert re.search({**ENDS, **RAISES}[does], run["reason"])
    suite.wait_until_all_is_gone()
    suite.require_prompt_answers(does, measured)


@pytest.mark.parametrize("does", GOES_ON)
def test_a_server_app_that_never_ends_is_ended_when_its_run_is_stopped(suite: Suite, does: str) -> None:
    run_id = suite.start(server=does)
    suite.wait_until_it_does(run_id, does)
    with suite.measured() as measured:
        suite.wait_for_answers(measured)
        clients = suite.api.clients()
    if does == "start-children":
        assert len(suite.family()) >= 2 + CHILDREN

    suite.stop(run_id)

    assert [clients[client_id]["state"] for client_id in PAIR] == ["idle", "idle"]
    suite.wait_until_all_is_gone()
    suite.require_prompt_answers(does, measured)


@pytest.mark.parametrize("does", [*ENDS, *RAISES])
def test_a_client_app_that_ends_is_an_error_of_its_reply_and_the_others_go_on(
    suite: Suite, does: str
) -> None:
    with suite.measured() as measured:
        run_id = suite.start(client=does)
        suite.api.wait_for_run(run_id, "completed")
        suite.wait_for_answers(measured)

    second = suite.api.rounds(run_id)[-1]
    errors = [part["error"] for part in second["per_client"].values() if part["error"]]
    assert (second["round"], second["clients"], len(errors)) == (2, 1, 1)
    assert re.search({**ENDS, **RAISES}[does], errors[0])
    suite.wait_until_all_is_gone()
    suite.require_prompt_answers(does, measured)


@pytest.mark.parametrize("does", GOES_ON)
def test_a_client_app_that_never_ends_is_late_and_the_others_go_on(suite: Suite, does: str) -> None:
    with suite.measured() as measured:
        run_id = suite.start(client=does)
        suite.wait_until_it_does(run_id, does)
        suite.api.wait_for_run(run_id, "completed")

    second = suite.api.rounds(run_id)[-1]
    assert (second["round"], second["clients"]) == (2, 1)
    assert [part["late"] for part in second["per_client"].values()].count(True) == 1
    suite.wait_until_all_is_gone()
    suite.require_prompt_answers(does, measured)


def test_two_gigabytes_of_prints_take_neither_the_memory_nor_the_time_of_the_server(suite: Suite) -> None:
    before = memory_of(suite.server)
    run_id = suite.start(server="print-two-gigabytes")
    with suite.measured() as measured:
        suite.wait_until_it_does(run_id, "print-two-gigabytes")
        wait_until(lambda: suite.api.run(run_id)["state"] == "completed", "all is printed", PRINTED_WITHIN_S)

    assert memory_of(suite.server) - before < LITTLE_BYTES
    suite.wait_until_all_is_gone()
    suite.require_prompt_answers("print-two-gigabytes", measured)


def memory_of(process: psutil.Process) -> int:
    """What a process has of its own, in bytes."""
    return int(process.memory_info().rss)


def test_after_all_of_that_a_run_goes_well(suite: Suite) -> None:
    run_id = suite.start()

    suite.api.wait_for_run(run_id, "completed")
    assert [round_["clients"] for round_ in suite.api.rounds(run_id)] == [2, 2]


@pytest.mark.parametrize("how", ["ended", "killed"])
def test_with_the_server_all_of_the_app_ends_whatever_it_does(
    suite: Suite, lasting_server: ForkedServer, how: str
) -> None:
    """The last tests: afterwards another server is at the same place, which its clients find."""
    run_id = suite.start(server="start-children")
    suite.wait_until_it_does(run_id, "start-children")
    wait_until(lambda: len(suite.family()) >= 2 + CHILDREN, "all its children are there")
    family = suite.family()

    if how == "ended":
        lasting_server.end()
    else:
        lasting_server.kill()

    wait_until_gone(family, GONE_WITHIN_S)
    lasting_server.start()
    assert suite.api.run(run_id)["state"] == "interrupted"

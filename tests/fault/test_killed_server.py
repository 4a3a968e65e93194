"""A server that is killed goes on with its run when it is started again, and all comes out the same."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from app.demo.fleet import Fleet
from app.store.reader import StoreReader
from shared.flower_app import read_app
from shared.run_spec import RunSpec
from tests.conftest import Clients, StartCommand, StartServer
from tests.fault.conftest import PAIR, Undisturbed, require_the_only_run, without_times
from tests.support.api import Api
from tests.support.apps import APPS
from tests.support.consistency import wait_until_kept
from tests.support.forked_server import Death, ForkedServer
from tests.support.processes import END_TIMEOUT_S
from tests.support.updates import a_strategy

SPEC: dict[str, Any] = {
    "num_rounds": 6,
    "min_clients": 2,
    "num_partitions": 2,
    "model": "linear",
    "alpha": None,
    "seed": 11,
}

LOADING_THE_DATA = Death("app.federation.rounds.server_app:load_test")
IN_A_TRANSACTION = Death("app.store.store:insert_new", call=2)
CLIENTS_TRAIN = Death("app.federation.link.session:Session.receive")
AGGREGATING = Death("app.federation.strategies.base:RoundFold.finish")
PAID_FOR = Death("app.federation.runs.saved_rounds:SavedRounds.spent", call=2, after=True)
IN_THE_CHECKPOINT = Death("app.store.tensors:save_file", after=True)
AFTER_THE_CHECKPOINT = Death("app.federation.runs.saved_rounds:SavedRounds.aggregated", after=True)
EVALUATING = Death("app.federation.rounds.server_app:evaluate")
CLIENTS_EVALUATE = Death("app.federation.rounds.server_app:evaluate", after=True)
OLD_CHECKPOINTS_GO = Death("app.store.checkpoints:CheckpointStore.prune")
BETWEEN_ROUNDS = Death("app.federation.runs.saved_rounds:SavedRounds.before_round", call=2)
THE_VERY_END = Death("app.federation.runs.endings:Endings._end")


LONG = {**SPEC, "num_rounds": 40}
"""Rounds enough that a test can step in between."""


@pytest.fixture
def api(server: ForkedServer, fleet: Fleet, tmp_path: Path) -> Iterator[Api]:
    """Of the server, which was started and has two clients."""
    server.start()
    Clients(fleet, server, tmp_path).start(*PAIR)
    with closing(Api(server.url)) as api:
        yield api


def pause(server: ForkedServer, api: Api, run_id: str) -> None:
    """Pause a run, and wait until that is kept."""
    api.command(run_id, "pause")

    def is_paused(store: StoreReader) -> bool:
        run = store.run(run_id)
        return run is not None and run.state == "paused"

    wait_until_kept(server.home, is_paused, "it is paused")


@pytest.mark.parametrize("strategy", ["fedavg", "fedadam"])
def test_a_run_that_is_killed_in_every_phase_comes_to_the_same(
    strategy: str,
    server: ForkedServer,
    fleet: Fleet,
    undisturbed: Undisturbed,
    tmp_path: Path,
    ending: ExitStack,
) -> None:
    spec = {**SPEC, "strategy": strategy}
    # As by `run_server.py --num-rounds 6 ...`, which must not begin another run when it is typed again.
    server.start(spec=RunSpec(**spec), queue_run=True)
    api = ending.enter_context(closing(Api(server.url)))
    (run,) = api.get("/runs")["runs"]
    api.wait_for_reason(run["id"], "waiting for 2 more clients")
    wait_until_kept(server.home, lambda store: store.run(run["id"]) is not None, "there is a run")
    server.kill()
    server.start(LOADING_THE_DATA)
    server.wait_until_dead()
    server.start(IN_A_TRANSACTION)
    server.wait_until_dead()

    Clients(fleet, server, tmp_path).start(*PAIR)
    for death in (
        CLIENTS_TRAIN,
        AGGREGATING,
        IN_THE_CHECKPOINT,
        AFTER_THE_CHECKPOINT,
        EVALUATING,
        CLIENTS_EVALUATE,
        OLD_CHECKPOINTS_GO,
        BETWEEN_ROUNDS,
        THE_VERY_END,
    ):
        server.start(death)
        server.wait_until_dead()
    server.start()

    ended = api.wait_for_run(run["id"], "completed")
    require_the_only_run(api, run["id"])
    assert (ended["num_rounds"], ended["clients"]) == (6, ["a", "b"])
    assert without_times(api.rounds(run["id"])) == without_times(undisturbed(**spec))
    assert all(process.is_alive() for process in fleet.clients.values())


@pytest.mark.parametrize(("death", "releases"), [(AGGREGATING, 3), (PAID_FOR, 4), (IN_THE_CHECKPOINT, 4)])
def test_a_model_that_somebody_may_have_seen_stays_paid_for_when_its_round_is_repeated(
    death: Death, releases: int, server: ForkedServer, fleet: Fleet, tmp_path: Path, ending: ExitStack
) -> None:
    private: dict[str, Any] = {
        "strategy": "dpfedavg-fixed",
        "strategy_params": {"noise_multiplier": 2.0},
        "num_rounds": 3,
    }
    server.start(death)
    Clients(fleet, server, tmp_path).start(*PAIR)
    api = ending.enter_context(closing(Api(server.url)))
    run = api.start(**{**SPEC, **private})
    server.wait_until_dead()

    server.start()

    ended = api.wait_for_run(run["id"], "completed")
    strategy = a_strategy("dpfedavg-fixed", **private["strategy_params"])
    strategy.releases = releases
    privacy = strategy.privacy()
    assert privacy is not None
    assert ended["privacy"] == privacy.model_dump(mode="json")
    epsilons = [round_["epsilon"] for round_ in api.rounds(run["id"])]
    assert epsilons == sorted(set(epsilons))
    assert epsilons[-1] == privacy.epsilon


def test_a_server_that_is_told_to_end_goes_on_as_well(
    server: ForkedServer, api: Api, undisturbed: Undisturbed
) -> None:
    run = api.start(**LONG)
    for done in (2, 9):
        api.wait_for_round(run["id"], done)
        server.end()
        server.start()

    api.wait_for_run(run["id"], "completed")
    require_the_only_run(api, run["id"])
    assert without_times(api.rounds(run["id"])) == without_times(undisturbed(**LONG))


@pytest.mark.parametrize("ending", ["kill", "end"])
def test_a_run_that_is_paused_stays_so_until_somebody_resumes_it(
    ending: str, server: ForkedServer, api: Api, undisturbed: Undisturbed
) -> None:
    run = api.start(**LONG)
    api.wait_for_round(run["id"], 2)
    pause(server, api, run["id"])
    done = len(api.rounds(run["id"]))
    assert done < LONG["num_rounds"]

    for _ in range(2):
        getattr(server, ending)()
        server.start()
        api.wait_for_run(run["id"], "paused")
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")

    assert api.run(run["id"])["reason"] == "paused by request"
    assert len(api.rounds(run["id"])) == done
    api.command(run["id"], "resume")
    api.wait_for_run(run["id"], "completed")
    assert without_times(api.rounds(run["id"])) == without_times(undisturbed(**LONG))


@pytest.mark.parametrize("state", ["running", "paused"])
def test_with_resume_never_a_run_goes_on_when_somebody_says_so(
    state: str, server: ForkedServer, api: Api, undisturbed: Undisturbed
) -> None:
    run = api.start(**LONG)
    api.wait_for_round(run["id"], 2)
    if state == "paused":
        pause(server, api, run["id"])
    server.kill()
    server.start(resume="never")

    interrupted = api.run(run["id"])
    assert interrupted["state"] == "interrupted"
    assert interrupted["can_resume"]
    assert interrupted["reason"] == "the server ended while it was going on"
    for client_id in PAIR:
        api.wait_for_client(client_id, "idle")
    api.wait_until_idle()

    assert api.command(run["id"], "resume")["state"] in ("queued", "waiting", "running")
    api.wait_for_run(run["id"], "completed")
    require_the_only_run(api, run["id"])
    assert without_times(api.rounds(run["id"])) == without_times(undisturbed(**LONG))


def test_after_a_power_cut_everybody_has_the_same_part_again(
    server: ForkedServer, api: Api, fleet: Fleet, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    run = api.start(**LONG)
    api.wait_for_round(run["id"], 2)
    clients = Clients(fleet, server, tmp_path)
    server.kill()
    for client_id in PAIR:
        clients.kill(client_id)

    server.start()
    for client_id in ("c", "b", "a"):  # whoever comes first
        clients.start(client_id)
        api.wait_for_client(client_id, "idle", "training", "evaluating")

    assert api.wait_for_run(run["id"], "completed")["clients"] == list(PAIR)
    assert without_times(api.rounds(run["id"])) == without_times(undisturbed(**LONG))
    assert "finds all 2 parts" in api.logs(level="warning", run_id=run["id"])[-1]["message"]


def test_a_run_waits_a_while_for_those_that_it_had(
    server: ForkedServer, api: Api, fleet: Fleet, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    for client_id in PAIR:
        api.wait_for_client(client_id, "idle")
    run = api.start(**{**LONG, "min_clients": 1})
    api.wait_for_round(run["id"], 2)
    clients = Clients(fleet, server, tmp_path)
    server.kill()
    clients.kill("b")
    server.start()

    waiting = api.wait_for_reason(run["id"], "waiting up to")
    assert waiting["reason"] == "waiting up to 10 s for b to come back"

    clients.start("b")
    api.wait_for_run(run["id"], "completed")
    assert without_times(api.rounds(run["id"])) == without_times(undisturbed(**LONG))


def test_a_run_that_was_accepted_is_not_forgotten(server: ForkedServer, api: Api) -> None:
    run_ids = []
    for _ in range(3):
        run_ids.append(api.start(**SPEC)["id"])
        server.kill()
        server.start()

    assert [run["id"] for run in api.get("/runs")["runs"]] == run_ids[::-1]


def test_runs_in_the_queue_stay_there_in_their_order(server: ForkedServer, api: Api) -> None:
    first, second, third = (api.start(**{**SPEC, "num_rounds": rounds}) for rounds in (40, 2, 1))
    api.wait_for_round(first["id"], 1)
    server.kill()
    server.start()

    ended = [api.wait_for_run(run["id"], "completed") for run in (first, second, third)]
    assert ended[0]["finished_at"] < ended[1]["started_at"]
    assert ended[1]["finished_at"] < ended[2]["started_at"]


def test_a_run_that_ended_before_stays_as_it_was(server: ForkedServer, api: Api) -> None:
    completed, stopped = (api.start(**{**SPEC, "num_rounds": rounds}) for rounds in (2, 10_000))
    api.wait_for_run(completed["id"], "completed")
    api.wait_for_round(stopped["id"], 1)
    api.stop(stopped["id"])
    api.wait_for_run(stopped["id"], "stopped")
    api.wait_until_idle()
    before = api.get("/runs")["runs"], api.rounds(completed["id"]), api.rounds(stopped["id"])
    server.end()
    server.start()

    assert (api.get("/runs")["runs"], api.rounds(completed["id"]), api.rounds(stopped["id"])) == before


def test_a_run_of_another_app_is_interrupted_and_offered_to_be_started_again(
    server: ForkedServer, fleet: Fleet, tmp_path: Path, ending: ExitStack
) -> None:
    app = read_app(APPS / "quickstart-numpy")
    server.start(app=app)
    Clients(fleet, server, tmp_path).start(*PAIR, app=app)
    api = ending.enter_context(closing(Api(server.url)))
    run = api.start(num_rounds=10_000)
    wait_until_kept(server.home, lambda store: len(store.rounds(run["id"])) >= 2, "a round is over")

    for end in (server.kill, server.end):
        end()
        server.start()
        interrupted = api.run(run["id"])
        assert (interrupted["state"], interrupted["can_resume"]) == ("interrupted", False)
        assert api.rounds(run["id"])[0]["complete"], "what it came to is still there"
        refused = api.http.post(f"/api/v1/runs/{run['id']}/resume")
        assert refused.status_code == 409
        assert "nobody but the app quickstart-numpy knows its state" in refused.json()["detail"]
        assert "Start a new run with the same settings" in refused.json()["detail"]

    again = api.start(**{**run["spec"], "num_rounds": 2})
    api.wait_for_run(again["id"], "completed")


def test_queued_runs_of_an_app_outlast_a_server_without_it(
    server: ForkedServer, fleet: Fleet, tmp_path: Path, ending: ExitStack
) -> None:
    app = read_app(APPS / "quickstart-numpy")
    server.start(app=app)
    api = ending.enter_context(closing(Api(server.url)))
    run_ids = [api.start(num_rounds=1)["id"] for _ in range(2)]
    server.end()

    server.start(app=None)
    for run_id in run_ids:
        set_aside = api.run(run_id)
        assert (set_aside["state"], set_aside["cause"]) == ("interrupted", "app")
        refused = api.http.post(f"/api/v1/runs/{run_id}/resume")
        assert refused.status_code == 409
        assert "It goes on when the server is started with --app" in refused.json()["detail"]
    server.kill()

    server.start(app=app)
    Clients(fleet, server, tmp_path).start(*PAIR, app=app)
    ended = [api.wait_for_run(run_id, "completed") for run_id in run_ids]
    assert ended[0]["finished_at"] < ended[1]["started_at"]


def test_the_command_typed_again_goes_on_with_the_run(
    start_server: StartServer, start_command: StartCommand, ending: ExitStack
) -> None:
    flags = ("--num-rounds", "10000", "--min-clients", "1", "--model", "linear")
    killed = start_server(*flags)
    client = start_command("run_client.py", "--client-id", "a", "--threads", "1", "--server", killed.link)
    api = ending.enter_context(closing(Api(killed.url)))
    (run,) = api.get("/runs")["runs"]
    api.wait_for_round(run["id"], 3)
    killed.signal(signal.SIGKILL)
    killed.wait_for_exit(END_TIMEOUT_S)

    again = start_server(*flags, port=killed.port, link_port=killed.link_port)

    done = int(again.wait_for_output(rf"run {run['id']} goes on after round (\d+)")[1])
    assert done >= 2
    api.wait_for_round(run["id"], done + 2)
    require_the_only_run(api, run["id"])
    assert client.count("no connection to") == 1
    assert client.count("connected to the server") == 2
    assert "Traceback" not in client.output + again.output

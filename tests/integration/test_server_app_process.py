"""A ServerApp in a process of its own: what it may do there, what is seen of it, and what it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.demo.fleet import Fleet
from shared.flower_app import read_app
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.apps import write_app
from tests.support.forked_server import ForkedServer, ServerRefused
from tests.support.module_servers import api_of_server
from tests.support.waiting import wait_until

PAIR = ("a", "b")

SERVER_APP = '''
import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
from flwr.app import ArrayRecord, MetricRecord
from flwr.common import ndarrays_to_parameters
from flwr.compat.server import ServerAppComponents
from flwr.server import ServerConfig
from flwr.server.compat import start_grid
from flwr.server.strategy import FedAvg as OlderFedAvg
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg

multiprocessing.set_start_method("spawn")  # fails where it was set before
logging.basicConfig(force=True, format="the app's own format: %(message)s")
calls = []
app = ServerApp()
ARRAYS = ArrayRecord([np.zeros(4, np.float32)])


class Counting(FedAvg):
    """Reads the replies before it hands them on."""

    def aggregate_train(self, server_round, replies):
        examples = sum(reply.content["metrics"]["num-examples"] for reply in replies)
        assert len(replies) == 2 and replies[0] is list(replies)[0]
        arrays, metrics = super().aggregate_train(server_round, replies)
        metrics["examples"] = examples
        return arrays, metrics


def evaluate(server_round, arrays):
    return MetricRecord({"auc": 0.5 + server_round / 10, "mean": float(arrays.to_numpy_ndarrays()[0].mean())})


@app.main()
def main(grid, context):
    calls.append(context.run_id)
    globals()[context.run_config["does"]](grid)


def train(grid):
    FedAvg().start(grid, ARRAYS, num_rounds=2)


def count(grid):
    Counting().start(grid, ARRAYS, num_rounds=2, evaluate_fn=evaluate)


def fail_afterwards(grid):
    train(grid)
    raise RuntimeError("after all rounds")


def older(grid):
    strategy = OlderFedAvg(
        fraction_fit=0.0,
        min_fit_clients=0,
        min_evaluate_clients=0,
        fraction_evaluate=0.0,
        initial_parameters=ndarrays_to_parameters([np.zeros(4)]),
        evaluate_fn=lambda server_round, arrays, config: (2.0 - server_round, {"auc": 0.5}),
    )
    start_grid(grid=grid, config=ServerConfig(num_rounds=2), strategy=strategy)


def wait_for_ever(grid):
    print("it waits", os.getpid())
    while True:
        time.sleep(0.1)


def tell(grid):
    """What a process of its own is."""
    assert threading.current_thread() is threading.main_thread()
    signal.signal(signal.SIGALRM, lambda *_: None)
    with multiprocessing.Pool(1) as pool:
        assert pool.map(abs, [-1]) == [1]
    Path(__file__).with_name("results.json").write_text(json.dumps({"calls": len(calls)}))
    ours = [name for name in sys.modules if name.split(".")[0] in ("app", "client", "shared")]
    print("it says", json.dumps([len(calls), ours, os.getpid()]))
    logging.getLogger("mine").warning("it warns")
    train(grid)
'''

CLIENT_APP = """
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()


@app.train()
def train(msg, context):
    part = context.node_config["partition-id"]
    arrays = ArrayRecord([array + 1 + part for array in msg.content["arrays"].to_numpy_ndarrays()])
    metrics = MetricRecord({"num-examples": 1 + part, "train_loss": 0.5})
    return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=msg)


@app.evaluate()
def evaluate(msg, context):
    metrics = MetricRecord({"num-examples": 1, "eval_loss": 0.25})
    return Message(RecordDict({"metrics": metrics}), reply_to=msg)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_app(
        tmp_path_factory.mktemp("app"),
        "hosted",
        name="hosted",
        config='does = "train"',
        server_app=SERVER_APP,
        client_app=CLIENT_APP,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[ForkedServer]:
    server = ForkedServer(tmp_path_factory.mktemp("hosted") / "home", app=read_app(folder), queue_run=False)
    server.start()
    with Fleet() as fleet:
        clients = Clients(fleet, server, server.home)
        clients.start(*PAIR, app=read_app(folder))
        yield server
    server.end()


api = api_of_server()


def start(api: Api, does: str) -> str:
    for client_id in PAIR:
        api.wait_for_client(client_id, "idle")
    run_id: str = api.start(app="hosted", min_clients=2, run_config={"does": does})["id"]
    return run_id


def complete(api: Api, does: str) -> list[Json]:
    """The rounds of a run that does this."""
    run_id = start(api, does)
    api.wait_for_run(run_id, "completed")
    return api.rounds(run_id)


def said(api: Api, run_id: str, beginning: str) -> Json:
    """The line of the run's log that begins like this."""

    def look() -> Any:
        entries = [entry for entry in api.logs() if entry["run_id"] == run_id]
        return next((entry for entry in entries if entry["message"].startswith(beginning)), None)

    entry: Json = wait_until(look, f"the log says {beginning!r}")
    return entry


def test_replies_are_a_list_and_the_model_trains(api: Api) -> None:
    initial, *rounds = complete(api, "count")

    assert [round_["metrics"]["train"]["examples"] for round_ in rounds] == [3, 3]
    assert [round_["clients"] for round_ in rounds] == [2, 2]
    # the clients add 1 and 2, and weigh 1 and 2
    means = [round_["metrics"]["server"]["mean"] for round_ in (initial, *rounds)]
    assert means == pytest.approx([0, 5 / 3, 10 / 3])


def test_what_the_server_app_evaluates_is_a_curve(api: Api) -> None:
    rounds = complete(api, "count")

    assert [round_["metrics"]["server"]["auc"] for round_ in rounds] == pytest.approx([0.5, 0.6, 0.7])
    assert [round_["round"] for round_ in rounds] == [0, 1, 2]


def test_what_a_strategy_of_the_older_style_evaluates_is_a_curve(api: Api) -> None:
    rounds = complete(api, "older")

    assert [round_["metrics"]["server"]["loss"] for round_ in rounds] == [2.0, 1.0, 0.0]
    assert [round_["loss"] for round_ in rounds] == [2.0, 1.0, 0.0]


def test_rounds_that_were_complete_stay_when_the_app_fails_after_them(api: Api) -> None:
    run_id = start(api, "fail_afterwards")

    run = api.wait_for_run(run_id, "failed")

    assert run["cause"] == "app-failed"
    assert run["reason"] == "The ServerApp ended by RuntimeError: after all rounds"
    assert 'hosted/server_app.py", line ' in run["error"]
    assert run["error"].startswith("Traceback (most recent call last):\n")
    assert "app_host" not in run["error"].splitlines()[1]
    rounds = api.rounds(run_id)
    assert [(round_["complete"], round_["clients"]) for round_ in rounds] == [(True, 2), (True, 2)]


def test_each_run_has_a_fresh_process_in_which_the_app_is_alone_and_nothing_of_it_stays(
    api: Api, server: ForkedServer, folder: Path
) -> None:
    for _ in range(2):
        run_id = start(api, "tell")
        api.wait_for_run(run_id, "completed")

        printed = said(api, run_id, "it says")["message"]
        calls, modules, pid = json.loads(printed.removeprefix("it says "))
        assert (calls, modules) == (1, [])
        assert not psutil.pid_exists(pid)
        assert said(api, run_id, "the app's own format: it warns")["source"] == "server"
    assert psutil.Process(server.pid).children(recursive=True) == []
    assert not (folder / "hosted" / "results.json").exists()
    (written,) = (server.home / "apps").rglob("results.json")
    assert written.read_text() == '{"calls": 1}'


def test_while_a_run_is_paused_its_app_stands_still(api: Api, server: ForkedServer) -> None:
    run_id = start(api, "wait_for_ever")
    host = psutil.Process(int(said(api, run_id, "it waits")["message"].split()[-1]))

    api.command(run_id, "pause")
    api.wait_for_run(run_id, "paused")
    wait_until(lambda: host.status() == psutil.STATUS_STOPPED, "the process is stopped")
    api.command(run_id, "resume")
    api.wait_for_run(run_id, "running")
    wait_until(lambda: host.status() != psutil.STATUS_STOPPED, "the process goes on")

    api.command(run_id, "pause")
    api.wait_for_run(run_id, "paused")
    api.stop(run_id)
    api.wait_for_run(run_id, "stopped")
    assert not psutil.pid_exists(host.pid)


def test_a_stop_while_the_app_is_loading_leaves_nothing_behind(api: Api, server: ForkedServer) -> None:
    run_id = start(api, "train")
    api.stop(run_id)

    api.wait_for_run(run_id, "stopped")
    wait_until(lambda: not psutil.Process(server.pid).children(recursive=True), "nothing of it is left")


BROKEN = {
    "import os\nos.abort()": r"cannot be imported\. Its process ended: it aborted",
    "import nothing_of_that_name": "needs the Python package nothing_of_that_name, which is not installed",
    "1 / 0": r"cannot be imported: ZeroDivisionError: division by zero \(hosted/server_app.py, line 1\)",
    "app = 3": "has no ServerApp called app",
}


@pytest.mark.parametrize("text", BROKEN)
def test_an_app_that_cannot_be_imported_is_refused_when_the_server_starts(tmp_path: Path, text: str) -> None:
    folder = write_app(tmp_path / "app", "hosted", name="hosted", server_app=text, client_app=CLIENT_APP)
    server = ForkedServer(tmp_path / "home", app=read_app(folder), queue_run=False)

    with pytest.raises(ServerRefused, match=BROKEN[text]):
        server.start()

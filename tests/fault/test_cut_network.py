"""A client whose network is cut while it computes: seen as lost, waited for, and not asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.demo.fleet import Fleet
from shared.flower_app import read_app
from tests.conftest import Clients, StartCommand
from tests.fault.conftest import PAIR
from tests.support.api import Api
from tests.support.apps import write_app
from tests.support.forked_server import ForkedServer
from tests.support.namespaces import Namespace, namespace
from tests.support.waiting import wait_until

LOST_WITHIN_S = 10.0

SERVER_APP = """
from flwr.app import ArrayRecord
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg
import numpy as np

app = ServerApp()

@app.main()
def main(grid, context):
    strategy = FedAvg(fraction_evaluate=0.0)
    strategy.start(grid, ArrayRecord([np.zeros(3)]), num_rounds=context.run_config["num-server-rounds"])
"""

CLIENT_APP = '''
import time
from pathlib import Path

from flwr.app import Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()

@app.train()
def train(message, context):
    """Compute until the test says that it is done."""
    folder = Path(context.node_config["folder"])
    number = message.content["config"]["server-round"]
    with (folder / "calls").open("a") as calls:
        calls.write(f"{number}\\n")
    while not (folder / f"done-{number}").exists():
        time.sleep(0.01)
    metrics = MetricRecord({"num-examples": 1, "round": number})
    return Message(RecordDict({"arrays": message.content["arrays"], "metrics": metrics}), reply_to=message)
'''


@pytest.fixture
def there() -> Iterator[Namespace]:
    with namespace() as there:
        yield there


class Worker:
    """A client of that app."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    @property
    def calls(self) -> list[str]:
        """The rounds in which it was asked to train."""
        file = self.folder / "calls"
        return file.read_text().split() if file.exists() else []

    def wait_until_called(self, number: int) -> None:
        wait_until(lambda: str(number) in self.calls, f"round {number} is trained in {self.folder.name}")

    def finish(self, number: int) -> None:
        """Let it be done with a round."""
        (self.folder / f"done-{number}").touch()


def test_it_is_waited_for_and_delivers_what_it_has_computed(
    server: ForkedServer, fleet: Fleet, there: Namespace, start_command: StartCommand, tmp_path: Path
) -> None:
    folder = write_app(tmp_path / "app", "waiting", server_app=SERVER_APP, client_app=CLIENT_APP)
    here, far = (Worker(tmp_path / name) for name in PAIR)
    server.start(app=read_app(folder), host="0.0.0.0")
    Clients(fleet, server, tmp_path).start(
        "a", app=read_app(folder), node_config={"folder": str(here.folder)}
    )
    address = server.link.replace("127.0.0.1", there.gateway)
    flags = ("--client-id", "b", "--server", address, "--app", str(folder))
    b = start_command(
        "run_client.py",
        *flags,
        *("--node-config", f"folder='{far.folder}'"),
        env={"FEDLOOM_HOME": str(server.home)},
        before=there.command(),
    )
    with closing(Api(server.url)) as api:
        run_id = api.start(num_rounds=3, min_clients=2, min_replies=2)["id"]
        for number in (1, 2):
            here.wait_until_called(number)
            far.wait_until_called(number)
            here.finish(number)

            there.cut()
            api.wait_for_client("b", "lost", timeout_s=LOST_WITHIN_S)
            waiting = api.wait_for_reason(run_id, "waiting for 1 more reply")
            assert waiting["reason"] == "waiting for 1 more reply (1 of 2): b is lost"
            if number == 1:
                far.finish(number)  # it has the result while nobody can be reached, and keeps it
            b.wait_for_output(rf"(?s)(no connection to.*){{{number}}}")
            there.heal()
            api.wait_for_client("b", "training", "idle")
            if number == 2:
                far.finish(number)  # it has gone on to compute through all of that

        here.finish(3)
        far.finish(3)
        api.wait_for_run(run_id, "completed")
        rounds = api.rounds(run_id)

    assert far.calls == here.calls == ["1", "2", "3"], "nobody was asked twice"
    assert [round_["clients"] for round_ in rounds] == [2, 2, 2]
    assert all(round_["per_client"]["b"]["error"] is None for round_ in rounds)
    assert b.count("connected to the server") == 3
    assert b.count("gave up") == 0
    assert "Traceback" not in b.output

"""FedLoom's ServerApp and ClientApp on Flower's own simulation engine: the same apps, the same results."""

from __future__ import annotations

import re

import pytest

from app.federation.spec import RunSpec
from tests.conftest import Clients, StartCommand
from tests.support.api import Api

SPEC = RunSpec(num_rounds=2, min_clients=2, alpha=None, seed=3)


def test_flowers_simulation_engine_gives_the_same_accuracies(
    start_command: StartCommand, api: Api, clients: Clients
) -> None:
    simulation = start_command(
        "-m tests.support.simulation",
        "2",
        SPEC.model_dump_json(),
        env={"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"},
    )
    clients.start("simulated-1", "simulated-2")
    run = api.start(**SPEC.model_dump(mode="json"))
    api.wait_for_run(run["id"], "completed")
    ours = [round_["accuracy"] for round_ in api.rounds(run["id"])]

    assert simulation.wait_for_exit(100) == 0, simulation

    said = dict(re.findall(r"round (\d): accuracy (\d\.\d+)", simulation.output))
    theirs = [float(said[str(number)]) for number in range(SPEC.num_rounds + 1)]
    assert theirs == pytest.approx(ours, abs=0.01)
    assert theirs[-1] > theirs[0]

"""FedLoom with real clients against Flower's own simulation engine: the same training, the same results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from app.demo.fleet import Fleet
from shared.run_spec import RunSpec
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.processes import Command, ServerProcess

SEEDS = (1, 2, 3)
SPEC = RunSpec(num_rounds=5, min_clients=5, alpha=0.5, seed=SEEDS[0])
APART = 0.005
"""How far accuracies may be apart: sums of floats depend on the order of the replies. One image is 0.003."""

Curves = dict[int, list[float]]


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Flower's engine at work. Most of its time goes by until Ray has started."""
    command = Command(
        "-m tests.support.simulation",
        *(str(SPEC.min_clients), SPEC.model_dump_json(), *map(str, SEEDS)),
        home=tmp_path_factory.mktemp("simulation"),
        env={"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"},
    )
    yield command
    command.end()


@pytest.fixture(scope="module")
def ours(
    simulation: Command, session_server: ServerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Curves:
    """The accuracies in a run of each seed on FedLoom's server with real client processes; meanwhile."""
    api = Api(session_server.url)
    curves = {}
    with Fleet() as fleet:
        names = [f"simulated-{number}" for number in range(SPEC.min_clients)]
        Clients(fleet, session_server, tmp_path_factory.mktemp("data")).start(*names)
        for seed in SEEDS:
            run = api.start(**{**SPEC.model_dump(mode="json"), "seed": seed})
            api.wait_for_run(run["id"], "completed")
            curves[seed] = [round_["accuracy"] for round_ in api.rounds(run["id"])]
    api.close()
    return curves


@pytest.fixture(scope="module")
def theirs(simulation: Command, ours: Curves) -> Curves:
    """Those of Flower's own FedAvg on Flower's own engine."""
    assert simulation.wait_for_exit(120) == 0, simulation
    found = re.search(r"^reference: (.*)$", simulation.output, re.MULTILINE)
    assert found, simulation
    return {int(seed): curve for seed, curve in json.loads(found[1]).items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_fedavg_ends_where_flowers_own_fedavg_does(seed: int, ours: Curves, theirs: Curves) -> None:
    assert len(ours[seed]) == len(theirs[seed]) == SPEC.num_rounds + 1
    assert ours[seed] == pytest.approx(theirs[seed], abs=APART)
    assert theirs[seed][-1] > 0.9 > theirs[seed][0]


def test_runs_of_different_seeds_are_different(ours: Curves) -> None:
    """Otherwise the agreement above would say nothing."""
    curves = [ours[seed][:2] for seed in SEEDS]
    assert all(
        one != pytest.approx(another, abs=APART) for one in curves for another in curves if one is not another
    )


@pytest.mark.usefixtures("theirs")
def test_fedloom_s_own_server_app_gives_the_same_on_flowers_engine(simulation: Command, ours: Curves) -> None:
    said = dict(re.findall(r"round (\d): accuracy (\d\.\d+)", simulation.output))

    accuracies = [float(said[str(number)]) for number in range(SPEC.num_rounds + 1)]
    assert accuracies == pytest.approx(ours[SPEC.seed], abs=APART)

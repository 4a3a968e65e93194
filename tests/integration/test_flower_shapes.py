"""Apps of the shapes that Flower's examples and baselines have, here and under Flower's own engine.

Each shape is a small app in `tests/apps/shapes`; its docstring names the examples. All of them run one after
the other on one server with two clients, and every number of every round must be the one that Flower's own
strategy has aggregated, or the mean of what the clients sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.demo.fleet import Fleet
from shared.flower_app import read_app
from tests.conftest import Clients
from tests.support.api import Api, Json, tidied
from tests.support.apps import APPS
from tests.support.flower_reference import FlowerReference, Outcome, ReferenceApp, RoundOf
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

FOLDER = APPS / "shapes"
PAIR = ("client-1", "client-2")
ROUNDS = 2
EXACT, QUANTISED = 1e-9, 1e-3
"""Flower's secure aggregation rounds each weight up or down by chance, here and in the reference."""


@dataclass(frozen=True)
class Shape:
    """How the rounds of an app are seen, and what Flower knows of them."""

    rounds: tuple[RoundOf, ...]
    labels: tuple[str | None, ...] = ()
    """The app's own numbers, where they are others; none given: they are not."""
    method: str = "server"
    first: int = 1
    """The first round's number: 0 where something is known of the initial model."""
    tolerance: float = EXACT
    direct: bool = False

    def app(self, name: str) -> ReferenceApp:
        """What Flower is to run."""
        config: dict[str, Any] = {"shape": name.partition(" ")[0], "method": self.method}
        return ReferenceApp(FOLDER, {**config, "num-server-rounds": ROUNDS}, self.direct)


def strategy(*stages: str, start: int = 0, rounds: int = ROUNDS) -> tuple[RoundOf, ...]:
    """The rounds of one `start` of a strategy."""
    return tuple(RoundOf(stages, (start, number)) for number in range(1, rounds + 1))


def each(*stages: str, rounds: int = ROUNDS) -> tuple[RoundOf, ...]:
    """The rounds of an app that aggregates by itself."""
    return (RoundOf(stages),) * rounds


INITIAL = (RoundOf((), (0, 0)),)
TRAINED = strategy("train", "evaluate")

SHAPES = {
    "plain": Shape(TRAINED),
    "counted_replies": Shape(each("query"), labels=("0", "1")),
    "twice_read": Shape(each("query", rounds=1)),
    "indexed_replies": Shape(each("query")),
    "inspecting_strategy": Shape(TRAINED),
    "private": Shape(TRAINED),
    "private at the clients": Shape(TRAINED, method="client"),
    "central_evaluation": Shape(INITIAL + strategy("train"), first=0),
    "own_start": Shape(INITIAL + TRAINED, first=0),
    "two_train_stages": Shape(each("train", "train")),
    "unnumbered": Shape(each("query", "train")),
    "rounds_from_zero": Shape(each("train"), labels=("0", "1")),
    "start_twice": Shape(TRAINED + strategy("train", "evaluate", start=1), labels=(None, None, "1", "2")),
    "evaluated_before": Shape((RoundOf(("evaluate",)), *TRAINED), first=0),
    "other_numbers": Shape(TRAINED),
    "trees": Shape(TRAINED),
    "personal": Shape(TRAINED),
    "pushed_and_pulled": Shape(each("train")),
    "vertical": Shape(each("query.generate_embeddings", "train.apply_gradients")),
    "several_actions": Shape(each("train.setup", "train.fit", "evaluate.holdout")),
    "older_style": Shape(INITIAL + TRAINED, first=0),
    "secure": Shape(strategy("train", "train", "train", "train", "evaluate"), tolerance=QUANTISED),
    "wide_table": Shape(each("query", rounds=1)),
    "alarm": Shape(TRAINED),
    "children": Shape(TRAINED, direct=True),
    "chatty": Shape(TRAINED),
    "failing_at_the_end": Shape(TRAINED),
    "failing_client raises": Shape(TRAINED, method="raise"),
    "failing_client gives nothing back": Shape(TRAINED, method="nothing", direct=True),
    "failing_client holds the GIL": Shape(TRAINED, method="hold"),
}
FAILING = {name: shape for name, shape in SHAPES.items() if name.startswith("failing")}
HEALTHY = {name: shape for name, shape in SHAPES.items() if name not in FAILING}


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowerReference]:
    """Flower's engine at work on all shapes."""
    apps = [shape.app(name) for name, shape in SHAPES.items()]
    reference = FlowerReference(apps, len(PAIR), tmp_path_factory.mktemp("flower"))
    yield reference
    reference.end()


@pytest.fixture(scope="module")
def server(flower: FlowerReference, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server with the app of all shapes, and two clients; Flower begins meanwhile."""
    server = ServerProcess("--app", str(FOLDER), home=tmp_path_factory.mktemp("shapes"))
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path_factory.mktemp("data")).start(*PAIR, app=read_app(FOLDER))
        yield server
    server.end()


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    with tidied(server.url) as api:
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        yield api


def run(api: Api, name: str, shape: Shape, *states: str, **more: str) -> tuple[Json, list[Json]]:
    """The run of a shape, once it has ended so, and its rounds."""
    config = {"shape": name.partition(" ")[0], "method": shape.method, **more}
    started = api.start(app="shapes", num_rounds=ROUNDS, min_clients=len(PAIR), run_config=config)
    return api.wait_for_run(started["id"], *states, timeout_s=90), api.rounds(started["id"])


def assert_as_flower_has_it(rounds: list[Json], shape: Shape, outcome: Outcome) -> None:
    """All rounds are there, under their labels, with Flower's numbers and no others."""
    expected = outcome.rounds(shape.rounds)
    numbers = list(range(shape.first, shape.first + len(expected)))
    assert [round_["round"] for round_ in rounds] == numbers
    assert all(round_["complete"] for round_ in rounds)
    assert [round_["label"] for round_ in rounds] == list(shape.labels or [None] * len(expected))
    for round_, metrics in zip(rounds, expected, strict=True):
        assert round_["metrics"].keys() == metrics.keys(), f"stages of round {round_['round']}"
        for stage, values in metrics.items():
            assert round_["metrics"][stage] == pytest.approx(values, rel=shape.tolerance), (
                f"{stage} in round {round_['round']}"
            )


@pytest.mark.parametrize("name", HEALTHY)
def test_an_app_of_this_shape_gives_the_numbers_that_it_gives_under_flower(
    name: str, api: Api, flower: FlowerReference
) -> None:
    shape = SHAPES[name]

    ended, rounds = run(api, name, shape, "completed")

    outcome = flower.of(shape.app(name))
    assert outcome.error is None
    assert (ended["reason"], ended["error"]) == (None, None)
    assert_as_flower_has_it(rounds, shape, outcome)
    for round_ in rounds:
        assert all(part["error"] is None for part in round_["per_client"].values())


def test_secure_aggregation_is_refused_with_flowers_own_way_which_runs_as_the_shape_secure(api: Api) -> None:
    before = api.get("/runs")["runs"]

    refused = api.http.post("/api/v1/runs", json={"secure_aggregation": {}, "min_clients": 3})

    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"] == "secure_aggregation"
    assert "can use Flower's own SecAggPlusWorkflow and secaggplus_mod, which run here" in error["message"]
    assert api.get("/runs")["runs"] == before


def test_the_rounds_before_an_apps_failure_are_kept(api: Api, flower: FlowerReference) -> None:
    name = "failing_at_the_end"

    ended, rounds = run(api, name, SHAPES[name], "failed")

    outcome = flower.of(SHAPES[name].app(name))
    assert outcome.error is not None
    assert "RuntimeError: the results cannot be saved" in outcome.error
    assert ended["cause"] == "app-failed"
    assert "the results cannot be saved" in ended["error"]
    assert_as_flower_has_it(rounds, SHAPES[name], outcome)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("failing_client raises", "ValueError: no data"),
        ("failing_client gives nothing back", "returned None"),
    ],
)
def test_a_client_that_fails_once_is_left_out_of_that_round_only(
    name: str, says: str, api: Api, flower: FlowerReference
) -> None:
    _, rounds = run(api, name, SHAPES[name], "completed")

    outcome = flower.of(SHAPES[name].app(name))
    assert_as_flower_has_it(rounds, SHAPES[name], outcome)
    assert [round_["clients"] for round_ in rounds] == [1, 2]
    errors = [part["error"] for part in rounds[0]["per_client"].values() if part["error"]]
    assert len(errors) == 1
    assert says in errors[0]


@pytest.mark.parametrize("method", ["abort", "exit"])
def test_a_client_whose_app_ends_its_process_goes_on_with_a_new_one(
    method: str, api: Api, flower: FlowerReference
) -> None:
    shape = Shape(TRAINED, method=method)

    _, rounds = run(api, "failing_client", shape, "completed")

    raising = "failing_client raises"  # Flower's engine does not survive the others
    assert_as_flower_has_it(rounds, shape, flower.of(SHAPES[raising].app(raising)))
    assert [round_["clients"] for round_ in rounds] == [1, 2]


def test_a_client_whose_app_holds_the_gil_stays_connected(api: Api, flower: FlowerReference) -> None:
    name = "failing_client holds the GIL"

    _, rounds = run(api, name, SHAPES[name], "completed")

    assert_as_flower_has_it(rounds, SHAPES[name], flower.of(SHAPES[name].app(name)))
    assert [round_["clients"] for round_ in rounds] == [2, 2]
    assert {client["state"] for client in api.clients().values()} == {"idle"}


@pytest.mark.parametrize("method", ["processes", "loader"])
def test_what_an_app_has_started_and_left_ends_with_the_run(method: str, api: Api, tmp_path: Path) -> None:
    run(api, "orphans", Shape(TRAINED, method=method), "completed", folder=str(tmp_path))

    pids = [int(pid) for file in tmp_path.glob("*.pids") for pid in file.read_text().split()]
    assert len(pids) == len(PAIR) * ROUNDS * 2
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids), "the children of the app have ended")

"""What a RunSpec accepts works: every number at its least and at its most, or it is refused in words."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.federation.grid.exchange import Exchange
from app.federation.strategies import ParameterInfo, build_strategy, describe_strategies
from app.federation.strategies.central_dp import AdaptiveClipping
from app.federation.strategies.sampling import cohort_size
from app.records import WaitingFor
from client.learner import Learner, Place, Site
from shared.data.partition import partition_indices
from shared.errors import SettingsInvalid
from shared.models import build_model
from shared.names import StrategyName
from shared.run_spec import MAX_CLIENTS, RunSpec, Scalar
from tests.support.updates import Model, a_model, a_record, a_reply, aggregate, models_near

LEAST = math.ulp(0.0)
LEARNER = Learner(Site(Path("nowhere"), max_samples=20, device="cpu"))
SENT = a_model(0)
NOTHING = {name: np.zeros_like(values) for name, values in SENT.items()}

UPDATES: Mapping[str, tuple[Model, list[Model]]] = {
    "nothing": (SENT, [SENT] * 7),
    "hardly anything": (NOTHING, models_near(NOTHING, 7, distance=1e-30)),
    "some weights only": (SENT, [{**model, "scale": SENT["scale"]} for model in models_near(SENT, 7)]),
    "very much": (SENT, models_near(SENT, 7, distance=1e15)),
}


def ends(schema: Mapping[str, Any]) -> list[float]:
    """The least and the most that a number in a JSON schema may be."""
    (kind,) = [kind for kind in schema.get("anyOf", [schema]) if kind["type"] != "null"]
    whole = kind["type"] == "integer"
    above, below = kind.get("exclusiveMinimum"), kind.get("exclusiveMaximum")
    least = kind["minimum"] if above is None else math.nextafter(above, math.inf)
    most = kind["maximum"] if below is None else below - 1 if whole else math.nextafter(below, 0)
    return [least, most]


NUMBERS = {
    name: ends(schema)
    for name, schema in RunSpec.model_json_schema()["properties"].items()
    if any(kind.get("type") in ("integer", "number") for kind in schema.get("anyOf", [schema]))
}


@pytest.mark.parametrize(("field", "value"), [(name, end) for name in NUMBERS for end in NUMBERS[name]])
def test_a_client_works_with_each_number_at_its_end(field: str, value: float) -> None:
    others = {"num_partitions": {"min_clients": 1}, "min_replies": {"min_clients": MAX_CLIENTS}}
    small = {"dataset": "synthetic", "model": "linear"}
    spec = RunSpec.model_validate({**small, **others.get(field, {}), field: value})
    spec = RunSpec.from_run_config(spec.to_run_config()).with_changes(
        local_epochs=min(spec.local_epochs, 3)  # the most would only take long
    )
    weights = build_model(spec.model, spec.dataset, seed=1).state_dict()

    update = LEARNER.train(Place(spec, part=0, parts=40), weights, server_round=1)

    assert all(torch.isfinite(tensor).all() for tensor in update.weights.values())


@pytest.mark.parametrize("parts", [2, 100, 1_438])
@pytest.mark.parametrize("alpha", [*NUMBERS["alpha"], 1e-310, 1e-300, None])
def test_every_alpha_gives_every_client_a_part_and_every_sample_to_one(
    alpha: float | None, parts: int
) -> None:
    labels = np.arange(1_438) % 10

    asked = sorted({0, parts // 2, parts - 1})
    sizes = [len(partition_indices(labels, parts, part, alpha=alpha, seed=1)) for part in asked]

    assert all(1 <= size <= 1_438 for size in sizes)
    if parts == 2:
        assert sum(sizes) == 1_438


@pytest.mark.parametrize("fraction", NUMBERS["fraction_train"])
@pytest.mark.parametrize("clients", [1, 3, MAX_CLIENTS])
def test_every_fraction_leaves_somebody_to_train(fraction: float, clients: int) -> None:
    assert 1 <= cohort_size(clients, fraction) <= clients


def test_nobody_evaluates_only_where_that_was_asked_for() -> None:
    assert (cohort_size(3, 0.0), cohort_size(0, 1.0), cohort_size(3, LEAST)) == (0, 0, 1)


@pytest.mark.parametrize("share", NUMBERS["min_reply_share"])
@pytest.mark.parametrize("asked", [1, 3, MAX_CLIENTS])
def test_every_share_of_replies_can_be_had(share: float, asked: int) -> None:
    assert 1 <= RunSpec(min_reply_share=share).required_replies(asked) <= asked


def test_a_share_of_replies_is_counted_as_one_would_by_hand() -> None:
    for percent, asked in itertools.product(range(1, 101), range(1, 201)):
        spec = RunSpec(min_reply_share=percent / 100)
        assert spec.required_replies(asked) == -(-percent * asked // 100)


def test_a_strategy_that_needs_more_is_not_content_with_the_replies_that_were_asked_for() -> None:
    spec = RunSpec(min_clients=4, min_replies=2)

    assert [spec.required_updates(4, of_strategy) for of_strategy in (1, 3, 5)] == [2, 3, 5]


class WithLimit:
    """Patience for a time, that every reply is worth."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s

    def deadline_s(self, kind: str) -> float:
        return self._limit_s

    def cohort(self, asked: int) -> int:
        return asked

    def required(self, kind: str, asked: int, declined: int) -> int:
        return asked

    def least(self, kind: str, asked: int, declined: int) -> int:
        return asked

    def waits(self, waiting_for: WaitingFor) -> None: ...

    def goes_on(self) -> None: ...


@pytest.mark.parametrize("limit_s", NUMBERS["round_timeout_s"])
def test_every_time_limit_passes_at_its_time(limit_s: float) -> None:
    now = [0.0]
    exchange = Exchange(WithLimit(limit_s), "train", ["m"], None, 0.0, clock=lambda: now[0])

    remaining = exchange.remaining_s(0.0)
    assert remaining is not None
    assert not exchange.is_overdue(0.0)
    assert 0 < remaining < threading.TIMEOUT_MAX
    now[0] += remaining
    assert exchange.is_overdue(0.0)
    assert exchange.remaining_s(0.0) is None


def combinations(parameters: tuple[ParameterInfo, ...]) -> Iterator[dict[str, Scalar]]:
    """All ends of all parameters with each other."""
    schemas = [
        {
            "type": parameter.type,
            ("exclusiveMinimum" if parameter.exclusive_minimum else "minimum"): parameter.minimum,
            ("exclusiveMaximum" if parameter.exclusive_maximum else "maximum"): parameter.maximum,
        }
        for parameter in parameters
    ]
    for values in itertools.product(*map(ends, schemas)):
        yield dict(zip((parameter.name for parameter in parameters), values, strict=True))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of numbers that leave float32
@pytest.mark.parametrize("updates", UPDATES)
@pytest.mark.parametrize("info", describe_strategies(), ids=lambda info: info.name)
def test_every_strategy_makes_a_finite_model_with_its_parameters_at_their_ends(
    info: Any, updates: str
) -> None:
    start, models = UPDATES[updates]
    for params, lr in itertools.product(combinations(info.parameters), NUMBERS["lr"]):
        spec = RunSpec(strategy=StrategyName(info.name), strategy_params=params, min_clients=7, lr=lr)
        try:
            strategy = build_strategy(spec, b"of the run")
        except SettingsInvalid as refused:
            if refused.field not in ("min_clients", "strategy_params"):
                raise
            continue
        model = a_record(start)
        for server_round in (1, 2):
            replies = [a_reply(node, each) for node, each in enumerate(models, start=2)]
            model = aggregate(strategy, model, replies, server_round)
        assert all(np.isfinite(array.numpy()).all() for array in model.values()), (params, lr)


@pytest.mark.parametrize(
    ("spec", "advice"),
    [
        ({"strategy": "krum", "min_clients": 7, "fraction_train": 1e-9}, "Raise fraction_train."),
        (
            {"strategy": "krum", "strategy_params": {"num_malicious_nodes": 10_000}, "min_clients": 7},
            "clients (min_clients 7 × fraction_train 1). Lower num_malicious_nodes to 2.",
        ),
        (
            {"strategy": "fedtrimmedavg", "strategy_params": {"beta": 1e-310}, "min_clients": 7},
            ". Raise beta to 0.15.",
        ),
        (
            {"strategy": "bulyan", "strategy_params": {"num_malicious_nodes": 9_999}},
            ". Choose another strategy.",
        ),
    ],
)
def test_the_advice_is_something_that_can_be_done(spec: dict[str, Any], advice: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        build_strategy(RunSpec.model_validate(spec))

    assert str(refused.value).endswith(advice)


@pytest.mark.parametrize("quantile", [1e-9, 1 - 1e-9])
def test_an_adaptive_clipping_norm_comes_back_from_both_ends(quantile: float) -> None:
    params: dict[str, Scalar] = {
        "noise_multiplier": 0.0,
        "clip_norm_lr": 10.0,
        "target_unclipped_quantile": quantile,
    }
    spec = RunSpec(strategy=StrategyName.DPFEDAVG_ADAPTIVE, strategy_params=params)
    strategy = build_strategy(spec)
    assert isinstance(strategy, AdaptiveClipping)
    for within in (2, 0):
        for _ in range(500):
            strategy.learn(frozenset({2, 3}), within)
        norm = strategy.state()["clipping_norm"]
        assert 0 < norm < 1e31
        build_strategy(spec).load_state(strategy.state())

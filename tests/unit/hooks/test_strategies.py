"""Flower's own strategies, and those of the older style."""

from __future__ import annotations

import inspect
from abc import ABC
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, Message, MetricRecord
from flwr.common import FitRes, ndarrays_to_parameters
from flwr.server.strategy import FedAvg as OlderFedAvg
from flwr.server.strategy import Strategy as OlderStrategy
from flwr.serverapp.strategy import FedAvg, Strategy

from shared.app_host.hooks import Hooks
from tests.support.hooks import Reporting


class Older(OlderFedAvg):
    def evaluate(self, server_round: int, parameters: Any) -> Any:
        return super().evaluate(server_round, parameters)


def older(**settings: Any) -> OlderFedAvg:
    return Older(
        evaluate_fn=lambda server_round, arrays, config: (2.0, {"accuracy": 0.5}),
        fit_metrics_aggregation_fn=lambda metrics: {"examples": sum(number for number, _ in metrics)},
        **settings,
    )


def fit_result() -> tuple[Any, FitRes]:
    parameters = ndarrays_to_parameters([np.zeros(2)])
    result: Any = type(
        "Result", (), {"parameters": parameters, "num_examples": 4, "metrics": {}, "loss": 3.0}
    )
    return None, result


def test_the_older_style_is_told(report: Reporting) -> None:
    strategy = older()

    assert strategy.evaluate(0, ndarrays_to_parameters([np.zeros(2)])) == (2.0, {"accuracy": 0.5})
    strategy.aggregate_fit(1, [fit_result()], [])
    strategy.aggregate_evaluate(1, [fit_result()], [])  # type: ignore[list-item]

    assert report.told == [
        ("server", 0, {"loss": 2.0, "accuracy": 0.5}),
        ("train", 1, {"examples": 4.0}),
        ("evaluate", 1, {"loss": 3.0}),
    ]


def test_the_older_style_without_an_evaluation_tells_that_it_aggregated(report: Reporting) -> None:
    strategy = OlderFedAvg()

    assert strategy.evaluate(0, ndarrays_to_parameters([])) is None
    assert strategy.aggregate_fit(1, [], []) == (None, {})
    assert strategy.aggregate_evaluate(1, [], []) == (None, {})

    assert report.told == [("train", 1, {}), ("evaluate", 1, {})]


def test_every_strategy_of_flower_is_told(hooks: Hooks) -> None:
    """Whether it defines a method itself or inherits it."""

    def below(cls: type) -> Iterator[type]:
        subclasses: list[type] = cls.__subclasses__()
        for subclass in subclasses:
            yield subclass
            yield from below(subclass)

    names = {Strategy: ("start", "aggregate_train"), OlderStrategy: ("evaluate", "aggregate_fit")}
    for base, methods in names.items():
        strategies = [
            cls for cls in below(base) if cls.__module__.startswith("flwr.") and ABC not in cls.__bases__
        ]
        assert len(strategies) > 10
        for cls in strategies:
            for name in methods:
                assert "app_host" in inspect.getattr_static(cls, name).__code__.co_filename, f"{cls}.{name}"


def test_arrays_of_an_app_are_not_touched(report: Reporting) -> None:
    """What is told is read from the result, which goes on unchanged."""
    record = ArrayRecord({"w": Array(np.ones(3, np.float32))})

    class Fixed(FedAvg):
        def aggregate_train(self, server_round: int, replies: Iterable[Message]) -> Any:
            return record, MetricRecord({"loss": 1.0})

    result: Callable[..., Any] = Fixed().aggregate_train
    assert result(1, [])[0] is record

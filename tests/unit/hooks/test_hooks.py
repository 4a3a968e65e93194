"""Hooks: what an app's strategy computes is told once, and the strategy does not notice."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterable
from typing import Any

import pytest
from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import DifferentialPrivacyServerSideFixedClipping, FedAvg, Result, Strategy

from shared.app_host.hooks import Hooks
from tests.support.hooks import ALL_RESULTS, CLIENTS_RESULTS, Reporting, evaluate, start


def test_what_a_strategy_computes_is_told_in_the_order_in_which_it_does(report: Reporting) -> None:
    start(FedAvg(), evaluate_fn=evaluate)

    assert report.told == ALL_RESULTS


def test_evaluate_fn_may_be_given_by_its_place(report: Reporting) -> None:
    result = start(FedAvg(), 60.0, ConfigRecord({"lr": 1.0}), None, evaluate)

    assert report.told == ALL_RESULTS
    assert dict(result.evaluate_metrics_serverapp[1]) == {"auc": 0.6}


def test_a_callable_object_is_told_as_well(report: Reporting) -> None:
    class Evaluation:
        __slots__ = ()

        def __call__(self, server_round: int, arrays: ArrayRecord) -> MetricRecord | None:
            return evaluate(server_round, arrays)

    start(FedAvg(), evaluate_fn=Evaluation())

    assert report.told == ALL_RESULTS


def test_an_evaluation_that_returns_nothing_tells_nothing(report: Reporting) -> None:
    start(FedAvg(), evaluate_fn=lambda server_round, arrays: None)

    assert report.told == CLIENTS_RESULTS


def test_of_methods_that_call_each_other_the_outermost_is_told(report: Reporting) -> None:
    class Middle(FedAvg):
        def aggregate_train(self, server_round: int, replies: Iterable[Message]) -> Any:
            arrays, metrics = super().aggregate_train(server_round, replies)
            assert metrics is not None
            metrics["middle"] = 1.0
            return arrays, metrics

    class Outer(Middle):
        def aggregate_train(self, server_round: int, replies: Iterable[Message]) -> Any:
            arrays, metrics = super().aggregate_train(server_round, replies)
            metrics["outer"] = 2.0
            return arrays, metrics

    start(Outer())

    assert report.told == [("train", 1, {"loss": 0.5, "middle": 1.0, "outer": 2.0}), CLIENTS_RESULTS[1]]


def test_a_strategy_around_another_is_told_once(report: Reporting) -> None:
    start(DifferentialPrivacyServerSideFixedClipping(FedAvg(), 0.0, 1.0, 2))

    assert report.told == CLIENTS_RESULTS


def test_a_method_that_a_mixin_has_is_found_as_before_and_told(report: Reporting) -> None:
    class Doubling:
        def aggregate_evaluate(self, server_round: int, replies: Iterable[Message]) -> Any:
            metrics = super().aggregate_evaluate(server_round, replies)  # type: ignore[misc]
            return MetricRecord({name: 2 * value for name, value in metrics.items()})

    class Mixed(Doubling, FedAvg):
        pass

    start(Mixed())

    assert report.told == [CLIENTS_RESULTS[0], ("evaluate", 1, {"loss": 1.0})]


def test_a_start_of_the_apps_own_is_told(report: Reporting) -> None:
    class Own(FedAvg):
        def start(self, grid: Grid, initial_arrays: ArrayRecord, rounds: int, evaluate_fn: Any) -> Any:  # type: ignore[override]
            for server_round in range(10, 10 + rounds):
                messages = self.configure_train(server_round, initial_arrays, ConfigRecord(), grid)
                self.aggregate_train(server_round, grid.send_and_receive(messages))
                evaluate_fn(server_round, initial_arrays)
            return "not a Result"

    returned: Any = start(Own(), evaluate)

    assert returned == "not a Result"
    assert report.told == [("train", 10, {"loss": 0.5}), ("server", 10, {"auc": 1.5})]


def test_a_start_that_calls_flowers_own_is_told_once(report: Reporting) -> None:
    class Announcing(FedAvg):
        def start(self, *args: Any, **kwargs: Any) -> Result:
            return super().start(*args, **kwargs)

    start(Announcing(), evaluate_fn=evaluate)

    assert report.told == ALL_RESULTS


def test_what_the_result_holds_and_was_not_seen_is_told_at_the_end(report: Reporting) -> None:
    class Hidden(FedAvg):
        def start(self, *args: Any, **kwargs: Any) -> Result:
            seen = super().start(*args, **kwargs)
            seen.evaluate_metrics_serverapp = {1: MetricRecord({"auc": 0.9})}
            seen.evaluate_metrics_clientapp[2] = MetricRecord({"loss": 0.1})
            return seen

    start(Hidden())

    assert report.told == [*CLIENTS_RESULTS, ("evaluate", 2, {"loss": 0.1}), ("server", 1, {"auc": 0.9})]


def test_a_second_start_is_told_as_the_first(report: Reporting) -> None:
    strategy = FedAvg()
    start(strategy, evaluate_fn=evaluate)
    start(strategy, evaluate_fn=evaluate)

    assert report.told == ALL_RESULTS * 2


def test_threads_with_a_strategy_each_do_not_hide_each_other(report: Reporting) -> None:
    inside, go_on = threading.Barrier(2), threading.Barrier(2)

    class Meeting(FedAvg):
        def aggregate_train(self, server_round: int, replies: Iterable[Message]) -> Any:
            inside.wait(10)
            go_on.wait(10)
            return super().aggregate_train(server_round, replies)

    threads = [threading.Thread(target=start, args=(Meeting(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(report.told) == sorted(CLIENTS_RESULTS * 2)


# what stays as it was


def test_signatures_names_and_docstrings_stay() -> None:
    parameters = list(inspect.signature(Strategy.start).parameters)

    assert parameters[:3] == ["self", "grid", "initial_arrays"]
    assert parameters[-1] == "evaluate_fn"
    assert FedAvg.aggregate_train.__qualname__ == "FedAvg.aggregate_train"
    assert (FedAvg.aggregate_train.__doc__ or "").startswith("Aggregate ArrayRecords")


def test_a_strategy_that_lacks_a_method_still_cannot_be_made(hooks: Hooks) -> None:
    class Half(Strategy):
        def summary(self) -> None: ...

    with pytest.raises(TypeError, match="aggregate_train"):
        Half()  # type: ignore[abstract]


def test_a_wrong_call_is_refused_in_the_apps_own_words(report: Reporting) -> None:
    with pytest.raises(TypeError, match="missing 2 required positional arguments"):
        FedAvg().start()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'evaluate'"):
        start(FedAvg(), evaluate=evaluate)


def test_an_error_of_the_app_passes_through_and_nothing_of_it_is_told(report: Reporting) -> None:
    class Broken(FedAvg):
        def aggregate_train(self, server_round: int, replies: Iterable[Message]) -> Any:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        start(Broken())
    assert report.told == []

    start(FedAvg())
    assert report.told == CLIENTS_RESULTS, "what it was in the middle of is over"


def test_a_subclass_hook_of_the_apps_own_is_called_with_its_arguments(hooks: Hooks) -> None:
    class Registered:
        names: dict[str, str]

        def __init_subclass__(cls, *, nickname: str, **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            cls.names = {cls.__name__: nickname}

    class First(Registered, FedAvg, nickname="before Flower's"): ...

    class Last(FedAvg, Registered, nickname="after it"): ...

    assert (First.names, Last.names) == ({"First": "before Flower's"}, {"Last": "after it"})
    with pytest.raises(TypeError, match=r"takes no keyword arguments|unexpected keyword"):
        type("Wrong", (FedAvg,), {}, nickname="nobody takes it")


def test_a_class_is_not_wrapped_twice(hooks: Hooks) -> None:
    before = FedAvg.aggregate_train

    type("Another", (FedAvg,), {})

    assert FedAvg.aggregate_train is before
    assert FedAvg.aggregate_train is before

"""Hooks: what an app's strategy computes is told once, and the strategy does not notice."""

from __future__ import annotations

import inspect
import threading
from abc import ABC
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.common import FitRes, ndarrays_to_parameters
from flwr.server.strategy import FedAvg as OlderFedAvg
from flwr.server.strategy import Strategy as OlderStrategy
from flwr.serverapp import Grid
from flwr.serverapp.strategy import DifferentialPrivacyServerSideFixedClipping, FedAvg, Result, Strategy

from shared.app_host.hooks import Hooks
from shared.flower import identify_server_task

Told = list[tuple[str, int | None, dict[str, float]]]

ARRAYS = ArrayRecord([np.zeros(2, np.float32)])


class Reporting:
    """A Report that writes down, or fails."""

    def __init__(self) -> None:
        self.told: Told = []
        self.error: Exception | None = None

    def evaluated(self, number: int | None, metrics: Mapping[str, float]) -> None:
        self.aggregated("server", number, metrics)

    def aggregated(self, kind: str, number: int | None, metrics: Mapping[str, float]) -> None:
        if self.error is not None:
            raise self.error
        self.told.append((kind, number, dict(metrics)))


@pytest.fixture(scope="session")
def hooks() -> Hooks:
    """Flower's classes in this process stay wrapped; without a report that changes nothing."""
    hooks = Hooks()
    hooks.install()
    return hooks


@pytest.fixture
def report(hooks: Hooks) -> Iterator[Reporting]:
    identify_server_task(1)
    hooks.report = report = Reporting()
    yield report
    hooks.report = None


class TwoClients(Grid):
    """Answers each message with what the strategies want to see."""

    def set_run(self, run: Any) -> None:
        raise NotImplementedError

    @property
    def run(self) -> Any:
        raise NotImplementedError

    def create_message(self, *args: Any, **kwargs: Any) -> Message:
        raise NotImplementedError

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        raise NotImplementedError

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        raise NotImplementedError

    def get_node_ids(self) -> list[int]:
        return [2, 3]

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> list[Message]:
        return [self._reply(message) for message in messages]

    def _reply(self, message: Message) -> Message:
        loss = {2: 0.25, 3: 0.75}[message.metadata.dst_node_id]
        content = RecordDict({"metrics": MetricRecord({"num-examples": 1, "loss": loss})})
        if message.metadata.message_type == "train":
            content["arrays"] = ArrayRecord([np.ones(2, np.float32)])
        return Message(content, reply_to=message)


def evaluate(server_round: int, arrays: ArrayRecord) -> MetricRecord | None:
    return MetricRecord({"auc": 0.5 + server_round / 10})


def start(strategy: Any, *args: Any, **kwargs: Any) -> Result:
    result: Result = strategy.start(TwoClients(), ARRAYS, 1, *args, **kwargs)
    return result


CLIENTS_RESULTS: Told = [("train", 1, {"loss": 0.5}), ("evaluate", 1, {"loss": 0.5})]
ALL_RESULTS: Told = [("server", 0, {"auc": 0.5}), *CLIENTS_RESULTS, ("server", 1, {"auc": 0.6})]


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


# what is told, and what is not


def test_a_round_may_be_numpys_number(report: Reporting) -> None:
    FedAvg().aggregate_evaluate(np.int64(4), [])  # type: ignore[arg-type]

    assert report.told == [("evaluate", 4, {})]


def test_of_very_many_numbers_some_are_told(report: Reporting) -> None:
    many = {"x" * 1000: 1.0, **{str(number): float(number) for number in range(20_000)}}

    start(FedAvg(), evaluate_fn=lambda server_round, arrays: many if server_round else None)

    (told,) = [numbers for stage, _, numbers in report.told if stage == "server"]
    assert len(told) == 10_000
    assert max(map(len, told)) == 200


NO_ROUNDS: list[Any] = ["first", None, 2.5, 2**60]


@pytest.mark.parametrize("number", NO_ROUNDS)
def test_a_round_that_is_no_number_has_none(report: Reporting, number: Any) -> None:
    grid = TwoClients()
    messages = FedAvg().configure_train(1, ARRAYS, ConfigRecord(), grid)

    FedAvg().aggregate_train(number, grid.send_and_receive(messages))

    assert report.told == [("train", None, {"loss": 0.5})]


def test_what_is_no_finite_number_is_left_out(report: Reporting) -> None:
    metrics = {
        "float": 0.5,
        "int": 2,
        "32 bits": np.float32(0.25),
        "an array of no dimensions": np.array(0.75),
        3: 3.0,
        "a list": [0.1, 0.2],
        "text": "0.5",
        "a flag": True,
        "nothing": None,
        "not a number": float("nan"),
        "infinite": float("inf"),
        "huge": 10**400,
    }

    start(FedAvg(), evaluate_fn=lambda server_round, arrays: metrics if server_round else None)

    (told,) = [numbers for stage, _, numbers in report.told if stage == "server"]
    assert told == {"float": 0.5, "int": 2.0, "32 bits": 0.25, "an array of no dimensions": 0.75, "3": 3.0}


def test_an_aggregation_without_numbers_is_told(report: Reporting) -> None:
    class Quiet(FedAvg):
        def aggregate_train(self, server_round: int, replies: Iterable[Message]) -> Any:
            return None, None

        def aggregate_evaluate(self, server_round: int, replies: Iterable[Message]) -> Any:
            return None

    start(Quiet())

    assert report.told == [("train", 1, {}), ("evaluate", 1, {})]


@pytest.mark.parametrize("result", ["text", 7, [1, 2], object()])
def test_a_result_of_no_kind_that_is_known_harms_nobody(
    report: Reporting, result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(FedAvg):
        def aggregate_train(self, server_round: int, replies: Iterable[Message]) -> Any:
            return result

    assert Odd().aggregate_train(1, []) is result
    assert report.told == []


def test_a_report_that_fails_is_logged_and_the_app_goes_on(
    report: Reporting, caplog: pytest.LogCaptureFixture
) -> None:
    report.error = ConnectionError("nobody listens")

    start(FedAvg(), evaluate_fn=evaluate)

    assert "could not be shown: ConnectionError('nobody listens')" in caplog.text


# the older style


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

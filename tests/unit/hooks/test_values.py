"""Which numbers of a strategy are told, and which are not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from flwr.app import ConfigRecord, Message
from flwr.serverapp.strategy import FedAvg

from tests.support.hooks import ARRAYS, Reporting, TwoClients, evaluate, start


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

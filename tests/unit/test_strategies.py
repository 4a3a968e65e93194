"""What holds for every strategy: the model keeps its form, the order of replies is nothing, a run resumes."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord

from app.federation.strategies import RoundStrategy
from app.federation.strategies.base import Update
from app.federation.strategies.registry import STRATEGIES
from client import client_app
from shared.errors import CheckpointInvalid, ReplyInvalid, RoundFailed
from shared.names import StrategyName
from shared.results import records_of
from tests.support.local_grid import LocalGrid
from tests.support.updates import (
    Model,
    a_model,
    a_record,
    a_reply,
    a_strategy,
    aggregate,
    as_model,
    assert_near,
    assert_same,
    models_near,
    replies_of,
)

every_strategy = pytest.mark.parametrize("name", [name.value for name in StrategyName])

COUNTED: Model = {
    "bn.weight": np.ones(6, np.float32),
    "bn.num_batches_tracked": np.array(7, np.int64),
    "half": np.ones((2, 2), np.float16),
    "exact": np.ones((2, 2), np.float64),
    "empty": np.ones((0, 3), np.float32),
}
"""A model with counters and several kinds of real numbers."""


def test_every_name_is_a_strategy() -> None:
    assert set(STRATEGIES) == set(StrategyName)


@every_strategy
def test_the_order_in_which_replies_come_makes_no_difference(name: str) -> None:
    sent = a_model(0)
    replies = replies_of(models_near(sent, 10))

    one = aggregate(a_strategy(name), sent, replies)
    other = aggregate(a_strategy(name), sent, replies[::-1])

    assert_near(one, other)


@every_strategy
def test_the_new_model_has_the_form_of_the_one_that_was_sent(name: str) -> None:
    models = [
        {key: np.asarray(values + node % 3, values.dtype) for key, values in COUNTED.items()}
        for node in range(10)
    ]

    new = aggregate(a_strategy(name), COUNTED, replies_of(models))

    assert {key: (array.dtype, array.shape) for key, array in new.items()} == {
        key: (str(values.dtype), values.shape) for key, values in COUNTED.items()
    }
    assert 7 <= as_model(new)["bn.num_batches_tracked"] <= 9


@every_strategy
def test_arrays_in_any_order_and_layout_are_matched_by_name(name: str) -> None:
    sent = a_model(0, {"a": (6, 6), "b": (6, 6)})
    models = models_near(sent, 10)
    shuffled = [
        a_reply(
            node, {key: np.asfortranarray(model[key]) for key in reversed(list(model))}, samples=10 * node
        )
        for node, model in enumerate(models, start=2)
    ]

    assert_same(
        aggregate(a_strategy(name), sent, shuffled), aggregate(a_strategy(name), sent, replies_of(models))
    )


@every_strategy
def test_the_replies_and_the_model_sent_stay_as_they_are(name: str) -> None:
    sent = a_record(a_model(0))
    replies = replies_of(models_near(a_model(0), 10))
    before = [dict(record) for reply in replies for record in records_of(reply.content, ArrayRecord).values()]

    aggregate(a_strategy(name), sent, replies)

    assert_same(sent, a_record(a_model(0)))
    after = [dict(record) for reply in replies for record in records_of(reply.content, ArrayRecord).values()]
    assert before == after


def rounds(strategy: RoundStrategy, sent: Any, first: int, last: int) -> Any:
    """Rounds `first` to `last`; in each the clients take a step that the round decides."""
    for server_round in range(first, last + 1):
        models = models_near(as_model(sent), 10, seed=server_round)
        sent = aggregate(strategy, sent, replies_of(models), server_round)
    return sent


@every_strategy
def test_a_run_that_was_cut_goes_on_bit_by_bit(name: str) -> None:
    sent = a_record(a_model(0))
    uncut = rounds(a_strategy(name), sent, 1, 6)

    before = a_strategy(name)
    cut = rounds(before, sent, 1, 3)
    paid = before.releases  # the server's store has that, also where the strategy has no state
    saved = {key: values.tobytes() for key, values in before.state().items()}
    forms = {key: (values.dtype, values.shape) for key, values in before.state().items()}
    rounds(before, cut, 4, 4)  # of which nothing was saved
    after = a_strategy(name)
    after.releases = paid
    after.load_state(
        {
            key: np.frombuffer(saved[key], forms[key][0]).reshape(forms[key][1])
            for key in sorted(saved, reverse=True)
        }
    )

    assert_same(rounds(after, cut, 4, 6), uncut)


@every_strategy
def test_a_round_that_is_not_finished_leaves_no_trace(name: str) -> None:
    sent = a_record(a_model(0))
    disturbed, calm = a_strategy(name), a_strategy(name)

    fold = disturbed.begin(1, sent)
    for reply in replies_of(models_near(a_model(0), 3, distance=5)):
        fold.add(Update.from_reply(reply))

    assert_same(rounds(disturbed, sent, 1, 2), rounds(calm, sent, 1, 2))


@every_strategy
def test_a_fold_counts_and_refuses_too_few_updates(name: str) -> None:
    sent = a_model(0)
    strategy = a_strategy(name)
    fold = strategy.begin(1, a_record(sent))
    for done, reply in enumerate(replies_of(models_near(sent, strategy.minimum_updates - 1)), start=1):
        fold.add(Update.from_reply(reply))
        assert fold.updates == done

    with pytest.raises(RoundFailed, match=f"needs at least {strategy.minimum_updates} updates"):
        fold.finish()


@every_strategy
def test_a_reply_without_metrics_is_refused_and_does_not_count(name: str) -> None:
    reply = a_reply(2, a_model(1))
    del reply.content["metrics"]
    fold = a_strategy(name).begin(1, a_record(a_model(0)))

    with pytest.raises(ReplyInvalid, match="0 metric records"):
        fold.add(Update.from_reply(reply))

    assert fold.updates == 0


@every_strategy
def test_a_reply_without_a_model_is_refused(name: str) -> None:
    reply = a_reply(2, a_model(1))
    del reply.content["arrays"]

    with pytest.raises(ReplyInvalid, match="holds 0 models"):
        a_strategy(name).begin(1, a_record(a_model(0))).add(Update.from_reply(reply))


@every_strategy
def test_a_checkpoint_of_another_strategy_is_refused(name: str) -> None:
    with pytest.raises(CheckpointInvalid, match="another strategy"):
        a_strategy(name).load_state({"of another": np.ones(3)})


@every_strategy
def test_every_client_on_the_grid_is_asked(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    grid = LocalGrid(client_app.app, 4, {})
    strategy = a_strategy(name)
    sent = a_record(a_model(0))

    train = list(strategy.configure_train(3, sent, ConfigRecord(), grid))
    evaluate = list(strategy.configure_evaluate(3, sent, ConfigRecord(), grid))

    for messages, kind in ((train, "train"), (evaluate, "evaluate")):
        assert sorted(message.metadata.dst_node_id for message in messages) == grid.get_node_ids()
        assert {message.metadata.message_type for message in messages} == {kind}
        assert {message.content["config"]["server-round"] for message in messages} == {3}
        assert all(message.content["arrays"] == sent for message in messages)
    assert not caplog.records


def test_fedprox_alone_tells_the_clients_its_proximal_term() -> None:
    grid = LocalGrid(client_app.app, 1, {})
    sent = a_record(a_model(0))

    (prox,) = a_strategy("fedprox", proximal_mu=0.3).configure_train(1, sent, ConfigRecord(), grid)
    (plain,) = a_strategy("fedavg").configure_train(1, sent, ConfigRecord(), grid)

    assert prox.content["config"]["proximal-mu"] == 0.3
    assert "proximal-mu" not in plain.content["config"]


def test_an_array_in_an_unknown_format_is_an_error() -> None:
    sent = a_record({"a": np.ones(1, np.float32)})
    sent["a"] = Array("float32", (1,), "numpy.ndarray", b"\x93NUMPY\x09\x00" + bytes(100))

    with pytest.raises(ValueError, match=r"version \(9, 0\)"):
        a_strategy("fedavg").begin(1, sent)

"""q-FedAvg: Flower's result, from running sums."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest
from flwr.app import ConfigRecord, Message
from flwr.serverapp import strategy as flower

from app.federation.strategies import build_strategy
from app.federation.strategies.base import Update
from client import client_app
from shared.errors import ReplyInvalid
from shared.names import StrategyName
from shared.run_spec import RunSpec
from tests.support.local_grid import LocalGrid
from tests.support.updates import (
    a_model,
    a_record,
    a_reply,
    a_strategy,
    aggregate,
    as_model,
    assert_near,
    models_near,
)

SENT = a_model(0)
MODELS = models_near(SENT, 5)
LOSSES = [0.2, 1.5, 0.7, 0.01, 3.0]


def replies(losses: list[float] = LOSSES) -> list[Message]:
    return [
        a_reply(node, model, samples=10 * node, loss=loss)
        for node, (model, loss) in enumerate(zip(MODELS, losses, strict=True), start=2)
    ]


@pytest.fixture
def _quick_collector() -> Iterator[None]:
    """Flower's QFedAvg collects garbage after every reply; let it look at what the test makes only."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_quick_collector")
@pytest.mark.parametrize("q", [0.0, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("lr", [0.05, 1.0])
def test_the_new_model_is_flowers(q: float, lr: float) -> None:
    theirs = flower.QFedAvg(client_learning_rate=lr, q=q)
    theirs.configure_train(1, a_record(SENT), ConfigRecord(), LocalGrid(client_app.app, 2, {}))
    wanted, _ = theirs.aggregate_train(1, replies())
    assert wanted is not None

    ours = build_strategy(RunSpec(strategy=StrategyName.QFEDAVG, strategy_params={"q": q}, lr=lr))

    assert_near(aggregate(ours, SENT, replies()), wanted)


def test_with_q_0_all_clients_count_alike() -> None:
    new = aggregate(a_strategy("qfedavg", q=0), SENT, replies())

    assert_near(new, {key: np.mean([model[key] for model in MODELS], axis=0) for key in SENT})


def test_a_client_with_a_high_loss_counts_more() -> None:
    def distance_to_last(losses: list[float]) -> float:
        """Of the direction in which the model went from that of the last client's update, as a cosine."""
        new = as_model(aggregate(a_strategy("qfedavg", q=1), SENT, replies(losses)))
        went = np.concatenate([(new[key] - SENT[key]).ravel() for key in SENT])
        last = np.concatenate([(MODELS[-1][key] - SENT[key]).ravel() for key in SENT])
        return float(went @ last / np.linalg.norm(went) / np.linalg.norm(last))

    assert distance_to_last([1, 1, 1, 1, 20]) > distance_to_last([1, 1, 1, 1, 1]) + 0.3


@pytest.mark.parametrize(("loss", "complaint"), [(-0.5, "is below 0"), (1e30, "is too large")])
def test_a_loss_without_a_power_is_refused_and_adds_nothing(loss: float, complaint: str) -> None:
    fold = a_strategy("qfedavg", q=10).begin(1, a_record(SENT))
    good = [a_reply(2, MODELS[0]), a_reply(3, MODELS[1])]
    fold.add(Update.from_reply(good[0]))
    with pytest.raises(ReplyInvalid, match=complaint):
        fold.add(Update.from_reply(a_reply(9, MODELS[2], loss=loss)))
    fold.add(Update.from_reply(good[1]))

    assert fold.updates == 2
    assert_near(fold.finish(), aggregate(a_strategy("qfedavg", q=10), SENT, good))


def test_a_loss_of_0_is_fine() -> None:
    new = aggregate(a_strategy("qfedavg", q=0.5), SENT, replies([0.0] * 5))

    assert all(np.isfinite(values).all() for values in as_model(new).values())

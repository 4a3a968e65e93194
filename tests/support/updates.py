"""Models and clients' replies as strategies get them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, Message, MessageType, RecordDict
from numpy.typing import NDArray

from app.federation.strategies import RoundStrategy, build_strategy
from app.federation.strategies.base import Update
from shared.flower import identify_server_task
from shared.names import StrategyName
from shared.results import TrainMetrics
from shared.run_spec import RunSpec

Model = Mapping[str, NDArray[Any]]

SHAPES = {"conv.weight": (4, 1, 3, 3), "fc.weight": (5, 7), "fc.bias": (5,), "scale": ()}


def a_model(seed: int, shapes: Mapping[str, tuple[int, ...]] = SHAPES, spread: float = 1.0) -> Model:
    """Random float32 weights."""
    random = np.random.default_rng(seed)
    return {
        name: np.asarray(spread * random.standard_normal(shape), np.float32) for name, shape in shapes.items()
    }


def models_near(start: Model, count: int, *, distance: float = 0.1, seed: int = 0) -> list[Model]:
    """What so many clients make of a model: it, and for each weight a normal step of about `distance`."""
    random = np.random.default_rng(seed)
    return [
        {
            name: np.asarray(values + distance * random.standard_normal(values.shape), values.dtype)
            for name, values in start.items()
        }
        for _ in range(count)
    ]


def a_record(model: Model) -> ArrayRecord:
    """As Flower carries it."""
    return ArrayRecord({name: Array(np.asarray(values)) for name, values in model.items()})


def a_reply(node_id: int, model: Model | ArrayRecord, *, samples: int = 10, loss: float = 0.5) -> Message:
    """A client's reply to a message of training."""
    identify_server_task(1)
    arrays = model if isinstance(model, ArrayRecord) else a_record(model)
    metrics = TrainMetrics(num_examples=samples, train_loss=loss, duration_s=0.1).to_record()
    message = Message(RecordDict(), node_id, MessageType.TRAIN)
    return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=message)


def replies_of(models: Iterable[Model], samples: Iterable[int] | None = None) -> list[Message]:
    """The replies of nodes 2, 3, 4, …; with no `samples` node k has 10 · k."""
    models = list(models)
    counts = [10 * node for node in range(2, 2 + len(models))] if samples is None else list(samples)
    return [
        a_reply(node, model, samples=count)
        for node, (model, count) in enumerate(zip(models, counts, strict=True), start=2)
    ]


def a_strategy(name: str, /, secret: bytes = b"of the run", **params: Any) -> RoundStrategy:
    """A strategy by name, for rounds of many clients."""
    return build_strategy(
        RunSpec(strategy=StrategyName(name), strategy_params=params, min_clients=20), secret
    )


def aggregate(
    strategy: RoundStrategy, sent: Model | ArrayRecord, replies: Iterable[Message], server_round: int = 1
) -> ArrayRecord:
    """One round."""
    fold = strategy.begin(server_round, sent if isinstance(sent, ArrayRecord) else a_record(sent))
    for reply in replies:
        fold.add(Update.from_reply(reply))
    return fold.finish()


def as_model(arrays: ArrayRecord) -> Model:
    """The values of a record."""
    return {name: array.numpy() for name, array in arrays.items()}


def assert_near(got: ArrayRecord | Model, wanted: ArrayRecord | Model, tolerance: float = 1e-6) -> None:
    """The same names in the same order, and about the same values."""
    ours = as_model(got) if isinstance(got, ArrayRecord) else got
    theirs = as_model(wanted) if isinstance(wanted, ArrayRecord) else wanted
    assert list(ours) == list(theirs)
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=tolerance, atol=tolerance, err_msg=name)


def assert_same(got: ArrayRecord, wanted: ArrayRecord) -> None:
    """The same bytes."""
    assert list(got) == list(wanted)
    for name, array in got.items():
        assert (array.dtype, array.shape, array.data) == (
            wanted[name].dtype,
            wanted[name].shape,
            wanted[name].data,
        ), name

"""`python -m tests.support.robustness`: what two malicious clients of ten do to a run with each strategy.

Prints the table of docs/strategies.md. All is real but the network: ClientApp, models, data and strategies.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from types import MappingProxyType
from unittest.mock import patch

import numpy as np
import torch
from flwr.app import Array, ArrayRecord, ConfigRecord, Message

from app.federation.strategies import build_strategy
from app.federation.strategies.base import Update
from app.federation.strategies.registry import STRATEGIES
from client import client_app, learner
from shared import paths
from shared.data.datasets import load_test
from shared.models import build_model
from shared.names import StrategyName
from shared.results import records_of
from shared.run_spec import RunSpec, Scalar
from shared.seeds import derive_seed
from shared.training import evaluate
from tests.support.local_grid import LocalGrid

CLIENTS = 10
ROUNDS = 10
MALICIOUS = (0, 1)
"""Parts of the data whose clients are malicious."""

SCALE = 5.0
"""How often its honest update a malicious client sends, in the opposite direction.

Of ten clients of equal weight, two at 4 take away all that the others add; at 5 the model goes backwards.
"""

ROBUST: Mapping[StrategyName, dict[str, Scalar]] = MappingProxyType(
    {
        StrategyName.FEDMEDIAN: {},
        StrategyName.FEDTRIMMEDAVG: {"beta": 0.2},
        StrategyName.KRUM: {"num_malicious_nodes": 2},
        StrategyName.MULTIKRUM: {"num_malicious_nodes": 2},
        # Two would need eleven clients: what holds here is more than what is proven.
        StrategyName.BULYAN: {"num_malicious_nodes": 1},
    }
)


def experiment(strategy: StrategyName, *, alpha: float | None = None, seed: int = 0) -> RunSpec:
    """Ten rounds of ten clients on digits; `alpha`: how unequal their data is, None: not at all."""
    return RunSpec(
        strategy=strategy,
        strategy_params=ROBUST.get(strategy, {}),
        min_clients=CLIENTS,
        num_rounds=ROUNDS,
        alpha=alpha,
        seed=seed,
    )


def accuracy(spec: RunSpec, scale: float | None = None) -> float:
    """Of the global model on the test set at the end; with a `scale`, under attack.

    A run ends early when too few clients can still train: on a model that has gone wild, training diverges.
    """
    tampering = {} if scale is None else {part: partial(_flip, scale) for part in MALICIOUS}
    grid = LocalGrid(client_app.app, spec.min_clients, spec.to_run_config(), tampering)
    strategy = build_strategy(spec)
    model = build_model(spec.model, spec.dataset, derive_seed(spec.seed, "model"))
    arrays = ArrayRecord(model.state_dict())
    with _all_parts_in_memory():
        for server_round in range(1, spec.num_rounds + 1):
            fold = strategy.begin(server_round, arrays)
            messages = strategy.configure_train(server_round, arrays, ConfigRecord(), grid)
            for reply in grid.send_and_receive(messages):
                if not reply.has_error():
                    fold.add(Update.from_reply(reply))
            if fold.updates < strategy.minimum_updates:
                break
            arrays = fold.finish()
    model.load_state_dict(arrays.to_torch_state_dict())
    return evaluate(model, load_test(spec.dataset, paths.data_dir()), device=torch.device("cpu")).accuracy


def _flip(scale: float, message: Message, reply: Message) -> None:
    """The update with its sign flipped: global − scale · (trained − global)."""
    sent = records_of(message.content, ArrayRecord)["arrays"]
    trained = records_of(reply.content, ArrayRecord)["arrays"]
    for name, array in trained.items():
        start, end = sent[name].numpy(), array.numpy()
        trained[name] = Array(np.asarray(start - scale * (end - start), start.dtype))


@contextmanager
def _all_parts_in_memory() -> Iterator[None]:
    """A client process keeps its one part of the data in memory; this process is ten clients."""
    with patch.object(learner, "read_part", lru_cache(learner.read_part)):
        yield


def _row(strategy: StrategyName) -> str:
    """Means over three seeds, in percent: equal data without and with attack, then unequal data likewise."""
    means = [
        np.mean([accuracy(experiment(strategy, alpha=alpha, seed=seed), scale) for seed in range(3)])
        for alpha in (None, 1.0)
        for scale in (None, SCALE)
    ]
    params = ", ".join(f"{name} = {value}" for name, value in ROBUST.get(strategy, {}).items())
    return " | ".join((STRATEGIES[strategy].title, params, *(f"{100 * mean:.1f}" for mean in means)))


if __name__ == "__main__":
    logging.getLogger("flwr").setLevel(logging.WARNING)
    torch.set_num_threads(1)
    sys.stdout.write("| strategy | parameters | equal data | attacked | unequal data | attacked |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    for name in (StrategyName.FEDAVG, *ROBUST):
        sys.stdout.write(f"| {_row(name)} |\n")
        sys.stdout.flush()

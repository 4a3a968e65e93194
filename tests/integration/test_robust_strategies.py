"""Two of ten clients send their updates with the sign flipped: robust strategies hold, FedAvg does not.

The accuracies are those of the real client, model and data; docs/strategies.md has the table.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from shared.names import StrategyName
from tests.support.robustness import ROBUST, SCALE, accuracy, experiment

SEED = 1


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in the table, and the same on every machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("strategy", list(ROBUST))
def test_a_robust_strategy_holds_its_accuracy(strategy: StrategyName) -> None:
    spec = experiment(strategy, seed=SEED)

    alone, attacked = accuracy(spec), accuracy(spec, SCALE)

    assert attacked > 0.8
    assert attacked > alone - 0.05


def test_fedavg_loses_it() -> None:
    spec = experiment(StrategyName.FEDAVG, seed=SEED)

    alone, attacked = accuracy(spec), accuracy(spec, SCALE)

    assert alone > 0.9
    assert attacked < 0.3

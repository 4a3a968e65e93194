"""What training does over many epochs and in processes of its own, which takes too long for a unit test."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from shared.data.datasets import TensorSet, load_train
from shared.errors import TrainingDiverged
from shared.models import build_model
from shared.training import TrainConfig, train

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
CONFIG = TrainConfig(local_epochs=2, batch_size=32, lr=0.05)

FINGERPRINT = """
import hashlib, numpy as np, torch
torch.set_num_threads(2)
from shared.data.datasets import load_train
from shared.models import build_model
from shared.training import TrainConfig, train
model = build_model("cnn", "synthetic", 3)
data = load_train("synthetic", "", np.arange(200))
result = train(model, data, TrainConfig(2, 32, 0.05), device=torch.device("cpu"), seed=11)
weights = b"".join(parameter.detach().numpy().tobytes() for parameter in model.parameters())
print(hashlib.sha256(weights).hexdigest(), result.loss.hex())
"""


@pytest.fixture(scope="module")
def samples() -> TensorSet:
    return load_train("synthetic", "", np.arange(330))


def fresh_model() -> nn.Module:
    return build_model("cnn", "synthetic", seed=3)


def weights_of(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_two_processes_train_to_the_same_bits() -> None:
    first, second = (
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for _ in range(2)  # not at once: their threads would wait for each other's cores
    )
    assert len(first.split()[0]) == hashlib.sha256().digest_size * 2
    assert first == second


def test_clients_with_different_labels_drift_less_apart(samples: TensorSet) -> None:
    """What FedProx is for: two clients who know different classes only, from the same global model."""

    def drift(mu: float) -> float:
        weights = []
        for chosen in (samples.labels < 5, samples.labels >= 5):
            model = fresh_model()
            mine = TensorSet(samples.inputs[chosen], samples.labels[chosen])
            train(model, mine, replace(CONFIG, local_epochs=10, proximal_mu=mu), device=CPU, seed=0)
            weights.append(weights_of(model))
        return float((weights[0] - weights[1]).norm())

    assert drift(1.0) < 0.7 * drift(0.0)


def test_a_mu_too_large_for_the_learning_rate_is_an_error_that_names_it(samples: TensorSet) -> None:
    config = TrainConfig(local_epochs=20, batch_size=32, lr=0.1, proximal_mu=1e3)
    with pytest.raises(TrainingDiverged, match=r"learning rate \(now 0\.1\), the proximal mu \(now 1000\)"):
        train(fresh_model(), samples, config, device=CPU, seed=0)

"""FedProx: the proximal term is what the paper says, costs nothing at mu 0, and holds clients back."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from shared.data.datasets import TensorSet, load_train
from shared.models import build_model
from shared.proximal import ProximalTerm
from shared.training import TrainConfig, train

CPU = torch.device("cpu")
CONFIG = TrainConfig(local_epochs=2, batch_size=32, lr=0.05)


@pytest.fixture(scope="module")
def samples() -> TensorSet:
    return load_train("synthetic", "", np.arange(330))


def fresh_model() -> nn.Module:
    return build_model("cnn", "synthetic", seed=3)


def weights_of(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def squared_distance(model: nn.Module, global_weights: list[torch.Tensor]) -> torch.Tensor:
    """||w - w_global||^2, in the plainest way."""
    return torch.stack(
        [
            (weight - global_weight).square().sum()
            for weight, global_weight in zip(model.parameters(), global_weights, strict=True)
        ]
    ).sum()


def moved(model: nn.Module) -> float:
    """How far the weights are from those of a fresh model."""
    return float((weights_of(model) - weights_of(fresh_model())).norm())


def test_the_gradient_is_that_of_the_term_as_a_part_of_the_loss(samples: TensorSet) -> None:
    model, naive = fresh_model().double(), fresh_model().double()
    global_weights = [parameter.detach().clone() for parameter in naive.parameters()]
    term = ProximalTerm(model, mu=0.3)
    nudge = torch.Generator().manual_seed(1)
    for parameter, same in zip(model.parameters(), naive.parameters(), strict=True):
        parameter.data.add_(torch.randn(parameter.shape, generator=nudge, dtype=torch.float64))
        same.data.copy_(parameter.data)
    inputs, labels = samples.inputs[:32].double(), samples.labels[:32]

    functional.cross_entropy(model(inputs), labels).backward()
    term.add_gradient()
    loss = functional.cross_entropy(naive(inputs), labels)
    (loss + 0.3 / 2 * squared_distance(naive, global_weights)).backward()

    for parameter, same in zip(model.parameters(), naive.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, same.grad, rtol=1e-12, atol=1e-12)


def test_weights_that_are_frozen_or_unused_are_left_alone() -> None:
    used, unused, frozen = (nn.Linear(2, 2, bias=False) for _ in range(3))
    frozen.requires_grad_(False)
    term = ProximalTerm(nn.ModuleList((used, unused, frozen)), mu=1.0)
    with torch.no_grad():
        used.weight.add_(1)

    used(torch.zeros(1, 2)).sum().backward()
    term.add_gradient()

    torch.testing.assert_close(used.weight.grad, torch.ones(2, 2))
    assert unused.weight.grad is None
    assert frozen.weight.grad is None


def test_training_agrees_with_the_plainest_fedprox_loop(samples: TensorSet) -> None:
    model, plain = fresh_model(), fresh_model()
    result = train(model, samples, replace(CONFIG, proximal_mu=0.5), device=CPU, seed=5)

    global_weights = [parameter.detach().clone() for parameter in plain.parameters()]
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.05, momentum=0.9)
    generator = torch.Generator().manual_seed(5)
    cross_entropy = 0.0
    for _ in range(2):
        for rows in torch.randperm(len(samples), generator=generator).split(32):
            optimizer.zero_grad()
            loss = functional.cross_entropy(plain(samples.inputs[rows]), samples.labels[rows])
            (loss + 0.5 / 2 * squared_distance(plain, global_weights)).backward()
            optimizer.step()
            cross_entropy += loss.item() * len(rows)
    torch.testing.assert_close(weights_of(model), weights_of(plain), rtol=1e-3, atol=1e-4)
    assert result.loss == pytest.approx(cross_entropy / (2 * len(samples)), rel=1e-4)


def test_mu_0_is_plain_sgd_to_the_bit(samples: TensorSet) -> None:
    """The same numbers as before there was a proximal term: SGD, written out, on the same kernels."""
    model, plain = fresh_model(), fresh_model()
    train(model, samples, replace(CONFIG, proximal_mu=0.0), device=CPU, seed=5)

    plain.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.05, momentum=0.9, fused=True)
    generator = torch.Generator().manual_seed(5)
    for _ in range(2):
        for rows in torch.randperm(len(samples), generator=generator).split(32):
            optimizer.zero_grad()
            functional.cross_entropy(plain(samples.inputs[rows]), samples.labels[rows]).backward()
            optimizer.step()
    assert torch.equal(weights_of(model), weights_of(plain.to(memory_format=torch.contiguous_format)))


def test_mu_0_makes_no_term(samples: TensorSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("plain SGD has no proximal term")

    monkeypatch.setattr("shared.training.plain.ProximalTerm", refuse)
    train(fresh_model(), samples, CONFIG, device=CPU, seed=0)
    with pytest.raises(AssertionError, match="no proximal term"):
        train(fresh_model(), samples, replace(CONFIG, proximal_mu=0.1), device=CPU, seed=0)


def test_the_larger_mu_the_nearer_the_weights_stay_to_the_global_ones(samples: TensorSet) -> None:
    distances = []
    for mu in (0.0, 0.1, 1.0, 10.0):
        model = fresh_model()
        train(model, samples, replace(CONFIG, lr=0.01, proximal_mu=mu), device=CPU, seed=0)
        distances.append(moved(model))
    assert distances == sorted(distances, reverse=True)
    assert 0 < distances[-1] < 0.2 * distances[0]

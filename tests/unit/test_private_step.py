"""DP-SGD: what is clipped, what noise is added, and that nothing else depends on a sample."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from opacus.grad_sample import GradSampleModule
from torch import Tensor, nn
from torch.nn import functional

from shared.data.datasets import TensorSet, dataset_info
from shared.errors import PrivacyImpossible
from shared.models import MODELS, build_model
from shared.names import DatasetName
from shared.privacy.per_sample import ClippedSum, require_private
from shared.privacy.randomness import ReleaseRandomness
from shared.training import TrainConfig, TrainResult, train
from shared.training.private import LotSize, PrivateStep, private

SECRET = bytes(range(32))
CPU = torch.device("cpu")


def samples(dataset: str, count: int) -> TensorSet:
    info = dataset_info(dataset)
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn((count, *info.input_shape), generator=generator)
    return TensorSet(inputs, torch.randint(info.num_classes, (count,), generator=generator))


def sum_by_opacus(model: nn.Module, data: TensorSet, norm: float) -> list[Tensor]:
    """The clipped sum from all samples' gradients, each written down."""
    watched = GradSampleModule(model, loss_reduction="sum")
    inputs = data.inputs.clone().requires_grad_()  # without it PyTorch warns of Opacus' hooks
    functional.cross_entropy(watched(inputs), data.labels, reduction="sum").backward()
    each: list[Tensor] = [getattr(parameter, "grad_sample") for parameter in model.parameters()]  # noqa: B009
    watched.remove_hooks()
    norms = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in each]).norm(dim=0)
    weights = (norm / (norms + 1e-6)).clamp(max=1)
    return [torch.einsum("n,n...->...", weights, gradient) for gradient in each]


@pytest.mark.parametrize("dataset", DatasetName)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("norm", [0.5, 1e6])
def test_the_clipped_sum_is_that_of_opacus_for_every_model_and_data_set(
    model: str, dataset: str, norm: float
) -> None:
    data = samples(dataset, 5)
    network = build_model(model, dataset, seed=1)

    gradients = ClippedSum(network, norm)
    for one in range(5):  # it does not matter how many there are at once
        gradients.add(data.inputs[one : one + 1], data.labels[one : one + 1])

    expected = sum_by_opacus(network, data, norm)
    for parameter, by_opacus in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(gradients.sums[parameter], by_opacus, rtol=1e-4, atol=1e-5)


def sum_by_hand(model: nn.Module, data: TensorSet, norm: float) -> list[Tensor]:
    """The clipped sum by PyTorch alone, sample by sample."""
    parameters = list(model.parameters())
    total = [torch.zeros_like(parameter) for parameter in parameters]
    for one in range(len(data.labels)):
        outputs = model(data.inputs[one : one + 1])
        loss = functional.cross_entropy(outputs, data.labels[one : one + 1])
        gradients = torch.autograd.grad(loss, parameters)
        length = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
        for added, gradient in zip(total, gradients, strict=True):
            added += gradient * min(1.0, norm / (length + 1e-6))
    return total


@pytest.mark.parametrize(
    "layers",
    [
        [nn.GroupNorm(1, 2)],
        [nn.GroupNorm(2, 2), nn.ReLU()],  # of one channel each
        [nn.GroupNorm(2, 2, affine=False)],
        [nn.InstanceNorm2d(2, affine=True)],
        [nn.LayerNorm([2, 6, 6])],
        [nn.Conv2d(2, 2, 3, padding="same", groups=2, bias=False)],
        [nn.Conv2d(2, 2, 3, padding=2, dilation=2)],
        [nn.Flatten(2), nn.Linear(36, 36)],  # a row for each channel
    ],
    ids=lambda layers: str(layers[-1]),
)
def test_the_layers_that_are_named_in_place_of_others_are_clipped_as_they_should(
    layers: list[nn.Module],
) -> None:
    """Opacus' own rules are wrong for some settings of layers: PyTorch is asked."""
    data = samples("digits", 7)
    model = with_layers(*layers)

    gradients = ClippedSum(model, 0.5)
    gradients.add(data.inputs, data.labels)

    for parameter, by_hand in zip(model.parameters(), sum_by_hand(model, data, 0.5), strict=True):
        torch.testing.assert_close(gradients.sums[parameter], by_hand, rtol=1e-4, atol=1e-5)


def test_one_sample_moves_the_sum_by_the_clipping_norm_at_most() -> None:
    data = samples("digits", 40)
    gradients = ClippedSum(build_model("cnn", "digits", seed=1), norm=0.1)

    for one in range(40):
        gradients.clear()
        gradients.add(100 * data.inputs[one : one + 1], data.labels[one : one + 1])
        assert math.sqrt(sum(total.square().sum().item() for total in gradients.sums.values())) <= 0.1001


def with_layers(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), *layers, nn.Flatten(), nn.Linear(2 * 36, 10))


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 64)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.layer(self.layer(inputs.flatten(1)))
        return outputs


class Tied(nn.Module):
    """Two layers with one weight, as an autoencoder or a language model has it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 64), nn.Linear(64, 64)
        self.second.weight = self.first.weight

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.second(self.first(inputs.flatten(1)))
        return outputs


def partly_frozen(*names: str) -> nn.Module:
    model = with_layers()
    for name in names:
        model.get_parameter(name).requires_grad_(False)
    return model


class Bare(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (with_layers(nn.BatchNorm2d(2)), "layer 1 .BatchNorm2d. mixes samples .* Use GroupNorm in its place"),
        (with_layers(nn.ReLU(inplace=True)), "layer 1 .ReLU. works in place.* Use inplace=False"),
        (
            with_layers(nn.InstanceNorm2d(2, track_running_stats=True)),
            "Use GroupNorm or InstanceNorm without",
        ),
        # what Opacus' trackers tell of: each was wrong there, or clipped something else than the gradient
        (Tied(), "layer second .Linear. shares weights with another layer"),
        (partly_frozen("0.weight", "0.bias"), "layer 0 .Conv2d. has frozen weights"),
        (partly_frozen("2.weight"), "layer 2 .Linear. has frozen weights"),
        (with_layers(nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")), "pads with 'circular'"),
        (with_layers(nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect")), "Use padding_mode='zeros'"),
        (Bare(), "not known how the gradient of each sample is found in the model's layer itself .Bare."),
    ],
)
def test_a_model_that_cannot_be_private_is_refused_by_its_layer(model: nn.Module, words: str) -> None:
    with pytest.raises(PrivacyImpossible, match=words):
        require_private(model)


def test_a_layer_that_is_used_twice_is_refused() -> None:
    data = samples("digits", 2)

    with pytest.raises(PrivacyImpossible, match="used several times"):
        ClippedSum(Twice(), 1.0).add(data.inputs, data.labels)


def released(
    data: TensorSet,
    secret: bytes = SECRET,
    *,
    facts: str = "run",
    noise: float = 1.0,
    batch_size: int = 4,
    proximal_mu: float = 0.0,
    epochs: int = 1,
    on_model: Callable[[nn.Module], object] = lambda _: None,
) -> tuple[Tensor, TrainResult]:
    """All weights after a training of the linear model on digits, and its result."""
    model = build_model("linear", "digits", seed=1)
    on_model(model)
    config = TrainConfig(epochs, batch_size, lr=0.5, momentum=0.0, proximal_mu=proximal_mu)
    method = private(noise, 1.0, ReleaseRandomness(secret, facts))
    result = train(model, data, config, device=CPU, seed=3, method=method)
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]), result


def test_the_noise_has_the_variance_that_it_claims() -> None:
    """On the released sums: the difference between a step with noise and one without it."""
    data, model = samples("digits", 64), build_model("linear", "digits", seed=1)
    differences = []
    for number in range(40):
        without = ClippedSum(model, 0.3)
        step = PrivateStep(
            model, TrainConfig(1, 64, lr=1.0, momentum=0.0), 2.0, 0.3, ReleaseRandomness(SECRET, number)
        )
        weights = [parameter.detach().clone() for parameter in model.parameters()]
        without.add(data.inputs, data.labels)
        list(step.lots(64, torch.Generator()))
        step.take(data.inputs, data.labels)
        for before, parameter in zip(weights, model.parameters(), strict=True):
            noise = (before - parameter.detach()) * 64 - without.sums[parameter]
            differences.append(noise.flatten())
    noise = torch.cat(differences) / (2.0 * 0.3)

    assert len(noise) == 40 * 650
    assert noise.mean().abs() < 4 / math.sqrt(len(noise))
    assert noise.var().item() == pytest.approx(1, abs=4 * math.sqrt(2 / len(noise)))
    assert ((noise**4).mean() / 3).item() == pytest.approx(1, abs=4 * math.sqrt(96 / 9 / len(noise)))


def test_a_repeated_release_is_the_same_in_every_bit() -> None:
    data = samples("digits", 50)

    first, _ = released(data)
    again, _ = released(data)

    assert torch.equal(first, again)


def test_other_facts_and_other_secrets_make_other_noise() -> None:
    data = samples("digits", 50)
    first, _ = released(data)

    for other, _ in (released(data, bytes(32)), released(data, facts="another run")):
        assert (first - other).abs().median() > 0.05


def test_an_empty_lot_adds_noise_all_the_same() -> None:
    """Of one sample, taken with a probability of 1 or not there at all."""
    model = build_model("linear", "digits", seed=1)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    step = PrivateStep(model, TrainConfig(1, 1, lr=1.0), 1.0, 1.0, ReleaseRandomness(SECRET))
    nothing = samples("digits", 0)

    loss = step.take(nothing.inputs, nothing.labels)

    assert loss == 0
    moved = torch.cat([(a - b.detach()).flatten() for a, b in zip(before, model.parameters(), strict=True)])
    assert moved.std().item() == pytest.approx(1, abs=0.15)


def test_a_single_sample_can_be_trained_on() -> None:
    weights, result = released(samples("digits", 1), epochs=3)

    assert torch.isfinite(weights).all()
    assert (result.examples, math.isfinite(result.loss)) == (1, True)


def test_lots_are_poisson_samples_of_the_expected_size() -> None:
    config = TrainConfig(local_epochs=20, batch_size=50, lr=0.1)
    step = PrivateStep(build_model("linear", "digits", seed=1), config, 1.0, 1.0, ReleaseRandomness(SECRET))

    lots = list(step.lots(1_000, torch.Generator()))

    assert len(lots) == step.num_lots(1_000) == 400
    sizes = np.array([len(lot) for lot in lots])
    assert sizes.mean() == pytest.approx(50, abs=4 * math.sqrt(47.5 / 400))
    assert sizes.var() == pytest.approx(47.5, rel=0.4)
    taken = np.bincount(np.concatenate([lot.numpy() for lot in lots]), minlength=1_000)
    assert taken.mean() == pytest.approx(20, abs=0.5)
    assert taken.max() < 45


def test_what_is_accounted_for_is_what_is_done() -> None:
    size = LotSize(samples=1_000, batch_size=300, local_epochs=2)

    assert (size.sample_rate, size.steps) == (0.3, 8)
    assert (LotSize(10, 300, 2).sample_rate, LotSize(10, 300, 2).steps) == (1.0, 2)


def test_how_many_samples_there_are_changes_nothing_of_the_noise() -> None:
    """One sample more or less would show in all weights at once, however private each is."""
    start, scale = build_model("linear", "digits", seed=1), []
    begun = torch.cat([parameter.detach().flatten() for parameter in start.parameters()])

    for count in (1, 2):
        weights, _ = released(samples("digits", count), noise=1e6, batch_size=64)
        scale.append((weights - begun).std().item())

    assert scale[0] == pytest.approx(scale[1], rel=0.01)
    assert scale[0] == pytest.approx(0.5 * 1e6 / 64, rel=0.2)


def test_the_proximal_term_holds_the_model_back_and_needs_no_noise_of_its_own() -> None:
    data = samples("digits", 50)
    start = build_model("linear", "digits", seed=1)
    begun = torch.cat([parameter.detach().flatten() for parameter in start.parameters()])

    free, _ = released(data, epochs=5)
    held, _ = released(data, epochs=5, proximal_mu=1.0)

    assert (held - begun).norm() < 0.8 * (free - begun).norm()


def test_more_samples_than_fit_into_memory_at_once_are_the_same_sum() -> None:
    data = samples("digits", 600)
    model = build_model("linear", "digits", seed=1)
    whole = ClippedSum(model, 1.0)
    whole.add(data.inputs, data.labels)
    config = TrainConfig(1, 600, lr=1.0, momentum=0.0)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    step = PrivateStep(model, config, 1e-9, 1.0, ReleaseRandomness(SECRET))
    list(step.lots(600, torch.Generator()))

    step.take(data.inputs, data.labels)

    for old, parameter in zip(before, model.parameters(), strict=True):
        moved = (old - parameter.detach()) * 600
        torch.testing.assert_close(moved, whole.sums[parameter], rtol=1e-3, atol=1e-3)

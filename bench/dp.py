"""`dp`: an epoch of DP-SGD against a plain one of the same model, in this process and on one thread.

Beside it Opacus' own wrappers, which write down the gradient of every sample.
"""

from __future__ import annotations

import math
import secrets
import time
import warnings
from collections.abc import Iterator, Mapping

import torch
from opacus import GradSampleModule
from opacus.optimizers import DPOptimizer
from torch import Tensor, nn
from torch.nn import functional

from bench.report import FEDLOOM, Result, medians, ratios, this_machine
from shared.data.datasets import TensorSet, dataset_info
from shared.models import build_model
from shared.privacy.randomness import SECRET_BYTES, ReleaseRandomness
from shared.training import PLAIN, Method, TrainConfig, train
from shared.training.private import private

REACH = 3.0
LOT = 256
NOISE_MULTIPLIER = 1.0
CLIPPING_NORM = 1.0
PLAIN_SGD = "plain SGD"
OPACUS = "Opacus' GradSampleModule and DPOptimizer"
DATASET = "mnist"
"""Whose shape the samples have: with it the CNN has 1.6 MB."""
CONFIG = TrainConfig(local_epochs=1, batch_size=LOT, lr=0.01)


class OpacusStep:
    """The same lots on average, as Opacus' users take them."""

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        self._batch_size = config.batch_size
        self._model = GradSampleModule(model)
        self._optimizer = DPOptimizer(
            torch.optim.SGD(model.parameters(), lr=config.lr, momentum=config.momentum),
            noise_multiplier=NOISE_MULTIPLIER,
            max_grad_norm=CLIPPING_NORM,
            expected_batch_size=config.batch_size,
        )

    def num_lots(self, samples: int) -> int:
        """As plain SGD has it."""
        return math.ceil(samples / self._batch_size)

    def lots(self, samples: int, shuffle: torch.Generator) -> Iterator[Tensor]:
        """Poisson samples."""
        for _ in range(self.num_lots(samples)):
            yield (torch.rand(samples, generator=shuffle) < self._batch_size / samples).nonzero().flatten()

    def take(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Forward, backward, clip, noise, step."""
        self._optimizer.zero_grad()
        loss = functional.cross_entropy(self._model(inputs), labels)
        with warnings.catch_warnings(action="ignore"):  # PyTorch's, of Opacus' hooks
            loss.backward()
        self._optimizer.step()
        return loss.detach()

    def metrics(self) -> Mapping[str, float]:
        """Nothing."""
        return {}


def measure(repeats: int, quick: bool) -> Result:
    """All three take turns within a repetition."""
    machine = this_machine()
    samples = _samples(2 * LOT if quick else 16 * LOT)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        methods = _methods()
        for method in methods.values():
            _epoch(_samples(LOT), method)  # the first one pays for what a process does once
        runs = [
            {name: _epoch(samples, method) for name, method in _methods().items()} for _ in range(repeats)
        ]
    finally:
        torch.set_num_threads(threads)
    beside = ratios(runs, PLAIN_SGD)
    seconds = medians(runs)[PLAIN_SGD]
    return Result(
        name="dp",
        title=f"an epoch of DP-SGD, CNN of 1.6 MB, {len(samples):,} samples in lots of {LOT}, one thread",
        value=beside.pop(FEDLOOM),
        unit="x plain",
        reach=REACH,
        beside=beside,
        runs=runs,
        runs_unit="s",
        note=f"a plain epoch took {seconds:.2f} s; FedLoom's noise is its keystream's, Opacus' is PyTorch's",
        quick=quick,
        machine=machine,
    )


def _methods() -> dict[str, Method]:
    """Anew for each epoch: a release's randomness is used up by it."""
    randomness = ReleaseRandomness(secrets.token_bytes(SECRET_BYTES), "bench")
    return {
        PLAIN_SGD: PLAIN,
        FEDLOOM: private(NOISE_MULTIPLIER, CLIPPING_NORM, randomness),
        OPACUS: OpacusStep,
    }


def _samples(count: int) -> TensorSet:
    """Noise: what they show changes nothing of the time."""
    info = dataset_info(DATASET)
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn((count, *info.input_shape), generator=generator)
    return TensorSet(inputs, torch.randint(info.num_classes, (count,), generator=generator))


def _epoch(samples: TensorSet, method: Method) -> float:
    """Seconds, on a new model."""
    model = build_model("cnn", DATASET, seed=0)
    started = time.perf_counter()
    train(model, samples, CONFIG, device=torch.device("cpu"), seed=0, method=method)
    return time.perf_counter() - started

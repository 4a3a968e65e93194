"""Another way to take a step can have the place of plain SGD: its own lots, gradients and metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
import pytest
import torch
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from app.federation.rounds.built_in_replies import result_of
from shared.data.datasets import TensorSet, load_train
from shared.errors import ReplyInvalid
from shared.flower import identify_server_task, node_id_of, set_message_id
from shared.models import build_model
from shared.results import TrainMetrics
from shared.training import BatchProgress, Step, TrainConfig, train

CPU = torch.device("cpu")
CONFIG = TrainConfig(local_epochs=2, batch_size=32, lr=0.05)
CLIP = 0.5


class ClippedStep:
    """Poisson lots, and the gradient of each sample clipped: as DP-SGD does, without its noise."""

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        self._model = model
        self._config = config
        self.largest = 0.0

    def num_lots(self, samples: int) -> int:
        return self._config.local_epochs * math.ceil(samples / self._config.batch_size)

    def lots(self, samples: int, shuffle: torch.Generator) -> Iterator[Tensor]:
        yield torch.empty(0, dtype=torch.int64)  # chance may have it so
        for _ in range(self.num_lots(samples) - 1):
            drawn = torch.rand(samples, generator=shuffle) < self._config.batch_size / samples
            yield drawn.nonzero().flatten()

    def take(self, inputs: Tensor, labels: Tensor) -> Tensor:
        total = [torch.zeros_like(weight) for weight in self._model.parameters()]
        losses = torch.zeros(len(labels))
        for row in range(len(labels)):
            self._model.zero_grad()
            loss = functional.cross_entropy(self._model(inputs[row : row + 1]), labels[row : row + 1])
            loss.backward()
            losses[row] = loss.detach()
            gradients = [weight.grad for weight in self._model.parameters() if weight.grad is not None]
            norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
            self.largest = max(self.largest, float(norm))
            for each, gradient in zip(total, gradients, strict=True):
                each += gradient * min(1.0, CLIP / float(norm))
        with torch.no_grad():
            for weight, each in zip(self._model.parameters(), total, strict=True):
                weight.sub_(each, alpha=self._config.lr / self._config.batch_size)
        return losses.sum() / max(len(labels), 1)

    def metrics(self) -> Mapping[str, float]:
        return {"largest_gradient": self.largest}


@pytest.fixture(scope="module")
def samples() -> TensorSet:
    return load_train("synthetic", "", np.arange(100))


def fresh_model() -> nn.Module:
    return build_model("linear", "synthetic", seed=3)


def weights_of(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_a_step_decides_which_samples_it_takes_and_what_it_makes_of_them(samples: TensorSet) -> None:
    model, seen = fresh_model(), list[BatchProgress]()

    result = train(model, samples, CONFIG, device=CPU, seed=0, on_batch=seen.append, method=ClippedStep)

    assert [(progress.done, progress.total) for progress in seen] == [(done, 8) for done in range(1, 9)]
    assert seen[0].examples == 0
    assert seen[-1].examples != 2 * len(samples)
    moved = float((weights_of(model) - weights_of(fresh_model())).norm())
    assert 0 < moved <= CONFIG.lr * CLIP * seen[-1].examples / CONFIG.batch_size
    assert 0 < result.loss < 10
    assert result.metrics["largest_gradient"] > CLIP


def test_what_is_random_in_a_step_comes_from_the_seed(samples: TensorSet) -> None:
    models = [fresh_model() for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        train(model, samples, CONFIG, device=CPU, seed=seed, method=ClippedStep)

    assert torch.equal(weights_of(models[0]), weights_of(models[1]))
    assert not torch.equal(weights_of(models[0]), weights_of(models[2]))


def test_each_training_begins_a_step_of_its_own_with_the_model_in_place(samples: TensorSet) -> None:
    begun: list[nn.Module] = []

    def begin(model: nn.Module, config: TrainConfig) -> Step:
        assert model.training
        begun.append(model)
        return ClippedStep(model, config)

    model = fresh_model()
    for _ in range(2):
        train(model, samples, CONFIG, device=CPU, seed=0, method=begin)
    assert begun == [model, model]


class FurtherMetrics(TrainMetrics):
    """TrainMetrics with a field more, and nothing else done about it."""

    largest_gradient: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None


def a_reply(metrics: MetricRecord) -> Message:
    identify_server_task(1)
    sent = Message(RecordDict({"arrays": ArrayRecord()}), node_id_of("a"), "train")
    set_message_id(sent, "m")
    return Message(RecordDict({"metrics": metrics}), reply_to=sent)


def test_a_metric_that_was_declared_travels_and_is_shown_with_the_client() -> None:
    told = FurtherMetrics(num_examples=1, duration_s=0.0, train_loss=0.5, largest_gradient=2.5)

    read = FurtherMetrics.from_reply(a_reply(told.to_record()))
    assert result_of(read).metrics == {"largest_gradient": 2.5}


def test_a_metric_that_was_not_declared_or_not_told_is_no_part_of_a_reply() -> None:
    told = FurtherMetrics(num_examples=1, duration_s=0.0, train_loss=0.5)

    assert TrainMetrics.from_reply(a_reply(told.to_record())).further() == {}
    with pytest.raises(ReplyInvalid, match="largest_gradient"):
        TrainMetrics.from_reply(a_reply(told.model_copy(update={"largest_gradient": 1.0}).to_record()))

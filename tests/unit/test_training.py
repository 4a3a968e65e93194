"""Training and evaluation: correct, reproducible, cancellable, and honest when it diverges."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, recall_score
from torch import nn
from torch.nn import functional

from shared.data.datasets import TensorSet, load_test, load_train
from shared.errors import Cancelled, DeviceUnavailable, NoSamples, TrainingDiverged
from shared.models import build_model
from shared.seeds import derive_seed
from shared.training import (
    BatchProgress,
    TrainConfig,
    evaluate,
    resolve_device,
    train,
    warm_up,
)

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
CONFIG = TrainConfig(local_epochs=1, batch_size=32, lr=0.05)


@pytest.fixture(scope="module")
def samples() -> TensorSet:
    return load_train("synthetic", "", np.arange(330))


def fresh_model() -> nn.Module:
    return build_model("cnn", "synthetic", seed=3)


def weights_of(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_training_agrees_with_the_plainest_pytorch_loop(samples: TensorSet) -> None:
    model, plain = fresh_model(), fresh_model()
    config = TrainConfig(local_epochs=2, batch_size=32, lr=0.05, momentum=0.9, weight_decay=0.01)
    result = train(model, samples, config, device=CPU, seed=5)

    optimizer = torch.optim.SGD(plain.parameters(), lr=0.05, momentum=0.9, weight_decay=0.01)
    generator = torch.Generator().manual_seed(5)
    loss_sum = 0.0
    for _ in range(2):
        order = torch.randperm(len(samples), generator=generator)
        for start in range(0, len(samples), 32):
            rows = order[start : start + 32]
            optimizer.zero_grad()
            loss = functional.cross_entropy(plain(samples.inputs[rows]), samples.labels[rows])
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(rows)
    torch.testing.assert_close(weights_of(model), weights_of(plain), rtol=1e-3, atol=1e-4)
    assert result.loss == pytest.approx(loss_sum / (2 * len(samples)), rel=1e-4)
    assert result.examples == len(samples)


def test_the_confusion_matrix_agrees_with_scikit_learn(samples: TensorSet) -> None:
    model = fresh_model()
    train(model, samples, CONFIG, device=CPU, seed=0)
    with torch.inference_mode():
        predictions = model(samples.inputs).argmax(1)
    expected = confusion_matrix(samples.labels, predictions, labels=range(10)).tolist()
    for batch_size in (1, 100, 330, 1_000):
        result = evaluate(model, samples, device=CPU, batch_size=batch_size)
        assert [list(row) for row in result.confusion] == expected
        assert result.accuracy == sum(expected[label][label] for label in range(10)) / 330
    recall = recall_score(samples.labels, predictions, average=None)
    assert result.class_accuracy == pytest.approx(recall.tolist())
    assert min(recall) < max(recall)


def test_a_label_without_a_sample_has_no_accuracy(samples: TensorSet) -> None:
    chosen = (samples.labels == 2) | (samples.labels == 7)
    known = TensorSet(samples.inputs[chosen], samples.labels[chosen])
    result = evaluate(fresh_model(), known, device=CPU, batch_size=16)
    assert [sum(row) for row in result.confusion] == torch.bincount(known.labels, minlength=10).tolist()
    for label, accuracy in enumerate(result.class_accuracy):
        row = result.confusion[label]
        assert accuracy == (row[label] / sum(row) if label in (2, 7) else None)


def test_a_model_that_has_diverged_is_evaluated_as_it_is(samples: TensorSet) -> None:
    model = fresh_model()
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)
    result = evaluate(model, samples, device=CPU)
    assert math.isnan(result.loss)
    assert sum(map(sum, result.confusion)) == len(samples)


def test_another_seed_shuffles_differently(samples: TensorSet) -> None:
    models = [fresh_model(), fresh_model()]
    for seed, model in enumerate(models):
        train(model, samples, CONFIG, device=CPU, seed=seed)
    assert not torch.equal(weights_of(models[0]), weights_of(models[1]))


def test_training_learns_and_evaluation_sees_it() -> None:
    data, test = load_train("digits", ""), load_test("digits", "")
    model = build_model("cnn", "digits", seed=0)
    before = evaluate(model, test, device=CPU)
    train(model, data, TrainConfig(local_epochs=2, batch_size=32, lr=0.05), device=CPU, seed=0)
    after = evaluate(model, test, device=CPU)
    assert before.accuracy < 0.3
    assert after.accuracy > 0.9
    assert after.loss < before.loss


def test_evaluation_is_exact_for_every_batch_size(samples: TensorSet) -> None:
    model = fresh_model()
    with torch.inference_mode():
        logits = model(samples.inputs)
    for batch_size in (1, 100, 330, 1_000):
        result = evaluate(model, samples, device=CPU, batch_size=batch_size)
        assert result.accuracy == (logits.argmax(1) == samples.labels).sum().item() / 330
        assert result.loss == pytest.approx(functional.cross_entropy(logits, samples.labels).item(), rel=1e-4)
        assert result.examples == 330


def test_a_model_can_be_trained_after_it_was_evaluated(samples: TensorSet) -> None:
    model = fresh_model()
    evaluate(model, samples, device=CPU)
    train(model, samples, CONFIG, device=CPU, seed=0)
    assert model.training
    assert all(parameter.is_contiguous() for parameter in model.parameters())


def test_progress_counts_every_batch_of_every_epoch(samples: TensorSet) -> None:
    seen: list[BatchProgress] = []
    config = TrainConfig(local_epochs=2, batch_size=100, lr=0.05)
    train(fresh_model(), samples, config, device=CPU, seed=0, on_batch=seen.append)
    assert [(step.done, step.total, step.examples) for step in seen] == [
        (1, 8, 100),
        (2, 8, 200),
        (3, 8, 300),
        (4, 8, 330),
        (5, 8, 430),
        (6, 8, 530),
        (7, 8, 630),
        (8, 8, 660),
    ]


def test_evaluation_reports_progress(samples: TensorSet) -> None:
    seen: list[BatchProgress] = []
    evaluate(fresh_model(), samples, device=CPU, batch_size=200, on_batch=seen.append)
    assert [(step.done, step.total, step.examples) for step in seen] == [(1, 2, 200), (2, 2, 330)]


def test_progress_tells_the_mean_loss_now_and_then(
    samples: TensorSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1_000))
    monkeypatch.setattr("shared.training.loop.time.monotonic", lambda: next(clock) * 0.04)
    seen: list[BatchProgress] = []
    result = train(fresh_model(), samples, CONFIG, device=CPU, seed=0, on_batch=seen.append)
    told = [step.loss for step in seen]
    assert [loss is not None for loss in told] == [False, False, True] * 3 + [False, False]
    assert all(0 < loss < 10 for loss in told if loss is not None)
    assert 0 < result.loss < 10


@pytest.mark.parametrize("task", ["train", "evaluate"])
def test_cancelling_ends_the_task_at_that_batch(task: str, samples: TensorSet) -> None:
    model = fresh_model()
    seen: list[int] = []

    def cancel_at_third(progress: BatchProgress) -> None:
        seen.append(progress.done)
        if progress.done == 3:
            raise Cancelled("the run was stopped")

    tasks: dict[str, Callable[[], object]] = {
        "train": lambda: train(model, samples, CONFIG, device=CPU, seed=0, on_batch=cancel_at_third),
        "evaluate": lambda: evaluate(model, samples, device=CPU, batch_size=32, on_batch=cancel_at_third),
    }
    with pytest.raises(Cancelled, match="the run was stopped"):
        tasks[task]()
    assert seen == [1, 2, 3]
    assert all(parameter.is_contiguous() for parameter in model.parameters())


def test_divergence_is_an_error_that_names_the_learning_rate(samples: TensorSet) -> None:
    config = TrainConfig(local_epochs=1, batch_size=32, lr=1e6)
    with pytest.raises(TrainingDiverged, match=r"learning rate \(now 1e\+06\)"):
        train(fresh_model(), samples, config, device=CPU, seed=0)


def test_divergence_in_the_very_last_step_is_noticed(samples: TensorSet) -> None:
    """The loss is measured before the step, so that only the weights show it."""
    config = TrainConfig(local_epochs=1, batch_size=len(samples), lr=float("inf"))
    with pytest.raises(TrainingDiverged):
        train(fresh_model(), samples, config, device=CPU, seed=0)


def test_divergence_is_noticed_while_training_goes_on(
    samples: TensorSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.training.loop.LOSS_INTERVAL_S", 0.0)
    seen: list[BatchProgress] = []
    config = TrainConfig(local_epochs=1_000, batch_size=32, lr=1e9)
    with pytest.raises(TrainingDiverged):
        train(fresh_model(), samples, config, device=CPU, seed=0, on_batch=seen.append)
    assert len(seen) < 11


def test_nothing_to_work_on_is_an_error(samples: TensorSet) -> None:
    nothing = TensorSet(samples.inputs[:0], samples.labels[:0])
    with pytest.raises(NoSamples, match="no sample to train on"):
        train(fresh_model(), nothing, CONFIG, device=CPU, seed=0)
    with pytest.raises(NoSamples, match="no sample to evaluate on"):
        evaluate(fresh_model(), nothing, device=CPU)


def test_warming_up_loads_what_training_needs_and_keeps_the_random_state() -> None:
    script = (
        "import sys, torch, shared.training.loop as t;"
        "before = torch.get_rng_state();"
        "t.warm_up('cnn', 'mnist', torch.device('cpu'), 32);"
        "assert torch.equal(before, torch.get_rng_state());"
        "modules = set(sys.modules);"
        "data = t.TensorSet(torch.zeros(40, 1, 28, 28), torch.zeros(40, dtype=torch.int64));"
        "model = t.build_model('cnn', 'mnist', 0);"
        "t.train(model, data, t.TrainConfig(1, 32, 0.1), device=torch.device('cpu'), seed=0);"
        "t.evaluate(model, data, device=torch.device('cpu'));"
        "print(sorted(set(sys.modules) - modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_training_uses_no_global_random_state(samples: TensorSet) -> None:
    before = torch.get_rng_state()
    train(fresh_model(), samples, CONFIG, device=CPU, seed=0)
    warm_up("linear", "digits", CPU, batch_size=8)
    assert torch.equal(before, torch.get_rng_state())


def test_the_automatic_device_is_usable() -> None:
    assert torch.zeros(1, device=resolve_device()).sum().item() == 0
    assert resolve_device("cpu") == CPU


@pytest.mark.parametrize("name", ["cuda:99", "meta", "toaster", "xpu"])
def test_a_device_that_is_not_there_is_refused_in_words(name: str) -> None:
    with pytest.raises(DeviceUnavailable, match=name):
        resolve_device(name)


def test_derived_seeds_are_stable_and_distinguish_their_parts() -> None:
    assert derive_seed(1, "train", 3, "client-1") == 3_462_266_677_209_936_354
    different = [
        derive_seed(),
        derive_seed(1),
        derive_seed("1"),
        derive_seed("a", "bc"),
        derive_seed("ab", "c"),
    ]
    assert len(set(different)) == 5
    assert all(0 <= derive_seed(number) < 2**63 for number in range(100))


@pytest.mark.parametrize("part", [1.0, True, None])
def test_a_seed_is_derived_from_ints_and_strs_only(part: object) -> None:
    with pytest.raises(TypeError):
        derive_seed(part)  # type: ignore[arg-type]

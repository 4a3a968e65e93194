"""A Learner trains and evaluates by itself: no server, no message, and the same numbers as behind Flower."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from client.learner import HELD_OUT, Learner, Place, Site, Weights
from shared.data.datasets import load_train_labels
from shared.errors import Cancelled, DatasetUnavailable, DeviceUnavailable, PartitionImpossible
from shared.models import build_model
from shared.run_spec import RunSpec
from shared.training import BatchProgress

ROOT = Path(__file__).resolve().parents[2]
SPEC = RunSpec.model_validate({"dataset": "synthetic", "model": "linear", "batch_size": 64, "seed": 4})
SITE = Site(Path("nowhere"), device="cpu")
PLACE = Place(SPEC, part=0, parts=2)


def initial(spec: RunSpec = SPEC) -> Weights:
    return build_model(spec.model, spec.dataset, seed=1).state_dict()


def flat(weights: Weights) -> Tensor:
    """A copy, as the weights belong to the learner."""
    return torch.cat([tensor.flatten() for tensor in weights.values()])


def trained(learner: Learner, place: Place = PLACE, server_round: int = 1) -> Tensor:
    return flat(learner.train(place, initial(), server_round=server_round).weights)


def test_it_learns_from_round_to_round_without_a_server() -> None:
    learner, weights = Learner(SITE), initial()
    before = learner.evaluate(PLACE, weights)

    for server_round in range(1, 4):
        weights = {
            name: tensor.clone()
            for name, tensor in learner.train(PLACE, weights, server_round=server_round).weights.items()
        }

    after = learner.evaluate(PLACE, weights)
    assert after.accuracy > before.accuracy + 0.2
    assert after.loss < before.loss


def test_the_weights_that_it_is_given_stay_as_they_are() -> None:
    weights = initial()
    Learner(SITE).train(PLACE, weights, server_round=1)
    assert torch.equal(flat(weights), flat(initial()))


def test_seed_round_and_part_decide_what_comes_out_and_nothing_else() -> None:
    learner = Learner(SITE)
    first = trained(learner)

    assert torch.equal(trained(Learner(SITE)), first)
    learner.evaluate(Place(SPEC, part=1, parts=2), initial())
    assert torch.equal(trained(learner), first)
    assert not torch.equal(trained(learner, server_round=2), first)
    assert not torch.equal(trained(learner, Place(SPEC, part=1, parts=2)), first)
    assert not torch.equal(trained(learner, Place(SPEC.with_changes(seed=5), part=0, parts=2)), first)


def test_learners_in_one_process_do_not_disturb_each_other() -> None:
    one, other = Learner(SITE), Learner(SITE)
    mine = one.train(PLACE, initial(), server_round=1).weights
    copy = flat(mine)
    other.train(Place(SPEC, part=1, parts=2), initial(), server_round=1)
    assert torch.equal(flat(mine), copy)


def test_it_goes_from_one_run_to_another_with_other_data_and_another_model() -> None:
    learner = Learner(SITE)
    first = trained(learner)
    digits = SPEC.with_changes(dataset="digits", model="cnn")

    learner.train(Place(digits, part=1, parts=3), initial(digits), server_round=1)

    assert torch.equal(trained(learner), first)


def test_it_tells_each_batch_and_the_labels_that_it_trains_on() -> None:
    told: list[tuple[int, ...]] = []
    seen: list[BatchProgress] = []

    update = Learner(SITE).train(
        PLACE, initial(), server_round=1, on_batch=seen.append, on_labels=told.append
    )

    assert sum(told[0]) == update.result.examples == seen[-1].examples
    assert seen[-1].done == seen[-1].total
    whole = np.bincount(load_train_labels("synthetic", Path()))
    assert all(mine <= all_ for mine, all_ in zip(told[0], whole, strict=True))


def test_it_evaluates_on_samples_that_it_does_not_train_on() -> None:
    learner = Learner(SITE)
    for part in range(2):
        place = Place(SPEC, part, parts=2)
        sizes = (
            learner.train(place, initial(), server_round=1).result.examples,
            learner.evaluate(place, initial()).examples,
        )
        assert sizes[1] == round(HELD_OUT * sum(sizes))


def test_a_limit_on_the_samples_holds_for_both() -> None:
    learner = Learner(Site(Path("nowhere"), max_samples=90, device="cpu"))
    assert learner.train(PLACE, initial(), server_round=1).result.examples == 90
    assert learner.evaluate(PLACE, initial()).examples == 10


def test_whoever_listens_can_end_the_work() -> None:
    def refuse(_: BatchProgress) -> None:
        raise Cancelled("not wanted any more")

    learner = Learner(SITE)
    with pytest.raises(Cancelled):
        learner.train(PLACE, initial(), server_round=1, on_batch=refuse)
    assert torch.equal(trained(learner), trained(Learner(SITE)))


def test_what_cannot_be_done_here_is_refused_in_words() -> None:
    with pytest.raises(DatasetUnavailable, match="trains on digits only"):
        trained(Learner(Site(Path("nowhere"), dataset="digits", device="cpu")))
    with pytest.raises(DeviceUnavailable, match="toaster"):
        trained(Learner(Site(Path("nowhere"), device="toaster")))
    with pytest.raises(PartitionImpossible, match="no part 2 of 2"):
        trained(Learner(SITE), Place(SPEC, part=2, parts=2))


def test_it_does_not_know_flower() -> None:
    script = "import sys, client.learner; print([name for name in sys.modules if name.startswith('flwr')])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

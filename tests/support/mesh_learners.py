"""Real learners for tests of the mesh, and what their models are worth."""

from __future__ import annotations

import torch

from client.learner import Learner, Place, Site
from client.mesh_trainer import LearnerTrainer, model_of, weights_of
from mesh.learning.arrays import Arrays, weighted_mean
from shared import paths
from shared.data.datasets import load_test
from shared.models import build_model
from shared.run_spec import RunSpec
from shared.seeds import derive_seed
from shared.training import evaluate


def initial_model(spec: RunSpec) -> Arrays:
    """As a server begins the run."""
    return model_of(build_model(spec.model, spec.dataset, derive_seed(spec.seed, "model")).state_dict())


def learner_trainer(spec: RunSpec, part: int, parts: int) -> LearnerTrainer:
    """With its part of the data."""
    return LearnerTrainer(Learner(Site(paths.data_dir(), device="cpu")), Place(spec, part, parts))


def accuracy_of(spec: RunSpec, model: Arrays) -> float:
    """On the test set, which no learner has."""
    network = build_model(spec.model, spec.dataset, seed=0)
    network.load_state_dict(weights_of(model))
    test = load_test(spec.dataset, paths.data_dir())
    return evaluate(network, test, device=torch.device("cpu")).accuracy


def accuracy_of_fedavg(spec: RunSpec, parts: int, rounds: int) -> float:
    """What the same learners reach in so many rounds of FedAvg."""
    trainers = [learner_trainer(spec, part, parts) for part in range(parts)]
    model = initial_model(spec)
    for number in range(1, rounds + 1):
        updates = [(trainer.samples(), trainer.train(model, number, lambda: False)) for trainer in trainers]
        model = weighted_mean([(samples, update.model) for samples, update in updates])
    return accuracy_of(spec, model)

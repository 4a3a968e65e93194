"""A client's learner over the mesh: the same numbers as FedAvg has, and privacy that counts on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from client.ledger.ledger import Ledger
from client.mesh_trainer import LearnerTrainer
from client.privacy import Privacy, secret_of
from client.site.policy import Budget
from client.site.rules import Declined
from mesh.gossip import GossipSettings
from mesh.learning.arrays import encoded
from shared.errors import Cancelled, PrivacyImpossible
from shared.run_spec import RunSpec
from tests.support.in_loop import in_loop
from tests.support.mesh_gossip import Crew
from tests.support.mesh_in_memory import MemoryNetwork
from tests.support.mesh_learners import accuracy_of, accuracy_of_fedavg, initial_model, learner_trainer

SPEC = RunSpec.model_validate({"dataset": "synthetic", "model": "linear", "batch_size": 64, "seed": 4})
PRIVATE = SPEC.with_changes(dp={"noise_multiplier": 1.0})


def never() -> bool:
    return False


def test_it_trains_as_its_learner_and_counts_steps_and_samples() -> None:
    trainer = learner_trainer(SPEC, 0, 2)
    model = initial_model(SPEC)
    before = encoded(model)
    trained = trainer.train(model, 1, never)
    assert encoded(model) == before
    assert trained.steps == -(-trainer.samples() // 64)
    assert trained.loss is not None
    evaluated, at_start = trainer.evaluate(trained.model), trainer.evaluate(model)
    assert evaluated is not None
    assert at_start is not None
    assert evaluated.loss < at_start.loss
    again = trainer.train(model, 1, never)
    assert encoded(again.model) == encoded(trained.model)
    assert encoded(trainer.train(model, 2, never).model) != encoded(trained.model)


def test_it_stops_when_it_is_no_longer_wanted() -> None:
    with pytest.raises(Cancelled):
        learner_trainer(SPEC, 0, 2).train(initial_model(SPEC), 1, lambda: True)


def private_trainer(home: Path, budget: Budget | None = None) -> LearnerTrainer:
    plain = learner_trainer(PRIVATE, 0, 2)
    ledger = Ledger(home, PRIVATE.dataset, "client", budget)
    privacy = Privacy(secret_of(home), "run", ledger)
    return LearnerTrainer(plain.learner, plain.place, 5, privacy=privacy, tells_metrics=False)


def test_in_a_private_run_each_training_stands_in_the_ledger_and_no_number_is_told(tmp_path: Path) -> None:
    trainer = private_trainer(tmp_path)
    model = initial_model(PRIVATE)
    trained = trainer.train(model, 1, never)
    assert trained.loss is None
    assert trainer.evaluate(model) is None
    privacy = trainer.privacy
    assert privacy is not None
    entries = list((tmp_path / "ledger").rglob("*")) if (tmp_path / "ledger").exists() else []
    written = "".join(path.read_text() for path in entries if path.is_file())
    assert '"round":6' in written.replace(" ", ""), "after five rounds with a server, the first of the mesh"


def test_a_budget_ends_the_training_and_privacy_is_not_left_out(tmp_path: Path) -> None:
    spent = private_trainer(tmp_path, Budget(1e-9, 1e-5))
    with pytest.raises(Declined, match="privacy_budget"):
        spent.train(initial_model(PRIVATE), 1, never)
    with pytest.raises(PrivacyImpossible):
        learner_trainer(PRIVATE, 0, 2).train(initial_model(PRIVATE), 1, never)


@in_loop
async def test_a_spent_budget_ends_a_node_in_order_with_what_it_has(tmp_path: Path) -> None:
    trainers = {"a": private_trainer(tmp_path, Budget(1e-9, 1e-5))}
    outcomes = await Crew(MemoryNetwork(), trainers, model=initial_model(PRIVATE)).run(3)
    assert isinstance(outcomes["a"].failure, Declined)
    assert outcomes["a"].contribution.mass == 0
    assert outcomes["a"].contribution.mesh_rounds == 0


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For each training: several go on at once."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("one_thread")
@in_loop
async def test_six_learners_reach_what_fedavg_reaches_in_as_many_rounds() -> None:
    """Digits, Dirichlet 0.5, ten rounds. Single seeds differ by a point up and down."""
    of_mesh, of_fedavg = [], []
    for seed in range(2):
        spec = RunSpec(seed=seed)
        trainers = {str(part): learner_trainer(spec, part, 6) for part in range(6)}
        crew = Crew(MemoryNetwork(seed), trainers, GossipSettings(patience_s=60), model=initial_model(spec))
        outcomes = await crew.run(10, mixing_rounds=4, finish_s=60)
        worst = min(accuracy_of(spec, each.contribution.model) for each in outcomes.values())
        of_mesh.append(worst)
        of_fedavg.append(accuracy_of_fedavg(spec, 6, 10))
    assert float(np.mean(of_mesh)) > float(np.mean(of_fedavg)) - 0.02

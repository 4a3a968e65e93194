"""The built-in app's trainer for a time without the server: it trains what the server would have it train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flwr.app import Context, RecordDict

from client.client_app import learner_in, place_in, privacy_in, tells_metrics
from client.mesh_trainer import LearnerTrainer
from client.runtime import Place
from mesh.learning.arrays import Arrays
from mesh.learning.trainer import Evaluated, Trained
from shared.spent import Spent


@dataclass
class BuiltInTrainer:
    """Of one place in a run. As `client.offline.episode.ClientTrainer` has it; what it trains with is made
    in the thread in which it is called."""

    place: Place
    first_round: int
    proximal_mu: float
    _spent: list[Spent] = field(default_factory=list)
    _made: LearnerTrainer | None = None

    @property
    def epsilon(self) -> float | None:
        """As ClientTrainer has it."""
        return self._spent[-1].epsilon if self._spent else None

    @property
    def epsilon_of_run(self) -> float | None:
        """As ClientTrainer has it."""
        return self._spent[-1].of_run if self._spent else None

    def samples(self) -> int:
        """As Trainer has it."""
        return self._trainer.samples()

    def train(self, model: Arrays, mesh_round: int, should_stop: Callable[[], bool]) -> Trained:
        """As Trainer has it."""
        return self._trainer.train(model, mesh_round, should_stop)

    def evaluate(self, model: Arrays) -> Evaluated | None:
        """As Trainer has it."""
        return self._trainer.evaluate(model)

    @property
    def _trainer(self) -> LearnerTrainer:
        if self._made is None:
            context = Context(
                run_id=self.place.run_id,
                node_id=0,
                node_config=self.place.node_config,
                state=RecordDict(),
                run_config=self.place.run_config,
            )
            self._made = LearnerTrainer(
                learner_in(context),
                place_in(context),
                first_round=self.first_round,
                proximal_mu=self.proximal_mu,
                privacy=privacy_in(context),
                tells_metrics=tells_metrics(context),
                on_spent=self._spent.append,
            )
        return self._made

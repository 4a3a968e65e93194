"""The built-in Flower ServerApp: federated training with a global evaluation each round.

`app` runs on any Flower grid (`flwr run`, see `[tool.flwr.app]` in pyproject.toml). The embedded server makes
its own with `build`, to be told what happens.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from flwr.app import ArrayRecord, ConfigRecord, Context, Message
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import Strategy

from app.federation.rounds import last_line
from app.federation.sampling import SampledGrid, sample_nodes
from app.federation.spec import RunSpec
from app.federation.strategies import build_strategy
from shared import paths
from shared.datasets import TensorSet, load_test
from shared.errors import RoundFailed
from shared.flower import is_unavailable
from shared.models import build_model
from shared.seeds import derive_seed
from shared.training import evaluate, resolve_device

log = logging.getLogger(__name__)


class RunCallbacks(Protocol):
    """Told what happens in a run; called in the thread of the ServerApp."""

    def prepared(self) -> None:
        """The data is loaded; the evaluation of the initial model begins."""

    def checkpoint(self) -> None:
        """Called now and then while the server itself computes; raises RunStopped to end the run there."""

    def before_round(self, server_round: int) -> None:
        """A round is about to begin, or to be tried again. May block until enough clients are there."""

    def evaluated(self, server_round: int, loss: float, accuracy: float) -> None:
        """The global model after a round (0: the initial one) was evaluated on the server's test set."""

    def finished(self, server_round: int) -> None:
        """A round is over."""


class WaitForNodes:
    """The callbacks on a grid that FedLoom does not own: wait for nodes by asking, report to Flower's log."""

    def __init__(self, grid: Grid, minimum: int) -> None:
        self._grid = grid
        self._minimum = minimum

    def prepared(self) -> None:
        """Nothing to do."""

    def checkpoint(self) -> None:
        """Nothing to do: Flower ends the process."""

    def before_round(self, server_round: int) -> None:
        """Ask the grid once a second, as Flower's strategies do."""
        while len(list(self._grid.get_node_ids())) < self._minimum:
            time.sleep(1)

    def evaluated(self, server_round: int, loss: float, accuracy: float) -> None:
        """To Flower's own log, which `flwr run --stream` shows."""
        flower = logging.getLogger("flwr")
        flower.info("round %d: accuracy %.4f, loss %.4f on the test set", server_round, accuracy, loss)

    def finished(self, server_round: int) -> None:
        """Nothing to do."""


class GlobalModel:
    """The model on the server, with the test set that it is evaluated on."""

    def __init__(self, spec: RunSpec, data_dir: Path, checkpoint: Callable[[], None]) -> None:
        self._checkpoint = checkpoint
        self._device = resolve_device()
        self._model = build_model(spec.model, spec.dataset, derive_seed(spec.seed, "model"))
        self._test_set: TensorSet = load_test(spec.dataset, data_dir, checkpoint).to(self._device)

    def arrays(self) -> ArrayRecord:
        """The weights as Flower sends them."""
        return ArrayRecord(self._model.state_dict())

    def evaluate(self, arrays: ArrayRecord) -> tuple[float, float]:
        """Load the weights; loss and accuracy (0 to 1) on the test set."""
        self._model.load_state_dict(arrays.to_torch_state_dict())
        result = evaluate(
            self._model, self._test_set, device=self._device, on_batch=lambda _: self._checkpoint()
        )
        return result.loss, result.accuracy


def build(callbacks: RunCallbacks | None = None) -> ServerApp:
    """A ServerApp that runs the RunSpec in its run config."""
    server_app = ServerApp()

    @server_app.main()
    def main(grid: Grid, context: Context) -> None:
        spec = RunSpec.from_run_config(context.run_config)
        data_dir = context.node_config.get("data-dir") or paths.data_dir()
        _run(grid, spec, Path(str(data_dir)), callbacks or WaitForNodes(grid, spec.min_clients))

    return server_app


def _run(grid: Grid, spec: RunSpec, data_dir: Path, callbacks: RunCallbacks) -> None:
    strategy = build_strategy(spec)
    model = GlobalModel(spec, data_dir, callbacks.checkpoint)
    callbacks.prepared()
    arrays = model.arrays()
    callbacks.evaluated(0, *model.evaluate(arrays))
    callbacks.finished(0)
    for server_round in range(1, spec.num_rounds + 1):
        arrays = _train(grid, spec, strategy, arrays, server_round, callbacks)
        # The clients evaluate while the server does.
        replies = _ask_to_evaluate(grid, spec, strategy, arrays, server_round)
        callbacks.evaluated(server_round, *model.evaluate(arrays))
        strategy.aggregate_evaluate(server_round, in_order(replies))
        callbacks.finished(server_round)


def _train(
    grid: Grid,
    spec: RunSpec,
    strategy: Strategy,
    arrays: ArrayRecord,
    server_round: int,
    callbacks: RunCallbacks,
) -> ArrayRecord:
    """One round of training; returns the new global model. Tried again if the whole cohort was lost."""
    while True:
        callbacks.before_round(server_round)
        cohort = sample_nodes(
            list(grid.get_node_ids()),
            spec.fraction_train,
            seed=spec.seed,
            purpose="train",
            server_round=server_round,
        )
        if not cohort:
            continue  # they left between the two lines above
        messages = strategy.configure_train(server_round, arrays, ConfigRecord(), SampledGrid(grid, cohort))
        replies = in_order(grid.send_and_receive(messages))
        if not replies or not all(map(is_unavailable, replies)):
            break
        log.warning("round %d: every client of the cohort was lost, the round is tried again", server_round)
    new_arrays, _ = strategy.aggregate_train(server_round, replies)
    if new_arrays is None:
        reasons = "; ".join(sorted({last_line(reply) for reply in replies if reply.has_error()}))
        raise RoundFailed(
            f"Round {server_round} failed: no client returned an update ({reasons}). "
            "The rounds before it stand. The clients' logs have the details; "
            "start a new run when the cause is mended."
        )
    return new_arrays


def _ask_to_evaluate(
    grid: Grid, spec: RunSpec, strategy: Strategy, arrays: ArrayRecord, server_round: int
) -> Iterable[Message]:
    cohort = sample_nodes(
        list(grid.get_node_ids()),
        spec.fraction_evaluate,
        seed=spec.seed,
        purpose="evaluate",
        server_round=server_round,
    )
    if not cohort:
        return ()
    messages = strategy.configure_evaluate(server_round, arrays, ConfigRecord(), SampledGrid(grid, cohort))
    return grid.send_and_receive(messages)


def in_order(replies: Iterable[Message]) -> list[Message]:
    """All replies, by node: sums of floats depend on their order, and the order of arrival is chance."""
    return sorted(replies, key=lambda reply: reply.metadata.src_node_id)


app = build()

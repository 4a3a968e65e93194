"""The built-in Flower ServerApp: federated training with a global evaluation each round.

`app` runs on any Flower grid (`flwr run`, see `[tool.flwr.app]` in pyproject.toml). The embedded server makes
its own with `build`, to be told what happens.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from flwr.app import ArrayRecord, ConfigRecord, Context, Message
from flwr.serverapp import Grid, ServerApp

from app.federation.rounds.accounting import account
from app.federation.rounds.attempts import Attempts
from app.federation.rounds.budgets import Budgets
from app.federation.rounds.callbacks import RunCallbacks, WaitForNodes
from app.federation.rounds.merging import Merging, config_of
from app.federation.rounds.plain import PlainRounds
from app.federation.rounds.secure import SecureRounds
from app.federation.strategies import RoundStrategy, build_strategy
from app.federation.strategies.registry import STRATEGIES
from app.federation.strategies.sampling import SampledGrid, sample_nodes
from shared import paths
from shared.data.datasets import TensorSet, load_test
from shared.errors import SettingsInvalid
from shared.models import build_model
from shared.privacy.per_sample import require_private
from shared.run_spec import RunSpec
from shared.security.key_id import KeyId
from shared.seeds import derive_seed
from shared.training import EvalResult, evaluate, resolve_device

Train = Callable[[ArrayRecord, int], ArrayRecord]
"""Trains a global model in a round; returns the new one."""


class GlobalModel:
    """The model on the server, with the test set that it is evaluated on."""

    def __init__(self, spec: RunSpec, data_dir: Path, breathe: Callable[[], None]) -> None:
        self._breathe = breathe
        self._device = resolve_device()
        self._model = build_model(spec.model, spec.dataset, derive_seed(spec.seed, "model"))
        if spec.dp is not None:
            require_private(self._model)
        self._test_set: TensorSet = load_test(spec.dataset, data_dir, breathe).to(self._device)

    def arrays(self) -> ArrayRecord:
        """The weights as Flower sends them."""
        return ArrayRecord(self._model.state_dict())

    def evaluate(self, arrays: ArrayRecord) -> EvalResult:
        """Load the weights, and evaluate them on the test set."""
        self._model.load_state_dict(arrays.to_torch_state_dict())
        return evaluate(self._model, self._test_set, device=self._device, on_batch=lambda _: self._breathe())


def build(
    callbacks: RunCallbacks | None = None, secret: bytes = b"", server: KeyId | None = None
) -> ServerApp:
    """A ServerApp that runs the RunSpec in its run config.

    `secret`: what noise for privacy derives from. `server`: the id of the key by which clients know the
    server; without one there is no secure aggregation.
    """
    server_app = ServerApp()

    @server_app.main()
    def main(grid: Grid, context: Context) -> None:
        spec = RunSpec.from_run_config(context.run_config)
        data_dir = context.node_config.get("data-dir") or paths.data_dir()
        strategy = build_strategy(spec, secret or secrets.token_bytes(32))
        told = callbacks or WaitForNodes(grid, spec.min_clients)
        budgets = Budgets(spec)
        attempts = Attempts(grid, spec, strategy.minimum_updates, told, budgets)
        book = told.mesh()
        merging = (
            None
            if book is None
            else Merging(grid, strategy, book, takes_sums=STRATEGIES[spec.strategy].takes_sums)
        )
        train = _training(grid, spec, strategy, told, attempts, merging, server)
        _run(grid, spec, strategy, Path(str(data_dir)), told, budgets, merging, train)

    return server_app


def _training(
    grid: Grid,
    spec: RunSpec,
    strategy: RoundStrategy,
    callbacks: RunCallbacks,
    attempts: Attempts,
    merging: Merging | None,
    server: KeyId | None,
) -> Train:
    """How a round is trained. Raises SettingsInvalid where it cannot be."""
    secure = spec.secure_aggregation
    if secure is None:
        return PlainRounds(grid, strategy, callbacks, attempts, merging).train
    if server is None:
        raise SettingsInvalid(
            "Secure aggregation needs the keys of FedLoom's clients, which Flower's own engines do not have. "
            "Run it with FedLoom's server, or use Flower's SecAggPlusWorkflow there.",
            "secure_aggregation",
        )
    return SecureRounds(grid, spec, secure, strategy, callbacks, attempts, server).train


def _run(
    grid: Grid,
    spec: RunSpec,
    strategy: RoundStrategy,
    data_dir: Path,
    callbacks: RunCallbacks,
    budgets: Budgets,
    merging: Merging | None,
    train: Train,
) -> None:
    model = GlobalModel(spec, data_dir, callbacks.breathe)
    callbacks.prepared()
    strategy.releases = callbacks.releases()
    account(strategy, callbacks)
    resumed = callbacks.resume_point()
    if resumed is None:
        done, arrays = 0, model.arrays()
        callbacks.evaluated(0, model.evaluate(arrays))
        callbacks.finished(0)
    else:
        done, arrays = resumed.round, resumed.arrays
        strategy.load_state(resumed.state)
        if not resumed.evaluated:
            callbacks.before_round(done)
            _evaluate(grid, spec, strategy, model, arrays, done, callbacks, merging)
    for server_round in range(done + 1, spec.num_rounds + 1):
        arrays = train(arrays, server_round)
        _evaluate(grid, spec, strategy, model, arrays, server_round, callbacks, merging)
        budgets.require(server_round, is_done=True)


def _evaluate(
    grid: Grid,
    spec: RunSpec,
    strategy: RoundStrategy,
    model: GlobalModel,
    arrays: ArrayRecord,
    server_round: int,
    callbacks: RunCallbacks,
    merging: Merging | None,
) -> None:
    """Have the clients evaluate the new model, and meanwhile save it and evaluate it here."""
    config = config_of(merging, server_round)
    replies = _ask_to_evaluate(grid, spec, strategy, arrays, server_round, config)
    callbacks.aggregated(server_round, arrays, strategy.state())
    callbacks.evaluated(server_round, model.evaluate(arrays))
    for _ in replies:
        pass  # whoever watches the grid has their metrics
    callbacks.finished(server_round)


def _ask_to_evaluate(
    grid: Grid,
    spec: RunSpec,
    strategy: RoundStrategy,
    arrays: ArrayRecord,
    server_round: int,
    config: ConfigRecord,
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
    messages = strategy.configure_evaluate(server_round, arrays, config, SampledGrid(grid, cohort))
    return grid.send_and_receive(messages)


app = build()

"""The built-in Flower ServerApp: federated training with a global evaluation each round.

`app` runs on any Flower grid (`flwr run`, see `[tool.flwr.app]` in pyproject.toml). The embedded server makes
its own with `build`, to be told what happens.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from flwr.app import ArrayRecord, ConfigRecord, Context, Message
from flwr.serverapp import Grid, ServerApp
from numpy.typing import NDArray

from app.federation.rounds.budgets import Budgets
from app.federation.rounds.secure import SecureRounds
from app.federation.strategies import RoundStrategy, build_strategy
from app.federation.strategies.base import Update
from app.federation.strategies.sampling import SampledGrid, sample_nodes
from app.records import PrivacySpent
from shared import paths
from shared.data.datasets import TensorSet, load_test
from shared.error_line import error_line
from shared.errors import ReplyInvalid, RoundFailed, SettingsInvalid
from shared.flower import client_failed, is_declined, is_unavailable
from shared.models import build_model
from shared.privacy.per_sample import require_private
from shared.run_spec import RunSpec
from shared.secagg.packing import Summed
from shared.security.key_id import KeyId
from shared.seeds import derive_seed
from shared.training import EvalResult, evaluate, resolve_device

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResumePoint:
    """Where a run was cut: the model after `round`, and the strategy's own state then.

    `evaluated`: whether that round was over, or its evaluation is still to be done.
    """

    round: int
    arrays: ArrayRecord
    state: Mapping[str, NDArray[Any]]
    evaluated: bool


class RunCallbacks(Protocol):
    """Told what happens in a run; called in the thread of the ServerApp."""

    def resume_point(self) -> ResumePoint | None:
        """Where to go on; None: from the beginning."""

    def prepared(self) -> None:
        """The data is loaded; the evaluation of the initial model begins."""

    def breathe(self) -> None:
        """Called now and then while the server computes; may block, or raise RunStopped to end there."""

    def before_round(self, server_round: int) -> None:
        """A round is about to begin, be tried again or be finished. May block until clients are there."""

    def short_of_updates(self, server_round: int, reason: str) -> None:
        """A round got some updates, but fewer than it needs; it will be tried again. May block until then."""

    def aggregated(self, server_round: int, arrays: ArrayRecord, state: Mapping[str, NDArray[Any]]) -> None:
        """The new global model, and the strategy's own state: all that it takes to go on from here."""

    def update(self, reply: Message) -> Update:
        """What a reply to "train" holds. Raises ReplyInvalid when that cannot be used."""

    def folded(self, update: Update) -> None:
        """An update was taken in, in its place among the others of the round."""

    def summed(self, server_round: int, nodes: Iterable[int], summed: Summed) -> None:
        """The masked updates of these nodes have come to a sum."""

    def releases(self) -> int:
        """How many models were made and paid for, in this run, before it was cut."""

    def spent(self, privacy: PrivacySpent) -> None:
        """What differential privacy has cost so far. When this returns, it is kept.

        Called before the first round, and for each new global model before anybody sees that.
        """

    def made(self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord) -> None:
        """The updates that were taken in have made the new global model of the one that was sent."""

    def evaluated(self, server_round: int, result: EvalResult) -> None:
        """The global model after a round (0: the initial one) was evaluated on the server's test set."""

    def finished(self, server_round: int) -> None:
        """A round is over."""


class WaitForNodes:
    """The callbacks on a grid that FedLoom does not own: wait for nodes by asking, report to Flower's log."""

    def __init__(self, grid: Grid, minimum: int) -> None:
        self._grid = grid
        self._minimum = minimum

    def resume_point(self) -> None:
        """Flower's runs begin at the beginning."""

    def prepared(self) -> None:
        """Nothing to do."""

    def breathe(self) -> None:
        """Nothing to do: Flower ends the process."""

    def before_round(self, server_round: int) -> None:
        """Ask the grid once a second, as Flower's strategies do."""
        while len(list(self._grid.get_node_ids())) < self._minimum:
            time.sleep(1)

    def short_of_updates(self, server_round: int, reason: str) -> None:
        """To Flower's own log; then the round is tried again."""
        logging.getLogger("flwr").warning("%s; the round is tried again", reason)

    def update(self, reply: Message) -> Update:
        """Read now: nobody has seen it before."""
        return Update.from_reply(reply)

    def folded(self, update: Update) -> None:
        """Nothing to do."""

    def summed(self, server_round: int, nodes: Iterable[int], summed: Summed) -> None:
        """Nothing to do."""

    def releases(self) -> int:
        """None: Flower's runs begin at the beginning."""
        return 0

    def spent(self, privacy: PrivacySpent) -> None:
        """To Flower's own log."""
        if privacy.releases and privacy.epsilon is not None:
            logging.getLogger("flwr").info(
                "epsilon %.3g at delta %.3g is spent, for each %s",
                privacy.epsilon,
                privacy.delta,
                privacy.protects,
            )

    def made(self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord) -> None:
        """Nothing to do."""

    def aggregated(self, server_round: int, arrays: ArrayRecord, state: Mapping[str, NDArray[Any]]) -> None:
        """Nothing to do."""

    def evaluated(self, server_round: int, result: EvalResult) -> None:
        """To Flower's own log, which `flwr run --stream` shows."""
        flower = logging.getLogger("flwr")
        flower.info(
            "round %d: accuracy %.4f, loss %.4f on the test set", server_round, result.accuracy, result.loss
        )

    def finished(self, server_round: int) -> None:
        """Nothing to do."""


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
        train = _training(grid, spec, strategy, told, budgets, server)
        _run(grid, spec, strategy, Path(str(data_dir)), told, budgets, train)

    return server_app


def _training(
    grid: Grid,
    spec: RunSpec,
    strategy: RoundStrategy,
    callbacks: RunCallbacks,
    budgets: Budgets,
    server: KeyId | None,
) -> Train:
    """How a round is trained. Raises SettingsInvalid where it cannot be."""
    secure = spec.secure_aggregation
    if secure is None:
        return partial(_train, grid, spec, strategy, callbacks, budgets)
    if server is None:
        raise SettingsInvalid(
            "Secure aggregation needs the keys of FedLoom's clients, which Flower's own engines do not have. "
            "Run it with FedLoom's server, or use Flower's SecAggPlusWorkflow there.",
            "secure_aggregation",
        )
    return SecureRounds(grid, spec, secure, strategy, callbacks, budgets, server).train


def _run(
    grid: Grid,
    spec: RunSpec,
    strategy: RoundStrategy,
    data_dir: Path,
    callbacks: RunCallbacks,
    budgets: Budgets,
    train: Train,
) -> None:
    model = GlobalModel(spec, data_dir, callbacks.breathe)
    callbacks.prepared()
    strategy.releases = callbacks.releases()
    _account(strategy, callbacks)
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
            _evaluate(grid, spec, strategy, model, arrays, done, callbacks)
    for server_round in range(done + 1, spec.num_rounds + 1):
        arrays = train(arrays, server_round)
        _evaluate(grid, spec, strategy, model, arrays, server_round, callbacks)
        budgets.require(server_round, is_done=True)


def _train(
    grid: Grid,
    spec: RunSpec,
    strategy: RoundStrategy,
    callbacks: RunCallbacks,
    budgets: Budgets,
    arrays: ArrayRecord,
    server_round: int,
) -> ArrayRecord:
    """One round of training; returns the new global model. Tried again while it has too few updates."""
    budgets.begin()
    while True:
        callbacks.before_round(server_round)
        cohort = sample_nodes(
            budgets.among(list(grid.get_node_ids())),
            spec.fraction_train,
            seed=spec.seed,
            purpose="train",
            server_round=server_round,
        )
        if not cohort:
            continue  # they left between the two lines above
        messages = strategy.configure_train(server_round, arrays, ConfigRecord(), SampledGrid(grid, cohort))
        fold = strategy.begin(server_round, arrays)
        failures: list[Message] = []
        for reply in grid.send_and_receive(messages):
            if reply.has_error():
                failures.append(reply)
                continue
            try:
                update = callbacks.update(reply)
                fold.add(update)
            except ReplyInvalid as error:
                log.warning("round %d: an update cannot be aggregated: %s", server_round, error)
                failures.append(client_failed(reply, str(error)))
            else:
                callbacks.folded(update)
                del update
            del reply  # while the next is waited for, and opened
        budgets.note(failures)
        asked = len(cohort) - sum(map(is_declined, failures))  # who declines counts as one not asked
        required = spec.required_updates(asked, strategy.minimum_updates)
        if fold.updates >= required:
            made = fold.finish()
            _account(strategy, callbacks)
            callbacks.made(server_round, arrays, made)
            return made
        budgets.require(server_round, is_done=False)
        if fold.updates or not budgets.explain(failures):
            _explain(server_round, fold.updates, required, failures, callbacks)


def _account(strategy: RoundStrategy, callbacks: RunCallbacks) -> None:
    """Have it kept what was spent, before the model that it was spent on is seen by anybody."""
    if (privacy := strategy.privacy()) is not None:
        callbacks.spent(privacy)


def _explain(
    server_round: int, updates: int, required: int, failures: list[Message], callbacks: RunCallbacks
) -> None:
    """A round has too few updates. Returns if it can be tried again; raises RoundFailed if that is idle."""
    if any(map(is_unavailable, failures)):
        log.warning("round %d: too many clients were lost, the round is tried again", server_round)
        return
    reasons = (
        "; ".join(sorted({error_line(reply.error.reason) for reply in failures})) or "none answered in time"
    )
    if updates or not failures:
        callbacks.short_of_updates(
            server_round, f"round {server_round} has {updates} of {required} updates: {reasons}"
        )
        return
    raise RoundFailed(
        f"Round {server_round} failed: no client returned an update ({reasons}). "
        "The rounds before it stand. The clients' logs have the details; "
        "start a new run when the cause is mended."
    )


def _evaluate(
    grid: Grid,
    spec: RunSpec,
    strategy: RoundStrategy,
    model: GlobalModel,
    arrays: ArrayRecord,
    server_round: int,
    callbacks: RunCallbacks,
) -> None:
    """Have the clients evaluate the new model, and meanwhile save it and evaluate it here."""
    replies = _ask_to_evaluate(grid, spec, strategy, arrays, server_round)
    callbacks.aggregated(server_round, arrays, strategy.state())
    callbacks.evaluated(server_round, model.evaluate(arrays))
    for _ in replies:
        pass  # whoever watches the grid has their metrics
    callbacks.finished(server_round)


def _ask_to_evaluate(
    grid: Grid, spec: RunSpec, strategy: RoundStrategy, arrays: ArrayRecord, server_round: int
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


app = build()

"""Attempts: whom an attempt at a round asks, and what follows when it has too few updates.

The same for updates in the clear (`plain.py`) and for sums (`secure.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Protocol

from flwr.app import Message
from flwr.serverapp import Grid

from app.federation.rounds.budgets import Budgets
from app.federation.strategies.sampling import sample_nodes
from shared.error_line import error_line
from shared.errors import RoundFailed
from shared.flower import is_declined, is_unavailable
from shared.run_spec import RunSpec

log = logging.getLogger(__name__)


class AttemptCallbacks(Protocol):
    """Told of attempts; as `app.federation.rounds.callbacks.RunCallbacks` has it."""

    def before_round(self, server_round: int) -> None:
        """A round is about to begin, or to be tried again. May block until clients are there."""

    def short_of_updates(self, server_round: int, reason: str) -> None:
        """A round is to be tried again. May block until that can help."""


class Attempts:
    """Of one run, in its thread. `minimum`: the updates that its strategy needs."""

    def __init__(
        self, grid: Grid, spec: RunSpec, minimum: int, callbacks: AttemptCallbacks, budgets: Budgets
    ) -> None:
        self._grid = grid
        self._spec = spec
        self._minimum = minimum
        self._callbacks = callbacks
        self._budgets = budgets

    def begin(self) -> None:
        """A round begins: nobody has declined."""
        self._budgets.begin()

    def cohort(
        self, server_round: int, only: Collection[int] = (), *, without: Collection[int] = ()
    ) -> list[int]:
        """Whom the next attempt asks, once clients are there. `only`: those whom it is to ask, as far as they
        are there, and nobody else. Empty only where nobody is there but those `without` whom it is done.
        Raises BudgetSpent."""
        while True:
            self._callbacks.before_round(server_round)
            nodes = self._budgets.among(list(self._grid.get_node_ids()))
            cohort = [node for node in nodes if node in only] or sample_nodes(
                [node for node in nodes if node not in without],
                self._spec.fraction_train,
                seed=self._spec.seed,
                purpose="train",
                server_round=server_round,
            )
            if cohort or (nodes and without):  # or they have left between the lines above
                return cohort

    def required(self, cohort: Collection[int], failures: Sequence[Message]) -> int:
        """Updates that an attempt needs; who declines counts as one not asked."""
        asked = len(cohort) - sum(map(is_declined, failures))
        return self._spec.required_updates(asked, self._minimum)

    def note(self, failures: Sequence[Message]) -> None:
        """These have not answered in an attempt, whatever has come of it."""
        self._budgets.note(failures)

    def is_for_budgets(self, server_round: int, failures: Sequence[Message]) -> bool:
        """Whether too few have answered since budgets are spent, and for nothing else: the next attempt is
        without those. Raises BudgetSpent where it is to be the end of the run."""
        self._budgets.require(server_round, is_done=False)
        return self._budgets.explain(failures)

    def await_better(
        self, server_round: int, words: str, failures: Sequence[Message], *, nobody: str | None
    ) -> None:
        """Too few updates came, as the words say. Returns when the round can be tried again.

        Raises RoundFailed where that is idle: `nobody` says so, where no client has done its part.
        """
        if any(map(is_unavailable, failures)):
            log.warning("round %d: clients were lost, the round is tried again: %s", server_round, words)
        elif nobody is None or not failures:
            self._callbacks.short_of_updates(server_round, words)
        else:
            raise RoundFailed(
                f"Round {server_round} failed: {nobody} ({reasons_of(failures)}). "
                "The rounds before it stand. The clients' logs have the details; "
                "start a new run when the cause is mended."
            )


def reasons_of(failures: Sequence[Message]) -> str:
    """Why there is no reply, each reason once; empty where all have replied."""
    return "; ".join(sorted({error_line(reply.error.reason) for reply in failures}))

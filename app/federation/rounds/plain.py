"""PlainRounds: rounds of which the server sees each update, and the strategy folds one after the other."""

from __future__ import annotations

import logging
from typing import Protocol

from flwr.app import ArrayRecord, Message
from flwr.serverapp import Grid

from app.federation.rounds.accounting import AccountCallbacks, account
from app.federation.rounds.attempts import Attempts, reasons_of
from app.federation.rounds.merging import Merging, config_of
from app.federation.strategies.base import Fold, RoundStrategy, Update
from app.federation.strategies.sampling import SampledGrid
from shared.errors import ReplyInvalid
from shared.flower import client_failed

log = logging.getLogger(__name__)


class PlainCallbacks(AccountCallbacks, Protocol):
    """Told what happens in a run; as `app.federation.rounds.callbacks.RunCallbacks` has it."""

    def update(self, reply: Message) -> Update:
        """What a reply to "train" holds. Raises ReplyInvalid when that cannot be used."""

    def folded(self, update: Update) -> None:
        """An update was taken in."""

    def made(self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord) -> None:
        """The updates have made the new global model of the one that was sent."""


class PlainRounds:
    """Of one run, in its thread. `merging`: of what its clients learn without the server; None: nothing."""

    def __init__(
        self,
        grid: Grid,
        strategy: RoundStrategy,
        callbacks: PlainCallbacks,
        attempts: Attempts,
        merging: Merging | None = None,
    ) -> None:
        self._grid = grid
        self._strategy = strategy
        self._callbacks = callbacks
        self._attempts = attempts
        self._merging = merging

    def train(self, arrays: ArrayRecord, server_round: int) -> ArrayRecord:
        """One round; returns the new global model. Tried again while it has too few updates. Raises
        RoundFailed where no client returns one.

        Where clients have learned in the mesh, that takes its place.
        """
        self._attempts.begin()
        while True:
            cohort = self._attempts.cohort(server_round)
            if self._merging is not None:
                merged = self._merging.merge(arrays, server_round)
                if merged is not None:
                    return merged
            fold = self._strategy.begin(server_round, arrays)
            failures = self._ask(cohort, arrays, server_round, fold)
            self._attempts.note(failures)
            required = self._attempts.required(cohort, failures)
            if fold.updates >= required:
                made = fold.finish()
                account(self._strategy, self._callbacks)
                self._callbacks.made(server_round, arrays, made)
                return made
            if self._attempts.is_for_budgets(server_round, failures) and not fold.updates:
                continue
            self._attempts.await_better(
                server_round,
                f"round {server_round} has {fold.updates} of {required} updates: "
                f"{reasons_of(failures) or 'none answered in time'}",
                failures,
                nobody=None if fold.updates else "no client returned an update",
            )

    def _ask(self, cohort: list[int], arrays: ArrayRecord, server_round: int, fold: Fold) -> list[Message]:
        """Have a cohort train, and fold what it returns; returns what stands for updates that are missing."""
        config = config_of(self._merging, server_round)
        asked = self._strategy.configure_train(server_round, arrays, config, SampledGrid(self._grid, cohort))
        failures: list[Message] = []
        for reply in self._grid.send_and_receive(asked):
            if reply.has_error():
                failures.append(reply)
                continue
            try:
                update = self._callbacks.update(reply)
                fold.add(update)
            except ReplyInvalid as error:
                log.warning("round %d: an update cannot be aggregated: %s", server_round, error)
                failures.append(client_failed(reply, str(error)))
            else:
                self._callbacks.folded(update)
                del update
            del reply  # while the next is waited for, and opened
        return failures

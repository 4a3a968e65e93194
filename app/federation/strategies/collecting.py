"""The base of strategies that must see all updates of a round at once: memory grows with the clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from flwr.app import ArrayRecord

from app.federation.strategies.arrays import in_order_of
from app.federation.strategies.base import Fold, RoundFold, RoundStrategy, Update


class CollectingStrategy(RoundStrategy):
    """Keeps the updates of a round and aggregates them in the order of the nodes' ids."""

    def begin(self, server_round: int, arrays: ArrayRecord) -> Fold:
        """As RoundStrategy has it."""
        return _Collection(
            arrays, self.minimum_updates, lambda updates: self._aggregate(server_round, arrays, updates)
        )

    @abstractmethod
    def _aggregate(self, server_round: int, sent: ArrayRecord, updates: Sequence[ArrayRecord]) -> ArrayRecord:
        """The new model.

        `updates`: at least `minimum_updates` models, their arrays in the order of those sent.
        """


class _Collection(RoundFold):
    def __init__(
        self,
        sent: ArrayRecord,
        minimum_updates: int,
        aggregate: Callable[[Sequence[ArrayRecord]], ArrayRecord],
    ) -> None:
        super().__init__(minimum_updates)
        self._sent = sent
        self._aggregate = aggregate
        self._collected: list[tuple[int, ArrayRecord]] = []

    def _add(self, update: Update) -> None:
        self._collected.append((update.node_id, in_order_of(update.arrays, self._sent)))

    def _finish(self) -> ArrayRecord:
        by_node = sorted(self._collected, key=lambda item: item[0])
        self._collected.clear()
        return self._aggregate([arrays for _, arrays in by_node])

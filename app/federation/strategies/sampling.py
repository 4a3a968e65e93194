"""Which clients take part in a round: a seeded sample, the same for the same seed, round and clients."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from flwr.app import Message, RecordDict
from flwr.serverapp import Grid

from shared.flower import FlowerRun
from shared.seeds import derive_seed


def sample_nodes(
    node_ids: Sequence[int], fraction: float, *, seed: int, purpose: str, server_round: int
) -> list[int]:
    """A share of the nodes, at least one unless there are none or the fraction is 0.

    `purpose` ("train", "evaluate") keeps the samples of one round independent of each other.
    """
    size = cohort_size(len(node_ids), fraction)
    if not size:
        return []
    return random.Random(derive_seed(seed, purpose, server_round)).sample(sorted(node_ids), size)


def cohort_size(clients: int, fraction: float) -> int:
    """How many of so many clients take part in a round."""
    return max(1, round(fraction * clients)) if clients and fraction else 0


class SampledGrid(Grid):
    """A grid narrowed to some of its nodes.

    Flower's strategies draw their cohort with the process-wide random generator. Shown only the nodes that
    were already chosen, and asked for all of them, they keep to a sample that the run's seed decides.
    """

    def __init__(self, grid: Grid, node_ids: Sequence[int]) -> None:
        self._grid = grid
        self._node_ids = tuple(node_ids)

    def set_run(self, run: FlowerRun) -> None:
        """Passed on."""
        self._grid.set_run(run)

    @property
    def run(self) -> FlowerRun:
        """Passed on."""
        return self._grid.run

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """Passed on."""
        return self._grid.create_message(content, message_type, dst_node_id, group_id, ttl)

    def get_node_ids(self) -> Iterable[int]:
        """The chosen nodes."""
        return self._node_ids

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Passed on."""
        return self._grid.push_messages(messages)

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Passed on."""
        return self._grid.pull_messages(message_ids)

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        """Passed on."""
        return self._grid.send_and_receive(messages, timeout=timeout)

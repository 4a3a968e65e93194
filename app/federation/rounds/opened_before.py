"""OpenedBefore: with whom a round is done again whose sum was opened before the server ended.

Clients help to open one sum of a model (docs/decisions/0045-one-sum-of-a-model.md). Whoever has come since
must not be asked again: the sum would be another one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from flwr.app import Message

from shared.flower import is_sum_opened
from shared.secagg.settings import LEAST_CLIENTS

log = logging.getLogger(__name__)


class OpenedBefore:
    """Of one round. Who declines has helped to open its sum; who does not, while others do, came since."""

    def __init__(self, server_round: int) -> None:
        self._round = server_round
        self._newcomers: set[int] = set()
        """They have given shares for a sum that came to nothing, and decline from then on, too."""

    def members(self, failures: Sequence[Message], asked: Collection[int]) -> frozenset[int]:
        """Whom the next attempt is to ask alone, after one in which these were asked to open the sum.

        Empty where it was not opened before, or another attempt with these would be no other.
        """
        declined = {reply.metadata.src_node_id for reply in failures if is_sum_opened(reply)}
        if declined:
            self._newcomers |= set(asked) - declined
        members = declined - self._newcomers
        if len(members) < LEAST_CLIENTS or members == set(asked):
            return frozenset()
        log.warning(
            "round %d: its sum was opened before with %d of these %d clients, and is opened again with them "
            "alone",
            self._round,
            len(members),
            len(asked),
        )
        return frozenset(members)

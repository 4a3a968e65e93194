"""RefusedModels: what others sent to be averaged and a node has not averaged, by whose it was and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from shared.security.key_id import KeyId


class RefusedModels:
    """Of one node, since it was started, over all that it learns in that time."""

    def __init__(self) -> None:
        self._by_sender: dict[KeyId, Counter[str]] = {}

    def count(self, sender: KeyId, why: str) -> None:
        """One more; `why` is an outcome of `mesh/learning/transfers.py`."""
        self._by_sender.setdefault(sender, Counter())[why] += 1

    def of(self, sender: KeyId) -> Mapping[str, int]:
        """A member's, by reason."""
        return dict(self._by_sender.get(sender, {}))

    @property
    def by_sender(self) -> Mapping[KeyId, Mapping[str, int]]:
        """Whose, and by reason."""
        return self._by_sender

    @property
    def total(self) -> Mapping[str, int]:
        """All, by reason."""
        return dict(sum(self._by_sender.values(), start=Counter()))

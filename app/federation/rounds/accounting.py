"""What a strategy's models cost in privacy, told before anybody sees them."""

from __future__ import annotations

from typing import Protocol

from app.federation.strategies.base import RoundStrategy
from app.records import PrivacySpent


class AccountCallbacks(Protocol):
    """As `app.federation.rounds.callbacks.RunCallbacks` has it."""

    def spent(self, privacy: PrivacySpent) -> None:
        """What differential privacy has cost so far. When this returns, it is kept."""


def account(strategy: RoundStrategy, callbacks: AccountCallbacks) -> None:
    """Have it kept what was spent, before the model that it was spent on is seen by anybody."""
    if (privacy := strategy.privacy()) is not None:
        callbacks.spent(privacy)

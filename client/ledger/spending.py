"""Spending: what has been spent of one data set, by the entries of its ledger. No I/O.

Epsilon is that of the sample for which most was spent. The parts of a division have no sample in common, so
that no sample is in more than one of them, and the dearest part counts; whatever was spent in another
division may have been spent on the same samples, so that it is added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from client.ledger.entry import Expense, Share
from shared.privacy.accounting import Rdp, epsilon_at, no_rdp, rdp_by_order


class Spending:
    """Grows by one expense after the other; one that is repeated counts once."""

    def __init__(self, expenses: Iterable[Expense] = ()) -> None:
        self._ids: set[str] = set()
        self._spent: defaultdict[str, defaultdict[int, Rdp]] = defaultdict(lambda: defaultdict(no_rdp))
        """By division and part."""
        for expense in expenses:
            self.add(expense)

    def __contains__(self, expense: Expense) -> bool:
        return expense.id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, expense: Expense) -> None:
        """It is spent."""
        if expense in self:
            return
        self._ids.add(expense.id)
        share = expense.share
        of_division = self._spent[share.division]
        of_division[share.part] = of_division[share.part] + rdp_by_order(expense.release)

    def epsilon(self, delta: float) -> float:
        """What was spent on the sample for which most was, at most."""
        return epsilon_at(self._of_divisions(), delta)

    def epsilon_of(self, share: Share, delta: float) -> float:
        """What was spent on the samples of a share, at most."""
        return epsilon_at(self._of_share(share), delta)

    def epsilon_with(self, expense: Expense) -> float:
        """What will have been spent on the samples of an expense after it, at its delta."""
        if expense in self:
            return self.epsilon_of(expense.share, expense.delta)
        return epsilon_at(self._of_share(expense.share) + rdp_by_order(expense.release), expense.delta)

    def _of_share(self, share: Share) -> Rdp:
        parts = self._spent.get(share.division)
        own = no_rdp() if parts is None else parts.get(share.part, no_rdp())
        return own + self._of_divisions(without=share.division)

    def _of_divisions(self, without: str | None = None) -> Rdp:
        dearest = [
            np.maximum.reduce(list(parts.values()))
            for division, parts in self._spent.items()
            if division != without
        ]
        return sum(dearest, start=no_rdp())

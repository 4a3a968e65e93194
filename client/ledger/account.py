"""Account: what a ledger comes to, for people: of the data set, and of each run. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from client.ledger.entry import Entry
from client.ledger.spending import Spending
from client.site.policy import Budget
from shared.dp_spec import DELTA
from shared.natural_order import natural_key


@dataclass(frozen=True)
class RunAccount:
    """What one run has spent. Epsilons of different runs do not add up: together they cost less."""

    run: str
    epsilon: float
    updates: int
    rounds: int
    clients: tuple[str, ...]
    first: float
    """When its first update was entered, in seconds since 1970."""
    last: float


@dataclass(frozen=True)
class Account:
    """Epsilon at `delta`, of the sample on which most was spent. `budget` None: there is no limit."""

    dataset: str
    delta: float
    epsilon: float
    budget: float | None
    updates: int
    runs: tuple[RunAccount, ...]

    @property
    def left(self) -> float | None:
        """What may still be spent; None: there is no limit."""
        return None if self.budget is None else max(0.0, self.budget - self.epsilon)

    def __str__(self) -> str:
        """A line of it."""
        spent = f"epsilon {self.epsilon:.2f}"
        limit = "" if self.budget is None else f" of {self.budget:.2f}"
        left = "" if self.left is None else f", {self.left:.2f} left"
        return f"{spent}{limit} is spent at delta {self.delta:g}{left}"


def account_of(dataset: str, entries: Sequence[Entry], budget: Budget | None) -> Account:
    """What the entries of a ledger come to: at the largest delta that the budget allows, or without one at
    that of the newest entry, under whose budget it is then."""
    limit: float | None = None
    delta = DELTA
    if budget is not None:
        limit, delta = budget.epsilon, budget.delta
    elif entries:
        limit, delta = entries[-1].budget, entries[-1].expense.delta
    spending = Spending(entry.expense for entry in entries)
    by_run: dict[str, list[Entry]] = {}
    for entry in entries:
        by_run.setdefault(entry.expense.run, []).append(entry)
    return Account(
        dataset=dataset,
        delta=delta,
        epsilon=spending.epsilon(delta),
        budget=limit,
        updates=len(spending),
        runs=tuple(_of_run(run, of_run, delta) for run, of_run in by_run.items()),
    )


def _of_run(run: str, entries: Iterable[Entry], delta: float) -> RunAccount:
    entries = list(entries)
    expenses = [entry.expense for entry in entries]
    times = [entry.time for entry in entries]
    return RunAccount(
        run=run,
        epsilon=Spending(expenses).epsilon(delta),
        updates=len(expenses),
        rounds=len({expense.round for expense in expenses}),
        clients=tuple(sorted({entry.client for entry in entries}, key=natural_key)),
        first=min(times),
        last=max(times),
    )

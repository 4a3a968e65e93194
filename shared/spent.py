"""Spent: what a client has spent of its data set's privacy, on its way from the ledger to the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """At the delta of the run."""

    epsilon: float
    """Over all runs."""
    of_run: float | None = None
    """In this run alone."""
    budget: float | None = None
    """The most that the client's site spends in all; None: there is no limit."""


def fields_of(spent: Spent | None) -> dict[str, float | None]:
    """By the names that replies and records have for them; None: nothing was spent, or it is not told."""
    return {
        "epsilon": None if spent is None else spent.epsilon,
        "epsilon_of_run": None if spent is None else spent.of_run,
        "epsilon_budget": None if spent is None else spent.budget,
    }

"""Declines: whether it is news that a client's site declines, by a rule, in a run.

A site that declines does so in every round, and several times in one of secure aggregation.
"""

from __future__ import annotations

from collections import OrderedDict

MOST_CLIENTS = 10_000
"""Of which it is remembered, those that were heard of last."""

MOST_RULES = 20
"""Of one client in one run: whatever else it calls a rule is no news."""


class Declines:
    """Of one server. Used in the link thread."""

    def __init__(self) -> None:
        self._said: OrderedDict[str, tuple[int, set[str]]] = OrderedDict()
        """By client: its run, and the rules of which it was said."""

    def is_news(self, client_id: str, run_id: int, rule: str) -> bool:
        """Whether this was not asked before."""
        run, rules = self._said.pop(client_id, (run_id, set()))
        if run != run_id:
            rules = set()
        news = rule not in rules and len(rules) < MOST_RULES
        if news:
            rules.add(rule)
        self._said[client_id] = run_id, rules
        if len(self._said) > MOST_CLIENTS:
            self._said.popitem(last=False)
        return news

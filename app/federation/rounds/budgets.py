"""Budgets: whether a private run goes on when sites decline because their privacy budgets are spent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from flwr.app import Message

from shared.error_line import error_line
from shared.errors import BudgetSpent
from shared.flower import is_budget_spent
from shared.run_spec import RunSpec
from shared.secagg.settings import LEAST_CLIENTS


class Budgets:
    """Of one run. A site that has declined is asked again in the next round: its budget may be another."""

    def __init__(self, spec: RunSpec) -> None:
        self._is_private = spec.dp is not None
        self._is_over_with_first = spec.stop_at_first_budget
        self._last = spec.num_rounds
        self._least = 1 if spec.secure_aggregation is None else LEAST_CLIENTS
        self._spent: dict[int, str] = {}
        """Whose are spent, by node, as they have said in this round."""

    def begin(self) -> None:
        """A round begins: nobody has declined."""
        self._spent.clear()

    def note(self, failures: Iterable[Message]) -> None:
        """Some clients have not answered. In a run without privacy no budget is spent by that."""
        for reply in failures:
            if self._is_private and is_budget_spent(reply):
                self._spent[reply.metadata.src_node_id] = error_line(reply.error.reason)

    def explain(self, failures: Sequence[Message]) -> bool:
        """Whether spent budgets, and nothing else, are why these clients have not answered."""
        return bool(failures) and all(reply.metadata.src_node_id in self._spent for reply in failures)

    def among(self, nodes: Collection[int]) -> list[int]:
        """Those who may have something left. Raises BudgetSpent if the others' budgets are why these are too
        few for a round."""
        left = [node for node in nodes if node not in self._spent]
        if len(left) >= self._least or len(left) == len(nodes):
            return left
        if not left:
            raise BudgetSpent(f"The privacy budgets of all clients are spent: {self._said()}.")
        raise BudgetSpent(
            f"The privacy budgets of too many clients are spent: {len(left)} of {len(nodes)} have something "
            f"left, and secure aggregation needs {self._least}: {self._said()}."
        )

    def require(self, server_round: int, *, is_done: bool) -> None:
        """Raise BudgetSpent if the run is to end before its next round, or before this one `is_done`."""
        if self._spent and self._is_over_with_first and not (is_done and server_round == self._last):
            raise BudgetSpent(f"It was to end when the first privacy budget is spent: {self._said()}.")

    def _said(self) -> str:
        return "; ".join(sorted(set(self._spent.values())))

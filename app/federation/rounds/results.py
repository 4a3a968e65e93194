"""What one good reply says, whichever app it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from flwr.app import Message

from app.federation.grid.instruction import Instruction
from shared.spent import Spent


@dataclass(frozen=True)
class ClientResult:
    """None where the reply says nothing. Losses are as in `app.records.ClientRound`."""

    num_examples: int | None = None
    train_loss: float | None = None
    loss: float | None = None
    accuracy: float | None = None
    """As a share. Another app's stands among the metrics only: whether it is a percentage, one reply cannot
    tell (`shares.py`)."""
    duration_s: float | None = None
    spent: Spent | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of the built-in app the further ones, of another all numbers."""
    left_out: int = 0
    """Numbers that are not among the metrics because they are too many."""


ReadReply = Callable[[Instruction, Message], ClientResult]
"""`read(instruction, reply)`: checks a reply and says what is in it. Each is read once.

Raises ReplyInvalid for a reply that must not be used.
"""


class AppResults(Protocol):
    """Takes what the ServerApp of another Flower app is seen to compute. Called in the run thread.

    Results are told in the order in which the app has them, and in their place among its messages: before the
    next batch that it sends. `number` is the app's own number of the round, as its strategy has it; None:
    it has none. `metrics` may hold anything under any name: what is no finite number is left out. Results
    without any number are told, too: they show where in its round the app is.
    """

    def app_evaluated(self, number: int | None, metrics: Mapping[str, float]) -> None:
        """The ServerApp evaluated the global model; before its first training: the initial model."""

    def app_aggregated(self, kind: str, number: int | None, metrics: Mapping[str, float]) -> None:
        """Its strategy made one result of the replies to messages of a kind ("train", "evaluate")."""

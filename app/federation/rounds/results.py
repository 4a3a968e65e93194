"""What one good reply says, whichever app it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flwr.app import Message

from app.federation.grid.instruction import Instruction


@dataclass(frozen=True)
class ClientResult:
    """None where the reply says nothing. Losses and accuracies are as in `app.records.ClientRound`."""

    num_examples: int | None = None
    train_loss: float | None = None
    loss: float | None = None
    accuracy: float | None = None
    duration_s: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


ReadReply = Callable[[Instruction, Message], ClientResult]
"""`read(instruction, reply)`: checks a reply and says what is in it. Each is read once.

Raises ReplyInvalid for a reply that must not be used.
"""

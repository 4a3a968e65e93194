"""Unjudged: an Observer that is told no verdicts, for replies that no client has signed."""

from __future__ import annotations

from collections.abc import Sequence

from flwr.app import Message

from app.federation.grid.instruction import Instruction
from app.federation.grid.owner import Observer
from app.records import Verdict


class Unjudged:
    """Passes everything on to another, but for verdicts: genuine is what an engine hands over."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def sent(self, instructions: list[Instruction]) -> Sequence[int | None]:
        """As the other has it."""
        return self._observer.sent(instructions)

    def replied(self, instruction: Instruction, reply: Message, verdict: Verdict | None) -> None:
        """As the other has it, without the verdict."""
        self._observer.replied(instruction, reply, None)

    def late(self, instruction: Instruction) -> None:
        """As the other has it."""
        self._observer.late(instruction)

    def due_s(self) -> float | None:
        """As the other has it."""
        return self._observer.due_s()

    def catch_up(self) -> None:
        """As the other has it."""
        self._observer.catch_up()

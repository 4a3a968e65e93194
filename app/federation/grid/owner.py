"""What a grid tells, and asks, the run that it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from flwr.app import Message

from app.federation.grid.instruction import Instruction
from app.records import Verdict, WaitingFor


class Observer(Protocol):
    """Sees every message that passes, and reads the replies. Called in the run thread."""

    def sent(self, instructions: list[Instruction]) -> Sequence[int | None]:
        """A batch of messages is about to go out. Returns the rounds that they are of, as they are shown."""

    def replied(self, instruction: Instruction, reply: Message, verdict: Verdict | None) -> None:
        """A reply came in, or an error in its place; and what was decided of it (None: there was none).

        Raises ReplyInvalid for a reply that must not be used; then it is told of the error in its place.
        """

    def late(self, instruction: Instruction) -> None:
        """The time is over, and the exchange goes on without this reply."""

    def due_s(self) -> float | None:
        """Seconds until `catch_up` is to be called though nothing comes; None: it need not be."""

    def catch_up(self) -> None:
        """Nothing has come for now: what many replies in a row have put off is done."""


class Owner(Protocol):
    """The run that a grid belongs to. Called in the run thread."""

    def admit(self) -> Iterable[str]:
        """Let in the clients that may take part now; returns the ids of all that may be given messages."""

    def sending(self) -> None:
        """A batch of messages is about to go out."""

    def membership_changed(self) -> None:
        """A client has come or gone."""

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """Bytes that a reply to this kind of message, of so many bytes itself, has at most."""

    def deadline_s(self, kind: str) -> float | None:
        """Seconds after which the replies to this kind of message that are there should do; None: never."""

    def required(self, kind: str, asked: int, declined: int) -> int:
        """Good replies without which an exchange with `asked` clients, of whom some have declined, does not
        end for want of time."""

    def least(self, kind: str, asked: int, declined: int) -> int:
        """Good replies without which nobody's word ends the exchange. Called from any thread."""

    def cohort(self, asked: int) -> int:
        """How many clients are in on what so many are asked at once; 0: nobody can know. They are told."""

    def can_start_over(self, kind: str) -> bool:
        """Whether an exchange that lacks good replies may end, because it can be tried with others."""

    def waits(self, waiting_for: WaitingFor) -> None:
        """The exchange has to wait, and for what; called again when that changes."""

    def goes_on(self) -> None:
        """What was waited for is there."""

    def paused(self) -> None:
        """The run is held from now on."""

    def resumed(self) -> None:
        """The run is held no longer."""

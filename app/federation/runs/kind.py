"""RunKind: how the runs of one kind differ from those of another."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from flwr.app import Context, Message, UserConfig

from app.federation.grid.codec import Arrived
from app.federation.grid.instruction import Instruction
from app.federation.grid.link_grid import LinkGrid
from app.federation.rounds.results import ClientResult
from app.federation.runs.membership import Members, WaitUntil
from app.federation.runs.run_status import RunStatus
from app.federation.runs.tracker import RoundTracker
from shared.payload import Payload


@dataclass(frozen=True)
class RunParts:
    """What an active run consists of, whatever its kind."""

    shown: RunStatus
    membership: Members
    tracker: RoundTracker
    grid: LinkGrid
    no_further_round: threading.Event = field(default_factory=threading.Event)
    """Set from another thread: the run is to be interrupted before its next round."""

    def wait_for_clients(self, wait_until: WaitUntil | None = None) -> None:
        """Wait until enough clients are there. `wait_until`: in place of the grid's."""
        self.membership.wait(wait_until or self.grid.wait_until)


class RunKind(ABC):
    """One run's own ServerApp, and what it makes of replies. Used in the run thread.

    A further kind (asynchronous rounds, another engine) is one more class.
    """

    @property
    @abstractmethod
    def run_config(self) -> UserConfig:
        """The run config for both of the run's Flower apps."""

    @abstractmethod
    def call_server_app(self, parts: RunParts, context: Context) -> None:
        """Carry out the run; raises whatever ends it early."""

    @abstractmethod
    def open_reply(self, payload: Payload) -> Arrived:
        """A reply as the run takes it. Raises WireError, and ReplyInvalid for one that must not be used."""

    @abstractmethod
    def read(self, instruction: Instruction, reply: Message) -> ClientResult:
        """What a reply says. Raises ReplyInvalid for one that must not be used."""

    @abstractmethod
    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """Bytes that a reply to this kind of message, of so many bytes itself, has at most."""

    @abstractmethod
    def required(self, kind: str, asked: int, declined: int, members: int) -> int:
        """Good replies that an exchange of this kind with so many of the run's members needs, of whom some
        have declined."""

    def least(self, kind: str, asked: int, declined: int, members: int) -> int:
        """Good replies without which nobody's word ends such an exchange: those that it needs anyway, or more
        where what follows would fail with so few. Called from any thread."""
        return self.required(kind, asked, declined, members)

    @abstractmethod
    def cohort(self, asked: int, members: int) -> int:
        """How many of the run's members are in on what so many are asked at once; 0: nobody can know."""

    @abstractmethod
    def can_start_over(self, kind: str) -> bool:
        """Whether an exchange that lacks good replies can be tried again with other clients."""

    @abstractmethod
    def looks_for_clients(self, parts: RunParts) -> None:
        """The ServerApp asks who is there; those who are will be admitted next. May block."""

    @abstractmethod
    def sends(self) -> None:
        """The ServerApp sends messages."""

    @abstractmethod
    def held(self, paused: bool) -> None:
        """The run is held, or goes on: for what does not wait on the grid by itself."""

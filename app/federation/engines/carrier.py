"""Carrier: takes messages to the nodes of one of Flower's grids, and brings their replies back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from flwr.app import Message

from shared.flower import FlowerRun, copied_to


class OtherGrid(Protocol):
    """As much of Flower's Grid as it takes."""

    @property
    def run(self) -> FlowerRun:
        """Whose messages it carries."""

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Take messages; returns their ids, an empty one for what it does not take."""

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """The replies to these that have come."""


@dataclass(frozen=True)
class Letter:
    """A message of FedLoom's own grid, for a node of the other."""

    message: Message
    node_id: int

    @property
    def id(self) -> str:
        """Of the message, on FedLoom's grid."""
        return self.message.metadata.message_id


Replied = Callable[[Letter, Message], None]
"""Takes the other grid's reply to a letter, or its error."""

NotTaken = Callable[[Letter, str], None]
"""Takes why a letter's node has not been given it."""

NOT_TAKEN = "It has left the engine, or its message is larger than the engine takes."


class Carrier:
    """At most `window` messages are on the other grid at a time: what is there cannot be held back."""

    def __init__(self, grid: OtherGrid, window: int, replied: Replied, not_taken: NotTaken) -> None:
        self._grid = grid
        self._window = window
        self._replied = replied
        self._not_taken = not_taken
        self._waiting: deque[Letter] = deque()
        self._under_way: dict[str, Letter] = {}
        """By the message's id on the other grid."""
        self._withdrawn: set[str] = set()
        self._is_paused = False

    def send(self, letters: Iterable[Letter]) -> None:
        """Have letters taken, when their turn comes."""
        self._waiting.extend(letters)

    def withdraw(self, message_id: str) -> None:
        """Nobody wants the reply to this message any more."""
        if any(letter.id == message_id for letter in self._under_way.values()):
            self._withdrawn.add(message_id)
        else:
            self._waiting = deque(letter for letter in self._waiting if letter.id != message_id)

    def pause(self, paused: bool) -> None:
        """Take no further letters, or take them again; those that are under way come to their end."""
        self._is_paused = paused

    def turn(self) -> bool:
        """Take what is due and bring back what is there; returns whether there was anything. Raises what the
        grid raises."""
        taken = self._due()
        for letter in taken:
            self._take(letter)
        replies = list(self._grid.pull_messages(list(self._under_way))) if self._under_way else []
        for reply in replies:
            self._bring(reply)
        return bool(taken or replies)

    def _due(self) -> list[Letter]:
        if self._is_paused:
            return []
        room = max(0, self._window - len(self._under_way))
        return [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]

    def _take(self, letter: Letter) -> None:
        message = copied_to(letter.message, self._grid.run.run_id, letter.node_id)
        (message_id, *_) = [*self._grid.push_messages([message]), ""]
        if not message_id:
            self._not_taken(letter, NOT_TAKEN)
            return
        self._under_way[message_id] = letter

    def _bring(self, reply: Message) -> None:
        letter = self._under_way.pop(reply.metadata.reply_to_message_id, None)
        wanted = letter is not None and letter.id not in self._withdrawn
        if letter is not None:
            self._withdrawn.discard(letter.id)
        if wanted and letter is not None:
            self._replied(letter, reply)

"""Instruction: a Flower message on its way to a client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flwr.app import ConfigRecord, Message

from shared.results import records_of

MAX_ROUND_DIGITS = 15
"""A longer number is no round: an app may call its groups as it likes."""
MAX_NAME = 100

ROUND_KEYS = ("server-round",)
"""Where Flower's strategies put the round, which says more than the group."""
OTHER_ROUND_KEYS = ("server_round", "current-round", "current_round")
"""Where apps put it that leave the group empty."""


@dataclass(frozen=True)
class Instruction:
    """A message on its way: what was sent to whom, of which round by the app's number (None: it has none)."""

    client_id: str
    message: Message
    round: int | None

    @property
    def kind(self) -> str:
        """Flower's category of the message: "train", "evaluate" or "query"."""
        return kind_of(self.message)

    @property
    def message_type(self) -> str:
        """The whole type of the message: "train", or "train.setup" for a function of that name."""
        return self.message.metadata.message_type

    @property
    def group_name(self) -> str | None:
        """How the app calls the message's group, where that is no number."""
        group = self.message.metadata.group_id
        return group[:MAX_NAME] if group and _number(group) is None else None


def kind_of(message: Message) -> str:
    """Flower's category of a message."""
    return message.metadata.message_type.partition(".")[0]


def round_of(message: Message) -> int | None:
    """The app's own number of the round that a message belongs to.

    It is in a config record, where Flower's strategies put it, or is the group id, or has another usual name.
    """
    configs = records_of(message.content, ConfigRecord).values()
    number = _first_number(configs, ROUND_KEYS)
    if number is None:
        number = _number(message.metadata.group_id)
    return _first_number(configs, OTHER_ROUND_KEYS) if number is None else number


def _first_number(configs: Iterable[ConfigRecord], keys: Iterable[str]) -> int | None:
    for record in configs:
        for key in keys:
            value = record.get(key)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
    return None


def _number(group: str) -> int | None:
    return int(group) if group.isdecimal() and len(group) <= MAX_ROUND_DIGITS else None

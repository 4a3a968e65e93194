"""Instruction: a Flower message on its way to a client."""

from __future__ import annotations

from dataclasses import dataclass

from flwr.app import ConfigRecord, Message

from shared.results import records_of

MAX_ROUND_DIGITS = 15
"""A longer number is no round: an app may call its groups as it likes."""


@dataclass(frozen=True)
class Instruction:
    """A message on its way: what was sent to whom, for which round (None: the app does not say)."""

    client_id: str
    message: Message
    round: int | None

    @property
    def kind(self) -> str:
        """Flower's category of the message: "train", "evaluate" or "query"."""
        return kind_of(self.message)


def kind_of(message: Message) -> str:
    """Flower's category of a message."""
    return message.metadata.message_type.partition(".")[0]


def round_of(message: Message) -> int | None:
    """The round a message belongs to, as Flower's strategies put it into a config record or the group id."""
    for record in records_of(message.content, ConfigRecord).values():
        server_round = _server_round(record)
        if server_round is not None:
            return server_round
    group = message.metadata.group_id
    return int(group) if group.isdecimal() and len(group) <= MAX_ROUND_DIGITS else None


def _server_round(record: ConfigRecord) -> int | None:
    server_round = record.get("server-round")
    return server_round if isinstance(server_round, int) else None

"""Settled: the messages of one client of which nothing more is to come."""

from __future__ import annotations

from collections import OrderedDict

MAX_SETTLED = 1_000
"""The newest that are remembered."""


class Settled:
    """So that a reply that comes again is known for what it is."""

    def __init__(self) -> None:
        self._messages: OrderedDict[str, bool] = OrderedDict()
        """By their ids: whether the rest of a reply that was given up may still be on its way."""

    def add(self, message_id: str, *, is_arriving: bool = False) -> None:
        """Nothing more is to come of a message, but the rest of a reply that is given up."""
        self._messages[message_id] = is_arriving
        if len(self._messages) > MAX_SETTLED:
            self._messages.popitem(last=False)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._messages

    def has_arrived(self, message_id: str) -> bool:
        """The last of a reply came: whether it is that rest, which comes once."""
        is_rest = self._messages.get(message_id, False)
        if is_rest:
            self._messages[message_id] = False
        return is_rest

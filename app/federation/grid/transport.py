"""What a grid needs of that which carries its messages to the clients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from app.federation.link.task import Task


class Transport(Protocol):
    """Carries messages to clients and their replies back. Called from any thread; nothing here waits.

    What is asked is done in the order in which it was asked.
    """

    def dispatch(self, tasks: Iterable[Task]) -> None:
        """Send messages to their clients. One that is not connected gets its own when it comes."""

    def withdraw(self, client_id: str, message_id: str, reason: str, *, late: bool = False) -> None:
        """Cancel a message whose reply is no longer wanted; the client stops working on it.

        A client that is too `late` with it is shown as such until it has stopped.
        """

    def mark_late(self, client_id: str, message_id: str) -> None:
        """Show that a client has missed a deadline with a message whose reply is still wanted."""

    def set_paused(self, run_id: int, paused: bool) -> None:
        """Have the clients of a run pause, or go on."""

"""What a run needs of an engine that carries its messages in place of FedLoom's link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from app.federation.grid.transport import Transport
from app.federation.link.traffic import Traffic


class Engine(Transport, Protocol):
    """Of one run: made, started and closed with it. Its clients are no members of the federation: they have
    no key, so that nobody judges their replies and none is given a receipt."""

    @property
    def traffic(self) -> Traffic:
        """The bytes of the messages that went out and came in."""

    @property
    def what(self) -> str:
        """What is waited for until it has clients, in words."""

    def start(self, on_change: Callable[[], None], on_failure: Callable[[Exception], None]) -> None:
        """Begin, without waiting for anything that takes long.

        `on_change`: clients have come or gone; `on_failure`: it cannot go on, and why. Both are called from
        any thread. Raises FedLoomError where it cannot begin.
        """

    def clients(self) -> Sequence[str]:
        """Those that are there, by the names that they have in the run. From any thread."""

    def close(self, *, completed: bool) -> None:
        """End it with all that it has started. `completed`: whether the run was."""

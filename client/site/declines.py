"""Declines: tells in the client's log why it takes no part, once for each run and rule.

A client that declines is asked again in every round, and a round that is tried again asks several times.
"""

from __future__ import annotations

import logging

from client.site.rules import Declined

log = logging.getLogger(__name__)


class Declines:
    """Of one client. Used in the runtime's thread."""

    def __init__(self) -> None:
        self._run = ""
        self._said: set[str] = set()
        """The rules of which it was said in this run."""

    def begin(self, run: str) -> None:
        """The client has a place in a run, given by its id."""
        if run != self._run:
            self._run = run
            self._said.clear()

    def tell(self, declined: Declined) -> None:
        """It has declined a message. What was said before goes to those who debug it."""
        level = logging.DEBUG if declined.rule in self._said else logging.WARNING
        self._said.add(declined.rule)
        log.log(level, "takes no part in run %s: %s", self._run, declined.line)

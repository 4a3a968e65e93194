"""Pulse: the thread "pulse" of a dashboard. Every second it asks the federation how it is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from app.records import ClientLink, NodeUsage
from app.replica.federation import Federation, FederationAway, LogGone
from app.replica.follower import Follower
from app.replica.known import Known

EVERY_S = 1.0
RETRY_S = 0.2

log = logging.getLogger(__name__)


class Pulse:
    """It tells the others what it hears."""

    def __init__(self, federation: Federation, known: Known, follower: Follower) -> None:
        self._federation = federation
        self._known = known
        self._follower = follower
        self._usage: dict[str | None, NodeUsage] = {}
        self._links: Mapping[str, ClientLink] = {}
        self._is_away: bool | None = None
        self._stopping = threading.Event()

    @property
    def hears(self) -> bool:
        """Whether the federation has answered the last time."""
        return self._is_away is False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._work, name="pulse", daemon=True).start()

    def stop(self) -> None:
        """End soon; it is not waited for."""
        self._stopping.set()

    def usage(self) -> dict[str | None, NodeUsage]:
        """What machines are used for, by node, as of the last time."""
        return self._usage

    @property
    def links(self) -> Mapping[str, ClientLink]:
        """How clients' links are, by client, as of the last time."""
        return self._links

    def _work(self) -> None:
        while not self._stopping.wait(RETRY_S if self._is_away else EVERY_S if self.hears else 0.0):
            try:
                self._ask()
            except (FederationAway, LogGone) as error:
                if not self._is_away:
                    log.warning("%s Pages wait until it answers.", error)
                self._is_away = True
            except Exception:  # the edge of the thread
                log.exception("the federation could not be asked how it is")
                self._is_away = True

    def _ask(self) -> None:
        asked = self._known.credentials()
        answer = self._federation.pulse(asked)
        self._known.confirm(asked, answer.identities)
        self._follower.hear(answer.instance, answer.last)
        self._usage = {node.client: node for node in answer.usage}
        self._links = {link.client: link for link in answer.links}
        if self._is_away:
            log.info("the federation answers again")
        self._is_away = False

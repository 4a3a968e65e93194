"""DropLog: what a node refuses is said once for each peer and reason; counters tell how often."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from mesh.members import Member
from mesh.protocol.counts import Counts
from mesh.refusals import CONNECTION, MODEL, NO_REFUSALS, USUAL, WORDS
from mesh.refused_models import RefusedModels
from mesh.sparse_log import OnceLog
from shared.security.key_id import KeyId


class DropLog:
    """Of one node. It looks at the counters now and then, so that a flood costs no line for each message."""

    def __init__(
        self,
        log: logging.Logger,
        counts: Counts,
        refused: Mapping[str, int],
        models: RefusedModels,
        clock: Callable[[], float],
    ) -> None:
        """`refused`: connections, by reason. `clock`: monotonic seconds."""
        self._once = OnceLog(log, clock)
        self._counts, self._refused, self._models = counts, refused, models
        self._seen: dict[tuple[KeyId | None, str], int] = {}

    def look(self, members: Mapping[KeyId, Member]) -> None:
        """Say what is new; to be called several times a second."""
        for peer, reasons in self._counts.by_peer.items():
            for reason, count in reasons.items():
                self._say(f"dropped what came from {_name(members, peer)}", peer, reason, "", count)
        for peer, outcomes in self._models.by_sender.items():
            for outcome, count in outcomes.items():
                self._say(f"refused a model of {_name(members, peer)}", peer, outcome, MODEL, count)
        for why, count in self._refused.items():
            self._say("refused a connection", None, why, CONNECTION, count)

    def _say(self, what: str, peer: KeyId | None, reason: str, kind: str, count: int) -> None:
        code = f"{kind}{reason}"
        before = self._seen.get((peer, code), 0)
        self._seen[peer, code] = count
        if count <= before:
            return
        self._once.say(
            logging.INFO if code in USUAL | NO_REFUSALS or peer is None else logging.WARNING,
            (peer, code),
            "%s: %s, %d until now (%s). `python -m mesh status` counts on",
            what,
            reason,
            count,
            WORDS.get(code, "what could not be passed on"),
        )


def _name(members: Mapping[KeyId, Member], peer: KeyId) -> str:
    return members[peer].name if peer in members else peer.short

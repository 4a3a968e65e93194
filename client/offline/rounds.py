"""MeshRounds: the rounds that a client has gone without its server, as people see them afterwards."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mesh.gossip import MeshRound
from mesh.learning.base import Base
from shared.security.key_id import KeyId

MAX_ROUNDS = 200
"""The newest."""


@dataclass(frozen=True)
class GoneRound:
    """One of them. `number`: since the base, from 1. `time`: when it ended, in Unix seconds. `loss`,
    `accuracy` and `divergence`: as MeshRound has them."""

    base: Base
    number: int
    time: float
    loss: float | None
    accuracy: float | None
    divergence: float | None
    averaged_with: tuple[KeyId, ...]
    """Each once."""


class MeshRounds:
    """Of one client. In its event loop."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._rounds: deque[GoneRound] = deque(maxlen=MAX_ROUNDS)
        self._watchers: list[Callable[[], None]] = []

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each."""
        self._watchers.append(changed)

    def add(self, base: Base, before: int, done: MeshRound) -> None:
        """One is over. `before`: rounds since the same base, of earlier times without the server."""
        self._rounds.append(
            GoneRound(
                base=base,
                number=before + done.mesh_round,
                time=self._clock(),
                loss=done.loss,
                accuracy=None if done.evaluated is None else done.evaluated.accuracy,
                divergence=done.divergence,
                averaged_with=tuple(dict.fromkeys(done.averaged_with)),
            )
        )
        for changed in self._watchers:
            changed()

    def all(self) -> Sequence[GoneRound]:
        """Oldest first."""
        return tuple(self._rounds)

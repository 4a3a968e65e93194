"""Witnesses: which client has cosigned which checkpoint last."""

from __future__ import annotations

from app.records import AuditWitness
from app.store.audit import Cosignature


class Witnesses:
    """By their keys. Changed in the writer's thread only; read from any."""

    def __init__(self) -> None:
        self._newest: dict[str, AuditWitness] = {}

    def cosigned(self, cosignature: Cosignature) -> None:
        """A client has seen a checkpoint."""
        key = str(cosignature.key)
        before = self._newest.get(key)
        if before is None or before.size <= cosignature.size:
            self._newest[key] = AuditWitness(
                client=cosignature.client_id,
                key=key,
                size=cosignature.size,
                time=cosignature.time / 1000,
            )

    def all(self) -> tuple[AuditWitness, ...]:
        """Those who have seen most first."""
        return tuple(sorted(self._newest.copy().values(), key=lambda each: (-each.size, each.client)))

"""Base: the global model from which learning over the mesh begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Base:
    """One model of one run. Models that come from different bases are not averaged with each other.

    A run keeps its id when another server process takes it up; the generation says how often that has
    happened. Two servers that have taken up the same run at the same time can both have made a round of this
    number: `digest` tells their models apart.
    """

    run: str
    generation: int
    """Of the server that made the model; 0 where none did: the run is one of the mesh alone."""
    round: int
    """After which round of the server the model was global; 0: the initial one."""
    digest: bytes
    """SHA-256 of the model, as the run's own way to hash models has it."""

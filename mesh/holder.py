"""What an exchange of shares needs of the node whose mass it is, and how long it waits for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mesh.learning.arrays import Arrays
from mesh.learning.push_sum import Portion
from shared.security.key_id import KeyId


@dataclass(frozen=True)
class Patience:
    """How long to wait for others, in seconds."""

    answer_s: float = 5.0
    """Until it is asked what became of a share, and until news are told again."""
    fetch_s: float = 60.0
    """For a model's bytes."""
    settle_s: float = 20.0
    """At the end, for what is still open."""


class Holder(Protocol):
    """The node whose mass it is."""

    @property
    def model(self) -> Arrays:
        """Its own, with which others' are compared."""

    @property
    def waiting(self) -> int:
        """How many models wait to be averaged in."""

    def takes(self, sender: KeyId, portion: Portion) -> None:
        """A peer's share, which is this node's from now on."""

    def takes_back(self, portion: Portion) -> None:
        """A share of its own that nobody else has."""

"""Member: a client that takes part in secure aggregation, as its own side knows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.secagg.session import NodeOf
from shared.secagg.settings import LEAST_CLIENTS
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair


@dataclass(frozen=True)
class Member:
    """This client, and what it knows of others."""

    client_id: str
    key: KeyPair
    node_of: NodeOf
    require_genuine: Callable[[Mapping[str, KeyId]], None]
    """Given others' names and the ids of their keys, raises Refused for one that it knows to be another's."""
    minimum: int = LEAST_CLIENTS
    """Clients that must be in a sum, by the site's policy."""

    @property
    def node(self) -> int:
        """Its own number on the grid."""
        return self.node_of(self.client_id)

"""The node that folders belong to."""

from __future__ import annotations

from dataclasses import dataclass

from mesh.members import Members
from mesh.node import Mesh
from mesh.syncing.offers import Offers


@dataclass(frozen=True)
class OwnNode:
    """What all folders of a node use together."""

    mesh: Mesh
    members: Members
    offers: Offers

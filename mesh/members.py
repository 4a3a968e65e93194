"""Members: whom a node trusts, and where they may be found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.address import Address
from shared.security.key_id import KeyId
from shared.security.keys import PublicKey


class Origin(StrEnum):
    """Why a member is trusted."""

    PAIRED = "paired"
    """people have paired both nodes"""
    ROSTER = "roster"
    """a federation's server has vouched for it, and the site's policy says that this is enough"""


@dataclass(frozen=True)
class Member:
    """Another node that this one trusts. Trust is not passed on: whom a member trusts, is its own affair."""

    key: PublicKey
    name: str
    """As people call it; not unique, and no proof of anything."""
    origin: Origin
    addresses: tuple[Address, ...] = ()
    """Where it has said that it listens; the newest last. It may be elsewhere by now."""


class Members(Protocol):
    """Whom a node trusts at present. Used in the node's event loop."""

    def all(self) -> Mapping[KeyId, Member]:
        """By the ids of their keys; the node itself is not among them."""

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each change: somebody was paired or blocked, a roster came."""

    def found(self, key: KeyId, address: Address) -> None:
        """A member was heard of at an address, which is kept if it is one."""

"""Clients and a server of a secure aggregation that talk to each other in one process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from shared.privacy.central import CentralPrivacy
from shared.secagg.client import ClientSession
from shared.secagg.member import Member
from shared.secagg.packing import Learned, Summed
from shared.secagg.server import ServerSession
from shared.secagg.session import Session
from shared.secagg.settings import SecureAggregation
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

SERVER = KeyId(bytes(range(32)))
MODEL = b"m" * 32

Change = NDArray[np.float64]


def node_of(client_id: str) -> int:
    """client-7 is 7."""
    return int(client_id.rpartition("-")[2])


@cache
def key_of(number: int) -> KeyPair:
    """The identity of client-<number>: making keys takes long."""
    return KeyPair.make()


def nobody_is_known(_: Mapping[str, KeyId]) -> None:
    """A client that has never met another."""


def member(
    number: int,
    *,
    minimum: int = 3,
    require_genuine: Callable[[Mapping[str, KeyId]], None] = nobody_is_known,
) -> Member:
    """client-<number>."""
    return Member(f"client-{number}", key_of(number), node_of, require_genuine, minimum)


def session_of(
    clients: int,
    settings: SecureAggregation | None = None,
    nonce: bytes = b"n" * 32,
    noise: CentralPrivacy | None = None,
) -> Session:
    """One of client-1 to client-<clients>."""
    cohort = tuple(range(1, clients + 1))
    return Session(SERVER, 7, 1, nonce, cohort, settings or SecureAggregation(), noise)


class Federation:
    """An honest server and honest clients, who take one step after the other; clients may leave between."""

    def __init__(
        self,
        changes: list[Change],
        samples: list[int],
        settings: SecureAggregation | None = None,
        noise: CentralPrivacy | None = None,
    ) -> None:
        self.session = session_of(len(changes), settings, noise=noise)
        self.learned = {
            node: Learned(change, count)
            for node, (change, count) in enumerate(zip(changes, samples, strict=True), start=1)
        }
        self.server = ServerSession(self.session, node_of, MODEL, len(changes[0]))
        self.clients = {
            node: ClientSession(self.session, member(node), MODEL) for node in self.session.cohort
        }

    def leave(self, nodes: Collection[int]) -> None:
        """These clients are gone from now on."""
        for node in nodes:
            self.clients.pop(node, None)

    def advertise(self) -> None:
        for node, client in self.clients.items():
            self.server.take_keys(node, client.advertise())

    def share(self) -> None:
        keys = list(self.server.keys.values())
        for node, client in self.clients.items():
            self.server.take_boxes(node, client.share(keys))

    def open(self) -> None:
        for node, client in self.clients.items():
            client.open(self.server.sharers, self.server.boxes_for(node))
            self.server.take_opened(node)

    def mask(self) -> None:
        for node, client in self.clients.items():
            self.server.take_masked(node, client.mask(MODEL, self.learned[node]).to_bytes())

    def confirm(self) -> None:
        for node, client in self.clients.items():
            self.server.take_confirmation(node, client.confirm(self.server.survivors))

    def reveal(self) -> None:
        server = self.server
        for node, client in self.clients.items():
            server.take_revealed(node, client.reveal(server.survivors, server.dead, server.confirmations))

    def run(self, leaving: Mapping[str, Collection[int]] | None = None) -> Summed:
        """All steps; `leaving`: who leaves before a step, by the step's name."""
        for step in (self.advertise, self.share, self.open, self.mask, self.confirm, self.reveal):
            self.leave((leaving or {}).get(step.__name__, ()))
            step()
        return self.server.finish()


def mean_of(learned: Collection[Learned]) -> Change:
    """The weighted mean, in the clear."""
    total = sum(each.samples for each in learned)
    mean: Change = np.sum([each.change * (each.samples / total) for each in learned], axis=0)
    return mean

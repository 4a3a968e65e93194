"""What the server sees of an update in a run with secure aggregation: what a real client sends of it."""

from __future__ import annotations

from functools import cache

import numpy as np

from bench.attacks.victim import Pixels
from shared.flower import node_id_of
from shared.secagg.client import ClientSession
from shared.secagg.masks import Masked
from shared.secagg.member import Member
from shared.secagg.packing import TOTALS, Learned
from shared.secagg.server import ServerSession
from shared.secagg.session import Session
from shared.secagg.settings import SecureAggregation
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

SERVER = KeyId(bytes(32))
MODEL = bytes(32)
CLIENTS = ("victim", "second", "third")


def masked(update: Pixels) -> Pixels:
    """An update as it arrives of the first of three clients, read as if there were no mask on it."""
    cohort = tuple(sorted(map(node_id_of, CLIENTS)))
    session = Session(SERVER, 1, 1, bytes(32), cohort, SecureAggregation())
    server = ServerSession(session, node_id_of, MODEL, update.size)
    clients = {node_id_of(name): ClientSession(session, _member(name), MODEL) for name in CLIENTS}
    for node, client in clients.items():
        server.take_keys(node, client.advertise())
    for node, client in clients.items():
        server.take_boxes(node, client.share(list(server.keys.values())))
    for node, client in clients.items():
        client.open(server.sharers, server.boxes_for(node))
    sent = clients[node_id_of(CLIENTS[0])].mask(MODEL, Learned(update.ravel(), samples=1)).to_bytes()
    seen = Masked.from_bytes(sent, TOTALS, update.size, session.settings.bits)
    return seen.values.view(np.int32).astype(np.float64).reshape(update.shape)


@cache
def _member(name: str) -> Member:
    """Keys take long to make."""
    return Member(name, KeyPair.make(), node_id_of, lambda _: None)

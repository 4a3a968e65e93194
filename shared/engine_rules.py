"""What a run on one of Flower's engines can have of that which FedLoom's own clients can."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from shared.names import EngineName

NEEDS_OWN_CLIENTS: Mapping[str, str] = MappingProxyType(
    {
        "app": "another Flower app runs there by Flower's own flwr run",
        "dp": "what a client's data has spent stands in a ledger of its own, which clients there do not have",
        "secure_aggregation": "clients know each other by keys, which those there do not have",
        "num_partitions": "each client there has one part of the data",
    }
)
"""Fields of a RunSpec that are for FedLoom's own clients alone where they are not null, and why."""


def objection(engine: EngineName, given: Mapping[str, Any]) -> str | None:
    """Why an engine cannot carry a run with these fields, in words; None: it can."""
    if engine is EngineName.EMBEDDED:
        return None
    for name, why in NEEDS_OWN_CLIENTS.items():
        if given.get(name) is not None:
            return f"it cannot be combined with {name}: {why}"
    clients, minimum = given.get("simulated_clients", 0), given.get("min_clients", 0)
    if engine is EngineName.SIMULATION and clients < minimum:
        return f"{clients} simulated clients are too few: a round starts with min_clients = {minimum}"
    return None

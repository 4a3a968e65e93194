"""How many clients a demo starts."""

from __future__ import annotations

from app.local_clients.limit import LEAST, most_by_memory
from shared.flower_app import FlowerApp

DEFAULT = LEAST


def clients_for(app: FlowerApp | None) -> tuple[int, str | None]:
    """How many, where nobody has said so; and a word to the person where the app is made for more."""
    if app is None or app.supernodes is None:
        return DEFAULT, None
    clients = min(app.supernodes, most_by_memory())
    if clients == app.supernodes:
        return clients, None
    return clients, (
        f"The app's federation has {app.supernodes} SuperNodes. Each client is a process here, so {clients} "
        "are started; --clients starts another number."
    )

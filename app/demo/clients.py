"""How many clients a demo starts."""

from __future__ import annotations

import os

from shared.flower_app import FlowerApp

DEFAULT = 3
MOST = 10
"""Each is a process of its own, and all train at the same time; a simulation has them take turns."""

GIB_PER_CLIENT = 1


def clients_for(app: FlowerApp | None) -> tuple[int, str | None]:
    """How many, where nobody has said so; and a word to the person where the app is made for more."""
    if app is None or app.supernodes is None:
        return DEFAULT, None
    clients = min(app.supernodes, most_here())
    if clients == app.supernodes:
        return clients, None
    return clients, (
        f"The app's federation has {app.supernodes} SuperNodes. Each client is a process here, so {clients} "
        "are started; --clients starts another number."
    )


def most_here() -> int:
    """How many clients this machine has memory for, within reason."""
    return max(DEFAULT, min(MOST, _memory_gib() // GIB_PER_CLIENT))


def _memory_gib() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**30
    except (OSError, ValueError):  # the system does not say
        return MOST

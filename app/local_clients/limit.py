"""How many clients a machine has room for."""

from __future__ import annotations

import os

MOST = 10
"""Each is a process of its own, and all train at the same time; a simulation has them take turns."""
LEAST = 3
PER_CORE = 4
GIB_PER_CLIENT = 1


def most_by_memory() -> int:
    """How many clients this machine has memory for, within reason."""
    return max(LEAST, min(MOST, _memory_gib() // GIB_PER_CLIENT))


def most_here() -> int:
    """How many it has memory and processors for."""
    return max(LEAST, min(most_by_memory(), PER_CORE * (os.cpu_count() or 1)))


def _memory_gib() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**30
    except (OSError, ValueError):  # the system does not say
        return MOST

"""How many heaps the C library keeps for this process's threads.

With glibc, each thread may get a heap of its own, and what one thread has freed serves no other. The link's
bytes come in at one of gRPC's threads and are let go of at another, so that all of these heaps would grow to
what a few connections need at their busiest: with 8 clients, half of a model of 100 MB.
"""

from __future__ import annotations

import ctypes
import sys

HEAPS = 2
_M_ARENA_MAX = -8
"""Of mallopt(3)."""


def share_heaps() -> None:
    """Have threads that start from now on share a few heaps; nothing where the C library has another way."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_ARENA_MAX, HEAPS)

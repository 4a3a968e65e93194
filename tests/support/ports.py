"""Ports for servers that are started again at the same one."""

from __future__ import annotations

import itertools
import os
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

FEWEST, MOST = 15_000, 32_000
"""Ports that the system gives nobody who does not ask for them."""

PARTS = 16
"""Each process of pytest-xdist has ports of its own."""


def free_port(address: str = "127.0.0.1") -> int:
    """A port at which nobody listens just now, and that no connection will have by chance.
    None is given again before all others were."""
    for port in _ports():
        with suppress(OSError), socket.create_server((address, port)):
            return port
    raise AssertionError("there is always another port")


@cache
def _ports() -> Iterator[int]:
    width = (MOST - FEWEST) // PARTS
    part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PARTS
    first, begin = FEWEST + width * part, random.randrange(width)
    return itertools.cycle(first + (begin + number) % width for number in range(width))

"""The GPUs of this machine, as NVIDIA's own command tells of them, where there is that command."""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
from collections.abc import Callable
from math import isfinite

from dashboard.reading import Gpu

COMMAND = "nvidia-smi"
QUERY = ("--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")
LOOK_S = 10.0
"""From one call of the command to the next: each starts a process."""
TIMEOUT_S = 5.0
MAX_GPUS = 16
MIB = 1 << 20

log = logging.getLogger(__name__)

Ask = Callable[[], str]


class Gpus:
    """Owned by one thread, which may wait for the command."""

    def __init__(self, ask: Ask | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """`ask`: what the command prints; by default the command is run, if it is installed."""
        self._ask = ask or command_if_installed()
        self._clock = clock
        self._asked_at: float | None = None
        self._known: tuple[Gpu, ...] = ()

    def read(self) -> tuple[Gpu, ...]:
        """All of them, as they were at most ten seconds ago; none where the command is missing or fails."""
        now = self._clock()
        if self._ask is None or (self._asked_at is not None and now - self._asked_at < LOOK_S):
            return self._known
        self._asked_at = now
        try:
            self._known = parse_gpus(self._ask())
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            log.info("the GPUs are not watched any more: %s cannot be asked (%s)", COMMAND, error)
            self._ask, self._known = None, ()
        return self._known


def parse_gpus(printed: str) -> tuple[Gpu, ...]:
    """One line for each: percent, MiB, MiB. Raises ValueError for anything else.

    A card that does not count something prints words in brackets there, and is left out.
    """
    found = []
    for line in printed.splitlines():
        if not line.strip() or "[" in line:
            continue
        busy, used, total = (float(part) for part in line.split(","))
        if not all(isfinite(number) and number >= 0 for number in (busy, used, total)):
            raise ValueError(f"{line!r} tells of no GPU")
        found.append(Gpu(min(1.0, busy / 100), int(used * MIB), int(total * MIB)))
    return tuple(found[:MAX_GPUS])


def command_if_installed() -> Ask | None:
    """How to ask; None: this machine has no such command."""
    path = shutil.which(COMMAND)
    if path is None:
        return None

    def ask() -> str:
        asked = subprocess.run([path, *QUERY], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        return asked.stdout

    return ask

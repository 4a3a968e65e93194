"""What a client was asked for, free of heavy imports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ClientSettings:
    """`max_samples` 0: all. `threads` None: the cores, shared with the run's other clients here."""

    client_id: str
    dataset: str
    server: str
    data_dir: Path
    max_samples: int = 0
    device: str = "auto"
    threads: int | None = None

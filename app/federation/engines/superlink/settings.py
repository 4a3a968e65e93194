"""Where a server's SuperLink is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SuperLinkSettings:
    """`root_certificates` None: the system's. Without TLS only where it is `insecure`. `secret_file`: by
    which the SuperLink knows who may carry out ServerApps; None: it asks nobody."""

    address: str
    root_certificates: Path | None = None
    insecure: bool = False
    secret_file: Path | None = None

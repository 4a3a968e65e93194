"""Where FedLoom keeps its files, by environment variable or default."""

from __future__ import annotations

import os
from pathlib import Path

DEFAULT_HOME = Path(".fedloom")
"""Where FedLoom's folder is if nothing is said, as seen from the working directory."""


def home_dir() -> Path:
    """FedLoom's own folder: `FEDLOOM_HOME`, by default `.fedloom` in the working directory."""
    return Path(os.environ.get("FEDLOOM_HOME") or DEFAULT_HOME)


def data_dir() -> Path:
    """The folder of the data sets: `FEDLOOM_DATA_DIR`, by default `data` in `home_dir()`."""
    configured = os.environ.get("FEDLOOM_DATA_DIR")
    return Path(configured) if configured else home_dir() / "data"

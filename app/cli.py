"""The command line of `run_server.py`."""

from __future__ import annotations

import sys

from app import settings
from shared.errors import FedLoomError


def main(argv: list[str] | None = None) -> int:
    """Parse, serve, return the exit code."""
    configured = settings.parse(argv)
    from app.server import serve  # only now: it imports PyTorch

    try:
        serve(configured)
    except FedLoomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0

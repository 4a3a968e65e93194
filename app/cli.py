"""The command line of `run_server.py`."""

from __future__ import annotations

import sys

from app import settings
from shared.errors import FedLoomError
from shared.interrupt import INTERRUPTED, end_on_signals


def main(argv: list[str] | None = None) -> int:
    """Parse, serve, return the exit code."""
    end_on_signals()
    try:
        configured = settings.parse(argv)
        from app.server import serve  # only now: it imports PyTorch

        serve(configured)
    except FedLoomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0

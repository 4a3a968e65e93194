"""The command line of `run_server.py`."""

from __future__ import annotations

import logging
import sys

from app import settings
from shared.console import logs_json
from shared.errors import FedLoomError
from shared.interrupt import INTERRUPTED, end_on_signals

log = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> int:
    """Parse, serve, return the exit code."""
    end_on_signals()
    try:
        configured = settings.parse(argv)
        if configured.deployment.role == "dashboard":
            from app.replica.server import serve_dashboard

            serve_dashboard(configured)
        else:
            from app.server import serve  # only now: it imports PyTorch

            serve(configured)
    except FedLoomError as error:
        if logs_json():
            log.error("%s", error)
        else:
            print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0

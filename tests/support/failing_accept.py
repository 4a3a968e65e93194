"""`python -m tests.support.failing_accept --port …`: `run_server.py` on a system that fails.

FEDLOOM_TEST_ERRORS: names of errors, separated by blanks. Each fails one `accept`, in this order.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from app.cli import main
from shared.interrupt import leave


def fail_first(accept: Callable[[Any], Any], errors: list[int]) -> Callable[[Any], Any]:
    """`accept`, which fails so often as there are errors, and only where there is a connection."""

    def failing(listener: Any) -> Any:
        accepted = accept(listener)
        if not errors:
            return accepted
        accepted[0].close()
        error = errors.pop(0)
        raise OSError(error, os.strerror(error))

    return failing


if __name__ == "__main__":
    wanted = [getattr(errno, name) for name in os.environ["FEDLOOM_TEST_ERRORS"].split()]
    socket.socket.accept = fail_first(socket.socket.accept, wanted)  # type: ignore[method-assign,assignment]
    leave(main(sys.argv[1:]))

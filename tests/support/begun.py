"""Tells in what state it began, and ends with an exit code: `python -m tests.support.begun CODE`."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

state = {
    "name": __name__,
    "words": sys.argv,
    "path": sys.path,
    "folder": os.getcwd(),  # noqa: PTH109 - as bytes would have it
    "environment": {name: os.environ.get(name) for name in ("FEDLOOM_HOME", "PYTHONPATH", "PATH", "BEGUN")},
    "interfaces": sorted(name for _, name in socket.if_nameindex()),
    "typed": sys.stdin.read(),
    "handlers": {
        number.name: str(signal.getsignal(number)).partition(" at ")[0]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)
    },
    "streams": [(each.encoding, each.errors, each.line_buffering) for each in (sys.stdout, sys.stderr)],
}
sys.stdout.write(json.dumps(state))
sys.stderr.write("told\n")
sys.exit(int(sys.argv[1]))

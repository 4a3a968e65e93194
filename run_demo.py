"""Starts a server, clients and a run on this machine: `python run_demo.py --clients 3 --rounds 5`."""

from __future__ import annotations

import sys

from app.demo.cli import main

if __name__ == "__main__":
    sys.exit(main())

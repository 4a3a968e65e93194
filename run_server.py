"""Starts the FedLoom server: `python run_server.py --dataset mnist --num-rounds 10`."""

from __future__ import annotations

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main())

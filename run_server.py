"""Starts the FedLoom server: `python run_server.py --dataset mnist --num-rounds 10`."""

from __future__ import annotations

from app.cli import main
from shared.interrupt import leave

if __name__ == "__main__":
    leave(main())

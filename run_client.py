"""Starts one FedLoom client: `python run_client.py --client-id client-1 --dataset mnist`."""

from __future__ import annotations

from client.cli import main
from shared.interrupt import leave

if __name__ == "__main__":
    leave(main())

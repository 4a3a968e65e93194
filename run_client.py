"""Starts one FedLoom client: `python run_client.py --client-id client-1 --dataset mnist`."""

from __future__ import annotations

import sys

from client.cli import main

if __name__ == "__main__":
    sys.exit(main())

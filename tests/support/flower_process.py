"""`python -m tests.support.flower_process superlink|supernode FLAG...`: one of Flower's own commands."""

from __future__ import annotations

import sys

from flwr.superlink.cli import flower_superlink
from flwr.supernode.cli import flower_supernode

COMMANDS = {"superlink": flower_superlink, "supernode": flower_supernode}

if __name__ == "__main__":
    command = COMMANDS[sys.argv.pop(1)]
    command()

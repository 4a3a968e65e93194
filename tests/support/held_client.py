"""A client that is held in a mesh round, between its training and the averaging, until a test lets it go on.

Run as `python -m tests.support.held_client ROUND FILE …`: after its training in mesh round ROUND it waits as
long as FILE is there, which it makes. All else is `run_client.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from client.cli import main
from tests.support.held import Held

TRAINING = "client.mesh_trainer:LearnerTrainer.train"


def held_in(mesh_round: int, file: Path) -> Held:
    """What holds such a client."""
    return Held(TRAINING, file, call=mesh_round, after=True)


if __name__ == "__main__":
    held_in(int(sys.argv.pop(1)), Path(sys.argv.pop(1))).arm()
    sys.exit(main())

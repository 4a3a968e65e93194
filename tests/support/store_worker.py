"""`python -m tests.support.store_worker JOB PLACE`: a process that uses a store, at a URL or in a folder.

Those that keep things do so as fast as they can until they are killed; each line that they print is the
number up to which they were told that all is on the disk.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
from flwr.app import Array, ArrayRecord

from app.event_bus import EventBus
from app.records import ClientRound, LogRecord, Round, RoundUpdate, Run, RunState
from app.store.checkpoints import CheckpointStore
from app.store.reader import StoreReader
from app.store.store import Store
from app.store.urls import default_url
from app.store.writer import StoreWriter
from shared.errors import FedLoomError
from shared.run_spec import RunSpec
from tests.support.audit import a_log

RUN = "7f3a9c01"
CLIENTS = 20
NOBODY = 65534


def write_events(url: str) -> None:
    """Publish without end; print the writer's `written`. Event n is log record "n", or of round n // 4."""
    store = Store.open(url)
    bus = EventBus(first_seq=store.last_seq() + 1)
    writer = StoreWriter(store, bus, lambda: (), a_log())
    writer.start()
    bus.publish(Run(id=RUN, state=RunState.RUNNING, spec=RunSpec(), num_rounds=None, created_at=0.0))
    while True:
        number = bus.last + 1
        if number % 4:
            bus.publish(LogRecord(level="info", source="server", logger="test", message=str(number)))
        else:
            bus.publish(RoundUpdate(run_id=RUN, round=round_of(number)))
        if number % 50 == 0:
            writer.flush(60)
        say(writer.written)


def round_of(number: int) -> Round:
    """The round of which event `number` tells."""
    per_client = {f"client-{client}": ClientRound(loss=float(number)) for client in range(CLIENTS)}
    return Round(round=number // 4, complete=True, loss=float(number), started_at=0.0, per_client=per_client)


def write_checkpoints(folder: str) -> None:
    """Save rounds without end, two are kept; print each that is saved."""
    checkpoints = CheckpointStore(Path(folder))
    newest = checkpoints.newest(RUN)
    for number in count(newest.round + 1 if newest else 1):
        values = np.full(20_000, number, np.float32)
        checkpoints.save(RUN, number, ArrayRecord({"weight": Array(values)}), {"moment": 2 * values}, {})
        checkpoints.prune(RUN, keep_newest=2, best=None)
        say(number)


def hold(url: str) -> None:
    """Only have the store open."""
    with Store.open(url):
        say(0)
        sys.stdin.read()


def look_as_nobody(home: str) -> None:
    """Give up root's rights, open what is in a home folder in three ways, and print what comes of each."""
    with tempfile.TemporaryDirectory() as folder:  # what is imported late must not be looked for in vain
        Store.open(default_url(Path(folder))).close()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    ways: list[Callable[[], object]] = [
        lambda: Store.open(default_url(Path(home))),
        lambda: StoreReader.open_to_read(default_url(Path(home))).runs(),
        lambda: CheckpointStore(Path(home) / "checkpoints"),
    ]
    for way in ways:
        try:
            answer = way()
        except FedLoomError as error:
            answer = error
        sys.stdout.write(f"{answer}\n")


def say(number: int) -> None:
    """Print a number at once."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    jobs = {
        "events": write_events,
        "checkpoints": write_checkpoints,
        "hold": hold,
        "look": look_as_nobody,
    }
    jobs[sys.argv[1]](sys.argv[2])

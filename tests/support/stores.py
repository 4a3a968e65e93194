"""What tests have a store keep, and other processes that have to do with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from flwr.app import Array, ArrayRecord

from app.records import LogRecord
from tests.support.processes import ROOT


def line(message: str) -> LogRecord:
    """One of the log's."""
    return LogRecord(level="info", source="client-1", logger="test", message=message)


def a_model(value: float, size: int = 1000) -> ArrayRecord:
    """So many times this value."""
    return ArrayRecord({"weight": Array(np.full(size, value, np.float32))})


@contextmanager
def worker(job: str, place: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has to do with a store; killed in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.store_worker", job, place],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def kill_after(process: subprocess.Popen[str], lines: int) -> int:
    """Let a worker print so many lines, kill it, and return the last number that it printed whole."""
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    printed += process.stdout.readlines()
    return int(next(text for text in reversed(printed) if text.endswith("\n")))

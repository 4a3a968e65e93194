"""Runs the peer, Flower's simulation engine, in a process of its own and ends all that it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.crew import BenchFailed
from bench.workload import Outcome
from shared.run_spec import RunSpec

PROJECT = Path(__file__).resolve().parent.parent


def train(spec: RunSpec, data_dir: Path) -> Outcome:
    """The rounds of `round`."""
    seconds, loss = _run(["train", spec.model_dump_json()], data_dir)
    return Outcome(seconds, loss)


def echo_rounds(warm_up: int, count: int) -> list[float]:
    """Seconds of each round of `overhead`."""
    return _run(["echo", str(warm_up), str(count)], Path())


def _run(arguments: list[str], data_dir: Path) -> list[float]:
    with TemporaryDirectory(prefix="fedloom-bench-") as folder:
        output = Path(folder) / "result.json"
        # Ray's workers take both from here.
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), "FEDLOOM_DATA_DIR": str(data_dir)}
        command = [sys.executable, "-m", "bench.simulation_process", str(output), *arguments]
        with subprocess.Popen(command, env=environment, cwd=PROJECT, start_new_session=True) as process:
            try:
                code = process.wait()
            finally:
                _end(process)
        if code:
            raise BenchFailed(
                f"Flower's simulation ended with exit code {code}; its messages are above. "
                "It needs the packages of requirements-dev.txt."
            )
        result: list[float] = json.loads(output.read_text(encoding="utf-8"))
        return result


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and all of Ray's processes, which are in its group, if it still runs: it was interrupted."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)

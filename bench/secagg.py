"""`secagg`: what secure aggregation costs beside FedAvg, in time and in bytes."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import fedloom, workload
from bench.images import write_images
from bench.report import FEDLOOM, Figure, Result, this_machine
from bench.secagg_bytes import bytes_of_a_round
from shared.run_spec import RunSpec
from shared.secagg.settings import SecureAggregation

CLIENTS = 10
SAMPLES = 1_000
TIME_REACH = 1.3
BYTES_REACH = 1.2
PLAIN = "FedAvg"


def measure(repeats: int, quick: bool) -> Result:
    """Both take turns, so that they meet the machine in the same mood."""
    machine = this_machine()
    clients, rounds = (3, 3) if quick else (CLIENTS, 10)
    plain = _spec(clients, rounds)
    secure = plain.with_changes(secure_aggregation={})
    runs = []
    with TemporaryDirectory(prefix="fedloom-bench-") as folder:
        data_dir = Path(folder)
        write_images(data_dir, clients * (SAMPLES + workload.HELD_OUT), workload.TEST_SAMPLES)
        for _ in range(repeats):
            runs.append(
                {
                    PLAIN: _interval_s(plain, data_dir, clients),
                    FEDLOOM: _interval_s(secure, data_dir, clients),
                }
            )
    settings = SecureAggregation()
    bytes_ratio = bytes_of_a_round(clients, settings) / bytes_of_a_round(clients, None)
    return Result(
        name="secagg",
        title=f"a round of train and evaluate with secure aggregation, {clients} clients, CNN of 1.6 MB, "
        f"{SAMPLES:,} samples each; median from round to round, of {rounds}",
        value=median(run[FEDLOOM] / run[PLAIN] for run in runs),
        unit="x FedAvg",
        reach=TIME_REACH,
        beside={PLAIN: 1.0},
        runs=runs,
        runs_unit="s",
        figures=[
            Figure(
                name="bytes of the messages of a training",
                value=bytes_ratio,
                unit="x FedAvg's",
                reach=BYTES_REACH,
                runs=[bytes_ratio],
            )
        ],
        note="from the beginning of one round to that of the next, over the link; the bytes are those of all "
        "messages and replies as they are serialised",
        quick=quick,
        machine=machine,
    )


def _interval_s(spec: RunSpec, data_dir: Path, clients: int) -> float:
    rhythm = fedloom.run(spec, data_dir, clients).rhythm
    assert rhythm is not None
    return rhythm.interval


def _spec(clients: int, rounds: int) -> RunSpec:
    return workload.spec(rounds).with_changes(min_clients=clients, num_partitions=clients)

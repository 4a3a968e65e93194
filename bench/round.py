"""`round`: what federation costs on top of training, on a small model."""

from __future__ import annotations

from statistics import median

from bench import bare, fedloom, flower_simulation, workload
from bench.report import FEDLOOM, Figure, Result, Run, ratios, this_machine
from bench.workload import Outcome

REACH = 1.05
BARE = "bare processes"
OWN_PROCESSES = "FedLoom, its app in processes of its own"
OWN_PROCESSES_REACH_MS = 10.0
PEER = "Flower simulation (Ray)"


def measure(repeats: int, quick: bool) -> Result:
    """FedLoom, the bare processes and the peer take turns, so that all meet the machine in the same mood."""
    machine = this_machine()
    spec = workload.spec(num_rounds=3 if quick else 5)
    runs: list[Run] = []
    differences: list[float] = []
    with workload.images() as data_dir:
        for _ in range(repeats):
            outcomes = {
                BARE: bare.run(spec, data_dir),
                FEDLOOM: fedloom.run(spec, data_dir),
                OWN_PROCESSES: fedloom.run_in_own_processes(spec, data_dir),
                PEER: flower_simulation.train(spec, data_dir),
            }
            workload.check_same_work(outcomes)
            runs.append({name: outcome.seconds for name, outcome in outcomes.items()})
            differences.append(_longer_ms(outcomes[OWN_PROCESSES], outcomes[FEDLOOM]))
    beside = ratios(runs, BARE)
    return Result(
        name="round",
        title=f"{spec.num_rounds} rounds of train and evaluate, {workload.CLIENTS} clients, CNN of 1.6 MB, "
        f"{workload.SAMPLES:,} samples each",
        value=beside.pop(FEDLOOM),
        unit="x bare",
        reach=REACH,
        beside=beside,
        runs=runs,
        runs_unit="s",
        figures=[
            Figure(
                name="a round, by an app's own processes",
                value=median(differences),
                unit="ms longer",
                reach=OWN_PROCESSES_REACH_MS,
                runs=differences,
            )
        ],
        note="from the end of the initial evaluation to the end of the last round, all warmed up before; "
        "the link is in TLS, and what stands beside it is not",
        quick=quick,
        machine=machine,
    )


def _longer_ms(one: Outcome, other: Outcome) -> float:
    """By how much one system's rounds are longer than another's, when both are warm."""
    assert one.interval_s is not None
    assert other.interval_s is not None
    return 1000 * (one.interval_s - other.interval_s)

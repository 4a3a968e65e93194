"""`round`: what federation costs on top of training, on a small model."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench import bare, fedloom, flower_simulation, workload
from bench.report import FEDLOOM, Figure, Result, Run, ratios, this_machine
from shared.run_spec import RunSpec

REACH = 1.05
BARE = "bare processes"
OWN_PROCESSES = "FedLoom, its app in processes of its own"
OWN_PROCESSES_REACH_MS = 10.0
PAIRS = 4
LONGER_ROUNDS = 20
"""How many pairs of runs a repetition has, and how many rounds each. One run differs from the next by 30 ms a
round, and the machine's speed drifts: so both take turns in being first, and the median counts."""

PEER = "Flower simulation (Ray)"


def measure(repeats: int, quick: bool) -> Result:
    """FedLoom, the bare processes and the peer take turns, so that all meet the machine in the same mood."""
    machine = this_machine()
    spec = workload.spec(num_rounds=3 if quick else 5)
    runs: list[Run] = []
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
        longer = spec if quick else workload.spec(num_rounds=LONGER_ROUNDS)
        pairs = 1 if quick else PAIRS * repeats
        differences = [_longer_ms(longer, data_dir, hosted_first=pair % 2 == 1) for pair in range(pairs)]
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
        "the link is without TLS and signatures, which do not exist yet",
        quick=quick,
        machine=machine,
    )


def _longer_ms(spec: RunSpec, data_dir: Path, *, hosted_first: bool) -> float:
    """By how much rounds are longer with the app in processes of its own, when both are warm."""
    systems = [fedloom.run, fedloom.run_in_own_processes]
    intervals: dict[str, float] = {}
    for run in reversed(systems) if hosted_first else systems:
        outcome = run(spec, data_dir)
        assert outcome.interval_s is not None
        intervals[run.__name__] = outcome.interval_s
    return 1000 * (intervals["run_in_own_processes"] - intervals["run"])

"""`round`: what federation costs on top of training, on a small model."""

from __future__ import annotations

from bench import bare, fedloom, flower_simulation, workload
from bench.report import FEDLOOM, Result, ratios, this_machine

REACH = 1.05
BARE = "bare processes"
PEER = "Flower simulation (Ray)"


def measure(repeats: int, quick: bool) -> Result:
    """FedLoom, the bare processes and the peer take turns, so that all meet the machine in the same mood."""
    machine = this_machine()
    spec = workload.spec(num_rounds=2 if quick else 5)
    runs = []
    with workload.images() as data_dir:
        for _ in range(repeats):
            outcomes = {
                BARE: bare.run(spec, data_dir),
                FEDLOOM: fedloom.run(spec, data_dir),
                PEER: flower_simulation.train(spec, data_dir),
            }
            workload.check_same_work(outcomes)
            runs.append({name: outcome.seconds for name, outcome in outcomes.items()})
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
        note="from the end of the initial evaluation to the end of the last round, all warmed up before; "
        "the link is without TLS and signatures, which do not exist yet",
        quick=quick,
        machine=machine,
    )

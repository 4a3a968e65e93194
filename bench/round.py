"""`round`: what federation costs on top of training, on a small model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from bench import bare, fedloom, flower_simulation, workload
from bench.report import FEDLOOM, Figure, Result, Run, ratios, this_machine
from shared.run_spec import RunSpec

REACH = 1.05
BARE = "bare processes"
OWN_PROCESSES = "FedLoom, its app in processes of its own"
LONGER_REACH_MS = 10.0
TURNS = 4
LONGER_ROUNDS = 20
"""How many turns of all systems a repetition has, and how many rounds each run. One run differs from the next
by 30 ms a round, and the machine's speed drifts: so they take turns in being first, and the median counts."""

PEER = "Flower simulation (Ray)"

System = Callable[[RunSpec, Path], workload.Outcome]
Turn = Mapping[System, workload.Rhythm]
SYSTEMS: tuple[System, ...] = (fedloom.run, fedloom.run_in_own_processes, fedloom.run_with_idle_mesh)


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
        turns = [_rhythms(longer, data_dir, turn) for turn in range(1 if quick else TURNS * repeats)]
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
            *_figures("a round, by an app's own processes", fedloom.run_in_own_processes, turns),
            *_figures("a round, by a mesh that has nothing to do", fedloom.run_with_idle_mesh, turns),
        ],
        note="from the end of the initial evaluation to the end of the last round, all warmed up before; "
        "the link is in TLS, and what stands beside it is not",
        quick=quick,
        machine=machine,
    )


def _rhythms(spec: RunSpec, data_dir: Path, turn: int) -> Turn:
    """Each system's rounds, one system after the other, of which another is the first in each turn."""
    first = turn % len(SYSTEMS)
    rhythms = {}
    for system in (*SYSTEMS[first:], *SYSTEMS[:first]):
        rhythm = system(spec, data_dir).rhythm
        assert rhythm is not None
        rhythms[system] = rhythm
    return rhythms


def _figures(name: str, system: System, turns: Sequence[Turn]) -> list[Figure]:
    """By how much its rounds are longer than FedLoom's when both are warm: the whole of them, and what is not
    the clients' work. Processes that do the same work differ by a tenth in speed, by where their memory lies:
    100 ms a round here, of which the second number knows nothing."""
    whole = [1000 * (turn[system].interval - turn[fedloom.run].interval) for turn in turns]
    apart = [1000 * (turn[system].apart - turn[fedloom.run].apart) for turn in turns]
    return [
        Figure(name=name, value=median(runs), unit="ms longer", reach=LONGER_REACH_MS, runs=runs)
        for name, runs in (
            (name, whole),
            ("the same, without the time in which clients train and evaluate", apart),
        )
    ]

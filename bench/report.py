"""What a benchmark found: the number, what stands beside it, and where it was measured."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch

FEDLOOM = "FedLoom"

Run = Mapping[str, float]
"""One repetition: what each system needed, by its name."""


@dataclass(frozen=True)
class Machine:
    """Where it was measured. `load` is the one-minute load average before the benchmark began."""

    cpu: str
    cores: int
    load: float
    system: str
    python: str
    torch: str
    flwr: str


@dataclass(frozen=True)
class Result:
    """A benchmark's outcome.

    `value` and `beside` are medians over `runs`, in `unit` as `reach` is; `runs` hold every measurement, in
    `runs_unit`. Less is better: `value` is to be at most `reach`.
    """

    name: str
    title: str
    value: float
    unit: str
    reach: float
    beside: Mapping[str, float]
    runs: Sequence[Run]
    runs_unit: str
    note: str
    quick: bool
    machine: Machine

    @property
    def reached(self) -> bool:
        """Whether the number is as good as it has to be."""
        return self.value <= self.reach


def medians(runs: Sequence[Run]) -> dict[str, float]:
    """The median of each system over the repetitions."""
    return {name: median(run[name] for run in runs) for name in runs[0]}


def ratios(runs: Sequence[Run], reference: str) -> dict[str, float]:
    """Each system against `reference`: the median of the ratios within one repetition.

    What was measured close together is compared, so that a machine that slows down meanwhile harms nobody.
    """
    return medians([{name: value / run[reference] for name, value in run.items()} for run in runs])


def this_machine() -> Machine:
    """The machine as it is now; ask before the benchmark begins."""
    return Machine(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 2),
        system=platform.platform(),
        python=platform.python_version(),
        torch=str(torch.__version__),
        flwr=version("flwr"),
    )


def to_json(result: Result) -> dict[str, Any]:
    """The result as JSON."""
    return {**asdict(result), "reached": result.reached}


def write_json(result: Result, path: Path) -> None:
    """Write the result to a file."""
    path.write_text(json.dumps(to_json(result), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def table(result: Result) -> str:
    """The result for a person: every system, best first, with all its runs."""
    rows = [("", result.unit, f"each run ({result.runs_unit})")]
    for name, value in sorted({**result.beside, FEDLOOM: result.value}.items(), key=lambda row: row[1]):
        rows.append((name, f"{value:.2f}", "  ".join(f"{run[name]:.2f}" for run in result.runs)))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"{name:<{widths[0]}}  {value:>{widths[1]}}  {runs}".rstrip() for name, value, runs in rows]
    verdict = "reached" if result.reached else "NOT reached"
    machine = result.machine
    return "\n".join(
        [
            f"{result.name}: {result.title}",
            "",
            *lines,
            "",
            f"to reach: at most {result.reach:g} {result.unit}: {verdict}"
            + (" (one quick run, no figure to quote)" if result.quick else ""),
            result.note,
            f"{machine.cpu}, {machine.cores} cores, load {machine.load:.2f} at the start; "
            f"Python {machine.python}, torch {machine.torch}, flwr {machine.flwr}",
        ]
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

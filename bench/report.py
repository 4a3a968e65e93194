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

from shared.result_file import write_whole

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


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A number to reach: `value` is to be at most `reach`, or at least that much; both are in `unit`."""

    name: str
    value: float
    unit: str
    reach: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether the number is as good as it has to be."""
        return self.value >= self.reach if self.at_least else self.value <= self.reach

    @property
    def verdict(self) -> str:
        """What is to be reached, and whether it is."""
        limit = "at least" if self.at_least else "at most"
        return f"{limit} {self.reach:g} {self.unit}: {'reached' if self.reached else 'NOT reached'}"


@dataclass(frozen=True, kw_only=True)
class Figure(Goal):
    """One more number that a benchmark has to reach: the median of `runs`, which have the same unit."""

    runs: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Result(Goal):
    """A benchmark's outcome.

    `value` and `beside` are medians over `runs`, in `unit`; `runs` hold every measurement, in `runs_unit`.
    What else is to be reached stands in `figures`.
    """

    title: str
    beside: Mapping[str, float]
    runs: Sequence[Run]
    runs_unit: str
    figures: Sequence[Figure] = ()
    note: str
    quick: bool
    machine: Machine

    @property
    def all_reached(self) -> bool:
        """Whether every number is."""
        return self.reached and all(figure.reached for figure in self.figures)


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
    figures = [{**asdict(figure), "reached": figure.reached} for figure in result.figures]
    return {
        **asdict(result),
        "reached": result.reached,
        "figures": figures,
        "all_reached": result.all_reached,
    }


def write_json(result: Result, path: Path) -> None:
    """Write the result to a file."""
    write_whole(path, json.dumps(to_json(result), indent=2, ensure_ascii=False) + "\n")


def table(result: Result) -> str:
    """The result for a person: every system, best first, with all its runs; then the other figures."""
    rows = [("", result.unit, f"each run ({result.runs_unit})")]
    systems = {**result.beside, FEDLOOM: result.value}
    for name, value in sorted(systems.items(), key=lambda row: row[1], reverse=result.at_least):
        rows.append((name, f"{value:.2f}", "  ".join(f"{run[name]:.2f}" for run in result.runs)))
    lines = [*_aligned(rows), "", f"to reach: {result.verdict}{_caution(result)}"]
    if result.figures:
        also = [("", "", "each run")]
        for figure in result.figures:
            values = "  ".join(f"{value:.2f}" for value in figure.runs)
            also.append((figure.name, f"{figure.value:.2f} {figure.unit}", values))
        lines += ["", *_aligned(also), ""]
        lines += [f"to reach: {figure.name} {figure.verdict}" for figure in result.figures]
    machine = result.machine
    return "\n".join(
        [
            f"{result.name}: {result.title}",
            "",
            *lines,
            result.note,
            f"{machine.cpu}, {machine.cores} cores, load {machine.load:.2f} at the start; "
            f"Python {machine.python}, torch {machine.torch}, flwr {machine.flwr}",
        ]
    )


def _caution(result: Result) -> str:
    return " (one quick run, no figure to quote)" if result.quick else ""


def _aligned(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return [f"{name:<{widths[0]}}  {value:>{widths[1]}}  {runs}".rstrip() for name, value, runs in rows]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

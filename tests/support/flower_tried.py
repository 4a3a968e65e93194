"""`python -m tests.support.flower_tried CHECKOUT [NAME...]`: Flower's own examples, here and under Flower.

CHECKOUT is a clone of Flower's repository. Each app in `TRIED`, or each one named, is copied as it is and run
twice with the same data and seeds (`tests/support/stand_ins`): in Flower's simulation engine, and on a
FedLoom server with client processes. All numbers of all rounds are compared, and the table in
`docs/flower-apps-tried.md` is written anew. It needs what the apps need; `--packages` says what that is:

    python -m venv --system-site-packages tried
    tried/bin/pip install $(tried/bin/python -m tests.support.flower_tried --packages)
    tried/bin/python -m tests.support.flower_tried ../flower
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.api import Api, Json
from tests.support.flower_own_apps import PACKAGES, TRIED, Tried
from tests.support.flower_reference import Config, FlowerReference, Numbers, ReferenceApp
from tests.support.processes import ROOT, Command, ServerProcess

TABLE = ROOT / "docs" / "flower-apps-tried.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
RUN_S = 240.0


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    tried: Tried
    rounds: int
    numbers: int
    verdict: str

    def line(self) -> str:
        link = f"[{self.tried.name}](https://github.com/flwrlabs/flower/tree/main/{self.tried.path})"
        config = " ".join(f"{key}={json.dumps(value)}" for key, value in self.tried.run_config.items())
        return (
            f"| {link} | {self.tried.shows} | {self.tried.clients} | "
            f"{f'`{config}`' if config else ''} | {self.rounds} | {self.numbers} | {self.verdict} |"
        )


def environment() -> dict[str, str]:
    """The same data and seeds for both."""
    stand_ins = Path(__file__).with_name("stand_ins")
    return {
        "PYTHONPATH": os.pathsep.join((str(stand_ins), str(ROOT))),
        "WANDB_MODE": "disabled",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "FLWR_TELEMETRY_ENABLED": "0",
    }


def attempt(tried: Tried, checkout: Path) -> Row:
    """Run one app here and under Flower, and compare."""
    with tempfile.TemporaryDirectory(prefix="tried-") as place, ExitStack() as ending:
        home = Path(place)
        configs = tried.node_configs(home, tried.clients) if tried.node_configs else ()
        theirs = copy(checkout / tried.path, home / "flower")
        app = ReferenceApp(theirs, tried.run_config, node_configs=configs)
        reference = FlowerReference([app], tried.clients, home, environment())
        ending.callback(reference.end)
        try:
            outcome = reference.of(app, RUN_S)
        except AssertionError as error:
            return Row(tried, 0, 0, f"not run: Flower's engine: {last_line(str(error))}")
        reference.end()
        if outcome.error:
            return Row(tried, 0, 0, f"not run: under Flower it ends with {last_line(outcome.error)}")
        if not any(replies for _, replies in outcome.phases):
            return Row(tried, 0, 0, f"not run: under Flower {last_line(outcome.failures[0])}")
        ours = copy(checkout / tried.path, home / "fedloom")
        run, rounds = run_here(ours, tried, configs, home, ending)
        if run["state"] != "completed":
            return Row(
                tried, len(rounds), 0, f"**{run['state']}**: {run['reason'] or last_line(run['error'] or '')}"
            )
        return compare(tried, rounds, outcome.in_order())


def copy(folder: Path, to: Path) -> Path:
    """The app as it is, in a folder of its own."""
    return Path(shutil.copytree(folder, to / folder.name))


def run_here(
    folder: Path, tried: Tried, configs: Sequence[Config], home: Path, ending: ExitStack
) -> tuple[Json, list[Json]]:
    """The run on a FedLoom server, once it has ended, and its rounds."""
    env = environment()
    server = ServerProcess("--app", str(folder), start_s=RUN_S, home=home, env=env)
    ending.callback(server.end)
    for part in range(tried.clients):
        node_config = {
            "partition-id": part,
            "num-partitions": tried.clients,
            **(configs[part] if configs else {}),
        }
        told = " ".join(f"{key}={json.dumps(value)}" for key, value in node_config.items())
        flags = ("--client-id", f"client-{part}", "--server", server.link, "--node-config", told)
        client = Command("run_client.py", "--app", str(folder), *flags, home=home, env=env)
        ending.callback(client.end)
    api = Api(server.url)
    ending.callback(api.close)
    started = api.start(
        app=api.get("/status")["app"]["name"], min_clients=tried.clients, run_config=tried.run_config
    )
    run = api.wait_for_run(started["id"], "completed", "failed", timeout_s=RUN_S)
    return run, api.rounds(started["id"])


def compare(tried: Tried, rounds: list[Json], theirs: list[tuple[str, Numbers]]) -> Row:
    """Whether each stage has the numbers that it has under Flower."""
    stages = [(name, numbers) for round_ in rounds for name, numbers in round_["metrics"].items()]
    ours = [(name.partition(" ")[0], numbers) for name, numbers in stages if name != "server"]
    ours += [(name, numbers) for name, numbers in stages if name == "server"]
    count = sum(len(numbers) for _, numbers in ours)
    kinds = [kind for kind, _ in ours], [kind for kind, _ in theirs]
    if kinds[0] != kinds[1]:
        return Row(tried, len(rounds), count, f"**other stages**: {kinds[0]}, under Flower {kinds[1]}")
    for (kind, mine), (_, expected) in zip(ours, theirs, strict=True):
        if mine.keys() != expected.keys():
            return Row(
                tried,
                len(rounds),
                count,
                f"**other numbers** in {kind}: {sorted(mine.keys() ^ expected.keys())}",
            )
    apart = max(
        (
            difference(mine[name], expected[name])
            for (_, mine), (_, expected) in zip(ours, theirs, strict=True)
            for name in mine
        ),
        default=0.0,
    )
    verdict = (
        "equal" if apart <= 1e-9 else f"equal to {apart:.0e}" if apart < 1e-3 else f"**apart by {apart:.2g}**"
    )
    return Row(tried, len(rounds), count, verdict)


def difference(one: float, another: float) -> float:
    """How far two numbers are apart, relative to the larger."""
    return 0.0 if one == another else abs(one - another) / max(abs(one), abs(another), math.ulp(0.0))


def last_line(text: str) -> str:
    """Of a traceback: what was raised."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def write_table(rows: Sequence[Row]) -> None:
    """Put the rows in place of those that were tried before."""
    text = TABLE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = [
        "| app | what is its own in it | clients | run config | rounds | numbers | as under Flower |",
        "|---|---|---|---|---|---|---|",
        *(row.line() for row in rows),
    ]
    TABLE.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{tail}", encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    if list(arguments) == ["--packages"]:
        sys.stdout.write(" ".join(PACKAGES) + "\n")
        return
    checkout, *names = arguments
    chosen = [tried for tried in TRIED if not names or tried.name in names]
    rows = []
    for tried in chosen:
        rows.append(attempt(tried, Path(checkout)))
        sys.stdout.write(rows[-1].line() + "\n")
        sys.stdout.flush()
    if not names:
        write_table(rows)


if __name__ == "__main__":
    main(sys.argv[1:])

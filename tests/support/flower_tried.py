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
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.api import Api, Json
from tests.support.flower_reference import Config, FlowerReference, Numbers, ReferenceApp
from tests.support.processes import ROOT, Command, ServerProcess

PACKAGES = (
    "flwr-datasets",
    *("catboost", "easydict", "flax", "jax", "lifelines", "opacus", "optax", "pandas", "pennylane"),
    *("pillow", "psycopg", "pytorch-lightning", "sqlalchemy", "tensorboard", "tqdm", "wandb", "xgboost"),
)
TABLE = ROOT / "docs" / "flower-apps-tried.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
RUN_S = 240.0

NodeConfigs = Callable[[Path, int], tuple[Config, ...]]


@dataclass(frozen=True)
class Tried:
    """One of Flower's apps, and what is to be set so that it runs here in little time."""

    path: str
    """In Flower's repository."""
    shows: str
    """What is its own in it."""
    run_config: Config = field(default_factory=dict)
    clients: int = 2
    node_configs: NodeConfigs | None = None

    @property
    def name(self) -> str:
        return Path(self.path).name


def databases(home: Path, clients: int) -> tuple[Config, ...]:
    """A database for each client, in place of PostgreSQL."""
    columns = ("age", "bmi", "systolic_bp", "diastolic_bp", "ldl_cholesterol", "hba1c")
    urls = []
    for part in range(clients):
        file = home / f"people-{part}.db"
        with closing(sqlite3.connect(file)) as database:
            database.execute(
                f"create table person_measurements ({', '.join(f'{name} real' for name in columns)})"
            )
            rows = [[20.0 + 3 * row + place + part for place in range(len(columns))] for row in range(20)]
            database.executemany(f"insert into person_measurements values ({','.join('?' * 6)})", rows)
            database.commit()
        urls.append({"db-url": f"sqlite:///{file}"})
    return tuple(urls)


TWO: Config = {"num-server-rounds": 2}

TRIED = (
    Tried("examples/quickstart-numpy", "lists of numbers in metrics", TWO),
    Tried("examples/quickstart-pandas", "`len(replies)`, then a loop; rounds from 0", TWO),
    Tried(
        "examples/federated-analytics", "`len(list(replies))`, then a loop; no rounds", node_configs=databases
    ),
    Tried("examples/federated-kaplan-meier-fitter", "`len(replies)`, replies by index; no rounds"),
    Tried("examples/quickstart-sklearn", "FedAvg; saves a model", {"num-server-rounds": 3}),
    Tried("examples/quickstart-pytorch", "`evaluate_fn`; saves a model", {**TWO, "fraction-evaluate": 1.0}),
    Tried("examples/quickstart-pytorch-lightning", "a framework that takes signals and logging over", TWO),
    Tried("examples/quickstart-jax", "JAX", {**TWO, "fraction-evaluate": 1.0}),
    Tried(
        "examples/quickstart-pennylane",
        "a quantum circuit in a network",
        {**TWO, "fraction-evaluate": 1.0, "local-epochs": 1},
    ),
    Tried(
        "examples/quickstart-xgboost",
        "FedXgbBagging; AUC",
        {**TWO, "fraction-train": 1.0, "fraction-evaluate": 1.0, "params.nthread": 1},
    ),
    Tried("examples/quickstart-catboost", "model and AUC in a ConfigRecord; rounds from 0", TWO),
    Tried("examples/custom-mods", "mods of the ClientApp; `evaluate_fn`", {**TWO, "fraction-evaluate": 1.0}),
    Tried(
        "examples/advanced-pytorch",
        "a strategy with its own `start`; `Context.state`; writes files",
        {**TWO, "fraction-train": 1.0, "fraction-evaluate": 1.0},
    ),
    Tried("examples/fl-tabular", "FedAvg; metrics in evaluation only", TWO),
    Tried("examples/federated-vae", "an autoencoder", TWO),
    Tried("examples/opacus", "functions that aggregate metrics; privacy engine", TWO),
    Tried(
        "examples/vertical-fl",
        "`query.…` and `train.…`, messages without rounds, replies that nobody fetches",
        {"num-server-rounds": 3},
        clients=3,
    ),
    Tried(
        "examples/flower-secure-aggregation",
        "SecAgg+, the older style",
        {**TWO, "is-demo": False, "fraction-evaluate": 1.0},
        clients=5,
    ),
    Tried(
        "examples/fl-dp-sa",
        "SecAgg+ with differential privacy; no key for rounds",
        {"num-sampled-clients": 15, "num-shares": 3, "reconstruction-threshold": 2},
        clients=3,
    ),
    Tried(
        "baselines/fedprox",
        "rounds in a nested table; a Server of its own; writes beside itself",
        {
            "algorithm.num-server-rounds": 2,
            "algorithm.min-available-clients": 2,
            "algorithm.fraction-fit": 1.0,
            "algorithm.local-epochs": 1,
            "algorithm.num-clients": 2,
            "dataset.preassigned-num-samples-per-label": 1,
        },
    ),
    Tried(
        "baselines/floco",
        "a strategy in the older style that changes parameters for each client",
        {**TWO, "fraction-fit": 1.0, "local-epochs": 1, "tau": 1, "dataset-split-arg": 5.0},
    ),
    Tried(
        "baselines/fedrep",
        "a part of the model stays with the client",
        {**TWO, "fraction-fit": 1.0, "fraction-evaluate": 1.0, "num-local-epochs": 1},
    ),
    Tried(
        "examples/flower-simulation-step-by-step-pytorch/my-awesome-app",
        "writes results beside itself; a tracker",
        {**TWO, "fraction-fit": 1.0},
    ),
)


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
    options = {"home": home, "env": environment()}
    server = ServerProcess("--app", str(folder), **options)
    ending.callback(server.end)
    for part in range(tried.clients):
        node_config = {
            "partition-id": part,
            "num-partitions": tried.clients,
            **(configs[part] if configs else {}),
        }
        told = " ".join(f"{key}={json.dumps(value)}" for key, value in node_config.items())
        flags = ("--client-id", f"client-{part}", "--server", server.link, "--node-config", told)
        client = Command("run_client.py", "--app", str(folder), *flags, **options)
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

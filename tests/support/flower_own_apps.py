"""Flower's own examples and baselines that run on any machine, and what is set so that it is soon."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.flower_reference import Config

PACKAGES = (
    "flwr-datasets",
    *("catboost", "easydict==1.11", "flax", "jax", "lifelines", "opacus", "optax", "pandas", "pennylane"),
    *("pillow", "psycopg", "pytorch-lightning", "sqlalchemy", "tensorboard", "tqdm", "wandb", "xgboost"),
)
"""What they need beside FedLoom's own packages."""

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
    urls: list[Config] = []
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
            "algorithm.min-available-clients": 10,
            "algorithm.fraction-fit": 1.0,
            "algorithm.local-epochs": 1,
            "algorithm.num-clients": 10,
            "dataset.preassigned-num-samples-per-label": 1,
        },
        clients=10,
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

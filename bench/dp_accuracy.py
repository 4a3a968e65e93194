"""`python -m bench.dp_accuracy`: what accuracy costs in privacy, as a table in Markdown for the documents.

A real server and real clients, a run for each amount of noise. Nothing is timed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from app.demo.fleet import Fleet
from app.settings import ServerSettings
from bench.crew import BenchFailed
from client.settings import ClientSettings
from shared import paths
from shared.console import configure_logging
from shared.errors import FedLoomError
from shared.interrupt import end_on_signals
from shared.names import DatasetName, ModelName

NOISE = (0.5, 1.0, 2.0)
POLL_S = 0.5

Json = dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """Train, print the table; 2: nothing was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.dp_accuracy", description=__doc__)
    parser.add_argument("--dataset", choices=list(DatasetName), default=DatasetName.DIGITS)
    parser.add_argument("--model", choices=list(ModelName), default=ModelName.CNN)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--clipping-norm", type=float, default=1.0)
    parser.add_argument("--max-samples", type=int, default=0, help="of each client (all)")
    parser.add_argument("--device", default="cpu", help="of the clients: a PyTorch device, or auto (cpu)")
    arguments = parser.parse_args(argv)
    configure_logging("bench")
    end_on_signals()
    try:
        print(table(_measure(arguments)))
    except FedLoomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def table(runs: Sequence[Sequence[Json]]) -> str:
    """The rounds of each run side by side, the one without noise first."""
    titles = ["without", *(f"noise {noise:g}" for noise in NOISE)]
    lines = [f"| round | {' | '.join(titles)} |", "|---" * (1 + len(titles)) + "|"]
    for rounds in zip(*runs, strict=True):
        cells = " | ".join(_cell(round_) for round_ in rounds)
        lines.append(f"| {rounds[0]['round']} | {cells} |")
    return "\n".join(lines)


def _cell(round_: Json) -> str:
    parts = round_["per_client"].values()
    spent = [part["epsilon_of_run"] for part in parts if part["epsilon_of_run"] is not None]
    return f"{round_['accuracy']:.1%}" + (f", ε {max(spent):.2f}" if spent else "")


def _measure(arguments: argparse.Namespace) -> list[list[Json]]:
    data_dir = paths.data_dir()
    with TemporaryDirectory(prefix="fedloom-bench-") as folder, Fleet() as fleet:
        home = Path(folder)
        ports = fleet.start_server(ServerSettings(port=0, link_port=0, data_dir=data_dir, home=home))
        for number in range(1, arguments.clients + 1):
            fleet.start_client(
                ClientSettings(
                    client_id=f"client-{number}",
                    server=f"127.0.0.1:{ports.link}",
                    dataset=arguments.dataset,
                    data_dir=data_dir,
                    max_samples=arguments.max_samples,
                    device=arguments.device,
                    home=home,
                )
            )
        with httpx.Client(base_url=f"http://127.0.0.1:{ports.web}/api/v1", timeout=30) as api:
            return [_rounds(api, arguments, noise) for noise in (None, *NOISE)]


def _rounds(api: httpx.Client, arguments: argparse.Namespace, noise: float | None) -> list[Json]:
    dp = None if noise is None else {"noise_multiplier": noise, "clipping_norm": arguments.clipping_norm}
    spec = {
        "dataset": arguments.dataset,
        "model": arguments.model,
        "num_rounds": arguments.rounds,
        "min_clients": arguments.clients,
        "batch_size": arguments.batch_size,
        "lr": arguments.lr,
        "alpha": None,
        "dp": dp,
    }
    answer = api.post("/runs", json=spec)
    if answer.is_error:
        raise BenchFailed(answer.json()["detail"])
    run_id = answer.json()["id"]
    while (run := api.get(f"/runs/{run_id}").json())["state"] != "completed":
        if run["state"] in ("stopped", "failed"):
            raise BenchFailed(f"The run with noise {noise} is {run['state']}: {run['reason']}.")
        time.sleep(POLL_S)
    rounds: list[Json] = api.get(f"/runs/{run_id}/rounds").json()["rounds"]
    return rounds


if __name__ == "__main__":
    sys.exit(main())

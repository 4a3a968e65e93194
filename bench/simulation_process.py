"""A process of the peer: Flower's simulation engine (Ray) with the very apps that FedLoom runs.

`python -m bench.simulation_process RESULT train SPEC`, or `... RESULT echo WARM_UP COUNT`; RESULT is a file
for a JSON list of numbers.

The actors share the cores as FedLoom's clients do: as many actors as clients, with as many torch threads.
The run config comes from here, as `run_simulation` has no parameter for it. A round of training that does not
count starts and warms up the actors.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, UserConfig
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.simulation import run_simulation

from app.federation.rounds import server_app
from app.federation.rounds.callbacks import WaitForNodes
from app.federation.strategies import build_strategy
from bench import echo, workload
from bench.crew import BenchFailed
from client import client_app
from shared.console import configure_logging
from shared.models import build_model
from shared.run_spec import RunSpec
from shared.training import EvalResult

CORES = os.cpu_count() or 1
THREADS = max(1, CORES // workload.CLIENTS)


class Stopwatch(WaitForNodes):
    """The callbacks of a run: warms the actors up, notes when each round ended and the last loss."""

    def __init__(self, grid: Grid, spec: RunSpec) -> None:
        super().__init__(grid, spec.min_clients)
        self._spec = spec
        self.ends: list[float] = []
        self.loss = 0.0

    def evaluated(self, server_round: int, result: EvalResult) -> None:
        """Keep the loss."""
        self.loss = result.loss

    def finished(self, server_round: int) -> None:
        """The clock starts when round 0, the evaluation of the initial model, and the warm-up are over."""
        if server_round == 0:
            self.before_round(0)
            self._warm_up()
        self.ends.append(time.monotonic())

    def _warm_up(self) -> None:
        arrays = ArrayRecord(build_model(self._spec.model, self._spec.dataset, seed=0).state_dict())
        messages = build_strategy(self._spec).configure_train(0, arrays, ConfigRecord(), self._grid)
        if any(reply.has_error() for reply in self._grid.send_and_receive(messages)):
            raise BenchFailed("A client of the simulation failed; its message is above.")


def train(spec: RunSpec) -> list[float]:
    """Seconds from the end of round 0 to the end of the last round, and the final loss on the test set."""
    watches: list[Stopwatch] = []

    def serve(grid: Grid, context: Context) -> None:
        context.run_config = spec.to_run_config()
        watches.append(Stopwatch(grid, spec))
        server_app.build(watches[0])(grid, context)

    _simulate(serve, configured(client_app.app, spec.to_run_config()))
    return [watches[0].ends[-1] - watches[0].ends[0], watches[0].loss]


def echo_rounds(warm_up: int, count: int) -> list[float]:
    """Seconds of each round of `bench.echo`."""
    seconds: list[float] = []

    def serve(grid: Grid, _: Context) -> None:
        WaitForNodes(grid, echo.CLIENTS).before_round(1)
        seconds.extend(echo.rounds(grid, echo.Flower(), warm_up, count))

    _simulate(serve, echo.app)
    return seconds


def configured(client_app: ClientApp, run_config: UserConfig) -> ClientApp:
    """A ClientApp that calls `client_app` with this run config and FedLoom's share of threads."""
    outer = ClientApp()

    @outer.train()
    @outer.evaluate()
    def call(message: Message, context: Context) -> Message:
        torch.set_num_threads(THREADS)
        # A copy: the engine insists that the context comes back with the config that it went out with.
        mine = Context(context.run_id, context.node_id, context.node_config, context.state, run_config)
        return client_app(message, mine)

    return outer


def _simulate(serve: Callable[[Grid, Context], None], client_app: ClientApp) -> None:
    app = ServerApp()
    app.main()(serve)
    share = int(100 * CORES / workload.CLIENTS) / 100  # rounded down, else one actor less fits
    run_simulation(
        server_app=app,
        client_app=client_app,
        num_supernodes=workload.CLIENTS,
        backend_config={
            "client_resources": {"num_cpus": share, "num_gpus": 0.0},
            "init_args": {"num_cpus": CORES, "include_dashboard": False},
        },
    )


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    configure_logging("flower")
    output, kind, *rest = arguments
    result = train(RunSpec.model_validate_json(rest[0])) if kind == "train" else echo_rounds(*map(int, rest))
    Path(output).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

"""`python -m tests.support.simulation CLIENTS SPEC SEED...`: Flower's simulation engine, FedLoom's ClientApp.

It works for two servers, one after the other, on the same virtual clients:
- FedLoom's own ServerApp, with the seed in the spec. It reports to Flower's log, which goes to stderr.
- Flower's `FedAvg.start`, round loop and aggregation included, once for each SEED. Nothing of `app` is in it:
  it is the reference that FedLoom is compared with. The accuracies on the test set are printed as
  `reference: {SEED: [of the initial model, after round 1, ...]}`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

from app.federation.rounds import server_app
from client import client_app
from shared import paths
from shared.data.datasets import load_test
from shared.models import build_model
from shared.run_spec import RunSpec
from shared.seeds import derive_seed


def simulate(clients: int, spec: RunSpec, seeds: Sequence[int]) -> None:
    """Run the spec with so many virtual clients, as FedLoom does it and for each seed as Flower does.

    `run_simulation` has no parameter for the run config that `flwr run` takes from pyproject.toml, so both
    apps are wrapped to get it.
    """
    config = spec.to_run_config()
    outer_server, outer_client = ServerApp(), ClientApp()

    @outer_server.main()
    def serve(grid: Grid, context: Context) -> None:
        context.run_config = config
        server_app.app(grid, context)
        curves = {seed: reference_curve(grid, clients, spec, seed) for seed in seeds}
        sys.stdout.write(f"reference: {json.dumps(curves)}\n")

    @outer_client.train()
    @outer_client.evaluate()
    def answer(message: Message, context: Context) -> Message:
        asked = message.content.config_records["config"]
        # A copy: the engine insists that the context comes back with the config that it went out with.
        mine = Context(
            context.run_id,
            context.node_id,
            context.node_config,
            context.state,
            {**config, "seed": int(str(asked.get("seed", spec.seed)))},
        )
        return client_app.app(message, mine)

    run_simulation(
        server_app=outer_server,
        client_app=outer_client,
        num_supernodes=clients,
        backend_config={
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
            "init_args": {"num_cpus": 1, "include_dashboard": False},
        },
    )


def reference_curve(grid: Grid, clients: int, spec: RunSpec, seed: int) -> list[float]:
    """The accuracy (0 to 1) on the test set before the first and after each round of Flower's own FedAvg."""
    model = build_model(spec.model, spec.dataset, derive_seed(seed, "model"))
    test_set = load_test(spec.dataset, paths.data_dir())

    def accuracy(_: int, arrays: ArrayRecord) -> MetricRecord:
        model.load_state_dict(arrays.to_torch_state_dict())
        with torch.inference_mode():
            right = [
                (model(inputs).argmax(1) == labels).float()
                for inputs, labels in zip(test_set.inputs.split(500), test_set.labels.split(500), strict=True)
            ]
        return MetricRecord({"accuracy": torch.cat(right).mean().item()})

    strategy = FedAvg(fraction_evaluate=0.0, min_train_nodes=clients, min_available_nodes=clients)
    result = strategy.start(
        grid,
        ArrayRecord(model.state_dict()),
        num_rounds=spec.num_rounds,
        train_config=ConfigRecord({"seed": seed}),
        evaluate_fn=accuracy,
    )
    measured = sorted(result.evaluate_metrics_serverapp.items())
    return [float(str(metrics["accuracy"])) for _, metrics in measured]


if __name__ == "__main__":
    simulate(int(sys.argv[1]), RunSpec.model_validate_json(sys.argv[2]), [int(seed) for seed in sys.argv[3:]])
